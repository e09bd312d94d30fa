"""Who can bind a low port: units as booted on Debian 12 (systemd 252, Linux 6.18), a static program that binds port 80."""

from dataclasses import dataclass
from typing import Literal

import pytest

from portwright.facts import Privileges, Unit
from portwright.formats import unit as unit_format
from portwright.host.join.privilege import effective_capabilities, may_bind
from portwright.source import Source, Span
from portwright.system.host_files.capabilities import ALL
from portwright.system.host_files.captures import Captured
from portwright.system.systemd.privileges import unit_privileges
from portwright.trees import Attributes, Files
from portwright.trees.memory import MemoryTree

NBS = "CAP_NET_BIND_SERVICE"
ACCOUNTS = "root:x:0:0:root:/root:/bin/bash\nsvc:x:1000:1000::/home/svc:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n"
BT = "/usr/local/bin/bt"


def unit_of(*lines: str, section: str = "[Service]") -> Unit:
    path = "/etc/systemd/system/bt.service"
    parsed = unit_format.parse(Source(path, "\n".join((section, *lines)) + "\n"))
    return Unit("bt.service", Span.whole(path), (path,), parsed.settings)


def started(
    *lines: str, prefixes: str = "", filecaps: str = "", setuid: bool = False, script: bool = False, section: str = "[Service]",
    debian: int = 12, kernel: str | None = None,
) -> Privileges:  # fmt: skip
    """The privileges of /usr/local/bin/bt in a unit of these lines."""
    tree = {"/etc/passwd": ACCOUNTS, "/etc/os-release": f"ID=debian\nVERSION_ID={debian}\n"}
    if kernel is not None:
        tree["/.portwright/kernel"] = f"{kernel}\n"
    if script:
        tree[BT] = "#!/bin/sh\nexec /usr/bin/true\n"
    captured = Captured(
        filecaps={BT: filecaps} if filecaps else {},
        setuid=frozenset({BT} if setuid else ()),
    )
    marks = frozenset(prefixes.split())
    return unit_privileges(unit_of(*lines, section=section), marks, BT, Files(MemoryTree(tree)), captured)


@dataclass(frozen=True)
class Row:
    """One measured arrangement: what the process is, and what bind(80) answers (None: it works)."""

    name: str
    privileges: Privileges
    user: str
    uid0: bool
    error: str | None


def row(name: str, *lines: str, user: str = "svc", error: str | None = None, **more: object) -> Row:
    return Row(name, started(*lines, **more), user, user == "root", error)  # type: ignore[arg-type]


