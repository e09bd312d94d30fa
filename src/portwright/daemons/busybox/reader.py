"""BusyBox: the applets that listen, nc and httpd, become endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, bound, default, halves
from portwright.facts import Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_NC = frozenset(("-p", "-w", "-i", "-f", "-e", "-s"))
_HTTPD = frozenset(("-p", "-h", "-c", "-u", "-r", "-e", "-d", "-m"))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The applets nc and httpd."""
    if len(invocation.argv) < 2:
        return ()
    match invocation.argv[1].text:
        case "nc":
            return netcat(invocation, invocation.argv[2:], files)
        case "httpd":
            options = options_of(invocation.argv[2:], _HTTPD)
            binder = Binder("httpd", wildcard=("::",), words=("",))
            word = options.last("-p")
            if word is None:
                return binder.bind(default("", invocation.at), default(80, invocation.at), files)
            host, port = halves(word)
            return bound(binder, None if port is None else host, port or word, invocation, files)
        case _:
            return ()


def netcat(invocation: Invocation, words: tuple[Word, ...], files: Files) -> tuple[Endpoint, ...]:
    """`nc -l -p port [-s address]`; `words` are those behind the applet's name."""
    options = options_of(words, _NC)
    port = options.last("-p")
    if not options.has("-l") or port is None:
        return ()
    return bound(Binder("nc", wildcard=("::",), words=("",)), options.last("-s"), port, invocation, files)
