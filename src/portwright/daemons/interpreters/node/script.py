"""JavaScript, scanned and never run: which ports a script listens on, where its text alone says so."""

from collections.abc import Callable, Mapping
from functools import cached_property
from posixpath import normpath

from portwright._start.records import dataclass, field, replace
from portwright.daemons._engine.binding import BOTH, DUAL, IPV4, Binder, Given
from portwright.daemons.interpreters.data import looked_up
from portwright.facts import Backlog, Endpoint, Origin
from portwright.formats.javascript import LONGEST, Tokens, tokens
from portwright.numbers import based, decimal
from portwright.source import Source, Span, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_DEEPEST = 20
_MOST_STEPS = 20_000
_MOST_SOCKETS = 64
_LONGEST_NUMBER = 9
_GREATEST = 999_999_999
_BASES = {"x": 16, "o": 8, "b": 2}
_BACKLOG = 511  # lib/net.js
_LONGEST_EXPRESSION = 200
_CONVERTS = frozenset(("Number", "parseInt", "parseFloat", "String", "normalizePort"))
_COMPARES = frozenset((">", "<", ">=", "<=", "===", "!==", "==", "!="))
_NOTHING = frozenset(("undefined", "null", "NaN"))
# libuv sets IPV6_V6ONLY=0 for `::` and for no address, whatever net.ipv6.bindv6only says (measured with node 20).
_TCP = Binder("node", wildcard=DUAL, words=("",), v6only=False, confidence="likely")


class _Unknown(Exception):
    """An expression that takes running the script."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What an expression is (None: undefined), and where that comes from when not from the script itself."""

    value: str | int | None
    at: Span
    origin: Origin = "directive"


Range = tuple[int, int]


@dataclass
class _Text:
    """A script taken apart: what its names stand for, as ranges of tokens."""

    tokens: Tokens
    argv: tuple[Word, ...]
    environment: Mapping[str, Word]
    values: dict[str, list[tuple[int, Range]]] = field(default_factory=dict)
    """What is assigned to a name, each with the number of braces around its declaration."""
    from_environment: dict[str, tuple[str, Range | None]] = field(default_factory=dict)
    taken_out: dict[str, tuple[Range, str, Range | None]] = field(default_factory=dict)
    """Names that `const {key: name = default} = expression` declares."""
    imported: dict[str, str] = field(default_factory=dict)
    """Names that stand for a module, and where it is."""
    hidden: set[str] = field(default_factory=set)
    files: Files | None = None
    path: Callable[[str], str] = str
    """Where a relative path leads from the directory the script is started in."""
    script: str = ""
    modules: "dict[str, _Text | None]" = field(default_factory=dict)
    """What the script loads of its own, by the name that it gives it."""
    is_module: bool = False
    steps: int = 0

    @cached_property
    def opens(self) -> dict[int, int]:
        """Which bracket a closing one closes."""
        return {closing: opening for opening, closing in self.tokens.closes.items()}

    @cached_property
    def exports(self) -> dict[str, list[Range]]:
        """What a module exports, by its name; the empty name is all of it at once."""
        found: dict[str, list[Range]] = {}
        for at in range(len(self.tokens.each)):
            if (self.sign(at, "exports") and self.sign(at + 1, "=")) or (self.sign(at, "export") and self.sign(at + 1, "default")):
                found.setdefault("", []).append((at + 2, _expression_end(at + 2, self)))
            elif self.sign(at, "exports") and self.sign(at + 1, ".") and self.sign(at + 3, "="):
                found.setdefault(self.tokens.each[at + 2].text, []).append((at + 4, _expression_end(at + 4, self)))
        return found

    def sign(self, index: int, *signs: str) -> bool:
        """Whether the token at an index is one of these signs or names."""
        each = self.tokens.each
        return 0 <= index < len(each) and each[index].kind in ("sign", "name") and each[index].text in signs

    def name(self, index: int) -> str | None:
        """The name at an index, None where another kind of token stands."""
        each = self.tokens.each
        return each[index].text if 0 <= index < len(each) and each[index].kind == "name" else None

    def after(self, index: int) -> int:
        """The index behind a token, or behind the bracket that closes it."""
        return self.tokens.closes.get(index, index) + 1


