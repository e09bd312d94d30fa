"""What became of the cases of rules, as text and JSON; and findings as they are kept beside a case."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from portwright.finding import Finding
from portwright.reports.escape import safe, wrap
from portwright.reports.style import Style
from portwright.reports.words import counted
from portwright.rules import Rule
from portwright.source import Span, Unreadable

if TYPE_CHECKING:
    from collections.abc import Container


_MOST_LINES = 400  # of a report that is compared, and of what differs


class Outcome(Protocol):
    """What became of one case: see portwright.audit.cases."""

    @property
    def rule(self) -> Rule: ...
    @property
    def case(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def report(self) -> str: ...
    @property
    def expected(self) -> str | None: ...
    @property
    def problem(self) -> str: ...


def findings_text(findings: Iterable[Finding]) -> str:
    """A finding a paragraph: place, rule and message; what is computed; the notes; what to do. This is what a case file keeps."""
    return "".join(f"{safe(line)}\n" for finding in findings for line in _lines(finding))


def cases_text(
    outcomes: Sequence[Outcome],
    untested: Sequence[Rule],
    stray: Sequence[Unreadable],
    kept: "Container[tuple[str, str]]" = (),
    *,
    color: bool,
    width: int,
    quiet: bool = False,
) -> str:
    """Rule by rule what became of each case, with what was expected and what came where they differ; `quiet` leaves the failures.

    `kept` has (path, name) of each case whose report was written anew because the user asked for it.
    """
    page = _Page(Style(color), width)
    return "".join(f"{line}\n" for line in page.lines(outcomes, untested, stray, kept, quiet))


def cases_json(outcomes: Sequence[Outcome], untested: Sequence[Rule], stray: Sequence[Unreadable]) -> str:
    """The same as JSON, version 1."""
    rows = [
        {
            "rule": outcome.rule.id,
            "case": outcome.case,
            "name": outcome.name or None,
            "path": outcome.path,
            "line": outcome.line,
            "ok": not outcome.problem,
            "problem": outcome.problem or None,
            "expected": outcome.expected,
            "report": outcome.report,
        }
        for outcome in outcomes
    ]
    summary = {
        "rules": len({outcome.rule.id for outcome in outcomes}) + len(untested),
        "cases": len(outcomes),
        "failed": sum(1 for outcome in outcomes if outcome.problem),
        "untested": [rule.id for rule in untested],
        "stray": [{"path": trouble.at.path, "line": trouble.at.line, "reason": trouble.reason} for trouble in stray],
    }
    return json.dumps({"version": 1, "cases": rows, "summary": summary}, indent=2) + "\n"


def _lines(finding: Finding) -> Iterator[str]:
    why = f": {finding.likelihood_because}" if finding.likelihood_because else ""
    computed = [finding.confidence, *([f"likelihood {finding.likelihood}{why}"] if finding.likelihood else [])]
    computed += [f"predicts {finding.predicts}"] if finding.predicts else []
    yield f"{finding.at} {finding.card.id} {finding.message}"
    yield f"    {', '.join(computed)}"
    for note in finding.notes:
        yield f"    note {note.at or '-'} {note.text}"
    if finding.summary:
        yield f"    fix {finding.summary}"
    if finding.manual:
        yield f"    by hand {finding.manual.step}"


class _Page:
    def __init__(self, style: Style, width: int) -> None:
        self.style = style
        self.width = width

    def lines(
        self,
        outcomes: Sequence[Outcome],
        untested: Sequence[Rule],
        stray: Sequence[Unreadable],
        kept: "Container[tuple[str, str]]",
        quiet: bool,
    ) -> Iterator[str]:
        by_rule: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            by_rule.setdefault(outcome.rule.id, []).append(outcome)
        for rule, members in by_rule.items():
            shown = [each for each in members if each.problem] if quiet else members
            if shown:
                yield self.style("strong", f"{rule}:")
            for outcome in shown:
                yield from self._outcome(outcome, kept)
        for rule in (rule.id for rule in untested):
            yield f"{self.style('strong', f'{rule}:')} {self.style('medium', 'no example and no case, so it is not tested')}"
        for trouble in stray:
            yield self.style("bad", f"{safe(_place(trouble.at))}: {safe(trouble.reason)}")
        if not quiet:
            yield ""
        yield from self._verdict(outcomes, untested, stray, len(by_rule))

    def _outcome(self, outcome: Outcome, kept: "Container[tuple[str, str]]") -> Iterator[str]:
        what = f"{outcome.case} example" if not outcome.name else f"{outcome.case} {safe(outcome.name).replace('-', ' ')}"
        if (outcome.path, outcome.name) in kept:
            yield f"  {self.style('good', 'kept')}    {what}"
            return
        if not outcome.problem:
            yield f"  {self.style('good', 'ok')}      {what}"
            return
        yield f"  {self.style('bad', 'failed')}  {what}"
        for line in wrap(safe(outcome.problem), self.width - 10):
            yield f"          {line}"
        yield f"          in {safe(outcome.path)}" + (f":{outcome.line}" if outcome.name else "")
        for line in _difference(outcome):
            yield f"          {self.style('good' if line.startswith('+') else 'bad' if line.startswith('-') else 'faint', line)}"

    def _verdict(
        self, outcomes: Sequence[Outcome], untested: Sequence[Rule], stray: Sequence[Unreadable], rules: int
    ) -> Iterator[str]:
        failed = sum(1 for outcome in outcomes if outcome.problem)
        if not outcomes:
            yield self.style("bad", "nothing was tested: no rule has an example (bad:, good:) or a case")
            return
        parts = [f"{counted(len(outcomes), 'case')} of {counted(rules, 'rule')}", f"{failed} failed" if failed else "all pass"]
        if untested:
            parts.append(f"{counted(len(untested), 'rule')} without any")
        if stray:
            parts.append(f"{counted(len(stray), 'file or folder', 'files or folders')} without effect")
        yield self.style("bad" if failed or stray else "good", "; ".join(parts))


def _place(at: Span) -> str:
    return at.path if at == Span.whole(at.path) else str(at)


def _difference(outcome: Outcome) -> list[str]:
    """What came against what was expected, line by line: `-` is missing, `+` is new."""
    from difflib import unified_diff

    expected = outcome.expected or ""
    if outcome.case in ("accepts", "good"):
        expected = ""
    kept, came = expected.splitlines()[:_MOST_LINES], outcome.report.splitlines()[:_MOST_LINES]
    return [safe(line) for line in unified_diff(kept, came, "expected", "reported", lineterm="", n=2)][:_MOST_LINES]
