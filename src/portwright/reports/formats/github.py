"""Annotations of GitHub Actions."""

from portwright.reports import github
from portwright.reports.registry import Checked, Look, report


@report("check", is_commands=True)
def check(checked: Checked, look: Look) -> str:
    return github.check(checked.results)