def listened(
    source: Source,
    argv: tuple[Word, ...],
    environment: Mapping[str, Word],
    files: Files,
    script: str = "",
    path: Callable[[str], str] = str,
) -> tuple[Endpoint, ...]:
    """The ports that `.listen(...)` and a datagram socket's `.bind(...)` in a script name, as *likely*; `argv[0]` is the script.

    A value counts where it is a literal, a name assigned once, an environment variable, an argument, what a file of JSON or YAML or a
    module that the script loads says, or a simple choice between those. `script` is its path on the host, `path` makes one absolute.
    """
    if len(source.text) > LONGEST:
        files.report_unreadable(Span.whole(source.path), f"a script longer than {LONGEST} characters is not parsed")
        return ()
    text = _Text(tokens(source), argv, environment, files=files, path=path, script=script)
    _index(text)
    app = argv[0].text.rpartition("/")[2]
    fastify = any(token.kind == "string" and token.text == "fastify" for token in text.tokens.each)
    found: list[Endpoint] = []
    for at, token in enumerate(text.tokens.each):
        if token.kind == "name" and token.text in ("listen", "bind") and text.sign(at - 1, ".", "?.") and text.sign(at + 1, "("):
            if token.text == "bind":
                found += _datagram(at, text, app, files)
            else:
                found += _served(at, text, replace(_TCP, app=app), fastify, files)
        if len(found) > _MOST_SOCKETS:
            files.report_limit(text.tokens.span(at, at + 1), _MOST_SOCKETS, "sockets in one script")
            break
    if text.steps > _MOST_STEPS:
        files.report_limit(Span.whole(source.path), _MOST_STEPS, "steps to work out the values of a script")
    return tuple(dict.fromkeys(found[:_MOST_SOCKETS]))


# ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _served(at: int, text: _Text, binder: Binder, fastify: bool, files: Files) -> tuple[Endpoint, ...]:
    """`listen(port[, host][, backlog][, callback])` or `listen({port, host, ipv6Only, reusePort}[, callback])` (net.Server)."""
    arguments = _arguments(at + 1, text)
    if not arguments:
        return ()
    properties = _object(arguments[0], text)
    if properties is not None:
        port = _worth(properties.get("port"), text)
        host = _worth(properties.get("host"), text) if "host" in properties else None
        if _is_true(properties.get("ipv6Only"), text):
            binder = replace(binder, wildcard=("::",), v6only=True)
        binder = replace(binder, reuse_port=_is_true(properties.get("reusePort"), text))
        unsure = "host" in properties and host is None
        queue = [properties["backlog"]] if "backlog" in properties else []
    else:
        port = _worth(arguments[0], text)
        host = _worth(arguments[1], text) if len(arguments) > 1 else None
        unsure = len(arguments) > 1 and host is None and not _is_function(arguments[1], text)
        queue = arguments[1:3]
    asked = (_worth(each, text) for each in queue)
    number = next((known for known in asked if known is not None and isinstance(known.value, int)), None)
    binder = replace(binder, backlog=Backlog(_BACKLOG) if number is None else Backlog.asked(Word(str(number.value), number.at)))
    if fastify and (host is None or host.value is None) and not unsure:
        # fastify binds every address of localhost where it is told no other.
        host, binder = _Known("localhost", text.tokens.span(at, at + 1), "default"), replace(binder, every=True, v6only=True)
    return _endpoints(at, text, binder, port, host, unsure, files)


def _datagram(at: int, text: _Text, app: str, files: Files) -> tuple[Endpoint, ...]:
    """`bind([port][, address][, callback])` or `bind({port, address})` of what `dgram.createSocket(...)` made."""
    made = _socket(at - 2, text)
    arguments = _arguments(at + 1, text)
    if made is None or not arguments:
        return ()
    settings = _object(made, text) or {}
    kind = _worth(settings.get("type", made), text)
    six = kind is not None and kind.value == "udp6"
    binder = Binder(
        app,
        wildcard=BOTH[1:] if six else IPV4,
        words=("",),
        v6only=_is_true(settings.get("ipv6Only"), text) or None,
        reuse_address=_is_true(settings.get("reuseAddr"), text),
        reuse_port=_is_true(settings.get("reusePort"), text),
        protocol="udp",
        confidence="likely",
    )
    properties = _object(arguments[0], text)
    host_at = properties.get("address") if properties is not None else arguments[1] if len(arguments) > 1 else None
    port = _worth(properties.get("port") if properties is not None else arguments[0], text)
    host = _worth(host_at, text)
    return _endpoints(at, text, binder, port, host, host_at is not None and host is None and not _is_function(host_at, text), files)


