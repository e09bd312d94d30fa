"""Ports that the kernel is not to lend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portwright._start.records import dataclass, replace
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Safety, Step
from portwright.facts.sysctl import RESERVED, UNKNOWN
from portwright.ports import PortSet, union

if TYPE_CHECKING:
    from portwright.changes.sysctl_step import SysctlStep


@dataclass(frozen=True, slots=True)
class ReservePorts(Change):
    """Keep these ports out of the ephemeral range: net.ipv4.ip_local_reserved_ports, merged with what is reserved."""

    ports: PortSet
    safety: Safety = "safe"
    disruption: Disruption = "none"

    harmless = True  # to reserve a port too many
    merges = True

    @property
    def target(self) -> str:
        return RESERVED

    def in_words(self) -> str:
        return f"reserve {self.ports} in {RESERVED}"

    def written(self) -> dict[str, object]:
        return {"ports": str(self.ports)}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["ReservePorts"], step: Step | None, marks: Marks) -> "SysctlStep":
        """Reserving replaces the whole list, so what is reserved goes with it: by files, whoever loads them, and by hand on the kernel."""
        from portwright.changes.sysctl_step import SysctlStep, step_for

        sysctl = host.sysctl(RESERVED)
        later = () if sysctl is None else (each.value for each in sysctl.later if UNKNOWN not in each.value)
        held = [] if sysctl is None else [sysctl.boot, sysctl.reload, sysctl.running or "", *later]
        held += [step.value] if isinstance(step, SysctlStep) else []
        try:
            ports = union((*(PortSet.parse(each) for each in held), *(change.ports for change in wished)))
        except ValueError as error:
            raise ContradictionError(f"{RESERVED} cannot be merged: {error}") from None
        others = (step.lines, step.respelt) if isinstance(step, SysctlStep) else ((), ())
        return step_for(host, RESERVED, str(ports), marks, *others)

    def together(self, others: Sequence["ReservePorts"]) -> "ReservePorts":
        return replace(self, ports=union((self.ports, *(other.ports for other in others))))


KIND = ChangeKind(
    ReservePorts,
    "adds the ports to net.ipv4.ip_local_reserved_ports, merged with what is reserved; enough ports must remain",
    {"ports": "the ports to reserve, such as {fact: ports}"},
    rank=0,
)
