"""Ruby configurations: the calls that stand at the start of a line (`port ENV.fetch("PORT") { 3000 }`), with what they are given."""

from portwright._start.records import dataclass
from portwright.source import Source, Word

_BLANK = " \t\r"
_MOST_LINES = 100_000
_LONGEST_CALL = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the method, and the text behind it as written, without comments and an enclosing pair of parentheses."""

    name: Word
    arguments: tuple[Word, ...]


def calls(source: Source, wanted: frozenset[str]) -> tuple[Call, ...]:
    """The calls of these methods in a file, in order; arguments are split at commas outside brackets and quotes."""
    found: list[Call] = []
    position = 0
    for _ in range(_MOST_LINES):
        end = source.text.find("\n", position)
        end = end if end >= 0 else len(source.text)
        start = position
        while start < end and source.text[start] in _BLANK:
            start += 1
        stop = start
        while stop < end and (source.text[stop].isalnum() or source.text[stop] == "_"):
            stop += 1
        if source.text[start:stop] in wanted and source.text[stop : stop + 1] in ("", " ", "\t", "(", "'", '"'):
            found.append(Call(_word(source, start, stop), _arguments(source, stop, end)))
        if end == len(source.text):
            break
        position = end + 1
    return tuple(found)


def arguments(source: Source, start: int) -> tuple[Word, ...]:
    """What a call is given whose method's name ends at `start`: up to the parenthesis that closes it, else to the end of the line."""
    text = source.text
    if text[start : start + 1] != "(":
        end = text.find("\n", start)
        return _arguments(source, start, end if end >= 0 else len(text))
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + _LONGEST_CALL)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if not depth:
                return _arguments(source, start + 1, at)
    return ()


def _arguments(source: Source, start: int, end: int) -> tuple[Word, ...]:
    text = source.text
    while start < end and text[start] in _BLANK:
        start += 1
    found: list[Word] = []
    begin, at, depth, quote = start, start, 0, ""
    while at < end:
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            end = at
            break
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            found.append(_word(source, begin, at))
            begin = at + 1
        at += 1
    found.append(_word(source, begin, end))
    if len(found) == 1 and found[0].text.startswith("(") and found[0].text.endswith(")"):
        return _arguments(source, start + 1, source.text.rindex(")", start, end))
    return tuple(word for word in found if word.text)


def _word(source: Source, start: int, end: int) -> Word:
    while start < end and source.text[start] in _BLANK:
        start += 1
    while end > start and source.text[end - 1] in _BLANK:
        end -= 1
    return Word(source.text[start:end], source.span(start, end))
