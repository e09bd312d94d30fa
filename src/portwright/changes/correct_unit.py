"""Lines of a unit that systemd does not read, put right in the file that holds them: the name spelt right, the line in its section."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.changes.drop_in_step import DropInStep
from portwright.changes.edits import Edits
from portwright.changes.kind import Change, ChangeKind, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.source import Rewrite

_FOLDER = "/etc/systemd/system/"
_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.(?:service|socket)")


@dataclass(frozen=True, slots=True)
class CorrectUnit(Change):
    """Put lines of a unit right that systemd does not read: spelt as it reads them, in the section where it does."""

    edits: Edits
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        rewrites = self.edits.rewriting.rewrites
        return rewrites[0].at.path if rewrites else self.edits.unit

    def in_words(self) -> str:
        return self.edits.rewriting.words

    def written(self) -> dict[str, object]:
        rewrites = self.edits.rewriting.rewrites
        lines = [{"path": e.at.path, "line": e.at.line, "column": e.at.column, "was": e.was, "text": e.text} for e in rewrites]
        return {"unit": self.edits.unit, "lines": lines}

    def parts(self) -> Sequence[Change]:
        """Those of each file."""
        own: dict[str, list[Rewrite]] = {}
        for each in self.edits.rewriting.rewrites:
            own.setdefault(each.at.path, []).append(each)
        if len(own) < 2:
            return (self,)
        edits = (replace(self.edits, rewriting=replace(self.edits.rewriting, rewrites=tuple(each))) for each in own.values())
        return tuple(replace(self, edits=each) for each in edits)

    @classmethod
    def unite(cls, host: Host, wished: Sequence["CorrectUnit"], step: Step | None, marks: Marks) -> DropInStep:
        rewrites = tuple(sorted({each for change in wished for each in change.edits.rewriting.rewrites}))
        words, cautions = (
            tuple(sorted({text for change in wished if (text := getattr(change.edits.rewriting, name))})) for name in ("words", "caution")
        )
        return DropInStep(
            wished[0].edits.unit,
            (),
            *marks,
            file=rewrites[0].at.path,
            rewrites=rewrites,
            words="; ".join(words),
            look_first="; ".join(cautions),
        )

    def unwritable(self) -> str:
        edits = self.edits
        if reason := self.unpatchable():
            return reason
        if not _UNIT.fullmatch(edits.unit):
            return f"{edits.unit!r} is not a name that systemd allows a unit, so it is not used as a path"
        out = next((each.at.path for each in edits.rewriting.rewrites if not _is_of_the_operator(each.at.path)), None)
        return "" if out is None else f"{out} lies not in {_FOLDER}: have the right lines in a file there, which is read in its place"

    def unpatchable(self) -> str:
        """A repository has the unit's own lines."""
        said = self.edits.rewriting
        return said.refused or ("" if said.rewrites else "no line of the unit is known that is wrong")


def _is_of_the_operator(path: str) -> bool:
    """Whether a path is that of a unit's file, or of a drop-in, where nothing but an operator writes."""
    return path.startswith(_FOLDER) and path.removeprefix(_FOLDER).count("/") < 2


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """The lines have never been in force, and what they do to the service nobody has seen."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that corrects a unit's lines needs safety: review")


KIND = ChangeKind(
    CorrectUnit,
    "puts the lines right in the unit's own file: each spelt as systemd reads it, in the section where it does",
    {"edits": "what is to be put right, such as {fact: edits-that-correct}"},
    misuse=_misuse,
    rank=6,
)
