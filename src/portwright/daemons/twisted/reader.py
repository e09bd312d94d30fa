"""Twisted: endpoint descriptions (`tcp:8080:interface=127.0.0.1`) on the command lines of twistd and daphne become endpoints."""

from portwright.daemons import DaemonFact, Packages, daemon
from portwright.daemons._engine.binding import Binder, Given, argument, default
from portwright.facts import Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(
    (
        "-y", "--python", "-f", "--file", "-s", "--source", "--pidfile", "-l", "--logfile", "--logger", "-d", "--rundir", "--chroot",
        "-u", "--uid", "-g", "--gid", "--umask", "-r", "--reactor", "--prefix", "--profile", "--profiler",
        "-p", "--port", "--listen", "--https", "-c", "--certificate", "-k", "--privkey", "--path", "--class", "--resource-script",
        "--wsgi", "--mime-type", "--index", "--root", "--processor",
    )
)  # fmt: skip
_DAPHNE_VALUED = frozenset(
    (
        "-b", "--bind", "-p", "--port", "-e", "--endpoint", "-u", "--unix-socket", "--fd", "-t", "--http-timeout", "--access-log",
        "--log-fmt", "--ping-interval", "--ping-timeout", "--application-close-timeout", "--websocket_timeout", "--root-path",
        "--proxy-headers-host", "--proxy-headers-port", "-s", "--server-name", "-v", "--verbosity",
    )
)  # fmt: skip
_TCP = ("tcp", "tcp6", "ssl", "tls")


@daemon("twistd", "twistd", "twistd3", "twist", "twist3", "twisted")
def twistd(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`twistd web`: every --listen (or --port), else port 8080 on all IPv4 addresses. What other plugins bind, only they know."""
    options = options_of(invocation.argv[1:], _VALUED)
    if not options.operands or options.operands[0].text != "web":
        return ()
    binder = Binder("twistd", words=("",))
    told = options.all("--listen", "--port", "-p")
    if not told:
        return binder.bind(default("", invocation.at), default(8080, invocation.at), files)
    return tuple(endpoint for word in told for endpoint in _described(word, binder, files))


@daemon("daphne", "daphne")
def daphne(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """daphne(1): -b and -p (127.0.0.1:8000 where it is given neither they nor anything else to listen on), and every -e."""
    options = options_of(invocation.argv[1:], _DAPHNE_VALUED)
    binder = Binder("daphne", words=("",))
    found = [endpoint for word in options.all("-e", "--endpoint") for endpoint in _described(word, binder, files)]
    host, port = options.last("-b", "--bind"), options.last("-p", "--port")
    if host is None and port is None and options.has("-e", "--endpoint", "-u", "--unix-socket", "--fd"):
        return tuple(found)
    at = invocation.at
    given = argument(host) if host is not None else default("127.0.0.1", at)
    return (*binder.bind(given, argument(port) if port is not None else default(8000, at), files), *found)


def _described(word: Word, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    """What one description of a server endpoint binds (twisted.internet.endpoints.serverFromString)."""
    parts = _parts(word.text)
    if parts and parts[0] == "haproxy":
        parts = parts[1:]
    if not parts or parts[0] not in (*_TCP, "unix", "systemd", "fd", "stdio"):
        files.report_unreadable(word.at, f"{binder.app} does not start: not the description of an endpoint")
        return ()
    if parts[0] not in _TCP:
        return ()
    named = dict(part.split("=", 1) for part in parts[1:] if "=" in part)
    unnamed = [part for part in parts[1:] if "=" not in part]
    port = unnamed[0] if unnamed else named.get("port", "")
    host = named.get("interface", "::" if parts[0] == "tcp6" else "")
    return binder.bind(Given(host, word.at, "argument"), Given(port, word.at, "argument"), files)


def _parts(text: str) -> list[str]:
    """The parts between colons; a backslash keeps the one behind it."""
    parts, at = [""], 0
    pieces: list[str] = []
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            pieces.append(text[at + 1])
            at += 1
        elif text[at] == ":":
            parts[-1] = "".join(pieces)
            pieces = []
            parts.append("")
        else:
            pieces.append(text[at])
        at += 1
    parts[-1] = "".join(pieces)
    return parts
