"""Option files of MySQL and MariaDB. Every row was tried with `mariadbd --help --verbose` of MariaDB 10.11."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.formats.mycnf import parse
from portwright.source import Source, Span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[mysqld]\nport=11#x", [("mysqld", "port", "11")]),
        ("[mysqld]\nport = 12 # x", [("mysqld", "port", "12")]),
        ("[mysqld]\nport = '13'\nbind_address=\"a#b\" # c", [("mysqld", "port", "13"), ("mysqld", "bind_address", "a#b")]),
        ("[mysqld]\nskip-networking # off", [("mysqld", "skip-networking", None)]),
        ("[mysqld] # c\nport=9", [("mysqld", "port", "9")]),
        (" [mysqld]\n  port=20  \r\n; x\n# y", [("mysqld", "port", "20")]),
        ("[a]\nport=1\n[b]\nport=2", [("a", "port", "1"), ("b", "port", "2")]),
        (
            "!include /x y.cnf\n[a]\n!includedir /d/ \nport=1",
            [("", "!include", "/x y.cnf"), ("a", "!includedir", "/d/"), ("a", "port", "1")],
        ),
        ("[a]\nx=\\s\\tb\\\\c\\q", [("a", "x", " \tb\\c\\q")]),
        ("[a]\nx=", [("a", "x", "")]),
    ],
)
def test_a_file_is_groups_of_options(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    options, wrong = parse(Source("/c", text))

    assert expected == [(each.group, each.key.text, each.value.text if each.value else None) for each in options]
    assert () == wrong


@pytest.mark.parametrize(
    ("text", "expected"), [("port=8", "an option stands before any group"), ("[mysqld\nport=9", "a group's name is not closed")]
)
def test_what_stops_the_server_is_told(text: str, expected: str) -> None:
    assert [(1, expected)] == [(each.at.line, each.reason) for each in parse(Source("/c", text))[1]]


def test_keys_and_values_know_where_they_stood() -> None:
    options, _ = parse(Source("/c", '[a]\n  port = "33" # x\n'))

    assert [(Span("/c", 2, 3, 2, 7), Span("/c", 2, 10, 2, 14))] == [(each.key.at, each.value.at) for each in options if each.value]


@given(st.text(alphabet="[]a=\"'\\# !\n", max_size=40))
def test_any_text_is_read_to_its_end(text: str) -> None:
    options, wrong = parse(Source("/c", text))

    lines = text.split("\n")
    for at in [each.key.at for each in options] + [each.value.at for each in options if each.value] + [each.at for each in wrong]:
        assert 1 <= at.column <= at.end_column <= len(lines[at.line - 1]) + 1
