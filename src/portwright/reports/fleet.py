"""Many hosts in one report: how many have what, the same finding said once, and the worst of them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from portwright._start.records import dataclass
from portwright.finding import SEVERITIES, Finding, HostResult, Severity
from portwright.reports.escape import safe, width, wrap
from portwright.reports.excerpt import place
from portwright.reports.style import Role, Style
from portwright.reports.words import accepted_by, counted, first_few, no_verdict, obeyed, uncovered, what_to_do
from portwright.source import Unreadable

if TYPE_CHECKING:
    from portwright.reports.trend import Trend

MOST_WORST = 10
MOST_NAMES = 6
_OF_ALL = ("*", "0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104  compared, never bound


@dataclass(frozen=True)
class Common:
    """One finding wherever it was made: the first of it, and the names of the hosts that have it, each once."""

    first: Finding
    hosts: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Fleet:
    """Hosts together. `worst` is the gravest severity of each host, None for a sound one; `unsure` are those that nobody can call so."""

    results: tuple[HostResult, ...]
    worst: Mapping[str, Severity | None]
    unsure: Mapping[str, str]
    common: tuple[Common, ...]

    def hosts_with(self, severity: Severity | None) -> tuple[str, ...]:
        """The hosts whose gravest finding is of a severity; for None those that are sound."""
        return tuple(name for name, worst in self.worst.items() if worst == severity and (worst is not None or name not in self.unsure))


def fleet(results: Sequence[HostResult]) -> Fleet:
    """What some hosts have in common, the gravest first and then what most of them have."""
    ordered = tuple(sorted(results, key=lambda result: result.host))
    alike: dict[object, list[tuple[str, Finding]]] = {}
    for result in ordered:
        for finding in result.findings:
            alike.setdefault((finding.card.id, finding.severity, finding.confidence, _words(finding)), []).append((result.host, finding))
    common = [Common(found[0][1], tuple(dict.fromkeys(host for host, _ in found)), len(found)) for found in alike.values()]
    common.sort(key=lambda each: (SEVERITIES.index(each.first.severity), -len(each.hosts), each.first.card.id, each.first.message))
    worst = {result.host: min((f.severity for f in result.findings), key=SEVERITIES.index, default=None) for result in ordered}
    unsure = {result.host: why for result in ordered if (why := _unsure(result))}
    return Fleet(ordered, worst, unsure, tuple(common))


def _words(finding: Finding) -> str:
    """What a finding says, without the address of its host: that is another one on each."""
    address = finding.subject.address
    return finding.message if address is None or address in _OF_ALL else finding.message.replace(address, "\0")


def _unsure(result: HostResult) -> str:
    if no_verdict(result):
        return result.unreadable[0].reason if result.unreadable else no_verdict(result)
    return f"{counted(len(result.unreadable), 'place')} could not be read" if result.unreadable else ""


def render(
    results: Sequence[HostResult],
    trend: "Trend | None" = None,
    remarks: Sequence[Unreadable] = (),
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    show_allowed: bool = False,
) -> str:
    """The report for people: totals, rules, the worst hosts, each finding once, and the hosts of which not all is known.

    `remarks` are entries of an allow file without effect.
    """
    page = _Page(Style(color), max(width, 40), verbose, show_allowed)
    together = fleet(results)
    lines = page.brief(together, remarks) if quiet else page.whole(together, trend, remarks)
    return "".join(f"{line.rstrip(' ')}\n" for line in lines)


class _Page:
    def __init__(self, style: Style, width: int, verbose: bool, show_allowed: bool) -> None:
        self.style, self.width, self.verbose, self.show_allowed = style, width, verbose, show_allowed or verbose

    def brief(self, together: Fleet, remarks: Sequence[Unreadable]) -> Iterator[str]:
        for each in together.common:
            yield f"{each.first.severity}[{each.first.card.id}] on {counted(len(each.hosts), 'host')}: {safe(each.first.message)}"
        for name, why in together.unsure.items():
            yield f"{safe(name)}: {safe(why)}"
        for remark in remarks:
            yield f"{place(remark.at)}: {safe(remark.reason)}"

    def whole(self, together: Fleet, trend: "Trend | None", remarks: Sequence[Unreadable]) -> Iterator[str]:
        yield from self._title("hosts by their gravest finding")
        findings = Counter(finding.severity for result in together.results for finding in result.findings)
        rows: list[tuple[str, str, str, str]] = []
        for severity in SEVERITIES:
            hosts = together.hosts_with(severity)
            if hosts or findings[severity]:
                rows.append((severity, counted(len(hosts), "host"), counted(findings[severity], "finding"), self._names(hosts)))
        sound = together.hosts_with(None)
        rows.append(("none", counted(len(sound), "host"), "", self._names(sound)))
        blind = tuple(name for name in together.unsure if together.worst[name] is None)
        if blind:
            rows.append(("inconclusive", counted(len(blind), "host"), "", self._names(blind)))
        yield from self._table(rows)
        if trend is not None:
            yield ""
            yield from self._trend(trend)
        if together.common:
            yield ""
            yield from self._title("rules by how many hosts")
            yield from self._table(list(by_rule(together)))
            yield ""
            yield from self._title("the worst hosts")
            yield from self._table(list(self._worst(together)))
            for each in together.common:
                yield ""
                yield from self._finding(each)
        if together.unsure:
            yield ""
            yield from self._title("could not be read in full")
            listed = list(together.unsure.items())
            for name, why in listed if self.verbose else listed[: 2 * MOST_WORST]:
                yield from self._item(f"  {safe(name)}: ", safe(why))
            if len(listed) > 2 * MOST_WORST and not self.verbose:
                yield f"  ... and {len(listed) - 2 * MOST_WORST} more (-v lists them)"
        if self.show_allowed and (accepted := _accepted(together)):
            yield ""
            yield from self._title("allowed")
            for (rule, reason, by), hosts in accepted.items():
                where = f"{safe(rule)} on {counted(len(hosts), 'host')}: {safe(reason)}{f' ({safe(by)})' if by else ''}: "
                yield from self._item("  ", f"{where}{self._names(hosts, 200 if self.verbose else MOST_NAMES)}")
        if remarks:
            yield ""
            yield from self._title("entries of the allow file without effect")
            for remark in remarks:
                yield from self._item(f"  {place(remark.at)}: ", safe(remark.reason))
        yield ""
        yield from self._verdict(together)

    def _trend(self, trend: "Trend") -> Iterator[str]:
        from portwright.reports.trend import changes, in_words

        for line in wrap(in_words(trend), self.width):
            yield from self._title(line)
        found = ((each, counted(each.findings, "finding")) for each in changes(trend))
        yield from self._table([(each.kind, number, each.severity, safe(each.rule), self._names(each.hosts)) for each, number in found])
        for names, what in ((trend.hosts_new, "new"), (trend.hosts_gone, "gone")):
            if names:
                yield from self._item(f"  {what}: ", self._names(names, 200 if self.verbose else 2 * MOST_NAMES))

    def _finding(self, each: Common) -> Iterator[str]:
        finding = each.first
        tag = f"{finding.severity}[{finding.card.id}]"
        several = f" on {counted(len(each.hosts), 'host')}" + (f" ({each.count} findings)" if each.count > len(each.hosts) else "")
        head, *more = wrap(safe(finding.message), self.width - 2, self.width - len(tag) - len(several) - 2)
        yield f"{self.style(finding.severity, tag)}{several}: {self.style('strong', head)}"
        for line in more:
            yield f"  {self.style('strong', line)}"
        yield from self._item("  at: ", f"{safe(each.hosts[0])}: {place(finding.at)}")
        if len(each.hosts) > 1:
            yield from self._item("  hosts: ", self._names(each.hosts, 200 if self.verbose else 2 * MOST_NAMES))
        what = what_to_do(finding)
        if what:
            key, _, text = what.partition(": ")
            yield from self._item(f"  {key}: ", safe(text))

    def _worst(self, together: Fleet) -> Iterator[tuple[str, str]]:
        def gravity(result: HostResult) -> tuple[int, ...]:
            counts = Counter(finding.severity for finding in result.findings)
            return tuple(-counts[severity] for severity in SEVERITIES)

        bad = sorted((result for result in together.results if result.findings), key=lambda result: (gravity(result), result.host))
        for result in bad[:MOST_WORST]:
            counts = Counter(finding.severity for finding in result.findings)
            yield safe(result.host), ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])

    def _verdict(self, together: Fleet) -> Iterator[str]:
        troubled = sum(1 for worst in together.worst.values() if worst is not None)
        total = sum(len(result.findings) for result in together.results)
        distinct = f" ({len(together.common)} distinct)" if total > len(together.common) else ""
        parts = [f"{counted(total, 'finding')}{distinct} on {troubled} of {counted(len(together.results), 'host')}"]
        if together.unsure:
            parts.append(f"{counted(len(together.unsure), 'host')} could not be read in full, so this result is incomplete")
        if taken := obeyed(together.results):
            parts.append(taken)
        if accepted := accepted_by(together.results):
            parts.append(accepted)
        if missing := uncovered(together.results):
            parts.append(missing)
        if together.results and total:
            parts.append("--host NAME shows one in full")
        grave = next((each for each in SEVERITIES if together.hosts_with(each)), None)
        role: Role = grave or ("bad" if together.unsure or not together.results else "good")
        for line in wrap("; ".join(parts), self.width):
            yield self.style(role, line)

    def _names(self, names: Sequence[str], most: int = MOST_NAMES) -> str:
        return first_few(names, most)

    def _title(self, text: str) -> Iterator[str]:
        yield self.style("strong", text)

    def _table(self, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
        """Columns side by side; the last one goes on below itself."""
        if not rows:
            return
        columns = [max(width(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
        for row in rows:
            head = "  " + "".join(f"{cell}{' ' * (columns[index] - width(cell) + 2)}" for index, cell in enumerate(row[:-1]))
            yield from self._item(head, row[-1])

    def _item(self, head: str, text: str) -> Iterator[str]:
        taken = min(width(head), self.width // 2)
        first, *more = wrap(text, self.width - taken, max(self.width - width(head), 10)) or [""]
        yield f"{head}{first}"
        for line in more:
            yield f"{' ' * taken}{line}"


def _accepted(together: Fleet) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """What is allowed, by what and why, each once with its hosts."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for result in together.results:
        for each in result.allowed:
            found.setdefault((each.rule, each.reason, each.by), {})[result.host] = None
    return {key: tuple(hosts) for key, hosts in sorted(found.items())}


