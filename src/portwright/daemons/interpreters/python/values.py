"""What the names and expressions of Python source stand for, where its text, its start and the files it loads say so; nothing is run."""

import ast
import warnings
from collections.abc import Callable, Mapping
from typing import TypeGuard

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons.interpreters.data import looked_up
from portwright.facts import Origin
from portwright.numbers import decimal
from portwright.source import Source, Span, Word
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

LONGEST = 1 << 19
DEEPEST = 20
MOST_STEPS = 100_000
_LONGEST_VALUE = 4096
_MOST_ASSIGNED = 8

# What Python 2 calls the modules of these.
_PYTHON_2 = {
    "SocketServer": "socketserver",
    "BaseHTTPServer": "http.server",
    "SimpleXMLRPCServer": "xmlrpc.server",
    "ConfigParser": "configparser",
}
_PRINTS = lazy_regex(r"(?m)(^[ \t]*|:[ \t]+|;[ \t]*)print\b(?:[ \t]+(?=[^\s=(])[^\n]*|[ \t]*$)")
_CATCHES = lazy_regex(r"(?m)^([ \t]*except[ \t]+(?:[\w.]+|\([^)\n]*\)))[ \t]*,[ \t]*(\w+)[ \t]*:")
_RAISES = lazy_regex(r"(?m)^([ \t]*)raise[ \t]+[\w.]+[ \t]*,[^\n]*")

# Functions that load a file of data: from an open file, from a path, from text.
_LOADS = {
    "json.load": "json", "json.loads": "json", "yaml.safe_load": "yaml", "yaml.load": "yaml", "yaml.full_load": "yaml",
    "tomllib.load": "toml", "tomllib.loads": "toml", "tomli.load": "toml", "tomli.loads": "toml", "toml.load": "toml", "toml.loads": "toml",
}  # fmt: skip
_PARSERS = ("configparser.ConfigParser", "configparser.RawConfigParser", "configparser.SafeConfigParser")
_DIVIDES = ("split", "rsplit", "partition", "rpartition")
_SAME_PATH = ("os.path.abspath", "os.path.realpath", "os.path.normpath", "pathlib.Path", "pathlib.PurePath", "open", "io.open", "str")
_SAME_FILE = ("open", "read", "read_text", "read_bytes", "resolve", "absolute", "as_posix")


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the source gives, and where it comes from when not from the source itself."""

    value: str | int
    at: Span | None = None
    origin: Origin = "directive"


Guards = tuple[tuple[ast.expr | None, bool], ...]
"""The conditions around a statement, the outermost first, each with whether it must hold; None for one that is not known."""


@dataclass
class Text:
    """A script taken apart: what its names stand for."""

    source: Source
    argv: tuple[Word, ...]
    environment: Mapping[str, Word]
    imports: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    guards: dict[int, Guards] = field(default_factory=dict)
    """The conditions around an assignment or a call, by the identity of the value or the call."""
    asked: set[str] = field(default_factory=set)
    """Names of which it is being worked out which of their assignments holds."""
    hidden: set[str] = field(default_factory=set)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    set_later: dict[str, ast.expr] = field(default_factory=dict)
    methods: dict[tuple[str, str], list[ast.Call]] = field(default_factory=dict)
    options: dict[str, list[ast.Call]] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    called: dict[str, list[ast.Call]] = field(default_factory=dict)
    """The calls of a function by its bare name."""
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = field(default_factory=dict)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """The functions that have a parameter of a name; "" for a lambda."""
    positionals: list[ast.Call] = field(default_factory=list)
    files: Files | None = None
    path: Callable[[str], str] = str
    """Where a relative path leads from the directory the script is started in."""
    at: Span | None = None
    """Where all of it stands, if it is no file: the argument of -c."""
    steps: int = 0
    """How many expressions were looked at: names that stand for names twice over would double the work at each."""


def truth(node: ast.expr, text: Text) -> Known | None:
    """A literal True or False, as 1 or 0."""
    return Known(int(node.value), place(node, text)) if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def taken_apart(
    source: Source,
    argv: tuple[Word, ...],
    environment: Mapping[str, Word],
    files: Files,
    path: Callable[[str], str] = str,
    at: Span | None = None,
) -> Text | None:
    """A script with its names indexed; None, and told, where it cannot be parsed. `argv[0]` is the script, `at` the argument of -c."""
    if len(source.text) > LONGEST:
        files.report_unreadable(Span.whole(source.path), f"a script longer than {LONGEST} characters is not parsed")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parsed(source.text.removeprefix("\ufeff").encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    except SyntaxError as error:
        line, column = error.lineno or 1, max(error.offset or 1, 1)
        where = at or Span(source.path, line, column, line, column)
        files.report_unreadable(where, "not Python as this version reads it: what the script binds cannot be determined")
        return None
    except (ValueError, RecursionError, MemoryError):
        files.report_unreadable(Span.whole(source.path), "too deeply nested to parse: what the script binds cannot be determined")
        return None
    text = Text(source, argv, environment, files=files, path=path, at=at)
    _index(tree, text)
    return text


def _parsed(text: str) -> ast.Module:
    """The syntax tree; what only Python 2 says (print, `except E, e`, `raise E, text`) is taken out where that makes it one."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        newer = _RAISES.sub(r"\1raise", _CATCHES.sub(r"\1 as \2:", _PRINTS.sub(r"\1pass", text)))
        if newer == text:
            raise
        try:
            return ast.parse(newer)
        except SyntaxError:
            raise error from None


