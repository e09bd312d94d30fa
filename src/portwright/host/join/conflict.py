"""Do two listeners want the same port, as the kernel compares them, and which of them comes too late."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from ipaddress import IPv6Address
from itertools import islice

from portwright._start.records import dataclass, replace
from portwright.facts import Listener, Protocol, Unit
from portwright.formats.unit import YES
from portwright.host import Host
from portwright.ip import ip_address
from portwright.ports import PortSet
from portwright.source import Span, Unreadable

# Claims are filed by port; a claim of very many ports by groups of 2**8, so that it is not filed thousands of times.
_GROUP = 8
_WIDE = 64

# What is told of pairs, and how many are tried for that: both grow with the square of the listeners on one port.
_MOST_PAIRS = 5_000
_MOST_TRIED = 500_000
_MOST_RIVALS = 16  # of one listener, that are looked at for whether the quarrel is told of them


@dataclass(frozen=True, slots=True)
class Claim:
    """What a bind() asks of the kernel.

    `address` is canonical: `*` for one dual-stack socket, else an address without scope. `scope` is the interface the socket is tied
    to (the scope of a link-local address, else SO_BINDTODEVICE). `namespace` is the machine (a repository holds files of several) and the
    network namespace on it, "" the host's own. `unit` and `activates` tell whether two claims are one socket handed from PID 1 to
    its service; `apart` names units that never want the port beside this one: those that hand it theirs (Sockets=), and those that
    never run at once with it (Conflicts=). `ignores_sockets`: it opens its own whatever systemd hands it. `of_interfaces`: the
    wildcard stands for the addresses that interfaces have. `piece` is the file where a
    repository's config is read on its own: the daemon may well read it together with others of its app. `line` is what says the
    port in a repository, where nothing says what is enabled: units that read one line of a config, or start one program without any
    port, are for different machines. `from_a_probe`: a probe asks there, so somebody listens, by whatever config.
    """

    protocol: Protocol
    address: str
    ports: PortSet
    scope: str | None = None
    reuse_address: bool | None = None
    reuse_port: bool | None = False
    user: str | None = None
    namespace: tuple[str, str] = ("", "")
    unit: str | None = None
    activates: str | None = None
    apart: frozenset[str] = frozenset()
    app: str = ""
    ignores_sockets: bool = False
    of_interfaces: bool = False
    piece: str | None = None
    line: Span | str | None = None
    from_a_probe: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """When a bind() happens: the unit it belongs to, the units ordered before that one, and the line, which orders within a unit.

    `piece` is which of the unit's own files the line is in, as systemd reads them: a drop-in comes after what it adds to.
    """

    unit: str | None
    before: AbstractSet[str]
    at: Span
    piece: int = 0


def claim(host: Host, listener: Listener) -> Claim | None:
    """What a listener asks of the kernel; None where the kernel picks the port or the address cannot be read."""
    known = host.once(_claims)
    if id(listener) not in known:
        known[id(listener)] = (listener, _claim(host, listener))
    return known[id(listener)][1]


def _claims(host: Host) -> dict[int, tuple[Listener, Claim | None]]:
    """The claims that were asked for; each listener is kept with its claim, so that its id stays its own."""
    return {}


def _claim(host: Host, listener: Listener) -> Claim | None:
    if listener.random or not listener.ports:
        return None
    text, _, scope = listener.address.partition("%")
    address = _canonical(text, listener.v6only)
    if address is None:
        return None
    return Claim(
        protocol=listener.protocol,
        address=address,
        ports=listener.ports,
        # bind() to an address with a scope ties the socket to that interface, whatever it was tied to before (measured).
        scope=scope or listener.interface,
        reuse_address=listener.reuse_address,
        reuse_port=listener.reuse_port,
        user=listener.bind_user,
        namespace=(listener.machine, _network(host, listener) if listener.private_network else ""),
        unit=listener.unit,
        activates=listener.activates,
        apart=_apart(host, listener.unit),
        app=listener.app,
        of_interfaces=listener.of_interfaces,
        ignores_sockets=listener.traits.inherited_sockets == "ignored",
        piece=listener.at.path if listener.starts is None and listener.unit is None else None,
        line=_said_by(listener),
        from_a_probe=listener.origin == "inferred" and listener.confidence == "possible",
    )


def _said_by(listener: Listener) -> Span | str | None:
    if listener.starts is not None:
        return None
    return listener.at if listener.origin == "directive" else listener.app if listener.origin == "default" else None


def comes_up(host: Host, listener: Listener) -> bool:
    """Whether a service may come up as far as its sockets go; False where one of them surely cannot be bound and it gives up then."""
    in_its_own_way = listener.origin == "socket-unit" and listener.activates is not None
    if listener.closed_by and not in_its_own_way:
        return False
    if not listener.closed_by and (listener.can_bind is False or listener.unit is None or listener.traits.port_taken != "exits"):
        return listener.can_bind is not False
    return (listener.unit, listener.app) not in host.once(_failing)


def _failing(host: Host) -> frozenset[tuple[str | None, str]]:
    """The units, and the daemons in them, of which a socket surely cannot be bound."""
    surely = (each for each in host.listeners if each.can_bind is False and each.confidence == "certain" and not each.survives_conflict)
    return frozenset((each.unit, each.app) for each in surely if each.starts in ("boot", None))


def is_told_of_rivals(host: Host, listener: Listener) -> bool:
    """Whether a daemon runs on without a contested port, and the quarrel is told of its rivals, who do not and may be the later ones."""
    if not listener.survives_conflict:
        return False
    rivals, my_turn = _rivals(host, listener), turn(host, listener)
    return bool(rivals) and all(not each.survives_conflict and not_after(my_turn, turn(host, each)) for each in rivals)


def may_be_first(host: Host, listener: Listener) -> bool:
    """Whether nothing is sure to go wrong with a contested port: every rival runs on without it, and may well be the later one."""
    rivals, my_turn = _rivals(host, listener), turn(host, listener)
    return bool(rivals) and all(each.survives_conflict and not _is_earlier(each, my_turn) for each in rivals)


def is_never_tried(host: Host, listener: Listener) -> bool:
    """Whether no bind() fails though a port is contested: of two pods that name it Kubernetes gives a node only one."""
    rivals = _rivals(host, listener) if listener.traits.pod_says_port else []
    return bool(rivals) and all(each.traits.pod_says_port for each in rivals)


def _rivals(host: Host, listener: Listener) -> list[Listener]:
    """The first rivals on a listener's lowest port."""
    mine, port = claim(host, listener), listener.port
    if mine is None or port is None:
        return []
    others = (each for each in host.once(_by_lowest_port).get((listener.protocol, port), ()) if each is not listener)
    return [each for each in islice(others, _MOST_RIVALS) if (theirs := claim(host, each)) is not None and collide(theirs, mine)]


