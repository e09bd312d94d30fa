"""IRCnet's ircd: the P lines of its configuration become endpoints."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given
from portwright.facts import Endpoint, Invocation
from portwright.source import Source, Span, Word
from portwright.system.processes.options import cut
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(("-f", "-x", "-h", "-p"))
_CONFIG = "/etc/ircd/ircd.conf"
_BINDER = Binder("ircd-irc2", wildcard=("::",), words=("", "*"))
_MOST_PORTS = 1_024


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """Every P line of the file that -f names; by inetd (-i) it opens none. An address with a slash is the folder of a Unix socket."""
    options = options_of(invocation.argv[1:], _VALUED)
    if options.has("-i", "-v"):
        return ()
    named = options.last("-f")
    path = invocation.path(named.text) if named is not None else _CONFIG
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None or not any(_is_port(line) for line in source.text.split("\n")):
        # Other servers of this name have another grammar.
        files.report_not_understood(invocation.at, f"no P line, which says where it listens, was found in {path}")
        return ()
    return tuple(files.limited(_ports(source, files), _MOST_PORTS, "ports of one server", lambda endpoint: endpoint.at))


def _is_port(line: str) -> bool:
    return line[:1] in ("P", "p") and line[1:2] in (":", "%")


def _ports(source: Source, files: Files) -> Iterator[Endpoint]:
    """`P:ADDRESS:*:*:PORT:FLAGS:`; what stands behind the letter is the delimiter, which Debian has as a percent sign."""
    for number, line in enumerate(source.text.split("\n"), 1):
        if not _is_port(line):
            continue
        word = Word(line, Span(source.path, number, 1, number, len(line) + 1))
        parts = line.rstrip("\r").split(line[1], 5)
        if len(parts) < 5 or parts[1].startswith("/"):
            continue
        before = len(line[1].join(parts[:4])) + 1
        host, port = cut(word, 2, 2 + len(parts[1])), cut(word, before, before + len(parts[4]))
        yield from _BINDER.bind(Given(host.text, host.at, "directive"), Given(port.text, port.at, "directive"), files)
