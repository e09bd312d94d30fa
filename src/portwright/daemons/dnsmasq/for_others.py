"""The dnsmasq that another program starts, for the host or for a network of its own: libvirt, LXD, NetworkManager."""

from portwright.facts import Endpoint, Protocol
from portwright.ports import PortSet
from portwright.source import Span


def served(at: Span, protocol: Protocol, address: str, port: int, why: str, interface: str | None = None) -> Endpoint:
    """One socket of it; DHCP's is tied to the bridge. Where another program has a port, the starter goes on without this network."""
    return Endpoint(
        at=at,
        app="dnsmasq",
        protocol=protocol,
        address=address,
        ports=PortSet.of(port),
        origin="directive",
        reuse_address=True,
        v6only=True if ":" in address else None,
        interface=interface,
        confidence="likely",
        why=why,
        survives_conflict=True,
        optional=interface is not None,
    )
