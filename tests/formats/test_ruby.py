"""Calls in Ruby configurations."""

import pytest

from portwright.formats.ruby import calls
from portwright.source import Source, Span


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("port 3000", [["3000"]]),
        ('  bind "tcp://a,b:1", low: 1 # here', [['"tcp://a,b:1"', "low: 1"]]),
        ("port(ENV.fetch('PORT', 3000))", [["ENV.fetch('PORT', 3000)"]]),
        ('port ENV.fetch("PORT") { 3000 }', [['ENV.fetch("PORT") { 3000 }']]),
        ("bind 'a\\'#'", [["'a\\'#'"]]),
        ("# port 1", []),
        ("ports 1", []),
        ("x.port 1", []),
        ("port", [[]]),
        ("port (", [["("]]),
    ],
)
def test_a_call_at_the_start_of_a_line_is_read_with_its_arguments(line: str, expected: list[list[str]]) -> None:
    assert expected == [[word.text for word in call.arguments] for call in calls(Source("/p.rb", line), frozenset(("port", "bind")))]


def test_an_argument_knows_its_place() -> None:
    (call,) = calls(Source("/p.rb", "workers 2\nport  3000\n"), frozenset(("port",)))

    assert (Span("/p.rb", 2, 1, 2, 5), Span("/p.rb", 2, 7, 2, 11)) == (call.name.at, call.arguments[0].at)
