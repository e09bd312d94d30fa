"""Terms of Erlang, as RabbitMQ's advanced.config writes its settings: `[{rabbit, [{tcp_listeners, [5672]}]}].`"""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright.formats.nodes import DEEPEST, Node, Parsed
from portwright.numbers import decimal, is_digits
from portwright.source import Source, Unreadable, Word

_TOKEN = lazy_regex(
    r"""(?P<passed>[\s,|.]+|%[^\n]*|<<|>>)|(?P<mark>[{}\[\]])|"(?P<string>(?:[^"\\]|\\.)*)"|'(?P<quoted>(?:[^'\\]|\\.)*)'"""
    r"""|(?P<word>-?[0-9]+(?:\.[0-9]+)?|[A-Za-z_][\w@]*)|(?P<other>.)""",
    re.DOTALL,
)
_BEGINS = lazy_regex(r"(?:\s|%[^\n]*\n)*\[(?:\s|%[^\n]*\n)*\{")

_Term = Word | tuple[str, "list[_Term]", Word]
"""A word, or `{` or `[`, what it holds, and the whole as a word; a word that was a string begins with a quote."""


def is_erlang(text: str) -> bool:
    """Whether a text is a list of tuples."""
    return _BEGINS.match(text) is not None


def parse(source: Source) -> Parsed:
    """The settings of a file: of `{key, value}` the key, its values and, of a list of tuples, what is set in it.

    `{"192.0.2.1", 5672}` is the value `192.0.2.1:5672`, `{127, 0, 0, 1}` an address.
    """
    troubles: list[Unreadable] = []
    terms = _terms(source, troubles)
    return tuple(node for term in terms for node in _nodes(_inside(term))), tuple(troubles)


def _terms(source: Source, troubles: list[Unreadable]) -> list[_Term]:
    text = source.text
    stack: list[tuple[str, list[_Term], int]] = [("", [], 0)]
    position = 0
    while (found := _TOKEN.match(text, position)) is not None:
        start, position = position, found.end()
        kind = found.lastgroup
        held = stack[-1][1]
        if kind in ("string", "quoted", "word"):
            mark = '"' if kind == "string" else ""
            held.append(Word(mark + found[kind], source.span(start, position)))
        elif found[0] in ("{", "["):
            if len(stack) > DEEPEST:
                troubles.append(Unreadable(source.span(start, position), f"more than {DEEPEST} lists inside each other"))
                break
            stack.append((found[0], [], start))
        elif found[0] in ("}", "]") and len(stack) > 1:
            mark, inside, opened = stack.pop()
            stack[-1][1].append((mark, inside, Word("", source.span(opened, position))))
        elif kind != "passed":
            troubles.append(Unreadable(source.span(start, position), "this is no term of Erlang"))
            break
    if len(stack) > 1 and not troubles:
        troubles.append(Unreadable(source.span(stack[-1][2], stack[-1][2] + 1), "a list is not closed"))
    return stack[0][1]


def _inside(term: _Term) -> "list[_Term]":
    return term[1] if isinstance(term, tuple) else [term]


def _nodes(terms: "list[_Term]") -> tuple[Node, ...]:
    """What a list of terms says: of each tuple that begins with a name a setting, of each word one without a value."""
    found: list[Node] = []
    for term in terms:
        word = _value(term)
        if word is not None:
            found.append(Node(word))
        elif isinstance(term, tuple) and term[1] and isinstance(term[1][0], Word):
            values: list[Word] = []
            children: list[Node] = []
            for each in term[1][1:]:
                own = _value(each)
                if own is not None:
                    values.append(own)
                elif isinstance(each, tuple):
                    listed = each[1] if each[0] == "[" else [each]
                    words = [_value(item) for item in listed]
                    values += [item for item in words if item is not None]
                    children += _nodes([item for item, said in zip(listed, words, strict=True) if said is None])
            found.append(Node(term[1][0], tuple(values), tuple(children)))
    return tuple(found)


def _value(term: _Term) -> Word | None:
    """The value that a term is: a word, an address, or an address with its port."""
    if isinstance(term, Word):
        return Word(term.text.removeprefix('"'), term.at)
    mark, held, whole = term
    if mark != "{":
        return None
    parts = [each.text for each in held if isinstance(each, Word)]
    if len(parts) == len(held) and len(parts) in (4, 8) and all(map(is_digits, parts)):
        six = len(parts) == 8
        text = ":".join(f"{decimal(each, 65535) or 0:x}" for each in parts) if six else ".".join(parts)
        return Word(text, whole.at)
    if len(held) == 2 and isinstance(held[1], Word) and is_digits(held[1].text):
        host = _value(held[0]) if isinstance(held[0], tuple) or held[0].text.startswith('"') else None
        if host is not None:
            return Word(f"[{host.text}]:{held[1].text}" if ":" in host.text else f"{host.text}:{held[1].text}", whole.at)
    return None
