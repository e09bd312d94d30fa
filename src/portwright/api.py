"""`portwright.check(path)`: a check for programs in Python, as values that stay what they are from one release to the next."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from portwright import __version__
from portwright._start.records import dataclass
from portwright.audit.check import Selection, SelectionError, verdict
from portwright.audit.inputs import InputError, inputs
from portwright.coverage import Coverage
from portwright.daemons import know_those_brought
from portwright.facts import CONFIDENCES, Confidence, Likelihood
from portwright.finding import Finding as _Finding
from portwright.finding import HostResult, Severity
from portwright.reports.escape import safe
from portwright.reports.fixable import why_not
from portwright.reports.words import told_uncovered
from portwright.rules import load
from portwright.shipped import BroughtError, brought, folder
from portwright.source import RuleError, Span

__all__ = ["Error", "Finding", "Gap", "Place", "Result", "check"]


class Error(ValueError):
    """What was asked for cannot be done: no such path or rule, a mistake in a rule. The message says which."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a file: lines and columns count from 1, the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong on one host, in the words of JSON version 1; unknown is None."""

    host: str
    rule: str
    severity: Severity
    rule_severity: Severity
    confidence: Confidence
    likelihood: Likelihood | None
    message: str
    at: Place
    unit: str | None
    app: str | None
    protocol: str | None
    address: str | None
    port: int | None
    end_port: int | None
    sysctl: str | None
    predicts: str | None
    fix: str | None
    manual: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the result says nothing of: what could not be read (`unreadable`), or is not covered."""

    host: str
    at: Place
    reason: str
    unreadable: bool


@dataclass(frozen=True)
class Result:
    """What a check found. It is true where nothing was found; `complete` says whether everything could be read."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    files_read: int
    results: tuple[HostResult, ...]

    def __bool__(self) -> bool:
        return not self.findings

    @property
    def complete(self) -> bool:
        """Whether something was read, and nothing could not be."""
        return bool(self.results) and all(each.files_read and not each.unreadable for each in self.results)

    def json(self) -> str:
        """The same as a document, JSON version 1."""
        from portwright.reports import json_v1

        return json_v1.check(self.results, __version__)


def check(
    path: str | Path,
    *more: str | Path,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    rules: Iterable[str | Path] = (),
    exclude: Sequence[str] = (),
    min_confidence: Confidence = "possible",
    rate: int | None = None,
) -> Result:
    """Check hosts, repositories and files as `portwright check` does; no configuration is looked for. Raises Error.

    `select` and `ignore` are rules or families, `rules` folders of more rules, `exclude` patterns of what of a repository is left out.
    `rate` is how many new connections a second to one destination each host must sustain.
    """
    if min_confidence not in CONFIDENCES:
        raise Error(f"{min_confidence!r} is none of {', '.join(CONFIDENCES)}")
    selection = Selection(tuple(select), tuple(ignore), (), min_confidence)
    try:
        every = load([folder("rules"), *brought("rules"), *rules])
        chosen = selection.of(every)
        know_those_brought()
        found = inputs([str(each) for each in (path, *more) if str(each) != "-"] or [""], exclude=tuple(exclude))
    except (InputError, RuleError, SelectionError, BroughtError) as error:
        raise Error(str(error)) from None
    except OSError as error:
        raise Error(f"cannot read rules from {error.filename}: {error.strerror}") from None
    known = frozenset(rule.card.id for rule in every)
    results = tuple(verdict(given, chosen, selection, known, rate) for given in found)
    return Result(
        tuple(_finding(finding, result) for result in results for finding in result.findings),
        tuple(gap for result in results for gap in _gaps(result)),
        sum(result.files_read for result in results),
        results,
    )


def _finding(finding: _Finding, result: HostResult) -> Finding:
    of, change = finding.subject, finding.change
    refused = why_not(finding, result) if change is not None else ""
    fix = None if change is None else safe(finding.summary or change.in_words())
    manual = None if finding.manual is None else safe(finding.manual.step)
    return Finding(
        host=result.host,
        rule=finding.card.id,
        severity=finding.severity,
        rule_severity=finding.card.severity,
        confidence=finding.confidence,
        likelihood=finding.likelihood,
        message=safe(finding.message),
        at=_place(finding.at),
        unit=of.unit,
        app=of.app,
        protocol=of.protocol,
        address=None if of.address is None else safe(of.address),
        port=of.port,
        end_port=of.end_port,
        sysctl=of.sysctl,
        predicts=finding.predicts,
        fix=None if refused else fix,
        manual=manual if manual is not None or not refused else fix,
        fingerprint=finding.fingerprint,
    )


def _gaps(result: HostResult) -> Iterable[Gap]:
    for trouble in sorted(result.unreadable):
        yield Gap(result.host, _place(trouble.at), safe(trouble.reason), True)
    coverage: Coverage = result.coverage
    for text, at in told_uncovered(coverage):
        yield Gap(result.host, _place(at), safe(text), False)


def _place(at: Span) -> Place:
    return Place(at.path, at.line, at.column, at.end_line, at.end_column)
