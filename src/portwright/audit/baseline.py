"""A baseline: the findings of one day in a file, which later checks do not count until they get worse or their date is past.

An entry is a finding: its host (null in a repository, whatever its folder is called), its fingerprint and its severity; rule, path and
message are for whoever reads the file. A line that moves stays the same finding, the same problem in another file is another one, and two
alike need two entries. `expires` is the last day (YYYY-MM-DD) on which an entry counts, null for one without end.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from portwright._start.records import dataclass, replace
from portwright.audit.comparing import unmatched
from portwright.finding import SEVERITIES, Compared, Finding, HostResult, Severity
from portwright.reports.escape import safe

_VERSION = 1
LARGEST = 64 << 20
"""Bytes of a baseline's file."""
_MOST_MARKS = 1_000_000
"""Lists, objects and commas in it: 120,000 findings. JSON of nothing else takes thirty times its size in memory."""


class BaselineError(Exception):
    """This is no baseline; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted finding; `host` is None in a repository, `expires` the last day on which it counts, None for always."""

    host: str | None
    fingerprint: str
    severity: Severity
    expires: date | None = None


def read(text: str) -> tuple[Entry, ...]:
    """The entries of a baseline's file; raises BaselineError."""
    if sum(map(text.count, "[{,")) > _MOST_MARKS:
        raise BaselineError(f"it holds more than {_MOST_MARKS:,} lists, objects and commas: no baseline of this portwright does")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"it is no JSON: {safe(str(error))}") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise BaselineError("it has no list of findings: write one with --write-baseline")
    if document.get("version") != _VERSION:
        raise BaselineError(f"its version is not {_VERSION}: this portwright cannot read it")
    return tuple(_entry(number, each) for number, each in enumerate(document["findings"], 1))


def _entry(number: int, said: Any) -> Entry:
    if not isinstance(said, dict):
        raise BaselineError(f"finding {number} is no object")
    host, fingerprint, severity, expires = (said.get(name) for name in ("host", "fingerprint", "severity", "expires"))
    if not (host is None or isinstance(host, str)) or not isinstance(fingerprint, str) or severity not in SEVERITIES:
        raise BaselineError(f"finding {number} needs host (a name or null), fingerprint and severity ({', '.join(SEVERITIES)})")
    try:
        until = None if expires is None else date.fromisoformat(expires)
    except (TypeError, ValueError):
        raise BaselineError(f"finding {number}: expires is no date such as 2027-01-31") from None
    return Entry(host, fingerprint, severity, until)


def written(results: Iterable[HostResult], before: Iterable[Entry], today: date) -> str:
    """The file that accepts all findings of some results; a day to come on which an entry of `before` expires stays."""
    dates: dict[tuple[str | None, str], list[date | None]] = {}
    for entry in before:
        if entry.expires is not None and entry.expires < today:
            continue
        dates.setdefault((entry.host, entry.fingerprint), []).append(entry.expires)
    said = []
    for result in results:
        for finding in result.findings:
            kept = dates.get((_host(result), finding.fingerprint), [])
            until = kept.pop(0) if kept else None
            said.append({
                "host": _host(result),
                "rule": finding.card.id,
                "path": safe(finding.at.path),
                "severity": finding.severity,
                "message": safe(finding.message),
                "fingerprint": finding.fingerprint,
                "expires": None if until is None else until.isoformat(),
            })  # fmt: skip
    said.sort(key=lambda each: [str(value) for value in each.values()])
    return json.dumps({"version": _VERSION, "findings": said}, indent=1).replace("\x7f", "\\u007f") + "\n"


def without(results: Sequence[HostResult], entries: Sequence[Entry], name: str, today: date) -> list[HostResult]:
    """The results without what a baseline accepts; each says how much that was, what matches nothing any more, and what has expired."""
    found = []
    for result in results:
        own = [entry for entry in entries if entry.host == _host(result)]
        live = [entry for entry in own if entry.expires is None or entry.expires >= today]
        kept, left = unmatched(result.findings, _fingerprint, [(entry.fingerprint, entry.severity) for entry in live])
        compared = Compared(name, len(result.findings) - len(kept), unmatched=left, expired=len(own) - len(live))
        found.append(replace(result, findings=kept, compared=compared))
    return found


def _host(result: HostResult) -> str | None:
    return None if result.repository or result.is_file else safe(result.host)


def _fingerprint(finding: Finding) -> str:
    return finding.fingerprint