SVC = "User=svc"
AC = f"AmbientCapabilities={NBS}"
ROWS = [
    row("1 nothing", user="root"),
    row("1 User=root", "User=root", user="root"),
    row("1 User=0", "User=0", user="root"),
    row("1 User= empty", SVC, "User=", user="root"),
    row("1 Group= only", "Group=svc", user="root"),
    row("2 root with NoNewPrivileges", "NoNewPrivileges=yes", user="root"),
    row("3 root bounded to it", f"CapabilityBoundingSet={NBS}", user="root"),
    row("4 root with nothing", "CapabilityBoundingSet=", user="root", error="EACCES"),
    row("5 root bounded to another", "CapabilityBoundingSet=CAP_CHOWN", user="root", error="EACCES"),
    row("5 root bounded away from it", f"CapabilityBoundingSet=~{NBS}", user="root", error="EACCES"),
    row("6 bounding lines are united", "CapabilityBoundingSet=CAP_CHOWN", f"CapabilityBoundingSet={NBS}", user="root"),
    row(
        "7 an empty bounding line resets",
        f"CapabilityBoundingSet={NBS}",
        "CapabilityBoundingSet=",
        "CapabilityBoundingSet=CAP_CHOWN",
        user="root",
        error="EACCES",
    ),
    row("8 taken away, then given back", SVC, AC, f"CapabilityBoundingSet=~{NBS} CAP_SYS_ADMIN", f"CapabilityBoundingSet={NBS}"),
    row("9 noroot", "SecureBits=noroot", user="root", error="EACCES"),
    row("10 noroot with ambient", "SecureBits=noroot", AC, user="root"),
    row("11 ambient for root", AC, user="root"),
    row("12 a user", SVC, error="EACCES"),
    row("13 a user with ambient", SVC, AC),
    row("13 and NoNewPrivileges", SVC, AC, "NoNewPrivileges=yes"),
    row("13 and bounded to it", SVC, AC, f"CapabilityBoundingSet={NBS}"),
    row("13 and families", SVC, AC, "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"),
    row("13 and a system call filter", SVC, AC, "SystemCallFilter=@system-service", "ProtectSystem=strict"),
    row("14 ambient, bounded to nothing", SVC, AC, "CapabilityBoundingSet=", error="EACCES"),
    row("14 ambient, bounded to another", SVC, AC, "CapabilityBoundingSet=CAP_CHOWN", error="EACCES"),
    row("14 ambient, bounded away", SVC, AC, f"CapabilityBoundingSet=~{NBS}", error="EACCES"),
    row("15 bounding gives nothing", SVC, f"CapabilityBoundingSet={NBS}", error="EACCES"),
    row("16 ambient reset", SVC, AC, "AmbientCapabilities=", error="EACCES"),
    row("17 ambient lines are united", SVC, "AmbientCapabilities=CAP_CHOWN", AC),
    row("18 inverted ambient", SVC, "AmbientCapabilities=~CAP_SYS_ADMIN"),
    row("19 inverted ambient without it", SVC, f"AmbientCapabilities=~{NBS}", error="EACCES"),
    row("20 lower case", SVC, "AmbientCapabilities=cap_net_bind_service"),
    row("20 quoted", SVC, f'AmbientCapabilities="{NBS}"'),
    row("20 a number", SVC, "AmbientCapabilities=10"),
    row("21 without CAP_", SVC, "AmbientCapabilities=NET_BIND_SERVICE", error="EACCES"),
    row("21 cap_10", SVC, "AmbientCapabilities=cap_10", error="EACCES"),
    row("21 a comma", SVC, f"AmbientCapabilities=CAP_CHOWN,{NBS}", error="EACCES"),
    row("21 continued in the middle", SVC, "AmbientCapabilities=CAP_NET_\\", "BIND_SERVICE", error="EACCES"),
    row("22 an unknown name beside it", SVC, f"AmbientCapabilities=CAP_BOGUS {NBS}"),
    row("22 a trailing comment", SVC, f"AmbientCapabilities={NBS} # text"),
    row("23 dynamic", "DynamicUser=yes", user="dynamic", error="EACCES"),
    row("24 dynamic with ambient", "DynamicUser=yes", AC, user="dynamic"),
    row("25 dynamic root", "DynamicUser=yes", "User=root", user="root"),
    row("26 private users, root", "PrivateUsers=yes", user="root", error="EACCES"),
    row("26 private users, ambient", "PrivateUsers=yes", SVC, AC, error="EACCES"),
    row("26 private users, file", "PrivateUsers=yes", SVC, filecaps="cap_net_bind_service=ep", error="EACCES"),
    row("27 private users and network", "PrivateUsers=yes", "PrivateNetwork=yes", SVC, AC, error="EACCES"),
    row("28 private network, root", "PrivateNetwork=yes", user="root"),
    row("28 private network, ambient", "PrivateNetwork=yes", SVC, AC),
    row("28 private network, user", "PrivateNetwork=yes", SVC, error="EACCES"),
    row("29 no internet families", "RestrictAddressFamilies=AF_UNIX", user="root", error="EAFNOSUPPORT"),
    row("30 ~bind", "SystemCallFilter=~bind", user="root", error="EPERM"),
    row("30 ~@network-io", "SystemCallFilter=~@network-io", user="root", error="EPERM"),
    row("31 SocketBindDeny has no effect", "SocketBindDeny=any", user="root"),
    row("32 +", SVC, prefixes="+", user="root"),
    row("32 + ignores limits", SVC, "CapabilityBoundingSet=", "NoNewPrivileges=yes", prefixes="+ -", user="root"),
    row("33 !", SVC, prefixes="!", user="root"),
    row("33 ! keeps the bounding set", SVC, "CapabilityBoundingSet=CAP_CHOWN", prefixes="!", user="root", error="EACCES"),
    row("34 !!", SVC, prefixes="!!", error="EACCES"),
    row("35 - @ :", SVC, prefixes="- @ :", error="EACCES"),
    row("36 PermissionsStartOnly", SVC, "PermissionsStartOnly=yes", error="EACCES"),
    row("37 file capability", SVC, "PrivateTmp=yes", "ProtectSystem=yes", filecaps="cap_net_bind_service=ep"),
    row("37 and bounded with it", SVC, f"CapabilityBoundingSet={NBS} CAP_CHOWN", filecaps="cap_net_bind_service=ep"),
    row("38 file capability, NoNewPrivileges", SVC, "NoNewPrivileges=yes", filecaps="cap_net_bind_service=ep", error="EACCES"),
    row("38 file capability, dynamic", "DynamicUser=yes", filecaps="cap_net_bind_service=ep", user="dynamic", error="EACCES"),
    row("39 file capability out of bounds", SVC, "CapabilityBoundingSet=CAP_CHOWN", filecaps="cap_net_bind_service=ep", error="203/EXEC"),
    row("39 for root too", "CapabilityBoundingSet=CAP_CHOWN", filecaps="cap_net_bind_service=ep", user="root", error="203/EXEC"),
    row("40 inheritable clears ambient", SVC, AC, filecaps="cap_net_bind_service=i", error="EACCES"),
    row("41 file capability of a script", SVC, filecaps="cap_net_bind_service=ep", script=True, error="EACCES"),
    row("42 setuid root", SVC, setuid=True),
    row("42 setuid root, NoNewPrivileges", SVC, "NoNewPrivileges=yes", setuid=True, error="EACCES"),
    row("47 a comment in User=", "User=svc # comment", user="svc # comment", error="217/USER"),
    row("47 unknown user", "User=nosuch", user="nosuch", error="217/USER"),
    row("47 unknown number", "User=4711", user="4711", error="217/USER"),
    row("48 user= in lower case", "user=svc", user="root"),
    row("48 User= in [Unit]", SVC, section="[Unit]", user="root"),
]
IMPLYING = (
    "SystemCallFilter=@system-service",
    "RestrictAddressFamilies=AF_INET",
    "ProtectKernelTunables=yes",
    "PrivateDevices=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "SystemCallLog=mount",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_unit_starts_as_whom_and_binds_port_80_or_not_as_it_did_when_booted(row: Row) -> None:
    answer = may_bind(row.privileges, "inet", "tcp", 80, 1024)

    assert (row.user, row.uid0, row.error) == (row.privileges.user, row.privileges.uid0, answer.error)
    assert (row.error is None) == (answer.allowed is True)


@pytest.mark.parametrize("line", IMPLYING)
def test_what_implies_no_new_privileges_makes_file_capabilities_void_for_a_user(line: str) -> None:
    answer = may_bind(started(SVC, line, filecaps="cap_net_bind_service=ep"), "inet", "tcp", 80, 1024)

    assert (False, "EACCES") == (answer.allowed, answer.error)


@pytest.mark.parametrize("line", [*IMPLYING, "NoNewPrivileges=yes", "DynamicUser=yes"])
def test_since_systemd_255_only_two_settings_keep_a_user_from_gaining_capabilities(line: str) -> None:
    answer = may_bind(started(SVC, line, filecaps="cap_net_bind_service=ep", debian=13), "inet", "tcp", 80, 1024)

    assert ("EACCES" if line in ("NoNewPrivileges=yes", "DynamicUser=yes") else None) == answer.error


@pytest.mark.parametrize(
    ("value", "debian", "error"),
    [("identity", 13, "EACCES"), ("self", 13, "EACCES"), ("full", 13, "EACCES"), ("yes", 13, "EACCES"), ("yes", 12, "EACCES")],
)
def test_a_user_namespace_by_any_name_takes_the_ports_from_root(value: str, debian: int, error: str) -> None:
    assert error == may_bind(started(f"PrivateUsers={value}", debian=debian), "inet", "tcp", 80, 1024).error


@pytest.mark.parametrize(
    ("lines", "denied"),
    [
        (("SocketBindDeny=any",), "tcp80 udp80 tcp8080"),
        (("SocketBindDeny=tcp:80",), "tcp80"),
        (("SocketBindDeny=ipv6:tcp:80",), ""),
        (("SocketBindDeny=ipv4:1-1023",), "tcp80 udp80"),
        (("SocketBindAllow=tcp:8080", "SocketBindDeny=any"), "tcp80 udp80"),
        (("SocketBindDeny=any", "SocketBindAllow=80"), "tcp8080"),
        (("SocketBindDeny=any", "SocketBindDeny="), ""),
        (("SocketBindDeny=nothing",), ""),
        (("SocketBindAllow=80",), ""),
    ],
)
def test_what_socket_bind_deny_forbids_is_refused_to_root_by_a_systemd_that_enforces_it(lines: tuple[str, ...], denied: str) -> None:
    privileges, older = started(*lines, debian=13), started(*lines, debian=12)
    sockets: list[tuple[Literal["tcp", "udp"], int]] = [("tcp", 80), ("udp", 80), ("tcp", 8080)]

    found = [f"{protocol}{port}" for protocol, port in sockets if may_bind(privileges, "inet", protocol, port, 1024).error == "EPERM"]

    assert denied == " ".join(found)
    assert all(may_bind(older, "inet", protocol, port, 1024).allowed for protocol, port in sockets)


@pytest.mark.parametrize(
    ("kernel", "error"),
    [
        ("3.10.0-327.el7.x86_64", "218/CAPABILITIES"),
        ("3.10.0-514.el7.x86_64", None),
        ("3.10.0-1160.119.1.el7.x86_64", None),
        ("4.2.0-16-generic", "218/CAPABILITIES"),
        ("4.4.0-21-generic", None),
    ],
)
def test_a_kernel_without_ambient_capabilities_starts_no_unit_that_asks_for_them(kernel: str, error: str | None) -> None:
    assert error == may_bind(started(SVC, AC, kernel=kernel), "inet", "tcp", 80, 1024).error


@pytest.mark.parametrize("line", ["RestrictNamespaces=no", "PrivateDevices=no", "RestrictAddressFamilies=~", "SystemCallFilter="])
def test_what_restricts_nothing_implies_nothing(line: str) -> None:
    assert may_bind(started(SVC, line, filecaps="cap_net_bind_service=ep"), "inet", "tcp", 80, 1024).allowed is True


@pytest.mark.parametrize(
    "lines", [("CapabilityBoundingSet=",), ("CapabilityBoundingSet=CAP_CHOWN",), ("SecureBits=noroot",), (SVC,), ("PrivateUsers=yes",)]
)
def test_a_lowered_start_opens_ports_from_there_on_to_everyone(lines: tuple[str, ...]) -> None:
    privileges = started(*lines)

    answers = [may_bind(privileges, "inet", "udp", port, 80).error for port in (79, 80, 1023)]
    assert ["EACCES", None, None] == answers
    assert may_bind(privileges, "inet6", "tcp", 1, 0).allowed is True


def test_a_network_namespace_of_its_own_starts_from_1024_whatever_the_host_says() -> None:
    answer = may_bind(started(SVC, "PrivateNetwork=yes"), "inet", "tcp", 80, 0)

    assert (False, "EACCES") == (answer.allowed, answer.error)
    assert "(1024) of its own network namespace" in answer.reason


def test_only_the_family_that_is_left_out_is_denied() -> None:
    privileges = started("RestrictAddressFamilies=AF_UNIX AF_INET")

    assert may_bind(privileges, "inet", "tcp", 8080, 1024).allowed is True
    assert "EAFNOSUPPORT" == may_bind(privileges, "inet6", "tcp", 8080, 1024).error


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (("SystemCallFilter=@basic-io",), "EPERM"),
        (("SystemCallFilter=@system-service", "SystemCallFilter=~@network-io"), "EPERM"),
        (("SystemCallFilter=~bind:EACCES",), "EPERM"),
        (("SystemCallFilter=~@network-io", "SystemCallFilter=@network-io"), None),
        (("SystemCallFilter=@basic-io socket bind",), None),
        (("SystemCallFilter=@some-later-set",), None),
        (("SystemCallFilter=~@mount @privileged",), None),
        (("SystemCallFilter=~bind", "SystemCallFilter="), None),
    ],
)
def test_a_system_call_filter_denies_only_where_it_surely_leaves_bind_out(lines: tuple[str, ...], error: str | None) -> None:
    assert error == may_bind(started(*lines), "inet", "tcp", 8080, 1024).error


