"""A program's words become named values and operands, as getopt_long(3), argparse and click take them apart."""

from collections.abc import Iterable, Set

from portwright._start.records import dataclass
from portwright.source import Word
from portwright.system.spanned_text import piece


@dataclass(frozen=True, slots=True)
class Options:
    """Options in the order they were given, with their dashes (None: without a value), and the words that belong to none."""

    given: tuple[tuple[str, Word | None], ...]
    operands: tuple[Word, ...]

    def all(self, *names: str) -> tuple[Word, ...]:
        """Every value given under one of these names."""
        return tuple(value for name, value in self.given if name in names and value is not None)

    def last(self, *names: str) -> Word | None:
        """The last value given under one of these names: the one that counts."""
        values = self.all(*names)
        return values[-1] if values else None

    def has(self, *names: str) -> bool:
        """Whether one of these options is given, with a value or without."""
        return any(name in names for name, _ in self.given)


def read(words: Iterable[Word], valued: Set[str]) -> Options:
    """Take words apart; `valued` are the options that take the next word as their value: `-p`, `--port`, or `-jar` as a whole.

    `--port=1` has its value in any case; a bundle `-lkp1` is its letters, up to the first that takes a value; `--` ends the options.
    """
    given: list[tuple[str, Word | None]] = []
    operands: list[Word] = []
    rest = iter(words)
    for word in rest:
        text = word.text
        name, equals, _ = text.partition("=")
        if text == "--":
            operands += rest
        elif not text.startswith("-") or text == "-":
            operands.append(word)
        elif text in valued:
            given.append((text, next(rest, None)))
        elif text.startswith("--") or (equals and name in valued and len(name) > 2):
            given.append((name, cut(word, len(name) + 1) if equals else None))
        else:
            given += _bundle(word, valued, rest)
    return Options(tuple(given), tuple(operands))


def _bundle(word: Word, valued: Set[str], rest: Iterable[Word]) -> list[tuple[str, Word | None]]:
    found: list[tuple[str, Word | None]] = []
    for index, letter in enumerate(word.text[1:], 1):
        name = f"-{letter}"
        if name in valued:
            attached = index + 1 < len(word.text)
            found.append((name, cut(word, index + 1) if attached else next(iter(rest), None)))
            break
        found.append((name, None))
    return found


def cut(word: Word, start: int, end: int | None = None) -> Word:
    """`text[start:end]` of a word, its span narrowed where each character stands for one column."""
    part = piece(word).cut(start, len(word.text) if end is None else end)
    return Word(part.text, part.at)
