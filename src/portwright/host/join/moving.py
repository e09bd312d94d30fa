"""Services that want a port that another one has: which of them moves, where to, and every line that has to say so, or none of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.changes.edit_unit import setting_at
from portwright.changes.edits import Edits
from portwright.changes.kind import Disruption
from portwright.facts import Listener, Unit
from portwright.host import Host
from portwright.host.join import conflict
from portwright.numbers import decimal, decimals
from portwright.ports import PortSet
from portwright.source import Rewrite, Rewriting, Source, Span

_NUMBER = lazy_regex(r"(?<![0-9])[0-9]{1,5}(?![0-9])")
_MOST_NAMED = 8
_MOST_LISTED = 64
_LOWEST = 1024
_ABOVE = 8000  # 80 becomes 8080, if that is free
_RANGE = "net.ipv4.ip_local_port_range"
_RESERVED = "net.ipv4.ip_local_reserved_ports"
_NFS = (665, 1023)
# DNS, DHCP, Kerberos, NTP, SMTP between servers, NetBIOS and SMB, the portmapper, IKE: nobody can be told another port.
_WHERE_CLIENTS_LOOK = frozenset((25, 53, 67, 68, 88, 111, 123, 137, 138, 139, 445, 500, 546, 547, 4500))
_UNITS = (".service", ".socket", ".conf")  # what a drop-in in /etc says anew
_COMMENTS = ("#", ";", "//")


@dataclass(frozen=True, slots=True)
class Moves:
    """For each contested listener, the edits of those that move; or why none of them can be made."""

    edits: Mapping[Listener, Edits] = field(default_factory=dict)
    refused: Mapping[Listener, str] = field(default_factory=dict)


class _InTheWay(Exception):
    """The line that cannot be edited so that a service moves; the message says which, and why."""


def moves(host: Host) -> Moves:
    """Who makes way for whom: whoever is ordered first stays, and of others the first by name; ports are given to all at once."""
    if host.repository:
        return _in_a_repository(host)
    rivals: dict[Listener, list[Listener]] = {}
    twice: dict[Listener, Edits | None] = {}
    own: dict[Listener, str] = {}
    for one, other in conflict.collisions(host)[1]:
        if one.starts == other.starts == "boot" and one.unit == other.unit and one.origin == other.origin == "socket-unit":
            twice |= dict.fromkeys((one, other), _once(host, one, other))
        elif one.unit is not None and one.unit == other.unit and one.port == other.port:
            own |= dict.fromkeys((one, other), f"both are started by {one.unit}, and to move it moves both: one of the lines has to go")
        elif (held := _held_for_it(one, other)) is not None:
            own |= dict.fromkeys((one, other), held)
        elif one.starts == other.starts == "boot":
            rivals.setdefault(one, []).append(other)
            rivals.setdefault(other, []).append(one)
    known = _Known(host, {port for each in rivals for port in ([each.port] if each.port is not None else [])})
    stays: set[Listener] = set()
    moved: dict[Listener, Edits] = {}
    refused: dict[Listener, str] = {}
    for listener in sorted(rivals, key=partial(order_of, host)):
        if other_way := next((said for each in (listener, *rivals[listener]) if (said := _gives_way(each))), ""):
            refused[listener] = other_way
            continue
        if listener in moved or not stays.intersection(rivals[listener]):
            stays |= set() if listener in moved else {listener}
            continue
        edits = known.move(listener)
        if isinstance(edits, Edits):
            moved |= dict.fromkeys(_together(host, listener), edits)
            stays.difference_update(_together(host, listener))
            continue
        # What cannot move stays where whoever is in its way can.
        ways = {each: known.move(each) for each in rivals[listener] if each in stays}
        if all(isinstance(way, Edits) for way in ways.values()):
            for each, way in ways.items():
                moved |= {part: way for part in _together(host, each) if isinstance(way, Edits)}
                stays.difference_update(_together(host, each))
            stays.add(listener)
        else:
            refused[listener] = edits
    for listener in rivals:
        rivals[listener].sort(key=partial(order_of, host))
    found = {listener: edits for listener, edits in twice.items() if edits is not None}
    in_the_way = {listener: why for listener, why in own.items() if listener not in rivals and listener not in found}
    for listener, others in rivals.items():
        # Whoever moves is rid of all of them.
        making = [moved[listener]] if listener in moved else [moved[each] for each in others if each in moved]
        why = next((refused[each] for each in (listener, *others) if each in refused), "")
        if why:
            in_the_way[listener] = why
        elif making:
            first, *rest = dict.fromkeys(making)
            found[listener] = replace(first, others=(*first.others, *rest))
    return Moves(found, in_the_way)


def _held_for_it(one: Listener, other: Listener) -> str | None:
    """Why neither moves where a service opens the port that its own .socket unit holds for it; None where it is not so."""
    for socket, service in ((one, other), (other, one)):
        if socket.activates is not None and socket.activates == service.unit:
            return f"{socket.unit} holds the port for {service.unit}, which opens it once more: one of the two lines has to go"
    return None


def _in_a_repository(host: Host) -> Moves:
    """That one of two makes way; the lines that say its port, and which port is free, are looked for in all of the repository's files."""
    edits: dict[Listener, Edits] = {}
    refused: dict[Listener, str] = {}
    for pair in conflict.collisions(host)[1]:
        reasons = [why_it_stays(each) for each in pair]
        who = [each for each, reason in zip(pair, reasons, strict=True) if not reason]
        for each in pair:
            if (held := _held_for_it(*pair)) is not None:
                refused[each] = held
            elif each.unit is not None and pair[0].unit == pair[1].unit:
                refused[each] = f"both are started by {each.unit}, and to move it moves both: one of the lines has to go"
            elif not who or each.port is None:
                refused[each] = next((reason for reason in reasons if reason), "which ports are meant cannot be determined")
            else:
                words = f"move {' or '.join(other.unit or other.app for other in who)} from port {each.port} to one that nothing names"
                edits[each] = Edits(each.unit or "", Rewriting((), words), moves=((each.port, 0),))
    return Moves({each: made for each, made in edits.items() if each not in refused}, refused)


