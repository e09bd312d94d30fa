"""Django's development server: `manage.py runserver [address:port]` becomes an endpoint."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, argument, default, halves
from portwright.facts import Invocation
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(("--settings", "--pythonpath", "-v", "--verbosity"))
_BINDER = Binder("django", words=("0",))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """One IPv4 socket on 127.0.0.1:8000 or what the operand says, a port or an address and a port; with -6, on ::1."""
    options = options_of(invocation.argv[1:], _VALUED)
    words = [word for word in options.operands if word.text]
    if not words or words[0].text not in ("runserver", "runserver_plus"):
        return ()
    host = default("::1" if options.has("-6", "--ipv6") else "127.0.0.1", invocation.at)
    if len(words) < 2:
        return _BINDER.bind(host, default(8000, invocation.at), files)
    address: Word | None
    address, port = halves(words[1])
    if port is None:
        address, port = None, words[1]
    return _BINDER.bind(host if address is None else argument(address), argument(port), files)
