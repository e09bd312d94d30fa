"""Nix expressions: what attribute sets say literally, with the names that lead there; nothing is evaluated."""

import re
from collections.abc import Iterator
from typing import TypeAlias, Union

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.parts import Bare, Items, Part, String, string
from portwright.formats.token_reader import TokenReader
from portwright.source import Source

DEEPEST = 100
"""Brackets inside brackets that are followed."""

_TOKEN = lazy_regex(
    r"(?P<blank>(?:[ \t\r\n]|#[^\n]*)+)|(?P<comment>/\*)|(?P<long>'')|(?P<quote>\")"
    r"|(?P<path>(?:\.{1,2}|~)?/(?!/)[\w.+/-]+|<[\w.+/-]{1,200}>)|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][\w'-]*)|(?P<sign>\$\{|\.\.\.|\+\+|//|->|==|!=|<=|>=|&&|\|\||.)",
    re.DOTALL,
)
_KEYWORDS = frozenset(("let", "in", "with", "rec", "if", "then", "else", "inherit", "assert", "or"))


@dataclass(frozen=True, slots=True)
class Set:
    """An attribute set: the names that lead to each value, as far as they are literal (None where one is computed)."""

    pairs: tuple[tuple[tuple[str, ...], "Value", int], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Script:
    """A shell script that is written into the store (`writeShellScript`), and run by its path there."""

    name: str
    text: String
    at: int


Value: TypeAlias = Union[String, Bare, "Items[Value]", Set, Script]

# What leaves a value as it is: modules are merged by its priority, or it is made from another form of the same.
_THROUGH = frozenset(("mkDefault", "mkForce", "mkBefore", "mkAfter", "toString", "mkIf", "mkOverride", "optionalAttrs", "mkMerge", "toInt"))


@dataclass(frozen=True, slots=True)
class Read:
    """A file: its outermost value, the names that `let` gives one literal value in it, and whether its end was not read.

    `options` are where declarations of options begin and end: what they say is a default, not a setting.
    """

    value: Value
    names: dict[str, Value]
    cut: bool
    options: tuple[tuple[int, int], ...] = ()


def parse(source: Source) -> Read:
    """A file's expression; behind the arguments of functions, behind `with` and `let`, what they give."""
    reader = _Reader(source.text)
    value = reader.expression(0)
    names = {name: found for name, found in reader.names.items() if name not in reader.twice}
    return Read(value, names, reader.left <= 0, tuple(reader.options))


class _Reader(TokenReader):
    texts = ("quote", "long")

    def __init__(self, text: str) -> None:
        self.names: dict[str, Value] = {}
        self.twice: set[str] = set()
        self.no_arguments: set[int] = set()
        self.options: list[tuple[int, int]] = []
        super().__init__(text, _TOKEN)

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
        begun = self.start
        if not self.is_sign("{") or begun in self.no_arguments or _FORMALS.match(text, self.at) is None:
            return False
        kept = (self.at, self.start, self.kind, self.word)
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
        self.at, self.start, self.kind, self.word = kept
        # What is inside is read once more as what it is: each bracket around it would double that.
        self.no_arguments.add(begun)
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
            elif sign == "++" and isinstance(value, Items):
                value = Items((*value.values, Bare("", value.at)), value.at)
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
        return self._called(function, given, start)

    def _called(self, function: str, given: list[Value], start: int) -> Value:
        """What a function of the library makes that says something literal: the default of an option, a script, words joined."""
        last = given[-1]
        if function == "mkOption" and isinstance(last, Set):
            self.options.append((start, self.start))
            return next((value for names, value, _ in last.pairs if names == ("default",)), Bare("", start))
        if function in _SCRIPTS and isinstance(last, String) and isinstance(given[0], String):
            return Script("".join(part.text for part in given[0].parts), last, start)
        if function == "writeShellApplication" and isinstance(last, Set):
            said = {names[0]: value for names, value, _ in last.pairs if len(names) == 1}
            name, text = said.get("name"), said.get("text")
            if isinstance(text, String):
                return Script("".join(part.text for part in name.parts) if isinstance(name, String) else "", text, start)
        if function in _JOINING and isinstance(last, Items):
            between = given[0] if function == "concatStringsSep" else String((Part(" ", start, exact=False),), start)
            if isinstance(between, String):
                return _joined(last, between)
        if function in _READING and isinstance(last, Bare):
            return last
        if function == "getExe" and isinstance(last, Bare) and last.text:
            return String((Part(f"lib.getExe {last.text}", start, filled=True),), start)
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
        if self.kind in self.texts:
            value = self.string()
        elif self.kind in ("number", "path"):
            value = Bare(self.word, start)
            self.next()
        elif self.kind == "name":
            words = [self.word]
            self.next()
            while self.is_sign("."):
                self.next()
                word = self._name()
                if word is None:
                    break
                words.append(word)
            return Bare(".".join(words), start)
        elif depth > DEEPEST:
            self.skip()
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
                    self.skip()
            return Bare("", start)
        return value

    def _bindings(self, depth: int, ends: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value, int]]:
        """`a.b = value;` one after the other; what is inherited is called as it is where it comes from."""
        while self.kind and not self.is_sign("}", ")", "]") and not (self.kind == "name" and self.word in ends):
            if self.is_name("inherit"):
                yield from self._inherited(depth)
            else:
                names, start = self._names()
                if self.is_sign("="):
                    self.next()
                    value = self.expression(depth + 1)
                    if names:
                        yield names, value, start
                elif not names and self.kind:
                    self.skip()
            while self.kind and not self.is_sign(";", "}", ")", "]") and not (self.kind == "name" and self.word in ends):
                self.skip()
            if self.is_sign(";"):
                self.next()

    def _inherited(self, depth: int) -> Iterator[tuple[tuple[str, ...], Value, int]]:
        """`inherit (cfg) port;`; a name that is inherited of what stands around may be anything there."""
        self.next()
        of: Value | None = None
        if self.is_sign("("):
            of = self._one(depth + 1)
        while self.kind and not self.is_sign(";", "}"):
            if self.kind == "name" and isinstance(of, Bare) and of.text:
                yield (self.word,), Bare(f"{of.text}.{self.word}", self.start), self.start
            self.skip() if self.is_sign("(") else self.next()

    def _names(self) -> tuple[tuple[str, ...], int]:
        names: list[str] = []
        while True:
            start = self.start
            name = self._name()
            if name is None:
                return (), start
            names.append(name)
            if not self.is_sign("."):
                return tuple(names), start
            self.next()

    def _name(self) -> str | None:
        """One name of those between dots, U+FFFD in it for what is computed; None, and nothing taken, where none begins."""
        word = self.word
        if self.kind == "name":
            self.next()
            return word
        if self.kind == "quote":
            return "".join(part.text if not part.filled else "\ufffd" for part in self._quoted().parts)
        if self.is_sign("${"):
            self._past_blank()
            return "\ufffd"
        return None

    def _past_blank(self) -> None:
        self.at = _blank_end(self.text, self.at)
        self.next()

    def _to_end(self) -> None:
        while self.kind and not self.is_sign(";", "}", "]", ")"):
            self.skip()

    def string(self) -> String:
        begun = self.start
        found = self._quoted() if self.kind == "quote" else self._long()
        # A bracket that may be that of a function's arguments is looked at twice, and so are the strings in it, however long.
        self.left -= (self.start - begun) // 8
        return found

    def _quoted(self) -> String:
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
        return string(parts, start)

    def _long(self) -> String:
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
        return string(parts, start, indent)


_SCRIPTS = frozenset(("writeShellScript", "writeShellScriptBin", "writeScript", "writeScriptBin"))
_READING = frozenset(("import", "importJSON", "readFile", "fromJSON"))
"""What is read of a file is that file's path."""
_JOINING = frozenset(("concatStringsSep", "escapeShellArgs"))


def _joined(items: "Items[Value]", between: String) -> String:
    """The words of a list as one string; what is no literal word is a blank of it."""
    parts: list[Part] = []
    for count, each in enumerate(items.values):
        # What stands between is written nowhere near the word that follows.
        parts += [Part(part.text, each.at, part.filled, exact=False) for part in between.parts] if count else []
        if isinstance(each, String):
            parts += each.parts
        else:
            parts.append(Part(each.text if isinstance(each, Bare) else "", each.at, filled=True))
    return string(parts, items.at)


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