def why_it_stays(listener: Listener) -> str:
    """Why a service of a repository is not moved, as far as it tells by itself; "" where its lines decide."""
    if listener.port is None or listener.end_port != listener.port:
        return f"{listener.at} says a range of ports, and whether all of them can move is not known"
    if listener.traits.logs_in:
        return f"{listener.app} is moved by hand, with a second connection open: a mistake locks operators out"
    if listener.port in _WHERE_CLIENTS_LOOK:
        return f"clients look for what {listener.app} serves on {listener.port} and nowhere else"
    if listener.origin in ("default", "inferred"):
        return f"no line says that {listener.app} listens on {listener.port}: it is what is built in"
    return _gives_way(listener)


def taken(host: Host) -> bytearray:
    """For each port, whether a listener of a host has it, or the kernel lends it, or it is reserved."""
    found = bytearray(65536)
    reserved = host.sysctl(_RESERVED)
    ranges = [each.ports for each in host.listeners] + ([] if reserved is None else [_reserved(reserved.boot)])
    lent = host.sysctl(_RANGE)
    ends = None if lent is None else decimals(lent.boot.split(), 65535)
    ranges += [host.taken_elsewhere, PortSet.of(_NFS), *([PortSet.of((ends[0], ends[-1]))] if ends else [])]
    for low, high in (pair for ports in ranges for pair in ports.ranges):
        found[low : high + 1] = b"\1" * (high + 1 - low)
    return found


def _reserved(text: str) -> PortSet:
    try:
        return PortSet.parse(text)
    except ValueError:  # filled in where a repository is deployed
        return PortSet()


def candidates(old: int) -> tuple[range, range]:
    """The ports that a service on a port may move to, in two ranges, the likeliest first."""
    start = old + (_ABOVE if old < _LOWEST else 1)
    return range(start, 65536), range(_LOWEST, start)


def order_of(host: Host, listener: Listener) -> tuple[object, ...]:
    """Who stays before whom: those that systemd orders first, then by name and place."""
    unit = listener.unit or ""
    return len(host.order.get(unit, ())), unit, listener.at, listener.protocol, listener.address, str(listener.ports), listener.app


