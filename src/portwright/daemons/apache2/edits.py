"""The lines of httpd's config that say one port: those of Listen, and the sites that are for it."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.apache import parse
from portwright.source import Source, Span

_PORT = lazy_regex(r"(?:.*:)?([0-9]+)$")


def also_listens(source: Source, port: int) -> Iterator[Span]:
    """The words of Listen, NameVirtualHost and <VirtualHost> that name a port."""
    todo = [*parse(source).directives[::-1]]
    while todo:
        node = todo.pop()
        todo += reversed(node.block or ())
        if node.keyword in ("listen", "namevirtualhost", "virtualhost"):
            for word in node.words():
                if (found := _PORT.fullmatch(word.text)) is not None and found[1] == str(port):
                    yield word.at
