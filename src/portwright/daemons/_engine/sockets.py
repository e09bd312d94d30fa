"""An entry's sockets with a daemon's settings put in: endpoints."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons._engine.descriptor import Descriptor, Slot, Socket
from portwright.daemons._engine.settings import Settings
from portwright.daemons._engine.versions import satisfies
from portwright.facts import Backlog, Confidence, Endpoint, Origin, Protocol, Traits, weakest
from portwright.formats.nodes import Node
from portwright.ip import ip_address
from portwright.numbers import is_digits
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names

MOST_SOCKETS = 10_000
_NOTHING, _LISTS = Traits(), Traits(lists_interfaces=True)  # beyond what is known of the daemon in general
_COST_OF_A_BLOCK = 8  # steps, for each kind of socket that may stand in it
_TRANSPORTS: dict[str, tuple[Protocol, str]] = {
    "tcp": ("tcp", ""), "tcp4": ("tcp", "inet"), "tcp6": ("tcp", "inet6"), "udp": ("udp", ""), "udp4": ("udp", "inet"),
    "udp6": ("udp", "inet6"), "tcpv6": ("tcp", "inet6"), "udpv6": ("udp", "inet6"), "udpipv6": ("udp", "inet6"),
    "tcpipv6": ("tcp", "inet6"), "tls": ("tcp", ""), "ws": ("tcp", ""), "wss": ("tcp", ""), "bin": ("tcp", ""), "bins": ("tcp", ""),
    "hep_udp": ("udp", ""), "hep_tcp": ("tcp", ""), "quic": ("udp", ""), "quic4": ("udp", "inet"), "quic6": ("udp", "inet6"),
}  # fmt: skip
# Words of the catalogue for the addresses a host has: (family, "" for both; whether those of loopback are left out).
_EACH = {"each": ("", False), "each-inet": ("inet", False), "each-outside-inet": ("inet", True)}
_WITH_PORT = lazy_regex(r"(?:\[([^\]]+)\]|([0-9]+(?:\.[0-9]+){3}))[.:]([0-9]+)")  # 192.0.2.1.26, [::1]:26, [::1].26
_NAME = lazy_regex(r"[A-Za-z0-9_.%:-]+")
_INTERFACES = lazy_regex(r"(?=[A-Za-z0-9_.*?-]{1,32}$)[^*?]*[*?].*")
NOT_INTERNET = (
    "/", "@", "unix:", "unix/", "unix-abstract:", "unixgram:", "local:", "fd:", "fd@", "systemd:", "vsock:", "abstract:", "npipe:", "~/",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Where:
    """One socket's place as written: the parts that are said, and where."""

    host: str = ""
    port: str | None = None
    protocol: Protocol | None = None
    family: str = ""
    at: Span | None = None
    origin: Origin = "default"


@dataclass(frozen=True, slots=True)
class _Ports:
    ports: PortSet
    random: bool
    at: Span | None
    origin: Origin


def endpoints(entry: Descriptor, settings: Settings, at: Span, version: str | None, only_said: bool = False) -> tuple[Endpoint, ...]:
    """What the daemon binds. `at` is where it is started; `only_said` leaves out what no setting names (a config read on its own)."""
    found: dict[tuple[object, ...], Endpoint] = {}
    for socket in entry.sockets:
        if socket.versions and not satisfies(version, socket.versions):
            continue
        blocks: list[Node | None] = [*settings.blocks(socket.each)] if socket.each else [None]
        for block in blocks:
            if not settings.files.work(_COST_OF_A_BLOCK, lambda block=block: at if block is None else block.key.at, "what stands here"):  # type: ignore[misc]
                break
            if not settings.holds(socket.when, socket.unless, block):
                continue
            for endpoint in _of_socket(entry, socket, settings, block, at):
                if not (only_said and endpoint.origin == "default"):
                    found.setdefault((endpoint.protocol, endpoint.address, endpoint.ports, endpoint.on_demand), endpoint)
            if len(found) > MOST_SOCKETS:
                settings.files.report_unreadable(at, f"more than {MOST_SOCKETS} sockets: the rest is left out")
                return tuple(found.values())
    return tuple(found.values())


