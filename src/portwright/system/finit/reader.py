"""What finit starts: the services, tasks and commands of finit.conf and finit.d (https://finit-project.github.io/config/)."""

from collections.abc import Iterator
from itertools import islice

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.facts import CAPABILITIES, Invocation, Starts
from portwright.source import Source, Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import is_name
from portwright.system.processes.spawned import shell_command
from portwright.system.script_services import ScriptService, invocations_of, process_of, writes_of_keepers
from portwright.system.spanned_text import UNKNOWN, Piece, SpannedText
from portwright.system.started import Started, SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.trees import Files

_CONFIG = "/etc/finit.conf"
# files.md: the order in which they are read; a file of /etc/finit.d takes the place of one of its name in the first two.
_VENDOR = ("/lib/finit/system", "/run/finit/system")
_OWN = ("/etc/finit.d", "/etc/finit.d/enabled")
_VERBS = ("service", "task", "run", "sysv")
_DEFAULT_LEVELS = "234"
_MOST_FILES = 500
_MOST = 2000
_WORD = lazy_regex(r"\S+")
_OPTION = lazy_regex(r"[a-z_]+:")
_FLAGS = frozenset(("nowarn", "norestart", "respawn", "notify", "pid", "log", "manual"))


@dataclass
class _Stanza:
    """A service, task or command: where it may run, as whom, with which power, and its command line."""

    verb: str
    at: Span
    command: SpannedText
    name: str = ""
    levels: str = _DEFAULT_LEVELS
    user: Word | None = None
    ambient: frozenset[str] = frozenset()
    env: str = ""
    manual: bool = False


@dataclass
class _Said:
    """What the files say together."""

    stanzas: dict[str, _Stanza] = field(default_factory=dict)
    environment: dict[str, Word] = field(default_factory=dict)
    level: str = "2"
    read: list[str] = field(default_factory=list)


def read(files: Files, known: Captured) -> Started:
    """The services of a host that finit boots, and every command of theirs."""
    said = _Said()
    for path in _paths(files):
        _file(path, said, files)
    services: list[ScriptService] = []
    invocations: list[Invocation] = []
    writes: list[SysctlWrite] = []
    for stanza in said.stanzas.values():
        booted = not stanza.manual and ("S" in stanza.levels or said.level in stanza.levels)
        starts: Starts = "boot" if booted else "manual"
        why = f"{stanza.verb} [{stanza.levels}]: {stanza.at}"
        service = ScriptService(stanza.name, stanza.at.path, starts, why, stanza.user, stanza.ambient)
        services.append(service)
        process = process_of(service, (), {}, files)
        environment = {**process.environment, **said.environment, **_environment(stanza, files)}
        end = replace(process, argv=shell_command(stanza.command), program="/bin/sh", at=stanza.command.at, environment=environment)
        invocations += invocations_of(service, (end,), files, known)
        if booted:
            words = ["/bin/sh", "-c", stanza.command.text]
            found = writes_of("/bin/sh", words, stanza.at, stanza.name, files, lambda _, given=environment: given)  # type: ignore[misc]
            writes += (replace(write, conditional=True) for write in found)
    return Started(
        units=tuple(service.unit(files) for service in services),
        invocations=tuple(invocations),
        sysctl_writes=(*writes, *writes_of_keepers(invocations, files)),
    )


def _paths(files: Files) -> Iterator[str]:
    """The files in the order in which finit reads them."""
    yield _CONFIG
    own = {name for directory in _OWN for name in files.names(directory)}
    for directory in (*_VENDOR, *_OWN):
        for name in sorted(files.names(directory)):
            if name.endswith(".conf") and not (directory in _VENDOR and name in own):
                yield f"{directory}/{name}"


def _file(path: str, said: _Said, files: Files) -> None:
    if path in said.read or files.kind(path) != "file":
        return
    if len(said.read) >= _MOST_FILES:
        files.report_limit(Span.whole(files.tree.label(path)), _MOST_FILES, "files of finit")
        return
    said.read.append(path)
    source = files.read(path)
    position = 0
    while source is not None and position < len(source.text):
        end = source.text.find("\n", position)
        while end > 0 and source.text[end - 1] == "\\":
            end = source.text.find("\n", end + 1)
        end = len(source.text) if end < 0 else end
        _line(source, position, end, said, files)
        position = end + 1


