"""Packer templates in JSON, of which YAML's grammar is the wider one: the commands of their provisioners, and the files that those move."""

from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers import shell
from portwright.repositories.deployers.literal import rows, whole
from portwright.repositories.deployers.placed import Deployed, Line, Pages, block
from portwright.source import Source, Word


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """What the provisioners put into the image."""
    pages = Pages(label)
    outer = [line.text for line in rows(label, text, pages)]
    nodes, _ = parse(Source(label, "\n".join(outer)))
    script: list[Line] = []
    for node in nodes:
        if node.key.text != "provisioners":
            continue
        kind = _word(node, "type")
        if kind is not None and kind.text == "shell":
            for child in node.children:
                if child.key.text == "inline":
                    script += [line for word in child.values for line in block(word, outer)]
        elif kind is not None and kind.text == "file":
            source, to = _word(node, "source"), _word(node, "destination")
            found = None if source is None else checkout.beside(label, source.text)
            there = None if found is None else checkout.text(found)
            if to is not None and found is not None and there is not None:
                pages.write(to.text, whole(found, there), of=found)
    if script:
        shell.write(script, pages, checkout)
    return pages.deployed()


def _word(node: Node, key: str) -> Word | None:
    found = next((child for child in node.children if child.key.text == key), None)
    return found.values[0] if found is not None and len(found.values) == 1 else None
