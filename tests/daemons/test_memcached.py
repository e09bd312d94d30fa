"""What memcached binds. Every row was tried with memcached 1.6.18 in a network namespace."""

import pytest

from portwright._start.records import replace
from portwright.daemons.memcached import reader as memcached
from portwright.facts import Endpoint, Privileges
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

HOSTS = {"/etc/hosts": "127.0.0.1 localhost\n"}


def both(port: int, protocol: str = "tcp") -> list[str]:
    return [f"{protocol} 0.0.0.0 {port}", f"{protocol} :: {port} v6only"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", both(11211)),
        ("-p 11300 -U 11301", [*both(11300), *both(11301, "udp")]),
        ("--udp-port=11219", [*both(11219), *both(11219, "udp")]),
        ("-p 0", []),
        ("-p 0 -U 11213", both(11213, "udp")),
        ("-l 127.0.0.1", ["tcp 127.0.0.1 11211"]),
        ("-l 127.0.0.1,::1", ["tcp 127.0.0.1 11211", "tcp ::1 11211"]),
        ("-l 127.0.0.1:11222,10.9.9.9", ["tcp 10.9.9.9 11211", "tcp 127.0.0.1 11222"]),
        ("-l 127.0.0.1 -l 10.9.9.9", ["tcp 10.9.9.9 11211", "tcp 127.0.0.1 11211"]),
        ("-l [::1]:11223", ["tcp ::1 11223"]),
        ("-l [::1]", ["tcp ::1 11211"]),
        ("-l localhost", ["tcp 127.0.0.1 11211"]),
        ("-l 10.9.9.9 -U 11215 -p 11216", ["tcp 10.9.9.9 11216", "udp 10.9.9.9 11215"]),
        ("-l 10.9.9.9 -U 11215", ["tcp 10.9.9.9 11215", "udp 10.9.9.9 11215"]),
        ("-s /run/memcached.sock", []),
        ("-A -l 0.0.0.0", ["tcp 0.0.0.0 11211"]),
        ("-l ::", ["tcp :: 11211 v6only"]),
        ("--port=11218 --listen=127.0.0.1", ["tcp 127.0.0.1 11218"]),
        ("-p 0 -l 127.0.0.1:11230", []),
        ("-l proto[ascii]:127.0.0.1:11231", ["tcp 127.0.0.1 11231"]),
        ("-p11241 -vv", both(11241)),
        ("-h", []),
    ],
)
def test_memcached_binds(options: str, expected: list[str]) -> None:
    files = host_of(HOSTS)

    assert expected == brief(memcached.read(invocation(f"memcached -u nobody {options}".rstrip()), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("command", "uid0", "expected"),
    [("memcached -u nobody -p 100", True, "nobody"), ("memcached -u root", True, None), ("memcached -u other", False, None)],
)
def test_the_user_it_changes_to_binds(command: str, uid0: bool, expected: str | None) -> None:
    started = replace(invocation(command), privileges=Privileges(uid0=uid0, user="root" if uid0 else "app"))

    assert {expected} == {e.binds_as for e in memcached.read(started, host_of({}), {}) if isinstance(e, Endpoint)}


@pytest.mark.parametrize(("command", "reason"), [("memcached", "as root it needs -u"), ("memcached -u x -p 70000", "not a port")])
def test_what_memcached_refuses_is_told(command: str, reason: str) -> None:
    files = host_of({})

    assert () == memcached.read(invocation(command), files, {})
    assert [f"memcached does not start: {reason}"] == [trouble.reason for trouble in files.unreadable]


def test_debians_wrapper_takes_the_options_from_a_file() -> None:
    path = "/etc/memcached.conf"
    config = (
        "# a comment\n-d\nlogfile /var/log/memcached.log\n-m 64 # megabytes\n-p 11222\n-u memcache\n\n-l 127.0.0.1,::1\n-P /run/m.pid\n"
    )
    files = host_of({path: config})
    said = memcached.read(invocation(f"/usr/share/memcached/scripts/systemd-memcached-wrapper {path}"), files, {})

    assert ["tcp 127.0.0.1 11222", "tcp ::1 11222"] == brief(said)
    assert {("memcache", "directive", Span(path, 5, 4, 5, 9))} == {(e.binds_as, e.origin, e.at) for e in said if isinstance(e, Endpoint)}


def test_without_options_debians_wrapper_runs_it_as_root() -> None:
    files = host_of({"/etc/memcached.conf": "\n"})

    assert both(11211) == brief(memcached.read(invocation("/usr/share/memcached/scripts/systemd-memcached-wrapper"), files, {}))
