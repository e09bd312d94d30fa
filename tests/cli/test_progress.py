"""A run of many inputs says at a terminal how far it has come, and leaves nothing of that behind."""

import io
import os
import pty
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from portwright.cli import progress
from portwright.cli.progress import Progress
from tests.hostile.program import lay

EARLY = "import sys; from portwright.cli import main, progress; progress._AFTER = progress._EVERY = -1; sys.exit(main(sys.argv[1:]))"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(progress, "_AFTER", -1)
    monkeypatch.setattr(progress, "_EVERY", -1)
    return made


def test_each_line_is_written_over_the_one_before_and_the_last_is_gone(terminal: Terminal) -> None:
    with redirect_stderr(terminal), Progress(12345) as told:
        for done in (1, 2000):
            told.say(done)

    line = "2,000 of 12,345 hosts and repositories"
    assert f"\r1 of 12,345 hosts and repositories\r{line}\r{' ' * len(line)}\r" == terminal.getvalue()


def test_a_run_that_is_soon_done_says_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_AFTER", 60)
    with redirect_stderr(terminal), Progress(3) as told:
        for done in (1, 2, 3):
            told.say(done)

    assert "" == terminal.getvalue()


@pytest.mark.parametrize("why", ["one", "quiet", "dumb", "CI", "pipe"])
def test_where_nobody_looks_nothing_is_said(why: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    if why in ("dumb", "CI"):
        monkeypatch.setenv("TERM" if why == "dumb" else "CI", "dumb" if why == "dumb" else "true")
    stream = io.StringIO() if why == "pipe" else terminal
    with redirect_stderr(stream), Progress(1 if why == "one" else 3, quiet=why == "quiet") as told:
        told.say(1)

    assert "" == stream.getvalue()


@pytest.mark.parametrize("words", [("check",), ("audit",), ("audit", "--store", "s.db"), ("check", "--jobs", "2")])
def test_a_command_counts_its_hosts_at_a_terminal_only(words: tuple[str, ...], tmp_path: Path) -> None:
    for name in "abc":
        lay(tmp_path / name, {"etc/os-release": "ID=debian\n", "etc/hostname": f"{name}\n"})
    command = [sys.executable, "-c", EARLY, *words, "a", "b", "c"]
    environment = {**{name: value for name, value in os.environ.items() if name != "CI"}, "TERM": "xterm"}
    ours, theirs = pty.openpty()

    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=False, cwd=tmp_path, env=environment)
    os.close(theirs)
    heard = os.read(ours, 1 << 16).decode()
    os.close(ours)
    piped = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=environment)

    assert "\r1 of 3 hosts and repositories" in heard
    assert heard.endswith(" \r")
    assert (shown.returncode, b"") == (piped.returncode, piped.stderr)
