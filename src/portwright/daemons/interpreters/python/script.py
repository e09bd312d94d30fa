"""Python source, parsed and never run: which sockets a script serves, where its text alone says so."""

import ast
import warnings
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.facts import Endpoint, Origin, Protocol
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.trees import Files

LONGEST = 1 << 19
_DEEPEST = 20
_MOST_SOCKETS = 64
_LONGEST_VALUE = 4096
_MOST_STEPS = 100_000

# socketserver.py: (protocol, whether allow_reuse_address is set). Subclasses inherit both.
_SERVERS: dict[str, tuple[Protocol, bool]] = {
    "socketserver.TCPServer": ("tcp", False),
    "socketserver.ThreadingTCPServer": ("tcp", False),
    "socketserver.ForkingTCPServer": ("tcp", False),
    "socketserver.UDPServer": ("udp", False),
    "socketserver.ThreadingUDPServer": ("udp", False),
    "socketserver.ForkingUDPServer": ("udp", False),
    "http.server.HTTPServer": ("tcp", True),
    "http.server.ThreadingHTTPServer": ("tcp", True),
    "wsgiref.simple_server.WSGIServer": ("tcp", True),
    "xmlrpc.server.SimpleXMLRPCServer": ("tcp", True),
    "xmlrpc.server.DocXMLRPCServer": ("tcp", True),
}
# What Python 2 calls the modules of these.
_PYTHON_2 = {"SocketServer": "socketserver", "BaseHTTPServer": "http.server", "SimpleXMLRPCServer": "xmlrpc.server"}
_PRINTS = lazy_regex(r"(?m)(^[ \t]*|:[ \t]+|;[ \t]*)print\b(?:[ \t]+(?=[^\s=(])[^\n]*|[ \t]*$)")
_CATCHES = lazy_regex(r"(?m)^([ \t]*except[ \t]+(?:[\w.]+|\([^)\n]*\)))[ \t]*,[ \t]*(\w+)[ \t]*:")
_RAISES = lazy_regex(r"(?m)^([ \t]*)raise[ \t]+[\w.]+[ \t]*,[^\n]*")
_HOST_AND_PORT = {"wsgiref.simple_server.make_server": (0, 1), "asyncio.start_server": (1, 2)}
_BOTH = ("0.0.0.0", "::")  # noqa: S104  compared, never bound


@dataclass(frozen=True, slots=True)
class _Runs:
    """A function that serves: where in its arguments host and port stand (-1: by name only), their names, and what holds without them.

    Where it is told no host, or an empty one, it binds `wildcard`. All of them set SO_REUSEADDR.
    """

    host: tuple[int, str]
    port: tuple[int, str]
    no_host: str
    no_port: int | None
    wildcard: tuple[str, ...] = ("0.0.0.0",)  # noqa: S104


