"""Daphne: its flags, and the endpoint descriptions of Twisted it is given, become endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, argument, default
from portwright.daemons.twistd.descriptions import described
from portwright.facts import Invocation
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(
    (
        "-b", "--bind", "-p", "--port", "-e", "--endpoint", "-u", "--unix-socket", "--fd", "-t", "--http-timeout", "--access-log",
        "--log-fmt", "--ping-interval", "--ping-timeout", "--application-close-timeout", "--websocket_timeout", "--root-path",
        "--proxy-headers-host", "--proxy-headers-port", "-s", "--server-name", "-v", "--verbosity",
    )
)  # fmt: skip


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """daphne(1): -b and -p (127.0.0.1:8000 where it is given neither they nor anything else to listen on), and every -e."""
    options = options_of(invocation.argv[1:], _VALUED)
    binder = Binder("daphne", words=("",))
    found = [endpoint for word in options.all("-e", "--endpoint") for endpoint in described(word, binder, files)]
    host, port = options.last("-b", "--bind"), options.last("-p", "--port")
    if host is None and port is None and options.has("-e", "--endpoint", "-u", "--unix-socket", "--fd"):
        return tuple(found)
    at = invocation.at
    given = argument(host) if host is not None else default("127.0.0.1", at)
    return (*binder.bind(given, argument(port) if port is not None else default(8000, at), files), *found)
