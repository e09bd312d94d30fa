"""How a function becomes a word that rules may use: by a decorator, with a Derived as its answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, Literal, TypeVar

from portwright._start.records import dataclass
from portwright.facts import Confidence
from portwright.finding import Note
from portwright.host import Host

T = TypeVar("T")
Kind = str
"""The name of a kind of fact (portwright.facts.kind)."""

Type = Literal["text", "flag", "number", "ports", "words", "claim", "turn", "place", "edits"]


@dataclass(frozen=True, slots=True)
class Derived(Generic[T]):
    """A value worked out for a rule, the lines it leaned on, and how sure it is; None is unknown.

    `because` says a likelihood's reason in words.
    """

    value: T
    evidence: tuple[Note, ...] = ()
    confidence: Confidence = "certain"
    because: str = ""


F = TypeVar("F", bound=Callable[..., Derived[Any]])


@dataclass(frozen=True, slots=True)
class Term:
    """One word: what it holds (`choices` where only some texts are possible) and where it comes from.

    `field` is the attribute of the fact it is read from. Where it is None, `compute` works the value out from the host and the
    fact, or from the host alone (`of_host`), so that one answer serves the whole host.
    """

    name: str
    type: Type
    meaning: str
    choices: tuple[str, ...] = ()
    field: str | None = None
    compute: Callable[..., Derived[Any]] | None = None
    of_host: bool = False


OF_HOST: dict[str, Callable[..., Derived[Any]]] = {}
OF_FACTS: dict[tuple[Kind, str], Callable[..., Derived[Any]]] = {}


def host_value(name: str) -> Callable[[Callable[[Host], Derived[T]]], Callable[[Host], Derived[T]]]:
    """Register a value of the whole host, worked out once; its type is the one its function declares, its meaning the docstring."""

    def register(work_out: Callable[[Host], Derived[T]]) -> Callable[[Host], Derived[T]]:
        OF_HOST[name] = answer = wraps(work_out)(lambda host: host.once(work_out))
        return answer

    return register


def fact_value(kind: Kind, name: str) -> Callable[[F], F]:
    """Register a value of one kind of fact; its type is the one its function declares, its meaning the docstring."""

    def register(work_out: F) -> F:
        OF_FACTS[kind, name] = work_out
        return work_out

    return register
