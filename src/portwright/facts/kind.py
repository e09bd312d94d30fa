"""What is known of a kind of fact that rules may look at: its words, what a finding about it is about, its order.

A module of this package that has such a kind says so in its `KIND`; to add one is to add a file. Nothing else lists them.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from portwright._start.records import dataclass, field
from portwright.facts.subject import Subject
from portwright.registry import member, members
from portwright.source import Source, Span


class Fact(Protocol):
    """All that every fact has: the place that says it."""

    @property
    def at(self) -> Span: ...


class Readable(Protocol):
    """The files of a host, as a kind of fact reads them that stands in files of its own."""

    def read(self, path: str) -> Source | None: ...

    def names(self, directory: str) -> tuple[str, ...]: ...


F = TypeVar("F", bound=Fact)


def _where_it_stands(fact: Fact, evidence: Iterable[Span], files: Container[str]) -> Span:
    return fact.at


@dataclass(frozen=True)
class FactKind(Generic[F]):
    """One kind of fact.

    `name` is its name in a rule, `says` the kind in a sentence, `words` its fields in one each. `collection` is the field of a Host that
    holds its facts; a kind without one needs no field. `subject` is what a finding about a fact is about, `order` its place among its
    like. `read` finds its facts in a host's files and units (the second argument: Units in order) where no daemon says them and no
    reader of system/ does.

    `place` is the line a finding points at, from the lines its conditions leaned on and the paths of the host's files. `call`
    is what fails where an error is predicted, `predictable` whether it may be (of a repository's
    fact or a host's). `rank` is its place in tables: what most rules look at comes first.
    """

    name: str
    fact: type[F]
    says: str
    words: Mapping[str, str]
    subject: Callable[[F], Subject]
    order: Callable[[F], tuple[Any, ...]]
    collection: str = ""
    read: Callable[[Readable, Sequence[Any]], Iterable[F]] | None = None
    place: Callable[[F, Iterable[Span], Container[str]], Span] = field(default=_where_it_stands)
    call: str = "it"
    predictable: Callable[[F, bool], bool] = field(default=lambda fact, repository: True)
    rank: int = 100


@cache
def kinds() -> Mapping[str, FactKind[Any]]:
    """Every kind of fact that rules may look at, by name, in the order of tables."""
    found = [kind for name in members("portwright.facts") if (kind := getattr(member("portwright.facts", name), "KIND", None)) is not None]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: (kind.rank, kind.name))}
