"""Unite what findings wish for into a few steps, and prove on a copy of the host that they do what they promise."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field
from portwright.changes import SETTABLE, Disruption, GrantCapability, LimitCapabilities, ReservePorts, Safety, SetSysctl
from portwright.facts import Sysctl
from portwright.finding import Finding
from portwright.host import Host
from portwright.ports import PortSet
from portwright.source import Span
from portwright.system.host_files.capabilities import ALL
from portwright.trees import ReadError

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"

SYSCTL_FILE = "/etc/sysctl.d/zz-portwright.conf"
"""The one file for kernel settings that portwright owns; its name sorts after 99-sysctl.conf, and after k8s.conf and its like."""

DROP_IN = "zz-portwright-capabilities.conf"
"""The drop-in for a unit's capabilities that portwright owns; its name sorts after what `systemctl edit` writes."""

FEWEST_PORTS = 512
"""A plan never leaves fewer ephemeral ports than this, and never fewer than half of the range."""

OWNED = "# Written by portwright. Changes made here by hand are lost when its playbook runs again."

_ROUNDS = 4

# systemd.unit(5): the characters of a unit's name, 255 at most; a path is made of it.
_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.service")
_KEY = lazy_regex(r"[a-z0-9_]+(\.[A-Za-z0-9_/-]+)+")


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
    def directory(self) -> str:
        return f"/etc/systemd/system/{self.unit}.d"

    @property
    def path(self) -> str:
        return f"{self.directory}/{DROP_IN}"


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
    fixed: tuple[Finding, ...]
    unplanned: tuple[Unplanned, ...]
    usable: int | None = None
    reason: str = ""


Recheck = Callable[[Mapping[str, bytes | None]], tuple[Host, tuple[Finding, ...]]]
"""Read and check the same host again with these edits laid over it."""


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """How much a plan may ask of the host: findings whose mending needs a person's review are planned only when asked for."""

    review: bool = False


def plan(host: Host, findings: tuple[Finding, ...], recheck: Recheck, policy: FixPolicy | None = None) -> Plan:
    """A proven plan: laid over the host, every finding it claims is gone and no new one came.

    A mending that brings a new finding (a widened range swallows a service) takes that finding's wish along. What cannot be proven
    together is tried in halves, and what cannot be proven at all is left with its reason.
    """
    if host.repository:
        reason = "a repository is not a host: nothing says which machine this ends up on, so change the file at the place shown"
        return Plan(host, (), {}, (), tuple(Unplanned(f, reason, _by_hand(f)) for f in findings), reason=reason)
    if host.unread_init:
        return Plan(host, (), {}, (), tuple(Unplanned(f, host.unread_init, _by_hand(f)) for f in findings), reason=host.unread_init)
    prover = _Prover(host, findings, recheck, policy or FixPolicy())
    wished, refused = _sort_out(findings, prover.policy)
    proven = prover.most_of(wished, _Proven(), refused)
    fixed = Counter(finding.fingerprint for finding in proven.fixed)
    left = sorted((u for u in refused if u.finding.fingerprint not in fixed), key=lambda u: (u.finding.at, u.finding.card.id))
    reason = ""
    if not proven.steps:
        reason = "no finding has a mending that could be proven safe" if findings else "nothing was found"
    return Plan(host, proven.steps, proven.edits, proven.fixed, tuple(left), proven.usable, reason)


def _sort_out(findings: Iterable[Finding], policy: FixPolicy, *, ours: bool = False) -> tuple[list[Finding], list[Unplanned]]:
    """The findings whose wishes may be tried, and the others with the reason why not.

    Findings that are `ours`, brought by another change of the plan, need not be sure: to reserve a port too many does no harm.
    """
    wished: list[Finding] = []
    refused: list[Unplanned] = []
    for finding in findings:
        reason = ""
        if finding.change is None:
            reason = finding.manual.reason if finding.manual else "no change to the host's configuration is known to be right for everyone"
        elif finding.confidence == "possible" and not (ours and isinstance(finding.change, ReservePorts)):
            reason = "portwright is not sure enough of this to change a host for it"
        elif finding.change.safety == "review" and not policy.review:
            reason = "its mending should be reviewed by somebody who knows the service (plan it with --allow-review)"
        else:
            reason = _unsafe_words(finding)
        if reason:
            refused.append(Unplanned(finding, reason, _by_hand(finding)))
        else:
            wished.append(finding)
    return wished, refused


