"""Settings among `#!define` and `#!ifdef`, as Kamailio and OpenSIPS write them."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Word

# What counts of a line: a command of the preprocessor, an include, a setting, or a brace that ends a block.
_LINE = lazy_regex(
    r"""^[ \t]*(?:(?P<command>[#!]!(?:define|trydef|redef(?:ine)?|substdefs?|ifn?def|ifexp|else|endif))\b[ \t]*(?P<said>[^\n]*)"""
    r"""|(?:[#!]!)?(?P<include>(?:include|import)_file)[ \t]+"(?P<file>[^"\n]*)\""""
    r"""|(?P<key>[A-Za-z_][\w.]*)[ \t]*=(?![=~])[ \t]*(?P<value>[^\n]*)|(?P<end>\})[ \t]*$)""",
    re.MULTILINE,
)
_COMMENT = lazy_regex(r"/\*[\s\S]*?(?:\*/|\Z)|(?<![:\w])//[^\n]*|#(?!!)[^\n]*")
_NOT_LINE_END = lazy_regex(r"[^\n]")
_NAME = lazy_regex(r"[A-Za-z_]\w*")
_LONGEST = 1000  # characters of a value that is put in
_MOST_PUT_IN = 1_000_000  # characters of values that are written out


def parse(source: Source) -> Parsed:
    """The settings and the commands of a file, in order; `resolved` says which of them count once includes are in their places."""
    text = source.text
    if "#" in text or "/" in text:
        text = _COMMENT.sub(lambda found: _NOT_LINE_END.sub(" ", found[0]), text)
    found: list[Node] = []
    block: tuple[Word, list[Node]] | None = None
    for match in _LINE.finditer(text):

        def word(group: str, match: re.Match[str] = match) -> Word:
            written = match[group].rstrip(" \t\r;")
            quote = written[:1] if written[:1] in ("'", '"') and written[-1:] == written[:1] and len(written) > 1 else ""
            start = match.start(group)
            return Word(written[1:-1] if quote else written, source.span(start, start + len(written)))

        if match["command"]:
            name = word("command")
            found.append(Node(Word(f"#{name.text[1:]}", name.at), (word("said"),) if match["said"].strip() else ()))
        elif match["include"]:
            found.append(Node(word("include"), (word("file"),)))
        elif match["end"]:
            if block is not None:
                found.append(Node(block[0], (), tuple(block[1])))
                block = None
        elif match["value"].strip() == "{":
            block = (word("key"), [])
        elif match["value"].strip():
            (found if block is None else block[1]).append(Node(word("key"), (word("value"),)))
    if block is not None:
        found.append(Node(block[0], (), tuple(block[1])))
    return tuple(found), ()


def resolved(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The settings of the branches that hold, names in them replaced by what they are defined as.

    Of an `#!ifexp`, an expression, both branches count.
    """
    values: dict[str, str] = {}
    branches: list[bool | None] = []
    found: list[Node] = []
    made = 0

    def put_in(match: re.Match[str]) -> str:
        nonlocal made
        value = values.get(match[0]) if made < _MOST_PUT_IN else None
        made += len(value or "")
        return match[0] if value is None else value

    def written_out(node: Node) -> Node:
        words = tuple(Word(_NAME.sub(put_in, word.text), word.at) if len(word.text) <= _LONGEST else word for word in node.values)
        return Node(node.key, words, tuple(map(written_out, node.children)))

    for node in nodes:
        command = node.key.text
        said = node.values[0].text if node.values else ""
        if command in ("#!ifdef", "#!ifndef"):
            branches.append((said.split(" ")[0] in values) == (command == "#!ifdef"))
        elif command == "#!ifexp":
            branches.append(None)
        elif command == "#!else" and branches:
            branches[-1] = None if branches[-1] is None else not branches[-1]
        elif command == "#!endif" and branches:
            branches.pop()
        elif False in branches:
            pass
        elif command.startswith("#!subst"):
            parts = said.split(said[:1]) if said else []
            if len(parts) > 2 and len(parts[2]) <= _LONGEST:
                values[parts[1]] = parts[2]
        elif command.startswith("#!"):
            name, _, value = said.replace("\t", " ").partition(" ")
            if name and len(value) <= _LONGEST and (command != "#!trydef" or name not in values):
                values[name] = value.strip()
        else:
            found.append(written_out(node) if values else node)
    return tuple(found)
