"""The rules that are shipped: complete, valid against the schema, and named as the contract has them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from portwright.cli import main
from portwright.rules import Rule, load
from portwright.rules.explaining import catalogue, explain
from portwright.rules.json_schema import schema, validate
from portwright.shipped import rules_directory

RULES = load([rules_directory()])
FIXED = (
    "listener-in-ephemeral-range",
    "listener-without-reuseaddr",
    "low-port-without-capability",
    "root-for-one-low-port",
    "narrow-ephemeral-range",
    "port-claimed-twice",
    "sysctl-loaders-disagree",
)

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def test_the_ids_that_others_rely_on_are_there() -> None:
    assert set(FIXED) <= {rule.id for rule in RULES}


def test_there_are_at_least_three_rules_for_each_concern() -> None:
    families = Counter(rule.family for rule in RULES)

    concerns = {"ephemeral", "reuse", "privilege", "exhaustion", "sysctl", "conflict", "pooling", "habit", "units", "container"}
    assert concerns == set(families)
    assert [] == [family for family, count in families.items() if count < 3]
    assert len(RULES) >= 30


@every_rule
def test_a_rule_says_why_and_where_to_read_on(rule: Rule) -> None:
    assert len(rule.card.why) > 100
    assert rule.card.references
    assert rule.bad
    assert rule.good


@every_rule
def test_a_rule_says_what_to_do(rule: Rule) -> None:
    assert rule.wish or rule.advice


@every_rule
def test_a_message_is_a_sentence_without_capital_or_full_stop(rule: Rule) -> None:
    first = rule.message[0]

    assert not isinstance(first, str) or not first[0].isupper()
    assert not str(rule.message[-1]).endswith(".")
    assert not rule.card.title.endswith(".")


@every_rule
def test_a_rule_is_valid_against_the_schema(rule: Rule) -> None:
    validate(Path(rule.path).read_text(), rule.path)


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_schema_is_the_same_each_time() -> None:
    assert json.dumps(schema()) == json.dumps(schema())


@every_rule
def test_the_examples_differ(rule: Rule) -> None:
    assert rule.bad != rule.good


@every_rule
def test_an_explanation_says_everything(rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", rule.id])

    text = capsys.readouterr().out
    for word in (rule.id, rule.card.title[:40], rule.card.severity, rule.bad[0][0], rule.good[0][0], *rule.card.references):
        assert word in text
    for head in ("Why", "What it looks at", "Bad", "What is reported", "Good", "Confidence", "Fix", "See"):
        assert f"\n{head}\n" in text
    assert max(len(line) for line in text.splitlines()) <= 140


def test_an_explanation_says_how_safe_the_fix_is() -> None:
    by_id = {rule.id: explain(rule).remedies for rule in RULES}

    assert [("reserve-ports", True)] == [(r.kind, r.safe.startswith("safe: ")) for r in by_id["listener-in-ephemeral-range"]]
    assert "needs review by somebody who knows" in by_id["root-for-one-low-port"][0].safe
    assert [("by hand", "")] == [(r.kind, r.safe) for r in by_id["address-not-on-this-host"]]
    assert by_id["address-not-on-this-host"][0].why.startswith("not fixed automatically: whether the address")


def test_the_catalogue_has_a_row_for_each_rule_by_family() -> None:
    rows = catalogue(RULES)

    assert [(rule.family, rule.id) for rule in RULES] == [(row.family, row.id) for row in rows]
    fixes = {"reserve-ports", "set-sysctl", "grant-capability", "limit-capabilities", "set-in-unit", "by hand"}
    fixes |= {"correct-sysctl-key", "correct-unit", "edit-config", "edit-unit", "label-port", "move-service", "raise-file-limit"}
    assert fixes == {row.fix for row in rows}
