"""Node.js: scripts whose own text says which ports they listen on, and the inspector."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, bears_its_name, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import Binder, argument, default, halves
from portwright.facts import Endpoint, Invocation
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.processes.options import cut
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_WITH_VALUE = frozenset(("-r", "--require", "--import", "--loader", "--experimental-loader", "--env-file", "-C", "--conditions"))
_RUNS_TEXT = ("-e", "--eval", "-p", "--print", "-v", "--version", "-h", "--help", "-c", "--check")
_INSPECTORS = ("--inspect", "--inspect-brk", "--inspect-wait")
_INSPECTOR = Binder("node", v6only=False)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Node.js program: what its script, if it is in the tree, names to `listen`; `--inspect` opens another.

    A script that is not there, or that does not say, is judged by its flags and environment like a program nobody knows.
    """
    words = invocation.argv[1:]
    inspector: tuple[Endpoint, ...] = ()
    at = 0
    while at < len(words):
        text = words[at].text
        if text.partition("=")[0] in _INSPECTORS:
            inspector = _inspector(words[at], files)
        elif text in _RUNS_TEXT:
            return inspector
        elif not text.startswith("-"):
            return (*inspector, *_script(invocation, words[at:], files, packages))
        at += 2 if text in _WITH_VALUE else 1
    return (*inspector, *generic.read(invocation, files, packages, reuse=True))


def _script(invocation: Invocation, argv: tuple[Word, ...], files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    name = argv[0].text
    path = invocation.path(name)
    started = replace(invocation, argv=(Word(path, argv[0].at), *argv[1:]))
    known = daemon_of(started)
    if known is not None and any(each.path == path for each in known.descriptor.wrappers):
        return known.read(started, files, packages)
    if known is not None and started.program in known.programs and not bears_its_name(started, known, files, "node"):
        return known.read(started, files, packages)
    # Node takes `server` for server.js, and a directory for its index.js.
    for candidate in (path, f"{path}.js", f"{path.rstrip('/')}/index.js") if UNKNOWN not in path else ():
        source = files.read(candidate) if files.kind(candidate) == "file" else None
        if source is not None:
            from portwright.daemons.interpreters.node.script import listened  # looking into a script is off the hot path

            if said := listened(source, argv, invocation.environment, files, candidate, invocation.path):
                return said
            break
    return generic.read(invocation, files, packages, reuse=True)


def _inspector(word: Word, files: Files) -> tuple[Endpoint, ...]:
    """`--inspect[=[host:]port]`, on 127.0.0.1:9229 if it says nothing else (node(1))."""
    name, equals, _ = word.text.partition("=")
    host, port = default("127.0.0.1", word.at), default(9229, word.at)
    if equals:
        value = cut(word, len(name) + 1)
        if is_digits(value.text):
            port = argument(value)
        else:
            given, own = halves(value)
            host, port = argument(given), argument(own) if own is not None else port
    return _INSPECTOR.bind(host, port, files)
