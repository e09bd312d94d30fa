"""Lua: a script whose own text opens a listening socket at an address it spells out becomes endpoints."""

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import Binder, Given
from portwright.daemons.interpreters.scripts import name, script
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files

_MOST_SOCKETS = 64
_BIND = lazy_regex(r"""\bsocket\.bind\s*\(\s*(['"])([\w.:*-]*)\1\s*,\s*(['"]?)([0-9]{1,5})\3\s*[,)]""")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Lua script: LuaSocket's socket.bind(), which sets SO_REUSEADDR and takes the first address of a name."""
    source = script(invocation, files)
    found: list[Endpoint] = []
    for match in _BIND.finditer(source.text) if source is not None else ():
        line = source.text[source.text.rfind("\n", 0, match.start()) + 1 : match.start()] if source is not None else ""
        if source is not None and "--" not in line:
            if len(found) >= _MOST_SOCKETS:
                files.report_limit(source.span(match.start(), match.end()), _MOST_SOCKETS, "sockets in one script")
                break
            host = Given(match[2], source.span(match.start(2), match.end(2)), "directive")
            port = Given(match[4], source.span(match.start(4), match.end(4)), "directive")
            found += Binder(name(invocation), confidence="likely").bind(host, port, files)
    return tuple(dict.fromkeys(found)) or generic.read(invocation, files, packages)
