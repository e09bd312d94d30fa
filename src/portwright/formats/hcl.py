"""HCL, the language of Terraform and Packer: blocks, and their values as far as they are literal.

One pass over the text, nothing evaluated: a value is a text with blanks, a list, an object, a call or a name.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias, Union

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.parts import Bare, Call, Items, Part, String, string
from portwright.formats.token_reader import TokenReader
from portwright.numbers import based
from portwright.source import Source

DEEPEST = 64
"""Brackets inside brackets that are followed."""

_TOKEN = lazy_regex(
    r"(?P<blank>(?:[ \t\r]|#[^\n]*|//[^\n]*)+)|(?P<comment>/\*)|(?P<line>\n)|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<quote>\")|(?P<here><<-?[A-Za-z_][\w-]*[ \t]*\r?\n)|(?P<sign>=>|[=!<>]=|&&|\|\||\.\.\.|.)"
)
_ESCAPED = lazy_regex(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_BLANK = lazy_regex(r"\$\$\{|%%\{|\$\{|%\{")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object: its keys as written, with their values."""

    pairs: tuple[tuple[str, "Value"], ...]
    at: int


Value: TypeAlias = Union[String, "Items[Value]", Pairs, "Call[Value]", Bare]


@dataclass(slots=True)
class Block:
    """A block: its kind and labels, what is set in it, and the blocks inside."""

    kind: str
    labels: tuple[str, ...]
    at: int
    values: dict[str, Value] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def all(self, kind: str) -> Iterator["Block"]:
        """The blocks of a kind right inside; those of `dynamic "kind"` are what their `content` says."""
        for block in self.blocks:
            if block.kind == kind:
                yield block
            elif block.kind == "dynamic" and block.labels == (kind,):
                yield from block.all("content")


def parse(source: Source) -> Block:
    """The file as one block without a kind. What is not understood is skipped up to the next line or the bracket that ends it."""
    return _Reader(source.text).body()


