"""A kernel setting as it is settled from all files."""

from collections.abc import Container, Iterable

from portwright._start.records import dataclass, replace
from portwright.facts.kind import FactKind
from portwright.facts.subject import Subject
from portwright.facts.value import Confidence, Overridden
from portwright.source import Span

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"

UNKNOWN = "\ufffd"
"""Stands in a value for what a text does not tell."""


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A kernel setting as each loader leaves it, values printed as the kernel prints them (single blanks).

    `boot` is what systemd-sysctl leaves, `reload` what `sysctl --system` (procps) leaves; `running` is what a captured
    `sysctl -a` or `/proc/sys` says, None without one. `is_default` is true where no file sets the key and boot points into the
    shipped defaults. The contract's `value` equals boot. `later` are the values that may be in force once everything has started,
    with who writes each, the files' own among them where it may last; empty where nothing but the loaders writes the key. Reports say
    what `after_boot` leaves.
    """

    at: Span
    key: str
    boot: str
    reload: str
    reload_at: Span
    running: str | None = None
    overridden: tuple[Overridden, ...] = ()
    is_default: bool = False
    confidence: Confidence = "certain"
    later: tuple[Overridden, ...] = ()

    def after_boot(self) -> "Sysctl":
        """As it is once everything has started, where one value is surely the last; as the files leave it elsewhere."""
        if len(self.later) != 1 or UNKNOWN in self.later[0].value:
            return self
        last = self.later[0]
        lost = tuple(each for each in self.overridden if each.at != last.at)
        if not self.is_default:
            lost += (Overridden(self.boot, self.at, last.reason.replace(" writes it", " writes another value after the files are read")),)
        return replace(self, boot=last.value, at=last.at, overridden=lost, is_default=False, confidence="likely")


def _place(sysctl: Sysctl, evidence: Iterable[Span], files: Container[str]) -> Span:
    """The kernel's default stands in no file of the host: the line to look at is the one that failed to change it."""
    lines = (sysctl.at, *(overridden.at for overridden in reversed(sysctl.overridden)), sysctl.reload_at)
    default = sysctl.at.path if sysctl.is_default else None
    return next((line for line in lines if line.path in files and line.path != default), sysctl.at)


KIND = FactKind(
    "sysctl",
    Sysctl,
    "a kernel setting, evaluated from all files",
    {
        "boot": "the value after boot, as systemd-sysctl leaves it",
        "is_default": "whether no file sets it, so that the kernel's default applies",
        "key": "its name, with dots",
        "reload": "the value after `sysctl --system` (procps)",
        "reload_at": "the line that decided the value after `sysctl --system`",
        "running": "the value in the running kernel; unknown where it was not captured",
    },
    collection="sysctls",
    subject=lambda sysctl: Subject(sysctl=sysctl.key),
    order=lambda sysctl: (sysctl.key,),
    place=_place,
    rank=1,
)
