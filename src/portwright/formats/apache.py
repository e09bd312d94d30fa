"""Apache httpd's configuration grammar (server/config.c): a file becomes a tree of directives and sections that know where they stood."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.numbers import is_digits
from portwright.source import Source, Span, Unreadable, Word

DEEPEST = 100
"""Sections nested deeper are not read."""

LONGEST_LINE = 1 << 24
"""Characters of a line, continued lines together (VARBUF_MAX_LEN)."""

_MOST_REPLACED = 1 << 16  # a value that doubles itself again and again ends here
_BLANKS = " \t\r\n\f\v"  # apr_isspace()
_RAW = frozenset(("perl", "lua", "macro"))  # what stands inside is another language, or text with parameters
_VARIABLE = lazy_regex(r"\$\{([^${}]*+)\}")

_Stretch = tuple[int, int, int, Word | None]  # where it begins, what was written there (start, end), the variable's value


@dataclass(frozen=True, slots=True)
class Directive:
    """A line `Name arguments`, or a section `<Name arguments> ... </Name>` where `block` is not None.

    `text` is what follows the name, continued lines joined; `breaks` says where it goes on: (offset into `text`, offset into the
    file). `raw` is what stands inside a section of another language or a macro, unread.
    """

    source: Source
    name: str
    start: int
    text: str
    breaks: tuple[tuple[int, int], ...]
    block: tuple["Directive", ...] | None = None
    raw: str = ""

    @property
    def keyword(self) -> str:
        """The name in lower case: httpd does not mind the case."""
        return self.name.lower()

    @property
    def at(self) -> Span:
        """From the name to the last argument."""
        if not self.text:
            return self.source.span(self.start, self.start + len(self.name))
        return self.source.span(self.start, self._offset(len(self.text) - 1) + 1)

    def words(self, variables: Mapping[str, Word] | None = None) -> tuple[Word, ...]:
        """The arguments as ap_getword_conf() takes them apart, each with the place it was written at (quotes included).

        `${NAME}` is replaced first, so that a value with blanks is several words; what is not known stays as it is. A word whose
        digits come from a variable stands where the variable got its value.
        """
        if variables is None or "${" not in self.text:
            return tuple(Word(text, self._span(start, end)) for text, start, end in _words(self.text))
        text, stretches = self._resolved(variables)
        return tuple(Word(word, self._origin(text, start, end, stretches)) for word, start, end in _words(text))

    def _offset(self, position: int) -> int:
        index = bisect_right(self.breaks, position, key=lambda each: each[0]) - 1
        here, there = self.breaks[index]
        return there + position - here

    def _span(self, start: int, end: int) -> Span:
        first = self._offset(start)
        return self.source.span(first, self._offset(end - 1) + 1 if end > start else first)

    def _resolved(self, variables: Mapping[str, Word]) -> tuple[str, list[_Stretch]]:
        """The text with variables replaced, and where each stretch of it comes from."""
        pieces: list[str] = []
        stretches: list[_Stretch] = []
        position = length = 0

        def put(text: str, start: int, end: int, value: Word | None) -> None:
            nonlocal length
            if text:
                pieces.append(text)
                stretches.append((length, start, end, value))
                length += len(text)

        for found in _VARIABLE.finditer(self.text):
            value = variables.get(found[1])
            if value is not None and length + len(value.text) <= _MOST_REPLACED:
                put(self.text[position : found.start()], position, found.start(), None)
                put(value.text, found.start(), found.end(), value)
                position = found.end()
        put(self.text[position:], position, len(self.text), None)
        return "".join(pieces), stretches

    def _origin(self, text: str, start: int, end: int, stretches: list[_Stretch]) -> Span:
        """Where `text[start:end]` of the text with variables replaced was written."""
        first = max(bisect_right(stretches, start, key=lambda each: each[0]) - 1, 0)
        written: list[Span] = []
        for begin, low, high, value in stretches[first:]:
            if begin >= end > start:
                break
            if value is None:
                written.append(self._span(low + max(start - begin, 0), min(low + end - begin, high)))
            elif any(is_digits(char) for char in text[max(begin, start) : min(begin + len(value.text), end)]):
                return value.at
            else:
                written.append(self._span(low, high))
        return written[0].to(written[-1]) if written else self.at


@dataclass(frozen=True, slots=True)
class Document:
    """A file's directives in order, and where its text is not what httpd would accept."""

    directives: tuple[Directive, ...]
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(slots=True)
class _Open:
    """A section whose closing tag has not come yet, and what stood before it on its level."""

    directive: Directive
    before: list[Directive]


