"""redis-server and its kin (valkey, keydb, sentinel): redis.conf and the command line become its listening sockets."""

from portwright._start.records import dataclass, field
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Backlog, Confidence, Endpoint, FileNeed, Invocation, Origin
from portwright.formats import words
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.includes import Includes
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_PORT, _SENTINEL_PORT = 6379, 26379
_BUS_OFFSET = 10000  # CLUSTER_PORT_INCR in cluster.h
_BACKLOG = 511  # CONFIG_DEFAULT_TCP_BACKLOG
_CLIENTS = 10000
_OWN_FILES = 32  # CONFIG_MIN_RESERVED_FDS in server.h
_NUMBERS = frozenset(("port", "tls-port", "cluster-port"))
_COUNTS = frozenset(("tcp-backlog", "maxclients"))
_SWITCHES = frozenset(("cluster-enabled", "tls-cluster"))


@dataclass
class _Said:
    """The last word on each option that matters: its values, and whether a file or an argument gave them."""

    words: dict[str, tuple[tuple[Word, ...], Origin]] = field(default_factory=dict)


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of one redis.conf read on its own; nothing for a file that names neither a port nor an address."""
    said = _Said()
    reading = Includes(files, words.REDIS, path.rpartition("/")[0], "redis")
    _read_file((path,), reading, said)
    if reading.broken or not said.words.keys() & {"port", "tls-port", "bind"}:
        return ()
    return _endpoints(said, Span.whole(path), _PORT, files, "likely")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a redis-server: its config file first, then `--option value` arguments, the last one of a name wins."""
    arguments = list(invocation.argv[1:])
    if any(word.text in ("-v", "--version", "-h", "--help", "--test-memory") for word in arguments[:1]):
        return ()
    sentinel = "sentinel" in invocation.program or any(word.text == "--sentinel" for word in arguments)
    said = _Said()
    reading = Includes(files, words.REDIS, invocation.directory, "redis")
    confidence: Confidence = "certain"
    if arguments and not arguments[0].text.startswith("-"):
        first = arguments.pop(0)
        path = invocation.path(first.text)
        if files.kind(path) == "missing":
            files.report_missing(first.at, f"redis reads {path}, which is not there")
            confidence = "possible"
        else:
            _read_file((path,), reading, said)
    for line in words.options(arguments):
        _directive(line, reading, said, (), "argument")
    if reading.broken:
        return ()
    found = _endpoints(said, invocation.at, _SENTINEL_PORT if sentinel else _PORT, files, confidence)
    return (*found, _files(said, invocation.at, confidence)) if found else ()


def _read_file(chain: tuple[str, ...], reading: Includes, said: _Said) -> None:
    for line in reading.lines(chain[-1]):
        _directive(line, reading, said, chain, "directive")


def _directive(line: words.Line, reading: Includes, said: _Said, chain: tuple[str, ...], origin: Origin) -> None:
    keyword = line.keyword.text.lower()
    if any(word.text == "{" for word in line.values):
        reading.refuse(line.at, "redis has no blocks: this file is of another grammar")
    elif keyword == "include":
        for path in reading.included(line, chain, needed=True):
            _read_file((*chain, path), reading, said)
    elif keyword == "bind":
        said.words[keyword] = (line.values, origin)
    elif keyword in _NUMBERS or keyword in _SWITCHES or keyword in _COUNTS:
        problem = _problem(keyword, line.values)
        if any(UNKNOWN in value.text for value in line.values):
            # Nobody can tell, and so nobody can tell what it binds.
            reading.broken = True
            reading.files.report_unreadable(line.at, "its expansion cannot be determined")
        elif problem:
            reading.refuse(line.at, problem)
        else:
            said.words[keyword] = (line.values, origin)


def _problem(keyword: str, values: tuple[Word, ...]) -> str:
    if len(values) != 1:
        return f"{keyword} takes one value"
    text = values[0].text
    if keyword in _SWITCHES:
        return "" if text.lower() in ("yes", "no") else f"{keyword} takes yes or no"
    if keyword in _COUNTS:
        return "" if decimal(text, 9_999_999_999) is not None else f"{keyword} takes a number"
    return "" if decimal(text, 65535) is not None else f"{keyword} takes a port"


