"""A host and rules become findings: pure, and in the same order whatever order the facts came in."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from portwright._start import debug_log
from portwright._start.records import dataclass, field, replace
from portwright.changes import Change, Manual
from portwright.facts import BIND_ERRORS, BindError, Confidence, Fact, Likelihood, kinds, weakest
from portwright.finding import Finding, Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, Kind, Term
from portwright.numbers import signed
from portwright.ports import PortSet
from portwright.rules.rule import (
    ChangeTemplate,
    Condition,
    Given,
    Join,
    ManualStep,
    OfFact,
    OfHost,
    OfSysctl,
    Operand,
    Rule,
    Slot,
    Template,
    Together,
)
from portwright.source import Span, Unreadable

_MOST_MATCHES = 4  # other facts a finding names; the rest would say the same again
_FROM_THE_SUREST: tuple[Confidence, ...] = ("certain", "likely", "possible")
_MOST_LISTED = 8  # addresses of one quarrel, say
_MOST_RUNS = 16  # findings made of one listener whose ports overlap a range in pieces
_LONGEST_VALUE = 4096  # characters of one value in a message: no list of ports that the kernel takes in one write is longer

# Rules are anybody's, and so are hosts: what they may cost together is a matter of seconds and megabytes.
_MOST_OF_A_RULE = 1_000_000  # comparisons on one host
_MOST_COMPARISONS = 8_000_000  # of all rules on one host
_MOST_SAID = 9 << 20  # characters of all findings of one host
_COST_OF_A_FINDING = 500  # characters, beside what it says


def check(host: Host, rules: Iterable[Rule]) -> tuple[Finding, ...]:
    """What is wrong on a host, by place and rule."""
    return evaluate(host, rules)[0]


def evaluate(host: Host, rules: Iterable[Rule]) -> tuple[tuple[Finding, ...], tuple[Unreadable, ...]]:
    """(what is wrong on a host, by place and rule; the rules that were stopped because they would never have come to an end)."""
    found: dict[Finding, None] = {}
    stopped: list[Unreadable] = []
    asked = _Asked(host, left=_MOST_COMPARISONS)
    rules = tuple(rules)
    for number, rule in enumerate(rules):
        try:
            before = len(found)
            for finding in _Check(asked, rule).findings():
                found[finding] = None
            if debug_log.ENABLED and len(found) == before:
                debug_log.say("rules", "%s did not fire: %s", rule.id, _Check(_Asked(host, left=_MOST_COMPARISONS), rule).why_not())
        except _RuleTooDear as reason:
            stopped.append(Unreadable(rule.at, f"the rule {rule.id} was stopped after {reason}, so its other findings are missing"))
        except _HostTooDear as reason:
            rest = len(rules) - number
            others = f" and {rest - 1} more were not begun" if rest > 1 else ""
            said = f"the rule {rule.id} was stopped{others} after {reason} on one host, so other findings are missing"
            stopped.append(Unreadable(rule.at, said))
            break
    return tuple(sorted(found, key=_order)), tuple(stopped)


class _RuleTooDear(Exception):
    """One rule has made more comparisons than any sensible one; the message says how many."""


class _HostTooDear(Exception):
    """All rules together have; the message says how many."""


def _order(finding: Finding) -> tuple[str, int, int, str, str, int, str]:
    at, subject = finding.at, finding.subject
    return at.path, at.line, at.column, finding.card.id, subject.address or "", subject.port or 0, finding.message


Read = Callable[[Any], Any]
Test = Callable[[Fact, Fact], bool]


class _Asked:
    """A host being checked, and the answers it has given once. A fact is kept with its answer, so that its id stays its own.

    `left` counts the comparisons that may still be made, `said` the characters of findings.
    """

    def __init__(self, host: Host, left: int) -> None:
        self.host = host
        self.left = left
        self.said = 0
        self._of_fact: dict[str, dict[int, tuple[Fact, Derived[Any]]]] = {}
        self._by_field: dict[tuple[Kind, str], dict[Any, list[Fact]]] = {}

    def say(self, finding: Finding) -> None:
        """Count the message of a finding."""
        self.said += _COST_OF_A_FINDING + len(finding.message) + sum(len(note.text) for note in finding.notes)
        if self.said > _MOST_SAID:
            raise _HostTooDear(f"findings of {_MOST_SAID >> 20} MiB")

    def value(self, fact: Fact, name: Term) -> Derived[Any]:
        if name.field is not None:
            return Derived(getattr(fact, name.field))
        assert name.compute is not None  # noqa: S101  a word is read from a field or worked out
        if name.of_host:
            return name.compute(self.host)  # which it remembers itself
        known = self._of_fact.setdefault(name.name, {})
        answer = known.get(id(fact))
        if answer is None:
            answer = known[id(fact)] = (fact, name.compute(self.host, fact))
        return answer[1]

    def values(self, facts: Sequence[Fact], name: Term) -> list[Any]:
        """The bare values of a word of each fact, which is not a word of the host."""
        if name.field is not None:
            return [*map(attrgetter(name.field), facts)]
        host, compute, known = self.host, name.compute, self._of_fact.setdefault(name.name, {})
        assert compute is not None  # noqa: S101  a word is read from a field or worked out
        if not known:
            answers = [compute(host, fact) for fact in facts]
            known.update(zip(map(id, facts), zip(facts, answers, strict=True), strict=True))
            return [answer.value for answer in answers]
        for fact in facts:
            if id(fact) not in known:
                known[id(fact)] = (fact, compute(host, fact))
        return [known[id(fact)][1].value for fact in facts]

    def facts(self, kind: Kind) -> Sequence[Fact]:
        return self.host.facts(kind)

    def having(self, kind: Kind, field: str, value: object) -> Sequence[Fact]:
        """The facts of a kind with this value of a field: rules ask for few of a host's many, and the same few again."""
        filed = self._by_field.get((kind, field))
        if filed is None:
            filed = self._by_field[kind, field] = {}
            for fact in self.facts(kind):
                filed.setdefault(getattr(fact, field), []).append(fact)
        return filed.get(value, ())

    def reader(self, name: Term) -> Read:
        """What gives the bare value of a word for a fact: most conditions fail, and then nobody asks what the value leaned on."""
        if name.field is not None:
            return attrgetter(name.field)
        if name.of_host:
            return lambda fact: self.value(fact, name).value
        host, compute, known = self.host, name.compute, self._of_fact.setdefault(name.name, {})
        assert compute is not None  # noqa: S101  a word is read from a field or worked out

        def read(fact: Fact) -> Any:
            answer = known.get(id(fact))
            if answer is None:
                answer = known[id(fact)] = (fact, compute(host, fact))
            return answer[1].value

        return read


