"""Hiera, Puppet's data: the kernel settings that it gives to modules of sysctl, and what manifests look up in it."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node
from portwright.formats.yaml_nodes import parse
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.placed import LONGEST, Deployed, Line, Pages
from portwright.source import Source, Word
from portwright.system.spanned_text import UNKNOWN

_SETTINGS = "/etc/sysctl.d/60-puppet.conf"
_OF_SYSCTL = lazy_regex(r"(?:\w+::)*\w*sysctl\w*(?:::\w+)*")
_KEY = lazy_regex(r"[a-z0-9_-]+(?:[./][\w*-]+)+")
_FOR_ALL = ("common", "global", "globals", "default", "defaults")
_FOLDERS = ("hieradata", "hiera", "data")
_ENDINGS = (".yaml", ".yml", ".eyaml")
_FILLED = lazy_regex(r"%\{[^}]{0,200}\}")


def deployed(label: str, text: str, checkout: Checkout) -> Deployed:
    """The kernel settings that a file of data gives: to all nodes, or to those whose file it is."""
    pages = Pages(label, "" if _is_for_all(label) else f"nodes of {label.rpartition('.')[0]}", cut=len(text) > LONGEST)
    nodes, _ = parse(Source(label, text[:LONGEST]))
    understood = set(range(1, text.count("\n") + 2))
    for node in nodes:
        if not _OF_SYSCTL.fullmatch(node.key.text):
            continue
        for key, value in _pairs(node):
            said = _FILLED.sub(UNKNOWN, value.text).replace("\n", " ")
            pages.write(_SETTINGS, [Line(f"{key.text} = {said}", label, value.at.line, value.at.column - 1)], append=True)
            if UNKNOWN in said:
                understood.discard(value.at.line)
    done = pages.deployed()
    return Deployed(done.files, frozenset(understood), done.cut)


def value_of(key: str, checkout: Checkout) -> str | None:
    """What all nodes are given for a key, as long as it is one text; a file of fewer nodes may say otherwise for these."""
    values: dict[str, str] = checkout.once("hiera", lambda: dict(_values(checkout)))
    return values.get(key)


def _values(checkout: Checkout) -> Iterator[tuple[str, str]]:
    for label in checkout.labels:
        if label.endswith(_ENDINGS) and _is_for_all(label) and not set(label.split("/")).isdisjoint(_FOLDERS):
            text = checkout.text(label)
            nodes, _ = parse(Source(label, text)) if text is not None and len(text) <= LONGEST else ((), ())
            for node in nodes:
                if len(node.values) == 1 and not node.children and "%{" not in node.values[0].text:
                    yield node.key.text, node.values[0].text


def _is_for_all(label: str) -> bool:
    return label.rpartition("/")[2].partition(".")[0].lower() in _FOR_ALL


def _pairs(node: Node) -> Iterator[tuple[Word, Word]]:
    """(the key, its value) of `net.x: 1` and of `net.x: {value: 1}`, in a mapping or one deeper."""
    for child in node.children:
        if not _KEY.fullmatch(child.key.text):
            yield from _pairs(child)
            continue
        if len(child.values) == 1 and not child.children:
            yield child.key, child.values[0]
        elif not any(each.key.text == "ensure" and each.values and each.values[0].text == "absent" for each in child.children):
            yield from ((child.key, each.values[0]) for each in child.children if each.key.text in ("value", "val") and each.values)
