"""No more capabilities than a root daemon needs."""

from collections.abc import Sequence

from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Safety, Step
from portwright.facts import CAPABILITIES


@dataclass(frozen=True, slots=True)
class LimitCapabilities(Change):
    """Limit a root unit to the capabilities its daemon is known to need: a drop-in with CapabilityBoundingSet=."""

    unit: str
    capabilities: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return path_of(self.unit)

    def in_words(self) -> str:
        return f"limit {self.unit} to {', '.join(self.capabilities) or 'no capability'}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "capabilities": list(self.capabilities)}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["LimitCapabilities"], step: Step | None, marks: Marks) -> DropInStep:
        unit, capabilities = wished[0].unit, wished[0].capabilities
        if any(change.capabilities != capabilities for change in wished):
            raise ContradictionError(f"another finding proposes to limit {unit} to {', '.join(capabilities)}")
        return DropInStep(unit, ("CapabilityBoundingSet=", f"CapabilityBoundingSet={' '.join(capabilities)}"), *marks)

    def rivalry(self) -> str:
        return f"one finding proposes more capabilities for {self.unit}, another one fewer"

    def unwritable(self) -> str:
        unknown = sorted(set(self.capabilities).difference(CAPABILITIES))
        return no_unit(self.unit) or (f"{', '.join(unknown)!r} is not a capability, so it is not written" if unknown else "")


KIND = ChangeKind(
    LimitCapabilities,
    "adds a drop-in that limits the unit to the capabilities it needs",
    {"unit": "the unit, such as {fact: unit}", "capabilities": "a list, such as [CAP_NET_BIND_SERVICE]"},
    names={"capabilities": ("capability", CAPABILITIES)},
    rank=3,
)
