"""BIND's named: listen-on lists, controls and statistics-channels of named.conf(5) become its sockets, an address each."""

from collections.abc import Callable, Iterator
from ipaddress import ip_network

from portwright._start.records import dataclass, field
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Confidence, Endpoint, Invocation, Origin, Protocol, weakest
from portwright.formats import braces
from portwright.formats.nodes import Node
from portwright.ip import ip_address
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.host_files.captures import Address, captured
from portwright.system.includes import DEEPEST, may_follow, named_files
from portwright.trees import Files

CONFIG = "/etc/bind/named.conf"
_PORT, _CONTROL, _HTTP = 53, 953, 80
_PORTS = {"tls-port": 853, "https-port": 443, "http-port": 80}
_WITH_ARGUMENT = "cDdEnpStTuUxLMm"
_WILD = {"inet": "0.0.0.0", "inet6": "::"}  # noqa: S104  compared and named, never bound
_Add = Callable[[Protocol, str, int, Span | None, Origin, Confidence], None]
_ENDS = frozenset(("allow", "keys", "read-only", "perm", "owner", "group"))


@dataclass
class _Said:
    """The clauses that matter, in the order read."""

    files: Files
    listens: dict[str, list[Node]] = field(default_factory=lambda: {"inet": [], "inet6": []})
    controls: list[Node] = field(default_factory=list)
    has_controls: bool = False
    statistics: list[Node] = field(default_factory=list)
    acls: dict[str, Node] = field(default_factory=dict)
    port: tuple[int, Span | None, Origin] = (_PORT, None, "default")
    others: dict[str, tuple[int, Span | None, Origin]] = field(default_factory=dict)
    read: int = 0


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of one named.conf read on its own; nothing for a file without options that name an address."""
    said = _Said(files)
    _file((path,), said, "/")
    if not (said.listens["inet"] or said.listens["inet6"] or said.statistics or said.controls):
        return ()
    return _endpoints(said, Span.whole(path), "likely", only_said=True)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a named: options first, then its configuration with what that includes."""
    said, config, families = _Said(files), CONFIG, {"inet", "inet6"}
    over: tuple[int, Span | None, Origin] | None = None
    others: dict[str, tuple[int, Span | None, Origin]] = {}
    for letter, value in _options(invocation.argv[1:]):
        if letter in ("v", "V", "h", "C"):
            return ()
        if letter == "4":
            families.discard("inet6")
        elif letter == "6":
            families.discard("inet")
        elif value is None:
            continue
        elif letter == "c":
            config = invocation.path(value.text)
        elif letter == "p" and (port := _number(value.text.rpartition("=")[2])) is not None:
            kind, equals, _ = value.text.partition("=")
            if equals and kind != "dns":
                others[f"{kind}-port"] = (port, value.at, "argument")
            else:
                over = (port, value.at, "argument")
    confidence: Confidence = "certain"
    if files.kind(config) == "missing":
        files.report_missing(invocation.at, f"named reads {config}, which is not there")
        confidence = "possible"
    else:
        _file((config,), said, config.rpartition("/")[0])
    said.others |= others
    if over is not None:
        said.port = over  # main.c: -p is what listeners without a port of their own use
    found = _endpoints(said, invocation.at, confidence)
    return tuple(each for each in found if ("inet6" if ":" in each.address else "inet") in families)


def _options(argv: tuple[Word, ...]) -> list[tuple[str, Word | None]]:
    found: list[tuple[str, Word | None]] = []
    rest = iter(argv)
    for word in rest:
        text = word.text
        if not text.startswith("-") or len(text) < 2:
            continue
        for position, letter in enumerate(text[1:], 1):
            if letter not in _WITH_ARGUMENT:
                found.append((letter, None))
                continue
            attached = text[position + 1 :]
            found.append((letter, Word(attached, word.at) if attached else next(rest, None)))
            break
    return found


