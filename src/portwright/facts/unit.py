"""A systemd unit, merged from its file and its drop-ins."""

from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal

from portwright._start.records import dataclass, replace
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.value import Overridden, Starts, Value
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Setting:
    """One `Key=value` of a unit file or drop-in, continuation lines joined; `at` covers the value, `key_at` the key.

    `breaks` says where the value goes on after each continued line: (offset into `value`, line, column).
    """

    at: Span
    key_at: Span
    section: str
    key: str
    value: str
    breaks: tuple[tuple[int, int, int], ...] = ()

    def span(self, start: int, end: int) -> Span:
        """Where `value[start:end]` was written."""
        line, column = self._place(start)
        if end <= start:
            return Span(self.at.path, line, column, line, column)
        last_line, last_column = self._place(end - 1)
        return Span(self.at.path, line, column, last_line, last_column + 1)

    def _place(self, offset: int) -> tuple[int, int]:
        place = bisect_right(self.breaks, offset, key=lambda each: each[0])
        if not place:
            return self.at.line, self.at.column + offset
        start, line, column = self.breaks[place - 1]
        return line, column + offset - start


@dataclass(frozen=True)
class Unit:
    """A systemd unit merged from its fragment and drop-ins, in the order systemd reads them.

    `files` are the paths read, fragment first. `names` are the unit's own name and its aliases. `starts` and `why` follow
    CONTRACT.md (None in a repository). `started_by` names the units that pull it in at boot. `after` are the units ordered before
    it. `excluded_by` is the unit that a boot starts instead, with the Conflicts= line. `settings` keep every line in reading order; use
    `value` and `each`, which apply systemd's resets. `refused` says why systemd queues no start job for it although a boot asks for it:
    it is not masked, it cannot be loaded or lacks what it requires; an old systemd starts it at boot without that. `unread` are lines
    that this host's systemd does not know, and why. `doubtful`: it is started only under a condition that no file answers.
    """

    name: str
    at: Span
    files: tuple[str, ...]
    settings: tuple[Setting, ...]
    state: Literal["loaded", "masked", "missing"] = "loaded"
    names: tuple[str, ...] = ()
    starts: Starts | None = None
    why: str = ""
    started_by: tuple[str, ...] = ()
    excluded_by: Value | None = None
    refused: str = ""
    unread: tuple[tuple[Setting, str], ...] = ()
    doubtful: bool = False

    @cached_property
    def kind(self) -> str:
        """The suffix without its dot: service, socket, target, ..."""
        return self.name[self.name.rfind(".") + 1 :]

    @cached_property
    def _lines(self) -> Mapping[tuple[str, str], list[Setting]]:
        found: dict[tuple[str, str], list[Setting]] = {}
        for setting in self.settings:
            found.setdefault((setting.section, setting.key), []).append(setting)
        return found

    def with_start(
        self,
        starts: Starts,
        why: str,
        started_by: tuple[str, ...],
        excluded_by: Value | None = None,
        refused: str = "",
        doubtful: bool = False,
    ) -> "Unit":
        """The unit with what starts it; what was worked out of its settings is the same."""
        made = replace(self, starts=starts, why=why, started_by=started_by, excluded_by=excluded_by, refused=refused, doubtful=doubtful)
        vars(made).update({**vars(self), **vars(made)})
        return made

    def says(self, text: str) -> bool:
        """Whether a value holds this text, in force or not: a quick look before a careful one."""
        return text in self._values

    @cached_property
    def _values(self) -> str:
        return "\n".join([setting.value for setting in self.settings])

    def says_any(self, section: str, beginning: str) -> bool:
        """Whether a section has a setting whose name begins so, in force or not."""
        return any(of == section and key.startswith(beginning) for of, key in self._lines)

    def lines(self, section: str, key: str) -> Sequence[Setting]:
        """Every assignment of a setting in reading order, in force or not."""
        return self._lines.get((section, key), ())

    def each(self, section: str, key: str) -> tuple[Setting, ...]:
        """The assignments of a list setting that are in force: an empty assignment clears what stood before it."""
        lines = self._lines.get((section, key))
        if lines is None:
            return ()
        found: list[Setting] = []
        for setting in lines:
            if setting.value:
                found.append(setting)
            else:
                found.clear()
        return tuple(found)

    def value(self, section: str, key: str) -> Value | None:
        """A single-valued setting in force: the last assignment wins, an empty one resets; None where unset."""
        winner: Setting | None = None
        lines = self._lines.get((section, key))
        if lines is None:
            return None
        overridden: list[Overridden] = []
        for setting in lines:
            if winner is not None:
                why = "a later line replaces it" if setting.value else "a later empty assignment resets it"
                overridden.append(Overridden(winner.value, winner.at, f"{why} ({setting.at})"))
            winner = setting if setting.value else None
        return None if winner is None else Value(winner.value, winner.at, tuple(overridden))


def _place(unit: Unit, evidence: Iterable[Span], files: Container[str]) -> Span:
    """A unit has no line of its own: what is wrong with it stands on the first line that the conditions leaned on."""
    return next((at for at in evidence if at.path in unit.files), unit.at)


KIND = FactKind(
    "unit",
    Unit,
    "a systemd unit, merged from its file and its drop-ins",
    {
        "doubtful": "whether its start hangs on a condition that no file answers",
        "files": "the files it was merged from, the unit's own first",
        "kind": "its suffix: service, socket, target, timer, ...",
        "name": "its name: nginx.service",
        "names": "its name and its aliases",
        "refused": "why systemd refuses to start it although a boot asks for it, in words; empty where it does not",
        "started_by": "the units that pull it in at boot",
        "starts": "when it is started",
        "state": "whether it was loaded, is masked, or is only referenced by others",
    },
    collection="units",
    subject=lambda unit: Subject(unit=unit.name),
    order=lambda unit: (unit.name,),
    place=_place,
    rank=3,
)
