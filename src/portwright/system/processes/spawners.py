"""Programs that others start and keep: @reboot lines of cron, programs of supervisor, monit and pm2, as Invocations of their unit."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from portwright.facts import Invocation, Privileges, weakest
from portwright.system.processes.following import follow
from portwright.system.processes.privileges import after_switches, after_switching_user
from portwright.system.processes.process import Process
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.system.processes.spawned import Spawned


def _jobs(keeper: Invocation, files: Files) -> "Iterable[Spawned]":
    from portwright.system.processes import cron

    return cron.children(keeper, files)


def _programs(keeper: Invocation, files: Files) -> "Iterable[Spawned]":
    from portwright.system.processes import supervisor

    return supervisor.children(keeper, files)


def _checked(keeper: Invocation, files: Files) -> "Iterable[Spawned]":
    from portwright.system.processes import monit

    return monit.children(keeper, files)


def _apps(keeper: Invocation, files: Files) -> "Iterable[Spawned]":
    from portwright.system.processes import pm2

    return pm2.children(keeper, files)


CHECKER = "monit"
_OF_NODE = ("pm2", "pm2-runtime", "pm2-docker")
_KEEPERS: "Mapping[str, Callable[[Invocation, Files], Iterable[Spawned]]]" = {
    "cron": _jobs,
    "crond": _jobs,
    CHECKER: _checked,
    **dict.fromkeys(_OF_NODE, _apps),
    "supervisord": _programs,
}
_MOST_CHILDREN = 2000


def spawned(keeper: Invocation, power: Callable[[str], Privileges], files: Files) -> Iterable[Invocation]:
    """What a program that was started starts in turn; nothing for most programs.

    `power` says with what power the keeper's service starts a program by its path; what the keeper starts has no more.
    Never surer than *likely*: that the job goes on running is what its author meant, not what the files say.
    """
    read = _KEEPERS.get(keeper.program)
    if read is None:
        return
    for number, spawned in enumerate(read(keeper, files)):
        if number >= _MOST_CHILDREN:
            files.report_unreadable(spawned.at, f"not read beyond {_MOST_CHILDREN} programs")
            return
        environment = {**keeper.environment, **spawned.environment}
        first = Process("", spawned.argv, environment, spawned.at, spawned.directory).starts(spawned.argv, files)
        for process in follow(first, files):
            privileges = power(process.program)
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
                passing=process.passing,
            )
