"""What a command binds when it is started on a small host: through whatever daemon it is recognised as."""

from collections.abc import Mapping

from portwright.daemons import daemon_of, interpreted
from portwright.daemons._engine import unknown_program as generic
from portwright.facts import Endpoint
from tests.daemons.by_hand import brief, host_of, invocation


def endpoints(
    command: str, environment: Mapping[str, str] | None = None, tree: Mapping[str, str] | None = None, directory: str = "/"
) -> tuple[list[Endpoint], list[str]]:
    """The endpoints of a command of blank-separated words, and the reasons of what could not be read."""
    files = host_of({"/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n", **(tree or {})})
    started = interpreted(invocation(command, environment, directory=directory), files)
    known = daemon_of(started)
    said = (generic.read if known is None else known.read)(started, files, {})
    return [each for each in said if isinstance(each, Endpoint)], [trouble.reason for trouble in files.unreadable]


def binds(
    command: str, environment: Mapping[str, str] | None = None, tree: Mapping[str, str] | None = None, directory: str = "/"
) -> list[str]:
    """The endpoints in few words, sorted; nothing may be left unread."""
    found, reasons = endpoints(command, environment, tree, directory)
    assert [] == reasons
    return brief(tuple(found))
