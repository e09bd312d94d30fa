"""What a terminal can show is asked of it and of the environment; a person's wish goes first."""

import io
import os
import sys
from collections.abc import Mapping

import pytest

from portwright.cli import terminal


class _Output(io.StringIO):
    def __init__(self, is_terminal: bool, encoding: str) -> None:
        super().__init__()
        self._is_terminal = is_terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})


def at(
    monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str], *, is_terminal: bool = True, encoding: str = "utf-8"
) -> None:
    monkeypatch.setattr(sys, "stdout", _Output(is_terminal, encoding))
    monkeypatch.setattr(os, "environ", environment)


@pytest.mark.parametrize(
    "environment",
    [
        {"VTE_VERSION": "7006"},
        {"TERM": "xterm-kitty"},
        {"TERM": "foot-extra"},
        {"TERM_PROGRAM": "vscode"},
        {"KONSOLE_VERSION": "230804"},
        {"WT_SESSION": "1"},
        {"TMUX": "/tmp/x,1,0", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4a"},  # noqa: S108  a value, not a file
        {"FORCE_HYPERLINK": "1", "TERM": "dumb"},
        {"FORCE_HYPERLINK": "1", "NO_COLOR": "1", "CI": "true"},
    ],
)
def test_a_terminal_that_shows_links_gets_them(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    at(monkeypatch, environment)

    assert terminal.links("auto", None)
    assert not terminal.links("never", None)
    assert not terminal.links("always", "report.txt")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TERM": "xterm-256color"},
        {"TERM": "dumb", "VTE_VERSION": "7006"},
        {"TERM": "linux"},
        {"VTE_VERSION": "4205"},
        {"VTE_VERSION": "seven"},
        {"VTE_VERSION": "7006", "TMUX": "x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a"},
        {"VTE_VERSION": "7006", "STY": "1.pts"},
        {"VTE_VERSION": "7006", "CI": "true"},
        {"VTE_VERSION": "7006", "NO_COLOR": "1"},
        {"VTE_VERSION": "7006", "NO_HYPERLINK": "1"},
        {"VTE_VERSION": "7006", "FORCE_HYPERLINK": "0"},
    ],
)
def test_any_other_gets_none(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    at(monkeypatch, environment)

    assert not terminal.links("always", None)


def test_a_pipe_gets_no_link_unless_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, {"VTE_VERSION": "7006"}, is_terminal=False)
    assert not terminal.links("always", None)

    at(monkeypatch, {"FORCE_HYPERLINK": "1"}, is_terminal=False)
    assert terminal.links("auto", None)


@pytest.mark.parametrize(
    ("encoding", "environment", "shows"),
    [
        ("utf-8", {"LANG": "en_US.UTF-8"}, True),
        ("UTF8", {}, True),
        ("utf-8", {"LC_CTYPE": "C.UTF-8"}, True),  # what Python makes of no locale at all
        ("utf-8", {"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),  # what Python makes of LANG=C
        ("utf-8", {"LC_ALL": "C"}, False),  # Python says UTF-8 here too
        ("utf-8", {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ("utf-8", {"LC_ALL": "C", "PYTHONUTF8": "1"}, True),
        ("iso8859-1", {"LANG": "de_DE"}, False),
        ("ascii", {"PYTHONIOENCODING": "ascii", "LANG": "en_US.UTF-8"}, False),
    ],
)
def test_a_terminal_shows_unicode_where_its_locale_does(
    monkeypatch: pytest.MonkeyPatch, encoding: str, environment: dict[str, str], shows: bool
) -> None:
    at(monkeypatch, environment, encoding=encoding)

    assert shows is terminal.unicode(None)
    assert terminal.unicode("report.txt")


@pytest.mark.parametrize(
    ("when", "is_terminal", "environment", "coloured"),
    [
        ("auto", True, {}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_and_for_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, when: str, is_terminal: bool, environment: dict[str, str], coloured: bool
) -> None:
    at(monkeypatch, environment, is_terminal=is_terminal)

    assert coloured is terminal.color(when, None)


def test_the_width_is_the_terminals_but_forty_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, {}, is_terminal=False)
    assert 100 == terminal.width(None)

    at(monkeypatch, {})
    monkeypatch.setattr(sys.stdout, "fileno", lambda: 1, raising=False)
    for columns, expected in ((120, 120), (12, 40), (0, 80)):
        monkeypatch.setattr(os, "get_terminal_size", lambda number, columns=columns: os.terminal_size((columns, 24)))
        assert expected == terminal.width(None)
    assert 100 == terminal.width("report.txt")
