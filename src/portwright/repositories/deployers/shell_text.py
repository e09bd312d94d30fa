"""Text as a script makes it: each piece of it knows the line that a reviewer sees, through variables, functions and here-documents."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from portwright._start.records import dataclass, replace
from portwright.numbers import is_digits
from portwright.repositories.deployers.placed import Line
from portwright.system.spanned_text import UNKNOWN

CHECKOUT = "\x01"
"""What a path begins with that lies in the repository: where its checkout lies on a machine is not known."""
LONGEST_VALUE = 1 << 16
"""Characters of a value beyond which nobody knows it."""
MOST_PIECES = 4_000
"""Pieces of a value, likewise."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text that lies in one line, with its end of line if it has one, and the place it is written at.

    `passed`: it was given to a function, or is a word of a loop, whose place says more than that of the line that uses it.
    """

    text: str
    source: str
    number: int
    column: int
    passed: bool = False


Value = tuple[Piece, ...]


def text_of(value: Iterable[Piece]) -> str:
    """What a value says."""
    return "".join([piece.text for piece in value])


def known(value: Iterable[Piece]) -> bool:
    """Whether all of it could be worked out."""
    return all(UNKNOWN not in piece.text for piece in value)


def at(value: Value, text: str) -> Value:
    """Another text with the place of a value."""
    return (replace(value[0], text=text),) if value else ()


def passed(value: Value, there: Piece) -> Value:
    """A value of one line as it is given to a function at this place; each line of a longer one keeps its own."""
    if any(piece.text.endswith("\n") for piece in value[:-1]):
        return value
    return tuple(
        piece if piece.passed else replace(piece, source=there.source, number=there.number, column=there.column, passed=True)
        for piece in value
    )


def used(value: Value, there: Piece) -> Value:
    """A variable's value where it is used: the line that uses it is the one to look at, unless the value has lines of its own."""
    if any(piece.text.endswith("\n") for piece in value[:-1]):
        return value
    return tuple(
        piece if piece.passed else replace(piece, source=there.source, number=there.number, column=there.column) for piece in value
    )


def compact(value: Value) -> Value:
    """The value of a variable: one piece, unless it has lines of its own."""
    if len(value) < 2 or any(piece.text.endswith("\n") for piece in value[:-1]):
        return value
    return (replace(place_of(value), text=text_of(value)),)


def place_of(row: Sequence[Piece]) -> Piece:
    """Of the pieces of a line the one that is pointed at: an argument with a number in it, any argument, else where the line begins."""
    given = [piece for piece in row if piece.passed]
    return next((piece for piece in given if any(is_digits(char) for char in piece.text)), (given or row)[0])


def lines_of(value: Iterable[Piece]) -> list[Line]:
    """The lines that a value makes in a file; the last one may lack its end."""
    found: list[Line] = []
    row: list[Piece] = []
    for piece in value:
        row.append(piece)
        if piece.text.endswith("\n"):
            found.append(_line(row))
            row = []
    if any(piece.text for piece in row):
        found.append(_line(row))
    # Of a line without a word that is known nothing can be said.
    return [line for line in found if UNKNOWN not in line.text or any(char.isalnum() for char in line.text)]


def _line(row: Sequence[Piece]) -> Line:
    text = text_of(row).removesuffix("\n").removesuffix("\r")
    place = place_of(row)
    if CHECKOUT in text:
        text = text.replace(CHECKOUT, UNKNOWN)
    return Line(text, place.source, place.number, max(place.column - 1, 0))


def value_of(lines: Iterable[Line]) -> Value:
    """Lines of a file as a value."""
    return tuple(Piece(f"{line.text}\n", line.source, line.number, line.shift + 1) for line in lines)


class ScriptText:
    """The text of a script whose lines stand at places of their own."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.text = "\n".join([line.text for line in lines])
        self._starts = [0, *accumulate([len(line.text) + 1 for line in lines])][:-1] or [0]

    def number(self, offset: int) -> int:
        """The index of the line that this offset lies in."""
        return max(bisect_right(self._starts, offset) - 1, 0)

    def numbers(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """(source, line) of the lines that a stretch lies in."""
        for index in range(self.number(start), self.number(max(end - 1, start)) + 1):
            yield self.lines[index].source, self.lines[index].number

    def place(self, offset: int) -> Piece:
        """An empty piece at an offset."""
        index = self.number(offset)
        line = self.lines[index] if self.lines else Line("", "", 1)
        return Piece("", line.source, line.number, offset - self._starts[index] + line.shift + 1)

    def cut(self, start: int, end: int) -> Value:
        """`text[start:end]`, line by line."""
        found: list[Piece] = []
        index = self.number(start)
        while start < end:
            stop = min(end, self._starts[index + 1] if index + 1 < len(self._starts) else len(self.text))
            if stop <= start:
                break
            found.append(replace(self.place(start), text=self.text[start:stop]))
            start = stop
            index += 1
        return tuple(found)

    def said(self, text: str, start: int) -> Value:
        """A text that stands at an offset, as it is or with some of its characters gone."""
        if self.text.startswith(text, start):
            return self.cut(start, start + len(text))
        place = self.place(start)
        return split(text, place)


def split(text: str, place: Piece) -> Value:
    """A text of several lines, all with one place."""
    return tuple(replace(place, text=part) for part in text.splitlines(keepends=True)) if "\n" in text else (replace(place, text=text),)
