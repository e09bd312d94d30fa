"""What PID 1 binds for a .socket unit, as `systemd-analyze verify` and booted hosts showed (systemd 252)."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from portwright.facts import Endpoint, Setting, Unit
from portwright.source import Span
from portwright.system.systemd import socket_units as socket_unit
from portwright.trees import Files
from tests.daemons.by_hand import brief, host_of

PATH = "/etc/systemd/system/web.socket"
REFUSED = "systemd ignores this: ListenStream= takes a port, address:port or [address]:port"


def unit(*lines: str, name: str = "web.socket") -> Unit:
    """A socket unit whose [Socket] section is these lines, the first in line 2 of its file."""
    settings = []
    for number, line in enumerate(lines, 2):
        key, _, value = line.partition("=")
        at = Span(PATH, number, len(key) + 2, number, len(line) + 1)
        settings.append(Setting(at, Span(PATH, number, 1, number, len(key) + 1), "Socket", key, value))
    return Unit(name, Span.whole(PATH), (PATH,), tuple(settings), names=(name,), starts="boot")


@dataclass(frozen=True)
class Loaded:
    """The units of a host, as far as these tests need them."""

    known: Mapping[str, Unit]

    def get(self, name: str) -> Unit | None:
        return self.known.get(name)


NONE = Loaded({})


def read(*lines: str, files: Files | None = None, name: str = "web.socket") -> tuple[Endpoint, ...]:
    return socket_unit.read(unit(*lines, name=name), NONE, files or host_of({}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("8081", ["tcp :: 8081"]),
        ("+8081", ["tcp :: 8081"]),
        ("0x1f90", ["tcp :: 8080"]),
        ("65535", ["tcp :: 65535"]),
        ("127.0.0.1:8081", ["tcp 127.0.0.1 8081"]),
        ("0.0.0.0:8081", ["tcp 0.0.0.0 8081"]),
        ("[::1]:8081", ["tcp ::1 8081"]),
        ("[::]:8081", ["tcp :: 8081"]),
        ("[fe80::1]:8081%%lo", ["tcp fe80::1%lo 8081"]),
        ("[::]:8081%%lo", ["tcp :: 8081"]),
        ("127.0.0.1:80%%lo", ["tcp 127.0.0.1 80"]),
        ("8081%i", ["tcp :: 8081"]),
        ("/run/web.sock", []),
        ("@web", []),
        ("vsock:2:1234", []),
        ("vsock::1234", []),
    ],
)
def test_systemd_takes(value: str, expected: list[str]) -> None:
    files = host_of({})

    assert expected == brief(read(f"ListenStream={value}", files=files))
    assert () == files.unreadable


@pytest.mark.parametrize(
    "value",
    [
        "localhost:8081", "*:8081", ":8081", "http", "127.0.0.1", "tcp:8081", "0", "70000", "8081 8082", "8081 # web", "08081",
        "[fe80::1%%lo]:8081", "[fe80::1]:8081%%", "::1:8081", "127.1:8081", "127.0.0.01:80", "1.2.3.4:080", "[::1]", "127.0.0.1:0",
        "[127.0.0.1]:80", "8081%%lo", '"8081"', "run/web.sock", "256.0.0.1:80", "1.2.3.4:65536", "-5", "1_0", "9" * 5000,
    ],
)  # fmt: skip
def test_systemd_ignores_and_we_say_so(value: str) -> None:
    files = host_of({})

    assert () == read(f"ListenStream={value}", files=files)
    assert [(Span(PATH, 2, 14, 2, 14 + len(value)), REFUSED)] == [(trouble.at, trouble.reason) for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("ListenStream=8081", "ListenStream=9091"), ["tcp :: 8081", "tcp :: 9091"]),
        (("ListenStream=8081", "ListenStream=", "ListenStream=9091"), ["tcp :: 9091"]),
        (("ListenDatagram=53", "ListenStream=", "ListenStream=9091"), ["tcp :: 9091"]),
        (("ListenStream=8081", "ListenFIFO="), []),
        (("ListenStream=53", "ListenDatagram=53"), ["tcp :: 53", "udp :: 53"]),
        (("ListenSequentialPacket=8081", "ListenNetlink=route 1", "ListenFIFO=/f", "ListenSpecial=/s"), []),
        (("BindIPv6Only=both", "ListenStream=8081", "ListenStream=[::]:8082"), ["tcp * 8081", "tcp * 8082"]),
        (("BindIPv6Only=ipv6-only", "ListenStream=8081"), ["tcp :: 8081 v6only"]),
        (("BindIPv6Only=default", "ListenStream=8081"), ["tcp :: 8081"]),
        (("BindIPv6Only=both", "BindIPv6Only=", "ListenStream=8081"), ["tcp :: 8081"]),
    ],
)
def test_the_lines_together_mean(lines: tuple[str, ...], expected: list[str]) -> None:
    assert expected == brief(read(*lines))


def test_systemd_binds_as_root_and_always_with_so_reuseaddr() -> None:
    (endpoint,) = read("ListenStream=8081")

    assert ("systemd", "socket-unit", "root", True, False, False, None, "certain") == (
        endpoint.app,
        endpoint.origin,
        endpoint.binds_as,
        endpoint.reuse_address,
        endpoint.reuse_port,
        endpoint.free_bind,
        endpoint.interface,
        endpoint.confidence,
    )
    assert Span(PATH, 2, 14, 2, 18) == endpoint.at


@pytest.mark.parametrize(("line", "expected"), [("FreeBind=yes", True), ("Transparent=1", True), ("FreeBind=no", False)])
def test_an_address_need_not_exist_with_freebind_or_transparent(line: str, expected: bool) -> None:
    assert [expected] == [endpoint.free_bind for endpoint in read("ListenStream=10.9.9.9:80", line)]


def test_reuse_port_and_the_interface_are_the_unit_s() -> None:
    (endpoint,) = read("ListenStream=8081", "ReusePort=true", "BindToDevice=eth0")

    assert (True, "eth0") == (endpoint.reuse_port, endpoint.interface)


def test_an_instance_binds_what_its_name_says_and_a_template_nothing() -> None:
    assert ["tcp :: 8081"] == brief(read("ListenStream=%i", name="web@8081.socket"))
    assert () == read("ListenStream=%i", name="web@.socket")


def test_a_specifier_the_files_cannot_answer_is_told() -> None:
    files = host_of({})

    assert () == read("ListenStream=%v", files=files)
    assert ["the value of %v cannot be determined from the host's files"] == [trouble.reason for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("name", "lines", "expected"),
    [
        ("web.socket", (), "web.service"),
        ("web.socket", ("Service=shared.service",), "shared.service"),
        ("web.socket", ("Accept=yes",), "web@.service"),
        ("web.socket", ("Accept=no",), "web.service"),
        ("web@a.socket", (), "web@a.service"),
        ("web@a.socket", ("Accept=yes",), "web@.service"),
        ("web@.socket", (), None),
        ("web.socket", ("Service=alias.service",), "real.service"),
    ],
)
def test_the_descriptor_goes_to(name: str, lines: tuple[str, ...], expected: str | None) -> None:
    real = Unit("real.service", Span.whole("/x"), (), (), names=("real.service", "alias.service"))

    assert expected == socket_unit.activates(unit(*lines, name=name), Loaded({"alias.service": real}))
