"""A capability for a unit that lacks it: one that is not root, or root whose bounding set does not include it."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass, replace
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.facts import CAPABILITIES, NET_BIND_SERVICE


@dataclass(frozen=True, slots=True)
class GrantCapability(Change):
    """Grant a capability to a unit: a drop-in with AmbientCapabilities=, and CapabilityBoundingSet= where needed; root needs that only."""

    unit: str
    capability: str
    safety: Safety = "safe"
    disruption: Disruption = "restart"

    merges = True

    @property
    def target(self) -> str:
        return path_of(self.unit)

    def in_words(self) -> str:
        return f"grant {self.capability} to {self.unit}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "capability": self.capability}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["GrantCapability"], step: Step | None, marks: Marks) -> DropInStep:
        """AmbientCapabilities= adds to what is there; a bounding set that lacks the capability must let it in (lines are OR-ed).

        What another finding limits the unit to must include it.
        """
        unit, capabilities = wished[0].unit, {change.capability for change in wished}
        words = " ".join(sorted(capabilities))
        known = host.privileges.get(unit)
        barred = known is not None and known.bounding is not None and not capabilities <= known.bounding
        lines = () if known is not None and known.uid0 and barred else (f"AmbientCapabilities={words}",)
        if isinstance(step, DropInStep):
            if not capabilities <= {*step.lines[-1].partition("=")[2].split()}:
                raise ContradictionError(wished[0].rivalry())
            return replace(step, lines=(*lines, *step.lines))
        return DropInStep(unit, (*lines, *((f"CapabilityBoundingSet={words}",) if barred else ())), *marks)

    def rivalry(self) -> str:
        return f"one finding proposes more capabilities for {self.unit}, another one fewer"

    def unwritable(self) -> str:
        if self.capability in CAPABILITIES:
            return no_unit(self.unit)
        return no_unit(self.unit) or f"{self.capability!r} is not a capability, so it is not written"


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """Other powers than that of low ports are granted only after a review."""
    if given.get("capability") == NET_BIND_SERVICE or given.get("safety") == "review":
        return None
    return "", f"a fix that grants more than {NET_BIND_SERVICE} needs safety: review"


KIND = ChangeKind(
    GrantCapability,
    "adds a drop-in that gives the unit the capability",
    {"unit": "the unit, such as {fact: unit}", "capability": "such as CAP_NET_BIND_SERVICE"},
    names={"capability": ("capability", CAPABILITIES)},
    misuse=_misuse,
    rank=2,
)
