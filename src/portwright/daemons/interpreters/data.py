"""A file of data that a script loads, and what stands in it under given keys."""

from collections.abc import Sequence

from portwright._start.records import dataclass
from portwright.daemons._engine.grammars import parse
from portwright.formats.nodes import Node
from portwright.source import Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class Datum:
    """A single value of a data file; `is_text` where the file writes a number as text, as quotes do and INI always does."""

    word: Word
    is_text: bool


def looked_up(path: str, grammar: str, keys: Sequence[str], files: Files) -> Datum | None:
    """What stands under keys, the outermost first; None where the file is not there, or holds no single value under them."""
    if UNKNOWN in path or not keys or files.kind(path) != "file":
        return None
    source = files.read(path)
    if source is None:
        return None
    nodes: Sequence[Node] = parse(grammar, source)[0]
    found: Node | None = None
    rest = list(keys)
    while rest:
        # TOML writes a table in a table with a dot between their names.
        joined = [(".".join(rest[:length]), length) for length in range(len(rest), 0, -1)]
        each = next(((node, length) for name, length in joined for node in reversed(nodes) if _key(node) == name), None)
        if each is None:
            return None
        found, length = each
        rest, nodes = rest[length:], found.children
    if found is None or found.children:
        return None
    if not found.values and grammar == "ini" and ":" in found.key.text:
        return Datum(Word(found.key.text.partition(":")[2].strip(), found.key.at), True)
    if len(found.values) != 1:
        return None
    word = found.values[0]
    return Datum(word, grammar == "ini" or source.line(word.at.line)[word.at.column - 1 : word.at.column] in ("'", '"'))


def _key(node: Node) -> str:
    return node.key.text if node.values or node.children else node.key.text.partition(":")[0].rstrip()
