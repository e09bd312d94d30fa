"""GitLab's code quality report (a list of issues, docs.gitlab.com/ci/testing/code_quality): findings beside a merge request's lines.

GitLab tells issues apart by their fingerprints alone, so that each has its own. What could not be read is an issue, too; of what is not
covered there is one for each input, with all of it in words.
"""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from portwright.finding import HostResult, Severity
from portwright.reports.escape import safe
from portwright.reports.order import worst_first
from portwright.reports.registry import Checked, Look, report
from portwright.reports.words import cut_off, described, no_verdict, told_uncovered, uncovered
from portwright.source import Span

_MOST_TEXT = 4_000
_SEVERITIES: dict[Severity, str] = {"high": "critical", "medium": "major", "low": "minor", "info": "info"}


@report("check")
def check(checked: Checked, look: Look) -> str:
    """The findings of any number of hosts, the worst of each first; findings on a host say its name."""
    hosts = sorted(checked.results, key=lambda result: result.host)
    seen: dict[str, int] = {}
    issues = [_numbered(issue, seen) for result in hosts for issue in _issues(result, len(hosts) > 1)]
    if not hosts:
        issues.append(_numbered(_issue("no-verdict", "major", "nothing was read: no host, repository or file was found", None, ""), seen))
    return json.dumps(issues, indent=2).replace("\x7f", "\\u007f") + "\n"


def _issues(result: HostResult, several: bool) -> Iterator[dict[str, Any]]:
    whose = "" if result.repository and not several else f"{result.host}: "
    for finding in sorted(result.findings, key=worst_first):
        text = "\n".join(safe(line) for line in described(finding, whose) if line)
        yield _issue(finding.card.id, _SEVERITIES[finding.severity], text, finding.at, f"{whose}{finding.fingerprint}", result)
    for trouble in sorted(result.unreadable):
        yield _issue("could-not-be-read", "major", safe(f"{whose}{trouble.reason}"), trouble.at, f"{whose}{trouble}", result)
    if said := no_verdict(result):
        yield _issue("no-verdict", "major", safe(f"{result.host}: {said}"), None, f"{whose}{said}", result)
    told = list(told_uncovered(result.coverage))
    if told:
        text = "\n".join((safe(f"{whose}{uncovered([result])}"), *(safe(f"{at}: {text}") for text, at in told)))
        yield _issue("not-covered", "info", text, told[0][1], f"{whose}not covered", result)


def _issue(name: str, severity: str, text: str, at: Span | None, identity: str, result: HostResult | None = None) -> dict[str, Any]:
    path = "." if at is None or result is None else (result.in_checkout(at.path) or at.path).lstrip("/")
    lines = {"begin": 1, "end": 1} if at is None else {"begin": at.line, "end": at.end_line}
    return {
        "check_name": safe(name),
        "description": cut_off(text, _MOST_TEXT),
        "severity": severity,
        "fingerprint": identity,
        "location": {"path": safe(path), "lines": lines},
    }


def _numbered(issue: dict[str, Any], seen: dict[str, int]) -> dict[str, Any]:
    """The issue with a fingerprint of its own: the second of two that are alike is another one."""
    identity = f"{issue['check_name']}\0{issue['fingerprint']}"
    seen[identity] = seen.get(identity, 0) + 1
    written = f"{identity}\0{seen[identity]}".encode("utf-8", "surrogatepass")
    return {**issue, "fingerprint": sha256(written).hexdigest()[:32]}
