"""Servers whose whole say is on their command line: a table of flags, variables and defaults becomes endpoints."""

from portwright._start.records import dataclass, replace
from portwright.daemons import DaemonFact, Packages, Reader, daemon
from portwright.daemons._engine.binding import BOTH, DUAL, Binder, Given, argument, default, halves, variable
from portwright.facts import Backlog, Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import Options, read
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class Server:
    """One server. `addresses` are flags that give address and port together (given several times, or several in one value), the
    others give one of both; `host` and `port` are built in, no `port`: it binds nothing unless a flag says so.

    `needs` are words without which it is no server (`run`, `-s`). With one of `elsewhere` it binds no port but a Unix socket or a
    descriptor it was given, or takes its address from a file nobody reads here. `one` are flags after which it binds one socket only.
    `ipv4` and `ipv6` restrict the family. `loads` are flags that name the application; where its file is there and never says
    `speaks`, the server finds nothing to serve and gives up before it binds. `count` says how many ports it takes.
    `backlog` says how long an accept queue it asks for, `queue` is the one it asks for by itself. `values` are other flags that take a
    value.
    """

    binder: Binder
    programs: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int | None = None
    host_variables: tuple[str, ...] = ()
    port_variables: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    one: tuple[str, ...] = ()
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    count: tuple[str, ...] = ()
    backlog: tuple[str, ...] = ()
    queue: int | None = None
    values: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()
    speaks: str = ""

    @property
    def valued(self) -> frozenset[str]:
        """Every flag that takes a value."""
        flags = (*self.hosts, *self.ports, *self.addresses, *self.elsewhere, *self.count, *self.backlog, *self.values, *self.loads)
        return frozenset((*flags, *(flag for flag in self.one if flag != "--reload")))


# Measured with ss in a network namespace, with net.ipv6.bindv6only 0 and 1: uvicorn 0.3x, Hypercorn 0.18, waitress 3, Flask 3.1,
# aiohttp 3.14, jupyter_server 2.21, thin 1.8, Plack 1.0050, Starman 0.4016, PHP 8.2, iperf3 3.12, systemd 252.
SERVERS = (
    Server(
        Binder("uvicorn", every=True, wildcard=BOTH, words=("",), v6only=True),
        ("uvicorn",),
        hosts=("--host",),
        ports=("--port",),
        port=8000,
        host_variables=("UVICORN_HOST",),
        port_variables=("UVICORN_PORT",),
        elsewhere=("--uds", "--fd"),
        one=("--workers", "--reload"),
        backlog=("--backlog",),
        queue=2048,
    ),
    Server(
        Binder("hypercorn"),
        ("hypercorn",),
        addresses=("-b", "--bind"),
        port=8000,
        elsewhere=("-c", "--config"),
        backlog=("--backlog",),
        values=("-w", "--workers", "-k", "--worker-class", "--access-logfile", "--error-logfile", "--root-path"),
    ),
    Server(
        Binder("waitress", every=True, wildcard=BOTH, words=("*",), v6only=True),
        ("waitress-serve", "waitress"),
        hosts=("--host",),
        ports=("--port",),
        addresses=("--listen",),
        host="0.0.0.0",  # noqa: S104
        port=8080,
        elsewhere=("--unix-socket",),
        ipv4=("--no-ipv6",),
        ipv6=("--no-ipv4",),
    ),
    Server(
        Binder("flask"),
        ("flask",),
        hosts=("-h", "--host"),
        ports=("-p", "--port"),
        port=5000,
        host_variables=("FLASK_RUN_HOST",),
        port_variables=("FLASK_RUN_PORT",),
        needs=("run",),
        values=("-e", "--env-file", "--cert", "--key", "--extra-files", "--exclude-patterns"),
        loads=("-A", "--app"),
        speaks="flask",
    ),
    Server(
        Binder("aiohttp", every=True, v6only=True),
        ("aiohttp.web",),
        hosts=("-H", "--hostname"),
        ports=("-P", "--port"),
        host="localhost",
        port=8080,
        elsewhere=("-U", "--path"),
    ),
    Server(
        # jupyter_server_config.py may say otherwise.
        Binder("jupyter", every=True, wildcard=BOTH, v6only=True, confidence="likely"),
        ("jupyter-server", "jupyter-lab", "jupyter-notebook", "jupyterlab", "jupyter_server", "notebook"),
        hosts=("--ip", "--ServerApp.ip", "--NotebookApp.ip"),
        ports=("--port", "--ServerApp.port", "--NotebookApp.port"),
        host="localhost",
        port=8888,
        elsewhere=("--sock",),
    ),
    Server(
        Binder("thin"),
        ("thin",),
        hosts=("-a", "--address"),
        ports=("-p", "--port"),
        host="0.0.0.0",  # noqa: S104
        port=3000,
        needs=("start",),
        elsewhere=("-S", "--socket", "-C", "--config"),
        count=("-s", "--servers"),
        values=("-R", "--rackup", "-e", "--environment", "-c", "--chdir", "-A", "--adapter", "-P", "--pid", "-l", "--log", "-u", "-g"),
    ),
    Server(
        Binder("plackup"),
        ("plackup",),
        hosts=("-o", "--host"),
        ports=("-p", "--port"),
        addresses=("-l", "--listen"),
        host="0.0.0.0",  # noqa: S104
        port=5000,
        values=("-s", "--server", "-E", "--env", "-a", "--app", "-I", "-M", "-e", "-L", "--loader"),
    ),
    Server(
        # Net::Server binds :: for every address where the host has IPv6.
        Binder("starman", wildcard=DUAL, confidence="likely"),
        ("starman",),
        hosts=("-o", "--host"),
        ports=("-p", "--port"),
        addresses=("-l", "--listen"),
        host="*",
        port=5000,
        values=("-E", "--env", "-a", "--app", "-I", "-M", "-e", "--workers", "--user", "--group", "--pid", "--error-log"),
    ),
    Server(
        Binder("iperf3", wildcard=DUAL, v6only=False),
        ("iperf3",),
        hosts=("-B", "--bind"),
        ports=("-p", "--port"),
        host="*",
        port=5201,
        needs=("-s", "--server"),
        ipv4=("-4", "--version4"),
        ipv6=("-6", "--version6"),
        values=("-f", "-i", "-A", "-I", "-F", "--pidfile", "--logfile", "--interval", "--format", "--file", "--affinity"),
    ),
)


