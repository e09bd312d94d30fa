"""The grammars a catalogue entry may name, each giving nodes."""

from collections.abc import Callable, Mapping

from portwright.formats import braces, rainer, sections, tags, words, yaml_nodes
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word

_WORDS = words.Dialect(comments=True)
_WORDS_EQUALS = words.Dialect(comments=True, equals=True)
_PLAIN = words.Dialect(quotes="")


def _lines(dialect: words.Dialect) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        lines, troubles = words.parse(source, dialect)
        return tuple(Node(line.keyword, line.values) for line in lines), troubles

    return read


def _sections(dialect: sections.Dialect) -> Callable[[Source], Parsed]:
    return lambda source: sections.parse(source, dialect)


def _perl(source: Source) -> Parsed:
    """Assignments of a Perl file, `$name = value;`, their keys without the sigil; whatever else a program says is passed over."""
    nodes, _ = sections.parse(source, sections.ASSIGNMENTS)
    return tuple(Node(Word(node.key.text.lstrip("$@"), node.key.at), node.values) for node in nodes if node.values), ()


def _braces(dialect: braces.Dialect) -> Callable[[Source], Parsed]:
    return lambda source: braces.parse(source, dialect)


_GRAMMARS: Mapping[str, Callable[[Source], Parsed]] = {
    "words": _lines(_WORDS),
    "words-equals": _lines(_WORDS_EQUALS),
    "plain": _lines(_PLAIN),
    "ini": _sections(sections.INI),
    "assignments": _sections(sections.ASSIGNMENTS),
    "properties": _sections(sections.PROPERTIES),
    "toml": _sections(sections.TOML),
    "clauses": _sections(sections.CLAUSES),
    "knot": _sections(sections.KNOT),
    "named": _braces(braces.NAMED),
    "dovecot": _braces(braces.DOVECOT),
    "bacula": _braces(braces.BACULA),
    "gmond": _braces(braces.GMOND),
    "nats": _braces(braces.NATS),
    "json": _braces(braces.JSON),
    "lua": _braces(braces.LUA),
    "lighttpd": _braces(braces.LIGHTTPD),
    "icinga": _braces(braces.ICINGA),
    "xml": tags.parse,
    "tags": lambda source: tags.parse(source, closed=False),
    "rainer": rainer.parse,
    "perl": _perl,
    "yaml": yaml_nodes.parse,
}


def parse(grammar: str, source: Source) -> Parsed:
    """What a file says in the grammar of this name, and what in it could not be read."""
    return _GRAMMARS[grammar](source)