def parse(source: Source) -> Document:
    """Read a whole file, in time linear in its length. What httpd would reject is said with its place; reading goes on after it."""
    wrong: list[Unreadable] = []
    inside: list[Directive] = []
    sections: list[_Open] = []
    lines = _lines(source)
    for line in lines:
        name = line.name
        if not name.startswith("<"):
            inside.append(line)
        elif name.startswith("</"):
            closes = name[2:].rstrip(">").lower()
            if not name.endswith(">") and not line.text.startswith(">"):
                wrong.append(Unreadable(line.at, f"{name} is missing its closing >"))
            depth = next((n for n, each in enumerate(reversed(sections)) if each.directive.keyword == closes), None)
            if depth is None:
                wrong.append(Unreadable(line.at, f"</{name[2:].rstrip('>')}> closes a section that is not open"))
                continue
            for _ in range(depth):
                wrong.append(Unreadable(sections[-1].directive.at, f"<{sections[-1].directive.name}> is not closed before {name}"))
                inside = _close(sections, inside)
            inside = _close(sections, inside)
        else:
            section = _section(line, wrong)
            if section.keyword in _RAW:
                inside.append(_raw(section, lines, wrong))
            elif len(sections) >= DEEPEST:
                wrong.append(Unreadable(line.at, f"sections are nested more than {DEEPEST} deep, this one is not read"))
                _soak(section, lines)
            else:
                sections.append(_Open(section, inside))
                inside = []
    while sections:
        directive = sections[-1].directive
        wrong.append(Unreadable(directive.at, f"<{directive.name}> is not closed before the end of the file"))
        inside = _close(sections, inside)
    return Document(tuple(inside), tuple(wrong))


def _close(sections: list[_Open], inside: list[Directive]) -> list[Directive]:
    section = sections.pop()
    section.before.append(replace(section.directive, block=tuple(inside)))
    return section.before


def _section(line: Directive, wrong: list[Unreadable]) -> Directive:
    """`<Name arguments>`: what the arguments are ends at the last `>` of the line."""
    name, text = line.name[1:], line.text
    if text:
        end = text.rfind(">")
    else:
        end = 0 if name.endswith(">") else -1
        name = name.removesuffix(">")
    if end < 0:
        wrong.append(Unreadable(line.at, f"<{name}> is missing its closing >"))
        end = len(text)
    return replace(line, name=name, start=line.start + 1, text=text[:end].rstrip(_BLANKS), block=())


def _raw(section: Directive, lines: Iterator[Directive], wrong: list[Unreadable]) -> Directive:
    """A section whose content is kept as text."""
    found: list[str] = []
    ends = f"</{section.keyword}>"
    for line in lines:
        if line.name.lower() == ends:
            return replace(section, raw="\n".join(found))
        found.append(f"{line.name} {line.text}")
    wrong.append(Unreadable(section.at, f"<{section.name}> is not closed before the end of the file"))
    return replace(section, raw="\n".join(found))


def _soak(section: Directive, lines: Iterator[Directive]) -> None:
    """Leave out a section with all that is in it."""
    depth = 1
    for line in lines:
        name = line.name.lower().rstrip(">")
        depth += (name == f"<{section.keyword}") - (name == f"</{section.keyword}")
        if not depth:
            return


def _lines(source: Source) -> Iterator[Directive]:
    """Each line that says something as name and rest, continued lines joined (ap_cfg_getline); a comment may be continued too."""
    text, size = source.text, len(source.text)
    position = 0
    while position < size:
        pieces: list[str] = []
        breaks: list[tuple[int, int]] = []
        length = 0
        survives_conflict = True
        while survives_conflict and position < size:
            newline = text.find("\n", position)
            newline = size if newline < 0 else newline
            end = newline - 1 if newline > position and text[newline - 1] == "\r" else newline
            survives_conflict = end > position and text[end - 1] == "\\" and newline < size
            pieces.append(text[position : end - survives_conflict])
            breaks.append((length, position))
            length += len(pieces[-1])
            position = newline + 1
        line = "".join(pieces)
        start = len(line) - len(line.lstrip(_BLANKS))
        line = line.rstrip(_BLANKS)
        if start >= len(line) or line[start] == "#" or length > LONGEST_LINE:
            continue
        yield _directive(source, line, start, breaks)


def _directive(source: Source, line: str, start: int, breaks: list[tuple[int, int]]) -> Directive:
    end = start
    while end < len(line) and line[end] not in _BLANKS:
        end += 1
    rest = end
    while rest < len(line) and line[rest] in _BLANKS:
        rest += 1

    def offset(at: int) -> int:
        here, there = breaks[bisect_right(breaks, at, key=lambda each: each[0]) - 1]
        return there + at - here

    if rest >= len(line):
        inner: tuple[tuple[int, int], ...] = ((0, offset(max(len(line) - 1, 0)) + 1),)
    else:
        inner = ((0, offset(rest)), *((here - rest, there) for here, there in breaks if here > rest))
    return Directive(source, line[start:end], offset(start), line[rest:], inner)


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """(word, start, end) of each word (ap_getword_conf): quotes count at a word's start only, one that is not closed takes the rest."""
    at, size = 0, len(text)
    while True:
        while at < size and text[at] in _BLANKS:
            at += 1
        if at >= size:
            return
        start, quote = at, text[at] if text[at] in "\"'" else ""
        if quote:
            at += 1
            while at < size and text[at] != quote:
                at += 2 if text[at] == "\\" and at + 1 < size and text[at + 1] in ("\\", quote) else 1
            word, at = text[start + 1 : at], min(at + 1, size)
        else:
            while at < size and text[at] not in _BLANKS:
                at += 1
            word = text[start:at]
        yield (_plain(word, quote) if "\\" in word else word), start, at


def _plain(word: str, quote: str) -> str:
    """substring_conf(): a backslash goes before another one, and before the quote the word stands in."""
    return re.sub(r"\\([\\" + quote + "])", r"\1", word)
