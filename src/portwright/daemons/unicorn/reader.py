"""Unicorn: its flags, and the `listen` lines of a configuration written in Ruby, become endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, argument, default, halves, without
from portwright.daemons.interpreters.ruby.value import value
from portwright.facts import Endpoint, Invocation
from portwright.formats import ruby
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_VALUED = frozenset(
    ("-l", "--listen", "-p", "--port", "-o", "--host", "-c", "--config-file", "-E", "--env", "-I", "-r", "-e", "-s", "-N")
) - {"-N"}


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every -l of a Unicorn and every `listen` of its configuration, else -o and -p, else 0.0.0.0:8080."""
    options = options_of(invocation.argv[1:], _VALUED)
    binder = Binder("unicorn")
    listens = [argument(word) for word in options.all("-l", "--listen")]
    config = options.last("-c", "--config-file")
    if config is not None and UNKNOWN not in config.text:
        path = invocation.path(config.text)
        source = files.read(path) if files.kind(path) == "file" else None
        for call in ruby.calls(source, frozenset(("listen",))) if source is not None else ():
            given = value(call.arguments[0], invocation.environment) if call.arguments else None
            if given is None:
                files.report_unreadable(call.name.at, "what listen stands for cannot be determined")
            else:
                listens.append(given)
    host, port = options.last("-o", "--host"), options.last("-p", "--port")
    if listens and host is None and port is None:
        return tuple(endpoint for given in listens for endpoint in _listen(given, binder, files))
    at = invocation.at
    here = argument(host) if host is not None else default("", at)
    more = tuple(endpoint for given in listens for endpoint in _listen(given, binder, files))
    return (*binder.bind(here, argument(port) if port is not None else default(8080, at), files), *more)


def _listen(given: Given, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    word = without(Word(given.text, given.at), "tcp://")
    if is_digits(word.text):
        return binder.bind(default("", given.at), given, files)
    host, port = halves(word)
    if port is None or "/" in word.text:
        return ()
    return binder.bind(Given(host.text, host.at, given.origin), Given(port.text, port.at, given.origin), files)
