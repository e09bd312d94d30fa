"""JUnit's XML, for the test reports of CI systems: a suite for each host or repository, a failed case for each finding.

There is no standard. The elements and attributes are those that Jenkins' schema and the parsers of GitLab, Azure and GitHub's actions have
in common. What could not be read is an error, what is not covered and what an allow comment accepts is a skipped case.
"""

from xml.etree import ElementTree

from portwright.finding import Finding, HostResult
from portwright.reports.markup import document, xml_text
from portwright.reports.order import worst_first
from portwright.reports.registry import Checked, Look, report
from portwright.reports.words import described, no_verdict, told_uncovered
from portwright.source import Span


@report("check")
def check(checked: Checked, look: Look) -> str:
    """The findings of any number of hosts, the worst first, then what the result does not rest on."""
    suites = [_suite(result) for result in sorted(checked.results, key=lambda result: result.host)]
    root = ElementTree.Element("testsuites", {"name": "portwright", **_totals(suites)})
    root.extend(suites)
    return document(root)


def _suite(result: HostResult) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": xml_text(result.host)})
    for finding in sorted(result.findings, key=worst_first):
        _found(suite, finding, result)
    for trouble in sorted(result.unreadable):
        _aside(suite, "error", "could not be read", trouble.at, trouble.reason, result)
    if said := no_verdict(result):
        _aside(suite, "error", "no verdict", Span.whole(result.host), said, result)
    if not len(suite):
        _case(suite, "portwright", f"{result.rules_checked} rules on {result.files_read} files", None, result)
    for allowed in sorted(result.allowed, key=lambda each: (each.at, each.rule, each.reason)):
        reason = f"{allowed.reason} ({allowed.by})" if allowed.by else allowed.reason
        _aside(suite, "skipped", f"allowed: {allowed.rule}", allowed.at, reason, result)
    for text, at in told_uncovered(result.coverage):
        _aside(suite, "skipped", "not covered", at, text, result)
    for name, number in _totals([suite]).items():
        suite.set(name, number)
    return suite


def _found(suite: ElementTree.Element, finding: Finding, result: HostResult) -> None:
    case = _case(suite, f"{finding.card.family}.{finding.card.id}", finding.message, finding.at, result)
    failure = ElementTree.SubElement(case, "failure", {"type": finding.severity, "message": xml_text(finding.message)})
    failure.text = "\n".join((xml_text(str(finding.at)), *(xml_text(line) for line in described(finding) if line)))


def _aside(suite: ElementTree.Element, what: str, name: str, at: Span, text: str, result: HostResult) -> None:
    case = _case(suite, f"portwright.{name.partition(':')[0].replace(' ', '-')}", f"{at}: {text}", at, result)
    ElementTree.SubElement(case, what, {"type": xml_text(name), "message": xml_text(f"{at}: {text}")})


def _case(suite: ElementTree.Element, kind: str, name: str, at: Span | None, result: HostResult) -> ElementTree.Element:
    place = {} if at is None else {"file": xml_text(result.in_checkout(at.path) or at.path), "line": str(at.line)}
    return ElementTree.SubElement(suite, "testcase", {"classname": xml_text(kind), "name": xml_text(name), **place, "time": "0"})


def _totals(suites: list[ElementTree.Element]) -> dict[str, str]:
    cases = [case for suite in suites for case in suite]
    wanted = (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    counts = {name: str(sum(1 for case in cases if case.find(what) is not None)) for name, what in wanted}
    return {"tests": str(len(cases)), **counts, "time": "0"}
