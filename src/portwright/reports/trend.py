"""What differs from the run before: findings that are new, fixed or still there, and hosts that came or went."""

from collections import Counter
from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass
from portwright.finding import SEVERITIES, Finding, HostResult, Severity
from portwright.reports.escape import safe
from portwright.reports.words import counted, no_verdict


@dataclass(frozen=True, slots=True)
class Past:
    """A finding of an earlier run, as much as is kept in words."""

    host: str
    rule: str
    severity: Severity
    message: str
    path: str
    line: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run that a later one is held against: when it began, its hosts, and what was found on them."""

    started: str
    hosts: frozenset[str]
    findings: tuple[Past, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """What differs since an earlier run. Of hosts that cannot be read now nothing is fixed: `unknown` counts what was found on them."""

    since: str
    new: tuple[tuple[str, Finding], ...]
    still: tuple[tuple[str, Finding], ...]
    fixed: tuple[Past, ...]
    unknown: int
    hosts_new: tuple[str, ...]
    hosts_gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of difference of one rule: the gravest severity, how many findings, and the hosts that have or had them."""

    kind: str
    rule: str
    severity: Severity
    findings: int
    hosts: tuple[str, ...]


def trend(found: Sequence[HostResult], counted_now: Sequence[HostResult], earlier: Earlier) -> Trend:
    """What differs between an earlier run and all that was found now, of which some may not be counted."""
    before = Counter((each.host, each.fingerprint) for each in earlier.findings)
    left = before.copy()
    left.subtract((name_kept(result.host), finding.fingerprint) for result in found for finding in result.findings)
    known = before.copy()
    new: list[tuple[str, Finding]] = []
    still: list[tuple[str, Finding]] = []
    for result in sorted(counted_now, key=lambda result: result.host):
        for finding in result.findings:
            key = (name_kept(result.host), finding.fingerprint)
            known[key] -= 1
            (still if known[key] >= 0 else new).append((result.host, finding))
    hosts = {name_kept(result.host) for result in found}
    blind = {name_kept(result.host) for result in found if no_verdict(result)}
    fixed: list[Past] = []
    unknown = 0
    for each in earlier.findings:
        key = (each.host, each.fingerprint)
        if each.host in hosts and left[key] > 0:
            left[key] -= 1
            if each.host in blind:
                unknown += 1
            else:
                fixed.append(each)
    return Trend(
        earlier.started, tuple(new), tuple(still), tuple(fixed), unknown, _sorted(hosts - earlier.hosts), _sorted(earlier.hosts - hosts)
    )


def name_kept(name: str) -> str:
    """The name of a host as a store keeps it, which knows no bytes that are no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8", "strict")


def changes(found: Trend) -> tuple[Change, ...]:
    """What is new and what is fixed by rule, the gravest first."""
    return tuple(sorted(_changes(found), key=lambda each: (each.kind != "new", SEVERITIES.index(each.severity), -each.findings, each.rule)))


def _changes(found: Trend) -> Iterator[Change]:
    rows = {
        "new": [(finding.card.id, finding.severity, host) for host, finding in found.new],
        "fixed": [(each.rule, each.severity, each.host) for each in found.fixed],
    }
    for kind, listed in rows.items():
        for rule in {rule for rule, _, _ in listed}:
            own = [(severity, host) for each, severity, host in listed if each == rule]
            gravest = min((severity for severity, _ in own), key=SEVERITIES.index)
            yield Change(kind, rule, gravest, len(own), tuple(sorted({host for _, host in own})))


def in_words(found: Trend) -> str:
    """The counts in a line."""
    parts = [f"{len(found.new)} new", f"{len(found.fixed)} fixed", f"{len(found.still)} still there"]
    if found.unknown:
        parts.append(f"{found.unknown} on hosts that cannot be read now")
    for hosts, what in ((found.hosts_new, "new"), (found.hosts_gone, "gone")):
        if hosts:
            parts.append(f"{counted(len(hosts), 'host')} {what}")
    return f"since the run of {safe(found.since)}: {', '.join(parts)}"


def document(found: Trend) -> dict[str, object]:
    """The same for programs."""
    rules: dict[str, dict[str, int]] = {}
    rows = (
        *(("new", finding.card.id) for _, finding in found.new),
        *(("still", finding.card.id) for _, finding in found.still),
        *(("fixed", each.rule) for each in found.fixed),
    )
    for kind, rule in rows:
        rules.setdefault(rule, {"new": 0, "fixed": 0, "still": 0})[kind] += 1
    return {
        "since": found.since,
        "new": len(found.new),
        "fixed": len(found.fixed),
        "still": len(found.still),
        "unknown": found.unknown,
        "hosts_new": list(found.hosts_new),
        "hosts_gone": list(found.hosts_gone),
        "rules": [{"rule": rule, **numbers} for rule, numbers in sorted(rules.items())],
        "new_findings": [{"host": host, "rule": finding.card.id, "fingerprint": finding.fingerprint} for host, finding in found.new],
        "fixed_findings": [
            {
                "host": each.host,
                "rule": each.rule,
                "severity": each.severity,
                "message": each.message,
                "path": each.path,
                "line": each.line,
                "fingerprint": each.fingerprint,
            }
            for each in found.fixed
        ],
    }


def _sorted(names: set[str] | frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
