"""The units that a service starts with its own commands: systemctl in Exec lines, in `sh -c` and in the scripts they run."""

from collections.abc import Callable, Iterator

from portwright.facts import Setting, Unit
from portwright.source import Source, Span, Word
from portwright.system.processes.process import MOST_STEPS, Process
from portwright.system.processes.programs import SHELLS, is_shell_script
from portwright.system.processes.spawners import CHECKER
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.systemd.command_line import ODD, Command, commands
from portwright.system.systemd.unit_files import TYPES, is_unit_name
from portwright.trees import Files

_KEYS = ("ExecStartPre", "ExecStart", "ExecStartPost")
_CALLED = "systemctl"
_STARTING = frozenset(("start", "restart", "reload-or-restart", "isolate"))
_ENABLING = frozenset(("enable", "reenable"))
_ELSEWHERE = ("--user", "--global", "-H", "-M", "--host", "--machine", "--root", "--image")


def called_units(unit: Unit, files: Files, expand: Callable[[str], str]) -> Iterator[tuple[str, Span]]:
    """Each unit that its commands surely start, and the place of the command.

    What a condition decides that files do not answer is left out: whether it is started then is not known.
    """
    if unit.kind != "service" or unit.state != "loaded":
        return
    for key in _KEYS:
        for setting in unit.each("Service", key):
            if _calls_nothing(setting, files):
                continue
            for command in commands(setting, expand):
                if isinstance(command, Command):
                    yield from _of_command(command, files)


def _calls_nothing(setting: Setting, files: Files) -> bool:
    """Whether a plain line, as most are, is seen to start no unit before it is taken apart."""
    if setting.breaks or not setting.value.isascii() or not setting.value.isprintable() or not ODD.isdisjoint(setting.value):
        return False
    words = setting.value.split()
    program = words[0].lstrip("-:+!") if words else ""
    if not program or program[0] == "@":
        return False
    return program.rpartition("/")[2] not in (_CALLED, CHECKER) and not _may_call(program, words[1:], files)


def _of_command(command: Command, files: Files) -> Iterator[tuple[str, Span]]:
    words = [word.text for word in command.argv]
    program = command.program.text
    if program.rpartition("/")[2] == _CALLED:
        yield from ((name, command.at) for name in _started(words))
        return
    if program.rpartition("/")[2] == CHECKER:
        from portwright.system.processes import monit

        for text, _ in monit.commands(tuple(words), files):
            plain = text.text.split()
            if plain[:1] and plain[0].rpartition("/")[2] in (_CALLED, "service"):
                yield from ((name, text.at) for name in _started(plain))
        return
    if not _may_call(program, words[1:], files):
        return
    from portwright.system.processes import shells

    found: list[tuple[str, Span]] = []

    def see(called: list[SpannedText], _targets: list[SpannedText], at: Span, surely: bool) -> None:
        plain = [each.text for each in called]
        if plain[:1] == ["sudo"]:
            plain = plain[1:]
        if surely and plain and plain[0].rpartition("/")[2] in (_CALLED, "service"):
            found.extend((name, at) for name in _started(plain))

    argv = tuple(SpannedText.of(Word(word, command.at)) for word in words)
    shells.run(Process(program, argv, {}, command.at, steps=MOST_STEPS // 4), files, see)
    yield from found


def _may_call(program: str, words: list[str], files: Files) -> bool:
    """Whether a shell's text, or the script that is run, has the word at all: a quick look before a careful one."""
    shell = program.rpartition("/")[2] in SHELLS
    if shell and any(_CALLED in word for word in words):
        return True
    path = next((word for word in words if not word.startswith("-")), "") if shell else program
    return path.startswith("/") and (shell or is_shell_script(path, files) is not None) and _mentions(files, path)


def _mentions(files: Files, path: str) -> bool:
    source: Source | None = files.read(path) if files.kind(path) == "file" else None
    return source is not None and _CALLED in source.text


def _started(words: list[str]) -> list[str]:
    """The units that a systemctl starts."""
    plain = [word for word in words[1:] if not word.startswith("-")]
    if words[0].rpartition("/")[2] == "service":
        plain = [plain[1], plain[0]] if len(plain) > 1 else []
    options = [word for word in words[1:] if word.startswith("-")]
    if not plain or any(option.partition("=")[0] in _ELSEWHERE for option in options):
        return []
    if plain[0] not in _STARTING and not (plain[0] in _ENABLING and "--now" in options):
        return []
    names = (name if name.rpartition(".")[2] in TYPES else f"{name}.service" for name in plain[1:] if name and UNKNOWN not in name)
    return [name for name in names if is_unit_name(name)]
