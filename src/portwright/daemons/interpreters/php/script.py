"""PHP source, read and never run: the sockets a script opens by a literal address."""

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons._engine.binding import Binder, Given
from portwright.daemons.interpreters.scripts import fits
from portwright.facts import Endpoint, Invocation
from portwright.source import Source
from portwright.trees import Files

_MOST_SOCKETS = 64
_STREAM = lazy_regex(r"""\bstream_socket_server\s*\(\s*(['"])(?:(tcp|udp|ssl|tls)://)?(\[[0-9a-fA-F:.]*\]|[\w.*-]*):([0-9]{1,5})\1""")
_LISTENS = lazy_regex(r"\bsocket_create_listen\s*\(\s*([0-9]{1,5})\b")
_BINDS = lazy_regex(r"""\bsocket_bind\s*\(\s*\$\w+\s*,\s*(['"])([\w.:-]*)\1\s*,\s*([0-9]{1,5})\b""")


def opened(source: Source, started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """The sockets of stream_socket_server(), which sets SO_REUSEADDR, and of the socket extension, which does not (measured, PHP 8.2)."""
    if not fits(source, files):
        return ()
    text = source.text
    app = started.program
    found: list[Endpoint] = []

    def bind(host: str, port: str, start: int, end: int, udp: bool, reuse: bool) -> None:
        line = text[text.rfind("\n", 0, start) + 1 : start].lstrip()
        if not line.startswith(("#", "//", "*", "/*")):
            at = source.span(start, end)
            if len(found) >= _MOST_SOCKETS:
                files.report_limit(at, _MOST_SOCKETS, "sockets in one script")
                return
            binder = Binder(app, words=("",), reuse_address=reuse, protocol="udp" if udp else "tcp", confidence="likely")
            found.extend(binder.bind(Given(host.strip("[]"), at, "directive"), Given(port, at, "directive"), files))

    for match in _STREAM.finditer(text):
        bind(match[3], match[4], match.start(4), match.end(4), match[2] == "udp", True)
    for match in _LISTENS.finditer(text):
        bind("", match[1], match.start(1), match.end(1), False, False)
    if "socket_listen" in text:
        for match in _BINDS.finditer(text):
            bind(match[2], match[3], match.start(3), match.end(3), False, "SO_REUSEADDR" in text)
    return tuple(dict.fromkeys(found))