_NO_PORT = ("unix:", "fd://", "/")  # a Unix socket, a descriptor it was given


def _register(server: Server) -> None:
    daemon(server.binder.app, *server.programs)(_reader(server))


def _reader(server: Server) -> Reader:
    def reader(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
        endpoints = said(server, invocation, files)
        if _has_nothing_to_serve(server, invocation, files):
            return tuple(replace(endpoint, confidence="possible") for endpoint in endpoints)
        return endpoints

    return reader


def _has_nothing_to_serve(server: Server, invocation: Invocation, files: Files) -> bool:
    named = read(invocation.argv[1:], server.valued).last(*server.loads) if server.loads else None
    if named is None or not named.text.endswith(".py"):
        return False
    source = files.read(invocation.path(named.text))
    return source is not None and server.speaks not in source.text.lower()


def said(server: Server, invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """What a server of the table binds when it is started so."""
    options = read(invocation.argv[1:], server.valued)
    if server.needs and not (options.has(*server.needs) or {word.text for word in options.operands}.intersection(server.needs)):
        return ()
    binder = _binder(server, options)
    found: list[Endpoint] = []
    port = _one(options, server.ports, server.port_variables, invocation)
    for word in options.all(*server.addresses):
        for address in _listed(word):
            if address.text.startswith(_NO_PORT):
                continue
            host, own = halves(address)
            builtin = port or default(server.port or 0, address.at)
            found += binder.bind(argument(host), argument(own) if own is not None else replace(builtin, origin="argument"), files)
    host_given = _one(options, server.hosts, server.host_variables, invocation)
    if found or options.has(*server.addresses) or options.has(*server.elsewhere) or (port is None and server.port is None):
        return tuple(found)
    return binder.bind(
        host_given or default(server.host, invocation.at),
        port or default(server.port or 0, invocation.at),
        files,
        _count(options.last(*server.count)),
    )


def _binder(server: Server, options: Options) -> Binder:
    binder = replace(server.binder, backlog=Backlog.asked(options.last(*server.backlog), server.queue))
    if options.has(*server.one) and not any(word.text == "1" for word in options.all(*server.one)):
        binder = replace(binder, every=False, wildcard=binder.wildcard[:1], v6only=None)
    if options.has(*server.ipv4):
        binder = replace(binder, wildcard=("0.0.0.0",))  # noqa: S104
    elif options.has(*server.ipv6):
        binder = replace(binder, wildcard=("::",), v6only=True)
    return binder


def _one(options: Options, flags: tuple[str, ...], variables: tuple[str, ...], invocation: Invocation) -> Given | None:
    word = options.last(*flags)
    return argument(word) if word is not None else variable(invocation.environment, *variables)


def _listed(word: Word) -> tuple[Word, ...]:
    """Addresses separated by blanks, as waitress takes them."""
    parts = word.text.split()
    return (word,) if len(parts) < 2 else tuple(Word(part, word.at) for part in parts)


def _count(word: Word | None) -> int:
    return int(word.text) if word is not None and word.text.isascii() and word.text.isdigit() and 0 < len(word.text) < 4 else 1


for _server in SERVERS:
    _register(_server)