def test_the_sentence_names_the_user_the_capability_and_the_port_and_points_at_the_deciding_line() -> None:
    answer = may_bind(started(SVC), "inet", "tcp", 80, 1024)

    assert "runs as svc without CAP_NET_BIND_SERVICE, and 80 is below net.ipv4.ip_unprivileged_port_start (1024)" == answer.reason
    assert Span("/etc/systemd/system/bt.service", 2, 6, 2, 9) == answer.at


@pytest.mark.parametrize(
    ("lines", "filecaps", "line"),
    [
        ((AC, SVC, "CapabilityBoundingSet=CAP_CHOWN"), "", 4),
        ((SVC, AC, "PrivateUsers=yes"), "", 4),
        (("CapabilityBoundingSet=CAP_CHOWN",), "", 2),
        (("SecureBits=noroot",), "", 2),
        ((SVC, "ProtectClock=yes"), "cap_net_bind_service=ep", 3),
        ((AC, SVC), "cap_net_bind_service=i", 2),
        (("RestrictAddressFamilies=AF_UNIX",), "", 2),
        (("SystemCallFilter=@system-service", "SystemCallFilter=~bind"), "", 3),
        (("User=nosuch",), "", 2),
    ],
)
def test_the_line_to_blame_is_the_one_that_decided(lines: tuple[str, ...], filecaps: str, line: int) -> None:
    answer = may_bind(started(*lines, filecaps=filecaps), "inet", "tcp", 80, 1024)

    assert answer.at is not None
    assert line == answer.at.line