def _endpoints(said: _Said, at: Span, default: int, files: Files, confidence: Confidence) -> tuple[DaemonFact, ...]:
    ports: list[tuple[int, Span, Origin]] = []
    closed: tuple[str, Span | None] = ("", None)
    plain, plain_at, plain_origin = _number(said, "port", default, at)
    tls, tls_at, tls_origin = _number(said, "tls-port", 0, at)
    if plain:
        ports.append((plain, plain_at, plain_origin))
    if tls:
        ports.append((tls, tls_at, tls_origin))
    if _is_on(said, "cluster-enabled"):
        bus, bus_at, bus_origin = _number(said, "cluster-port", 0, at)
        if not bus:
            client, client_at = (tls, tls_at) if _is_on(said, "tls-cluster") else (plain or tls, plain_at if plain else tls_at)
            bus, bus_at, bus_origin = client + _BUS_OFFSET, client_at, "inferred"
        if bus > 65535:
            closed = (f"as a cluster, redis takes {client} and {client} + 10000 for its bus, which is no port, and ends", bus_at)
        else:
            ports.append((bus, bus_at, bus_origin))
    asked = said.words["tcp-backlog"][0][0] if "tcp-backlog" in said.words else None
    backlog = Backlog.asked(asked, _BACKLOG)
    return tuple(
        Endpoint(
            at=port_at,
            app="redis",
            protocol="tcp",
            address=address,
            ports=PortSet.of(port),
            origin=origin,
            reuse_address=True,  # anet.c, anetListen()'s callers: SO_REUSEADDR, and IPV6_V6ONLY on every IPv6 socket
            v6only=True if ":" in address else None,
            confidence=confidence,
            optional=optional,
            why="the cluster bus uses the client port plus 10000" if origin == "inferred" else "",
            backlog=backlog,
            closed_by=closed[0],
            closed_at=closed[1],
        )
        for port, port_at, origin in ports
        for address, optional in _addresses(said, files)
    )


def _files(said: _Said, at: Span, confidence: Confidence) -> FileNeed:
    """adjustOpenFilesLimit() in server.c: it raises its limit for maxclients, and where it may not, lowers maxclients."""
    clients, clients_at, _ = _number(said, "maxclients", _CLIENTS, at)
    return FileNeed(
        at=clients_at,
        app="redis",
        setting="maxclients",
        connections=clients,
        files=clients + _OWN_FILES,
        otherwise="it lowers maxclients to what fits, and rejects further clients",
        raises="as far as it is permitted",
        confidence=confidence,
    )


def _addresses(said: _Said, files: Files) -> tuple[tuple[str, bool], ...]:
    """(address, whether redis goes on without it): `-` before an address makes it optional, `*` and `::*` are the wildcards."""
    if "bind" not in said.words:
        return (("0.0.0.0", False), ("::", True))  # noqa: S104  config.c: the default is `* -::*`
    found: dict[str, bool] = {}
    for word in said.words["bind"][0]:
        for text in word.text.split():
            optional = text.startswith("-")
            name = text.removeprefix("-")
            if name in ("*", "::*"):
                found.setdefault("0.0.0.0" if name == "*" else "::", optional)  # noqa: S104
                continue
            # server.c, listenToPort(): a name with a colon is asked for as IPv6, any other as IPv4.
            fitting = [address for address in names.addresses(name, files) if (":" in address) == (":" in name)]
            found.setdefault(fitting[0] if fitting else name, optional)
    return tuple(found.items())


def _number(said: _Said, keyword: str, default: int, at: Span) -> tuple[int, Span, Origin]:
    if keyword not in said.words:
        return default, at, "default"
    values, origin = said.words[keyword]
    return decimal(values[0].text) or 0, values[0].at, origin


def _is_on(said: _Said, keyword: str) -> bool:
    return keyword in said.words and said.words[keyword][0][0].text.lower() == "yes"
