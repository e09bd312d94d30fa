"""HCL, the language of Terraform and Packer: blocks, and their values as far as they are literal.

One pass over the text, nothing evaluated: a value is a text with blanks, a list, an object, a call or a name.
"""

import re
from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.parts import Part
from portwright.numbers import based
from portwright.source import Source, Span

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
class Text:
    """A quoted text or a here-document; `indent` blanks of each line do not belong to it."""

    parts: tuple[Part, ...]
    at: int
    indent: int = 0
    here: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    values: tuple["Value", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """An object: its keys as written, with their values."""

    pairs: tuple[tuple[str, "Value"], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with what it is given."""

    name: str
    arguments: tuple["Value", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name with the names behind its dots (`var.port`), a number or a truth value; "" for what has to be computed."""

    text: str
    at: int


Value = Text | Items | Pairs | Call | Name


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


def place(source: Source, at: int) -> Span:
    """The place of an offset."""
    return source.span(at, at)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.kind = ""
        self.word = ""
        self.next()

    def next(self) -> None:
        """Go to the next token; `kind` is "" at the end."""
        text = self.text
        while True:
            found = _TOKEN.match(text, self.at)
            if found is None:
                self.kind, self.word, self.start = "", "", len(text)
                return
            kind = found.lastgroup or ""
            if kind == "blank":
                self.at = found.end()
                continue
            if kind == "comment":
                end = text.find("*/", found.end())
                self.at = len(text) if end < 0 else end + 2
                continue
            self.kind, self.word, self.start, self.at = kind, found[0], found.start(), found.end()
            return

    def lines(self) -> None:
        while self.kind == "line":
            self.next()

    def body(self) -> Block:
        top = Block("", (), 0)
        stack = [top]
        while self.kind:
            if self.kind == "sign" and self.word == "}" and len(stack) > 1:
                stack.pop()
                self.next()
                continue
            if self.kind != "name":
                self._skip_one()
                continue
            name, start = self.word, self.start
            self.next()
            if self.kind == "sign" and self.word == "=":
                self.next()
                stack[-1].values[name] = self.value(0)
                self._rest_of_line()
                continue
            labels = []
            while self.kind in ("quote", "name"):
                if self.kind == "quote":
                    labels.append("".join(part.text if not part.filled else "" for part in self.quoted().parts))
                else:
                    labels.append(self.word)
                    self.next()
            if self.kind == "sign" and self.word == "{" and len(stack) < DEEPEST:
                block = Block(name, tuple(labels), start)
                stack[-1].blocks.append(block)
                stack.append(block)
                self.next()
            elif self.kind and self.kind != "line":
                self._skip_one()
        return top

    def _skip_one(self) -> None:
        """Past one token; past all that a bracket holds."""
        if self.kind == "quote":
            self.quoted()
        elif self.kind == "here":
            self.here()
        elif self.kind == "sign" and self.word in "{[(":
            self._past_bracket()
        else:
            self.next()

    def _past_bracket(self) -> None:
        depth = 0
        while self.kind:
            if self.kind == "quote":
                self.quoted()
                continue
            if self.kind == "here":
                self.here()
                continue
            if self.kind == "sign" and self.word in "{[(":
                depth += 1
            elif self.kind == "sign" and self.word in "}])":
                depth -= 1
            self.next()
            if depth <= 0:
                return

    def _rest_of_line(self) -> None:
        while self.kind and self.kind != "line" and not (self.kind == "sign" and self.word in "}])"):
            self._skip_one()

    def value(self, depth: int) -> Value:
        """One value up to the comma, the line's end or the bracket that ends it; `Name("")` where an operator makes something of it."""
        start = self.start
        found = self._one(depth)
        computed = False
        while self.kind and self.kind != "line" and not (self.kind == "sign" and self.word in (",", "}", "]", ")", ":", "=>", "=")):
            computed = True
            if self.kind == "sign" and self.word == "?":
                self.next()
                self.lines()
                self.value(depth + 1) if depth < DEEPEST else self._rest_of_line()
                self.lines()
                if self.kind == "sign" and self.word == ":":
                    self.next()
                    self.lines()
                continue
            if self.kind == "sign" and self.word in ("&&", "||", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "<=", ">="):
                self.next()
                self.lines()
                continue
            self._skip_one()
        return Name("", start) if computed else found

    def _one(self, depth: int) -> Value:
        start = self.start
        if self.kind == "quote":
            return self.quoted()
        if self.kind == "here":
            return self.here()
        if self.kind == "number":
            word = self.word
            self.next()
            return Name(word, start)
        if self.kind == "name":
            return self._named(depth)
        if self.kind == "sign" and self.word in ("[", "{") and depth < DEEPEST:
            return self._items(depth) if self.word == "[" else self._pairs(depth)
        if self.kind == "sign" and self.word == "(" and depth < DEEPEST:
            self.next()
            self.lines()
            inner = self.value(depth + 1)
            self.lines()
            self._close(")")
            return inner
        self._skip_one()
        return Name("", start)

    def _named(self, depth: int) -> Value:
        start, words = self.start, [self.word]
        self.next()
        if self.kind == "sign" and self.word == "(" and depth < DEEPEST:
            self.next()
            arguments = []
            self.lines()
            while self.kind and not (self.kind == "sign" and self.word == ")"):
                arguments.append(self.value(depth + 1))
                self.lines()
                if self.kind == "sign" and self.word == ",":
                    self.next()
                elif self.kind == "sign" and self.word in (")",):
                    break
                elif self.kind:
                    self._skip_one()
                self.lines()
            self._close(")")
            return Call(words[0], tuple(arguments), start)
        while self.kind == "sign" and self.word == ".":
            self.next()
            if self.kind not in ("name", "number"):
                return Name("", start)
            words.append(self.word)
            self.next()
        if self.kind == "sign" and self.word == "[":
            self._past_bracket()
            return Name("", start)
        return Name(".".join(words), start)

    def _close(self, bracket: str) -> None:
        if self.kind == "sign" and self.word == bracket:
            self.next()

    def _items(self, depth: int) -> Value:
        start = self.start
        self.next()
        self.lines()
        if self.kind == "name" and self.word == "for":
            self._to_bracket("]")
            return Name("", start)
        values = []
        while self.kind and not (self.kind == "sign" and self.word in ("]", "}", ")")):
            values.append(self.value(depth + 1))
            self.lines()
            if self.kind == "sign" and self.word == ",":
                self.next()
                self.lines()
            elif self.kind and not (self.kind == "sign" and self.word in ("]", "}", ")")):
                self._skip_one()
        self._close("]")
        return Items(tuple(values), start)

    def _pairs(self, depth: int) -> Value:
        start = self.start
        self.next()
        self.lines()
        if self.kind == "name" and self.word == "for":
            self._to_bracket("}")
            return Name("", start)
        pairs = []
        while self.kind and not (self.kind == "sign" and self.word in ("}", "]", ")")):
            key = self._one(depth + 1)
            name = key.text if isinstance(key, Name) else literal(key) if isinstance(key, Text) else None
            if self.kind == "sign" and self.word in ("=", ":"):
                self.next()
                self.lines()
                value = self.value(depth + 1)
                if name:
                    pairs.append((name, value))
            elif self.kind and self.kind != "line" and not (self.kind == "sign" and self.word in (",", "}", "]", ")")):
                self._skip_one()
            while self.kind == "line" or (self.kind == "sign" and self.word == ","):
                self.next()
        self._close("}")
        return Pairs(tuple(pairs), start)

    def _to_bracket(self, bracket: str) -> None:
        while self.kind and not (self.kind == "sign" and self.word == bracket):
            self._skip_one()
        self._close(bracket)

    def quoted(self) -> Text:
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
                stop = _blank_end(text, at + 2)
                parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip() if two == "${" else "", at, filled=True)]
                at = done = stop
            else:
                at += 1
        parts.append(Part(text[done:at], done))
        self.at = at + 1 if at < end and text[at] == '"' else at
        self.next()
        return Text(tuple(part for part in parts if part.text or part.filled), start)

    def here(self) -> Text:
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
            stop = min(_blank_end(text, found.end()), last)
            parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip() if text[at] == "$" else "", at, filled=True)]
            done = stop
        parts.append(Part(text[done:last], done))
        self.next()
        return Text(tuple(part for part in parts if part.text or part.filled), start, indent, here=True)


def _unescaped(written: str) -> str:
    if written[1] in "uU" and len(written) > 2:
        number = based(written[2:], 16, 0x10FFFF)
        return "\ufffd" if number is None or 0xD800 <= number < 0xE000 else chr(number)
    return _LETTERS.get(written[1], written[1])


def _blank_end(text: str, at: int) -> int:
    """Behind the brace that ends a blank whose inside begins at `at`; the line's end where none does."""
    stack = ["}"]
    while at < len(text) and stack:
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
    return at


def literal(value: "Value | None") -> str | None:
    """The text of a value without blanks; None for any other."""
    if isinstance(value, Text) and not any(part.filled for part in value.parts):
        return "".join(part.text for part in value.parts)
    return None
