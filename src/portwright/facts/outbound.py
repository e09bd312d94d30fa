"""Connections that a daemon opens again and again to one destination."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.service import ServiceFact
from portwright.facts.subject import Subject
from portwright.facts.traits import Traits
from portwright.facts.value import Confidence, Starts
from portwright.source import Rewriting, Span

OpenedFor = Literal["request", "client"]


@dataclass(frozen=True, slots=True)
class Outbound(ServiceFact):
    """Connections a daemon makes again and again (an nginx upstream, an haproxy backend), and whether it keeps them open.

    `keepalive` is False where each request opens a connection, True where connections are kept, None where unknown.
    `decided_at` is the line that switches keep-alive off or on, None where it is the built-in default; `asked_at` the line that asks
    for kept connections, whether or not it has them, None where no line does. `opened_for` is "client" where each client's connection
    is one connection to a server, as of a proxy of TCP, which has nothing to keep. `bound_at` is the line that has it bind its source
    address before each connect(), so that a port is taken whatever the destination (ip(7), IP_BIND_ADDRESS_NO_PORT), None where it
    does not. `source_ports` is the range from which the daemon takes source ports by itself, "" where the kernel does, `source_at` the
    line that says where it connects from. `servers` counts the addresses it spreads over;
    `loopback` is true where all of them are on this host, None where unknown. `version` is the daemon's package version if known.
    `keeping` is what its config would say if connections were kept, None where nobody knows.
    """

    at: Span
    app: str
    unit: str | None
    name: str
    keepalive: bool | None
    decided_at: Span | None = None
    servers: int = 1
    loopback: bool | None = None
    source_address: str | None = None
    version: str | None = None
    why: str = ""
    confidence: Confidence = "certain"
    starts: Starts | None = None
    asked_at: Span | None = None
    traits: Traits = Traits()
    opened_for: OpenedFor = "request"
    bound_at: Span | None = None
    source_ports: str = ""
    source_at: Span | None = None
    keeping: Rewriting | None = None


KIND = FactKind(
    "outbound",
    Outbound,
    "connections that a daemon opens repeatedly to one destination: an nginx upstream, an haproxy backend",
    {
        "app": "the daemon that connects",
        "asked_at": "the line that asks for kept connections, be it without effect",
        "bound_at": "the line that makes it bind its source address before it connects: all its destinations share the ports",
        "decided_at": "the line that switches keep-alive off or on",
        "keepalive": "whether connections are kept open and reused; unknown where this cannot be determined",
        "loopback": "whether all its servers are on this host",
        "name": "the name of the upstream, backend or destination",
        "opened_for": "what a connection is opened for, where none is kept",
        "servers": "how many addresses it is spread over",
        "source_address": "the address it connects from, where that is set",
        "source_at": "the line that sets the address it connects from",
        "source_ports": "the range from which it picks source ports itself; empty where the kernel picks them",
        "starts": "when its daemon is started",
        "unit": "the unit of the daemon",
        "version": "the version of the daemon's package, if known",
        "why": "what keeps connections open or closes them, in words",
    },
    collection="outbounds",
    # What it connects to is its address: two upstreams of one daemon are two problems.
    subject=lambda outbound: Subject(unit=outbound.unit, app=outbound.app, address=outbound.name),
    order=lambda outbound: (outbound.at, outbound.unit or "", outbound.name),
    rank=4,
)
