"""Every rule does what its cases say: a tiny host each, with the exact findings beside it, and the two examples of its page.

`portwright rules --test rules --cases tests/rules` tells the same. `ACCEPT=1 pytest tests/rules` rewrites the expectations; the diff is
part of the review.
"""

import os
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from portwright.audit.cases import Outcome, run
from portwright.rules import Rule, load
from portwright.shipped import rules_directory

CASES = Path(__file__).parent
RULES = load([rules_directory()])

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def _name(case: Path) -> str:
    return str(case.relative_to(CASES))


def _as_it_should_be(outcome: Outcome) -> str:
    """What differs, once a new report was kept if that is wanted."""
    if os.environ.get("ACCEPT") and outcome.expected_path:
        Path(outcome.expected_path).write_text(outcome.report, encoding="utf-8")
        return ""
    if outcome.case == "flags" and outcome.expected != outcome.report:
        assert outcome.expected == outcome.report
    return outcome.problem


@every_rule
def test_a_rule_does_what_its_cases_say(rule: Rule) -> None:
    found = run(RULES, CASES, [rule]).outcomes

    assert {"bad", "good", "flags", "accepts"} == {outcome.case for outcome in found}
    for outcome in found:
        assert "" == _as_it_should_be(outcome), outcome.path


def test_every_case_belongs_to_a_rule() -> None:
    assert () == run(RULES, CASES, []).stray


@every_rule
def test_the_bad_example_is_flagged_in_its_own_file(rule: Rule) -> None:
    (bad,) = (outcome for outcome in run([rule], CASES / rule.id).outcomes if outcome.case == "bad")

    assert {finding.at.path for finding in bad.result.findings} <= {path for path, _ in rule.bad} | {"kernel.conf"}


@pytest.mark.parametrize("case", sorted(CASES.glob("*/accepts/*")), ids=_name)
def test_an_accepted_case_differs_from_a_flagged_one_by_the_deciding_line_only(case: Path) -> None:
    assert any(_changed_lines(case, flagged) == 1 for flagged in (case.parents[1] / "flags").iterdir())


def _changed_lines(one: Path, other: Path) -> int:
    """How many lines differ between two hosts; a link is a file of one line."""
    mine, theirs = _content(one / "root"), _content(other / "root")
    changed = 0
    for path in mine.keys() | theirs.keys():
        a, b = mine.get(path, []), theirs.get(path, [])
        for tag, a_from, a_to, b_from, b_to in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag != "equal":
                changed += max(a_to - a_from, b_to - b_from)
    return changed


def _content(root: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(root))] = [str(path.readlink())]
        elif path.is_file():
            found[str(path.relative_to(root))] = path.read_text().splitlines()
    return found
