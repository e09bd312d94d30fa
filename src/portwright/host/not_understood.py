"""What a service starts becomes a row of coverage where nobody can say whether, or where, it listens."""

from collections.abc import Iterable

from portwright._start.records import dataclass
from portwright.coverage import NotUnderstood
from portwright.daemons import Daemon, DaemonFact
from portwright.facts import Endpoint, Invocation, Unit
from portwright.source import Span
from portwright.system.processes.programs import SHELLS, find_program, is_shell_script
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd.package_generators import of_nobody_known
from portwright.trees import Files

# They hand the work to somebody else, who goes on when they have ended.
_HAND_ON = frozenset(("nerdctl", "systemd-run", "machinectl", "incus", "lxc", "lxc-start", "virsh"))
_OF_NODE = "pm2"
_YES = ("yes", "true", "on", "1", "y", "t")


@dataclass(frozen=True, slots=True)
class Read:
    """One invocation of a service and how it was read: as which daemon, what that said, and where its reading could not go on."""

    invocation: Invocation
    daemon: Daemon | None
    facts: tuple[DaemonFact, ...]
    doubts: tuple[tuple[Span, str], ...] = ()


def not_understood(started: tuple[Read, ...], unit: Unit | None, listens: bool, files: Files) -> Iterable[NotUnderstood]:
    """The programs that one service starts of which nobody knows whether they listen: one, and each place that a reader could not read.

    `listens`: a .socket unit listens for it. A service that listens anywhere is taken to be understood.
    """
    for each in started:
        for at, reason in each.doubts:
            yield NotUnderstood(each.invocation.unit, _program(each.invocation, files), at, reason)
    if listens or any(each.doubts or any(isinstance(fact, Endpoint) for fact in each.facts) for each in started):
        return
    for each in started:
        invocation = each.invocation
        if not invocation.argv or not _concerns(invocation) or (unit is not None and _ends(unit, invocation)):
            continue
        if invocation.program.startswith(_OF_NODE):
            from portwright.system.processes import pm2

            if pm2.is_understood(invocation):
                continue
        from portwright.daemons._engine.never_listening import never_listens

        program = _program(invocation, files)
        if any(never_listens(path, files) for path in (program, _executed(invocation, files))):
            continue
        reason = _reason(each, program, files)
        if reason:
            yield NotUnderstood(invocation.unit, program, invocation.at, reason)
            return


def unknown_generators(files: Files) -> Iterable[NotUnderstood]:
    """What makes units at boot and is no package's."""
    for path in of_nobody_known(files):
        yield NotUnderstood(None, path, Span.whole(files.tree.label(path)), "it makes units at each boot, which cannot be determined")


def _concerns(invocation: Invocation) -> bool:
    """Whether a boot starts it, or a socket that a boot starts waits to; in a repository nobody says, and what is there counts."""
    return invocation.starts in ("boot", None) or (invocation.starts == "demand" and bool(invocation.sockets))


def _ends(unit: Unit, invocation: Invocation) -> bool:
    """Whether nothing of it is left once it has run: systemd kills what a oneshot unit leaves behind (systemd.kill(5), KillMode=)."""

    return ends_with_its_command(unit) and invocation.program not in _HAND_ON


def ends_with_its_command(unit: Unit) -> bool:
    """Whether systemd kills what is left of a unit once its command has ended."""

    def said(key: str) -> str:
        value = unit.value("Service", key)
        return "" if value is None else value.value.lower()

    stays = said("RemainAfterExit") in _YES or said("KillMode") in ("process", "none")
    return said("Type") == "oneshot" and not stays


def _program(invocation: Invocation, files: Files) -> str:
    """The full path of what is run: the script that an interpreter is given, else the program."""
    from portwright.daemons._engine.unknown_program import subject

    script = subject(invocation)[1] or _script_of_shell(invocation)
    return script or _executed(invocation, files)


def _executed(invocation: Invocation, files: Files) -> str:
    return invocation.executed or find_program(invocation.argv[0].text, files)


def _reason(each: Read, program: str, files: Files) -> str:
    """Why nobody knows whether a program listens; "" where its reader knows that it does not."""
    from portwright.daemons._engine.unknown_program import subject

    invocation = each.invocation
    words = invocation.argv
    unclear = any(UNKNOWN in word.text for word in words)
    if UNKNOWN in words[0].text:
        return "which program is started cannot be determined"
    shell = invocation.program in SHELLS or is_shell_script(program, files) is not None
    if shell:
        if program.rpartition("/")[2] in SHELLS:
            return "which program this shell command starts cannot be determined"
        if files.kind(program) != "file":
            return f"the shell script is not {'in the repository' if files.partial else 'there'}, so what it starts is not known"
        return "which program this shell script starts cannot be determined"
    if each.daemon is not None and not each.daemon.is_interpreter:
        return "part of its command line cannot be determined" if unclear else ""
    _, script = subject(invocation)
    if script is not None and UNKNOWN not in script and files.kind(script) != "file":
        return f"the script is not {'in the repository' if files.partial else 'there'}, so where it listens is not known"
    if unclear:
        return "part of its command line cannot be determined, and the rest names no port"
    if each.daemon is not None or script is not None:
        return "where it listens, if it does, cannot be determined: its text and command line name no port that portwright understands"
    return "no daemon is known by this name, and neither its command line nor its environment names a port to listen on"


def _script_of_shell(invocation: Invocation) -> str:
    """The script that a shell is given as its first operand, "" for `sh -c` and none."""
    if invocation.program not in SHELLS:
        return ""
    operands = [word.text for word in invocation.argv[1:] if not word.text.startswith("-")]
    text_follows = any(word.text[:1] == "-" != word.text[1:2] and "c" in word.text for word in invocation.argv[1:])
    return invocation.path(operands[0]) if operands and not text_follows else ""
