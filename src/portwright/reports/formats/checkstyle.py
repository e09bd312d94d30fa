"""Checkstyle's XML, which editors and review tools read: a file with its errors.

The place of a host's file is its path on that host; with several hosts, the host's name stands before it.
"""

from xml.etree import ElementTree

from portwright.finding import HostResult, Severity
from portwright.reports.markup import document, xml_text
from portwright.reports.order import worst_first
from portwright.reports.registry import Checked, Look, report
from portwright.reports.words import described, no_verdict, told_uncovered
from portwright.source import Span

_SEVERITIES: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "info", "info": "info"}


@report("check")
def check(checked: Checked, look: Look) -> str:
    """The findings of any number of hosts by file, then what could not be read and what is not covered."""
    hosts = sorted(checked.results, key=lambda result: result.host)
    root = ElementTree.Element("checkstyle", {"version": "4.3"})
    files: dict[str, ElementTree.Element] = {}

    def add(result: HostResult, at: Span, severity: str, source: str, text: str) -> None:
        path = result.in_checkout(at.path) or (f"{result.host}:{at.path}" if len(hosts) > 1 else at.path)
        file = files.get(path)
        if file is None:
            files[path] = file = ElementTree.SubElement(root, "file", {"name": xml_text(path)})
        place = {"line": str(at.line), "column": str(at.column)}
        ElementTree.SubElement(file, "error", {**place, "severity": severity, "message": xml_text(text), "source": xml_text(source)})

    for result in hosts:
        for finding in sorted(result.findings, key=worst_first):
            said = "; ".join(line for line in described(finding) if line)
            add(result, finding.at, _SEVERITIES[finding.severity], f"portwright.{finding.card.family}.{finding.card.id}", said)
        for trouble in sorted(result.unreadable):
            add(result, trouble.at, "warning", "portwright.could-not-be-read", trouble.reason)
        if said := no_verdict(result):
            add(result, Span.whole(result.host), "warning", "portwright.no-verdict", said)
        for text, at in told_uncovered(result.coverage):
            add(result, at, "info", "portwright.not-covered", text)
    return document(root)
