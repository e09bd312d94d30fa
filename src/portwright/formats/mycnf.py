"""MySQL and MariaDB option files: groups of `key` and `key=value` lines (my_default.c); each becomes an Option that knows its place."""

from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable, Word

_BLANKS = " \t\r\n\f\v"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a group. `value` is None for a key alone. `!include` and `!includedir` are keys too, their group is that around them."""

    group: str
    key: Word
    value: Word | None


def parse(source: Source) -> tuple[tuple[Option, ...], tuple[Unreadable, ...]]:
    """The options of a file in order, and the lines for which the server does not start."""
    options: list[Option] = []
    wrong: list[Unreadable] = []
    group = ""
    for number, line in enumerate(source.text.split("\n"), 1):
        start = len(line) - len(line.lstrip(_BLANKS))
        text = line.strip(_BLANKS)
        if not text or text[0] in "#;":
            continue
        at = Span(source.path, number, start + 1, number, start + len(text) + 1)
        if text[0] == "!":
            key, _, path = text.partition(" ")
            path = path.strip(_BLANKS)
            begin = start + text.rfind(path) if path else start + len(text)
            value = Word(path, Span(source.path, number, begin + 1, number, begin + len(path) + 1))
            options.append(Option(group, Word(key, Span(source.path, number, start + 1, number, start + len(key) + 1)), value))
        elif text[0] == "[":
            group, closed, _ = text[1:].partition("]")
            group = group.strip(_BLANKS)
            if not closed:
                wrong.append(Unreadable(at, "a group's name is not closed"))
        elif not group:
            wrong.append(Unreadable(at, "an option stands before any group"))
        else:
            options.append(_option(group, source.path, number, start, text))
    return tuple(options), tuple(wrong)


def _option(group: str, path: str, number: int, start: int, text: str) -> Option:
    text = text[: _end(text)].rstrip(_BLANKS)
    key, equals, rest = text.partition("=")
    plain = key.rstrip(_BLANKS)
    name = Word(plain, Span(path, number, start + 1, number, start + len(plain) + 1))
    if not equals:
        return Option(group, name, None)
    value = rest.strip(_BLANKS)
    begin = start + len(text) - len(rest.lstrip(_BLANKS)) if value else start + len(text)
    at = Span(path, number, begin + 1, number, begin + len(value) + 1)
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        value = value[1:-1]
    return Option(group, name, Word(_plain(value), at))


def _end(text: str) -> int:
    """Where a comment begins behind an option: at a `#` outside of quotes (remove_end_comment())."""
    quote, escaped = "", False
    for position, char in enumerate(text):
        if quote:
            quote = "" if char == quote and not escaped else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            return position
        escaped = bool(quote) and char == "\\" and not escaped
    return len(text)


def _plain(value: str) -> str:
    if "\\" not in value:
        return value
    found: list[str] = []
    at = 0
    while at < len(value):
        if value[at] == "\\" and at + 1 < len(value):
            found.append(_ESCAPES.get(value[at + 1], value[at : at + 2]))
            at += 2
        else:
            found.append(value[at])
            at += 1
    return "".join(found)