def _file(chain: tuple[str, ...], said: _Said, directory: str) -> None:
    source = said.files.read(chain[-1])
    said.read += 1
    if source is None:
        return
    nodes, troubles = braces.parse(source, braces.NAMED)
    for trouble in troubles:
        said.files.report_unreadable(trouble.at, trouble.reason)
    for node in nodes:
        match node.key.text.lower():
            case "include" if node.values:
                _include(node.values[0], chain, said, directory)
            case "options":
                _top_options(node, said)
            case "controls":
                said.has_controls = True
                said.controls += [child for child in node.children if child.key.text == "inet"]
            case "statistics-channels":
                said.statistics += [child for child in node.children if child.key.text == "inet"]
            case "acl" if node.values:
                said.acls[node.values[0].text.lower()] = node


def _include(value: Word, chain: tuple[str, ...], said: _Said, directory: str) -> None:
    for path in named_files(value, directory, said.files):
        if may_follow(path, value, chain, said.read, said.files):
            _file((*chain, path), said, directory)


def _top_options(node: Node, said: _Said) -> None:
    for child in node.children:
        match child.key.text.lower():
            case "listen-on":
                said.listens["inet"].append(child)
            case "listen-on-v6":
                said.listens["inet6"].append(child)
            case "port" if child.values and (port := _number(child.values[0].text)) is not None:
                said.port = (port, child.values[0].at, "directive")
            case "tls-port" | "https-port" | "http-port" as name if child.values and (port := _number(child.values[0].text)) is not None:
                said.others[name] = (port, child.values[0].at, "directive")


# ── endpoints ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoints(said: _Said, at: Span, confidence: Confidence, only_said: bool = False) -> tuple[Endpoint, ...]:
    listed = captured(said.files).addresses
    found: dict[tuple[Protocol, str, int], Endpoint] = {}

    def add(
        protocol: Protocol,
        address: str,
        port: int,
        where: Span | None,
        origin: Origin,
        sure: Confidence,
        of_interfaces: bool = False,
    ) -> None:
        if port and not (only_said and origin == "default"):
            # netmgr: SO_REUSEADDR and SO_REUSEPORT on every socket, IPV6_V6ONLY on those of IPv6; a socket a thread.
            found.setdefault(
                (protocol, address, port),
                Endpoint(
                    at=where or at,
                    app="named",
                    protocol=protocol,
                    address=address,
                    ports=PortSet.of(port),
                    origin=origin,
                    reuse_address=True,
                    reuse_port=True,
                    v6only=True if ":" in address else None,
                    confidence=sure,
                    # interfacemgr.c goes through the interfaces there are: an address none of them has is no error, and where a socket
                    # of one fails named logs it and runs on with the others.
                    optional=True,
                    survives_conflict=True,
                    of_interfaces=of_interfaces,
                ),
            )

    for family, listens in said.listens.items():
        lists: list[Node | None] = [*listens] or [None]
        for listen in lists:
            port, port_at, origin = said.port
            transports: tuple[Protocol, ...] = ("udp", "tcp")
            if listen is not None:
                own = _after(listen.values, "port")
                transports = ("tcp",) if _after(listen.values, "tls") or _after(listen.values, "http") else transports
                if own is not None and (number := _number(own.text)) is not None:
                    port, port_at, origin = number, own.at, "directive"
                elif transports == ("tcp",):
                    kind = "tls-port"
                    if _after(listen.values, "http"):
                        tls = _after(listen.values, "tls")
                        kind = "http-port" if tls is None or tls.text.lower() == "none" else "https-port"
                    port, port_at, origin = said.others.get(kind, (_PORTS[kind], None, "default"))
            # named.conf(5): without listen-on, every IPv4 address; without listen-on-v6, every IPv6 one.
            for address, address_at, sure in _matching(listen, family, listed, said):
                for protocol in transports:
                    where, said_by = (port_at, origin) if port_at is not None else (address_at, "directive" if address_at else origin)
                    add(protocol, address, port, where, said_by, weakest(confidence, sure), address == _WILD[family])
    for channel in said.controls:
        _channel(channel, _CONTROL, add, confidence)
    if not said.has_controls:
        # named(8): without a controls statement rndc's key is read and the channel is on both loopback addresses.
        add("tcp", "127.0.0.1", _CONTROL, None, "default", confidence)
        add("tcp", "::1", _CONTROL, None, "default", confidence)
    for channel in said.statistics:
        _channel(channel, _HTTP, add, confidence)
    return tuple(found.values())


