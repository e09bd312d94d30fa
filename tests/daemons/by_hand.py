"""Invocations and hosts made by hand, for tests of what daemons say."""

from collections.abc import Mapping

from portwright.daemons import DaemonFact
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

UNIT = "/etc/systemd/system/app.service"


def invocation(
    command: str, environment: Mapping[str, str] | None = None, sockets: tuple[str, ...] = (), directory: str = "/", line: int = 7
) -> Invocation:
    """A command of blank-separated words, as ExecStart= on one line of a unit has it."""
    argv: list[Word] = []
    column = len("ExecStart=") + 1
    for text in command.split(" "):
        argv.append(Word(text, Span(UNIT, line, column, line, column + len(text))))
        column += len(text) + 1
    variables = {name: Word(text, Span(UNIT, 3, 13, 3, 13 + len(text))) for name, text in (environment or {}).items()}
    return Invocation(
        unit="app.service",
        argv=tuple(argv),
        at=Span(UNIT, line, 11, line, column - 1),
        environment=variables,
        directory=directory,
        sockets=sockets,
        starts="boot",
    )


def host_of(files: Mapping[str, str | bytes]) -> Files:
    return Files(MemoryTree(dict(files)))


def brief(said: tuple[DaemonFact, ...]) -> list[str]:
    """Endpoints in few words, sorted: `tcp 127.0.0.1 80`, with what is out of the ordinary behind."""
    return sorted(_brief(endpoint) for endpoint in said if isinstance(endpoint, Endpoint))


def _brief(endpoint: Endpoint) -> str:
    words = [endpoint.protocol, endpoint.address, "random" if endpoint.random else str(endpoint.ports)]
    if endpoint.address == "::" and endpoint.v6only is not None:
        words.append("v6only" if endpoint.v6only else "dual")
    return " ".join(words)