def _by_hand(finding: Finding) -> str:
    return finding.manual.step if finding.manual else finding.summary


def _unsafe_words(finding: Finding) -> str:
    """Why a wish cannot be written into a file, "" where it can: what a path or a line is made of must not say more than it should."""
    match finding.change:
        case GrantCapability(unit=unit) | LimitCapabilities(unit=unit) if not _UNIT.fullmatch(unit):
            return f"{unit!r} is not a name that systemd allows a service, so no path is made of it"
        case GrantCapability(capability=capability) if capability not in ALL:
            return f"{capability!r} is not a capability, so no line is made of it"
        case LimitCapabilities(capabilities=capabilities) if not ALL.issuperset(capabilities):
            return f"{', '.join(sorted(set(capabilities) - ALL))!r} is not a capability, so no line is made of it"
        case SetSysctl(key=key) if not _KEY.fullmatch(key):
            return f"{key!r} is not the name of a kernel setting"
        case SetSysctl(key=key) if not key.startswith(SETTABLE):
            return f"{key} is no setting of the network, and portwright sets no other"
        case SetSysctl(key=key, value=value) if not value.isprintable():
            return f"the value for {key} would break out of its line"
        case _:
            return ""


# ── proving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Proven:
    """Wishes that were seen to do what they promise, together."""

    wishes: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    edits: dict[str, str] = field(default_factory=dict)
    fixed: tuple[Finding, ...] = ()
    usable: int | None = None


class _Refused(Exception):
    """These wishes cannot be granted together; the message is the reason."""


class _Prover:
    def __init__(self, host: Host, before: tuple[Finding, ...], recheck: Recheck, policy: FixPolicy) -> None:
        self._host = host
        self._before = before
        self._known = Counter(finding.fingerprint for finding in before)
        self._recheck = recheck
        self.policy = policy

    def most_of(self, wished: Sequence[Finding], proven: _Proven, refused: list[Unplanned]) -> _Proven:
        """As many of these wishes as can be proven on top of what is proven; the others go to `refused` with the reason."""
        if not wished:
            return proven
        try:
            return self._prove((*proven.wishes, *wished))
        except _Refused as refusal:
            if len(wished) == 1:
                refused.append(Unplanned(wished[0], str(refusal), wished[0].summary))
                return proven
        middle = len(wished) // 2
        return self.most_of(wished[middle:], self.most_of(wished[:middle], proven, refused), refused)

    def _prove(self, wished: tuple[Finding, ...]) -> _Proven:
        """The steps for all of these wishes; raises _Refused where they contradict, do not mend, or break something else."""
        wishes = wished
        for _ in range(_ROUNDS):
            steps = unite(self._host, wishes)
            edits = _edits(self._host, steps)
            try:
                after_host, after = self._recheck(_laid_over(self._host, steps, edits))
            except ReadError as error:
                raise _Refused(f"{error.path} cannot be written: {error.reason}") from None
            _assert_in_force(after_host, steps)
            usable = _assert_room(after_host, steps)
            remaining = Counter(finding.fingerprint for finding in after)
            fresh = [finding for finding in after if remaining[finding.fingerprint] > self._known[finding.fingerprint]]
            more, hopeless = _sort_out(fresh, self.policy, ours=True)
            if hopeless:
                new = hopeless[0].finding
                raise _Refused(f"on a copy of this host it brings something new, {new.card.id}: {new.message}")
            if not more:
                for finding in wished:
                    if remaining[finding.fingerprint]:
                        raise _Refused("on a copy of this host it is still found after the change")
                fixed = tuple(f for f in self._before if not remaining[f.fingerprint])
                return _Proven(wished, steps, edits, fixed, usable)
            wishes = (*wishes, *more)
        raise _Refused("on a copy of this host each change asks for another one")


