"""Unite what findings wish for into a few steps, and prove on a copy of the host that they do what they promise."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from portwright._start.records import dataclass, field
from portwright.changes import Change, ContradictionError, Disruption, Safety, Step
from portwright.changes.kind import DISRUPTIONS, Marks
from portwright.facts.sysctl import RANGE, RESERVED
from portwright.finding import SEVERITIES, Finding
from portwright.fixes.policy import FixPolicy, never_planned, refusal
from portwright.host import Host
from portwright.numbers import decimals
from portwright.ports import PortSet
from portwright.trees import ReadError

FEWEST_PORTS = 512
"""A plan that takes ephemeral ports never leaves fewer than this, and never fewer than half of those there were."""

FLEETING = ("/.portwright/", "/dev/", "/proc/", "/run/", "/sys/", "/var/lib/", "/var/run/")
"""Where files lie that change without a person."""

_ROUNDS = 4

_MOST_HALVINGS = 24
"""Proofs of one host by halves: each reads the whole host, and two hundred fixes that exclude each other would need four hundred. After
that a common proof says which wishes its new findings speak of: those are left out, each with the finding that speaks of it."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A finding that no step mends, why, and what a person can do about it."""

    finding: Finding
    reason: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one host, what they were seen to mend on a copy of it, and what they leave.

    `edits` maps each written path to its whole content. `usable` is the number of ephemeral ports that remain, None where no step
    touches them. An empty plan states its reason in `reason`.
    """

    host: Host
    steps: tuple[Step, ...]
    edits: Mapping[str, str]
    fixed: tuple[Finding, ...]
    unplanned: tuple[Unplanned, ...]
    usable: int | None = None
    reason: str = ""

    def rests_on(self) -> frozenset[str]:
        """The files of the host on which the plan rests: the lines that its steps change or add to, and all that was read to find what it
        fixes. Not those that change without a person (/proc, /run)."""
        paths = {path for step in self.steps for path in step.rests_on(self.host)}
        for finding in self.fixed:
            paths |= {finding.at.path, *(note.at.path for note in finding.notes if note.at is not None)}
            unit = self.host.unit(finding.subject.unit)
            if unit is not None:
                paths |= {*unit.files, *self.host.asked.get(unit.name, ())}
                paths |= {setting.value.removeprefix("-") for setting in unit.each("Service", "EnvironmentFile")}
        return frozenset(path for path in paths if path.startswith("/") and path.isprintable() and not path.startswith(FLEETING))

    def disrupts(self) -> Mapping[Disruption, tuple[str, ...]]:
        """What all steps together ask of the host: the units that are reloaded and restarted, each once, at its worst."""
        worst: dict[str, Disruption] = {}
        for step in self.steps:
            for unit in step.units:
                worst[unit] = max(worst.get(unit, "none"), step.disruption, key=DISRUPTIONS.index)
        levels: dict[Disruption, list[str]] = {}
        for unit, level in sorted(worst.items()):
            levels.setdefault(level, []).append(unit)
        return {level: tuple(levels[level]) for level in DISRUPTIONS if level != "none" and level in levels}

    def folders(self) -> frozenset[str]:
        """The folders in which a new file would also decide."""
        return frozenset(folder for step in self.steps for folder in step.folders(self.host))


Recheck = Callable[[Mapping[str, bytes | None]], tuple[Host, tuple[Finding, ...]]]
"""Read and check the same host again with these edits laid over it."""


def plan(host: Host, findings: tuple[Finding, ...], recheck: Recheck, policy: FixPolicy | None = None) -> Plan:
    """A proven plan: laid over the host, every finding it claims is gone and no new one came.

    A mending that brings a new finding (a widened range swallows a service) takes that finding's wish along. What cannot be proven
    together is tried in halves, and what cannot be proven at all is left with its reason.
    """
    if reason := never_planned(host.repository, host.unread_init):
        return Plan(host, (), {}, (), tuple(Unplanned(f, reason, _by_hand(f)) for f in findings), reason=reason)
    prover = _Prover(host, findings, recheck, policy or FixPolicy())
    wished, refused = _sort_out(findings, prover.policy)
    proven = prover.most_of(wished, _Proven(), refused)
    fixed = Counter(finding.fingerprint for finding in proven.fixed)
    left = sorted((u for u in refused if u.finding.fingerprint not in fixed), key=lambda u: (u.finding.at, u.finding.card.id))
    reason = ""
    if not proven.steps:
        reason = "no finding has a fix that could be proven safe" if findings else "nothing was found"
    return Plan(host, proven.steps, proven.edits, proven.fixed, tuple(left), proven.usable, reason)


def _sort_out(findings: Iterable[Finding], policy: FixPolicy, *, ours: bool = False) -> tuple[list[Finding], list[Unplanned]]:
    """The findings whose wishes may be tried, and the others with the reason why not."""
    wished: list[Finding] = []
    refused: list[Unplanned] = []
    for finding in findings:
        if reason := refusal(finding, policy, ours=ours):
            refused.append(Unplanned(finding, reason, _by_hand(finding)))
        else:
            wished.append(finding)
    return wished, refused


def _by_hand(finding: Finding) -> str:
    return finding.manual.step if finding.manual else finding.summary


# ── proving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Proven:
    """Wishes that were seen to do what they promise, together."""

    wishes: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    edits: dict[str, str] = field(default_factory=dict)
    fixed: tuple[Finding, ...] = ()
    usable: int | None = None


class _Refused(ContradictionError):
    """These wishes cannot be proven together; the message is the reason, `because` are the findings that show it."""

    def __init__(self, reason: str, because: Iterable[Finding] = ()) -> None:
        super().__init__(reason)
        self.because = tuple(because)


class _Prover:
    def __init__(self, host: Host, before: tuple[Finding, ...], recheck: Recheck, policy: FixPolicy) -> None:
        self._host = host
        self._before = before
        self._known = Counter(finding.fingerprint for finding in before)
        self._recheck = recheck
        self._proofs = 0
        self.policy = policy

    def most_of(self, wished: Sequence[Finding], proven: _Proven, refused: list[Unplanned]) -> _Proven:
        """As many of these wishes as can be proven on top of what is proven; the others go to `refused` with the reason."""
        if not wished:
            return proven
        if self._proofs >= _MOST_HALVINGS:
            # One of each kind before the others, so that of those that exclude each other one is there.
            first = {(each.card.id, each.subject.port, each.subject.protocol): each for each in reversed(wished)}
            firsts = [each for each in wished if any(each is one for one in first.values())]
            proven = self._innocent(firsts, proven, refused)
            return self._innocent([each for each in wished if not any(each is one for one in firsts)], proven, refused)
        try:
            return self._prove((*proven.wishes, *wished))
        except ContradictionError as refusal:
            if len(wished) == 1:
                refused.append(Unplanned(wished[0], str(refusal), wished[0].summary))
                return proven
        middle = len(wished) // 2
        return self.most_of(wished[middle:], self.most_of(wished[:middle], proven, refused), refused)

    def _innocent(self, wished: Sequence[Finding], proven: _Proven, refused: list[Unplanned]) -> _Proven:
        """Those of these wishes of which no finding speaks that their common proof brings; what stands against none of them stands against
        all."""
        left = list(wished)
        while left:
            try:
                return self._prove((*proven.wishes, *left))
            except ContradictionError as refusal:
                because = refusal.because if isinstance(refusal, _Refused) else ()
                guilty = {id(each): against for each in left if (against := _against(each, because)) is not None}
                for each in left:
                    against = guilty.get(id(each))
                    if against is not None or not guilty:
                        refused.append(Unplanned(each, _reason(refusal, each, against), each.summary))
                left = [each for each in left if guilty and id(each) not in guilty]
        return proven

    def _prove(self, wished: tuple[Finding, ...]) -> _Proven:
        """The steps for all of these wishes; raises ContradictionError where they contradict, do not mend, or break something else."""
        wishes = wished
        self._proofs += 1
        for _ in range(_ROUNDS):
            steps = unite(self._host, wishes)
            edits = _edits(self._host, steps)
            _assert_writable(edits)
            try:
                after_host, after = self._recheck(_laid_over(self._host, steps, edits))
            except ReadError as error:
                raise _Refused(f"{error.path} cannot be written: {error.reason}") from None
            for reason in (step.why_not_in_force(after_host) for step in steps):
                if reason:
                    raise _Refused(reason)
            moves = any(step.moves_ephemeral_ports for step in steps)
            usable = assert_room(self._host, after_host) if moves else None
            remaining = Counter(finding.fingerprint for finding in after)
            unknown = [finding for finding in after if remaining[finding.fingerprint] > self._known[finding.fingerprint]]
            gone = [finding for finding in self._before if not remaining[finding.fingerprint]]
            moved = {place: port for step in steps for place, port in step.moved.items()}
            fresh, changed = sorted_out_new(unknown, gone, edits, moved)
            remaining.update(finding.fingerprint for finding in changed)
            more, hopeless = _sort_out(fresh, self.policy, ours=True)
            if hopeless:
                raise _Refused(_causes(hopeless[0].finding), (each.finding for each in hopeless))
            if not more:
                for finding in wished:
                    if remaining[finding.fingerprint]:
                        raise _Refused(_REMAINS, (each for each in wished if remaining[each.fingerprint]))
                fixed = tuple(f for f in self._before if not remaining[f.fingerprint])
                return _Proven(wished, steps, edits, fixed, usable)
            wishes = (*wishes, *more)
        raise _Refused("on a copy of this host each change requires another one")


_REMAINS = "on a copy of this host the finding remains after the change"


def _causes(new: Finding) -> str:
    return f"on a copy of this host the change causes a new finding, {new.card.id}: {new.message}"


def _against(wish: Finding, because: Iterable[Finding]) -> Finding | None:
    """The finding that speaks of a wish, the one that names its unit before one that only notes it."""
    speaking = [each for each in because if _speaks_of(each, wish)]
    return min(speaking, key=lambda each: f"({wish.subject.unit})" not in each.message, default=None)


def _reason(refusal: ContradictionError, wish: Finding, against: Finding | None) -> str:
    """Why a wish is left out of a common proof: what was new there and speaks of it."""
    return str(refusal) if against is None else _REMAINS if against is wish else _causes(against)


def _speaks_of(finding: Finding, wish: Finding) -> bool:
    """Whether a finding is about what a wish would change: its unit, or a line of the file it is about."""
    places = {finding.at.path, *(note.at.path for note in finding.notes if note.at is not None)}
    return finding is wish or wish.at.path in places or (wish.subject.unit is not None and wish.subject.unit == finding.subject.unit)


def _assert_writable(edits: Mapping[str, str]) -> None:
    """A plan is JSON, which has no place for other bytes than UTF-8, and Ansible fills in variables of the environment in a path."""
    for path, text in edits.items():
        if "$" in path or not path.isprintable():
            raise _Refused(f"{path!r} is not a path that Ansible takes as it is: change the file by hand")
        try:
            text.encode("utf-8", "strict")
        except UnicodeEncodeError:
            raise _Refused(f"{path} holds bytes that are no UTF-8, and a plan cannot keep them: mend the file by hand first") from None


_Moved = Mapping[tuple[str | None, int | None], int]
NOTHING_MOVED: _Moved = {}


def sorted_out_new(
    unknown: Iterable[Finding], gone: Iterable[Finding], edits: Container[str], moved: _Moved = NOTHING_MOVED
) -> tuple[list[Finding], list[Finding]]:
    """(new problems, those of the old findings that are still there with another look).

    An old finding looks new where the plan moves the line it stands on or the service it is about, or takes a part of its ports.
    """
    left = list(gone)
    fresh: list[Finding] = []
    changed: list[Finding] = []
    for finding in unknown:
        old = next((each for each in left if _is_rest_of(finding, each, edits, moved)), None)
        if old is None and not any(_is_rest_of(finding, each, edits, moved) for each in changed):
            fresh.append(finding)
        elif old is not None:
            left.remove(old)
            changed.append(old)
    return fresh, changed


def _is_rest_of(finding: Finding, old: Finding, edits: Container[str], moved: _Moved) -> bool:
    """Whether a finding is what a plan leaves of an old one: no worse, of one rule and subject, at its place or where the plan writes."""
    one, other = finding.subject, old.subject
    if finding.card.id != old.card.id or SEVERITIES.index(finding.severity) < SEVERITIES.index(old.severity):
        return False
    if finding.at.path != old.at.path and finding.at.path not in edits:
        return False
    if (one.unit, one.app, one.protocol, one.address, one.sysctl) != (other.unit, other.app, other.protocol, other.address, other.sysctl):
        return False
    if one.port is None or other.port is None:
        return one.port == other.port
    if one.port == one.end_port and moved.get((other.unit, other.port)) == one.port:
        return True
    return other.port <= one.port and (one.end_port or one.port) <= (other.end_port or other.port)


def assert_room(before: Host, after: Host) -> int | None:
    """How many ephemeral ports remain, None where that is not known. A plan may take half of what there was, and not the last few."""
    usable, there_were = _lendable(after), _lendable(before)
    if usable is None or there_were is None:
        return usable
    least = max(FEWEST_PORTS, (there_were + 1) // 2)
    if usable < there_were and usable < least:
        raise _Refused(f"only {usable:,} of {there_were:,} ephemeral ports would remain, and {least:,} must")
    return usable


def _lendable(host: Host) -> int | None:
    """How many ports the kernel lends once everything has started, None where that is not known."""
    ends, reserved = host.sysctl(RANGE), host.sysctl(RESERVED)
    both = None if ends is None else decimals(ends.after_boot().boot.split(), 65535)
    if reserved is None or both is None or len(both) != 2:
        return None
    return len(PortSet.of((both[0], both[1])).minus(PortSet.parse(reserved.after_boot().boot)))


def _laid_over(host: Host, steps: Iterable[Step], edits: Mapping[str, str]) -> dict[str, bytes | None]:
    """The planned files, and what a capture of the running kernel would say once the plan is applied."""
    laid: dict[str, bytes | None] = {path: text.encode("utf-8", "strict") for path, text in edits.items()}
    for step in steps:
        laid |= step.captured(host, laid)
    return laid


# ── uniting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def unite(host: Host, wished: Iterable[Finding]) -> tuple[Step, ...]:
    """The fewest steps for these wishes, in the order they must be applied; raises ContradictionError where two of them contradict."""
    targets: dict[str, list[tuple[Change, str]]] = {}
    for finding in wished:
        for change in () if finding.change is None else finding.change.parts():
            targets.setdefault(change.target, []).append((change, finding.card.id))
    return tuple(sorted((step_of(host, asked) for _, asked in sorted(targets.items())), key=lambda step: step.order))


def step_of(host: Host, asked: Sequence[tuple[Change, str]]) -> Step:
    """The one step for all changes with the same target, kind by kind; those that merge come last.

    Whatever order they come in, and however often each: a contradiction, too, is the same one, and names all that ask for it.
    """
    asked = sorted(dict.fromkeys(asked), key=lambda each: (each[0].in_words(), repr(each[0]), each[1]))
    try:
        return _united(host, asked)
    except ContradictionError as reason:
        rules = tuple(dict.fromkeys(rule for _, rule in asked))
        raise ContradictionError(f"{reason} (asked for by {' and '.join(rules)})" if len(rules) > 1 else str(reason)) from None


def _united(host: Host, asked: Sequence[tuple[Change, str]]) -> Step:
    marks = _marks(asked)
    kinds: dict[type[Change], list[Change]] = {}
    for change, _ in sorted(asked, key=lambda each: each[0].merges):
        kinds.setdefault(type(change), []).append(change)
    step: Step | None = None
    for kind, changes in kinds.items():
        if step is not None and not kind.merges:
            raise ContradictionError(changes[0].rivalry())
        step = kind.unite(host, changes, step, marks)
    assert step is not None  # noqa: S101  somebody asked for it
    return step


def _marks(asked: Sequence[tuple[Change, str]]) -> Marks:
    """(the rules that ask, the least safe, the most disruptive) of the wishes that make one step."""
    changes = [change for change, _ in asked]
    safety: Safety = "review" if any(change.safety == "review" for change in changes) else "safe"
    because = tuple(sorted({rule for _, rule in asked}))
    return because, safety, max((change.disruption for change in changes), key=DISRUPTIONS.index)


def _edits(host: Host, steps: Iterable[Step]) -> dict[str, str]:
    """The whole content of every owned file after these steps."""
    kinds: dict[type[Step], list[Step]] = {}
    for step in steps:
        kinds.setdefault(type(step), []).append(step)
    edits: dict[str, str] = {}
    for kind, own in kinds.items():
        edits |= kind.edits(host, own)
    return edits