def _index(tree: ast.Module, text: Text) -> None:
    todo: list[tuple[ast.AST, Guards]] = [(tree, ())]
    for node, guards in todo:
        if isinstance(node, ast.If) and len(guards) < DEEPEST:
            todo += [(node.test, guards)]
            todo += [(each, (*guards, (node.test, True))) for each in node.body]
            todo += [(each, (*guards, (node.test, False))) for each in node.orelse]
        else:
            # Of an `if` too deep to be told apart both branches may run.
            own = (*guards[:-1], (None, True)) if isinstance(node, ast.If) else guards
            todo += [(each, own) for each in ast.iter_child_nodes(node)]
        if guards and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            text.guards[id(node.value)] = guards
        match node:
            case ast.Import():
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    text.imports[alias.asname or top] = alias.name if alias.asname else top
            case ast.ImportFrom(module=str(module), level=0):
                for alias in node.names:
                    text.imports[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.ClassDef():
                text.classes[node.name] = node
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                arguments = node.args
                name = "" if isinstance(node, ast.Lambda) else node.name
                for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                    text.hidden.add(each.arg)
                    text.parameters.setdefault(each.arg, []).append(name)
                if not isinstance(node, ast.Lambda):
                    text.functions.setdefault(name, []).append(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                text.values.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for target, value in zip(names, values, strict=True):
                    if isinstance(target, ast.Name):
                        text.values.setdefault(target.id, []).append(value)
                        text.guards.update({id(value): guards} if guards else {})
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call(func=ast.Attribute(attr=part)) as value) if part in _DIVIDES:
                for number, target in enumerate(names):
                    if isinstance(target, ast.Name):
                        one = ast.copy_location(ast.Subscript(value, ast.Constant(number), ast.Load()), value)
                        text.values.setdefault(target.id, []).append(one)
                        text.guards.update({id(one): guards} if guards else {})
            case ast.Assign(targets=[ast.Attribute(attr="allow_reuse_address", value=ast.expr() as owner)], value=value):
                text.set_later[dotted(owner, text)] = value
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                text.values.setdefault(name, []).append(value)
            case ast.For(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)) | ast.NamedExpr(target=ast.Name(id=name)):
                text.hidden.add(name)
            case ast.Call():
                text.calls.append(node)
                if guards:
                    text.guards[id(node)] = guards
                if isinstance(node.func, ast.Name):
                    text.called.setdefault(node.func.id, []).append(node)
                if isinstance(node.func, ast.Attribute):
                    if isinstance(node.func.value, ast.Name):
                        text.methods.setdefault((node.func.value.id, node.func.attr), []).append(node)
                    if node.func.attr == "add_argument" and (filled := _option_name(node)):
                        text.options.setdefault(filled, []).append(node)
                        if _is_positional(node):
                            text.positionals.append(node)
            case _:
                pass


