"""What inetd.conf(5) and xinetd.conf(5) have in common: lines of words, and the socket of a service."""

from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright.facts import Endpoint, Protocol
from portwright.ports import PortSet
from portwright.source import Source, Span, Word

BLANK = " \t\r\v\f"  # isspace(); a no-break space or a NEL is a character like any other
_WORD = lazy_regex(r"[^ \t\r\v\f]+")
PROTOCOLS: Mapping[str, Protocol] = {"tcp": "tcp", "udp": "udp"}
SOCKETS = {"stream": "tcp", "dgram": "udp"}


def lines(source: Source) -> Iterator[list[Word]]:
    """The words of each line that is no comment."""
    position = 0
    for line in source.text.split("\n"):
        start, position = position, position + len(line) + 1
        if line.lstrip(BLANK)[:1] in ("", "#"):
            continue
        words: list[Word] = []
        for found in _WORD.finditer(line):
            words.append(Word(found[0], source.span(start + found.start(), start + found.end())))
        yield words


def endpoint(app: str, at: Span, protocol: Protocol, address: str, port: int, v6only: bool | None = None) -> Endpoint:
    return Endpoint(
        at=at,
        app=app,
        protocol=protocol,
        address=address,
        ports=PortSet.of(port),
        origin="directive",
        reuse_address=True,
        v6only=v6only,
        confidence="certain",
    )
