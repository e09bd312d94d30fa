"""Caddy: the addresses of a Caddyfile's sites, its global options and the commands that need no config become its sockets."""

import re
from collections.abc import Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.caddy import first
from portwright.facts import Confidence, Endpoint, Invocation, Origin, Protocol
from portwright.formats import braces
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.includes import may_follow, named_files
from portwright.trees import Files

_ADMIN = "localhost:2019"
_HTTP, _HTTPS = 80, 443
_COMMANDS = frozenset(("run", "start", "file-server", "reverse-proxy", "respond"))
# caddyserver.com/docs/command-line: these do something else and exit.
_ENDING = frozenset(
    (
        "adapt", "add-package", "build-info", "completion", "environ", "fmt", "hash-password", "help", "list-modules", "manpage", "reload",
        "remove-package", "stop", "storage", "trust", "untrust", "upgrade", "validate", "version",
    )
)  # fmt: skip
_VALUED = frozenset(("--config", "--adapter", "--envfile", "--pidfile", "--listen", "--root", "--domain", "--from", "--to", "--watch"))
_MOST = 10_000
_VARIABLE = lazy_regex(r"\{\$([A-Za-z_][A-Za-z0-9_]*+)(?::([^}]*+))?(\}|\Z)")  # one that is not closed runs to the end


@dataclass
class _Said:
    """What a Caddyfile says of listening; of Caddy 1 where `is_first`, whose sites without a port then have the `default_port`."""

    files: Files
    admin: Word | None = None
    admin_off: bool = False
    http_port: tuple[int, Span | None] = (_HTTP, None)
    https_port: tuple[int, Span | None] = (_HTTPS, None)
    default_bind: tuple[Word, ...] = ()
    redirects: bool = True
    http3: bool = True
    sites: list[tuple[tuple[Word, ...], Node]] = field(default_factory=list)
    environment: Mapping[str, Word] = field(default_factory=dict)
    read: int = 0
    is_first: bool = False
    default_port: int = 0


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of one Caddyfile read on its own: those its sites name."""
    said = _Said(files)
    _file((path,), said)
    return _of_sites(said, Span.whole(path), "likely")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of `caddy run` and its kin; nothing for commands that do something else and exit."""
    options, arguments = _options(invocation.argv[1:])
    command = arguments[0].text if arguments else ""
    said = _Said(files, environment=invocation.environment)
    if not command and not first.OPTIONS.isdisjoint(options):
        return _of_first(options, invocation, said)
    if command not in _COMMANDS:
        if arguments and command not in _ENDING:
            files.report_not_understood(arguments[0].at, f"`caddy {command}` is no command that portwright knows")
        return ()
    if command not in ("run", "start"):
        return _without_config(command, options, invocation, said)
    config = options.get("--config")
    path = None
    if config is not None:
        path = invocation.path(config.text)
        if files.kind(path) == "missing":
            files.report_missing(config.at, f"caddy reads {path}, which is not there")
            return _admin(said, invocation, "possible")
    else:
        beside = invocation.path("Caddyfile")  # caddy run(1): the Caddyfile of the current directory
        path = beside if files.kind(beside) == "file" else None
    if path is not None:
        if path.endswith(".json"):
            return _of_json(path, invocation, said)
        _file((path,), said)
    return (*_admin(said, invocation, "certain"), *_of_sites(said, invocation.at, "certain"))


def _of_first(options: dict[str, Word], invocation: Invocation, said: _Said) -> tuple[Endpoint, ...]:
    """The sockets of Caddy 1, which has no admin endpoint, and without a Caddyfile serves the directory it is started in."""
    said.is_first, said.http3 = True, False
    said.http_port = (first.port_of(options, "--http-port", _HTTP), None)
    said.https_port = (first.port_of(options, "--https-port", _HTTPS), None)
    said.default_port = first.port_of(options, "--port", first.DEFAULT_PORT)
    config = options.get("--conf")
    path = invocation.path("Caddyfile" if config is None else config.text)
    if said.files.kind(path) == "file":
        _file((path,), said)
    elif config is not None:
        said.files.report_missing(config.at, f"caddy reads {path}, which is not there")
        return ()
    else:
        return first.as_of_first(_endpoint("tcp", "*", said.default_port, invocation.at, "default", "likely"))
    return first.as_of_first(_of_sites(said, invocation.at, "certain"))