def _is_earlier(other: Listener, mine: Turn) -> bool:
    """Whether it binds before `mine` at each boot, as systemd's own services do, whose unit file a copy may have shortened."""
    unit = other.unit or ""
    return unit in mine.before or unit == mine.unit or (unit.startswith("systemd-") and not (mine.unit or "").startswith("systemd-"))


def _by_lowest_port(host: Host) -> dict[tuple[Protocol, int], list[Listener]]:
    found: dict[tuple[Protocol, int], list[Listener]] = {}
    for each in host.listeners:
        if each.starts in ("boot", None) and each.port is not None and comes_up(host, each):
            found.setdefault((each.protocol, each.port), []).append(each)
    return found


def turn(host: Host, listener: Listener) -> Turn:
    """When a listener's bind() happens relative to those of other units."""
    unit = host.unit(listener.unit)
    piece = unit.files.index(listener.at.path) if unit is not None and listener.at.path in unit.files else 0
    return Turn(listener.unit, host.order.get(listener.unit or "", frozenset()), listener.at, piece)


def collide(one: Claim, other: Claim) -> bool:
    """Whether the kernel refuses the second of two claims with EADDRINUSE, whichever comes second.

    TCP: SO_REUSEADDR never lets two sockets listen on one port (the second fails in listen()); SO_REUSEPORT on both does, for the
    same user. UDP: SO_REUSEADDR on both does, too. Where an option is not known, no collision is claimed.
    """
    if one.protocol != other.protocol or one.namespace != other.namespace or not one.ports.overlaps(other.ports):
        return False
    if one.unit is not None and other.unit is not None and _are_one(one, other):
        return False
    if _are_of_one_daemon(one, other) or (one.line is not None and one.line == other.line and one.unit != other.unit):
        return False
    if one.scope is not None and other.scope is not None and one.scope != other.scope:
        return False
    if not _addresses_meet(one.address, other.address) or _is_of_no_interface(one, other) or _is_of_no_interface(other, one):
        return False
    if one.protocol == "udp" and _both(one.reuse_address, other.reuse_address):
        return False
    may_share = _both(one.reuse_port, other.reuse_port)
    same_user = one.user is None or other.user is None or one.user == other.user
    return not (may_share and same_user)


