"""What a daemon is like in general, whatever it is told."""

from typing import Literal

from portwright._start.records import dataclass

Root = Literal["by-design", "needless"]
PortTaken = Literal["exits", "survives"]
InheritedSockets = Literal["ignored", "taken"]
ClosesFirst = Literal["yes", "no", "sometimes"]


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a daemon whatever its settings; None: not known.

    `root`: it is started as root *by-design*, for more than its ports, or needs it for nothing else (*needless*). `port_taken`: what it
    does when a port of it is taken. `inherited_sockets`: what it does with sockets that systemd hands it. `closes_first`: whether it is
    the side that closes the connections it makes. `confined_by`: SELinux types or AppArmor profiles that distributions confine it by,
    `labelled` the ports that the script of its package gives to that type, which is known to fail.
    `rootless`: run by anybody but root, it binds from a user namespace of its own. `static`: it makes its system calls itself, so that
    a preloaded library changes nothing. `loads_from_origin`: it finds its libraries by $ORIGIN, which a file capability switches off.
    `workers_hold`: its workers inherit the listening sockets, so while one is left nobody else can bind. `gives_way`: the setting, with
    its file, by which it leaves a port that it runs on without to others. `takes_socket`: the flag by which it takes a descriptor that
    it ignores without. `detaches`: started from a shell, it goes to the background by itself. `logs_in`:
    operators log in by it, so that its port is moved by hand, with a second connection open. `pod_says_port`: a pod
    of Kubernetes names the port in its `ports`, and no node is given a second one that does. `foreground` are the flags with which it
    stays in the foreground (`always`: it never leaves it), `background` those with which it goes to the background; of what
    its config says nothing is known here. `tells_nobody` are those with which it never tells systemd that it is ready.
    `awaits_address`: an address that comes after it was started it binds then, or has bound already. `lists_interfaces`: it asks the
    kernel for its interfaces before it binds (getifaddrs(3), a socket of AF_NETLINK), and opens nothing where it may not.
    """

    root: Root | None = None
    port_taken: PortTaken | None = None
    inherited_sockets: InheritedSockets | None = None
    closes_first: ClosesFirst | None = None
    confined_by: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()
    rootless: bool = False
    static: bool = False
    loads_from_origin: bool = False
    workers_hold: bool = False
    gives_way: str = ""
    takes_socket: str = ""
    detaches: bool = False
    logs_in: bool = False
    pod_says_port: bool = False
    foreground: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    tells_nobody: tuple[str, ...] = ()
    awaits_address: bool = False
    lists_interfaces: bool = False

    def or_else(self, general: "Traits") -> "Traits":
        """These, and where nothing is said here what is known in general."""
        if self == _UNKNOWN:  # most readers say nothing of them
            return general
        return Traits(
            root=self.root or general.root,
            port_taken=self.port_taken or general.port_taken,
            inherited_sockets=self.inherited_sockets or general.inherited_sockets,
            closes_first=self.closes_first or general.closes_first,
            confined_by=self.confined_by or general.confined_by,
            labelled=self.labelled or general.labelled,
            rootless=self.rootless or general.rootless,
            static=self.static or general.static,
            loads_from_origin=self.loads_from_origin or general.loads_from_origin,
            workers_hold=self.workers_hold or general.workers_hold,
            gives_way=self.gives_way or general.gives_way,
            takes_socket=self.takes_socket or general.takes_socket,
            detaches=self.detaches or general.detaches,
            logs_in=self.logs_in or general.logs_in,
            pod_says_port=self.pod_says_port or general.pod_says_port,
            foreground=self.foreground or general.foreground,
            background=self.background or general.background,
            tells_nobody=self.tells_nobody or general.tells_nobody,
            awaits_address=self.awaits_address or general.awaits_address,
            lists_interfaces=self.lists_interfaces or general.lists_interfaces,
        )


_UNKNOWN = Traits()