def _of_socket(entry: Descriptor, socket: Socket, settings: Settings, block: Node | None, at: Span) -> list[Endpoint]:
    found: list[Endpoint] = []
    fallback = block.key.at if block is not None else at
    own: list[_Ports] | None = None
    left_out = frozenset(name for name, unless in socket.without if not settings.holds((), unless, block))
    for where in _places(socket, settings, block):
        if where.port is not None:
            chosen = _ports(where.port, where.at, where.origin, socket, settings, 0)
        else:
            if own is None:
                own = _own_ports(socket, settings, block)
            chosen = own
        if socket.other_than:
            chosen = [ports for ports in chosen if not _is_anothers(ports, socket, settings, block)]
        addresses = _addresses(where, socket, settings)
        if left_out:
            addresses = _of_families(addresses, left_out)
        for protocol in socket.protocols if where.protocol is None else (where.protocol,):
            if protocol in left_out:
                continue
            for ports in chosen:
                if len(found) > MOST_SOCKETS:
                    return found
                found += (
                    _endpoint(entry, socket, settings, protocol, address, sure, ports, where, fallback, block)
                    for address, sure in addresses
                )
    return found


def _endpoint(
    entry: Descriptor,
    socket: Socket,
    settings: Settings,
    protocol: Protocol,
    address: str,
    sure: bool,
    ports: _Ports,
    where: _Where,
    fallback: Span,
    block: Node | None,
) -> Endpoint:
    # The line that names the port is the one to change; where no line does, the address is.
    said = ports if ports.at is not None else where
    confidence: Confidence = socket.confidence
    if settings.unsure:
        confidence = weakest(confidence, "possible")
    if not sure:
        confidence = weakest(confidence, "possible")
    why = socket.why or settings.unsure
    if not {"default", "inferred"}.isdisjoint((ports.origin, said.origin)) and (doubt := settings.doubted()):
        confidence, why = weakest(confidence, "likely"), why or doubt
    if said.at is not None and said.at.path in settings.foreign:
        confidence = weakest(confidence, "likely")
        why = why or f"{said.at.path} is written in another form than it is known to read"
    if settings.missing and said.origin == "default" and entry.config is not None:
        confidence = weakest(confidence, entry.config.when_missing)
        why = why or f"built-in default; {settings.missing}, which may override it, was not found"
    return Endpoint(
        at=said.at or fallback,
        app=entry.name,
        protocol=protocol,
        address="*" if address == "::" and socket.v6only is False else address,
        ports=ports.ports,
        origin=said.origin,
        reuse_address=(protocol == "tcp") if socket.reuse_address == "tcp" else socket.reuse_address,
        reuse_port=socket.reuse_port,
        v6only=socket.v6only if ":" in address else None,
        random=ports.random,
        on_demand=socket.on_demand,
        binds_as=socket.binds_as,
        confidence=confidence,
        why=why,
        optional=socket.optional,
        survives_conflict=socket.survives_conflict,
        free_bind=bool(socket.free_bind) and not settings.holds((), socket.free_bind, block),
        of_interfaces=not sure and where.host.lower() in _EACH,
        backlog=_backlog(socket, settings, block) if protocol == "tcp" else None,
        traits=_LISTS if socket.lists_interfaces and not settings.holds((), socket.lists_interfaces, block) else _NOTHING,
    )


def _backlog(socket: Socket, settings: Settings, block: Node | None) -> Backlog | None:
    """The accept queue it asks for, where its settings say one."""
    said = settings.values(socket.backlog, block) if socket.backlog is not None else None
    return Backlog.asked(said[-1][0]) if said else None


# ── ports ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _own_ports(socket: Socket, settings: Settings, block: Node | None) -> list[_Ports]:
    """The ports of the `port` slot, up to `end-port` where there is one."""
    if socket.random and socket.port is None:
        return [_Ports(PortSet(), True, None, "default")]
    if socket.port is None:
        return []
    found: list[_Ports] = []
    for word, span, origin in _values(socket.port, settings, block):
        found += _ports(word, span, origin, socket, settings, socket.port.plus)
    if socket.end_port is None or not found:
        return found
    ends = [
        end for word, span, origin in _values(socket.end_port, settings, block)
        for end in _ports(word, span, origin, socket, settings, socket.end_port.plus)
    ]  # fmt: skip
    low, high = found[-1].ports.low, ends[-1].ports.high if ends else None
    if low is None or high is None or high < low:
        return found
    return [_Ports(PortSet.of((low, high)), False, found[-1].at, found[-1].origin)]


