"""Where what was read in a placed file is written: its spans become those of the lines that it was made of."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from portwright._start.records import fields, replace
from portwright.numbers import decimal
from portwright.repositories.deployers.placed import Line
from portwright.source import Source, Span

T = TypeVar("T")

_MARK = " (/"
"""What stands in the label of every placed file (gathering)."""


def as_written(value: T, placed: Mapping[str, Sequence[Line]], sources: Mapping[str, Source]) -> T:
    """A value with every span into a placed file, by the path that its Source has, exchanged for the one of a reviewer's file.

    So is what a sentence in it says of such a place, as `path:line:column` or by its path alone.
    """
    known: dict[int, Any] = {}
    kept: list[Any] = []
    named = re.compile("|".join(rf"{re.escape(path)}(?::([0-9]+):([0-9]+))?" for path in sorted(placed, key=len, reverse=True)))

    def where(span: Span) -> Span:
        lines = placed.get(span.path)
        return span if lines is None else _where(span, lines, sources)

    def said(found: re.Match[str]) -> str:
        path, *numbers = found[0].rsplit(":", 2) if found.lastindex else (found[0],)
        lines = placed[path]
        if not numbers:
            return lines[0].source if lines else path
        line, column = (decimal(number) or 1 for number in numbers)
        return str(where(Span(path, line, column, line, column)))

    def text(value: str) -> str:
        return named.sub(said, value) if _MARK in value else value

    return _moved(value, where, text, known, kept)  # type: ignore[no-any-return]


def _moved(value: Any, where: Callable[[Span], Span], text: Callable[[str], str], known: dict[int, Any], kept: list[Any]) -> Any:
    """The value itself where no span in it moves. `known` is by identity, so what it names is `kept` from being freed."""
    kind = value.__class__
    if kind is Span:
        return where(value)
    if kind is str:
        return text(value)
    if kind in (int, bool, float, bytes, type(None)):
        return value
    if id(value) in known:
        return known[id(value)]
    moved = value
    if kind in (tuple, list, set, frozenset):
        items = [_moved(each, where, text, known, kept) for each in value]
        if any(one is not other for one, other in zip(items, value, strict=True)):
            moved = kind(items)
    elif kind is dict:
        pairs = [(_moved(key, where, text, known, kept), _moved(each, where, text, known, kept)) for key, each in value.items()]
        if any(key is not one or each is not other for (key, each), (one, other) in zip(pairs, value.items(), strict=True)):
            moved = dict(pairs)
    elif hasattr(kind, "__dataclass_fields__"):
        changes = {}
        for each in fields(value):
            own = getattr(value, each.name)
            other = _moved(own, where, text, known, kept)
            if other is not own:
                changes[each.name] = other
        if changes:
            moved = replace(value, **changes)
    known[id(value)] = moved
    kept.append(value)
    return moved


def _where(span: Span, lines: Sequence[Line], sources: Mapping[str, Source]) -> Span:
    if not lines:
        return span
    first = lines[min(span.line, len(lines)) - 1]
    last = lines[min(span.end_line, len(lines)) - 1]
    column = _column(first, span.column, sources)
    if (last.source, last.number) < (first.source, first.number) or last.source != first.source:
        return Span(first.source, first.number, column, first.number, max(column, _column(first, len(first.text) + 1, sources)))
    end = _column(last, span.end_column, sources)
    return Span(first.source, first.number, column, last.number, max(end, column) if last.number == first.number else end)


def _column(line: Line, column: int, sources: Mapping[str, Source]) -> int:
    """The column in the source, at most the end of its line there: what was filled in may be longer than what stands there."""
    end = len(sources[line.source].line(line.number)) + 1 if line.source in sources else column + line.shift
    return max(1, min(column + line.shift, end))
