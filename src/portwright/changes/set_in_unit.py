"""Settings of a unit that say how it is stopped and started again, and what its sandbox permits."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, no_unit, path_of
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step

FILE = "zz-portwright-restarts.conf"
"""The drop-in for how a unit is stopped and started that portwright owns."""

_SANDBOX = "zz-portwright-sandbox.conf"

# The lines a rule may propose, each whole, with its section: no text of a host or a rule gets into a unit. systemd takes each of them when
# it reads the unit again, so nothing has to be restarted, but for those of a sandbox, which is made when the unit is started.
SETTINGS = {
    "StartLimitIntervalSec=0": "Unit",
    "KillMode=control-group": "Service",
    "KillMode=mixed": "Service",
    "RestartSec=5": "Service",
    # Each adds to a list of what is permitted, and takes out of one of what is not (systemd.exec(5)).
    "RestrictAddressFamilies=AF_INET AF_INET6": "Service",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK": "Service",
    "RestrictAddressFamilies=AF_NETLINK": "Service",
    "SystemCallFilter=@network-io": "Service",
}
_OF_SANDBOX = ("RestrictAddressFamilies=", "SystemCallFilter=")


@dataclass(frozen=True, slots=True)
class SetInUnit(Change):
    """Set how a unit is stopped and started again, or what its sandbox permits: a drop-in with the lines that are named."""

    unit: str
    settings: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "none"

    @property
    def target(self) -> str:
        return path_of(self.unit, self._file)

    @property
    def _file(self) -> str:
        return _SANDBOX if all(line.startswith(_OF_SANDBOX) for line in self.settings) else FILE

    def in_words(self) -> str:
        return f"set {', '.join(self.settings)} in {self.unit}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "settings": list(self.settings)}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["SetInUnit"], step: Step | None, marks: Marks) -> DropInStep:
        lines = tuple(dict.fromkeys(line for change in wished for line in change.settings))
        by_key: dict[str, str] = {}
        for line in lines:
            if by_key.setdefault(line.partition("=")[0], line) != line:
                raise ContradictionError(f"another finding proposes {by_key[line.partition('=')[0]]} in {wished[0].unit}")
        unit, service = (tuple(line for line in sorted(lines) if SETTINGS[line] == section) for section in ("Unit", "Service"))
        return DropInStep(wished[0].unit, service, *marks, file=wished[0]._file, unit_lines=unit)

    def unwritable(self) -> str:
        unknown = sorted(set(self.settings).difference(SETTINGS))
        return no_unit(self.unit) or (f"{', '.join(unknown)!r} is not a setting that portwright writes" if unknown else "")


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """How a service is stopped and started is its owner's to decide."""
    return None if given.get("safety") == "review" else ("", "a fix that sets how a unit is stopped or started needs safety: review")


KIND = ChangeKind(
    SetInUnit,
    "adds a drop-in that sets how the unit is stopped and started again",
    {"unit": "the unit, such as {fact: unit}", "settings": "a list, such as [KillMode=mixed]"},
    names={"settings": ("setting that portwright writes", tuple(SETTINGS))},
    misuse=_misuse,
    rank=4,
)
