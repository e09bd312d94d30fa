"""haproxy: its configuration files in order become the sockets it binds and the backends it connects to."""

import re
from collections.abc import Iterator
from itertools import pairwise

from portwright._start.records import dataclass, replace
from portwright.daemons import DaemonFact, Packages
from portwright.facts import (
    Backlog,
    Confidence,
    Endpoint,
    FileNeed,
    Invocation,
    Origin,
    Outbound,
    Protocol,
    Traits,
    Value,
    weakest,
)
from portwright.formats.haproxy import UNKNOWN, Environment, Line, Section, environment_of, parse
from portwright.ip import ip_address
from portwright.numbers import decimal, decimals, is_digits
from portwright.ports import PortSet
from portwright.source import Rewrite, Rewriting, Span, Word
from portwright.system.host_files import names
from portwright.system.host_files.destinations import are_loopback
from portwright.trees import Files

_MOST_FILES = 4096
_MOST_BINDS = 4096
_ANY = "0.0.0.0"  # noqa: S104  what haproxy binds; nothing is bound here

# configuration.txt 11.1 to 11.3: prefix -> (family that is forced, protocol that is forced). None: the address or the statement decides.
_PREFIXES: dict[str, tuple[str | None, Protocol | None]] = {
    "ip": (None, None),
    "ipv4": ("inet", None),
    "ipv6": ("inet6", None),
    "tcp": (None, "tcp"),
    "tcp4": ("inet", "tcp"),
    "tcp6": ("inet6", "tcp"),
    "mptcp": (None, "tcp"),
    "mptcp4": ("inet", "tcp"),
    "mptcp6": ("inet6", "tcp"),
    "udp": (None, "udp"),
    "udp4": ("inet", "udp"),
    "udp6": ("inet6", "udp"),
    "quic4": ("inet", "udp"),
    "quic6": ("inet6", "udp"),
}
# Sockets that are no port of this host: paths, abstract names, descriptors that somebody else bound.
_PORTLESS = frozenset(("unix", "uxst", "uxdg", "abns", "abnsz", "fd", "sockpair", "rhttp"))
_PROXIES = frozenset(("frontend", "backend", "listen"))
_CLOSING = {"httpclose": "httpclose", "forceclose": "httpclose", "http-server-close": "http-server-close", "http-keep-alive": ""}
_VALUED = frozenset("fpLnNmCSx")


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Started:
    """What the command line of haproxy says."""

    paths: tuple[Word, ...] = ()
    directory: str = "/"
    peer: str | None = None
    master: Word | None = None
    connections: Word | None = None
    mworker: bool = False
    reuse_port: bool = True


@dataclass(frozen=True, slots=True)
class _Config:
    """Sections of all files in order, and how sure they are."""

    sections: tuple[Section, ...]
    files: Files
    confidence: Confidence = "certain"
    reuse_port: bool = True
    peer: str | None = None
    defaults_known: bool = True
    paths: tuple[str, ...] = ()


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one haproxy configuration file says on its own; variables that it does not set itself are unknown."""
    environment = Environment(complete=False)
    sections, confidence = _sections((path,), files, environment, _version(packages))
    known = any(section.kind == "defaults" for section in sections)
    config = _Config(sections, files, confidence, _keeps_reuse_port(sections), _local_peer(sections), known)
    return (*_endpoints(config, environment), *_outbounds(config, environment, _version(packages), None))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets and backends of a haproxy: every `-f` file or directory in order, its environment and its options."""
    started = _started(invocation)
    if started is None:
        return ()
    version = _version(packages)
    environment = environment_of(invocation.environment)
    peer = started.peer or names_itself(files)
    if peer is not None:
        environment.variables["HAPROXY_LOCALPEER"] = peer
    if started.mworker:
        environment.variables["HAPROXY_MWORKER"] = "1"
    paths = _paths(started, invocation, files)
    sections, confidence = _sections(paths, files, environment, version)
    config = _Config(
        sections,
        files,
        confidence,
        started.reuse_port and _keeps_reuse_port(sections),
        started.peer or _local_peer(sections) or peer,
        paths=paths,
    )
    said: list[DaemonFact] = [*_endpoints(config, environment)]
    if started.master is not None and started.mworker:
        # management.txt, -S: the address and its bind options are one argument, with commas between.
        address, *options = started.master.text.split(",")
        line = Line((started.master, *(Word(option, started.master.at) for option in options)))
        said += _bound(Word(address, started.master.at), line, 1, "tcp", config, environment, origin="argument")
    return (*said, *_outbounds(config, environment, version, invocation), *_files(started, config, environment, version))


