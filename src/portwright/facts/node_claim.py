"""What Kubernetes takes of a node beyond the ports that somebody listens on: node ports, kernel settings, capabilities."""

from collections.abc import Container, Iterable
from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.service import ServiceFact
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence, Starts
from portwright.ports import PortSet
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class NodeClaim(ServiceFact):
    """One thing that a part of Kubernetes, or a container, takes of the node it runs on.

    *node-ports*: `ports` are those that services of type NodePort are reached at on each node, though nobody need listen there.
    *kernel-setting*: a container writes the node's `name` = `value` when it runs. *capability*: a container is given `name`, and is to
    listen on `ports`, for which it needs it; `user` is who its process is, `gains` whether its process may gain what it was not started
    with (`allowPrivilegeEscalation`), None where that is not known. `is_default`: no line says it, and `at` is the program.
    """

    at: Span
    app: str
    claim: Literal["node-ports", "kernel-setting", "capability"]
    unit: str | None = None
    name: str = ""
    value: str = ""
    ports: PortSet = PortSet()
    user: str | None = None
    gains: bool | None = None
    is_default: bool = False
    starts: Starts | None = None
    confidence: Confidence = "certain"


def _place(claim: NodeClaim, evidence: Iterable[Span], files: Container[str]) -> Span:
    """Its line; of what is built in the line of the setting that it is held against, which is the one that somebody wrote."""
    return next((span for span in evidence if span.path in files), claim.at) if claim.is_default else claim.at


KIND = FactKind(
    "node-claim",
    NodeClaim,
    "what Kubernetes takes of a node: node ports, a kernel setting that a container makes, a capability of a container",
    {
        "app": "the program or container that takes it",
        "claim": "what is taken: node-ports, kernel-setting or capability",
        "gains": "whether the container's process may gain privileges that it was not started with; unknown where nothing says",
        "is_default": "whether no line says it, as the node ports 30000-32767",
        "name": "the key of the kernel setting, or the capability",
        "ports": "the node ports, or the ports that the capability is needed for",
        "starts": "when its service is started",
        "unit": "the unit of the program",
        "user": "the user of the container's process, in words: root, non-root, or a number",
        "value": "the value of the kernel setting",
    },
    subject=lambda claim: Subject(
        unit=claim.unit,
        app=claim.app,
        port=claim.ports.low,
        end_port=claim.ports.high,
        sysctl=claim.name if claim.claim == "kernel-setting" else None,
    ),
    order=lambda claim: (claim.at, claim.claim, claim.name),
    place=_place,
    rank=8,
)
