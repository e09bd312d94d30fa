"""Named values about running out of ports: what the ephemeral range carries, what is asked of it, and who asks."""

from portwright.facts import Likelihood, Listener, Outbound, weakest
from portwright.finding import Note
from portwright.host import Host
from portwright.host.capacity import Capacity, Pace, capacity
from portwright.host.terms.host import ephemeral_ends, lendable_ports, reserved_ports, usable_ports
from portwright.host.terms.kernel_settings import RANGE, evidence_for
from portwright.host.terms.listener import listener_deployed
from portwright.host.terms.outbound import outbound_deployed
from portwright.host.terms.registry import Derived, fact_value, host_value
from portwright.ports import PortSet, union
from portwright.source import Span

_LOW_PORTS = 1024  # PROT_SOCK
_DEFAULT = (32768, 60999)
_MOST_NAMED = 4  # services in a sentence
_FLOOR = 16384  # ports that a host should have left where nobody says how many connections it makes


def capacity_of(host: Host) -> Capacity | None:
    """How far the ephemeral range goes at boot."""
    ends = ephemeral_ends(host)
    return capacity(host, lendable_ports(host).value, None if ends is None else ends[0])


# ── of the host ─────────────────────────────────────────────────────────────────────────────────────────────────────


@host_value("expected-rate")
def expected_rate(host: Host) -> Derived[int | None]:
    """The new connections a second to one destination that the host must sustain (`--rate`); unknown without that option."""
    return Derived(host.expected_rate)


@host_value("needed-ports")
def needed_ports(host: Host) -> Derived[int]:
    """How many usable ports the host should have: twice what the expected rate takes, as connect() slows down above half; else 16384."""
    found = capacity_of(host)
    if host.expected_rate is None or found is None:
        return Derived(_FLOOR)
    # tcp_max_tw_buckets below the number of ports ends TIME_WAIT before they are used up.
    return Derived(0 if found.most_time_waits is not None else 2 * found.pace().needs(host.expected_rate))


@host_value("time-wait-ends-early")
def time_wait_ends_early(host: Host) -> Derived[bool]:
    """Whether net.ipv4.tcp_max_tw_buckets is below the number of usable ports, so that TIME_WAIT cannot use them up."""
    found = capacity_of(host)
    return Derived(found is not None and found.most_time_waits is not None)


@host_value("connections-per-second")
def connections_per_second(host: Host) -> Derived[int | None]:
    """The rate of new connections to one destination on another host that can be sustained: usable ports / 60 s in TIME_WAIT.

    Where net.ipv4.tcp_tw_reuse is 1, over the second (net.ipv4.tcp_tw_reuse_delay) after which a port is lent again.
    """
    found, usable = capacity_of(host), usable_ports(host)
    return Derived(None if found is None else found.pace().per_second, usable.evidence, usable.confidence)


@host_value("capacity")
def capacity_in_words(host: Host) -> Derived[str | None]:
    """How long the usable ports last, in words: to one destination on another host, or under the expected rate."""
    found = capacity_of(host)
    if found is None:
        return Derived(None)
    return Derived(_carries(host, found, found.pace(), "new ones a second to one destination"))


@host_value("exhaustion-likelihood")
def exhaustion_likelihood(host: Host) -> Derived[Likelihood | None]:
    """How likely ports are to run out: by the expected rate, or because a proxy opens a connection for each request; else unknown."""
    found = capacity_of(host)
    if found is None:
        return Derived(None)
    if host.expected_rate is not None:
        return _expected(host, found, found.pace())
    proxy = _proxies(host)
    return Derived("medium", because=_opens(proxy[0])) if proxy else Derived(None)


@host_value("widened-range")
def widened_range(host: Host) -> Derived[str | None]:
    """The ephemeral range widened to the kernel's default ends, as the kernel prints it; unknown where that is not wider or not enough."""
    sysctl, ends, reserved = host.sysctl(RANGE), ephemeral_ends(host), reserved_ports(host)
    if sysctl is None or ends is None:
        return Derived(None)
    wide = (min(ends[0], _DEFAULT[0]), max(ends[1], _DEFAULT[1]))
    enough = len(PortSet.of(wide).minus(reserved.value or PortSet())) >= needed_ports(host).value
    return Derived(f"{wide[0]} {wide[1]}" if wide != ends and enough else None, (evidence_for(sysctl),), sysctl.confidence)


@host_value("privileged-below")
def privileged_below(host: Host) -> Derived[str | None]:
    """1024, below which ports should be privileged; unknown where the ephemeral range begins lower, which the kernel does not accept."""
    ends = ephemeral_ends(host)
    return Derived(None if ends is None or ends[0] < _LOW_PORTS else str(_LOW_PORTS))


@host_value("swallowed-ports")
def swallowed_ports(host: Host) -> Derived[PortSet]:
    """The fixed ports of services that the range includes and the kernel's default does not, without the reserved ones."""
    found = _swallowed(host)
    notes = tuple(Note(f"{listener.unit or listener.app} listens on {ports}", listener.at) for listener, ports in found[:_MOST_NAMED])
    confidence = weakest("certain", *(listener.confidence for listener, _ in found))
    return Derived(union(ports for _, ports in found), notes, confidence)


@host_value("swallowed")
def swallowed(host: Host) -> Derived[str]:
    """Those ports in words, with who listens there."""
    whose = {str(ports): listener.unit or listener.app for listener, ports in _swallowed(host)}
    named = [f"{ports} ({who})" for ports, who in whose.items()]
    more = len(named) - _MOST_NAMED
    listed = ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    many = "a port of a service" if len(named) == 1 else f"{len(named)} ports of services"
    return Derived(f"{many} that the kernel's default does not include: {listed}")


