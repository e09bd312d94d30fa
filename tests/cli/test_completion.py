"""What shells complete is what the table of commands has, as the shells themselves say, and the man page says the same."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portwright.audit.configuration import profile
from portwright.cli import main
from portwright.cli.arguments import COMMANDS, SHELLS, read
from portwright.cli.completion import script
from portwright.cli.manual import page
from portwright.reports.registry import formats
from portwright.shipped import folder


def _needs(program: str) -> str:
    found = shutil.which(program)
    if found is None and "CI" not in os.environ:
        pytest.skip(f"{program} is not installed")
    return found or program


def _run(*words: str, folder: Path | None = None) -> str:
    done = subprocess.run(words, capture_output=True, check=False, text=True, cwd=folder)
    assert (0, "") == (done.returncode, done.stderr), words
    return done.stdout


def _of_bash(line: str, tmp_path: Path) -> list[str]:
    """What bash offers behind a line, whose last word may be empty."""
    (tmp_path / "completion").write_text(script("bash"))
    words = line.split(" ")
    asked = f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; _portwright; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    rules = "portwright() { printf '%s\\n' port-claimed-twice listener-without-reuseaddr; }"
    said = _run(_needs("bash"), "--norc", "-c", f". ./completion; {rules}; {asked}", folder=tmp_path)
    return [word for word in said.split("\n") if word]


def test_bash_completes_commands_options_and_what_stands_after_them(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    (tmp_path / "a folder").mkdir()

    assert [*COMMANDS, "--help", "--version"] == _of_bash("portwright ", tmp_path)
    assert ["--format"] == _of_bash("portwright check --form", tmp_path)
    assert sorted(formats("check")) == sorted(_of_bash("portwright check --format ", tmp_path))
    assert sorted(formats("ports")) == sorted(_of_bash("portwright ports --format ", tmp_path))
    assert ["listener-without-reuseaddr"] == _of_bash("portwright explain lis", tmp_path)
    assert ["port-claimed-twice"] == _of_bash("portwright check --ignore por", tmp_path)
    assert ["proxy"] == _of_bash("portwright check --profile pr", tmp_path)
    assert ["a file", "a folder"] == sorted(_of_bash("portwright check a", tmp_path))
    assert ["a folder"] == _of_bash("portwright check --rules a", tmp_path)
    assert list(SHELLS) == _of_bash("portwright completion ", tmp_path)
    assert [] == _of_bash("portwright check --jobs ", tmp_path)


def test_fish_completes_the_same(tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(script("fish"))

    def offered(line: str) -> list[str]:
        asked = f"source completion; complete -C {line!r}"
        said = _run(_needs("fish"), "--no-config", "-c", asked, folder=tmp_path)
        return [word.partition("\t")[0] for word in said.splitlines()]

    assert sorted(COMMANDS) == sorted(offered("portwright "))
    assert "--format" in offered("portwright check --form")
    assert sorted(formats("check")) == sorted(offered("portwright check --format "))
    assert sorted(SHELLS) == sorted(offered("portwright completion "))


def test_zsh_reads_it_and_asks_for_what_the_table_has(tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(script("zsh"))
    zsh = _needs("zsh")

    def asked(*words: str) -> str:
        stubs = '_describe() { print -l -- $commands; }; _arguments() { print -l -- "$@"; }; compdef() { :; }'
        line = f"{stubs}; . ./completion; words=({' '.join(map(repr, words))}); CURRENT={len(words)}; _portwright"
        return _run(zsh, "-f", "-c", line, folder=tmp_path)

    _run(zsh, "-n", "completion", folder=tmp_path)
    assert list(COMMANDS) == [line.partition(":")[0] for line in asked("portwright", "").splitlines()]
    specs = asked("portwright", "check", "").splitlines()
    names = {name for option in COMMANDS["check"].options for name in option.names}
    assert names == {found[1] for line in specs if (found := re.match(r"\*?(-[a-z-]+)\[", line))}
    assert any(line.startswith("*--format[") and f"({' '.join(formats('check'))})" in line for line in specs)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["completion", shell])
    assert script(shell) == capsys.readouterr().out
    assert script(shell).isascii()


def test_profiles_that_are_offered_are_there() -> None:
    offered = re.search(r"--profile\) _portwright_words '([a-z -]+)'", script("bash"))

    assert offered is not None
    assert all(profile(name, folder("profiles")).severities for name in offered[1].split(" "))


# ── the manual and the help ──


def test_the_man_page_is_one_and_names_every_command_option_and_exit_code(tmp_path: Path) -> None:
    (tmp_path / "portwright.1").write_text(page("1.2"))

    lint = [_needs("mandoc"), "-Tlint", "-W", "warning", "portwright.1"]
    said = subprocess.run(lint, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ["missing date"] == [line.partition("WARNING: ")[2].partition(",")[0] for line in said.stdout.splitlines()]
    shown = _run(_needs("mandoc"), "-Tascii", "-O", "width=200", "portwright.1", folder=tmp_path)
    plain = re.sub(r".\x08", "", shown)
    for name, command in COMMANDS.items():
        assert f"portwright {name}" in plain
        for line in command.examples:
            assert line in plain
        assert all(each in plain for option in command.options for each in option.names)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example_that_is_understood(command: str) -> None:
    examples = COMMANDS[command].examples

    assert examples
    for line in examples:
        words = line.partition(" >")[0].split()
        assert words[:2] == ["portwright", command]
        assert command == read(words[1:]).command


def test_without_a_command_the_first_steps_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main([])

    said = capsys.readouterr()
    assert "" == said.out
    lines = [line.split()[1] for line in said.err.splitlines() if line.startswith("  portwright ")]
    assert {"check", "ports", "explain", "--help"} == set(lines)
