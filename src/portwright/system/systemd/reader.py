"""What systemd starts on a host or, were its files deployed, from a repository."""

from collections.abc import Callable, Iterator

from portwright._start.records import replace
from portwright.facts import Invocation, Privileges, Unit, weakest
from portwright.system.host_files.captures import Captured
from portwright.system.processes.spawners import spawned
from portwright.system.started import InitSocket, Packaged, Started
from portwright.system.systemd.generators import is_guess
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.privileges import unit_privileges
from portwright.system.systemd.sysctl_writes import sysctl_writes
from portwright.system.systemd.units import Units, load
from portwright.system.systemd.user_managers import managers
from portwright.trees import Files


def read(files: Files, known: Captured, *, repository: bool = False, packaged: Packaged | None = None) -> Started:
    """The units of a host, what starts them, and every command and socket of theirs."""
    units = load(files, repository=repository, packaged=packaged)
    return Started(
        units=units.each,
        invocations=tuple(commands(units, files, known)),
        sockets=tuple(_sockets(units, files)),
        sysctl_writes=tuple(sysctl_writes(units, files)),
        before=units.before,
        circle=units.circle,
    )


def commands(units: Units, files: Files, known: Captured) -> Iterator[Invocation]:
    """Every command that a loaded service starts, in the order of unit names, what cron and supervisor start in turn, and users' own.

    On a host a template starts nothing, its instances do.
    """
    for unit in units.each:
        template = unit.starts is not None and "@." in unit.name
        if unit.kind == "service" and unit.state == "loaded" and not template:
            for invocation in invocations(unit, units, files, known):
                if is_guess(unit) or unit.doubtful:
                    invocation = replace(invocation, confidence=weakest(invocation.confidence, "likely"))
                yield invocation
                yield from spawned(invocation, power_of(unit, units, files, known), files)
    for manager in managers(units, files):
        yield from manager.invocations(files, known)


def power_of(unit: Unit, units: Units, files: Files, known: Captured) -> Callable[[str], Privileges]:
    """With what power a service starts a program by its path."""
    return lambda program: unit_privileges(unit, frozenset(), program, files, known, lambda text: units.expand(text, unit))


def _sockets(units: Units, files: Files) -> Iterator[InitSocket]:
    """What PID 1 and the managers of users bind for .socket units."""
    for unit in units.each:
        if unit.kind == "socket" and unit.state == "loaded":
            from portwright.system.systemd import socket_units

            activates = socket_units.activates(unit, units)
            for endpoint in socket_units.read(unit, units, files):
                sure = weakest(endpoint.confidence, "likely" if unit.doubtful else "certain")
                yield InitSocket(replace(endpoint, confidence=sure), unit, activates)
    for manager in managers(units, files):
        for unit, binder in manager.sockets():
            from portwright.system.systemd import socket_units

            for endpoint in socket_units.read(unit, manager.units, files):
                yield InitSocket(replace(endpoint, binds_as=None), unit, None, binder)
