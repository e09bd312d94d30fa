"""A change: a typed wish about the host, not an edit of text. The planner unites wishes and proves them."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.ports import PortSet

Disruption = Literal["none", "reload", "restart", "reboot"]
Safety = Literal["safe", "review"]

SETTABLE = ("net.", "sunrpc.", "fs.file-max", "fs.nr_open")
"""How the names of the kernel settings begin that a rule may wish for. Some others (kernel.core_pattern, kernel.modprobe) run programs."""


@dataclass(frozen=True, slots=True)
class ReservePorts:
    """Keep these ports out of the ephemeral range: net.ipv4.ip_local_reserved_ports, united with what is reserved."""

    ports: PortSet
    safety: Safety = "safe"
    disruption: Disruption = "none"


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """Give a kernel setting this value at boot and now."""

    key: str
    value: str
    safety: Safety = "safe"
    disruption: Disruption = "none"


@dataclass(frozen=True, slots=True)
class GrantCapability:
    """Let a non-root unit use a capability: a drop-in with AmbientCapabilities=, and CapabilityBoundingSet= where it must be let in."""

    unit: str
    capability: str
    safety: Safety = "safe"
    disruption: Disruption = "restart"


@dataclass(frozen=True, slots=True)
class LimitCapabilities:
    """Leave a root unit only the capabilities its daemon is known to need: a drop-in with CapabilityBoundingSet=."""

    unit: str
    capabilities: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "restart"


@dataclass(frozen=True, slots=True)
class Manual:
    """What cannot be fixed safely from outside: the reason, and the step a person should take."""

    reason: str
    step: str


Change = ReservePorts | SetSysctl | GrantCapability | LimitCapabilities
