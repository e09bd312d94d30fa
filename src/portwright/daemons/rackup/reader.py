"""rackup: where it binds by its flags and by whether it is in development becomes endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, argument, default, variable
from portwright.facts import Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import Options
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(
    ("-p", "--port", "-o", "--host", "-s", "--server", "-E", "--env", "-O", "--option", "-P", "--pid", "-I", "-r", "-e", "--builder")
)
_LOOPBACK = ("127.0.0.1", "::1")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """rackup: port 9292 on the loopback addresses in development, on 0.0.0.0 else (rack/server.rb)."""
    options = options_of(invocation.argv[1:], _VALUED)
    environment = options.last("-E", "--env") or variable(invocation.environment, "RACK_ENV")
    binder = Binder("rackup", words=("", "*"))
    return developing(binder, options, environment, ("-o", "--host"), ("-p", "--port"), 9292, (), invocation, files)


def developing(
    binder: Binder,
    options: Options,
    environment: Word | Given | None,
    hosts: tuple[str, ...],
    ports: tuple[str, ...],
    builtin: int,
    variables: tuple[str, ...],
    invocation: Invocation,
    files: Files,
) -> tuple[Endpoint, ...]:
    """What a server of Rack binds: the loopback addresses in development, where nothing else is said, and all of IPv4 else."""
    word, host_word = options.last(*ports), options.last(*hosts)
    port = argument(word) if word is not None else variable(invocation.environment, *variables) or default(builtin, invocation.at)
    host = argument(host_word) if host_word is not None else None
    if host is None and variables:
        host = variable(invocation.environment, "BINDING")
    in_development = environment is None or environment.text == "development"
    if (host is None and in_development) or (host is not None and host.text == "localhost"):
        place = host or default("localhost", invocation.at)
        both = replace(binder, v6only=True)
        return tuple(e for own in _LOOPBACK for e in both.bind(replace(place, text=own), port, files))
    return binder.bind(host or default("0.0.0.0", invocation.at), port, files)  # noqa: S104
