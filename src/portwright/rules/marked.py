"""YAML as rule files use it: mappings, lists and scalars, each with the place it was written at.

Refused, with the place: aliases, merge keys, tags, duplicate keys, several documents, deep nesting, large files, characters that steer
terminals or hide text. Events are read one by one (libyaml's composer overflows the stack on 100,000 brackets, its parser does not).
Only `true`, `false`, `null` and decimal numbers are not text, so `no`, `on` and `010` mean what they look like.
"""

from typing import Any

from portwright._start.records import dataclass
from portwright.numbers import signed
from portwright.source import RuleError, Span

_LARGEST = 64 * 1024
_DEEPEST = 8

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar; `text` is what was written."""

    at: Span
    value: Scalar
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    at: Span
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; `keys` says where each key stands."""

    at: Span
    entries: dict[str, "Node"]
    keys: dict[str, Span]


Node = Leaf | Items | Table


def parse(text: str, path: str, what: str = "a rule file", largest: int = _LARGEST) -> Node:
    """The one document of a rule file, or of `what` is written like one; raises RuleError at the first thing that may not stand in it."""
    import yaml

    if len(text) > largest:
        raise RuleError(Span.whole(path), f"{what} of more than {largest // 1024} KiB")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = _Reader(path, yaml.parse(text, Loader=loader), what.removesuffix(" file") if what == "a rule file" else what)
        found = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Span.whole(path) if mark is None else Span(path, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
        if "nesting depth" in (error.problem or ""):  # newer libyamls look ahead, and have a limit of their own
            raise RuleError(at, f"nested deeper than {_DEEPEST} levels") from error
        problem = error.problem or error.context or ""
        raise RuleError(at, f"not YAML: {problem}{_advice(problem)}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise RuleError(Span(path, line, column, line, column + 1), f"not YAML: {error.reason}") from error
    return found


def plain(node: Node) -> object:
    """The bare data of a node, as jsonschema wants it."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.entries.items()}


class _Reader:
    def __init__(self, path: str, events: Any, what: str) -> None:
        self._path = path
        self._what = what
        self._events = events

    def document(self) -> Node:
        import yaml

        self._next()  # StreamStart
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise RuleError(Span.whole(self._path), "the file is empty")
        found = self._node(self._next(), 0)
        self._next()  # DocumentEnd
        rest = self._next()
        if not isinstance(rest, yaml.StreamEndEvent):
            raise RuleError(self._at(rest), f"a second document: a file holds {'one rule' if self._what == 'a rule' else 'one'}")
        return found

    def _next(self) -> Any:
        return next(self._events)

    def _at(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self._path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _node(self, event: Any, depth: int) -> Node:
        import yaml

        at = self._at(event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise RuleError(at, f"anchors and aliases are not allowed in {self._what}")
        if event.tag is not None:
            raise RuleError(at, f"tags are not allowed in {self._what}: {event.tag[:60]}")
        if isinstance(event, yaml.ScalarEvent):
            # A file of an example may have the line ends of Windows.
            text = event.value.replace("\r\n", "\n")
            hidden = next((letter for letter in text if not letter.isprintable() and letter not in "\n\t"), None)
            if hidden is not None:
                raise RuleError(at, f"an invisible character: U+{ord(hidden):04X}")
            return Leaf(at, _scalar(event.value) if event.implicit[0] else event.value, event.value)
        if depth >= _DEEPEST:
            raise RuleError(at, f"nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Node] = []
            while not isinstance(event := self._next(), yaml.SequenceEndEvent):
                items.append(self._node(event, depth + 1))
            return Items(at.to(self._at(event)), tuple(items))
        entries: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Leaf):
                raise RuleError(key.at, "a key must be a word")
            if key.text == "<<":
                raise RuleError(key.at, f"merge keys are not allowed in {self._what}")
            if key.text in entries:
                raise RuleError(key.at, f"{key.text[:60]} is repeated here; first in line {keys[key.text].line}")
            entries[key.text] = self._node(self._next(), depth + 1)
            keys[key.text] = key.at
        return Table(at.to(self._at(event)), entries, keys)


def _advice(problem: str) -> str:
    """What most likely led to a complaint of libyaml."""
    if "mapping values are not allowed" in problem:
        return ": quote a text that holds a colon and a blank"
    if "did not find expected" in problem:
        return ": look at the quotes, brackets and indentation of this line and of those above"
    if "cannot start any token" in problem:
        return ": quote a text that begins with such a character, and indent with blanks, not with tabs"
    return ""


def _scalar(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    if text in ("null", "~", ""):
        return None
    digits = text.removeprefix("-")
    number = signed(text, 10**18 - 1)
    return text if number is None or (digits != "0" and digits.startswith("0")) else number
