"""What a daemon says: an Invocation and the files it reads become Endpoints and Outbounds; one module each daemon.

A module registers its reader with `@daemon(...)`; importing the package's modules is all it takes to know them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

from portwright.facts import Endpoint, Invocation, Outbound
from portwright.trees import Files

Said = Endpoint | Outbound
Packages = Mapping[str, str]
Reader = Callable[[Invocation, Files, Packages], tuple[Said, ...]]
FragmentReader = Callable[[str, Files, Packages], tuple[Said, ...]]


@dataclass(frozen=True, slots=True)
class Daemon:
    """How one daemon is recognised and read.

    `programs` are base names of argv[0] (a trailing `*` matches any ending). `read` turns an Invocation into what the daemon says.
    `fragment` reads one config file on its own, by its in-tree path, as a repository has it: no Invocation, nothing includes it.
    """

    name: str
    programs: tuple[str, ...]
    read: Reader
    fragment: FragmentReader | None = None


_DAEMONS: dict[str, Daemon] = {}


def daemon(name: str, *programs: str, fragment: FragmentReader | None = None) -> Callable[[Reader], Reader]:
    """Register the decorated reader for a daemon started as one of these programs."""

    def register(read: Reader) -> Reader:
        if name in _DAEMONS:
            raise ValueError(f"two readers for the daemon {name}")
        _DAEMONS[name] = Daemon(name, programs, read, fragment)
        return read

    return register


def daemons() -> tuple[Daemon, ...]:
    """Every known daemon, by name."""
    for module in iter_modules(__path__, f"{__name__}."):
        import_module(module.name)
    return tuple(_DAEMONS[name] for name in sorted(_DAEMONS))


def daemon_of(invocation: Invocation) -> Daemon | None:
    """The daemon an Invocation starts: an exact program name before a pattern, None where nobody knows it."""
    program, patterned = invocation.program, None
    for known in daemons():
        for pattern in known.programs:
            if pattern == program:
                return known
            if pattern.endswith("*") and program.startswith(pattern[:-1]):
                patterned = patterned or known
    return patterned
