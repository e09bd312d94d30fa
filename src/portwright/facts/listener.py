"""A socket that a service opens to be reached."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.endpoint import Backlog
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.traits import Traits
from portwright.facts.value import Confidence, Origin, Protocol, Starts
from portwright.ports import PortSet
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Listener:
    """Which service listens where, as whom, and whether the kernel and its unit permit it; the words of CONTRACT.md.

    `error` is what bind() answers where can_bind is False ("EACCES", "EADDRNOTAVAIL", "EINVAL", "EAFNOSUPPORT", "ENODEV", "EPERM",
    "127", "203/EXEC", "217/USER"); `because` is the sentence and `because_at` the line that decided. `v6only` is settled (None for IPv4).
    `refused_by` names the policy of the host that forbids it,
    `policy_step` the command that has it permitted.
    `survives_conflict`: the service runs on without this socket where another has the port.
    `closed_by` is why it is not open though it may be bound: another socket of its daemon or unit cannot be, or it
    lacks a file or does not take a setting, and the daemon gives up then; `closed_at` is the line that names the file or says the setting.
    `brought_by` are the units one of which brings up the interface with its address, `brought_at` is the line that says so;
    `leased` is how sure it is that it gets the address by DHCP there, None where a file gives it one.
    `floats_at` is the line of a cluster's configuration that moves the address between machines, None where none does or where the
    socket can be bound without it.
    `machine` names the machine a repository's file is for, "" on a host: listeners of different machines never meet.
    """

    at: Span
    app: str
    unit: str | None
    protocol: Protocol
    address: str
    ports: PortSet
    origin: Origin
    activates: str | None = None
    starts: Starts | None = None
    why: str = ""
    random: bool = False
    private_network: bool = False
    user_namespace: bool = False
    refused_by: Literal["selinux", "apparmor"] | None = None
    policy_step: str = ""
    bind_user: str | None = None
    can_bind: bool | None = None
    error: str | None = None
    because: str = ""
    because_at: Span | None = None
    reuse_address: bool | None = None
    reuse_port: bool | None = False
    v6only: bool | None = None
    free_bind: bool = False
    interface: str | None = None
    confidence: Confidence = "certain"
    machine: str = ""
    survives_conflict: bool = False
    of_interfaces: bool = False
    closed_by: str = ""
    closed_at: Span | None = None
    backlog: Backlog | None = None
    floats_at: Span | None = None
    brought_by: tuple[str, ...] = ()
    brought_at: Span | None = None
    leased: Confidence | None = None
    traits: Traits = Traits()

    @property
    def port(self) -> int | None:
        """The lowest port, None where the kernel picks one."""
        return self.ports.low

    @property
    def end_port(self) -> int | None:
        """The highest port, equal to `port` for a single one."""
        return self.ports.high


KIND = FactKind(
    "listener",
    Listener,
    "a socket on which a service listens: who binds it, as which user, and whether the kernel permits it",
    {
        "activates": "the service that receives the socket, where a .socket unit binds it",
        "address": "the address as it is bound: `*` for both families, `0.0.0.0`, `::`, or one address",
        "app": "the daemon: nginx, sshd, http.server",
        "because": "why bind() fails, in words",
        "because_at": "the line that makes bind() fail",
        "bind_user": "the user that calls bind()",
        "can_bind": "whether kernel and unit permit the bind(); never which service gets a contested port",
        "closed_by": "why it is closed though it may be bound: another socket cannot be, a file is missing, a setting ends it; else empty",
        "closed_at": "the line that names the missing file, or says the setting, that keeps it closed",
        "end_port": "the highest port; equal to `port` for a single one",
        "error": "the error of bind() where it fails: EACCES, EADDRNOTAVAIL, EINVAL, EAFNOSUPPORT, EPERM, 203/EXEC, 217/USER, ...",
        "brought_by": "the units one of which brings up the interface that has its address; empty where none is known",
        "brought_at": "the line that gives that interface the address",
        "leased": "how sure it is that the address comes by DHCP: likely, or possible where nobody listed the addresses; unknown without",
        "floats_at": "the line that moves its address between machines, where it cannot be bound while the address is elsewhere",
        "free_bind": "whether IP_FREEBIND or IP_TRANSPARENT is set",
        "survives_conflict": "whether the service continues without this socket where another one has the port",
        "interface": "the interface the socket is bound to",
        "of_interfaces": "whether the wildcard stands for the addresses of the interfaces, each of which is bound by itself",
        "machine": "the machine that a repository's file is for; empty on a host",
        "origin": "where it was read from",
        "port": "the lowest port",
        "ports": "all its ports",
        "user_namespace": "whether it is bound from a user namespace of its own, where no capability counts for the network",
        "policy_step": "the command that has a policy of the host permit it; empty where none forbids it",
        "refused_by": "which policy of the host forbids it: selinux or apparmor",
        "private_network": "whether it is in a network namespace of its own (PrivateNetwork=)",
        "protocol": "tcp or udp",
        "random": "whether the kernel picks the port at each start",
        "reuse_address": "whether SO_REUSEADDR is set; unknown where the program was not examined",
        "reuse_port": "whether SO_REUSEPORT is set",
        "starts": "when it is opened: at boot, only while in use, by hand, or never; unknown in a repository",
        "unit": "the unit that binds it",
        "v6only": "whether an IPv6 socket accepts no IPv4 connections; unknown for IPv4",
        "why": "why it starts, or never does, in words",
    },
    collection="listeners",
    subject=lambda listener: Subject(listener.unit, listener.app, listener.protocol, listener.address, listener.port, listener.end_port),
    order=lambda listener: (
        listener.at,
        listener.protocol,
        listener.ports.ranges,
        listener.address,
        listener.unit or "",
        listener.activates or "",
    ),
    call="bind()",
    # A prediction is held against booted hosts (CONTRACT.md), and against repositories, where nothing says what is started.
    predictable=lambda listener, repository: listener.starts == "boot" or (repository and listener.starts is None),
    rank=0,
)
