"""What socat binds. Every table row was tried with socat 1.7.4.4 in a network namespace."""

import pytest

from portwright.daemons.socat import reader as socat
from portwright.facts import Endpoint
from tests.daemons.by_hand import brief, host_of, invocation


@pytest.mark.parametrize(
    ("arguments", "expected", "reuse"),
    [
        ("TCP-LISTEN:7001,fork EXEC:cat", ["tcp 0.0.0.0 7001"], False),
        ("tcp-l:7001 -", ["tcp 0.0.0.0 7001"], False),
        ("- TCP4-LISTEN:7001,reuseaddr", ["tcp 0.0.0.0 7001"], True),
        ("TCP-LISTEN:7001,so-reuseaddr EXEC:cat", ["tcp 0.0.0.0 7001"], True),
        ("TCP-LISTEN:7001,REUSEADDR EXEC:cat", ["tcp 0.0.0.0 7001"], True),
        ("TCP-LISTEN:7001,reuseaddr=0 EXEC:cat", ["tcp 0.0.0.0 7001"], False),
        ("-6 TCP-LISTEN:7001 EXEC:cat", ["tcp :: 7001"], False),
        ("-6 TCP4-LISTEN:7001 EXEC:cat", ["tcp 0.0.0.0 7001"], False),
        ("-4 TCP6-LISTEN:7001 EXEC:cat", ["tcp :: 7001"], False),
        ("TCP-LISTEN:7001,pf=ip6 EXEC:cat", ["tcp :: 7001"], False),
        ("TCP6-LISTEN:7001,ipv6only=0 EXEC:cat", ["tcp * 7001"], False),
        ("TCP6-LISTEN:7001,ipv6-v6only EXEC:cat", ["tcp :: 7001 v6only"], False),
        ("TCP6-LISTEN:7001,bind=[::1] EXEC:cat", ["tcp ::1 7001"], False),
        ("TCP-LISTEN:7001,bind=localhost EXEC:cat", ["tcp 127.0.0.1 7001"], False),
        ("TCP-LISTEN:http EXEC:cat", ["tcp 0.0.0.0 80"], False),
        ("TCP-LISTEN:07001 EXEC:cat", ["tcp 0.0.0.0 3585"], False),
        ("TCP-LISTEN:0x1b59 EXEC:cat", ["tcp 0.0.0.0 7001"], False),
        ("TCP-LISTEN:0 EXEC:cat", ["tcp 0.0.0.0 random"], False),
        ("UDP-LISTEN:7001,fork EXEC:cat", ["udp 0.0.0.0 7001"], True),
        ("UDP-L:7001 EXEC:cat", ["udp 0.0.0.0 7001"], False),
        ("UDP6-RECVFROM:7001 EXEC:cat", ["udp :: 7001"], False),
        ("-u UDP4-RECV:7001 -", ["udp 0.0.0.0 7001"], False),
        ("-d -d -lf /dev/null OPENSSL-LISTEN:443,cert=/c,verify=0 -", ["tcp 0.0.0.0 443"], False),
    ],
)
def test_socat_binds(arguments: str, expected: list[str], reuse: bool) -> None:
    files = host_of({"/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n", "/etc/services": "http 80/tcp\n"})
    said = socat.read(invocation(f"/usr/bin/socat {arguments}"), files, {})

    assert expected == brief(said)
    assert [reuse] == [endpoint.reuse_address for endpoint in said if isinstance(endpoint, Endpoint)]
    assert () == files.unreadable


@pytest.mark.parametrize(
    "arguments",
    ["TCP:127.0.0.1:80 -", "UNIX-LISTEN:/run/x -", "VSOCK-LISTEN:7001 -", "SCTP-LISTEN:7001 -", "EXEC:TCP-LISTEN:7 -", "-V", ""],
)
def test_socat_binds_no_port_for(arguments: str) -> None:
    assert () == socat.read(invocation(f"/usr/bin/socat {arguments}".rstrip()), host_of({}), {})


def one(arguments: str, version: str = "", environment: dict[str, str] | None = None) -> Endpoint:
    said = socat.read(invocation(f"socat {arguments}", environment), host_of({}), {"socat": version})
    (endpoint,) = (endpoint for endpoint in said if isinstance(endpoint, Endpoint))
    return endpoint


def test_options_of_the_socket_are_kept() -> None:
    endpoint = one("TCP-LISTEN:7001,fork,reuseport,bindtodevice=eth0,freebind,bind=10.1.1.1 EXEC:cat")

    assert ("10.1.1.1", True, "eth0", True) == (endpoint.address, endpoint.reuse_port, endpoint.interface, endpoint.free_bind)


def test_socat_sets_reuseaddr_by_itself_since_1_8() -> None:
    assert [False, True, False] == [
        one("TCP-LISTEN:7001 -", "1.7.4.4-2").reuse_address,
        one("TCP-LISTEN:7001 -", "1.8.0.0-4build3").reuse_address,
        one("TCP-LISTEN:7001,reuseaddr= -", "1.8.0.0-4build3").reuse_address,
    ]


def test_the_environment_may_prefer_ipv6() -> None:
    assert "::" == one("TCP-LISTEN:7001 -", environment={"SOCAT_DEFAULT_LISTEN_IP": "6"}).address


def test_the_second_listener_waits_for_a_peer_of_the_first() -> None:
    said = socat.read(invocation("socat TCP-LISTEN:7003 TCP-LISTEN:7004"), host_of({}), {})

    assert [(7003, False), (7004, True)] == [(e.ports.low, e.on_demand) for e in said if isinstance(e, Endpoint)]


def test_a_port_that_cannot_be_told_is_told() -> None:
    files = host_of({})

    assert () == socat.read(invocation("socat TCP-LISTEN:\ufffd -"), files, {})
    assert ["its expansion cannot be determined"] == [trouble.reason for trouble in files.unreadable]


def test_a_deeply_bracketed_address_is_read_in_one_pass() -> None:
    assert () == socat.read(invocation("socat TCP-LISTEN:" + "[(" * 100_000 + " -"), host_of({}), {})
