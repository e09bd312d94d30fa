"""What of a command line in a unit only a shell would understand; systemd runs none (systemd.service(5), "Command Lines")."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.system.processes.programs import SHELLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

_PREFIXES = "-+!:@|"
_MARKS = ("#", "|", ">", "<", "&", "`", "$(")
_QUOTED = lazy_regex(r"\"[^\"]*+\"|'[^']*+'")
_OPERATOR = lazy_regex(r"\|\|?|&&?|<|(?:[0-9]|&)?>>?(?:&[0-9]|[/.$]\S*)?")
_PROGRAM = lazy_regex(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?")


@dataclass(frozen=True, slots=True)
class ForAShell:
    """What only a shell understands, as it is written: a variable as the program, a comment, an operator, or a substitution."""

    kind: "Literal['program', 'comment', 'operator', 'substitution']"
    text: str


def for_a_shell(value: str) -> ForAShell | None:
    """What of the value of an Exec line only a shell understands; None where systemd does what is written."""
    bare = value.lstrip(_PREFIXES)
    if not bare.startswith("$") and not any(mark in value for mark in _MARKS):
        return None
    words = _QUOTED.sub("''", bare).split()
    if not words:
        return None
    if _PROGRAM.fullmatch(words[0]):
        return ForAShell("program", words[0])
    if words[0].rpartition("/")[2] in SHELLS:
        return None
    for number, word in enumerate(words):
        text = " ".join(words[number:])
        if word.startswith("#"):
            return ForAShell("comment", text)
        if _OPERATOR.fullmatch(word):
            return ForAShell("operator", text)
        if "$(" in word or "`" in word:
            return ForAShell("substitution", text)
    return None
