"""Drop-ins of systemd units: one owned file for each unit and concern; a restart only where it is allowed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.kind import OWNED, Disruption, Host, Safety, Step

CAPABILITIES = "zz-portwright-capabilities.conf"
"""The drop-in for a unit's capabilities that portwright owns; its name sorts after what `systemctl edit` writes."""

# systemd.unit(5): the characters of a unit's name, 255 at most; a path is made of it.
_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.service")


@dataclass(frozen=True, slots=True)
class DropInStep(Step):
    """Write one drop-in of a unit. `lines` are the settings of its [Service] section."""

    unit: str
    lines: tuple[str, ...]
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "restart"
    file: str = CAPABILITIES

    tasks = "drop_in"
    has_handlers = True

    @property
    def directory(self) -> str:
        return f"/etc/systemd/system/{self.unit}.d"

    @property
    def path(self) -> str:
        return path_of(self.unit, self.file)

    @property
    def order(self) -> tuple[int, str, str]:
        return 1, self.unit, self.file

    def in_words(self) -> str:
        return f"give {self.unit} a drop-in: {', '.join(self.lines)}"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["DropInStep"]) -> dict[str, str]:
        edits: dict[str, str] = {}
        for step in steps:
            kept = tuple(line for line in _lines_of(host, step.unit, step.path) if line not in step.lines)
            edits[step.path] = "".join(f"{line}\n" for line in (OWNED, "[Service]", *kept, *step.lines))
        return edits

    def rests_on(self, host: Host) -> Iterable[str]:
        unit = host.unit(self.unit)
        return () if unit is None else unit.files

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["DropInStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        return {
            "portwright_drop_ins": [
                {
                    "unit": step.unit,
                    "directory": step.directory,
                    "directory_is_new": before.get(step.directory) is None,
                    "path": step.path,
                    "content": edits[step.path],
                }
                for step in steps
            ]
        }


STEP = DropInStep


def path_of(unit: str, file: str = CAPABILITIES) -> str:
    """Where a drop-in of a unit lies."""
    return f"/etc/systemd/system/{unit}.d/{file}"


def no_unit(unit: str) -> str:
    """Why no path is made of a unit's name, "" where one may be."""
    return "" if _UNIT.fullmatch(unit) else f"{unit!r} is not a name that systemd allows a service, so it is not used as a path"


def _lines_of(host: Host, unit: str, path: str) -> Iterator[str]:
    """What an earlier plan wrote into the drop-in of a unit."""
    known = host.unit(unit)
    for setting in () if known is None else known.settings:
        if setting.at.path == path and setting.section == "Service":
            yield f"{setting.key}={setting.value}"