def _is_anothers(ports: _Ports, socket: Socket, settings: Settings, block: Node | None) -> bool:
    others = {text for slot in socket.other_than for text, _, _ in _values(slot, settings, block)}
    return str(ports.ports) in others


def _values(slot: Slot, settings: Settings, block: Node | None) -> list[tuple[str, Span | None, Origin]]:
    said = settings.values(slot, block)
    if said is None:
        return [(text, None, "default") for text in slot.default or ()]
    return [(word.text, word.at, origin) for word, origin in said if word.text.lower() not in slot.off]


def _ports(text: str, at: Span | None, origin: Origin, socket: Socket, settings: Settings, plus: int) -> list[_Ports]:
    low, dash, high = text.partition("-") if is_digits(text[:1]) else (text, "", "")
    if not dash and is_digits(text[:1]):
        low, dash, high = text.partition(":")
    first = names.port(low.strip(), socket.protocols[0], settings.files)
    last = names.port(high.strip(), socket.protocols[0], settings.files) if dash else first
    if first is None or last is None or last < first or not 0 <= last + plus <= 65535:
        if at is not None:
            settings.files.report_unreadable(at, f"not a port: {text[:60]}")
        return []
    if not last:
        return [_Ports(PortSet(), True, at, origin)] if socket.zero == "random" else []
    return [_Ports(PortSet.of((first + plus, last + plus)), False, at, origin if not plus else "inferred")]


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _places(socket: Socket, settings: Settings, block: Node | None) -> list[_Where]:
    if socket.listen is None:
        return [_Where()]
    said = settings.values(socket.listen, block)
    if said is None:
        if socket.listen.default is None:
            return []
        return [where for text in socket.listen.default for where in _written(Word(text, Span.whole("")), "default", socket)]
    return [where for word, origin in said if word.text.lower() not in socket.listen.off for where in _written(word, origin, socket)]


def _written(word: Word, origin: Origin, socket: Socket) -> list[_Where]:
    """The place a value names; none for a socket that is no Internet socket."""
    text = word.text.strip()
    at = None if origin == "default" else word.at
    protocol: Protocol | None = None
    family, default_port = "", None
    if socket.form == "milter":
        kind, _, rest = text.partition(":")
        if kind not in ("inet", "inet6"):
            return []
        port, _, host = rest.partition("@")
        return [_Where(host, port, None, kind, at, origin)]
    schemes = dict(socket.schemes)
    scheme, slashes, rest = text.partition("://")
    if slashes:
        default_port = schemes.get(scheme.lower())
        if default_port == "none" or scheme.lower() in ("unix", "unixs", "fd", "unixgram"):
            return []
        text = rest.partition("/")[0].partition("?")[0]
        if scheme.lower() in _TRANSPORTS:
            protocol, family = _TRANSPORTS[scheme.lower()]
    elif socket.form == "transport":
        kind, _, rest = text.partition(":")
        if kind.lower() in _TRANSPORTS:
            (protocol, family), text = _TRANSPORTS[kind.lower()], rest
        elif kind.lower() in ("unix", "dtlsudp", "tlstcp", "ssh", "alias", "std", "pcap") and rest:
            return []
    if text.startswith(NOT_INTERNET):
        return []
    host, port_text = _host_and_port(text, socket)
    return [_Where(host, port_text or default_port, protocol, family, at, origin)]


def _host_and_port(text: str, socket: Socket) -> tuple[str, str | None]:
    if socket.form == "dotted":
        own = _WITH_PORT.fullmatch(text)
        return (own[1] or own[2], own[3]) if own is not None else (text.strip("[]"), None)
    if socket.form == "spoken":
        host, _, port = text.partition(" port ")
        return host.strip(" []"), port.strip() or None
    if socket.form in ("at", "comma"):
        if socket.form == "comma" and is_digits(text):
            return "", text
        host, _, port = text.partition("@" if socket.form == "at" else ",")
        return host.strip("[]"), port or None
    if names.is_address(text) or socket.form == "address":
        return text.strip("[]"), None
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest[1:] if rest.startswith(":") else None
    if is_digits(text):
        return "", text
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, None
    return host, port or None


