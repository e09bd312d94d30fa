"""What is known while a script is walked: its variables, its arguments, and the files as they stand."""

from collections.abc import Callable

from portwright._start.records import dataclass, field
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import Line, Pages
from portwright.repositories.deployers.shell_text import Piece, ScriptText, Value

MOST_COMMANDS = 5_000
"""Commands of one script that are followed, those of a function each time it is called."""
DEEPEST = 12
"""Functions, scripts and substitutions inside one another that are followed."""

Arms = tuple[tuple[int, int], ...]


def _no_walk(text: ScriptText) -> None:
    pass


def _no_call(name: str, arguments: list[Value] | None, place: Piece | None) -> Value | None:
    return None


@dataclass
class State:
    """One script as far as it was walked."""

    pages: Pages
    checkout: Checkout
    directory: str = ""
    variables: dict[str, Value] = field(default_factory=dict)
    arrays: dict[str, list[Value]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    """Variables that have one of several values."""
    functions: set[str] = field(default_factory=set)
    arguments: list[Value] | None = None
    """What the function that is walked was called with; None where nobody knows."""
    files: dict[str, list[Line]] = field(default_factory=dict)
    """The files that were written, by their paths, wherever they are."""
    made: dict[str, Arms] = field(default_factory=dict)
    """The branches in which a file or a setting came to be."""
    arms: Arms = ()
    """The branches around the command that is walked, each with the command it is one of."""
    maybe: bool = False
    """Whether what is walked may not run."""
    depth: int = 0
    fetched: str = ""
    """What the command before was to fetch."""
    is_bash: bool = True
    is_sure: bool = True
    """Whether quotes and brackets match, so that what is left unsaid is known."""
    walk: Callable[[ScriptText], None] = _no_walk
    """Walks a text as a script inside of this one."""
    call: Callable[[str, list[Value] | None, Piece | None], Value | None] = _no_call
    """Walks a function; what it prints."""

    def understand(self, source: str, number: int) -> None:
        """Nothing of this line is left unsaid."""
        if source == self.pages.label and self.is_sure:
            self.pages.understood.add(number)
