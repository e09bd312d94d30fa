"""A command that a unit, cron or a script of theirs calls."""

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.value import Starts
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Call:
    """A command that a unit, cron or a script of theirs calls, for the few programs that rules look for.

    `caller` names who calls as an operator would: the unit, or the file of cron or the script. `unit` is the unit whose Exec line it
    is, or that runs the script; None for cron.
    """

    at: Span
    program: str
    caller: str
    unit: str | None = None
    starts: Starts | None = None


KIND = FactKind(
    "call",
    Call,
    "a command that a unit, cron or a script of theirs calls: `netstat`, the only program that rules look for",
    {
        "caller": "who calls: the unit, a file of cron, or the script and the unit that runs it",
        "program": "the program that is called, without its directory",
        "starts": "when its unit is started; cron counts as started at boot",
        "unit": "the unit whose line it is or whose script calls; unknown for cron",
    },
    collection="calls",
    subject=lambda call: Subject(unit=call.unit, app=call.program),
    order=lambda call: (call.at, call.unit or ""),
    rank=6,
)
