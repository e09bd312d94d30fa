"""The port space of a host as numbers: zones, the range and its holes, what stands where, and how far the ports go."""

from collections.abc import Iterable
from functools import cached_property
from typing import Literal

from portwright._start.records import dataclass, replace
from portwright.facts import Listener, Sysctl
from portwright.host import Host
from portwright.host.capacity import Capacity
from portwright.host.terms.exhaustion import capacity_of
from portwright.host.terms.host import ephemeral_ports, reserved_ports, unprivileged_start
from portwright.host.terms.kernel_settings import RANGE, RESERVED
from portwright.ports import PortSet
from portwright.source import Span

Collisions = tuple[tuple[Listener, Listener], ...]
"""Pairs of listeners that want the same port of the same address, as the kernel compares them."""

ZoneName = Literal["privileged", "user", "ephemeral", "above"]
Standing = Literal["cannot-bind", "collides", "ephemeral", "reserved", "own-network"]

LAST = 65535


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of the port space with one meaning; ends are inclusive."""

    name: ZoneName
    low: int
    high: int


@dataclass(frozen=True)
class Space:
    """What follows for a host's ports from its settings at boot; `given` are its collisions."""

    host: Host
    given: Collisions = ()

    @property
    def low(self) -> int | None:
        return self.ephemeral.low

    @property
    def high(self) -> int | None:
        return self.ephemeral.high

    @property
    def reserved_text(self) -> str | None:
        """The reserved ports as the kernel prints them, "" for none; None where they are not known."""
        sysctl = self.host.sysctl(RESERVED)
        return None if sysctl is None else sysctl.after_boot().boot

    @cached_property
    def ephemeral(self) -> PortSet:
        """The whole range, reserved ports included; empty where it is not known."""
        return ephemeral_ports(self.host).value or PortSet()

    @cached_property
    def reserved(self) -> PortSet:
        return reserved_ports(self.host).value or PortSet()

    @cached_property
    def usable(self) -> PortSet | None:
        """The range without what is reserved; None where the range is not known."""
        return self.ephemeral.minus(self.reserved) if self.ephemeral else None

    @property
    def range_at(self) -> Span | None:
        return _at(self.host.sysctl(RANGE))

    @property
    def reserved_at(self) -> Span | None:
        return _at(self.host.sysctl(RESERVED))

    @cached_property
    def zones(self) -> tuple[Zone, ...]:
        """The stretches from 0 to 65535, without gaps; empty ones are left out."""
        low, high = self.ephemeral.ranges[0] if self.ephemeral else (LAST + 1, LAST)
        unprivileged = unprivileged_start(self.host).value
        first = min(1024 if unprivileged is None else unprivileged, low)
        below = (Zone("privileged", 0, first - 1), Zone("user", first, low - 1))
        zones = (*below, Zone("ephemeral", low, high), Zone("above", high + 1, LAST))
        return tuple(zone for zone in zones if zone.low <= zone.high)

    @cached_property
    def collisions(self) -> Collisions:
        """The pairs by protocol and port, each pair by place."""
        pairs = [(one, other) if one.at <= other.at else (other, one) for one, other in self.given]
        return tuple(sorted(pairs, key=lambda pair: (pair[0].protocol, _first(pair[0]), pair[0].at, pair[1].at)))

    @cached_property
    def _rivals(self) -> dict[tuple[object, ...], list[tuple[PortSet, Listener]]]:
        rivals: dict[tuple[object, ...], list[tuple[PortSet, Listener]]] = {}
        for one, other in self.collisions:
            both = one.ports.intersection(other.ports)
            rivals.setdefault(_identity(one), []).append((both, other))
            rivals.setdefault(_identity(other), []).append((both, one))
        return rivals

    def rivals(self, listener: Listener) -> tuple[Listener, ...]:
        """Who else wants a port of this row."""
        return tuple(other for both, other in self._rivals.get(_identity(listener), ()) if both.overlaps(listener.ports))

    def marks(self, listener: Listener) -> tuple[Standing, ...]:
        """What is to be said about where a listener stands, the worst first."""
        marks: list[Standing] = []
        if listener.can_bind is False:
            marks.append("cannot-bind")
        if self.rivals(listener):
            marks.append("collides")
        if listener.private_network:
            # It has ports of its own, and the range of a new network namespace is the kernel's default.
            marks.append("own-network")
        elif listener.random:
            pass  # the kernel gives it a port that nobody holds
        elif listener.ports.intersection(self.ephemeral).minus(self.reserved):
            marks.append("ephemeral")
        elif listener.ports.overlaps(self.reserved):
            marks.append("reserved")
        return tuple(marks)

    @cached_property
    def capacity(self) -> Capacity | None:
        """How far the range goes; None where it is not known."""
        return capacity_of(self.host)


def rows(listeners: Iterable[Listener]) -> list[Listener]:
    """Listeners by port, one for each unbroken range; those whose port the kernel picks come last."""
    split = [
        listener if len(listener.ports.ranges) < 2 else replace(listener, ports=PortSet((each,)))
        for listener in listeners
        for each in listener.ports.ranges or ((0, 0),)
    ]
    return sorted(split, key=_order)


def _order(listener: Listener) -> tuple[object, ...]:
    return (
        listener.random or not listener.ports,
        _first(listener),
        listener.end_port or 0,
        listener.protocol,
        listener.address,
        listener.unit or "",
        listener.app,
        listener.at,
        listener.activates or "",
    )


def _first(listener: Listener) -> int:
    return -1 if listener.port is None else listener.port


def _identity(listener: Listener) -> tuple[object, ...]:
    """What the rows of one listener share, and no other listener has."""
    return listener.at, listener.unit, listener.app, listener.protocol, listener.address


def _at(sysctl: Sysctl | None) -> Span | None:
    return None if sysctl is None else sysctl.at
