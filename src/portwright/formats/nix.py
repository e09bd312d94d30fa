"""Nix expressions: what attribute sets say literally, with the names that lead there; nothing is evaluated."""

import re
from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.parts import Part
from portwright.source import Source

DEEPEST = 100
"""Brackets inside brackets that are followed."""
MOST = 300_000
"""Tokens of a file that are read."""

_TOKEN = lazy_regex(
    r"(?P<blank>(?:[ \t\r\n]|#[^\n]*)+)|(?P<comment>/\*)|(?P<long>'')|(?P<quote>\")"
    r"|(?P<path>(?:\.{1,2}|~)?/(?!/)[\w.+/-]+|<[\w.+/-]{1,200}>)|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][\w'-]*)|(?P<sign>\$\{|\.\.\.|\+\+|//|->|==|!=|<=|>=|&&|\|\||.)",
    re.DOTALL,
)
_KEYWORDS = frozenset(("let", "in", "with", "rec", "if", "then", "else", "inherit", "assert", "or"))


@dataclass(frozen=True, slots=True)
class String:
    """A string; one in two single quotes is `long`, and `indent` blanks of each line do not belong to it."""

    parts: tuple[Part, ...]
    at: int
    indent: int = 0
    long: bool = False


@dataclass(frozen=True, slots=True)
class Bare:
    """A number, a truth value or a name with what stands behind its dots; "" for what has to be computed."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    values: tuple["Value", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Set:
    """An attribute set: the names that lead to each value, as far as they are literal (None where one is computed)."""

    pairs: tuple[tuple[tuple[str, ...], "Value", int], ...]
    at: int


Value = String | Bare | Items | Set

# What leaves a value as it is: modules are merged by its priority, or it is made from another form of the same.
_THROUGH = frozenset(("mkDefault", "mkForce", "mkBefore", "mkAfter", "toString", "mkIf", "mkOverride", "optionalAttrs", "mkMerge", "toInt"))


@dataclass(frozen=True, slots=True)
class Read:
    """A file: its outermost value, the names that `let` gives one literal value in it, and whether its end was not read."""

    value: Value
    names: dict[str, Value]
    cut: bool


def parse(source: Source) -> Read:
    """A file's expression; behind the arguments of functions, behind `with` and `let`, what they give."""
    reader = _Reader(source.text)
    value = reader.expression(0)
    return Read(value, {name: found for name, found in reader.names.items() if name not in reader.twice}, reader.left <= 0)


