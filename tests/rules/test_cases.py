"""Every rule does what its cases say: a tiny host each, with the exact findings below it, and the two examples of its page.

`portwright rules --test rules --cases tests/rules` tells the same. `ACCEPT=1 pytest tests/rules` rewrites the expectations; the diff is
part of the review.
"""

import os
from collections.abc import Mapping
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from portwright.audit.case_file import Case, Content, parse
from portwright.audit.cases import Outcome, examples, run
from portwright.rules import Rule, load
from portwright.shipped import rules_directory

CASES = Path(__file__).parent
RULES = load([rules_directory()])
FILES = [parse(path.read_bytes(), str(path.relative_to(CASES))) for path in sorted(CASES.glob("*/*.txt"))]
ACCEPTED = [
    pytest.param(case, file.cases, id=f"{file.path}: {case.name}") for file in FILES for case in file.cases if case.kind == "accepts"
]

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def _problem(outcome: Outcome, accepted: bool) -> str:
    """What differs, once a new report was kept if that is wanted."""
    if accepted and outcome.is_new:
        return ""
    if outcome.case == "flags":
        assert outcome.expected == outcome.report
    return outcome.problem


@every_rule
def test_a_rule_does_what_its_cases_say(rule: Rule) -> None:
    tested = run(RULES, CASES, [rule])
    accepts = bool(os.environ.get("ACCEPT"))
    for path, text in tested.accepted().items() if accepts else ():
        Path(path).write_text(text, encoding="utf-8", newline="")

    assert () == tested.stray
    assert {"bad", "good", "flags", "accepts"} == {outcome.case for outcome in tested.outcomes}
    for outcome in tested.outcomes:
        assert "" == _problem(outcome, accepts), f"{outcome.path}:{outcome.line}"


def test_every_case_belongs_to_a_rule() -> None:
    assert () == run(RULES, CASES, []).stray


def test_the_cases_of_a_rule_lie_under_its_family() -> None:
    assert {f"{rule.family}/{rule.id}.txt" for rule in RULES} == {file.path for file in FILES}


@every_rule
def test_the_bad_example_is_flagged_in_its_own_file(rule: Rule) -> None:
    (bad,) = (outcome for outcome in examples(rule) if outcome.case == "bad")

    assert {finding.at.path for finding in bad.result.findings} <= {path for path, _ in rule.bad} | {"kernel.conf"}


@pytest.mark.parametrize(("case", "beside"), ACCEPTED)
def test_an_accepted_case_differs_from_a_flagged_one_by_the_deciding_line_only(case: Case, beside: tuple[Case, ...]) -> None:
    assert any(_changed_lines(case.files, other.files) == 1 for other in beside if other.kind == "flags")


def _changed_lines(one: Mapping[str, Content], other: Mapping[str, Content]) -> int:
    """How many lines differ between two hosts; a link is a file of one line."""
    changed = 0
    for path in one.keys() | other.keys():
        mine, theirs = _lines(one.get(path)), _lines(other.get(path))
        for tag, a_from, a_to, b_from, b_to in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
            if tag != "equal":
                changed += max(a_to - a_from, b_to - b_from)
    return changed


def _lines(content: Content | None) -> list[str]:
    if content is None:
        return []
    return [content] if isinstance(content, str) else content.decode().splitlines()