def test_without_a_list_of_file_capabilities_a_denial_is_only_likely() -> None:
    files = Files(MemoryTree({"/etc/passwd": ACCOUNTS}))

    denied = may_bind(unit_privileges(unit_of(SVC), frozenset(), BT, files, Captured()), "inet", "tcp", 80, 1024)
    nothing_to_gain = may_bind(
        unit_privileges(unit_of(SVC, "NoNewPrivileges=yes"), frozenset(), BT, files, Captured()), "inet", "tcp", 80, 1024
    )

    assert (False, "likely") == (denied.allowed, denied.confidence)
    assert (False, "certain") == (nothing_to_gain.allowed, nothing_to_gain.confidence)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"/etc/passwd": ACCOUNTS, "/usr/lib/sysusers.d/x.conf": 'u  nosuch  -  "x"\n'},
        {"/etc/passwd": ACCOUNTS, "/etc/nsswitch.conf": "passwd: files sss\n"},
        {"/etc/passwd": ACCOUNTS, "/etc/userdb/nosuch.user": "{}"},
    ],
    ids=["no passwd", "sysusers.d", "sssd", "userdb"],
)
def test_a_user_that_something_else_may_know_is_not_called_unknown(tree: dict[str, str]) -> None:
    assert unit_privileges(unit_of("User=nosuch"), frozenset(), BT, Files(MemoryTree(tree)), Captured()).fails is None


