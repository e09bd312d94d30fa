"""What runit starts: runsvdir runs the `run` script of each link in its service directory (runsvdir(8), runsv(8))."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.facts import Invocation
from portwright.source import Span
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import Process
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
from portwright.system.started import Started, SysctlWrite
from portwright.trees import Files

# Void's /var/service leads to /run/runit/runsvdir/current, and that to the runlevel; Debian's and Artix' lie elsewhere.
_LEVELS = ("/etc/runit/runsvdir/current", "/etc/runit/runsvdir/default")
_DIRECTORIES = ("/var/service", "/etc/service", "/service", "/run/runit/service", *_LEVELS)
_AVAILABLE = ("/etc/sv", "/etc/runit/sv", "/usr/share/runit/sv.current")
_CORE = "/etc/runit/core-services"
_STAGES = ("/etc/runit/1", "/etc/rc.local")
_MOST_SERVICES = 2000


def read(files: Files, known: Captured) -> Started:
    """The services of a host that runit boots, and every command of theirs."""
    services = tuple(_services(files))
    invocations: list[Invocation] = []
    for service in services:
        at = process_of(service, (), {}, files)
        invocations += invocations_of(service, (_in_its_directory(at, service),), files, known)
    return Started(
        units=tuple(service.unit(files) for service in services),
        invocations=tuple(invocations),
        sysctl_writes=(
            *_writes_of_stages(files),
            *(write for service in services for write in writes_of_service(service, files)),
            *writes_of_devices(files),
            *writes_of_keepers(invocations, files),
        ),
        files_not_applied="" if _applies(files) else "no script of runit's first stage reads the files",
    )


def _in_its_directory(process: Process, service: ScriptService) -> Process:
    return replace(process, directory=service.path.rpartition("/")[0])


def _services(files: Files) -> Iterator[ScriptService]:
    """The services that a link starts, unless a file `down` keeps them, and those that only lie there to be linked."""
    chosen = next((directory for directory in _DIRECTORIES if files.names(directory)), None)
    seen: set[str] = set()
    for name in _few(chosen, files) if chosen is not None else ():
        link = f"{chosen}/{name}"
        place = files.resolve(link)
        if name.startswith("."):
            continue
        if files.kind(f"{place}/run") != "file":
            files.report_unreadable(
                Span.whole(files.tree.label(link)), f"the service {name} has no run script here, so what it starts is not known"
            )
            continue
        seen.add(name)
        down = files.kind(f"{place}/down") == "file"
        why = f"a file keeps it down: {place}/down" if down else f"runsvdir runs it: {link}"
        yield ScriptService(name, f"{place}/run", "manual" if down else "boot", why)
    for directory in _AVAILABLE:
        for name in _few(directory, files):
            path = f"{directory}/{name}/run"
            if name not in seen and files.kind(path) == "file":
                seen.add(name)
                yield ScriptService(name, path, "manual", "no link in the service directory leads to it")


def _few(directory: str, files: Files) -> Iterator[str]:
    return files.limited(files.names(directory), _MOST_SERVICES, "services", lambda name: Span.whole(files.tree.label(directory)))


def _writes_of_stages(files: Files) -> Iterator[SysctlWrite]:
    """What the scripts of the first stage and /etc/rc.local write, but for the one that loads the files of sysctl.d."""
    for name in sorted(files.names(_CORE)):
        if name.endswith(".sh") and "sysctl" not in name and files.kind(f"{_CORE}/{name}") == "file":
            yield from writes_of_script(f"{_CORE}/{name}", "runit", files)
    yield from writes_of_local_scripts("runit", ("/etc/rc.local",), files)


def _applies(files: Files) -> bool:
    """Whether a script of the first stage calls sysctl: Void's core-services/08-sysctl.sh; where none is there to see, it does."""
    scripts = [f"{_CORE}/{name}" for name in files.names(_CORE)]
    scripts += [path for path in _STAGES if files.kind(path) == "file"]
    if not scripts:
        return True
    return any((source := files.read(path)) is not None and "sysctl" in source.text for path in scripts)
