"""Puppet manifests: the resources that are declared, with what is literal in them; nothing is evaluated, and conditions count as met."""

import re
from bisect import bisect_left
from typing import TypeAlias, Union

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.parts import Bare, Call, Items, Part, String, string
from portwright.formats.token_reader import TokenReader
from portwright.source import Source

DEEPEST = 64
"""Brackets inside brackets that are followed."""

_TOKEN = lazy_regex(
    r"(?P<blank>(?:[ \t\r\n]|#[^\n]*)+)|(?P<comment>/\*)|(?P<single>')|(?P<double>\")"
    r"|(?P<here>@\([ \t]{0,20}\"?[^\s)\"/][^\n)\"/]{0,79}\"?[ \t]{0,20}(?:/[a-zA-Z$]{0,20}[ \t]{0,20})?\))"
    r"|(?P<variable>\$(?:::)?\w+(?:::\w+)*)"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<name>(?:::)?\w+(?:::\w+)*)|(?P<sign>=>|\+>|->|~>|<-|<~|==|!=|=~|!~|<=|>=|<\||\|>|<<\||\|>>|.)",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "s": " "}


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash."""

    pairs: tuple[tuple["Value", "Value"], ...]
    at: int


Value: TypeAlias = Union[String, Bare, "Items[Value]", Hash, "Call[Value]"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource: each title is one of its own. `inside` is the class or define around it."""

    kind: str
    title: Value
    values: dict[str, Value]
    inside: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file declares, and the variables that it gives one value (a parameter's default counts)."""

    resources: tuple[Resource, ...]
    variables: dict[str, Value]


def parse(source: Source) -> Manifest:
    """The resources of a manifest, those inside of classes, defines and conditions, too; virtual and exported ones are left out."""
    reader = _Reader(source.text)
    reader.body()
    variables = {name: value for name, value in reader.variables.items() if name not in reader.twice}
    return Manifest(tuple(reader.resources), variables)


class _Reader(TokenReader):
    texts = ("single", "double", "here")

    def __init__(self, text: str) -> None:
        self.resources: list[Resource] = []
        self.variables: dict[str, Value] = {}
        self.twice: set[str] = set()
        self.ends: dict[str, list[re.Match[str]]] | None = None
        super().__init__(text, _TOKEN)

    def body(self) -> None:
        """All statements: a brace that opens is a block or the resources of the type before it."""
        inside: list[str] = []
        virtual = False
        while self.kind:
            if self.kind == "sign" and self.word == "}":
                if inside:
                    inside.pop()
                self.next()
            elif self.is_sign("@"):
                virtual = True
                self.next()
            elif self.kind == "variable":
                variable = self.word.lstrip("$").lstrip(":")
                self.next()
                if self.is_sign("="):
                    self.next()
                    if variable in self.variables:
                        self.twice.add(variable)
                    self.variables[variable] = self.value(0)
            elif self.kind == "name":
                self._statement(inside, virtual)
                virtual = False
            elif self.is_sign("{"):
                inside.append(inside[-1] if inside else "")
                self.next()
            else:
                self.skip()
                virtual = False

    def _statement(self, inside: list[str], virtual: bool) -> None:
        """What begins with a word: a class, a condition, a resource, a call."""
        word, start = self.word, self.start
        self.next()
        around = inside[-1] if inside else ""
        if word in ("class", "define", "node", "function", "plan", "type") and not self.is_sign("{"):
            name = self.word if self.kind == "name" else ""
            while self.kind and not self.is_sign("{", "}"):
                if self.is_sign("("):
                    self._parameters()
                else:
                    self.skip()
            if self.is_sign("{"):
                inside.append(f"{word} {name}")
                self.next()
            return
        if word in ("if", "elsif", "unless", "case", "else"):
            while self.kind and not self.is_sign("{", "}"):
                self.skip()
            if self.is_sign("{"):
                inside.append(around)
                self.next()
            return
        if self.is_sign("{") and not word[:1].isupper():
            self.next()
            self._resources(word.removeprefix("::"), around, virtual)
            return
        if self.is_sign("{"):
            self.skip()  # the defaults of a type
            return
        if self.is_sign("("):
            self._call(word, start, 0)
        elif self.is_sign("["):
            self.skip()
            if self.is_sign("{"):
                self.skip()

    def _parameters(self) -> None:
        """The parameters of a class or define, with their defaults."""
        self.next()
        while self.kind and not self.is_sign(")"):
            if self.kind == "variable":
                variable = self.word.lstrip("$")
                self.next()
                if self.is_sign("="):
                    self.next()
                    if variable in self.variables:
                        self.twice.add(variable)
                    self.variables[variable] = self.value(0)
            else:
                self.skip()
        if self.is_sign(")"):
            self.next()

    def _resources(self, kind: str, inside: str, virtual: bool) -> None:
        """`title: name => value, ...; title: ...` up to the closing brace."""
        while self.kind and not self.is_sign("}"):
            title = self.value(0)
            if not self.is_sign(":"):
                # No resource: a condition's block, or words this reader does not know.
                while self.kind and not self.is_sign("}"):
                    self.skip()
                break
            self.next()
            values: dict[str, Value] = {}
            while self.kind and not self.is_sign("}", ";"):
                if self.kind == "name" or self.is_sign("*"):
                    name = self.word
                    self.next()
                    if self.is_sign("=>", "+>"):
                        self.next()
                        values[name] = self.value(0)
                else:
                    self.skip()
            if self.is_sign(";"):
                self.next()
            if not virtual:
                titles = title.values if isinstance(title, Items) else (title,)
                self.resources += [Resource(kind, each, values, inside) for each in titles]
        if self.is_sign("}"):
            self.next()

    def value(self, depth: int) -> Value:
        """One value; an empty `Bare` where an operator or a selector makes something of it."""
        start = self.start
        found = self._one(depth)
        computed = False
        while (
            self.kind
            and self.kind == "sign"
            and self.word in ("+", "-", "*", "/", "%", "?", "==", "!=", "=~", "!~", "<", ">", "<=", ">=", ".", "[")
        ):
            computed = True
            if self.is_sign("["):
                self.skip()
            elif self.is_sign("?"):
                self.next()
                self.skip()
            elif self.is_sign("."):
                self.next()
                self.next()
                if self.is_sign("("):
                    self.skip()
                if self.is_sign("|"):
                    self.next()
            else:
                self.next()
                self._one(depth)
        while self.kind == "name" and self.word in ("in", "and", "or"):
            computed = True
            self.next()
            self._one(depth)
        return Bare("", start) if computed else found

    def _one(self, depth: int) -> Value:
        start = self.start
        if self.kind in self.texts:
            return self.string()
        if self.kind in ("number", "variable"):
            word = self.word
            self.next()
            return Bare(word, start)
        if self.kind == "name":
            word = self.word
            self.next()
            if self.is_sign("(") and depth < DEEPEST:
                return self._call(word, start, depth)
            if self.is_sign("[") and word[:1].isupper():
                self.skip()
                return Bare("", start)
            return Bare(word, start)
        if self.is_sign("[") and depth < DEEPEST:
            self.next()
            values = []
            while self.kind and not self.is_sign("]", "}", ")", ";"):
                values.append(self.value(depth + 1))
                if self.is_sign(","):
                    self.next()
                elif not self.is_sign("]", "}", ")", ";"):
                    self.skip()
            if self.is_sign("]"):
                self.next()
            return Items(tuple(values), start)
        if self.is_sign("{") and depth < DEEPEST:
            return self._hash(depth)
        self.skip()
        return Bare("", start)

    def _hash(self, depth: int) -> Value:
        start = self.start
        self.next()
        pairs = []
        while self.kind and not self.is_sign("}", "]", ")"):
            key = self.value(depth + 1)
            if self.is_sign("=>"):
                self.next()
                pairs.append((key, self.value(depth + 1)))
            elif not self.is_sign(",", "}", "]", ")"):
                self.skip()
            if self.is_sign(","):
                self.next()
        if self.is_sign("}"):
            self.next()
        return Hash(tuple(pairs), start)

    def _call(self, name: str, start: int, depth: int) -> "Call[Value]":
        self.next()
        arguments = []
        while self.kind and not self.is_sign(")", "}", ";"):
            arguments.append(self.value(depth + 1))
            if self.is_sign(","):
                self.next()
            elif not self.is_sign(")", "}", ";"):
                self.skip()
        if self.is_sign(")"):
            self.next()
        return Call(name, tuple(arguments), start)

    def string(self) -> String | Bare:
        if self.kind == "here":
            return self._here()
        return self._quoted()

    def _quoted(self) -> String:
        text, start, at, double = self.text, self.start, self.at, self.kind == "double"
        parts, done, end, mark = [], at, len(text), '"' if double else "'"
        while at < end and text[at] != mark:
            char = text[at]
            if char == "\\":
                letter = text[at + 1 : at + 2]
                if not double and letter not in ("'", "\\"):
                    at += 1
                    continue
                parts += [Part(text[done:at], done), Part(_LETTERS.get(letter, letter) if double else letter, at, exact=False)]
                at = done = at + 2
            elif double and char == "$":
                found = _VARIABLE.match(text, at)
                if found is None:
                    at += 1
                    continue
                parts += [Part(text[done:at], done), Part(found[1] or found[2] or "", at, filled=True)]
                at = done = found.end()
            else:
                at += 1
        parts.append(Part(text[done:at], done))
        self.at = min(at + 1, end)
        self.next()
        return string(parts, start)

    def _end(self, name: str, first: int) -> re.Match[str] | None:
        """The line that ends a heredoc of this name; all that may end one are looked for at once, as many may have none."""
        if self.ends is None:
            self.ends = {}
            for line in _END.finditer(self.text):
                self.ends.setdefault(line[3], []).append(line)
        lines = self.ends.get(name, [])
        at = bisect_left(lines, first, key=lambda line: line.start())
        return lines[at] if at < len(lines) else None

    def _here(self) -> String | Bare:
        text, start = self.text, self.start
        inner = self.word[2:-1].strip()
        name, _, _ = inner.partition("/")
        name = name.strip()
        double = name.startswith('"')
        name = name.strip('"').partition(":")[0].strip()
        first = text.find("\n", self.at) + 1
        found = self._end(name, first) if first > 0 else None
        if found is None:
            self.next()
            return Bare("", start)
        indent = len(found[1]) if found[2] else 0
        parts, done = [], first
        if double:
            for blank in _VARIABLE.finditer(text, first, found.start()):
                parts += [Part(text[done : blank.start()], done), Part(blank[1] or blank[2] or "", blank.start(), filled=True)]
                done = blank.end()
        parts.append(Part(text[done : found.start()], done))
        # What stands behind the mark on its line comes before the text, and the text is past.
        rest = text[self.at : first - 1]
        self.at = found.end()
        self.next()
        if rest.strip(" \t\r,;"):
            return Bare("", start)
        return string(parts, start, indent)


_END = lazy_regex(r"^([ \t]*)(?:(\|)[ \t]*)?(?:-[ \t]*)?([^\s|-](?:[^\n]*\S)?)[ \t\r]*$", re.MULTILINE)
_VARIABLE = lazy_regex(r"\$\{([^}\n]{0,200})\}|\$((?:::)?[a-z_]\w*(?:::\w+)*)")
