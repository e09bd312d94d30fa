"""The comparisons a rule may make; each knows which types it takes and, where it pairs facts, how to find them without trying all."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Literal, TypeVar

from portwright._start.records import dataclass
from portwright.host.join import conflict
from portwright.host.terms.registry import Type
from portwright.ports import PortSet

Operand = Type | Literal["texts", "numbers"]
Keys = Callable[[Any], Iterable[Hashable]]


@dataclass(frozen=True, slots=True)
class Predicate:
    """`left NAME right`, for one type on each side. An unknown value (None) satisfies only the predicates that `of_unknown` names.

    Where two facts are paired, values that satisfy the predicate share a key of `filed` (the left value's) and `sought` (the
    right value's); None where there is no such key and all would have to be tried.
    """

    name: str
    left: Type
    right: Operand
    holds: Callable[[Any, Any], bool]
    of_unknown: bool = False
    filed: Keys | None = None
    sought: Keys | None = None


Holds = Callable[[Any, Any], bool]
H = TypeVar("H", bound=Holds)
_PREDICATES: dict[tuple[str, Type], Predicate] = {}


def predicate(
    name: str, *types: tuple[Type, Operand], of_unknown: bool = False, filed: Keys | None = None, sought: Keys | None = None
) -> Callable[[H], H]:
    """Register the decorated comparison under a name for these pairs of (left, right) types."""

    def register(holds: H) -> H:
        for left, right in types:
            _PREDICATES[name, left] = Predicate(name, left, right, holds, of_unknown, filed, sought)
        return holds

    return register


def predicates(left: Type) -> dict[str, Predicate]:
    """The comparisons that take a value of this type on their left, by name."""
    return {name: found for (name, of), found in sorted(_PREDICATES.items()) if of == left}


def predicate_of(name: str, left: Type) -> Predicate:
    """The comparison of this name that takes a value of this type on its left."""
    return _PREDICATES[name, left]


def _itself(value: Hashable) -> tuple[Hashable, ...]:
    return (value,)


@predicate("is", ("text", "text"), ("flag", "flag"), ("number", "number"), ("ports", "ports"), filed=_itself, sought=_itself)
def _is(left: object, right: object) -> bool:
    return left == right


@predicate("is-not", ("text", "text"), ("flag", "flag"), ("number", "number"), ("ports", "ports"), of_unknown=True)
def _is_not(left: object, right: object) -> bool:
    return left != right


@predicate("in", ("text", "texts"), ("number", "numbers"))
def _in(left: object, right: tuple[object, ...]) -> bool:
    return left in right


@predicate("not-in", ("text", "texts"), ("number", "numbers"), of_unknown=True)
def _not_in(left: object, right: tuple[object, ...]) -> bool:
    return left not in right


@predicate("starts-with", ("text", "text"))
def _starts_with(left: str, right: str) -> bool:
    return left.startswith(right)


@predicate("ends-with", ("text", "text"))
def _ends_with(left: str, right: str) -> bool:
    return left.endswith(right)


@predicate("at-least", ("number", "number"))
def _at_least(left: float, right: float) -> bool:
    return left >= right


@predicate("at-most", ("number", "number"))
def _at_most(left: float, right: float) -> bool:
    return left <= right


@predicate("more-than", ("number", "number"))
def _more_than(left: float, right: float) -> bool:
    return left > right


@predicate("less-than", ("number", "number"))
def _less_than(left: float, right: float) -> bool:
    return left < right


@predicate("within", ("ports", "ports"))
def _within(left: PortSet, right: PortSet) -> bool:
    """Every port is among the others; no port at all is not within anything."""
    return bool(left) and not left.minus(right)


@predicate("overlaps", ("ports", "ports"))
def _overlaps(left: PortSet, right: PortSet) -> bool:
    return left.overlaps(right)


@predicate("overlaps", ("claim", "claim"), filed=conflict.filed_under, sought=conflict.sought_under)
def _collides(left: conflict.Claim, right: conflict.Claim) -> bool:
    return conflict.collide(left, right)


@predicate("not-after", ("turn", "turn"))
def _not_after(left: conflict.Turn, right: conflict.Turn) -> bool:
    return conflict.not_after(left, right)


@predicate("has", ("words", "text"))
def _has(left: Iterable[str], right: str) -> bool:
    return right in left


@predicate("lacks", ("words", "text"), of_unknown=True)
def _lacks(left: Iterable[str], right: str) -> bool:
    return right not in left


@predicate("counts-at-least", ("words", "number"), ("ports", "number"))
def _counts_at_least(left: PortSet | tuple[str, ...] | frozenset[str], right: int) -> bool:
    return len(left) >= right