def _once(host: Host, one: Listener, other: Listener) -> Edits | None:
    """Of two lines of a .socket unit that want one port, the one that was read first goes: a drop-in adds to what a unit's file says."""
    unit = host.unit(one.unit)
    settings = [setting_at(unit, each.at) for each in (one, other)]
    if unit is None or None in settings or settings[0] == settings[1]:
        return None
    first, last = sorted((each for each in settings if each is not None), key=unit.settings.index)
    words = f"have {unit.name} listen on {last.value} once, without {first.key}={first.value} of {first.at.path}"
    return Edits(unit.name, Rewriting((), words), in_unit=(Rewrite(first.at, "", first.value),))


def _together(host: Host, listener: Listener) -> list[Listener]:
    """All sockets of its unit on its port: a line often says several."""
    return host.once(_by_port_of_unit).get((listener.unit or "", listener.app, listener.ports), [])


def _by_port_of_unit(host: Host) -> dict[tuple[str, str, PortSet], list[Listener]]:
    found: dict[tuple[str, str, PortSet], list[Listener]] = {}
    for each in sorted(host.listeners, key=partial(order_of, host)):
        if each.unit is not None:
            found.setdefault((each.unit, each.app, each.ports), []).append(each)
    return found


class _Known:
    """What is known of a host's ports: those that are taken, lent, reserved or named anywhere, and the lines that name some of them."""

    def __init__(self, host: Host, contested: set[int]) -> None:
        self._host = host
        self._taken = taken(host)
        self._lines: dict[int, list[str]] = {port: [] for port in contested}
        self._made: dict[tuple[str | None, int], Edits | str] = {}
        for path, source in sorted(host.sources.items()) if contested else ():
            if path.startswith("/etc/"):
                self._look(source)

    def _look(self, source: Source) -> None:
        for found in _NUMBER.finditer(source.text):
            number = decimal(found[0], len(self._taken) - 1)
            if number is None:
                continue
            self._taken[number] = 1
            if number in self._lines and len(self._lines[number]) < _MOST_LISTED:
                line = source.span(found.start(), found.end()).line
                if not source.line(line).lstrip().startswith(_COMMENTS):
                    self._lines[number].append(f"{source.path}:{line}")

    def _free(self, old: int) -> int:
        found = next((port for part in candidates(old) if (port := self._taken.find(0, part.start, part.stop)) >= 0), None)
        if found is not None:
            self._taken[found] = 1
            return found
        others = " (nor on the hosts that it has to be free on, too)" if self._host.taken_elsewhere else ""
        raise _InTheWay(f"no port of this host is free, in no range and named nowhere{others}")

    def move(self, listener: Listener) -> Edits | str:
        """What moves a listener's service off its port; why nothing can, in a sentence."""
        port = listener.port
        key = (listener.unit, port or 0)
        if key not in self._made:
            try:
                if port is None or listener.end_port != port:
                    raise _InTheWay(f"{listener.at} says a range of ports, and whether all of them can move is not known")
                if listener.traits.logs_in:
                    raise _InTheWay(f"{listener.app} is moved by hand, with a second connection open: a mistake locks operators out")
                if reason := _bound_to_it(listener):
                    raise _InTheWay(reason)
                self._made[key] = self._edits(listener, port, self._free(port))
            except _InTheWay as reason:
                self._made[key] = str(reason)
        return self._made[key]

    def _edits(self, listener: Listener, old: int, new: int) -> Edits:
        host, unit = self._host, self._host.unit(listener.unit)
        in_unit: set[Rewrite] = set()
        rewrites: set[Rewrite] = set()
        for each in _together(host, listener):
            if each.origin == "default" and (told := _told(host, unit, each, old, new)) is not None:
                in_unit.add(told)
                continue
            if each.origin in ("default", "inferred") or (each.of_interfaces and each.origin != "directive"):
                raise _InTheWay(f"no line says that {each.app} listens on {old}: it is what is built in")
            edited = _rewrite(host.sources.get(each.at.path), each.at, old, new)
            (rewrites if setting_at(unit, each.at) is None else in_unit).add(edited)
        rewrites |= set(self._also(listener, rewrites, old, new))
        who = f"{listener.app} ({listener.unit})"
        words = f"move {who} from port {old} to {new}"
        done = {f"{each.at.path}:{each.at.line}" for each in rewrites}
        own = () if unit is None else unit.files
        left = [line for line in dict.fromkeys(self._lines.get(old, ())) if line not in done and line.rpartition(":")[0] not in own]
        caution = f"whoever is to reach {who} has to know of {new}, a firewall too"
        if left:
            named = ", ".join(left[:_MOST_NAMED]) + (" and others" if len(left) > _MOST_NAMED else "")
            caution += f"; these lines name {old}, which the other service keeps, and are left: {named}"
        config = _config(host, unit, listener)
        check, apply = _checked(listener, config) if rewrites and listener.origin == "directive" else ((), "restart")
        rewriting = Rewriting(tuple(sorted(rewrites)), words, "", caution, config)
        return Edits(listener.unit or "", rewriting, check, apply, tuple(sorted(in_unit)), ((old, new),))

    def _also(self, listener: Listener, rewrites: Iterable[Rewrite], old: int, new: int) -> Iterator[Rewrite]:
        """The other lines of its daemon's config that mean the same port."""
        from portwright.daemons import also_listens

        files = {listener.at.path, *self._host.asked.get(listener.unit or "", ())} if listener.origin == "directive" else set()
        known = {each.at for each in rewrites}
        for path in sorted(files):
            source = self._host.sources.get(path)
            for at in () if source is None else also_listens(listener.app, source, old):
                if at not in known:
                    yield _rewrite(source, at, old, new)


