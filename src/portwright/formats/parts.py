"""Values that a language of configuration writes out: strings in parts, lists, calls, bare words, each with its place."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from portwright._start.records import dataclass

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a string, from offset `at` of the source on.

    It is literal there as it stands (`exact`) or behind an escape, or what it says is an expression that is put there (`filled`).
    """

    text: str
    at: int
    filled: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True)
class String:
    """A string or a here-document, of whose lines `indent` blanks do not belong to it."""

    parts: tuple[Part, ...]
    at: int
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Bare:
    """What stands there without quotes, as it is written: a number, a truth value, a name; "" for what has to be computed."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Items(Generic[V]):
    """A list."""

    values: tuple[V, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call(Generic[V]):
    """A function with what it is given."""

    name: str
    arguments: tuple[V, ...]
    at: int


def string(parts: Iterable[Part], at: int, indent: int = 0) -> String:
    """A string of the parts that say something."""
    return String(tuple(part for part in parts if part.text or part.filled), at, indent)
