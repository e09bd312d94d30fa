"""Lines of a daemon's config that say something else, every other byte as it was."""

from collections.abc import Mapping, Sequence
from typing import Any

from portwright._start.records import dataclass
from portwright.changes.edits import Edits
from portwright.changes.kind import Change, ChangeKind, Disruption, Host, Marks, Misuse, Safety, Step


@dataclass(frozen=True, slots=True)
class EditConfig(Change):
    """Have lines of a daemon's config say something else, and the daemon read it again."""

    edits: Edits
    safety: Safety = "review"

    @property
    def disruption(self) -> Disruption:
        """How the daemon takes another config."""
        return self.edits.apply

    @property
    def target(self) -> str:
        return f"the config of {self.edits.unit}"

    def in_words(self) -> str:
        return self.edits.rewriting.words

    def written(self) -> dict[str, object]:
        return {
            "unit": self.edits.unit,
            "lines": [
                {"path": each.at.path, "line": each.at.line, "column": each.at.column, "was": each.was, "text": each.text}
                for each in self.edits.rewriting.rewrites
            ],
        }

    @classmethod
    def unite(cls, host: Host, wished: Sequence["EditConfig"], step: Step | None, marks: Marks) -> Step:
        from portwright.changes.config_step import step_for  # few hosts have it

        return step_for(tuple(change.edits for change in wished), marks)

    def unwritable(self) -> str:
        from portwright.changes.config_step import why_not

        return why_not(self.edits)

    def unpatchable(self) -> str:
        """A repository has the lines at its own paths, and need not say which unit runs the daemon."""
        said = self.edits.rewriting
        return said.refused or ("" if said.rewrites else "no line of the config is known that decides it")


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """What a service's config says is its owner's to decide."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that edits a config needs safety: review")


KIND = ChangeKind(
    EditConfig,
    "edits lines of the daemon's config, checks them with the daemon's own command, and has the daemon read them",
    {"edits": "what is to be edited, such as {fact: edits-that-keep}"},
    misuse=_misuse,
    rank=5,
)
