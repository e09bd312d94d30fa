"""Read one host: its tree settles into sysctls, units and invocations, and what the daemons say joins into a Host."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from portwright._start import debug_log
from portwright._start.records import dataclass, field, replace
from portwright.coverage import Coverage, NotUnderstood
from portwright.daemons import DaemonFact, read_as
from portwright.facts import Endpoint, Fact, FileNeed, Invocation, Listener, Privileges, ServiceFact, Traits, Unit, kinds
from portwright.host import Host
from portwright.host.join.addresses import BindContext
from portwright.host.join.conflict import weighed
from portwright.host.join.giving_up import without_given_up
from portwright.host.join.listener import listener, socket_listener
from portwright.host.join.nature import as_it_runs
from portwright.host.join.open_files import file_limit
from portwright.host.not_understood import Read, ends_with_its_command, not_understood, unknown_generators
from portwright.source import Span
from portwright.system.boot import started
from portwright.system.host_files.boot_loader import boot_words
from portwright.system.host_files.captures import Captured, captured, without_ipv6
from portwright.system.host_files.mounts import nfs_mounts, resvport_options
from portwright.system.host_files.selinux import enforced
from portwright.system.releases.of_host import kernel as kernel_release
from portwright.system.started import InitSocket, Started
from portwright.system.sysctl.settle import Settled, defaults, settle
from portwright.system.systemd.generators import is_of_known_package
from portwright.trees import Files, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from portwright.daemons._engine.descriptor import Descriptor
    from portwright.system.host_files.apparmor import Profile
    from portwright.system.host_files.leases import Lease

_COST_OF_A_FACT = 40  # steps


def read_host(tree: Tree, name: str, identity: str = "") -> Host:
    """All facts of the host whose files a tree holds."""
    files = Files(tree)
    known = files.once(captured)
    found = started(files, known, _packaged)
    words = known.cmdline if known.cmdline is not None else files.once(boot_words)
    settled = settle(files, known.sysctl, files.once(kernel_release), words, found.files_not_applied)
    if found.sysctl_writes or found.unread:
        from portwright.system.sysctl.commands import perhaps, unsettle

        settled = unsettle(settled, found.sysctl_writes, found.before)
        settled = perhaps(settled) if found.unread else settled
    context = bind_context(settled, known, files)
    host = assemble(name, identity, files, settled, found, services(found, files, known, context), repository=False)
    return without_given_up(weighed(_without_unmet(host)))


def _without_unmet(host: Host) -> Host:
    if not any(unit.starts == "boot" and (unit.says_any("Unit", "Requi") or unit.says_any("Unit", "BindsTo")) for unit in host.units):
        return host
    from portwright.host.join.requirements import without_unmet

    return without_unmet(host)


def _packaged(unit: str, files: Files) -> tuple[tuple[str, str], ...]:
    from portwright.daemons.packaged import started_by  # few copies lack the units of packages

    return started_by(unit, files)


@dataclass(frozen=True, slots=True)
class Services:
    """What every started command and every .socket unit binds, what else is said of commands (where they connect to, how many files they
    may open), with what power units run, the programs of which nobody knows whether they listen, and which files were asked of units."""

    listeners: tuple[Listener, ...]
    others: tuple[Fact, ...]
    privileges: Mapping[str, Privileges]
    not_understood: tuple[NotUnderstood, ...] = ()
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def services(found: Started, files: Files, known: Captured, context: BindContext) -> Services:
    """The services of a host or a repository."""
    joined: list[Fact] = []
    privileges: dict[str, Privileges] = {}
    unknown: list[NotUnderstood] = []
    asked: dict[str, tuple[str, ...]] = {}
    units = {unit.name: unit for unit in found.units}
    sockets = socket_listeners(_afforded_sockets(found.sockets, files), context, units)
    handed = {name for socket in sockets for name in (socket.unit, socket.activates)}
    # What cron and supervisor start has another reason to be started than they have.
    for (name, _), service in groupby(found.invocations, lambda invocation: (invocation.unit, invocation.why)):
        unit = None if name is None else units.get(name)
        read, watch = files.watched(partial(_of_service, service, unit, files, known))
        if name is not None and watch.asked:
            asked[name] = (*asked.get(name, ()), *watch.asked)
        for each in read:
            facts = join(each.invocation, _afforded(each.facts, files), context)
            if unit is not None and _is_of_package(unit):
                joined += (_of_package(fact, unit, files) for fact in facts)
                continue
            if each.invocation.unit is not None:
                privileges.setdefault(each.invocation.unit, each.invocation.privileges)
            joined += facts
        unknown += not_understood(read, unit, name is not None and name in handed, files)
    return Services(
        listeners=(*(fact for fact in joined if isinstance(fact, Listener)), *sockets),
        others=tuple(fact for fact in joined if not isinstance(fact, Listener)),
        privileges=privileges,
        not_understood=tuple(unknown),
        asked=asked,
    )


def _of_service(service: Iterable[Invocation], unit: Unit | None, files: Files, known: Captured) -> tuple[Read, ...]:
    """What is read of the commands of one service, without those that a script passes by."""
    return tuple(
        each
        for invocation in _afforded_services(service, files)
        if not (each := daemon_facts(invocation, files, known, unit)).invocation.passing or _stays(each, unit)
    )


def _is_of_package(unit: Unit) -> bool:
    """Whether nobody knows with what power a service runs: the file of its package's unit is not in the copy."""
    return is_of_known_package(unit) and unit.value("Service", "User") is None


