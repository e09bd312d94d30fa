"""YAML as nodes: mappings are children, lists of words are values, lists of mappings are nodes of one key."""

from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.nodes import DEEPEST, Node, Parsed
from portwright.source import Source, Span, Unreadable, Word

MOST_EVENTS = 200_000
_UNDECODED = lazy_regex("[\ud800-\udfff]")


@dataclass(slots=True)
class _Open:
    """A mapping or list being read, under the key that names it."""

    key: Word | None
    mapping: bool
    pending: Word | None = None
    values: list[Word] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)


def parse(source: Source) -> Parsed:
    """The top-level keys of the first document. Aliases stand for nothing, a file that is no YAML is told with its place.

    Events are read one by one: libyaml's composer overflows the stack on deep nesting, its parser does not.
    """
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    if _UNDECODED.search(source.text):
        return (), (Unreadable(Span.whole(source.path), "not UTF-8, so not YAML"),)
    root = _Open(None, mapping=True)
    stack = [root]
    try:
        for count, event in enumerate(yaml.parse(source.text, Loader=loader)):
            if count > MOST_EVENTS or len(stack) > DEEPEST:
                reason = f"more than {DEEPEST} levels" if len(stack) > DEEPEST else "too long"
                return tuple(root.children), (Unreadable(_span(source, event), f"{reason}: the rest is not read"),)
            if isinstance(event, yaml.DocumentEndEvent):
                break
            _take(source, event, stack, yaml)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = Span.whole(source.path) if mark is None else Span(source.path, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1)
        problem = getattr(error, "problem", None) or "unreadable characters"
        if "nesting depth" in problem:  # newer libyamls look ahead, and have a limit of their own
            return tuple(root.children), (Unreadable(at, f"more than {DEEPEST} levels: the rest is not read"),)
        return (), (Unreadable(at, f"not YAML: {problem}"),)
    return tuple(root.children), ()


def _take(source: Source, event: Any, stack: list[_Open], yaml: Any) -> None:
    top = stack[-1]
    if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
        text = event.value if isinstance(event, yaml.ScalarEvent) else ""
        word = Word(text, _span(source, event))
        if not top.mapping:
            top.values.append(word)
        elif top.pending is None:
            top.pending = word
        else:
            # An empty value is no value: `interface:` alone leaves the daemon its default.
            top.children.append(Node(top.pending, (word,) if text not in ("", "~", "null") or getattr(event, "style", None) else ()))
            top.pending = None
    elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        key = top.pending if top.mapping else top.key
        stack.append(_Open(key, isinstance(event, yaml.MappingStartEvent)))
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        done = stack.pop()
        outer = stack[-1]
        if done.key is None:
            outer.children.extend(done.children)
        elif done.mapping:
            outer.children.append(Node(done.key, (), tuple(done.children)))
        elif not outer.mapping:
            outer.values.extend(done.values)
            outer.children.extend(done.children)
        else:
            # Items that are mappings were given the list's key; words are the list's own values.
            if done.values or not done.children:
                outer.children.append(Node(done.key, tuple(done.values)))
            outer.children.extend(done.children)
        outer.pending = None


def _span(source: Source, event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(source.path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
