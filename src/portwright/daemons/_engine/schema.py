"""Plain data as YAML gives it, every scalar a text, becomes values key by key; a mistake is told with its file and its key."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from portwright.numbers import signed

_ANSWERS = {"yes": True, "no": False}
Piece = Callable[[Any, str], Any]


class CatalogueError(Exception):
    """A mistake in a descriptor: `place` is the file and the key."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def below(here: str, key: str) -> str:
    """The place of a key in the table at a place: `FILE: key`, `FILE: key.key`."""
    return f"{here}.{key}" if ": " in here else f"{here}: {key}"


def fields(given: Mapping[str, Any], known: Mapping[str, Piece], here: str) -> dict[str, Any]:
    """What a table says by the names a value has its fields by: `v6only`, `reuse_address`, `from_`. Raises CatalogueError."""
    found = {}
    for key, value in given.items():
        read = known.get(key)
        if read is None:
            raise CatalogueError(below(here, key[:100]), f"no such key; {_nearest(key, known)}")
        name = key.replace("-", "_")
        found[f"{name}_" if name in ("from", "or") else name] = read(value, below(here, key))
    return found


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word[:100], sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else f"it may be one of: {', '.join(sorted(known))}"


def table(value: Any, here: str) -> dict[str, Any]:
    """A mapping, as one of its own."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise CatalogueError(here, "a mapping of keys to values")
    return dict(value)


def items(value: Any, here: str, what: str) -> list[tuple[Any, str]]:
    """The items of a list, each with its place; `what` says what the list is of."""
    if not isinstance(value, list):
        raise CatalogueError(here, what)
    return [(item, f"{here}[{number}]") for number, item in enumerate(value)]


def text(value: Any, here: str) -> str:
    """One text that is not empty."""
    if not isinstance(value, str) or not value:
        raise CatalogueError(here, "one text")
    return value


def words(value: Any, here: str) -> tuple[str, ...]:
    """A list of texts, or one."""
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise CatalogueError(here, "one text or a list of them")
    return tuple(items)


def patterns(value: Any, here: str) -> tuple[str, ...]:
    """A list of patterns of names, or one; none of all names."""
    found = words(value, here)
    for each in found:
        if not each.strip("*._-"):
            raise CatalogueError(here, f"{each!r} takes in every name, so nothing that is not known would be noticed")
    return found


def answer(value: Any, here: str) -> bool:
    """yes or no."""
    if value not in _ANSWERS:
        raise CatalogueError(here, f"yes or no, not {value!r}")
    return _ANSWERS[value]


def answer_or_unset(value: Any, here: str) -> bool | None:
    """yes, no or unset."""
    return None if value == "unset" else answer(value, here)


def one_of(*allowed: str) -> Piece:
    """One of these words."""

    def read(value: Any, here: str) -> str:
        if value not in allowed:
            raise CatalogueError(here, f"{value!r} is none of: {', '.join(allowed)}")
        return str(value)

    return read


def pairs(value: Any, here: str) -> tuple[tuple[str, str], ...]:
    """A mapping of texts to texts."""
    return tuple((key, words(item, below(here, key))[0]) for key, item in table(value, here).items())


def number(value: Any, here: str) -> int:
    """A number in digits."""
    said = text(value, here)
    found = signed(said)
    if found is None:
        raise CatalogueError(here, f"a number, not {said!r}")
    return found
