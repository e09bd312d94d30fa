"""A kernel setting with another value."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.facts.sysctl import RANGE
from portwright.source import Span

if TYPE_CHECKING:
    from portwright.changes.sysctl_step import SysctlStep

SETTABLE = ("net.", "sunrpc.", "fs.file-max", "fs.nr_open")
"""How the names of the kernel settings begin that a rule may propose. Some others (kernel.core_pattern, kernel.modprobe) run programs."""

_KEY = lazy_regex(r"[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+")


@dataclass(frozen=True, slots=True)
class SetSysctl(Change):
    """Give a kernel setting this value at boot and now; a line that is wrong gets it, too, where one is named."""

    key: str
    value: str
    safety: Safety = "safe"
    disruption: Disruption = "none"
    at: Span | None = None

    @property
    def target(self) -> str:
        return self.key

    def in_words(self) -> str:
        return f"set {self.key} to {self.value}"

    def written(self) -> dict[str, object]:
        return {"key": self.key, "value": self.value}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["SetSysctl"], step: Step | None, marks: Marks) -> "SysctlStep":
        from portwright.changes.sysctl_step import step_for

        key, value = wished[0].key, wished[0].value
        if any(change.value != value for change in wished):
            raise ContradictionError(f"another finding proposes {key} = {value}")
        return step_for(host, key, value, marks, [change.at for change in wished if change.at is not None])

    def unwritable(self) -> str:
        if not _KEY.fullmatch(self.key):
            return f"{self.key!r} is not the name of a kernel setting"
        if not self.key.startswith(SETTABLE):
            return f"{self.key} is not a setting of the network, and portwright sets no others"
        return "" if self.value.isprintable() else f"the value for {self.key} contains a line break or control character"


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    key = given.get("key")
    if key == RANGE and given.get("safety") != "review":
        return "", f"a fix that changes {RANGE} needs safety: review: somebody may rely on the range"
    if key is None or key.replace("/", ".").startswith(SETTABLE):
        return None
    shown = key if len(key) <= 60 else f"{key[:59]}…"
    return "key", f"a rule may propose settings of the network only ({', '.join(SETTABLE)}), not for {shown}"


KIND = ChangeKind(
    SetSysctl,
    "sets the kernel setting at boot and now",
    {"key": "the kernel setting", "value": "its value"},
    misuse=_misuse,
    rank=1,
)
