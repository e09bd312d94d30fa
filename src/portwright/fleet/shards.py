"""A fleet in parts: which hosts are of one, and the runs of several parts as the one run they are."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from portwright._start.records import dataclass
from portwright.audit.inputs import Input
from portwright.finding import HostResult, RuleMeta
from portwright.fleet.store import Run, Store
from portwright.reports.port_map import PortMap
from portwright.reports.trend import Earlier


class MergeError(Exception):
    """These runs are not parts of one; the message says why."""


@dataclass(frozen=True)
class Whole:
    """What the runs of all parts came to together."""

    results: tuple[HostResult, ...]
    maps: tuple[tuple[PortMap, ...], ...]
    cards: tuple[RuleMeta, ...]
    version: str
    started: str
    earlier: Earlier | None
    groups: Mapping[str, tuple[str, ...]]


def in_shard(inputs: Sequence[Input], shard: tuple[int, int]) -> tuple[int, ...]:
    """The positions of the inputs that are in the k-th of n parts: by its name alone, so that a host stays where it is when others come."""
    part, parts = shard
    return tuple(number for number, given in enumerate(inputs) if _number(given.name) % parts == part - 1)


def _number(name: str) -> int:
    return int.from_bytes(sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big")


def merged(stores: Sequence[Store]) -> Whole:
    """The last runs of some stores as one. Raises MergeError."""
    runs = [_last(store) for store in stores]
    for store, run in zip(stores, runs, strict=True):
        if run.asked != runs[0].asked:
            other = "another portwright" if run.version != runs[0].version else "other rules or options"
            raise MergeError(f"{store.path} and {stores[0].path} are no parts of one run: {other}")
    found: list[tuple[int, str, HostResult, tuple[PortMap, ...]]] = []
    whose: dict[str, str] = {}
    for store, run in zip(stores, runs, strict=True):
        cards = {card.id: card for card in run.cards}
        for position, number in store.placed(run.number):
            result, maps = store.result(number, cards)
            first = whose.setdefault(result.host, store.path)
            if first != store.path:
                raise MergeError(f"{first} and {store.path} are no parts of one run: both have the host {result.host}")
            found.append((position, result.host, result, maps))
    found.sort(key=lambda each: each[:2])
    before = [(store, store.earlier(run)) for store, run in zip(stores, runs, strict=True)]
    groups: dict[str, tuple[str, ...]] = {}
    for store, run in zip(stores, runs, strict=True):
        for name, hosts in store.groups(run.number).items():
            groups[name] = (*groups.get(name, ()), *hosts)
    return Whole(
        tuple(result for _, _, result, _ in found),
        tuple(maps for *_, maps in found),
        runs[0].cards,
        runs[0].version,
        min(run.started for run in runs),
        _together([earlier for _, earlier in before if earlier is not None]),
        groups,
    )


def _last(store: Store) -> Run:
    run = store.last()
    if run is None:
        raise MergeError(f"{store.path}: no run in it came to its end")
    return run


def _together(parts: Sequence[Earlier]) -> Earlier | None:
    if not parts:
        return None
    hosts = frozenset(host for each in parts for host in each.hosts)
    return Earlier(min(each.started for each in parts), hosts, tuple(finding for each in parts for finding in each.findings))
