"""The pages of docs/rules are made of the rules and their tested cases: `ACCEPT=1 pytest tests/docs` writes them anew."""

import os
from difflib import unified_diff
from pathlib import Path

import pytest

from portwright.audit.cases import Outcome, run
from portwright.finding import HostResult
from portwright.reports.pages import Cases, Shown, index, page
from portwright.reports.text import excerpts
from portwright.rules import Rule, load
from portwright.rules.explaining import catalogue, explain
from portwright.shipped import rules_directory
from tests.golden import expected

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs/rules"
CASES = REPOSITORY / "tests/rules"
RULES = load([rules_directory()])

SHOWN = 2
"""Cases of each kind that a page shows; the others are named."""

MARK = "<!-- Written by `ACCEPT=1 pytest tests/docs` from rules/{family}/{id}.yaml and tests/rules/{family}/{id}.txt: change those. -->\n\n"


def made(rule: Rule) -> str:
    outcomes = run([rule], CASES, [rule]).outcomes
    (bad,) = (outcome.result for outcome in outcomes if outcome.case == "bad")
    return MARK.format(family=rule.family, id=rule.id) + page(explain(rule), _report(bad), _cases(outcomes), index="README.md")


def _cases(outcomes: tuple[Outcome, ...]) -> Cases:
    """The cases with the shortest stories, and the names of the others."""
    flagged = sorted((o for o in outcomes if o.case == "flags"), key=lambda o: (len(o.report.splitlines()), o.name))
    differences = {o.name: _difference(o, flagged) for o in outcomes if o.case == "accepts"}
    accepted = sorted(differences, key=lambda name: (len(differences[name][1].splitlines()), name))
    return Cases(
        flagged=tuple(Shown(o.name, _report(o.result)) for o in flagged[:SHOWN]),
        more_flagged=tuple(sorted(o.name for o in flagged[SHOWN:])),
        accepted=tuple(Shown(name, differences[name][1], unlike=differences[name][0]) for name in accepted[:SHOWN]),
        more_accepted=tuple(sorted(accepted[SHOWN:])),
    )


def _report(result: HostResult) -> str:
    return excerpts(result, color=False, width=100)


def _difference(accepted: Outcome, flagged: list[Outcome]) -> tuple[str, str]:
    """(the flagged case that is most like an accepted one, the lines that differ)."""
    mine = _files(accepted)
    found = []
    for rank, other in enumerate(flagged):
        theirs = _files(other)
        lines: list[str] = []
        for path in sorted(mine.keys() | theirs.keys()):
            changes = list(unified_diff(theirs.get(path, []), mine.get(path, []), lineterm="", n=1))[2:]
            lines += [path, *(line for line in changes if not line.startswith("@@"))] if changes else []
        found.append((len(lines), rank, other.name, "\n".join(lines)))
    _, _, name, text = min(found)
    return name, text


def _files(outcome: Outcome) -> dict[str, list[str]]:
    return {
        path: [f"a link to {content}"] if isinstance(content, str) else content.decode("utf-8").splitlines()
        for path, content in outcome.files.items()
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rules_page_is_that_of_its_yaml_and_its_cases(rule: Rule) -> None:
    text = made(rule)

    assert expected(PAGES / f"{rule.id}.md", text) == text


def test_the_index_lists_every_rule() -> None:
    text = MARK.format(family="*", id="*") + index(catalogue(RULES))

    assert expected(PAGES / "README.md", text) == text


def test_no_page_is_of_a_rule_that_is_gone() -> None:
    pages = {f"{rule.id}.md" for rule in RULES} | {"README.md"}
    if os.environ.get("ACCEPT"):
        for stale in {path.name for path in PAGES.iterdir()} - pages:
            (PAGES / stale).unlink()

    assert pages == {path.name for path in PAGES.iterdir()}