def pair(node: ast.expr, text: Text, depth: int = 0) -> tuple[Known | None, Known | None] | None:
    """What a `(host, port)` stands for, None for anything else."""
    if isinstance(node, ast.Tuple) and len(node.elts) in (2, 4):
        return worth(node.elts[0], text), worth(node.elts[1], text)
    if isinstance(node, ast.Name) and depth < DEEPEST and (meant := only(node.id, text)) is not None:
        return pair(meant, text, depth + 1)
    return None


def only(name: str, text: Text) -> ast.expr | None:
    """The one thing a name stands for: what is assigned to it once, or what the one call of its function gives for a parameter."""
    values = text.values.get(name, [])
    if name not in text.hidden:
        return values[0] if len(values) == 1 else _assigned_last(name, values, text) if len(values) <= _MOST_ASSIGNED else None
    owners = text.parameters.get(name, [])
    if values or len(owners) != 1 or len(text.functions.get(owners[0], [])) != 1:
        return None
    calls = text.called.get(owners[0], [])
    return _passed(text.functions[owners[0]][0], name, calls[0]) if len(calls) == 1 else None


def _assigned_last(name: str, values: list[ast.expr], text: Text) -> ast.expr | None:
    """Of several assignments the one that surely comes last: a first one, and others behind conditions that are known."""
    if name in text.asked:
        return None  # a condition asks for the very name that it decides: `if PORT: PORT = 81`
    text.asked.add(name)
    try:
        left: list[ast.expr] = []
        for value in values:
            outcomes = {_outcome(test, wanted, text) for test, wanted in text.guards.get(id(value), ())}
            if False in outcomes:
                continue
            if None in outcomes or (left and not outcomes):
                return None
            left.append(value)
        return left[-1] if left else None
    finally:
        text.asked.discard(name)


def is_reached(node: ast.expr, text: Text) -> bool | None:
    """Whether the conditions around a call hold; None where one of them is not known."""
    outcomes = {_outcome(test, wanted, text) for test, wanted in text.guards.get(id(node), ())}
    return False if False in outcomes else None if None in outcomes else True


def _outcome(test: ast.expr | None, wanted: bool, text: Text) -> bool | None:
    holds = None if test is None or text.steps > MOST_STEPS else _holds(test, text, 1)
    return None if holds is None else holds == wanted


def _passed(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, call: ast.Call) -> ast.expr | None:
    """What a call gives a function for a parameter, its default where it gives nothing."""
    if any(keyword.arg is None for keyword in call.keywords) or any(isinstance(each, ast.Starred) for each in call.args):
        return None
    given = function.args
    placed = [each.arg for each in (*given.posonlyargs, *given.args)]
    passed = argument(call, placed.index(name) if name in placed else len(call.args), name)
    if passed is not None:
        return None if isinstance(passed, ast.Name) and passed.id == name else passed
    if name in placed:
        at = placed.index(name) - len(placed) + len(given.defaults)
        return given.defaults[at] if at >= 0 else None
    named = [each.arg for each in given.kwonlyargs]
    return given.kw_defaults[named.index(name)] if name in named else None


