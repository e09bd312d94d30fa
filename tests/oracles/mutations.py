"""Configs as a hand that is not careful leaves them: lines gone, doubled, moved, with other numbers, blanks and letters."""

import random
import re

_NUMBER = re.compile(r"\b[0-9]{1,5}\b")
_NUMBERS = ("0", "1", "22", "80", "443", "0080", "8080", "5353", "65535", "65536")


def mutated(text: str, pool: tuple[str, ...], chance: random.Random) -> str:
    """A text with one to three changes; lines of the pool, which the daemon knows, are put anywhere."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 3)):
        change = chance.choice((_without, _twice, _moved, _number, _blanks, _letters, _comment, _inserted, _inserted))
        change(lines, pool, chance)
    return "\n".join(lines)


def _without(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    if len(lines) > 1:
        del lines[chance.randrange(len(lines))]


def _twice(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))


def _moved(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randint(0, len(lines)), line)


def _number(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    places = [place for place, line in enumerate(lines) if _NUMBER.search(line)]
    if places:
        place = chance.choice(places)
        lines[place] = _NUMBER.sub(chance.choice(_NUMBERS), lines[place], count=1)


def _blanks(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    lines[place] = lines[place].replace(" ", chance.choice(("\t", "  ", " \t ")))


def _letters(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    word, blank, rest = lines[place].partition(" ")
    lines[place] = chance.choice((word.upper(), word.lower(), word.title())) + blank + rest


def _comment(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    lines[place] += chance.choice((" # 8081", "  ", "\t#", " ; port 8082"))


def _inserted(lines: list[str], pool: tuple[str, ...], chance: random.Random) -> None:
    lines.insert(chance.randint(0, len(lines)), chance.choice(pool))
