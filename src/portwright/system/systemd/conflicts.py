"""Conflicts= between units that one boot would start: whose start job systemd drops (transaction.c, delete_one_unmergeable_job())."""

from collections.abc import Callable, Collection, Iterable, Mapping

from portwright._start.records import dataclass
from portwright.facts import Unit, Value
from portwright.source import Span

_MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why a unit that others pull in is not started: the unit that conflicts with it, or the dropped one that it requires."""

    by: Value
    because: str


def dropped(
    root: str,
    started: Collection[str],
    find: Callable[[str], Unit | None],
    pulls: Callable[[Unit], Iterable[tuple[str, bool]]],
    conflicts: Callable[[Unit], Iterable[tuple[str, Span]]],
) -> Mapping[str, Dropped]:
    """The units among `started` whose start job is dropped, by name.

    A start is dropped where another unit of the same transaction has the stop as its conflict; with it goes what requires the unit.
    What `root` requires without a gap is kept, and the unit that conflicts with that is dropped. Where two exclude each other, the one
    that stays is picked by chance, and both are left. What the dropped ones want stays, as a boot collects no garbage. The plain
    case was measured with systemd 252; the others are those of transaction.c.
    """
    pairs: dict[tuple[str, str], Span] = {}
    for name in started:
        unit = find(name)
        for other, at in () if unit is None else conflicts(unit):
            rival = find(other)
            if rival is not None and rival.name in started and rival.name != name:
                pairs.setdefault((name, rival.name), at)
    if not pairs:
        return {}
    together, needed = _transaction(root, started, find, pulls)
    pairs = {pair: at for pair, at in pairs.items() if pair[0] in together and pair[1] in together}
    found: dict[str, Dropped] = {}
    for _ in range(_MOST_ROUNDS):
        alive = {pair: at for pair, at in sorted(pairs.items()) if not found.keys() & set(pair)}
        threatened = {loser for _, loser in alive}
        choice = next((pair for pair in alive if pair[0] not in threatened or (pair[1] in needed) != (pair[0] in needed)), None)
        if choice is None:
            break
        winner, loser = choice
        if loser in needed and winner not in needed:
            winner, loser = loser, winner
        at = alive[choice]
        found[loser] = Dropped(Value(winner, at), f"{winner} is started and the two exclude each other ({at})")
        for name in _requiring(loser, together, find, pulls):
            found.setdefault(name, Dropped(Value(winner, at), f"it requires {loser}, which is not started: {found[loser].because}"))
    return found


def _transaction(
    root: str,
    started: Collection[str],
    find: Callable[[str], Unit | None],
    pulls: Callable[[Unit], Iterable[tuple[str, bool]]],
) -> tuple[set[str], set[str]]:
    """What one start of `root` puts into the queue, and what of that it cannot do without. What timers start later is in neither."""
    together: set[str] = set()
    needed: set[str] = set()
    todo = [(root, True)]
    while todo:
        name, needs = todo.pop()
        unit = find(name)
        if unit is None or unit.name not in started or unit.name in (needed if needs else together):
            continue
        together.add(unit.name)
        if needs:
            needed.add(unit.name)
        todo.extend((other, needs and needs_it) for other, needs_it in pulls(unit))
    return together, needed


def _requiring(
    loser: str, together: Iterable[str], find: Callable[[str], Unit | None], pulls: Callable[[Unit], Iterable[tuple[str, bool]]]
) -> Iterable[str]:
    """The units that require a unit, over any number of steps."""
    by: dict[str, list[str]] = {}
    for name in together:
        unit = find(name)
        for other, needs in () if unit is None else pulls(unit):
            needed = find(other) if needs else None
            if needed is not None:
                by.setdefault(needed.name, []).append(name)
    found: dict[str, None] = {}
    todo = [loser]
    while todo:
        for name in sorted(by.get(todo.pop(), ())):
            if name not in found and name != loser:
                found[name] = None
                todo.append(name)
    return found
