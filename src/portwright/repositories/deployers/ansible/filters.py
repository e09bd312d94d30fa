"""Ansible's filters and tests, as far as what they give hangs on nothing but what they are given."""

import json
import re
from collections.abc import Callable, Iterable
from itertools import product, zip_longest
from math import trunc
from typing import Any

from jinja2 import filters as of_jinja
from jinja2 import tests as tests_of_jinja

from portwright import numbers
from portwright._start.lazy_regex import lazy_regex
from portwright.repositories.deployers.ansible.unknown import MISSING, UNKNOWN, is_unknown
from portwright.repositories.deployers.ansible.values import place_of, text_at
from portwright.system.spanned_text import UNKNOWN as MARK

_LONGEST = 1 << 16
"""Characters of a text that a filter makes, and values of a list."""
_LONGEST_MATCHED = (20_000, 8_000, 1_000, 120, 32)
"""Characters that a pattern is looked for in, by how many repetitions it has: with each, the time may grow by that factor."""

_REPEATS = lazy_regex(r"(?<!\\)(?:[*+]|\{[0-9]*,[0-9]*\})")
_NESTED = lazy_regex(r"[*+}?]\??\)[*+{?]|\)[*+{]|\\[1-9]|\(\?[^:P]")

OMIT = object()
"""What `omit` stands for: an argument that is not given."""


class _Refused(ValueError):
    """More than a filter does here."""


def _takes_unknown(function: Callable[..., Any]) -> Callable[..., Any]:
    function.takes_unknown = True  # type: ignore[attr-defined]
    return function


def longest_for(text: str) -> int:
    """How long a text may be that a pattern is looked for in, so that it takes little time; 0 for a pattern that nobody can tell."""
    repeats = len(_REPEATS.findall(text))
    return 0 if len(text) > 400 or repeats >= len(_LONGEST_MATCHED) or _NESTED.search(text) else _LONGEST_MATCHED[repeats]