def _options(words: tuple[Word, ...]) -> tuple[dict[str, Word], tuple[Word, ...]]:
    found: dict[str, Word] = {}
    others: list[Word] = []
    rest = iter(words)
    for word in rest:
        if not word.text.startswith("-"):
            others.append(word)
            continue
        name, equals, value = word.text.partition("=")
        name = f"--{name.lstrip('-')}"
        if equals:
            found[name] = Word(value, word.at)
        else:
            found[name] = (next(rest, None) if name in _VALUED or name in first.VALUED else None) or Word("", word.at)
    return found, tuple(others)


def _without_config(command: str, options: dict[str, Word], invocation: Invocation, said: _Said) -> tuple[Endpoint, ...]:
    """`file-server`, `reverse-proxy` and `respond` take their address from options, and have no admin endpoint of their own."""
    listen = options.get("--from" if command == "reverse-proxy" else "--listen")
    domain = options.get("--domain")
    if listen is None and domain is None:
        return _endpoint("tcp", "*", _HTTPS if command == "reverse-proxy" else _HTTP, invocation.at, "default", "certain")
    if listen is None:
        assert domain is not None  # noqa: S101
        return _site(_Address("", domain.text, None, domain), (), said, "argument", "certain")
    address = _address(listen)
    if address is None:
        return ()
    if command == "reverse-proxy":
        return _site(address, (), said, "argument", "certain")  # --from is a site's address
    port = _HTTP if address.port is None else address.port
    return tuple(
        each for bound in _bound(address.host, said.files)[:1] for each in _endpoint("tcp", bound, port, listen.at, "argument", "certain")
    )


# ── Caddyfile ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Address:
    """A site's address as written: scheme and host may be empty, the port None."""

    scheme: str
    host: str
    port: int | None
    word: Word


def _file(chain: tuple[str, ...], said: _Said) -> None:
    source = said.files.read(chain[-1])
    said.read += 1
    if source is None:
        return
    text, options = _global_options(source)
    nodes, troubles = braces.parse(Source(source.path, text), braces.CADDY)
    for trouble in troubles:
        said.files.report_unreadable(trouble.at, trouble.reason)
    for node in options:
        _option(node, said)
    if nodes and all(not node.children for node in nodes):
        # A Caddyfile of one site may leave its braces out: the first line is the address, the rest is the site.
        first, *rest = nodes
        if first.key.text != "import":
            said.sites.append(((first.key, *first.values), Node(first.key, (), tuple(rest))))
            return
    for node in nodes:
        if node.key.text == "import" and node.values:
            _import(node.values[0], chain, said)
        elif not node.key.text.startswith("("):
            if len(said.sites) >= _MOST:
                said.files.report_limit(node.key.at, _MOST, "sites")
                break
            said.sites.append(((node.key, *node.values), node))


def _global_options(source: Source) -> tuple[str, tuple[Node, ...]]:
    """The text with the block of global options blanked out, and what stands in it: a first block that has no name."""
    text, position = source.text, 0
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
        elif text[position] == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
        else:
            break
    if text[position : position + 1] != "{" or text[position + 1 : position + 2].strip():
        return text, ()
    depth, end = 0, position
    while end < len(text):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
        if not depth:
            break
    inside = "".join(char if char == "\n" else " " for char in text[: position + 1]) + text[position + 1 : end - 1]
    nodes, _ = braces.parse(Source(source.path, inside), braces.CADDY)
    return "".join(char if char == "\n" else " " for char in text[:end]) + text[end:], nodes


