"""What is known about a host: settled values, units, invocations, what daemons say, and the listeners that follow."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal

from portwright._start.records import dataclass, field
from portwright.ports import PortSet
from portwright.source import Span, Word

Confidence = Literal["certain", "likely", "possible"]
Likelihood = Literal["high", "medium", "low"]
Protocol = Literal["tcp", "udp"]
Starts = Literal["boot", "demand", "manual", "never"]
Origin = Literal["directive", "argument", "environment", "socket-unit", "default", "inferred"]
BindError = Literal["EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EINVAL"]

BIND_ERRORS: tuple[BindError, ...] = ("EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EINVAL")
CONFIDENCES: tuple[Confidence, ...] = ("certain", "likely", "possible")


def weakest(*confidences: Confidence) -> Confidence:
    """A conclusion is no surer than the least sure thing it rests on."""
    return "possible" if "possible" in confidences else "likely" if "likely" in confidences else "certain"


# ── values in force ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that is not in force although a line says it, and why not."""

    value: str
    at: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Value:
    """Something in force, the line that put it there, and the lines that lost to it."""

    value: str
    at: Span
    overridden: tuple[Overridden, ...] = ()


# ── sysctl ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `key = value` line of a sysctl.d file and what came of it.

    `key` is the canonical dotted name (globs as written). `outcome` is what happens at boot: *applied* it is in force;
    *overridden* a later line or file replaced it; *rejected* the kernel answers EINVAL; *ignored* no such key, bad syntax, wrong
    file name: nothing is written. `reason` is a sentence for everything but *applied*.
    """

    at: Span
    key: str
    value: str
    outcome: Literal["applied", "overridden", "rejected", "ignored"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel setting as each loader leaves it, values printed as the kernel prints them (single blanks).

    `boot` is what systemd-sysctl leaves, `reload` what `sysctl --system` (procps) leaves; `running` is what a captured
    `sysctl -a` or `/proc/sys` says, None without one. `is_default` is true where no file sets the key and boot points into the
    shipped defaults. The contract's `value` equals boot.
    """

    at: Span
    key: str
    boot: str
    reload: str
    reload_at: Span
    running: str | None = None
    overridden: tuple[Overridden, ...] = ()
    is_default: bool = False
    confidence: Confidence = "certain"


# ── systemd units ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Setting:
    """One `Key=value` of a unit file or drop-in, continuation lines joined; `at` covers the value, `key_at` the key.

    `breaks` says where the value goes on after each continued line: (offset into `value`, line, column).
    """

    at: Span
    key_at: Span
    section: str
    key: str
    value: str
    breaks: tuple[tuple[int, int, int], ...] = ()

    def span(self, start: int, end: int) -> Span:
        """Where `value[start:end]` was written."""
        line, column = self._place(start)
        if end <= start:
            return Span(self.at.path, line, column, line, column)
        last_line, last_column = self._place(end - 1)
        return Span(self.at.path, line, column, last_line, last_column + 1)

    def _place(self, offset: int) -> tuple[int, int]:
        place = bisect_right(self.breaks, offset, key=lambda each: each[0])
        if not place:
            return self.at.line, self.at.column + offset
        start, line, column = self.breaks[place - 1]
        return line, column + offset - start


