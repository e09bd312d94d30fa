"""A service on another port: every line that says where it listens, in whose file it may be, or none of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass, replace
from portwright.changes.edit_config import EditConfig
from portwright.changes.edit_unit import EditUnit
from portwright.changes.edits import Edits
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step


@dataclass(frozen=True, slots=True)
class MoveService(Change):
    """Have a service listen on a port that is free on this host and in no range, in every line that says its port."""

    edits: Edits
    safety: Safety = "review"

    @property
    def disruption(self) -> Disruption:
        """How the daemon takes another config, or unit."""
        return "restart" if any(each.apply == "restart" for each in _each(self.edits)) else "reload"

    @property
    def target(self) -> str:
        return f"where {self.edits.unit} listens"

    def in_words(self) -> str:
        return "; ".join(dict.fromkeys(each.rewriting.words for each in _each(self.edits)))

    def written(self) -> dict[str, object]:
        return {"moves": [{"unit": each.unit, "from": old, "to": new or None} for each in _each(self.edits) for old, new in each.moves]}

    def parts(self) -> Sequence[Change]:
        """Its lines in configs and those in drop-ins, each with whoever else wants to edit them."""
        made: list[Change] = []
        for each in _each(self.edits):
            made += [EditConfig(each, self.safety)] if each.rewriting.rewrites else []
            made += [EditUnit(each, self.safety)] if each.in_unit else []
        return made

    @classmethod
    def unite(cls, host: Host, wished: Sequence["MoveService"], step: Step | None, marks: Marks) -> Step:
        raise ContradictionError("no line is known that says where the service listens")  # its parts are united instead

    def unwritable(self) -> str:
        return next((reason for part in self.parts() if (reason := part.unwritable())), "" if self.parts() else "no line says its port")

    def unpatchable(self) -> str:
        """The lines that say the port are looked for in all files of a repository, where a patch is made."""
        return "" if self.edits.moves else self.unwritable()


def _each(edits: Edits) -> Iterator[Edits]:
    yield replace(edits, others=())
    yield from edits.others


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """Whoever connects to the service has to know."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that moves a service needs safety: review")


KIND = ChangeKind(
    MoveService,
    "moves a service to a port that is free on this host and in no range, in every line that says its port",
    {"edits": "which lines, such as {fact: edits-that-make-way}"},
    misuse=_misuse,
    rank=7,
)
