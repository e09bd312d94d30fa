"""Which addresses the host's network configuration names."""

import pytest

from portwright.system.host_files.networks import names_address
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

CONFIGS = [
    ("/etc/network/interfaces", "iface eth0 inet static\n    address 192.0.2.7/24\n"),
    ("/etc/network/interfaces.d/vip", "    up ip addr add 192.0.2.7 dev eth0\n"),
    ("/etc/systemd/network/10-lan.network", "[Network]\nAddress=192.0.2.7/24\n"),
    ("/etc/systemd/network/10-lan.network.d/vip.conf", "[Address]\nAddress=192.0.2.7/32\n"),
    ("/etc/netplan/50.yaml", "network:\n  ethernets:\n    eth0:\n      addresses: [192.0.2.7/24, '2001:db8::1/64']\n"),
    ("/etc/NetworkManager/system-connections/lan.nmconnection", "[ipv4]\naddress1=192.0.2.7/24,192.0.2.1\n"),
    ("/etc/sysconfig/network-scripts/ifcfg-eth0", 'IPADDR="192.0.2.7"\n'),
    ("/etc/keepalived/keepalived.conf", "vrrp_instance a {\n  virtual_ipaddress {\n    192.0.2.7\n  }\n}\n"),
    ("/var/lib/pacemaker/cib/cib.xml", '<nvpair name="ip" value="192.0.2.7"/>\n'),
]


@pytest.mark.parametrize(("path", "text"), CONFIGS)
def test_an_address_that_a_configuration_names(path: str, text: str) -> None:
    files = Files(MemoryTree({path: text}))

    assert [True, False, False] == [names_address(each, files) for each in ("192.0.2.7", "192.0.2.77", "192.0.2.2")]


@pytest.mark.parametrize("text", ["Address=2001:DB8:0::1/64\n", "  address 2001:db8:0:0::1\n", "Address=[2001:db8::1]\n", "2001:db8::1:\n"])
def test_an_ipv6_address_is_known_in_every_spelling(text: str) -> None:
    assert names_address("2001:db8::1", Files(MemoryTree({"/etc/systemd/network/a.network": text})))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/network/a.network", "#Address=192.0.2.7/24\n"),
        ("/etc/systemd/network/a.network", "; 192.0.2.7\n"),
        ("/etc/systemd/network/a.network.bak", "Address=192.0.2.7/24\n"),
        ("/etc/nginx/nginx.conf", "listen 192.0.2.7:80;\n"),
    ],
)
def test_what_configures_no_interface_names_none(path: str, text: str) -> None:
    assert not names_address("192.0.2.7", Files(MemoryTree({path: text})))
