"""More open files for a unit: as many as the connections need that its daemon is set to take."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.numbers import decimal

FILE = "zz-portwright-limits.conf"
"""The drop-in for a unit's limits that portwright owns."""

_HARD = 524_288
"""The hard limit that systemd gives a service where no file sets one (since 240): some daemons raise their own up to it."""

_MOST = 1_048_576  # fs.nr_open, unless somebody raised it: setrlimit() refuses more, and the unit fails with 205/LIMITS


@dataclass(frozen=True, slots=True)
class RaiseFileLimit(Change):
    """Let a unit open so many files: a drop-in with LimitNOFILE=."""

    unit: str
    files: str
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return path_of(self.unit, FILE)

    def in_words(self) -> str:
        return f"set {self._line} for {self.unit}"

    @property
    def _line(self) -> str:
        return f"LimitNOFILE={self.files}:{max(_count(self.files), _HARD)}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "files": _count(self.files)}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["RaiseFileLimit"], step: Step | None, marks: Marks) -> DropInStep:
        most = max(wished, key=lambda change: _count(change.files))
        look_first = f"connections for {most.files} open files take memory, too: see whether the host has it"
        return DropInStep(wished[0].unit, (most._line,), *marks, file=FILE, look_first=look_first)

    def unwritable(self) -> str:
        return no_unit(self.unit) or ("" if 0 < _count(self.files) <= _MOST else f"fs.nr_open lets no process open {self.files} files")


def _count(files: str) -> int:
    return decimal(files) or 0


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """How many connections a service should take is its owner's to decide."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that raises a limit needs safety: review")


KIND = ChangeKind(
    RaiseFileLimit,
    "adds a drop-in that lets the unit open as many files as its connections need",
    {"unit": "the unit, such as {fact: unit-that-is-limited}", "files": "how many, such as {fact: enough-files}"},
    misuse=_misuse,
    rank=4,
)
