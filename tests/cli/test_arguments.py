"""What the table of options understands of a command line, argparse understands of it too."""

from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.argv import UsageError, parsed, plain
from portwright.cli import commands
from portwright.cli.arguments import COMMANDS, HelpWanted, parser, read

WORDS = sorted({name for command in COMMANDS.values() for option in command.options for name in option.names})
VALUES = ["a", ".", "-", "", "2", "0", "json", "text", "low", "high", "always", "certain", "x=y", "-5", "a b", "- -"]
JOINED = st.tuples(st.sampled_from(WORDS), st.sampled_from(VALUES)).map("=".join)
words = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(VALUES), JOINED))


def _of_argparse(line: list[str]) -> dict[str, object] | None:
    try:
        return vars(parsed(line, parser(), COMMANDS))
    except UsageError:
        return None


@given(st.sampled_from(sorted(COMMANDS)), words)
def test_what_is_understood_at_once_argparse_understands_the_same_way(command: str, rest: list[str]) -> None:
    found = plain([command, *rest], COMMANDS)

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
    found = plain(line.split(), COMMANDS)

    assert found is not None
    assert _of_argparse(line.split()) == vars(found)


@pytest.mark.parametrize("line", ["", "-h", "check -qv", "check a -q b", "check --form json", "check --jobs 0", "explain", "rules x"])
def test_the_rest_is_left_to_argparse(line: str) -> None:
    assert plain(line.split(), COMMANDS) is None


def test_a_short_option_with_its_word_is_understood_too() -> None:
    options = read(["fix", "-ofix.yml", "a"])

    assert ("fix.yml", ["a"]) == (options.output, options.paths)


@pytest.mark.parametrize("words", [["-q", "-v"], ["-qv"], ["--verbose", "--quiet"]])
def test_more_and_less_at_once_is_a_mistake(words: list[str]) -> None:
    with pytest.raises(UsageError, match="not allowed with"):
        read(["check", *words])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chek web1", "unknown command 'chek'; did you mean check?"),
        ("monitor -i hosts", "unknown command 'monitor'; portwright --help lists the commands"),
        ("check web1 --fomat json", "unknown option '--fomat'; did you mean --format?"),
        ("check --formt=json --output", "unknown option '--formt'; did you mean --format?"),
        ("explain --colour always x", "unknown option '--colour'; did you mean --color?"),
        ("check --zzz", "unknown option '--zzz'; portwright check --help lists the options"),
        ("check -x", "unknown option '-x' (see portwright check --help)"),
        ("rules x", "unexpected argument 'x' (see portwright rules --help)"),
        ("check -- --fomat", None),
    ],
)
def test_a_mistyped_word_names_the_nearest(line: str, said: str | None) -> None:
    if said is None:
        assert ["--fomat"] == read(line.split()).paths
        return
    with pytest.raises(UsageError) as raised:
        read(line.split())

    assert said == str(raised.value)


@pytest.mark.parametrize("command", [None, *COMMANDS])
@pytest.mark.parametrize("columns", ["80", "120"])
def test_help_fits_the_terminal_and_lists_the_exit_codes(command: str | None, columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(HelpWanted) as wanted:
        read(["--help"] if command is None else [command, "--help"])

    said = str(wanted.value)
    assert max(map(len, said.splitlines())) <= int(columns)
    assert "not there yet" not in said
    if command is None:
        assert {line.split()[0] for line in said.splitlines() if line.startswith("    ") and line[4] != " "} == set(COMMANDS)
    else:
        listed = said.partition("\nexit codes:\n")[2].partition("\n\nexamples:\n")[0].splitlines()
        codes = [int(line.split()[0]) for line in listed if line[:3] != "   "]
        assert codes == sorted(COMMANDS[command].exits)


def test_every_command_of_the_table_can_be_run() -> None:
    assert set(COMMANDS) == {each.name.replace("_", "-") for each in iter_modules(commands.__path__)}
