"""Read one host: its tree settles into sysctls, units and invocations, and what the daemons say joins into a Host."""

from collections.abc import Iterable, Mapping

from portwright._start import debug_log
from portwright._start.records import dataclass, replace
from portwright.daemons import DaemonFact, daemon_of, interpreted
from portwright.daemons._engine import unknown_program as generic
from portwright.facts import Endpoint, FileLimit, FileNeed, Invocation, Listener, Outbound, Privileges, weakest
from portwright.host import Host
from portwright.host.join.addresses import BindContext
from portwright.host.join.listener import listener, socket_listener
from portwright.host.join.open_files import file_limit
from portwright.system.host_files.captures import Captured, captured
from portwright.system.host_files.mounts import nfs_mounts, resvport_options
from portwright.system.host_files.networks import names_address
from portwright.system.processes.script_calls import script_calls
from portwright.system.processes.spawners import spawned
from portwright.system.sysctl.commands import unsettle
from portwright.system.sysctl.settle import Settled, defaults, settle
from portwright.system.systemd import socket_units as socket_unit
from portwright.system.systemd.generators import is_guess
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import Units, load
from portwright.system.systemd.user_managers import managers
from portwright.trees import Files, Tree

Joined = Listener | Outbound | FileLimit


def read_host(tree: Tree, name: str, identity: str = "") -> Host:
    """All facts of the host whose files a tree holds."""
    files = Files(tree)
    known = captured(files)
    units = load(files)
    settled = unsettle(settle(files, known.sysctl, known.kernel), units, files)
    context = bind_context(settled, known, files)
    return assemble(name, identity, files, settled, units, services(units, files, known, context), repository=False)


@dataclass(frozen=True, slots=True)
class Services:
    """What every started command and every .socket unit binds, where commands connect to, how many files they may open, and with what
    power units run."""

    listeners: tuple[Listener, ...]
    outbounds: tuple[Outbound, ...]
    file_limits: tuple[FileLimit, ...]
    privileges: Mapping[str, Privileges]


def services(units: Units, files: Files, known: Captured, context: BindContext) -> Services:
    """The services of a host or a repository."""
    joined: list[Joined] = []
    privileges: dict[str, Privileges] = {}
    for invocation in commands(units, files, known):
        if invocation.unit is not None:
            privileges.setdefault(invocation.unit, invocation.privileges)
        joined += join(invocation, daemon_facts(invocation, files, known), context)
    return Services(
        listeners=(*(fact for fact in joined if isinstance(fact, Listener)), *socket_listeners(units, files, context)),
        outbounds=tuple(fact for fact in joined if isinstance(fact, Outbound)),
        file_limits=tuple(fact for fact in joined if isinstance(fact, FileLimit)),
        privileges=privileges,
    )


def bind_context(settled: Settled, known: Captured, files: Files) -> BindContext:
    """What endpoints meet on this host: settled sysctls, the addresses somebody listed, and those that network configs name."""
    return BindContext(
        sysctls={sysctl.key: sysctl for sysctl in settled.sysctls},
        addresses=known.addresses,
        no_ipv6=known.no_ipv6,
        configured=lambda address: names_address(address, files),
    )


def commands(units: Units, files: Files, known: Captured) -> Iterable[Invocation]:
    """Every command that a loaded service starts, in the order of unit names, what cron and supervisor start in turn, and users' own.

    On a host a template starts nothing, its instances do.
    """
    for unit in units.each:
        template = unit.starts is not None and "@." in unit.name
        if unit.kind == "service" and unit.state == "loaded" and not template:
            for invocation in invocations(unit, units, files, known):
                if is_guess(unit):
                    invocation = replace(invocation, confidence=weakest(invocation.confidence, "likely"))
                yield invocation
                yield from spawned(invocation, units, files, known)
    for manager in managers(units, files):
        yield from manager.invocations(files, known)


def daemon_facts(invocation: Invocation, files: Files, known: Captured) -> tuple[DaemonFact, ...]:
    """What the daemon behind an invocation says of its sockets; a program nobody knows is asked for ports in flags and environment."""
    known_daemon = daemon_of(invocation)
    if known_daemon is None:
        invocation = interpreted(invocation, files)
        known_daemon = daemon_of(invocation)
    if debug_log.ENABLED:
        name = "no known daemon" if known_daemon is None else known_daemon.name
        debug_log.say("daemons", "%s, started at %s, is %s", invocation.program, invocation.at, name)
    read = generic.read if known_daemon is None else known_daemon.read
    return read(invocation, files, known.packages)


def join(invocation: Invocation, said: Iterable[DaemonFact], context: BindContext) -> Iterable[Joined]:
    """What one invocation's daemon says, joined with the unit that starts it."""
    for fact in said:
        match fact:
            case Outbound():
                confidence = weakest(fact.confidence, invocation.confidence)
                yield replace(fact, unit=invocation.unit, starts=invocation.starts, confidence=confidence)
            case FileNeed():
                if (limited := file_limit(fact, invocation)) is not None:
                    yield limited
            case Endpoint():
                if (bound := listener(fact, invocation, context)) is not None:
                    yield bound


def socket_listeners(units: Units, files: Files, context: BindContext) -> list[Listener]:
    """What PID 1 binds for .socket units."""
    found: list[Listener] = []
    for unit in units.each:
        if unit.kind == "socket" and unit.state == "loaded":
            activates = socket_unit.activates(unit, units)
            found += (socket_listener(endpoint, unit, activates, context) for endpoint in socket_unit.read(unit, units, files))
    for manager in managers(units, files):
        for unit, binder in manager.sockets():
            own = (replace(endpoint, binds_as=None) for endpoint in socket_unit.read(unit, manager.units, files))
            found += (fact for fact in join(binder, own, context) if isinstance(fact, Listener))
    return found


def assemble(
    name: str,
    identity: str,
    files: Files,
    settled: Settled,
    units: Units,
    services: Services,
    *,
    repository: bool,
) -> Host:
    """The Host that all these facts make, in an order that depends on nothing but the facts."""
    kernel = defaults()
    called = script_calls(units, files, repository=repository)
    mounts = nfs_mounts(units, files)
    ordered = tuple(sorted(dict.fromkeys(services.listeners), key=_listener_order))
    return Host(
        name=name,
        identity=identity or name,
        repository=repository,
        listeners=ordered,
        sysctls=settled.sysctls,
        assignments=settled.assignments,
        units=units.each,
        outbounds=tuple(sorted(dict.fromkeys(services.outbounds), key=lambda o: (o.at, o.unit or "", o.name))),
        file_limits=tuple(sorted(dict.fromkeys(services.file_limits), key=lambda limit: (limit.at, limit.unit or "", limit.setting))),
        calls=called,
        mounts=mounts,
        resvports=resvport_options(files) if mounts else {},
        sources={**files.sources, kernel.path: kernel},
        unreadable=files.unreadable,
        files_read=len(files.sources),
        privileges=services.privileges,
        order={name: units.before(name) for name in sorted({listener.unit for listener in ordered if listener.unit})},
    )


def _listener_order(fact: Listener) -> tuple[object, ...]:
    return (fact.at, fact.protocol, fact.ports.ranges, fact.address, fact.unit or "", fact.activates or "")
