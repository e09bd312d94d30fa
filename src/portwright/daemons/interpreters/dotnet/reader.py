"""ASP.NET Core: the URLs and ports that Kestrel is told become endpoints."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import DUAL, Binder, Given, argument, default, halves, variable
from portwright.facts import Confidence, Endpoint, Invocation
from portwright.source import Word
from portwright.system.host_files.names import is_address
from portwright.system.processes.options import cut
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_URLS = ("ASPNETCORE_URLS", "DOTNET_URLS", "URLS")
_PORTS = ("ASPNETCORE_HTTP_PORTS", "ASPNETCORE_HTTPS_PORTS", "DOTNET_HTTP_PORTS", "DOTNET_HTTPS_PORTS", "HTTP_PORTS", "HTTPS_PORTS")
_LOOPBACK = ("127.0.0.1", "::1")
# Whether .NET sets SO_REUSEADDR was not measured.
_KESTREL = Binder("kestrel", wildcard=DUAL, words=("", "*", "+", "::"), v6only=False, reuse_address=None)


def shape(invocation: Invocation) -> bool:
    """Whether the environment speaks to ASP.NET Core, as it does to a program published as one file."""
    return any(name.startswith("ASPNETCORE_") for name in invocation.environment)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """--urls before ASPNETCORE_URLS before ASPNETCORE_HTTP_PORTS (learn.microsoft.com, "Configure endpoints for Kestrel").

    Code or appsettings.json may name others, so this is *likely* at most; http://localhost:5000, where nothing is said, *possible*.
    """
    program = next((word for word in invocation.argv[1:] if word.text.lower().endswith(".dll")), None)
    if program is not None:
        started = replace(invocation, argv=invocation.argv[invocation.argv.index(program) :])
        known = daemon_of(started)
        if known is not None and not known.is_interpreter:
            return known.read(started, files, packages)
    urls = _given(invocation)
    if urls is not None:
        return tuple(endpoint for url in _listed(urls) for endpoint in _bound(url, "likely", files))
    found: list[Endpoint] = []
    for name in _PORTS:
        ports = variable(invocation.environment, name)
        for port in _listed(ports) if ports is not None else ():
            found += replace(_KESTREL, confidence="likely").bind(default("", port.at), port, files)
    if found or not shape(invocation):
        return tuple(found) or generic.read(invocation, files, packages)
    return tuple(_bound(default("http://localhost:5000", invocation.at), "possible", files))


def _given(invocation: Invocation) -> Given | None:
    word = options_of(invocation.argv[1:], frozenset(("--urls",))).last("--urls")
    return argument(word) if word is not None else variable(invocation.environment, *_URLS)


def _listed(given: Given) -> Iterator[Given]:
    word, start = Word(given.text, given.at), 0
    for part in given.text.split(";"):
        if part.strip():
            own = cut(word, start, start + len(part))
            yield Given(own.text.strip(), own.at, given.origin)
        start += len(part) + 1


def _bound(url: Given, confidence: Confidence, files: Files) -> Iterator[Endpoint]:
    """`scheme://host[:port][/path]`: a literal address is bound as such, localhost on both loopbacks, any other host is every one."""
    scheme, separator, _ = url.text.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return
    rest = cut(Word(url.text, url.at), len(scheme) + 3)
    slash = rest.text.find("/")
    host, own = halves(rest if slash < 0 else cut(rest, 0, slash))
    if host.text.startswith("unix"):
        return
    port = Given(own.text, own.at, url.origin) if own is not None else Given("443" if scheme == "https" else "80", url.at, url.origin)
    binder = replace(_KESTREL, confidence=confidence)
    if host.text.lower() == "localhost":
        for address in _LOOPBACK:
            yield from replace(binder, v6only=True).bind(Given(address, host.at, url.origin), port, files)
    else:
        yield from binder.bind(Given(host.text if is_address(host.text) else "", host.at, url.origin), port, files)
