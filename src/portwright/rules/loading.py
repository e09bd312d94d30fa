"""Folders of rule files become rules, or the first mistake in them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from portwright.rules.grammar import read, rule
from portwright.rules.marked import Packed, pack, parse, unpack
from portwright.rules.rule import Rule
from portwright.shipped import compiled, rules_directory
from portwright.source import RuleError, Span

_MOST_RULES = 2000
_MOST_BYTES = 256 * 1024


def load(directories: Iterable[Path]) -> tuple[Rule, ...]:
    """Every rule of these folders, by family and id; raises RuleError at the first mistake.

    Rules that were not shipped are held against the JSON Schema, too (the shipped ones are in the tests).
    """
    rules: dict[str, Rule] = {}
    for directory in directories:
        if not directory.is_dir():
            raise RuleError(Span.whole(str(directory)), "no such folder of rules")
        own = directory.resolve() == rules_directory().resolve()
        for found in _shipped(directory) if own else _foreign(directory):
            twin = rules.get(found.id)
            if twin is not None:
                raise RuleError(found.at, f"there is already a rule {found.id}: {twin.path}")
            rules[found.id] = found
    return tuple(sorted(rules.values(), key=lambda each: (each.family, each.id)))


def packed(directory: Path) -> dict[str, Packed]:
    """The files of a folder of rules as plain data, by their path in it: what a wheel carries, and `of_packed` reads."""
    return {str(path.relative_to(directory)): pack(parse(_text(path), str(path))) for path in _files(directory)}


def of_packed(files: Mapping[str, Packed], directory: Path) -> tuple[Rule, ...]:
    """The rules that `packed` made this of, as those of a folder."""
    paths = {name: f"{directory}/{name}" for name in files}
    return tuple(rule(unpack(data, paths[name]), paths[name]) for name, data in files.items())


def _shipped(directory: Path) -> tuple[Rule, ...]:
    files = compiled("rules")
    if files is not None:
        return of_packed(files, directory)
    return tuple(read(_text(path), str(path)) for path in _files(directory))


def _foreign(directory: Path) -> Iterator[Rule]:
    from portwright.rules.json_schema import validate

    for path in _files(directory):
        text = _text(path)
        found = read(text, str(path))
        validate(text, str(path))
        yield found


def _files(directory: Path) -> list[Path]:
    # A folder of rules holds families; a person's own may hold the rules themselves.
    found = sorted(path for pattern in ("*.y*ml", "*/*.y*ml") for path in directory.glob(pattern) if path.suffix in (".yaml", ".yml"))
    if len(found) > _MOST_RULES:
        raise RuleError(Span.whole(str(directory)), f"more than {_MOST_RULES} rules")
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise RuleError(Span.whole(str(path)), error.strerror or str(error)) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(Span(str(path), line, 1, line, 1), "not UTF-8") from error
