"""What the reader of an init system answers: what is started on a host, how, and in which order."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from portwright._start.records import dataclass
from portwright.facts import Call, Endpoint, Invocation, Unit
from portwright.source import Span
from portwright.system.host_files.captures import Captured
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class InitSocket:
    """A socket that is opened for a service before it starts, by process 1 or, where there is one, by the `manager` of a user."""

    endpoint: Endpoint
    unit: Unit
    activates: str | None
    manager: Invocation | None = None


@dataclass(frozen=True, slots=True)
class SysctlWrite:
    """A kernel setting that a started command writes, and the unit it belongs to.

    `value` is None where the text does not tell it; the key `*` means all that `sysctl --system` sets. `conditional`: it is not sure
    that the command is run. `after_files`: it surely runs after the loader of the files.
    """

    key: str
    value: str | None
    at: Span
    unit: str
    conditional: bool = False
    after_files: bool = False


def _nothing_before(unit: str) -> AbstractSet[str]:
    return frozenset()


def _in_no_circle(unit: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Started:
    """What is started on a host. `unread` says why nothing is known of it, "" where it is.

    `unplanned` says why no change can be planned there, `files_not_applied` why a boot does not read the files of sysctl.d.

    `units` are what the init system manages, started or not. `invocations` are the commands it starts, and what cron and supervisor
    start in turn, each with what starts it and why; `calls` are the calls of a few programs
    in their scripts. `before` tells which units are started before one of them, over any number of steps,
    `circle` which ones are each ordered after the other and after it.
    """

    units: tuple[Unit, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    calls: tuple[Call, ...] = ()
    sockets: tuple[InitSocket, ...] = ()
    sysctl_writes: tuple[SysctlWrite, ...] = ()
    before: Callable[[str], AbstractSet[str]] = _nothing_before
    circle: Callable[[str], tuple[str, ...]] = _in_no_circle
    unread: str = ""
    unplanned: str = ""
    files_not_applied: str = ""


Packaged = Callable[[str, Files], tuple[tuple[str, str], ...]]
"""What the [Service] section of a package's unit says, as far as somebody knows it: (key, value) each; () where nobody does."""

Reader = Callable[[Files, Captured], Started]
"""The one question that each init system's package answers."""