def names_itself(files: Files) -> str | None:
    """The host's name as hostname(5) has it; None where the file does not say."""
    source = files.read("/etc/hostname")
    for line in source.text.split("\n") if source is not None else ():
        if line.strip() and not line.lstrip().startswith("#"):
            return line.strip()
    return None


def _started(invocation: Invocation) -> _Started | None:
    """The options that matter (management.txt, section 3); None for a command that only checks or prints."""
    found = _Started(directory=invocation.directory)
    words = list(invocation.argv[1:])[::-1]
    while words:
        word = words.pop()
        flag = word.text
        if flag == "--":
            found = replace(found, paths=(*found.paths, *words[::-1]))
            break
        if not flag.startswith("-"):
            return None
        if flag in ("-c", "-cc", "-v", "-vv", "-h"):
            return None
        if flag in ("-W", "-Ws"):
            found = replace(found, mworker=True)
        elif flag == "-dR":
            found = replace(found, reuse_port=False)
        elif flag in ("-sf", "-st"):
            while words and is_digits(words[-1].text):
                words.pop()
        elif flag[1:] in _VALUED and words:
            value = words[-1]
            if flag == "-S" and value.text.startswith("-"):
                continue
            words.pop()
            if flag == "-f":
                found = replace(found, paths=(*found.paths, value))
            elif flag == "-n":
                found = replace(found, connections=value)
            elif flag == "-L":
                found = replace(found, peer=value.text)
            elif flag == "-C":
                found = replace(found, directory=_absolute(value.text, found.directory))
            elif flag == "-S":
                found = replace(found, master=value)
    return found


def _absolute(path: str, directory: str) -> str:
    return path if path.startswith("/") else f"{directory.rstrip('/')}/{path}"


def _paths(started: _Started, invocation: Invocation, files: Files) -> tuple[str, ...]:
    """The configuration files: of a directory those in `.cfg` that are not hidden, in byte order."""
    if not started.paths:
        files.report_unreadable(invocation.at, "haproxy would not start: no configuration file is named")
    found: list[str] = []
    for word in started.paths:
        path = _absolute(word.text, started.directory)
        kind = "missing" if UNKNOWN in path else files.kind(path)
        if kind == "directory":
            inside = [name for name in files.names(path) if name.endswith(".cfg") and not name.startswith(".")]
            found += [full for full in (f"{path.rstrip('/')}/{name}" for name in inside) if files.kind(full) == "file"]
        elif kind == "missing":
            files.report_missing(word.at, f"haproxy would not start: {path} is not there")
        else:
            found.append(path)
    if len(found) > _MOST_FILES:
        files.report_unreadable(invocation.at, f"more than {_MOST_FILES} configuration files: the rest is not read")
    return tuple(found[:_MOST_FILES])


def _sections(
    paths: tuple[str, ...], files: Files, environment: Environment, version: tuple[int, ...] | None
) -> tuple[tuple[Section, ...], Confidence]:
    sections: list[Section] = []
    confidence: Confidence = "certain"
    for path in paths:
        source = files.read(path)
        if source is None:
            continue
        document = parse(source, environment, version)
        sections += document.sections
        for wrong in document.unreadable:
            files.report_unreadable(wrong.at, wrong.reason)
            confidence = "possible"
    return tuple(sections), confidence


