"""Elements of a page: text goes into text nodes and attributes only, and the standard library writes both so that they end nowhere else."""

from functools import lru_cache
from xml.etree import ElementTree

from portwright.reports.markup import xml_text

Element = ElementTree.Element


def put(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """A new element at the end of its parent. `class_` and `for_` stand for words of Python, `data_x` and `aria_x` for `data-x`."""
    made = ElementTree.SubElement(parent, tag, {_spelled(name): _attribute(value) for name, value in attributes.items()})
    if text:
        made.text = xml_text(text)
    return made


def say(parent: Element, text: str) -> None:
    """Text after all that an element holds."""
    said = xml_text(text)
    if len(parent):
        parent[-1].tail = f"{parent[-1].tail or ''}{said}"
    else:
        parent.text = f"{parent.text or ''}{said}"


def written(root: Element) -> str:
    """The element as HTML."""
    return ElementTree.tostring(root, encoding="unicode", method="html")


# Most are words of the page itself, which come again and again.
_attribute = lru_cache(10_000)(xml_text)


def _spelled(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
