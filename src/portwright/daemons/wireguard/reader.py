"""WireGuard: the kernel's UDP sockets for the interfaces that wg-quick and systemd-networkd make."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from portwright.daemons import Packages
from portwright.facts import Endpoint, Invocation
from portwright.formats import sections
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span
from portwright.trees import Files

_FOLDER = "/etc/wireguard"
_NETWORKS = ("/etc/systemd/network", "/run/systemd/network", "/usr/lib/systemd/network")
_YES = frozenset(("1", "yes", "y", "true", "t", "on", "both", "ipv4", "ipv6"))
_KIND = "wireguard"
_MOST_FILES = 500


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[Endpoint, ...]:
    """What `wg-quick up NAME` opens, or what systemd-networkd has the kernel open for its .netdev files."""
    if invocation.program.rpartition("/")[2] == "systemd-networkd":
        return tuple(_of_networkd(files))
    words = [word.text for word in invocation.argv[1:]]
    if len(words) != 2 or words[0] != "up":
        return ()
    path = words[1] if words[1].endswith(".conf") else f"{_FOLDER}/{words[1]}.conf"
    source = files.read(path) if path.startswith("/") and files.kind(path) == "file" else None
    if source is None:
        files.report_not_understood(invocation.at, f"{path} is not among the files, so the port of this interface is not known")
        return ()
    return tuple(_opened(source, "interface", survives=False))


def _of_networkd(files: Files) -> Iterator[Endpoint]:
    """The socket is opened when the interface comes up (wg_open()), and networkd brings up only what a .network file matches."""
    found: dict[str, str] = {}  # by name: a file replaces those of its name in later folders
    for folder in _NETWORKS:
        for name in files.names(folder) if files.kind(folder) == "directory" else ():
            if name.endswith((".netdev", ".network")):
                found.setdefault(name, f"{folder}/{name}")
    netdevs: list[tuple[Source, tuple[Node, ...]]] = []
    matches: list[tuple[Node, ...]] = []
    for name, path in files.limited(sorted(found.items()), _MOST_FILES, "files of systemd-networkd", lambda each: Span.whole(each[1])):
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            continue
        nodes = _nodes(source)
        if name.endswith(".netdev"):
            netdevs.append((source, nodes))
            continue
        matches.append(nodes)
        served = _last(nodes, "network", "dhcpserver")
        # A package's own files are for the links of containers and virtual machines, which none has made at boot.
        if _text(served).lower() in _YES and served is not None and not path.startswith("/usr/lib/"):
            files.report_not_understood(served.key.at, "systemd-networkd serves DHCP here, on an interface that is not worked out")
    for source, nodes in netdevs:
        interface = _text(_last(nodes, "netdev", "name"))
        if _text(_last(nodes, "netdev", "kind")).lower() == _KIND and any(_brings_up(each, interface) for each in matches):
            yield from _opened(source, _KIND, survives=True)


def _brings_up(network: tuple[Node, ...], interface: str) -> bool:
    """Whether a .network file is about an interface and does not leave it down (systemd.network(5))."""
    if _text(_last(network, "link", "activationpolicy")).lower() in ("manual", "down", "always-down"):
        return False
    kinds = (_text(_last(network, "match", key)).split() for key in ("type", "kind"))
    patterns = _text(_last(network, "match", "name")).split()
    return any(_KIND in words for words in kinds) or any(fnmatchcase(interface, pattern) for pattern in patterns)


def _opened(source: Source, section: str, *, survives: bool) -> Iterator[Endpoint]:
    """One socket of each family (wg_socket_init()), without SO_REUSEADDR; without ListenPort= the kernel picks the port."""
    nodes = _nodes(source)
    if not any(node.key.text.lower() == section for node in nodes):
        return
    line = _last(nodes, section, "listenport")
    word = line.values[0] if line is not None and line.values else None
    text = "auto" if word is None else word.text.split("#")[0].strip().lower()
    port = 0 if text == "auto" else decimal(text, 65535)
    if port is None:
        return
    at = word.at if word is not None else next(node.key.at for node in nodes if node.key.text.lower() == section)
    for address in ("0.0.0.0", "::"):  # noqa: S104  read, never bound
        yield Endpoint(
            at=at,
            app="wireguard",
            protocol="udp",
            address=address,
            ports=PortSet.of(port) if port else PortSet(),
            origin="default" if word is None else "directive",
            random=not port,
            reuse_address=False,
            v6only=True if address == "::" else None,
            optional=address == "::",
            survives_conflict=survives,
            why="the kernel binds it for the WireGuard interface",
        )


def _nodes(source: Source) -> tuple[Node, ...]:
    return sections.parse(source)[0]


def _last(nodes: tuple[Node, ...], section: str, key: str) -> Node | None:
    """The last setting of a name in the sections of a name; neither cares for case."""
    inside = (child for node in nodes if node.key.text.lower() == section for child in node.children)
    return next(reversed([child for child in inside if child.key.text.lower() == key]), None)


def _text(setting: Node | None) -> str:
    return " ".join(word.text for word in setting.values) if setting is not None else ""