@dataclass
class _Evidence:
    """What a finding rests on: the lines its conditions leaned on, and the least sure of them."""

    notes: list[Note] = field(default_factory=list)
    confidence: Confidence = "certain"

    def add(self, named: Derived[Any]) -> None:
        self.notes.extend(named.evidence)
        self.confidence = weakest(self.confidence, named.confidence)


@dataclass(frozen=True, slots=True)
class _Match:
    """A fact that a rule finds something wrong with, the facts it is wrong beside, and what that rests on."""

    fact: Fact
    others: Sequence[Fact]
    evidence: _Evidence


class _Check:
    def __init__(self, asked: _Asked, rule: Rule) -> None:
        self._asked = asked
        self._host = asked.host
        self._rule = rule
        self._kind = kinds()[rule.each]
        self._kept: dict[Hashable, dict[Hashable, list[Fact]]] | None = None
        self._left = _MOST_OF_A_RULE

    def _spend(self, comparisons: int) -> None:
        """Count comparisons; one with a list of ports is as many as `_length` of it."""
        self._left -= comparisons
        self._asked.left -= comparisons
        if self._left < 0:
            raise _RuleTooDear(f"{_MOST_OF_A_RULE:,} comparisons on one host")
        if self._asked.left < 0:
            raise _HostTooDear(f"{_MOST_COMPARISONS:,} comparisons")

    def findings(self) -> Iterator[Finding]:
        if self._rule.together is None:
            matches: Iterable[list[_Match]] = ([match] for match in self._found())
        else:
            matches = self._grouped(self._rule.together)
        for group in matches:
            finding = self._finding(group)
            self._asked.say(finding)
            yield finding

    def _grouped(self, together: Together) -> Iterable[list["_Match"]]:
        """What is one finding, the first by its place first."""
        groups: dict[tuple[object, ...], list[_Match]] = {}
        for match in self._found():
            key = (*(self._said(slot, match) for slot in together.same), getattr(match.fact, "machine", ""))
            groups.setdefault(key, []).append(match)
        return [sorted(group, key=lambda match: _by_place(match.fact)) for group in groups.values()]

    def _found(self) -> Iterator["_Match"]:
        rule, join = self._rule, self._rule.join
        candidates = self._candidates()
        if not candidates:
            return
        for condition in self._ordered(rule.where):
            self._spend(len(candidates))
            candidates = self._holding(condition, candidates)
            if not candidates:
                return
        for test in self._tests(rule.unless):
            self._spend(len(candidates))
            candidates = [fact for fact in candidates if not test(fact, fact)]
        pairs = [] if join is None else self._tests(join.pairs)
        for fact in candidates:
            evidence = self._evidence(rule.where, fact, fact)
            others: list[Fact] = []
            if join is not None:
                others = self._matches(join, pairs, fact, evidence)
                if not others:
                    continue
            for part in self._parts(fact):
                yield _Match(part, others, evidence)

    def why_not(self) -> str:
        """Why nothing was found, for the log: how many facts each condition left, those of `where` in the order they were tried."""
        rule = self._rule
        left = self._asked.facts(rule.each)
        steps = [f"{len(left)} of {rule.each}"]
        for condition in self._ordered(rule.where):
            test = self._test(condition)
            left = [fact for fact in left if test(fact, fact)]
            steps.append(f"{len(left)} left by {condition.name.name} {condition.predicate.name}")
        for condition in rule.unless if left else ():
            test = self._test(condition)
            left = [fact for fact in left if not test(fact, fact)]
            steps.append(f"{len(left)} left by unless {condition.name.name} {condition.predicate.name}")
        if left and rule.join is not None:
            steps.append(f"none with a {rule.join.kind} beside it")
        return ", ".join(steps)

    def _candidates(self) -> Sequence[Fact]:
        """The facts that a condition on one field leaves, of several the one that leaves the fewest."""
        found = self._asked.facts(self._rule.each)
        for condition in self._rule.where:
            if condition.name.field is not None and condition.predicate.name == "is" and isinstance(condition.operand, Given):
                left = self._asked.having(self._rule.each, condition.name.field, condition.operand.value)
                found = left if len(left) < len(found) else found
        return found

    def _parts(self, fact: Fact) -> Iterable[Fact]:
        """The fact itself, or what is left of its ports where a condition says which of them are meant."""
        narrow = self._rule.narrow
        if narrow is None:
            return (fact,)
        whole: Any = fact
        meant = self._operand(narrow.operand, fact).value
        if not isinstance(meant, PortSet):
            return (fact,)
        ranges = whole.ports.intersection(meant).ranges
        if len(ranges) > _MOST_RUNS:
            ranges = (*ranges[: _MOST_RUNS - 1], (ranges[_MOST_RUNS - 1][0], ranges[-1][1]))
        return [replace(whole, ports=PortSet((run,))) for run in ranges]

    # ── conditions ──

    def _tests(self, conditions: Iterable[Condition]) -> list[Test]:
        """Conditions as functions of a fact and the one that `{fact: ...}` means, what is read from a field before what is worked out."""
        return [self._test(condition) for condition in self._ordered(conditions)]

    def _ordered(self, conditions: Iterable[Condition]) -> list[Condition]:
        return sorted(conditions, key=lambda condition: condition.name.field is None or not isinstance(condition.operand, Given))

    def _test(self, condition: Condition) -> Test:
        predicate, operand = condition.predicate, condition.operand
        read, holds, of_unknown = self._asked.reader(condition.name), predicate.holds, predicate.of_unknown
        if isinstance(operand, Given) and not of_unknown and predicate.right != "ports":
            given = operand.value
            if predicate.name == "is":
                return lambda fact, first: read(fact) == given

            def compared(fact: Fact, first: Fact) -> bool:
                left = read(fact)
                return left is not None and holds(left, given)

            return compared
        if isinstance(operand, OfHost | OfFact):
            other = self._asked.reader(operand.name)
        else:
            constant = self._constant(operand).value

            def other(first: Fact) -> Any:
                return constant

        def test(fact: Fact, first: Fact) -> bool:
            left = read(fact)
            if left is None and not of_unknown:
                return False
            right = other(first)
            if isinstance(right, PortSet):
                self._spend(_length(right))
            if left is not None and right is not None:
                return holds(left, right)
            # An unknown value differs from a known one, two of them do not.
            return of_unknown and not (left is None and right is None)

        return test

    def _holding(self, condition: Condition, facts: Sequence[Fact]) -> list[Fact]:
        """The facts that a condition holds for. Most compare a word of all units or listeners with one value, and few hold."""
        name, operand, predicate = condition.name, condition.operand, condition.predicate
        if not isinstance(operand, Given) or predicate.of_unknown or predicate.right == "ports" or name.of_host:
            test = self._test(condition)
            return [fact for fact in facts if test(fact, fact)]
        values, given, holds = self._asked.values(facts, name), operand.value, predicate.holds
        if predicate.name == "is":
            return [fact for fact, left in zip(facts, values, strict=True) if left == given]
        return [fact for fact, left in zip(facts, values, strict=True) if left is not None and holds(left, given)]

    def _evidence(self, conditions: Iterable[Condition], fact: Fact, first: Fact) -> _Evidence:
        """What conditions that hold lean on."""
        evidence = _Evidence()
        for condition in conditions:
            evidence.add(self._asked.value(fact, condition.name))
            evidence.add(self._operand(condition.operand, first))
        return evidence

    def _operand(self, operand: Operand, first: Fact) -> Derived[Any]:
        return self._asked.value(first, operand.name) if isinstance(operand, OfHost | OfFact) else self._constant(operand)

    def _constant(self, operand: Given | OfSysctl) -> Derived[Any]:
        """An operand that is the same for every fact."""
        return Derived(operand.value) if isinstance(operand, Given) else self._of_sysctl(operand.key, operand.type)

    def _of_sysctl(self, key: str, wanted: str) -> Derived[Any]:
        sysctl = self._host.sysctl(key)
        if sysctl is None:
            return Derived(None)
        said = "not set in any file: the kernel's default" if sysctl.is_default else "set here to"
        evidence = (Note(f"{key}: {said} {sysctl.boot or 'empty'}", sysctl.at),)
        value: Any = sysctl.boot
        try:
            if wanted == "number":
                value = signed(sysctl.boot)
            elif wanted == "ports":
                value = PortSet.parse(sysctl.boot)
        except ValueError:
            value = None
        return Derived(value, evidence, sysctl.confidence)

    # ── the second fact ──

    def _matches(self, join: Join, pairs: Iterable[Test], fact: Fact, evidence: _Evidence) -> list[Fact]:
        found: list[Fact] = []
        for other in self._others(join, fact):
            self._spend(len(join.pairs))
            if other is fact or not all(test(other, fact) for test in pairs):
                continue
            if not found:
                # The finding stands on one match; the others only say the same again.
                rests_on = self._evidence((*join.alone, *join.pairs), other, fact)
                evidence.notes.extend(rests_on.notes)
                evidence.confidence = weakest(evidence.confidence, rests_on.confidence, _confidence(other))
            found.append(other)
            if len(found) == _MOST_MATCHES:
                break
        return sorted(found, key=_by_place)

    def _others(self, join: Join, fact: Fact) -> Iterator[Fact]:
        """The facts that may match, without trying them all: of those filed under a key that the first fact's value has, too, the ones
        whose value passes, each value tried once."""
        if self._kept is None:
            self._kept = self._file(join)
        by = join.pairing
        if by is None or by.predicate.sought is None:
            yield from (other for others in self._kept.get(None, {}).values() for other in others)
            return
        wanted = self._operand(by.operand, fact).value
        if wanted is None:
            return
        cost = 1 + (_length(wanted) if isinstance(wanted, PortSet) else 0)
        tried: set[Hashable] = set()
        for key in by.predicate.sought(wanted):
            for value, others in self._kept.get(key, {}).items():
                if value not in tried:
                    tried.add(value)
                    self._spend(cost)
                    if by.predicate.holds(value, wanted):
                        yield from others

    def _file(self, join: Join) -> dict[Hashable, dict[Hashable, list[Fact]]]:
        by = join.pairing
        kept: dict[Hashable, dict[Hashable, list[Fact]]] = {}
        alone = self._tests(join.alone)
        self._spend(len(alone) * len(self._asked.facts(join.kind)))
        matching = [other for other in self._asked.facts(join.kind) if all(test(other, other) for test in alone)]
        for other in sorted(matching, key=_by_place):
            if by is None or by.predicate.filed is None:
                kept.setdefault(None, {}).setdefault(None, []).append(other)
                continue
            value = self._asked.value(other, by.name).value
            for key in () if value is None else by.predicate.filed(value):
                kept.setdefault(key, {}).setdefault(value, []).append(other)
        return kept

    # ── the finding ──

    def _finding(self, group: Sequence[_Match]) -> Finding:
        """One finding of a fact, or of several that are one: about the first, as sure as the surest, with the lines of all."""
        rule, first = self._rule, group[0]
        fact, others = first.fact, first.others
        sure = {weakest(rule.confidence, each.evidence.confidence, _confidence(each.fact)) for each in group}
        confidence: Confidence = next(each for each in _FROM_THE_SUREST if each in sure)
        if self._host.repository:
            confidence = weakest(confidence, "likely")
        change = None if rule.wish is None else self._change(rule.wish, fact)
        notes = [*self._remarks(fact, others), *first.evidence.notes]
        for match in group[1:]:
            if rule.together is not None:
                notes.append(Note(self._fill(rule.together.also, [match]), match.fact.at))
            notes += (*self._remarks(match.fact, match.others), *match.evidence.notes)
        likelihood = self._likelihood(fact)
        return Finding(
            card=rule.card,
            message=self._fill(rule.message, group),
            at=self._kind.place(fact, [note.at for note in first.evidence.notes if note.at is not None], self._host.sources),
            subject=self._kind.subject(fact),
            confidence=confidence,
            likelihood=likelihood.value,
            likelihood_because=likelihood.because,
            notes=tuple(dict.fromkeys(notes)),
            predicts=next((error for each in group if (error := self._predicts(each.fact, confidence)) is not None), None),
            change=change,
            manual=self._manual(rule.advice, group) if change is None and rule.advice is not None else None,
            summary="" if change is None else change.in_words(),
        )

    def _remarks(self, fact: Fact, others: Sequence[Fact]) -> Iterator[Note]:
        for remark in self._rule.remarks:
            about_other = any(not isinstance(part, str) and part.joined for part in (*remark.text, *([remark.at] if remark.at else [])))
            for other in others if about_other else (fact,):
                matched = [other] if about_other else others
                at: Span | None = None
                if remark.at is not None:
                    at = self._asked.value(other if remark.at.joined else fact, remark.at.name).value
                text = self._fill(remark.text, [_Match(fact, matched, _Evidence())])
                if text:
                    yield Note(text, at)

    def _likelihood(self, fact: Fact) -> Derived[Likelihood | None]:
        name = self._rule.likelihood
        return Derived(None) if name is None else self._asked.value(fact, name)

    def _predicts(self, fact: Fact, confidence: Confidence) -> BindError | None:
        wanted = self._rule.predicts
        if isinstance(wanted, Term):
            wanted = self._asked.value(fact, wanted).value
        if wanted not in BIND_ERRORS:
            return None
        # A prediction is held against booted hosts (CONTRACT.md): what is only possible predicts nothing.
        return wanted if confidence != "possible" and self._kind.predictable(fact, self._host.repository) else None

    def _change(self, wish: ChangeTemplate, fact: Fact) -> Change | None:
        for each in wish.each():
            values = {name: self._operand(operand, fact).value for name, operand in each.operands}
            if all(value is not None for value in values.values()):
                change: Any = each.change
                made: Change = change(**values)
                return made
        return None

    def _manual(self, advice: ManualStep, group: Sequence[_Match]) -> Manual:
        return Manual(self._fill(advice.reason, group), self._fill(advice.step, group))

    def _fill(self, template: Template, group: Sequence[_Match]) -> str:
        """A template with its placeholders replaced, once: what a value holds is never read as a placeholder.

        What differs between facts that are one finding is listed.
        """
        parts: list[str] = []
        for part in template:
            if isinstance(part, str):
                parts.append(part)
            else:
                parts.append(_listed(list(dict.fromkeys(_words(self._said(part, match)) for match in group))))
        return "".join(parts)

    def _said(self, slot: Slot, match: _Match) -> Any:
        """The value of a placeholder for one fact."""
        return self._asked.value(match.others[0] if slot.joined and match.others else match.fact, slot.name).value


def _listed(texts: Sequence[str]) -> str:
    """Texts as a sentence lists them, of very many the first."""
    if len(texts) == 1:
        return texts[0]
    if len(texts) > _MOST_LISTED:
        return f"{', '.join(texts[:_MOST_LISTED])} and {len(texts) - _MOST_LISTED} more"
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def _length(ports: PortSet) -> int:
    return len(ports.ranges) // 16


def _by_place(fact: Fact) -> tuple[Span, str]:
    return fact.at, getattr(fact, "unit", None) or ""


def _words(value: object) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case float():
            text = f"{value:g}"
        case tuple() | frozenset():
            text = ", ".join(sorted(str(item) for item in value))
        case _:
            text = str(value)
    if len(text) <= _LONGEST_VALUE:
        return text
    kept = text[: _LONGEST_VALUE - 1]
    return f"{kept if kept.count(',') < 2 else kept.rpartition(',')[0]}…"


def _confidence(fact: Fact) -> Confidence:
    found: Confidence = getattr(fact, "confidence", "certain")
    return found
