"""Strings of other languages as lines that know where they are written, their blanks filled in as far as they are known."""

from collections.abc import Callable, Iterable

from portwright._start.records import dataclass, field
from portwright.formats.parts import Part
from portwright.repositories.deployers.placed import LONGEST, Line, Pages
from portwright.source import Source
from portwright.system.spanned_text import UNKNOWN

Fill = Callable[[str], str | None]
"""The value of an expression in a blank; None where it is not known."""
LONGEST_VALUE = 4096
"""Characters of what a name stands for."""
_DEEPEST = 16
"""Names that stand for names."""


@dataclass
class Names:
    """What names stand for, each worked out once: unknown is one that leads back to itself, through too many others, or to a long text."""

    texts: dict[str, str] = field(default_factory=dict)
    depth: int = 0

    def text(self, name: str, work_out: Callable[[], str]) -> str:
        """The text of a name, which `work_out` makes of those of other names."""
        if name not in self.texts:
            self.texts[name] = UNKNOWN
            if self.depth < _DEEPEST:
                self.depth += 1
                found = work_out()
                self.depth -= 1
                self.texts[name] = found if len(found) <= LONGEST_VALUE else UNKNOWN
        return self.texts[name]


def nothing_known(_: str) -> str | None:
    """A Fill that knows nothing."""
    return None


def at_most(fill: Fill) -> Fill:
    """The same, which knows nothing more once all that it gave is as long as what is looked through: one name can be in many blanks."""
    left = LONGEST

    def value(expression: str) -> str | None:
        nonlocal left
        found = fill(expression)
        if found is None or len(found) > min(left, LONGEST_VALUE):
            return None
        left -= len(found)
        return found

    return value


def joined(parts: Iterable[Part], fill: Fill = nothing_known) -> str:
    """A string as one text, U+FFFD for each blank that is not known."""
    fill = at_most(fill)
    return "".join(part.text if not part.filled else _value(part, fill) for part in parts)


def lines(source: Source, parts: Iterable[Part], indent: int = 0, fill: Fill = nothing_known) -> list[Line]:
    """A string line by line; `indent` blanks at the beginning of the lines of the source do not belong to it."""
    found: list[Line] = []
    text: list[str] = []
    place = None
    fill = at_most(fill)
    for part in parts:
        at = source.span(part.at, part.at)
        value = _value(part, fill) if part.filled else part.text
        exact = part.exact and not part.filled
        for number, piece in enumerate(value.split("\n")):
            if number:
                found.append(_line(source, text, place, at.line, at.column))
                text, place = [], None
            column = 1 if number and exact else at.column
            if exact and column == 1 and indent and place is None:
                kept = piece.lstrip(" \t") if len(piece) - len(piece.lstrip(" \t")) < indent else piece[indent:]
                column += len(piece) - len(kept)
                piece = kept
            if place is None and (piece or exact):
                place = (at.line + (number if exact else 0), column)
            if piece:
                text.append(piece)
    if text:
        found.append(_line(source, text, place, 1, 1))
    return found


def _line(source: Source, text: list[str], place: tuple[int, int] | None, line: int, column: int) -> Line:
    number, column = place or (line, column)
    return Line("".join(text).removesuffix("\r"), source.path, number, column - 1)


def _value(part: Part, fill: Fill) -> str:
    value = fill(part.text)
    return UNKNOWN if value is None else value


def remarks(text: str, marks: tuple[str, ...] = ("#",)) -> set[int]:
    """The numbers of the lines that are nothing but a remark."""
    return {number for number, line in enumerate(text.split("\n"), 1) if line.lstrip().startswith(marks)}


def rows(label: str, text: str, pages: Pages) -> list[Line]:
    """The lines of a source, up to the length that is looked through."""
    pages.cut |= len(text) > LONGEST
    return [Line(each.removesuffix("\r"), label, number) for number, each in enumerate(text[:LONGEST].split("\n"), 1)]


def whole(label: str, text: str) -> list[Line]:
    """The lines of another file of the repository, which is copied or filled in; none of one that is no config by its length."""
    if len(text) > LONGEST or "\0" in text:
        return []
    return [Line(each.removesuffix("\r"), label, number) for number, each in enumerate(text.split("\n"), 1)]