def _swallowed(host: Host) -> list[tuple[Listener, PortSet]]:
    lendable = lendable_ports(host).value
    if lendable is None:
        return []
    more = lendable.minus(PortSet.of(_DEFAULT))
    found = [
        (listener, listener.ports.intersection(more))
        for listener in host.listeners
        if listener_deployed(host, listener).value and not listener.random and not listener.private_network
        if listener.can_bind is not False and listener.ports.overlaps(more)
    ]
    return sorted(found, key=lambda each: (each[0].port or 0, each[0].at, each[0].protocol))


# ── of what connects ────────────────────────────────────────────────────────────────────────────────────────────────


@fact_value("outbound", "upstream-capacity")
def upstream_capacity(host: Host, outbound: Outbound) -> Derived[str | None]:
    """How long the usable ports last, in words, where each request opens a connection and this host closes it first."""
    found = capacity_of(host)
    if found is None:
        return Derived(None)
    return Derived(_carries(host, found, found.pace(outbound.loopback), "a second", outbound.servers))


@fact_value("outbound", "exhaustion-likelihood")
def upstream_exhaustion(host: Host, outbound: Outbound) -> Derived[Likelihood | None]:
    """How likely the ports to one of its servers are to run out under the expected rate; unknown without one."""
    found = capacity_of(host)
    return Derived(None) if found is None else _expected(host, found, found.pace(outbound.loopback))


@fact_value("outbound", "loopback-reuses-ports")
def loopback_reuses_ports(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether it connects over loopback, where the kernel reuses a port in TIME_WAIT after a second.

    That takes net.ipv4.tcp_tw_reuse (2, loopback alone, is the default since 4.19, 0 before) and TCP timestamps.
    """
    return Derived(_is_spared(host, outbound))


@fact_value("outbound", "reuses-ports")
def reuses_ports(host: Host, outbound: Outbound) -> Derived[bool]:
    """Whether the kernel reuses a port in TIME_WAIT after a second towards its servers: over loopback, or wherever they are."""
    found = capacity_of(host)
    return Derived(found is not None and (found.pace(outbound.loopback).reuses or found.most_time_waits is not None))


def _is_spared(host: Host, outbound: Outbound) -> bool:
    found = capacity_of(host) if outbound.loopback else None
    return outbound.loopback is True and (found is None or found.pace(loopback=True).reuses)


@host_value("proxy")
def proxy_in_words(host: Host) -> Derived[str]:
    """The daemon that opens a connection to another host for each request, and the destination; empty where none is known."""
    found = _proxies(host)
    return Derived(_opens(found[0]) if found else "")


@host_value("proxy-at")
def proxy_at(host: Host) -> Derived[Span | None]:
    """Where that daemon's config names its servers."""
    found = _proxies(host)
    return Derived(found[0].at if found else None)


def _proxies(host: Host) -> list[Outbound]:
    """Who uses up ports: connections opened for each request that leave TIME_WAIT here, as this side closes them first."""
    return [
        outbound
        for outbound in host.outbounds
        if outbound.keepalive is False and not _is_spared(host, outbound) and outbound.traits.closes_first != "no"
        if outbound_deployed(host, outbound).value and outbound.confidence != "possible"
    ]


def _opens(outbound: Outbound) -> str:
    return f"{outbound.app} opens a connection to {outbound.name} for each request"


def _carries(host: Host, found: Capacity, pace: Pace, what: str, servers: int = 1) -> str:
    """What is to be said of a number of ports: how far they go, or what the expected rate leaves of them."""
    if found.most_time_waits is not None:
        return f"which TIME_WAIT cannot use up, as net.ipv4.tcp_max_tw_buckets = {found.most_time_waits} ends it early"
    if host.expected_rate is not None:
        need = pace.needs(host.expected_rate)
        asked = f"the {host.expected_rate} new ones a second expected to one destination take"
        if need > pace.usable:
            return f"{need - pace.usable} fewer than {asked}"
        return f"{need} of which {asked}{': beyond half of them connect() slows down' if need > pace.slower_from else ''}"
    reused = ""
    if pace.reuses:
        reused = f" (net.ipv4.tcp_tw_reuse is {found.tw_reuse}; {found.per_second} where the other end sends no TCP timestamps)"
    if not pace.per_second:
        return f"not enough for one {what.removeprefix('new ones ')}"
    if servers > 1:
        spread = f"{pace.per_second} {what} to each of its {servers} servers, {pace.per_second * servers} in all"
        return f"enough for {spread}{reused}; above half of that connect() slows down"
    slower = f"; above {pace.slower_from_per_second} connect() slows down" if pace.slower_from_per_second else ""
    return f"enough for {pace.per_second} {what}{reused}{slower}"


def _expected(host: Host, found: Capacity, pace: Pace) -> Derived[Likelihood | None]:
    """How often an expected rate uses up the ports."""
    if host.expected_rate is None:
        return Derived(None)
    need = pace.needs(host.expected_rate)
    because = f"the {host.expected_rate} new connections a second expected to one destination take {need} of {pace.usable} ports"
    if found.most_time_waits is not None:
        return Derived("low", because=f"net.ipv4.tcp_max_tw_buckets = {found.most_time_waits} ends TIME_WAIT early")
    if need > pace.usable:
        return Derived("high", because=because)
    if need > pace.slower_from:
        return Derived("medium", because=f"{because}, and beyond half of them connect() slows down")
    return Derived("low", because=because)