def _endpoints(
    at: int, text: _Text, binder: Binder, port: _Known | None, host: _Known | None, unsure: bool, files: Files
) -> tuple[Endpoint, ...]:
    said = port.value if port is not None else None
    number = decimal(said, 65535) if isinstance(said, str) else said
    if port is None or number is None or not 0 <= number <= 65535:
        return ()
    if unsure:
        binder = replace(binder, confidence="possible")
    # A number in second place is the backlog.
    named = host.value if host is not None and isinstance(host.value, str) else ""
    place = Given(named, host.at if host is not None else port.at, host.origin if host is not None else port.origin)
    return binder.bind(place, Given(str(number), port.at, port.origin), files)


def _socket(at: int, text: _Text) -> Range | None:
    """The argument of the `createSocket(...)` that made what ends at an index; None where something else did."""
    name = text.name(at)
    if name is not None:
        start, end = _only(name, text) or (0, 0)
    else:
        opening = text.opens.get(at)
        start, end = (max(opening - 4, 0), at + 1) if opening is not None else (0, 0)
    for index in range(start, min(end, start + 8)):
        if text.name(index) == "createSocket" and text.sign(index + 1, "("):
            arguments = _arguments(index + 1, text)
            return arguments[0] if arguments else None
    return None


def _arguments(opening: int, text: _Text) -> list[Range]:
    """The ranges between the commas of a bracket."""
    close = text.tokens.closes.get(opening)
    if close is None:
        return []
    found, start, at = [], opening + 1, opening + 1
    while at < close:
        if text.sign(at, ","):
            found.append((start, at))
            start = at + 1
        at = text.after(at)
    return [*found, (start, close)] if start < close else found


def _object(value: Range | None, text: _Text) -> dict[str, Range] | None:
    """The properties of an object literal, or of one that a name stands for; None for anything else."""
    if value is None:
        return None
    start, end = value
    if end - start == 1 and (name := text.name(start)) is not None:
        meant = _only(name, text)
        if meant is None or not text.sign(meant[0], "{"):
            return None
        start, end = meant
    if not text.sign(start, "{") or text.tokens.closes.get(start) != end - 1:
        return None
    found: dict[str, Range] = {}
    for first, last in _arguments(start, text):
        key = text.tokens.each[first]
        if key.kind in ("name", "string") and text.sign(first + 1, ":"):
            found[key.text] = (first + 2, last)
        elif key.kind == "name" and last - first == 1:
            found[key.text] = (first, last)
    return found


def _is_function(value: Range, text: _Text) -> bool:
    start, end = value
    if text.sign(start, "function", "async") or any(text.sign(at, "=>") for at in range(start, min(end, start + 64))):
        return True
    name = text.name(start)
    return end - start == 1 and name is not None and name in text.hidden and name not in text.values


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _index(text: _Text) -> None:
    depth = 0
    for at, token in enumerate(text.tokens.each):
        if token.kind == "sign":
            depth += (token.text == "{") - (token.text == "}")
        if token.kind == "name" and token.text in ("const", "let", "var"):
            _declared(at + 1, depth, text)
        elif token.kind == "name" and token.text == "import":
            _imported(at + 1, text)
        elif token.kind == "name" and token.text == "function":
            if (name := text.name(at + 1)) is not None:
                text.hidden.add(name)
            _hide(at + 2 if name is not None else at + 1, text)
        elif token.text == "=>" and token.kind == "sign":
            if (name := text.name(at - 1)) is not None:
                text.hidden.add(name)
        elif token.kind == "sign" and token.text == "(" and text.sign(text.after(at), "=>"):
            _hide(at, text)
        elif token.kind == "name" and text.sign(at + 1, "=") and not text.sign(at - 1, ".", "?.", "const", "let", "var", ","):
            text.values.setdefault(token.text, []).append((0, (at + 2, _expression_end(at + 2, text))))
        elif token.kind == "name" and text.sign(at + 1, "+=", "-=", "||=", "??=", "&&=", "++", "--"):
            text.hidden.add(token.text)


def _imported(at: int, text: _Text) -> None:
    """`import config from "./config.json" with {type: "json"}` is as `const config = require("./config.json")`."""
    name = text.name(at)
    if name is not None and text.sign(at + 1, "from") and at + 2 < len(text.tokens.each) and text.tokens.each[at + 2].kind == "string":
        text.imported[name] = text.tokens.each[at + 2].text


