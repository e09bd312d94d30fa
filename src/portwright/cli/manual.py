"""portwright(1), the man page, written from the table of commands (man(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portwright.cli.arguments import ABOUT, COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portwright._start.argv import Command, Option


def page(version: str) -> str:
    """The page, as man reads it."""
    return "".join(f"{line}\n" for line in _lines(version))


def _lines(version: str) -> Iterator[str]:
    yield f'.TH PORTWRIGHT 1 "" "portwright {_text(version)}" "User Commands"'
    yield from (".SH NAME", f"portwright \\- {_text(ABOUT[0].lower() + ABOUT[1:].rstrip('.'))}")
    yield from (".SH SYNOPSIS", ".B portwright", ".I COMMAND", "[options] [operands]")
    yield from (".SH DESCRIPTION", "portwright reads a host's kernel settings, units and configs, or those of a repository, and says what")
    yield "will fail to start or to serve under load, with the line that causes it and a fix that was proven on a copy."
    yield from (".SH COMMANDS",)
    for name, command in COMMANDS.items():
        yield from _command(name, command)
    yield from (".SH FILES", ".TP", ".IR portwright.toml ", " pyproject.toml")
    yield "Settings of a repository, obeyed at the root of the one that one stands in."
    yield from (".SH ENVIRONMENT", ".TP", ".BR NO_COLOR ", " FORCE_COLOR ", " NO_HYPERLINK ", " FORCE_HYPERLINK")
    yield "Whether reports have colours and links."
    yield from (".TP", ".B PORTWRIGHT_DEBUG", "As \\fB\\-\\-debug\\fR.")


def _command(name: str, command: Command) -> Iterator[str]:
    operand = command.operand
    shown = "" if operand is None else f" [{operand.metavar} ...]" if operand.many else f" {operand.metavar}"
    yield f".SS portwright {_text(name)}{_text(shown)}"
    yield f"{_text(command.help[0].upper() + command.help[1:])}."
    if operand is not None:
        yield from (".TP", f".I {_text(operand.metavar)}", _text(operand.help))
    for option in command.options:
        yield from (".TP", _names(option), _text(option.help.replace("{choices}", ", ".join(option.choices))))
    yield from (".P", "Exit codes:")
    for code, meaning in command.exits.items():
        yield from (".TP", f".B {code}", _text(meaning))
    yield from (".P", "Examples:")
    for line, does in command.examples.items():
        yield from (".TP", f".B {_text(line)}", _text(does))


def _names(option: Option) -> str:
    names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
    return names if option.metavar is None else f"{names} \\fI{_text(option.metavar)}\\fR"


def _text(text: str) -> str:
    """Text of which nothing is a request or an escape of man(7)."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
