"""vsftpd.conf(5): `key=value` lines with no blanks around the `=`; each becomes a pair of words that know where they stood."""

from portwright._start.records import dataclass
from portwright.source import Source, Span, Unreadable, Word

_BLANKS = " \t\n\v\f\r"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line; what follows the `=` counts to the end of the line, blanks included."""

    key: Word
    value: Word


def parse(source: Source) -> tuple[tuple[Setting, ...], tuple[Unreadable, ...]]:
    """The settings of a file in order, and the lines for which vsftpd does not start (parseconf.c)."""
    settings: list[Setting] = []
    wrong: list[Unreadable] = []
    for number, line in enumerate(source.text.split("\n"), 1):
        start = len(line) - len(line.lstrip(_BLANKS))
        if start == len(line) or line[start] == "#":
            continue
        key, equals, value = line[start:].partition("=")
        middle = start + len(key)
        if not equals:
            wrong.append(Unreadable(Span(source.path, number, start + 1, number, len(line) + 1), f"missing value for {key}"))
            continue
        at = Span(source.path, number, middle + 2, number, len(line) + 1)
        settings.append(Setting(Word(key, Span(source.path, number, start + 1, number, middle + 1)), Word(value, at)))
    return tuple(settings), tuple(wrong)


def read_option(word: Word) -> Setting | Unreadable:
    """The setting of one `-okey=value` argument, given without its `-o`; both words stand where the argument does."""
    key, equals, value = word.text.partition("=")
    return Setting(Word(key, word.at), Word(value, word.at)) if equals else Unreadable(word.at, f"missing value for {key}")