def _hide(opening: int, text: _Text) -> None:
    """Names of parameters stand for something else in there."""
    for start, _ in _arguments(opening, text):
        if (name := text.name(start)) is not None:
            text.hidden.add(name)


def _declared(at: int, depth: int, text: _Text) -> None:
    """`const a = 1, b = 2` or `const { PORT = 3000, HOST: host } = process.env`."""
    if text.sign(at, "{"):
        close = text.tokens.closes.get(at)
        if close is not None and text.sign(close + 1, "="):
            owner = close + 2, _expression_end(close + 2, text)
            for start, end in _arguments(at, text):
                key = text.name(start)
                local = text.name(start + 2) if text.sign(start + 1, ":") else key
                equals = next((i for i in range(start, end) if text.sign(i, "=")), None)
                if key is not None and local is not None:
                    fallback = (equals + 1, end) if equals is not None else None
                    if _is_environment(owner, text):
                        text.from_environment[local] = (key, fallback)
                    else:
                        text.taken_out[local] = (owner, key, fallback)
        return
    while (name := text.name(at)) is not None:
        if not text.sign(at + 1, "="):
            return
        end = _expression_end(at + 2, text)
        text.values.setdefault(name, []).append((depth, (at + 2, end)))
        if not text.sign(end, ","):
            return
        at = end + 1


def _expression_end(at: int, text: _Text) -> int:
    """Behind the last token of an expression: a comma, a semicolon, `=`, a closing bracket, or a line that begins a new statement."""
    each, start = text.tokens.each, at
    while at < min(len(each), start + _LONGEST_EXPRESSION):
        token = each[at]
        if token.kind == "sign" and token.text in (",", ";", ")", "]", "}", "="):
            break
        # A line ends a statement where neither side of its end asks for more.
        if (
            at > start
            and token.line_start
            and token.kind != "sign"
            and (each[at - 1].kind != "sign" or each[at - 1].text in (")", "]", "}"))
        ):
            break
        at = text.after(at)
    return min(at, len(each))


def _only(name: str, text: _Text) -> Range | None:
    """What a name stands for: the one thing assigned to it farthest out, since functions have names of their own."""
    values = text.values.get(name, [])
    outermost = min((depth for depth, _ in values), default=0)
    found = [value for depth, value in values if depth == outermost]
    return found[0] if len(found) == 1 and name not in text.hidden else None


def _is_environment(value: Range, text: _Text) -> bool:
    start, end = value
    return end - start == 3 and [text.name(start), text.name(start + 2)] == ["process", "env"] and text.sign(start + 1, ".")


# ── expressions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _worth(value: Range | None, text: _Text, depth: int = 0) -> _Known | None:
    """What an expression certainly is, None where that takes running it."""
    if value is None:
        return None
    try:
        return _value(value, text, depth)
    except _Unknown:
        return None


def _is_true(value: Range | None, text: _Text) -> bool:
    return value is not None and value[1] - value[0] == 1 and text.sign(value[0], "true")


def _value(value: Range, text: _Text, depth: int) -> _Known:
    start, end = value
    text.steps += end - start
    if depth > _DEEPEST or text.steps > _MOST_STEPS or start >= end:
        raise _Unknown
    operators = {text.tokens.each[at].text: at for at in _top(value, text)}
    if "?" in operators:
        return _chosen(value, text, depth)
    for signs in (("||", "??"), ("&&",)):
        if (first := next((at for at in _top(value, text) if text.sign(at, *signs)), None)) is not None:
            left = _value((start, first), text, depth + 1)
            sign = text.tokens.each[first].text
            stop = left.value is not None if sign == "??" else bool(left.value) == (sign == "||")
            return left if stop else _value((first + 1, end), text, depth + 1)
    if (compared := next((at for at in _top(value, text) if text.sign(at, *_COMPARES)), None)) is not None:
        return _compared(_value((start, compared), text, depth + 1), _value((compared + 1, end), text, depth + 1), compared, text)
    last = next((at for at in reversed(_top(value, text)) if text.sign(at, "+", "-") and _is_binary(at, start, text)), None)
    if last is not None:
        return _sum(_value((start, last), text, depth + 1), _value((last + 1, end), text, depth + 1), last, text)
    return _single(value, text, depth)


