"""Servers whose whole say is on their command line: flags, variables and defaults become endpoints as the descriptor's `server` says."""

from portwright._start.records import replace
from portwright.daemons._engine.binding import Binder, Given, argument, default, halves, variable
from portwright.daemons._engine.descriptor import Descriptor, Server, Slot
from portwright.daemons._engine.protocol import DaemonFact, Packages
from portwright.facts import Backlog, Invocation
from portwright.numbers import decimal
from portwright.source import Word
from portwright.system.processes.options import Options
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_NO_PORT = ("unix:", "fd://", "/")  # a Unix socket, a descriptor it was given


def read(found: Descriptor, server: Server, invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What a server binds when it is started so."""
    options = options_of(invocation.argv[1:], _valued(found, server))
    if server.needs and not (options.has(*server.needs) or {word.text for word in options.operands}.intersection(server.needs)):
        return ()
    binder = _binder(found.name, server, options)
    if _has_nothing_to_serve(server, options, invocation, files):
        binder = replace(binder, confidence="possible")
    endpoints: list[DaemonFact] = []
    port = _said(server.port, options, invocation)
    builtin = server.port.default[0] if server.port.default else "0"
    for word in options.all(*server.listen):
        for address in _listed(word):
            if address.text.startswith(_NO_PORT):
                continue
            host, own = halves(address)
            other = replace(port or default(builtin, address.at), origin="argument")
            endpoints += binder.bind(argument(host), other if own is None else argument(own), files)
    if endpoints or options.has(*server.listen, *server.elsewhere) or (port is None and server.port.default is None):
        return tuple(endpoints)
    host_given = _said(server.host, options, invocation) or default((server.host.default or ("",))[0], invocation.at)
    return binder.bind(host_given, port or default(builtin, invocation.at), files, _count(options.last(*server.count)))


def _valued(found: Descriptor, server: Server) -> frozenset[str]:
    """Every flag that takes a value."""
    flags = (*server.host.sources, *server.port.sources, *server.listen, *server.elsewhere, *server.count, *server.backlog)
    return frozenset((*flags, *server.application, *found.values))


def _has_nothing_to_serve(server: Server, options: Options, invocation: Invocation, files: Files) -> bool:
    named = options.last(*server.application) if server.application else None
    if named is None or not named.text.endswith(".py"):
        return False
    source = files.read(invocation.path(named.text))
    return source is not None and server.speaks not in source.text.lower()


def _binder(name: str, server: Server, options: Options) -> Binder:
    binder = Binder(
        name,
        every=server.names == "all",
        wildcard=server.wildcard,
        words=server.any,
        v6only=server.v6only,
        confidence=server.confidence,
        backlog=Backlog.asked(options.last(*server.backlog), server.queue),
    )
    if options.has(*server.single) and not any(word.text == "1" for word in options.all(*server.single)):
        binder = replace(binder, every=False, wildcard=binder.wildcard[:1], v6only=None)
    if options.has(*server.ipv4):
        binder = replace(binder, wildcard=("0.0.0.0",))  # noqa: S104
    elif options.has(*server.ipv6):
        binder = replace(binder, wildcard=("::",), v6only=True)
    return binder


def _said(slot: Slot, options: Options, invocation: Invocation) -> Given | None:
    """What the last flag says, else the first variable that is set."""
    word = options.last(*(source for source in slot.sources if source.startswith("-")))
    if word is not None:
        return argument(word)
    return variable(invocation.environment, *(source[1:] for source in slot.sources if source.startswith("$")))


def _listed(word: Word) -> tuple[Word, ...]:
    """Addresses separated by blanks, as waitress takes them."""
    parts = word.text.split()
    return (word,) if len(parts) < 2 else tuple(Word(part, word.at) for part in parts)


def _count(word: Word | None) -> int:
    said = None if word is None else decimal(word.text, 999)
    return 1 if said is None else said
