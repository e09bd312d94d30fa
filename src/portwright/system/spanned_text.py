"""Text that remembers, stretch by stretch, which line it came from: through unquoting, variables and shells."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from portwright._start.records import dataclass
from portwright.facts import Setting
from portwright.numbers import is_digits
from portwright.source import Source, Span, Word

UNKNOWN = "\ufffd"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text and its origin; `exact` where each character stands for one column of a single line."""

    text: str
    at: Span
    exact: bool = False

    def cut(self, start: int, end: int) -> "Piece":
        """`text[start:end]`, with a narrower span where that is known."""
        if start == 0 and end == len(self.text):
            return self
        at = self.at
        if self.exact:
            at = Span(at.path, at.line, at.column + start, at.line, at.column + end)
        return Piece(self.text[start:end], at, self.exact)


def piece(word: Word) -> Piece:
    """A word as one piece, exact where its span is as wide as its text."""
    at = word.at
    return Piece(word.text, at, at.line == at.end_line and at.end_column - at.column == len(word.text))


@dataclass(frozen=True, slots=True)
class SpannedText:
    """Pieces in a row; `at` is the place to point at where there is no text (an empty argument)."""

    pieces: tuple[Piece, ...]
    at: Span

    @staticmethod
    def of(word: Word) -> "SpannedText":
        return SpannedText((piece(word),) if word.text else (), word.at)

    @staticmethod
    def of_lines(source: Source, start: int, end: int) -> "SpannedText":
        """A stretch of a file, in a piece for each of its lines, so that what a script says is found at its line."""
        pieces: list[Piece] = []
        position = start
        while position < end:
            newline = source.text.find("\n", position, end)
            stop = end if newline < 0 else newline
            if stop > position:
                pieces.append(Piece(source.text[position:stop], source.span(position, stop), True))
            if newline >= 0:
                pieces.append(Piece("\n", source.span(stop, stop)))
            position = stop + 1
        return SpannedText(tuple(pieces), source.span(start, end))

    @property
    def text(self) -> str:
        return self.pieces[0].text if len(self.pieces) == 1 else "".join([p.text for p in self.pieces])

    @property
    def known(self) -> bool:
        """Whether every part of it could be worked out."""
        return all(UNKNOWN not in p.text for p in self.pieces)

    def word(self) -> Word:
        """The text, and the place a reader should look: where its last number was written, else all of it.

        A port in a variable is thus found at the line that gives the variable its value, whatever it is pasted into.
        """
        if len(self.pieces) == 1:
            return Word(self.pieces[0].text, self.pieces[0].at)
        numbered = next((p for p in reversed(self.pieces) if any(is_digits(c) for c in p.text)), None)
        if numbered is None:
            return Word(self.text, _cover(self.pieces) if self.pieces else self.at)
        together = [p for p in self.pieces if p.at.path == numbered.at.path and p.at.line == numbered.at.line]
        return Word(self.text, _cover(together))


def _cover(pieces: Iterable[Piece]) -> Span:
    """One span over the pieces that stand in the file of the first one."""
    spans = [p.at for p in pieces]
    spans = [at for at in spans if at.path == spans[0].path]
    first = min(spans, key=lambda at: (at.line, at.column))
    last = max(spans, key=lambda at: (at.end_line, at.end_column))
    return first.to(last)


class SpannedTextBuilder:
    """Collects characters and their origins into a Passage; neighbours of one line become one piece."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._text: list[str] = []
        self._start: Span | None = None
        self._end: Span | None = None
        self._exact = True
        self.started = False
        """An argument was begun, if only by an empty pair of quotes."""
        self.at: Span | None = None

    def begin(self, at: Span) -> None:
        self.started = True
        self.at = self.at or at

    def add(self, text: str, at: Span, exact: bool) -> None:
        """Append text; it goes on with the piece before where it follows it directly."""
        if not text:
            return
        self.begin(at)
        end = self._end
        if end is not None and self._start is not None and end.path == at.path and end.end_line == at.line and end.end_column == at.column:
            self._text.append(text)
            self._exact = self._exact and exact and at.line == at.end_line
        else:
            self._flush()
            self._start, self._exact = at, exact and at.line == at.end_line
            self._text.append(text)
        self._end = at

    def put_on(self, pieces: Iterable[Piece]) -> None:
        """Append pieces of a longer text, joined with what they follow directly."""
        for one in pieces:
            self.add(one.text, one.at, one.exact)

    def put(self, pieces: Iterable[Piece]) -> None:
        """Append pieces as they are, keeping them apart from what stands beside them."""
        for one in pieces:
            self._flush()
            self.begin(one.at)
            if one.text:
                self._pieces.append(one)

    def _flush(self) -> None:
        if self._start is not None and self._end is not None:
            self._pieces.append(Piece("".join(self._text), self._start.to(self._end), self._exact))
        self._text, self._start, self._end = [], None, None

    def finish(self) -> SpannedText:
        """What was collected; the weaver starts over."""
        self._flush()
        done = SpannedText(tuple(self._pieces), self.at or Span("", 1, 1, 1, 1))
        self._pieces, self.started, self.at = [], False, None
        return done


class SpannedTextView:
    """A passage read character by character: `at(i)` is the origin of character i; linear over the whole."""

    def __init__(self, passage: SpannedText) -> None:
        self.text = passage.text
        self._anchor = passage.at
        self._starts: list[int] = []
        self._pieces = passage.pieces
        position = 0
        for one in self._pieces:
            self._starts.append(position)
            position += len(one.text)

    def cut(self, start: int, end: int) -> tuple[Piece, ...]:
        """The pieces that make up `text[start:end]`."""
        if start >= end or not self._pieces:
            return ()
        found = []
        for index in range(bisect_right(self._starts, start) - 1, len(self._pieces)):
            begin, one = self._starts[index], self._pieces[index]
            if begin >= end:
                break
            found.append(one.cut(max(start - begin, 0), min(end - begin, len(one.text))))
        return tuple(found)

    def span(self, start: int, end: int) -> Span:
        """Where `text[start:end]` was written."""
        pieces = self.cut(start, max(end, start + 1)) or self.cut(max(start - 1, 0), start)
        return _cover(pieces) if pieces else self._anchor


def tail(passage: SpannedText, start: int) -> SpannedText:
    """What stands behind the beginning of a word, as the value in `--name=value`."""
    return SpannedText(SpannedTextView(passage).cut(start, len(passage.text)), passage.word().at)


def written(setting: Setting) -> SpannedText:
    """A setting's value as the pieces it was written in, one for each continued line."""
    value = setting.value
    bounds = [0, *(offset for offset, _, _ in setting.breaks if 0 < offset < len(value)), len(value)]
    pieces = (Piece(value[a:b], setting.span(a, b), True) for a, b in pairwise(bounds) if a < b)
    return SpannedText(tuple(pieces), setting.at)
