"""Markdown: pages of rules, and a check as the summary of a CI job or a comment on a change."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from portwright._start.lazy_regex import lazy_regex
from portwright.finding import SEVERITIES, Finding, HostResult
from portwright.reports.escape import safe
from portwright.reports.explained import with_report
from portwright.reports.order import worst_first
from portwright.reports.pages import page
from portwright.reports.registry import Checked, Explained, Look, report
from portwright.reports.words import (
    accepted_by,
    compared_with,
    counted,
    cut_off,
    described,
    first_few,
    no_verdict,
    obeyed,
    told_uncovered,
    uncovered,
)
from portwright.source import Span

if TYPE_CHECKING:
    from portwright.reports.fleet import Common
    from portwright.reports.trend import Trend

_MOST_ROWS = 500
"""Of each table: GitHub shows a summary of 1 MiB at most, and a comment of 64 KiB."""
_MOST_TEXT = 1_000
# What begins something within a line of Markdown or HTML, mentions somebody, or makes a link or an emoji by itself.
_MEANS = lazy_regex(r"[\\`*_\[\]<>#|~@&$]|:(?=[/A-Za-z0-9+-])|(?<=[wW]{3})\.")
_ENTITIES = frozenset("<>&|@:$.")


@report("explain")
def explain(rules: Sequence[Explained], look: Look) -> str:
    return "\n".join(page(*with_report(each, look)[:2]) for each in rules)


@report("check")
def check(checked: Checked, look: Look) -> str:
    """What a check came to in one line; the findings, the worst first; what could not be read; what is not covered, folded."""
    hosts = sorted(checked.results, key=lambda result: result.host)
    return "\n".join(_lines(hosts)) + "\n"


@report("audit")
def audit(checked: Checked, look: Look) -> str:
    """A fleet: hosts by their gravest finding, what differs from the run before, rules, each finding once, and hosts not read in full."""
    return "\n".join(_fleet(checked)) + "\n"


def _fleet(checked: Checked) -> Iterator[str]:
    from portwright.reports.fleet import by_rule, fleet

    together = fleet(checked.results)
    total = sum(len(result.findings) for result in together.results)
    hosts = len(together.results)
    yield "## portwright"
    yield ""
    if not hosts:
        yield "Nothing was read: no host was found."
        return
    troubled = sum(1 for worst in together.worst.values() if worst is not None)
    yield f"**{counted(total, 'finding')}** ({len(together.common)} distinct) on {troubled} of {counted(hosts, 'host')}."
    for said in (obeyed(together.results), accepted_by(together.results), uncovered(together.results)):
        if said:
            yield f"\n{_plain(said)}"
    blind = tuple(name for name in together.unsure if together.worst[name] is None)
    named = [(severity, together.hosts_with(severity)) for severity in SEVERITIES]
    rows: list[tuple[str, ...]] = [(severity, str(len(names)), _plain(first_few(names))) for severity, names in named if names]
    sound = together.hosts_with(None)
    rows.append(("none", str(len(sound)), _plain(first_few(sound))))
    if blind:
        rows.append(("inconclusive", str(len(blind)), _plain(first_few(blind))))
    yield from _table(("gravest finding", "hosts", "which"), rows, len(rows))
    if checked.trend is not None:
        yield from _differs(checked.trend)
    if together.common:
        yield "\n### Rules by how many hosts"
        rules = [(number, severity, _plain(rule), findings) for number, severity, rule, findings in by_rule(together)]
        yield from _table(("hosts", "severity", "rule", "findings"), rules, len(rules))
        yield "\n### Findings"
        each = ((one.first.severity, _plain(one.first.card.id), *_common(one)) for one in together.common)
        yield from _table(("severity", "rule", "hosts", "finding"), each, len(together.common))
    if together.unsure:
        yield "\n### Could not be read in full"
        reasons = ((_plain(name), _plain(why)) for name, why in together.unsure.items())
        yield from _table(("host", "why"), reasons, len(together.unsure))
    if checked.remarks:
        yield "\n### Entries of the allow file without effect"
        told = ((_plain(f"{each.at.path}:{each.at.line}"), _plain(each.reason)) for each in checked.remarks)
        yield from _table(("place", "why"), told, len(checked.remarks))


def _common(one: "Common") -> tuple[str, str]:
    said = "<br>".join(_plain(line) for line in described(one.first) if line)
    return _plain(f"{len(one.hosts)}: {first_few(one.hosts)}"), said


def _differs(found: "Trend") -> Iterator[str]:
    from portwright.reports.trend import changes, in_words

    yield "\n### Since the run before"
    yield f"\n{_plain(in_words(found))}"
    rows = [(one.kind, _plain(one.rule), one.severity, str(one.findings), _plain(first_few(one.hosts))) for one in changes(found)]
    if rows:
        yield from _table(("what", "rule", "severity", "findings", "hosts"), rows, len(rows))
    for names, what in ((found.hosts_new, "New hosts"), (found.hosts_gone, "Hosts that are gone")):
        if names:
            yield f"\n{what}: {_plain(first_few(names))}"


def _lines(hosts: Sequence[HostResult]) -> Iterator[str]:
    several = len(hosts) > 1
    findings = [(finding, result) for result in hosts for finding in result.findings]
    yield "## portwright"
    yield ""
    if not hosts:
        yield "Nothing was read: no host, repository or file was found."
        return
    counts = [f"{number} {severity}" for severity in SEVERITIES if (number := sum(1 for f, _ in findings if f.severity == severity))]
    listed = f" ({', '.join(counts)})" if counts else ""
    where = counted(len(hosts), "input") if several else _plain(hosts[0].host)
    read = counted(sum(result.files_read for result in hosts), "file")
    yield f"**{counted(len(findings), 'finding')}**{listed} in {where}; {read} read."
    for result in hosts:
        if result.compared is not None:
            yield f"\n{_plain('; '.join(compared_with(result.compared.base, [result.compared])))}"
        if said := no_verdict(result):
            yield f"\n{_plain(f'{result.host}: {said}')}"
    if taken := obeyed(hosts):
        yield f"\n{_plain(taken)}"
    if accepted := accepted_by(hosts):
        yield f"\n{_plain(accepted)}"
    if findings:
        findings.sort(key=lambda pair: (SEVERITIES.index(pair[0].severity), pair[1].host, worst_first(pair[0])))
        yield from _table(("severity", "rule", "place", "finding"), (_row(*pair, several) for pair in findings), len(findings))
    troubles = [(trouble, result) for result in hosts for trouble in sorted(result.unreadable)]
    if troubles:
        yield "\n### Could not be read"
        reasons = ((_place(trouble.at, result, several), _plain(trouble.reason)) for trouble, result in troubles)
        yield from _table(("place", "reason"), reasons, len(troubles))
    unused = [(each, result) for result in hosts for each in result.unused]
    if unused:
        yield "\n### Comments without effect"
        reasons = ((_place(each.at, result, several), _plain(each.reason)) for each, result in unused)
        yield from _table(("place", "why"), reasons, len(unused))
    told = [(text, at, result) for result in hosts for text, at in told_uncovered(result.coverage)]
    if told:
        yield f"\n<details><summary>{_plain(uncovered(hosts))}</summary>"
        gaps = ((_place(at, result, several), _plain(text)) for text, at, result in told)
        yield from _table(("place", "what is not covered"), gaps, len(told))
        yield "\n</details>"


def _row(finding: Finding, result: HostResult, several: bool) -> tuple[str, ...]:
    said = "<br>".join(_plain(line) for line in described(finding) if line)
    return finding.severity, _plain(finding.card.id), _place(finding.at, result, several), said


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], number: int) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    for _, row in zip(range(_MOST_ROWS), rows, strict=False):
        yield f"| {' | '.join(row)} |"
    if number > _MOST_ROWS:
        yield f"\n{counted(number - _MOST_ROWS, 'more row')} left out."


def _place(at: Span, result: HostResult, several: bool) -> str:
    path = result.in_checkout(at.path) or at.path
    return _plain(f"{f'{result.host}: ' if several else ''}{path}:{at.line}")


def _plain(text: str) -> str:
    """Text of which nothing is markup, a link or a mention."""
    return _MEANS.sub(lambda mark: f"&#{ord(mark[0])};" if mark[0] in _ENTITIES else f"\\{mark[0]}", cut_off(safe(text), _MOST_TEXT))