# The functions of web frameworks and servers that open a socket and stay; measured in a network namespace.
_RUNS = {
    "aiohttp.web.run_app": _Runs((-1, "host"), (-1, "port"), "", 8080, _BOTH),
    "bottle.run": _Runs((2, "host"), (3, "port"), "127.0.0.1", 8080),
    "uvicorn.run": _Runs((-1, "host"), (-1, "port"), "127.0.0.1", 8000, _BOTH),
    "waitress.serve": _Runs((-1, "host"), (-1, "port"), "", 8080),
    "werkzeug.serving.run_simple": _Runs((0, "hostname"), (1, "port"), "", None),
}
# With one of these they are told another way where to serve.
_ELSEWHERE = frozenset(("sock", "fd", "path", "listen", "sockets", "uds", "unix_socket"))
# Methods of objects made by these, `app = Flask(__name__)` and `app.run(port=5000)`.
_METHODS = {
    ("flask.Flask", "run"): _Runs((0, "host"), (1, "port"), "127.0.0.1", 5000),
    ("bottle.Bottle", "run"): _Runs((-1, "host"), (-1, "port"), "127.0.0.1", 8080),
    ("tornado.web.Application", "listen"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
    ("tornado.httpserver.HTTPServer", "listen"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
    ("tornado.httpserver.HTTPServer", "bind"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
}


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the source gives, and where it comes from when not from the source itself."""

    value: str | int
    at: Span | None = None
    origin: Origin = "directive"


@dataclass
class _Text:
    """A script taken apart: what its names stand for."""

    source: Source
    argv: tuple[Word, ...]
    environment: Mapping[str, Word]
    imports: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[ast.expr]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    set_later: dict[str, ast.expr] = field(default_factory=dict)
    methods: dict[tuple[str, str], list[ast.Call]] = field(default_factory=dict)
    options: dict[str, list[ast.Call]] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    steps: int = 0
    """How many expressions were looked at: names that stand for names twice over would double the work at each."""


def served(source: Source, argv: tuple[Word, ...], environment: Mapping[str, Word], files: Files) -> tuple[Endpoint, ...]:
    """The sockets a script certainly binds when it is run with these arguments; `argv[0]` is the script.

    A value counts where it is a literal, a name assigned once, an environment variable or an argument (argparse too); anything else
    says nothing. SO_REUSEADDR follows the class (kernel: socketserver does not set it, http.server does) and what the script changes.
    """
    text = _taken_apart(source, argv, environment, files)
    if text is None:
        return ()
    found: list[Endpoint] = []
    for call in text.calls:
        found.extend(_served_by(call, text, files))
        if len(found) > _MOST_SOCKETS:
            files.report_limit(_span(call, text), _MOST_SOCKETS, "sockets in one script")
            break
    if text.steps > _MOST_STEPS:
        files.report_limit(Span.whole(source.path), _MOST_STEPS, "steps to work out the values of a script")
    return tuple(dict.fromkeys(found[:_MOST_SOCKETS]))


def assigned(source: Source, name: str, environment: Mapping[str, Word], files: Files) -> tuple[Known, ...] | None:
    """What a module assigns to a name: one value, or those of a list; None where it assigns nothing.

    What cannot be worked out is told to `files` and left out.
    """
    text = _taken_apart(source, (), environment, files)
    if text is None or name not in text.values:
        return None
    last = text.values[name][-1]
    found: list[Known] = []
    for node in last.elts if isinstance(last, ast.List | ast.Tuple) else [last]:
        known = _truth(node, text) or _value(node, text)
        if known is None:
            files.report_unreadable(_span(node, text), f"what {name} stands for cannot be determined")
        else:
            found.append(Known(known.value, known.at or _span(node, text), known.origin))
    return tuple(found)


def _truth(node: ast.expr, text: _Text) -> Known | None:
    return Known(int(node.value), _span(node, text)) if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None


def _taken_apart(source: Source, argv: tuple[Word, ...], environment: Mapping[str, Word], files: Files) -> _Text | None:
    if len(source.text) > LONGEST:
        files.report_unreadable(Span.whole(source.path), f"a script longer than {LONGEST} characters is not parsed")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parsed(source.text.removeprefix("\ufeff").encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    except SyntaxError as error:
        at = Span(source.path, error.lineno or 1, max(error.offset or 1, 1), error.lineno or 1, max(error.offset or 1, 1))
        files.report_unreadable(at, "not Python as this version reads it: what the script binds cannot be determined")
        return None
    except (ValueError, RecursionError, MemoryError):
        files.report_unreadable(Span.whole(source.path), "too deeply nested to parse: what the script binds cannot be determined")
        return None
    text = _Text(source, argv, environment)
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


def _index(tree: ast.Module, text: _Text) -> None:
    for node in ast.walk(tree):
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
                text.hidden.update(a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                text.values.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Attribute(attr="allow_reuse_address", value=ast.expr() as owner)], value=value):
                text.set_later[_dotted(owner, text)] = value
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                text.values.setdefault(name, []).append(value)
            case ast.For(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)) | ast.NamedExpr(target=ast.Name(id=name)):
                text.hidden.add(name)
            case ast.Call():
                text.calls.append(node)
                if isinstance(node.func, ast.Attribute):
                    if isinstance(node.func.value, ast.Name):
                        text.methods.setdefault((node.func.value.id, node.func.attr), []).append(node)
                    if node.func.attr == "add_argument" and (filled := _option_name(node)):
                        text.options.setdefault(filled, []).append(node)
            case _:
                pass


def _served_by(call: ast.Call, text: _Text, files: Files) -> Iterator[Endpoint]:
    called = _dotted(call.func, text)
    if (server := _server(called, text)) is not None:
        protocol, reuse, family6 = server
        address = _argument(call, 0, "server_address")
        bound = None if address is None or _is_off(_argument(call, 2, "bind_and_activate")) else _pair(address, text)
        if bound is not None:
            yield from _endpoints(call, protocol, *bound, reuse, text, files, family6)
    elif (runs := _RUNS.get(called) or _method(call, text)) is not None:
        yield from _run(call, runs, text, files)
    elif called == "cherrypy.quickstart":
        said = _cherrypy(text)
        host, port = said.get("server.socket_host"), said.get("server.socket_port")
        known_host = _value(host, text) if host is not None else Known("127.0.0.1")
        yield from _endpoints(call, "tcp", known_host, _value(port, text) if port is not None else Known(8080), True, text, files)
    elif called == "twisted.internet.reactor.listenTCP":
        host, port = _argument(call, 3, "interface"), _argument(call, 0, "port")
        if port is not None:
            yield from _endpoints(call, "tcp", _value(host, text) if host is not None else Known(""), _value(port, text), True, text, files)
    elif called in _HOST_AND_PORT:
        where, which = _HOST_AND_PORT[called]
        host, port = _argument(call, where, "host"), _argument(call, which, "port")
        if host is not None and port is not None:
            yield from _endpoints(call, "tcp", _value(host, text), _value(port, text), True, text, files)
    elif called == "socket.create_server":
        address = _argument(call, 0, "address")
        if address is not None and (bound := _pair(address, text)) is not None:
            family = _argument(call, len(call.args), "family")
            six = family is not None and _dotted(family, text).endswith("AF_INET6")
            reuse_port = _is_true(_argument(call, len(call.args), "reuse_port"))
            dual = _is_true(_argument(call, len(call.args), "dualstack_ipv6"))
            yield from _endpoints(call, "tcp", *bound, True, text, files, six, reuse_port, not dual)
    elif isinstance(call.func, ast.Attribute) and call.func.attr == "bind" and isinstance(call.func.value, ast.Name):
        yield from _raw(call, call.func.value.id, text, files)


def _method(call: ast.Call, text: _Text) -> _Runs | None:
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return None
    made = _only(call.func.value.id, text)
    return _METHODS.get((_dotted(made.func, text), call.func.attr)) if isinstance(made, ast.Call) else None


def _cherrypy(text: _Text) -> dict[str, ast.expr]:
    """What `cherrypy.config.update({...})` sets, key by key."""
    updates = (call.args[0] for call in text.calls if call.args and _dotted(call.func, text) == "cherrypy.config.update")
    return {
        key.value: value
        for update in updates if isinstance(update, ast.Dict)
        for key, value in zip(update.keys, update.values, strict=True) if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }  # fmt: skip


def _run(call: ast.Call, runs: _Runs, text: _Text, files: Files) -> Iterator[Endpoint]:
    """What a serving function binds: nothing where an argument is there that cannot be worked out, or that a `**mapping` may give."""
    if any(keyword.arg is None or keyword.arg in _ELSEWHERE for keyword in call.keywords):
        return
    host, port = (_argument(call, place if place >= 0 else len(call.args), name) for place, name in (runs.host, runs.port))
    if isinstance(host, ast.Constant) and host.value is None:
        host = None
    known_host = _value(host, text) if host is not None else Known(runs.no_host)
    known_port = _value(port, text) if port is not None else None if runs.no_port is None else Known(runs.no_port, origin="default")
    if known_host is not None and known_host.value == "":
        for address in runs.wildcard:
            own = Known(address, known_host.at, known_host.origin)
            yield from _endpoints(call, "tcp", own, known_port, True, text, files, ":" in address, v6only=len(runs.wildcard) > 1 or None)
    else:
        yield from _endpoints(call, "tcp", known_host, known_port, True, text, files)


def _raw(call: ast.Call, name: str, text: _Text, files: Files) -> Iterator[Endpoint]:
    """`s.bind(...)` of a plain socket: TCP only where it also listens, since clients bind too."""
    made = text.values.get(name, [])
    if name in text.hidden or len(made) != 1 or not isinstance(made[0], ast.Call) or _dotted(made[0].func, text) != "socket.socket":
        return
    family = _argument(made[0], 0, "family")
    kind = _argument(made[0], 1, "type")
    family_name = _dotted(family, text).rpartition(".")[2] if family is not None else "AF_INET"
    kinds = {node.attr for node in ast.walk(kind) if isinstance(node, ast.Attribute)} if kind is not None else {"SOCK_STREAM"}
    if kind is not None and not kinds:
        kinds = {_dotted(kind, text).rpartition(".")[2]}
    udp = "SOCK_DGRAM" in kinds
    serves = udp or ("SOCK_STREAM" in kinds and (name, "listen") in text.methods)
    if family_name not in ("AF_INET", "AF_INET6") or not serves:
        return
    calls = [option.args for option in text.methods.get((name, "setsockopt"), []) if len(option.args) == 3]
    options = {_dotted(arguments[1], text).rpartition(".")[2]: arguments[2] for arguments in calls}
    bound = _pair(call.args[0], text) if call.args else None
    if bound is None:
        return
    v6only = None if "IPV6_V6ONLY" not in options else not _is_off(options["IPV6_V6ONLY"])
    yield from _endpoints(
        call,
        "udp" if udp else "tcp",
        *bound,
        "SO_REUSEADDR" in options and not _is_off(options["SO_REUSEADDR"]),
        text,
        files,
        family_name == "AF_INET6",
        "SO_REUSEPORT" in options and not _is_off(options["SO_REUSEPORT"]),
        v6only,
    )


def _endpoints(
    call: ast.Call,
    protocol: Protocol,
    host: Known | None,
    port: Known | None,
    reuse: bool,
    text: _Text,
    files: Files,
    family6: bool = False,
    reuse_port: bool = False,
    v6only: bool | None = None,
) -> Iterator[Endpoint]:
    if host is None or port is None or not isinstance(host.value, str):
        return
    number = port.value if isinstance(port.value, int) else None
    if number is None or not 0 <= number <= 65535:
        return
    wildcard = "::" if family6 else "0.0.0.0"  # noqa: S104
    resolved = names.addresses(host.value, files) if host.value not in ("", "0.0.0.0", "::") else (host.value or wildcard,)  # noqa: S104
    address = next((address for address in resolved if (":" in address) == family6), resolved[0] if resolved else host.value)
    yield Endpoint(
        at=port.at or _span(call, text),
        app=text.argv[0].text.rpartition("/")[2] if text.argv else "python",
        protocol=protocol,
        address="*" if address == "::" and v6only is False else address,
        ports=PortSet.of(number) if number else PortSet(),
        origin=port.origin,
        random=number == 0,
        reuse_address=reuse,
        reuse_port=reuse_port,
        v6only=v6only if ":" in address else None,
        confidence="likely",
    )


def _server(called: str, text: _Text) -> tuple[Protocol, bool, bool] | None:
    """(protocol, SO_REUSEADDR, IPv6) of a server class of the standard library, or of one in this script that derives from it."""
    reuse: bool | None = None
    family6 = False
    seen: set[str] = set()
    todo = [called]
    while todo and len(seen) < _DEEPEST:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if reuse is None and name in text.set_later:
            reuse = not _is_off(text.set_later[name])
        if name in _SERVERS:
            protocol, default = _SERVERS[name]
            return protocol, default if reuse is None else reuse, family6
        if name in text.classes:
            for line in text.classes[name].body:
                match line:
                    case ast.Assign(targets=[ast.Name(id="allow_reuse_address")], value=value) if reuse is None:
                        reuse = not _is_off(value)
                    case ast.Assign(targets=[ast.Name(id="address_family")], value=value):
                        family6 = _dotted(value, text).endswith("AF_INET6")
                    case _:
                        pass
            todo.extend(_dotted(base, text) for base in text.classes[name].bases)
    return None


def _pair(node: ast.expr, text: _Text, depth: int = 0) -> tuple[Known | None, Known | None] | None:
    """What a `(host, port)` stands for."""
    if isinstance(node, ast.Tuple) and len(node.elts) in (2, 4):
        return _value(node.elts[0], text), _value(node.elts[1], text)
    if isinstance(node, ast.Name) and depth < _DEEPEST and (meant := _only(node.id, text)) is not None:
        return _pair(meant, text, depth + 1)
    return None


def _only(name: str, text: _Text) -> ast.expr | None:
    values = text.values.get(name, [])
    return values[0] if len(values) == 1 and name not in text.hidden else None


def _value(node: ast.expr, text: _Text, depth: int = 0) -> Known | None:
    """What an expression certainly is, None where that takes running it."""
    text.steps += 1
    if depth > _DEEPEST or text.steps > _MOST_STEPS:
        return None
    match node:
        case ast.Constant(value=str() | int() as value) if not isinstance(value, bool):
            return Known(value, _span(node, text))
        case ast.JoinedStr(values=parts):
            return _joined([part.value if _is_plain(part) else part for part in parts], text, depth)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([left, right], text, depth)
        case ast.Name(id=name) if (meant := _only(name, text)) is not None:
            return _value(meant, text, depth + 1)
        case ast.Call(func=ast.Name(id="int" | "str" as kind), args=[inner]):
            return _converted(_value(inner, text, depth + 1), kind)
        case ast.BoolOp(op=ast.Or(), values=[first, *others]):
            known = _value(first, text, depth + 1)
            if known is not None:
                return known if known.value else _value(others[-1], text, depth + 1)
            return _value(others[-1], text, depth + 1) if _is_unset(first, text) else None
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            if _dotted(owner, text) == "os.environ" and isinstance(key, str):
                return _variable(key, text)
            if _dotted(owner, text) == "sys.argv" and isinstance(key, int) and 0 < key < len(text.argv):
                word = text.argv[key]
                return None if "\ufffd" in word.text else Known(word.text, word.at, "argument")
        case ast.Call(func=func, args=[ast.Constant(value=str(key)), *default]) if _dotted(func, text) in ("os.environ.get", "os.getenv"):
            if key in text.environment:
                return _variable(key, text)
            return _value(default[0], text, depth + 1) if default else None
        case ast.Attribute(attr=name, value=ast.Name()) if len(text.options.get(name, [])) == 1:
            return _option(name, text.options[name][0], text, depth)
        case _:
            pass
    return None


def _is_plain(node: ast.expr) -> TypeGuard[ast.FormattedValue]:
    """Whether this is `{value}` of an f-string, without a conversion or a format."""
    return isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None


def _joined(nodes: list[ast.expr], text: _Text, depth: int) -> Known | None:
    """The text of several parts in a row; it stands where its last part does that the unit or the command line gives."""
    parts = [_value(node, text, depth + 1) for node in nodes]
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


def _is_unset(node: ast.expr, text: _Text) -> bool:
    """Whether this asks for an environment variable that the unit does not set."""
    match node:
        case ast.Call(func=func, args=[ast.Constant(value=str(key))]) if _dotted(func, text) in ("os.environ.get", "os.getenv"):
            return key not in text.environment
        case _:
            return False


def _variable(name: str, text: _Text) -> Known | None:
    word = text.environment.get(name)
    return None if word is None or "\ufffd" in word.text else Known(word.text, word.at, "environment")


def _option(name: str, added: ast.Call, text: _Text, depth: int) -> Known | None:
    """The value of an argparse option: from the command line, else its default."""
    flags = [argument.value for argument in added.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
    kinds = [keyword.value.id for keyword in added.keywords if keyword.arg == "type" and isinstance(keyword.value, ast.Name)]
    known: Known | None = None
    for position, word in enumerate(text.argv[1:], 1):
        flag, equals, attached = word.text.partition("=")
        if flag not in flags:
            continue
        value = Word(attached, word.at) if equals else text.argv[position + 1] if position + 1 < len(text.argv) else None
        if value is None or "\ufffd" in value.text:
            return None
        known = Known(value.text, value.at, "argument")
    if known is None:
        defaults = [keyword.value for keyword in added.keywords if keyword.arg == "default"]
        known = _value(defaults[0], text, depth + 1) if defaults else None
    return _converted(known, kinds[0]) if kinds else known


def _option_name(call: ast.Call) -> str | None:
    """The attribute an `add_argument("-p", "--port")` fills; None for a positional argument."""
    for keyword in call.keywords:
        if keyword.arg == "dest" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    flags = [argument.value for argument in call.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
    if not flags or not all(flag.startswith("-") for flag in flags):
        return None
    long = [flag for flag in flags if flag.startswith("--")]
    return (long or flags)[0].lstrip("-").replace("-", "_")


def _converted(known: Known | None, kind: str) -> Known | None:
    if known is None:
        return None
    if kind == "str":
        return Known(str(known.value), known.at, known.origin) if isinstance(known.value, str) or abs(known.value) < 1 << 32 else None
    if isinstance(known.value, int):
        return known
    number = decimal(known.value.strip(), 999_999_999)
    return None if number is None else Known(number, known.at, known.origin)


def _argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position < len(call.args) and not any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1]):
        return call.args[position]
    return None


def _is_off(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)


def _dotted(node: ast.expr, text: _Text) -> str:
    """The full name of `a.b.c` after imports; "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _DEEPEST:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    first = text.imports.get(node.id, node.id)
    module, dot, rest = first.partition(".")
    return ".".join((_PYTHON_2.get(module, module) + dot + rest, *reversed(parts)))


def _span(node: ast.expr, text: _Text) -> Span:
    """Where an expression stands; columns of the syntax tree are UTF-8 bytes."""
    lines = (text.source.line(node.lineno), text.source.line(node.end_lineno or node.lineno))
    start, end = (
        len(line.encode("utf-8", "surrogateescape")[:offset].decode("utf-8", "surrogateescape"))
        for line, offset in zip(lines, (node.col_offset, node.end_col_offset or node.col_offset), strict=True)
    )
    return Span(text.source.path, node.lineno, start + 1, node.end_lineno or node.lineno, end + 1)
