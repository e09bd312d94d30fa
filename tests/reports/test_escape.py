"""Hostile text is shown, never obeyed; columns are counted as a terminal counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.reports.escape import cells, cut, in_ascii, safe, width, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("listen 80;", "listen 80;"),
        ("caf\u00e9 例え \N{GREEK SMALL LETTER ALPHA}", "café 例え α"),
        ("\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb", "a\\x0db"),
        ("a\nb\tc\0", "a\\x0ab\\x09c\\x00"),
        ("\x7f\x9b31m\x85", "\\x7f\\x9b31m\\x85"),
        ("\u202egnp.exe\u2066\u2069\u200f\u061c", "\\u202egnp.exe\\u2066\\u2069\\u200f\\u061c"),
        ("\u2028\u2029\ufeff\u200b\xad", "\\u2028\\u2029\\ufeff\\u200b\\xad"),
        ("\udc80\ud800", "\\udc80\\ud800"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_steers_reorders_or_hides_is_written_out(text: str, shown: str) -> None:
    assert shown == safe(text)


@given(st.text(st.characters()))
def test_no_control_and_no_surrogate_is_left_and_nothing_is_left_to_escape(text: str) -> None:
    shown = safe(text)

    assert not [c for c in shown if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000]
    assert shown == safe(shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("ab", 2),
        ("例え", 4),
        ("e\u0301", 1),
        ("ｆ", 2),
        ("한", 2),
        ("é", 1),
        ("🙂", 2),
        ("α", 1),
        ("·", 1),
        ("\ufe0f", 0),
        ("\u1112\u1161\u11ab", 2),
        ("\ud7b0", 0),
        ("\u0600", 1),
    ],
)
def test_wide_characters_take_two_columns_and_combining_ones_none(text: str, columns: int) -> None:
    assert columns == width(text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_an_ascii_terminal_gets_as_many_columns(text: str) -> None:
    shown = in_ascii(safe(text))

    assert shown.isascii()
    assert width(safe(text)) == width(shown)
    assert "caf? ??? ok" == in_ascii("café 例e\u0301 ok".replace("e\u0301", "\u0435\u0301"))


@given(st.text(), st.integers(0, 40))
def test_cut_text_is_never_wider_than_it_may_be(text: str, columns: int) -> None:
    shown = safe(text)

    assert width(cut(shown, columns)) <= columns
    assert width(shown) > columns or cut(shown, columns) == shown


@given(st.lists(st.text("ab例", min_size=1), max_size=12), st.integers(1, 30))
def test_wrapping_keeps_every_word_and_only_a_long_word_is_wider_than_the_lines(words: list[str], columns: int) -> None:
    lines = wrap(" ".join(words), columns)

    assert " ".join(words) == " ".join(lines)
    assert all(width(line) <= columns or " " not in line.strip() for line in lines)


def test_the_first_line_may_have_less_room() -> None:
    assert ["aa", "bb cc"] == wrap("aa bb cc", 5, 3)


def test_tabs_reach_to_the_next_stop() -> None:
    assert [("    ", 4), ("a", 1), ("   ", 3), ("例", 2), ("  ", 2), ("\\x1b", 4)] == cells("\ta\t例\t\x1b")
