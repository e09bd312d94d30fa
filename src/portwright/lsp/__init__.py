"""The language server: what an editor has open is checked where it lies, and what is found is told at its lines.

Only modules of this package import pygls, and only `portwright lsp` imports them.
"""

from collections.abc import Callable

from portwright._start.records import dataclass
from portwright.audit.check import Selection
from portwright.audit.inputs import Input
from portwright.rules import Rule


class AskedError(Exception):
    """What is asked for in a folder cannot be done (a mistake in its configuration or in a rule); the message says which."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check of one folder is asked to do: the rules, and the folder's inputs as its configuration has them."""

    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    known: frozenset[str]
    selection: Selection
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file as an editor has it open: its address, its version, and what it says."""

    address: str
    version: int | None
    content: bytes


Asking = Callable[[str], Asked]
"""What is asked of a folder, or of one file, by its absolute path. Raises AskedError."""
