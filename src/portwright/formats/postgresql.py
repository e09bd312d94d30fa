"""postgresql.conf: `name = value` lines with SQL-like quotes (guc-file.l); each becomes a pair of words that know where they stood."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.numbers import based
from portwright.source import Source, Unreadable, Word

# Every repetition is possessive: no line makes the pattern go back over what it has read. Letters are what is not one of the other
# ASCII characters: compiling a range of all the others takes Python 50 ms.
_NO_LETTER = r"\[-^`{-\x7f"
_LETTER = rf"[^\x00-@{_NO_LETTER}]"
_NAME = rf"{_LETTER}[^\x00-#%-/:-@{_NO_LETTER}]*+"
_STRING = r"'(?:[^'\\\n]|\\.|'')*+'"
_UNQUOTED = rf"{_LETTER}[^\x00-,;-@{_NO_LETTER}]*+"
_NUMBER = r"[-+]?(?:0x[0-9a-fA-F]++|[0-9]*+\.[0-9]*+(?:[Ee][-+]?[0-9]++)?|[0-9]++)[A-Za-z]*+"
_BLANKS = r"[ \t\r]*+"
_LINE = lazy_regex(rf"{_BLANKS}(?:({_NAME}(?:\.{_NAME})?){_BLANKS}=?{_BLANKS}({_STRING}|{_NUMBER}|{_UNQUOTED}){_BLANKS})?(?:#.*+)?")
_QUALIFIED = lazy_regex(rf"{_NAME}\.{_NAME}")
_ESCAPE = lazy_regex(r"\\([0-7]{1,3}|.)|''")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line; the name as written, the value without its quotes. Whether the name is in lower case does not matter to PostgreSQL."""

    name: Word
    value: Word


def parse(source: Source) -> tuple[tuple[Setting, ...], tuple[Unreadable, ...]]:
    """The settings of a file in order, and the lines with a syntax error; PostgreSQL does not start where there is one."""
    settings: list[Setting] = []
    wrong: list[Unreadable] = []
    position = 0
    for line in source.text.split("\n"):
        found = _LINE.fullmatch(line)
        value = found[2] if found else None
        if found is None or (value is not None and _QUALIFIED.fullmatch(value)):
            text = line.strip()
            start = position + line.index(text)
            wrong.append(Unreadable(source.span(start, start + len(text)), "syntax error"))
        elif value is not None:
            at = source.span(position + found.start(2), position + found.end(2))
            settings.append(
                Setting(Word(found[1], source.span(position + found.start(1), position + found.end(1))), Word(_plain(value), at))
            )
        position += len(line) + 1
    return tuple(settings), tuple(wrong)


def _plain(value: str) -> str:
    if not value.startswith("'"):
        return value
    return _ESCAPE.sub(_unescaped, value[1:-1]) if "'" in value[1:-1] or "\\" in value else value[1:-1]


def _unescaped(found: re.Match[str]) -> str:
    what = found[1]
    if what is None:
        return "'"
    return chr((based(what, 8) or 0) & 0xFF) if what[0] in "01234567" else _CONTROLS.get(what, what)
