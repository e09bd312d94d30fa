"""The port space of a host as a value that a picture is drawn from, small enough to travel with a verdict."""

from collections.abc import Iterable, Iterator
from typing import Literal

from portwright._start.records import dataclass
from portwright.facts import Listener
from portwright.host import Host
from portwright.reports.escape import safe
from portwright.reports.space import Collisions, Space, Standing, Zone, rows
from portwright.reports.words import counted, service

Sign = Literal["fails", "lent", "later", "listens", "apart"]
SIGNS: dict[Sign, str] = {
    "fails": "cannot bind, or collides",
    "lent": "the kernel may assign it first",
    "listens": "listens",
    "later": "not bound at boot",
    "apart": "in a network of its own",
}
"""What each sign of a picture means, the worst first."""

_MOST_STANDS = 2_000


@dataclass(frozen=True, slots=True)
class Stand:
    """A listener on the map; `low` and `high` are None where the kernel picks its port. All text is safe to show."""

    sign: Sign
    protocol: str
    ports: str
    low: int | None
    high: int | None
    address: str
    service: str
    user: str
    starts: str
    remark: str


@dataclass(frozen=True, slots=True)
class PortMap:
    """One host's ports: stretches of one meaning, holes of the range, who stands where, and how far the ports go, in words.

    `machine` tells the hosts apart that one repository describes. `never` counts listeners that nothing starts, `more` those left out.
    """

    machine: str
    zones: tuple[Zone, ...]
    reserved: tuple[tuple[int, int], ...]
    stands: tuple[Stand, ...]
    capacity: str
    never: int = 0
    more: int = 0


def port_map(host: Host, collisions: Collisions) -> PortMap:
    """The map of a host; `collisions` are its pairs of listeners that want the same port."""
    space = Space(host, collisions)
    every = rows(host.listeners)
    shown = [listener for listener in every if listener.starts != "never"]
    return PortMap(
        safe(host.machine or ""),
        space.zones,
        space.reserved.intersection(space.ephemeral).ranges,
        tuple(_stand(space, listener) for listener in shown[:_MOST_STANDS]),
        "; ".join(_capacity(space)),
        len(every) - len(shown),
        max(len(shown) - _MOST_STANDS, 0),
    )


def port_maps(each: Iterable[tuple[Host, Collisions]]) -> tuple[PortMap, ...]:
    """The maps of the hosts that one input describes; of those with no listener none, of equal ones the first."""
    made = (port_map(host, pairs) for host, pairs in each)
    return tuple(dict.fromkeys(one for one in made if one.stands))


def standing_in_words(space: Space, listener: Listener, mark: Standing) -> str:
    """What is said of where a listener stands."""
    match mark:
        case "cannot-bind":
            because = f" ({safe(listener.because)})" if listener.because else ""
            return f"cannot bind: {safe(listener.error or 'not permitted')}{because}"
        case "collides":
            rivals = dict.fromkeys(service(rival) for rival in space.rivals(listener))
            return f"uses the same port as {', '.join(rivals)}"
        case "ephemeral":
            return "in the ephemeral range, not reserved"
        case "reserved":
            return "reserved"
        case "own-network":
            return "in a network namespace of its own"


def _stand(space: Space, listener: Listener) -> Stand:
    marks = space.marks(listener)
    picked = listener.random or not listener.ports
    return Stand(
        _sign(listener, marks),
        listener.protocol,
        "random" if picked else str(listener.ports),
        None if picked else listener.ports.low,
        None if picked else listener.ports.high,
        safe(listener.address) + (f"%{safe(listener.interface)}" if listener.interface else ""),
        service(listener),
        safe(listener.bind_user or "?"),
        listener.starts or "?",
        "; ".join(standing_in_words(space, listener, mark) for mark in marks),
    )


def _sign(listener: Listener, marks: tuple[Standing, ...]) -> Sign:
    if "cannot-bind" in marks or "collides" in marks:
        return "fails"
    if "own-network" in marks:
        return "apart"
    if "ephemeral" in marks:
        return "lent"
    return "later" if listener.starts in ("manual", "demand") else "listens"


def _capacity(space: Space) -> Iterator[str]:
    if space.low is None or space.high is None:
        yield "the ephemeral range is not known"
        return
    yield f"ephemeral range {space.low}-{space.high}"
    if space.reserved:
        yield f"reserved {space.reserved}" if len(space.reserved.ranges) < 9 else f"reserved: {len(space.reserved.ranges)} ranges"
    if space.capacity is not None:
        usable = counted(space.capacity.usable, "usable port")
        yield f"{usable} to each destination, enough for {space.capacity.per_second} new connections a second"
