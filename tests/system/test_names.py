"""Names for addresses (/etc/hosts) and ports (/etc/services)."""

import socket

import pytest

from portwright.system.host_files import names
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost # loopback\n\n10.0.0.5\tDB.example.com db\nnot-an-address x\n10.0.0.6 db\n"
SERVICES = "ssh 22/tcp # Secure Shell\nhttp\t80/tcp www\ndomain 53/udp\nbad 99999999/tcp\n"
FILES = Files(MemoryTree({"/etc/hosts": HOSTS, "/etc/services": SERVICES}))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", ("127.0.0.1", "::1")),
        ("db", ("10.0.0.5", "10.0.0.6")),
        ("db.EXAMPLE.com", ("10.0.0.5",)),
        ("192.0.2.1", ("192.0.2.1",)),
        ("[::1]", ("::1",)),
        ("fe80::1%eth0", ("fe80::1%eth0",)),
        ("x", ()),
        ("unknown.example.com", ()),
        ("", ()),
    ],
)
def test_a_name_stands_for_these_addresses(name: str, expected: tuple[str, ...]) -> None:
    assert expected == names.addresses(name, FILES)


def test_localhost_is_known_without_a_hosts_file() -> None:
    assert ("127.0.0.1", "::1") == names.addresses("localhost", Files(MemoryTree({})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22", 22),
        ("0", 0),
        ("08022", 8022),
        ("65535", 65535),
        ("65536", None),
        ("9" * 5000, None),
        ("ssh", 22),
        ("www", 80),
        ("domain", None),
        ("bad", None),
        ("-1", None),
        ("²", None),
        ("", None),
    ],
)
def test_a_port_is_a_number_or_a_service_of_its_protocol(text: str, expected: int | None) -> None:
    assert expected == names.port(text, "tcp", FILES)


def test_without_a_services_file_only_numbers_are_ports() -> None:
    bare = Files(MemoryTree({}))

    assert (None, 22) == (names.port("ssh", "tcp", bare), names.port("22", "tcp", bare))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("0", "0.0.0.0"),  # noqa: S104
        ("10.1.258", "10.1.1.2"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7F.0.0.0x1", "127.0.0.1"),
        ("010.0.0.1", "8.0.0.1"),
    ],
)
def test_numbers_and_dots_are_an_address_as_inet_aton_reads_them(text: str, address: str) -> None:
    assert (address,) == names.addresses(text, Files(MemoryTree({})))
    assert address == socket.inet_ntoa(socket.inet_aton(text))


@pytest.mark.parametrize(
    "text", ["127.256.1", "1.2.3.4.5", "09.0.0.1", "4294967296", "8080", "1.2.65536", "0x", "1..2", "1_0.0.0.1", "\u00b2.2.3.4", ""]
)
def test_other_numbers_and_dots_are_none(text: str) -> None:
    assert () == names.addresses(text, Files(MemoryTree({})))


def test_a_name_that_ends_in_a_dot_is_the_same_name() -> None:
    assert ("192.0.2.7",) == names.addresses("db.example.", Files(MemoryTree({"/etc/hosts": "192.0.2.7 db.example\n"})))
