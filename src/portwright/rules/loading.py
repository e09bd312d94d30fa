"""Folders of rule files become rules, or the first mistake in them."""

from collections.abc import Iterable
from pathlib import Path

from portwright.rules.grammar import read
from portwright.rules.rule import Rule
from portwright.shipped import rules_directory
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
        for path in _files(directory):
            text = _text(path)
            rule = read(text, str(path))
            if not own:
                from portwright.rules.json_schema import validate

                validate(text, str(path))
            twin = rules.get(rule.id)
            if twin is not None:
                raise RuleError(rule.at, f"there is already a rule {rule.id}: {twin.path}")
            rules[rule.id] = rule
    return tuple(sorted(rules.values(), key=lambda rule: (rule.family, rule.id)))


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
