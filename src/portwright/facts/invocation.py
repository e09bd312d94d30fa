"""A command as the machine really runs it."""

from collections.abc import Mapping

from portwright._start.records import dataclass, field
from portwright.facts.privileges import OpenFiles, Privileges
from portwright.facts.value import Confidence, Starts
from portwright.source import Span, Word


@dataclass(frozen=True)
class Invocation:
    """A command as the machine really runs it: argv after systemd's quoting, specifiers, variables and wrappers.

    `argv[0]` is the program; `environment` maps a name to the Word that set it (after Environment=, EnvironmentFile=, `env`
    wrappers). A Word whose text could not be worked out contains `\\ufffd` where the unknown part is. `sockets` are the names of the
    .socket units whose descriptors it is handed. `at` is the ExecStart= value (or the script line that execs).
    `open_files` is the limit it is started with, None where a shell or a session on the way may change it. `passing`: a script starts
    it and goes on when it returns, so that only what goes to the background by itself is left of it. `executed` is the path of the
    file that is run, "" where nobody looked: with `@` argv[0] is any name at all.
    """

    unit: str | None
    argv: tuple[Word, ...]
    at: Span
    environment: Mapping[str, Word] = field(default_factory=dict)
    privileges: Privileges = Privileges()
    directory: str = "/"
    sockets: tuple[str, ...] = ()
    starts: Starts | None = None
    why: str = ""
    confidence: Confidence = "certain"
    open_files: OpenFiles | None = None
    passing: bool = False
    executed: str = ""

    @property
    def program(self) -> str:
        """The base name of argv[0]."""
        return self.argv[0].text.rpartition("/")[2] if self.argv else ""

    def path(self, name: str) -> str:
        """Where a file that the command names lies: a relative name starts from its working directory."""
        return name if name.startswith("/") else f"{self.directory.rstrip('/')}/{name}"
