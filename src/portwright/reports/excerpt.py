"""Lines of a source with a gutter, and carets under what matters, as compilers show them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from portwright.reports.escape import cells, safe, width, wrap
from portwright.reports.secrets import hide_in_line
from portwright.reports.style import Role, Style
from portwright.source import Source, Span
from portwright.values import dataclass, replace

_LEAST_LABEL = 30  # columns a label needs beside its carets; with less it goes below, from the left
_ELLIPSIS = "..."


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline: with what, in which colour, and what to say about it."""

    at: Span
    sign: str
    role: Role
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """The part of a mark that lies on its first line; `start` and `end` count code points from 0."""

    line: int
    start: int
    end: int
    sign: str
    role: Role
    goes_on: bool
    labels: tuple[str, ...] = ()


def place(at: Span) -> str:
    """Where a span is, as editors open it; a file as such has no line."""
    return safe(at.path if at == Span.whole(at.path) else str(at))


def can_show(at: Span, sources: Mapping[str, Source]) -> bool:
    """Whether there is a line to show for a span."""
    return at != Span.whole(at.path) and at.path in sources and bool(sources[at.path].line(at.line))


def gutter_of(marks: Iterable[Mark]) -> int:
    """The columns that the line numbers of these marks need."""
    return max((len(str(mark.at.line)) for mark in marks), default=1)


def excerpt(marks: Sequence[Mark], sources: Mapping[str, Source], gutter: int, columns: int, style: Style, first: str = "-->") -> list[str]:
    """The lines of one file under its place, each mark underlined; `marks` share a path, the first of them gives the place."""
    lines = [f"{' ' * gutter}{style('frame', first)} {place(marks[0].at)}"]
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
        lines.extend(_line(hide_in_line(source.line(number)), number, strokes, gutter, columns, style))
    return [*lines, bar]


def _by_line(source: Source, marks: Iterable[Mark]) -> Iterator[tuple[int, list[_Stroke]]]:
    lines: dict[int, list[_Stroke]] = {}
    for mark in marks:
        stroke = _stroke(source, mark)
        there = lines.setdefault(stroke.line, [])
        for index, other in enumerate(there):
            if (other.start, other.end) == (stroke.start, stroke.end):
                there[index] = replace(other, labels=(*other.labels, *stroke.labels))
                break
        else:
            there.append(stroke)
    for number in sorted(lines):
        yield number, lines[number]


def _stroke(source: Source, mark: Mark) -> _Stroke:
    """A mark on its first line; dots say that the span goes on below."""
    at = mark.at
    goes_on = at.end_line > at.line
    end = len(source.line(at.line)) if goes_on else at.end_column - 1
    return _Stroke(at.line, at.column - 1, end, mark.sign, mark.role, goes_on, (mark.label,) if mark.label else ())


def _line(text: str, number: int, strokes: Sequence[_Stroke], gutter: int, columns: int, style: Style) -> Iterator[str]:
    """One line of a source with a row of carets for each stroke; a line too long for them all is cut around each."""
    room = max(columns - gutter - 3, 20)
    head = f"{style('frame', f'{number:>{gutter}} |')} "
    bar = f"{' ' * (gutter + 1)}{style('frame', '|')}"
    shown = ""
    for stroke in strokes:
        window, before, under = _window(text, stroke, room)
        if window != shown:
            yield (head + window).rstrip()
            shown = window
        carets = stroke.sign * under
        if stroke.goes_on and before + under + len(_ELLIPSIS) <= room:
            carets += _ELLIPSIS
            under += len(_ELLIPSIS)
        label = "; ".join(safe(label) for label in stroke.labels)
        beside = room - before - under - 1
        if not label:
            yield f"{bar} {' ' * before}{style(stroke.role, carets)}"
        elif beside >= min(width(label), _LEAST_LABEL):
            first, *more = wrap(label, beside)
            yield f"{bar} {' ' * before}{style(stroke.role, f'{carets} {first}')}"
            for line in more:
                yield f"{bar} {' ' * (before + under + 1)}{style(stroke.role, line)}"
        else:
            yield f"{bar} {' ' * before}{style(stroke.role, carets)}"
            indent = min(before, max(room - _LEAST_LABEL, 0))
            for line in wrap(label, room - indent):
                yield f"{bar} {' ' * indent}{style(stroke.role, line)}"


def _window(text: str, stroke: _Stroke, room: int) -> tuple[str, int, int]:
    """(what is shown of a line, columns before the carets, columns of carets) so that the stroke is in sight within `room`."""
    # A character that is shown takes a column or joins one that does, so three times the room on both sides is enough to look at:
    # a line of a megabyte costs no more than a short one.
    left = max(0, min(stroke.start, len(text)) - 3 * room)
    piece = text[left : stroke.start + 3 * room]
    laid = cells(piece)
    edges = [0, *accumulate(columns for _, columns in laid)]
    start = min(stroke.start - left, len(laid))
    end = min(max(stroke.end - left, start), len(laid))
    if len(piece) == len(text) and edges[-1] <= room:
        shown = "".join(character for character, _ in laid)
        return shown, edges[start], max(edges[end] - edges[start], 1)
    marked = edges[end] - edges[start]
    low, high = 0, len(laid)
    wanted = edges[start] - max(room - marked - 2 * len(_ELLIPSIS), room // 4) // 2
    if left or (edges[min(end + 1, len(laid))] > room - len(_ELLIPSIS) and wanted > 0):
        while low < start and edges[low] < wanted:
            low += 1
    opening = _ELLIPSIS if left or low else ""
    ceiling = edges[low] + room - len(opening)
    if edges[-1] > ceiling or left + len(laid) < len(text):
        while high > start and edges[high] > ceiling - len(_ELLIPSIS):
            high -= 1
    closing = _ELLIPSIS if high < len(laid) or left + len(laid) < len(text) else ""
    shown = opening + "".join(character for character, _ in laid[low:high]) + closing
    before = len(opening) + edges[start] - edges[low]
    return shown, before, max(edges[min(end, high)] - edges[start], 1)
