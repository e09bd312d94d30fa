"""Edits of a repository's texts: what is replaced or put in where, every other character as it was."""

import re
from collections.abc import Iterable, Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span

LONGEST_LINE = 4_000
"""Characters of a line beyond which nothing in it is edited."""

MOST_LINES = 60
"""Lines that one statement may have."""

_NUMBERS = lazy_regex(r"[0-9][0-9, \t-]*")
_WORDS = lazy_regex(r"[^\s\"'=:,;]+(?:[ \t]+[^\s\"'=:,;]+)*")
_NOTHING = lazy_regex(r"\"\"|''|(?<=[=:])[ \t]*$")


class NoPlaceError(Exception):
    """What is to be written has no place in a text; the message says at which line, and why."""


@dataclass(frozen=True, slots=True, order=True)
class TextEdit:
    """`text` in the place of what stands from `start` to `end` in a file; a file that is not there yet is empty."""

    path: str
    start: int
    end: int
    text: str


def edited(texts: Mapping[str, str], edits: Iterable[TextEdit]) -> dict[str, str]:
    """The texts after these edits, of the files that any of them is in. Raises NoPlaceError where two want one place."""
    by_path: dict[str, list[TextEdit]] = {}
    for edit in dict.fromkeys(edits):
        by_path.setdefault(edit.path, []).append(edit)
    found = {}
    for path, own in by_path.items():
        text = texts.get(path, "")
        at = len(text) + 1
        for edit in sorted(own, reverse=True):
            if edit.end > at or (edit.end == at and edit.start != edit.end):
                raise NoPlaceError(f"two changes want the same place of {path}")
            text = text[: edit.start] + edit.text + text[edit.end :]
            at = edit.start
        found[path] = text
    return found


def replaced(source: Source, at: Span, text: str) -> TextEdit:
    """A span of a file with another text."""
    return TextEdit(source.path, offset(source, at.line, at.column), offset(source, at.end_line, at.end_column), text)


def offset(source: Source, line: int, column: int = 1) -> int:
    """Where a line and column begin; the end of the text where there is no such line."""
    if line > source.text.count("\n") + 1:
        return len(source.text)
    return min(source.stretch(Span(source.path, line, column, line, column))[0], len(source.text))


def ends(source: Source, number: int) -> str:
    """How the lines of a file end, as the one with this number does."""
    start = offset(source, number)
    found = source.text.find("\n", start)
    found = source.text.rfind("\n", 0, start) if found < 0 else found
    return "\r\n" if found > 0 and source.text[found - 1] == "\r" else "\n"


def after(source: Source, number: int, lines: Iterable[str]) -> TextEdit:
    """Lines put in behind a line, which need not have an end."""
    end = offset(source, number) + len(source.line(number))
    new = ends(source, number)
    return TextEdit(source.path, end, end, "".join(f"{new}{line}" for line in lines))


def before(source: Source, number: int, lines: Iterable[str]) -> TextEdit:
    """Lines put in before a line."""
    start = offset(source, number)
    new = ends(source, number)
    return TextEdit(source.path, start, start, "".join(f"{line}{new}" for line in lines))


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def count_of_lines(source: Source) -> int:
    """The lines of a file, one without its end included."""
    return source.text.count("\n") + (not source.text.endswith("\n") and bool(source.text))


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def same_value(text: str, value: str) -> bool:
    """Whether a text is a kernel setting's value, written in other words."""
    if text.split() == value.split():
        return True
    try:
        return bool(value) and _ports(text) == _ports(value)
    except ValueError:
        return False


def short_line(source: Source, number: int) -> str:
    """A line that a person may have written; raises NoPlaceError for one that is too long to be looked through."""
    line = source.line(number)
    if len(line) > LONGEST_LINE:
        raise NoPlaceError(f"{source.path}:{number} is longer than a line in which something is edited")
    return line


def _ports(text: str) -> PortSet:
    return PortSet.parse(",".join(text.replace(",", " ").split()))


def value_at(source: Source, number: int, column: int, value: str) -> tuple[int, int]:
    """Where a value stands in a line, as columns from 0; raises NoPlaceError where it does not stand there once, as it is."""
    line = source.line(number)
    found = [
        (m.start(), m.start() + len(m[0].rstrip(" \t,-"))) for m in _candidates(line, value) if same_value(m[0].rstrip(" \t,-"), value)
    ]
    behind = [each for each in found if each[0] >= column - 1]
    found = behind or found
    if len(found) != 1:
        many = "stands there several times" if found else "does not stand there as it is"
        raise NoPlaceError(f"{source.path}:{number} is where the value {value or '(empty)'} comes from, and it {many}")
    return found[0]


def _candidates(line: str, value: str) -> Iterator[re.Match[str]]:
    if not value:
        yield from _NOTHING.finditer(line)
    elif value[0] in "0123456789":
        for found in _NUMBERS.finditer(line):
            if found.start() == 0 or not (line[found.start() - 1].isalnum() or line[found.start() - 1] in "._"):
                yield found
    else:
        yield from _WORDS.finditer(line)


def value_edit(source: Source, number: int, column: int, old: str, new: str) -> TextEdit:
    """Another value in a line, in quotes where a reader of the file would not take it for one word otherwise."""
    start, end = value_at(source, number, column, old)
    line = source.line(number)
    if not old and line[start:end].strip() in ('""', "''"):
        start, end = start + 1, end - 1
    quoted = line[:start].rstrip(" \t")[-1:] in ("'", '"') or line[start - 1 : start] in ("'", '"')
    text = new if quoted else in_quotes(source.path, line[:start], new)
    if not old and not quoted and line[start:end] == "" and line[start - 1 : start] in ("=", ":"):
        text = f" {text}"
    at = offset(source, number)
    return TextEdit(source.path, at + start, at + end, text)


def in_quotes(path: str, left: str, value: str) -> str:
    """A value as it is written behind `left`: YAML takes digits with commas for a text, but a flow list would be cut at each, and Nix
    and HCL know no such word."""
    if decimal(value) is not None:
        return value
    name = path.lower().removesuffix(".j2").removesuffix(".tmpl").removesuffix(".erb")
    if name.endswith((".yml", ".yaml", ".sls")) and left.rstrip(" \t").endswith(":"):
        return f'"{value}"'
    if name.endswith((".nix", ".tf", ".hcl", ".toml", ".pp", ".rb")) and left.rstrip(" \t").endswith(("=", ">")):
        return f'"{value}"'
    if " " in value and name.endswith((".sh", ".bash")) and left.endswith("="):
        return f"'{value}'"
    return value
