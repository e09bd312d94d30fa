"""What sysvinit starts: the S links of the runlevels that a boot goes through, and the processes of inittab (init(8), inittab(5))."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.facts import Invocation
from portwright.numbers import is_digits
from portwright.source import Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.spawned import shell_command
from portwright.system.script_services import (
    ScriptService,
    invocations_of,
    process_of,
    writes_of_devices,
    writes_of_keepers,
    writes_of_local_scripts,
    writes_of_service,
)
from portwright.system.spanned_text import SpannedText
from portwright.system.started import Started, SysctlWrite
from portwright.trees import Files

_SCRIPTS = ("/etc/init.d", "/etc/rc.d/init.d", "/etc/rc.d")
_INITTAB = "/etc/inittab"
_STARTING = ("respawn", "once", "wait", "boot", "bootwait")
# Debian's procps runs `sysctl -q --system`; Red Hat's and Slackware's scripts call it from within.
_LOADERS = ("procps", "procps.sh", "sysctl")
_WITHIN = ("/etc/rc.d/rc.sysinit", "/etc/rc.sysinit", "/etc/rc.d/rc.S")
_LOCAL = "rc.local"
_MOST = 2000


def read(files: Files, known: Captured) -> Started:
    """The services of a host that sysvinit boots, and every command of theirs."""
    level, entries = inittab(files)
    found = tuple(services(level, files))
    invocations: list[Invocation] = []
    for service in found:
        invocations += invocations_of(service, (process_of(service, ("start",), {}, files),), files, known)
    for name, word in entries:
        kept = ScriptService(name, _INITTAB, "boot", f"init runs it: {word.at}")
        text = process_of(kept, (), {}, files)
        argv = shell_command(SpannedText.of(Word(f"exec {word.text}", word.at)))
        invocations += invocations_of(kept, (replace(text, argv=argv, program="/bin/sh", at=word.at),), files, known)
    return Started(
        units=tuple(service.unit(files) for service in found),
        invocations=tuple(invocations),
        sysctl_writes=(
            *(write for service in found if service.name not in _LOADERS for write in writes_of_service(service, files, "start")),
            *(write for service in found for write in _writes_of_local(service, files)),
            *writes_of_devices(files),
            *writes_of_keepers(invocations, files),
        ),
        files_not_applied="" if _applies(found, files) else "no script that a boot starts reads the files with sysctl",
    )


def _writes_of_local(service: ScriptService, files: Files) -> Iterator[SysctlWrite]:
    """What /etc/rc.local writes, which Debian's script of this name runs."""
    if service.name == _LOCAL and service.starts == "boot":
        yield from writes_of_local_scripts(service.name, ("/etc/rc.local",), files)


def inittab(files: Files) -> tuple[str, tuple[tuple[str, Word], ...]]:
    """The runlevel of `initdefault`, 2 without one, and the processes that init keeps or runs there; getty and rc are not of interest."""
    source = files.read(_INITTAB) if files.kind(_INITTAB) == "file" else None
    level = "2"
    lines: list[tuple[str, str, str, Word]] = []
    position = 0
    for line in () if source is None else source.text.split("\n"):
        fields = line.split(":", 3)
        if len(fields) == 4 and not line.lstrip().startswith("#") and source is not None:
            start = position + len(line) - len(fields[3])
            lines.append((fields[0], fields[1], fields[2], Word(fields[3].strip(), source.span(start, position + len(line)))))
            if fields[2] == "initdefault" and fields[1][:1] in "12345":
                level = fields[1][:1] or level
        position += len(line) + 1
    kept = [line for line in lines if line[2] in _STARTING and (not line[1] or level in line[1]) and line[3].text]
    if len(kept) > _MOST:
        files.report_limit(Span.whole(files.tree.label(_INITTAB)), _MOST, "processes")
    named = ((f"inittab:{name}", word) for name, _, _, word in kept[:_MOST] if "/rc" not in word.text and "getty" not in word.text)
    return level, tuple(named)


def services(level: str, files: Files) -> Iterator[ScriptService]:
    """The scripts, started where an S link of rcS.d or of the runlevel leads to them; what runlevels of Slackware have is executable."""
    started: dict[str, str] = {}
    for each in ("S", level):
        directory = next((path for path in (f"/etc/rc{each}.d", f"/etc/rc.d/rc{each}.d") if files.names(path)), f"/etc/rc{each}.d")
        for entry in files.names(directory):
            if entry[:1] == "S" and is_digits(entry[1:3]):
                started.setdefault(entry[3:], f"{directory}/{entry}")
    directory = next((path for path in _SCRIPTS if files.names(path)), _SCRIPTS[0])
    names = sorted({*files.names(directory), *started})
    for name in files.limited(names, _MOST, "services", lambda name: Span.whole(files.tree.label(directory))):
        path = f"{directory}/{name}"
        if files.kind(path) != "file" and name in started and files.kind(started[name]) == "file":
            path = files.resolve(started[name])  # S99local leads to rc.local, which is not among the scripts
        if files.kind(path) != "file":
            if name in started:
                files.report_unreadable(Span.whole(files.tree.label(started[name])), f"the script of the service {name} is not there")
            continue
        if name not in ("rc", "rcS", "README", "skeleton", "functions") and files.head(path).startswith(b"#!"):
            why = f"runlevel {level} starts it: {started[name]}" if name in started else "no runlevel of a boot starts it"
            yield ScriptService(name, path, "boot" if name in started else "manual", why)


def _applies(services: tuple[ScriptService, ...], files: Files) -> bool:
    """Whether a script reads the files: a service by its name, or the script of the system's start; where neither can be seen, it does."""
    if any(service.name in _LOADERS and service.starts == "boot" for service in services):
        return True
    within = [path for path in _WITHIN if files.kind(path) == "file"]
    if within:
        return any((source := files.read(path)) is not None and "sysctl" in source.text for path in within)
    return not any(service.name in _LOADERS for service in services) and not files.names("/etc/rcS.d")
