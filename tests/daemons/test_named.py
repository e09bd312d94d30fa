"""What BIND's named binds: an address each, as interfacemgr.c goes through the interfaces there are."""

import pytest

from portwright.daemons.named import reader as named
from portwright.facts import Endpoint
from portwright.trees import Files
from tests.daemons.by_hand import brief, host_of, invocation

ADDRESSES = """1: lo    inet 127.0.0.1/8 scope host lo
1: lo    inet6 ::1/128 scope host
2: ens3    inet 192.0.2.7/24 scope global ens3
2: ens3    inet6 2001:db8::7/64 scope global
"""
CONTROL = ["tcp 127.0.0.1 953", "tcp ::1 953"]


def both(*places: str) -> list[str]:
    return sorted(f"{protocol} {place}" for protocol in ("tcp", "udp") for place in places)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", both("127.0.0.1 53", "192.0.2.7 53", "::1 53", "2001:db8::7 53")),
        ("options { listen-on-v6 { any; }; };", both("127.0.0.1 53", "192.0.2.7 53", "::1 53", "2001:db8::7 53")),
        ("options { listen-on { none; }; listen-on-v6 { none; }; };", []),
        ("options { listen-on port 5353 { 127.0.0.1; }; listen-on-v6 { none; }; };", both("127.0.0.1 5353")),
        ("options { port 54; listen-on { 127/8; }; listen-on-v6 { ::1; }; };", both("127.0.0.1 54", "::1 54")),
        ("options { listen-on { !127.0.0.1; any; }; listen-on-v6 { none; }; };", both("192.0.2.7 53")),
        ("options { listen-on { ! 127.0.0.1; any; }; listen-on-v6 { none; }; };", both("192.0.2.7 53")),
        ('acl "lan" { 192.0.2.0/24; }; options { listen-on { lan; }; listen-on-v6 { none; }; };', both("192.0.2.7 53")),
        ("options { listen-on { 192.0.2.8; }; listen-on-v6 { none; }; };", []),
        ("options { listen-on { 127.0.0.1; }; listen-on port 8053 { 127.0.0.1; }; listen-on-v6 { none; }; };",
         both("127.0.0.1 53", "127.0.0.1 8053")),
        ("options { listen-on tls t { 127.0.0.1; }; listen-on-v6 { none; }; };", ["tcp 127.0.0.1 853"]),
    ],
)  # fmt: skip
def test_named_listens_on_the_addresses_a_list_lets_in(config: str, expected: list[str]) -> None:
    files = host_of({named.CONFIG: config, "/.portwright/addresses": ADDRESSES})

    assert sorted([*expected, *CONTROL]) == _brief(files)
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("controls { };", []),
        ("controls { inet 127.0.0.1 port 1953 allow { localhost; } keys { k; }; };", ["tcp 127.0.0.1 1953"]),
        ('controls { unix "/run/n" perm 0600 owner 0 group 0; };', []),
        ("controls { }; statistics-channels { inet * port 8053 allow { any; }; };", ["tcp 0.0.0.0 8053"]),
        ("controls { inet * allow { any; }; };", ["tcp 0.0.0.0 953"]),
    ],
)
def test_named_has_channels(config: str, expected: list[str]) -> None:
    files = host_of({named.CONFIG: f"options {{ listen-on {{ none; }}; listen-on-v6 {{ none; }}; }}; {config}"})

    assert expected == _brief(files)


def test_where_nobody_listed_addresses_the_wildcard_stands_for_them() -> None:
    said = named.read(invocation("/usr/sbin/named -f -u bind"), host_of({named.CONFIG: "controls { };"}), {})

    assert {("0.0.0.0", "likely"), ("::", "likely")} == {  # noqa: S104
        (each.address, each.confidence) for each in said if isinstance(each, Endpoint)
    }


def test_options_choose_port_family_and_file() -> None:
    files = host_of({"/etc/b.conf": "controls { };", "/.portwright/addresses": ADDRESSES})

    assert both("127.0.0.1 5300", "192.0.2.7 5300") == brief(named.read(invocation("named -4 -p 5300 -c /etc/b.conf"), files, {}))


def test_included_files_are_read_where_debian_puts_them() -> None:
    files = host_of(
        {
            named.CONFIG: 'include "/etc/bind/named.conf.options"; // options\ninclude "/etc/bind/named.conf.local";',
            "/etc/bind/named.conf.options": "options {\n\tlisten-on { 127.0.0.1; };\n\tlisten-on-v6 { none; };\n};",
            "/etc/bind/named.conf.local": 'include "/etc/bind/named.conf.local";',
            "/.portwright/addresses": ADDRESSES,
        }
    )
    said = named.read(invocation("named -f"), files, {})

    assert ["/etc/bind/named.conf.options:2:14"] == sorted({str(each.at) for each in said if each.at.path != said[-1].at.path})
    assert ["a file includes itself, or too many files include others: not followed"] == [each.reason for each in files.unreadable]


def test_a_named_conf_alone_says_what_it_names() -> None:
    said = named.read_fragment("/n.conf", host_of({"/n.conf": "options { listen-on port 5353 { 192.0.2.1; }; };"}), {})

    assert both("192.0.2.1 5353") == brief(said)
    assert () == named.read_fragment("/n.conf", host_of({"/n.conf": 'zone "x" { type master; };'}), {})


def _brief(files: Files) -> list[str]:
    return [each.replace(" v6only", "") for each in brief(named.read(invocation("/usr/sbin/named -f -u bind"), files, {}))]
