"""A unit in the host's user namespace, where a capability counts for the network; that of PrivateUsers= counts nowhere else."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass, replace
from portwright.changes.drop_in_step import DropInStep, path_of
from portwright.changes.grant_capability import GrantCapability
from portwright.changes.kind import Change, ChangeKind, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.facts import CAPABILITIES

_OFF = "PrivateUsers=no"


@dataclass(frozen=True, slots=True)
class LeaveUserNamespace(Change):
    """Have a unit run in the host's user namespace with a capability: a drop-in with PrivateUsers=no, and what grants the capability."""

    unit: str
    capability: str
    safety: Safety = "review"
    disruption: Disruption = "restart"

    merges = True

    @property
    def target(self) -> str:
        return path_of(self.unit)

    def in_words(self) -> str:
        return f"set {_OFF} for {self.unit}, and grant it {self.capability}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "capability": self.capability}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["LeaveUserNamespace"], step: Step | None, marks: Marks) -> DropInStep:
        unit, capabilities = wished[0].unit, {change.capability for change in wished}
        known = host.privileges.get(unit)
        look_first = (
            f"PrivateUsers= keeps {unit} from what belongs to other users, and from every power over the host; with {_OFF} its sandbox no "
            "longer does"
        )
        if known is not None and known.uid0 and (known.bounding is None or capabilities <= known.bounding):
            made = step if isinstance(step, DropInStep) else DropInStep(unit, (), *marks)
        else:
            made = GrantCapability.unite(host, [GrantCapability(unit, each) for each in sorted(capabilities)], step, marks)
        return replace(made, lines=(_OFF, *made.lines), look_first=look_first)

    def unwritable(self) -> str:
        return GrantCapability(self.unit, self.capability).unwritable()


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """What a sandbox keeps apart is its owner's to decide."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that opens a user namespace needs safety: review")


KIND = ChangeKind(
    LeaveUserNamespace,
    "adds a drop-in that ends the unit's user namespace and gives it the capability",
    {"unit": "the unit, such as {fact: unit}", "capability": "such as CAP_NET_BIND_SERVICE"},
    names={"capability": ("capability", CAPABILITIES)},
    misuse=_misuse,
    rank=2,
)
