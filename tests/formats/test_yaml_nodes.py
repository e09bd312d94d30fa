"""YAML read event by event: what its keys hold, and what is told of a file that is none."""

import pytest

from portwright.formats.nodes import DEEPEST, Node
from portwright.formats.yaml_nodes import MOST_EVENTS, parse
from portwright.source import Source


def _read(text: str) -> tuple[list[tuple[str, list[str]]], list[str]]:
    nodes, unreadable = parse(Source("/x.yml", text))

    def flat(node: Node) -> list[tuple[str, list[str]]]:
        return [(node.key.text, [word.text for word in node.values]), *(each for child in node.children for each in flat(child))]

    return [each for node in nodes for each in flat(node)], [trouble.reason for trouble in unreadable]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x\nc: 2\n", [("a", ["1"]), ("b", ["1"]), ("c", ["2"])]),
        ("a: &x [1, 2]\nb: *x\nc: [0, *x]\n", [("a", ["1", "2"]), ("b", ["1", "2"]), ("c", ["0", "1", "2"])]),
        ("a: &x {k: 1}\nb: *x\n", [("a", []), ("k", ["1"]), ("b", []), ("k", ["1"])]),
        (
            "a: &x [{k: 1}, {k: 2}]\nb: *x\n",
            [("a", []), ("k", ["1"]), ("a", []), ("k", ["2"]), ("b", []), ("k", ["1"]), ("b", []), ("k", ["2"])],
        ),
        ("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n", [("a", []), ("k", ["1"]), ("l", ["2"]), ("b", []), ("l", ["3"]), ("k", ["1"])]),
        (
            "a: &x {k: 1}\nb: &y {k: 2, l: 3}\nc: {<<: [*x, *y]}\n",
            [("a", []), ("k", ["1"]), ("b", []), ("k", ["2"]), ("l", ["3"]), ("c", []), ("k", ["1"]), ("l", ["3"])],
        ),
        ("a: &x\nb: *x\n", [("a", []), ("b", [])]),
        ("a: *none\nb: 1\n", [("a", []), ("b", ["1"])]),
        ("a: &x {b: *x}\n", [("a", []), ("b", [])]),
    ],
)  # fmt: skip
def test_an_alias_stands_for_what_its_anchor_names(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert (expected, []) == _read(text)


def test_what_an_alias_stands_for_keeps_the_place_where_it_is_written() -> None:
    (_, merged), _ = parse(Source("/x", "a: &x {k: 80}\nb: {<<: *x}\n"))

    assert [(1, 11)] == [(word.at.line, word.at.column) for child in merged.children for word in child.values]


@pytest.mark.parametrize("text", ["[" * 100_000, "a:\n" + "- " * 5000, "{a: " * 100_000])
def test_nesting_too_deep_is_told_and_ends_no_process(text: str) -> None:
    assert [f"more than {DEEPEST} levels: the rest is not read"] == _read(text)[1]


@pytest.mark.parametrize("item", ["[{}]", "{{<<: [{}]}}"])
def test_case_20_a_billion_laughs_are_cut_off_and_told(item: str) -> None:
    first = "a: &a [x, x]\n" if item[0] == "[" else "a: &a {x: y}\n"
    lines = [f"{name}: &{name} {item.format(', '.join([f'*{before}'] * 9))}" for before, name in zip("abcdefgh", "bcdefghi", strict=True)]

    assert [f"aliases stand for more than {MOST_EVENTS:,} words: the rest is not read"] == _read(first + "\n".join(lines))[1]

