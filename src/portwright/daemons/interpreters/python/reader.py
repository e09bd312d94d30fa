"""Python: `-m http.server`, and scripts whose own source says which sockets they serve."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, bears_its_name, daemon_of
from portwright.facts import Endpoint, Invocation, Traits
from portwright.numbers import is_digits
from portwright.ports import PortSet
from portwright.source import Source, Word
from portwright.system.host_files import names
from portwright.system.processes.options import cut
from portwright.trees import Files

_WITH_VALUE = frozenset(("-W", "-X", "--check-hash-based-pycs"))
_HTTP_PORT = 8000
_HTTP_SERVERS = ("http.server", "SimpleHTTPServer")
_HTTP_SERVER = Traits(root="needless", inherited_sockets="ignored")  # measured: it opens its own whatever systemd hands it
_UNKNOWN = "\ufffd"


# Modules that are servers: `python -m gunicorn` is gunicorn.
_SERVERS = frozenset(
    (
        "aiohttp.web", "daphne", "django", "flask", "gunicorn", "hypercorn", "jupyter", "jupyterlab", "jupyter_server", "notebook",
        "twisted", "uvicorn", "waitress",
    )
)  # fmt: skip


def shape(invocation: Invocation) -> bool:
    """Whether the arguments are such as only a Python takes: `-m` and a module that serves; copied interpreters have any name."""
    found = _module(invocation)
    return found is not None and found[0].text in (*_HTTP_SERVERS, *_SERVERS)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Python program.

    http.server is known, and so are the servers that are modules or installed scripts; any other script in the tree is parsed (never
    run), and what it certainly serves is *likely*. Anything else is judged by its flags and environment like a program nobody knows.
    """
    module = _module(invocation)
    if module is not None:
        name, rest = module
        if name.text in _HTTP_SERVERS:
            return _http_server(invocation, rest, files)
        started = replace(invocation, argv=(name, *rest))
        if (server := daemon_of(started)) is not None and name.text in server.programs:
            return server.read(started, files, packages)
        return _of_nobody_known(invocation, files, packages)
    words = invocation.argv[1:]
    at = 0
    while at < len(words):
        text = words[at].text
        if text.startswith("-c"):
            said = _command(invocation, words[at:], files)
            if said:
                return said
            break
        if text == "-":
            break
        if not text.startswith("-"):
            script = replace(invocation, argv=words[at:])
            server = daemon_of(script)
            if server is not None and script.program in server.programs and not bears_its_name(script, server, files, "python"):
                return server.read(script, files, packages)
            said = _script(invocation, words[at], words[at:], files)
            if said:
                return said
            break
        at += 2 if text in _WITH_VALUE else 1
    return _of_nobody_known(invocation, files, packages)


def _of_nobody_known(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    from portwright.daemons._engine import unknown_program

    return unknown_program.read(invocation, files, packages)


def _module(invocation: Invocation) -> tuple[Word, tuple[Word, ...]] | None:
    """(module, its arguments) of `-m module`; None where a script, a command or nothing is run."""
    words = invocation.argv[1:]
    at = 0
    while at < len(words):
        text = words[at].text
        if text == "-m":
            return (words[at + 1], words[at + 2 :]) if at + 1 < len(words) else None
        if text.startswith("-m"):
            return cut(words[at], 2), words[at + 1 :]
        if text.startswith("-c") or not text.startswith("-") or text == "-":
            return None
        at += 2 if text in _WITH_VALUE else 1
    return None


def _http_server(invocation: Invocation, words: tuple[Word, ...], files: Files) -> tuple[DaemonFact, ...]:
    """`python -m http.server [port] [-b ADDRESS]`: all IPv4 addresses without -b; `-b ::` is dual-stack (http/server.py)."""
    bind, port = None, None
    rest = iter(words)
    for word in rest:
        flag, equals, attached = word.text.partition("=")
        if word.text in ("-b", "--bind", "-d", "--directory", "-p", "--protocol"):
            value = next(rest, None)
            bind = value if word.text in ("-b", "--bind") else bind
        elif flag == "--bind" and equals:
            bind = Word(attached, word.at)
        elif word.text.startswith("-b") and not word.text.startswith("--"):
            bind = Word(word.text[2:], word.at)
        elif not word.text.startswith("-"):
            port = port or word
    if any(_UNKNOWN in word.text for word in (bind, port) if word is not None):
        files.report_unreadable(invocation.at, "its expansion cannot be determined")
        return ()
    number = _HTTP_PORT if port is None else names.port(port.text, "tcp", files) if is_digits(port.text) else None
    if number is None:
        files.report_unreadable(port.at if port is not None else invocation.at, "http.server does not start: not a port")
        return ()
    address = "0.0.0.0"  # noqa: S104  what getaddrinfo(3) gives first for no name
    if bind is not None and bind.text:
        address = (names.addresses(bind.text, files) or (bind.text,))[0]
    return (
        Endpoint(
            at=invocation.at if port is None else port.at,
            app="http.server",
            traits=_HTTP_SERVER,
            protocol="tcp",
            address="*" if address == "::" else address,
            ports=PortSet.of(number) if number else PortSet(),
            origin="default" if port is None else "argument",
            random=number == 0,
            reuse_address=True,
            v6only=False if ":" in address else None,
        ),
    )


def _script(invocation: Invocation, script: Word, argv: tuple[Word, ...], files: Files) -> tuple[DaemonFact, ...]:
    path = invocation.path(script.text)
    if _UNKNOWN in path or files.kind(path) != "file":
        return ()
    source = files.read(path)
    if source is None:
        return ()
    from portwright.daemons.interpreters.python.script import served  # parsing a language is off the hot path

    return served(source, argv, invocation.environment, files, invocation.path)


def _command(invocation: Invocation, words: tuple[Word, ...], files: Files) -> tuple[DaemonFact, ...]:
    """`-c TEXT`, or `-cTEXT`, with the arguments behind it."""
    text, arguments = (cut(words[0], 2), words[1:]) if words[0].text != "-c" else (words[1] if len(words) > 1 else None, words[2:])
    if text is None or _UNKNOWN in text.text:
        return ()
    from portwright.daemons.interpreters.python.script import served  # parsing a language is off the hot path

    argv = (Word(invocation.program, text.at), *arguments)
    return served(Source(text.at.path, text.text), argv, invocation.environment, files, invocation.path, text.at)