def _assert_in_force(after: Host, steps: Iterable[Step]) -> None:
    """Both loaders must leave what was wished for: the boot, and whoever runs `sysctl --system` later."""
    for step in steps:
        if not isinstance(step, SysctlStep):
            continue
        sysctl = after.sysctl(step.key)
        if sysctl is None:
            raise _Refused(f"{step.key} is not a setting that portwright knows how to settle")
        for value, at, loader in ((sysctl.boot, sysctl.at, "at boot"), (sysctl.reload, sysctl.reload_at, "by sysctl --system")):
            if value != step.value:
                raise _Refused(_why_not_in_force(sysctl, step, at, loader))


def _why_not_in_force(sysctl: Sysctl, step: SysctlStep, at: Span, loader: str) -> str:
    if at.path == "/etc/sysctl.conf" or at.path.rpartition("/")[2] > SYSCTL_FILE.rpartition("/")[2]:
        return f"{at} sets {step.key} too and is read after {SYSCTL_FILE} {loader}, so that line has to be changed by hand"
    for overridden in sysctl.overridden:
        if overridden.at.path == SYSCTL_FILE:
            return f"{step.key} = {step.value} would not be in force: {overridden.reason}"
    return f"{at} would still decide {step.key} {loader}"


def _assert_room(after: Host, steps: Iterable[Step]) -> int | None:
    """How many ephemeral ports remain, None where no step touches them."""
    if not any(isinstance(step, SysctlStep) and step.key in (RANGE, RESERVED) for step in steps):
        return None
    ends, reserved = after.sysctl(RANGE), after.sysctl(RESERVED)
    if ends is None or reserved is None:
        return None
    low, high = (int(part) for part in ends.boot.split())
    usable = len(PortSet.of((low, high)).minus(PortSet.parse(reserved.boot)))
    least = max(FEWEST_PORTS, (high - low + 2) // 2)
    if usable < least:
        raise _Refused(f"only {usable:,} of {high - low + 1:,} ephemeral ports would remain, and {least:,} must")
    return usable


def _laid_over(host: Host, steps: Iterable[Step], edits: Mapping[str, str]) -> dict[str, bytes | None]:
    """The planned files, and what a capture of the running kernel would say once the plan is applied."""
    laid: dict[str, bytes | None] = {path: text.encode() for path, text in edits.items()}
    for step in steps:
        sysctl = host.sysctl(step.key) if isinstance(step, SysctlStep) else None
        if not isinstance(step, SysctlStep) or sysctl is None or sysctl.running is None:
            continue
        for path, source in host.sources.items():
            if path == "/.portwright/sysctl":
                held = laid.get(path) or source.text.encode("utf-8", "surrogateescape")
                # The first of several lines for a key is what is read.
                laid[path] = f"{step.key} = {step.value}\n".encode() + held
            elif path.endswith("/proc/sys/" + step.key.translate(str.maketrans("./", "/."))):
                laid[path] = f"{step.value}\n".encode()
    return laid


# ── uniting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def unite(host: Host, wished: Iterable[Finding]) -> tuple[Step, ...]:
    """The fewest steps for these wishes, in the order they must be applied; raises _Refused where two of them contradict."""
    reserve: list[PortSet] = []
    values: dict[str, str] = {}
    grants: dict[str, set[str]] = {}
    limits: dict[str, tuple[str, ...]] = {}
    asked: dict[str, list[Finding]] = {}
    for finding in wished:
        match finding.change:
            case ReservePorts(ports=ports):
                reserve.append(ports)
                target = RESERVED
            case SetSysctl(key=key, value=value):
                if values.setdefault(key, value) != value:
                    raise _Refused(f"another finding wants {key} = {values[key]}")
                target = key
            case GrantCapability(unit=unit, capability=capability):
                grants.setdefault(unit, set()).add(capability)
                target = unit
            case LimitCapabilities(unit=unit, capabilities=capabilities):
                if limits.setdefault(unit, capabilities) != capabilities:
                    raise _Refused(f"another finding wants to leave {unit} only {', '.join(limits[unit])}")
                target = unit
            case None:
                continue
        asked.setdefault(target, []).append(finding)
    if reserve:
        values[RESERVED] = _reserved(host, values.get(RESERVED, ""), reserve)
    for unit in sorted(grants.keys() & limits.keys()):
        raise _Refused(f"one finding wants more capabilities for {unit}, another one fewer")
    steps: list[Step] = []
    # The kernel wants ip_unprivileged_port_start <= the range's low end at every write, so the start is written first.
    for key in sorted(values, key=_written_first):
        steps.append(SysctlStep(key, values[key], _now(host, key), *_marks(asked[key])))
    for unit in sorted({*grants, *limits}):
        lines = _grant(host, unit, grants[unit]) if unit in grants else ("CapabilityBoundingSet=", _bounding(limits[unit]))
        steps.append(DropInStep(unit, lines, *_marks(asked[unit])))
    return tuple(steps)


def _reserved(host: Host, wished: str, more: Iterable[PortSet]) -> str:
    """Reserving replaces the whole list, so what is reserved goes with it: by a file, and by hand on the running kernel."""
    sysctl = host.sysctl(RESERVED)
    held = () if sysctl is None else (sysctl.boot, sysctl.running or "")
    try:
        return str(PortSet.parse(wished).union(*(PortSet.parse(each) for each in held), *more))
    except ValueError as error:
        raise _Refused(f"{RESERVED} cannot be merged: {error}") from None


def _marks(asked: Sequence[Finding]) -> tuple[tuple[str, ...], Safety, Disruption]:
    """(the rules that ask, the least safe, the most disruptive) of the wishes that make one step."""
    changes = [finding.change for finding in asked if finding.change is not None]
    order: tuple[Disruption, ...] = ("none", "reload", "restart", "reboot")
    safety: Safety = "review" if any(change.safety == "review" for change in changes) else "safe"
    because = tuple(sorted({finding.card.id for finding in asked}))
    return because, safety, max((change.disruption for change in changes), key=order.index)


def _grant(host: Host, unit: str, capabilities: set[str]) -> tuple[str, ...]:
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
    settings = {a.key: a.value for a in host.assignments if a.at.path == SYSCTL_FILE and a.outcome in ("applied", "overridden")}
    edits: dict[str, str] = {}
    for step in steps:
        match step:
            case SysctlStep(key=key, value=value):
                settings[key] = value
                lines = (f"{key} = {settings[key]}" for key in sorted(settings, key=_written_first))
                edits[SYSCTL_FILE] = "".join(f"{line}\n" for line in (OWNED, *lines))
            case DropInStep(unit=unit, lines=new):
                kept = tuple(line for line in _lines_of(host, unit, step.path) if line not in new)
                edits[step.path] = "".join(f"{line}\n" for line in (OWNED, "[Service]", *kept, *new))
    return edits


def _lines_of(host: Host, unit: str, path: str) -> Iterator[str]:
    """What an earlier plan wrote into the drop-in of a unit."""
    known = host.unit(unit)
    for setting in () if known is None else known.settings:
        if setting.at.path == path and setting.section == "Service":
            yield f"{setting.key}={setting.value}"


def _written_first(key: str) -> tuple[bool, str]:
    return key != UNPRIVILEGED, key


def _now(host: Host, key: str) -> str:
    """The value that a host has now, as far as is known."""
    sysctl = host.sysctl(key)
    if sysctl is None:
        return ""
    return sysctl.boot if sysctl.running is None else sysctl.running
