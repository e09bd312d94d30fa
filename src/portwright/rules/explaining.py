"""A rule in words, for `portwright explain` and the rule's page, and all of them in a table."""

from collections.abc import Iterable
from typing import Any

from portwright._start.records import MISSING, dataclass, fields
from portwright.changes import kinds as change_kinds
from portwright.changes.kind import name_of
from portwright.facts import Confidence, kinds
from portwright.host.language.meanings import meaning
from portwright.host.terms.registry import Kind, Term
from portwright.rules.rule import ChangeTemplate, Condition, Given, Join, OfFact, OfHost, OfSysctl, Operand, Rule, Template

_HOW_SAFE = {
    "safe": "safe: `portwright fix` plans it and proves it on a copy of the host first",
    "review": "needs review by somebody who knows the service: `portwright fix` plans it only with `--allow-review`",
}
_DISRUPTION = {
    "none": "nothing is restarted",
    "reload": "the service is reloaded",
    "restart": "the service has to be restarted, which the playbook does only with `--allow-restart`",
    "reboot": "it needs a reboot",
}
_AS_IT_TAKES_IT = "the service is reloaded, or has to be restarted, whichever its daemon takes"
_HOW_SURE: dict[Confidence, str] = {
    "certain": "as certain as the files: certain where they say so, at most likely in a repository",
    "likely": "at most likely: something outside the files could change it",
    "possible": "at most possible: a guess; it predicts no error and is never fixed automatically",
}
_ERRORS = {
    "EACCES": "permission denied",
    "EADDRINUSE": "address already in use",
    "EADDRNOTAVAIL": "cannot assign requested address",
    "EINVAL": "invalid argument",
}
_MOST_OPERANDS = 12  # values of a list in a sentence


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the catalogue. `fix` is a kind of change, "by hand", or empty."""

    id: str
    family: str
    severity: str
    title: str
    fix: str
    safety: str
    path: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a rule, as it is written, and what its word means."""

    written: str
    means: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A way to mend a finding: what is done, how safe that is, and why it is done so or not at all; empty where there is no more to say."""

    kind: str
    what: str
    safe: str = ""
    why: str = ""


@dataclass(frozen=True)
class Explanation:
    """All there is to say of a rule without a host: the sentences begin small and have no full stop.

    `where`, `unless` and `joined` are its conditions; `other` is the kind of the second fact. `predicts` and `likelihood` are empty where
    it says nothing of them.
    """

    rule: Rule
    each: Kind
    where: tuple[Comparison, ...]
    unless: tuple[Comparison, ...]
    other: Kind | None
    joined: tuple[Comparison, ...]
    says: str
    sure: str
    likelihood: str
    predicts: str
    remedies: tuple[Remedy, ...]

    @property
    def accept(self) -> str:
        """The comment that accepts a finding of this rule in a repository."""
        return f"# portwright: allow {self.rule.id}: the reason"


def catalogue(rules: Iterable[Rule]) -> tuple[Row, ...]:
    """Every rule in one line, by family and id."""
    rows = (
        Row(
            r.id,
            r.family,
            r.card.severity,
            r.card.title,
            name_of(r.wish.change) if r.wish else "by hand" if r.advice else "",
            _safety(r.wish),
            r.path,
        )
        for r in rules
    )
    return tuple(sorted(rows, key=lambda row: (row.family, row.id)))


def explain(rule: Rule) -> Explanation:
    """What a rule looks at, what it says, how sure it is, and how its findings are mended."""
    join = rule.join
    return Explanation(
        rule=rule,
        each=rule.each,
        where=tuple(_comparison(condition, rule.each) for condition in rule.where),
        unless=tuple(_comparison(condition, rule.each) for condition in rule.unless),
        other=None if join is None else join.kind,
        joined=() if join is None else tuple(_comparison(condition, join.kind) for condition in _written(join)),
        says=_outline(rule.message),
        sure=_HOW_SURE[rule.confidence],
        likelihood="" if rule.likelihood is None else _likelihood(rule.each, rule.likelihood),
        predicts=_predicts(rule),
        remedies=tuple(_remedies(rule)),
    )


def alike(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The names nearest to a word nobody knows, and those that share a word with it: at most four."""
    from difflib import get_close_matches

    known = sorted(known)
    close = get_close_matches(word[:100], known, n=3, cutoff=0.55)
    parts = {part for part in word[:100].lower().replace("_", "-").split("-") if len(part) > 3}
    shared = sorted((name for name in known if parts & set(name.split("-"))), key=lambda name: -len(parts & set(name.split("-"))))
    return tuple(dict.fromkeys((*close, *shared)))[:4]


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _comparison(condition: Condition, kind: Kind) -> Comparison:
    verb = condition.predicate.name
    written = f"{condition.name.name}: {{{verb}: {_operand(condition.operand)}}}"
    return Comparison(written, _small(meaning(kind, condition.name)))


