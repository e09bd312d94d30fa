"""What the table of options understands of a command line, argparse understands of it too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright.cli.arguments import COMMANDS, Options, UsageError, parser, plain, read

WORDS = sorted({name for command in COMMANDS.values() for option in command.options for name in option.names})
VALUES = ["a", ".", "-", "", "2", "0", "json", "text", "low", "high", "always", "certain", "x=y", "-5", "a b", "- -"]
JOINED = st.tuples(st.sampled_from(WORDS), st.sampled_from(VALUES)).map("=".join)
words = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(VALUES), JOINED))


def _of_argparse(line: list[str]) -> dict[str, object] | None:
    try:
        return vars(parser().parse_args(line, namespace=Options()))
    except UsageError:
        return None


@given(st.sampled_from(sorted(COMMANDS)), words)
def test_what_is_understood_at_once_argparse_understands_the_same_way(command: str, rest: list[str]) -> None:
    found = plain([command, *rest])

    if found is not None:
        assert _of_argparse([command, *rest]) == vars(found)


@pytest.mark.parametrize(
    "line",
    [
        "check",
        "check web1 web2",
        "check web1 --format json --output=report.json --format text -q",
        "check --jobs 4 --fail-on high --select a,b --select c hosts/",
        "facts - --stdin-filename /etc/nginx/nginx.conf",
        "fix / --apply -o plan.yml --allow-restart",
        "explain port-claimed-twice",
        "rules --format=json",
    ],
)
def test_what_people_write_is_understood_at_once(line: str) -> None:
    found = plain(line.split())

    assert found is not None
    assert _of_argparse(line.split()) == vars(found)


@pytest.mark.parametrize("line", ["", "-h", "check -qv", "check a -q b", "check --form json", "check --jobs 0", "explain", "rules x"])
def test_the_rest_is_left_to_argparse(line: str) -> None:
    assert plain(line.split()) is None


def test_a_short_option_with_its_word_is_understood_too() -> None:
    options = read(["fix", "-ofix.yml", "a"])

    assert ("fix.yml", ["a"]) == (options.output, options.paths)


@pytest.mark.parametrize("words", [["-q", "-v"], ["-qv"], ["--verbose", "--quiet"]])
def test_more_and_less_at_once_is_a_mistake(words: list[str]) -> None:
    with pytest.raises(UsageError, match="not allowed with"):
        read(["check", *words])
