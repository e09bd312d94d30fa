"""Unite what findings wish for into a few steps, and prove on a copy of the host that they do what they promise."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from portwright.changes import Change, Disruption, GrantCapability, LimitCapabilities, ReservePorts, Safety, SetSysctl
from portwright.finding import Finding
from portwright.host import Host
from portwright.ports import PortSet

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"

SYSCTL_FILE = "/etc/sysctl.d/99-zz-portwright.conf"
"""The one file for kernel settings that portwright owns; its name sorts after what packages and people usually write."""

DROP_IN = "50-zz-portwright-capabilities.conf"
"""The drop-in for a unit's capabilities that portwright owns."""

FEWEST_PORTS = 512
"""A plan never leaves fewer ephemeral ports than this (and never less than half of the range)."""

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class SysctlStep:
    """Write one line of the owned sysctl file and have systemd-sysctl apply it. `was` is the value that was analysed."""

    key: str
    value: str
    was: str
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "none"

    @property
    def path(self) -> str:
        return SYSCTL_FILE


@dataclass(frozen=True, slots=True)
class DropInStep:
    """Write one drop-in of a unit. `lines` are the settings of its [Service] section."""

    unit: str
    lines: tuple[str, ...]
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "restart"

    @property
    def path(self) -> str:
        return f"/etc/systemd/system/{self.unit}.d/{DROP_IN}"


Step = SysctlStep | DropInStep


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A finding that no step mends, why, and what a person can do about it."""

    finding: Finding
    reason: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps for one host, what they were seen to mend on a copy of it, and what they leave.

    `edits` maps each written path to its whole content. `usable` is the number of ephemeral ports that remain, None where no step
    touches them. An empty plan states its reason in `reason`.
    """

    host: Host
    steps: tuple[Step, ...]
    edits: Mapping[str, str]
    mended: tuple[Finding, ...]
    unplanned: tuple[Unplanned, ...]
    usable: int | None = None
    reason: str = ""


Recheck = Callable[[Mapping[str, bytes | None]], tuple[Host, tuple[Finding, ...]]]
"""Read and check the same host again with these edits laid over it."""


@dataclass(frozen=True, slots=True)
class Permits:
    """How much a plan may ask of the host: findings whose mending needs a person's review are planned only when asked for."""

    review: bool = False


def plan(host: Host, findings: tuple[Finding, ...], recheck: Recheck, permits: Permits | None = None) -> Plan:
    """A proven plan: laid over the host, every finding it claims is gone and no new one came.

    A mending that brings a new finding (a widened range swallows a service) takes that finding's wish along. What cannot be proven
    together is tried wish by wish, and what cannot be proven at all is left with its reason.
    """
    permits = permits or Permits()
    if host.repository:
        reason = "a repository is not a host: nothing says which machine this ends up on; change the file at the place shown"
        return Plan(host, (), {}, (), tuple(Unplanned(f, reason, _manual_step(f)) for f in findings), reason=reason)
    wished, unplanned = _sort_out(findings, permits)
    proven = _prove(host, findings, wished, recheck, permits)
    if proven is None:
        proven, refused = _one_by_one(host, findings, wished, recheck, permits)
        unplanned += refused
    steps, edits, mended, usable = proven
    planned = {finding.fingerprint for finding in mended}
    left = [u for u in unplanned if u.finding.fingerprint not in planned]
    reason = "" if steps else ("nothing was found" if not findings else "no finding has a mending that could be proven safe")
    return Plan(host, steps, edits, mended, tuple(sorted(left, key=lambda u: (u.finding.at, u.finding.card.id))), usable, reason)


_Proven = tuple[tuple[Step, ...], dict[str, str], tuple[Finding, ...], int | None]


