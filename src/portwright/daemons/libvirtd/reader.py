"""libvirt: the name and DHCP servers that it starts for its own networks, from their XML, and its port for remote clients."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import grammars
from portwright.daemons.dnsmasq.for_others import served
from portwright.facts import Endpoint, Invocation
from portwright.formats import tags
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files.names import is_address
from portwright.trees import Files

_STARTED = "/etc/libvirt/qemu/networks/autostart"
_CONFIG = "/etc/libvirt/libvirtd.conf"
_WHY = "libvirt starts it for a network of its own"
_MOST_NETWORKS = 500


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What every network that starts by itself is served by (bridge_driver.c), and what `--listen` opens (libvirtd(8))."""
    return (*_of_networks(files), *_of_itself(invocation, files))


def _of_networks(files: Files) -> Iterator[Endpoint]:
    names = files.names(_STARTED) if files.kind(_STARTED) == "directory" else ()
    xml = [f"{_STARTED}/{name}" for name in names if name.endswith(".xml")]
    for path in xml[:_MOST_NETWORKS]:
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            continue
        nodes, troubles = tags.parse(source)
        for trouble in troubles:
            files.report_unreadable(trouble.at, trouble.reason)
        for network in nodes:
            if network.key.text == "network":
                yield from _of_network(network)


def _of_network(network: Node) -> Iterator[Endpoint]:
    """One dnsmasq a network: port 53 of every address of its bridge, and DHCP on the bridge where it has a range or hosts."""
    dns = _one(network, "dns")
    answers = dns is None or _text(dns, "enable") != "no"
    bridge = _text(_one(network, "bridge"), "name") or None
    forward = _text(_one(network, "forward"), "mode")
    if forward in ("bridge", "private", "vepa", "passthrough", "hostdev"):
        return
    for ip in network.children:
        address = _value(ip, "address") if ip.key.text == "ip" else None
        if address is None or not is_address(address.text):
            continue
        six = ":" in address.text
        for protocol in ("tcp", "udp") if answers else ():
            yield served(address.at, protocol, address.text, 53, _WHY)
        if _one(ip, "dhcp") is not None:
            yield served(address.at, "udp", "::" if six else "0.0.0.0", 547 if six else 67, _WHY, bridge)  # noqa: S104


def _of_itself(invocation: Invocation, files: Files) -> Iterator[Endpoint]:
    if not any(word.text in ("--listen", "-l") for word in invocation.argv[1:]) or invocation.sockets:
        return
    source = files.read(_CONFIG) if files.kind(_CONFIG) == "file" else None
    nodes = () if source is None else grammars.parse("assignments", source)[0]
    said = {node.key.text: node.words[0] for node in nodes if node.words}
    for switch, name, port, default in (("listen_tls", "tls_port", 16514, "1"), ("listen_tcp", "tcp_port", 16509, "0")):
        on, number, host = said.get(switch), said.get(name), said.get("listen_addr")
        chosen = port if number is None else decimal(number.text, 65535)
        if (default if on is None else on.text) != "1" or chosen is None:
            continue
        yield Endpoint(
            at=number.at if number is not None else on.at if on is not None else invocation.at,
            app="libvirtd",
            protocol="tcp",
            address=host.text if host is not None and is_address(host.text) else "*",
            ports=PortSet.of(chosen),
            origin="default" if number is None else "directive",
            reuse_address=True,
            confidence="likely",
        )


def _one(node: Node, name: str) -> Node | None:
    return next((child for child in node.children if child.key.text == name), None)


def _value(node: Node | None, name: str) -> Word | None:
    """The value of an attribute."""
    found = None if node is None else _one(node, name)
    return found.words[0] if found is not None and found.words else None


def _text(node: Node | None, name: str) -> str:
    found = _value(node, name)
    return "" if found is None else found.text
