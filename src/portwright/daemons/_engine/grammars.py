"""The grammars a catalogue entry may name, each giving nodes; a run imports those of the files it meets."""

from collections.abc import Callable, Mapping

from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word


def _lines(**how: object) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import words

        lines, troubles = words.parse(source, words.Dialect(**how))  # type: ignore[arg-type]  # the words of a Dialect
        return tuple(Node(line.keyword, line.values) for line in lines), troubles

    return read


def _sections(dialect: str) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import sections

        return sections.parse(source, getattr(sections, dialect))

    return read


def _perl(source: Source) -> Parsed:
    """Assignments of a Perl file, `$name = value;`, their keys without the sigil; whatever else a program says is passed over."""
    nodes, _ = _GRAMMARS["assignments"](source)
    return tuple(Node(Word(node.key.text.lstrip("$@"), node.key.at), node.values) for node in nodes if node.values), ()


def _braces(dialect: str) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import braces

        return braces.parse(source, getattr(braces, dialect))

    return read


def _tags(closed: bool) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import tags

        return tags.parse(source, closed=closed)

    return read


def _rainer(source: Source) -> Parsed:
    from portwright.formats import rainer

    return rainer.parse(source)


def _yaml(source: Source) -> Parsed:
    from portwright.formats import yaml_nodes

    return yaml_nodes.parse(source)


_GRAMMARS: Mapping[str, Callable[[Source], Parsed]] = {
    "words": _lines(comments=True),
    "words-equals": _lines(comments=True, equals=True),
    "plain": _lines(quotes=""),
    "ini": _sections("INI"),
    "assignments": _sections("ASSIGNMENTS"),
    "properties": _sections("PROPERTIES"),
    "toml": _sections("TOML"),
    "clauses": _sections("CLAUSES"),
    "knot": _sections("KNOT"),
    "named": _braces("NAMED"),
    "dovecot": _braces("DOVECOT"),
    "bacula": _braces("BACULA"),
    "gmond": _braces("GMOND"),
    "nats": _braces("NATS"),
    "json": _braces("JSON"),
    "libconfig": _braces("LIBCONFIG"),
    "lua": _braces("LUA"),
    "lighttpd": _braces("LIGHTTPD"),
    "icinga": _braces("ICINGA"),
    "xml": _tags(closed=True),
    "tags": _tags(closed=False),
    "rainer": _rainer,
    "perl": _perl,
    "yaml": _yaml,
}


def parse(grammar: str, source: Source) -> Parsed:
    """What a file says in the grammar of this name, and what in it could not be read."""
    return _GRAMMARS[grammar](source)