def _sort_out(findings: Iterable[Finding], permits: Permits) -> tuple[list[Finding], list[Unplanned]]:
    wished: list[Finding] = []
    unplanned: list[Unplanned] = []
    for finding in findings:
        if finding.change is None:
            reason = finding.manual.reason if finding.manual else "no change to the host's configuration is known to be right for everyone"
            unplanned.append(Unplanned(finding, reason, _manual_step(finding)))
        elif finding.confidence == "possible":
            reason = "portwright is not sure enough of this to change a host for it"
            unplanned.append(Unplanned(finding, reason, finding.summary))
        elif finding.change.safety == "review" and not permits.review:
            reason = "its mending should be reviewed by somebody who knows the service (plan it with --allow-review)"
            unplanned.append(Unplanned(finding, reason, finding.summary))
        else:
            wished.append(finding)
    return wished, unplanned


def _manual_step(finding: Finding) -> str:
    return finding.manual.step if finding.manual else finding.summary


def _prove(host: Host, before: tuple[Finding, ...], wished: list[Finding], recheck: Recheck, permits: Permits) -> _Proven | None:
    """The steps for these wishes, None where they contradict, do not mend, or break something that no further wish mends."""
    known = {finding.fingerprint for finding in before}
    wishes = list(wished)
    for _ in range(_ROUNDS):
        steps = unite(host, wishes)
        if steps is None:
            return None
        edits = _edits(host, steps)
        if not edits:
            return (), {}, (), None
        after_host, after = recheck({path: text.encode() for path, text in edits.items()})
        usable = _usable(after_host) if any(isinstance(s, SysctlStep) and s.key in (RANGE, RESERVED) for s in steps) else None
        if usable is not None and not _room(after_host, usable):
            return None
        remaining = {finding.fingerprint for finding in after}
        fresh = [finding for finding in after if finding.fingerprint not in known]
        more, hopeless = _sort_out(fresh, permits)
        if hopeless or any(finding.fingerprint in remaining for finding in wished):
            return None
        if not more:
            return steps, edits, tuple(f for f in before if f.fingerprint not in remaining), usable
        wishes += more
    return None


def _one_by_one(
    host: Host, before: tuple[Finding, ...], wished: list[Finding], recheck: Recheck, permits: Permits
) -> tuple[_Proven, list[Unplanned]]:
    """The most wishes, taken in the order of findings, that can be proven together."""
    kept: list[Finding] = []
    best: _Proven = ((), {}, (), None)
    refused: list[Unplanned] = []
    for finding in wished:
        proven = _prove(host, before, [*kept, finding], recheck, permits)
        if proven is None:
            refused.append(Unplanned(finding, _refusal(host, finding), finding.summary))
        else:
            kept.append(finding)
            best = proven
    return best, refused


def _refusal(host: Host, finding: Finding) -> str:
    """Why a wish could not be proven, as far as its kind tells."""
    match finding.change:
        case SetSysctl() | ReservePorts():
            key = RESERVED if isinstance(finding.change, ReservePorts) else finding.change.key
            sysctl = host.sysctl(key)
            blockers = [] if sysctl is None else [at for at in (sysctl.at, sysctl.reload_at) if _sorts_after_ours(at.path)]
            if blockers:
                return f"{blockers[0]} sets {key} and is read after {SYSCTL_FILE}, which is the only file portwright may write"
            return f"on a copy of this host, setting {key} did not mend this without breaking something else"
        case GrantCapability(unit=unit) | LimitCapabilities(unit=unit):
            return f"on a copy of this host, a drop-in for {unit} did not mend this without breaking something else"
        case None:
            return "it wishes for nothing"


def _sorts_after_ours(path: str) -> bool:
    name = path.rpartition("/")[2]
    return path == "/etc/sysctl.conf" or ("/sysctl.d/" in path and name > SYSCTL_FILE.rpartition("/")[2])


