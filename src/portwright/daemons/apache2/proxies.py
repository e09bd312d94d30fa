"""mod_proxy: ProxyPass, balancers and their parameters become the backends httpd connects to, and whether it keeps connections."""

import re
from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.daemons.apache2.reading import Line, Reading, Section
from portwright.facts import Invocation, Outbound, weakest
from portwright.source import Rewrite, Rewriting, Span, Word
from portwright.system.host_files.destinations import are_loopback

_URL = lazy_regex(r"([a-z0-9]++)://([^/?#]*+)", re.I)
_KEEPING = frozenset(("http", "https", "ajp", "h2", "h2c"))  # mod_proxy: these reuse connections unless told otherwise
_MOST_VARIABLES = 256
_ON = frozenset(("on", "1", "true", "yes"))
# mod_proxy's environment variables that end a connection after each request.
_CLOSING = ("proxy-nokeepalive", "force-proxy-request-1.0")


@dataclass(slots=True)
class _Backend:
    """A worker or a balancer: the line that names it, its servers, and the parameters that decide on reuse.

    `said` are all words that decide on reuse, `closing` all variables that close; `passes` the last words of the lines that pass to it, and
    `rewritten_at` the place of another kind of line that does.
    """

    name: str
    scheme: str
    at: Span
    servers: dict[str, None] = field(default_factory=dict)
    reuse: tuple[bool, Span] | None = None
    closed: tuple[str, Span] | None = None
    used: bool = False
    sure: bool = True
    said: list[Word] = field(default_factory=list)
    closing: list[Line] = field(default_factory=list)
    passes: list[Word] = field(default_factory=list)
    rewritten_at: Span | None = None

    @property
    def is_rewritten(self) -> bool:
        """Whether a RewriteRule passes to it, and nothing else."""
        return self.closed is not None and self.closed[0].startswith("a RewriteRule")


def outbounds(lines: list[Line], reading: Reading, invocation: Invocation | None) -> Iterator[Outbound]:
    """The backends that some request goes to, in the order they are named."""
    backends: dict[str, _Backend] = {}
    variables = [line for line in lines if line.keyword == "setenv" and line.args and line.args[0].text in _CLOSING][:_MOST_VARIABLES]
    for line in lines:
        match line.keyword:
            case "proxypass" | "proxypassmatch":
                _proxy_pass(line, backends, variables)
            case "balancermember":
                _member(line, backends)
            case "proxyset":
                _proxy_set(line, backends)
            case "rewriterule" if len(line.args) > 2 and "P" in _flags(line.args[2]):
                _use(backends, line.args[1], line, variables, "a RewriteRule with [P] opens a connection for each request")
            case "sethandler" if line.args and line.args[0].text.startswith("proxy:"):
                _use(backends, Word(line.args[0].text[6:], line.args[0].at), line, variables)
    for backend in backends.values():
        hosts = [_host(server) for server in backend.servers]
        if not backend.used or not hosts:
            continue
        keepalive, why, decided_at = _verdict(backend)
        yield Outbound(
            at=backend.at,
            app="apache2",
            unit=None if invocation is None else invocation.unit,
            name=backend.name,
            keepalive=keepalive,
            decided_at=decided_at,
            servers=len(hosts),
            loopback=are_loopback(hosts, reading.files),
            version=".".join(map(str, reading.version)) if reading.version else None,
            why=why,
            confidence=weakest(reading.confidence, "certain" if backend.sure else "possible"),
            starts=None if invocation is None else invocation.starts,
            keeping=None if keepalive is not False or invocation is None else _keeping(backend, reading),
        )


def _proxy_pass(line: Line, backends: dict[str, _Backend], variables: list[Line]) -> None:
    """`ProxyPass [path] url [key=value ...]`: in a <Location> the path is the section's."""
    args = line.args
    local = any(section.keyword in ("location", "locationmatch") for section in line.within)
    at = 0 if local and args and ("://" in args[0].text or args[0].text == "!") else 1
    if len(args) <= at:
        return
    path = "" if at == 0 else args[0].text
    backend = _use(backends, args[at], line, variables, path=path)
    if backend is not None:
        _parameters(backend, args[at + 1 :])
        backend.passes.append(args[-1])


def _use(backends: dict[str, _Backend], url: Word, line: Line, variables: list[Line], why: str = "", path: str = "") -> _Backend | None:
    backend = _backend(backends, url)
    if backend is None:
        return None
    if backend.scheme != "balancer":
        backend.servers.setdefault(backend.name)
    if not backend.used:
        backend.at, backend.sure = url.at, line.sure
    if why and not backend.used and backend.reuse is None:
        backend.closed = (why, url.at)
    elif not why and backend.is_rewritten:
        backend.closed = None
    backend.used = True
    if line.keyword not in ("proxypass", "proxypassmatch"):
        backend.rewritten_at = url.at
    for variable in variables:
        if _reaches(variable.within, line.within, path):
            backend.closing.append(variable)
            backend.closed = backend.closed or (f"{variable.args[0].text} is set", variable.at)
    return backend


def _backend(backends: dict[str, _Backend], url: Word) -> _Backend | None:
    """The backend of a URL; None for what is no backend on the network, or differs from request to request."""
    found = _URL.match(url.text)
    if found is None or not found[2] or set("$%").intersection(found[2]):
        return None
    scheme, name = found[1].lower(), found[2].rpartition("@")[2].lower()
    return backends.setdefault(f"{scheme}://{name}", _Backend(name, scheme, url.at))


