"""What a daemon says: an Invocation and the files it reads become Endpoints, Outbounds and FileNeeds; one module each daemon.

A module registers its reader with `@daemon(...)`. A run imports only the modules of the programs it meets: `registered` says which
know what, and a test holds it against the modules. Daemons that a description is enough for are entries of the catalogue; where both
know a program, the module is asked.
"""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from portwright._start.records import dataclass, replace
from portwright.daemons._engine.registered import REGISTERED
from portwright.facts import Endpoint, FileNeed, Invocation, Outbound
from portwright.source import Word
from portwright.system.systemd.privileges import script_head
from portwright.trees import Files

if TYPE_CHECKING:
    from portwright.daemons._engine.entry import Entry

DaemonFact = Endpoint | Outbound | FileNeed
Packages = Mapping[str, str]
Reader = Callable[[Invocation, Files, Packages], tuple[DaemonFact, ...]]
FragmentReader = Callable[[str, Files, Packages], tuple[DaemonFact, ...]]
Shape = Callable[[Invocation], bool]


@dataclass(frozen=True, slots=True)
class Daemon:
    """How one daemon is recognised and read.

    `programs` are base names of argv[0] (a trailing `*` matches any ending). `read` turns an Invocation into what the daemon says.
    `fragment` reads one config file on its own, by its in-tree path, as a repository has it: no Invocation, nothing includes it.
    `shape` tells it by its arguments where the program has another name, as a copied interpreter has.
    """

    name: str
    programs: tuple[str, ...]
    read: Reader
    fragment: FragmentReader | None = None
    shape: Shape | None = None


_DAEMONS: dict[str, Daemon] = {}


def daemon(name: str, *programs: str, fragment: FragmentReader | None = None, shape: Shape | None = None) -> Callable[[Reader], Reader]:
    """Register the decorated reader for a daemon started as one of these programs."""

    def register(read: Reader) -> Reader:
        if name in _DAEMONS:
            raise ValueError(f"two readers for the daemon {name}")
        _DAEMONS[name] = Daemon(name, programs, read, fragment, shape)
        return read

    return register


_PACKAGED = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/usr/share/", "/bin/", "/sbin/", "/lib/")
_INTERPRETERS = {"js": "node", "cjs": "node", "mjs": "node", "py": "python3", "rb": "ruby", "pl": "perl", "php": "php"}


@cache
def daemons() -> tuple[Daemon, ...]:
    """Every known daemon, by name: those that have a module, and those of the catalogue."""
    from portwright.daemons import _engine as catalogue

    known = {entry.name: _described(entry) for entry in catalogue.every()}
    known |= {row.name: _module(row.name) for row in REGISTERED}
    return tuple(known[name] for name in sorted(known))


def daemon_of(invocation: Invocation) -> Daemon | None:
    """The daemon an Invocation starts: an exact program name before a pattern before a shape, None where nobody knows it."""
    from portwright.daemons import _engine as catalogue

    name = _named(invocation.program)
    if name is not None:
        return _module(name)
    if (entry := catalogue.find(invocation)) is not None:
        return _described(entry)
    shaped = (_module(row.name) for row in REGISTERED if row.shape)
    return next((known for known in shaped if known.shape is not None and known.shape(invocation)), None)


@lru_cache(maxsize=4096)
def _named(program: str) -> str | None:
    exact, patterns = _programs()
    return exact.get(program) or next((name for start, name in patterns if program.startswith(start)), None)


@cache
def fragment_reader(name: str) -> FragmentReader | None:
    """What reads one config file of the daemon of this name on its own, if anything does."""
    from portwright.daemons import _engine as catalogue

    for row in REGISTERED:
        if row.name == name:
            return _module(name).fragment if row.fragment else None
    try:
        return _described(catalogue.named(name)).fragment
    except KeyError:
        return None


def interpreted(invocation: Invocation, files: Files) -> Invocation:
    """The Invocation of the interpreter where a `#!` script is started that no daemon is known by; any other as it is.

    A program of somebody's own that is given a script is taken for its interpreter under another name: a copy of it with a capability.
    """
    if not invocation.argv or not invocation.argv[0].text.startswith("/") or daemon_of(invocation) is not None:
        return invocation
    head = script_head(files.resolve(invocation.argv[0].text), files)
    if head is None:
        if len(invocation.argv) > 1 and not invocation.argv[0].text.startswith(_PACKAGED):
            ending = invocation.argv[1].text.rpartition(".")[2]
            if ending in _INTERPRETERS and files.kind(invocation.argv[1].text) == "file":
                return replace(invocation, argv=(Word(_INTERPRETERS[ending], invocation.argv[0].at), *invocation.argv[1:]))
        return invocation
    # `#!/usr/bin/env -S node --flag`: env(1) splits what follows.
    words = [word for word in (head[0], *head[1].split()) if word != "-S"]
    if words[0].endswith("/env"):
        words = words[1:]
    at = invocation.argv[0].at
    return replace(invocation, argv=(*(Word(word, at) for word in words), *invocation.argv)) if words else invocation


@cache
def _module(name: str) -> Daemon:
    """A daemon that has a module, by its name."""
    import_module(next(f"{__name__}.{row.module}" for row in REGISTERED if row.name == name))
    return _DAEMONS[name]


@cache
def _programs() -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
    """Programs to the daemon that has a module for them, and (beginning of a program, daemon) pairs; the first by name counts."""
    every = [(program, row.name) for row in REGISTERED for program in row.programs]
    patterns = tuple((program[:-1], name) for program, name in every if program.endswith("*"))
    return dict(reversed(every)), patterns


@cache
def _described(entry: "Entry") -> Daemon:
    """The daemon that an entry of the catalogue describes."""
    from portwright.daemons import _engine as catalogue

    alone = None if entry.config is None else partial(catalogue.fragment, entry)
    return Daemon(entry.name, entry.programs, partial(catalogue.read, entry), alone)