@dataclass(frozen=True)
class Unit:
    """A systemd unit merged from its fragment and drop-ins, in the order systemd reads them.

    `files` are the paths read, fragment first. `names` are the unit's own name and its aliases. `starts` and `why` follow
    CONTRACT.md (None in a repository). `started_by` names the units that pull it in at boot. `after` are the units ordered before
    it. `settings` keep every line in reading order; use `value` and `each`, which apply systemd's resets.
    """

    name: str
    at: Span
    files: tuple[str, ...]
    settings: tuple[Setting, ...]
    state: Literal["loaded", "masked", "missing"] = "loaded"
    names: tuple[str, ...] = ()
    starts: Starts | None = None
    why: str = ""
    started_by: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The suffix without its dot: service, socket, target, ..."""
        return self.name[self.name.rfind(".") + 1 :]

    @cached_property
    def _lines(self) -> Mapping[tuple[str, str], list[Setting]]:
        found: dict[tuple[str, str], list[Setting]] = {}
        for setting in self.settings:
            found.setdefault((setting.section, setting.key), []).append(setting)
        return found

    def says(self, text: str) -> bool:
        """Whether a value holds this text, in force or not: a quick look before a careful one."""
        return text in self._values

    @cached_property
    def _values(self) -> str:
        return "\n".join([setting.value for setting in self.settings])

    def lines(self, section: str, key: str) -> Sequence[Setting]:
        """Every assignment of a setting in reading order, in force or not."""
        return self._lines.get((section, key), ())

    def each(self, section: str, key: str) -> tuple[Setting, ...]:
        """The assignments of a list setting that are in force: an empty assignment clears what stood before it."""
        lines = self._lines.get((section, key))
        if lines is None:
            return ()
        found: list[Setting] = []
        for setting in lines:
            if setting.value:
                found.append(setting)
            else:
                found.clear()
        return tuple(found)

    def value(self, section: str, key: str) -> Value | None:
        """A single-valued setting in force: the last assignment wins, an empty one resets; None where unset."""
        winner: Setting | None = None
        lines = self._lines.get((section, key))
        if lines is None:
            return None
        overridden: list[Overridden] = []
        for setting in lines:
            if winner is not None:
                why = "a later line replaces it" if setting.value else "a later empty assignment resets it"
                overridden.append(Overridden(winner.value, winner.at, f"{why} ({setting.at})"))
            winner = setting if setting.value else None
        return None if winner is None else Value(winner.value, winner.at, tuple(overridden))


# ── what runs ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Privileges:
    """With what power a command is started; capability names as `CAP_NET_BIND_SERVICE`.

    `user` is a name (a number that passwd does not know stays one), `dynamic` for DynamicUser=. `uid0` says whether it runs as root.
    `bounding` is None for the full set. `no_new_privileges` includes what implies it. `fails` is set where the process is never
    started ("217/USER", "203/EXEC", "never-started"). `denied_call` is the error every bind or socket call meets ("EPERM",
    "EAFNOSUPPORT"), else None. `families` is the list of RestrictAddressFamilies= in force, None for no restriction.
    `file_permitted` and `file_inheritable` are the program's file capabilities, `setuid_root` its mode; `file_known` is False where
    nothing could tell them. `because` names the lines that decided, in the order a reader should see them.
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
    fails: str | None = None
    because: tuple[tuple[str, Span], ...] = ()


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """How many files a process may open (RLIMIT_NOFILE): the limit it is started with, and how far it may raise that itself.

    `at` is the line that decides and `said` what it says; without one the service manager's own defaults hold.
    """

    soft: int
    hard: int
    at: Span | None = None
    said: str = ""


@dataclass(frozen=True)
class Invocation:
    """A command as the machine really runs it: argv after systemd's quoting, specifiers, variables and wrappers.

    `argv[0]` is the program; `environment` maps a name to the Word that set it (after Environment=, EnvironmentFile=, `env`
    wrappers). A Word whose text could not be worked out contains `\\ufffd` where the unknown part is. `sockets` are the names of the
    .socket units whose descriptors it is handed. `at` is the ExecStart= value (or the script line that execs).
    `open_files` is the limit it is started with, None where a shell or a session on the way may change it.
    """

    unit: str | None
    argv: tuple[Word, ...]
    at: Span
    environment: Mapping[str, Word] = field(default_factory=dict)
    privileges: Privileges = Privileges()
    directory: str = "/"
    sockets: tuple[str, ...] = ()
    starts: Starts | None = None
    why: str = ""
    confidence: Confidence = "certain"
    open_files: OpenFiles | None = None

    @property
    def program(self) -> str:
        """The base name of argv[0]."""
        return self.argv[0].text.rpartition("/")[2] if self.argv else ""

    def path(self, name: str) -> str:
        """Where a file that the command names lies: a relative name starts from its working directory."""
        return name if name.startswith("/") else f"{self.directory.rstrip('/')}/{name}"


