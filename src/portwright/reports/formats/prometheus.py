"""Prometheus' text format, for the textfile collector of node-exporter: how many findings, how many hosts in which state, and when.

Write it with --output NAME.prom into the collector's directory: a file is replaced whole, so that half of one is never read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from portwright.finding import SEVERITIES
from portwright.reports.escape import safe
from portwright.reports.fleet import fleet
from portwright.reports.registry import Checked, Look, report
from portwright.reports.words import no_verdict

_Sample = tuple[dict[str, str], int]


@report("audit")
def audit(checked: Checked, look: Look) -> str:
    return "".join(f"{line}\n" for line in _lines(checked))


def _lines(checked: Checked) -> Iterator[str]:
    together = fleet(checked.results)
    found = Counter((finding.card.id, finding.severity) for result in together.results for finding in result.findings)
    yield from _metric(
        "findings",
        "Findings by rule and severity; a rule that found nothing has no sample.",
        [({"rule": rule, "severity": severity}, number) for (rule, severity), number in sorted(found.items())],
    )
    states: list[tuple[str, int]] = [(severity, len(together.hosts_with(severity))) for severity in SEVERITIES]
    states.append(("none", len(together.hosts_with(None))))
    states.append(("inconclusive", sum(1 for name in together.unsure if together.worst[name] is None)))
    yield from _metric(
        "hosts",
        "Hosts by their gravest finding; inconclusive: none was found, and not all could be read.",
        [({"state": state}, number) for state, number in states],
    )
    blind = sum(1 for result in together.results if no_verdict(result))
    yield from _metric("hosts_not_collected", "Hosts of which nothing could be read.", [({}, blind)])
    allowed = sum(len(result.allowed) for result in together.results)
    yield from _metric("findings_allowed", "Findings that an allow file accepts.", [({}, allowed)])
    yield from _metric("allow_entries_without_effect", "Entries of the allow file that accept nothing.", [({}, len(checked.remarks))])
    if checked.trend is not None:
        numbers = {"new": len(checked.trend.new), "fixed": len(checked.trend.fixed), "still": len(checked.trend.still)}
        yield from _metric("trend", "Findings since the run before.", [({"kind": kind}, number) for kind, number in numbers.items()])
    if checked.started:
        began = round(datetime.fromisoformat(checked.started).timestamp())
        yield from _metric("run_timestamp_seconds", "When the run began, in seconds since the epoch.", [({}, began)])


def _metric(name: str, about: str, samples: Iterable[_Sample]) -> Iterator[str]:
    yield f"# HELP portwright_{name} {about}"
    yield f"# TYPE portwright_{name} gauge"
    for labels, number in samples:
        listed = ",".join(f'{label}="{_value(value)}"' for label, value in labels.items())
        yield f"portwright_{name}{f'{{{listed}}}' if listed else ''} {number}"


def _value(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
