"""docs/rule-format.md: its tables are the program's own, its rules do what it says, and it names every form there is."""

import re
from pathlib import Path
from typing import get_args

import pytest

from portwright.audit.cases import examples, run
from portwright.changes import kinds as change_kinds
from portwright.facts import kinds
from portwright.host.language.meanings import VERBS, meaning
from portwright.host.language.predicates import predicates
from portwright.host.language.vocabulary import names
from portwright.host.terms.registry import Type
from portwright.reports.cases import findings_text
from portwright.reports.pages import words
from portwright.rules import Rule
from portwright.rules.grammar import OPTIONAL, REQUIRED, read
from portwright.rules.json_schema import validate
from tests.golden import expected

GUIDE = Path(__file__).parents[2] / "docs/rule-format.md"
BEGIN, END = "<!-- words: begin; written by `ACCEPT=1 pytest tests/docs` -->\n", "<!-- words: end -->\n"
EXAMPLE = re.compile(r"```yaml\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)

TEXT = GUIDE.read_text(encoding="utf-8")
EXAMPLES = [(found.group(1), found.group(2)) for found in EXAMPLE.finditer(TEXT)]


def _rule(text: str) -> Rule:
    name = text.split("\n", 1)[0].removeprefix("id: ")
    path = f"my-rules/office/{name}.yaml"
    validate(text, path)
    return read(text, path)


RULES = [_rule(text) for text, _ in EXAMPLES]


def _said(rule: Rule) -> str:
    (bad,) = (outcome for outcome in examples(rule) if outcome.case == "bad")
    return findings_text(bad.result.findings)


def test_the_tables_and_the_reports_are_what_the_program_says() -> None:
    def with_its_report(found: re.Match[str]) -> str:
        return f"```yaml\n{found.group(1)}```\n\n```text\n{_said(_rule(found.group(1)))}```\n"

    before, _, rest = EXAMPLE.sub(with_its_report, TEXT).partition(BEGIN)
    text = f"{before}{BEGIN}\n{words()}\n{END}{rest.partition(END)[2]}"

    assert expected(GUIDE, text) == text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_example_flags_what_is_bad_and_accepts_what_is_good(rule: Rule) -> None:
    found = {outcome.case: outcome.problem for outcome in examples(rule)}

    assert {"bad": "", "good": ""} == found


def test_the_case_file_it_shows_is_what_its_first_rule_does(tmp_path: Path) -> None:
    cases = TEXT.partition("\n```text\nflags: ")[2].partition("```\n")[0]
    (tmp_path / f"{RULES[0].id}.txt").write_text(f"flags: {cases}", encoding="utf-8")

    tested = run(RULES[:1], tmp_path)

    assert () == tested.stray
    assert [("bad", ""), ("good", ""), ("flags", ""), ("accepts", ""), ("flags", "")] == [(o.case, o.problem) for o in tested.outcomes]


def test_every_yaml_block_is_a_whole_rule_with_its_report() -> None:
    assert TEXT.count("```yaml\n") == len(EXAMPLES)
    assert all(report for _, report in EXAMPLES)


def test_there_is_an_example_of_every_form() -> None:
    written = "\n".join(text for text, _ in EXAMPLES)

    assert set(kinds()) == {rule.each for rule in RULES}
    assert set() == {key for key in (*REQUIRED, *OPTIONAL) if not re.search(rf"^{key}:", written, re.MULTILINE)}
    assert set() == {change for change in (*change_kinds(), "manual") if f"  {change}:" not in written}
    assert set() == {operand for operand in ("{sysctl: ", "{host: ", "{fact: ") if operand not in written}
    assert {"{with.", "at: with.at", "predicts: {fact: ", "predicts: E", "safety: review", "confidence: "} <= {
        form for form in ("{with.", "at: with.at", "predicts: {fact: ", "predicts: E", "safety: review", "confidence: ") if form in written
    }


def test_every_comparison_is_in_the_tables() -> None:
    assert set(VERBS) == {verb for left in get_args(Type) for verb in predicates(left)}
    assert set() == {verb for verb in VERBS if f"| `{verb}` |" not in words()}


def test_every_field_has_a_meaning() -> None:
    lacking = [(kind, word) for kind in kinds() for word, name in names(kind).items() if meaning(kind, name).startswith("the field ")]

    assert [] == lacking
    assert set() == {word for kind in kinds() for word in names(kind) if f"| `{word}` |" not in words()}


def test_links_lead_to_headings() -> None:
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in TEXT.splitlines() if line.startswith("#")}

    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
