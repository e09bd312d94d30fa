"""YAML read event by event: what its keys hold, and what is told of a file that is none."""

import pytest

from portwright.formats.nodes import DEEPEST, Node
from portwright.formats.yaml_nodes import parse
from portwright.source import Source


def _read(text: str) -> tuple[list[tuple[str, list[str]]], list[str]]:
    nodes, unreadable = parse(Source("/x.yml", text))

    def flat(node: Node) -> list[tuple[str, list[str]]]:
        return [(node.key.text, [word.text for word in node.values]), *(each for child in node.children for each in flat(child))]

    return [each for node in nodes for each in flat(node)], [trouble.reason for trouble in unreadable]


def test_an_alias_stands_for_nothing() -> None:
    assert ([("a", ["1"]), ("b", []), ("c", ["2"])], []) == _read("a: &x 1\nb: *x\nc: 2\n")


@pytest.mark.parametrize("text", ["[" * 100_000, "a:\n" + "- " * 5000, "{a: " * 100_000])
def test_nesting_too_deep_is_told_and_ends_no_process(text: str) -> None:
    assert [f"more than {DEEPEST} levels: the rest is not read"] == _read(text)[1]


def test_a_billion_laughs_are_read_once() -> None:
    lines = ["a: &a [x, x]"] + [f"{name}: &{name} [*{before}, *{before}]" for before, name in zip("abcdefg", "bcdefgh", strict=True)]

    assert ([(name, ["", ""]) for name in "bcdefgh"], []) == (_read("\n".join(lines))[0][1:], [])
