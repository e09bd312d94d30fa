"""The JSON Schema of rules: made from the words the loader knows, so that both refuse the same mistakes."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.facts import kinds
from portwright.host.language.predicates import predicates
from portwright.host.language.vocabulary import names
from portwright.rules import load
from portwright.rules.grammar import read
from portwright.rules.json_schema import schema, validate
from portwright.shipped import rules_directory
from portwright.source import RuleError
from tests.rules.test_grammar import GOOD, MISTAKES

# What a schema cannot say: how the file is named, what a template means, which type a reference has, how ports are written.
BEYOND = (
    "the id is",
    "{",
    "a brace",
    "within wants",
    "not a port",
    "not a kernel setting",
    "starts (text)",
    "claim",
    "an operand is one of",
    "' ' after",
    "not YAML",
)

SHAPES = [(written, instead) for written, instead, _, complaint in MISTAKES if not complaint.startswith(BEYOND)]


@pytest.mark.parametrize(("written", "instead"), SHAPES, ids=[instead or written for written, instead in SHAPES])
def test_what_the_loader_refuses_the_schema_refuses(written: str, instead: str) -> None:
    with pytest.raises(RuleError, match=r"^rules/some/a-rule.yaml:\d+:\d+: against the schema of rules: "):
        validate(GOOD.replace(written, instead, 1), "rules/some/a-rule.yaml")


def test_what_the_loader_takes_the_schema_takes() -> None:
    validate(GOOD, "rules/some/a-rule.yaml")


def test_every_word_and_comparison_of_the_loader_is_in_the_schema() -> None:
    made = schema()["$defs"]

    for kind in kinds():
        usable = {name for name, word in names(kind).items() if predicates(word.type)}
        assert usable == set(made[kind]["properties"])


def test_a_persons_own_rules_are_held_against_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a-rule.yaml").write_text(GOOD)
    evaluate: list[str] = []
    monkeypatch.setattr("portwright.rules.json_schema.validate", lambda text, path: evaluate.append(path))

    load([tmp_path])
    load([rules_directory()])

    assert [str(tmp_path / "a-rule.yaml")] == evaluate


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.text(alphabet="abe:{}[]|>&*!'\"-#%@`,\n\t 0\\\x00é", max_size=12))
def test_a_damaged_rule_is_read_or_refused_and_never_breaks_the_reader(start: int, length: int, instead: str) -> None:
    with suppress(RuleError):
        read(GOOD[:start] + instead + GOOD[start + length :], "rules/some/a-rule.yaml")