def worth(node: ast.expr, text: Text, depth: int = 0) -> Known | None:
    """What an expression certainly is, None where that takes running it."""
    text.steps += 1
    if depth > DEEPEST or text.steps > MOST_STEPS:
        return None
    match node:
        case ast.Constant(value=str() | int() as value) if not isinstance(value, bool):
            return Known(value, place(node, text))
        case ast.JoinedStr(values=parts):
            return _joined([part.value if _is_plain(part) else part for part in parts], text, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([left, right], text, depth)
        case ast.Name(id=name) if (meant := only(name, text)) is not None:
            return worth(meant, text, depth + 1)
        case ast.Call(func=ast.Name(id="int" | "str" as kind), args=[inner]):
            return _converted(worth(inner, text, depth + 1), kind)
        case ast.BoolOp(op=ast.Or(), values=[first, *others]):
            known = worth(first, text, depth + 1)
            if known is not None:
                return known if known.value else worth(others[-1], text, depth + 1)
            return worth(others[-1], text, depth + 1) if _is_unset(first, text) else None
        case ast.IfExp(test=test, body=body, orelse=orelse):
            holds = _holds(test, text, depth)
            return None if holds is None else worth(body if holds else orelse, text, depth + 1)
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr=method)) as divided, slice=number) if method in _DIVIDES:
            return _part(divided, number, text, depth)
        case ast.Call(func=ast.Attribute(attr="strip" | "lstrip" | "rstrip" as method, value=inner), args=[]):
            known = worth(inner, text, depth + 1)
            return replace(known, value=getattr(known.value, method)()) if known is not None and isinstance(known.value, str) else None
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            if dotted(owner, text) == "os.environ" and isinstance(key, str):
                return _variable(key, text)
            if dotted(owner, text) == "sys.argv" and isinstance(key, int) and 0 < key < len(text.argv):
                word = text.argv[key]
                return None if UNKNOWN in word.text else Known(word.text, word.at, "argument")
            return _of_data(node, text, depth)
        case ast.Call(func=func, args=[ast.Constant(value=str(key)), *default]) if dotted(func, text) in ("os.environ.get", "os.getenv"):
            if key in text.environment:
                return _variable(key, text)
            return worth(default[0], text, depth + 1) if default else None
        case ast.Call(func=ast.Attribute(attr="get" | "getint")):
            return _of_data(node, text, depth)
        case ast.Attribute(attr=name, value=ast.Name()) if len(text.options.get(name, [])) == 1:
            return _option(name, text.options[name][0], text, depth)
        case _:
            pass
    return None


def _part(divided: ast.Call, number: ast.expr, text: Text, depth: int) -> Known | None:
    """One of the parts that a text falls into: `host, port = sys.argv[1].rsplit(":", 1)`, `address.split(":")[-1]`."""
    match number:
        case ast.Constant(value=int(index)):
            pass
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(index))):
            index = -index
        case _:
            return None
    given = [each.value for each in divided.args if isinstance(each, ast.Constant)]
    if not isinstance(divided.func, ast.Attribute) or len(given) != len(divided.args) or divided.keywords or len(given) > 2:
        return None
    if not given or not isinstance(given[0], str) or not given[0] or not all(type(each) is int for each in given[1:]):
        return None
    known = worth(divided.func.value, text, depth + 1)
    if known is None or not isinstance(known.value, str) or (len(given) > 1 and divided.func.attr not in ("split", "rsplit")):
        return None
    parts = getattr(known.value, divided.func.attr)(*given)
    return replace(known, value=parts[index]) if -len(parts) <= index < len(parts) else None


