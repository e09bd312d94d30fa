"""File capabilities that a unit's own commands give its program before it is started: `ExecStartPre=+/sbin/setcap ... FILE`."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.facts import Setting, Unit
from portwright.formats.unit import YES
from portwright.source import Span
from portwright.system.host_files.capabilities import FileCapabilities, file_capabilities
from portwright.system.processes.programs import find_program
from portwright.system.systemd.command_line import Expand
from portwright.trees import Files

# What finds a program for the shell: `setcap ... $(readlink -f $(which node))`.
_FINDERS = frozenset(("readlink", "realpath", "which", "type", "command", "-f", "-e", "-m", "-v", "-p"))
_MOST_BEFORE = 6  # words that may stand before the program, as in `sudo -n setcap`


@dataclass(frozen=True, slots=True)
class Given:
    """What a line gives the files it names (nothing for `setcap -r`)."""

    capabilities: FileCapabilities
    at: Span


def given(unit: Unit, path: str, files: Files, expand: Expand) -> Given | None:
    """What the last such line gives the file at `path` (links resolved), None where no line that has the power to names it."""
    if not unit.says("setcap"):
        return None
    found = None
    for line, words, at in _calls(unit):
        if _has_power(unit, line, words):
            for named, capabilities in _pairs(words):
                if files.resolve(_program(expand(named), files)) == path:
                    found = Given(capabilities, at)
    return found


def _calls(unit: Unit) -> Iterator[tuple[Setting, tuple[str, ...], Span]]:
    from portwright.system.systemd.exec_calls import exec_calls

    for call in exec_calls(unit, "setcap"):
        if call.line.key == "ExecStartPre":
            yield call.line, call.words, call.at


def _has_power(unit: Unit, line: Setting, words: tuple[str, ...]) -> bool:
    """Whether the command runs as root: `+` and `!` (systemd.service(5)), sudo, the old PermissionsStartOnly=, a service of root."""
    prefixes = line.value[: len(line.value) - len(line.value.lstrip("@-:+!|"))]
    only_start = unit.value("Service", "PermissionsStartOnly")
    user = unit.value("Service", "User")
    return (
        bool(set(prefixes) & {"+", "!"})
        or words[0].rpartition("/")[2] == "sudo"
        or (only_start is not None and only_start.value.lower() in YES)
        or (user is None or user.value == "root")
    )


def _pairs(words: tuple[str, ...]) -> Iterator[tuple[str, FileCapabilities]]:
    """setcap(8): `[-q] [-n rootid] CAPABILITIES|-r FILE ...`."""
    start = next((i for i, word in enumerate(words[:_MOST_BEFORE]) if word.rpartition("/")[2] == "setcap"), None)
    if start is None:
        return
    rest = list(words[start + 1 :])
    while rest:
        word = rest.pop(0)
        if word == "-v":
            return  # it only looks
        if word == "-n" and rest:
            rest.pop(0)
        elif word != "-q" and rest:
            yield rest.pop(0), FileCapabilities() if word == "-r" else file_capabilities(word)


def _program(text: str, files: Files) -> str:
    """The file a word names, be it by what finds it over PATH."""
    if "$(" in text or "`" in text:
        plain = "".join(" " if char in "$()`\"'" else char for char in text)
        named = [word for word in plain.split() if word.rpartition("/")[2] not in _FINDERS]
        text = named[0] if len(named) == 1 else ""
    return find_program(text, files)