def _member(line: Line, backends: dict[str, _Backend]) -> None:
    """`BalancerMember [balancer://name] url [key=value ...]`; spares and disabled members do not count."""
    args = list(line.args)
    balancer = args.pop(0) if args and args[0].text.startswith("balancer://") else _proxy_section(line.within)
    if balancer is None or not args:
        return
    backend = _backend(backends, balancer)
    member = _URL.match(args[0].text)
    if backend is None or member is None or not member[2]:
        return
    status = next((word.text.partition("=")[2] for word in args[1:] if word.text.lower().startswith("status=")), "")
    if not set("DSHdsh").intersection(status) or "-" in status:
        backend.servers.setdefault(member[2].lower())
    _parameters(backend, tuple(args[1:]))
    if member[1].lower() not in _KEEPING and backend.reuse is None:
        backend.scheme = member[1].lower()


def _proxy_set(line: Line, backends: dict[str, _Backend]) -> None:
    """`ProxySet [url] key=value ...`, in a <Proxy url> section without the url."""
    named = bool(line.args) and "://" in line.args[0].text.partition("=")[0]
    url = line.args[0] if named else _proxy_section(line.within)
    backend = _backend(backends, url) if url is not None else None
    if backend is not None:
        _parameters(backend, line.args[1:] if named else line.args)


def _proxy_section(within: tuple[Section, ...]) -> Word | None:
    return next((section.args[0] for section in reversed(within) if section.keyword == "proxy" and section.args), None)


def _parameters(backend: _Backend, words: tuple[Word, ...]) -> None:
    for word in words:
        key, _, value = word.text.lower().partition("=")
        if key in ("disablereuse", "enablereuse"):
            backend.reuse = ((value in _ON) is (key == "enablereuse"), word.at)
            backend.said.append(word)


def _reaches(setting: tuple[Section, ...], use: tuple[Section, ...], path: str) -> bool:
    """Whether a SetEnv in these sections is in force for what is proxied in those: in the same ones, or in a <Location> of its path."""
    rest = setting[len(use) :] if setting[: len(use)] == use else ()
    if setting == use[: len(setting)]:
        return True
    return bool(rest) and all(each.keyword == "location" and each.args and path.startswith(each.args[0].text) for each in rest)


def _verdict(backend: _Backend) -> tuple[bool | None, str, Span | None]:
    if backend.closed is not None and not backend.is_rewritten:
        return False, f"{backend.closed[0]}, so each request opens a connection", backend.closed[1]
    if backend.scheme in ("ws", "wss"):
        return None, "each WebSocket of a client is one connection to the backend", None
    if backend.reuse is not None:
        kept, at = backend.reuse
        return kept, "" if kept else "reuse of connections is disabled", at
    if backend.closed is not None:
        return False, backend.closed[0], backend.closed[1]
    if backend.scheme == "fcgi":
        return False, "mod_proxy_fcgi keeps no connection without enablereuse=on", None
    return (True if backend.scheme in (*_KEEPING, "balancer") else None), "", None


def _flags(word: Word) -> set[str]:
    return {flag.strip().partition("=")[0].upper().replace("PROXY", "P") for flag in word.text.strip("[]").split(",")}


def _host(server: str) -> str:
    return server[1 : server.find("]")] if server.startswith("[") else server.partition(":")[0]


def _keeping(backend: _Backend, reading: Reading) -> Rewriting:
    """What the configuration would say if the connections to a backend were kept."""
    on = {word.at: "on" if word.text.lower().startswith("enablereuse") else "off" for word in backend.said}
    wanted = [(word.at, word.text, f"{word.text.partition('=')[0]}={on[word.at]}") for word in backend.said if _closes(word)]
    wanted += [(line.at, " ".join(("SetEnv", *(word.text for word in line.args))), "") for line in backend.closing]
    if not backend.said and backend.rewritten_at is not None and (backend.scheme == "fcgi" or backend.is_rewritten):
        return Rewriting(refused=f"{backend.rewritten_at} is no ProxyPass: declare the backend with one, or with <Proxy>")
    if not backend.said and backend.scheme == "fcgi":
        wanted += [(word.at, word.text, f"{word.text} enablereuse=on") for word in backend.passes]
    rewrites: set[Rewrite] = set()
    for at, now, text in wanted:
        source = reading.files.read(at.path)
        start, end = (0, 0) if source is None else source.stretch(at)
        written = "" if source is None else source.text[start:end]
        # A macro's or a variable's text stands elsewhere.
        if " ".join(written.split()).lower() != now.lower():
            return Rewriting(refused=f"{at} says {written!r} for {now!r}, so what it comes from has to be changed")
        rewrites.add(Rewrite(at, text, written))
    caution = "some backends mix up requests on a reused connection, so reuse may have been switched off on purpose"
    words = f"have httpd keep connections to {backend.name}"
    return Rewriting(tuple(sorted(rewrites)), words, "", caution, reading.main)


def _closes(word: Word) -> bool:
    key, _, value = word.text.lower().partition("=")
    return (value in _ON) is not (key == "enablereuse")
