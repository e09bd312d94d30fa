"""CloudFormation templates: the user data of instances and the files of cfn-init, as far as they are literal."""

import re
from collections.abc import Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import first_boot
from portwright.repositories.deployers.literal import Fill, at_most, remarks
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages, block
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN

_BLANK = lazy_regex(r"\$\{(!?)([^{}\n]{0,200})\}")
_THROUGH = frozenset(("Fn::Base64", "Fn::Sub", "Fn::Join"))
_DEEPEST = 24


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What each resource gives to its instances."""
    cut, text = len(text) > LONGEST, text[:LONGEST]
    nodes, _ = parse(Source(label, text))
    outer = text.split("\n")
    known = at_most(_parameters(nodes).get)
    found: list[Pages] = []
    for node in nodes:
        for resource in node.children if node.key.text == "Resources" else ():
            pages = Pages(label, f"{resource.key.text} of {label}")
            for name, value in _values(resource.children, 0):
                if name == "UserData":
                    script = _script(value, outer, known)
                    if script:
                        first_boot.write(script, pages, checkout)
                elif name == "files":
                    _files(value, outer, known, pages)
            found.append(pages)
    files = tuple(file for pages in found for file in pages.deployed().files)
    understood = {number for pages in found for number in pages.understood} | remarks(text)
    return Deployed(files, frozenset(understood), cut or any(pages.cut for pages in found))


def _parameters(nodes: Sequence[Node]) -> Mapping[str, str]:
    """The defaults of parameters."""
    found = {}
    for node in nodes:
        for each in node.children if node.key.text == "Parameters" else ():
            default = next((child.values[0].text for child in each.children if child.key.text == "Default" and child.values), None)
            if default is not None:
                found[each.key.text] = default
    return found


def _values(nodes: Sequence[Node], depth: int) -> Iterator[tuple[str, Node]]:
    for node in nodes:
        if node.key.text in ("UserData", "files"):
            yield node.key.text, node
        elif depth < _DEEPEST:
            yield from _values(node.children, depth + 1)


def _script(node: Node, outer: list[str], known: Fill) -> list[Line]:
    """The text that functions make, in the order in which its pieces are written."""
    words: list[Word] = []
    joins = False
    todo = [node]
    for _ in range(_DEEPEST):
        if not todo:
            break
        each = todo.pop()
        words += each.values
        for child in each.children:
            if child.key.text in _THROUGH:
                joins |= child.key.text == "Fn::Join"
                todo.append(child)
            elif child.key.text in ("Ref", "Fn::GetAtt", "Fn::FindInMap", "Fn::ImportValue") and child.values:
                value = known(child.values[0].text) if child.key.text == "Ref" else None
                words.append(Word(UNKNOWN if value is None else value, child.values[0].at))
    if len(words) == 1:
        return [_filled(line, known) for line in block(words[0], outer)]
    words.sort(key=lambda each: (each.at.line, each.at.column))
    if not joins:
        # `!Sub [text, {names}]`: the text comes first; `!Join ['', [pieces]]` in its short form has the separator first.
        first = words[0] if words else None
        if first is None:
            return []
        if "\n" in first.text.rstrip("\n"):
            return [_filled(line, known) for line in block(first, outer)]
    between = ""
    if words and words[0].text in ("", "\n", " "):
        between, words = words[0].text, words[1:]
    found: list[Line] = []
    begun: Line | None = None
    for number, word in enumerate(words):
        text = (between if number else "") + word.text
        for count, piece in enumerate(text.split("\n")):
            if count:
                found.append(begun or Line("", word.at.path, word.at.line, word.at.column))
                begun = None
            if piece:
                begun = (
                    Line(piece, word.at.path, word.at.line, word.at.column)
                    if begun is None
                    else Line(begun.text + piece, begun.source, begun.number, begun.shift)
                )
    return [_filled(line, known) for line in (*found, *((begun,) if begun is not None else ()))]


def _filled(line: Line, known: Fill) -> Line:
    """A line with what `Fn::Sub` puts in: the defaults of parameters."""
    if "${" not in line.text:
        return line

    def value(found: re.Match[str]) -> str:
        said = f"${{{found[2]}}}" if found[1] else known(found[2])
        return UNKNOWN if said is None else said

    return Line(_BLANK.sub(value, line.text), line.source, line.number, line.shift)


def _files(node: Node, outer: list[str], known: Fill, pages: Pages) -> None:
    """`AWS::CloudFormation::Init`: the files of a config."""
    for each in node.children:
        if each.key.text.startswith("/"):
            content = next((child for child in each.children if child.key.text == "content"), None)
            script = _script(content, outer, known) if content is not None else []
            if script:
                pages.write(each.key.text, script)
