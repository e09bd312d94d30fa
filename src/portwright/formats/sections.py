"""Settings in sections: `key = value` under `[section]` (ini, TOML, properties), `key: value` under `clause:` (unbound, nsd)."""

from portwright._start.records import dataclass
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Span, Unreadable, Word


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of files is written.

    `equals` are the characters that end a key. `comments` start one where a line starts; with `trailing`, behind a value and a blank
    too. `clauses`: a key without a value opens a section of its name. `lists`: `[a, b]` is a list, over lines if need be (TOML).
    `bare`: a line without any of `equals` is a key of no value.
    """

    equals: str = "="
    comments: str = "#;"
    trailing: bool = False
    clauses: bool = False
    lists: bool = False
    bare: bool = True


INI = Dialect()
PROPERTIES = Dialect(equals="=:", comments="#!")
ASSIGNMENTS = Dialect(comments="#", trailing=True)
TOML = Dialect(comments="#", trailing=True, lists=True, bare=False)
CLAUSES = Dialect(equals=":", comments="#", trailing=True, clauses=True)
# knot.conf looks like YAML, but takes `[ 0.0.0.0@53, ::@53 ]`, which is none.
KNOT = Dialect(equals=":", comments="#", trailing=True, clauses=True, lists=True)


def parse(source: Source, dialect: Dialect = INI) -> Parsed:
    """Sections as nodes with their settings inside, settings before any section as nodes of their own."""
    return _Reader(source, dialect).read()


class _Reader:
    def __init__(self, source: Source, dialect: Dialect) -> None:
        self._path = source.path
        self._lines = source.text.split("\n")
        self._dialect = dialect
        self._found: list[Node] = []
        self._troubles: list[Unreadable] = []
        self._section: Word | None = None
        self._inside: list[Node] = []

    def read(self) -> Parsed:
        number = 0
        while number < len(self._lines):
            number = self._line(number)
        self._close()
        return tuple(self._found), tuple(self._troubles)

    def _close(self) -> None:
        if self._section is not None:
            self._found.append(Node(self._section, (), tuple(self._inside)))
        self._inside = []

    def _line(self, number: int) -> int:
        """Read one line, and the lines a list goes on over; the number of the next one."""
        text = self._lines[number]
        start = len(text) - len(text.lstrip())
        end = len(text.rstrip())
        if start >= end or text[start] in self._dialect.comments:
            return number + 1
        if text[start] == "[" and not self._dialect.clauses:
            self._open(number, text, start)
            return number + 1
        equals = min([at for char in self._dialect.equals if (at := text.find(char, start)) >= 0], default=-1)
        if equals < 0:
            if self._dialect.bare:
                self._add(Node(self._word(number, start, end)))
            else:
                self._troubles.append(Unreadable(self._at(number, start, end), "neither a section nor a key with a value"))
            return number + 1
        key = self._word(number, start, start + len(text[start:equals].rstrip()))
        first = equals + 1
        while first < end and text[first] in " \t":
            first += 1
        if self._dialect.clauses and (first >= end or text[first] in self._dialect.comments):
            self._close()
            self._section = key
            return number + 1
        if self._dialect.lists and text[first : first + 1] == "[":
            return self._list(number, first, key)
        value, _ = self._value(number, text, first, "")
        self._add(Node(key, (value,)))
        return number + 1

    def _open(self, number: int, text: str, start: int) -> None:
        close = text.find("]", start)
        if close < 0:
            self._troubles.append(Unreadable(self._at(number, start, len(text)), "a section's bracket is not closed"))
            return
        self._close()
        while start < close and text[start] == "[":
            start += 1
        self._section = self._word(number, start, close)

    def _list(self, number: int, position: int, key: Word) -> int:
        """The values of `[a, "b"]`, which may go on over lines until its bracket is closed."""
        values: list[Word] = []
        position += 1
        while number < len(self._lines):
            text = self._lines[number]
            while position < len(text):
                char = text[position]
                if char in "#":
                    break
                if char == "]":
                    self._add(Node(key, tuple(values)))
                    return number + 1
                if char in ", \t\r[{}":
                    position += 1
                    continue
                value, position = self._value(number, text, position, ",]")
                values.append(value)
            number, position = number + 1, 0
        self._troubles.append(Unreadable(key.at, "a list is not closed"))
        return number

    def _value(self, number: int, text: str, start: int, ends: str) -> tuple[Word, int]:
        """The value at `start`, its quotes removed, and where the line goes on."""
        quote = text[start : start + 1]
        if quote and quote in "\"'":
            close = text.find(quote, start + 1)
            if close >= 0:
                return Word(text[start + 1 : close], self._at(number, start, close + 1)), close + 1
        stop = start
        marks = ends + self._dialect.comments if self._dialect.trailing else ends
        if not any(mark in text for mark in marks):
            stop = len(text)
        while stop < len(text):
            char = text[stop]
            if char in ends or (char in marks and (stop == start or text[stop - 1] in " \t")):
                break
            stop += 1
        return self._word(number, start, start + len(text[start:stop].rstrip())), max(stop, start + 1)

    def _word(self, number: int, start: int, end: int) -> Word:
        text = self._lines[number][start:end]
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1]
        return Word(text, self._at(number, start, end))

    def _at(self, number: int, start: int, end: int) -> Span:
        return Span(self._path, number + 1, start + 1, number + 1, end + 1)

    def _add(self, node: Node) -> None:
        (self._found if self._section is None else self._inside).append(node)