def _top(value: Range, text: _Text) -> list[int]:
    """The indices of an expression's tokens outside its brackets."""
    found, at = [], value[0]
    while at < value[1]:
        if text.tokens.each[at].kind == "sign" and at not in text.tokens.closes:
            found.append(at)
        at = text.after(at)
    return found


def _chosen(value: Range, text: _Text, depth: int) -> _Known:
    question = next(at for at in _top(value, text) if text.sign(at, "?"))
    nested = 0
    for at in _top((question + 1, value[1]), text):
        nested += text.sign(at, "?") - text.sign(at, ":")
        if nested < 0:
            condition = _value((value[0], question), text, depth + 1)
            return _value((question + 1, at) if condition.value else (at + 1, value[1]), text, depth + 1)
    raise _Unknown


def _compared(left: _Known, right: _Known, at: int, text: _Text) -> _Known:
    sign = text.tokens.each[at].text
    a, b = left.value, right.value
    if sign[0] in "=!":
        return _Known(int((a == b) == (sign[0] == "=")), left.at)
    if not isinstance(a, int) or not isinstance(b, int):
        raise _Unknown
    return _Known(int({">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}[sign]), left.at)


def _is_binary(at: int, start: int, text: _Text) -> bool:
    before = text.tokens.each[at - 1]
    return at > start and (before.kind != "sign" or before.text in (")", "]", "}"))


def _sum(left: _Known, right: _Known, at: int, text: _Text) -> _Known:
    outer = right if right.origin != "directive" else left
    if isinstance(left.value, int) and isinstance(right.value, int):
        return replace(outer, value=left.value + right.value if text.sign(at, "+") else left.value - right.value)
    raise _Unknown


def _single(value: Range, text: _Text, depth: int) -> _Known:
    start, end = value
    token, here = text.tokens.each[start], text.tokens.span(start, start + 1)
    if text.sign(start, "+", "-") and end - start > 1:
        known = _number(_value((start + 1, end), text, depth + 1))
        return replace(known, value=-known.value) if token.text == "-" and isinstance(known.value, int) else known
    if text.sign(start, "(") and text.after(start) == end:
        return _value((start + 1, end - 1), text, depth + 1)
    if end - start == 1 and token.kind == "string":
        return _Known(token.text, here)
    if end - start == 1 and token.kind == "number" and len(token.text) <= _LONGEST_NUMBER:
        digits = token.text.replace("_", "")
        base = _BASES.get(digits[1:2].lower(), 10)
        return _Known(decimal(digits) if base == 10 else based(digits[2:], base), here)
    if token.kind == "name":
        return _named(value, text, depth)
    raise _Unknown


def _named(value: Range, text: _Text, depth: int) -> _Known:
    start, end = value
    name, here = text.tokens.each[start].text, text.tokens.span(start, end)
    length = end - start
    if length == 1:
        if name in _NOTHING or name == "false":
            return _Known(0 if name == "false" else None, here)
        if name == "true":
            return _Known(1, here)
        if name in text.from_environment and name not in text.hidden:
            variable, fallback = text.from_environment[name]
            if variable not in text.environment and fallback is not None:
                return _value(fallback, text, depth + 1)
            return _variable(variable, here, text)
        if (meant := _only(name, text)) is not None:
            return _value(meant, text, depth + 1)
        if name in text.taken_out and name not in text.hidden and name not in text.values:
            owner, taken, fallback = text.taken_out[name]
            known = _loaded(owner, (taken,), here, text, depth)
            return known if known.value is not None or fallback is None else _value(fallback, text, depth + 1)
        raise _Unknown
    if name in _CONVERTS and text.sign(start + 1, "(") and text.after(start + 1) == end:
        arguments = _arguments(start + 1, text)
        if not arguments:
            raise _Unknown
        known = _value(arguments[0], text, depth + 1)
        return known if name in ("String", "normalizePort") else _number(known)
    meant = _only(name, text)
    if name == "process" and text.sign(start + 1, ".") and text.name(start + 2) == "env":
        return _member(start + 3, end, here, text)
    if meant is not None and _is_environment(meant, text):
        return _member(start + 1, end, here, text)
    if name == "process" and text.sign(start + 1, ".") and text.name(start + 2) == "argv":
        return _argument((start + 3, end), here, text, depth)
    if length == 3 and text.sign(start + 1, ".") and (key := text.name(start + 2)) is not None:
        properties = _object((start, start + 1), text)
        if properties is not None and key in properties:
            return _value(properties[key], text, depth + 1)
    keys = _keys(start + 1, end, text)
    if keys and meant is not None:
        return _loaded(meant, keys, here, text, depth)
    if keys and text.imported.get(name, "").endswith(".json"):
        return _of_data((_beside(text.imported[name], text), "json", ()), keys, here, text)
    if keys and (module := _module(text.imported.get(name, ""), text)) is not None:
        return _exported(module, keys, here, text, depth)
    raise _Unknown


# ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _loaded(owner: Range, keys: tuple[str, ...], here: Span, text: _Text, depth: int) -> _Known:
    """What stands under keys in what an expression loads: a module of the script's own, or a file of data."""
    if text.sign(owner[0], "require") and text.sign(owner[0] + 1, "(") and text.after(owner[0] + 1) == owner[1]:
        token = text.tokens.each[owner[0] + 2]
        if token.kind == "string" and (module := _module(token.text, text)) is not None:
            return _exported(module, keys, here, text, depth)
    return _of_data(_data_file(owner, text, depth), keys, here, text)


def _module(name: str, text: _Text) -> _Text | None:
    """The module that a script names by its path; None where it is not there. What a module loads itself is not followed."""
    if text.files is None or text.is_module or not name.startswith(("./", "../", "/")) or name.endswith(".json"):
        return None
    if name not in text.modules:
        text.modules[name] = None
        path = _beside(name, text)
        place = next((each for each in (path, f"{path}.js", f"{path}/index.js") if text.files.kind(each) == "file"), None)
        source = text.files.read(place) if place is not None and UNKNOWN not in place else None
        if source is not None and len(source.text) > LONGEST:
            text.files.report_unreadable(Span.whole(source.path), f"a module longer than {LONGEST} characters is not parsed")
        elif source is not None and place is not None:
            module = _Text(tokens(source), text.argv, text.environment, path=text.path, script=place, is_module=True)
            _index(module)
            text.modules[name] = module
    return text.modules[name]


def _exported(module: _Text, keys: tuple[str, ...], here: Span, text: _Text, depth: int) -> _Known:
    """What a module exports under keys: of the one `module.exports = ` or `export default`, or of the one `exports.KEY = `."""
    whole, single = module.exports.get("", []), module.exports.get(keys[0], [])
    if len(single) > 1 or len(whole) > 1:
        raise _Unknown
    value, rest = (single[0], keys[1:]) if single else (whole[0], keys) if whole else (None, keys)
    for key in rest:
        properties = _object(value, module)
        if properties is None:
            raise _Unknown
        if key not in properties:
            return _Known(None, here)
        value = properties[key]
    if value is None:
        raise _Unknown
    module.steps = text.steps
    try:
        return _value(value, module, depth + 1)
    finally:
        text.steps = module.steps


# ── files of data ───────────────────────────────────────────────────────────────────────────────────────────────────


def _keys(start: int, end: int, text: _Text) -> tuple[str, ...]:
    """The names of `.a["b"]?.c`; none where anything else stands there."""
    found: list[str] = []
    at = start
    while at < end:
        if text.sign(at, ".", "?.") and (name := text.name(at + 1)) is not None:
            found.append(name)
            at += 2
        elif text.sign(at, "[") and text.tokens.each[at + 1].kind == "string" and text.sign(at + 2, "]"):
            found.append(text.tokens.each[at + 1].text)
            at += 3
        else:
            return ()
    return tuple(found)


def _of_data(place: tuple[str, str, tuple[str, ...]] | None, keys: tuple[str, ...], here: Span, text: _Text) -> _Known:
    """What a loaded file has under keys; undefined where it is there and has nothing there."""
    if place is None or text.files is None:
        raise _Unknown
    path, grammar, own = place
    if UNKNOWN in path or text.files.kind(path) != "file":
        raise _Unknown
    found = looked_up(path, grammar, (*own, *keys), text.files)
    if found is None:
        return _Known(None, here)
    number = None if found.is_text else decimal(found.word.text, _GREATEST)
    return _Known(found.word.text if number is None else number, found.word.at)


def _data_file(value: Range, text: _Text, depth: int) -> tuple[str, str, tuple[str, ...]] | None:
    """(path, grammar, keys) of `require("./a.json").b`, or of `JSON.parse(fs.readFileSync("a.json", "utf8"))`, `yaml.load(...)`."""
    start, end = value
    if text.sign(start, "require") and text.sign(start + 1, "("):
        arguments = _arguments(start + 1, text)
        keys = _keys(text.after(start + 1), end, text)
        token = text.tokens.each[arguments[0][0]] if arguments else None
        if token is None or token.kind != "string" or (text.after(start + 1) < end and not keys):
            return None
        is_data = token.text.startswith(("./", "../", "/")) and token.text.endswith(".json")
        return (_beside(token.text, text), "json", keys) if is_data else None
    grammar = {("JSON", "parse"): "json", ("yaml", "load"): "yaml", ("YAML", "parse"): "yaml", ("yaml", "parse"): "yaml"}.get(
        (text.name(start) or "", text.name(start + 2) or "")
    )
    if grammar is None or not text.sign(start + 1, ".") or not text.sign(start + 3, "("):
        return None
    for at in range(start + 4, min(end, start + 12)):
        if text.name(at) == "readFileSync" and text.sign(at + 1, "("):
            arguments = _arguments(at + 1, text)
            named = _path(arguments[0], text, depth + 1) if arguments else None
            return None if named is None else (named, grammar, ())
    return None


def _beside(name: str, text: _Text) -> str:
    """A path as a script's own directory makes it absolute."""
    folder = text.path(text.script).rpartition("/")[0]
    return normpath(name if name.startswith("/") else f"{folder}/{name}")


def _path(value: Range, text: _Text, depth: int) -> str | None:
    """The path that an expression names: a text, `path.join(__dirname, "a.json")`, or what is worth a text."""
    start, end = value
    if text.name(start) == "path" and text.name(start + 2) in ("join", "resolve") and text.sign(start + 3, "("):
        parts = _arguments(start + 3, text)
        if not parts or text.after(start + 3) != end or text.name(parts[0][0]) != "__dirname":
            return None
        rest = [_worth(part, text, depth) for part in parts[1:]]
        names = [part.value for part in rest if part is not None and isinstance(part.value, str)]
        return _beside("/".join(names), text) if names and len(names) == len(rest) else None
    known = _worth(value, text, depth)
    return text.path(known.value) if known is not None and isinstance(known.value, str) else None


def _member(start: int, end: int, here: Span, text: _Text) -> _Known:
    """`.NAME` or `["NAME"]` of the environment."""
    if end - start == 2 and text.sign(start, ".", "?.") and (name := text.name(start + 1)) is not None:
        return _variable(name, here, text)
    if end - start == 3 and text.sign(start, "[") and text.tokens.each[start + 1].kind == "string":
        return _variable(text.tokens.each[start + 1].text, here, text)
    raise _Unknown


def _variable(name: str, here: Span, text: _Text) -> _Known:
    word = text.environment.get(name)
    if word is not None and UNKNOWN in word.text:
        raise _Unknown
    return _Known(None, here) if word is None else _Known(word.text, word.at, "environment")


def _argument(value: Range, here: Span, text: _Text, depth: int) -> _Known:
    """`[2]`, `.indexOf("--port")` or `.includes("--port")` of process.argv, whose first two words are node and the script."""
    start, end = value
    if any(UNKNOWN in word.text for word in text.argv):
        raise _Unknown
    if text.sign(start, "[") and text.after(start) == end:
        index = _value((start + 1, end - 1), text, depth + 1).value
        if not isinstance(index, int) or index < 2:
            raise _Unknown
        word = text.argv[index - 1] if index - 1 < len(text.argv) else None
        return _Known(None, here) if word is None else _Known(word.text, word.at, "argument")
    method = text.name(start + 1)
    if text.sign(start, ".") and method in ("indexOf", "includes") and text.after(start + 2) == end:
        arguments = _arguments(start + 2, text)
        wanted = _value(arguments[0], text, depth + 1).value if arguments else None
        position = next((at for at, word in enumerate(text.argv) if at and word.text == wanted), -2) + 1
        return _Known(position if method == "indexOf" else int(position > 0), here)
    raise _Unknown


def _number(known: _Known) -> _Known:
    """What Number() and parseInt() make of a text of digits; of nothing and of anything else NaN, which is false."""
    if isinstance(known.value, int):
        return known
    return replace(known, value=decimal((known.value or "").strip(), _GREATEST))
