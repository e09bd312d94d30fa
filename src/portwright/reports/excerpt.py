"""Lines of a source with a gutter, and carets under what matters, as compilers show them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from portwright._start.records import dataclass, replace
from portwright.numbers import is_digits
from portwright.reports.escape import cells, safe, width, wrap
from portwright.reports.secrets import hide_in_source
from portwright.reports.style import Role, Style
from portwright.source import Source, Span

_LEAST_LABEL = 30  # columns a label needs beside its carets; with less it goes below, from the left
_ELLIPSIS = "..."
_MOST_LINES = 3  # of one span; of a longer one the first and the last are shown
_MOST_BESIDE, _MOST_SHOWN = 400, 2000  # characters of a line beside a mark, and in all, on a page that wraps


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline: with what, in which colour, and what to say about it."""

    at: Span
    sign: str
    role: Role
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """The part of a mark that lies on one line; `start` and `end` count code points from 0."""

    line: int
    start: int
    end: int
    sign: str
    role: Role
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _View:
    """What is shown of a line, and where its characters from `first` to `last` stand: `edges` are the columns between them."""

    shown: str
    first: int
    last: int
    edges: tuple[int, ...]

    def columns(self, stroke: _Stroke) -> tuple[int, int]:
        """(columns before the carets, columns of carets), at least one."""
        start = min(max(stroke.start, self.first), self.last) - self.first
        end = min(max(stroke.end, stroke.start, self.first), self.last) - self.first
        return self.edges[start], max(self.edges[end] - self.edges[start], 1)

    def holds(self, stroke: _Stroke) -> bool:
        return self.first <= stroke.start <= stroke.end <= self.last


def place(at: Span) -> str:
    """Where a span is, as editors open it; a file as such has no line."""
    return safe(at.path if at == Span.whole(at.path) else str(at))


def can_show(at: Span, sources: Mapping[str, Source]) -> bool:
    """Whether there is a line to show for a span."""
    return at != Span.whole(at.path) and at.path in sources and bool(sources[at.path].line(at.line))


def gutter_of(marks: Iterable[Mark]) -> int:
    """The columns that the line numbers of these marks need."""
    return max((len(str(_last_line(mark.at))) for mark in marks), default=1)


def excerpt(marks: Sequence[Mark], sources: Mapping[str, Source], gutter: int, columns: int, style: Style, first: str = "-->") -> list[str]:
    """The lines of one file under its place, each mark underlined; `marks` share a path, the first of them gives the place."""
    lines = [f"{' ' * gutter}{style('frame', first)} {style.link(marks[0].at.path, place(marks[0].at))}"]
    shown = [mark for mark in marks if can_show(mark.at, sources)]
    if not shown:
        return lines
    source = sources[marks[0].at.path]
    bar = f"{' ' * (gutter + 1)}{style('frame', '|')}"
    lines.append(bar)
    last = 0
    for number, strokes in _by_line(source, shown):
        if last and number > last + 1:
            lines.append(style("frame", _ELLIPSIS))
        last = number
        lines.extend(_line(hide_in_source(source, number), number, strokes, gutter, columns, style))
    return [*lines, bar]


def _by_line(source: Source, marks: Iterable[Mark]) -> Iterator[tuple[int, list[_Stroke]]]:
    lines: dict[int, dict[tuple[int, int], _Stroke]] = {}
    for mark in marks:
        for stroke in _strokes(source, mark):
            there, place = lines.setdefault(stroke.line, {}), (stroke.start, stroke.end)
            other = there.get(place)
            there[place] = stroke if other is None else replace(other, labels=(*other.labels, *stroke.labels))
    for number in sorted(lines):
        first, *others = lines[number].values()
        yield number, [first, *sorted(others, key=lambda stroke: stroke.start)]


def _last_line(at: Span) -> int:
    """The last line that a span has a character on."""
    return at.end_line if at.end_column > 1 else max(at.end_line - 1, at.line)


def _strokes(source: Source, mark: Mark) -> Iterator[_Stroke]:
    """A mark line by line, without the blanks that indent one and only the first and last of many; its words stand by the last."""
    at = mark.at
    last = _last_line(at)
    spans = [(at.line, at.column - 1, at.end_column - 1 if at.line == at.end_line else len(source.line(at.line).rstrip()))]
    numbers = range(at.line + 1, last + 1)
    for number in numbers if len(numbers) < _MOST_LINES else (last,):
        line = source.line(number)
        start = len(line) - len(line.lstrip())
        end = min(at.end_column - 1, len(line)) if number == at.end_line else len(line.rstrip())
        if start < end:
            spans.append((number, start, end))
    for index, (number, start, end) in enumerate(spans):
        labels = (mark.label,) if mark.label and index == len(spans) - 1 else ()
        yield _Stroke(number, start, end, mark.sign, mark.role, labels)