def _told(host: Host, unit: Unit | None, listener: Listener, old: int, new: int) -> Rewrite | None:
    """The option behind a unit's command that tells its daemon another port than the one built in; None where none is known."""
    from portwright.daemons import option_for_port

    commands = unit.each("Service", "ExecStart") if unit is not None else ()
    setting = setting_at(unit, listener.at)
    option = option_for_port(listener.app, old, new) if len(commands) == 1 and setting is not None and setting in commands else ""
    if not option or setting is None or listener.at.path not in host.sources:
        return None
    end = Span(setting.at.path, setting.at.end_line, setting.at.end_column, setting.at.end_line, setting.at.end_column)
    return Rewrite(end, option)


def _bound_to_it(listener: Listener) -> str:
    """Why a service cannot be had elsewhere, "" where it can."""
    if listener.unit is None or listener.unit.startswith("user@"):
        return f"no unit of the system is known that starts {listener.app}"
    if listener.port in _WHERE_CLIENTS_LOOK:
        return f"clients look for what {listener.app} serves on {listener.port} and nowhere else"
    if listener.traits.pod_says_port:
        return f"{listener.at} is a pod's, whose containers listen on {listener.port} as well"
    return ""


def _gives_way(listener: Listener) -> str:
    """What else is usually done for a contested port, "" where nothing is known."""
    if listener.traits.gives_way and listener.survives_conflict:
        return f"{listener.app} leaves the port to another one by a setting of its own"
    if listener.traits.takes_socket:
        return f"{listener.app} may be meant to take the socket that systemd holds"
    return ""


def _checked(listener: Listener, config: tuple[str, ...]) -> tuple[tuple[str, ...], Disruption]:
    from portwright.daemons import edit_of

    try:
        return edit_of(listener.app, config)
    except KeyError:
        return (), "restart"  # a program that nobody knows


def _config(host: Host, unit: Unit | None, listener: Listener) -> tuple[str, ...]:
    """The file that its daemon is given: one that its command names, else the usual one, else the one that says the port."""
    from portwright.daemons import usual_configs

    named = [word for setting in (unit.each("Service", "ExecStart") if unit is not None else ()) for word in setting.value.split()]
    found = next((word for word in (*named, *usual_configs(listener.app)) if word in host.sources and word.startswith("/etc/")), None)
    return (listener.at.path if found is None else found,)


def _rewrite(source: Source | None, at: Span, old: int, new: int) -> Rewrite:
    if source is None:
        raise _InTheWay(f"{at} was not read as a file")
    start, end = source.stretch(at)
    written = source.text[start:end]
    if not at.path.startswith("/etc/") and not at.path.endswith(_UNITS):
        raise _InTheWay(f"{at} is a line of a program, or of what a package brought")
    found = [number for number in _NUMBER.finditer(written) if number[0] == str(old)]
    if len(found) != 1:
        raise _InTheWay(f"{at} says {written[:60]!r}, which does not name {old} once")
    first, last = start + found[0].start(), start + found[0].end()
    return Rewrite(source.span(first, last), str(new), str(old))
