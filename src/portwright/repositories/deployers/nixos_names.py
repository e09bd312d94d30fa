"""What dotted names of NixOS modules stand for: settings and defaults of options that one of a repository's modules writes literally."""

from collections.abc import Iterator

from portwright._start.records import dataclass, field
from portwright.formats.nix import Read, Set, Value, parse
from portwright.formats.parts import Bare, String
from portwright.numbers import is_digits
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST
from portwright.source import Source

_MOST_MODULES = 2_000
_MOST_SETTINGS = 100_000
_DEEPEST = 16
_OF_THE_WHOLE = frozenset(("config", "self", "inputs", "outputs", "flake", "osConfig"))
"""What stands before a name that all modules share; a flake's own outputs are asked for through `self`."""


@dataclass
class Literals:
    """The literal texts at the paths of a repository's settings, and what options have by default."""

    settings: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    defaults: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    left: int = _MOST_SETTINGS

    def at(self, path: tuple[str, ...]) -> str | None:
        """The one text that is said of a path, else the default of its option."""
        said = self.settings.get(path) or self.defaults.get(path) or set()
        return next(iter(said)) if len(said) == 1 else None

    def take(self, label: str, read: Read, checkout: Checkout) -> None:
        """Everything that one module says, and what the JSON files say that it reads."""
        for names, value in self._said(read.value, (), 0):
            found = literal(value)
            path = shared(names)
            if found is not None:
                if path[:1] == ("options",):
                    self.defaults.setdefault(path[1:], set()).add(found)
                else:
                    self.settings.setdefault(path, set()).add(found)
            elif isinstance(value, Bare) and value.text.endswith(".json"):
                self._take_json(path, checkout.text(checkout.beside(label, value.text) or ""))

    def _take_json(self, path: tuple[str, ...], text: str | None) -> None:
        """The texts and numbers of a flat JSON object, which ports are often kept in."""
        if text is None or len(text) > LONGEST:
            return
        import json

        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        for name, value in said.items() if isinstance(said, dict) else ():
            if type(value) in (str, int):
                self.left -= 1
                if self.left <= 0:
                    return
                self.settings.setdefault((*path, name), set()).add(str(value))

    def _said(self, value: Value, above: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], Value]]:
        if isinstance(value, Set) and depth <= _DEEPEST:
            for names, inside, _ in value.pairs:
                self.left -= 1
                if self.left <= 0:
                    return
                yield from self._said(inside, (*above, *names), depth + 1)
        elif above:
            yield above, value


def read(label: str, text: str, checkout: Checkout) -> Read:
    """A module, parsed once."""
    return checkout.once(f"nix {label}", lambda: parse(Source(label, text[:LONGEST])))


def literals(checkout: Checkout) -> Literals:
    """What all modules of a repository say."""
    return checkout.once("nix literals", lambda: _literals(checkout))


def _literals(checkout: Checkout) -> Literals:
    found = Literals()
    for label in [each for each in checkout.labels if each.endswith(".nix")][:_MOST_MODULES]:
        text = checkout.text(label)
        if text is not None:
            found.take(label, read(label, text, checkout), checkout)
    return found


def literal(value: Value | None) -> str | None:
    """A text of one line, or a number; None for anything else."""
    if isinstance(value, String) and not any(part.filled for part in value.parts):
        text = "".join(part.text for part in value.parts)
        return text if "\n" not in text else None
    return value.text if isinstance(value, Bare) and is_digits(value.text) else None


def shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """A path as all modules have it, without what only says whose it is."""
    start = 0
    while start < len(names) and names[start] in _OF_THE_WHOLE:
        start += 1
    return names[start:]


def resolved(name: str, of: Read, checkout: Checkout) -> str | None:
    """What a dotted name stands for, through the names that `let` gives to others; None where that is not one literal text."""
    path = tuple(name.split("."))
    for _ in range(_DEEPEST):
        value = of.names.get(path[0])
        rest = path[1:]
        while isinstance(value, Set) and rest:
            longest = next(((inside, names) for names, inside, _ in value.pairs if rest[: len(names)] == names), None)
            if longest is None:
                return None
            value, rest = longest[0], rest[len(longest[1]) :]
        if value is None:
            return None if len(path) < 2 else literals(checkout).at(shared(path))
        if isinstance(value, Bare) and value.text and not is_digits(value.text):
            path = (*value.text.split("."), *rest)
            continue
        return literal(value) if not rest else None
    return None