def _are_of_one_daemon(one: Claim, other: Claim) -> bool:
    """Whether two claims are likely to be one process's, which binds each address once: nginx's sites, say, none of which names it."""
    if (one.from_a_probe and other.piece is not None) or (other.from_a_probe and one.piece is not None):
        return True
    return one.app == other.app and one.piece != other.piece


def not_after(other: Turn, mine: Turn) -> bool:
    """Whether `other` is not known to come after `mine`: then `mine` loses, or it is a race that `mine` may lose."""
    if other.unit == mine.unit:
        return (other.piece, other.at) < (mine.piece, mine.at)
    return mine.unit is None or mine.unit not in other.before


def filed_under(kept: Claim) -> Iterator[tuple[object, ...]]:
    """The keys under which a claim is kept, so that `sought_under` of a claim it may collide with meets one of them."""
    reach = "wildcard" if _is_wildcard(kept.address) else kept.address
    wide = len(kept.ports) > _WIDE
    for group in _groups(kept.ports):
        for address in ("any", reach):
            yield kept.protocol, "group", group, address
            if wide:
                yield kept.protocol, "wide", group, address
    if not wide:
        for port in kept.ports:
            yield kept.protocol, "port", port, "any"
            yield kept.protocol, "port", port, reach


def sought_under(wanted: Claim) -> Iterator[tuple[object, ...]]:
    """The keys to look under for what may collide with a claim."""
    addresses = ("any",) if _is_wildcard(wanted.address) else ("wildcard", wanted.address)
    wide = len(wanted.ports) > _WIDE
    for address in addresses:
        for group in _groups(wanted.ports):
            yield wanted.protocol, "group" if wide else "wide", group, address
        if not wide:
            for port in wanted.ports:
                yield wanted.protocol, "port", port, address


def collisions(host: Host) -> tuple[Host, tuple[tuple[Listener, Listener], ...]]:
    """Every pair of a host's boot listeners (all of a repository's) of which the kernel refuses one, in the order of listeners.

    There are as many as the square of the listeners that want one port. Of very many the first are given, and the host, which is
    given back, says at the first listener whose pairs are left out that they are.
    """
    kept: dict[tuple[object, ...], list[tuple[int, Claim]]] = {}
    pairs: dict[tuple[int, int], None] = {}
    tried = 0
    for number, listener in enumerate(host.listeners):
        wanted = claim(host, listener) if listener.starts in ("boot", None) and comes_up(host, listener) else None
        if wanted is None:
            continue
        if len(pairs) > _MOST_PAIRS or tried > _MOST_TRIED:
            reason = f"more than {_MOST_PAIRS:,} pairs of listeners want one port: who else wants the port of this one is left out"
            host = replace(host, unreadable=(*host.unreadable, Unreadable(listener.at, reason)))
            break
        for key in sought_under(wanted):
            for other, held in kept.get(key, ()):
                tried += 1
                if (other, number) not in pairs and collide(held, wanted):
                    pairs[other, number] = None
        for key in filed_under(wanted):
            kept.setdefault(key, []).append((number, wanted))
    return host, tuple((host.listeners[one], host.listeners[other]) for one, other in sorted(pairs))


