"""No more capabilities than a root daemon needs."""

from collections.abc import Sequence

from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Safety, Step
from portwright.facts import CAPABILITIES


@dataclass(frozen=True, slots=True)
class LimitCapabilities(Change):
    """Leave a root unit only the capabilities its daemon is known to need: a drop-in with CapabilityBoundingSet=."""

    unit: str
    capabilities: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return path_of(self.unit)

    def in_words(self) -> str:
        return f"leave {self.unit} only {', '.join(self.capabilities) or 'no capability'}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "capabilities": list(self.capabilities)}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["LimitCapabilities"], step: Step | None, marks: Marks) -> DropInStep:
        unit, capabilities = wished[0].unit, wished[0].capabilities
        if any(change.capabilities != capabilities for change in wished):
            raise ContradictionError(f"another finding wants to leave {unit} only {', '.join(capabilities)}")
        return DropInStep(unit, ("CapabilityBoundingSet=", f"CapabilityBoundingSet={' '.join(capabilities)}"), *marks)

    def rivalry(self) -> str:
        return f"one finding wants more capabilities for {self.unit}, another one fewer"

    def unwritable(self) -> str:
        unknown = sorted(set(self.capabilities).difference(CAPABILITIES))
        return no_unit(self.unit) or (f"{', '.join(unknown)!r} is not a capability, so no line is made of it" if unknown else "")


KIND = ChangeKind(
    LimitCapabilities,
    "adds a drop-in that leaves the unit only the capabilities it needs",
    {"unit": "the unit, such as {fact: unit}", "capabilities": "a list, such as [CAP_NET_BIND_SERVICE]"},
    names={"capabilities": ("capability", CAPABILITIES)},
    rank=3,
)
