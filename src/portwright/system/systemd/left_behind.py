"""A shell that puts a program in the background and ends: systemd takes the service for ended and kills what is left of it.

Measured with systemd 252 and 257: `nohup`, `setsid` and `&` alike do not help; Type=forking, RemainAfterExit=yes, KillMode=process and a
`wait` at the end do.
"""

from collections.abc import Sequence

from portwright.facts import Unit
from portwright.formats import shell
from portwright.formats.unit import YES
from portwright.numbers import decimal
from portwright.source import Source, Span
from portwright.system.processes.programs import SHELLS, is_shell_script
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

ENDED = "ended"

_WAITS_FOR_ITS_COMMAND = ("simple", "exec", "idle", "oneshot")
# They end at once, and nothing is left of them.
_PASSING = frozenset((
    ":", "cd", "chmod", "chown", "echo", "exit", "export", "logger", "mkdir", "printf", "renice", "rm", "set", "sleep", "touch", "true",
    "ulimit", "umask",
))  # fmt: skip
# What they start is another service's, or leaves the service.
_ELSEWHERE = frozenset(("at", "batch", "daemonize", "nerdctl", "screen", "start-stop-daemon", "sudo", "systemd-run", "tmux"))
_OF_CONTAINERS = ("compose", "exec", "run", "start", "up")  # what runs is no child of such a command
_SOON = 60  # seconds
_LONGEST = 65_536  # characters of a script that is looked at


def left_behind(unit: Unit, argv: Sequence[str], program: str, at: Span, files: Files) -> tuple[str, Span] | None:
    """What a service's shell leaves behind when it ends, and the line; None where it does not surely end so, or may leave it running."""
    if not _ends_with_its_command(unit):
        return None
    source = None
    name = program.rpartition("/")[2]
    words = list(argv)
    if name in SHELLS and len(words) == 3 and words[1] in ("-c", "-ec", "-lc"):
        text = words[2]
    else:
        path = words[1] if name in SHELLS and len(words) > 1 else program
        if not path.startswith("/") or (path == program and is_shell_script(path, files) is None) or (source := files.read(path)) is None:
            return None
        text = source.text
    return None if len(text) > _LONGEST or "&" not in text else _left(text, source, at)


def _left(text: str, source: Source | None, at: Span) -> tuple[str, Span] | None:
    script = shell.parse(text)
    behind: shell.Command | None = None
    if script.unread or script.loops:
        return None
    for command in script.commands:
        name = _plain(command.words[0]) if command.words else ""
        if command.conditional or name is None or name in _ELSEWHERE:
            return None
        if len(command.words) > 1 and _plain(command.words[1]) in _OF_CONTAINERS:
            return None
        if command.background:
            behind = command
        elif command.words and (name not in _PASSING or not _is_soon(command)):
            return None
    if behind is None:
        return None
    written = text[behind.start : behind.end]
    return f"its shell ends when it has put `{written}` in the background", at if source is None else source.span(behind.start, behind.end)


def _plain(word: shell.Argument) -> str | None:
    """The text of a word without variables; None for another."""
    texts = [part.text for part in word.parts if isinstance(part, shell.Text)]
    joined = "".join(texts)
    return joined if len(texts) == len(word.parts) and UNKNOWN not in joined else None


def _is_soon(command: shell.Command) -> bool:
    """Whether a `sleep` ends before anybody looks."""
    if _plain(command.words[0]) != "sleep":
        return True
    seconds = [_plain(word) or "" for word in command.words[1:]]
    return len(seconds) == 1 and decimal(seconds[0].removesuffix("s").partition(".")[0], _SOON) is not None


def _ends_with_its_command(unit: Unit) -> bool:
    def said(key: str) -> str:
        found = unit.value("Service", key)
        return "" if found is None else found.value

    kind = said("Type") or ("dbus" if said("BusName") else "simple")
    stays = said("RemainAfterExit").lower() in YES or said("KillMode") in ("process", "none") or said("ExitType") == "cgroup"
    return kind in _WAITS_FOR_ITS_COMMAND and not stays
