"""A program that another program starts: what cron, supervisor and their like are told to run."""

from collections.abc import Mapping

from portwright._start.records import dataclass, field
from portwright.source import Span, Word
from portwright.system.spanned_text import Passage


@dataclass(frozen=True)
class Child:
    """argv before wrappers and shells, and what its keeper changes for it; `automatic`: started whenever the keeper starts."""

    argv: tuple[Passage, ...]
    at: Span
    why: str
    user: Word | None = None
    environment: Mapping[str, Word] = field(default_factory=dict)
    directory: str = "/"
    automatic: bool = True


def shell_command(command: Word, shell: str = "/bin/sh") -> tuple[Passage, ...]:
    """The argv of a command that a shell is handed."""
    return (*(Passage.of(Word(text, command.at)) for text in (shell, "-c")), Passage.of(command))
