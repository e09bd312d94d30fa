"""Python source, parsed and never run: which sockets a script serves, where its text alone says so."""

import ast
from collections.abc import Callable, Iterator, Mapping

from portwright._start.records import dataclass
from portwright.daemons.interpreters.python.values import (
    DEEPEST,
    MOST_STEPS,
    Known,
    Text,
    argument,
    dotted,
    is_off,
    is_reached,
    is_true,
    only,
    pair,
    place,
    taken_apart,
    truth,
    worth,
)
from portwright.facts import Endpoint, Protocol
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.trees import Files

_MOST_SOCKETS = 64

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
# Functions and classes of other libraries that bind the (host, port) they are given first; measured: all set SO_REUSEADDR.
_PAIRS = ("gevent.pywsgi.WSGIServer", "gevent.server.StreamServer", "gevent.server.DatagramServer", "eventlet.listen")
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
    "aiohttp.web.TCPSite": _Runs((1, "host"), (2, "port"), "", 8080, _BOTH),
    "aiosmtpd.controller.Controller": _Runs((-1, "hostname"), (-1, "port"), "::1", 8025),
    "asyncio.start_server": _Runs((1, "host"), (2, "port"), "", None, _BOTH),
    "prometheus_client.start_http_server": _Runs((1, "addr"), (0, "port"), "0.0.0.0", None),  # noqa: S104
    "twisted.internet.endpoints.TCP4ServerEndpoint": _Runs((3, "interface"), (1, "port"), "", None),
    "twisted.internet.endpoints.TCP6ServerEndpoint": _Runs((3, "interface"), (1, "port"), "", None, ("::",)),
    "twisted.internet.reactor.listenTCP": _Runs((3, "interface"), (0, "port"), "", None),
    "websockets.serve": _Runs((1, "host"), (2, "port"), "", None, _BOTH),
    "websockets.asyncio.server.serve": _Runs((1, "host"), (2, "port"), "", None, _BOTH),
    "websockets.server.serve": _Runs((1, "host"), (2, "port"), "", None, _BOTH),
    "websockets.sync.server.serve": _Runs((1, "host"), (2, "port"), "", None),
    "wsgiref.simple_server.make_server": _Runs((0, "host"), (1, "port"), "", None),
    "aiohttp.web.run_app": _Runs((-1, "host"), (-1, "port"), "", 8080, _BOTH),
    "bottle.run": _Runs((2, "host"), (3, "port"), "127.0.0.1", 8080),
    "uvicorn.run": _Runs((-1, "host"), (-1, "port"), "127.0.0.1", 8000, _BOTH),
    "waitress.serve": _Runs((-1, "host"), (-1, "port"), "", 8080),
    "werkzeug.serving.run_simple": _Runs((0, "hostname"), (1, "port"), "", None),
}
# With one of these they are told another way where to serve.
_ELSEWHERE = frozenset(("sock", "fd", "path", "listen", "sockets", "uds", "unix_socket"))
# Methods of whatever object, where their names say it all.
_EVENT_LOOP = _Runs((1, "host"), (2, "port"), "", None, _BOTH)
# Methods of objects made by these, `app = Flask(__name__)` and `app.run(port=5000)`.
_METHODS = {
    ("flask_socketio.SocketIO", "run"): _Runs((1, "host"), (2, "port"), "127.0.0.1", 5000),
    ("flask.Flask", "run"): _Runs((0, "host"), (1, "port"), "127.0.0.1", 5000),
    ("bottle.Bottle", "run"): _Runs((-1, "host"), (-1, "port"), "127.0.0.1", 8080),
    ("tornado.web.Application", "listen"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
    ("tornado.httpserver.HTTPServer", "listen"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
    ("tornado.httpserver.HTTPServer", "bind"): _Runs((1, "address"), (0, "port"), "", None, _BOTH),
}


def served(
    source: Source,
    argv: tuple[Word, ...],
    environment: Mapping[str, Word],
    files: Files,
    path: Callable[[str], str] = str,
    at: Span | None = None,
) -> tuple[Endpoint, ...]:
    """The sockets a script certainly binds when it is run with these arguments; `argv[0]` is the script.

    A value counts where it is a literal, a name assigned once, a parameter of a function that is called once, an environment variable,
    an argument (argparse too), or stands in a file of JSON, YAML, TOML or INI that the script loads; anything else says nothing. `path`
    makes a path of the script's absolute; `at` is the argument of -c, where the text is no file's. SO_REUSEADDR follows the class (kernel:
    socketserver does not set it, http.server does) and what the script changes.
    """
    text = taken_apart(source, argv, environment, files, path, at)
    if text is None:
        return ()
    found: list[Endpoint] = []
    for call in text.calls:
        found.extend(_served_by(call, text, files))
        if len(found) > _MOST_SOCKETS:
            files.report_limit(place(call, text), _MOST_SOCKETS, "sockets in one script")
            break
    if text.steps > MOST_STEPS:
        files.report_limit(Span.whole(source.path), MOST_STEPS, "steps to work out the values of a script")
    return tuple(dict.fromkeys(found[:_MOST_SOCKETS]))


def assigned(source: Source, name: str, environment: Mapping[str, Word], files: Files) -> tuple[Known, ...] | None:
    """What a module assigns to a name: one value, or those of a list and what is appended to it; None where it assigns nothing.

    What cannot be worked out is told to `files` and left out.
    """
    text = taken_apart(source, (), environment, files)
    if text is None or name not in text.values:
        return None
    last = text.values[name][-1]
    found: list[Known] = []
    appended = [call for call in text.methods.get((name, "append"), []) if len(call.args) == 1 and is_reached(call, text) is not False]
    for node in [*(last.elts if isinstance(last, ast.List | ast.Tuple) else [last]), *(call.args[0] for call in appended)]:
        known = truth(node, text) or worth(node, text)
        if known is None:
            files.report_unreadable(place(node, text), f"what {name} stands for cannot be determined")
        else:
            found.append(Known(known.value, known.at or place(node, text), known.origin))
    return tuple(found)


def _served_by(call: ast.Call, text: Text, files: Files) -> Iterator[Endpoint]:
    called = dotted(call.func, text)
    if (server := _server(called, text)) is not None:
        protocol, reuse, family6 = server
        address = argument(call, 0, "server_address")
        bound = None if address is None or is_off(argument(call, 2, "bind_and_activate")) else pair(address, text)
        if bound is not None:
            yield from _endpoints(call, protocol, *bound, reuse, text, files, family6)
    elif (runs := _RUNS.get(called) or _method(call, text)) is not None:
        yield from _run(call, runs, text, files)
    elif called == "cherrypy.quickstart":
        said = _cherrypy(text)
        host, port = said.get("server.socket_host"), said.get("server.socket_port")
        known_host = worth(host, text) if host is not None else Known("127.0.0.1")
        yield from _endpoints(call, "tcp", known_host, worth(port, text) if port is not None else Known(8080), True, text, files)
    elif called == "twisted.internet.reactor.listenUDP":
        door = argument(call, 0, "port")
        if door is not None:
            yield from _endpoints(call, "udp", _host(argument(call, 2, "interface"), text), worth(door, text), False, text, files)
    elif called in _PAIRS:
        address = argument(call, 0, "listener" if called.startswith("gevent") else "addr")
        if address is not None and (bound := pair(address, text)) is not None:
            protocol = "udp" if called.endswith("DatagramServer") else "tcp"
            # gevent binds :: for no host, for both families.
            dual = called.startswith("gevent") and bound[0] is not None and bound[0].value == ""
            yield from _endpoints(call, protocol, *bound, True, text, files, dual, called == "eventlet.listen", False if dual else None)
    elif called == "socket.create_server":
        address = argument(call, 0, "address")
        if address is not None and (bound := pair(address, text)) is not None:
            family = argument(call, len(call.args), "family")
            six = family is not None and dotted(family, text).endswith("AF_INET6")
            reuse_port = is_true(argument(call, len(call.args), "reuse_port"))
            dual = is_true(argument(call, len(call.args), "dualstack_ipv6"))
            yield from _endpoints(call, "tcp", *bound, True, text, files, six, reuse_port, not dual)
    elif isinstance(call.func, ast.Attribute):
        yield from _by_method(call, call.func, text, files)


def _by_method(call: ast.Call, method: ast.Attribute, text: Text, files: Files) -> Iterator[Endpoint]:
    """What a method binds whose owner nobody can know, by its name: of sockets, of asyncio's loop, of gRPC's server."""
    if method.attr == "bind" and call.args:
        given = worth(call.args[0], text)
        if given is not None and isinstance(given.value, str) and given.value.startswith("tcp://") and "zmq" in _modules(text):
            host, _, port = given.value.removeprefix("tcp://").rpartition(":")
            own = Known("0.0.0.0" if host == "*" else host.strip("[]"), given.at, given.origin)  # noqa: S104
            yield from _endpoints(call, "tcp", own, _number(port, given), True, text, files)
        elif isinstance(method.value, ast.Name):
            yield from _raw(call, method.value.id, text, files)
    elif method.attr == "create_server" and "asyncio" in _modules(text):
        yield from _run(call, _EVENT_LOOP, text, files)
    elif method.attr == "create_datagram_endpoint" and (address := argument(call, 1, "local_addr")) is not None:
        if (bound := pair(address, text)) is not None:
            yield from _endpoints(call, "udp", *bound, False, text, files, bound[0] is not None and ":" in str(bound[0].value))
    elif method.attr in ("add_insecure_port", "add_secure_port") and call.args and (given := worth(call.args[0], text)) is not None:
        host, _, port = str(given.value).rpartition(":")
        if host in ("[::]", "0.0.0.0", "*"):  # noqa: S104  measured: gRPC binds :: for both families
            own = Known("::", given.at, given.origin)
            yield from _endpoints(call, "tcp", own, _number(port, given), True, text, files, True, True, False)
        elif host and host != "unix":
            own = Known(host.strip("[]"), given.at, given.origin)
            yield from _endpoints(call, "tcp", own, _number(port, given), True, text, files, ":" in host, True)


def _modules(text: Text) -> set[str]:
    return {name.partition(".")[0] for name in text.imports.values()}


def _number(port: str, of: Known) -> Known | None:
    number = decimal(port, 65535)
    return None if number is None else Known(number, of.at, of.origin)


def _host(node: ast.expr | None, text: Text) -> Known | None:
    return Known("") if node is None else worth(node, text)


def _method(call: ast.Call, text: Text) -> _Runs | None:
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return None
    made = only(call.func.value.id, text)
    return _METHODS.get((dotted(made.func, text), call.func.attr)) if isinstance(made, ast.Call) else None


def _cherrypy(text: Text) -> dict[str, ast.expr]:
    """What `cherrypy.config.update({...})` sets, key by key."""
    updates = (call.args[0] for call in text.calls if call.args and dotted(call.func, text) == "cherrypy.config.update")
    return {
        key.value: value
        for update in updates if isinstance(update, ast.Dict)
        for key, value in zip(update.keys, update.values, strict=True) if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }  # fmt: skip


def _run(call: ast.Call, runs: _Runs, text: Text, files: Files) -> Iterator[Endpoint]:
    """What a serving function binds: nothing where an argument is there that cannot be worked out, or that a `**mapping` may give."""
    if any(keyword.arg is None or keyword.arg in _ELSEWHERE for keyword in call.keywords):
        return
    host, port = (argument(call, place if place >= 0 else len(call.args), name) for place, name in (runs.host, runs.port))
    if isinstance(host, ast.Constant) and host.value is None:
        host = None
    known_host = worth(host, text) if host is not None else Known(runs.no_host)
    known_port = worth(port, text) if port is not None else None if runs.no_port is None else Known(runs.no_port, origin="default")
    if known_host is not None and known_host.value == "":
        for address in runs.wildcard:
            own = Known(address, known_host.at, known_host.origin)
            yield from _endpoints(call, "tcp", own, known_port, True, text, files, ":" in address, v6only=len(runs.wildcard) > 1 or None)
    else:
        yield from _endpoints(call, "tcp", known_host, known_port, True, text, files)


def _raw(call: ast.Call, name: str, text: Text, files: Files) -> Iterator[Endpoint]:
    """`s.bind(...)` of a plain socket: TCP only where it also listens, since clients bind too."""
    made = text.values.get(name, [])
    if name in text.hidden or len(made) != 1 or not isinstance(made[0], ast.Call) or dotted(made[0].func, text) != "socket.socket":
        return
    family = argument(made[0], 0, "family")
    kind = argument(made[0], 1, "type")
    family_name = dotted(family, text).rpartition(".")[2] if family is not None else "AF_INET"
    kinds = {node.attr for node in ast.walk(kind) if isinstance(node, ast.Attribute)} if kind is not None else {"SOCK_STREAM"}
    if kind is not None and not kinds:
        kinds = {dotted(kind, text).rpartition(".")[2]}
    udp = "SOCK_DGRAM" in kinds
    serves = udp or ("SOCK_STREAM" in kinds and (name, "listen") in text.methods)
    if family_name not in ("AF_INET", "AF_INET6") or not serves:
        return
    calls = [option.args for option in text.methods.get((name, "setsockopt"), []) if len(option.args) == 3]
    options = {dotted(arguments[1], text).rpartition(".")[2]: arguments[2] for arguments in calls}
    bound = pair(call.args[0], text) if call.args else None
    if bound is None:
        return
    v6only = None if "IPV6_V6ONLY" not in options else not is_off(options["IPV6_V6ONLY"])
    yield from _endpoints(
        call,
        "udp" if udp else "tcp",
        *bound,
        "SO_REUSEADDR" in options and not is_off(options["SO_REUSEADDR"]),
        text,
        files,
        family_name == "AF_INET6",
        "SO_REUSEPORT" in options and not is_off(options["SO_REUSEPORT"]),
        v6only,
    )


def _endpoints(
    call: ast.Call,
    protocol: Protocol,
    host: Known | None,
    port: Known | None,
    reuse: bool,
    text: Text,
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
        at=port.at or place(call, text),
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


def _server(called: str, text: Text) -> tuple[Protocol, bool, bool] | None:
    """(protocol, SO_REUSEADDR, IPv6) of a server class of the standard library, or of one in this script that derives from it."""
    reuse: bool | None = None
    family6 = False
    seen: set[str] = set()
    todo = [called]
    while todo and len(seen) < DEEPEST:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if reuse is None and name in text.set_later:
            reuse = not is_off(text.set_later[name])
        if name in _SERVERS:
            protocol, default = _SERVERS[name]
            return protocol, default if reuse is None else reuse, family6
        if name in text.classes:
            for line in text.classes[name].body:
                match line:
                    case ast.Assign(targets=[ast.Name(id="allow_reuse_address")], value=value) if reuse is None:
                        reuse = not is_off(value)
                    case ast.Assign(targets=[ast.Name(id="address_family")], value=value):
                        family6 = dotted(value, text).endswith("AF_INET6")
                    case _:
                        pass
            todo.extend(dotted(base, text) for base in text.classes[name].bases)
    return None