def _holds(test: ast.expr, text: Text, depth: int) -> bool | None:
    """Whether a condition holds: how many arguments there are, or whether a variable is set; None for any other."""
    match test:
        case ast.Compare(left=ast.Call(func=ast.Name(id="len"), args=[counted]), ops=[sign], comparators=[ast.Constant(value=int(number))]):
            if dotted(counted, text) != "sys.argv" or any(UNKNOWN in word.text for word in text.argv):
                return None
            count = len(text.argv)
            if isinstance(sign, ast.Gt | ast.LtE):
                return (count > number) == isinstance(sign, ast.Gt)
            if isinstance(sign, ast.GtE | ast.Lt):
                return (count >= number) == isinstance(sign, ast.GtE)
            return (count == number) == isinstance(sign, ast.Eq) if isinstance(sign, ast.Eq | ast.NotEq) else None
        case ast.Compare(left=ast.Constant(value=str(name)), ops=[ast.In() | ast.NotIn() as sign], comparators=[owner]):
            if dotted(owner, text) == "os.environ":
                return (name in text.environment) == isinstance(sign, ast.In)
        case ast.Subscript(value=owner, slice=ast.Slice(lower=ast.Constant(value=int(number)))) if dotted(owner, text) == "sys.argv":
            return len(text.argv) > number
        case _:
            known = worth(test, text, depth + 1)
            return bool(known.value) if known is not None else False if _is_unset(test, text) else None
    return None


# ── files of data ───────────────────────────────────────────────────────────────────────────────────────────────────


def _of_data(node: ast.expr, text: Text, depth: int) -> Known | None:
    """What a loaded file has under the keys that an expression asks for, or the default it names."""
    if text.files is None:
        return None
    asked = _asked(node, text, depth)
    if asked is None:
        return None
    path, grammar, keys, default = asked
    found = looked_up(path, grammar, keys, text.files)
    if found is None:
        is_there = text.files.kind(path) == "file"
        return worth(default, text, depth + 1) if default is not None and is_there else None
    number = None if found.is_text else decimal(found.word.text, 999_999_999)
    value: str | int = found.word.text if number is None else number
    is_integer = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "getint"
    return _converted(Known(value, found.word.at), "int") if is_integer else Known(value, found.word.at)


_Asked = tuple[str, str, tuple[str, ...], ast.expr | None]


