"""What OpenRC starts: the services of the runlevels that a boot goes through, and what those need (openrc-run(8))."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.facts import CAPABILITIES, Invocation
from portwright.source import Span
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import Process
from portwright.system.processes.shells import Run
from portwright.system.script_services import (
    ScriptService,
    invocations_of,
    process_of,
    writes_of_devices,
    writes_of_keepers,
    writes_of_local_scripts,
    writes_of_service,
)
from portwright.system.started import Started, SysctlWrite
from portwright.trees import Files

_SCRIPTS = "/etc/init.d"
_RUNLEVELS = "/etc/runlevels"
_BOOT = ("sysinit", "boot", "default")
_SYSCTL = "sysctl"
_LOCAL, _LOCAL_SCRIPTS = "local", "/etc/local.d"
_MOST_SERVICES = 2000


def read(files: Files, known: Captured) -> Started:
    """The services of a host that OpenRC boots, and every command of theirs."""
    services = tuple(_services(files))
    invocations: list[Invocation] = []
    for service in services:
        invocations += _commands(service, files, known)
    applied = any(service.name == _SYSCTL and service.starts == "boot" for service in services)
    return Started(
        units=tuple(service.unit(files) for service in services),
        invocations=tuple(invocations),
        sysctl_writes=(
            *(write for service in services if service.name != _SYSCTL for write in writes_of_service(service, files)),
            *_writes_of_local(services, files),
            *writes_of_devices(files),
            *writes_of_keepers(invocations, files),
        ),
        files_not_applied=""
        if applied
        else f"OpenRC's service {_SYSCTL}, which reads the files, is in no runlevel that a boot goes through",
    )


def _writes_of_local(services: tuple[ScriptService, ...], files: Files) -> Iterator[SysctlWrite]:
    """What the scripts of /etc/local.d write, which OpenRC's service of this name runs."""
    if any(service.name == _LOCAL and service.starts == "boot" for service in services):
        names = (name for name in files.names(_LOCAL_SCRIPTS) if name.endswith(".start"))
        yield from writes_of_local_scripts(_LOCAL, (f"{_LOCAL_SCRIPTS}/{name}" for name in names), files)


def _services(files: Files) -> Iterator[ScriptService]:
    """Every script, started where a runlevel has it, or where one that is started needs it."""
    levels = [level for level in _BOOT if files.kind(f"{_RUNLEVELS}/{level}") == "directory"]
    started: dict[str, str] = {}
    links: dict[str, str] = {}
    for level in levels:
        for name in files.names(f"{_RUNLEVELS}/{level}"):
            link = f"{_RUNLEVELS}/{level}/{name}"
            started.setdefault(name, f"runlevel {level} has it: {link}")
            links.setdefault(name, link)
    todo = list(started)
    while todo:
        name = todo.pop()
        for needed in _needs(name, files):
            if needed not in started and files.kind(f"{_SCRIPTS}/{needed}") == "file":
                started[needed] = f"{name} needs it: {_SCRIPTS}/{name}"
                todo.append(needed)
    names = sorted({*files.names(_SCRIPTS), *started})
    for name in files.limited(names, _MOST_SERVICES, "services", lambda name: Span.whole(files.tree.label(_SCRIPTS))):
        path = f"{_SCRIPTS}/{name}"
        if files.kind(path) != "file":
            if name in links and files.link(links[name]) is not None:
                files.report_unreadable(Span.whole(files.tree.label(links[name])), f"the script of the service {name} is not there")
            continue
        if files.head(path).startswith(b"#!"):
            yield ScriptService(name, path, "boot" if name in started else "manual", started.get(name, "it is in no runlevel"))


def _needs(name: str, files: Files) -> Iterator[str]:
    """`need a b` of depend(); what it merely uses is started by others, if at all."""
    path = f"{_SCRIPTS}/{name}"
    source = files.read(path) if files.kind(path) == "file" else None
    for line in () if source is None else source.text.split("\n"):
        words = line.replace("{", " ").replace("}", " ").replace(";", " ").split()
        if "need" in words[:3]:
            yield from words[words.index("need") + 1 :]


def _commands(service: ScriptService, files: Files, known: Captured) -> Iterator[Invocation]:
    """What start() of a script ends in: its own, or OpenRC's, which runs `command` with `command_args` as `command_user`."""
    head = files.head(service.path).decode("utf-8", "surrogateescape").partition("\n")[0]
    name = service.name
    if not head.endswith(("openrc-run", "runscript")):
        yield from invocations_of(service, (process_of(service, ("start",), {}, files),), files, known)
        return
    process = process_of(service, ("start",), {"RC_SVCNAME": name, "SVCNAME": name, "RC_CMD": "start"}, files)
    run = Run(process, files, service.path, ())
    for path in dict.fromkeys(("/etc/rc.conf", f"/etc/conf.d/{name.partition('.')[0]}", f"/etc/conf.d/{name}", service.path)):
        if files.kind(path) == "file":
            run.source(path)
    if "start" in run.functions:
        run.call("start", process.at)
        yield from invocations_of(service, _ends(run, process), files, known)
        return
    command = run.variables.get("command")
    if command is None or not command.text:
        return
    supervised = _text(run, "supervisor") in ("supervise-daemon", "s6")
    mode = "command_args_foreground" if supervised else "command_args_background"
    more = f" ${mode}" if mode in run.variables else ""
    args = " $command_args" if "command_args" in run.variables else ""
    run.call(f'eval exec "$command"{args}{more}', command.word().at)
    user = run.variables.get("command_user")
    if user is not None and not user.text:
        reason = f"command_user= of {name} is empty, so start-stop-daemon takes its next option for the user and starts nothing"
        files.report_unreadable(user.word().at, reason)
        return
    ambient = _ambient(_text(run, "capabilities"))
    given = replace(service, user=None if user is None or not user.text else user.word(), ambient=ambient)
    yield from invocations_of(given, _ends(run, process), files, known)


def _ends(run: Run, process: Process) -> tuple[Process, ...]:
    """What the script started; the script itself, which nothing is known of, is none of it."""
    return tuple(end for end in run.result(process) if end.argv is not process.argv)


def _text(run: Run, name: str) -> str:
    value = run.variables.get(name)
    return "" if value is None else value.text


def _ambient(text: str) -> frozenset[str]:
    """The capabilities that `capabilities=` raises as ambient ones: those after `^` in a list (cap_iab(3))."""
    names = (word[1:].upper() for word in text.replace(",", " ").split() if word.startswith("^"))
    return frozenset(name for name in names if name in CAPABILITIES)
