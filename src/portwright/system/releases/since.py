"""What exists since which release, until which, and what a setting's default was before: one table for the kernel, one for systemd."""

from collections.abc import Mapping

from portwright._start.records import dataclass
from portwright.system.releases.of_host import Numbers, Release
from portwright.system.releases.unit_settings import SINCE


@dataclass(frozen=True, slots=True)
class Row:
    """`name` exists since one release of its maker and until another, () for always; `source` says so.

    `maker` is who releases it. `before` are the defaults of older releases: (until, value). `rebuilds` are distributions that took it
    into an older release, with the first that has it there, () where it is not known which.
    """

    name: str
    source: str
    since: Numbers = ()
    until: Numbers = ()
    before: tuple[tuple[Numbers, str], ...] = ()
    rebuilds: tuple[tuple[str, Numbers], ...] = ()
    maker: str = "Linux"

    def lacking(self, release: Release | None) -> str:
        """Why a release surely does not have it, "" where it has it, may have it, or the release is not known."""
        if release is None:
            return ""
        since = next((since for name, since in self.rebuilds if name == release.rebuild), self.since)
        if since and release.newest < since:
            return f"it came with {self.maker} {_written(since)}, and this host has {release.text}"
        if self.until and release.oldest >= self.until:
            return f"it was removed in {self.maker} {_written(self.until)}, and this host has {release.text}"
        return ""

    def default(self, newest: str, release: Release | None) -> tuple[str, bool]:
        """The default of a release, `newest` being that of current ones, and whether that is sure."""
        if not self.before:
            return newest, True
        if release is None or release.rebuild in dict(self.rebuilds):
            return newest, False
        values = [next((value for until, value in self.before if numbers < until), newest) for numbers in (release.oldest, release.newest)]
        return values[0], values[0] == values[1] and release.is_sure


def _written(numbers: Numbers) -> str:
    return ".".join(map(str, numbers[:2])) + "".join(f".{number}" for number in numbers[2:3]) + "".join(f"-{n}" for n in numbers[3:])


def _setting(name: str, source: str, since: int, *rebuilds: tuple[str, Numbers]) -> Row:
    return Row(name, source, (since,), rebuilds=rebuilds, maker="systemd")


def _table(*rows: Row) -> Mapping[str, Row]:
    return {row.name: row for row in rows}


# Red Hat and SUSE take much of later kernels' network into older ones; what of it, their manuals do not say.
_REBUILT: tuple[tuple[str, Numbers], ...] = tuple((name, ()) for name in ("el6", "el7", "el8", "el9", "el10", "sles", "opensuse-leap"))


def _came(names: str, source: str, *since: int) -> tuple[Row, ...]:
    return tuple(Row(f"net.{name}", source, since, rebuilds=_REBUILT) for name in names.split())


def _went(names: str, source: str, *until: int) -> tuple[Row, ...]:
    return tuple(Row(f"net.ipv4.{name}", source, until=until) for name in names.split())


_SCHEDULER = "latency_ns min_granularity_ns wakeup_granularity_ns migration_cost_ns nr_migrate tunable_scaling"

