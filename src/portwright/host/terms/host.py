"""What rules may ask of the whole host: which ports the kernel lends, keeps back, and leaves to the privileged."""

from portwright.host import Host
from portwright.host.terms.kernel_settings import RANGE, RESERVED, UNPRIVILEGED, evidence_for, number_in, pair_in
from portwright.host.terms.registry import Derived, host_value
from portwright.ports import PortSet


def ephemeral_ends(host: Host) -> tuple[int, int] | None:
    """The two ends of net.ipv4.ip_local_port_range at boot; None where they are not known."""
    sysctl = host.sysctl(RANGE)
    return pair_in(sysctl.boot) if sysctl else None


@host_value("ephemeral-ports")
def ephemeral_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel picks from for outgoing connections: net.ipv4.ip_local_port_range at boot."""
    sysctl, ends = host.sysctl(RANGE), ephemeral_ends(host)
    if sysctl is None or ends is None:
        return Derived(None)
    return Derived(PortSet.of(ends), (evidence_for(sysctl),), sysctl.confidence)


@host_value("reserved-ports")
def reserved_ports(host: Host) -> Derived[PortSet | None]:
    """The ports the kernel never assigns automatically: net.ipv4.ip_local_reserved_ports at boot."""
    sysctl = host.sysctl(RESERVED)
    if sysctl is None:
        return Derived(PortSet())
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
