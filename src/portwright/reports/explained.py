"""An explained rule at a terminal, and as JSON."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from portwright.facts import kinds
from portwright.finding import Severity
from portwright.reports.escape import safe, wrap
from portwright.reports.registry import Explained as ExplainedRule
from portwright.reports.registry import Look
from portwright.reports.style import Style
from portwright.rules.explaining import Comparison, Explanation

Explained = tuple[Explanation, str, Mapping[str, Sequence[str]]]
"""An explanation, the report that its bad example gives (empty without one), and the names of the cases it flags and accepts."""


def with_report(explained: ExplainedRule, look: Look) -> Explained:
    """An explained rule with the report that its bad example gives, as wide as a page of it has room for."""
    from portwright.reports.text import excerpts

    bad = explained.bad
    said = excerpts(bad, color=look.color, width=min(look.width, 100) - 2) if bad and bad.findings else ""
    return explained.explanation, said, explained.tested


def explained_text(explained: Iterable[Explained], *, color: bool, width: int, quiet: bool = False) -> str:
    """Rules one after the other: meaning, reason, examples with what is said of them, certainty, fix; `quiet` leaves their titles."""
    if quiet:
        return "".join(f"{explanation.rule.id}: {safe(explanation.rule.card.title)}\n" for explanation, *_ in explained)
    page = _Page(Style(color), min(width, 100))
    return "\n\n".join("\n".join(page.lines(*each)) for each in explained) + "\n"


def explained_json(explained: Sequence[Explained]) -> str:
    """The same as JSON, version 1."""
    return json.dumps({"version": 1, "rules": [_row(*each) for each in explained]}, indent=2) + "\n"


def _row(explanation: Explanation, report: str, tested: Mapping[str, Sequence[str]]) -> dict[str, object]:
    rule = explanation.rule
    return {
        "rule": rule.id,
        "family": rule.family,
        "severity": rule.card.severity,
        "title": rule.card.title,
        "why": rule.card.why,
        "each": explanation.each,
        "where": [comparison.written for comparison in explanation.where],
        "unless": [comparison.written for comparison in explanation.unless],
        "with": explanation.other and {explanation.other: [comparison.written for comparison in explanation.joined]},
        "message": explanation.says,
        "confidence": explanation.sure,
        "likelihood": explanation.likelihood or None,
        "predicts": explanation.predicts or None,
        "fix": [{"kind": r.kind, "what": r.what, "safe": r.safe or None, "why": r.why or None} for r in explanation.remedies],
        "bad": dict(rule.bad),
        "good": dict(rule.good),
        "report": report or None,
        "tested": {case: list(names) for case, names in tested.items()},
        "allow": explanation.accept,
        "references": list(rule.card.references),
    }


class _Page:
    def __init__(self, style: Style, width: int) -> None:
        self.style = style
        self.width = width

    def lines(self, explanation: Explanation, report: str, tested: Mapping[str, Sequence[str]]) -> Iterator[str]:
        rule = explanation.rule
        severity: Severity = rule.card.severity
        yield f"{self.style('strong', rule.id)}  ({rule.family}, severity {self.style(severity, severity)})"
        yield from self._paragraph(rule.card.title, "")
        yield from self._head("Why")
        yield from self._paragraph(rule.card.why)
        yield from self._head("What it looks at")
        yield from self._paragraph(f"each {explanation.each} ({kinds()[explanation.each].says}) for which all of this holds:")
        yield from self._comparisons(explanation.where)
        if explanation.unless:
            yield "  and none of this:"
            yield from self._comparisons(explanation.unless)
        if explanation.other is not None:
            another = "another" if explanation.other == explanation.each else "an" if explanation.other[0] in "ao" else "a"
            yield f"  and for which there is {another} {explanation.other} with:"
            yield from self._comparisons(explanation.joined)
        if rule.bad:
            yield from self._head("Bad")
            yield from self._files(rule.bad)
        if report:
            yield from self._head("What is reported")
            yield from (f"  {line}".rstrip() for line in report.splitlines())
        else:
            yield from self._head("What it reports")
            yield from self._paragraph(explanation.says)
        if rule.good:
            yield from self._head("Good")
            yield from self._files(rule.good)
        yield from self._head("Confidence")
        yield from self._paragraph(explanation.sure)
        if explanation.likelihood:
            yield from self._head("Likelihood")
            yield from self._paragraph(explanation.likelihood)
        if explanation.predicts:
            yield from self._head("Prediction")
            yield from self._paragraph(explanation.predicts)
        yield from self._head("Fix")
        for remedy in explanation.remedies:
            kind = f"automatic, {remedy.kind}" if remedy.safe else remedy.kind
            yield from self._paragraph(f"{kind}: {'; '.join(part for part in (remedy.what, remedy.safe, remedy.why) if part)}")
        if not explanation.remedies:
            yield "  none: a person has to decide"
        if any(tested.values()):
            yield from self._head("Tested")
            for case, names in tested.items():
                yield from (f"  {case:7}  {safe(name).replace('-', ' ')}" for name in names)
        yield from self._head("To accept it in a repository, write on the line or the one above")
        yield f"  {explanation.accept}"
        yield from self._head("See")
        yield from (f"  {safe(reference)}" for reference in rule.card.references)

    def _head(self, text: str) -> tuple[str, str]:
        return "", self.style("strong", text)

    def _paragraph(self, text: str, indent: str = "  ", hanging: str = "") -> Iterator[str]:
        first, *more = wrap(safe(text), self.width - len(indent) - len(hanging), self.width - len(indent))
        yield f"{indent}{first}"
        for line in more:
            yield f"{indent}{hanging}{line}"

    def _comparisons(self, comparisons: Iterable[Comparison]) -> Iterator[str]:
        for comparison in comparisons:
            yield f"    {self.style('note', safe(comparison.written))}"
            yield from self._paragraph(comparison.means, "      ")

    def _files(self, files: Iterable[tuple[str, str]]) -> Iterator[str]:
        for name, text in files:
            yield f"  {self.style('frame', safe(name))}"
            for line in text.rstrip().split("\n"):
                yield f"    {safe(line.replace(chr(9), '    '))}".rstrip()
