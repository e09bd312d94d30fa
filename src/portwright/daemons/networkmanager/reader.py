"""NetworkManager: the name server that it starts for the host (dns=dnsmasq), and the name and DHCP servers of connections it shares."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import grammars
from portwright.daemons.dnsmasq.for_others import served
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.system.host_files.names import is_address
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

# NetworkManager.conf(5): the later file wins.
_CONFIGS = (
    "/usr/lib/NetworkManager/conf.d/*.conf",
    "/run/NetworkManager/conf.d/*.conf",
    "/etc/NetworkManager/NetworkManager.conf",
    "/etc/NetworkManager/conf.d/*.conf",
)
_CONNECTIONS = ("/etc/NetworkManager/system-connections/*", "/run/NetworkManager/system-connections/*")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of the dnsmasq for the host, and of one for each shared connection that comes up by itself."""
    dns = _last(files, "main.dns")
    own = () if dns is None or dns.text.lower() != "dnsmasq" else _answers(dns.at, "127.0.0.1", "NetworkManager starts it (dns=dnsmasq)")
    return (*own, *_of_shared(files))


def _of_shared(files: Files) -> Iterator[Endpoint]:
    number = 0
    for path in _paths(files, _CONNECTIONS):
        said = _said(files, path)
        method = said.get("ipv4.method")
        if method is None or method.text.lower() != "shared" or said.get("connection.autoconnect", method).text.lower() == "false":
            continue
        given = said.get("ipv4.address1") or said.get("ipv4.addresses") or said.get("ipv4.addresses1")
        address = "" if given is None else given.text.partition("/")[0].partition(";")[0].strip()
        if not is_address(address):
            given, address = None, f"10.42.{number}.1"  # nm_ip4_config: the first such network that is free
            number += 1
        name = said.get("connection.interface-name")
        why = "NetworkManager starts it while the shared connection is up"
        yield from _answers(method.at if given is None else given.at, address, why)
        yield served(method.at, "udp", "0.0.0.0", 67, why, None if name is None else name.text)  # noqa: S104  what DHCP asks for


def _answers(at: Span, address: str, why: str) -> tuple[Endpoint, ...]:
    return served(at, "tcp", address, 53, why), served(at, "udp", address, 53, why)


def _last(files: Files, name: str) -> Word | None:
    found = None
    for path in _paths(files, _CONFIGS):
        found = _said(files, path).get(name, found)
    return found


def _said(files: Files, path: str) -> dict[str, Word]:
    """What a keyfile says, by section and key."""
    source = files.read(path) if files.kind(path) == "file" else None
    nodes = () if source is None else grammars.parse("ini", source)[0]
    return {
        f"{section.key.text}.{node.key.text}".lower(): node.words[0] for section in nodes for node in section.children if node.words
    }


def _paths(files: Files, patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        try:
            yield from sorted(expand(pattern, files))
        except TooMany:
            continue