def _line(text: str, number: int, strokes: Sequence[_Stroke], gutter: int, columns: int, style: Style) -> Iterator[str]:
    """One line of a source with a row of carets for each stroke; a line too long for them all is cut around each."""
    room = max(columns - gutter - 3, 20)
    head = f"{style('frame', f'{number:>{gutter}} |')} "
    bar = f"{' ' * (gutter + 1)}{style('frame', '|')}"
    common = _view(text, min(stroke.start for stroke in strokes), max(stroke.end for stroke in strokes), room)
    together = all(common.holds(stroke) for stroke in strokes)
    shown = None
    for stroke in strokes:
        view = common if together else _view(text, stroke.start, stroke.end, room)
        if view.shown != shown:
            yield (head + view.shown).rstrip()
            shown = view.shown
        before, under = view.columns(stroke)
        carets = f"{bar} {' ' * before}{style(stroke.role, stroke.sign * under)}"
        label = "; ".join(safe(label) for label in stroke.labels)
        beside = room - before - under - 1
        if not label:
            yield carets
        elif beside >= min(width(label), _LEAST_LABEL):
            first, *more = wrap(label, beside)
            yield f"{carets} {style(stroke.role, first)}"
            for line in more:
                yield f"{bar} {' ' * (before + under + 1)}{style(stroke.role, line)}"
        else:
            yield carets
            indent = min(before, max(room - _LEAST_LABEL, 0))
            for line in wrap(label, room - indent):
                yield f"{bar} {' ' * indent}{style(stroke.role, line)}"


def _view(text: str, start: int, end: int, room: int) -> _View:
    """A line within `room`, cut where it must be so that the characters from `start` to `end` stay in sight, or at least their beginning.

    A cut leaves numbers whole, and a letter the marks that join it.
    """
    # A character that is shown takes a column or joins one that does, so three times the room on both sides is enough to look at:
    # a line of a megabyte costs no more than a short one.
    left = max(0, min(start, len(text)) - 3 * room)
    piece = text[left : start + 3 * room]
    laid: Sequence[str] = piece
    edges: Sequence[int] = range(len(piece) + 1)
    if not (piece.isascii() and piece.isprintable()):
        parts = cells(piece)
        laid = [character for character, _ in parts]
        edges = [0, *accumulate(columns for _, columns in parts)]
    start = min(start - left, len(laid))
    end = min(max(end - left, start), len(laid))
    if len(piece) == len(text) and edges[-1] <= room:
        return _View("".join(laid), 0, len(laid), tuple(edges))
    marked = edges[end] - edges[start]
    low, high = 0, len(laid)
    wanted = edges[start] - max(room - marked - 2 * len(_ELLIPSIS), room // 4) // 2
    if left or (edges[min(end + 1, len(laid))] > room - len(_ELLIPSIS) and wanted > 0):
        low = min(bisect_left(edges, wanted, 0, start), start)
        low = _between_numbers(piece, low, start, 1)
        while low < start and edges[low] == edges[low + 1]:
            low += 1
    opening = _ELLIPSIS if left or low else ""
    ceiling = edges[low] + room - len(opening)
    if edges[-1] > ceiling or left + len(laid) < len(text):
        high = max(bisect_right(edges, ceiling - len(_ELLIPSIS)) - 1, start)
        high = _between_numbers(piece, high, start + 1, -1)
        while start + 1 < high < len(laid) and edges[high] == edges[high + 1]:
            high -= 1
    closing = _ELLIPSIS if high < len(laid) or left + len(laid) < len(text) else ""
    shown = opening + "".join(laid[low:high]) + closing
    return _View(shown, left + low, left + high, tuple(len(opening) + edge - edges[low] for edge in edges[low : high + 1]))


def _between_numbers(text: str, at: int, end: int, step: int) -> int:
    """The place nearest to `at`, towards `end`, that is not inside a number; `at` itself where a number reaches to the end."""
    place = at
    while (end - place) * step > 0 and 0 < place < len(text) and is_digits(text[place - 1 : place + 1]):
        place += step
    inside = 0 < place < len(text) and is_digits(text[place - 1 : place + 1])
    return at if inside else place


def pieces(marks: Sequence[Mark], sources: Mapping[str, Source]) -> Iterator[tuple[int, list[tuple[str, Role | None]], list[str]]]:
    """The same lines for a reader whose page wraps: (number, stretches with what each is, what is said under the line)."""
    source = sources[marks[0].at.path]
    for number, strokes in _by_line(source, marks):
        text = hide_in_source(source, number)
        first = max(min(stroke.start for stroke in strokes) - _MOST_BESIDE, 0)
        last = min(max(min(stroke.end, stroke.start + _MOST_BESIDE) for stroke in strokes) + _MOST_BESIDE, first + _MOST_SHOWN)
        edges = sorted({first, *(min(max(edge, first), last) for stroke in strokes for edge in (stroke.start, stroke.end)), last})
        parts: list[tuple[str, Role | None]] = [(_ELLIPSIS, None)] if first else []
        for start, end in pairwise(edges):
            role = next((stroke.role for stroke in strokes if stroke.start <= start and end <= stroke.end), None)
            if shown := "".join(character for character, _ in cells(text[start:end])):
                parts.append((shown, role))
        if last < len(text):
            parts.append((_ELLIPSIS, None))
        yield number, parts, [safe(label) for stroke in strokes for label in stroke.labels]
