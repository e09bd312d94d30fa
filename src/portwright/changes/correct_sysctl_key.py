"""A line of a sysctl file that spells its setting wrong: the name put right, its value and every other character as they were."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portwright._start.records import dataclass
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.changes.set_sysctl import SETTABLE, SetSysctl
from portwright.facts.sysctl import RESERVED
from portwright.ports import PortSet
from portwright.source import Span

if TYPE_CHECKING:
    from portwright.changes.sysctl_step import SysctlStep


@dataclass(frozen=True, slots=True)
class CorrectSysctlKey(Change):
    """Spell the name of a kernel setting right in the line that was meant for it, and have the kernel take the line's value."""

    key: str
    value: str
    at: Span
    safety: Safety = "review"
    disruption: Disruption = "none"

    @property
    def target(self) -> str:
        return self.key

    def in_words(self) -> str:
        return f"spell {self.key} right at {self.at.path}:{self.at.line}"

    def written(self) -> dict[str, object]:
        return {"key": self.key, "value": self.value}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["CorrectSysctlKey"], step: Step | None, marks: Marks) -> "SysctlStep":
        from portwright.changes.sysctl_step import step_for

        key, value = wished[0].key, _as_printed(wished[0].key, wished[0].value)
        other = next((change for change in wished if _as_printed(key, change.value) != value), None)
        if other is not None:
            raise ContradictionError(f"{wished[0].at} and {other.at} mean {key} and give it two values")
        return step_for(host, key, value, marks, respelt=[change.at for change in wished])

    def unwritable(self) -> str:
        return SetSysctl(self.key, self.value).unwritable()


def _as_printed(key: str, value: str) -> str:
    """A value as the kernel prints it, where that can be told."""
    try:
        return str(PortSet.parse(value)) if key == RESERVED else " ".join(value.split())
    except ValueError:
        return value


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """The line has never been in force, and whoever wrote it may rely on that by now."""
    key = given.get("key")
    if isinstance(key, str) and not key.startswith(SETTABLE):
        return "key", f"a rule may propose settings of the network only ({', '.join(SETTABLE)})"
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that corrects a setting's name needs safety: review")


KIND = ChangeKind(
    CorrectSysctlKey,
    "spells the setting's name right in the line that is meant for it, and has the kernel take it",
    {"key": "the kernel setting", "value": "its value", "at": "the line, such as {fact: at}"},
    misuse=_misuse,
    rank=1,
)
