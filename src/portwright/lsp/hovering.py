"""What an editor shows beside a finding: the page of its rule."""

from collections.abc import Iterable

from portwright.finding import Finding
from portwright.reports.pages import page
from portwright.rules import Rule
from portwright.rules.explaining import explain


def shown(rules: Iterable[Rule], finding: Finding) -> str:
    """The page of the rule that a finding is of, in Markdown; "" where that rule is none of these."""
    rule = next((rule for rule in rules if rule.card.id == finding.card.id), None)
    return "" if rule is None else page(explain(rule), "")