def settings(value: Value, above: tuple[str, ...] = (), depth: int = 0) -> Iterator[tuple[tuple[str, ...], Value, int]]:
    """Each value that is no set, with all names that lead there and the offset of the last of them; sets in lists are not looked into."""
    if isinstance(value, Set) and depth < DEEPEST:
        for names, inside, at in value.pairs:
            if isinstance(inside, Set):
                yield from settings(inside, (*above, *names), depth + 1)
            else:
                yield (*above, *names), inside, at


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.left = MOST
        self.start = 0
        self.kind = ""
        self.word = ""
        self.names: dict[str, Value] = {}
        self.twice: set[str] = set()
        self.next()

    def next(self) -> None:
        text = self.text
        while True:
            found = _TOKEN.match(text, self.at)
            if found is None or self.left <= 0:
                self.kind, self.word, self.start = "", "", len(text)
                return
            self.left -= 1
            kind = found.lastgroup or ""
            if kind == "blank":
                self.at = found.end()
            elif kind == "comment":
                end = text.find("*/", found.end())
                self.at = len(text) if end < 0 else end + 2
            else:
                self.kind, self.word, self.start, self.at = kind, found[0], found.start(), found.end()
                return

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.word in signs

    def is_name(self, *names: str) -> bool:
        return self.kind == "name" and self.word in names

    def expression(self, depth: int) -> Value:
        """Up to the semicolon, the bracket or the keyword that ends it."""
        start = self.start
        if depth > DEEPEST:
            self._to_end()
            return Bare("", start)
        while True:
            if self.is_name("let"):
                self.next()
                for names, value, _ in self._bindings(depth, ("in",)):
                    if len(names) == 1:
                        if names[0] in self.names:
                            self.twice.add(names[0])
                        self.names[names[0]] = value
                if self.is_name("in"):
                    self.next()
                continue
            if self.is_name("with", "assert"):
                self.next()
                self.expression(depth + 1)
                if self.is_sign(";"):
                    self.next()
                continue
            if self.is_name("if"):
                return self._condition(depth)
            if self._past_arguments(depth):
                continue
            return self._operation(depth)

    def _condition(self, depth: int) -> Value:
        start = self.start
        self.next()
        self.expression(depth + 1)
        for word in ("then", "else"):
            if self.is_name(word):
                self.next()
                self.expression(depth + 1)
        return Bare("", start)

    def _past_arguments(self, depth: int) -> bool:
        """Past `x:`, `{ a, b ? c, ... }:` and `args@{ ... }:`; False, and nothing taken, where no function begins here."""
        text = self.text
        if self.kind == "name" and self.word not in _KEYWORDS:
            found = _AFTER_NAME.match(text, self.at)
            if found is not None and found[0].endswith(":") and text[found.end() : found.end() + 1] not in (":", "/"):
                self.at = found.end()
                self.next()
                return True
            if found is not None and found[0].endswith("@"):
                self.at = found.end()
                self.next()
        if not self.is_sign("{") or _FORMALS.match(text, self.at) is None:
            return False
        kept = (self.at, self.start, self.kind, self.word, self.left)
        self.next()
        while self.kind and not self.is_sign("}"):
            if self.kind == "name" or self.is_sign("...", ","):
                self.next()
            elif self.is_sign("?"):
                self.next()
                self._default(depth + 1)
            else:
                break
        if self.is_sign("}"):
            self.next()
            if self.is_sign("@"):
                self.next()
                self.next()
            if self.is_sign(":"):
                self.next()
                return True
        self.at, self.start, self.kind, self.word, _ = kept
        return False

    def _default(self, depth: int) -> None:
        while self.kind and not self.is_sign(",", "}") and depth <= DEEPEST:
            self._one(depth)

    def _operation(self, depth: int) -> Value:
        """One value, applied and joined: a union of sets is the pairs of both, all else that an operator makes is computed."""
        value = self._application(depth)
        while self.kind == "sign" and self.word in (
            "//",
            "++",
            "+",
            "-",
            "*",
            "/",
            "==",
            "!=",
            "<",
            ">",
            "<=",
            ">=",
            "&&",
            "||",
            "->",
            "?",
            "!",
            "|",
        ):
            sign = self.word
            self.next()
            other = self.expression(depth + 1) if self.is_name("let", "with", "if", "assert") else self._application(depth)
            if sign == "//" and isinstance(value, Set) and isinstance(other, Set):
                value = Set((*value.pairs, *other.pairs), value.at)
            elif sign == "//" and isinstance(value, Set | Bare) and isinstance(other, Set | Bare):
                value = value if isinstance(value, Set) else other
            elif sign == "++" and isinstance(value, Items) and isinstance(other, Items):
                value = Items((*value.values, *other.values), value.at)
            else:
                value = Bare("", value.at)
        return value

    def _application(self, depth: int) -> Value:
        start = self.start
        first = self._one(depth)
        given: list[Value] = []
        while self._begins_value():
            if self._past_arguments(depth):
                given.append(self.expression(depth + 1))
                break
            given.append(self._one(depth))
        if not given:
            return first
        function = first.text.rpartition(".")[2] if isinstance(first, Bare) else ""
        if function in _THROUGH:
            last = given[-1]
            if function == "mkMerge" and isinstance(last, Items):
                return Set(tuple(pair for each in last.values if isinstance(each, Set) for pair in each.pairs), start)
            return last
        return Bare("", start)

    def _begins_value(self) -> bool:
        if self.kind == "name":
            return self.word not in ("in", "then", "else", "or", "inherit")
        return self.kind in ("number", "path", "quote", "long") or self.is_sign("{", "[", "(")

    def _one(self, depth: int) -> Value:
        while self.is_name("rec"):
            self.next()
        start = self.start
        value: Value = Bare("", start)
        if self.kind == "quote":
            value = self.quoted()
        elif self.kind == "long":
            value = self.long()
        elif self.kind in ("number", "path"):
            value = Bare(self.word, start)
            self.next()
        elif self.kind == "name":
            words = [self.word]
            self.next()
            while self.is_sign("."):
                self.next()
                if self.kind == "name":
                    words.append(self.word)
                    self.next()
                elif self.kind == "quote":
                    words.append("".join(part.text if not part.filled else "\ufffd" for part in self.quoted().parts))
                elif self.is_sign("${"):
                    self._past_blank()
                    words.append("\ufffd")
                else:
                    break
            return Bare(".".join(words), start)
        elif depth > DEEPEST:
            self._past_bracket()
            return value
        elif self.is_sign("{"):
            self.next()
            value = Set(tuple(self._bindings(depth + 1, ())), start)
            if self.is_sign("}"):
                self.next()
        elif self.is_sign("["):
            self.next()
            values = []
            while self.kind and not self.is_sign("]", ")", "}", ";"):
                values.append(self._one(depth + 1))
            if self.is_sign("]"):
                self.next()
            value = Items(tuple(values), start)
        elif self.is_sign("("):
            self.next()
            value = self.expression(depth + 1)
            while self.kind and not self.is_sign(")", "}", "]", ";"):
                self.next()
            if self.is_sign(")"):
                self.next()
        elif self.is_sign("-", "!"):
            self.next()
            self._one(depth + 1)
            return Bare("", start)
        elif self.kind:
            self.next()
        if self.is_sign("."):
            while self.is_sign("."):
                self.next()
                if self.kind in ("name", "quote"):
                    self.quoted() if self.kind == "quote" else self.next()
            return Bare("", start)
        return value

    def _bindings(self, depth: int, ends: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value, int]]:
        """`a.b = value;` one after the other; what is inherited is not known."""
        while self.kind and not self.is_sign("}", ")", "]") and not (self.kind == "name" and self.word in ends):
            if self.is_name("inherit"):
                while self.kind and not self.is_sign(";", "}"):
                    self._past_bracket() if self.is_sign("(") else self.next()
            else:
                names, start = self._names()
                if self.is_sign("="):
                    self.next()
                    value = self.expression(depth + 1)
                    if names:
                        yield names, value, start
                elif not names and self.kind:
                    self._past_bracket()
            while self.kind and not self.is_sign(";", "}", ")", "]") and not (self.kind == "name" and self.word in ends):
                self._past_bracket()
            if self.is_sign(";"):
                self.next()

    def _names(self) -> tuple[tuple[str, ...], int]:
        names: list[str] = []
        start = self.start
        while True:
            start = self.start
            if self.kind == "name":
                names.append(self.word)
                self.next()
            elif self.kind == "quote":
                names.append("".join(part.text if not part.filled else "\ufffd" for part in self.quoted().parts))
            elif self.is_sign("${"):
                self._past_blank()
                names.append("\ufffd")
            else:
                return (), start
            if not self.is_sign("."):
                return tuple(names), start
            self.next()

    def _past_blank(self) -> None:
        self.at = _blank_end(self.text, self.at)
        self.next()

    def _past_bracket(self) -> None:
        """Past one token, and past all that a bracket holds."""
        depth = 0
        while self.kind:
            if self.kind == "quote":
                self.quoted()
            elif self.kind == "long":
                self.long()
            else:
                if self.is_sign("{", "[", "(", "${"):
                    depth += 1
                elif self.is_sign("}", "]", ")"):
                    depth -= 1
                self.next()
            if depth <= 0:
                return

    def _to_end(self) -> None:
        while self.kind and not self.is_sign(";", "}", "]", ")"):
            self._past_bracket()

    def quoted(self) -> String:
        text, start, at = self.text, self.start, self.at
        parts, done, end = [], at, len(text)
        while at < end and text[at] != '"':
            if text[at] == "\\":
                letter = text[at + 1 : at + 2]
                parts += [Part(text[done:at], done), Part({"n": "\n", "t": "\t", "r": "\r"}.get(letter, letter), at, exact=False)]
                at = done = at + 2
            elif text[at : at + 2] == "$$":
                at += 2
            elif text[at : at + 2] == "${":
                stop = _blank_end(text, at + 2)
                parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip(), at, filled=True)]
                at = done = stop
            else:
                at += 1
        parts.append(Part(text[done:at], done))
        self.at = min(at + 1, end)
        self.next()
        return String(tuple(part for part in parts if part.text or part.filled), start)

    def long(self) -> String:
        text, start, at = self.text, self.start, self.at
        first = text.find("\n", at) + 1
        if first > 0 and not text[at:first].strip():
            at = first
        parts, done, end, first = [], at, len(text), at
        while at < end:
            two = text[at : at + 2]
            if two == "''":
                third = text[at + 2 : at + 3]
                if third == "$":
                    parts += [Part(text[done:at], done), Part("$", at, exact=False)]
                    at = done = at + 3
                elif third == "'":
                    parts += [Part(text[done:at], done), Part("''", at, exact=False)]
                    at = done = at + 3
                elif third == "\\":
                    letter = text[at + 3 : at + 4]
                    parts += [Part(text[done:at], done), Part({"n": "\n", "t": "\t", "r": "\r"}.get(letter, letter), at, exact=False)]
                    at = done = at + 4
                else:
                    break
            elif two == "$$":
                at += 2
            elif two == "${":
                stop = _blank_end(text, at + 2)
                parts += [Part(text[done:at], done), Part(text[at + 2 : stop - 1].strip(), at, filled=True)]
                at = done = stop
            else:
                at += 1
        parts.append(Part(text[done:at], done))
        lines = text[first:at].split("\n")
        indent = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        self.at = min(at + 2, end)
        self.next()
        return String(tuple(part for part in parts if part.text or part.filled), start, indent, long=True)