def _option(node: Node, said: _Said) -> None:
    value = node.values[0] if node.values else None
    match node.key.text:
        case "admin" if value is not None:
            said.admin_off, said.admin = value.text == "off", None if value.text == "off" else value
        case "http_port" if value is not None and (port := decimal(value.text, 65535)) is not None:
            said.http_port = (port, value.at)
        case "https_port" if value is not None and (port := decimal(value.text, 65535)) is not None:
            said.https_port = (port, value.at)
        case "default_bind":
            said.default_bind = node.values
        case "auto_https" if value is not None:
            said.redirects = value.text not in ("off", "disable_redirects")
        case "servers":
            for child in node.children:
                if child.key.text == "protocols":
                    said.http3 = any(word.text == "h3" for word in child.values)
        case _:
            pass


def _import(value: Word, chain: tuple[str, ...], said: _Said) -> None:
    """An import of files; a name that is a snippet's has no file."""
    if "/" not in value.text and "." not in value.text and "*" not in value.text:
        return
    for path in named_files(value, chain[-1].rpartition("/")[0], said.files):
        if may_follow(path, value, chain, said.read, said.files):
            _file((*chain, path), said)


# ── sockets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _admin(said: _Said, invocation: Invocation, confidence: Confidence) -> tuple[Endpoint, ...]:
    if said.admin_off:
        return ()
    written = said.admin or invocation.environment.get("CADDY_ADMIN")
    origin: Origin = "default" if written is None else "directive" if said.admin is not None else "environment"
    word = written or Word(_ADMIN, invocation.at)
    if word.text.startswith(("unix/", "/")):
        return ()
    host, _, digits = word.text.removeprefix("tcp/").rpartition(":")
    port = decimal(digits, 65535)
    if port is None:
        return ()
    return tuple(
        each for address in _bound(host, said.files)[:1] for each in _endpoint("tcp", address, port, word.at, origin, confidence)
    )


def _of_sites(said: _Said, at: Span, confidence: Confidence) -> tuple[Endpoint, ...]:
    found: dict[tuple[str, str, PortSet], Endpoint] = {}
    for words, node in said.sites:
        binds = next((child.values for child in node.children if child.key.text == "bind"), said.default_bind)
        for word in words:
            address = _address(word, said.environment)
            if address is None:
                if word.text.rstrip(","):
                    said.files.report_not_understood(word.at, f"where caddy serves {word.text} cannot be determined")
                continue
            for endpoint in _site(address, binds, said, "directive", confidence):
                found.setdefault((endpoint.protocol, endpoint.address, endpoint.ports), endpoint)
    return tuple(found.values())


def _address(word: Word, environment: Mapping[str, Word] | None = None) -> _Address | None:
    """`example.com`, `:80`, `http://host:81/path`; None where a placeholder or a port stands that nobody can read.

    caddyfile concepts, "Environment variables": `{$NAME:default}` is put in before anything else is looked at.
    """

    def value(match: re.Match[str]) -> str:
        if not match[3]:
            return match[0]
        given = (environment or {}).get(match[1])
        return given.text if given is not None else match[2] if match[2] is not None else match[0]

    text = _VARIABLE.sub(value, word.text).rstrip(",")
    if not text or "{" in text:
        return None
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        scheme, rest = "", text
    rest = rest.partition("/")[0]
    if rest.startswith("["):
        host, _, tail = rest[1:].partition("]")
        port = tail.removeprefix(":")
    else:
        host, _, port = rest.rpartition(":") if ":" in rest else (rest, "", "")
    number = decimal(port, 65535)
    if port and number is None:
        return None
    return _Address(scheme.lower(), host, number, word)


def _site(address: _Address, binds: tuple[Word, ...], said: _Said, origin: Origin, confidence: Confidence) -> tuple[Endpoint, ...]:
    """A site's listeners: its own port, else the HTTP or HTTPS one; a site with a certificate has a redirect on the HTTP port.

    caddyfile concepts, "Addresses": the host is matched, not bound; `bind` says where. HTTP/3 listens on UDP beside HTTPS.
    """
    plain = address.scheme == "http" or address.port == said.http_port[0]
    if said.is_first:
        secure = not plain and (address.scheme == "https" or address.port == said.https_port[0])
        secure = secure or (not plain and address.port is None and first.earns_certificate(address.host))
    else:
        secure = not plain and (address.scheme == "https" or address.port in (None, said.https_port[0]) or bool(address.host))
    if address.port is not None:
        port, where = address.port, address.word.at
    elif plain:
        port, where = said.http_port[0], said.http_port[1] or address.word.at
    elif said.is_first and not secure:
        port, where = said.default_port, address.word.at
    else:
        port, where = said.https_port[0], said.https_port[1] or address.word.at
    addresses = [bound for word in binds for bound in _bound(word.text, said.files)[:1]] if binds else ["*"]
    found: list[Endpoint] = []
    for each in addresses:
        found += _endpoint("tcp", each, port, where, origin, confidence)
        if secure and said.http3:
            found += _endpoint("udp", each, port, where, origin, confidence)
        if secure and said.redirects and port == said.https_port[0]:
            found += _endpoint("tcp", each, said.http_port[0], said.http_port[1] or address.word.at, origin, confidence)
    return tuple(found)


