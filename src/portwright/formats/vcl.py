"""VCL, Varnish's language (vcl(7)): its backends and includes, the attributes of a backend without their dots."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.formats import braces
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word

_DIALECT = braces.Dialect(lines=False, comments=("#", "//"), blocks=True, equals="=", tight=False, quotes='"')
_LONG = lazy_regex(r'\{"[\s\S]*?"\}|"""[\s\S]*?"""|C\{[\s\S]*?\}C')
_NOT_LINE_END = lazy_regex(r"[^\n]")


def parse(source: Source) -> Parsed:
    """The declarations at the top; subroutines are left out, and so are long strings and C, which have braces of their own."""
    text = source.text
    if '{"' in text or '"""' in text or "C{" in text:
        text = _LONG.sub(lambda found: _NOT_LINE_END.sub(" ", found[0]), text)
    nodes, _ = braces.parse(Source(source.path, text), _DIALECT)
    return tuple(_plain(node) for node in nodes if node.key.text in ("backend", "include", "probe", "acl")), ()


def _plain(node: Node) -> Node:
    key = node.key
    name = Word(key.text.removeprefix("."), key.at)
    return replace(node, key=name, children=tuple(_plain(child) for child in node.children))
