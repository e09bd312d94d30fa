"""The script that an interpreter is given: which it is, and its text where it is there and not too long to look into."""

from portwright.facts import Invocation
from portwright.source import Source, Span, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

LONGEST = 1 << 20  # characters


def operand(invocation: Invocation) -> Word | None:
    """The first word that is no option."""
    return next((word for word in invocation.argv[1:] if not word.text.startswith("-")), None)


def name(invocation: Invocation) -> str:
    """What the service is called: its script's name, or the interpreter's where it has none."""
    word = operand(invocation)
    return invocation.program if word is None else word.text.rpartition("/")[2]


def script(invocation: Invocation, files: Files) -> Source | None:
    """The script that is run, None where it is not there or too long."""
    word = operand(invocation)
    if word is None or UNKNOWN in word.text:
        return None
    path = invocation.path(word.text)
    source = files.read(path) if files.kind(path) == "file" else None
    return source if source is not None and fits(source, files) else None


def fits(source: Source, files: Files) -> bool:
    """Whether a script is short enough to look into; one that is not is told."""
    if len(source.text) <= LONGEST:
        return True
    files.report_unreadable(Span.whole(source.path), f"a script longer than {LONGEST} characters is not parsed")
    return False
