"""Ansible's YAML as Python values that remember where they were written: what a loop or a template takes from them keeps its line."""

from collections.abc import Iterable, Iterator
from typing import Any

from portwright import numbers
from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass

_MOST_EVENTS = 100_000
_DEEPEST = 64
_SURROGATE = lazy_regex("[\ud800-\udfff]")
# YAML 1.1, as PyYAML resolves what stands there without quotes; of numbers to the base of sixty, which nobody means, the text is kept.
_WHOLE = lazy_regex(r"[-+]?(?:0|[1-9][0-9_]{0,30})")
_OCTAL = lazy_regex(r"[-+]?0[0-7_]{1,20}")
_HEX = lazy_regex(r"[-+]?0x[0-9a-fA-F_]{1,20}")
_DECIMAL = lazy_regex(r"[-+]?[0-9][0-9_]{0,20}\.[0-9_]{0,20}|\.[0-9]{1,20}")
_BOOLS = {
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins and ends in a file; `style` is the mark of a text (`|`, `>` or a quote), "" without one, `indent` its depth."""

    label: str
    line: int
    column: int
    end_line: int
    style: str = ""
    indent: int = 0


class Text(str):
    """A text and its place. `is_safe`: no template is looked for in it (`!unsafe`)."""

    __slots__ = ("at", "is_safe")
    at: Place
    is_safe: bool


class Whole(int):
    """A whole number and its place."""

    at: Place


class Decimal(float):
    """A number with a point and its place."""

    at: Place


class Mapping(dict[Any, Any]):
    """A mapping and its place."""

    __slots__ = ("at",)
    at: Place


class Items(list[Any]):
    """A list and its place."""

    __slots__ = ("at",)
    at: Place


def place_of(value: object) -> Place | None:
    """Where a value was written, None for one that was worked out."""
    return getattr(value, "at", None) if isinstance(value, (Text, Whole, Decimal, Mapping, Items)) else None


def text_at(text: str, at: Place | None) -> str:
    """A text that was worked out from what stands there."""
    if at is None:
        return text
    made = Text(text)
    made.at, made.is_safe = at, True
    return made


class Secret:
    """What `!vault` holds, and every other value with a tag that only Ansible can read."""


SECRET = Secret()
REFUSED = Secret()
"""What a file stands for that is not read."""


def load(label: str, text: str) -> Any:
    """The first document of a YAML file; REFUSED for a file that is none, and for one that is too long or too deep."""
    import yaml

    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    if _SURROGATE.search(text):
        return REFUSED
    try:
        return _Loading(label, text, iter(yaml.parse(text, Loader=loader)), yaml).document()
    except (yaml.YAMLError, _TooMuch):
        return REFUSED


class _TooMuch(Exception):
    """Deeper or longer than is read."""


class _Loading:
    def __init__(self, label: str, text: str, events: Iterator[Any], yaml: Any) -> None:
        self._label = label
        self._text = text
        self._lines: list[str] | None = None
        self._events = events
        self._yaml = yaml
        self._left = _MOST_EVENTS
        self._anchors: dict[str, Any] = {}
        self._sizes: dict[int, int] = {}

    def document(self) -> Any:
        yaml = self._yaml
        for event in self._events:
            if isinstance(event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                return self._value(event, 0)
        return None

    def _next(self) -> Any:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch
        return next(self._events)

    def _value(self, event: Any, depth: int) -> Any:
        yaml = self._yaml
        if depth > _DEEPEST:
            raise _TooMuch
        if isinstance(event, yaml.ScalarEvent):
            value: Any = self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            return self._anchors.get(event.anchor)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = Items()
            value.at = self._place(event)
            while not isinstance(inner := self._next(), yaml.SequenceEndEvent):
                value.append(self._value(inner, depth + 1))
            self._weigh(value, value)
            value.at = Place(self._label, value.at.line, value.at.column, inner.end_mark.line + 1)
        else:
            value = self._mapping(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _mapping(self, event: Any, depth: int) -> Mapping:
        made, merged = Mapping(), []
        start = self._place(event)
        while not isinstance(inner := self._next(), self._yaml.MappingEndEvent):
            key = self._value(inner, depth + 1)
            value = self._value(self._next(), depth + 1)
            if key == "<<":
                merged += value if isinstance(value, list) else [value]
            elif not isinstance(key, (dict, list)):
                made[key] = value
        for each in merged:
            if isinstance(each, dict):
                for key, value in each.items():
                    made.setdefault(key, value)
        self._weigh(made, made.values())
        made.at = Place(self._label, start.line, start.column, inner.start_mark.line + 1)
        return made

    def _weigh(self, made: Any, inside: Iterable[Any]) -> None:
        """Note how many values one holds; what an alias repeats counts each time."""
        size = 1 + sum(self._sizes.get(id(each), 1) for each in inside)
        if size > _MOST_EVENTS:
            raise _TooMuch
        self._sizes[id(made)] = size

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.tag is not None and event.tag not in ("!", "tag:yaml.org,2002:str", "!unsafe"):
            return SECRET
        if event.tag is None and not event.style:
            if text in _NULLS:
                return None
            if text in _BOOLS:
                return _BOOLS[text]
            if text[0] in "0123456789-+.":
                number = self._number(text)
                if number is not None:
                    number.at = self._place(event)
                    return number
        made = Text(text)
        made.at, made.is_safe = self._place(event), event.tag == "!unsafe"
        return made

    @staticmethod
    def _number(text: str) -> Whole | Decimal | None:
        digits = text.replace("_", "").lstrip("+-")
        if _WHOLE.fullmatch(text):
            number: float | None = numbers.decimal(digits)
        elif _OCTAL.fullmatch(text):
            number = numbers.based(digits, 8)
        elif _HEX.fullmatch(text):
            number = numbers.based(digits[2:], 16)
        else:
            fraction = numbers.fraction(digits) if _DECIMAL.fullmatch(text) else None
            return None if fraction is None else Decimal(-fraction if text[0] == "-" else fraction)
        return None if number is None else Whole(-number if text[0] == "-" else number)

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        style = getattr(event, "style", None) or ""
        line, column = start.line + 1, start.column + 1
        if style not in ("|", ">"):
            return Place(self._label, line, column, end.line + 1, style)
        if self._lines is None:
            self._lines = self._text.split("\n")
        inside = self._lines[start.line + 1 : end.line + 1]
        indent = next((len(each) - len(each.lstrip(" ")) for each in inside if each.strip()), 0)
        return Place(self._label, line, column, end.line + 1, style, indent)
