"""Parts: a string of a language of its own, as what is literal in it and what is filled in, each with its place."""

from portwright._start.records import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a string, from offset `at` of the source on.

    It is literal there as it stands (`exact`) or behind an escape, or what it says is an expression that is put there (`filled`).
    """

    text: str
    at: int
    filled: bool = False
    exact: bool = True
