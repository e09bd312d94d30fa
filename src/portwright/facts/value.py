"""Values in force, how sure they are, and the words that all facts share."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.source import Span

Confidence = Literal["certain", "likely", "possible"]
Likelihood = Literal["high", "medium", "low"]
Protocol = Literal["tcp", "udp"]
Starts = Literal["boot", "demand", "manual", "never"]
Origin = Literal["directive", "argument", "environment", "socket-unit", "default", "inferred"]
BindError = Literal["EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EINVAL"]

BIND_ERRORS: tuple[BindError, ...] = ("EACCES", "EADDRINUSE", "EADDRNOTAVAIL", "EINVAL")
CONFIDENCES: tuple[Confidence, ...] = ("certain", "likely", "possible")


def weakest(*confidences: Confidence) -> Confidence:
    """A conclusion is no surer than the least sure thing it rests on."""
    return "possible" if "possible" in confidences else "likely" if "likely" in confidences else "certain"


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that is not in force although a line says it, and why not."""

    value: str
    at: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Value:
    """Something in force, the line that put it there, and the lines that lost to it."""

    value: str
    at: Span
    overridden: tuple[Overridden, ...] = ()
