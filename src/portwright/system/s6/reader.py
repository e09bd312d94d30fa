"""What s6-rc brings up: the services of the bundle of a boot, with what they depend on (s6-rc-compile(8), s6-overlay's README)."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.facts import Invocation, Starts
from portwright.source import Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import Process
from portwright.system.processes.spawned import shell_command
from portwright.system.script_services import (
    ScriptService,
    invocations_of,
    process_of,
    writes_of_devices,
    writes_of_keepers,
    writes_of_local_scripts,
    writes_of_script,
    writes_of_service,
)
from portwright.system.spanned_text import SpannedText
from portwright.system.started import Started, SysctlWrite
from portwright.trees import Files

# (folders of service definitions, the bundles that a boot brings up): s6-overlay 3, Artix, others.
_SOURCES = (
    (("/etc/s6-overlay/s6-rc.d",), ("user", "user2")),
    (("/etc/s6/adminsv", "/etc/s6/sv"), ("default", "boot")),
    (("/etc/s6-rc/source", "/etc/s6-rc/sv"), ("default", "boot")),
)
_LISTS = ("contents", "dependencies")  # files of names; with .d a folder of them
# Directories whose services s6-svscan runs without s6-rc: s6-overlay's of old, and a scan directory.
_SCANNED = ("/etc/services.d", "/etc/s6/service")
_FIRST = "/etc/cont-init.d"
_MOST = 2000
_PASSES = 4  # blocks within each other that only prepare; of more nothing is said
_COMMENT = lazy_regex(r"(?m)^[ \t]*#[^\n]*")
_ASIDE = lazy_regex(r"(?<!\S)(?:foreground|if|background)\s+\{[^{}]*\}")
_PREPARES = (
    lazy_regex(r"(?<!\S)fdmove\s+-c\s+[0-9]+\s+[0-9]+(?!\S)"),
    lazy_regex(r"(?<!\S)(?:/command/|/usr/bin/)?with-contenv(?!\S)"),
    lazy_regex(r"(?<!\S)s6-notifyoncheck(?:\s+-[dn](?!\S)|\s+-[swTntc]\s+[0-9]+(?!\S))*(?!\S)"),
)


@dataclass(frozen=True, slots=True)
class _Found:
    """A service by its folder, what starts it and why."""

    name: str
    folder: str
    starts: Starts
    why: str


def read(files: Files, known: Captured) -> Started:
    """The services of a host that s6 boots, and every command of theirs."""
    units, invocations, writes = [], list[Invocation](), list[SysctlWrite]()
    for found in (*_compiled(files), *_scanned(files)):
        path = f"{found.folder}/run"
        if files.kind(path) == "file":
            service = ScriptService(found.name, path, found.starts, found.why)
            process = _running(replace(process_of(service, (), {}, files), directory=found.folder), files)
            writes += writes_of_service(service, files)
        elif files.kind(f"{found.folder}/up") == "file" and (up := files.read(f"{found.folder}/up")) is not None:
            # A oneshot is a command line of execline, most often the path of a script.
            service = ScriptService(found.name, f"{found.folder}/up", found.starts, found.why)
            command = SpannedText.of_lines(up, 0, len(up.text.rstrip()))
            if "{" in command.text or "#!" in command.text or not command.text.strip():
                units.append(service.unit(files))
                continue
            process = replace(process_of(service, (), {}, files), argv=shell_command(command), program="/bin/sh", at=command.at)
        else:
            continue  # a bundle
        units.append(service.unit(files))
        invocations += invocations_of(service, (process,), files, known)
    for name in files.names(_FIRST):
        if files.kind(f"{_FIRST}/{name}") == "file":
            writes += writes_of_script(f"{_FIRST}/{name}", "cont-init.d", files)
    return Started(
        units=tuple(units),
        invocations=tuple(invocations),
        sysctl_writes=(
            *writes,
            *writes_of_local_scripts("s6", ("/etc/s6/rc.local", "/etc/rc.local"), files),
            *writes_of_devices(files),
            *writes_of_keepers(invocations, files),
        ),
    )


def _running(process: Process, files: Files) -> Process:
    """A run script as a shell would have it, where it is none: one of with-contenv, or of execlineb without blocks that matter."""
    source = files.read(process.program)
    first, _, rest = ("", "", "") if source is None else source.text.partition("\n")
    if source is None or not first.startswith("#!"):
        return process
    if "with-contenv" in first and "execlineb" not in first:
        command = SpannedText.of_lines(source, len(first) + 1, len(source.text))
    elif "execlineb" in first and (chain := _chain(rest)):
        start = len(first) + 1 + max(rest.rfind(chain.split()[-1]), 0)
        command = SpannedText.of(Word(f"exec {chain}", source.span(start, start)))
    else:
        return process
    return replace(process, argv=shell_command(command), program="/bin/sh", at=command.at)


def _chain(text: str) -> str:
    """The command line that a script of execline comes to, without what only prepares it; "" where a block is left that may decide."""
    text = _COMMENT.sub("", text)
    for _ in range(_PASSES):
        text = _ASIDE.sub(" ", text)
    for each in _PREPARES:
        text = each.sub(" ", text)
    return "" if "{" in text or "}" in text else " ".join(text.split())


def _compiled(files: Files) -> Iterator[_Found]:
    """The services of each source, those first that its bundles reach."""
    for folders, bundles in _SOURCES:
        places: dict[str, str] = {}
        for folder in folders:
            for name in files.limited(files.names(folder), _MOST, "services", lambda _, at=folder: Span.whole(files.tree.label(at))):  # type: ignore[misc]
                if files.kind(f"{folder}/{name}") == "directory":
                    places.setdefault(name, f"{folder}/{name}")
        waiting = [name for name in bundles if name in places]
        why = dict.fromkeys(waiting, "a boot brings it up")
        while waiting:
            name = waiting.pop()
            for each in _named(places[name], files):
                if each in places and each not in why:
                    why[each] = f"{name} has it brought up"
                    waiting.append(each)
        for name, place in places.items():
            yield _Found(name, place, "boot" if name in why else "manual", why.get(name, "no bundle of a boot has it"))


def _named(place: str, files: Files) -> Iterator[str]:
    for each in _LISTS:
        yield from (name for name in files.names(f"{place}/{each}.d") if not name.startswith("."))
        source = files.read(f"{place}/{each}") if files.kind(f"{place}/{each}") == "file" else None
        if source is not None:
            yield from (line.strip() for line in source.text.split("\n") if line.strip() and not line.startswith("#"))


def _scanned(files: Files) -> Iterator[_Found]:
    for folder in _SCANNED:
        for name in files.limited(files.names(folder), _MOST, "services", lambda _, at=folder: Span.whole(files.tree.label(at))):  # type: ignore[misc]
            place = f"{folder}/{name}"
            if not name.startswith("."):
                down = files.kind(f"{place}/down") == "file"
                why = f"a file keeps it down: {place}/down" if down else f"s6-svscan runs it: {place}"
                yield _Found(name, place, "manual" if down else "boot", why)
