"""The grammars a catalogue entry may name, each giving nodes; a run imports those of the files it meets."""

import re
from collections.abc import Callable, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN


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


def _put_in(text: str, name: str, value: str) -> str:
    """A text with a macro put in; one that would become longer than a setting is stays as it is."""
    return text.replace(name, value) if len(text) + text.count(name) * len(value) <= _LONGEST_VALUE else text


def _capital_macros(source: Source) -> Parsed:
    """Assignments in which a name that begins with a capital letter is a macro, put in wherever it stands in what follows (exim)."""
    nodes, troubles = _GRAMMARS["assignments"](source)
    macros: dict[str, str] = {}
    found: list[Node] = []
    made = 0  # characters: beyond so many nothing is put in any more, and what stands there is no address
    for node in nodes:
        texts = [word.text for word in node.words]
        for name, value in macros.items() if made < _MOST_PUT_IN else ():
            texts = [_put_in(text, name, value) for text in texts]
        made += sum(map(len, texts))
        if node.key.text[:1].isupper() and not node.children:
            macros[node.key.text] = texts[0] if texts else ""
        else:
            found.append(Node(node.key, tuple(map(Word, texts, (word.at for word in node.words))), node.children))
    return tuple(found), troubles


def _conditional(source: Source) -> Parsed:
    """Lines of words, without those of a branch that `if true`, `if false` or `if 2 = 3` rule out (squid).

    A condition on the number of a process holds in one and not in another, so both of its branches count.
    """
    lines, troubles = _GRAMMARS["plain"](source)
    found: list[Node] = []
    branches: list[bool | None] = []
    for line in lines:
        word = line.key.text
        if word == "if":
            branches.append(_holds([each.text for each in line.values]))
        elif word == "else" and branches:
            branches[-1] = None if branches[-1] is None else not branches[-1]
        elif word == "endif" and branches:
            branches.pop()
        elif False not in branches:
            found.append(line)
    return tuple(found), troubles


def _holds(words: list[str]) -> bool | None:
    if words in (["true"], ["false"]):
        return words == ["true"]
    if len(words) == 3 and words[1] == "=" and "$" not in words[0] + words[2]:
        return words[0] == words[2]
    return None


def _listeners(source: Source) -> Parsed:
    """Lines of words; those behind a `listener` are about it, up to the next one (mosquitto)."""
    lines, troubles = _GRAMMARS["plain"](source)
    found: list[Node] = []
    heads = [place for place, line in enumerate(lines) if line.key.text == "listener"]
    for place, line in enumerate(lines):
        found.append(line)
        if heads and place == heads[0]:
            heads.pop(0)
            own = lines[place + 1 : heads[0] if heads else len(lines)]
            found[-1] = Node(line.key, line.values, own)
    return tuple(found), troubles


def _expressions(source: Source) -> Parsed:
    """Assignments whose values may be other settings and what `+` joins, `server.port = var.port`; `:=` replaces (lighttpd)."""
    nodes, troubles = _braces("LIGHTTPD")(source)
    if ":=" in source.text:
        nodes = tuple(
            Node(node.key, node.values[1:], node.children) if node.values and node.values[0].text == ":" else node for node in nodes
        )
    if "var." in source.text or "+" in source.text:
        nodes = _evaluated(nodes, {})
    return nodes, troubles


def _lua(source: Source) -> Parsed:
    """Tables and calls of Lua, with what `..` joins and the variables that `local` names."""
    nodes, troubles = _braces("LUA")(source)
    if "require" in source.text:
        nodes = tuple(map(_of_module, nodes))
    return (_evaluated(nodes, {}, "..") if ".." in source.text or "local " in source.text else nodes), troubles


def _of_module(node: Node) -> Node:
    """`require('console').listen(3303)`, the call of a module that no variable holds, as `console.listen`."""
    if node.key.text != "require" or len(node.values) < 2 or not node.values[1].text.startswith("."):
        return node
    module, name, *rest = node.values
    return Node(Word(f"{module.text}{name.text}", module.at.to(name.at)), tuple(rest), node.children)


