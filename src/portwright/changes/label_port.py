"""A port's type in SELinux's policy: one that has none of its own gets the one that the daemon's domain may bind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.drop_in_step import no_unit
from portwright.changes.kind import Change, ChangeKind, ContradictionError, Disruption, Host, Marks, Misuse, Safety, Step
from portwright.numbers import decimal

# Where semanage(8) keeps what it is told; the older place where a host has that.
_STORES = ("/etc/selinux/targeted/active/ports.local", "/var/lib/selinux/targeted/active/ports.local")
_TYPE = lazy_regex(r"[a-z][a-z0-9_]{0,60}_port_t")


@dataclass(frozen=True, slots=True)
class LabelPort(Change):
    """Give a TCP port that no type has the one that the domain of a unit's daemon may bind: `semanage port -a`."""

    unit: str
    port: str
    type: str
    safety: Safety = "review"
    disruption: Disruption = "restart"

    @property
    def target(self) -> str:
        return f"the type of tcp port {self.port}"

    def in_words(self) -> str:
        return f"have SELinux's policy give tcp port {self.port} the type {self.type}, for {self.unit}"

    def written(self) -> dict[str, object]:
        return {"unit": self.unit, "port": decimal(self.port), "type": self.type}

    @classmethod
    def unite(cls, host: Host, wished: Sequence["LabelPort"], step: Step | None, marks: Marks) -> "PortLabelStep":
        types = sorted({change.type for change in wished})
        if len(types) > 1:
            raise ContradictionError(f"tcp port {wished[0].port} has one type, and is to be {' and '.join(types)}")
        units = tuple(sorted({change.unit for change in wished}))
        return PortLabelStep(wished[0].port, types[0], units, *marks)

    def unwritable(self) -> str:
        if not _TYPE.fullmatch(self.type) or not decimal(self.port, 65535):
            return f"{self.type} of port {self.port} is no type of a port"
        return no_unit(self.unit.removesuffix(".socket") + ".service" if self.unit.endswith(".socket") else self.unit)

    def unpatchable(self) -> str:
        return "the type of a port is a setting of the host's policy, which no file of the repository makes"


@dataclass(frozen=True, slots=True)
class PortLabelStep(Step):
    """Have the policy know a port, before any service is restarted that binds it. `for_units` are those that it lets bind it."""

    port: str
    type: str
    for_units: tuple[str, ...]
    because: tuple[str, ...]
    safety: Safety = "review"
    disruption: Disruption = "restart"

    tasks = "port_label"
    about = "types of ports in SELinux's policy"
    why = "a service may bind its port only once the policy permits it"
    families = ("privilege",)

    @property
    def path(self) -> str:
        return _STORES[-1]

    @property
    def order(self) -> tuple[int, int]:
        return -1, decimal(self.port) or 0

    @property
    def units(self) -> tuple[str, ...]:
        return self.for_units

    def in_words(self) -> str:
        return f"run semanage port -a -t {self.type} -p tcp {self.port}, for {', '.join(self.for_units)}"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["PortLabelStep"]) -> dict[str, str]:
        """None: semanage writes what the policy has, and loads it."""
        return {}

    def captured(self, host: Host, laid: Mapping[str, bytes | None]) -> Mapping[str, bytes]:
        path = next((store for store in _STORES if store in laid or store in host.sources), _STORES[-1])
        source = host.sources.get(path)
        before = laid.get(path) or (b"" if source is None else source.text.encode("utf-8", "surrogateescape"))
        line = f"portcon tcp {self.port} system_u:object_r:{self.type}:s0\n".encode("ascii", "strict")
        return {path: before + (b"" if not before or before.endswith(b"\n") else b"\n") + line}

    def rests_on(self, host: Host) -> Iterable[str]:
        return ("/etc/selinux/config",)

    def caution(self, host: Host) -> str:
        return f"every service in a domain that may bind {self.type} may then bind tcp port {self.port}, too"

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["PortLabelStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        return {"portwright_port_labels": [{"port": step.port, "type": step.type, "units": list(step.for_units)} for step in steps]}


def _misuse(given: Mapping[str, Any]) -> Misuse | None:
    """What the policy permits is for the operator of the host to decide."""
    return None if given.get("safety", "review") == "review" else ("safety", "a fix that changes a security policy needs safety: review")


KIND = ChangeKind(
    LabelPort,
    "has SELinux's policy give the port the type that the service's domain may bind",
    {
        "unit": "the unit, such as {fact: unit}",
        "port": "such as {fact: port-without-a-type}",
        "type": "such as {fact: type-for-its-port}",
    },
    misuse=_misuse,
    rank=8,
)
STEP = PortLabelStep