class _Reader(TokenReader):
    texts = ("quote", "here")

    def __init__(self, text: str) -> None:
        super().__init__(text, _TOKEN)

    def lines(self) -> None:
        while self.kind == "line":
            self.next()

    def body(self) -> Block:
        top = Block("", (), 0)
        stack = [top]
        while self.kind:
            if self.is_sign("}") and len(stack) > 1:
                stack.pop()
                self.next()
                continue
            if self.kind != "name":
                self.skip()
                continue
            name, start = self.word, self.start
            self.next()
            if self.is_sign("="):
                self.next()
                stack[-1].values[name] = self.value(0)
                self._rest_of_line()
                continue
            labels = []
            while self.kind in ("quote", "name"):
                if self.kind == "quote":
                    labels.append("".join(part.text if not part.filled else "" for part in self._quoted().parts))
                else:
                    labels.append(self.word)
                    self.next()
            if self.is_sign("{") and len(stack) < DEEPEST:
                block = Block(name, tuple(labels), start)
                stack[-1].blocks.append(block)
                stack.append(block)
                self.next()
            elif self.kind and self.kind != "line":
                self.skip()
        return top

    def _rest_of_line(self) -> None:
        while self.kind and self.kind != "line" and not self.is_sign("}", "]", ")"):
            self.skip()

    def value(self, depth: int) -> Value:
        """One value up to the comma, the line's end or the bracket that ends it; `Bare("")` where an operator makes something of it."""
        start = self.start
        found = self._one(depth)
        computed = False
        while self.kind and self.kind != "line" and not self.is_sign(",", "}", "]", ")", ":", "=>", "="):
            computed = True
            if self.is_sign("?"):
                self.next()
                self.lines()
                self.value(depth + 1) if depth < DEEPEST else self._rest_of_line()
                self.lines()
                if self.is_sign(":"):
                    self.next()
                    self.lines()
                continue
            if self.is_sign("&&", "||", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "<=", ">="):
                self.next()
                self.lines()
                continue
            self.skip()
        return Bare("", start) if computed else found

    def _one(self, depth: int) -> Value:
        start = self.start
        if self.kind in self.texts:
            return self.string()
        if self.kind == "number":
            word = self.word
            self.next()
            return Bare(word, start)
        if self.kind == "name":
            return self._named(depth)
        if self.is_sign("[", "{") and depth < DEEPEST:
            return self._items(depth) if self.word == "[" else self._pairs(depth)
        if self.is_sign("(") and depth < DEEPEST:
            self.next()
            self.lines()
            inner = self.value(depth + 1)
            self.lines()
            self._close(")")
            return inner
        self.skip()
        return Bare("", start)

    def _named(self, depth: int) -> Value:
        start, words = self.start, [self.word]
        self.next()
        if self.is_sign("(") and depth < DEEPEST:
            self.next()
            arguments = []
            self.lines()
            while self.kind and not self.is_sign(")"):
                arguments.append(self.value(depth + 1))
                self.lines()
                if self.is_sign(","):
                    self.next()
                elif self.is_sign(")"):
                    break
                elif self.kind:
                    self.skip()
                self.lines()
            self._close(")")
            return Call(words[0], tuple(arguments), start)
        while self.is_sign("."):
            self.next()
            if self.kind not in ("name", "number"):
                return Bare("", start)
            words.append(self.word)
            self.next()
        if self.is_sign("["):
            self.skip()
            return Bare("", start)
        return Bare(".".join(words), start)

    def _close(self, bracket: str) -> None:
        if self.is_sign(bracket):
            self.next()

    def _items(self, depth: int) -> Value:
        start = self.start
        self.next()
        self.lines()
        if self.is_name("for"):
            self._to_bracket("]")
            return Bare("", start)
        values = []
        while self.kind and not self.is_sign("]", "}", ")"):
            values.append(self.value(depth + 1))
            self.lines()
            if self.is_sign(","):
                self.next()
                self.lines()
            elif self.kind and not self.is_sign("]", "}", ")"):
                self.skip()
        self._close("]")
        return Items(tuple(values), start)

    def _pairs(self, depth: int) -> Value:
        start = self.start
        self.next()
        self.lines()
        if self.is_name("for"):
            self._to_bracket("}")
            return Bare("", start)
        pairs = []
        while self.kind and not self.is_sign("}", "]", ")"):
            key = self._one(depth + 1)
            name = key.text if isinstance(key, Bare) else literal(key) if isinstance(key, String) else None
            if self.is_sign("=", ":"):
                self.next()
                self.lines()
                value = self.value(depth + 1)
                if name:
                    pairs.append((name, value))
            elif self.kind and self.kind != "line" and not self.is_sign(",", "}", "]", ")"):
                self.skip()
            while self.kind == "line" or self.is_sign(","):
                self.next()
        self._close("}")
        return Pairs(tuple(pairs), start)

    def _to_bracket(self, bracket: str) -> None:
        while self.kind and not self.is_sign(bracket):
            self.skip()
        self._close(bracket)

    def string(self) -> String:
        return self._quoted() if self.kind == "quote" else self._here()

    def _quoted(self) -> String:
        """A text in quotes; the token is its first quote."""
        text, start = self.text, self.start
        parts, at, done = [], start + 1, start + 1
        end = len(text)
        while at < end and text[at] not in '"\n':
            two = text[at : at + 2]
            if text[at] == "\\":
                found = _ESCAPED.match(text, at)
                if found is None:
                    break
                parts += [Part(text[done:at], done), Part(_unescaped(found[0]), at, exact=False)]
                at = done = found.end()
            elif text[at : at + 3] in ("$${", "%%{"):
                parts += [Part(text[done:at], done), Part(text[at + 1 : at + 3], at, exact=False)]
                at = done = at + 3
            elif two in ("${", "%{"):
                stop = _blank_end(text, at + 2, end)
                parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip() if two == "${" else "", at, filled=True)]
                at = done = stop
            else:
                at += 1
        parts.append(Part(text[done:at], done))
        self.at = at + 1 if at < end and text[at] == '"' else at
        self.next()
        return string(parts, start)

    def _here(self) -> String:
        """A here-document; the token is its first line."""
        text, start, first = self.text, self.start, self.at
        mark = self.word.strip()
        strip, mark = mark.startswith("<<-"), mark.lstrip("<-")
        found = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE).search(text, first)
        last = len(text) if found is None else found.start()
        self.at = len(text) if found is None else found.end()
        body = text[first:last]
        indent = 0
        if strip:
            indent = min((len(line) - len(line.lstrip(" \t")) for line in body.split("\n") if line.strip()), default=0)
        parts, done = [], first
        for found in _BLANK.finditer(text, first, last):
            at = found.start()
            if at < done:
                continue
            if found[0][0] == found[0][1]:
                parts += [Part(text[done:at], done), Part(found[0][1:], at, exact=False)]
                done = found.end()
                continue
            stop = _blank_end(text, found.end(), last)
            parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip() if text[at] == "$" else "", at, filled=True)]
            done = stop
        parts.append(Part(text[done:last], done))
        self.next()
        return string(parts, start, indent)


def _unescaped(written: str) -> str:
    if written[1] in "uU" and len(written) > 2:
        number = based(written[2:], 16, 0x10FFFF)
        return "\ufffd" if number is None or 0xD800 <= number < 0xE000 else chr(number)
    return _LETTERS.get(written[1], written[1])


def _blank_end(text: str, at: int, end: int) -> int:
    """Behind the brace that ends a blank whose inside begins at `at`; the line's end, or `end`, where none does."""
    stack = ["}"]
    while at < end and stack:
        char = text[at]
        if char == "\n" and stack[-1] == '"':
            return at
        if stack[-1] == '"':
            if char == "\\":
                at += 1
            elif char == '"':
                stack.pop()
            elif text[at : at + 2] == "${" and text[at - 1] != "$":
                stack.append("}")
                at += 1
        elif char == '"':
            stack.append('"')
        elif char == "{":
            stack.append("}")
        elif char == "}":
            stack.pop()
        at += 1
    return min(at, end)


def literal(value: "Value | None") -> str | None:
    """The text of a value without blanks; None for any other."""
    if isinstance(value, String) and not any(part.filled for part in value.parts):
        return "".join(part.text for part in value.parts)
    return None
