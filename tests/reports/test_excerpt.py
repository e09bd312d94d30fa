"""Carets stand under what they mean, whatever the line holds and however long it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.reports.escape import safe, width
from portwright.reports.excerpt import Mark, excerpt, place
from portwright.reports.style import Style
from portwright.source import Source, Span


def shown(text: str, start: int, end: int, columns: int = 80, label: str = "") -> list[str]:
    """The source line and what is drawn below it, for a span given by offsets into the text."""
    source = Source("/f", text)
    lines = excerpt([Mark(source.span(start, end), "^", "high", label)], {"/f": source}, 1, columns, Style(False))
    return [line[4:] for line in lines[2:-1]]


@pytest.mark.parametrize(
    ("text", "start", "end", "lines"),
    [
        ("listen 80;", 7, 9, ["listen 80;", "       ^^"]),
        ("\tlisten\t80;", 8, 10, ["    listen  80;", "            ^^"]),
        ("server 例え 80;", 10, 12, ["server 例え 80;", "            ^^"]),
        ("server 例え 80;", 7, 9, ["server 例え 80;", "       ^^^^"]),
        ("e\u0301e\u0301 80;", 5, 7, ["e\u0301e\u0301 80;", "   ^^"]),
        ("a\x1b[2J 80;", 6, 8, ["a\\x1b[2J 80;", "         ^^"]),
        ("\udc80 80;", 2, 4, ["\\udc80 80;", "       ^^"]),
        ("\u202e80;", 1, 3, ["\\u202e80;", "      ^^"]),
        ("listen 80", 9, 9, ["listen 80", "         ^"]),
    ],
)
def test_carets_stand_under_the_span(text: str, start: int, end: int, lines: list[str]) -> None:
    assert lines == shown(text, start, end)


@pytest.mark.parametrize(
    ("text", "start", "end", "lines"),
    [
        ("a \\\n  b \\\n  c\nd", 0, 13, ["a \\", "^^^", "  b \\", "  ^^^", "  c", "  ^ all of it"]),
        ("a \\\n  b\n  c\n", 0, 8, ["a \\", "^^^", "  b", "  ^ all of it"]),
        ("a\n\nb\n", 0, 4, ["a", "^", "", "b", "^ all of it"]),
        ("a\nb\nc\nd\ne", 0, 9, ["a", "^", "", "e", "^ all of it"]),
        ("a\nb", 0, 2, ["a", "^ all of it"]),
    ],
)
def test_a_span_of_several_lines_is_underlined_on_each_or_on_its_first_and_last(
    text: str, start: int, end: int, lines: list[str]
) -> None:
    assert lines == shown(text, start, end, label="all of it")


def test_a_cut_leaves_numbers_whole() -> None:
    ports = ",".join(str(port) for port in range(30000, 31000, 7))

    for start in range(0, len(ports) - 6, 6):
        line, _ = shown(f"reserved = {ports}", 11 + start, 16 + start, columns=60)
        numbers = line.strip(".").removeprefix("reserved = ").strip(",").split(",")
        assert set(numbers) <= set(ports.split(","))


def test_a_cut_leaves_a_letter_its_marks() -> None:
    text = "e\u0301\u0302" * 100

    for start in range(0, 290, 7):
        line, _ = shown(text, start, start + 1, columns=40)
        assert not re.search("\\.\\.\\.[\u0301\u0302]|e\\.|e\u0301\\.", line)


def test_marks_on_one_line_share_its_cut_where_they_fit() -> None:
    text = "x" * 100 + " listen 80 udp " + "y" * 100
    source = Source("/f", text)
    listen, port, udp = source.span(101, 107), source.span(108, 110), source.span(111, 114)
    marks = [Mark(port, "^", "high"), Mark(listen, "-", "note", "this word"), Mark(udp, "-", "note")]

    lines = excerpt(marks, {"/f": source}, 1, 60, Style(False))

    assert 1 == sum("listen 80 udp" in line for line in lines)
    assert 7 == len(lines)


def test_a_long_line_is_cut_around_the_span() -> None:
    text = "a " * 300 + "--port=8080" + " b" * 300

    line, carets = shown(text, 600, 611)

    assert "--port=8080" == line[carets.index("^") : carets.rindex("^") + 1]
    assert line.startswith("...")
    assert line.endswith("...")
    assert width(line) <= 76


def test_a_long_line_keeps_its_beginning_where_the_span_is_near_it() -> None:
    assert ["listen 80; " + "x" * 62 + "...", "       ^^"] == shown("listen 80; " + "x" * 500, 7, 9)


def test_a_span_wider_than_the_page_starts_in_sight() -> None:
    line, carets = shown("x" * 500, 100, 400)

    assert width(line) <= 76
    assert width(carets) <= 76
    assert "^" * 50 in carets


def test_a_line_of_megabytes_is_shown_in_a_page() -> None:
    line, _ = shown("例" * 2_000_000 + "!", 1_000_000, 1_000_002)

    assert width(line) <= 76


def test_a_label_stands_beside_the_carets_or_below_where_there_is_no_room() -> None:
    assert ["listen 80;", "       ^^ binds here"] == shown("listen 80;", 7, 9, label="binds here")
    assert [
        "x" * 36,
        " " * 34 + "^^",
        "      the kernel lends ports from",
        "      this range",
    ] == shown("x" * 36, 34, 36, columns=40, label="the kernel lends ports from this range")


def test_two_marks_on_one_line_share_it_and_lines_apart_have_dots_between() -> None:
    source = Source("/f", "one two\n\n\nthree\n")
    marks = [Mark(source.span(10, 15), "^", "high"), Mark(source.span(0, 3), "-", "note", "a"), Mark(source.span(4, 7), "-", "note", "b")]

    assert [
        " --> /f:4:1",
        "  |",
        "1 | one two",
        "  | --- a",
        "  |     --- b",
        "...",
        "4 | three",
        "  | ^^^^^",
        "  |",
    ] == excerpt(marks, {"/f": source}, 1, 80, Style(False))


def test_a_mark_at_the_same_place_adds_its_words() -> None:
    source = Source("/f", "one")
    marks = [Mark(source.span(0, 3), "^", "high"), Mark(source.span(0, 3), "^", "note", "says so")]

    assert "  | ^^^ says so" == excerpt(marks, {"/f": source}, 1, 80, Style(False))[3]


def test_a_file_as_such_and_a_line_nobody_has_are_only_named() -> None:
    assert [" --> /f"] == excerpt([Mark(Span.whole("/f"), "^", "high")], {"/f": Source("/f", "x")}, 1, 80, Style(False))
    assert [" --> /g:7:1"] == excerpt([Mark(Span("/g", 7, 1, 7, 2), "^", "high")], {}, 1, 80, Style(False))
    assert [" --> /f:7:1"] == excerpt([Mark(Span("/f", 7, 1, 7, 2), "^", "high")], {"/f": Source("/f", "x")}, 1, 80, Style(False))


def test_a_hostile_path_is_escaped() -> None:
    assert "/etc/\\x1b[2J\\x0a:1:2" == place(Span("/etc/\x1b[2J\n", 1, 2, 1, 3))


@given(st.text(st.characters(exclude_characters="\n\r"), min_size=1, max_size=200), st.data(), st.integers(20, 200))
def test_the_carets_cover_what_the_span_covers_on_any_line_and_page(text: str, data: st.DataObject, columns: int) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    source = Source("/f", f"\n{text}")
    mark = Mark(source.span(start + 1, end + 1), "^", "high")
    _, _, line, carets, _ = excerpt([mark], {"/f": source}, 1, columns, Style(False))
    room = max(columns, 24)

    assert width(line) <= room
    assert safe(line) == line
    assert width(carets) <= room + 1  # a caret may stand behind a line's last column
    assert set(carets[4:].strip()) == {"^"}


# Without the signs that make a secret of what stands beside them: a wide letter struck out is a star of one column.
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=":=@"), min_size=1, max_size=20), st.data())
def test_the_carets_are_as_wide_as_what_they_mark_and_stand_right_below_it(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    source = Source("/f", text)
    line, carets = (each[4:] for each in excerpt([Mark(source.span(start, end), "^", "high")], {"/f": source}, 1, 999, Style(False))[2:4])

    before = len(carets) - len(carets.lstrip())
    assert width(safe(text[:start])) == before
    assert max(width(safe(text[start:end])), 1) == width(carets.strip())
    assert line == safe(text).rstrip()