def _of_package(fact: Fact, unit: Unit, files: Files) -> Fact:
    from portwright.daemons.packaged import user_of

    if not isinstance(fact, Listener):
        return fact
    user = user_of(unit.name, files)
    return fact if user == "root" else replace(fact, bind_user=user, can_bind=None, error=None)


def _stays(passing: Read, unit: Unit | None) -> bool:
    """Whether something is left of a command after which a script goes on."""
    detaches = passing.daemon is not None and passing.daemon.descriptor.traits.detaches
    return detaches and (unit is None or not ends_with_its_command(unit))


def _afforded(facts: Iterable[DaemonFact], files: Files) -> Iterator[DaemonFact]:
    """What daemons say, as far as the host has steps left to join it and rules to be held against it."""
    for fact in facts:
        if not files.work(_COST_OF_A_FACT, lambda at=fact.at: at, "what is opened here"):  # type: ignore[misc]
            return
        yield fact


def _afforded_services(invocations: Iterable[Invocation], files: Files) -> Iterator[Invocation]:
    """Those whose configs may still be read: one config may be that of a hundred services."""
    for invocation in invocations:
        if files.work(0, lambda at=invocation.at: at, "what is started here"):  # type: ignore[misc]
            files.take_again()
            yield invocation  # and its daemon's files are read
            files.work(files.take_again(), lambda at=invocation.at: at, "what comes after this")  # type: ignore[misc]


def _afforded_sockets(sockets: Iterable[InitSocket], files: Files) -> Iterator[InitSocket]:
    for socket in sockets:
        if not files.work(_COST_OF_A_FACT, lambda at=socket.endpoint.at: at, "what is opened here"):  # type: ignore[misc]
            return
        yield socket


def bind_context(settled: Settled, known: Captured, files: Files) -> BindContext:
    """What endpoints meet on this host: settled sysctls, the addresses somebody listed, and those that network configs name."""
    # Where a running kernel said what it was booted with, no file of the boot loader needs to be asked.
    guessed = None if known.cmdline is not None else without_ipv6(files.once(boot_words))
    return BindContext(
        sysctls={sysctl.key: sysctl for sysctl in settled.sysctls},
        addresses=known.addresses,
        no_ipv6=known.no_ipv6 or guessed,
        no_ipv6_confidence="certain" if guessed is None else "likely",
        configured=lambda address: _named(address, files),
        selinux=files.once(enforced),
        profile=lambda program, named: _profile(program, named, files),
        floats=lambda address: _floats(address, files),
        brings=lambda address: _brings(address, files),
        leases=lambda: files.once(_leases),
        helped=lambda user, address, port: _helped(user, address, port, files),
    )


