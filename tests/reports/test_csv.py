"""CSV: every line has all columns, and no field is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.finding import HostResult
from portwright.reports.formats.csv import check
from portwright.reports.registry import Checked, Look
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1


def _written(*results: HostResult) -> str:
    return check(Checked(results, (), "1"), Look())


def _rows(*results: HostResult) -> list[dict[str, str]]:
    rows = list(csv.reader(io.StringIO(_written(*results), newline="")))
    assert {len(rows[0])} == {len(row) for row in rows}
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_a_check_is_written_as_the_kept_table() -> None:
    actual = _written(WEB1, CLEAN, EMPTY)

    assert expected("check.csv", actual) == actual


def test_gaps_are_lines_of_their_kind() -> None:
    kinds = [row["kind"] for row in _rows(replace(CLEAN, coverage=COVERAGE), WEB1)]

    assert ["finding"] * 5 + ["unreadable"] * 2 + ["not_understood", "left_out", "not_read"] == kinds


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"])
def test_case_47_no_field_is_a_formula(text: str) -> None:
    (row,) = _rows(replace(CLEAN, findings=(replace(IN_RANGE, message=text),)))

    assert f"'{text}" == row["message"]


@given(st.text(st.characters()))
def test_any_text_stays_in_its_field(text: str) -> None:
    (row,) = _rows(replace(CLEAN, findings=(replace(IN_RANGE, message=text),)))

    assert "listener-in-ephemeral-range" == row["rule"]
