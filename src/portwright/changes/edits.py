"""What a rule may hand to a change that edits files: which lines, of whom, and how they are checked and taken."""

from portwright._start.records import dataclass
from portwright.changes.kind import Disruption
from portwright.source import Rewriting


@dataclass(frozen=True, slots=True)
class Edits:
    """A rewriting of a daemon's config, the unit that runs the daemon, the command that checks the config, and how it is taken."""

    unit: str
    rewriting: Rewriting
    check: tuple[str, ...] = ()
    apply: Disruption = "restart"