def unite(host: Host, wished: Iterable[Finding]) -> tuple[Step, ...] | None:
    """The fewest steps for these wishes, in the order they must be applied; None where two of them contradict."""
    reserve: list[PortSet] = []
    values: dict[str, str] = {}
    grants: dict[str, set[str]] = {}
    limits: dict[str, tuple[str, ...]] = {}
    because: dict[str, set[str]] = {}
    marks: dict[str, tuple[Safety, Disruption]] = {}
    for finding in wished:
        change: Change | None = finding.change
        match change:
            case ReservePorts(ports=ports):
                reserve.append(ports)
                target = RESERVED
            case SetSysctl(key=key, value=value):
                if values.setdefault(key, value) != value:
                    return None
                target = key
            case GrantCapability(unit=unit, capability=capability):
                grants.setdefault(unit, set()).add(capability)
                target = unit
            case LimitCapabilities(unit=unit, capabilities=capabilities):
                if limits.setdefault(unit, capabilities) != capabilities:
                    return None
                target = unit
            case None:
                continue
        because.setdefault(target, set()).add(finding.card.id)
        marks[target] = _stricter(marks.get(target), (change.safety, change.disruption))
    if reserve:
        values[RESERVED] = str(PortSet.parse(values.get(RESERVED, _boot(host, RESERVED))).union(*reserve))
    steps: list[Step] = []
    # The kernel wants ip_unprivileged_port_start <= the range's low end at every write, so the start is written first.
    for key in sorted(values, key=lambda key: (key != UNPRIVILEGED, key)):
        safety, disruption = marks.get(key, ("safe", "none"))
        steps.append(SysctlStep(key, values[key], _boot(host, key), tuple(sorted(because[key])), safety, disruption))
    for unit in sorted(grants.keys() | limits.keys()):
        if unit in grants and unit in limits:
            return None
        safety, disruption = marks[unit]
        lines = _grant_lines(host, unit, grants[unit]) if unit in grants else ("CapabilityBoundingSet=", _bounding(limits[unit]))
        steps.append(DropInStep(unit, lines, tuple(sorted(because[unit])), safety, disruption))
    return tuple(steps)


def _stricter(one: tuple[Safety, Disruption] | None, other: tuple[Safety, Disruption]) -> tuple[Safety, Disruption]:
    if one is None:
        return other
    order: tuple[Disruption, ...] = ("none", "reload", "restart", "reboot")
    safety: Safety = "review" if "review" in (one[0], other[0]) else "safe"
    return safety, max(one[1], other[1], key=order.index)


def _grant_lines(host: Host, unit: str, capabilities: set[str]) -> tuple[str, ...]:
    """AmbientCapabilities= adds to what is there; a bounding set that lacks the capability must let it in (lines are OR-ed)."""
    words = " ".join(sorted(capabilities))
    known = host.privileges.get(unit)
    if known is not None and known.bounding is not None and not capabilities <= known.bounding:
        return f"AmbientCapabilities={words}", f"CapabilityBoundingSet={words}"
    return (f"AmbientCapabilities={words}",)


def _bounding(capabilities: tuple[str, ...]) -> str:
    return "CapabilityBoundingSet=" + " ".join(capabilities)


def _edits(host: Host, steps: Iterable[Step]) -> dict[str, str]:
    """The whole content of every owned file after these steps; what an earlier plan wrote there stays unless it is set anew."""
    settings = {a.key: a.value for a in host.assignments if a.at.path == SYSCTL_FILE and a.fate == "applied"}
    edits: dict[str, str] = {}
    for step in steps:
        match step:
            case SysctlStep(key=key, value=value):
                settings[key] = value
                edits[SYSCTL_FILE] = ""
            case DropInStep(lines=lines):
                edits[step.path] = "".join(f"{line}\n" for line in (OWNED, "[Service]", *lines))
    if SYSCTL_FILE in edits:
        ordered = sorted(settings, key=lambda key: (key != UNPRIVILEGED, key))
        edits[SYSCTL_FILE] = "".join(f"{line}\n" for line in (OWNED, *(f"{key} = {settings[key]}" for key in ordered)))
    return edits


OWNED = "# Written by portwright. Changes made here by hand are lost when its playbook runs again."


def _boot(host: Host, key: str) -> str:
    sysctl = host.sysctl(key)
    return "" if sysctl is None else sysctl.boot


def _usable(host: Host) -> int:
    low, high = (int(part) for part in _boot(host, RANGE).split())
    return len(PortSet.of((low, high)).minus(PortSet.parse(_boot(host, RESERVED))))


def _room(host: Host, usable: int) -> bool:
    low, high = (int(part) for part in _boot(host, RANGE).split())
    return usable >= FEWEST_PORTS and usable * 2 >= high - low + 1
