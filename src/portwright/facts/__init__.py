"""What is known about a host: settled values, units, invocations, what daemons say, and the listeners that follow; a file each kind."""

from portwright.facts.assignment import Assignment
from portwright.facts.call import Call
from portwright.facts.container_line import ContainerLine
from portwright.facts.endpoint import Backlog, Endpoint
from portwright.facts.file_limit import FileLimit, FileNeed, Raises
from portwright.facts.invocation import Invocation
from portwright.facts.kind import Fact, FactKind, kinds
from portwright.facts.listener import Listener
from portwright.facts.mount import Mount
from portwright.facts.node_claim import NodeClaim
from portwright.facts.outbound import Outbound
from portwright.facts.privileges import CAPABILITIES, NET_BIND_SERVICE, BindRule, OpenFiles, Privileges
from portwright.facts.service import ServiceFact
from portwright.facts.subject import Subject
from portwright.facts.sysctl import Sysctl
from portwright.facts.traits import ClosesFirst, InheritedSockets, PortTaken, Root, Traits
from portwright.facts.unit import Setting, Unit
from portwright.facts.value import (
    BIND_ERRORS,
    CONFIDENCES,
    BindError,
    Confidence,
    Likelihood,
    Origin,
    Overridden,
    Protocol,
    Starts,
    Value,
    weakest,
)

__all__ = [
    "BIND_ERRORS",
    "CAPABILITIES",
    "CONFIDENCES",
    "NET_BIND_SERVICE",
    "Assignment",
    "Backlog",
    "BindError",
    "BindRule",
    "Call",
    "ClosesFirst",
    "Confidence",
    "ContainerLine",
    "Endpoint",
    "Fact",
    "FactKind",
    "FileLimit",
    "FileNeed",
    "InheritedSockets",
    "Invocation",
    "Likelihood",
    "Listener",
    "Mount",
    "NodeClaim",
    "OpenFiles",
    "Origin",
    "Outbound",
    "Overridden",
    "PortTaken",
    "Privileges",
    "Protocol",
    "Raises",
    "Root",
    "ServiceFact",
    "Setting",
    "Starts",
    "Subject",
    "Sysctl",
    "Traits",
    "Unit",
    "Value",
    "kinds",
    "weakest",
]