def _written(join: Join) -> tuple[Condition, ...]:
    return (*join.alone, *join.pairs)


def _operand(operand: Operand) -> str:
    match operand:
        case OfSysctl(key=key):
            return f"{{sysctl: {key}}}"
        case OfHost(name=name):
            return f"{{host: {name.name}}}"
        case OfFact(name=name):
            return f"{{fact: {name.name}}}"
        case Given(value=bool() as value):
            return "true" if value else "false"
        case Given(value=tuple() as values):
            more = f", ... {len(values) - _MOST_OPERANDS} more" if len(values) > _MOST_OPERANDS else ""
            return f"[{', '.join(str(value) for value in values[:_MOST_OPERANDS])}{more}]"
        case Given(value=value):
            return str(value)


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


def _outline(template: Template) -> str:
    return "".join(part if isinstance(part, str) else f"<{'with.' if part.joined else ''}{part.name.name}>" for part in template)


def _likelihood(kind: Kind, name: Term) -> str:
    return f"each finding states it (high, medium, low): {_small(meaning(kind, name))}"


def _predicts(rule: Rule) -> str:
    if rule.predicts is None:
        return ""
    if isinstance(rule.predicts, str):
        return f"{kinds()[rule.each].call} fails with {rule.predicts} ({_ERRORS[rule.predicts]})"
    return f"each finding states which error: {_small(meaning(rule.each, rule.predicts))}"


def _small(sentence: str) -> str:
    sentence = sentence.rstrip(".")
    return sentence[:1].lower() + sentence[1:]


# ── what to do ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _remedies(rule: Rule) -> Iterable[Remedy]:
    for number, wish in enumerate(() if rule.wish is None else rule.wish.each()):
        kind = name_of(wish.change)
        operands = ", ".join(f"{name} {_operand(operand)}" for name, operand in wish.operands if name not in ("safety", "disruption"))
        safe = f"{_HOW_SAFE[_safety(wish)]}; {_DISRUPTION.get(_default(wish, 'disruption'), _AS_IT_TAKES_IT)}"
        first = "" if not number else "where the one before does not help, "
        yield Remedy(kind, f"{first}{change_kinds()[kind].does} ({operands})", safe)
    if rule.advice is not None:
        kind = "by hand" if rule.wish is None else "by hand, where the automatic fix does not help"
        yield Remedy(kind, _outline(rule.advice.step), why=f"not fixed automatically: {_outline(rule.advice.reason)}")


def _safety(wish: ChangeTemplate | None) -> str:
    return "" if wish is None else _default(wish, "safety")


def _default(wish: ChangeTemplate, name: str) -> str:
    for given, operand in wish.operands:
        if given == name and isinstance(operand, Given):
            return str(operand.value)
    change: type[Any] = wish.change
    return next((str(field.default) for field in fields(change) if field.name == name and field.default is not MISSING), "")
