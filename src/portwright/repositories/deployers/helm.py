"""Helm's charts: templates as far as the chart's own values fill them in, each line with the place that says it.

A part of text/template is followed: what decides, what loops over values, what includes a named template, and the functions that charts
use most. What is none of it, and what only an installation knows, is U+FFFD; a block whose condition is not known is left out, and its
lines are not counted as read. Nothing is looked up, and the work is bounded.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.numbers import decimal
from portwright.repositories.checkout import Checkout
from portwright.repositories.deployers.helm_values import Held, Table, parse, plain
from portwright.repositories.deployers.placed import LONGEST, Line
from portwright.system.spanned_text import UNKNOWN

_MOST_STEPS = 40_000
_DEEPEST = 20
_MOST_HELPERS = 60
_MOST_LINES = 2_000
"""Lines that values become where they are put in as a whole."""
_TOKEN = lazy_regex(
    r"[ \t\r\n]+"
    r"|(\"(?:[^\"\\\n]|\\.){0,2000}\"|`[^`]{0,2000}`)|(-?[0-9]+)(?![\w.])"
    r"|(\$?[A-Za-z_]\w*|\$)|((?:\.[A-Za-z_][\w]*)+|\.)|(\|)|([()])|(:?=)|(,)"
)


class Unknown:
    """What only an installation, or a function that is not followed, would say."""

    def __repr__(self) -> str:
        return "UNKNOWN"


NOT_KNOWN = Unknown()
Place = tuple[str, int, int]
"""A file of the repository, a line and a column of it."""


class _Enough(Exception):
    """A template takes more steps, or goes deeper, than is followed."""


@dataclass(frozen=True, slots=True)
class Text:
    """Some text, in pieces with the place of each."""

    pieces: tuple[tuple[str, Place], ...] = ()

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)


@dataclass(frozen=True, slots=True)
class _Node:
    """A piece of a template: `text` as it is, or an action with what stands inside it and behind its `else`."""

    kind: str
    text: str
    at: Place
    inside: tuple["_Node", ...] = ()
    otherwise: tuple["_Node", ...] = ()
    last: int = 0


@dataclass
class Chart:
    """A chart: the values that it comes with, and the templates that have names."""

    folder: str
    name: Any
    values: Any
    named: Mapping[str, tuple[_Node, ...]]
    app_version: Any = NOT_KNOWN


@dataclass
class _Run:
    chart: Chart
    steps: int = 0
    unread: set[tuple[str, int]] = field(default_factory=set)
    names: dict[str, Any] = field(default_factory=dict)

    def step(self, depth: int) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS or depth > _DEEPEST:
            raise _Enough


def chart_of(label: str, checkout: Checkout) -> Chart | None:
    """The chart whose template a file is: it lies in `templates/`, beside which there is a Chart.yaml."""
    parts = label.split("/")
    if "templates" not in parts[:-1]:
        return None
    folder = "/".join(parts[: parts.index("templates")])
    known: dict[str, Chart | None] = checkout.kept.setdefault("helm", {})
    if folder not in known:
        known[folder] = _read(folder, checkout)
    return known[folder]


def _read(folder: str, checkout: Checkout) -> Chart | None:
    here = f"{folder}/" if folder else ""
    told = checkout.text(f"{here}Chart.yaml")
    if told is None:
        return None
    about = parse(told, f"{here}Chart.yaml")
    name = _field(about, "name")
    values = parse(checkout.text(f"{here}values.yaml") or "", f"{here}values.yaml")
    # A chart in another one's charts/ gets what that one's values say under its name.
    above, slash, own = folder.rpartition("/charts/")
    if slash and "/" not in own and (outer := checkout.text(f"{above}/values.yaml")) is not None:
        wider = parse(outer, f"{above}/values.yaml")
        values = _merged(values, _field(wider, own))
        shared = _field(wider, "global")
        if isinstance(shared, Table):
            values = _merged(values, Table({"global": Held(shared, (f"{above}/values.yaml", 1, 1))}))
    named: dict[str, tuple[_Node, ...]] = {}
    folders = [f"{here}templates", *([f"{above}/templates"] if slash else []), f"{here}charts"]
    files = [each for each in checkout.under(folder) if each.endswith(".tpl") or each.rpartition("/")[2].startswith("_")]
    for file in files[:_MOST_HELPERS]:
        text = checkout.text(file) if any(file.startswith(f"{each}/") for each in folders) else None
        if text is not None and len(text) <= LONGEST:
            for node in _parsed(text, file):
                if node.kind == "define":
                    named.setdefault(node.text, node.inside)
    return Chart(folder, name, values, named, _field(about, "appVersion"))


NO_CHART = Chart("", NOT_KNOWN, NOT_KNOWN, {})
"""For templates of text/template that others fill in."""


def rendered(label: str, text: str, chart: Chart) -> tuple[list[Line], set[int], bool]:
    """The lines that a template makes, the numbers of its own lines that were not followed, and whether there were too many."""
    run = _Run(chart)
    try:
        nodes = _parsed(text[:LONGEST], label)
        named = dict(chart.named) | {node.text: node.inside for node in nodes if node.kind == "define"}
        run.chart = Chart(chart.folder, chart.name, chart.values, named, chart.app_version)
        root = Table(
            {
                "Values": Held(chart.values, (label, 1, 1)),
                "Chart": Held(
                    Table({"Name": Held(chart.name, (label, 1, 1)), "AppVersion": Held(chart.app_version, (label, 1, 1))}), (label, 1, 1)
                ),
            },
            is_open=True,
        )
        pieces = list(_made(nodes, root, {"$": root}, run, 0))
    except (_Enough, RecursionError):
        return [], set(range(1, text.count("\n") + 2)), True
    return _as_lines(pieces, label), {number for source, number in run.unread if source == label}, len(text) > LONGEST


def _as_lines(pieces: Sequence[tuple[str, Place]], label: str) -> list[Line]:
    """Pieces as lines: each has the place of its first piece that is more than blanks."""
    lines: list[Line] = []
    row: list[tuple[str, Place]] = []
    for text, (source, number, column) in pieces:
        for offset, part in enumerate(text.split("\n")):
            if offset:
                lines.append(_line(row, label))
                row = []
                column = 1
            row.append((part, (source, number + offset, column)))
    lines.append(_line(row, label))
    return lines


def _line(row: Sequence[tuple[str, Place]], label: str) -> Line:
    text, place, start = "", None, 0
    for part, at in row:
        if place is None and part.strip():
            blank = len(part) - len(part.lstrip())
            place, start = (at[0], at[1], at[2] + blank), len(text) + blank
        text += part
    if place is None:
        place = row[0][1] if row else (label, 1, 1)
    return Line(text.rstrip("\r"), place[0], place[1], place[2] - 1 - start)


# ── parsing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parsed(text: str, source: str) -> tuple[_Node, ...]:
    """A template as nodes; what is opened and never closed ends at its end."""
    stack: list[tuple[str, str, Place, list[_Node], list[_Node] | None]] = [("root", "", (source, 1, 1), [], None)]
    position, line, begun, counted = 0, 1, 0, 0
    trim = False

    def here(offset: int) -> Place:
        nonlocal line, begun, counted
        if newlines := text.count("\n", counted, offset):
            line += newlines
            begun = text.rfind("\n", counted, offset) + 1
        counted = offset
        return source, line, offset - begun + 1

    def add(node: _Node) -> None:
        top = stack[-1]
        (top[3] if top[4] is None else top[4]).append(node)

    end = 0
    while (begins := text.find("{{", position)) >= 0:
        end = end if end > begins + 1 else text.find("}}", begins + 2)
        if end < 0:
            break
        action = text[begins + 2 : end]
        literal, start = text[position:begins], position
        if trim:
            shorter = literal.lstrip()
            start += len(literal) - len(shorter)
            literal = shorter
        if action[:1] == "-" and action[1:2].isspace():
            literal, action = literal.rstrip(), action[1:]
        if literal:
            add(_Node("text", literal, here(start)))
        position, trim = end + 2, action[-1:] == "-" and action[-2:-1].isspace()
        said, at = (action[:-1] if trim else action).strip(), here(begins)
        word, _, rest = said.partition(" ")
        if said.startswith("/*"):
            continue
        if word in ("if", "with", "range", "define", "block"):
            name = rest.strip().partition('"')[2].partition('"')[0] if word in ("define", "block") else rest.strip()
            stack.append((word, name, at, [], None))
        elif word == "else":
            kind, own, began, inside, _ = stack[-1]
            if kind == "root":
                continue
            stack[-1] = (kind, own, began, inside, [])
            if rest.strip():  # `else if`, `else with`: one more that ends with this one
                further, _, condition = rest.strip().partition(" ")
                stack.append((f"else {further}", condition.strip(), at, [], None))
        elif word == "end":
            while len(stack) > 1:
                kind, own, began, inside, otherwise = stack.pop()
                add(_Node(kind.removeprefix("else "), own, began, tuple(inside), tuple(otherwise or ()), last=at[1]))
                if not kind.startswith("else "):
                    break
        elif said:
            add(_Node("action", said, at, last=here(position)[1]))
        if len(stack) > _DEEPEST * 4:
            raise _Enough
    literal = text[position:]
    shorter = literal.lstrip() if trim else literal
    if shorter:
        add(_Node("text", shorter, here(len(text) - len(shorter))))
    while len(stack) > 1:
        kind, own, began, inside, otherwise = stack.pop()
        add(_Node(kind.removeprefix("else "), own, began, tuple(inside), tuple(otherwise or ()), last=line))
    return tuple(stack[0][3])


# ── filling in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _made(nodes: Sequence[_Node], dot: Any, names: dict[str, Any], run: _Run, depth: int) -> Iterator[tuple[str, Place]]:
    for node in nodes:
        run.step(depth)
        if node.kind == "text":
            yield node.text, node.at
        elif node.kind == "action":
            yield from _acted(node, dot, names, run, depth)
        elif node.kind in ("if", "with"):
            value = _value(node.text, dot, names, run, depth)
            if isinstance(_bare(value), Unknown):
                _pass_over(node, run)
                # What stands in a line is unknown there; whole lines are left out.
                if not any("\n" in each.text and ":" in each.text for each in (*node.inside, *node.otherwise)) and depth:
                    yield UNKNOWN, node.at
                continue
            if _is_true(value):
                yield from _made(node.inside, _bare(value) if node.kind == "with" else dot, names, run, depth + 1)
            else:
                yield from _made(node.otherwise, dot, names, run, depth + 1)
        elif node.kind == "range":
            yield from _ranged(node, dot, names, run, depth)
        elif node.kind == "block":
            yield from _made(node.inside, dot, dict(names), run, depth + 1)


def _pass_over(node: _Node, run: _Run) -> None:
    """A block that may be there or not: what its lines say is not read."""
    run.unread.update((node.at[0], number) for number in range(node.at[1], node.last + 1))


def _acted(node: _Node, dot: Any, names: dict[str, Any], run: _Run, depth: int) -> Iterator[tuple[str, Place]]:
    variable, sign, expression = _assignment(node.text)
    value = _value(expression if sign else node.text, dot, names, run, depth)
    if sign:
        names[variable] = value
        return
    value = _bare(value)
    if isinstance(value, Unknown):
        run.unread.update((node.at[0], number) for number in range(node.at[1], node.last + 1))
        yield UNKNOWN, node.at
    elif isinstance(value, Text):
        yield from value.pieces
    else:
        yield plain(value), node.at


def _assignment(text: str) -> tuple[str, str, str]:
    name, sign, rest = text.partition("=")
    name = name.rstrip(": \t")
    return (name, sign, rest) if sign and name.startswith("$") and name[1:].isidentifier() else ("", "", text)


def _ranged(node: _Node, dot: Any, names: dict[str, Any], run: _Run, depth: int) -> Iterator[tuple[str, Place]]:
    head, sign, expression = node.text.partition(":=")
    variables = [each.strip() for each in head.split(",")] if sign else []
    value = _bare(_value(expression if sign else node.text, dot, names, run, depth))
    if isinstance(value, Unknown):
        _pass_over(node, run)
        return
    items: list[tuple[Any, Any]] = []
    if isinstance(value, Table):
        items = [(key, value.items[key]) for key in sorted(value.items)]
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield from _made(node.otherwise, dot, names, run, depth + 1)
    for key, each in items:
        inner = dict(names)
        if len(variables) == 2:
            inner[variables[0]], inner[variables[1]] = key, each
        elif variables:
            inner[variables[0]] = each
        yield from _made(node.inside, _bare(each), inner, run, depth + 1)


def _value(text: str, dot: Any, names: dict[str, Any], run: _Run, depth: int) -> Any:
    """What an expression stands for."""
    tokens: list[tuple[int, str]] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return NOT_KNOWN
        if found.lastindex is not None:
            tokens.append((found.lastindex, found[0]))
        position = found.end()
    reading = _Expression(tokens, dot, names, run, depth)
    value = reading.pipeline()
    return value if reading.position == len(tokens) else NOT_KNOWN


_STRING, _NUMBER, _NAME, _FIELD, _PIPE, _PAREN = 1, 2, 3, 4, 5, 6


class _Expression:
    def __init__(self, tokens: list[tuple[int, str]], dot: Any, names: dict[str, Any], run: _Run, depth: int) -> None:
        self.tokens, self.dot, self.names, self.run, self.depth, self.position = tokens, dot, names, run, depth, 0

    def _next(self) -> tuple[int, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else (0, "")

    def pipeline(self) -> Any:
        self.run.step(self.depth)
        value = self._command(())
        while self._next()[0] == _PIPE:
            self.position += 1
            value = self._command((value,))
        return value

    def _command(self, given: tuple[Any, ...]) -> Any:
        kind, text = self._next()
        if kind == _NAME and not text.startswith("$") and text not in ("true", "false", "nil"):
            self.position += 1
            arguments: list[Any] = []
            while (term := self._term()) is not None:
                arguments.append(term[0])
            return self._call(text, (*arguments, *given))
        found = self._term()
        return NOT_KNOWN if found is None or given else found[0]

    def _term(self) -> tuple[Any] | None:
        kind, text = self._next()
        if kind in (0, _PIPE) or text == ")" or kind > _PAREN:
            return None
        self.position += 1
        if kind == _STRING:
            return (text[1:-1] if text[0] == "`" else text[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t"),)
        if kind == _NUMBER:
            number = decimal(text.lstrip("-"), 1 << 31)
            return (NOT_KNOWN if number is None else -number if text[0] == "-" else number,)
        value: Any
        if kind == _FIELD:
            value = self.dot if text == "." else _path(self.dot, text)
        elif kind == _PAREN:
            self.run.step(self.depth)
            value = self.pipeline()
            if self._next()[1] == ")":
                self.position += 1
        elif text in ("true", "false", "nil"):
            value = {"true": True, "false": False, "nil": None}[text]
        elif text.startswith("$"):
            value = self.names.get(text, NOT_KNOWN)
        else:
            value = self._call(text, ())
        while (kind == _PAREN or text.startswith("$")) and self._next()[0] == _FIELD and self._next()[1] != ".":
            value = _path(value, self._next()[1])
            self.position += 1
        return (value,)

    def _call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        self.run.step(self.depth)
        if name in ("include", "template") and arguments:
            return self._included(str(_bare(arguments[0])), arguments[1] if len(arguments) > 1 else None)
        if name in ("and", "or"):
            for each in arguments:
                if isinstance(_bare(each), Unknown) or _is_true(each) is (name == "or"):
                    return each
            return arguments[-1] if arguments else NOT_KNOWN
        function = _FUNCTIONS.get(name)
        if function is None or any(isinstance(_bare(each), Unknown) for each in arguments):
            return f"{UNKNOWN}" if name in ("quote", "squote") and arguments else NOT_KNOWN
        try:
            return function(*arguments)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError):
            return NOT_KNOWN

    def _included(self, name: str, dot: Any) -> Any:
        body = self.run.chart.named.get(name)
        if body is None or self.depth >= _DEEPEST:
            return NOT_KNOWN
        return Text(tuple(_made(body, _bare(dot), {"$": _bare(dot)}, self.run, self.depth + 1)))


def _bare(value: Any) -> Any:
    while isinstance(value, Held):
        value = value.value
    return value


def _field(value: Any, name: str) -> Any:
    """A field of a table; None where it has none, as of `.Values`, and unknown in what an installation knows."""
    value = _bare(value)
    if isinstance(value, Table):
        return value.items.get(name, NOT_KNOWN if value.is_open else None)
    return value if isinstance(value, Unknown) else None


def _path(value: Any, path: str) -> Any:
    for name in path[1:].split("."):
        value = _field(value, name)
    return value


def _merged(under: Any, over: Any) -> Any:
    under, over = _bare(under), _bare(over)
    if not (isinstance(under, Table) and isinstance(over, Table)):
        return under if over is None else over
    items = dict(under.items)
    for key, held in over.items.items():
        both = key in items and isinstance(_bare(items[key]), Table) and isinstance(_bare(held), Table)
        items[key] = Held(_merged(items[key], held), held.at) if both and isinstance(held, Held) else held
    return Table(items)


def _is_true(value: Any) -> bool:
    value = _bare(value)
    if isinstance(value, Text):
        return bool(str(value))
    return bool(value.items) if isinstance(value, Table) else bool(value)


def _string(value: Any) -> str:
    value = _bare(value)
    return str(value) if isinstance(value, Text) else plain(value)


def _indented(count: Any, value: Any, first: str = "") -> Any:
    """Text whose lines are moved to the right, each with its own place."""
    value = value if isinstance(value, Text) else Text(((_string(value), ("", 0, 0)),))
    blank = " " * min(_number(count), 100)
    pieces: list[tuple[str, Place]] = [(first + blank, value.pieces[0][1])] if value.pieces else []
    for text, (source, number, column) in value.pieces:
        for offset, part in enumerate(text.split("\n")):
            if offset:
                pieces.append((f"\n{blank}", (source, number, 1)))
                column = 1
            if part:
                pieces.append((part, (source, number + offset, column)))
    return Text(tuple(pieces))


def _to_yaml(value: Any) -> Any:
    at = value.at if isinstance(value, Held) else ("", 0, 0)
    lines = list(islice(_yaml(_bare(value), at, 0), _MOST_LINES + 1))
    if len(lines) > _MOST_LINES:
        raise ValueError
    pieces = []
    for number, (text, place) in enumerate(lines):
        pieces.append((("\n" if number else "") + text, place))
    return Text(tuple(_broken(pieces)))


def _broken(pieces: list[tuple[str, Place]]) -> Iterator[tuple[str, Place]]:
    """A line feed before a piece belongs to the line that it ends."""
    for text, place in pieces:
        if text.startswith("\n"):
            yield "\n", (place[0], place[1] - 1, 1)
            text = text[1:]
        yield text, place


def _yaml(value: Any, at: Place, depth: int) -> Iterator[tuple[str, Place]]:
    blank = "  " * depth
    if isinstance(value, Table):
        if not value.items:
            yield f"{blank}{{}}", at
        for key in value.items:
            held = value.items[key]
            inner, place = _bare(held), held.at if isinstance(held, Held) else at
            if (isinstance(inner, Table) and inner.items) or (isinstance(inner, list) and inner):
                yield f"{blank}{key}:", place
                yield from _yaml(inner, place, depth + 1)
            else:
                yield f"{blank}{key}: {_scalar(inner)}", place
    elif isinstance(value, list):
        if not value:
            yield f"{blank}[]", at
        for held in value:
            inner, place = _bare(held), held.at if isinstance(held, Held) else at
            made = _yaml(inner, place, depth + 1)
            first, where = next(made)
            yield f"{blank}- {first.lstrip()}", where
            yield from made
    else:
        yield f"{blank}{_scalar(value)}", at


def _scalar(value: Any) -> str:
    if isinstance(value, Table):
        return "{}"
    if isinstance(value, list):
        return "[]"
    if isinstance(value, str):
        if "\n" not in value:
            return f"'{value.replace(chr(39), chr(39) * 2)}'"
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    return "null" if value is None else plain(value)


def _defaulted(default: Any, *value: Any) -> Any:
    return value[0] if value and _is_true(value[0]) else default


def _printed(form: Any, *arguments: Any) -> str:
    text, rest = _string(form), list(arguments)
    pieces = text.replace("%%", "\0").split("%")
    made = pieces[0]
    for piece in pieces[1:]:
        made += (_string(rest.pop(0)) if rest else "") + piece[1:] if piece[:1] in ("s", "d", "v", "q") else f"%{piece}"
    return made.replace("\0", "%")[:LONGEST]


def _number(value: Any) -> int:
    value = _bare(value)
    if isinstance(value, bool):
        return 1 if value else 0
    number = value if isinstance(value, int) else decimal(_string(value).strip(), 1 << 31)
    return 0 if number is None else number


def _same(one: Any, *others: Any) -> bool:
    if any(isinstance(_bare(each), (Table, list)) for each in (one, *others)):
        raise TypeError
    first = _string(one) if isinstance(_bare(one), (str, Text)) else _bare(one)
    return any((_string(each) if isinstance(_bare(each), (str, Text)) else _bare(each)) == first for each in others)


def _until(start: int, end: int, step: int = 1) -> list[int]:
    return list(range(start, end, step))[:1000] if step else []


def _indexed(value: Any, *keys: Any) -> Any:
    for key in keys:
        bare = _bare(value)
        value = bare[_number(key)] if isinstance(bare, list) else _field(bare, _string(key))
    return value


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "default": _defaulted,
    "quote": lambda *values: " ".join(f'"{_string(each)}"' for each in values if _bare(each) is not None),
    "squote": lambda *values: " ".join(f"'{_string(each)}'" for each in values if _bare(each) is not None),
    "toString": _string,
    "int": _number,
    "int64": _number,
    "toYaml": _to_yaml,
    "indent": _indented,
    "nindent": lambda count, value: _indented(count, value, "\n"),
    "trim": lambda value: _string(value).strip(),
    "trimSuffix": lambda end, value: _string(value).removesuffix(_string(end)),
    "trimPrefix": lambda start, value: _string(value).removeprefix(_string(start)),
    "trunc": lambda count, value: _string(value)[: _number(count)],
    "replace": lambda old, new, value: _string(value).replace(_string(old), _string(new))[:LONGEST],
    "lower": lambda value: _string(value).lower(),
    "upper": lambda value: _string(value).upper(),
    "printf": _printed,
    "eq": _same,
    "ne": lambda one, other: not _same(one, other),
    "lt": lambda one, other: _number(one) < _number(other),
    "le": lambda one, other: _number(one) <= _number(other),
    "gt": lambda one, other: _number(one) > _number(other),
    "ge": lambda one, other: _number(one) >= _number(other),
    "not": lambda value: not _is_true(value),
    "empty": lambda value: not _is_true(value),
    "coalesce": lambda *values: next((each for each in values if _is_true(each)), None),
    "ternary": lambda yes, no, decides: yes if _is_true(decides) else no,
    "hasKey": lambda table, key: _string(key) in _bare(table).items,
    "get": lambda table, key: _field(table, _string(key)),
    "index": _indexed,
    "dict": lambda *pairs: Table({_string(key): pairs[at + 1] for at, key in zip(range(0, len(pairs), 2), pairs[::2], strict=False)}),
    "list": lambda *values: list(values),
    "required": lambda _, value: value,
    "tpl": lambda value, _: value if "{{" not in _string(value) else NOT_KNOWN,
    "contains": lambda part, value: _string(part) in _string(value),
    "has": lambda item, values: any(_same(item, each) for each in _bare(values)),
    "len": lambda value: len(_bare(value).items if isinstance(_bare(value), Table) else _bare(value)),
    "first": lambda values: _bare(values)[0],
    "kindIs": lambda kind, value: _kind(value) == _string(kind),
    "until": lambda end: _until(0, _number(end)),
    "untilStep": lambda start, end, step: _until(_number(start), _number(end), _number(step)),
    "add": lambda *values: sum(_number(each) for each in values),
    "sub": lambda one, other: _number(one) - _number(other),
}


def _kind(value: Any) -> str:
    value = _bare(value)
    if isinstance(value, Table):
        return "map"
    if isinstance(value, list):
        return "slice"
    return {bool: "bool", int: "int", type(None): "invalid"}.get(type(value), "string")
