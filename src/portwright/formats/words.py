"""Line configs of words: `keyword value value`, one a line, as sshd_config(5) and redis.conf write them."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from portwright._start.records import dataclass, field
from portwright.numbers import based
from portwright.source import Source, Span, Unreadable, Word


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of files splits a line into words.

    `quotes` are the characters that quote, in the middle of a word too. `escapes` says, by the quote one stands in ("" outside), what
    a backslash makes literal: the characters, or None for all. `controls` are the letters that mean a control character there (in
    double quotes, `\\xHH` with them). `comments`: a `#` that starts a word ends the line; a line that starts with `#` is a comment
    everywhere. `equals`: one `=` may stand between the keyword and its values. `tight`: a closing quote ends the word, so nothing but
    a blank may follow it. `blanks` separate words.
    """

    quotes: str = "\"'"
    escapes: Mapping[str, str | None] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    comments: bool = False
    equals: bool = False
    tight: bool = False
    blanks: str = " \t\r"


# misc.c, strdelim() for the keyword and argv_split() for the rest; servconf.c strips CR and form feed at the end of a line.
SSHD = Dialect(
    escapes={"": "\\'\" ", '"': "\\'\"", "'": "\\'\""},
    comments=True,
    equals=True,
)
# sds.c, sdssplitargs(); config.c trims " \t\r\n" and knows no comment behind a directive.
REDIS = Dialect(
    escapes={'"': None, "'": "'"},
    controls={"n": "\n", "r": "\r", "t": "\t", "b": "\b", "a": "\a"},
    tight=True,
    blanks=" \t\r\v\f",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One directive: its keyword as written, and the words after it, quotes removed. A Word's span covers it with its quotes."""

    keyword: Word
    values: tuple[Word, ...]

    @property
    def at(self) -> Span:
        """From the keyword to the last word."""
        return self.keyword.at.to(self.values[-1].at) if self.values else self.keyword.at


def parse(source: Source, dialect: Dialect) -> tuple[tuple[Line, ...], tuple[Unreadable, ...]]:
    """The directives of a file in order, and the lines that are none; reading goes on after those."""
    lines: list[Line] = []
    troubles: list[Unreadable] = []
    for number, text in enumerate(source.text.split("\n"), 1):
        start = len(text) - len(text.lstrip(dialect.blanks))
        if start == len(text) or text[start] == "#":
            continue
        # servconf.c looks for the end down to the second character only, and so takes a form feed alone for a keyword.
        end = max(len(text.rstrip(dialect.blanks + "\f")), start + 1)
        line = _line(source.path, number, text[:end], start, dialect)
        if isinstance(line, Line):
            lines.append(line)
        else:
            troubles.append(line)
    return tuple(lines), tuple(troubles)


def read_option(word: Word, dialect: Dialect) -> Line | Unreadable:
    """The directive that one command-line argument holds (`-o Port=22`); every word of it stands where the argument does."""
    text = word.text.strip(dialect.blanks)
    line = _line(word.at.path, 1, text, 0, dialect) if text else Unreadable(word.at, "an option is empty")
    if isinstance(line, Unreadable):
        return Unreadable(word.at, line.reason)
    return Line(Word(line.keyword.text, word.at), tuple(Word(value.text, word.at) for value in line.values))


def _line(path: str, number: int, text: str, start: int, dialect: Dialect) -> Line | Unreadable:
    keyword, at = _keyword(path, number, text, start, dialect) if dialect.equals else _word(path, number, text, start, dialect)
    if isinstance(keyword, Unreadable):
        return keyword
    values: list[Word] = []
    at = _after_equals(text, at, dialect)
    while at < len(text) and not (dialect.comments and text[at] == "#"):
        value, at = _word(path, number, text, at, dialect)
        if isinstance(value, Unreadable):
            return value
        values.append(value)
        at = _skip(text, at, dialect)
    return Line(keyword, tuple(values))


def _keyword(path: str, number: int, text: str, start: int, dialect: Dialect) -> tuple[Word | Unreadable, int]:
    """The first word where an `=` ends it; a keyword may be quoted whole."""
    if text[start] == '"':
        end = text.find('"', start + 1)
        if end < 0:
            return Unreadable(Span(path, number, start + 1, number, len(text) + 1), "a quote is not closed"), len(text)
        return Word(text[start + 1 : end], Span(path, number, start + 1, number, end + 2)), end + 1
    end = start
    while end < len(text) and text[end] not in dialect.blanks and text[end] not in '="':
        end += 1
    return Word(text[start:end], Span(path, number, start + 1, number, end + 1)), end


def _after_equals(text: str, at: int, dialect: Dialect) -> int:
    at = _skip(text, at, dialect)
    if dialect.equals and text[at : at + 1] == "=":
        at = _skip(text, at + 1, dialect)
    return at


def _skip(text: str, at: int, dialect: Dialect) -> int:
    while at < len(text) and text[at] in dialect.blanks:
        at += 1
    return at


def _word(path: str, number: int, text: str, start: int, dialect: Dialect) -> tuple[Word | Unreadable, int]:
    """The word at `start` and where the text goes on; Unreadable for a quote that is not closed as the dialect wants it."""
    found: list[str] = []
    quote, at = "", start
    while at < len(text):
        char = text[at]
        escapable = dialect.escapes.get(quote, "")
        if char == "\\" and at + 1 < len(text) and (escapable is None or text[at + 1] in escapable):
            literal, at = _escape(text, at + 1, dialect.controls if escapable is None else {})
            found.append(literal)
        elif quote:
            if char != quote:
                end = _after_plain(text, at + 1, quote)
                found.append(text[at:end])
                at = end
                continue
            at += 1
            quote = ""
            if dialect.tight:
                if at < len(text) and text[at] not in dialect.blanks:
                    return Unreadable(Span(path, number, at + 1, number, at + 2), "a closing quote is followed by more text"), len(text)
                break
        elif char in dialect.blanks:
            break
        elif char in dialect.quotes:
            quote = char
            at += 1
        else:
            end = _after_plain(text, at + 1, dialect.blanks + dialect.quotes)
            found.append(text[at:end])
            at = end
    if quote:
        return Unreadable(Span(path, number, start + 1, number, len(text) + 1), "a quote is not closed"), len(text)
    return Word("".join(found), Span(path, number, start + 1, number, at + 1)), at


def _after_plain(text: str, at: int, marks: str) -> int:
    """Where the characters end that stand for themselves: at a backslash or one of these marks."""
    found = _plain(marks).match(text, at)
    return at if found is None else found.end()


@cache
def _plain(marks: str) -> re.Pattern[str]:
    return re.compile(f"[^{re.escape(marks)}\\\\]+")


def _escape(text: str, at: int, controls: Mapping[str, str]) -> tuple[str, int]:
    """What the characters after a backslash stand for, and where the text goes on."""
    digits = text[at + 1 : at + 3]
    if controls and text[at] == "x" and len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return chr(based(digits, 16) or 0), at + 3
    return controls.get(text[at], text[at]), at + 1


def options(arguments: Iterable[Word]) -> tuple[Line, ...]:
    """Command-line arguments as directives: each `--keyword` takes the words up to the next one (redis-server's way)."""
    lines: list[Line] = []
    keyword: Word | None = None
    values: list[Word] = []
    for word in arguments:
        if word.text.startswith("--"):
            if keyword is not None:
                lines.append(Line(keyword, tuple(values)))
            keyword, values = Word(word.text[2:], word.at), []
        elif keyword is not None:
            values.append(word)
    if keyword is not None:
        lines.append(Line(keyword, tuple(values)))
    return tuple(lines)
