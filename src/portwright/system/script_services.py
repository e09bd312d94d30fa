"""Services that are scripts: what a script ends in, as an Invocation with the power that is left to it."""

from collections.abc import Iterable, Iterator, Mapping

from portwright._start.records import dataclass, replace
from portwright.facts import Confidence, Invocation, Privileges, Starts, Unit, weakest
from portwright.source import Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.following import follow
from portwright.system.processes.privileges import after_switches, after_switching_user, with_file
from portwright.system.processes.process import Process
from portwright.system.processes.programs import SEARCH_PATH
from portwright.system.processes.spawners import spawned
from portwright.system.spanned_text import SpannedText
from portwright.system.started import SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.trees import Files

_EXECUTABLE = 0o111


@dataclass(frozen=True, slots=True)
class ScriptService:
    """A service by its script, what starts it and why; `user` and `ambient` are what its supervisor gives the program."""

    name: str
    path: str
    starts: Starts
    why: str
    user: Word | None = None
    ambient: frozenset[str] = frozenset()

    def unit(self, files: Files) -> Unit:
        """The service as a unit without settings."""
        at = Span.whole(files.tree.label(self.path))
        return Unit(self.name, at, (at.path,), (), "loaded", (self.name,), self.starts, self.why)


def process_of(service: ScriptService, words: Iterable[str], environment: Mapping[str, str], files: Files) -> Process:
    """A script as process 1 or a supervisor starts it, with these arguments."""
    at = Span.whole(files.tree.label(service.path))
    given = {"PATH": Word(":".join(SEARCH_PATH), at), **{name: Word(value, at) for name, value in environment.items()}}
    argv = tuple(SpannedText.of(Word(word, at)) for word in (service.path, *words))
    return Process(service.path, argv, given, at)


def invocations_of(service: ScriptService, ends: Iterable[Process], files: Files, known: Captured) -> Iterator[Invocation]:
    """What a script ends in, wrappers and further scripts followed; never surer than *likely*, as scripts may do anything."""
    for end in ends:
        for process in follow(end, files):
            confidence: Confidence = weakest(process.confidence, "likely")
            invocation = Invocation(
                unit=service.name,
                argv=tuple(each.word() for each in process.argv),
                at=process.at,
                environment=process.environment,
                privileges=after_switches(_power(service, process.program, files, known), process, files),
                directory=process.directory,
                starts=service.starts,
                why=service.why,
                confidence=confidence,
                passing=process.passing,
            )
            yield invocation
            yield from spawned(invocation, lambda program: _power(service, program, files, known), files)


def _power(service: ScriptService, program: str, files: Files, known: Captured) -> Privileges:
    privileges = with_file(Privileges(), program, files, known)
    if service.user is not None:
        return after_switching_user(privileges, service.user.text.partition(":")[0], files, service.ambient, service.user.at)
    return privileges


def writes_of_service(service: ScriptService, files: Files, *arguments: str) -> Iterator[SysctlWrite]:
    """The kernel settings that a script writes when it is started: whether it comes to that, nobody says.

    With the `arguments` that it is given, the branch that they choose is run; without, all that stands in no branch counts.
    """
    if service.starts == "boot":
        yield from writes_of_script(service.path, service.name, files, *arguments)


def writes_of_script(path: str, name: str, files: Files, *arguments: str) -> Iterator[SysctlWrite]:
    """What a shell's script at a path writes, on behalf of the service `name`."""
    at = Span.whole(files.tree.label(path))
    for write in writes_of("/bin/sh", ["/bin/sh", path, *arguments], at, name, files, _nothing if arguments else None):
        yield replace(write, conditional=True)


def _nothing(text: str) -> Mapping[str, Word]:
    """The variables that a script of the boot is given."""
    return {}


def writes_of_local_scripts(name: str, scripts: Iterable[str], files: Files) -> Iterator[SysctlWrite]:
    """What an administrator's own scripts write, which a service runs where they can be executed."""
    for path in scripts:
        known = files.attributes(path)
        if files.kind(path) == "file" and (known is None or known.mode & _EXECUTABLE):
            yield from writes_of_script(path, name, files, "start")


def writes_of_devices(files: Files) -> Iterator[SysctlWrite]:
    """What rules for devices and modules write, which every init system's udev and modprobe follow."""
    if files.names("/etc/udev/rules.d") or files.names("/etc/modprobe.d"):
        from portwright.system.sysctl.device_rules import device_writes

        yield from device_writes(files)


def writes_of_keepers(invocations: Iterable[Invocation], files: Files) -> Iterator[SysctlWrite]:
    """The kernel settings that started programs bring: those of cron's jobs at boot, of tuned."""
    for each in invocations:
        if each.starts == "boot" and each.unit is not None:
            yield from (replace(write, conditional=True) for write in writes_of(each.program, [each.program], each.at, each.unit, files))
