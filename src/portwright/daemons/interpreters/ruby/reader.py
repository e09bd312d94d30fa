"""Ruby: installed servers run by name, the one-line web server of `ruby -run`, anything else by its flags and environment."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, bears_its_name, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import BOTH, Binder, argument, default
from portwright.daemons.interpreters.ruby import script
from portwright.facts import Invocation
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_WITH_VALUE = frozenset(("-C", "-I", "-r", "-E", "-x"))
_HTTPD_VALUED = frozenset(("-p", "--port", "--bind-address", "--do-not-reverse-lookup", "--request-timeout", "--http-version"))
_HTTPD = Binder("webrick", every=True, wildcard=BOTH, v6only=True)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Ruby program: of the server it runs (`ruby bin/puma`), or of `ruby -run -e httpd`."""
    words = invocation.argv[1:]
    at, library = 0, False
    while at < len(words):
        text = words[at].text
        if text.startswith("-e") and library:
            rest = words[at + 1 :] if len(text) > 2 else words[at + 2 :]
            program = text[2:] or (words[at + 1].text if at + 1 < len(words) else "")
            if program.strip() != "httpd":
                return ()
            options = options_of([word for word in rest if word.text != "--"], _HTTPD_VALUED)
            host, port = options.last("--bind-address"), options.last("-p", "--port")
            given = argument(host) if host is not None else default("", invocation.at)
            return _HTTPD.bind(given, argument(port) if port is not None else default(8080, invocation.at), files)
        if not text.startswith("-") or text == "-":
            started = replace(invocation, argv=words[at:])
            known = daemon_of(started)
            if known is not None and started.program in known.programs and not bears_its_name(started, known, files, "ruby"):
                return known.read(started, files, packages)
            path = invocation.path(text)
            source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
            if source is not None and (said := script.opened(source, started, files)):
                return said
            break
        library = library or text == "-run"
        at += 2 if text in _WITH_VALUE else 1
    return generic.read(invocation, files, packages, reuse=True)
