"""crontab(5): what tables and folders of scripts run; the @reboot lines as commands that are started at boot."""

from collections.abc import Iterator

from portwright.facts import Invocation
from portwright.source import Source, Word
from portwright.system.host_files.accounts import account
from portwright.system.processes.process import is_name
from portwright.system.processes.spawned import Spawned, shell_command
from portwright.system.spanned_text import SpannedText
from portwright.trees import Files

_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs")
_BLANK = " \t"


def children(keeper: Invocation, files: Files) -> Iterator[Spawned]:
    """The commands that cron runs once when it starts, each with `sh -c` as the user of its line or of its file.

    Debian's cron passes over files in /etc/cron.d with a dot in their name (cron(8)); cronie's over those that end in `~` or `.rpm*`.
    """
    return at_start(files, debian=keeper.program == "cron")


def at_start(files: Files, *, debian: bool) -> Iterator[Spawned]:
    """The @reboot lines of every table."""
    for path, owner in tables(files, debian=debian):
        yield from _table(path, owner, files)


def tables(files: Files, *, debian: bool) -> Iterator[tuple[str, str | None]]:
    """Every table there is and its owner; the lines of one without an owner name their user."""
    yield "/etc/crontab", None
    for name in files.names("/etc/cron.d"):
        skipped = name.startswith((".", "#")) or name.endswith(("~", ".rpmsave", ".rpmorig", ".rpmnew"))
        if not skipped and not (debian and "." in name):
            yield f"/etc/cron.d/{name}", None
    for directory in _SPOOLS:
        for name in files.names(directory):
            if files.kind(f"{directory}/{name}") == "file" and account(name, files) is not None:
                yield f"{directory}/{name}", name


def scripts(files: Files) -> Iterator[str]:
    """The scripts of cron's folders; run-parts(8) passes over names with a dot, and so over scripts that were put aside."""
    for often in ("hourly", "daily", "weekly", "monthly"):
        for name in files.names(f"/etc/cron.{often}"):
            if "." not in name and files.kind(f"/etc/cron.{often}/{name}") == "file":
                yield f"/etc/cron.{often}/{name}"


def commands(source: Source, owner: str | None) -> Iterator[tuple[int, str]]:
    """(where it begins, text) of the command in each line of a table that has one."""
    position = 0
    for line in source.text.split("\n"):
        start, position = position, position + len(line) + 1
        at = _skip(line, 0)
        if line[at : at + 1] in ("", "#", "\r"):
            continue
        if line[at] not in "@*0123456789":
            continue  # a variable; names of months and weekdays stand behind the numbers
        for _ in range((1 if line[at] == "@" else 5) + (owner is None)):
            while at < len(line) and line[at] not in _BLANK:
                at += 1
            at = _skip(line, at)
        command = _command(line[at:].rstrip("\r"))
        if command:
            yield start + at, command


def _table(path: str, owner: str | None, files: Files) -> Iterator[Spawned]:
    """The @reboot lines of one table; without an owner each line names its user."""
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None or "@reboot" not in source.text:
        return
    environment: dict[str, Word] = {}
    position = 0
    for line in source.text.split("\n"):
        start, position = position, position + len(line) + 1
        text = line.strip(_BLANK + "\r")
        if not text or text[0] == "#":
            continue
        offset = start + len(line) - len(line.lstrip(_BLANK))
        if text.startswith("@reboot") and text[7:8] in _BLANK:
            child = _job(source, offset, text, owner, environment, files)
            if child is None:
                files.report_unreadable(source.span(offset, offset + len(text)), "cron runs nothing: no user or no command in this line")
            else:
                yield child
        elif (assigned := _assignment(source, offset, text)) is not None:
            environment[assigned[0]] = assigned[1]


def _job(source: Source, offset: int, text: str, owner: str | None, environment: dict[str, Word], files: Files) -> Spawned | None:
    at = _skip(text, len("@reboot"))
    user = Word(owner, source.span(offset, offset + len("@reboot"))) if owner else None
    if user is None:
        end = at
        while end < len(text) and text[end] not in _BLANK:
            end += 1
        user, at = Word(text[at:end], source.span(offset + at, offset + end)), _skip(text, end)
    command = _command(text[at:])
    if not command or not user.text:
        return None
    span = source.span(offset + at, offset + at + len(command))
    known = account(user.text, files)
    home = known.home if known else "/"
    shell = environment["SHELL"].text if "SHELL" in environment else "/bin/sh"
    given = {"HOME": Word(home, user.at), "LOGNAME": user, "USER": user, **environment}
    argv = shell_command(SpannedText.of(Word(command.replace("\\%", "%"), span)), shell)
    return Spawned(argv, span, f"cron runs it when it starts: {span}", user, given, given["HOME"].text)


def _command(text: str) -> str:
    """What stands before the first `%` that no backslash makes plain: the rest is the command's input (crontab(5))."""
    position = text.find("%")
    while position > 0 and text[position - 1] == "\\":
        position = text.find("%", position + 1)
    return text if position < 0 else text[:position]


def _assignment(source: Source, offset: int, text: str) -> tuple[str, Word] | None:
    name, equals, value = text.partition("=")
    bare = name.strip(_BLANK).strip("\"'")
    if not equals or not is_name(bare):
        return None
    start = _skip(text, len(name) + 1)
    value = text[start:]
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        start, value = start + 1, value[1:-1]
    return bare, Word(value, source.span(offset + start, offset + start + len(value)))


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BLANK:
        position += 1
    return position
