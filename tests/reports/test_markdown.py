"""Markdown: a table that a Markdown parser reads as one, in which nothing from a host is markup."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from portwright._start.records import replace
from portwright.finding import Compared, HostResult
from portwright.reports.formats.markdown import check
from portwright.reports.registry import Checked, Look
from portwright.source import Span
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1

_PARSER = MarkdownIt("gfm-like", {"linkify": False})


def _written(*results: HostResult) -> str:
    return check(Checked(results, (), "1"), Look())


def _tokens(text: str) -> list[Any]:
    return [inner for token in _PARSER.parse(text) for inner in (token, *(token.children or ()))]


def _cells(text: str) -> list[str]:
    tokens = _PARSER.parse(text)
    return [each.content for before, each in itertools.pairwise(tokens) if before.type == "td_open"]


def test_a_check_is_written_as_the_kept_page() -> None:
    actual = _written(WEB1, CLEAN, EMPTY)

    assert expected("check.md", actual) == actual


def test_a_finding_is_a_row_and_what_is_not_covered_is_folded() -> None:
    assert 4 == len(_cells(_written(replace(CLEAN, findings=(IN_RANGE,)))))
    text = _written(replace(CLEAN, coverage=COVERAGE))
    assert 6 == len(_cells(text))
    assert "<details><summary>1 program not understood, 1 file left out, 1 file not read</summary>" in text


def test_nothing_found_and_nothing_read_are_said() -> None:
    assert "**0 findings** in web2; 1 file read." in _written(CLEAN)
    assert "inconclusive (nothing was read)" in _written(EMPTY)
    assert "Nothing was read" in _written()
    assert "compared with main, 2 findings of which are not counted" in _written(replace(CLEAN, compared=Compared("main", 2)))


def test_rows_beyond_the_cap_are_counted() -> None:
    text = _written(replace(CLEAN, findings=(IN_RANGE,) * 502))

    assert 2_000 == len(_cells(text))
    assert "2 more rows left out." in text


@pytest.mark.parametrize(
    "hostile",
    [
        "[x](https://a.example)",
        "<img src=x onerror=alert(1)>",
        "a | b | c",
        "**x** _y_ `z` ~~s~~",
        "@root #1 :tada: http://a.example www.a.example",
    ],
)
def test_case_48_what_a_host_says_is_no_markup(hostile: str) -> None:
    finding = replace(IN_RANGE, message=hostile, notes=())
    tokens = _tokens(_written(replace(CLEAN, findings=(finding,))))

    assert {"link_open", "image", "em_open", "code_inline", "s_open"}.isdisjoint(token.type for token in tokens)
    assert ["<br>", "<br>"] == [token.content for token in tokens if token.type == "html_inline"]
    assert not any(
        mark in text
        for mark in ("@root", ":tada", "http://a", "www.a")
        for text in _written(replace(CLEAN, findings=(finding,))).split("\n")
    )


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_stays_in_its_row(one: str, two: str) -> None:
    finding = replace(IN_RANGE, message=one, at=Span(f"/{two}", 1, 1, 1, 1), notes=())

    assert 4 == len(_cells(_written(replace(CLEAN, findings=(finding,)))))