def _addresses(where: _Where, socket: Socket, settings: Settings) -> list[tuple[str, bool]]:
    """The addresses a host part stands for, and whether that is sure."""
    host = where.host.lower()
    if socket.form == "address" and "/" in host:
        return _of_network(host, settings)
    if host in _EACH:
        return _each(settings, where.family or _EACH[host][0], _EACH[host][1], socket)
    if host in socket.any:
        wildcard = {"inet": ("0.0.0.0",), "inet6": ("::",)}.get(where.family, socket.wildcard)  # noqa: S104
        return [(address, True) for address in wildcard]
    if host in ("0.0.0.0", "::", "0") and socket.zeros_are_dual:  # noqa: S104
        return [("*", True)]
    known = (str(ip_address(host)),) if names.is_address(host) else names.addresses(host, settings.files) or _of_interface(host, settings)
    fitting = [address for address in known if not where.family or (":" in address) == (where.family == "inet6")]
    if not fitting and not _NAME.fullmatch(where.host) and not (socket.form == "address" and _INTERFACES.fullmatch(where.host)):
        if where.at is not None:
            settings.files.report_unreadable(where.at, f"not an address: {where.host[:60]}")
        return []
    if not fitting:
        return [(where.host, False)]
    if socket.names in ("inet", "all-inet"):
        fitting = [address for address in fitting if ":" not in address] or fitting
    return [(address, True) for address in (fitting if socket.names in ("all", "all-inet") else fitting[:1])]


def _of_families(addresses: list[tuple[str, bool]], left_out: frozenset[str]) -> list[tuple[str, bool]]:
    """What is left of addresses without a family; a socket for both is one for the other."""
    found = []
    for address, sure in addresses:
        if address == "*":
            address = "::" if "inet" in left_out else "0.0.0.0" if "inet6" in left_out else address  # noqa: S104
        if ("inet6" if ":" in address else "inet") not in left_out or address == "*":
            found.append((address, sure))
    return found


def _each(settings: Settings, family: str, outside: bool, socket: Socket) -> list[tuple[str, bool]]:
    """Every address the host has; where nobody listed them, the wildcard stands for them and is no sure thing."""
    if settings.addresses is None:
        wild = [("0.0.0.0", False), ("::", False)]  # noqa: S104
        return [each for each in wild if not family or (":" in each[0]) == (family == "inet6")]
    said = settings.values(socket.excepting) if socket.excepting is not None else None
    others = {word.text.lower() for word, _ in said or ()}
    listed = (each for each in settings.addresses if (not outside or each.interface != "lo") and each.interface.lower() not in others)
    return [(each.scoped, True) for each in listed if not family or each.family == family]


def _of_network(text: str, settings: Settings) -> list[tuple[str, bool]]:
    """The addresses of the host in `network/prefix`, or the one address that is written with its prefix (smb.conf(5), interfaces)."""
    from ipaddress import ip_interface, ip_network

    try:
        network, own = ip_network(text, strict=False), ip_interface(text).ip
    except ValueError:
        return []
    if own != network.network_address or network.num_addresses == 1:
        return [(str(own), True)]
    if network.is_loopback:
        return [("127.0.0.1" if network.version == 4 else "::1", True)]
    if settings.addresses is None:
        return [(text, False)]
    found = (each for each in settings.addresses if each.family == ("inet" if network.version == 4 else "inet6"))
    return [(each.scoped, True) for each in found if ip_address(each.address) in network]


def _of_interface(name: str, settings: Settings) -> tuple[str, ...]:
    """The addresses of an interface, or of all that a pattern like `en*` takes in (smb.conf(5), dnsmasq(8)); those of lo are known."""
    from fnmatch import fnmatchcase

    if name == "lo" and settings.addresses is None:
        return ("127.0.0.1", "::1")
    return tuple(each.scoped for each in settings.addresses or () if len(name) <= 32 and fnmatchcase(each.interface.lower(), name))