def _pattern(text: str, subject: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern that is found, or not, in little time."""
    if len(subject) > longest_for(text):
        raise _Refused("a pattern that may take long")
    return re.compile(text, flags)


def _flags(ignorecase: Any = False, multiline: Any = False) -> int:
    return (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)


@_takes_unknown
def _default(value: Any, other: Any = "", empty: Any = False) -> Any:
    if value is MISSING:
        return other
    if is_unknown(value):
        return value
    return other if empty is True and not value else value


@_takes_unknown
def _ternary(value: Any, yes: Any, no: Any = None, nothing: Any = None) -> Any:
    if is_unknown(value):
        return yes if not is_unknown(yes) and not is_unknown(no) and yes == no else UNKNOWN
    if value is None and nothing is not None:
        return nothing
    return yes if value else no


def _bool(value: Any) -> Any:
    if isinstance(value, str):
        return UNKNOWN if MARK in value else value.lower() in ("yes", "on", "1", "true", "y", "t")
    return value in (True, 1)


def _int(value: Any, other: Any = 0, base: int = 10) -> Any:
    if isinstance(value, str):
        if MARK in value:
            return UNKNOWN
        text = value.strip().removeprefix("+")
        digits = text.removeprefix("-")
        found = numbers.based(digits, base) if base in range(2, 17) else None
        if found is None:
            fraction = numbers.fraction(digits)
            found = None if fraction is None else trunc(fraction)
        return other if found is None else -found if text.startswith("-") else found
    return trunc(value) if isinstance(value, (int, float)) else other


def _float(value: Any, other: Any = 0.0) -> Any:
    if isinstance(value, str):
        text = value.strip()
        found = numbers.fraction(text.removeprefix("-"))
        return other if found is None else -found if text.startswith("-") else found
    return value * 1.0 if isinstance(value, (int, float)) else other


def _whole(value: Any, at_most: int) -> int:
    """An option that is a whole number."""
    found = value if isinstance(value, int) else numbers.decimal(str(value).strip())
    if found is None or found < 0:
        raise _Refused("no number")
    return min(found, at_most)


def _string(value: Any) -> Any:
    return value if isinstance(value, str) else text_at(_text(value), place_of(value))


def _text(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)):
        _brief(value)
    return str(value)


def _leaves(value: Any) -> Iterable[Any]:
    todo = [value]
    while todo:
        each = todo.pop()
        yield each
        if isinstance(each, dict):
            todo += each.values()
        elif isinstance(each, (list, tuple)):
            todo += each


def _brief(value: Any) -> list[Any]:
    """The values within one, of which a text is to be made: few, and of few characters together."""
    found = _few(_leaves(value))
    if sum(len(each) for each in found if isinstance(each, str)) > _LONGEST:
        raise _Refused("too long a text")
    return found


def _few(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in values:
        found.append(each)
        if len(found) > _LONGEST:
            raise _Refused("too many values")
    return found


def _known(values: Any) -> list[Any]:
    """The values of a list of which each is known."""
    found = list(values)
    if any(is_unknown(each) for each in found):
        raise _Refused("one of the values is not known")
    return found


def _short(text: str) -> str:
    if len(text) > _LONGEST:
        raise _Refused("too long a text")
    return text


def _fits(text: str, before: str) -> None:
    """Refuse a text that is too long with something before each of its lines."""
    if len(text) + (text.count("\n") + 3) * len(before) > _LONGEST:
        raise _Refused("too long a text")


def _replace(value: Any, old: str, new: str, count: int = -1) -> str:
    text = str(value)
    many = text.count(old) if old else len(text) + 1
    if len(text) + many * len(new) > _LONGEST:
        raise _Refused("too long a text")
    return text.replace(old, new, -1 if count is None else count)


def _join(values: Any, between: str = "", attribute: Any = None) -> Any:
    if isinstance(values, str):
        values = list(values)
    parts = [_text(_attribute(each, attribute)) if not is_unknown(each) else MARK for each in values]
    if sum(map(len, parts)) + len(parts) * len(between) > _LONGEST:
        raise _Refused("too long a text")
    return between.join(parts)


def _attribute(value: Any, attribute: Any) -> Any:
    if attribute is None:
        return value
    for part in str(attribute).split("."):
        value = value[_whole(part, _LONGEST)] if isinstance(value, (list, tuple)) else value[part]
    return value


def _flatten(values: Any, levels: Any = None, skip_nulls: bool = True) -> list[Any]:
    found: list[Any] = []
    todo = [(each, 0) for each in reversed(values)]
    steps = 0
    while todo:
        each, depth = todo.pop()
        steps += 1
        if steps > _LONGEST or depth > 64:
            raise _Refused("too many values")
        if isinstance(each, (list, tuple)) and (levels is None or depth < levels):
            todo += [(inner, depth + 1) for inner in reversed(each)]
        elif each is not None or not skip_nulls:
            found.append(each)
    return found


def _unique(values: Any, *_: Any, **__: Any) -> list[Any]:
    found: list[Any] = []
    for each in _known(values)[:1_000]:
        if each not in found:
            found.append(each)
    return found


def _union(one: Any, other: Any) -> list[Any]:
    return _unique([*one, *other])


def _difference(one: Any, other: Any) -> list[Any]:
    other = _known(other)
    return [each for each in _unique(one) if each not in other]


def _intersect(one: Any, other: Any) -> list[Any]:
    other = _known(other)
    return [each for each in _unique(one) if each in other]


@_takes_unknown
def _combine(*given: Any, **options: Any) -> Any:
    """Several mappings as one. Of one that is not known nothing is taken; its keys may be any, so what is known may be changed by it."""
    found: dict[Any, Any] = {}
    whole = _few(_flatten(list(given)))
    for each in whole:
        if is_unknown(each):
            return UNKNOWN
        found = _merged(found, each, bool(options.get("recursive")), str(options.get("list_merge", "replace")), 0)
    return found


def _merged(one: dict[Any, Any], other: dict[Any, Any], recursive: bool, lists: str, depth: int) -> dict[Any, Any]:
    if depth > 32:
        raise _Refused("too deep")
    found = dict(one)
    for key, value in other.items():
        known = found.get(key)
        if recursive and isinstance(known, dict) and isinstance(value, dict):
            value = _merged(known, value, recursive, lists, depth + 1)
        elif isinstance(known, list) and isinstance(value, list) and lists in ("append", "prepend"):
            value = [*known, *value] if lists == "append" else [*value, *known]
        # A key that is said again is said there.
        found.pop(key, None)
        found[key] = value
    return {key: found[key] for key in (*(key for key in one if key in found), *(key for key in found if key not in one))} if one else found


def _dict2items(value: Any, key_name: str = "key", value_name: str = "value") -> list[Any]:
    return [{key_name: key, value_name: each} for key, each in value.items()]


def _items2dict(value: Any, key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    return {each[key_name]: each[value_name] for each in value}


def _regex_replace(value: Any, pattern: str = "", replacement: str = "", ignorecase: Any = False, multiline: Any = False, **_: Any) -> str:
    text = str(value)
    if len(text) * (len(replacement) + 1) > _LONGEST:
        raise _Refused("too long a text")
    return _short(_pattern(pattern, text, _flags(ignorecase, multiline)).sub(replacement, text))


def _regex_search(value: Any, pattern: str, *groups: str, ignorecase: Any = False, multiline: Any = False) -> Any:
    found = _pattern(pattern, str(value), _flags(ignorecase, multiline)).search(str(value))
    if found is None:
        return None
    return [found[_whole(each.lstrip("\\g<").rstrip(">"), 99)] for each in groups] if groups else found[0]


def _regex_findall(value: Any, pattern: str, multiline: Any = False, ignorecase: Any = False) -> Any:
    return _pattern(pattern, str(value), _flags(ignorecase, multiline)).findall(str(value))


def _regex_escape(value: Any, *_: Any) -> str:
    return re.escape(str(value))


def _split(value: Any, between: Any = None, most: int = -1) -> list[str]:
    return str(value).split(between, most)


def _quote(value: Any) -> str:
    from shlex import quote

    return quote(str(value))


def _comment(value: Any, style: str = "plain", **options: Any) -> str:
    mark = options.get("decoration") or {"plain": "# ", "c": "// "}.get(style)
    if mark is None:
        raise _Refused("a style that is not known")
    around = str(mark).rstrip()
    _fits(str(value), str(mark))
    return _short("\n".join((around, *(f"{mark}{line}".rstrip() for line in str(value).split("\n")), around)))


def _indent(value: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    by = " " * _whole(width, 80) if not isinstance(width, str) else width
    _fits(str(value), by)
    first_line, *rest = str(value).split("\n")
    lines = [by + line if line or blank else line for line in rest]
    return _short("\n".join(((by + first_line) if first else first_line, *lines)))


def _json(value: Any, *_: Any, indent: Any = None, **__: Any) -> str:
    _known(_brief(value))
    return json.dumps(value, indent=_whole(indent, 8) if indent else None, sort_keys=bool(indent))


def _nice_json(value: Any, *_: Any, **__: Any) -> str:
    return _json(value, indent=4)


def _yaml(value: Any, *_: Any, indent: Any = 2, **__: Any) -> str:
    import yaml

    leaves = _known(_brief(value))
    if any(not isinstance(each, (str, int, float, list, tuple, dict, type(None))) for each in leaves):
        raise _Refused("no plain value")
    return _short(yaml.safe_dump(_plain(value), default_flow_style=False, indent=_whole(indent, 8), width=1_000))


def _plain(value: Any) -> Any:
    """A value without the places of its parts."""
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    kind = next((kind for kind in (bool, int, float, str) if isinstance(value, kind)), None)
    return value if kind is None or kind is bool else kind(value)


def _subelements(values: Any, path: Any, skip_missing: bool = False) -> list[Any]:
    found = []
    for each in values.values() if isinstance(values, dict) else values:
        inner = each
        for part in path.split(".") if isinstance(path, str) else path:
            if not isinstance(inner, dict) or part not in inner:
                inner = None
                break
            inner = inner[part]
        if inner is None and not skip_missing:
            raise _Refused("a value without these")
        found += [(each, one) for one in inner or ()]
    return _few(found)


@_takes_unknown
def _mandatory(value: Any, *_: Any, **__: Any) -> Any:
    return UNKNOWN if is_unknown(value) else value


def _extract(key: Any, values: Any, more: Any = None) -> Any:
    found = values[key]
    for each in [more] if isinstance(more, str) else more or ():
        found = found[each]
    return found


def _path_join(parts: Any) -> str:
    from posixpath import join

    return join(*([parts] if isinstance(parts, str) else parts))


def _basename(value: Any) -> str:
    return str(value).rpartition("/")[2]


def _dirname(value: Any) -> str:
    return str(value).rpartition("/")[0]


def _splitext(value: Any) -> tuple[str, str]:
    from posixpath import splitext

    return splitext(str(value))


def _version(value: Any, other: Any, operator: str = "eq", *_: Any, **__: Any) -> Any:
    one, two = (numbers.decimals(re.split(r"[.\-+~]", str(each).lstrip("v"))) for each in (value, other))
    if one is None or two is None:
        return UNKNOWN
    pairs = list(zip_longest(one, two, fillvalue=0))
    order = next((1 if left > right else -1 for left, right in pairs if left != right), 0)
    wanted = {"eq": (0,), "==": (0,), "=": (0,), "ne": (1, -1), "!=": (1, -1), "<>": (1, -1), "lt": (-1,), "<": (-1,), "le": (-1, 0)}
    wanted |= {"<=": (-1, 0), "gt": (1,), ">": (1,), "ge": (1, 0), ">=": (1, 0)}
    return order in wanted[operator]


def _list(value: Any) -> list[Any]:
    return _few(value)


def _sum(values: Any, attribute: Any = None, start: Any = 0) -> Any:
    found = [_attribute(each, attribute) for each in _known(values)]
    if all(isinstance(each, (list, tuple)) for each in found) and found:
        return _few(one for each in found for one in each)
    return sum(found, start)


def _batch(values: Any, linecount: int, fill_with: Any = None) -> Any:
    if linecount > _LONGEST:
        raise _Refused("too many values")
    return of_jinja.FILTERS["batch"](values, linecount, fill_with)


def _round(value: Any, precision: int = 0, method: Any = "common") -> Any:
    if abs(precision) > 20:
        raise _Refused("so many digits")
    return of_jinja.FILTERS["round"](value, precision, method)


def _zip(*lists: Any) -> list[Any]:
    return [list(each) for each in zip(*lists, strict=False)]


def _product(*lists: Any) -> list[Any]:
    return _few(list(each) for each in product(*lists))


def _match(value: Any, pattern: str, ignorecase: Any = False, multiline: Any = False) -> bool:
    return _pattern(pattern, str(value), _flags(ignorecase, multiline)).match(str(value)) is not None


def _search(value: Any, pattern: str, ignorecase: Any = False, multiline: Any = False) -> bool:
    return _pattern(pattern, str(value), _flags(ignorecase, multiline)).search(str(value)) is not None


def _is_in(value: Any, values: Any) -> bool:
    return value in values


_OF_JINJA = (
    *("abs", "capitalize", "count", "dictsort", "first", "groupby", "items", "last", "length", "lower", "map"),
    *("max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "sort", "title", "trim", "upper"),
)
FILTERS: dict[str, Callable[..., Any]] = {
    **{name: of_jinja.FILTERS[name] for name in _OF_JINJA},
    "b64encode": lambda value: UNKNOWN,
    "basename": _basename,
    "batch": _batch,
    "bool": _bool,
    "combine": _combine,
    "comment": _comment,
    "d": _default,
    "default": _default,
    "dict2items": _dict2items,
    "difference": _difference,
    "dirname": _dirname,
    "extract": _extract,
    "flatten": _flatten,
    "float": _float,
    "from_json": lambda value: json.loads(_short(value)),
    "indent": _indent,
    "int": _int,
    "intersect": _intersect,
    "items2dict": _items2dict,
    "join": _join,
    "list": _list,
    "mandatory": _mandatory,
    "path_join": _path_join,
    "product": _product,
    "quote": _quote,
    "regex_escape": _regex_escape,
    "regex_findall": _regex_findall,
    "regex_replace": _regex_replace,
    "regex_search": _regex_search,
    "replace": _replace,
    "round": _round,
    "split": _split,
    "splitext": _splitext,
    "string": _string,
    "subelements": _subelements,
    "sum": _sum,
    "ternary": _ternary,
    "to_json": _json,
    "to_nice_json": _nice_json,
    "to_nice_yaml": _yaml,
    "to_yaml": _yaml,
    "tojson": _json,
    "union": _union,
    "unique": _unique,
    "zip": _zip,
}
FILTERS |= {f"ansible.builtin.{name}": function for name, function in FILTERS.items()}

_TESTS_OF_JINJA = (
    *("boolean", "callable", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "gt", "integer", "iterable", "le", "lower"),
    *("lt", "mapping", "ne", "none", "number", "odd", "sameas", "sequence", "string", "true", "upper", "==", "!=", "<", "<=", ">", ">="),
)
_of_jinja: dict[str, Any] = tests_of_jinja.TESTS
TESTS: dict[str, Callable[..., Any]] = {
    **{name: _of_jinja[name] for name in _TESTS_OF_JINJA},
    "all": lambda values: all(_known(values)),
    "any": lambda values: any(_known(values)),
    "contains": lambda values, value: value in values,
    "in": _is_in,
    "match": _match,
    "regex": _search,
    "search": _search,
    "subset": lambda one, other: all(each in other for each in _known(one)),
    "truthy": lambda value, **_: bool(value),
    "falsy": lambda value, **_: not value,
    "version": _version,
    "version_compare": _version,
}
TESTS |= {f"ansible.builtin.{name}": function for name, function in TESTS.items()}
