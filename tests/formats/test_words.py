"""`keyword value value` lines, as sshd and redis split them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.words import REDIS, SSHD, Dialect, Line, options, parse, read_option
from portwright.source import Source, Span, Unreadable, Word


def words_of(text: str, dialect: Dialect) -> list[list[str]]:
    lines, _ = parse(Source("/f", text), dialect)
    return [[line.keyword.text, *(value.text for value in line.values)] for line in lines]


def reasons(text: str, dialect: Dialect) -> list[str]:
    return [trouble.reason for trouble in parse(Source("/f", text), dialect)[1]]


# Each row was given to `sshd -T` (OpenSSH 9.2p1): what it took, and what it refused.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Port 2201", [["Port", "2201"]]),
        ("  Port\t2201 \r\n", [["Port", "2201"]]),
        (" \f\nPort 2201 \f\n", [["\f"], ["Port", "2201"]]),
        ("\f\nPort 2201", [["\f"], ["Port", "2201"]]),
        ("Port=2201", [["Port", "2201"]]),
        ("Port = 2201", [["Port", "2201"]]),
        ('"Port" 2201', [["Port", "2201"]]),
        ('Port "2201"', [["Port", "2201"]]),
        ("Port '2201'", [["Port", "2201"]]),
        ("Port 2201 # why", [["Port", "2201"]]),
        ("Port 2201#why", [["Port", "2201#why"]]),
        ("Port 2201\\", [["Port", "2201\\"]]),
        ("# Port 1\n\n  # Port 2", []),
        ('Match User "a b" Host c', [["Match", "User", "a b", "Host", "c"]]),
        (r"Banner a\ b", [["Banner", "a b"]]),
        (r'Banner "a\"b"', [["Banner", 'a"b']]),
        ("Port", [["Port"]]),
    ],
)
def test_sshd_splits_a_line_so(text: str, expected: list[list[str]]) -> None:
    assert expected == words_of(text, SSHD)


# Each row was given to redis-server 7.0.15.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port 7200", [["port", "7200"]]),
        ("port 7200 # x", [["port", "7200", "#", "x"]]),
        ("port '7200'", [["port", "7200"]]),
        ('bind "127.0.0.1 ::1"', [["bind", "127.0.0.1 ::1"]]),
        (r'requirepass "a\"b\x41\n"', [["requirepass", 'a"bA\n']]),
        (r"requirepass 'a\'b\n'", [["requirepass", "a'b\\n"]]),
        (r"dir a\b", [["dir", r"a\b"]]),
        ('save ""', [["save", ""]]),
        ("   # port 1", []),
        ("port=1", [["port=1"]]),
    ],
)
def test_redis_splits_a_line_so(text: str, expected: list[list[str]]) -> None:
    assert expected == words_of(text, REDIS)


@pytest.mark.parametrize(
    ("text", "dialect", "reason"),
    [
        ('Port "22', SSHD, "a quote is not closed"),
        ('"Port 22', SSHD, "a quote is not closed"),
        ("port '7", REDIS, "a quote is not closed"),
        ('port "7"x', REDIS, "a closing quote is followed by more text"),
    ],
)
def test_a_line_that_is_none_is_told_and_the_next_one_is_read(text: str, dialect: Dialect, reason: str) -> None:
    assert [reason] == reasons(text + "\nDir x", dialect)
    assert [["Dir", "x"]] == words_of(text + "\nDir x", dialect)


def test_a_word_knows_where_it_stood_quotes_included() -> None:
    lines, _ = parse(Source("/etc/ssh/sshd_config", '\n  Port = "2201" # x'), SSHD)

    assert (
        Line(Word("Port", Span("/etc/ssh/sshd_config", 2, 3, 2, 7)), (Word("2201", Span("/etc/ssh/sshd_config", 2, 10, 2, 16)),)),
    ) == lines
    assert Span("/etc/ssh/sshd_config", 2, 3, 2, 16) == lines[0].at


def test_an_option_on_the_command_line_is_one_directive_at_its_argument() -> None:
    at = Span("/u", 7, 20, 7, 29)

    assert Line(Word("Port", at), (Word("4444", at),)) == read_option(Word("Port=4444", at), SSHD)
    assert Unreadable(at, "a quote is not closed") == read_option(Word('Port="4', at), SSHD)


def test_each_long_option_takes_the_words_up_to_the_next() -> None:
    at = Span("/u", 1, 1, 1, 2)
    given_words = [Word(text, at) for text in ("stray", "--port", "7", "--bind", "a", "-b", "--daemonize")]

    assert [("port", ["7"]), ("bind", ["a", "-b"]), ("daemonize", [])] == [
        (line.keyword.text, [value.text for value in line.values]) for line in options(given_words)
    ]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=5))
def test_redis_reads_back_whatever_was_quoted(values: list[str]) -> None:
    quoted = ['"' + value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"' for value in values]

    assert [["key", *values]] == words_of(" ".join(["key", *quoted]), REDIS)


@given(st.text())
def test_any_text_is_read_without_a_crash_and_words_stand_in_their_lines(text: str) -> None:
    source = Source("/f", text)
    for dialect in (SSHD, REDIS):
        for line in parse(source, dialect)[0]:
            for word in (line.keyword, *line.values):
                width = len(source.text.split("\n")[word.at.line - 1])
                assert 1 <= word.at.column <= word.at.end_column <= width + 1
