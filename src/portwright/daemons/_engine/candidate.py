"""A file of a repository as those see it who tell whose config it is."""

import re
from functools import cached_property
from typing import Literal

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass

Likeness = Literal["name", "text", "piece"]
"""By what a config is told: its name or place, what its text says, or that it may be a piece of one, which anything else overrules."""

LOOKED_THROUGH = 1 << 20
"""Characters within which a config says whose it is."""

# Linear: what precedes a brace is the line's beginning, and blanks do not cross lines.
_BLOCK = lazy_regex(r"^[^#\n]*\{[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Candidate:
    """A file that may be a daemon's config.

    `folders` are those it lies in, outermost first. `name` is its own name without what templates and copies add to it. `explicit`: its
    user named this very file, so that its name need not tell what it is.
    """

    folders: tuple[str, ...]
    name: str
    text: str
    explicit: bool = False

    @property
    def suffix(self) -> str:
        """What follows the last dot of its name; the whole name where there is none."""
        return self.name.rpartition(".")[2]

    @property
    def parent(self) -> str:
        """The folder it lies in, "" at the top."""
        return self.folders[-1] if self.folders else ""

    @cached_property
    def lower_name(self) -> str:
        """Its name in lower case."""
        return self.name.lower()

    @cached_property
    def lower_folders(self) -> frozenset[str]:
        """Its folders in lower case."""
        return frozenset(folder.lower() for folder in self.folders)

    def says(self, *patterns: re.Pattern[str]) -> bool:
        """Whether its text holds each of these."""
        return all(pattern.search(self.text, 0, LOOKED_THROUGH) for pattern in patterns)

    @cached_property
    def has_block(self) -> bool:
        """Whether some line opens a block in braces."""
        return _BLOCK.search(self.text, 0, LOOKED_THROUGH) is not None

    def lines(self, comments: str = "#;") -> list[str]:
        """The lines that say something, without blanks around them."""
        return [line for line in map(str.strip, self.text.split("\n")) if line and line[0] not in comments]