def _version(packages: Packages) -> tuple[int, ...] | None:
    found = re.match(r"(?:[0-9]+:)?([0-9]{1,5})\.([0-9]{1,5})(?:\.([0-9]{1,5}))?", packages.get("haproxy", ""))
    return None if found is None else decimals(found.groups(default="0"))


def _globals(sections: tuple[Section, ...]) -> Iterator[Line]:
    for section in sections:
        if section.kind == "global":
            yield from section.lines


def _keeps_reuse_port(sections: tuple[Section, ...]) -> bool:
    return not any(line.words[0].text == "noreuseport" for line in _globals(sections))


def _local_peer(sections: tuple[Section, ...]) -> str | None:
    named = [line.words[1].text for line in _globals(sections) if line.words[0].text == "localpeer" and len(line.words) > 1]
    return named[-1] if named else None


# ── what it binds ───────────────────────────────────────────────────────────────────────────────────────────────────


def _endpoints(config: _Config, environment: Environment) -> Iterator[Endpoint]:
    count = 0
    for section, settings in _settled(config):
        if _names_address(section) and not config.files.partial:
            config.files.report_unreadable(section.head.words[2].at, "haproxy would not start: listening addresses belong in a bind line")
        if settings.disabled:
            continue
        for line, position, protocol in _bind_lines(section, config):
            for word in _addresses(line.words[position]):
                count += 1
                if count > _MOST_BINDS:
                    config.files.report_unreadable(word.at, f"more than {_MOST_BINDS} bind addresses: the rest is not read")
                    return
                for endpoint in _bound(word, line, position + 1, protocol, config, environment):
                    backlog = endpoint.backlog or (settings.backlog if section.kind in _PROXIES else None)
                    yield replace(endpoint, confidence=weakest(endpoint.confidence, section.head.confidence), backlog=backlog)


def _names_address(section: Section) -> bool:
    """`frontend web *:80`: haproxy 1.5, which Red Hat 7 has, takes the address there; a repository does not say for which it is."""
    return section.kind in _PROXIES and len(section.head.words) > 2 and section.head.words[2].text != "from"


def _bind_lines(section: Section, config: _Config) -> Iterator[tuple[Line, int, Protocol]]:
    """The lines of a section that bind, with the position of the address among their words."""
    match section.kind:
        case "global":
            for line in section.lines:
                if line.texts[:2] == ("stats", "socket") and len(line.words) > 2:
                    yield line, 2, "tcp"
        case "frontend" | "listen" | "log-forward":
            if _names_address(section) and config.files.partial:
                yield section.head, 2, "tcp"
            for line in section.lines:
                if line.words[0].text == "bind" and len(line.words) > 1:
                    yield line, 1, "tcp"
                elif line.words[0].text == "dgram-bind" and section.kind == "log-forward" and len(line.words) > 1:
                    yield line, 1, "udp"
        case "backend":
            # Measured with 2.6.12: it warns that such a line is ignored, and binds it.
            for line in section.lines:
                if line.words[0].text == "bind" and len(line.words) > 1:
                    yield replace(line, confidence="likely"), 1, "tcp"
        case "peers":
            yield from _peer_lines(section, config)
        case _:
            pass


def _peer_lines(section: Section, config: _Config) -> Iterator[tuple[Line, int, Protocol]]:
    """A peers section binds for the local peer only, and not at all where it does not name it ("Removing incomplete section")."""
    peers = [line for line in section.lines if line.words[0].text in ("peer", "server") and len(line.words) > 1]
    local = [line for line in peers if config.peer is not None and line.words[1].text == config.peer]
    if not local and config.peer is not None:
        return
    binds = [line for line in section.lines if line.words[0].text == "bind" and len(line.words) > 1]
    for line in binds:
        yield line if local else replace(line, confidence="possible"), 1, "tcp"
    if not binds:
        for line in local[:1]:
            if len(line.words) > 2:
                yield line, 2, "tcp"


