"""A command on its way to the program that runs in the end."""

from collections.abc import Mapping

from portwright._start.records import dataclass, replace
from portwright.facts import Confidence
from portwright.source import Span, Word
from portwright.system.processes.programs import SEARCH_PATH, find_program
from portwright.system.spanned_text import SpannedText
from portwright.trees import Files

_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")


MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of power on the way to the program: another user, capabilities kept over it, no_new_privs, a network namespace.

    `user_namespace` names what makes a user namespace, `unless_root` says that it makes none for root. `bind_helper`: a set-user-ID
    helper binds for it. `by_manager`: systemd starts it anew, with all that root has.
    """

    at: Span
    user: str | None = None
    kept: frozenset[str] = frozenset()
    no_new_privileges: bool = False
    private_network: bool = False
    user_namespace: str = ""
    unless_root: bool = False
    bind_helper: bool = False
    by_manager: bool = False


@dataclass(frozen=True)
class Process:
    """A command on its way through wrappers and shells: what is executed, with what, and what changed since systemd started it.

    `steps` bounds how much shell text is followed from here on; what a script starts shares what is left. `same_limits`: nothing on the
    way may have changed the resource limits, as `ulimit` of a shell does, and pam_limits(8) in a session. `passing`: the script that
    starts it goes on when it returns, so nothing is left of it unless it goes to the background by itself.
    """

    program: str
    argv: tuple[SpannedText, ...]
    environment: Mapping[str, Word]
    at: Span
    directory: str = "/"
    confidence: Confidence = "certain"
    switches: tuple[Switch, ...] = ()
    steps: int = MOST_STEPS
    same_limits: bool = True
    passing: bool = False

    def starts(self, argv: tuple[SpannedText, ...], files: Files, **changed: object) -> "Process":
        """This process after it executed another program, found over PATH as execvp(3) does."""
        name = argv[0].text if argv else ""
        path = self.environment.get("PATH")
        program = find_program(name, files, path.text.split(":") if path else SEARCH_PATH)
        return replace(self, program=program, argv=argv, **changed)  # type: ignore[arg-type]


def is_name(text: str) -> bool:
    """env_name_is_valid(): letters, digits and underscores, no digit first."""
    return bool(text) and text[0] not in _DIGITS and all(char in _LETTERS or char in _DIGITS for char in text)
