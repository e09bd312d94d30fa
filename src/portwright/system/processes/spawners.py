"""Programs that other programs start and keep: @reboot lines of cron, programs of supervisor, as Invocations of the unit they live in."""

from collections.abc import Callable, Iterable, Mapping

from portwright.facts import Invocation, weakest
from portwright.system.host_files.captures import Captured
from portwright.system.processes import cron
from portwright.system.processes.spawned import Spawned
from portwright.system.processes.wrappers import Process, follow
from portwright.system.systemd.invocations import after_switches
from portwright.system.systemd.privileges import after_switching_user, unit_privileges
from portwright.system.systemd.units import Units
from portwright.trees import Files


def _programs(keeper: Invocation, files: Files) -> Iterable[Spawned]:
    from portwright.system.processes import supervisor

    return supervisor.children(keeper, files)


_KEEPERS: Mapping[str, Callable[[Invocation, Files], Iterable[Spawned]]] = {
    "cron": cron.children,
    "crond": cron.children,
    "supervisord": _programs,
}
_MOST_CHILDREN = 2000


def spawned(keeper: Invocation, units: Units, files: Files, captured: Captured) -> Iterable[Invocation]:
    """What a program that was started starts in turn, with the power its unit leaves it; nothing for most programs.

    Never surer than *likely*: that the job goes on running is what its author meant, not what the files say.
    """
    read = _KEEPERS.get(keeper.program)
    unit = units.get(keeper.unit) if keeper.unit is not None else None
    if read is None or unit is None:
        return
    for number, spawned in enumerate(read(keeper, files)):
        if number >= _MOST_CHILDREN:
            files.report_unreadable(spawned.at, f"not read beyond {_MOST_CHILDREN} programs")
            return
        environment = {**keeper.environment, **spawned.environment}
        first = Process("", spawned.argv, environment, spawned.at, spawned.directory).starts(spawned.argv, files)
        for process in follow(first, files):
            privileges = unit_privileges(unit, frozenset(), process.program, files, captured, lambda text: units.expand(text, unit))
            if spawned.user is not None:
                privileges = after_switching_user(privileges, spawned.user.text, files, at=spawned.user.at)
            yield Invocation(
                unit=keeper.unit,
                argv=tuple(each.word() for each in process.argv),
                at=process.at,
                environment=process.environment,
                privileges=after_switches(privileges, process, files),
                directory=process.directory,
                starts=keeper.starts if spawned.automatic else "manual",
                why=spawned.why if keeper.starts == "boot" else keeper.why,
                confidence=weakest(process.confidence, keeper.confidence, "likely"),
            )