def by_rule(together: Fleet) -> Iterator[tuple[str, str, str, str]]:
    """Each rule with its gravest severity, by how many hosts have a finding of it."""
    rules: dict[str, tuple[set[str], list[Finding]]] = {}
    for result in together.results:
        for finding in result.findings:
            hosts, findings = rules.setdefault(finding.card.id, (set(), []))
            hosts.add(result.host)
            findings.append(finding)
    for rule, (hosts, findings) in sorted(rules.items(), key=lambda each: (-len(each[1][0]), each[0])):
        severity = min((finding.severity for finding in findings), key=SEVERITIES.index)
        yield counted(len(hosts), "host"), severity, rule, counted(len(findings), "finding")


def document(results: Sequence[HostResult]) -> dict[str, object]:
    """The same for programs: what `audit --format json` adds to the JSON of a check."""
    together = fleet(results)
    by_severity: dict[str, int] = {severity: len(together.hosts_with(severity)) for severity in SEVERITIES}
    by_severity["none"] = len(together.hosts_with(None))
    by_severity["inconclusive"] = sum(1 for name in together.unsure if together.worst[name] is None)
    return {
        "hosts_by_severity": by_severity,
        "rules": [
            {
                "rule": rule,
                "hosts": len({name for each in together.common if each.first.card.id == rule for name in each.hosts}),
                "findings": sum(each.count for each in together.common if each.first.card.id == rule),
            }
            for rule in sorted({each.first.card.id for each in together.common})
        ],
        "common": [
            {
                "rule": each.first.card.id,
                "severity": each.first.severity,
                "message": each.first.message,
                "hosts": list(each.hosts),
                "findings": each.count,
            }
            for each in together.common
        ],
        "incomplete": [{"host": name, "reason": why} for name, why in together.unsure.items()],
    }