def weighed(host: Host) -> Host:
    """The host, where what a service binds beside a contested port is *likely* at most if it gives up when it does not get that port."""
    taken: dict[tuple[str | None, str], tuple[Listener, Listener]] = {}
    contested: set[Listener] = set()
    for pair in collisions(host)[1]:
        contested.update(pair)
        for mine, rival in (pair, pair[::-1]):
            gives_up = mine.traits.port_taken == "exits" and not mine.survives_conflict and mine.unit is not None
            if gives_up and mine.starts == rival.starts == "boot" and not_after(turn(host, rival), turn(host, mine)):
                taken.setdefault((mine.unit, mine.app), (mine, rival))
    if not taken:
        return host
    return replace(host, listeners=tuple(_beside(each, taken) if each not in contested else each for each in host.listeners))


def _beside(listener: Listener, taken: Mapping[tuple[str | None, str], tuple[Listener, Listener]]) -> Listener:
    found = taken.get((listener.unit, listener.app))
    if found is None or listener.confidence != "certain":
        return listener
    mine, rival = found
    reason = f"{rival.unit or rival.app} wants {mine.protocol} {mine.ports} too, and {mine.app} gives up where it is taken"
    return replace(listener, confidence="likely", why=f"{listener.why}; {reason}" if listener.why else reason)


def _are_one(one: Claim, other: Claim) -> bool:
    """Whether two units hold one socket between them, or never run at once."""
    if one.unit in other.apart or other.unit in one.apart:
        return True
    return any(held.activates == taker.unit and not taker.ignores_sockets for held, taker in ((one, other), (other, one)))


def _apart(host: Host, name: str | None) -> frozenset[str]:
    unit = host.unit(name)
    if unit is None:
        return frozenset()
    settings = (*unit.each("Unit", "Conflicts"), *unit.each("Service", "Sockets"))
    named = (host.unit(word) for setting in settings for word in setting.value.split())
    apart = {other.name for other in named if other is not None}
    kind = unit.value("Service", "Type")
    if kind is not None and kind.value == "oneshot":
        apart.add(unit.name)  # systemd.service(5): each of its commands has ended when the next one starts
    return frozenset(apart)


def _network(host: Host, listener: Listener) -> str:
    """A name of the network namespace that is not the host's: NetworkNamespacePath=, or the unit whose PrivateNetwork= it shares.

    systemd.unit(5), JoinsNamespaceOf=: it works in both directions, and only where both have PrivateNetwork= on.
    """
    unit = host.unit(listener.unit)
    own = listener.unit or listener.app
    path = None if unit is None else unit.value("Service", "NetworkNamespacePath")
    if path is not None:
        return own if "%" in path.value else path.value
    seen: list[str] = []
    while unit is not None and _has_its_own_network(unit) and unit.name not in seen:
        seen.append(unit.name)
        named = (host.unit(word) for setting in unit.each("Unit", "JoinsNamespaceOf") for word in setting.value.split())
        unit = next((other for other in named if other is not None and _has_its_own_network(other)), None)
        if unit is None:
            return seen[-1]
    return min(seen, default=own)


def _has_its_own_network(unit: Unit) -> bool:
    found = unit.value("Service", "PrivateNetwork")
    return found is not None and found.value.lower() in YES


def _groups(ports: PortSet) -> Iterator[int]:
    last = -1
    for low, high in ports.ranges:
        for group in range(max(low >> _GROUP, last + 1), (high >> _GROUP) + 1):
            yield group
            last = group


def _canonical(text: str, v6only: bool | None) -> str | None:
    if text == "*":
        return "*"
    try:
        address = ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        if address.is_unspecified and v6only is False:
            return "*"
    return str(address)


def _is_wildcard(address: str) -> bool:
    return address in ("*", "0.0.0.0", "::")  # noqa: S104  compared, never bound


def _addresses_meet(one: str, other: str) -> bool:
    if "*" in (one, other) or one == other:
        return True
    return (":" in one) == (":" in other) and (_is_wildcard(one) or _is_wildcard(other))


def _is_of_no_interface(one: Claim, other: Claim) -> bool:
    """Whether one binds what interfaces have, and the other an address that the kernel takes for local and none of them has: 127.0.0.53."""
    return one.of_interfaces and other.address.startswith("127.") and other.address != "127.0.0.1"


def _both(one: bool | None, other: bool | None) -> bool:
    """Whether both sockets have an option, as far as anybody knows: an unknown one is given the benefit of the doubt."""
    return one is not False and other is not False
