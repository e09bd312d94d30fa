"""The lines of nginx's config that say one port: every `listen` of every server."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nginx import Directive, parse
from portwright.source import Source, Span

_PORT = lazy_regex(r"(?:.*:)?([0-9]+)$")


def also_listens(source: Source, port: int) -> Iterator[Span]:
    """The first words of the `listen` lines that name a port."""
    todo: list[Directive] = [*parse(source).directives[::-1]]
    while todo:
        node = todo.pop()
        todo += reversed(node.inside) if node.name in ("http", "stream", "mail", "server") else ()
        word = next(iter(node.args), None) if node.name == "listen" else None
        found = None if word is None else _PORT.fullmatch(word.text)
        if word is not None and found is not None and found[1] == str(port):
            yield word.at