def _channel(node: Node, default: int, add: _Add, confidence: Confidence) -> None:
    """One `inet ADDRESS port NUMBER allow { ... }` of controls or statistics-channels."""
    if not node.values:
        return
    text = node.values[0].text
    own = _after(node.values, "port")
    port = default if own is None else _number(own.text)
    if port is not None:
        add("tcp", _WILD["inet"] if text == "*" else text, port, own.at if own else node.values[0].at, "directive", confidence)


def _matching(
    listen: Node | None, family: str, listed: tuple[Address, ...] | None, said: _Said
) -> list[tuple[str, Span | None, Confidence]]:
    """The addresses of a family that a list lets in: those the host has, or what the list names where nobody listed them."""
    if listed is None:
        if listen is None:
            return [(_WILD[family], None, "likely")]
        plain = list(_named(listen, said, 0))
        known: list[tuple[str, Span | None, Confidence]] = []
        known += ((word.text, word.at, "certain") for word in plain if _family(word.text) == family)
        if any(child.key.text.lower() == "any" for child in listen.children):
            known.append((_WILD[family], listen.key.at, "likely"))
        return known
    own = [address.address for address in listed if address.family == family]
    if listen is None:
        return [(address, None, "certain") for address in own]
    found: list[tuple[str, Span | None, Confidence]] = []
    for address in own:
        word = _allows(listen, address, listed, said, 0)
        if word is not None:
            found.append((address, word.at, "certain"))
    return found


def _named(node: Node, said: _Said, depth: int) -> Iterator[Word]:
    """The single addresses that an address match list lets in by name, those of acls among them; the first that fits counts."""
    refused: set[str] = set()
    for child in node.children if depth <= DEEPEST else ():
        text = child.key.text
        negated = text.startswith("!")
        if negated:
            text = text[1:] or (child.values[0].text if child.values else "")
        text = text.lower().removesuffix("/128" if ":" in text else "/32")
        inside = said.acls.get(text) if text else child
        if inside is not None:
            for word in _named(inside, said, depth + 1):
                if negated:
                    refused.add(word.text)
                elif word.text not in refused:
                    yield word
        elif names.is_address(text) and negated:
            refused.add(text)
        elif names.is_address(text) and text not in refused:
            yield Word(text, child.key.at)


def _allows(node: Node, address: str, listed: tuple[Address, ...], said: _Said, depth: int) -> Word | None:
    """The element of an address match list that lets an address in; None where the first that fits says no, or none does."""
    if depth > DEEPEST:
        return None
    for child in node.children:
        text = child.key.text
        negated = text.startswith("!")
        if negated:
            text = text[1:] or (child.values[0].text if child.values else "")
        text = text.lower()
        fits: bool
        if text in said.acls:
            fits = _allows(said.acls[text], address, listed, said, depth + 1) is not None
        elif child.children and not text:
            fits = _allows(child, address, listed, said, depth + 1) is not None
        else:
            fits = _fits(text, address, listed)
        if fits:
            return None if negated else child.key
    return None


def _fits(text: str, address: str, listed: tuple[Address, ...]) -> bool:
    if text == "any":
        return True
    if text == "none":
        return False
    if text == "localhost":
        return any(each.address == address for each in listed)
    try:
        value = ip_address(address.partition("%")[0])
        if text == "localnets":
            return any(value in ip_network(f"{each.address}/{each.prefix}", strict=False) for each in listed)
        head, slash, length = text.partition("/")
        if slash and head.count(".") < 3 and ":" not in head:
            head += ".0" * (3 - head.count("."))  # `10/8` is 10.0.0.0/8
        return value in ip_network(f"{head}{slash}{length}", strict=False)
    except ValueError:
        return False


def _after(words: tuple[Word, ...], keyword: str) -> Word | None:
    """The word behind a keyword of a clause's head."""
    for position, word in enumerate(words[:-1]):
        if word.text.lower() in _ENDS:
            return None
        if word.text.lower() == keyword:
            return words[position + 1]
    return None


def _family(address: str) -> str:
    return "inet6" if ":" in address else "inet"


def _number(text: str) -> int | None:
    return decimal(text, 65535)
