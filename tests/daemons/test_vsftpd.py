"""What vsftpd binds. Every row was tried with vsftpd 3.0.3 in a network namespace."""

import pytest

from portwright.daemons.vsftpd import reader as vsftpd
from portwright.facts import Endpoint
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/vsftpd.conf"


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("", "", []),
        ("listen=NO", "", []),
        ("listen=YES", "", ["tcp 0.0.0.0 21"]),
        ("listen_ipv6=YES", "", ["tcp :: 21"]),
        ("listen=NO\nlisten_ipv6=YES", "", ["tcp :: 21"]),
        ("listen=YES\nlisten_port=2121\nlisten_address=10.9.9.9", "", ["tcp 10.9.9.9 2121"]),
        ("listen_ipv6=YES\nlisten_address6=::1\nlisten_port=2122", "", ["tcp ::1 2122"]),
        ("listen_ipv6=YES\nlisten_address=10.9.9.9", "", ["tcp :: 21"]),
        ("listen=yes\nlisten_port=2123 ", "", ["tcp 0.0.0.0 2123"]),
        ("# c\n\n listen=TRUE\nlisten_port=2123\nlisten_port=2124", "", ["tcp 0.0.0.0 2124"]),
        ("listen=1\nlisten_port=02125", "", ["tcp 0.0.0.0 1109"]),
        ("listen=YES\nlisten_port=8b", "", ["tcp 0.0.0.0 8"]),
        ("listen=YES\nlisten_port=70000", "", ["tcp 0.0.0.0 4464"]),
        ("listen=YES\nlisten_port=0", "", ["tcp 0.0.0.0 random"]),
        ("listen=YES\nlisten_port=0x50", "", ["tcp 0.0.0.0 random"]),
        ("listen_port=78", " -olisten=YES -olisten_port=77", ["tcp 0.0.0.0 77"]),
    ],
)
def test_vsftpd_binds(config: str, options: str, expected: list[str]) -> None:
    files = host_of({CONFIG: config})

    assert expected == brief(vsftpd.read(invocation(f"/usr/sbin/vsftpd {CONFIG}{options}"), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("vsftpd -olisten_port=91 /etc/vsftpd.conf", ["tcp 0.0.0.0 7"]),
        ("vsftpd /two /one", ["tcp 0.0.0.0 90"]),
        ("vsftpd /one /two", ["tcp 0.0.0.0 90"]),
        ("vsftpd -obackground=NO", ["tcp 0.0.0.0 7"]),
        ("vsftpd", ["tcp 0.0.0.0 7"]),
        ("vsftpd -v", []),
    ],
)
def test_what_comes_later_on_the_command_line_wins(command: str, expected: list[str]) -> None:
    files = host_of({CONFIG: "listen=YES\nlisten_port=7\n", "/one": "listen=YES\n", "/two": "listen_port=90\n"})

    assert expected == brief(vsftpd.read(invocation(command), files, {}))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("listen = YES", None),
        ("listen=YES ", "listen takes YES or NO"),
        ("listen=YES\r\nlisten_port=82", "listen takes YES or NO"),
        ("listen=YES\n;x", "missing value for ;x"),
        ("listen=YES\nlisten_port=", "listen_port has no value"),
        ("listen=YES\nlisten_address=localhost", "bad listen_address"),
        ("listen=YES\nlisten_ipv6=YES", "listen and listen_ipv6 are both on, that takes two instances"),
    ],
)
def test_what_vsftpd_refuses_binds_nothing(config: str, reason: str | None) -> None:
    files = host_of({CONFIG: config})

    assert () == vsftpd.read(invocation(f"vsftpd {CONFIG}"), files, {})
    assert ([f"vsftpd does not start: {reason}"] if reason else []) == [trouble.reason for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", []),
        ("pasv_min_port=40000\npasv_max_port=40100", [("40000-40100", 2)]),
        ("pasv_max_port=40100", [("1024-40100", 2)]),
        ("pasv_min_port=40000", [("40000-65535", 2)]),
        ("pasv_min_port=0\npasv_max_port=0", []),
        ("pasv_enable=NO\npasv_min_port=40000\npasv_max_port=40100", []),
    ],
)
def test_named_passive_ports_are_bound_on_demand(settings: str, expected: list[tuple[str, int]]) -> None:
    files = host_of({CONFIG: f"listen=YES\n{settings}\n"})
    said = vsftpd.read(invocation(f"vsftpd {CONFIG}"), files, {})

    assert expected == [(str(e.ports), e.at.line) for e in said if isinstance(e, Endpoint) and e.on_demand]


def test_the_default_port_stands_at_the_line_that_makes_it_listen() -> None:
    files = host_of({CONFIG: "anonymous_enable=NO\nlisten=YES\n"})
    (said,) = vsftpd.read(invocation(f"vsftpd {CONFIG}"), files, {})

    assert isinstance(said, Endpoint)
    assert (Span(CONFIG, 2, 8, 2, 11), "default") == (said.at, said.origin)