# Few hosts ask these, and each brings a module of its own.


def _named(address: str, files: Files) -> bool:
    from portwright.system.host_files.networks import names_address

    return names_address(address, files)


def _floats(address: str, files: Files) -> Span | None:
    from portwright.system.host_files.networks import floats

    return floats(address, files)


def _brings(address: str, files: Files) -> tuple[tuple[str, ...], Span] | None:
    from portwright.system.host_files.networks import after_network, brought_up

    return brought_up(address, files) or after_network(address, files)


def _leases(files: Files) -> "tuple[Lease, ...]":
    from portwright.system.host_files.leases import leases

    return leases(files)


def _helped(user: str, address: str, port: int, files: Files) -> bool:
    from portwright.system.host_files.authbind import permits

    return permits(user, address, port, files)


def _profile(program: str, named: str, files: Files) -> "Profile | None":
    if not files.names("/etc/apparmor.d"):
        return None
    from portwright.system.host_files.apparmor import confining

    known = files.once(_profiles)
    if (program, named) not in known:
        known[program, named] = confining(program, files, named)
    return known[program, named]


def _profiles(files: Files) -> "dict[tuple[str, str], Profile | None]":
    """The answers that were given already."""
    return {}


_UNKNOWN = Traits()


def daemon_facts(invocation: Invocation, files: Files, known: Captured, unit: Unit | None = None) -> Read:
    """What the daemon behind an invocation says of its sockets; a program nobody knows is asked for ports in flags and environment."""
    invocation, known_daemon = read_as(invocation, files)
    traits = _UNKNOWN if known_daemon is None else known_daemon.descriptor.traits
    invocation = as_it_runs(invocation, traits, files)
    sent = known_daemon is not None and bool(known_daemon.descriptor.background_where)
    if unit is not None and unit.kind == "service" and (sent or _is_watched(traits) or unit.lines("Service", "PIDFile")):
        from portwright.system.systemd.supervision import supervised

        configured = _background(known_daemon.descriptor, invocation, files) if known_daemon is not None and sent else ""
        invocation = supervised(invocation, unit, traits, configured)
    if debug_log.ENABLED:
        name = "no known daemon" if known_daemon is None else known_daemon.name
        debug_log.say("daemons", "what is started at %s is %s", invocation.at, name)
    if known_daemon is None:
        from portwright.daemons._engine import unknown_program
    read = unknown_program.read if known_daemon is None else known_daemon.read
    files.take_not_understood()
    return Read(invocation, known_daemon, read(invocation, files, known.packages), files.take_not_understood())


def _background(known: "Descriptor", invocation: Invocation, files: Files) -> str:
    from portwright.daemons._engine.reading import background  # few daemons are told so by their config

    return background(known, invocation, files)


def _is_watched(traits: Traits) -> bool:
    """Whether anything is known of how systemd sees that the daemon is up."""
    return bool(traits.foreground or traits.background or traits.tells_nobody or traits.static)


def join(invocation: Invocation, said: Iterable[DaemonFact], context: BindContext) -> Iterable[Fact]:
    """What one invocation's daemon says, joined with the unit that starts it."""
    for fact in said:
        match fact:
            case ServiceFact():
                yield fact.of(invocation)
            case FileNeed():
                if (limited := file_limit(fact, invocation)) is not None:
                    yield limited
            case Endpoint():
                if (bound := listener(fact, invocation, context)) is not None:
                    yield bound