# ── what daemons say ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many connections a daemon asks listen(2) to let wait; `at` is the word that says so, None where it is built in."""

    length: int
    at: Span | None = None

    @staticmethod
    def asked(word: Word | None, built_in: int | None = None) -> "Backlog | None":
        """What a word asks for, or what is built in where there is none; None for what is no number."""
        if word is None:
            return None if built_in is None else Backlog(built_in)
        text = word.text.strip()
        return Backlog(int(text), word.at) if text.isascii() and text.isdigit() and len(text) <= 10 else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a daemon says it will bind, before anyone asks whether it may.

    `address` is `*` (one dual-stack IPv6 socket), `0.0.0.0`, `::`, or an address without brackets. For `::`, `v6only` is what
    the daemon asks for: True, False (then it is `*`), or None: it asks for nothing and net.ipv6.bindv6only decides. `ports` is
    empty where `random`. `reuse_address` None is unknown. `binds_as` is set where the daemon changes user before it binds (None: the
    user it is started as). `on_demand`: bound only while in use. `free_bind`: IP_FREEBIND or IP_TRANSPARENT is set.
    `interface`: SO_BINDTODEVICE. `optional`: where the host lacks the address, the daemon goes on without it (redis `bind -::1`).
    `survives_conflict`: where another socket has the port, the daemon runs on without this one (systemd-resolved's stub).
    `ipv4_fallback`: it surely binds 0.0.0.0 instead where the kernel has no IPv6 (the bare port of a .socket unit).
    `backlog` is the accept queue it asks for, None where that is not known or is left to the kernel.
    """

    at: Span
    app: str
    protocol: Protocol
    address: str
    ports: PortSet
    origin: Origin
    reuse_address: bool | None = None
    reuse_port: bool | None = False
    v6only: bool | None = None
    random: bool = False
    on_demand: bool = False
    free_bind: bool = False
    interface: str | None = None
    binds_as: str | None = None
    confidence: Confidence = "certain"
    why: str = ""
    optional: bool = False
    ipv4_fallback: bool = False
    survives_conflict: bool = False
    backlog: Backlog | None = None


@dataclass(frozen=True, slots=True)
class Outbound:
    """Connections a daemon makes again and again (an nginx upstream, an haproxy backend), and whether it keeps them open.

    `keepalive` is False where each request opens a connection, True where connections are kept, None where unknown.
    `decided_at` is the line that switches keep-alive off or on, None where it is the built-in default; `asked_at` the line that asks
    for kept connections, whether or not it has them, None where no line does. `servers` counts the addresses it spreads over;
    `loopback` is true where all of them are on this host, None where unknown. `version` is the daemon's package version if known.
    """

    at: Span
    app: str
    unit: str | None
    name: str
    keepalive: bool | None
    decided_at: Span | None = None
    servers: int = 1
    loopback: bool | None = None
    source_address: str | None = None
    version: str | None = None
    why: str = ""
    confidence: Confidence = "certain"
    starts: Starts | None = None
    asked_at: Span | None = None


Raises = Literal["no", "as far as it may", "all or nothing"]


@dataclass(frozen=True, slots=True)
class FileNeed:
    """The open files a daemon needs for the connections its settings let in, and what it does about its limit before it serves.

    `setting` says `connections`, and `at` is where; where it is built in, `at` is the command. `files` is how many descriptors these
    take at least. `raises`: whether it raises its limit, as far as it may or, where it may not have all it asks for, not at all.
    `asks` is what it asks for where that is more than `files`. `own` is the setting that names a limit, and that limit: what it then
    asks for, be that more or less. `otherwise` says what becomes of it where the limit is lower.
    """

    at: Span
    app: str
    setting: str
    connections: int
    files: int
    otherwise: str
    raises: Raises = "no"
    asks: int | None = None
    own: tuple[str, Value] | None = None
    confidence: Confidence = "certain"


@dataclass(frozen=True, slots=True)
class FileLimit:
    """How many connections a service is set to take, how many open files these need, and how many it may have.

    `limit` is None where it may have as many as it asks for. `decided` is what decides the limit, in words, and `decided_at` the line,
    None where no line does; `own` is the daemon's setting that does. `otherwise` says what becomes of it where the limit is lower.
    """

    at: Span
    app: str
    unit: str | None
    setting: str
    connections: int
    needed: int
    limit: int | None
    decided: str
    decided_at: Span | None
    otherwise: str
    own: str | None = None
    starts: Starts | None = None
    why: str = ""
    confidence: Confidence = "certain"


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system of another machine that this one mounts, by fstab, a .mount unit or an automounter's map.

    `options` are as written; `on_demand`: it is mounted when somebody looks there, not at boot.
    """

    at: Span
    what: str
    where: str
    kind: str
    options: tuple[str, ...] = ()
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A command that a unit, cron or a script of theirs calls, for the few programs that rules look for.

    `caller` names who calls as an operator would: the unit, or the file of cron or the script. `unit` is the unit whose Exec line it
    is, or that runs the script; None for cron.
    """

    at: Span
    program: str
    caller: str
    unit: str | None = None
    starts: Starts | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """Which service listens where, as whom, and whether the kernel and its unit permit it; the words of CONTRACT.md.

    `error` is what bind() answers where can_bind is False ("EACCES", "EADDRNOTAVAIL", "EINVAL", "EAFNOSUPPORT", "ENODEV", "EPERM",
    "203/EXEC", "217/USER"); `because` is the sentence and `because_at` the line that decided. `v6only` is settled (None for IPv4).
    `survives_conflict`: the service runs on without this socket where another has the port.
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
    backlog: Backlog | None = None

    @property
    def port(self) -> int | None:
        """The lowest port, None where the kernel picks one."""
        return self.ports.low

    @property
    def end_port(self) -> int | None:
        """The highest port, equal to `port` for a single one."""
        return self.ports.high