def _addresses(word: Word) -> Iterator[Word]:
    """The addresses of a comma list, each with its own place; the place of the whole where quotes or variables shift it."""
    straight = word.at.end_column - word.at.column == len(word.text)
    column = word.at.column
    for part in word.text.split(","):
        yield Word(part, replace(word.at, column=column, end_column=column + len(part)) if straight else word.at)
        column += len(part) + 1


def _bound(
    word: Word, line: Line, first: int, protocol: Protocol, config: _Config, environment: Environment, origin: Origin = "directive"
) -> Iterator[Endpoint]:
    """The socket of one bind address; `first` is where the line's parameters start."""
    text = environment.expand(word.text)
    if UNKNOWN in text:
        config.files.report_not_understood(word.at, f"the address '{word.text}' has a part that is not in the host's files")
        return
    try:
        place = _place(text, protocol)
    except ValueError as error:
        config.files.report_unreadable(word.at, f"haproxy would not start: {error} in '{word.text}'")
        return
    if place is None:
        return
    family, host, protocol, ports = place
    parameters = [parameter.text for parameter in line.words[first:]]
    backlog = next((Backlog.asked(after) for before, after in pairwise(line.words[first:]) if before.text == "backlog"), None)
    if "namespace" in parameters:
        # Bound in another network namespace, whose ports are not this host's.
        return
    confidence = weakest(line.confidence, config.confidence)
    address: str | None = host
    if host in ("", "*"):
        address = "::" if family == "inet6" else _ANY
    elif not names.is_address(host):
        # standard.c, str2ip2(): the first address of the family asked for.
        known = names.addresses(host, config.files)
        address = next((found for found in known if family in (None, "inet6" if ":" in found else "inet")), None)
    if address is None:
        address, confidence = host, weakest(confidence, "possible")
    v6only = True if "v6only" in parameters else False if "v4v6" in parameters else None
    if ":" in address:
        address = _canonical(address)
    if address != "::":
        v6only = None
    elif v6only is False:
        address = "*"
    yield Endpoint(
        at=word.at,
        app="haproxy",
        protocol=protocol,
        address=address,
        ports=ports,
        origin=origin,
        reuse_address=True,  # sock_inet_bind_receiver(): always, and SO_REUSEPORT unless noreuseport or -dR says no
        reuse_port=config.reuse_port,
        v6only=v6only,
        free_bind="transparent" in parameters,
        interface=next((after for before, after in pairwise(parameters) if before == "interface"), None),
        confidence=confidence,
        backlog=backlog,
    )


def _place(text: str, protocol: Protocol) -> tuple[str | None, str, Protocol, PortSet] | None:
    """(family, host, protocol, ports) of an address as str2sa_range takes it, None for one without a port; raises ValueError."""
    family: str | None = None
    kind, plus, rest = text.partition("+")
    if plus and kind in ("stream", "dgram"):
        text, protocol = rest, "tcp" if kind == "stream" else "udp"
    prefix, at, rest = text.partition("@")
    if (at and prefix in _PORTLESS) or text.startswith("/"):
        return None
    if at and prefix in _PREFIXES:
        family, forced = _PREFIXES[prefix]
        text, protocol = rest, forced or protocol
    # The port is what follows the last colon, unless a bracket comes after it.
    colon = text.rfind(":")
    if colon < 0 or text.rfind("]") > colon:
        raise ValueError("missing port specification")
    host, ports = text[:colon], text[colon + 1 :]
    if not ports:
        raise ValueError("missing port specification")
    low, dash, high = ports.partition("-")
    ends = [_port(end) for end in ((low, high) if dash else (low,))]
    if ends[0] > ends[-1]:
        raise ValueError("invalid port range")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return family, host, protocol, PortSet.of((ends[0], ends[-1]))


