"""XML of reports: text that may stand in it, and the document as a whole."""

from xml.etree import ElementTree

from portwright._start.lazy_regex import lazy_regex
from portwright.reports.escape import safe
from portwright.reports.words import cut_off

_MOST_TEXT = 10_000
# XML 1.0 (2.2) has no way to write these.
_NO_CHARACTER = lazy_regex("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Text from a host as XML may hold it."""
    return _NO_CHARACTER.sub("\ufffd", cut_off(safe(text), _MOST_TEXT))


def document(root: ElementTree.Element) -> str:
    """An XML document."""
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'
