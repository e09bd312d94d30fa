"""A setting of a unit in a repository: in the lines of the unit themselves, beside what is there."""

import re
from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass
from portwright.changes import Change, GrantCapability, LeaveUserNamespace, LimitCapabilities, RaiseFileLimit, SetInUnit
from portwright.changes.drop_in_step import DropInStep
from portwright.facts import Unit
from portwright.finding import Finding
from portwright.fixes.patches.place import Hosts, Place, Texts, Wish
from portwright.fixes.patches.texts import NoPlaceError, TextEdit, after, before, indentation, offset
from portwright.fixes.plan import step_of
from portwright.host import Host
from portwright.source import Source, Span

_LISTS = frozenset(("AmbientCapabilities", "CapabilityBoundingSet"))


@dataclass(frozen=True, slots=True)
class UnitText(Place):
    """The text of one unit, wherever it is written."""

    path: str
    line: int
    unit: str
    host: Host

    def __hash__(self) -> int:
        return hash((self.path, self.unit))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnitText) and (self.path, self.unit) == (other.path, other.unit)

    def __repr__(self) -> str:
        return f"UnitText({self.path}:{self.line}, {self.unit})"

    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        unit = self.host.unit(self.unit)
        if unit is None:
            raise NoPlaceError(f"{self.unit} is no unit of the repository")
        source = texts.source(self.path)
        found: dict[TextEdit, None] = {}
        for section, lines in _lines(self.host, wishes):
            new: list[str] = []
            for line in lines:
                key, _, value = line.partition("=")
                edit = _there(source, unit, section, key, value)
                if edit is None:
                    new.append(line)
                else:
                    found[edit] = None
            if new:
                found[_put_in(source, unit, section, new)] = None
        return tuple(found)

    def in_words(self, wishes: Sequence[Wish]) -> str:
        return f"in {self.unit}: {', '.join(line for _, lines in _lines(self.host, wishes) for line in lines)}"


def places(
    hosts: Hosts,
    finding: Finding,
    change: GrantCapability | LeaveUserNamespace | LimitCapabilities | RaiseFileLimit | SetInUnit,
    texts: Texts,
) -> Iterator[tuple[Place, ...]]:
    """The text of the unit that a change is for."""
    name = change.unit
    for host in hosts:
        unit = host.unit(name)
        if unit is None or not unit.settings:
            continue
        anchor = _anchor(unit, "Service")
        if not anchor.path.startswith("/") and texts.has(anchor.path):
            yield (UnitText(anchor.path, anchor.line, name, host),)
            return
    raise NoPlaceError(f"no file of the repository has the text of {name}")


def _lines(host: Host, wishes: Sequence[Wish]) -> Iterator[tuple[str, tuple[str, ...]]]:
    steps: dict[str, list[tuple[Change, str]]] = {}
    for finding, change in wishes:
        steps.setdefault(change.target, []).append((change, finding.card.id))
    for asked in steps.values():
        step = step_of(host, asked)
        assert isinstance(step, DropInStep)  # noqa: S101  each change that names a unit makes one
        for section, lines in (("Unit", step.unit_lines), ("Service", step.lines)):
            if lines:
                yield section, lines


def _anchor(unit: Unit, section: str) -> Span:
    """The line beside which a new one goes: that of User=, else the first of its section."""
    own = [setting for setting in unit.settings if setting.section == section]
    if not own:
        raise NoPlaceError(f"{unit.at} has no section [{section}]")
    return next((setting.at for setting in own if setting.key == "User"), own[0].at)


def _there(source: Source, unit: Unit, section: str, key: str, value: str) -> TextEdit | None:
    """The edit of a line that sets this already; None where there is none, or a list begins anew."""
    own = [setting for setting in unit.lines(section, key) if setting.at.path == source.path]
    if not own or (not value and key in _LISTS):
        return None
    at = own[-1].at
    line = source.line(at.line)
    is_nix = source.path.endswith(".nix")
    found = re.match(rf'(\s*{re.escape(key)}\s*=\s*")([^"]*)("\s*;.*)$' if is_nix else rf"(\s*{re.escape(key)}\s*=\s*)(.*?)(\s*)$", line)
    if found is None or line.rstrip().endswith("\\"):
        raise NoPlaceError(f"{source.path}:{at.line} sets {key} in a form that is not edited")
    text = value
    if key in _LISTS:
        if found[2].startswith("~"):
            raise NoPlaceError(f"{source.path}:{at.line} takes capabilities away, and portwright does not decide which one stays")
        text = " ".join(dict.fromkeys((*found[2].split(), *value.split())))
    begin = offset(source, at.line)
    return TextEdit(source.path, begin + found.end(1), begin + found.end(2), text)


def _put_in(source: Source, unit: Unit, section: str, lines: Sequence[str]) -> TextEdit:
    at = _anchor(unit, section)
    if at.path != source.path:
        raise NoPlaceError(f"{at.path} has the section [{section}] of {unit.name}, and {source.path} the rest")
    line = source.line(at.line)
    found = re.match(r"\s*(\w+)\s*=\s*(.*)$", line)
    if found is None:
        raise NoPlaceError(f"{source.path}:{at.line} is one line of many commands or settings, to which none can be added with certainty")
    if source.path.endswith(".nix"):
        lines = [f'{key} = "{value}";' for key, _, value in (each.partition("=") for each in lines)]
    new = [f"{indentation(line)}{each}" for each in lines]
    if found[1] == "User" and not line.rstrip().endswith("\\"):
        return after(source, at.line, new)
    return before(source, at.line, new)
