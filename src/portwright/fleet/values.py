"""Values as JSON and back: a record is the list of its fields, and what is read is held against the types that the fields have.

Nothing is made of JSON but the classes that these types name, so that a file of others is data.
"""

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from portwright._start.records import fields
from portwright.changes import Change
from portwright.changes.kind import kinds, name_of
from portwright.finding import RuleMeta
from portwright.ports import PortSet
from portwright.source import Span

T = TypeVar("T")
_Reader = Callable[[Any], Any]


class ValueReadError(Exception):
    """This JSON is no value of the type that is wanted."""


def plain(value: object) -> Any:
    """A value as lists, texts and numbers; of a rule's card its id alone, of a mapping nothing."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, RuleMeta):
        return value.id
    if isinstance(value, Mapping):
        return None
    names = [each.name for each in fields(value)]  # type: ignore[arg-type]  # all other values are records
    listed = [plain(getattr(value, name)) for name in names]
    return [name_of(value), listed] if isinstance(value, Change) else listed


class Reading:
    """Reads what `plain` wrote; `cards` are those of the rules that are named there."""

    def __init__(self, cards: Mapping[str, RuleMeta]) -> None:
        self._cards = cards
        self._readers: dict[Any, _Reader] = {RuleMeta: self._card, Change: self._change, Span: _span, PortSet: _ports}

    def value(self, of: type[T], written: object) -> T:
        """A value of a type. Raises ValueReadError."""
        try:
            found: T = self._reader(of)(written)
        except (TypeError, ValueError, KeyError, RecursionError) as error:
            raise ValueReadError(f"no {of}: {type(error).__name__}") from None
        return found

    def values(self, of: type[T], written: object) -> tuple[T, ...]:
        """Many of a type. Raises ValueReadError."""
        if not isinstance(written, list):
            raise ValueReadError("no list")
        return tuple(self.value(of, each) for each in written)

    def _reader(self, of: Any) -> _Reader:
        known = self._readers.get(of)
        if known is None:
            self._readers[of] = known = self._made(of)
        return known

    def _made(self, of: Any) -> _Reader:
        origin, args = get_origin(of), get_args(of)
        if of in (str, int, bool, NoneType):
            return _just(of)
        if origin is Literal:
            return _one_of(args)
        if origin is tuple and args[-1] is Ellipsis:
            return _many(self._reader(args[0]))
        if origin is tuple:
            return _some([self._reader(each) for each in args])
        if origin in (Union, UnionType):
            (other,) = (each for each in args if each is not NoneType)
            return _perhaps(self._reader(other))
        if origin is not None and issubclass(origin, Mapping):
            return _no_mapping(None if NoneType in args else {})
        return self._record(of)

    def _record(self, of: Any) -> _Reader:
        hints = get_type_hints(of)
        names = [each.name for each in fields(of)]
        readers: list[_Reader] = []

        def read(written: Any) -> Any:
            if not readers:  # a record may hold others of its own kind
                readers.extend(self._reader(hints[name]) for name in names)
            return of(*_each(readers, written))

        return read

    def _card(self, written: Any) -> RuleMeta:
        return self._cards[written]

    def _change(self, written: Any) -> Change:
        name, listed = written
        found: Change = self._reader(kinds()[name].change)(listed)
        return found


def card(written: object) -> RuleMeta:
    """A rule's card of the list of its fields. Raises ValueReadError."""
    reading = Reading({})
    reading._readers.pop(RuleMeta)
    return reading.value(RuleMeta, written)


def card_fields(of: RuleMeta) -> list[Any]:
    """The fields of a rule's card, which `plain` leaves out."""
    return [plain(getattr(of, each.name)) for each in fields(of)]


def _each(readers: list[_Reader], written: Any) -> list[Any]:
    if type(written) is not list or len(written) != len(readers):
        raise ValueError
    return [read(each) for read, each in zip(readers, written, strict=True)]


def _just(of: type) -> _Reader:
    def read(written: Any) -> Any:
        if type(written) is not of:
            raise ValueError
        return written

    return read


def _one_of(choices: tuple[Any, ...]) -> _Reader:
    def read(written: Any) -> Any:
        if type(written) is not str or written not in choices:
            raise ValueError
        return written

    return read


def _many(reader: _Reader) -> _Reader:
    def read(written: Any) -> Any:
        if type(written) is not list:
            raise ValueError
        return tuple([reader(each) for each in written])

    return read


def _some(readers: list[_Reader]) -> _Reader:
    return lambda written: tuple(_each(readers, written))


def _perhaps(reader: _Reader) -> _Reader:
    return lambda written: None if written is None else reader(written)


def _no_mapping(empty: object) -> _Reader:
    def read(written: Any) -> Any:
        if written is not None:
            raise ValueError
        return empty

    return read


def _span(written: Any) -> Span:
    path, *numbers = written
    if type(path) is not str or len(numbers) != 4 or not all(type(each) is int and 0 < each < 1 << 31 for each in numbers):
        raise ValueError
    found = Span(path, *numbers)
    if (found.end_line, found.end_column) < (found.line, found.column):
        raise ValueError
    return found


def _ports(written: Any) -> PortSet:
    ((*ranges,),) = written
    if not all(type(each) is list and len(each) == 2 and type(each[0]) is int and type(each[1]) is int for each in ranges):
        raise ValueError
    return PortSet.of(*((low, high) for low, high in ranges))