KERNEL: Mapping[str, Row] = _table(
    Row("net.ipv4.ip_local_reserved_ports", "linux e3826f1e946e (2.6.35)", (2, 6, 35), rebuilds=(("el6", ()),)),
    Row("net.ipv4.ip_unprivileged_port_start", "linux 4548b683b781 (4.11)", (4, 11)),
    Row("net.ipv4.ip_autobind_reuse", "linux 4b01a9674231 (5.7)", (5, 7)),
    Row("net.ipv4.tcp_tw_recycle", "linux 4396e46187ca (4.12)", until=(4, 12)),
    # Red Hat's 4.18 has much of later kernels' TCP; which of its builds has this default is not established.
    Row("net.ipv4.tcp_tw_reuse", "linux 79e9fed46038 (4.19)", before=(((4, 19), "0"),), rebuilds=(("el8", ()),)),
    Row("net.ipv4.tcp_tw_reuse_delay", "linux ca6a6f93867a (6.14)", (6, 14)),
    *(
        Row(f"kernel.sched_{name}", "linux 8a99b6833c88 (5.13): it moved below /sys/kernel/debug/sched", until=(5, 13))
        for name in _SCHEDULER.split()
    ),
    *_came("ipv4.tcp_fastopen ipv4.tcp_fastopen_key", "tcp(7)", 3, 7),
    *_came("core.busy_poll core.busy_read", "linux 064560e24f39 (3.11)", 3, 11),
    *_came("core.default_qdisc", "linux 6da7c8fcbcbd (3.12)", 3, 12),
    *_came("ipv4.tcp_notsent_lowat", "linux c9bee3b7fdec (3.12)", 3, 12),
    *_came("ipv4.tcp_autocorking", "tcp(7)", 3, 14),
    *_came("ipv4.tcp_ecn_fallback", "tcp(7)", 4, 1),
    *_came("core.netdev_budget_usecs", "linux 7acf8a1e8a28 (4.12)", 4, 12),
    *_came("ipv4.tcp_fastopen_blackhole_timeout_sec", "linux cf1ef3f0719b (4.12)", 4, 12),
    *_came("ipv4.tcp_comp_sack_delay_ns ipv4.tcp_comp_sack_nr", "linux 6d82aa242092, 9c21d2fc41c0 (4.18)", 4, 18),
    *_came("ipv4.tcp_comp_sack_slack_ns", "linux a70437cc09a1 (5.8)", 5, 8),
    *_came("ipv4.tcp_reflect_tos", "linux ac8f1710c12b (5.10)", 5, 10),
    *_came("ipv4.tcp_migrate_req", "linux f9ac779f881c (5.14)", 5, 14),
    *_came("ipv4.tcp_child_ehash_entries", "linux d1e5e6408b30 (6.1)", 6, 1),
    *_came("ipv4.tcp_plb_enabled", "linux bd456f283b66 (6.2)", 6, 2),
    *_came("ipv4.tcp_syn_linear_timeouts", "linux ccce324dabfe (6.5)", 6, 5),
    *_came("ipv4.tcp_pingpong_thresh ipv4.tcp_backlog_ack_defer", "linux 562b1fdf061b, 133c4c0d3717 (6.7)", 6, 7),
    *_came("ipv4.tcp_rto_min_us", "linux f086edef71be (6.11)", 6, 11),
    *_came("ipv4.tcp_rto_max_ms", "linux 1280c26228bd (6.15)", 6, 15),
    *_went("tcp_bic tcp_bic_low_window tcp_bic_fast_convergence tcp_vegas_cong_avoid tcp_westwood", "tcp(7)", 2, 6, 14),
    *_went("tcp_abc", "tcp(7)", 3, 9),
    *_went("tcp_frto_response", "linux 9b44190dc114 (3.10)", 3, 10),
    *_went("tcp_cookie_size", "linux 1a2c6181c4a1 (3.10)", 3, 10),
    *_went("tcp_dma_copybreak", "linux 7bced397510a (3.18)", 3, 18),
    *_went("ip_conntrack_max", "linux adf0516845bc (4.9)", 4, 9),
    *_went("tcp_thin_dupack", "linux 4a7f6009441d (4.11)", 4, 11),
    Row("net.core.somaxconn", "linux 19f92a030ca6 (5.4)", before=(((5, 4), "128"),)),
)
"""Kernel settings by their names."""

AMBIENT = Row("ambient capabilities", "linux 58319057b784 (4.3); RHEL 7.3", (4, 3), rebuilds=(("el7", (3, 10, 0, 514)),))
"""PR_CAP_AMBIENT; a service with AmbientCapabilities= ends with 218/CAPABILITIES where the kernel does not have it."""

EMPTY_HOMES = Row("ProtectHome=tmpfs", "systemd e4da7d8c796a (v238)", (238,), maker="systemd")
"""Before it the value is one that systemd does not take, so that the homes can be seen."""

