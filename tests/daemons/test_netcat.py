"""netcat in its four kinds, each row as ss showed it."""

import pytest

from portwright.daemons.nc import reader as netcat
from portwright.facts import Endpoint
from tests.daemons.by_hand import brief, host_of, invocation
from tests.daemons.started import binds


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("nc.openbsd -l -k -p 7230", ["tcp 0.0.0.0 7230"]),
        ("nc.openbsd -lk 7231", ["tcp 0.0.0.0 7231"]),
        ("nc.openbsd -l 127.0.0.1 7232", ["tcp 127.0.0.1 7232"]),
        ("nc.openbsd -lu 7233", ["udp 0.0.0.0 7233"]),
        ("nc.openbsd -6 -l 7234", ["tcp :: 7234"]),
        ("nc.openbsd -l -s 127.0.0.1 -p 7235", ["tcp 127.0.0.1 7235"]),
        ("nc.openbsd -lU /run/x.sock", []),
        ("nc.openbsd -p 7236 10.0.0.1 80", []),
        ("nc.traditional -lp 7241", ["tcp 0.0.0.0 7241"]),
        ("nc.traditional -l -s 127.0.0.1 -p 7242", ["tcp 127.0.0.1 7242"]),
        ("nc.traditional -l 7244", ["tcp 0.0.0.0 random"]),
        ("ncat -l 7250", ["tcp 0.0.0.0 7250", "tcp :: 7250 v6only"]),
        ("ncat -l -k 127.0.0.1 7251", ["tcp 127.0.0.1 7251"]),
        ("ncat -l", ["tcp 0.0.0.0 31337", "tcp :: 31337 v6only"]),
        ("ncat -lk -p 7252", ["tcp 0.0.0.0 7252", "tcp :: 7252 v6only"]),
        ("ncat -l -p 7259 127.0.0.1", ["tcp 127.0.0.1 31337"]),
        ("ncat --listen --udp -4 7253", ["udp 0.0.0.0 7253"]),
        ("ncat -6 -l --exec /bin/cat 7255", ["tcp :: 7255 v6only"]),
        ("ncat 10.0.0.1 7255", []),
        ("busybox nc -l -p 7260", ["tcp :: 7260"]),
        ("busybox nc -ll -p 7262 -e cat", ["tcp :: 7262"]),
        ("busybox httpd -f -p 7263", ["tcp :: 7263"]),
        ("busybox httpd -f -p 127.0.0.1:7264 -h /srv", ["tcp 127.0.0.1 7264"]),
        ("busybox httpd", ["tcp :: 80"]),
        ("busybox sh", []),
    ],
)
def test_netcat_listens_where_it_is_told(command: str, expected: list[str]) -> None:
    assert expected == binds(command)


@pytest.mark.parametrize(
    ("tree", "packages", "expected", "reuse_port"),
    [
        ({"/usr/bin/nc": "-> /etc/alternatives/nc", "/etc/alternatives/nc": "-> /bin/nc.traditional"}, {}, ["tcp 0.0.0.0 random"], True),
        ({"/usr/bin/nc": "-> /etc/alternatives/nc", "/etc/alternatives/nc": "-> /bin/nc.openbsd"}, {}, ["tcp 0.0.0.0 7231"], True),
        ({"/usr/bin/nc": "-> /usr/bin/ncat"}, {}, ["tcp 0.0.0.0 7231", "tcp :: 7231 v6only"], False),
        ({}, {"netcat-traditional": "1.10-47"}, ["tcp 0.0.0.0 random"], True),
        ({}, {}, ["tcp 0.0.0.0 7231"], True),
    ],
)
def test_nc_is_the_netcat_its_link_or_package_leads_to(
    tree: dict[str, str], packages: dict[str, str], expected: list[str], reuse_port: bool
) -> None:
    said = netcat.read(invocation("/usr/bin/nc -l 7231"), host_of(tree), packages)

    assert expected == brief(said)
    assert {reuse_port} == {one.reuse_port for one in said if isinstance(one, Endpoint)}