def _line(source: Source, start: int, end: int, said: _Said, files: Files) -> None:
    found = [each for each in islice(_WORD.finditer(source.text, start, end), 3) if each[0] != "\\"]
    if not found or found[0][0].startswith("#"):
        return
    verb, value = found[0][0], found[1][0] if len(found) > 1 else ""
    if verb in _VERBS:
        if (stanza := _stanza(verb, source, start, end)) is None:
            files.report_unreadable(source.span(start, end), f"this {verb} has no command")
        else:
            # services.md: a later one of the same name and :ID takes the place of the earlier.
            said.stanzas.pop(stanza.name, None)
            if len(said.stanzas) < _MOST:
                said.stanzas[stanza.name] = stanza
            else:
                files.report_limit(stanza.at, _MOST, "services")
    elif verb == "runlevel" and value in ("1", "2", "3", "4", "5", "7", "8", "9"):
        said.level = value
    elif verb == "include" and value.startswith("/"):
        _included(value, said, files)
    elif "=" in (value if verb == "set" else verb):
        name, _, text = (value if verb == "set" else verb).partition("=")
        if is_name(name):
            at = found[1 if verb == "set" else 0]
            said.environment[name] = Word(text.strip("\"'"), source.span(at.start(), at.end()))


def _included(pattern: str, said: _Said, files: Files) -> None:
    from portwright.trees.glob import TooMany, expand

    try:
        for path in expand(pattern, files):
            _file(path, said, files)
    except TooMany:
        files.report_unreadable(Span.whole(files.tree.label(_CONFIG)), f"too many files match {pattern}")


def _stanza(verb: str, source: Source, start: int, end: int) -> _Stanza | None:
    """`service [LEVELS] <CONDITION> OPTIONS @USER:GROUP COMMAND -- DESCRIPTION`: everything before the command in any order."""
    text = source.text
    made = _Stanza(verb, source.span(start, end), SpannedText((), source.span(start, end)))
    number = ""
    at = start + len(text[start:end]) - len(text[start:end].lstrip()) + len(verb)
    while (found := _WORD.search(text, at, end)) is not None:
        word, at = found.group(), found.end()
        if word == "\\":
            continue
        if word.startswith("[") or (word.startswith(":") and "[" in word):
            number = word.partition("[")[0] or number
            close = text.find("]", found.start(), end)
            if close < 0:
                return None
            made.levels = "".join(sorted(text[found.start() : close].partition("[")[2].strip()))
            made.levels = _without(made.levels) if "!" in made.levels else made.levels
            at = close + 1
        elif word.startswith("<"):
            close = text.find(">", found.start(), end)
            if close < 0:
                return None
            at = close + 1
        elif word.startswith("@"):
            made.user = Word(word[1:], source.span(found.start() + 1, found.end()))
        elif word.startswith(":"):
            number = word
        elif word in _FLAGS or word.startswith("cgroup.") or _OPTION.match(word) is not None:
            at = _option(word, made, text, found.start(), at, end)
        else:
            stop = _description(text, found.start(), end)
            made.command = SpannedText.of_lines(source, found.start(), stop)
            if verb == "sysv":
                made.command = replace(made.command, pieces=(*made.command.pieces, Piece(" start", made.command.at)))
            made.name = f"{made.name or word.rpartition('/')[2]}{number}"
            return made
    return None


def _option(word: str, made: _Stanza, text: str, start: int, at: int, end: int) -> int:
    """Take an option's value; where it ends, quotes included."""
    key, _, value = word.partition(":")
    if value[:1] in ("'", '"') or ",'" in value:
        quote = "'" if "'" in value else '"'
        close = text.find(quote, text.find(quote, start) + 1, end)
        at = close + 1 if close >= 0 else at
    if key == "name":
        made.name = value
    elif key == "env":
        made.env = value
    elif key == "manual":
        made.manual = value in ("yes", "true", "1", "on")
    elif key == "caps":
        names = (each[1:].upper() for each in value.split(",") if each.startswith("^"))
        made.ambient = frozenset(name for name in names if name in CAPABILITIES)
    return at


def _without(levels: str) -> str:
    """The runlevels that `[!016]` leaves, none of which is S."""
    return "".join(level for level in "123456789" if level not in levels)


def _description(text: str, start: int, end: int) -> int:
    """Where the command ends: before ` -- `, behind which its description stands."""
    found = text.find(" -- ", start, end)
    return found if found >= 0 else end


def _environment(stanza: _Stanza, files: Files) -> dict[str, Word]:
    """The variables of its `env:` file, `NAME=VALUE` a line."""
    path = stanza.env.removeprefix("-")
    if not path.startswith("/"):
        return {}
    source = files.read(path) if files.kind(path) == "file" else None
    found: dict[str, Word] = {}
    position = 0
    for line in () if source is None else source.text.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if source is not None and equals and is_name(name.strip()):
            text = value.strip().strip("\"'")
            start = position + line.find("=") + 1
            found[name.strip()] = Word(UNKNOWN if "$" in text or "`" in text else text, source.span(start, position + len(line)))
        position += len(line) + 1
    return found
