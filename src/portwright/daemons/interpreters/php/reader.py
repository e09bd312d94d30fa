"""PHP: its built-in web server, and Laravel's way of starting it, become endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import Binder, argument, default, halves
from portwright.daemons.interpreters.php import script as php_script
from portwright.facts import Invocation
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_VALUED = frozenset(("-S", "-t", "-c", "-d", "-f", "-r", "-B", "-R", "-F", "-E", "-z"))
_BINDER = Binder("php")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`php -S address:port`, and `php artisan serve` on 127.0.0.1:8000; any other script by what it opens, its flags and environment."""
    options = options_of(invocation.argv[1:], _VALUED)
    word = options.last("-S")
    if word is not None:
        host, port = halves(word)
        if port is None:
            files.report_unreadable(word.at, "php does not start: no port")
            return ()
        return _BINDER.bind(argument(host), argument(port), files)
    operands = [operand.text.rpartition("/")[2] for operand in options.operands[:2]]
    if operands == ["artisan", "serve"]:
        own = options_of(invocation.argv[1:], frozenset(("--host", "--port")))
        given, number = own.last("--host"), own.last("--port")
        return _BINDER.bind(
            argument(given) if given is not None else default("127.0.0.1", invocation.at),
            argument(number) if number is not None else default(8000, invocation.at),
            files,
        )
    script = next(iter(options.operands), None) or options.last("-f")
    if script is not None:
        path = invocation.path(script.text)
        source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
        if source is not None and (said := php_script.opened(source, replace(invocation, argv=(script,)), files)):
            return said
    return generic.read(invocation, files, packages, reuse=True)