@pytest.mark.parametrize(
    ("line", "fails"),
    [
        ("u svc 1000 -", "217/USER"),
        ("u other - -", "217/USER"),
        ("u other 4710:4711 -", "217/USER"),
        ("u other 4711 -", None),
        ("u other /opt/other -", None),
    ],
)
def test_a_number_is_unknown_unless_an_account_that_is_still_to_be_made_may_get_it(line: str, fails: str | None) -> None:
    files = Files(MemoryTree({"/etc/passwd": ACCOUNTS, "/usr/lib/sysusers.d/x.conf": f"{line}\n"}))

    assert fails == unit_privileges(unit_of("User=4711"), frozenset(), BT, files, Captured()).fails


def test_another_name_for_uid_0_is_root() -> None:
    assert started("User=toor").uid0


class WithAttributes(MemoryTree):
    """A tree whose file system tells what it knows of the program."""

    def __init__(self, known: Attributes) -> None:
        super().__init__({"/etc/passwd": ACCOUNTS, BT: "\x7fELF"})
        self._known = known

    def attributes(self, path: str) -> Attributes | None:
        return self._known if path == BT else None


STORED = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep


@pytest.mark.parametrize(
    ("known", "captured", "expected"),
    [
        (Attributes(0o100755, 0, STORED), Captured(), (True, "certain")),
        (Attributes(0o100755, 0, b""), Captured(), (False, "certain")),
        (Attributes(0o100755, 0, b"odd"), Captured(), (False, "likely")),
        (Attributes(0o100755, 0, None), Captured(), (False, "likely")),
        (Attributes(0o104755, 0, b""), Captured(), (True, "certain")),
        (Attributes(0o104755, 1000, b""), Captured(), (False, "certain")),
        (Attributes(0o100755, 0, STORED), Captured(filecaps={}), (False, "certain")),
        (Attributes(0o104755, 0, b""), Captured(filecaps={}, setuid=frozenset()), (False, "certain")),
        (Attributes(0o104755, 0, b""), Captured(filecaps={}), (True, "certain")),
    ],
)
def test_without_a_list_the_file_itself_tells(known: Attributes, captured: Captured, expected: tuple[bool, str]) -> None:
    power_of = unit_privileges(unit_of(SVC), frozenset(), BT, Files(WithAttributes(known)), captured)
    answer = may_bind(power_of, "inet", "tcp", 80, 1024)

    assert expected == (answer.allowed, answer.confidence)


