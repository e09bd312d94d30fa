"""A line of a daemon's configuration that says where to listen, and that comes to nothing."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.service import ServiceFact
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence, Starts
from portwright.ports import PortSet
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class ListenLine(ServiceFact):
    """A line that says where to listen and comes to nothing: the daemon does not start with it (*refused*), or is handed its sockets and
    does not look at it (*overruled*). `says` is the line in short, `reason` what is wrong, in words.
    """

    at: Span
    app: str
    says: str
    outcome: Literal["refused", "overruled"]
    reason: str
    ports: PortSet = PortSet()
    unit: str | None = None
    starts: Starts | None = None
    confidence: Confidence = "certain"


KIND = FactKind(
    "listen-line",
    ListenLine,
    "a line of a daemon's configuration that says where to listen, and that comes to nothing",
    {
        "app": "the daemon: apache2, sshd",
        "outcome": "whether the daemon does not start with the line, or does not look at it because it is handed its sockets",
        "ports": "the ports the line names",
        "reason": "what is wrong with the line, in words",
        "says": "the line in short: `Port 2222`",
        "starts": "when its unit is started; unknown in a repository",
        "unit": "the unit that starts the daemon",
    },
    subject=lambda line: Subject(unit=line.unit, app=line.app, port=line.ports.low, end_port=line.ports.high),
    order=lambda line: (line.at, line.unit or ""),
    rank=7,
)
