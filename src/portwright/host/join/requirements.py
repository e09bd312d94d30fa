"""Services that require a unit which does not come up: systemd does not start them, or stops them again.

Measured with systemd 252 and 257. A start that fails (a command before the server, a missing environment file, an assertion, a Type= for
which systemd waits) keeps from starting what has Requires=, BindsTo= or Requisite= of it and After= it. A Type=simple service
has started before its program is found missing, so only BindsTo= stops then. What a condition skips, or what is done, is no failure:
Requires= starts all the same, BindsTo= and Requisite= do not.
"""

from collections.abc import Iterator
from typing import Literal

from portwright._start.records import dataclass, replace
from portwright.facts import Unit
from portwright.formats.unit import YES
from portwright.host import Host
from portwright.source import Span

Down = Literal["failed", "gone", "away"]
"""How a required unit is not there: its start fails, its program ends after it has been started, or it is skipped or done."""

_BEFORE_IT_STARTS = ("exit-code", "resources", "timeout")  # statuses of starts that fail whatever the type
_SIMPLE = (None, "simple", "idle")
_STOPPED_BY: dict[str, tuple[Down, ...]] = {
    "Requires": ("failed",),
    "Requisite": ("failed", "away"),
    "BindsTo": ("failed", "gone", "away"),
}


def without_unmet(host: Host) -> Host:
    """A host whose listeners say which of them are closed because of what their service requires."""
    asked: dict[str, list[_Requirement]] = {}
    down: dict[str, tuple[Down, str] | None] = {}
    unmet: dict[str, tuple[str, Span]] = {}
    falling: list[str] = []
    for each in _requirements(host):
        asked.setdefault(each.other.name, []).append(each)
        if each.other.name not in down:
            down[each.other.name] = _down(host, each.other)
        reason = _reason(each, down[each.other.name])
        if reason is not None and each.unit not in unmet:
            unmet[each.unit] = reason, each.at
            falling.append(each.unit)
    while falling:
        name = falling.pop()
        for each in asked.get(name, ()):
            reason = _reason(each, ("failed", unmet[name][0]))
            if reason is not None and each.unit not in unmet:
                unmet[each.unit] = reason, each.at
                falling.append(each.unit)
    if not unmet:
        return host
    listeners = [
        replace(each, closed_by=unmet[each.unit][0]) if each.unit in unmet and each.starts == "boot" and not each.closed_by else each
        for each in host.listeners
    ]
    return replace(host, listeners=tuple(listeners), unmet=unmet)


@dataclass(frozen=True, slots=True)
class _Requirement:
    """One unit named by a setting of another that a boot starts; `ordered`: that one is started after it."""

    unit: str
    key: str
    name: str
    other: Unit
    ordered: bool
    at: Span


def _requirements(host: Host) -> Iterator[_Requirement]:
    for unit in host.units:
        if unit.starts != "boot" or unit.state != "loaded" or unit.kind not in ("service", "socket"):
            continue
        lines = [(key, line) for key in _STOPPED_BY for line in unit.lines("Unit", key)]
        after = {word for line in unit.lines("Unit", "After") for word in line.value.split()} if lines else ()
        for key, line in lines:
            for name in line.value.split():
                other = host.unit(name)
                if other is not None and other.name != unit.name:
                    ordered = name in after or any(each in after for each in other.names)
                    yield _Requirement(unit.name, key, name, other, ordered, line.at)


def _reason(requirement: _Requirement, down: tuple[Down, str] | None) -> str | None:
    """Why a requirement is not met at a boot, in words."""
    key, name, other = requirement.key, requirement.name, requirement.other
    if down is None:
        never = key == "Requisite" and other.state == "loaded" and other.starts == "manual"
        return f"{key}={name} wants it to be up already, and no boot starts it" if never else None
    met = down[0] not in _STOPPED_BY[key] or not (requirement.ordered or key == "BindsTo")
    return None if met else f"{key}={name}, and {down[1]}"


def _down(host: Host, unit: Unit) -> tuple[Down, str] | None:
    """How a unit surely does not stay up at a boot, and why; None where it may."""
    if unit.state != "loaded" or unit.kind != "service":
        return None
    if unit.refused and unit.starts == "never":
        # What is not loaded is found before any job is queued, but an assertion is not.
        return ("failed", f"that does not start: {unit.why}") if unit.refused.startswith("Assert") else None
    if unit.starts == "never" and unit.why.startswith("Condition"):
        return "away", f"that is skipped: {unit.why}"
    stated = unit.value("Service", "Type")
    kind = None if stated is None else stated.value
    found = host.privileges.get(unit.name)
    if found is not None and found.fails not in (None, "never-started"):
        status = f" ({found.fails})" if "/" in str(found.fails) else ""
        reason = f"{found.because[-1][0] if found.because else found.fails}{status}"
        simple = kind in _SIMPLE and unit.value("Service", "BusName") is None
        before = found.fails in _BEFORE_IT_STARTS or not simple
        return ("failed" if before else "gone"), f"that does not come up: {reason}"
    stays = unit.value("Service", "RemainAfterExit")
    ends = kind == "oneshot" and unit.starts == "boot" and (stays is None or stays.value.lower() not in YES)
    if ends and unit.each("Service", "ExecStart") and not host.listeners_of(unit.name):
        return "away", "that is done and no longer active: Type=oneshot without RemainAfterExit=yes"
    return None
