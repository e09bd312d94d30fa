"""What a rule may hand to a change that edits files: which lines, of whom, and how they are checked and taken."""

from portwright._start.records import dataclass
from portwright.changes.kind import Disruption
from portwright.source import Rewrite, Rewriting


@dataclass(frozen=True, slots=True)
class Edits:
    """A rewriting of what a unit's daemon reads, the command that checks it, and how it is taken. `in_unit` are stretches of the unit's own
    lines, which a drop-in then says anew.

    `moves` are the ports that its daemon no longer listens on, each with the one it then has instead. `others` go along: all of them are
    made, or none.
    """

    unit: str
    rewriting: Rewriting
    check: tuple[str, ...] = ()
    apply: Disruption = "restart"
    in_unit: tuple[Rewrite, ...] = ()
    moves: tuple[tuple[int, int], ...] = ()
    others: tuple["Edits", ...] = ()
