"""What dinit starts: the services that `boot` depends on or waits for, and what those do (dinit-service(5))."""

from collections.abc import Iterator

from portwright._start.records import dataclass, field, replace
from portwright.facts import CAPABILITIES, Invocation, Starts
from portwright.source import Source, Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import is_name
from portwright.system.processes.spawned import shell_command
from portwright.system.script_services import (
    ScriptService,
    invocations_of,
    process_of,
    writes_of_devices,
    writes_of_keepers,
    writes_of_local_scripts,
)
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.started import Started, SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.trees import Files

# dinit(8): the first that has a service of a name counts.
_DIRECTORIES = ("/etc/dinit.d", "/run/dinit.d", "/usr/local/lib/dinit.d", "/usr/lib/dinit.d", "/lib/dinit.d")
_BOOT = "boot"
_NEEDS = ("depends-on", "depends-ms", "waits-for")
_MOST = 2000


@dataclass
class _Described:
    """A service: its file, what it runs, as whom, with which power, and the services it has started first."""

    path: str
    command: SpannedText | None = None
    user: Word | None = None
    ambient: frozenset[str] = frozenset()
    directory: str | None = None
    env_file: str = ""
    needs: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def read(files: Files, known: Captured) -> Started:
    """The services of a host that dinit boots, and every command of theirs."""
    services: list[ScriptService] = []
    invocations: list[Invocation] = []
    writes: list[SysctlWrite] = []
    for name, described, starts, why in _services(files):
        service = ScriptService(name, described.path, starts, why, described.user, described.ambient)
        services.append(service)
        if described.command is None:
            continue
        process = process_of(service, (), {}, files)
        environment = {**process.environment, **_environment(described, files)}
        argv = shell_command(described.command)
        at, directory = described.command.at, described.directory or process.directory
        end = replace(process, argv=argv, program="/bin/sh", at=at, environment=environment, directory=directory)
        invocations += invocations_of(service, (end,), files, known)
        if starts == "boot":
            words = ["/bin/sh", "-c", described.command.text]
            found = writes_of("/bin/sh", words, at, name, files, lambda _, given=environment: given)  # type: ignore[misc]
            writes += (replace(write, conditional=True) for write in found)
    return Started(
        units=tuple(service.unit(files) for service in services),
        invocations=tuple(invocations),
        sysctl_writes=(
            *writes,
            *writes_of_local_scripts("dinit", ("/etc/rc.local",), files),
            *writes_of_devices(files),
            *writes_of_keepers(invocations, files),
        ),
    )


def _services(files: Files) -> Iterator[tuple[str, _Described, Starts, str]]:
    """The services that a boot starts, from `boot` on, and those that only lie there."""
    waiting, why = [_BOOT], {_BOOT: "dinit starts it"}
    while waiting:
        name = waiting.pop()
        if len(why) > _MOST:
            files.report_limit(Span.whole(files.tree.label(_DIRECTORIES[0])), _MOST, "services of dinit")
            return
        path = _path(name, files)
        if path is None:
            continue  # a dependency that is waited for may lack
        described = _described(path, files)
        if "@" in name and described.command is not None:
            at = described.command.at
            described.command = SpannedText.of(Word(described.command.text.replace("$1", name.partition("@")[2]), at))
        for folder in described.folders:
            place = folder if folder.startswith("/") else f"{path.rpartition('/')[0]}/{folder}"
            described.needs += (each for each in files.names(place) if not each.startswith("."))
        for each in described.needs:
            if each not in why:
                why[each] = f"{name} has it started"
                waiting.append(each)
        yield name, described, "boot", why[name]
    for directory in _DIRECTORIES:
        for name in files.limited(files.names(directory), _MOST, "services", lambda _, at=directory: Span.whole(files.tree.label(at))):  # type: ignore[misc]
            if name not in why and files.kind(f"{directory}/{name}") == "file":
                why[name] = ""
                described = _described(f"{directory}/{name}", files)
                if described.command is not None:  # others are files beside the services
                    yield name, described, "manual", "nothing that dinit boots depends on it"


def _path(name: str, files: Files) -> str | None:
    if "/" in name:
        return None
    base = name.partition("@")[0]
    return next((f"{each}/{base}" for each in _DIRECTORIES if files.kind(f"{each}/{base}") == "file"), None)


def _described(path: str, files: Files) -> _Described:
    found = _Described(path)
    source = files.read(path)
    position = 0
    while source is not None and position < len(source.text):
        end = source.text.find("\n", position)
        end = len(source.text) if end < 0 else end
        _line(source, position, end, found)
        position = end + 1
    return found


def _line(source: Source, start: int, end: int, found: _Described) -> None:
    line = source.text[start:end]
    key = line.lstrip()[:40].partition("=")[0].partition(":")[0].rstrip(" \t+")
    sign = min((each for each in (line.find("="), line.find(":")) if each >= 0), default=-1)
    if sign < 0 or key.startswith("#"):
        return
    value = _without_comment(line[sign + 1 :])
    first = start + sign + 1 + len(line[sign + 1 :]) - len(line[sign + 1 :].lstrip())
    last = start + sign + 1 + len(value.rstrip())
    value = value.strip()
    if not value:
        return
    if key == "command":
        found.command = SpannedText.of_lines(source, first, last)
    elif key == "run-as":
        found.user = Word(value, source.span(first, last))
    elif key == "working-dir":
        found.directory = value
    elif key == "env-file":
        found.env_file = value
    elif key == "capabilities":
        found.ambient |= {
            name for each in value.split(",") if (name := each.strip()[1:].upper()) in CAPABILITIES and each.strip()[0] == "^"
        }
    elif key in _NEEDS:
        found.needs.append(value)
    elif key.endswith(".d") and key[:-2] in _NEEDS:
        found.folders.append(value)


def _without_comment(text: str) -> str:
    """A value without the comment behind it, which a blank and a hash begin."""
    at = text.find(" #")
    return text if at < 0 else text[:at]


def _environment(described: _Described, files: Files) -> dict[str, Word]:
    """The variables of its env-file, `NAME=VALUE` a line."""
    path = described.env_file
    path = path if path.startswith("/") else f"{described.path.rpartition('/')[0]}/{path}"
    source = files.read(path) if described.env_file and files.kind(path) == "file" else None
    found: dict[str, Word] = {}
    position = 0
    for line in () if source is None else source.text.split("\n"):
        name, equals, value = line.partition("=")
        if source is not None and equals and is_name(name.strip()):
            start = position + len(name) + 1
            found[name.strip()] = Word(UNKNOWN if "$" in value else value.strip(), source.span(start, position + len(line)))
        position += len(line) + 1
    return found
