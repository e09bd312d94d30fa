"""Coverage: what a pass over a host or a repository does not cover, and why, so that "no findings" is not taken for more than it says."""

from collections.abc import Iterable

from portwright._start.records import dataclass
from portwright.source import Span


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A program that is started at boot, or deployed, and whose listening is not known.

    `program` is its full path, or the script an interpreter is given. `at` is the line where following it ended. `unit` is None where
    no unit starts it.
    """

    unit: str | None
    program: str
    at: Span
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """A file that was recognised and is not counted, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class NotRead:
    """A file of a kind that is not read, although its text speaks of what is linted here."""

    path: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """All that a pass does not cover, each part in the order of its places."""

    not_understood: tuple[NotUnderstood, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    not_read: tuple[NotRead, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.not_understood or self.left_out or self.not_read)

    @staticmethod
    def union(parts: "Iterable[Coverage]") -> "Coverage":
        """What several passes over the same files leave uncovered, each thing told once."""
        understood: set[NotUnderstood] = set()
        left_out: set[LeftOut] = set()
        unread: set[NotRead] = set()
        for part in parts:
            understood.update(part.not_understood)
            left_out.update(part.left_out)
            unread.update(part.not_read)
        return Coverage(tuple(sorted(understood, key=_place)), tuple(sorted(left_out)), tuple(sorted(unread)))


def _place(each: NotUnderstood) -> tuple[object, ...]:
    return each.at, each.unit or "", each.program, each.reason