_AFTER_NAME = lazy_regex(r"[ \t\r\n]*[:@]")
# `{ a, b ? 1 }:` and `{ a = 1; }` begin alike; only the first has a comma, a question mark, dots or its end behind a name.
_FORMALS = lazy_regex(r"(?:[ \t\r\n]|#[^\n]*\n)*(?:\}|\.\.\.|[A-Za-z_][\w'-]*(?:[ \t\r\n]|#[^\n]*\n)*(?:[,?]|\}))")


def _blank_end(text: str, at: int) -> int:
    """Behind the brace that ends a blank whose inside begins at `at`."""
    stack = ["}"]
    while at < len(text) and stack:
        top, char = stack[-1], text[at]
        if top == '"':
            if char == "\\":
                at += 1
            elif char == '"':
                stack.pop()
            elif text[at : at + 2] == "${":
                stack.append("}")
                at += 1
        elif top == "''":
            if text[at : at + 2] == "''" and text[at + 2 : at + 3] not in ("$", "'", "\\"):
                stack.pop()
                at += 1
            elif text[at : at + 2] == "''":
                at += 2
            elif text[at : at + 2] == "${":
                stack.append("}")
                at += 1
        elif char == '"':
            stack.append('"')
        elif text[at : at + 2] == "''":
            stack.append("''")
            at += 1
        elif char == "{":
            stack.append("}")
        elif char == "}":
            stack.pop()
        at += 1
    return at
