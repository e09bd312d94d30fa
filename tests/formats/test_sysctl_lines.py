"""sysctl.d(5) lines: key, value and prefix with their places, and what is no line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.sysctl import (
    LONGEST_LINE,
    PROCPS,
    SYSTEMD,
    Document,
    dialects_agree,
    dotted,
    normalized,
    parse,
    swapped,
)
from portwright.source import Source, Span, Word

PATH = "/etc/sysctl.d/10-a.conf"


def read(text: str, dialect: object = SYSTEMD) -> Document:
    return parse(Source(PATH, text), PROCPS if dialect is PROCPS else SYSTEMD)


def word(text: str, line: int, column: int) -> Word:
    return Word(text, Span(PATH, line, column, line, column + len(text)))


def test_key_value_and_the_whole_have_their_places() -> None:
    (line,) = read("# x\n  net.ipv4.a \t= 1 2 \n").lines

    assert (word("net.ipv4.a", 2, 3), word("1 2", 2, 17), None) == (line.key, line.value, line.prefix)
    assert Span(PATH, 2, 3, 2, 20) == line.at


def test_a_minus_is_a_prefix_and_stands_apart_from_the_key() -> None:
    close, apart, alone = read("-a.b = 1\n- a.b=1\n-a.b\n").lines

    assert (word("-", 1, 1), word("a.b", 1, 2), word("1", 1, 8)) == (close.prefix, close.key, close.value)
    assert (word("-", 2, 1), word("a.b", 2, 3), word("1", 2, 7)) == (apart.prefix, apart.key, apart.value)
    assert (word("-", 3, 1), word("a.b", 3, 2), None) == (alone.prefix, alone.key, alone.value)


def test_an_empty_value_has_a_place_of_no_width() -> None:
    assert [Word("", Span(PATH, 1, 6, 1, 6))] == [line.value for line in read("a.b =  \n").lines]


def test_columns_count_code_points() -> None:
    (line,) = read("é.b = ü\n").lines

    assert (word("é.b", 1, 1), word("ü", 1, 7)) == (line.key, line.value)


@pytest.mark.parametrize("text", ["", "\n\n", "# a = 1", "; a = 1", "   # a = 1", "\t;a=1\n", "\r\n"])
def test_blank_lines_and_comments_are_nothing(text: str) -> None:
    assert Document(()) == read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a = 1 # x", "1 # x"), ("a = 1 ; x", "1 ; x"), ("a = b = c", "b = c"), ('a = "1"', '"1"'), ("a = 1 \\", "1 \\"), ("a==1", "=1")],
)
def test_everything_after_the_first_equals_sign_is_value(text: str, value: str) -> None:
    assert [value] == [line.value.text for line in read(text).lines if line.value]


def test_a_backslash_joins_no_lines() -> None:
    assert ["a", "b"] == [line.key.text for line in read("a = 1 \\\nb = 2\n").lines]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.b 1", "not an assignment, no = in it; the line is skipped"),
        ("a.b: 1", "not an assignment, no = in it; the line is skipped"),
        ("[net]", "there are no sections in sysctl.d files; the line is skipped"),
        ("= 1", "no key; the line is skipped"),
        ("-", "no key; the line is skipped"),
        ("- = 1", "no key; the line is skipped"),
    ],
)
def test_a_broken_line_says_why_and_the_next_is_read(text: str, reason: str) -> None:
    document = read(f" {text}\nc = 1\n")

    assert [(Span(PATH, 1, 2, 1, 2 + len(text)), text, reason)] == [(broken.at, broken.text, broken.reason) for broken in document.broken]
    assert ["c"] == [line.key.text for line in document.lines]


def test_carriage_returns_before_newlines_belong_to_neither_key_nor_value() -> None:
    for dialect in (SYSTEMD, PROCPS):
        assert [word("1", 1, 5), word("2", 2, 5)] == [line.value for line in read("a = 1\r\nb = 2\r\n", dialect).lines]


def test_a_lone_carriage_return_and_a_nul_end_a_line_for_systemd() -> None:
    assert ["a", "b", "c"] == [line.key.text for line in read("a=1\rb=2\0c=3").lines]


def test_a_nul_cuts_a_line_off_and_a_lone_carriage_return_is_text_for_procps() -> None:
    assert ["1\rb=2"] == [line.value.text for line in read("a=1\rb=2\0c=3", PROCPS).lines if line.value]


def test_form_feeds_are_blanks_for_procps_only() -> None:
    assert (["\fa"], ["a"]) == tuple([line.key.text for line in read("\fa=1", dialect).lines] for dialect in (SYSTEMD, PROCPS))


def test_a_byte_order_mark_is_part_of_the_first_key() -> None:
    assert ["\ufeffa"] == [line.key.text for line in read("\ufeffa = 1").lines]


def test_systemd_reads_no_further_than_a_line_of_more_than_a_mebibyte() -> None:
    document = read(f"a = 1\nb = {'x' * LONGEST_LINE}\nc = 1\n")

    assert (["a"], Span(PATH, 2, 1, 2, 1)) == ([line.key.text for line in document.lines], document.cut.at if document.cut else None)
    assert ["a", "b", "c"] == [line.key.text for line in read(f"a = 1\nb = {'x' * LONGEST_LINE}\nc = 1\n", PROCPS).lines]


@pytest.mark.parametrize(
    ("written", "path", "key"),
    [
        ("net.ipv4.a", "net/ipv4/a", "net.ipv4.a"),
        ("net/ipv4/a", "net/ipv4/a", "net.ipv4.a"),
        ("/net/ipv4/a/", "net/ipv4/a", "net.ipv4.a"),
        ("net..ipv4.a", "net/ipv4/a", "net.ipv4.a"),
        ("net.ipv4.conf.eth0/1.a", "net/ipv4/conf/eth0.1/a", "net.ipv4.conf.eth0/1.a"),
        ("net/ipv4/conf/eth0.1/a", "net/ipv4/conf/eth0.1/a", "net.ipv4.conf.eth0/1.a"),
        ("net.ipv4/a", "net/ipv4.a", "net.ipv4/a"),
        ("net/ipv4.a", "net/ipv4.a", "net.ipv4/a"),
        ("alone", "alone", "alone"),
        ("", "", ""),
    ],
)
def test_the_first_separator_decides_what_the_others_mean(written: str, path: str, key: str) -> None:
    assert (path, key) == (normalized(written), dotted(normalized(written)))


def test_swapped_leaves_doubled_slashes_where_they_are() -> None:
    assert ("//net/a", "net//a") == (swapped("//net/a"), swapped("net..a"))


@given(st.text("a.=-#;[ \n\r\0\t\fé\udcff", max_size=60))
def test_every_place_holds_the_text_it_is_said_to_hold(text: str) -> None:
    source = Source(PATH, text)
    lines = text.split("\n")
    for dialect in (SYSTEMD, PROCPS):
        document = parse(source, dialect)
        for line in document.lines:
            for one in (line.key, *([line.value] if line.value else []), *([line.prefix] if line.prefix else [])):
                assert one.at.line == one.at.end_line
                assert one.text == lines[one.at.line - 1][one.at.column - 1 : one.at.end_column - 1]


@given(st.text("a.=-#;[ \n\r\0\t\fé", max_size=60))
def test_where_the_readers_are_said_to_agree_they_see_the_same(text: str) -> None:
    if dialects_agree(Source(PATH, text)):
        assert read(text) == read(text, PROCPS)
