"""rsyncd.conf(5): modules in brackets and `name = value` lines; each line becomes a parameter that knows where it stood."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable, Word

_BLANKS = " \t\r\f\v"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `name = value` line above the first module. `name` is in lower case without blanks: rsync minds neither.

    An `&include` or `&merge` line has that name, and the path as its value.
    """

    name: str
    value: Word
    at: Span


def parse(source: Source) -> tuple[tuple[Parameter, ...], tuple[Unreadable, ...]]:
    """The parameters that are in force for the daemon itself, and the lines that rsync ignores.

    The daemon reads its own parameters up to the first module, a `[global]` too, and no further (lp_load() in loadparm.c; measured).
    """
    found: list[Parameter] = []
    ignored: list[Unreadable] = []
    for line, offsets in _logical(source.text):
        text = line.strip(_BLANKS)
        if not text or text[0] in "#;":
            continue
        start = len(line) - len(line.lstrip(_BLANKS))
        if text[0] == "[":
            break
        at = _span(source, offsets, start, start + len(text))
        if text[0] == "&":
            name, _, path = text.partition(" ")
            path = path.strip(_BLANKS)
            begin = start + text.find(path, len(name))
            found.append(Parameter(name.lower(), Word(path, _span(source, offsets, begin, begin + len(path))), at))
            continue
        name, equals, value = text.partition("=")
        if not equals:
            ignored.append(Unreadable(at, "rsync ignores this line: no `=` in it"))
            continue
        value = value.strip(_BLANKS)
        begin = start + len(text) - len(value)
        found.append(Parameter("".join(name.lower().split()), Word(value, _span(source, offsets, begin, begin + len(value))), at))
    return tuple(found), tuple(ignored)


def _logical(text: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Lines with what a backslash continues joined, and where each stretch stands: (offset in the line, offset in the text)."""
    pieces: list[str] = []
    offsets: list[tuple[int, int]] = []
    length = position = 0
    for line in text.split("\n"):
        survives_conflict = line.endswith("\\")
        piece = line[:-1] if survives_conflict else line
        pieces.append(piece)
        offsets.append((length, position))
        length += len(piece)
        position += len(line) + 1
        if not survives_conflict:
            yield "".join(pieces), offsets
            pieces, offsets, length = [], [], 0
    if pieces:
        yield "".join(pieces), offsets


def _span(source: Source, offsets: list[tuple[int, int]], start: int, end: int) -> Span:
    def place(at: int) -> int:
        here, there = next(pair for pair in reversed(offsets) if pair[0] <= at)
        return there + at - here

    first = place(start)
    return source.span(first, place(end - 1) + 1 if end > start else first)
