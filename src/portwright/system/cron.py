"""crontab(5): the @reboot lines of /etc/crontab, /etc/cron.d and users' crontabs."""

from collections.abc import Iterator

from portwright.facts import Invocation
from portwright.source import Source, Word
from portwright.system.accounts import account
from portwright.system.child import Child, shell_command
from portwright.system.environment import is_name
from portwright.trees import Files

_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs")
_BLANK = " \t"


def children(keeper: Invocation, files: Files) -> Iterator[Child]:
    """The commands that cron runs once when it starts, each with `sh -c` as the user of its line or of its file.

    Debian's cron passes over files in /etc/cron.d with a dot in their name (cron(8)); cronie's over those that end in `~` or `.rpm*`.
    """
    yield from _table("/etc/crontab", None, files)
    for name in files.names("/etc/cron.d"):
        skipped = name.startswith((".", "#")) or name.endswith(("~", ".rpmsave", ".rpmorig", ".rpmnew"))
        if not skipped and (keeper.program != "cron" or "." not in name):
            yield from _table(f"/etc/cron.d/{name}", None, files)
    for directory in _SPOOLS:
        for name in files.names(directory):
            if files.kind(f"{directory}/{name}") == "file" and account(name, files) is not None:
                yield from _table(f"{directory}/{name}", name, files)


def _table(path: str, owner: str | None, files: Files) -> Iterator[Child]:
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
                files.trouble(source.span(offset, offset + len(text)), "cron runs nothing: no user or no command in this line")
            else:
                yield child
        elif (assigned := _assignment(source, offset, text)) is not None:
            environment[assigned[0]] = assigned[1]


def _job(source: Source, offset: int, text: str, owner: str | None, environment: dict[str, Word], files: Files) -> Child | None:
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
    argv = shell_command(Word(command.replace("\\%", "%"), span), shell)
    return Child(argv, span, f"cron runs it when it starts: {span}", user, given, given["HOME"].text)


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
