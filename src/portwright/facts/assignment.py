"""One line of a sysctl file, and what became of it."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `key = value` line of a sysctl.d file and what came of it.

    `key` is the canonical dotted name (globs as written). `outcome` is what happens at boot: *applied* it is in force;
    *overridden* a later line or file replaced it; *rejected* the kernel answers EINVAL; *ignored* no such key, bad syntax, wrong
    file name: nothing is written. `reason` is a sentence for everything but *applied*. What a kernel knows of
    which only the distribution is known is *likely*.
    """

    at: Span
    key: str
    value: str
    outcome: Literal["applied", "overridden", "rejected", "ignored"]
    reason: str = ""
    confidence: Confidence = "certain"


KIND = FactKind(
    "assignment",
    Assignment,
    "one line `key = value` of a sysctl file, and its outcome",
    {
        "outcome": "the outcome of the line at boot: in force, replaced by a later one, rejected by the kernel, or never written",
        "key": "the key, with dots, as the kernel would read it",
        "reason": "why the line is not in force, in words; empty where it is",
        "value": "the value as it is written",
    },
    collection="assignments",
    subject=lambda assignment: Subject(sysctl=assignment.key),
    order=lambda assignment: (assignment.at, assignment.key),
    call="writing the setting",
    rank=2,
)
