"""SARIF, for code scanning."""

from portwright.reports import sarif
from portwright.reports.registry import Checked, Look, report


@report("check", offers_fixes=True)
def check(checked: Checked, look: Look) -> str:
    return sarif.check(checked.results, checked.cards, checked.version)
