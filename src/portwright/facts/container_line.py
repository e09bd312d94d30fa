"""What a container asks its runtime for, or holds in a file of its image, and what comes of it."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.service import ServiceFact
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence, Starts
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class ContainerLine(ServiceFact):
    """A kernel setting, a capability or a port that a container is to have; a setting of a container is none of the host's.

    `container` is how an operator would call it: a service of a Compose file, an image. `key` is the setting's name with dots, the
    capability's, or what is to be published. `outcome`: *applied* the container has it, of a setting in a namespace of its own; *refused*
    the container does not start; *without-effect* nothing comes of it. `reason` is a sentence for everything but *applied*.
    """

    at: Span
    container: str
    asks: Literal["setting", "capability", "port"]
    key: str
    value: str
    outcome: Literal["applied", "refused", "without-effect"]
    reason: str = ""
    unit: str | None = None
    starts: Starts | None = None
    confidence: Confidence = "certain"


KIND = FactKind(
    "container-line",
    ContainerLine,
    "a kernel setting, a capability or a port that a container asks for, or a setting that a file of its image holds",
    {
        "asks": "what it asks for: setting, capability or port",
        "container": "the container, as its operator would call it",
        "key": "the setting, with dots, the capability, or what is to be published",
        "outcome": "the outcome: the container has it in its own namespace, does not start because of it, or nothing comes of it",
        "reason": "why it is not in force, in words; empty where it is",
        "starts": "when the container is started; unknown in a repository",
        "unit": "the unit that starts the container",
        "value": "the value as it is written; empty for a capability and a port",
    },
    subject=lambda line: Subject(unit=line.unit, app=line.container, sysctl=line.key if line.asks == "setting" else None),
    order=lambda line: (line.at, line.key, line.container),
    rank=8,
)
