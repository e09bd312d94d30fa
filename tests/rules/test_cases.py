"""Every rule shows what it flags and what it accepts: a tiny host each, with the exact findings beside it.

`ACCEPT=1 pytest tests/rules/test_cases.py` rewrites the expectations; the diff is part of the review.
"""

import os
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from portwright.audit.hosts import read_host
from portwright.finding import Finding
from portwright.rules import Rule, check, load
from portwright.shipped import rules_directory
from portwright.trees.directory import DirectoryTree

CASES = Path(__file__).parent
RULES = {rule.id: rule for rule in load([rules_directory()])}


def _cases(verdict: str) -> list[Path]:
    return sorted(CASES.glob(f"*/{verdict}/*"))


def _name(case: Path) -> str:
    return str(case.relative_to(CASES))


def _findings(case: Path, rule: Rule) -> tuple[Finding, ...]:
    with DirectoryTree(str(case / "root")) as tree:
        return check(read_host(tree, case.name), [rule])


def _lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    """A finding a paragraph: place, rule and message; what is computed; the notes; what to do."""
    for finding in findings:
        computed = [finding.confidence, *([f"likelihood {finding.likelihood}"] if finding.likelihood else [])]
        computed += [f"predicts {finding.predicts}"] if finding.predicts else []
        yield f"{finding.at} {finding.card.id} {finding.message}"
        yield f"    {', '.join(computed)}"
        for note in finding.notes:
            yield f"    note {note.at or '-'} {note.text}"
        if finding.summary:
            yield f"    fix {finding.summary}"
        if finding.manual:
            yield f"    by hand {finding.manual.step}"


@pytest.mark.parametrize("case", _cases("flags"), ids=_name)
def test_a_rule_flags(case: Path) -> None:
    found = _findings(case, RULES[case.parents[1].name])
    report = "".join(f"{line}\n" for line in _lines(found))
    expected = case / "expected.txt"
    if os.environ.get("ACCEPT"):
        expected.write_text(report)
    assert found
    assert expected.read_text() == report


@pytest.mark.parametrize("case", _cases("accepts"), ids=_name)
def test_a_rule_accepts(case: Path) -> None:
    assert () == _findings(case, RULES[case.parents[1].name])


@pytest.mark.parametrize("case", _cases("accepts"), ids=_name)
def test_an_accepted_case_differs_from_a_flagged_one_by_the_deciding_line_only(case: Path) -> None:
    assert any(_changed_lines(case, flagged) == 1 for flagged in (case.parents[1] / "flags").iterdir())


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_flagged_and_an_accepted_case(rule: str) -> None:
    assert list((CASES / rule / "flags").iterdir())
    assert list((CASES / rule / "accepts").iterdir())


def test_every_case_belongs_to_a_rule() -> None:
    assert {case.parents[1].name for case in (*_cases("flags"), *_cases("accepts"))} == set(RULES)


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
