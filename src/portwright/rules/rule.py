"""A rule as it is after loading: every name resolved, every operand typed, so that checking a host can make no mistake of an author."""

from collections.abc import Iterator
from typing import Any

from portwright._start.records import dataclass
from portwright.changes import Change
from portwright.facts import BindError, Confidence
from portwright.finding import RuleMeta
from portwright.host.language.predicates import Predicate
from portwright.host.terms.registry import Kind, Term, Type
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Given:
    """An operand written in the rule itself."""

    value: Any


@dataclass(frozen=True, slots=True)
class OfSysctl:
    """`{sysctl: key}`: a kernel setting at boot, read as a number or ports where that is wanted."""

    key: str
    type: Type


@dataclass(frozen=True, slots=True)
class OfHost:
    """`{host: name}`: a named value of the host."""

    name: Term


@dataclass(frozen=True, slots=True)
class OfFact:
    """`{fact: field}`: a field or named value of the fact that `each` names."""

    name: Term


Operand = Given | OfSysctl | OfHost | OfFact


@dataclass(frozen=True, slots=True)
class Condition:
    """`name: {predicate: operand}`."""

    name: Term
    predicate: Predicate
    operand: Operand


@dataclass(frozen=True, slots=True)
class Join:
    """`with`: another fact must exist for which these conditions hold; `pairs` compare it with the first fact."""

    kind: Kind
    alone: tuple[Condition, ...]
    pairs: tuple[Condition, ...]

    @property
    def pairing(self) -> Condition | None:
        """The comparison by which matching facts are found without trying all of them."""
        return next((condition for condition in self.pairs if condition.predicate.filed), None)


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder of a message; `joined` means the second fact."""

    name: Term
    joined: bool


Template = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class NoteTemplate:
    """A note a rule adds to its findings, at a line that one of its facts names."""

    text: Template
    at: Slot | None


@dataclass(frozen=True, slots=True)
class Together:
    """Findings in which these words are the same are one; `also` is the note at the line of each fact but the first."""

    same: tuple[Slot, ...]
    also: Template


@dataclass(frozen=True, slots=True)
class ChangeTemplate:
    """A change with operands instead of values: it is wished for where all of them are known.

    `otherwise` is wished for where they are not.
    """

    change: type[Change]
    operands: tuple[tuple[str, Operand], ...]
    otherwise: "ChangeTemplate | None" = None

    def each(self) -> "Iterator[ChangeTemplate]":
        """It, and what is wished for in its place, in their order."""
        wish: ChangeTemplate | None = self
        while wish is not None:
            yield wish
            wish = wish.otherwise


@dataclass(frozen=True, slots=True)
class ManualStep:
    """What a person does where there is no change to wish for."""

    reason: Template
    step: Template


@dataclass(frozen=True)
class Rule:
    """One belief about hosts. `path` is the rule's file; `bad` and `good` are example files, by name.

    All of `where` must hold and none of `unless`. `narrow` is the condition whose overlap the finding is about, if any.
    """

    card: RuleMeta
    path: str
    at: Span
    each: Kind
    where: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    join: Join | None
    message: Template
    remarks: tuple[NoteTemplate, ...] = ()
    together: Together | None = None
    confidence: Confidence = "certain"
    likelihood: Term | None = None
    predicts: BindError | Term | None = None
    wish: ChangeTemplate | None = None
    advice: ManualStep | None = None
    bad: tuple[tuple[str, str], ...] = ()
    good: tuple[tuple[str, str], ...] = ()

    @property
    def id(self) -> str:
        return self.card.id

    @property
    def family(self) -> str:
        return self.card.family

    @property
    def narrow(self) -> Condition | None:
        for condition in self.where:
            if condition.name.field == "ports" and condition.predicate.name == "overlaps":
                return condition
        return None