NO_JOB_WITHOUT_ITS_NEEDS = Row(
    "the start of a unit dropped with what it requires",
    "systemd issue 11338, pull request 27852; measured with 252 and 257",
    (254,),
    rebuilds=(("el7", ()), ("el8", ()), ("el9", ())),
    maker="systemd",
)
"""Before it a boot starts a unit that is only wanted although what it requires cannot be loaded; `systemctl start` does not."""

SYSTEMD: Mapping[str, Row] = _table(
    # systemd-219-30.el7 came with RHEL 7.3.
    _setting("AmbientCapabilities", "systemd NEWS 229", 229, ("el7", (219, 30))),
    _setting("StartLimitIntervalSec", "systemd NEWS 230", 229),
    _setting("PrivateUsers", "systemd NEWS 232", 232),
    _setting("DynamicUser", "systemd NEWS 232", 232),
    _setting("NetworkNamespacePath", "systemd NEWS 242", 242),
    _setting("ExecCondition", "systemd NEWS 243", 243),
    _setting("SocketBindAllow", "systemd NEWS 249", 249),
    _setting("SocketBindDeny", "systemd NEWS 249", 249),
    _setting("RestrictNetworkInterfaces", "systemd NEWS 250", 250),
    _setting("ExecSearchPath", "systemd NEWS 250", 250),
    _setting("OpenFile", "systemd NEWS 253", 253),
)
"""Settings of units by their names; one that the release does not know is passed over."""

_LATER = (("el7", ()), ("el8", ()), ("el9", ()), ("sles", ()), ("opensuse-leap", ()))
VALUES: Mapping[str, Row] = _table(
    Row("Type=exec", "systemd NEWS 240", (240,), rebuilds=_LATER, maker="systemd"),
    Row("Type=notify-reload", "systemd NEWS 253", (253,), rebuilds=_LATER, maker="systemd"),
    Row("ProtectSystem=strict", "systemd NEWS 232", (232,), rebuilds=_LATER, maker="systemd"),
    Row("KeyringMode=private", "systemd NEWS 235", (235,), rebuilds=_LATER, maker="systemd"),
    *(
        Row(f"Standard{name}={value}:", f"systemd NEWS {since}", (since,), rebuilds=_LATER, maker="systemd")
        for name in ("Output", "Error")
        for value, since in (("file", 236), ("append", 240), ("truncate", 248))
    ),
)
"""Values of settings that came later than the setting; one that the release does not know leaves what was set before."""

NO_IMPLIED_PRIVILEGES = Row("system call filters without no_new_privs", "systemd NEWS 255; measured with 252 and 257", (255,))
"""Since then the sandboxing of a system service no longer implies NoNewPrivileges=."""

PRIVATE_USERS: Mapping[str, Row] = _table(
    _setting("identity", "systemd NEWS 257", 257),
    _setting("self", "systemd NEWS 257", 257),
    _setting("full", "systemd NEWS 258", 258),
)
"""The values of PrivateUsers= that are no booleans."""


PREFIXES: Mapping[str, Row] = _table(
    _setting("+", "systemd NEWS 231", 231),
    _setting("!", "systemd NEWS 235", 235),
    _setting(":", "systemd NEWS 244", 244),
    _setting("|", "systemd NEWS 258", 258),
)
"""The characters before the program of an Exec line that were not always known; `@` and `-` were."""

SEARCHED = _setting("a program without its path", "systemd NEWS 239", 239)
"""An Exec line whose program is looked for on a search path; before, the line was passed over."""

DROP_INS_OF_PREFIXES = _setting("drop-ins for a name's prefix", "systemd NEWS 239", 239, *_LATER)
"""`foo-.service.d/` counts for every `foo-*.service`; before, only for a unit of that very name."""

DROP_INS_OF_TYPES = _setting("drop-ins for a type of unit", "systemd NEWS 244", 244, *_LATER)
"""`service.d/` counts for every service."""

_WITH_VALUES = frozenset(name.partition("=")[0] for name in VALUES)
_COMMANDS = frozenset(("ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"))


