"""Where nginx passes requests on, and what is in force there."""

from collections.abc import Mapping

from portwright._start.records import dataclass, field, replace
from portwright.formats.nginx import Directive
from portwright.source import Span, Word

Header = tuple[str | None, Span | None]
"""A Connection header's value ("", "close", "keep-alive"; None where it depends on the request) and the line that says so."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is in force for requests at one level: inherited from http to server to location.

    A level's own proxy_set_header lines replace all inherited ones: `headers` is the first line of the nearest level that has any,
    `connection` the one there for the Connection header, `hidden` whether a level further out has one that is so replaced, `host`
    the one there for the Host header.
    """

    http_version: Word | None = None
    headers: Directive | None = None
    connection: Directive | None = None
    hidden: bool = False
    host: Directive | None = None
    keep_conn: Word | None = None
    binds: Mapping[str, Word] = field(default_factory=dict)

    def inside(self, nodes: tuple[Directive, ...]) -> "Scope":
        """The scope of a block with these directives."""
        version, keep_conn, binds = self.http_version, self.keep_conn, self.binds
        headers = connection = host = None
        for node in nodes:
            name = node.name
            if "_" not in name:
                continue
            if name == "proxy_set_header":
                headers = headers or node
                named = [word.text.lower() for word in node.args[:1]]
                if named == ["connection"]:
                    connection = node
                elif named == ["host"]:
                    host = node
            elif name in ("proxy_http_version", "fastcgi_keep_conn") or name.endswith("_bind"):
                word = next(iter(node.args), None)
                if word is None:
                    continue
                if name == "proxy_http_version":
                    version = word
                elif name == "fastcgi_keep_conn":
                    keep_conn = word
                else:
                    binds = {**binds, name.removesuffix("_bind"): word}
        if headers is not None:
            return Scope(version, headers, connection, self.hidden or self.connection is not None, host, keep_conn, binds)
        if version is self.http_version and keep_conn is self.keep_conn and binds is self.binds:
            return self
        return replace(self, http_version=version, keep_conn=keep_conn, binds=binds)


@dataclass(frozen=True, slots=True)
class Use:
    """One proxy_pass and its kin: what kind, where it points, and what was in force there. `server` is the block around it."""

    kind: str
    target: str
    word: Word
    scope: Scope
    node: Directive
    server: Directive | None = None

    @property
    def at(self) -> Span:
        """Where it says what it passes to."""
        return self.word.at
