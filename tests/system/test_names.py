"""Names for addresses (/etc/hosts) and ports (/etc/services)."""

import pytest

from portwright.system import names
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