def _evaluated(nodes: tuple[Node, ...], values: dict[str, Word], joint: str = "+", inside: bool = False) -> tuple[Node, ...]:
    """The nodes with the values of the settings that others are made of; what a block sets holds in it alone, and is not kept."""
    found: list[Node] = []
    for node in nodes:
        words: list[Word] = []
        joined = False
        for word in node.values:
            if word.text == joint:
                joined = bool(words)
                continue
            known = values.get(word.text, word)
            if joined:
                words[-1] = Word(words[-1].text + known.text, words[-1].at.to(word.at) if words[-1].at.path == word.at.path else word.at)
            else:
                words.append(known)
            joined = False
        if inside:
            pass
        elif len(words) == 1 and len(words[0].text) <= _LONGEST_VALUE:
            values[node.key.text] = words[0]
        elif len(words) == 2 and node.key.text == "local" and len(words[1].text) <= _LONGEST_VALUE:
            values[node.values[0].text] = words[1]
        found.append(Node(node.key, tuple(words), _evaluated(node.children, values, joint, inside=True) if node.children else ()))
    return tuple(found)


def _sections(dialect: str) -> Callable[[Source], Parsed]:
    def read(source: Source) -> Parsed:
        from portwright.formats import sections

        return sections.parse(source, getattr(sections, dialect))

    return read


def _perl(source: Source) -> Parsed:
    """Assignments of a Perl file, `$name = value;`, their keys without the sigil; whatever else a program says is passed over."""
    nodes, _ = _GRAMMARS["assignments"](source)
    return tuple(_of_perl(node) for node in nodes if node.values), ()


def _of_perl(node: Node) -> Node:
    """An element of a hash, `$Conf{Port} = 1;`, is a setting of the hash's section."""
    name, _, element = node.key.text.lstrip("$@").partition("{")
    if not element:
        return Node(Word(name, node.key.at), node.values)
    return Node(Word(name, node.key.at), (), (Node(Word(element.rstrip("}").strip("'\""), node.key.at), node.values),))


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


def _properties_of_xml(source: Source) -> Parsed:
    """`<property>` with a `<name>` and a `<value>`, in which `${name}` stands for another property of the file (Hadoop)."""
    from portwright.formats import tags

    nodes, troubles = tags.parse(source, closed=True)
    found: dict[str, Node] = {}
    for each in (child for node in nodes for child in node.children if child.key.text == "property"):
        said = {child.key.text: child.words[0] for child in each.children if child.words}
        name, value = said.get("name"), said.get("value")
        if name is not None:
            found[name.text] = Node(name, () if value is None else (value,))

    made = 0  # characters: beyond so many nothing is put in any more

    def filled(match: re.Match[str]) -> str:
        nonlocal made
        other = found.get(match[1])
        value = other.words[0].text if other is not None and other.words else UNKNOWN
        made += len(value)
        return UNKNOWN if "${" in value or len(value) > _LONGEST_NAME or made > _MOST_PUT_IN else value

    def written_out(words: tuple[Word, ...]) -> tuple[Word, ...]:
        return tuple(Word(_REFERENCE.sub(filled, word.text), word.at) if len(word.text) <= _LONGEST_VALUE else word for word in words)

    return tuple(Node(node.key, written_out(node.words)) for node in found.values()), troubles


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


def _vcl(source: Source) -> Parsed:
    from portwright.formats import vcl

    return vcl.parse(source)


def _defines(source: Source) -> Parsed:
    from portwright.formats import defines

    return defines.parse(source)


def _erlang(source: Source) -> Parsed:
    from portwright.formats import erlang

    return erlang.parse(source)


def _yaml(source: Source) -> Parsed:
    from portwright.formats import yaml_nodes

    return yaml_nodes.parse(source)


_GRAMMARS: Mapping[str, Callable[[Source], Parsed]] = {
    "words": _lines(comments=True),
    "words-macros": _macros,
    "assignments-macros": _capital_macros,
    "words-equals": _lines(comments=True, equals=True),
    "plain": _lines(quotes=""),
    "plain-if": _conditional,
    "plain-listeners": _listeners,
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
    "lua": _lua,
    "lighttpd": _expressions,
    "icinga": _braces("ICINGA"),
    "xml": _tags(closed=True),
    "xml-properties": _properties_of_xml,
    "tags": _tags(closed=False),
    "httpd": _httpd,
    "rainer": _rainer,
    "perl": _perl,
    "yaml": _yaml,
    "vcl": _vcl,
    "erlang": _erlang,
    "defines": _defines,
}


LISTS = frozenset(("lua", "json", "toml", "knot", "yaml", "nats", "erlang"))
"""Grammars in which a list may be empty: then the setting says none, where a key without a value says nothing."""

FLAT = frozenset(("ini", "assignments", "properties", "toml", "clauses", "knot", "yaml"))
"""Grammars whose sections stand in no other: one in an included file ends the section that includes it."""

