"""Words taken apart as getopt_long(3) and argparse do."""

import pytest

from portwright.source import Span, Word
from portwright.system.processes.options import cut, read

VALUED = frozenset(("-p", "--port", "-jar"))


def words(text: str) -> list[Word]:
    return [Word(each, Span("/u", 1, at, 1, at + len(each))) for at, each in enumerate(text.split(" "), 1)]


@pytest.mark.parametrize(
    ("text", "given", "operands"),
    [
        ("-p 1 x", [("-p", "1")], ["x"]),
        ("-p1 x", [("-p", "1")], ["x"]),
        ("-lkp 1", [("-l", None), ("-k", None), ("-p", "1")], []),
        ("-lkp1", [("-l", None), ("-k", None), ("-p", "1")], []),
        ("--port=1 --port 2", [("--port", "1"), ("--port", "2")], []),
        ("--other 1", [("--other", None)], ["1"]),
        ("--other=1", [("--other", "1")], []),
        ("--port= x", [("--port", "")], ["x"]),
        ("-jar x.jar", [("-jar", "x.jar")], []),
        ("-- -p 1", [], ["-p", "1"]),
        ("- -p", [("-p", None)], ["-"]),
        ("x -p -l", [("-p", "-l")], ["x"]),
    ],
)
def test_options_take_the_words_that_are_theirs(text: str, given: list[tuple[str, str | None]], operands: list[str]) -> None:
    options = read(words(text), VALUED)

    assert given == [(name, value.text if value is not None else None) for name, value in options.given]
    assert operands == [word.text for word in options.operands]


def test_the_last_value_under_any_of_its_names_counts() -> None:
    options = read(words("-p 1 --port=2 -l"), VALUED)

    assert ["1", "2"] == [word.text for word in options.all("-p", "--port")]
    last = options.last("-p", "--port")
    assert last is not None
    assert "2" == last.text
    assert (True, False, None) == (options.has("-l"), options.has("-k"), options.last("-k"))


def test_a_part_of_a_word_has_a_narrower_place_where_its_characters_are_columns() -> None:
    assert Word("80", Span("/u", 3, 8, 3, 10)) == cut(Word("--port=80"[5:], Span("/u", 3, 6, 3, 10)), 2)
    assert Word("80", Span("/u", 3, 1, 3, 30)) == cut(Word("p=80", Span("/u", 3, 1, 3, 30)), 2)
