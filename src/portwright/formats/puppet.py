"""Puppet manifests: the resources that are declared, with what is literal in them; nothing is evaluated, and conditions count as met."""

import re

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.formats.parts import Part
from portwright.source import Source

DEEPEST = 64
"""Brackets inside brackets that are followed."""

_TOKEN = lazy_regex(
    r"(?P<blank>(?:[ \t\r\n]|#[^\n]*)+)|(?P<comment>/\*)|(?P<single>')|(?P<double>\")"
    r"|(?P<here>@\(\s*\"?[^\n)\"/]{1,80}\"?\s*(?:/[a-zA-Z$]*)?\s*\))|(?P<variable>\$(?:::)?\w+(?:::\w+)*)"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<name>(?:::)?\w+(?:::\w+)*)|(?P<sign>=>|\+>|->|~>|<-|<~|==|!=|=~|!~|<=|>=|<\||\|>|<<\||\|>>|.)",
    re.DOTALL,
)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "s": " "}


@dataclass(frozen=True, slots=True)
class String:
    """A string or a heredoc, of whose lines `indent` blanks do not belong to it."""

    parts: tuple[Part, ...]
    at: int
    indent: int = 0
    here: bool = False


@dataclass(frozen=True, slots=True)
class Bare:
    """A number, a word or a variable (with its $); "" for what has to be computed."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Items:
    """An array."""

    values: tuple["Value", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash."""

    pairs: tuple[tuple["Value", "Value"], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function with what it is given: template('web/site.erb')."""

    name: str
    arguments: tuple["Value", ...]
    at: int


Value = String | Bare | Items | Hash | Call


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
    calls: tuple[Call, ...]


def parse(source: Source) -> Manifest:
    """The resources of a manifest, those inside of classes, defines and conditions, too; virtual and exported ones are left out."""
    reader = _Reader(source.text)
    reader.body()
    variables = {name: value for name, value in reader.variables.items() if name not in reader.twice}
    return Manifest(tuple(reader.resources), variables, tuple(reader.calls))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.kind = ""
        self.word = ""
        self.resources: list[Resource] = []
        self.variables: dict[str, Value] = {}
        self.twice: set[str] = set()
        self.calls: list[Call] = []
        self.endless: set[str] = set()
        self.next()

    def next(self) -> None:
        text = self.text
        while True:
            found = _TOKEN.match(text, self.at)
            if found is None:
                self.kind, self.word, self.start = "", "", len(text)
                return
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
                self._skip_one()
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
                    self._skip_one()
            if self.is_sign("{"):
                inside.append(f"{word} {name}")
                self.next()
            return
        if word in ("if", "elsif", "unless", "case", "else"):
            while self.kind and not self.is_sign("{", "}"):
                self._skip_one()
            if self.is_sign("{"):
                inside.append(around)
                self.next()
            return
        if self.is_sign("{") and not word[:1].isupper():
            self.next()
            self._resources(word.removeprefix("::"), around, virtual)
            return
        if self.is_sign("{"):
            self._past_bracket()  # the defaults of a type
            return
        if self.is_sign("("):
            call = self._call(word, start, 0)
            self.calls.append(call)
        elif self.is_sign("["):
            self._past_bracket()
            if self.is_sign("{"):
                self._past_bracket()

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
                self._skip_one()
        if self.is_sign(")"):
            self.next()

    def _resources(self, kind: str, inside: str, virtual: bool) -> None:
        """`title: name => value, ...; title: ...` up to the closing brace."""
        while self.kind and not self.is_sign("}"):
            title = self.value(0)
            if not self.is_sign(":"):
                # No resource: a condition's block, or words this reader does not know.
                while self.kind and not self.is_sign("}"):
                    self._skip_one()
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
                    self._skip_one()
            if self.is_sign(";"):
                self.next()
            if not virtual:
                titles = title.values if isinstance(title, Items) else (title,)
                self.resources += [Resource(kind, each, values, inside) for each in titles]
        if self.is_sign("}"):
            self.next()

    def _skip_one(self) -> None:
        if self.kind in ("single", "double", "here"):
            self.value(DEEPEST)
        elif self.is_sign("{", "[", "("):
            self._past_bracket()
        else:
            self.next()

    def _past_bracket(self) -> None:
        depth = 0
        while self.kind:
            if self.kind in ("single", "double", "here"):
                self._text()
                continue
            if self.is_sign("{", "[", "("):
                depth += 1
            elif self.is_sign("}", "]", ")"):
                depth -= 1
            self.next()
            if depth <= 0:
                return

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
                self._past_bracket()
            elif self.is_sign("?"):
                self.next()
                self._skip_one()
            elif self.is_sign("."):
                self.next()
                self.next()
                if self.is_sign("("):
                    self._past_bracket()
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
        if self.kind in ("single", "double", "here"):
            return self._text()
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
                self._past_bracket()
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
                    self._skip_one()
            if self.is_sign("]"):
                self.next()
            return Items(tuple(values), start)
        if self.is_sign("{") and depth < DEEPEST:
            return self._hash(depth)
        self._skip_one()
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
                self._skip_one()
            if self.is_sign(","):
                self.next()
        if self.is_sign("}"):
            self.next()
        return Hash(tuple(pairs), start)

    def _call(self, name: str, start: int, depth: int) -> Call:
        self.next()
        arguments = []
        while self.kind and not self.is_sign(")", "}", ";"):
            arguments.append(self.value(depth + 1))
            if self.is_sign(","):
                self.next()
            elif not self.is_sign(")", "}", ";"):
                self._skip_one()
        if self.is_sign(")"):
            self.next()
        return Call(name, tuple(arguments), start)

    def _text(self) -> Value:
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
        return String(tuple(part for part in parts if part.text or part.filled), start)

    def _here(self) -> Value:
        text, start = self.text, self.start
        inner = self.word[2:-1].strip()
        name, _, _ = inner.partition("/")
        name = name.strip()
        double = name.startswith('"')
        name = name.strip('"').partition(":")[0].strip()
        first = text.find("\n", self.at) + 1
        found = None
        if first > 0 and name and name not in self.endless:
            found = re.compile(rf"^([ \t]*)(?:(\|)[ \t]*)?(?:-[ \t]*)?{re.escape(name)}[ \t]*\r?$", re.MULTILINE).search(text, first)
        if found is None:
            # Nor is there an end for a later one.
            self.endless.add(name)
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
        return String(tuple(part for part in parts if part.text or part.filled), start, indent, here=True)


_VARIABLE = lazy_regex(r"\$\{([^}\n]{0,200})\}|\$((?:::)?[a-z_]\w*(?:::\w+)*)")