def _asked(node: ast.expr, text: Text, depth: int) -> _Asked | None:
    """(the file, its grammar, keys, what holds without them) of `config["a"]["b"]`, `config["a"].get("b", c)`, `parser.get("a", "b")`."""
    if depth > DEEPEST:
        return None
    text.steps += 1
    match node:
        case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
            outer = _asked(owner, text, depth + 1)
            return None if outer is None else (*outer[:2], (*outer[2], key), None)
        case ast.Call(func=ast.Attribute(attr="get" | "getint", value=owner), args=arguments, keywords=keywords):
            outer = _asked(owner, text, depth + 1)
            keys = [each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            fallback = next((each.value for each in keywords if each.arg in ("fallback", "default")), None)
            if outer is None or not keys:
                return None
            if outer[1] == "ini" and not outer[2]:
                return (*outer[:2], tuple(keys[:2]), fallback) if len(keys) > 1 else None
            return (*outer[:2], (*outer[2], keys[0]), fallback or (arguments[1] if len(arguments) > 1 else None))
        case ast.Name(id=name):
            meant = only(name, text)
            if isinstance(meant, ast.Call) and dotted(meant.func, text) in _PARSERS:
                return _read_by(name, text, depth)
            return _asked(meant, text, depth + 1) if meant is not None else None
        case ast.Call(func=func, args=[given, *_]) if (grammar := _LOADS.get(dotted(func, text))) is not None:
            path = path_of(given, text, depth + 1)
            return None if path is None else (path, grammar, (), None)
        case _:
            return None


def _read_by(name: str, text: Text, depth: int) -> _Asked | None:
    """The file that a ConfigParser reads: of several the last that is there."""
    calls = [*text.methods.get((name, "read"), []), *text.methods.get((name, "read_file"), []), *text.methods.get((name, "readfp"), [])]
    if len(calls) != 1 or not calls[0].args or text.files is None:
        return None
    given = calls[0].args[0]
    paths = [path_of(each, text, depth + 1) for each in (given.elts if isinstance(given, ast.List | ast.Tuple) else [given])]
    there = [path for path in paths if path is not None and text.files.kind(path) == "file"]
    return (there[-1], "ini", (), None) if there and None not in paths else None


def path_of(node: ast.expr, text: Text, depth: int = 0) -> str | None:
    """The path that an expression names, or that of the file it opens; None where that takes running it."""
    found = _path(node, text, depth)
    return None if found is None or UNKNOWN in found else text.path(found)


def _path(node: ast.expr, text: Text, depth: int) -> str | None:
    text.steps += 1
    if depth > DEEPEST or text.steps > MOST_STEPS:
        return None
    match node:
        case ast.Name(id="__file__"):
            return text.path(text.argv[0].text) if text.argv and text.at is None else None
        case ast.Name(id=name) if (meant := only(name, text)) is not None and isinstance(meant, ast.Call | ast.Attribute | ast.BinOp):
            return _path(meant, text, depth + 1)
        case ast.Call(func=func, args=[inner]) if dotted(func, text) == "os.path.dirname":
            return _above(_path(inner, text, depth + 1))
        case ast.Call(func=func, args=parts) if dotted(func, text) == "os.path.join" and parts:
            return _under([_path(part, text, depth + 1) for part in parts])
        case ast.Call(func=func, args=[inner, *_]) if dotted(func, text) in _SAME_PATH:
            return _path(inner, text, depth + 1)
        case ast.Call(func=ast.Attribute(attr=method, value=owner)) if method in _SAME_FILE:
            return _path(owner, text, depth + 1)
        case ast.Attribute(attr="parent", value=owner):
            return _above(_path(owner, text, depth + 1))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _under([_path(left, text, depth + 1), _path(right, text, depth + 1)])
        case _:
            known = worth(node, text, depth + 1)
            return known.value if known is not None and isinstance(known.value, str) else None


def _above(path: str | None) -> str | None:
    return None if path is None else path.rpartition("/")[0]


def _under(parts: list[str | None]) -> str | None:
    """Paths joined as os.path.join does: one that begins with a slash begins anew."""
    joined = ""
    for part in parts:
        if part is None:
            return None
        joined = part if part.startswith("/") or not joined else f"{joined}/{part}"
    return joined


# ── parts of a value ────────────────────────────────────────────────────────────────────────────────────────────────


def _is_plain(node: ast.expr) -> TypeGuard[ast.FormattedValue]:
    """Whether this is `{value}` of an f-string, without a conversion or a format."""
    return isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None


def _joined(nodes: list[ast.expr], text: Text, depth: int) -> Known | None:
    """The text of several parts in a row; it stands where its last part does that the unit or the command line gives."""
    parts = [worth(node, text, depth + 1) for node in nodes]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or not all(isinstance(part.value, str) or abs(part.value) < 1 << 32 for part in known):
        return None
    if sum(len(part.value) for part in known if isinstance(part.value, str)) > _LONGEST_VALUE:
        return None
    if known and all(isinstance(part.value, int) for part in known):
        return None
    outer = next((part for part in reversed(known) if part.origin != "directive"), None)
    value = "".join(str(part.value) for part in known)
    return Known(value, outer.at, outer.origin) if outer is not None else Known(value)


def _is_unset(node: ast.expr, text: Text) -> bool:
    """Whether this asks for an environment variable that the unit does not set."""
    match node:
        case ast.Call(func=func, args=[ast.Constant(value=str(key))]) if dotted(func, text) in ("os.environ.get", "os.getenv"):
            return key not in text.environment
        case _:
            return False


def _variable(name: str, text: Text) -> Known | None:
    word = text.environment.get(name)
    return None if word is None or UNKNOWN in word.text else Known(word.text, word.at, "environment")


def _option(name: str, added: ast.Call, text: Text, depth: int) -> Known | None:
    """The value of an argparse option: from the command line, else its default."""
    flags = [each.value for each in added.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    kinds = [keyword.value.id for keyword in added.keywords if keyword.arg == "type" and isinstance(keyword.value, ast.Name)]
    known: Known | None = None
    for position, word in enumerate(text.argv[1:], 1):
        flag, equals, attached = word.text.partition("=")
        if flag not in flags:
            continue
        value = Word(attached, word.at) if equals else text.argv[position + 1] if position + 1 < len(text.argv) else None
        if value is None or UNKNOWN in value.text:
            return None
        known = Known(value.text, value.at, "argument")
    if _is_positional(added):
        operand = _operand(text.positionals.index(added), text)
        if operand is not None and UNKNOWN in operand.text:
            return None
        known = None if operand is None else Known(operand.text, operand.at, "argument")
    if known is None:
        defaults = [keyword.value for keyword in added.keywords if keyword.arg == "default"]
        known = worth(defaults[0], text, depth + 1) if defaults else None
    return _converted(known, kinds[0]) if kinds else known


def _option_name(call: ast.Call) -> str | None:
    """The attribute that an `add_argument("-p", "--port")` or an `add_argument("port")` fills."""
    for keyword in call.keywords:
        if keyword.arg == "dest" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    flags = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if not flags or (len(flags) > 1 and not all(flag.startswith("-") for flag in flags)):
        return None
    long = [flag for flag in flags if flag.startswith("--")]
    return (long or flags)[0].lstrip("-").replace("-", "_")


def _is_positional(added: ast.Call) -> bool:
    first = added.args[0] if added.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("-")


def _operand(number: int, text: Text) -> Word | None:
    """The argument of this number that is no option and no option's value."""
    valued = {
        each.value
        for added in (call for calls in text.options.values() for call in calls)
        if not any(keyword.arg == "action" for keyword in added.keywords)
        for each in added.args
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.startswith("-")
    }
    found: list[Word] = []
    words = iter(text.argv[1:])
    for word in words:
        if word.text in valued:
            next(words, None)
        elif not word.text.startswith("-"):
            found.append(word)
    return found[number] if number < len(found) else None


def _converted(known: Known | None, kind: str) -> Known | None:
    if known is None:
        return None
    if kind == "str":
        return Known(str(known.value), known.at, known.origin) if isinstance(known.value, str) or abs(known.value) < 1 << 32 else None
    if isinstance(known.value, int):
        return known
    number = decimal(known.value.strip(), 999_999_999)
    return None if number is None else Known(number, known.at, known.origin)


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """What a call passes at a position or by name, None where it passes nothing there."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position < len(call.args) and not any(isinstance(each, ast.Starred) for each in call.args[: position + 1]):
        return call.args[position]
    return None


def is_off(node: ast.expr | None) -> bool:
    """Whether this is a literal that counts as false."""
    return isinstance(node, ast.Constant) and not node.value


def is_true(node: ast.expr | None) -> bool:
    """Whether this is a literal that counts as true."""
    return isinstance(node, ast.Constant) and bool(node.value)


def dotted(node: ast.expr, text: Text, depth: int = 0) -> str:
    """The full name of `a.b.c` after imports, and of what a function is passed for a parameter; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < DEEPEST:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    if node.id in text.parameters and not parts:
        meant = only(node.id, text) if depth < DEEPEST else None
        if isinstance(meant, ast.Name | ast.Attribute):
            return dotted(meant, text, depth + 1)
    first = text.imports.get(node.id, node.id)
    module, dot, rest = first.partition(".")
    return ".".join((_PYTHON_2.get(module, module) + dot + rest, *reversed(parts)))


def place(node: ast.expr, text: Text) -> Span:
    """Where an expression stands; columns of the syntax tree are UTF-8 bytes."""
    if text.at is not None:
        return text.at
    lines = (text.source.line(node.lineno), text.source.line(node.end_lineno or node.lineno))
    start, end = (
        len(line.encode("utf-8", "surrogateescape")[:offset].decode("utf-8", "surrogateescape"))
        for line, offset in zip(lines, (node.col_offset, node.end_col_offset or node.col_offset), strict=True)
    )
    return Span(text.source.path, node.lineno, start + 1, node.end_lineno or node.lineno, end + 1)