def socket_listeners(sockets: Iterable[InitSocket], context: BindContext, units: Mapping[str, Unit]) -> list[Listener]:
    """What is bound for services before they start."""
    found: list[Listener] = []
    for socket in sockets:
        if socket.manager is None:
            endpoint, program = (socket.endpoint, "") if context.selinux is None else _labelled(socket, units)
            found.append(socket_listener(endpoint, socket.unit, socket.activates, context, program))
        else:
            found += (fact for fact in join(socket.manager, (socket.endpoint,), context) if isinstance(fact, Listener))
    return found


def _labelled(socket: InitSocket, units: Mapping[str, Unit]) -> tuple[Endpoint, str]:
    """The endpoint with the domains of the daemon that is handed the socket, and the path of that daemon's program."""
    from portwright.daemons._engine.rooms import daemon_of, room  # few hosts enforce a policy

    unit = None if socket.activates is None else units.get(socket.activates)
    lines = () if unit is None else unit.each("Service", "ExecStart")
    program = lines[-1].value.lstrip("-+!:@").partition(" ")[0] if lines else ""
    name = daemon_of(program.rpartition("/")[2]) if program else None
    if name is None:
        return socket.endpoint, ""
    confined = room(name).traits.confined_by
    return replace(socket.endpoint, traits=replace(socket.endpoint.traits, confined_by=confined)), program


def assemble(
    name: str,
    identity: str,
    files: Files,
    settled: Settled,
    found: Started,
    services: Services,
    *,
    repository: bool,
) -> Host:
    """The Host that all these facts make, in an order that depends on nothing but the facts."""
    kernel = defaults()
    mounts = nfs_mounts(found.units, files)
    settled_facts: tuple[Fact, ...] = (*settled.sysctls, *settled.assignments, *found.units, *found.calls)
    facts = _by_kind((*services.listeners, *services.others, *settled_facts), files, found.units)
    collections: dict[str, Any] = {kind.collection: facts.pop(kind.name) for kind in kinds().values() if kind.collection}
    listening = sorted({listener.unit for listener in services.listeners if listener.unit})
    return Host(
        name=name,
        identity=identity or name,
        repository=repository,
        **collections,
        others=facts,
        mounts=mounts,
        resvports=resvport_options(files) if mounts else {},
        sources={**files.sources, kernel.path: kernel},
        unreadable=files.unreadable,
        coverage=Coverage.union([Coverage(not_understood=(*services.not_understood, *(() if repository else unknown_generators(files))))]),
        files_read=len(files.sources),
        unread_init=found.unread or found.unplanned,
        files_not_applied=found.files_not_applied,
        privileges=services.privileges,
        asked=services.asked,
        order={name: found.before(name) for name in listening},
        circles={name: circle for name in listening if (circle := found.circle(name))},
    )


def _by_kind(facts: Iterable[Fact], files: Files, units: Sequence[Unit]) -> dict[str, tuple[Fact, ...]]:
    """The facts of every kind, each once and in the order of its kind, with those that a kind reads itself."""
    found: dict[type, list[Fact]] = {kind.fact: [] for kind in kinds().values()}
    for fact in facts:
        found[type(fact)].append(fact)
    for kind in kinds().values():
        found[kind.fact] += () if kind.read is None else kind.read(files, units)
    return {kind.name: tuple(_in_order(found[kind.fact], kind.order)) for kind in kinds().values()}


def _in_order(facts: Iterable[Fact], order: Callable[[Fact], tuple[Any, ...]]) -> Iterator[Fact]:
    """Facts in order, each once: only those of one place in the order can be the same, and most have one of their own."""
    placed = sorted(((order(fact), fact) for fact in facts), key=itemgetter(0))
    for _, alike in groupby(placed, itemgetter(0)):
        (_, first), *others = alike
        yield from dict.fromkeys((first, *(fact for _, fact in others))) if others else (first,)
