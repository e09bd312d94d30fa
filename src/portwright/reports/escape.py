"""Hostile text made safe to show, and how many columns of a terminal it takes.

What comes from a host may hold terminal controls, bidirectional overrides and bytes that are no text. Everything a report shows
passes through `safe`, so that only the report's own newlines and colours reach the terminal.
"""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.reports.secrets import hide

TAB = 4
"""Columns between tab stops in an excerpt."""

# C0, DEL and C1 steer terminals; bidi controls reorder what is read (Unicode TR 9); format characters of no width, line separators
# and tags hide text; lone surrogates are bytes that were not UTF-8 and could not be encoded again.
_UNSAFE = lazy_regex(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def safe(text: str) -> str:
    """The text without secrets, every control, bidi, invisible and undecodable character written as `\\x1b`, `\\u202e` or `\\udc80`."""
    text = hide(text)
    return text if text.isprintable() else _UNSAFE.sub(_escaped, text)


def width(text: str) -> int:
    """How many columns a terminal gives to text that `safe` has passed: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def in_ascii(text: str) -> str:
    """A report for a terminal that knows ASCII only: a `?` for each column of another character, so that carets stay where they are."""
    return text if text.isascii() else "".join(c if c.isascii() else "?" * _columns(c) for c in text)


def cut(text: str, columns: int, mark: str = "...") -> str:
    """The text if it fits, else its beginning with a mark; never wider than `columns`."""
    if width(text) <= columns:
        return text
    kept, used = [], width(mark)
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept.append(character)
    return ("".join(kept) + mark)[: max(columns, 0)]


def wrap(text: str, columns: int, first: int | None = None) -> list[str]:
    """Words in lines of at most `columns` (`first` for the first line); a word that fits nowhere keeps a line of its own.

    Words are never broken, so that paths can be copied. There is always one line, an empty one for no words.
    """
    lines: list[str] = []
    line, used, room = "", 0, columns if first is None else first
    for word in text.split(" "):
        taken = width(word)
        if line and used + 1 + taken > room:
            lines.append(line)
            line, used, room = word, taken, columns
        elif line:
            line, used = f"{line} {word}", used + 1 + taken
        else:
            line, used = word, taken
    return [line.rstrip(" ") for line in (*lines, line)]


def cells(text: str) -> list[tuple[str, int]]:
    """Each character of a line as it is shown, with its columns: escapes spelled out, tabs filled up to their stop."""
    if text.isascii() and text.isprintable():
        return [(character, 1) for character in text]
    laid: list[tuple[str, int]] = []
    column = 0
    for character in text:
        if character == "\t":
            columns = TAB - column % TAB
            laid.append((" " * columns, columns))
        else:
            shown = character if character.isprintable() else _UNSAFE.sub(_escaped, character)
            columns = width(shown)
            laid.append((shown, columns))
        column += columns
    return laid


# Format characters that are seen: signs of Arabic, Syriac and Kaithi that enclose the number after them.
_ENCLOSING = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    from unicodedata import category, east_asian_width

    if character in _ENCLOSING:
        return 1
    # The vowels and final consonants of Hangul join the syllable before them, though their category is that of letters.
    if category(character) in ("Mn", "Me", "Cf") or "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb":
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1
