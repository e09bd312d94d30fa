"""Tcl: a script whose own text opens a listening socket at an address it spells out becomes endpoints."""

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import BOTH, Binder, Given, default
from portwright.daemons.interpreters.scripts import name, script
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files

_MOST_SOCKETS = 64
_SERVER = lazy_regex(r"""\bsocket\s+-server\s+\S+((?:\s+-myaddr\s+[\w.:-]+)?)\s+([0-9]{1,5})\b""")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Tcl script: `socket -server COMMAND ?-myaddr ADDRESS? PORT`, both families without an address."""
    source = script(invocation, files)
    found: list[Endpoint] = []
    for match in _SERVER.finditer(source.text) if source is not None else ():
        line = source.text[source.text.rfind("\n", 0, match.start()) + 1 : match.start()] if source is not None else ""
        if source is not None and not line.lstrip().startswith("#"):
            if len(found) >= _MOST_SOCKETS:
                files.report_limit(source.span(match.start(), match.end()), _MOST_SOCKETS, "sockets in one script")
                break
            port = Given(match[2], source.span(match.start(2), match.end(2)), "directive")
            words = match[1].split()
            host = Given(words[1], port.at, "directive") if words else default("", port.at)
            found += Binder(name(invocation), every=True, wildcard=BOTH, v6only=True, confidence="likely").bind(host, port, files)
    return tuple(dict.fromkeys(found)) or generic.read(invocation, files, packages)
