"""With what power a command is started, and how many files it may open."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.value import Confidence, Protocol
from portwright.source import Span

# fmt: off
CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
    "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
    "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
)
# fmt: on
"""The names of capabilities(7) by number."""

NET_BIND_SERVICE = "CAP_NET_BIND_SERVICE"


@dataclass(frozen=True, slots=True)
class BindRule:
    """One word of SocketBindAllow= or SocketBindDeny=: the sockets it speaks of, None for any family, protocol or port.

    `sure` is False where nobody can tell whether this systemd enforces it.
    """

    allows: bool
    at: Span
    family: Literal["inet", "inet6"] | None = None
    protocol: Protocol | None = None
    ports: tuple[int, int] | None = None
    sure: bool = True

    def matches(self, family: str, protocol: Protocol, port: int) -> bool:
        """Whether it speaks of such a socket."""
        in_ports = self.ports is None or self.ports[0] <= port <= self.ports[1]
        return self.family in (None, family) and self.protocol in (None, protocol) and in_ports


@dataclass(frozen=True, slots=True)
class Privileges:
    """With what power a command is started; capability names as `CAP_NET_BIND_SERVICE`.

    `user` is a name (a number that passwd does not know stays one), `dynamic` for DynamicUser=. `uid0` says whether it runs as root.
    `bounding` is None for the full set. `no_new_privileges` includes what implies it. `fails` is set where the process is never started
    (a status as "217/USER" or "209/STDOUT", "resources" for a missing environment file, "exit-code" for a command before it that fails,
    "never-started"); where its own sandbox or a closed directory is the cause, `sandboxed` says how sure that is, `lacking` where it is
    a file or a program that its start needs and the host lacks, and `misread` is True where the first line of a script is.
    `denied_call` is the error every bind or socket call meets ("EPERM", "EAFNOSUPPORT", "SIGSYS"), else None. `families` is the list of
    RestrictAddressFamilies= in force, None for no restriction. `file_permitted` and `file_inheritable` are the program's file
    capabilities, `setuid_root` its mode; `file_known` is False where nothing could tell them, `file_perhaps` the line that may give the
    file capabilities later. `private_users`: it runs in a user namespace of its own. `bind_helper` is where a set-user-ID helper is
    asked to bind for it. `because` names the lines that decided, in the order a reader should see them. `no_new_privileges_sure` is
    False where a newer systemd than the host may have would not set it. `bind_rules` are those of SocketBindAllow= and SocketBindDeny=.
    `profile` is the name in AppArmorProfile=, "" where AppArmor chooses by the program.
    """

    user: str = "root"
    uid0: bool = True
    ambient: frozenset[str] = frozenset()
    bounding: frozenset[str] | None = None
    no_new_privileges: bool = False
    noroot: bool = False
    private_users: bool = False
    private_network: bool = False
    dynamic: bool = False
    families: frozenset[str] | None = None
    denied_call: str | None = None
    file_permitted: frozenset[str] = frozenset()
    file_inheritable: frozenset[str] = frozenset()
    setuid_root: bool = False
    file_known: bool = True
    file_perhaps: Span | None = None
    bind_helper: Span | None = None
    no_new_privileges_sure: bool = True
    bind_rules: tuple[BindRule, ...] = ()
    profile: str = ""
    fails: str | None = None
    sandboxed: Confidence | None = None
    lacking: Confidence | None = None
    misread: bool = False
    because: tuple[tuple[str, Span], ...] = ()

    @property
    def hindered(self) -> Confidence | None:
        """How sure it is that something in the file system keeps it from being started, of which the last line of `because` speaks."""
        return self.sandboxed or self.lacking


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """How many files a process may open (RLIMIT_NOFILE): the limit it is started with, and how far it may raise that itself.

    `at` is the line that decides and `said` what it says; without one the service manager's own defaults hold.
    """

    soft: int
    hard: int
    at: Span | None = None
    said: str = ""
