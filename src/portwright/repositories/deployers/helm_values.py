"""The values of a chart: YAML as tables, lists and scalars, each with the line that says it."""

from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.numbers import decimal
from portwright.repositories.deployers.placed import LONGEST

_MOST_EVENTS = 50_000
_DEEPEST = 40
_WHOLE = lazy_regex(r"[-+]?[0-9]{1,10}")
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))


@dataclass(frozen=True, slots=True)
class Held:
    """A value, and the place that says it: the path of a file, a line and a column."""

    value: Any
    at: tuple[str, int, int]


@dataclass(frozen=True)
class Table:
    """A mapping; of an open one only some keys are known."""

    items: dict[str, Any]
    is_open: bool = False


@dataclass
class _Open:
    at: tuple[str, int, int]
    is_table: bool
    anchor: str | None = None
    items: dict[str, Any] = field(default_factory=dict)
    values: list[Any] = field(default_factory=list)
    key: str | None = None
    key_at: tuple[str, int, int] = ("", 0, 0)


def parse(text: str, source: str) -> Any:
    """The first document of a YAML text; an empty table where it is none, or too much of it."""
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    stack: list[_Open] = [_Open((source, 1, 1), is_table=False)]
    anchors: dict[str | None, Any] = {}
    if len(text) > LONGEST:
        return Table({}, is_open=True)
    try:
        events: Any = yaml.parse(text, Loader=loader)
        for count, event in enumerate(events):
            if count > _MOST_EVENTS or len(stack) > _DEEPEST:
                return Table({}, is_open=True)
            if isinstance(event, yaml.DocumentEndEvent):
                break
            at = (source, event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.ScalarEvent):
                value = event.value if event.style else _typed(event.value)
                _put(stack[-1], value, at, event.value)
                if event.anchor:
                    anchors[event.anchor] = value
            elif isinstance(event, yaml.AliasEvent):
                _put(stack[-1], anchors.get(event.anchor), at, "")
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                stack.append(_Open(at, isinstance(event, yaml.MappingStartEvent), event.anchor))
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                done = stack.pop()
                made = Table(done.items) if done.is_table else done.values
                if done.anchor:
                    anchors[done.anchor] = made
                _put(stack[-1], made, done.at, "")
    except (yaml.YAMLError, UnicodeEncodeError):  # a byte that is not UTF-8, of which libyaml's binding can make nothing
        return Table({}, is_open=True)
    found = stack[0].values[0].value if stack[0].values else None
    return found if isinstance(found, Table) else Table({})


def _put(top: _Open, value: Any, at: tuple[str, int, int], text: str) -> None:
    if not top.is_table:
        top.values.append(Held(value, at))
    elif top.key is None:
        top.key, top.key_at = text, at
    else:
        if top.key == "<<" and isinstance(value, Table):
            top.items = {**value.items, **top.items}
        else:
            top.items[top.key] = Held(value, top.key_at)
        top.key = None


def _typed(text: str) -> Any:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if _WHOLE.fullmatch(text):
        number = decimal(text.lstrip("+-"), 1 << 31)
        return text if number is None else -number if text[0] == "-" else number
    return text


def plain(value: Any) -> str:
    """A value as a template writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else "\ufffd"
