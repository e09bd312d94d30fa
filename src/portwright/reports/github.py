"""Annotations of GitHub Actions: one workflow command a line, so that findings stand beside the lines of a pull request.

Every line begins with a command of our own, and what came from a host cannot end one or begin another.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from portwright._start.records import replace
from portwright.finding import SEVERITIES, Finding, HostResult, Severity
from portwright.reports.escape import safe
from portwright.reports.words import counted, cut_off, described, no_verdict, obeyed, told_uncovered, uncovered
from portwright.source import Span

MOST_TEXT = 4_000
"""Characters of a message; the runner cuts longer ones without a word."""

# Of each ten that GitHub shows, some are left for what is told besides findings.
_MOST_SHOWN = {"error": 10, "warning": 5, "notice": 6}
_MOST_UNREAD = 3

_COMMANDS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "notice", "info": "notice"}


def check(results: Sequence[HostResult]) -> str:
    """The findings of any number of hosts, the worst first, and what could not be read.

    GitHub shows ten annotations of a kind for a step and drops the others without a word, so the rest is told in one of its own.

    What lies below the directory of the run has paths relative to that, so that annotations stand beside a checkout's lines; findings
    on a host say its name.
    """
    hosts = sorted(results, key=lambda result: result.host)
    found = sorted(((result, finding) for result in hosts for finding in result.findings), key=lambda each: _worst_first(*each))

    def whose(result: HostResult) -> str:
        return "" if result.repository and len(hosts) == 1 else f"{result.host}: "

    lines: list[str] = []
    rest: list[tuple[Severity, str]] = []
    number = dict.fromkeys(_COMMANDS.values(), 0)
    for result, finding in found:
        command, at = _COMMANDS[finding.severity], _here(finding.at, result)
        number[command] += 1
        if number[command] <= _MOST_SHOWN[command]:
            lines.append(_annotation(command, finding.card.id, at, described(finding, whose(result))))
        else:
            rest.append((finding.severity, f"{at}: {finding.severity}[{finding.card.id}]: {whose(result)}{finding.message}"))
    if rest:
        told = [_counts(severity for severity, _ in rest), *(said for _, said in rest)]
        lines.append(_annotation("warning", "more findings", None, told))
    troubles = [(trouble, result) for result in hosts for trouble in sorted(result.unreadable)]
    lines += [
        _annotation("warning", "could not be read", _here(trouble.at, result), [f"{whose(result)}{trouble.reason}"])
        for trouble, result in troubles[:_MOST_UNREAD]
    ]
    if len(troubles) > _MOST_UNREAD:
        left = [f"{_here(trouble.at, result)}: {whose(result)}{trouble.reason}" for trouble, result in troubles[_MOST_UNREAD:]]
        lines.append(_annotation("warning", "more could not be read", None, [f"{len(left)} more could not be read", *left]))
    lines += [
        _annotation("warning", "no verdict", None, [f"{result.host}: {no_verdict(result)}"]) for result in hosts if no_verdict(result)
    ]
    partial = [result for result in hosts if not result.coverage.is_full]
    lines += [_annotation("notice", "not covered", None, _uncovered(result, whose(result))) for result in partial]
    idle = [f"{_here(each.at, result)}: {each.reason}" for result in hosts for each in result.unused]
    lines += [_annotation("notice", "comments without effect", None, idle)] if idle else []
    lines += [_annotation("notice", "read as", None, ["; ".join(part for part in (_kinds(hosts), obeyed(hosts)) if part)])] if hosts else []
    if not hosts:
        lines.append(_annotation("warning", "no verdict", None, ["nothing was read: no host, repository or file was found"]))
    return "".join(f"{line}\n" for line in lines)


def _counts(severities: Iterable[Severity]) -> str:
    """How many findings have no annotation of their own."""
    by_severity = Counter(severities)
    counts = ", ".join(f"{by_severity[severity]} {severity}" for severity in SEVERITIES if by_severity[severity])
    return f"{counted(by_severity.total(), 'more finding')} ({counts}), told here; --format markdown lists all in a job's summary"


def _kinds(results: Sequence[HostResult]) -> str:
    """What each input was taken for, in one annotation: a host's own comments silence nothing, a repository's do."""

    def listed(what: str, several: str, is_it: bool) -> str:
        names = [result.host for result in results if not result.is_file and result.repository is is_it]
        return f"as {what if len(names) == 1 else several}: {', '.join(names)}" if names else ""

    files = ", ".join(result.host for result in results if result.is_file)
    kinds = (listed("a host", "hosts", False), listed("a repository", "repositories", True), f"by itself: {files}" if files else "")
    return "; ".join(kind for kind in kinds if kind)


def _here(at: Span, result: HostResult) -> Span:
    return replace(at, path=result.in_checkout(at.path) or at.path)


def _worst_first(result: HostResult, finding: Finding) -> tuple[object, ...]:
    return SEVERITIES.index(finding.severity), result.host, finding.at, finding.card.id, finding.message, finding.fingerprint


def _uncovered(result: HostResult, whose: str) -> list[str]:
    """One annotation says all that a result does not cover, for GitHub shows ten notices of a step: the numbers, then each thing."""
    return [f"{whose}{uncovered([result])}", *(f"{at}: {text}" for text, at in told_uncovered(result.coverage))]


def _annotation(command: str, title: str, at: Span | None, said: Sequence[str]) -> str:
    properties = {}
    if at is not None:
        properties = {"file": at.path, "line": str(at.line), "endLine": str(at.end_line)}
        # The runner drops columns where the lines differ.
        if at.line == at.end_line:
            properties |= {"col": str(at.column), "endColumn": str(at.end_column)}
    properties["title"] = title
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = cut_off("\n".join(safe(line) for line in said if line), MOST_TEXT)
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe(text)).replace(":", "%3A").replace(",", "%2C")
