"""What LXD and Incus start for their bridges, by the file in which they keep how they did it last."""

import pytest

from portwright.daemons.lxd import reader as lxd
from tests.daemons.by_hand import brief, host_of, invocation

SNAP = "/var/snap/lxd/common/lxd/networks/lxdbr0"
STARTED = """name: dnsmasq
args: [--keep-in-foreground, --strict-order, --bind-interfaces, --except-interface=lo,
  --pid-file=, --no-ping, --interface=lxdbr0, --listen-address=10.21.203.1, --dhcp-no-override,
  --dhcp-range, '10.21.203.2,10.21.203.254,1h', --listen-address=fd42:1:2::1]
pid: 3212
"""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {f"{SNAP}/dnsmasq.pid": STARTED},
            ["tcp 10.21.203.1 53", "tcp fd42:1:2::1 53", "udp 0.0.0.0 67", "udp 10.21.203.1 53", "udp fd42:1:2::1 53"],
        ),
        ({"/var/lib/incus/networks/incusbr0/dnsmasq.pid": STARTED.replace("--no-ping", "--port=0")}, ["udp 0.0.0.0 67"]),
        ({"/var/lib/lxd/networks/lxdbr0/dnsmasq.pid": "3212\n"}, []),
        ({}, []),
    ],
)
def test_a_bridge_has_servers_of_its_own(files: dict[str, str], expected: list[str]) -> None:
    assert expected == brief(lxd.read(invocation("/usr/bin/lxd --group lxd"), host_of(files), {}))


def test_the_addresses_of_a_bridge_that_was_not_started_here_are_not_known() -> None:
    files = host_of({f"{SNAP}/dnsmasq.raw": ""})

    assert () == lxd.read(invocation("/usr/bin/lxd"), files, {})
    assert ["the addresses on which lxd serves names for lxdbr0 are in its database"] == [why for _, why in files.take_not_understood()]