# Which systemds enforce SocketBindDeny=: it is a BPF program, which a systemd built without bpf-framework leaves out without a word.
_ENFORCES: Mapping[str, Numbers] = {"debian": (257,), "fedora": (249,), "arch": (249,)}  # Debian: measured with 252 and 257
_WITHOUT: Mapping[str, Numbers] = {"debian": (256,), "ubuntu": (256,)}  # `systemctl --version` says -BPF_FRAMEWORK


_AS_RELEASED = frozenset(("debian", "ubuntu"))


def enforces_socket_bind(release: Release | None) -> bool | None:
    """Whether SocketBindDeny= has an effect on this systemd, None where nobody can tell."""
    if release is None:
        return None
    if SYSTEMD["SocketBindDeny"].lacking(release) or release.newest[:1] < _WITHOUT.get(release.rebuild, ()):
        return False
    enforced = _ENFORCES.get(release.rebuild)
    return True if enforced is not None and release.oldest >= enforced else None


# systemd's NEWS for 229: the start limits of services became those of all units.
_OF_SERVICES_BEFORE = ("StartLimitInterval", "StartLimitBurst", "StartLimitAction")
_START_LIMITS = _setting("StartLimitInterval", "systemd's NEWS", 229)


def questioned_settings(release: Release | None) -> frozenset[str]:
    """The settings of which `unread_setting` may have something to say on a release: most of a unit are old."""
    if release is None:
        return frozenset()
    newer = (key for key, since in SINCE.items() if release.newest < (since,)) if release.rebuild in _AS_RELEASED else ()
    return frozenset((*SYSTEMD, *_WITH_VALUES, *_COMMANDS, *_OF_SERVICES_BEFORE, "PrivateUsers", *newer))


def unread_setting(key: str, value: str, release: Release | None, section: str = "") -> str:
    """Why this systemd passes over a setting of a unit, "" where it reads it."""
    if release is None:
        return ""
    if section == "Unit" and key in _OF_SERVICES_BEFORE and (early := _START_LIMITS.lacking(release)):
        return f"{key}= is read in [Service] only by this systemd: {early}"
    row = SYSTEMD.get(key)
    # Rebuilds take settings into older releases; of which ones only the table says.
    if row is None and release.rebuild in _AS_RELEASED and (since := SINCE.get(key)) is not None:
        row = _setting(key, "systemd.directives(7)", since)
    lacking = row.lacking(release) if row is not None else ""
    if not lacking and key == "PrivateUsers" and (row := PRIVATE_USERS.get(value.lower())) is not None:
        lacking = row.lacking(release)
        return f"PrivateUsers={value} is unknown to this systemd: {lacking}" if lacking else ""
    if not lacking and key in _WITH_VALUES and (row := VALUES.get(_value(key, value))) is not None and (lacking := row.lacking(release)):
        return f"{key}={value} is unknown to this systemd, which ignores the line: {lacking}"
    if not lacking and key in _COMMANDS:
        return _unread_command(key, value, release)
    return f"{key}= is unknown to this systemd: {lacking}" if lacking else ""


def _value(key: str, value: str) -> str:
    """A setting with its value, or with what stands before the path in it (`append:/var/log/x`)."""
    head, colon, _ = value.partition(":")
    return f"{key}={head}{colon}"


def _unread_command(key: str, value: str, release: Release) -> str:
    """Why this systemd passes over an Exec line: a prefix it takes for the beginning of a path, or a program without its path."""
    program = value.lstrip("@-:+!|")
    for prefix in value[: len(value) - len(program)]:
        row = PREFIXES.get(prefix)
        if row is not None and (lacking := row.lacking(release)):
            return f"the {prefix} before the program of {key}= is unknown to this systemd, which ignores the line: {lacking}"
    if program and program[0] not in "/%\"'$" and (lacking := SEARCHED.lacking(release)):
        return f"the program of {key}= has no absolute path, so this systemd ignores the line: {lacking}"
    return ""
