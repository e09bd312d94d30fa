"""What a daemon says: an Invocation and the files it reads become Endpoints and Outbounds; one module each daemon.

A module registers its reader with `@daemon(...)`; importing the package's modules is all it takes to know them. Daemons that a
description is enough for are entries of the catalogue; where both know a program, the module is asked.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from portwright.facts import Endpoint, Invocation, Outbound
from portwright.source import Word
from portwright.system.privileges import script_head
from portwright.trees import Files
from portwright.values import dataclass, replace

if TYPE_CHECKING:
    from portwright.apps.catalogue.entry import Entry

Said = Endpoint | Outbound
Packages = Mapping[str, str]
Reader = Callable[[Invocation, Files, Packages], tuple[Said, ...]]
FragmentReader = Callable[[str, Files, Packages], tuple[Said, ...]]
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


@cache
def daemons() -> tuple[Daemon, ...]:
    """Every known daemon, by name: those that have a module, and those of the catalogue."""
    from portwright.apps import catalogue

    known = {entry.name: _described(entry) for entry in catalogue.every()}
    known |= {each.name: each for each in _modules()}
    return tuple(known[name] for name in sorted(known))


def daemon_of(invocation: Invocation) -> Daemon | None:
    """The daemon an Invocation starts: an exact program name before a pattern before a shape, None where nobody knows it."""
    from portwright.apps import catalogue

    program, patterned = invocation.program, None
    for known in _modules():
        for pattern in known.programs:
            if pattern == program:
                return known
            if pattern.endswith("*") and program.startswith(pattern[:-1]):
                patterned = patterned or known
    if patterned is None and (entry := catalogue.find(invocation)) is not None:
        return _described(entry)
    return patterned or next((known for known in _modules() if known.shape is not None and known.shape(invocation)), None)


def interpreted(invocation: Invocation, files: Files) -> Invocation:
    """The Invocation of the interpreter where a `#!` script is started that no daemon is known by; any other as it is."""
    if not invocation.argv or not invocation.argv[0].text.startswith("/") or daemon_of(invocation) is not None:
        return invocation
    head = script_head(files.resolve(invocation.argv[0].text), files)
    if head is None:
        return invocation
    # `#!/usr/bin/env -S node --flag`: env(1) splits what follows.
    words = [word for word in (head[0], *head[1].split()) if word != "-S"]
    if words[0].endswith("/env"):
        words = words[1:]
    at = invocation.argv[0].at
    return replace(invocation, argv=(*(Word(word, at) for word in words), *invocation.argv)) if words else invocation


@cache
def _modules() -> tuple[Daemon, ...]:
    """The daemons that have a module, by name."""
    for module in iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return tuple(_DAEMONS[name] for name in sorted(_DAEMONS))


@cache
def _described(entry: "Entry") -> Daemon:
    """The daemon that an entry of the catalogue describes."""
    from portwright.apps import catalogue

    alone = None if entry.config is None else partial(catalogue.fragment, entry)
    return Daemon(entry.name, entry.programs, partial(catalogue.read, entry), alone)
