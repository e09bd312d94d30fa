"""postgresql.conf's grammar. Every row was tried with `postgres -C` of PostgreSQL 15."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.postgresql import parse
from portwright.source import Source, Span


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("port = 1", ("port", "1")),
        ("port   1  ", ("port", "1")),
        ("port=1 # x", ("port", "1")),
        ("port='1'", ("port", "1")),
        ("  PORT = 7\r", ("PORT", "7")),
        ("port=1MB", ("port", "1MB")),
        ("port=1.6", ("port", "1.6")),
        ("port=-1", ("port", "-1")),
        ("port='0x10'", ("port", "0x10")),
        ("x.nonsense=1", ("x.nonsense", "1")),
        (r"listen_addresses = 'a''b\'c\n\061'", ("listen_addresses", "a'b'c\n1")),
        ("listen_addresses = a-b_c:d/e", ("listen_addresses", "a-b_c:d/e")),
        ("listen_addresses = 1.2", ("listen_addresses", "1.2")),
        ("include 'one.conf'", ("include", "one.conf")),
        ("x = '#' # y", ("x", "#")),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, expected: tuple[str, str]) -> None:
    settings, wrong = parse(Source("/c", line))

    assert ([expected], ()) == ([(each.name.text, each.value.text) for each in settings], wrong)


@pytest.mark.parametrize(
    "line", ["port==1", "port", "port=", "include one.conf", "port=4 5", "a = 'open", "a = a.b", "a = *", "port = 7 b=''", "= 1", "'a' = 1"]
)
def test_a_syntax_error_is_told_and_what_follows_is_read(line: str) -> None:
    settings, wrong = parse(Source("/c", f"{line}\nport = 2\n"))

    assert [("port", "2")] == [(each.name.text, each.value.text) for each in settings]
    assert [(1, "syntax error")] == [(each.at.line, each.reason) for each in wrong]


def test_comments_and_blank_lines_say_nothing() -> None:
    assert ((), ()) == parse(Source("/c", "# port = 1\n\n   \t# x\n"))


def test_a_value_stands_where_it_was_written_quotes_included() -> None:
    settings, _ = parse(Source("/c", "\n port = '54' # x\n"))

    assert [(Span("/c", 2, 2, 2, 6), Span("/c", 2, 9, 2, 13))] == [(each.name.at, each.value.at) for each in settings]


@given(st.text(alphabet="a.'\\\n =#1x-", max_size=40))
def test_every_line_is_read_or_told(text: str) -> None:
    settings, wrong = parse(Source("/c", text))

    said = {each.name.at.line for each in settings} | {each.at.line for each in wrong}
    blank = {number for number, line in enumerate(text.split("\n"), 1) if not line.strip(" ") or line.strip(" ").startswith("#")}
    assert set(range(1, text.count("\n") + 2)) == said | blank
