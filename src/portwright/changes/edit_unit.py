"""Lines of a unit that say something else, in a drop-in: its command, its environment, what it listens on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.drop_in_step import DropInStep, path_of
from portwright.changes.edits import Edits
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.facts import Unit
from portwright.facts.unit import Setting
from portwright.source import Rewrite, Span

FILE = "zz-portwright-lines.conf"
"""The drop-in for what a unit runs and listens on that portwright owns."""

_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.(?:service|socket)")


@dataclass(frozen=True, slots=True)
class EditUnit(Change):
    """Have lines of a unit say something else: a drop-in that resets them and says them anew."""

    edits: Edits
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return path_of(self.edits.unit, FILE)

    def in_words(self) -> str:
        return self.edits.rewriting.words

    def written(self) -> dict[str, object]:
        rewrites = self.edits.in_unit
        lines = [{"path": e.at.path, "line": e.at.line, "column": e.at.column, "was": e.was, "text": e.text} for e in rewrites]
        return {"unit": self.edits.unit, "lines": lines}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["EditUnit"], step: Step | None, marks: Marks) -> DropInStep:
        unit = host.unit(wished[0].edits.unit)
        if unit is None:
            raise ContradictionError(f"{wished[0].edits.unit} was not read")
        rewrites = {each for change in wished for each in change.edits.in_unit}
        moves = tuple(sorted({move for change in wished for move in change.edits.moves}))
        look_first = "; ".join(sorted({change.edits.rewriting.caution for change in wished} - {""}))
        lines = tuple(_said_anew(unit, _values(host, unit, rewrites)))
        return DropInStep(unit.name, lines, *marks, file=FILE, moves=moves, look_first=look_first)

    def unwritable(self) -> str:
        edits = self.edits
        if edits.rewriting.refused or not edits.in_unit:
            return edits.rewriting.refused or "no line of the unit is known that decides it"
        if not _UNIT.fullmatch(edits.unit):
            return f"{edits.unit!r} is not a name that systemd allows a unit, so it is not used as a path"
        bad = next((each.text for each in edits.in_unit if not each.text.isprintable()), None)
        return "" if bad is None else f"{bad!r} is not what portwright writes into a unit"

    def unpatchable(self) -> str:
        """A repository has the unit's own lines."""
        return self.edits.rewriting.refused or ("" if self.edits.in_unit else "no line of the unit is known that decides it")


def setting_at(unit: Unit | None, at: Span) -> Setting | None:
    """The setting of a unit in which a place lies."""
    for setting in () if unit is None else unit.settings:
        begin, end = (setting.at.line, setting.at.column), (setting.at.end_line, setting.at.end_column)
        if setting.at.path == at.path and begin <= (at.line, at.column) and (at.end_line, at.end_column) <= end:
            return setting
    return None


def _values(host: Host, unit: Unit, rewrites: Iterable[Rewrite]) -> dict[Setting, str]:
    """What the settings say after these stretches of them are written anew. Raises ContradictionError."""
    from portwright.changes.rewritten import rewritten

    of: dict[Setting, list[Rewrite]] = {}
    for each in sorted(rewrites):
        setting = setting_at(unit, each.at)
        if setting is None:
            raise ContradictionError(f"{each.at} is no line of {unit.name}")
        of.setdefault(setting, []).append(each)
    found: dict[Setting, str] = {}
    for setting, own in of.items():
        source = host.sources.get(setting.at.path)
        start, end = (0, 0) if source is None else source.stretch(setting.at)
        if source is None or source.text[start:end] != setting.value:
            raise ContradictionError(f"{setting.at} goes on in the next line, and a drop-in cannot say it anew as it is written")
        rest = len(source.text) - end
        whole = any(each.at == setting.at and not each.text for each in own)
        text = "" if whole else rewritten(source, own)
        found[setting] = text[start : len(text) - rest]
    return found


def _said_anew(unit: Unit, changed: Mapping[Setting, str]) -> Iterator[str]:
    """The lines that reset what they say anew: sockets, commands, values."""
    sockets = [setting for setting in unit.settings if setting.section == "Socket" and setting.key.startswith("Listen")]
    if any(setting in changed for setting in sockets):
        # An empty line of one kind takes back those of all kinds (systemd.socket(5)).
        yield "ListenStream="
        said = [(setting.key, changed.get(setting, setting.value)) for setting in _since_the_last_empty(sockets)]
        yield from (f"{key}={value}" for key, value in said if value)
    for setting, value in changed.items():
        lines = unit.each(setting.section, setting.key)
        if setting in sockets:
            continue
        alone = setting.key == "Environment" or (setting.key == "ExecStart" and len(lines) == 1)
        if setting.section != "Service" or not alone:
            raise ContradictionError(f"{setting.at}: one of {len(lines)} lines {setting.key}= of {unit.name} cannot be said anew alone")
        yield from ("ExecStart=",) if setting.key == "ExecStart" else ()
        yield f"{setting.key}={value}"


def _since_the_last_empty(settings: Sequence[Setting]) -> Sequence[Setting]:
    empty = [number for number, setting in enumerate(settings) if not setting.value]
    return settings[empty[-1] + 1 :] if empty else settings


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """What a unit runs is its owner's to decide."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that edits what a unit runs needs safety: review")


KIND = ChangeKind(
    EditUnit,
    "adds a drop-in that says lines of the unit anew",
    {"edits": "what is to be said, such as {fact: edits-that-reuse}"},
    misuse=_misuse,
    rank=6,
)
