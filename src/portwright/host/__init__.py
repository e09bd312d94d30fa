"""A host: settled facts joined, so that rules can ask who binds what as whom, and whether they can."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any, TypeVar

from portwright._start.records import dataclass, field
from portwright.coverage import Coverage
from portwright.facts import Assignment, Call, Fact, FileLimit, Listener, Mount, Outbound, Privileges, Sysctl, Unit, Value, kinds
from portwright.ports import PortSet
from portwright.source import Source, Span, Unreadable

T = TypeVar("T")


@dataclass(frozen=True)
class Host:
    """All facts of one host or repository, and the sources they point into.

    `repository` is true where nothing says what is enabled (CONTRACT.md, Inputs). `files_read` counts files, not bytes.
    `privileges` says with what power each service unit's main command is started, by the unit's name. `order` says which units are
    ordered before a unit, transitively; a unit it does not name has nobody known to come before it. `circles` are the units that are each
    ordered after the other, by the name of a listening one among them. `unmet` says which requirement keeps a unit from being up
    after a boot, with its line, by the unit's name. `roles` says, for each file of a
    repository, the role or host whose folder it lies in ("" for none): files of different roles may end on different machines.
    `coverage` says what was not understood, left out and not read.
    `machine` is the one of several that a repository describes: a role, a folder, a group; `machine_because` says why it is not one with
    the others. Both are "" where there is one.
    `unread_init` says why nothing can be planned for the host: its init system is not read, or is not systemd. It is "" where it is.
    `files_not_applied` says why a boot reads none of the files of sysctl.d, "" where it does.
    `others` are the facts of kinds that have no field here, by the kind's name.
    `resvports` are the ends of the range whose ports an NFS client takes, as options of its module set them.
    `links` say where the files lie whose paths are links, or lead over one; known where a plan is made.
    `asked` are the files that were read, or were not there, to know what a unit runs, by the unit's name.
    `expected_rate` is how many new connections a second to one destination the host must keep up, None where nobody says.
    `taken_elsewhere` are the ports that are not free on the other hosts of its group, as far as anybody names those.
    """

    name: str
    identity: str = ""
    repository: bool = False
    listeners: tuple[Listener, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    units: tuple[Unit, ...] = ()
    outbounds: tuple[Outbound, ...] = ()
    file_limits: tuple[FileLimit, ...] = ()
    calls: tuple[Call, ...] = ()
    mounts: tuple[Mount, ...] = ()
    others: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    resvports: Mapping[str, Value] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
    files_read: int = 0
    privileges: Mapping[str, Privileges] = field(default_factory=dict)
    order: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    circles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unmet: Mapping[str, tuple[str, Span]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coverage: Coverage = Coverage()
    expected_rate: int | None = None
    taken_elsewhere: PortSet = PortSet()
    unread_init: str = ""
    files_not_applied: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""
    machine_because: str = ""

    @cached_property
    def _answers(self) -> dict[object, Any]:
        return {}

    def once(self, work_out: "Callable[[Host], T]") -> T:
        """What a function makes of this host, worked out when it is first asked for."""
        if work_out not in self._answers:
            self._answers[work_out] = work_out(self)
        found: T = self._answers[work_out]
        return found

    def facts(self, kind: str) -> Sequence[Fact]:
        """All facts of a kind, by its name."""
        collection = kinds()[kind].collection
        found: Sequence[Fact] = getattr(self, collection) if collection else self.others.get(kind, ())
        return found

    @cached_property
    def _sysctl(self) -> dict[str, Sysctl]:
        return {sysctl.key: sysctl for sysctl in self.sysctls}

    @cached_property
    def _unit(self) -> dict[str, Unit]:
        return {name: unit for unit in self.units for name in (*unit.names, unit.name)}

    @cached_property
    def _listeners(self) -> dict[str | None, list[Listener]]:
        found: dict[str | None, list[Listener]] = {}
        for listener in self.listeners:
            found.setdefault(listener.unit, []).append(listener)
        return found

    def listeners_of(self, unit: str) -> tuple[Listener, ...]:
        """The listeners one unit opens."""
        return tuple(self._listeners.get(unit, ()))

    def sysctl(self, key: str) -> Sysctl | None:
        """The settled value of a kernel setting; None for a key that neither a file nor the shipped defaults name."""
        return self._sysctl.get(key)

    def real_path(self, path: str) -> str:
        """Where a file lies, whatever links lead to it."""
        return self.links.get(path, path)

    def unit(self, name: str | None) -> Unit | None:
        """A unit by any of its names."""
        return None if name is None else self._unit.get(name)

    def drop_in_names(self, unit: str) -> tuple[str, ...]:
        """The names whose directories of drop-ins count for a unit, most specific first."""
        from portwright.system.systemd.unit_files import drop_in_names  # only plans ask

        return drop_in_names(unit)
