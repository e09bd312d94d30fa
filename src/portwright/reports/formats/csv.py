"""Findings as a table with commas (RFC 4180), for spreadsheets and databases: a line for each finding and for each gap.

The column `kind` says which: finding, unreadable, unused_allow, not_understood, left_out or not_read. A field that a spreadsheet would
take for a formula begins with an apostrophe.
"""

import csv
import io
from collections.abc import Iterator

from portwright.finding import HostResult
from portwright.reports.escape import safe
from portwright.reports.order import worst_first
from portwright.reports.registry import Checked, Look, report
from portwright.reports.words import what_to_do, who_starts
from portwright.source import Span

_COLUMNS = (
    *("host", "kind", "rule", "severity", "confidence", "likelihood", "path", "line", "column", "message"),
    *("unit", "app", "protocol", "address", "port", "end_port", "sysctl", "predicts", "step", "fingerprint"),
)


@report("check")
def check(checked: Checked, look: Look) -> str:
    """The findings of any number of hosts, the worst of each first."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(_COLUMNS)
    for result in sorted(checked.results, key=lambda result: result.host):
        table.writerows([_field(each) for each in row] for row in _rows(result))
    return written.getvalue()


@report("audit")
def audit(checked: Checked, look: Look) -> str:
    """The same, then the entries of an allow file that have no effect, which are of no host."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    for each in checked.remarks:
        table.writerow([_field(one) for one in _gap("", "unused_allow", each.at, each.reason)])
    return check(checked, look) + written.getvalue()


def _rows(result: HostResult) -> Iterator[list[object]]:
    for finding in sorted(result.findings, key=worst_first):
        of, at = finding.subject, finding.at
        yield [
            *(result.host, "finding", finding.card.id, finding.severity, finding.confidence, finding.likelihood),
            *(at.path, at.line, at.column, finding.message),
            *(of.unit, of.app, of.protocol, of.address, of.port, of.end_port, of.sysctl),
            *(finding.predicts, what_to_do(finding), finding.fingerprint),
        ]
    for trouble in sorted(result.unreadable):
        yield _gap(result.host, "unreadable", trouble.at, trouble.reason)
    for unused in result.unused:
        yield _gap(result.host, "unused_allow", unused.at, unused.reason)
    coverage = result.coverage
    for each in coverage.not_understood:
        yield _gap(result.host, "not_understood", each.at, f"{who_starts(each)}: {each.reason}", each.unit)
    for left in coverage.left_out:
        yield _gap(result.host, "left_out", Span.whole(left.path), left.reason)
    for unread in coverage.not_read:
        yield _gap(result.host, "not_read", Span.whole(unread.path), f"{unread.kind}: {unread.reason}")


def _gap(host: str, kind: str, at: Span, text: str, unit: str | None = None) -> list[object]:
    return [host, kind, *[None] * 4, at.path, at.line, at.column, text, unit, *[None] * 9]


def _field(value: object) -> str:
    text = "" if value is None else safe(str(value))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
