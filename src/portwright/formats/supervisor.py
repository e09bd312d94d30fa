"""supervisord.conf: sections of `key = value` lines as Python's ConfigParser reads them, values over lines and comments behind them."""

from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable, Word

_BLANK = " \t\r\f\v"


@dataclass(frozen=True, slots=True)
class Section:
    """A `[kind:name]` section: its header as written, and the last value of each key, lower-cased as ConfigParser does."""

    header: Word
    values: dict[str, Word]

    @property
    def kind(self) -> str:
        """What stands before the first colon."""
        return self.header.text.partition(":")[0].strip()

    @property
    def name(self) -> str:
        """What stands behind the first colon."""
        return self.header.text.partition(":")[2].strip()


def parse(source: Source) -> tuple[tuple[Section, ...], tuple[Unreadable, ...]]:
    """The sections of a file in order, and the lines that are none of theirs.

    A line that starts with `#` or `;` is a comment; a `;` after a blank ends a value; an indented line goes on with the value before.
    """
    sections: list[Section] = []
    troubles: list[Unreadable] = []
    key = ""
    for number, line in enumerate(source.text.split("\n"), 1):
        text = line.strip(_BLANK)
        if not text or text[0] in "#;":
            continue
        lead = len(line) - len(line.lstrip(_BLANK))
        at = Span(source.path, number, lead + 1, number, lead + len(text) + 1)
        if lead and key and sections:
            more = _without_comment(text)
            before = sections[-1].values[key]
            sections[-1].values[key] = Word(f"{before.text}\n{more}", before.at if before.text else _span(at, 0, len(more)))
        elif text[0] == "[" and "]" in text:
            name = text[1 : text.index("]")]
            sections.append(Section(Word(name, _span(at, 1, len(name))), {}))
            key = ""
        elif not sections:
            troubles.append(Unreadable(at, "stands before any section"))
        else:
            ends = [position for position in (text.find("="), text.find(":")) if position > 0]
            if not ends:
                troubles.append(Unreadable(at, "no `=` in it"))
                continue
            key = text[: min(ends)].strip(_BLANK).lower()
            start = min(ends) + 1
            while start < len(text) and text[start] in _BLANK:
                start += 1
            value = _without_comment(text[start:])
            sections[-1].values[key] = Word(value, _span(at, start, len(value)))
    return tuple(sections), tuple(troubles)


def _without_comment(text: str) -> str:
    for blank in _BLANK:
        if (found := text.find(f"{blank};")) >= 0:
            text = text[:found]
    return "" if text.startswith(";") else text.rstrip(_BLANK)


def _span(line: Span, start: int, length: int) -> Span:
    return Span(line.path, line.line, line.column + start, line.line, line.column + start + length)
