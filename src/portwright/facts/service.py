"""What a daemon says of itself becomes a fact of the service that starts it."""

from typing import TYPE_CHECKING, Any

from portwright._start.records import replace
from portwright.facts.invocation import Invocation
from portwright.facts.value import Confidence, Starts, weakest

if TYPE_CHECKING:
    from typing import Self

    from portwright.source import Span


class ServiceFact:
    """A fact that a daemon says and that needs nothing of its host to be settled: only who starts it is added."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def at(self) -> Span: ...
        @property
        def unit(self) -> str | None: ...
        @property
        def starts(self) -> Starts | None: ...
        @property
        def confidence(self) -> Confidence: ...

    def of(self, invocation: Invocation) -> "Self":
        """The same of the unit that starts the daemon; no surer than the command is."""
        known: Any = self
        told: Self = replace(
            known, unit=invocation.unit, starts=invocation.starts, confidence=weakest(self.confidence, invocation.confidence)
        )
        return told

    def no_surer_than(self, confidence: Confidence) -> "Self":
        """The same, at most as sure."""
        known: Any = self
        told: Self = replace(known, confidence=weakest(self.confidence, confidence))
        return told
