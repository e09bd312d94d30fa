"""How many connections a service is set to take, and how many files it may have open for them."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence, Starts, Value
from portwright.source import Span

Raises = Literal["no", "as far as it is permitted", "all or nothing"]


@dataclass(frozen=True, slots=True)
class FileNeed:
    """The open files a daemon needs for the connections its settings let in, and what it does about its limit before it serves.

    `setting` says `connections`, and `at` is where; where it is built in, `at` is the command. `files` is how many descriptors these
    take at least. `raises`: whether it raises its limit, as far as it may or, where it may not have all it asks for, not at all.
    `asks` is what it asks for where that is more than `files`. `own` is the setting that names a limit, and that limit: what it then
    asks for, be that more or less. `otherwise` says what becomes of it where the limit is lower.
    """

    at: Span
    app: str
    setting: str
    connections: int
    files: int
    otherwise: str
    raises: Raises = "no"
    asks: int | None = None
    own: tuple[str, Value] | None = None
    confidence: Confidence = "certain"


@dataclass(frozen=True, slots=True)
class FileLimit:
    """How many connections a service is set to take, how many open files these need, and how many it may have.

    `limit` is None where it may have as many as it asks for. `decided` is what decides the limit, in words, and `decided_at` the line,
    None where no line does; `own` is the daemon's setting that does. `otherwise` says what becomes of it where the limit is lower.
    """

    at: Span
    app: str
    unit: str | None
    setting: str
    connections: int
    needed: int
    limit: int | None
    decided: str
    decided_at: Span | None
    otherwise: str
    own: str | None = None
    starts: Starts | None = None
    why: str = ""
    confidence: Confidence = "certain"


KIND = FactKind(
    "file-limit",
    FileLimit,
    "how many connections a service is configured for, and how many files it may open for them",
    {
        "app": "the daemon",
        "connections": "how many connections it is configured for",
        "decided": "what decides the limit, in words",
        "decided_at": "the line that decides the limit",
        "limit": "how many files it may have open; unknown where it may have no limit but its own request",
        "needed": "how many open files its connections need",
        "otherwise": "what happens where the limit is lower, in words",
        "own": "the daemon's own setting that decides the limit",
        "setting": "the setting for the number of connections",
        "starts": "when its daemon is started",
        "unit": "the unit of the daemon",
    },
    collection="file_limits",
    subject=lambda limit: Subject(unit=limit.unit, app=limit.app),
    order=lambda limit: (limit.at, limit.unit or "", limit.setting),
    rank=5,
)
