"""Checkstyle: files with errors in them, each with its line, as checkstyle's own reports have them."""

from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.finding import HostResult
from portwright.reports.formats.checkstyle import check
from portwright.reports.registry import Checked, Look
from portwright.source import Span
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1


def _written(*results: HostResult) -> str:
    return check(Checked(results, (), "1"), Look())


def _errors(*results: HostResult) -> list[tuple[str, dict[str, Any]]]:
    root = ElementTree.fromstring(_written(*results))  # noqa: S314  our own text
    assert "checkstyle" == root.tag
    return [(file.attrib["name"], error.attrib) for file in root for error in file]


def test_a_check_is_written_as_the_kept_document() -> None:
    actual = _written(WEB1, CLEAN, EMPTY)

    assert expected("check.checkstyle", actual) == actual


def test_each_error_says_its_line_and_its_rule() -> None:
    (path, error), *_ = _errors(WEB1)

    assert "/etc/nginx/sites-enabled/shop" == path
    assert ("3", "9", "error", "portwright.ephemeral.listener-in-ephemeral-range") == (
        error["line"],
        error["column"],
        error["severity"],
        error["source"],
    )


def test_a_host_of_which_nothing_was_read_is_a_warning_and_gaps_are_infos() -> None:
    assert ["portwright.no-verdict"] == [error["source"] for _, error in _errors(EMPTY)]
    assert ["portwright.not-covered"] * 3 == [error["source"] for _, error in _errors(replace(CLEAN, coverage=COVERAGE))]


@given(st.text(st.characters()), st.text(st.characters()))
def test_case_46_any_text_makes_a_document_that_can_be_parsed(one: str, two: str) -> None:
    found = _errors(replace(CLEAN, findings=(replace(IN_RANGE, message=one, at=Span(f"/{two}", 1, 1, 1, 1)),)))

    assert 1 == len(found)