def _port(text: str) -> int:
    port = decimal(text, 65535)
    if not port:
        raise ValueError("invalid port")
    return port


def _canonical(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return address


# ── settings and defaults ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Settings:
    """What a proxy has after its defaults section and its own lines; each setting with the line that decided it.

    `mode` is None where an unread defaults section may say it. `close` is "httpclose", "http-server-close" or "", `closing`
    are all lines that say so: without the last one the one before it decides.
    """

    mode: str | None = "tcp"
    never: Line | None = None
    close: str = ""
    close_at: Span | None = None
    closing: tuple[Line, ...] = ()
    disabled: bool = False
    source: "_Source | None" = None
    pool_at: Span | None = None
    backlog: Backlog | None = None

    def after(self, line: Line) -> "_Settings":
        """These settings with one more line."""
        match line.texts:
            case ("mode", mode, *_):
                return replace(self, mode=mode)
            case ("http-reuse", how, *_):
                return replace(self, never=line if how == "never" else None)
            case ("option", option, *_) if option in _CLOSING:
                # proxy.c: each of these options replaces the one before.
                closing = (*self.closing, line) if _CLOSING[option] else ()
                return replace(self, close=_CLOSING[option], close_at=line.at, closing=closing)
            case ("no", "option", option, *_) if option in _CLOSING and _CLOSING[option] == self.close:
                return replace(self, close="", close_at=None, closing=())
            case ("backlog", _, *_):
                return replace(self, backlog=Backlog.asked(line.words[1]))
            case ("disabled", *_):
                return replace(self, disabled=True)
            case ("enabled", *_):
                return replace(self, disabled=False)
            case ("source", _, *_):
                return replace(self, source=_source(line.words[1]))
            case ("no", "source", *_):
                return replace(self, source=None)
            case ("default-server", *_):
                return replace(self, source=_after(line, "source") or self.source, pool_at=_pool(line) or self.pool_at)
            case _:
                return self


def _settled(config: _Config) -> Iterator[tuple[Section, _Settings]]:
    """Every section with its settings: `from NAME` or else the last defaults section before a proxy is where it starts (section 4)."""
    blank = _Settings(mode="tcp" if config.defaults_known else None)
    last = blank
    named: dict[str, _Settings] = {}
    for section in config.sections:
        words = section.head.texts
        base = blank if section.kind == "defaults" else last if section.kind in _PROXIES else _Settings()
        if "from" in words[1:]:
            base = named.get(words[words.index("from", 1) + 1] if words[-1] != "from" else "", base)
        settings = base
        for line in section.lines:
            settings = settings.after(line)
        if section.kind == "defaults":
            last = settings
            if section.name not in ("", "from"):
                named[section.name] = settings
        else:
            yield section, settings


@dataclass(frozen=True, slots=True)
class _Source:
    """A `source` setting: its address, None for a wildcard, which leaves the choice to the kernel, and its range of ports, "" for none."""

    address: str | None
    ports: str
    at: Span


def _after(line: Line, keyword: str) -> _Source | None:
    for word, value in pairwise(line.words):
        if word.text == keyword:
            return _source(value)
    return None


def _source(word: Word) -> _Source | None:
    """`source ADDRESS[:PORT[-PORT]]`; an IPv6 address has its port behind the last colon only where it stands in brackets."""
    address = word.text
    host, _, ports = address.rpartition(":") if address.count(":") == 1 or "]:" in address else (address, "", "")
    host = host.strip("[]")
    known = names.is_address(host) and host not in (_ANY, "::")
    return _Source(host if known else None, ports if "-" in ports else "", word.at)


def _pool(line: Line) -> Span | None:
    """Where a line says `pool-max-conn 0`: no idle connection is kept for anybody."""
    for word, value in pairwise(line.words):
        if word.text == "pool-max-conn" and value.text == "0":
            return word.at.to(value.at)
    return None


def _files(started: _Started, config: _Config, environment: Environment, version: tuple[int, ...] | None) -> Iterator[FileNeed]:
    """compute_ideal_maxsock() in haproxy.c: two descriptors a connection, and some more; where nobody says maxconn, it is what fits.

    strict-limits, on since 2.3, makes it end where it may not have them (management.txt, section 5).
    """
    connections = started.connections
    own: tuple[Word, Word] | None = None
    strict = version is None or version >= (2, 3)
    for line in _globals(config.sections):
        match line.texts:
            case ("maxconn", _, *_) if started.connections is None:
                connections = line.words[1]
            case ("ulimit-n" | "fd-hard-limit", _, *_):
                own = (line.words[0], line.words[1])
            case ("strict-limits", *_):
                strict = True
            case ("no", "strict-limits", *_):
                strict = False
            case _:
                pass
    count, most = _count(connections, environment), _count(own[1] if own is not None else None, environment)
    if connections is not None and count:
        yield FileNeed(
            at=connections.at,
            app="haproxy",
            setting="maxconn",
            connections=count,
            files=2 * count,
            otherwise="it does not start" if strict else "it starts with a warning, and cannot serve as many",
            raises="as far as it is permitted",
            own=None if own is None or not most else (own[0].text, Value(str(most), own[1].at)),
            confidence=config.confidence,
        )


def _count(word: Word | None, environment: Environment) -> int | None:
    text = "" if word is None else environment.expand(word.text)
    return decimal(text, 9_999_999_999)


# ── what it connects to ─────────────────────────────────────────────────────────────────────────────────────────────


def _outbounds(
    config: _Config, environment: Environment, version: tuple[int, ...] | None, invocation: Invocation | None
) -> Iterator[Outbound]:
    proxies = [(section, settings) for section, settings in _settled(config) if section.kind in _PROXIES and not settings.disabled]
    leading: dict[str, list[tuple[Section, _Settings]]] = {}
    for section, settings in proxies:
        if section.kind == "frontend":
            for name in {line.words[1].text for line in section.lines if len(line.words) > 1 and line.words[0].text in _LEADS}:
                leading.setdefault(name, []).append((section, settings))
    for section, settings in proxies:
        if section.kind == "frontend" or len(section.head.words) < 2:
            continue
        servers = [line for line in section.lines if line.words[0].text in ("server", "server-template") and len(line.words) > 2]
        hosts, source = _hosts(servers, environment)
        source = source or settings.source
        if not hosts:
            continue
        fronts = leading.get(section.name, [])
        keepalive, why, at = _keepalive(section, settings, fronts, servers)
        yield Outbound(
            at=section.head.words[1].at,
            app="haproxy",
            unit=invocation.unit if invocation is not None else None,
            name=section.name,
            keepalive=keepalive,
            decided_at=at,
            servers=sum(count for _, count in hosts),
            loopback=are_loopback((host for host, _ in hosts), config.files),
            source_address=None if source is None else source.address,
            source_ports="" if source is None else source.ports,
            source_at=None if source is None else source.at,
            opened_for="client" if settings.mode == "tcp" else "request",
            # Measured (2.6.12, the client closes first): 50 of 50 in TIME_WAIT in mode tcp, none in mode http.
            traits=Traits(closes_first="yes" if settings.mode == "tcp" else None),
            version=".".join(map(str, version)) if version is not None else None,
            why=why,
            confidence=weakest(config.confidence, section.head.confidence),
            starts=invocation.starts if invocation is not None else None,
            keeping=_keeping(section, settings, fronts, servers, config) if keepalive is False and invocation else None,
        )


_LEADS = frozenset(("default_backend", "use_backend"))


def _hosts(servers: list[Line], environment: Environment) -> tuple[list[tuple[str, int]], _Source | None]:
    """(host, how many addresses) of each server that is up, backups only where there is nothing else; and their source address."""
    found: list[tuple[str, int, bool]] = []
    source: _Source | None = None
    for line in servers:
        template = line.words[0].text == "server-template"
        if template and len(line.words) < 4:
            continue
        address = environment.expand(line.words[3 if template else 2].text)
        parameters = [word.text for word in line.words[4 if template else 3 :]]
        prefix, at, rest = address.partition("@")
        if address.startswith("/") or (at and prefix in _PORTLESS) or "disabled" in parameters:
            continue
        host = rest if at and prefix in _PREFIXES else address
        colon = host.rfind(":")
        if colon >= 0 and host.rfind("]") < colon:
            host = host[:colon]
        found.append((host, _template_size(line.words[2].text) if template else 1, "backup" in parameters))
        source = source or _after(line, "source")
    primary = [(host, count) for host, count, backup in found if not backup]
    return primary or [(host, count) for host, count, _ in found], source


def _template_size(text: str) -> int:
    """How many servers `3` or `1-3` of a server-template are."""
    low, dash, high = text.partition("-")
    ends = decimals((low, high) if dash else ("1", low), 999_999)
    return 1 if ends is None else max(1, ends[1] - ends[0] + 1)


def _keepalive(
    section: Section, settings: _Settings, frontends: list[tuple[Section, _Settings]], servers: list[Line]
) -> tuple[bool | None, str, Span | None]:
    """Whether connections to servers are kept: (answer, why, the line that decided)."""
    what = f"{section.kind} {section.name}"
    if settings.mode is None and not (settings.close or settings.never):
        return None, f"the mode of {what} may be set by a defaults section elsewhere", None
    if settings.mode not in (None, "http"):
        return None, f"{what} is in mode {settings.mode}: each client connection is one connection to a server", None
    if settings.close:
        return False, f"option {settings.close} closes the connection to the server after each response", settings.close_at
    closing = [(front, own) for front, own in frontends if own.close]
    if closing and len(closing) == len(frontends):
        front, own = closing[0]
        return False, f"option {own.close} of frontend {front.name} closes the connection to the server after each response", own.close_at
    if settings.never is not None:
        return False, f"http-reuse never in {what}: no idle connection serves another client", settings.never.at
    pools = [at for at in (settings.pool_at, *(_pool(line) for line in servers)) if at is not None]
    if pools:
        return False, f"pool-max-conn 0 in {what} keeps no idle connection", pools[0]
    return True, f"{what} keeps connections: http-reuse safe is the default", None


_IN_SAFE = (
    "http-reuse safe, the default, gives the first request of a client no connection that another one left idle: clients that send one"
    " request each still open one each; a server that mixes up requests, or has one user for each connection (NTLM), must not share them"
)


def _keeping(
    section: Section, settings: _Settings, frontends: list[tuple[Section, _Settings]], servers: list[Line], config: _Config
) -> Rewriting:
    """What the configuration would say if the connections to the servers of a backend were kept."""
    from portwright.daemons._engine.rewriting import last_of, replaced

    lines = list(settings.closing)
    if frontends and all(own.close for _, own in frontends):
        lines += [line for _, own in frontends for line in own.closing]
    unsure = [line for line in lines if line.confidence == "possible"]
    if unsure:
        return Rewriting(refused=f"{unsure[0].at} hangs on a condition that cannot be decided here")
    rewrites: list[Rewrite] = []
    never = None if settings.never is None else settings.never.words[1].at
    for at in {line.at for line in lines} | (set() if never is None else {never}):
        source = config.files.read(at.path)
        if source is None:
            return Rewriting(refused=f"{at} cannot be read again")
        rewrites.append(replaced(source, at, "safe" if at == never else ""))
    pools = {at for at in (settings.pool_at, *(_pool(line) for line in servers)) if at is not None}
    rewrites += (last_of(Word("", at), "-1", "0") for at in pools)
    words = f"have haproxy keep connections to the servers of {section.name}"
    return Rewriting(tuple(sorted(rewrites)), words, "", _IN_SAFE, config.paths)
