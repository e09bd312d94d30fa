"""JavaScript as tokens: names, numbers, strings and signs with their places, and which bracket closes which."""

from collections.abc import Iterator
from typing import Literal, TypeAlias, Union

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.nodes import DEEPEST
from portwright.source import Source, Span, Word

Kind = Literal["name", "number", "string", "template", "sign"]
LONGEST = 1 << 19

_NAME = lazy_regex(r"(?:[A-Za-z_$]|[^\x00-\x7f])[\w$]*")  # a class up to \uffff takes as long to compile as all others together
_NUMBER = lazy_regex(r"(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)")
_SIGNS = ("...", "===", "!==", "**=", "??=", "||=", "&&=", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "v": "\v", "\n": ""}
# After these a slash begins a regular expression, after any other name or a closing bracket it divides.
_BEFORE_PATTERN = frozenset(("return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "await", "yield"))
_CLOSES = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its meaning (a string without its quotes) and its offsets in the source."""

    kind: Kind
    text: str
    start: int
    end: int
    line_start: bool


@dataclass(frozen=True)
class Tokens:
    """The tokens of a script; `closes` maps the index of each bracket that is closed to the index of the bracket that closes it."""

    source: Source
    each: tuple[Token, ...]
    closes: dict[int, int]

    def span(self, start: int, end: int) -> Span:
        """Where the tokens `each[start:end]` stand."""
        return self.source.span(self.each[start].start, self.each[end - 1].end)


def tokens(source: Source) -> Tokens:
    """Take a script apart, in one pass; what is no token (a lone backslash) counts as a sign. Reads at most LONGEST characters."""
    text = source.text[:LONGEST]
    found: list[Token] = []
    closes: dict[int, int] = {}
    open_brackets: list[int] = []
    position, line_start = 2 if text.startswith("#!") else 0, True
    if position:
        position = _line_end(text, 0)
    while position < len(text):
        char = text[position]
        if char in " \t\r\n":
            line_start = line_start or char == "\n"
            position += 1
            continue
        if text.startswith("//", position):
            position = _line_end(text, position)
            continue
        if text.startswith("/*", position):
            end = text.find("*/", position + 2)
            line_start = line_start or "\n" in text[position : end if end >= 0 else len(text)]
            position = end + 2 if end >= 0 else len(text)
            continue
        kind, meaning, end = _token(text, position, found[-1] if found else None)
        if kind == "sign" and meaning in _CLOSES:
            open_brackets.append(len(found))
        elif kind == "sign" and meaning in (")", "]", "}") and open_brackets and _CLOSES[found[open_brackets[-1]].text] == meaning:
            closes[open_brackets.pop()] = len(found)
        found.append(Token(kind, meaning, position, end, line_start))
        position, line_start = end, False
    return Tokens(source, tuple(found), closes)


Said: TypeAlias = Union[Word, "list[Said]", "dict[str, Said]", None]
"""What a literal says: a word (a string, a number, true), a list, an object, or None for what is none of these."""


def literal(read: Tokens, at: int, depth: int = 0) -> tuple[Said, int]:
    """The literal that begins at a token, and the token behind it. What is not written out in an object or a list is None there."""
    if at >= len(read.each) or depth > DEEPEST:
        return None, at + 1
    token = read.each[at]
    close = read.closes.get(at)
    if token.text == "[" and token.kind == "sign" and close is not None:
        return [_whole(read, start, end, depth) for start, end in _parts(read, at + 1, close)], close + 1
    if token.text == "{" and token.kind == "sign" and close is not None:
        found: dict[str, Said] = {}
        for start, end in _parts(read, at + 1, close):
            if end - start > 2 and read.each[start].kind in ("name", "string", "number") and read.each[start + 1].text == ":":
                found[read.each[start].text] = _whole(read, start + 2, end, depth)
        return found, close + 1
    known = token.kind in ("string", "number") or token.text in ("true", "false") or (token.kind == "template" and "${" not in token.text)
    return (Word(token.text, read.span(at, at + 1)) if known else None), at + 1


def _whole(read: Tokens, start: int, end: int, depth: int) -> Said:
    """A literal that takes all of a stretch; None where something else stands behind it."""
    said, after = literal(read, start, depth + 1)
    return said if after == end else None


def _parts(read: Tokens, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches between commas."""
    first = at = start
    while at < end:
        if read.each[at].text == "," and read.each[at].kind == "sign":
            yield first, at
            first = at + 1
        at = read.closes.get(at, at) + 1
    if first < end:
        yield first, end


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return end if end >= 0 else len(text)


def _token(text: str, position: int, before: Token | None) -> tuple[Kind, str, int]:
    char = text[position]
    if (match := _NAME.match(text, position)) is not None:
        return "name", match.group(), match.end()
    if (match := _NUMBER.match(text, position)) is not None:
        return "number", match.group(), match.end()
    if char in "\"'":
        meaning, end = _string(text, position)
        return "string", meaning, end
    if char == "`":
        return _template(text, position)
    if char == "/" and _is_pattern(before):
        return "template", "", _pattern_end(text, position)
    for sign in _SIGNS:
        if text.startswith(sign, position):
            return "sign", sign, position + len(sign)
    return "sign", char, position + 1


def _string(text: str, position: int) -> tuple[str, int]:
    quote, parts, at = text[position], [], position + 1
    while at < len(text) and text[at] not in (quote, "\n"):
        if text[at] == "\\" and at + 1 < len(text):
            parts.append(_ESCAPES.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            parts.append(text[at])
            at += 1
    return "".join(parts), min(at + 1, len(text))


def _template(text: str, position: int) -> tuple[Kind, str, int]:
    """A template without `${` is a string; with it, what it comes to is not known here. Templates may stand inside `${...}` again."""
    at, plain = position + 1, True
    inside = ["`"]
    while at < len(text) and inside:
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if inside[-1] == "`":
            if char == "`":
                inside.pop()
            elif text.startswith("${", at):
                inside.append("{")
                plain = False
                at += 1
        elif char == "}":
            inside.pop()
        elif char in "{`":
            inside.append(char)
        elif char in "\"'":
            at = _string(text, at)[1] - 1
        at += 1
    end = min(at, len(text))
    return ("string", text[position + 1 : end - 1], end) if plain else ("template", "", end)


def _is_pattern(before: Token | None) -> bool:
    if before is None:
        return True
    if before.kind == "name":
        return before.text in _BEFORE_PATTERN
    return before.kind == "sign" and before.text not in (")", "]", "}", "++", "--")


def _pattern_end(text: str, position: int) -> int:
    at, in_class = position + 1, False
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\":
            at += 1
        elif text[at] == "[":
            in_class = True
        elif text[at] == "]":
            in_class = False
        elif text[at] == "/" and not in_class:
            return at + 1
        at += 1
    return min(at, len(text))
