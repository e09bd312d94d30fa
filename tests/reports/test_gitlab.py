"""GitLab's code quality report, by the fields that its documentation asks for."""

import json
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.finding import HostResult
from portwright.reports.formats.gitlab import check
from portwright.reports.registry import Checked, Look
from portwright.source import Span
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1

# docs.gitlab.com/ci/testing/code_quality, "Code Quality report format".
OFFICIAL = jsonschema.Draft7Validator({
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "pattern": "^[a-z0-9-]+$"},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!/|\\./)"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
})  # fmt: skip


def _written(*results: HostResult) -> str:
    return check(Checked(results, (), "1"), Look())


def _issues(*results: HostResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_written(*results))
    OFFICIAL.validate(found)
    assert len(found) == len({each["fingerprint"] for each in found})
    return found


def test_a_check_is_written_as_the_kept_document() -> None:
    actual = _written(WEB1, CLEAN, EMPTY)

    _issues(WEB1, CLEAN, EMPTY)
    assert expected("check.gitlab", actual) == actual


def test_two_findings_that_are_alike_are_two_issues() -> None:
    first, second = _issues(replace(CLEAN, findings=(IN_RANGE, replace(IN_RANGE, at=replace(IN_RANGE.at, line=9, end_line=9)))))

    assert first["fingerprint"] != second["fingerprint"]


def test_an_issue_is_the_same_one_after_its_line_has_moved() -> None:
    (before,) = _issues(replace(CLEAN, findings=(IN_RANGE,)))
    (after,) = _issues(replace(CLEAN, findings=(replace(IN_RANGE, at=replace(IN_RANGE.at, line=9, end_line=9)),)))

    assert before["fingerprint"] == after["fingerprint"]


def test_all_that_is_not_covered_is_one_issue_and_a_run_that_looked_at_nothing_is_one() -> None:
    assert ["not-covered"] == [each["check_name"] for each in _issues(replace(CLEAN, coverage=COVERAGE))]
    assert ["no-verdict"] == [each["check_name"] for each in _issues(EMPTY)]
    assert ["no-verdict"] == [each["check_name"] for each in _issues()]
    assert [] == _issues(CLEAN)


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_valid_document(one: str, two: str) -> None:
    assert 1 == len(_issues(replace(CLEAN, findings=(replace(IN_RANGE, message=one or "m", at=Span(f"/{two}", 1, 1, 1, 1)),))))
