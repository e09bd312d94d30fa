"""rsyslog.conf: `input(type="imudp" port="514")` and the older `$UDPServerRun 514`; rules and templates are passed over."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import Node, Parsed
from portwright.source import Source, Unreadable, Word

_OBJECT = lazy_regex(r"[ \t]*([A-Za-z_]+)[ \t]*\(")
_LEGACY = lazy_regex(r"[ \t]*\$([A-Za-z0-9]+)[ \t]+([^\n]*)")
_PARAMETER = lazy_regex(r"([A-Za-z0-9_.]+)[ \t\r\n]*=[ \t\r\n]*")
_OBJECTS = frozenset(("input", "module", "include", "global", "ruleset", "action", "main_queue"))


def parse(source: Source) -> Parsed:
    """Objects as nodes with their parameters inside (`include` has the file as its value), `$Directive value` as `Directive`."""
    text, found, troubles = source.text, list[Node](), list[Unreadable]()
    position = 0
    while 0 <= position < len(text):
        legacy = _LEGACY.match(text, position)
        thing = None if legacy else _OBJECT.match(text, position)
        if legacy:
            key = Word(legacy[1], source.span(legacy.start(1) - 1, legacy.end(1)))
            value = legacy[2].partition(" #")[0].rstrip()
            words = (Word(value, source.span(legacy.start(2), legacy.start(2) + len(value))),) if value else ()
            found.append(Node(key, words))
        elif thing and thing[1].lower() in _OBJECTS:
            node, position = _object(source, thing, troubles)
            found.append(node)
        position = text.find("\n", position) + 1
        if position == 0:
            break
    return tuple(found), tuple(troubles)


def _object(source: Source, thing: re.Match[str], troubles: list[Unreadable]) -> tuple[Node, int]:
    """The parameters up to the closing parenthesis, and where it is."""
    text, position, parameters = source.text, thing.end(), list[Node]()
    key = Word(thing[1], source.span(thing.start(1), thing.end(1)))
    while position < len(text) and text[position] != ")":
        name = _PARAMETER.match(text, position)
        if name is None:
            if text[position] == "#":
                position = text.find("\n", position)
                if position < 0:
                    break
                continue
            position += 1
            continue
        values, position = _values(source, name.end())
        parameters.append(Node(Word(name[1], source.span(name.start(1), name.end(1))), values))
    else:
        if position >= len(text):
            troubles.append(Unreadable(key.at, "a parenthesis is not closed"))
        file = next((each.values for each in parameters if each.key.text.lower() == "file"), ())
        return Node(key, file if thing[1].lower() == "include" else (), tuple(parameters)), position
    troubles.append(Unreadable(key.at, "a parenthesis is not closed"))
    return Node(key, (), tuple(parameters)), len(text)


def _values(source: Source, position: int) -> tuple[tuple[Word, ...], int]:
    """`"a"`, or `["a", "b"]`, and where it ends."""
    text = source.text
    listing = text[position : position + 1] == "["
    found: list[Word] = []
    if listing:
        position += 1
    while position < len(text):
        if text[position] == '"':
            close = text.find('"', position + 1)
            if close < 0:
                return tuple(found), len(text)
            found.append(Word(text[position + 1 : close], source.span(position, close + 1)))
            position = close + 1
            if not listing:
                break
        elif text[position] == "]" and listing:
            return tuple(found), position + 1
        elif listing and text[position] in ", \t\r\n":
            position += 1
        else:
            break
    return tuple(found), position
