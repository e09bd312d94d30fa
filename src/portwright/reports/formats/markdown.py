"""Markdown pages of rules."""

from collections.abc import Sequence

from portwright.reports.explained import with_report
from portwright.reports.pages import page
from portwright.reports.registry import Explained, Look, report


@report("explain")
def explain(rules: Sequence[Explained], look: Look) -> str:
    return "\n".join(page(*with_report(each, look)[:2]) for each in rules)
