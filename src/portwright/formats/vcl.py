"""VCL, Varnish's language (vcl(7)): its backends and includes, the attributes of a backend without their dots."""

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import replace
from portwright.formats import braces
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word

_DIALECT = braces.Dialect(lines=False, comments=("#", "//"), blocks=True, equals="=", tight=False, quotes='"')
_OPENS = lazy_regex(r'\{"|"""|C\{')
_CLOSES = {'{"': '"}', '"""': '"""', "C{": "}C"}
_NOT_LINE_END = lazy_regex(r"[^\n]")


def parse(source: Source) -> Parsed:
    """The declarations at the top; subroutines are left out, and so are long strings and C, which have braces of their own."""
    nodes, _ = braces.parse(Source(source.path, _without_long(source.text)), _DIALECT)
    return tuple(_plain(node) for node in nodes if node.key.text in ("backend", "include", "probe", "acl")), ()


def _without_long(text: str) -> str:
    """A text with blanks for long strings and C; what is not closed is none."""
    parts: list[str] = []
    never_closed: set[str] = set()
    done = at = 0
    while (opens := _OPENS.search(text, at)) is not None:
        end = -1 if opens[0] in never_closed else text.find(_CLOSES[opens[0]], opens.end())
        if end < 0:
            never_closed.add(opens[0])
            at = opens.start() + 1
            continue
        at = end + len(_CLOSES[opens[0]])
        parts += (text[done : opens.start()], _NOT_LINE_END.sub(" ", text[opens.start() : at]))
        done = at
    return f"{''.join(parts)}{text[done:]}" if parts else text


def _plain(node: Node) -> Node:
    key = node.key
    name = Word(key.text.removeprefix("."), key.at)
    return replace(node, key=name, children=tuple(_plain(child) for child in node.children))
