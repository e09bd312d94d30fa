"""JSON Lines: an object for each finding and each gap, for streams and databases."""

from portwright.reports.registry import Checked, Look, report


@report("check", offers_fixes=True)
def check(checked: Checked, look: Look) -> str:
    from portwright.reports import json_v1

    return "".join(json_v1.lines(checked.results))
