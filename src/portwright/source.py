"""Where a word stood: a text file as it was read, and spans into it.

Lines and columns count from 1, ends are exclusive, columns are code points (not bytes, not UTF-16 units).
"""

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one file: from line:column up to, not including, end_line:end_column."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def to(self, end: "Span") -> "Span":
        """The stretch from the start of this span to the end of a later one in the same file."""
        return Span(self.path, self.line, self.column, end.end_line, end.end_column)

    @staticmethod
    def whole(path: str) -> "Span":
        """The place to point at when a file as such is meant: its first character, of no width."""
        return Span(path, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of text together with the place it was written at; the unit in which every format speaks."""

    text: str
    at: Span


@dataclass(frozen=True)
class Source:
    """A file's text (UTF-8, undecodable bytes kept as surrogate escapes) under the path it has on its host."""

    path: str
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *accumulate(map((1).__add__, map(len, self.text.split("\n"))))][:-1]

    def span(self, start: int, end: int) -> Span:
        """The span of `text[start:end]`."""
        first = bisect_right(self._line_starts, start) - 1
        last = bisect_right(self._line_starts, end) - 1
        return Span(self.path, first + 1, start - self._line_starts[first] + 1, last + 1, end - self._line_starts[last] + 1)

    def stretch(self, at: Span) -> tuple[int, int]:
        """Where in the text a span of it begins and ends."""
        starts = self._line_starts
        return starts[at.line - 1] + at.column - 1, starts[at.end_line - 1] + at.end_column - 1

    def line(self, number: int) -> str:
        """The text of one line (1-based), without its newline; empty where there is no such line."""
        if not 1 <= number <= len(self._line_starts):
            return ""
        start = self._line_starts[number - 1]
        end = self._line_starts[number] - 1 if number < len(self._line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r")

    def near(self, number: int, before: int, after: int) -> str:
        """A line with so many before and after it."""
        starts = self._line_starts
        first = starts[max(number - 1 - before, 0)] if number <= len(starts) else len(self.text)
        return self.text[first : starts[number + after] if number + after < len(starts) else len(self.text)]


@dataclass(frozen=True, slots=True, order=True)
class Rewrite:
    """A stretch of a file that is to say something else: `text` takes the place of `was`. Where that is empty, `text` is put in before it,
    where `text` is empty, a line that holds nothing else goes with it."""

    at: Span
    text: str
    was: str = ""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What lines of a daemon's config would have to say for something to be so, and in which words a person would be asked for it.

    `refused` says which line stands in the way, "" where none does; `caution` what a person should know before. `config` are the files that
    the daemon is given to read, which its own command checks.
    """

    rewrites: tuple[Rewrite, ...] = ()
    words: str = ""
    refused: str = ""
    caution: str = ""
    config: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Unreadable:
    """Something that could not be read or parsed: where reading stopped, and why. Reading goes on after it."""

    at: Span
    reason: str


class ParseError(Exception):
    """A person wrote something this grammar does not allow; `at` is the place."""

    def __init__(self, at: Span, reason: str) -> None:
        super().__init__(f"{at}: {reason}")
        self.at = at
        self.reason = reason


class RuleError(Exception):
    """A mistake in a rule file: the run stops before any host is read."""

    def __init__(self, at: Span, reason: str) -> None:
        super().__init__(f"{at}: {reason}")
        self.at = at
        self.reason = reason
