"""What rules may ask of the whole host: which ports the kernel lends, keeps back, and leaves to the privileged."""

from portwright._start.records import replace
from portwright.facts import Overridden
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.kernel_settings import (
    RANGE,
    RESERVED,
    UNPRIVILEGED,
    evidence_for,
    number_in,
    pair_in,
    sole_later,
    written_later,
)
from portwright.host.terms.registry import Derived, host_value
from portwright.ports import PortSet


def ephemeral_ends(host: Host) -> tuple[int, int] | None:
    """The two ends of net.ipv4.ip_local_port_range at boot; None where they are not known."""
    sysctl = host.sysctl(RANGE)
    return pair_in(sysctl.after_boot().boot) if sysctl else None


@host_value("ephemeral-ports")
def ephemeral_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel picks from for outgoing connections: net.ipv4.ip_local_port_range at boot."""
    sysctl, ends = host.sysctl(RANGE), ephemeral_ends(host)
    if sysctl is None or ends is None:
        return Derived(None)
    if (only := sole_later(sysctl)) is not None and (pair := pair_in(only.value)) is not None:
        return Derived(PortSet.of(pair), (written_later(sysctl, only),), "likely")
    return Derived(PortSet.of(ends), (evidence_for(sysctl),), sysctl.confidence)


@host_value("reserved-ports")
def reserved_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel never assigns automatically: net.ipv4.ip_local_reserved_ports at boot."""
    sysctl = host.sysctl(RESERVED)
    if sysctl is None:
        return Derived(PortSet())
    if (only := sole_later(sysctl)) is not None and (said := _list(only.value)) is not None:
        return Derived(said, (written_later(sysctl, only),), "likely")
    try:
        ports = PortSet.parse(sysctl.boot)
    except ValueError:
        return Derived(None)
    # That nobody reserves anything is the usual case and no line to point to.
    return Derived(ports, () if sysctl.is_default else (evidence_for(sysctl),), sysctl.confidence)


@host_value("lendable-ports")
def lendable_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel may assign to an outgoing connection: the ephemeral range without the reserved ports."""
    return _lendable(host)


@host_value("services-of-repository")
def services_of_repository(host: Host) -> Derived[bool]:
    """Whether a repository says for sure where a service listens, so that the range can be judged by its services."""
    return Derived(host.repository and any(each.port is not None and each.confidence != "possible" for each in host.listeners))


@host_value("usable-ports")
def usable_ports(host: Host) -> Derived[int | None]:
    """How many ports the kernel may assign: the size of the ephemeral range minus the reserved ports in it."""
    lendable = _lendable(host)
    return Derived(None if lendable.value is None else len(lendable.value), lendable.evidence, lendable.confidence)


@host_value("reserved-share")
def reserved_share(host: Host) -> Derived[int | None]:
    """How much of the ephemeral range is reserved, in whole percent."""
    ephemeral, reserved = ephemeral_ports(host), reserved_ports(host)
    if ephemeral.value is None or reserved.value is None:
        return Derived(None)
    share = 100 * len(ephemeral.value.intersection(reserved.value)) // len(ephemeral.value)
    return Derived(share, (*reserved.evidence, *ephemeral.evidence), ephemeral.confidence)


@host_value("unprivileged-start")
def unprivileged_start(host: Host) -> Derived[int | None]:
    """The first port that needs no privilege: net.ipv4.ip_unprivileged_port_start at boot."""
    sysctl = host.sysctl(UNPRIVILEGED)
    if sysctl is None:
        return Derived(None)
    return Derived(number_in(sysctl.boot), (evidence_for(sysctl),), sysctl.confidence)


@host_value("low-ports")
def low_ports(host: Host) -> Derived[PortSet | None]:
    """The ports that need CAP_NET_BIND_SERVICE: those below the first unprivileged one."""
    start = unprivileged_start(host)
    if start.value is None or not 0 <= start.value <= 65535:
        return Derived(None)
    return Derived(PortSet.of((1, start.value - 1)) if start.value > 1 else PortSet(), start.evidence, start.confidence)


def _lendable(host: Host) -> Derived[PortSet | None]:
    ephemeral, reserved = ephemeral_ports(host), reserved_ports(host)
    if ephemeral.value is None or reserved.value is None:
        return Derived(None)
    return Derived(ephemeral.value.minus(reserved.value), (*ephemeral.evidence, *reserved.evidence), ephemeral.confidence)


def lendable_of(host: Host, ports: PortSet) -> Derived[PortSet | None]:
    """What of some ports the kernel may assign to an outgoing connection, under any value that may be in force in the end.

    *possible* where it holds under some of those values only.
    """
    sysctl, reserving = host.sysctl(RANGE), host.sysctl(RESERVED)
    several = [each for each in (sysctl, reserving) if each is not None and len(each.later) > 1]
    if sysctl is None or not several:
        lent = _lendable(host)
        return lent if lent.value is None else Derived(lent.value.intersection(ports), lent.evidence, lent.confidence)
    base = Overridden("", sysctl.at, "")
    ranges = [(pair_in(each.value), each) for each in sysctl.later or (replace(base, value=sysctl.boot),)]
    lists: list[tuple[PortSet | None, Overridden]] = [(PortSet(), base)]
    if reserving is not None:
        lists = [(_list(each.value), each) for each in reserving.later or (replace(base, value=reserving.boot, at=reserving.at),)]
    met: list[Note] = []
    everywhere = True
    found = PortSet()
    for ends, first in ranges:
        for kept, second in lists:
            lent_here = None if ends is None or kept is None else PortSet.of(ends).minus(kept).intersection(ports)
            if not lent_here:
                everywhere = False
                continue
            found = found.union(lent_here)
            met.append(written_later(sysctl, first) if first.at != sysctl.at else evidence_for(sysctl))
            if reserving is not None and second.at not in (reserving.at, base.at):
                met.append(written_later(reserving, second))
    return Derived(found, tuple(dict.fromkeys(met)), "likely" if everywhere else "possible")


def _list(text: str) -> PortSet | None:
    try:
        return PortSet.parse(text)
    except ValueError:
        return None
