"""Spans as the protocol has them: lines and units of characters counted from 0, in the encoding that the editor wants."""

import re
from bisect import bisect_right
from functools import cached_property

from lsprotocol import types

from portwright._start.records import dataclass
from portwright.source import Source, Span

_ENDS = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Positions:
    """Places of one text.

    The protocol ends a line at a lone carriage return, too, and counts UTF-16 units unless something else is agreed.
    """

    source: Source
    encoding: str = "utf-16"

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _ENDS.finditer(self.source.text))]

    def at(self, offset: int) -> types.Position:
        """The position of a character of the text."""
        offset = min(max(offset, 0), len(self.source.text))
        line = bisect_right(self._starts, offset) - 1
        return types.Position(line, self._units(self.source.text[self._starts[line] : offset]))

    def range(self, span: Span) -> types.Range:
        """The range of a span of the text; of one that lies behind its end, that end."""
        lines = self.source.text.count("\n") + 1
        if span.line > lines:
            return types.Range(self.at(len(self.source.text)), self.at(len(self.source.text)))
        start = self.source.stretch(Span(span.path, span.line, span.column, span.line, span.column))[0]
        end = self.source.stretch(span)[1] if span.end_line <= lines else len(self.source.text)
        return types.Range(self.at(start), self.at(max(start, end)))

    def lines(self, first: int, end: int) -> types.Range:
        """The range of whole lines, from the first up to, not including, the end; both count from 1."""
        return types.Range(self.at(self._line(first)), self.at(self._line(end)))

    def _line(self, number: int) -> int:
        return (
            self.source.stretch(Span("", number, 1, number, 1))[0] if number <= self.source.text.count("\n") + 1 else len(self.source.text)
        )

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding == "utf-32":
            return len(text)
        # A byte that is no UTF-8 is one character in an editor, too.
        text = re.sub("[\ud800-\udfff]", "\ufffd", text)
        return len(text.encode("utf-8", "strict")) if self.encoding == "utf-8" else len(text.encode("utf-16-le", "strict")) // 2


def touches(one: types.Range, other: types.Range) -> bool:
    """Whether two ranges have a position in common, their ends included."""
    return _key(one.start) <= _key(other.end) and _key(other.start) <= _key(one.end)


def _key(at: types.Position) -> tuple[int, int]:
    return at.line, at.character
