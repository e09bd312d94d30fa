"""A page for a browser."""

from portwright.reports.registry import Checked, Look, report


@report("check", draws_ports=True)
def check(checked: Checked, look: Look) -> str:
    from portwright.reports.html.page import page

    return page(checked)


@report("audit", draws_ports=True)
def audit(checked: Checked, look: Look) -> str:
    return check(checked, look)
