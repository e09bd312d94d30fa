"""Each of the eighty-eight numbered bad inputs has a test with its number, or a sentence in SECURITY.md that says why it has none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SECURITY = (TESTS.parent / "SECURITY.md").read_text("utf-8")
EVERY = frozenset(range(1, 89))

_NUMBERED = re.compile(r"test_cases?_((?:\d+_|and_|to_)+)")


def numbers(name: str) -> Iterator[int]:
    """The cases that the name of a test bears: case_7, cases_3_4_and_6, cases_18_to_22."""
    found = _NUMBERED.match(name)
    before: int | None = None
    through = False
    for word in "" if found is None else found[1].strip("_").split("_"):
        if word.isdigit():
            yield from range(before if through and before is not None else int(word), int(word) + 1)
            before, through = int(word), False
        else:
            through = word == "to"


def with_a_test() -> frozenset[int]:
    return frozenset(
        number
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        for number in numbers(node.name)
    )


def explained() -> list[int]:
    """The numbers of the list in SECURITY.md; each item has a sentence after its colon."""
    listed = SECURITY.partition("## Cases")[2]
    return [int(number) for item in re.findall(r"^- ([\d, ]+): \w", listed, re.MULTILINE) for number in item.split(", ")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("test_case_7_a_pipe", [7]),
        ("test_cases_3_4_and_6_no_link", [3, 4, 6]),
        ("test_cases_18_to_22_yaml", [18, 18, 19, 20, 21, 22]),
        ("test_cases_56_to_59_and_62_a_host", [56, 56, 57, 58, 59, 62]),
        ("test_nothing_else", []),
        ("test_case_without_number", []),
    ],
)
def test_the_numbers_in_a_name_are_read(name: str, found: list[int]) -> None:
    assert found == list(numbers(name))


def test_each_case_has_a_test_or_a_sentence_and_none_has_both() -> None:
    said = explained()

    assert frozenset() == EVERY - with_a_test() - frozenset(said)
    assert frozenset() == with_a_test() & frozenset(said)
    assert sorted(set(said)) == sorted(said)
    assert frozenset() == (with_a_test() | frozenset(said)) - EVERY


def test_what_a_sentence_says_there_is_not_is_not_there() -> None:
    from portwright.cli import arguments
    from portwright.reports.registry import formats

    known = {form for command in arguments.COMMANDS for form in formats(command)}
    assert {"rollback", "verify-playbook", "pack", "cache"}.isdisjoint(arguments.COMMANDS)
    assert {"sqlite", "duckdb", "sql"}.isdisjoint(known)
    assert [] == re.findall(r'"--[a-z-]*(?:obfuscate|sign|cache)[a-z-]*"', Path(arguments.__file__).read_text("utf-8"))
