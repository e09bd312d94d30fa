"""Node: what the catalogue's grammars have in common, a keyword with the words after it and what stands inside it."""

from portwright._start.records import dataclass
from portwright.source import Unreadable, Word

DEEPEST = 64
"""Blocks inside blocks that are followed; no daemon here needs more than six."""


@dataclass(frozen=True, slots=True)
class Node:
    """A directive, a setting, a section or a block. `key` is as written; a Word's span covers it with its quotes."""

    key: Word
    values: tuple[Word, ...] = ()
    children: tuple["Node", ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """Its values; for a block of bare words (`{ any; localhost; }`, `{ 5222, 5223 }`) those words."""
        if self.values or not self.children:
            return self.values
        return tuple(child.key for child in self.children if not child.values and not child.children)


Parsed = tuple[tuple[Node, ...], tuple[Unreadable, ...]]
