"""Which commands the Exec lines of a unit call, those inside `sh -c` included."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.facts import Setting, Unit
from portwright.formats import shell
from portwright.source import Span
from portwright.system.processes.programs import SHELLS
from portwright.system.systemd.command_line import Command, commands

_KEYS = ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost")
_SECTIONS = ("Service", "Socket")


@dataclass(frozen=True, slots=True)
class ExecCall:
    """One command as it is written: `words[0]` names the program; what a shell would expand stands as in the text."""

    words: tuple[str, ...]
    line: Setting
    at: Span

    @property
    def program(self) -> str:
        """The base name of the program."""
        return self.words[0].rpartition("/")[2]


def exec_calls(unit: Unit, *names: str) -> tuple[ExecCall, ...]:
    """Every command of the Exec lines that hold one of these names, in the order they are written; scripts are not followed."""
    found: list[ExecCall] = []
    for section in _SECTIONS:
        for key in _KEYS:
            for line in unit.each(section, key):
                if any(name in line.value for name in names):
                    found += _of_line(line)
    return tuple(found)


def _of_line(line: Setting) -> Iterator[ExecCall]:
    for command in commands(line, str):
        if not isinstance(command, Command):
            continue
        words = (command.program.text, *(word.text for word in command.argv[1:]))
        yield ExecCall(words, line, command.at)
        if words[0].rpartition("/")[2] in SHELLS:
            yield from _of_shell(words, line, command.at)


def _of_shell(words: tuple[str, ...], line: Setting, at: Span) -> Iterator[ExecCall]:
    """The commands in the text behind `-c`, which may stand with other options (`sh -ec TEXT`)."""
    place = next((i for i, word in enumerate(words) if i and word.startswith("-") and not word.startswith("--") and "c" in word), None)
    if place is None or place + 1 >= len(words):
        return
    text = words[place + 1]
    for command in shell.parse(text).commands:
        inner = tuple(text[word.start : word.end] if word.plain is None else word.plain for word in command.words)
        if inner and inner[0]:
            yield ExecCall(inner, line, at)
