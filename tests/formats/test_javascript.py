"""JavaScript taken apart into tokens."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.javascript import tokens
from portwright.source import Source, Span


def texts(text: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in tokens(Source("/s.js", text)).each]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b(1)", [("name", "a"), ("sign", "."), ("name", "b"), ("sign", "("), ("number", "1"), ("sign", ")")]),
        ("'a\\'b' \"c\\n\"", [("string", "a'b"), ("string", "c\n")]),
        ("`a` `b${c + `}`}d` e", [("string", "a"), ("template", ""), ("name", "e")]),
        ("a ?? b || c => d", [("name", "a"), ("sign", "??"), ("name", "b"), ("sign", "||"), ("name", "c"), ("sign", "=>"), ("name", "d")]),
        ("// x\na /* y\n */ b", [("name", "a"), ("name", "b")]),
        ("#!/usr/bin/env node\na", [("name", "a")]),
        ("x = /[/]'\\/\"/g", [("name", "x"), ("sign", "="), ("template", ""), ("name", "g")]),
        ("return /a/", [("name", "return"), ("template", "")]),
        ("a / b / c", [("name", "a"), ("sign", "/"), ("name", "b"), ("sign", "/"), ("name", "c")]),
        ("(a) / 2", [("sign", "("), ("name", "a"), ("sign", ")"), ("sign", "/"), ("number", "2")]),
        ("'open\na", [("string", "open"), ("name", "a")]),
        ("/* open", []),
    ],
)
def test_a_script_is_its_tokens(text: str, expected: list[tuple[str, str]]) -> None:
    assert expected == texts(text)


def test_brackets_that_match_close_each_other() -> None:
    assert {0: 5, 2: 4} == tokens(Source("/s.js", "(a[0])")).closes
    assert {} == tokens(Source("/s.js", "([)")).closes


def test_a_token_knows_its_place_and_whether_a_line_begins_with_it() -> None:
    found = tokens(Source("/s.js", "const port =\n  3000 // x"))

    assert Span("/s.js", 2, 3, 2, 7) == found.span(3, 4)
    assert [True, False, False, True] == [token.line_start for token in found.each]


@given(st.text(alphabet="ab1'\"`\\/*$}{()[]=\n.,?;", max_size=60))
def test_tokens_lie_in_order_whatever_the_text(text: str) -> None:
    found = tokens(Source("/s.js", text))
    places = [(token.start, token.end) for token in found.each]

    assert all(start < end <= len(text) for start, end in places)
    assert all(before[1] <= after[0] for before, after in pairwise(places))
    assert all(opening < closing for opening, closing in found.closes.items())