@pytest.mark.parametrize(
    ("known", "lines", "allowed"),
    [
        (Attributes(0o100755, 0, b"", 50), "", True),
        (Attributes(0o102755, 0, b"", 50), "", False),
        (Attributes(0o102745, 0, b"", 50), "", True),
        (Attributes(0o102755, 0, b"", None), "", True),
        (Attributes(0o102755, 0, b"", 50), "Group=50", True),
        (Attributes(0o102755, 0, b"", 50), "NoNewPrivileges=yes", True),
        (Attributes(0o104755, 4710, b"", 0), "", False),
    ],
)
def test_a_file_that_changes_the_user_or_group_has_no_ambient_capabilities(known: Attributes, lines: str, allowed: bool) -> None:
    unit = unit_of(*SVC.split("\n"), *AC.split("\n"), *lines.split("\n"))
    answer = may_bind(unit_privileges(unit, frozenset(), BT, Files(WithAttributes(known)), Captured(filecaps={})), "inet", "tcp", 80, 1024)

    assert allowed == answer.allowed
    assert allowed or "bit of its program clears its ambient CAP_NET_BIND_SERVICE" in answer.reason


def test_the_file_that_a_link_leads_to_has_the_capabilities() -> None:
    files = Files(MemoryTree({"/etc/passwd": ACCOUNTS, BT: "-> /opt/bt-1.2", "/opt/bt-1.2": "\x7fELF"}))
    captured = Captured(filecaps={"/opt/bt-1.2": "cap_net_raw,cap_net_bind_service=ep"})

    power_of = unit_privileges(unit_of(SVC), frozenset(), BT, files, captured)

    assert frozenset({"CAP_NET_RAW", NBS}) == effective_capabilities(power_of)


def test_a_script_has_the_file_capabilities_of_its_interpreter() -> None:
    files = Files(MemoryTree({"/etc/passwd": ACCOUNTS, BT: "#!/usr/bin/env python3\n", "/usr/bin/python3": "-> python3.11"}))
    captured = Captured(filecaps={"/usr/bin/python3.11": "cap_net_bind_service=ep"})

    assert frozenset({NBS}) == effective_capabilities(unit_privileges(unit_of(SVC), frozenset(), BT, files, captured))


def test_sandboxing_takes_capabilities_from_the_bounding_set() -> None:
    taken = {"CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_SYS_TIME", "CAP_WAKE_ALARM", "CAP_SYSLOG", "CAP_SYS_MODULE"}

    assert ALL - taken == effective_capabilities(
        started("PrivateDevices=yes", "ProtectClock=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes")
    )
