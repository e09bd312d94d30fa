"""A program that another program starts: what cron, supervisor and their like are told to run."""

from collections.abc import Mapping

from portwright._start.records import dataclass, field
from portwright.source import Span, Word
from portwright.system.spanned_text import SpannedText


@dataclass(frozen=True)
class Spawned:
    """argv before wrappers and shells, and what its keeper changes for it; `automatic`: started whenever the keeper starts."""

    argv: tuple[SpannedText, ...]
    at: Span
    why: str
    user: Word | None = None
    environment: Mapping[str, Word] = field(default_factory=dict)
    directory: str = "/"
    automatic: bool = True


def shell_command(command: SpannedText, shell: str = "/bin/sh") -> tuple[SpannedText, ...]:
    """The argv of a command that a shell is handed."""
    return (*(SpannedText.of(Word(text, command.at)) for text in (shell, "-c")), command)
