"""Ansible's tasks: `sysctl` with literal values, `copy` with `content`, `lineinfile` and `blockinfile`; what Jinja fills in is unknown."""

from collections.abc import Iterator, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, block
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN

_SYSCTL = frozenset(("sysctl", "ansible.posix.sysctl"))
_COPY = frozenset(("copy", "ansible.builtin.copy"))
_LINE = frozenset(("lineinfile", "ansible.builtin.lineinfile"))
_BLOCK = frozenset(("blockinfile", "ansible.builtin.blockinfile"))
_LOOPS = frozenset(("loop", "with_items", "with_list"))
_FREE = lazy_regex(r"(\w+)=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_ITEM = lazy_regex(r"\{\{\s*item\.(\w+)\s*\}\}|\{\{\s*item\[['\"](\w+)['\"]\]\s*\}\}")
_BLANK = lazy_regex(r"\{\{.*?\}\}")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The files of literal tasks, and one of sysctl.d for the kernel settings."""
    pages = Pages(label, cut=len(text) > LONGEST)
    text = text[:LONGEST]
    nodes, _ = parse(Source(label, text))
    outer = text.split("\n")
    for module, loop in _tasks(nodes):
        name = module.key.text
        said = _arguments(module)
        if said.get("state") is not None and said["state"].text == "absent":
            continue
        if name in _SYSCTL:
            for key, value in _pairs(said, loop):
                where = value if "{{" not in value.text else key
                pages.set(where.at.line, where.at.column, key.text, _BLANK.sub(UNKNOWN, value.text))
            continue
        path, content = said.get("dest") or said.get("path"), said.get("content") or said.get("line") or said.get("block")
        if path is None or content is None or "{{" in path.text:
            continue
        lines = [Line(_BLANK.sub(UNKNOWN, each.text), each.source, each.number, each.shift) for each in block(content, outer)]
        pages.write(path.text, lines, name not in _COPY)
    return pages.deployed()


def _tasks(nodes: Sequence[Node]) -> Iterator[tuple[Node, list[Node]]]:
    """The modules that matter, each with the items of the loop beside it; a task in a block, a play or a list of its own."""
    todo = [nodes]
    while todo:
        level = todo.pop()
        for at, node in enumerate(level):
            if node.key.text in _SYSCTL | _COPY | _LINE | _BLOCK:
                beside = level[at + 1 :]
                end = next((i for i, each in enumerate(beside) if each.key.text in ("name", node.key.text)), len(beside))
                yield node, [each for each in beside[:end] if each.key.text in _LOOPS]
            elif node.children:
                todo.append(node.children)


def _arguments(module: Node) -> dict[str, Word]:
    """The arguments of a module by name, written as a mapping or `name=value` in a line."""
    found = {child.key.text: child.values[0] for child in module.children if len(child.values) == 1}
    for word in module.values[:1]:
        for pair in _FREE.finditer(word.text):
            found.setdefault(pair[1], Word(next(each for each in (pair[2], pair[3], pair[4]) if each is not None), word.at))
    return found


def _pairs(said: dict[str, Word], loop: list[Node]) -> Iterator[tuple[Word, Word]]:
    """(key, value) of a sysctl task, once for each item of its loop."""
    key, value = said.get("name") or said.get("key"), said.get("value") or said.get("val")
    if key is None or value is None:
        return
    if not loop:
        if "{{" not in key.text:
            yield key, value
        return
    for item in loop:
        own = {child.key.text: child.values[0] for child in item.children if len(child.values) == 1}
        named, worth = _of_item(key, own), _of_item(value, own)
        if named is not None and worth is not None:
            yield named, worth


def _of_item(word: Word, item: dict[str, Word]) -> Word | None:
    if "{{" not in word.text:
        return word
    found = _ITEM.fullmatch(word.text.strip())
    return None if found is None else item.get(found[1] or found[2])
