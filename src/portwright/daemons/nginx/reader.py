"""nginx: its configuration with all includes becomes the sockets the master binds and the upstreams it keeps, or does not keep, open."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Literal

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.nginx.uses import Header, Scope, Use
from portwright.facts import (
    Backlog,
    Confidence,
    Endpoint,
    FileNeed,
    Invocation,
    Origin,
    Outbound,
    Protocol,
    Value,
    weakest,
)
from portwright.facts.listen_line import ListenLine
from portwright.formats.nginx import DEEPEST, Directive, Document, parse
from portwright.ip import ip_address
from portwright.numbers import decimal, decimals, is_digits
from portwright.ports import PortSet
from portwright.source import Rewriting, Source, Span, Word
from portwright.system.host_files import names
from portwright.system.host_files.destinations import are_loopback
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_DEFAULT = "/etc/nginx/nginx.conf"
_PREFIX = "/usr/share/nginx"
_DEEPEST_INCLUDE = 16
_MOST_INCLUDES = 16_384
_MOST_DIRECTIVES = 500_000
_MOST_SOCKETS = 4096
_BACKLOG = 511  # NGX_LISTEN_BACKLOG

# ngx_http_core_listen, ngx_stream_core_listen, ngx_mail_core_listen: these make the address a socket of its own; without them nginx
# does not bind 127.0.0.1:80 when it binds *:80 anyway.
_BINDING = frozenset(
    ("bind", "setfib", "fastopen", "backlog", "rcvbuf", "sndbuf", "accept_filter", "deferred", "ipv6only", "reuseport", "so_keepalive")
)
_KNOWN = _BINDING | frozenset(("default_server", "default", "ssl", "http2", "spdy", "quic", "proxy_protocol", "udp", "multipath"))
# The blocks whose content is directives; map, geo, types and the like hold data.
_CONTEXTS = frozenset(("http", "stream", "mail", "rtmp", "events", "server", "location", "upstream", "if", "limit_except"))
_MAIN = frozenset(("http", "stream", "mail", "rtmp", "events"))
_PASSES = ("proxy", "grpc", "fastcgi", "uwsgi", "scgi", "memcached")
_PACKAGES = ("nginx", "nginx-core", "nginx-full", "nginx-light", "nginx-extras", "nginx-mainline", "nginx-mod-stream", "openresty", "angie")
_RELEASE = lazy_regex(r"(?:[0-9]+:)?([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})")

_INCLUDES = lazy_regex(r"\binclude\s+(?!\S*\bmime\.types)")
_AUTHORITY = lazy_regex(r"(?:(?:https?|grpcs?|s?uwsgi|fastcgi|scgi|memcached)://)?+([^/?$]*+)(\$(?:request_uri|uri|document_uri)\b)?", re.I)

Module = Literal["http", "stream", "mail", "rtmp"]  # the last is no part of nginx: libnginx-mod-rtmp


class _Argument(Source):
    """The text of -g: whatever stands in it stands, for a reader, at the argument."""

    def __init__(self, word: Word) -> None:
        super().__init__(word.at.path, word.text)
        self.__dict__["_word"] = word

    def span(self, start: int, end: int) -> Span:
        at: Span = self.__dict__["_word"].at
        return at


@dataclass
class _Reading:
    """One reading of a configuration: where relative includes start, and what has been read so far.

    `lenient`: the file stands alone, so that what it includes may well be elsewhere. `argument` is the text of -g.
    """

    files: Files
    directories: tuple[str, ...]
    lenient: bool = False
    confidence: Confidence = "certain"
    documents: dict[str, Document] = field(default_factory=dict)
    includes: int = 0
    directives: int = 0
    argument: str = ""

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The files that say something, once all of them are read: thousands of upstreams ask for them."""
        return {path: document.directives[0].source for path, document in self.documents.items() if document.directives}

    @cached_property
    def has_includes(self) -> bool:
        """Whether any of them includes another, once all of them are read."""
        return any(_INCLUDES.search(source.text) for source in self.sources.values())

    def refuse(self, at: Span, reason: str) -> None:
        """Note what nginx would not start with."""
        self.files.report_unreadable(at, reason)
        self.confidence = "possible"

    def document(self, path: str) -> Document | None:
        if path not in self.documents:
            source = self.files.read(path)
            if source is None:
                return None
            self.documents[path] = document = parse(source)
            for wrong in document.unreadable:
                self.refuse(wrong.at, wrong.reason)
        return self.documents[path]

    @cached_property
    def quiet(self) -> frozenset[str]:
        """The files that pass no request on, once all of them are read: a thousand plain sites need not be walked for it."""
        return frozenset(path for path, source in self.sources.items() if "_pass" not in source.text and "include" not in source.text)

    def say(self, words: Iterable[str]) -> bool:
        """Whether one of the words stands anywhere in the files or in -g, once all of them are read."""
        texts = (self.argument, *(source.text for source in self.sources.values()))
        return any(word in text for text in texts for word in words)

    def document_nodes(self, document: Document, chain: tuple[str, ...], depth: int = 0) -> tuple[Directive, ...]:
        """A file's directives with includes put in their place, at the depth of blocks it is included at."""
        directives = document.directives
        within = self.directives + document.size <= _MOST_DIRECTIVES and depth + document.depth <= DEEPEST
        if directives and within and "include" not in directives[0].source.text:
            self.directives += document.size
            return directives
        return self.nodes(directives, chain, depth)

    def nodes(self, directives: tuple[Directive, ...], chain: tuple[str, ...], depth: int = 0) -> tuple[Directive, ...]:
        """Directives with includes put in their place, in the context they are included in; the same ones where nothing is included."""
        found: list[Directive] = []
        is_as_written = True
        self.directives += len(directives)
        if directives and self.directives > _MOST_DIRECTIVES:
            is_as_written = False
            read = max(0, len(directives) - (self.directives - _MOST_DIRECTIVES))
            reason = f"more than {_MOST_DIRECTIVES} directives with all includes: the rest is not read"
            self.files.report_unreadable(directives[read].at, reason)
            directives = directives[:read]
        for directive in directives:
            block = directive.block
            if block is None and directive.name == "include":
                is_as_written = False
                for path in self._included(directive, chain):
                    document = self.document(path)
                    if document is not None:
                        found += self.document_nodes(document, (*chain, path), depth)
            elif block is None or directive.name not in _CONTEXTS:
                found.append(directive)
            elif depth >= DEEPEST:
                is_as_written = False
                self.files.report_unreadable(directive.at, f"blocks are nested more than {DEEPEST} deep, this one is not read")
            else:
                inside = self.nodes(block, chain, depth + 1)
                if inside is block:
                    found.append(directive)
                else:
                    is_as_written = False
                    found.append(replace(directive, block=inside))
        return directives if is_as_written else tuple(found)

    def _included(self, directive: Directive, chain: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for word in directive.args[:1]:
            if len(chain) > _DEEPEST_INCLUDE:
                self.refuse(word.at, f"includes nested more than {_DEEPEST_INCLUDE} deep are not followed")
                break
            try:
                paths = self._matching(word.text)
            except TooMany:
                self.files.report_unreadable(word.at, "too many files match")
                continue
            if not paths and not self.lenient and not self.files.partial and not set("*?[").intersection(word.text):
                self.refuse(word.at, "nginx would not start: the included file is not there")
            for path in paths:
                if path in chain:
                    self.refuse(word.at, f"a file includes itself: {' includes '.join((*chain[chain.index(path) :], path))}")
                    continue
                self.includes += 1
                if self.includes > _MOST_INCLUDES:
                    self.files.report_unreadable(word.at, f"more than {_MOST_INCLUDES} included files: the rest is not read")
                    break
                found.append(path)
        return tuple(found)

    def _matching(self, pattern: str) -> tuple[str, ...]:
        if pattern.startswith("/"):
            return expand(pattern, self.files)
        for directory in self.directories:
            paths = expand(f"{directory}/{pattern}", self.files)
            if paths:
                return paths
        return ()


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one config file says on its own: a whole nginx.conf, or server, upstream or location blocks that http or stream includes."""
    here = path.rpartition("/")[0]
    reading = _Reading(files, (here, here.rpartition("/")[0]), lenient=True)
    document = reading.document(path)
    if document is None:
        return ()
    nodes = reading.document_nodes(document, (path,))
    version = _version(packages)
    if any(node.name in _MAIN for node in nodes):
        return (*_endpoints(nodes, reading, 80), *_outbounds(nodes, reading, version, None))
    module = _module(nodes)
    main = Directive(document.directives[0].source, module, 0, 0) if document.directives else None
    inside = nodes if main is None else (replace(main, block=nodes),)
    return (*_endpoints(inside, reading, 80), *_outbounds(inside, reading, version, None, alone=True))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets and upstreams of an nginx: `-c file`, `-p prefix` and `-g directives` as ngx_get_options takes them."""
    options = _options(invocation)
    if options is None:
        return ()
    conf = options.get("c")
    prefix = options["p"].text.rstrip("/") if "p" in options else None
    path = _conf(invocation, conf, prefix, files)
    at = conf.at if conf is not None else invocation.at
    if "\ufffd" in path:
        files.report_missing(at, "which file nginx reads cannot be determined")
        return ()
    reading = _Reading(files, (path.rpartition("/")[0],))
    document = reading.document(path)
    if document is None:
        files.report_missing(at, f"nginx would not start: {path} is not there")
        return ()
    nodes = reading.document_nodes(document, (path,))
    if "g" in options:
        reading.argument = options["g"].text
        argument = parse(_Argument(options["g"]))
        for wrong in argument.unreadable:
            reading.refuse(wrong.at, wrong.reason)
        nodes = (*reading.document_nodes(argument, (path,)), *nodes)
    # ngx_http_core_module.c, "no listen": port 80 for root, 8000 for anybody else.
    default = 80 if invocation.privileges.uid0 else 8000
    version = _version(packages)
    strange = _strange(nodes, reading, version) if version is not None and invocation.argv[0].text in _OF_PACKAGES else ()
    endpoints: Iterable[Endpoint] = _endpoints(nodes, reading, default)
    if strange:
        reason = f"nginx does not start: {strange[0].says} has {strange[0].reason}"
        endpoints = (replace(each, closed_by=reason) for each in endpoints)
    return (*endpoints, *strange, *_outbounds(nodes, reading, version, invocation), *_files(nodes, reading))


def _options(invocation: Invocation) -> dict[str, Word] | None:
    """-c, -p and -g (letters may be joined, values attached); None for a command that only tests, prints or signals."""
    found: dict[str, Word] = {}
    words = iter(invocation.argv[1:])
    for word in words:
        if not word.text.startswith("-"):
            return None
        for position, letter in enumerate(word.text[1:], start=2):
            if letter in "?hvVtTs":
                return None
            if letter in "pcge":
                rest = word.text[position:]
                value = Word(rest, word.at) if rest else next(words, None)
                if value is None:
                    return None
                found[letter] = value
                break
    return found


def _conf(invocation: Invocation, conf: Word | None, prefix: str | None, files: Files) -> str:
    """The configuration file: a relative -c starts from the prefix; what is built in differs between packages and own builds."""
    program = invocation.argv[0].text
    real = files.resolve(program) if program.startswith("/") else program
    built = real.removesuffix(f"/sbin/{real.rpartition('/')[2]}")
    own = built if built not in (real, "", "/usr", "/usr/local") else None
    if conf is not None:
        return conf.text if conf.text.startswith("/") else f"{prefix or own or _PREFIX}/{conf.text}"
    for directory in (prefix if own or not program.startswith("/usr/sbin/") else None, own):
        if directory is not None and files.kind(f"{directory}/conf/nginx.conf") == "file":
            return f"{directory}/conf/nginx.conf"
    if program.startswith("/usr/local/sbin/") and files.kind("/usr/local" + _DEFAULT) == "file":
        return "/usr/local" + _DEFAULT
    return _DEFAULT


def _module(nodes: tuple[Directive, ...]) -> Module:
    """Which block would include these: proxy_pass right inside a server is stream's, `protocol` is mail's."""
    for server in (node for node in nodes if node.name == "server"):
        inside = {node.name for node in server.inside}
        if "proxy_pass" in inside:
            return "stream"
        if "protocol" in inside:
            return "mail"
    return "http"


def _version(packages: Packages) -> tuple[int, ...] | None:
    for name in _PACKAGES:
        found = _RELEASE.match(packages[name]) if name in packages else None
        if found:
            return decimals(found.groups())
    return None


# ── what its release does not know ──────────────────────────────────────────────────────────────────────────────────


_OF_PACKAGES = ("nginx", "/usr/sbin/nginx", "/usr/bin/nginx", "/sbin/nginx")
_SINCE = {
    **dict.fromkeys(("http3", "http3_hq", "quic_retry", "quic_gso", "quic_host_key", "quic_active_connection_id_limit"), (1, 25, 0)),
    **dict.fromkeys(("http3_max_concurrent_streams", "http3_stream_buffer_size"), (1, 25, 0)),
    **dict.fromkeys(("ssl_certificate_cache", "ssl_object_cache_inheritable", "keepalive_min_timeout"), (1, 27, 4)),
    **dict.fromkeys(("ssl_reject_handshake", "ssl_conf_command"), (1, 19, 4)),
    "http2": (1, 25, 1),
    "keepalive_time": (1, 19, 10),
    "proxy_cookie_flags": (1, 19, 3),
    "auth_delay": (1, 17, 10),
    "limit_req_dry_run": (1, 17, 1),
    "proxy_socket_keepalive": (1, 15, 6),
    "ssl_early_data": (1, 15, 3),
    "proxy_pass_trailers": (1, 27, 2),
    "early_hints": (1, 29, 0),
}
_UNTIL = {"ssl": (1, 25, 1)}
_DATED = frozenset((*_SINCE, *_UNTIL, "listen", "server"))
_PARAMETERS = {("listen", "quic"): (1, 25, 0), ("server", "resolve"): (1, 27, 3)}
"""nginx.org, "This directive appeared in version"; 1.22.1 refuses each that came later (tried)."""
_MOST_STRANGE = 16


def _strange(nodes: tuple[Directive, ...], reading: _Reading, version: tuple[int, ...]) -> tuple[ListenLine, ...]:
    """The directives of http that this release refuses to start with: it came before them, or after they were dropped."""
    later = [name for name, since in _SINCE.items() if version < since]
    later += [parameter for (_, parameter), since in _PARAMETERS.items() if version < since]
    if not reading.say([*later, *(name for name, until in _UNTIL.items() if version >= until)]):
        return ()
    found: list[ListenLine] = []
    todo = [node for node in reversed(nodes) if node.name == "http"]
    while todo and len(found) < _MOST_STRANGE:
        node = todo.pop()
        if node.block and node.name in _CONTEXTS:  # what stands in a map is not a directive
            todo += reversed([each for each in node.block if each.block is not None or each.name in _DATED])
        if node.name not in _DATED:
            continue
        since, until = _SINCE.get(node.name, ()), _UNTIL.get(node.name)
        says, what = node.name, "directive"
        if node.name in ("listen", "server") and node.block is None:
            options = [word.text for word in node.args[1:]]
            since, says = next(((each, name) for (on, name), each in _PARAMETERS.items() if on == node.name and name in options), ((), ""))
            what = f"parameter of {node.name}"
        if version < since:
            reason = f"no meaning for nginx {_dotted(version)}, which knows no such {what}: it came with {_dotted(since)}"
        elif until is not None and version >= until:
            reason = f"no meaning for nginx {_dotted(version)}, which knows no such {what}: {_dotted(until)} dropped it"
        else:
            continue
        found.append(ListenLine(node.at, "nginx", f"`{says}`", "refused", reason))
    return tuple(found)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


# ── what it binds ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Listen:
    """One address of a listen line. `own` says that its options ask for a socket of its own."""

    at: Span
    protocol: Protocol
    address: str
    ports: PortSet
    own: bool = False
    v6only: bool | None = None
    reuse_port: bool = False
    origin: Origin = "directive"
    confidence: Confidence = "certain"
    backlog: Backlog | None = None

    @property
    def wildcard(self) -> str:
        """The wildcard of its family."""
        return "::" if ":" in self.address else "0.0.0.0"  # noqa: S104  compared, never bound


def _endpoints(nodes: tuple[Directive, ...], reading: _Reading, default: int) -> Iterator[Endpoint]:
    for module in ("http", "stream", "mail", "rtmp"):
        for listen in _sockets(_listens(nodes, module, reading, default), reading):
            yield Endpoint(
                at=listen.at,
                app="nginx",
                protocol=listen.protocol,
                address="*" if listen.address == "::" and listen.v6only is False else listen.address,
                ports=listen.ports,
                random=not listen.ports,
                origin=listen.origin,
                reuse_address=True,  # ngx_open_listening_sockets
                reuse_port=listen.reuse_port,
                v6only=listen.v6only,
                confidence=weakest(listen.confidence, reading.confidence),
                backlog=(listen.backlog or Backlog(_BACKLOG)) if listen.protocol == "tcp" else None,
            )


def _listens(nodes: tuple[Directive, ...], module: Module, reading: _Reading, default: int) -> Iterator[_Listen]:
    """What each server of a module listens on, one after the other: thousands of sites have few sockets together.

    A line that an earlier server has to the letter says nothing new.
    """
    said: set[str] = set()
    for block in (node for node in nodes if node.name == module):
        for server in (node for node in block.inside if node.name == "server"):
            lines = [node for node in server.inside if node.name == "listen"]
            for directive in lines:
                line = directive.source.text[directive.start : directive.end]
                if line not in said and (listens := tuple(_listen(directive, module, reading))):
                    said.add(line)
                    yield from listens
            if not lines and module == "http":
                at = server.words[0].at
                yield _Listen(at, "tcp", "0.0.0.0", PortSet.of(default), origin="default")  # noqa: S104
            elif not lines:
                reading.refuse(server.at, f"nginx would not start: a {module} server needs a listen line")


def _sockets(listens: Iterable[_Listen], reading: _Reading) -> list[_Listen]:
    """The sockets that listen lines come to: equal addresses are one, and a wildcard stands in for plain addresses on its port.

    ngx_http_init_listening: "If there is a binding to an "*:port" then we need to bind() to the "*:port" only and ignore other
    implicit bindings".
    """
    merged: dict[tuple[Protocol, str, PortSet], _Listen] = {}
    for listen in listens:
        key = (listen.protocol, listen.address, listen.ports)
        first = merged.get(key)
        if first is None:
            if len(merged) >= _MOST_SOCKETS:
                reading.files.report_unreadable(listen.at, f"more than {_MOST_SOCKETS} different listen lines: the rest is not read")
                break
            merged[key] = listen
        else:
            v6only = False if False in (first.v6only, listen.v6only) else first.v6only
            merged[key] = replace(
                first,
                own=first.own or listen.own,
                v6only=v6only,
                reuse_port=first.reuse_port or listen.reuse_port,
                backlog=first.backlog or listen.backlog,
            )
    wild: dict[tuple[Protocol, str], bytearray] = {}
    for listen in merged.values():
        if listen.address == listen.wildcard:
            _take(listen.ports, wild.setdefault((listen.protocol, listen.wildcard), bytearray(65537)))
    free = _free(merged.values())
    sockets: list[_Listen] = []
    for number, listen in enumerate(merged.values()):
        if not listen.ports:
            sockets.append(listen)
            continue
        left = free[number]
        if listen.address != listen.wildcard and not listen.own and (listen.protocol, listen.wildcard) in wild:
            left = _take(left, wild[listen.protocol, listen.wildcard])
        if left:
            sockets.append(replace(listen, ports=left))
    return sockets


def _free(listens: Iterable[_Listen]) -> dict[int, PortSet]:
    """The ports that no listen before has taken on the same address, by its number: one address after the other, for memory's sake."""
    of_address: dict[tuple[Protocol, str], list[tuple[int, PortSet]]] = {}
    for number, listen in enumerate(listens):
        of_address.setdefault((listen.protocol, listen.address), []).append((number, listen.ports))
    free: dict[int, PortSet] = {}
    for each in of_address.values():
        taken = bytearray(65537)
        free |= {number: _take(ports, taken) for number, ports in each}
    return free


def _take(ports: PortSet, taken: bytearray) -> PortSet:
    """The ports that are not taken yet; now they are. A byte a port, so that many overlapping ranges stay cheap."""
    free: list[tuple[int, int]] = []
    for low, high in ports.ranges:
        start = taken.find(0, low, high + 1)
        while start >= 0:
            stop = taken.find(1, start, high + 1)
            stop = high + 1 if stop < 0 else stop
            free.append((start, stop - 1))
            start = taken.find(0, stop, high + 1)
        taken[low : high + 1] = b"\1" * (high + 1 - low)
    return PortSet.of(*free)


def _listen(directive: Directive, module: Module, reading: _Reading) -> Iterator[_Listen]:
    args = directive.args
    if not args:
        reading.refuse(directive.at, "listen needs an address or a port")
        return
    where, options = args[0], args[1:]
    if where.text.startswith("unix:"):
        return
    if set("${\ufffd").intersection(where.text):
        if not reading.lenient:
            reading.refuse(where.at, f'nginx expands no variables in "listen": {where.text}')
        return
    try:
        host, ports = _place(where.text, 80 if module == "http" else None)
        for option in options:
            if option.text.partition("=")[0] not in _KNOWN:
                raise ValueError(f'invalid parameter "{option.text}"')
    except ValueError as error:
        reading.refuse(where.at, f'nginx would not start: {error} in "listen {where.text}"')
        return
    flags = {option.text.partition("=")[0] for option in options}
    v6only = "ipv6only=off" not in {option.text for option in options}
    protocol: Protocol = "udp" if (module == "http" and "quic" in flags) or (module == "stream" and "udp" in flags) else "tcp"
    known = ("0.0.0.0",) if host == "*" else names.addresses(host, reading.files)  # noqa: S104
    for address in known or (host,):
        address = _canonical(address)
        yield _Listen(
            at=where.at,
            protocol=protocol,
            address=address,
            ports=ports,
            own=not flags.isdisjoint(_BINDING),
            v6only=v6only if ":" in address else None,
            reuse_port="reuseport" in flags,
            confidence="certain" if known else "possible",
            backlog=next((Backlog.asked(_after(option, "backlog=")) for option in options if option.text.startswith("backlog=")), None),
        )


def _after(option: Word, name: str) -> Word:
    """The value of an option that begins with its name."""
    return Word(option.text.removeprefix(name), option.at)


def _place(text: str, default: int | None) -> tuple[str, PortSet]:
    """Host and ports of a listen address as ngx_parse_url takes it; raises ValueError with nginx's words.

    Without a port and without a default (stream, mail) the ports are empty: measured with 1.22.1, the kernel picks one.
    """
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError("invalid host")
        try:
            host = str(ip_address(host[1:]))
        except ValueError:
            raise ValueError("invalid IPv6 address") from None
        port = rest[1:] if rest else None
    else:
        if "/" in text:
            raise ValueError("invalid host")
        host, colon, after = text.partition(":")
        port = after if colon else None
        if not colon and all(map(is_digits, text.split("-", 1))):
            host, port = "*", text
        elif not host:
            raise ValueError("no host")
    if port is None:
        return host, PortSet() if default is None else PortSet.of(default)
    low, dash, high = port.partition("-")
    ends = [_port(end) for end in ((low, high) if dash else (low,))]
    if ends[0] > ends[-1]:
        raise ValueError("invalid port range")
    return host, PortSet.of((ends[0], ends[-1]))


def _port(text: str) -> int:
    port = decimal(text, 65535)
    if not port:
        raise ValueError("invalid port")
    return port


def _canonical(address: str) -> str:
    """One spelling for an IPv6 address; anything else as it is."""
    try:
        return str(ip_address(address)) if ":" in address else address
    except ValueError:
        return address


def _files(nodes: tuple[Directive, ...], reading: _Reading) -> Iterator[FileNeed]:
    """A worker's connections, those to upstreams counted with them, each a descriptor.

    ngx_event_core_module warns "worker_connections exceed open file resource limit" by the limit that the master has, which is not
    the workers' where worker_rlimit_nofile is lower. Where the master may not set that, the workers keep what it has.
    """
    events = (child for node in nodes if node.name == "events" for child in node.inside)
    connections = _count(next((node for node in events if node.name == "worker_connections"), None))
    own = _count(next((node for node in nodes if node.name == "worker_rlimit_nofile"), None))
    if connections is not None:
        yield FileNeed(
            at=connections.at,
            app="nginx",
            setting="worker_connections",
            connections=decimal(connections.text) or 0,
            files=decimal(connections.text) or 0,
            otherwise="a worker with that many open leaves clients waiting and fails to connect to upstreams",
            own=None if own is None else ("worker_rlimit_nofile", Value(own.text, own.at)),
            confidence=reading.confidence,
        )


def _count(directive: Directive | None) -> Word | None:
    word = next(iter(directive.args), None) if directive is not None else None
    return word if word is not None and decimal(word.text, 9_999_999_999) is not None else None


# ── what it connects to ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Verdict:
    keepalive: bool | None
    why: str
    decided_at: Span | None = None


def _outbounds(
    nodes: tuple[Directive, ...], reading: _Reading, version: tuple[int, ...] | None, invocation: Invocation | None, alone: bool = False
) -> Iterator[Outbound]:
    """`alone`: a file of its own, whose upstreams may be used elsewhere."""
    for module in ("http", "stream"):
        blocks = [node for node in nodes if node.name == module]
        upstreams: dict[str, Directive] = {}
        maps: dict[str, Header] = {}
        rows: dict[str, Directive] = {}
        uses: dict[str, list[Use]] = {}
        for block in blocks:
            for node in block.inside:
                if node.name == "upstream" and node.args:
                    upstreams.setdefault(node.args[0].text.lower(), node)
                elif node.name == "map" and [word.text for word in node.args[:1]] == ["$http_upgrade"]:
                    variable, row = node.words[-1].text, _row(node)
                    maps[variable] = _mapped(node, row)
                    rows |= {} if row is None else {variable: row}
            # UDP knows no TIME_WAIT, and what is sent on for a client is no connection.
            over_tcp = block.inside if module == "http" else tuple(node for node in block.inside if not _is_of_udp(node))
            passing = tuple(node for node in over_tcp if node.name != "server" or node.source.path not in reading.quiet)
            for use in _uses(passing, Scope().inside(block.inside)):
                uses.setdefault(use.target.lower(), []).append(use)
        if alone:
            for name in upstreams:
                uses.setdefault(name, [])
        for target, found in uses.items():
            upstream = upstreams.get(target)
            servers = [found[0].target] if upstream is None else _servers(upstream)
            hosts = [_host(server) for server in servers if not server.startswith("unix:")]
            elsewhere = alone or reading.files.partial
            if not hosts or (upstream is None and elsewhere and not _is_address(hosts[0], reading)):
                continue
            keepalive = _upstream_on_all(upstream, found, maps, version, module)
            at = found[0].at if upstream is None else upstream.args[0].at
            surely = version is not None or keepalive.keepalive is not False or upstream is None or module == "stream"
            yield Outbound(
                at=at,
                app="nginx",
                unit=invocation.unit if invocation is not None else None,
                name=found[0].target if upstream is None else upstream.args[0].text,
                keepalive=keepalive.keepalive,
                decided_at=keepalive.decided_at,
                servers=len(hosts),
                loopback=are_loopback(hosts, reading.files),
                source_address=_source_address(found),
                version=".".join(map(str, version)) if version is not None else None,
                why=keepalive.why,
                confidence=weakest(reading.confidence, "certain" if surely else "likely"),
                starts=invocation.starts if invocation is not None else None,
                asked_at=_asked(upstream),
                opened_for="client" if module == "stream" else "request",
                keeping=_keeping(upstream, found, maps, rows, upstreams, version, reading, keepalive.keepalive, alone),
            )


def _keeping(
    upstream: Directive | None,
    uses: list[Use],
    maps: Mapping[str, Header],
    rows: Mapping[str, Directive],
    upstreams: Mapping[str, Directive],
    version: tuple[int, ...] | None,
    reading: _Reading,
    keepalive: bool | None,
    alone: bool,
) -> Rewriting | None:
    """What the config would say if the connections were kept, where they are not and what uses the upstream is known."""
    if keepalive is not False or not uses:
        return None
    from portwright.daemons.nginx.keeping import keeping  # many hosts have no such upstream

    # Of a piece it is not known what includes it, nor what that one sets for all; of a file that stands alone, what it includes.
    whole = not alone and not (reading.lenient and reading.has_includes)
    first = tuple(islice(reading.documents, 1))
    return keeping(upstream, uses, maps, rows, _keeps_by_default(version), upstreams, reading.sources, first, whole=whole)


def _keeps_by_default(version: tuple[int, ...] | None) -> bool:
    """CHANGES: keepalive is on by default for explicit upstreams since 1.29.7."""
    return version is not None and version >= (1, 29, 7)


def _is_of_udp(node: Directive) -> bool:
    """Whether it is a server of the stream module that listens on UDP."""
    return node.name == "server" and any(
        line.name == "listen" and "udp" in {word.text for word in line.args[1:]} for line in node.inside
    )


def _asked(upstream: Directive | None) -> Span | None:
    """The line of an upstream that asks for kept connections."""
    lines = [] if upstream is None else [node for node in upstream.inside if node.name == "keepalive"]
    return lines[-1].at if lines and [word.text for word in lines[-1].args[:1]] != ["0"] else None


def _uses(nodes: tuple[Directive, ...], scope: Scope, server: Directive | None = None) -> Iterator[Use]:
    for node in nodes:
        name = node.name
        if name in ("server", "location", "if", "limit_except"):
            yield from _uses(node.inside, scope.inside(node.inside), server or node)
        elif name.endswith("_pass") and name.removesuffix("_pass") in _PASSES:
            word = next(iter(node.args), None)
            url = _AUTHORITY.match(word.text) if word is not None else None
            if word is None or url is None:
                continue
            rest = word.text[url.end(1) :]
            # A variable in the host is looked up for each request, nothing here can tell to what.
            if url[1] and not url[1].startswith("unix:") and (not rest.startswith("$") or url[2]):
                yield Use(name.removesuffix("_pass"), url[1], word, scope, node, server)


def _servers(upstream: Directive) -> list[str]:
    """The addresses an upstream spreads over: backups only count where there is nothing else, servers that are down never."""
    lines = [node.args for node in upstream.inside if node.name == "server" and node.args]
    up = [args for args in lines if "down" not in {word.text for word in args[1:]}]
    primary = [args[0].text for args in up if "backup" not in {word.text for word in args[1:]}]
    return primary or [args[0].text for args in up]


def _host(address: str) -> str:
    return address[1 : address.find("]")] if address.startswith("[") else address.partition(":")[0]


def _is_address(host: str, reading: _Reading) -> bool:
    return bool(names.addresses(host, reading.files))


def _source_address(uses: list[Use]) -> str | None:
    for use in uses:
        word = use.scope.binds.get(use.kind)
        if word is not None and names.is_address(word.text):
            return word.text
    return None


def _upstream_on_all(
    upstream: Directive | None, uses: list[Use], maps: Mapping[str, Header], version: tuple[int, ...] | None, module: Module | str
) -> _Verdict:
    """Whether connections are kept, over all that use the upstream: one that closes them is enough to say no."""
    if module == "stream":
        return _Verdict(None, "each client connection of a stream server is one connection to the upstream")
    if upstream is None:
        return _Verdict(False, f"{uses[0].kind}_pass names an address: only an upstream block keeps connections")
    by_default = _keeps_by_default(version)
    name = upstream.args[0].text
    lines = [node for node in upstream.inside if node.name == "keepalive"]
    line = lines[-1].at if lines else None
    if lines and [word.text for word in lines[-1].args[:1]] == ["0"]:
        return _Verdict(False, f'upstream "{name}" keeps no connection', line)
    if line is None and not by_default:
        return _Verdict(False, f'upstream "{name}" has no keepalive line: each request opens a connection')
    if not uses:
        return _Verdict(None, f'upstream "{name}" keeps connections, whether the locations that use it do is not in this file', line)
    verdicts = [_verdict(use, maps, by_default, line) for use in uses]
    for wanted in (False, None):
        for verdict in verdicts:
            if verdict.keepalive is wanted:
                return verdict
    return _Verdict(True, f'upstream "{name}" keeps connections', line)


def _verdict(use: Use, maps: Mapping[str, Header], by_default: bool, line: Span | None) -> _Verdict:
    """Whether one use of an upstream with keep-alive really keeps connections (ngx_http_upstream_module, `keepalive`)."""
    kept = _Verdict(True, "", line)
    if use.kind in ("uwsgi", "scgi"):
        return _Verdict(False, f"{use.kind} does not support keep-alive", use.at)
    if use.kind == "fastcgi":
        if use.scope.keep_conn is not None and use.scope.keep_conn.text.lower() == "on":
            return kept
        at = use.scope.keep_conn.at if use.scope.keep_conn is not None else line
        return _Verdict(False, f"fastcgi_keep_conn is off for fastcgi_pass at {use.at}, so it keeps no connection", at)
    if use.kind != "proxy":
        return kept
    header = use.scope.connection
    value, at = ("" if by_default else "close", None) if header is None else _connection(header, maps)
    if value is not None and value.lower() == "keep-alive":
        return kept
    number = use.scope.http_version
    if (number.text if number is not None else "1.1" if by_default else "1.0") == "1.0":
        why = "proxy_http_version is 1.0" + ("" if number is not None else " unless a line says 1.1")
        at = number.at if number is not None else line
        return _Verdict(False, f"{why} for proxy_pass at {use.at}, so it keeps no connection", at)
    if value == "":
        return kept
    if value == "close":
        if header is None and use.scope.hidden and use.scope.headers is not None:
            at = use.scope.headers.at
            why = "proxy_set_header replaces all inherited lines, the one for Connection too,"
        elif header is None:
            why = 'proxy_set_header Connection "" is missing'
        else:
            why = "the Connection header says close"
        return _Verdict(False, f"{why} for proxy_pass at {use.at}, so it keeps no connection", at or line)
    return _Verdict(None, f"the Connection header for proxy_pass at {use.at} depends on the request", at)


def _connection(header: Directive, maps: Mapping[str, Header]) -> Header:
    """The Connection header of a request that asks for no upgrade."""
    args = header.args
    if len(args) < 2:
        return None, header.at
    if args[1].text.startswith("$"):
        return maps.get(args[1].text, (None, header.at))
    return _settled(args[1].text), header.at


def _row(directive: Directive) -> Directive | None:
    """The row of a map of $http_upgrade for a request that has no such header."""
    rows = {row.name: row for row in directive.block or ()}
    return rows.get("", rows.get("default"))


def _mapped(directive: Directive, row: Directive | None) -> Header:
    """What such a map gives where a request has no such header."""
    if row is None:
        return "", directive.at
    return _settled(row.args[0].text) if row.args else None, row.at


def _settled(value: str) -> str | None:
    return value.lower() if value.lower() in ("", "close", "keep-alive") else None
