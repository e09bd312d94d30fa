"""JUnit: what the parser of CI plugins reads is one failure a finding, and nothing passes that was not looked at."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from portwright._start.records import replace
from portwright.finding import HostResult
from portwright.reports.formats.junit import check
from portwright.reports.registry import Checked, Look
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1


def _written(*results: HostResult) -> str:
    return check(Checked(results, (), "1"), Look())


def _suites(*results: HostResult) -> list[Any]:
    return list(JUnitXml.fromstring(_written(*results).encode()))


def _ends(suite: Any) -> list[type]:
    return [type(each) for case in suite for each in case.result]


def test_a_check_is_written_as_the_kept_document() -> None:
    actual = _written(WEB1, CLEAN, EMPTY)

    assert expected("check.junit", actual) == actual


def test_a_finding_is_a_failure_at_its_place_and_what_could_not_be_read_an_error() -> None:
    (suite,) = _suites(WEB1)

    assert [Failure] * 5 + [Error] * 2 + [Skipped] == _ends(suite)
    assert (8, 5, 2, 1) == (suite.tests, suite.failures, suite.errors, suite.skipped)
    first = next(iter(suite))
    assert ("ephemeral.listener-in-ephemeral-range", "high") == (first.classname, first.result[0].type)
    assert "likelihood: high" in first.result[0].text


def test_a_sound_host_is_one_case_that_passes_and_a_host_of_which_nothing_was_read_is_an_error() -> None:
    sound, empty = _suites(CLEAN, EMPTY)[::-1]

    assert [(1, []), (1, [Error])] == [(each.tests, _ends(each)) for each in (sound, empty)]


def test_what_is_not_covered_is_skipped() -> None:
    (suite,) = _suites(replace(CLEAN, coverage=COVERAGE))

    assert [Skipped] * 3 == _ends(suite)[-3:]


@given(st.text(st.characters()), st.text(st.characters()))
def test_case_46_any_text_makes_a_document_that_can_be_parsed(one: str, two: str) -> None:
    finding = replace(IN_RANGE, message=one, at=Span(f"/{two}", 1, 1, 1, 1))
    hostile = replace(CLEAN, host=two or "h", findings=(finding,), unreadable=(Unreadable(Span.whole(one or "x"), two),))

    (suite,) = _suites(hostile)

    assert [Failure, Error] == _ends(suite)
