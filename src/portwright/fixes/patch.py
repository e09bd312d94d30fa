"""A patch for a repository's own files: places for what findings wish, and the proof that the patched repository is cured by it.

The repository is read again in memory with the patch laid over it. What findings wish for goes to the nearest place first; where the proof
fails there, to the next. What cannot be proven is left, with the line that stands in its way.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from portwright._start.records import dataclass, field
from portwright.changes import (
    Change,
    ContradictionError,
    CorrectSysctlKey,
    CorrectUnit,
    EditConfig,
    EditUnit,
    GrantCapability,
    LeaveUserNamespace,
    LimitCapabilities,
    MoveService,
    RaiseFileLimit,
    ReservePorts,
    SetInUnit,
    SetSysctl,
)
from portwright.finding import Finding, HostResult, Repair, Replaced
from portwright.fixes.patches.diff import hunks
from portwright.fixes.patches.place import Place, Texts, Wish
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, edited
from portwright.fixes.patches.wishes import key_of
from portwright.fixes.plan import Unplanned, assert_room, sorted_out_new
from portwright.fixes.policy import FixPolicy, refusal
from portwright.host import Host
from portwright.source import Span
from portwright.trees import ReadError

_ROUNDS = 3
"""How often what is left is tried anew on top of what is proven: a setting that one place makes can then be extended there."""

MOST_PROOFS = 48
"""Proofs of one repository; of large ones fewer, for each reads all of it."""

_FEWEST_PROOFS = 8
_FILES_OF_A_PROOF = 20_000

_SEVERAL = 2

_Listens = tuple[str, str | None, str, str, int | None, int | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A repository as it was read and checked: the hosts it makes, and what is found there; `shown` says by which of them."""

    hosts: tuple[Host, ...]
    result: HostResult
    shown: Mapping[str, tuple[Host, ...]]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is found, by whichever host."""
        return self.result.findings

    @property
    def paths(self) -> frozenset[str]:
        """Every file that a report may name."""
        return frozenset(self.result.sources)


@dataclass(frozen=True, slots=True)
class Made:
    """One place that a patch changes: what is done there, and for which findings."""

    path: str
    line: int
    words: str
    findings: tuple[Finding, ...]

    @property
    def at(self) -> Span:
        return Span(self.path, self.line, 1, self.line, 1)


@dataclass(frozen=True, slots=True)
class Patch:
    """What is changed in a repository's files, what that was seen to mend there, and what is left.

    `before` and `after` hold the whole text of each file that is changed; None: it was not there.
    """

    name: str
    seen: Seen
    made: tuple[Made, ...]
    before: Mapping[str, str | None]
    after: Mapping[str, str]
    fixed: tuple[Finding, ...]
    unplanned: tuple[Unplanned, ...]
    reason: str = ""

    def repairs(self) -> dict[str, Repair]:
        """What it does for each finding that wishes for something, by fingerprint."""
        found = {left.finding.fingerprint: Repair(reason=left.reason) for left in self.unplanned if left.finding.change is not None}
        written = {path: tuple(self._replaced(path)) for path in self.after}
        own: dict[str, dict[str, None]] = {}
        for made in self.made:
            for finding in made.findings:
                own.setdefault(finding.fingerprint, {})[made.path] = None
        reserving = dict.fromkeys(made.path for made in self.made if any(isinstance(each.change, ReservePorts) for each in made.findings))
        for finding in self.fixed:
            # What another one's place mends has that one.
            paths = own.get(finding.fingerprint) or reserving
            found[finding.fingerprint] = Repair(tuple(each for path in paths for each in written.get(path, ())))
        for finding in self.seen.findings:
            if finding.change is not None:
                found.setdefault(finding.fingerprint, Repair(reason="a part of it remains where its ports are reserved"))
        return found

    def _replaced(self, path: str) -> Iterator[Replaced]:
        before = self.before[path]
        for each in hunks(path, before, self.after[path]):
            yield Replaced(path, each.start, each.end, each.text, before is None)


@dataclass(frozen=True)
class _Proven:
    """Wishes that were seen to be granted by edits at these places, together: the texts after them and the repository so read."""

    chosen: tuple[tuple[Finding, tuple[Place, ...]], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    seen: Seen | None = None
    shared: bool = False


@dataclass
class _Wished:
    """A finding, the ways to mend it that are left, and why the first of them does not."""

    finding: Finding
    ways: list[tuple[Place, ...]]
    reason: str = ""


Recheck = Callable[[Mapping[str, str]], Seen]
"""Read and check the repository again with these texts in the place of its own."""


def patch(name: str, recheck: Recheck, texts: Callable[[Mapping[str, str]], Texts], policy: FixPolicy, most: int = MOST_PROOFS) -> Patch:
    """A proven patch: with it laid over the repository every finding it claims is gone, and no new problem is there.

    `most` is how often the repository is read again for it.
    """
    first = recheck({})
    now, laid, made = first, dict[str, str](), list[Made]()
    chosen: list[tuple[Finding, tuple[Place, ...]]] = []
    refused: dict[str, Unplanned] = {}
    reasons: dict[str, str] = {}
    prover = _Prover(recheck, texts, policy, min(most, max(_FEWEST_PROOFS, _FILES_OF_A_PROOF // max(first.result.files_read, 1))))
    for _ in range(_ROUNDS):
        wished, refused_now = _wished(now, texts(laid), policy)
        refused = {each.finding.fingerprint: each for each in refused_now}
        proven = prover.most_of(wished, now, laid, _Proven(), reasons)
        if proven.seen is None:
            break
        made += _made(proven)
        chosen += proven.chosen
        laid |= proven.texts
        now = proven.seen
    left = Counter(finding.fingerprint for finding in now.findings)
    vanished = [finding for finding in first.findings if not left[finding.fingerprint]]
    had = {finding.fingerprint for finding in first.findings}
    # A service's range of which a part is reserved is found with the rest of it.
    rests = sorted_out_new((each for each in now.findings if each.fingerprint not in had), vanished, laid, _by_unit(_moved_by(chosen)))[1]
    fixed = tuple(finding for finding in vanished if not any(finding is each for each in rests))
    # Places are those of the files as they are, of what is new those of the patched ones.
    remaining = (
        *(each for each in first.findings if left[each.fingerprint]),
        *(each for each in now.findings if each.fingerprint not in had),
    )
    unplanned = tuple(_unplanned(finding, refused, reasons) for finding in remaining)
    origin = texts({})
    before = {path: origin.text(path) if origin.has(path) else None for path in laid}
    changed = {path: text for path, text in laid.items() if before[path] != text}
    reason = "" if changed else "no finding has a fix that could be proven safe" if first.findings else "nothing was found"
    return Patch(name, first, tuple(made), before, changed, fixed, unplanned, reason)


def _unplanned(finding: Finding, refused: Mapping[str, Unplanned], reasons: Mapping[str, str]) -> Unplanned:
    step = finding.manual.step if finding.manual else finding.summary
    said = refused.get(finding.fingerprint)
    reason = said.reason if said is not None else reasons.get(finding.fingerprint, "its proof was not tried: too many were needed")
    return Unplanned(finding, reason, step)


def _wished(seen: Seen, texts: Texts, policy: FixPolicy) -> tuple[list[_Wished], list[Unplanned]]:
    """The findings for which there is a place, with the places, and the others with the reason why there is none."""
    found: list[_Wished] = []
    refused: list[Unplanned] = []
    for finding in seen.findings:
        step = finding.manual.step if finding.manual else finding.summary
        # A patch is read by whoever merges it, so what is not sure may be asked for.
        if reason := refusal(finding, policy, ours=policy.review, patch=True):
            refused.append(Unplanned(finding, reason, step))
            continue
        assert finding.change is not None  # noqa: S101  else it was refused
        ways: list[tuple[Place, ...]] = []
        try:
            for way in _ways(seen, finding, finding.change, texts):
                why = _why_not(way, (finding, finding.change), texts)
                reason = reason or why
                if not why:
                    ways.append(way)
        except NoPlaceError as error:
            reason = reason or str(error)
        if ways:
            found.append(_Wished(finding, ways))
        else:
            refused.append(Unplanned(finding, reason or "nothing in the repository is a place for its fix", step))
    return found, refused


def _why_not(way: Sequence[Place], wish: Wish, texts: Texts) -> str:
    """Why a wish cannot be written at some places, "" where it can: told without reading the repository again."""
    try:
        for place in way:
            place.edits(texts, [wish])
    except (ContradictionError, NoPlaceError) as error:
        return str(error)
    return ""


def _ways(seen: Seen, finding: Finding, change: Change, texts: Texts) -> Iterator[tuple[Place, ...]]:
    hosts = seen.shown.get(finding.fingerprint, seen.hosts)
    if isinstance(change, ReservePorts | SetSysctl):
        from portwright.fixes.patches import settings

        yield from settings.places(hosts, finding, change, texts)
    elif isinstance(change, CorrectUnit | EditConfig | EditUnit):
        from portwright.fixes.patches import configs

        yield from configs.places(change, texts)
    elif isinstance(change, GrantCapability | LeaveUserNamespace | LimitCapabilities | RaiseFileLimit | SetInUnit):
        from portwright.fixes.patches import units

        yield from units.places(hosts, finding, change, texts)
    elif isinstance(change, CorrectSysctlKey):
        from portwright.fixes.patches import spelling

        yield from spelling.places(finding, change, texts)
    elif isinstance(change, MoveService):
        from portwright.fixes.patches import moves

        yield from moves.places(hosts, seen.hosts, finding, texts)


class _Prover:
    def __init__(self, recheck: Recheck, texts: Callable[[Mapping[str, str]], Texts], policy: FixPolicy, most: int) -> None:
        self._recheck = recheck
        self._texts = texts
        self._policy = policy
        self._left = most

    def most_of(self, wished: Sequence[_Wished], base: Seen, laid: Mapping[str, str], proven: _Proven, reasons: dict[str, str]) -> _Proven:
        """As many of these wishes as can be proven on top of what is proven; of the others `reasons` says why not."""
        while wished and self._left > 0:
            chosen = (*proven.chosen, *((each.finding, each.ways[0]) for each in wished))
            try:
                return self._prove(chosen, base, laid)
            except (ContradictionError, NoPlaceError) as refused:
                if len(wished) > 1:
                    break
                (only,) = wished
                only.reason = only.reason or str(refused)
                reasons[only.finding.fingerprint] = only.reason
                only.ways.pop(0)
                if not only.ways:
                    return proven
        if not wished or self._left <= 0:
            return proven
        middle = len(wished) // 2
        proven = self.most_of(wished[:middle], base, laid, proven, reasons)
        return self.most_of(wished[middle:], base, laid, proven, reasons)

    def _prove(self, chosen: tuple[tuple[Finding, tuple[Place, ...]], ...], base: Seen, laid: Mapping[str, str]) -> _Proven:
        """The repository with the edits of all these places; raises ContradictionError where it is not cured by them, or harmed.

        A list of reserved ports replaces that of whoever wrote one before. Where files of two places may come to one machine, each place
        has the ports of all, so that it does not matter which is last: to reserve a port too many does no harm.
        """
        try:
            return self._proven(chosen, base, laid, shared=False)
        except ContradictionError as refused:
            reserving = [place for place, wishes in _by_place(chosen).items() if isinstance(wishes[0][1], ReservePorts)]
            if not isinstance(refused, _ReplacedError) and len(reserving) < _SEVERAL:
                raise
            return self._proven(chosen, base, laid, shared=True)

    def _proven(
        self, chosen: tuple[tuple[Finding, tuple[Place, ...]], ...], base: Seen, laid: Mapping[str, str], *, shared: bool
    ) -> _Proven:
        texts = self._texts(laid)
        edits = [edit for place, wishes in _by_place(chosen, shared).items() for edit in place.edits(texts, wishes)]
        new = edited({edit.path: texts.text(edit.path) for edit in edits}, edits)
        for path, text in new.items():
            _assert_writable(path, text)
        self._left -= 1
        try:
            seen = self._recheck({**laid, **new})
        except ReadError as error:
            raise ContradictionError(f"{error.path} cannot be written: {error.reason}") from None
        _assert_harmless(base, seen, chosen, new)
        left = Counter(finding.fingerprint for finding in seen.findings)
        for finding, ways in chosen:
            if left[finding.fingerprint]:
                places = ", ".join(f"{place.path}:{place.line}" for place in ways)
                raise ContradictionError(f"with a change at {places} the finding is still there")
        return _Proven(chosen, new, seen, shared)


class _ReplacedError(ContradictionError):
    """One list of reserved ports replaces another one."""


def _by_place(chosen: Sequence[tuple[Finding, tuple[Place, ...]]], shared: bool = False) -> dict[Place, list[Wish]]:
    """The wishes of each place; where they are `shared`, a place that reserves ports has those of all."""
    found: dict[Place, list[Wish]] = {}
    for finding, places in chosen:
        for place in places:
            if finding.change is not None:
                found.setdefault(place, []).append((finding, finding.change))
    every = [wish for wishes in found.values() for wish in wishes if isinstance(wish[1], ReservePorts)] if shared else []
    for wishes in found.values():
        if isinstance(wishes[0][1], ReservePorts):
            own = {id(finding) for finding, _ in wishes}
            wishes += [wish for wish in every if id(wish[0]) not in own]
    return found


def _made(proven: _Proven) -> Iterator[Made]:
    own = _by_place(proven.chosen)
    for place, wishes in _by_place(proven.chosen, proven.shared).items():
        yield Made(place.path, place.line, place.in_words(wishes), tuple(finding for finding, _ in own[place]))


def _assert_writable(path: str, text: str) -> None:
    if not path.isprintable():
        raise ContradictionError(f"{path!r} is a name that a patch does not carry")
    if any("\udc80" <= letter <= "\udcff" for letter in text) or "\0" in text:
        raise ContradictionError(f"{path} is not text in UTF-8, and is left to whoever wrote it")


def _assert_harmless(base: Seen, seen: Seen, chosen: Sequence[tuple[Finding, tuple[Place, ...]]], new: Mapping[str, str]) -> None:
    """No new problem, no other setting than those that are wished for, no listener that comes or goes, nothing that cannot be read now."""
    known = Counter(finding.fingerprint for finding in base.findings)
    after = Counter(finding.fingerprint for finding in seen.findings)
    unknown = [finding for finding in seen.findings if after[finding.fingerprint] > known[finding.fingerprint]]
    gone = [finding for finding in base.findings if not after[finding.fingerprint]]
    moved = _moved_by(chosen)
    fresh, _ = sorted_out_new(unknown, gone, new, _by_unit(moved))
    # What a line did before is no new problem where it does it for one more setting.
    habits = {(finding.card.id, finding.at.path, finding.at.line) for finding in base.findings}
    fresh = [
        finding for finding in fresh if finding.subject.sysctl is None or (finding.card.id, finding.at.path, finding.at.line) not in habits
    ]
    if fresh:
        if any(isinstance(finding.change, ReservePorts) for finding in fresh) and any(
            isinstance(each[0].change, ReservePorts) for each in chosen
        ):
            raise _ReplacedError(f"another list of reserved ports replaces this one: {fresh[0].at}: {fresh[0].message}")
        raise ContradictionError(f"the patched repository has a new finding, {fresh[0].card.id} at {fresh[0].at}: {fresh[0].message}")
    keys = {key_of(finding.change) for finding, _ in chosen if isinstance(finding.change, CorrectSysctlKey | ReservePorts | SetSysctl)}
    keys |= {finding.subject.sysctl or "" for finding, _ in chosen if isinstance(finding.change, CorrectSysctlKey)}
    if other := _settings(base.hosts, keys) ^ _settings(seen.hosts, keys):
        raise ContradictionError(f"the change would also decide {' = '.join(min(other))}")
    if other_listeners := _changed(_listeners(base.hosts), _listeners(seen.hosts), moved):
        raise ContradictionError(f"the change would also decide what {min(map(str, other_listeners))} is")
    by_listeners = {_listeners((host,)): host for host in reversed(base.hosts)}
    for host in seen.hosts:
        assert_room(by_listeners.get(_listeners((host,)), base.hosts[0]), host)
    if unread := sorted(
        {(each.at.path, each.reason) for each in seen.result.unreadable} - {(each.at.path, each.reason) for each in base.result.unreadable}
    ):
        raise ContradictionError(f"{unread[0][0]} could not be read after the change: {unread[0][1]}")


_Moved = Mapping[tuple[str, str | None, int], int]


def _by_unit(moved: _Moved) -> Mapping[tuple[str | None, int | None], int]:
    return {(unit, old): port for (_, unit, old), port in moved.items()}


def _moved_by(chosen: Sequence[tuple[Finding, tuple[Place, ...]]]) -> _Moved:
    """Which services are moved, from which port to which."""
    if not any(isinstance(finding.change, MoveService) for finding, _ in chosen):
        return {}
    from portwright.fixes.patches import moves

    return moves.moved(place for _, places in chosen for place in places)


def _changed(before: frozenset[_Listens], after: frozenset[_Listens], moved: _Moved) -> frozenset[_Listens]:
    """The listeners that come or go without being moved."""
    images = {each: (*each[:4], new, new) for each in before if (new := moved.get((each[0], each[1], each[4] or 0))) is not None}
    there = frozenset(image for image in images.values() if image in after)
    return frozenset(each for each in before - after if images.get(each) not in there) | (after - before - there)


def _settings(hosts: Sequence[Host], besides: set[str]) -> frozenset[tuple[str, str]]:
    return frozenset((each.key, each.value or "") for host in hosts for each in host.assignments if each.key not in besides)


def _listeners(hosts: Sequence[Host]) -> frozenset[_Listens]:
    return frozenset((each.app, each.unit, each.protocol, each.address, each.port, each.end_port) for h in hosts for each in h.listeners)


__all__ = ["Made", "Patch", "Seen", "TextEdit", "patch"]