def _bound(host: str, files: Files) -> tuple[str, ...]:
    """The address Go's net.Listen binds for a host: nothing and the wildcards are one dual-stack socket, a name its first IPv4."""
    text = host.removeprefix("tcp/").strip("[]")
    if text in ("", "0.0.0.0", "::"):  # noqa: S104
        return ("*",)
    if text.startswith("unix/"):
        return ()
    known = names.addresses(text, files)
    return tuple(sorted(known, key=lambda each: ":" in each)) or (text,)


def _of_json(path: str, invocation: Invocation, said: _Said) -> tuple[Endpoint, ...]:
    """A config in Caddy's own JSON: its admin endpoint, and the `listen` lists of the servers of its apps (http, layer4)."""
    source = said.files.read(path)
    if source is None:
        return _admin(said, invocation, "likely")
    nodes, troubles = braces.parse(source, braces.JSON)
    for trouble in troubles:
        said.files.report_unreadable(trouble.at, trouble.reason)
    for node in _inside(nodes, "admin"):
        value = node.values[0] if node.values else None
        if value is not None and node.key.text == "listen":
            said.admin = value
        elif value is not None and node.key.text == "disabled":
            said.admin_off = value.text == "true"
    found: list[Endpoint] = []
    for app in (child for node in nodes if node.key.text == "apps" for child in node.children):
        for server in _inside(app.children, "servers"):
            for word in (word for child in server.children if child.key.text == "listen" for word in child.values):
                found += _of_listen(word, said)
    return (*_admin(said, invocation, "certain"), *found)


def _of_listen(word: Word, said: _Said) -> tuple[Endpoint, ...]:
    """A network address, `network/host:port` or `host:low-high` (caddyserver.com/docs/conventions)."""
    network, slash, rest = word.text.rpartition("/")
    if network.startswith(("unix", "fd")):
        return ()
    host, _, digits = (rest if slash else word.text).rpartition(":")
    low, _, high = digits.partition("-")
    ends = decimal(low, 65535), decimal(high or low, 65535)
    if ends[0] is None or ends[1] is None or not 0 < ends[0] <= ends[1]:
        said.files.report_not_understood(word.at, f"where caddy listens for {word.text} cannot be determined")
        return ()
    protocol: Protocol = "udp" if network.startswith("udp") else "tcp"
    bound = _bound(host, said.files)[:1]
    return tuple(
        replace(each, ports=PortSet.of((ends[0], ends[1])))
        for address in bound
        for each in _endpoint(protocol, address, ends[0], word.at, "directive", "certain")
    )


def _inside(nodes: tuple[Node, ...], key: str) -> tuple[Node, ...]:
    return tuple(child for node in nodes if node.key.text == key for child in node.children)


def _endpoint(protocol: Protocol, address: str, port: int, at: Span, origin: Origin, confidence: Confidence) -> tuple[Endpoint, ...]:
    if not 0 < port <= 65535:
        return ()
    # listeners_unix.go: SO_REUSEPORT on every listener, so that a reload can bind before the old one goes.
    return (
        Endpoint(
            at=at,
            app="caddy",
            protocol=protocol,
            address=address,
            ports=PortSet.of(port),
            origin=origin,
            reuse_address=protocol == "tcp",
            reuse_port=True,
            confidence=confidence,
        ),
    )
