"""YAML as nodes: mappings are children, lists of words are values, lists of mappings are nodes of one key."""

from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.formats.nodes import DEEPEST, Node, Parsed
from portwright.source import Source, Span, Unreadable, Word

MOST_EVENTS = 200_000
_PROPERTIES = lazy_regex(r"(?:[&!][^\s,\[\]{}]{0,1024}\s{1,64}(?=\S)){0,2}")
_UNDECODED = lazy_regex("[\ud800-\udfff]")


@dataclass(slots=True)
class _Open:
    """A mapping or list being read, under the key that names it."""

    key: Word | None
    mapping: bool
    pending: Word | None = None
    values: list[Word] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    anchor: str | None = None
    merged: list[Node] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an alias stands for: a word, a mapping's children, or what a list holds; with how many events it is made of."""

    kind: str
    size: int
    key: Word | None = None
    values: tuple[Word, ...] = ()
    children: tuple[Node, ...] = ()
    is_empty: bool = False


class _TooMuch(Exception):
    """Aliases of aliases stand for more than is read."""


def parse(source: Source) -> Parsed:
    """The top-level keys of the first document. An alias stands for what its anchor names, and `<<` for the keys that its mapping lacks.

    What is written once keeps its place wherever it counts. A file that is no YAML is told with its place.

    Events are read one by one: libyaml's composer overflows the stack on deep nesting, its parser does not.
    """
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    if _UNDECODED.search(source.text):
        return (), (Unreadable(Span.whole(source.path), "not UTF-8, so not YAML"),)
    root = _Open(None, mapping=True)
    stack = [root]
    anchors: dict[str, _Anchored] = {}
    try:
        for count, event in enumerate(yaml.parse(source.text, Loader=loader)):
            if count > MOST_EVENTS or len(stack) > DEEPEST:
                reason = f"more than {DEEPEST} levels" if len(stack) > DEEPEST else "too long"
                return tuple(root.children), (Unreadable(_span(source, event), f"{reason}: the rest is not read"),)
            if isinstance(event, yaml.DocumentEndEvent):
                break
            try:
                _take(source, event, stack, yaml, anchors)
            except _TooMuch:
                reason = f"aliases stand for more than {MOST_EVENTS:,} words: the rest is not read"
                return tuple(root.children), (Unreadable(_span(source, event), reason),)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = Span.whole(source.path) if mark is None else Span(source.path, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 1)
        problem = getattr(error, "problem", None) or "unreadable characters"
        if "nesting depth" in problem:  # newer libyamls look ahead, and have a limit of their own
            return tuple(root.children), (Unreadable(at, f"more than {DEEPEST} levels: the rest is not read"),)
        return (), (Unreadable(at, f"not YAML: {problem}"),)
    return tuple(root.children), ()


def _take(source: Source, event: Any, stack: list[_Open], yaml: Any, anchors: dict[str, _Anchored]) -> None:
    top = stack[-1]
    top.size += 1
    if isinstance(event, yaml.AliasEvent):
        known = anchors.get(event.anchor)
        if known is not None and not (top.mapping and top.pending is None):
            _stand_for(known, stack)
        else:
            _word(Word("", _span(source, event)), top, is_empty=True)
    elif isinstance(event, yaml.ScalarEvent):
        word = Word(event.value, _span_of_value(source, event))
        is_empty = event.value in ("", "~", "null") and not event.style
        if event.anchor:
            anchors[event.anchor] = _Anchored("word", 1, values=(word,), is_empty=is_empty)
        _word(word, top, is_empty=is_empty)
    elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        key = top.pending if top.mapping else top.key
        stack.append(_Open(key, isinstance(event, yaml.MappingStartEvent), anchor=event.anchor))
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        done = stack.pop()
        if done.merged:
            own = {child.key.text for child in done.children}
            done.children += tuple(node for node in done.merged if node.key.text not in own)
        held = _Anchored("mapping" if done.mapping else "list", done.size, done.key, tuple(done.values), tuple(done.children))
        if done.anchor:
            anchors[done.anchor] = held
        stack[-1].size += done.size
        _put(held, stack[-1])


def _word(word: Word, top: _Open, *, is_empty: bool) -> None:
    if not top.mapping:
        top.values.append(word)
    elif top.pending is None:
        top.pending = word
    else:
        # An empty value is no value: `interface:` alone leaves the daemon its default.
        top.children.append(Node(top.pending, () if is_empty else (word,)))
        top.pending = None


def _stand_for(known: _Anchored, stack: list[_Open]) -> None:
    """What an anchor names, in the place of an alias."""
    top = stack[-1]
    top.size += known.size
    if sum(each.size for each in stack) > MOST_EVENTS:
        raise _TooMuch
    if known.kind == "word":
        _word(known.values[0], top, is_empty=known.is_empty)
        return
    key = top.pending if top.mapping else top.key
    children = known.children
    if known.kind == "list" and key is not None:
        children = tuple(Node(key, node.values, node.children) if node.key is known.key else node for node in children)
    _put(_Anchored(known.kind, known.size, key, known.values, children), top)


def _put(done: _Anchored, outer: _Open) -> None:
    """A mapping or a list that has ended, into what is around it."""
    if outer.mapping and outer.pending is not None and outer.pending.text == "<<":
        # Of several the first one counts, and what the mapping says itself before them all.
        groups = (done.children,) if done.kind == "mapping" else tuple(node.children for node in done.children)
        for group in groups:
            known = {node.key.text for node in outer.merged}
            outer.merged += tuple(node for node in group if node.key.text not in known)
    elif done.key is None:
        outer.children.extend(done.children)
    elif done.kind == "mapping":
        outer.children.append(Node(done.key, (), done.children))
    elif not outer.mapping:
        outer.values.extend(done.values)
        outer.children.extend(done.children)
    else:
        # Items that are mappings were given the list's key; words are the list's own values.
        if done.values or not done.children:
            outer.children.append(Node(done.key, done.values))
        outer.children.extend(done.children)
    outer.pending = None


def _span(source: Source, event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(source.path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _span_of_value(source: Source, event: Any) -> Span:
    """Where a word stands, without the anchor and tag before it."""
    at = _span(source, event)
    if event.anchor or event.tag:
        before = _PROPERTIES.match(source.line(at.line), at.column - 1)
        if before is not None and before.end() > at.column - 1:
            return Span(at.path, at.line, before.end() + 1, at.end_line, at.end_column)
    return at
