"""What libvirt starts for its networks, by their XML as `virsh net-dumpxml` and Debian's default network have it."""

import pytest

from portwright.daemons.libvirtd import reader as libvirt
from tests.daemons.by_hand import brief, host_of, invocation

AUTOSTART = "/etc/libvirt/qemu/networks/autostart"
DEFAULT = """<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='on' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>
"""


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (DEFAULT, ["tcp 192.168.122.1 53", "udp 0.0.0.0 67", "udp 192.168.122.1 53"]),
        (DEFAULT.replace("<ip ", "<dns enable='no'/><ip "), ["udp 0.0.0.0 67"]),
        ("<network><name>lan</name><forward mode='bridge'/><bridge name='br0'/></network>", []),
        (
            "<network><bridge name='v6'/><ip family='ipv6' address='fd00::1' prefix='64'/></network>",
            ["tcp fd00::1 53", "udp fd00::1 53"],
        ),
        ("<network><ip address='here'/></network>", []),
        ("<domain><ip address='192.168.122.1'/></domain>", []),
    ],
)
def test_a_network_that_starts_by_itself_has_servers_of_its_own(xml: str, expected: list[str]) -> None:
    files = host_of({"/etc/libvirt/qemu/networks/default.xml": xml, f"{AUTOSTART}/default.xml": "-> ../default.xml"})

    assert expected == brief(libvirt.read(invocation("/usr/sbin/libvirtd"), files, {}))


def test_a_network_that_is_started_by_hand_has_none() -> None:
    files = host_of({"/etc/libvirt/qemu/networks/default.xml": DEFAULT})

    assert () == libvirt.read(invocation("/usr/sbin/libvirtd --timeout 120"), files, {})


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("", "", []),
        ("", " --listen", ["tcp * 16514"]),
        ('listen_tls = 0\nlisten_tcp = 1\nlisten_addr = "192.0.2.1"\n', " --listen", ["tcp 192.0.2.1 16509"]),
        ('listen_tls = 0\nlisten_tcp = 1\ntcp_port = "16000"\n', " -l", ["tcp * 16000"]),
        ("listen_tcp = 1\n", "", []),
    ],
)
def test_it_listens_for_remote_clients_only_where_it_is_told_to(config: str, options: str, expected: list[str]) -> None:
    files = host_of({"/etc/libvirt/libvirtd.conf": config})

    assert expected == brief(libvirt.read(invocation(f"/usr/sbin/libvirtd{options}"), files, {}))
