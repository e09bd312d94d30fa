"""The grammars a catalogue entry may name, each giving nodes; a run imports those of the files it meets."""

import re
from collections.abc import Callable, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word


def _lines(**how: object) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import words

        lines, troubles = words.parse(source, words.Dialect(**how))  # type: ignore[arg-type]  # the words of a Dialect
        return tuple(Node(line.keyword, line.values) for line in lines), troubles

    return read


def _macros(source: Source) -> Parsed:
    """Lines of words in which `$name` stands for what an earlier `name = value` says (OpenSMTPD)."""
    lines, troubles = _GRAMMARS["words"](source)
    values: dict[str, Word] = {}
    found: list[Node] = []
    for line in lines:
        if len(line.values) > 1 and line.values[0].text == "=":
            values[f"${line.key.text}"] = line.values[1]
        found.append(Node(line.key, tuple(values.get(word.text, word) for word in line.values)))
    return tuple(found), troubles


def _without_comments(source: Source) -> Parsed:
    """Assignments of a file with the comments of C, whose lines say nothing."""
    blanked = _COMMENT.sub(lambda found: _NOT_LINE_END.sub(" ", found[0]), source.text)
    return _GRAMMARS["assignments"](Source(source.path, blanked))


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


def _httpd(source: Source) -> Parsed:
    """Lines and `<Section name>` as httpd, proftpd and collectd write them."""
    from portwright.formats import apache

    def node(directive: apache.Directive) -> Node:
        key = Word(directive.name, source.span(directive.start, directive.start + len(directive.name)))
        return Node(key, directive.words(), tuple(map(node, directive.block or ())))

    document = apache.parse(source)
    return tuple(map(node, document.directives)), document.unreadable


def _rainer(source: Source) -> Parsed:
    from portwright.formats import rainer

    return rainer.parse(source)


def _yaml(source: Source) -> Parsed:
    from portwright.formats import yaml_nodes

    return yaml_nodes.parse(source)


_GRAMMARS: Mapping[str, Callable[[Source], Parsed]] = {
    "words": _lines(comments=True),
    "words-macros": _macros,
    "assignments-c": _without_comments,
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
    "hcl": _braces("HCL"),
    "libconfig": _braces("LIBCONFIG"),
    "lua": _braces("LUA"),
    "lighttpd": _braces("LIGHTTPD"),
    "icinga": _braces("ICINGA"),
    "xml": _tags(closed=True),
    "tags": _tags(closed=False),
    "httpd": _httpd,
    "rainer": _rainer,
    "perl": _perl,
    "yaml": _yaml,
}


LISTS = frozenset(("lua", "json", "toml", "knot", "yaml", "nats"))
"""Grammars in which a list may be empty: then the setting says none, where a key without a value says nothing."""

FLAT = frozenset(("ini", "assignments", "properties", "toml", "clauses", "knot", "yaml"))
"""Grammars whose sections stand in no other: one in an included file ends the section that includes it."""

_COMMENT = lazy_regex(r"/\*[\s\S]*?\*/")
_NOT_LINE_END = lazy_regex(r"[^\n]")
_LINES = frozenset(("words", "words-macros", "words-equals", "plain", "ini", "assignments", "properties", "toml"))
_YAML_SECTION = lazy_regex(r"^[A-Za-z_][\w.-]*:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*(?:[ \t]+|- )\S", re.MULTILINE)
_ASSIGNED = lazy_regex(r"^[^\s#;=:{][^#=:\n]*=|^\[", re.MULTILINE)


def of_text(grammars: str, source: Source) -> str:
    """Which of the grammars that a daemon reads (the first is its oldest) a file is written in.

    A file of lines that is none of them, YAML or JSON, is given as what it is: its keys are then no keys of the entry.
    """
    first, *others = grammars.split()
    if first in _LINES or others:
        text = source.text
        if text.lstrip()[:1] == "{" and (first in _LINES or "json" in others):
            return "json"
        if (first in _LINES or "yaml" in others) and is_yaml(source):
            return "yaml"
    return first


def is_yaml(source: Source) -> bool:
    """Whether a file is YAML and no lines of settings: it says so, or has a mapping in a mapping and no assignment."""
    text = source.text
    if source.path.endswith((".yaml", ".yml")) or text.startswith(("---\n", "%YAML")):
        return True
    return _YAML_SECTION.search(text) is not None and _ASSIGNED.search(text) is None


def parse(grammar: str, source: Source) -> Parsed:
    """What a file says in the grammar of this name, and what in it could not be read."""
    return _GRAMMARS[grammar](source)