_BLOCKS = frozenset(
    ("bacula", "defines", "dovecot", "gmond", "hcl", "icinga", "libconfig", "lighttpd", "lua", "named", "nats", "perl", "rainer", "vcl")
)
_IN_FORM = {
    "markup": frozenset(("httpd", "tags", "words-equals", "xml", "xml-properties")),
    "json": frozenset(("erlang", "json", "nats", "yaml")),
    "sections": frozenset(("ini", "plain", "plain-if", "plain-listeners", "properties", "toml", "words", "words-equals", "words-macros")),
    "blocks": _BLOCKS,
    "mapping": frozenset(("clauses", "knot", "yaml")),
    "binary": frozenset[str](),
}
"""The grammars whose files may begin in a form that can be told at sight."""

_COMMENTS = ("#", ";", "//", "--", "!", "%")
_SECTION = lazy_regex(r"\[{1,2}\w[\w .\"/:@*-]*\]{1,2}")
_NAME = lazy_regex(r"[A-Za-z_][\w.-]*")
_NAMED = lazy_regex(r"[\"\w./:*-]+")
_PAIR = lazy_regex(r"\"[^\"\n]*\"[ \t]*:")
_MAPPING = lazy_regex(r"[A-Za-z_][\w.-]*:")
_BEGINNING = 20_000  # characters, in which a file that is no comment as a whole says something


def is_foreign(grammars: str, source: Source) -> bool:
    """Whether a file is written in none of the grammars that a daemon reads: it begins in the form of another one."""
    form = _form(source.text)
    return form != "" and _IN_FORM[form].isdisjoint(grammars.split())


def _form(text: str) -> str:
    """The form in which a file begins, "" where that is none of those that can be told at sight."""
    if "\0" in text[:_BEGINNING]:
        return "binary"
    first, after = _first_lines(text[:_BEGINNING])
    line = first.strip()
    if line[:1] == "<" and (line[1:2].isalpha() or line[1:2] in ("?", "!")):
        return "markup"
    rest = line[1:].lstrip()[:1]
    if line[:1] == "{" and ((rest in ('"', "}") and rest) or (not rest and _PAIR.match(after.lstrip()))):
        return "json"
    if line == "[" or line.startswith(("[{", '["')):
        return "json"
    if _SECTION.fullmatch(line):
        return "sections"
    if line[-1:] == "{" and _names_a_block(line[:-1].rstrip(" \t=:").split()):
        return "blocks"
    return "mapping" if _MAPPING.fullmatch(line) and first == line and (after[:1] in " \t" or after[:2] == "- ") and after else ""


def _names_a_block(words: list[str]) -> bool:
    return bool(words) and _NAME.fullmatch(words[0]) is not None and all(map(_NAMED.fullmatch, words[1:]))


def _first_lines(text: str) -> tuple[str, str]:
    """The first two lines of a text that are no comments, without the blanks behind them."""
    found: list[str] = []
    ends = ""  # of the comment that a line stands in
    for line in text.split("\n"):
        bare = line.strip()
        if ends or bare.startswith(("/*", "<!--")):
            ends = ends or ("*/" if bare[0] == "/" else "-->")
            ends = "" if ends in bare else ends
        elif bare and not bare.startswith(_COMMENTS):
            found.append(line.rstrip())
            if len(found) == 2:
                break
    return (*found, "", "")[0], (*found, "", "")[1]


_LONGEST_VALUE = 1000  # of a setting that others are made of
_MOST_PUT_IN = 1_000_000  # characters of values in one file
_LONGEST_NAME = 255  # of a host, a path or a number that is put in
_REFERENCE = lazy_regex(r"\$\{([\w.-]+)\}")
_LINES = frozenset(
    ("words", "words-macros", "words-equals", "plain", "plain-if", "plain-listeners", "ini", "assignments", "properties", "toml")
)
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
        if "erlang" in others:
            from portwright.formats.erlang import is_erlang

            return "erlang" if is_erlang(text) else first
    return first


def is_yaml(source: Source) -> bool:
    """Whether a file is YAML and no lines of settings: it says so, or has a mapping in a mapping and no assignment."""
    text = source.text
    if source.path.endswith((".yaml", ".yml")) or text.startswith(("---\n", "%YAML")):
        return True
    return _YAML_SECTION.search(text) is not None and _ASSIGNED.search(text) is None


def resolved(grammar: str, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """What holds of what all the files of a daemon say, where one may define what another asks for."""
    if grammar != "defines":
        return nodes
    from portwright.formats import defines

    return defines.resolved(nodes)


def parse(grammar: str, source: Source) -> Parsed:
    """What a file says in the grammar of this name, and what in it could not be read."""
    return _GRAMMARS[grammar](source)
