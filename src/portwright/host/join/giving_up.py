"""The sockets of a daemon that gives up because one of them cannot be bound: nobody finds them open."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from portwright._start.records import replace
from portwright.facts import Listener
from portwright.host import Host
from portwright.host.join.conflict import Claim, claim, collide, turn
from portwright.source import Span

_MOST_TRIED = 20_000  # pairs of claims: past that, who gives up is left open
_MOST_PORTS = 64  # of one claim


def without_given_up(host: Host) -> Host:
    """A host whose listeners say which of them are closed because their daemon ends when another socket of it cannot be bound.

    Only what boot decides the same way each time counts: bind() is never permitted, another unit that has the port is ordered before
    this one, or a .socket unit is in its own way. Where it is a race, nothing is said.
    """
    given_up = dict(_given_up(host))
    if not given_up:
        return host
    listeners: list[Listener] = []
    for each in host.listeners:
        reason, contested = given_up.get((each.unit, each.app), ("", None))
        closed = reason and each.starts == "boot" and each.can_bind is not False and each.at != contested
        listeners.append(replace(each, closed_by=reason, closed_at=None) if closed else each)
    return replace(host, listeners=tuple(listeners))


Daemon = tuple[str | None, str]  # unit and name


def _given_up(host: Host) -> Iterator[tuple[Daemon, tuple[str, Span | None]]]:
    """(the daemon, (why it ends, the line whose socket another one has))."""
    several: dict[Daemon, list[Listener]] = {}
    booted = [each for each in host.listeners if each.starts == "boot" and each.confidence != "possible" and each.unit is not None]
    for each in booted:
        several.setdefault((each.unit, each.app), []).append(each)
    gives_up = {key for key, own in several.items() if len(own) > 1 and all(_ends_without(each) for each in own)}
    refused: set[Daemon] = set()
    for key in sorted(gives_up, key=str):
        surely = [each for each in several[key] if each.can_bind is False and each.confidence == "certain" and not each.survives_conflict]
        if surely:
            refused.add(key)
            yield key, (f"{key[1]} ends, as it cannot bind {_socket(surely[0])}: {surely[0].because}", None)
    yield from _late(host, booted, gives_up - refused, refused)


def _late(
    host: Host, booted: list[Listener], gives_up: AbstractSet[Daemon], gone: AbstractSet[Daemon]
) -> Iterator[tuple[Daemon, tuple[str, Span | None]]]:
    """Those that come too late for a port."""
    by_port: dict[tuple[str, int], list[tuple[Listener, Claim]]] = {}
    for each in booted:
        if each.can_bind is False or len(each.ports) > _MOST_PORTS or (claimed := claim(host, each)) is None:
            continue
        for port in each.ports:
            by_port.setdefault((each.protocol, port), []).append((each, claimed))
    tried = 0
    found: dict[Daemon, tuple[str, Span | None]] = {}
    winners: dict[Daemon, Daemon] = {}
    for claims in by_port.values():
        if len(claims) < 2:
            continue
        for mine, wanted in claims:
            key = (mine.unit, mine.app)
            if key not in gives_up or key in found or mine.survives_conflict:
                continue
            for other, held in claims:
                tried += 1
                if tried > _MOST_TRIED:
                    return
                if other is not mine and _is_before(host, other, mine) and collide(held, wanted):
                    # What a .socket unit asks for twice nobody has in the end; who gets a contested port is not said.
                    at = None if other.unit == mine.unit else mine.at
                    found[key] = (f"{mine.app} ends, as {other.unit} has {_socket(mine)}", at)
                    winners[key] = (other.unit, other.app)
                    break
    # Who ends itself keeps nobody from a port for long.
    yield from ((key, why) for key, why in found.items() if key == winners[key] or winners[key] not in {*found, *gone})


def _ends_without(listener: Listener) -> bool:
    return listener.traits.port_taken == "exits" or (listener.origin == "socket-unit" and listener.activates is not None)


def _is_before(host: Host, other: Listener, mine: Listener) -> bool:
    """Whether `other` binds before `mine` at each boot."""
    if other.unit == mine.unit:
        return mine.origin == "socket-unit" and turn(host, other).at < turn(host, mine).at
    return other.unit in host.order.get(mine.unit or "", frozenset())


def _socket(listener: Listener) -> str:
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return f"{listener.protocol} {address}:{listener.ports}"
