"""Ports that are free on all of several hosts, and why the others are not."""

import json
from collections.abc import Iterator, Mapping, Sequence

from portwright._start.records import dataclass
from portwright.host import Host
from portwright.host.terms.host import unprivileged_start
from portwright.ports import PortSet, union
from portwright.reports.escape import safe, wrap
from portwright.reports.space import Space
from portwright.reports.style import Style
from portwright.reports.words import counted
from portwright.system.host_files.sockets import Listening
from portwright.system.sysctl.settle import defaults

_RANGE = "net.ipv4.ip_local_port_range"
_MOST_NAMES = 5
ALL = PortSet.of((1, 65535))


@dataclass(frozen=True)
class Taken:
    """Ports that are not free, on which hosts, and why."""

    ports: PortSet
    why: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """What is free on all `hosts` that were read, the ports to take, and what is taken; `unread` says of which hosts not all is known."""

    protocol: str
    hosts: tuple[str, ...]
    suggested: tuple[int, ...]
    free: PortSet
    taken: tuple[Taken, ...]
    unread: Mapping[str, str]


def suggestion(hosts: Sequence[tuple[Host, Sequence[Listening]]], protocol: str, near: int, count: int) -> Suggestion:
    """The first free ports from `near` up, and below it where there are too few."""
    reasons: dict[str, tuple[list[PortSet], dict[str, None]]] = {}
    for host, sockets in hosts:
        for ports, why in _taken(host, sockets, protocol):
            sets, names = reasons.setdefault(why, ([], {}))
            sets.append(ports)
            names[host.name] = None
    taken = [Taken(union(sets), why, tuple(names)) for why, (sets, names) in reasons.items()]
    taken.sort(key=lambda each: (each.ports.ranges, each.why))
    free = ALL.minus(union(each.ports for each in taken)) if any(host.files_read for host, _ in hosts) else PortSet()
    above, below = [port for port in free if port >= near], [port for port in free if port < near]
    unread = {host.name: _unread(host) for host, _ in hosts if host.unreadable or not host.files_read}
    found = tuple((above + below[::-1])[:count])
    return Suggestion(protocol, tuple(host.name for host, _ in hosts if host.files_read), found, free, tuple(taken), unread)


def _unread(host: Host) -> str:
    if not host.files_read:
        return host.unreadable[0].reason if host.unreadable else "nothing was read"
    return f"{counted(len(host.unreadable), 'place')} could not be read"


def _taken(host: Host, sockets: Sequence[Listening], protocol: str) -> Iterator[tuple[PortSet, str]]:
    if not host.files_read:
        return
    start = unprivileged_start(host).value
    first = 1024 if start is None else max(start, 1)
    if first > 1:
        yield PortSet.of((1, first - 1)), "takes CAP_NET_BIND_SERVICE"
    space = Space(host)
    ephemeral = space.ephemeral or _pair(defaults_of(_RANGE))
    yield ephemeral, "the kernel assigns it to outgoing connections after a boot"
    sysctl = host.sysctl(_RANGE)
    now = _pair(sysctl.running) if sysctl is not None and sysctl.running is not None else PortSet()
    if now.minus(ephemeral):
        yield now, "the kernel assigns it to outgoing connections now"
    if space.reserved:
        yield space.reserved, "it is in net.ipv4.ip_local_reserved_ports: reserved for a service"
    for listener in host.listeners:
        if listener.protocol == protocol and listener.ports and not listener.private_network and listener.starts != "never":
            when = {"manual": " when it is started", "demand": " while it is in use"}.get(listener.starts or "", "")
            yield listener.ports, f"{listener.app} listens on it{when}"
    for socket in sockets:
        if socket.protocol == protocol and socket.port not in ephemeral:
            yield PortSet.of(socket.port), f"{socket.program or 'somebody'} listened on it when the host was copied"


def defaults_of(key: str) -> str:
    """The kernel's default of a setting, "" where it has none."""
    lines = (line.partition("=") for line in defaults().text.split("\n"))
    return next((value.strip() for name, equals, value in lines if equals and name.strip() == key), "")


def _pair(text: str) -> PortSet:
    from portwright.numbers import decimals

    ends = decimals(text.split(), 65535)
    return PortSet.of((ends[0], ends[1])) if ends is not None and len(ends) == 2 and ends[0] <= ends[1] else PortSet()


def render(found: Suggestion, *, color: bool, width: int, quiet: bool = False, verbose: bool = False) -> str:
    """The ports to take first; then what is free, and what is taken by whom."""
    if quiet:
        return "".join(f"{port}\n" for port in found.suggested)
    style = Style(color)
    on = f"on {'all of ' if len(found.hosts) > 1 else ''}{counted(len(found.hosts), 'host')}"
    said = ", ".join(map(str, found.suggested)) if found.suggested else "none"
    lines = [style("good" if found.suggested else "bad", f"{found.protocol} ports free {on}: {said}")]
    if found.suggested:
        lines += [f"  {line}" for line in wrap("in no ephemeral range, not reserved, and nobody listens on them", width - 2)]
    lines += ["", style("strong", "all that is free")]
    lines += [f"  {line}" for line in wrap(str(found.free).replace(",", ", ") or "nothing", width - 2)]
    lines += ["", style("strong", "taken")]
    for each in found.taken:
        names = each.hosts if verbose else each.hosts[:_MOST_NAMES]
        more = f" and {len(each.hosts) - len(names)} more" if len(names) < len(each.hosts) else ""
        who = f"all {counted(len(found.hosts), 'host')}" if len(each.hosts) == len(found.hosts) > 1 else ", ".join(map(safe, names)) + more
        ports = str(each.ports).replace(",", ", ")
        first, *rest = wrap(f"{ports}: {safe(each.why)} ({who})", width - 4, width - 2)
        lines += [f"  {first}", *(f"    {line}" for line in rest)]
    if found.unread:
        lines += ["", style("bad", "not all is known of these hosts, so a port may be taken there all the same")]
        for name, why in found.unread.items():
            lines += [f"  {line}" for line in wrap(f"{safe(name)}: {safe(why)}", width - 2)]
    return "".join(f"{line}\n" for line in lines)


def document(found: Suggestion) -> str:
    """The same as JSON."""
    return json.dumps(
        {
            "version": 1,
            "protocol": found.protocol,
            "hosts": list(found.hosts),
            "suggested": list(found.suggested),
            "free": str(found.free),
            "taken": [{"ports": str(each.ports), "reason": each.why, "hosts": list(each.hosts)} for each in found.taken],
            "unreadable": [{"host": name, "reason": why} for name, why in found.unread.items()],
        },
        indent=2,
    ) + "\n"

