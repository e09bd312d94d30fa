"""Reports for a reader at a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portwright.reports.registry import Checked, Configured, Explained, Look, Patched, Planned, PlannedFleet, Tested, report

if TYPE_CHECKING:
    from portwright.daemons import Daemon
    from portwright.host import Host
    from portwright.reports.free_ports import Suggestion
    from portwright.reports.space import Collisions
    from portwright.rules import Rule


@report("check", is_shown=True)
def check(checked: Checked, look: Look) -> str:
    from portwright.reports import text

    amount = {"quiet": look.quiet, "verbose": look.verbose, "show_allowed": look.show_allowed}
    return text.render(checked.results, color=look.color, width=look.width, files=look.files, machine=look.machine, **amount)


@report("audit", is_shown=True)
def audit(checked: Checked, look: Look) -> str:
    from portwright.reports import fleet

    amount = {"quiet": look.quiet, "verbose": look.verbose, "show_allowed": look.show_allowed}
    return fleet.render(checked.results, checked.trend, checked.remarks, color=look.color, width=look.width, **amount)


@report("suggest-port", is_shown=True)
def suggest_port(found: "Suggestion", look: Look) -> str:
    from portwright.reports import free_ports

    return free_ports.render(found, color=look.color, width=look.width, quiet=look.quiet, verbose=look.verbose)


@report("facts", is_shown=True)
def facts(hosts: "Sequence[Host]", look: Look) -> str:
    from portwright.reports import facts_text

    amount = {"quiet": look.quiet, "verbose": look.verbose}
    return facts_text.render(hosts, color=look.color, width=look.width, files=look.files, machine=look.machine, **amount)


@report("ports", is_shown=True)
def ports(spaces: "Sequence[tuple[Host, Collisions]]", look: Look) -> str:
    from portwright.reports import ports

    amount = {"quiet": look.quiet, "verbose": look.verbose, "unicode": look.unicode}
    files = look.files or [{} for _ in spaces]
    return "\n".join(
        ports.render(host, collisions, color=look.color, width=look.width, files=own, machine=look.machine, **amount)
        for (host, collisions), own in zip(spaces, files, strict=True)
    )


@report("fix", is_shown=True)
def fix(planned: Planned | PlannedFleet | Patched, look: Look) -> str:
    from portwright.reports.escape import safe

    said = _fix(planned, look)
    return f"{said}settings of {safe(planned.config)}\n" if planned.config and not look.quiet else said


def _fix(planned: Planned | PlannedFleet | Patched, look: Look) -> str:
    amount = {"quiet": look.quiet, "verbose": look.verbose}
    if isinstance(planned, PlannedFleet):
        from portwright.reports import fleet_plan

        return fleet_plan.render(
            planned.plans, planned.written, color=look.color, width=look.width, removed=planned.removed, diff=planned.diff, **amount
        )
    (files,) = look.files or [{}]
    if isinstance(planned, Patched):
        from portwright.reports import patch_text

        return patch_text.render(
            planned.patch,
            planned.written,
            color=look.color,
            width=look.width,
            diff=planned.diff,
            files=files,
            machine=look.machine,
            **amount,
        )

    from portwright.reports import plan_text

    return plan_text.render(
        planned.plan,
        planned.written,
        color=look.color,
        width=look.width,
        removed=planned.removed,
        diff=planned.diff,
        verified=planned.verified,
        files=files,
        machine=look.machine,
        **amount,
    )


@report("explain", is_shown=True)
def explain(rules: Sequence[Explained], look: Look) -> str:
    from portwright.reports.explained import explained_text, with_report

    return explained_text([with_report(each, look) for each in rules], color=look.color, width=look.width, quiet=look.quiet)


@report("rules", is_shown=True)
def rules(rules: "Sequence[Rule]", look: Look) -> str:
    from portwright.reports import catalogue

    return catalogue.rules_text(rules, width=look.width, quiet=look.quiet, verbose=look.verbose)


@report("rules --test", is_shown=True)
def cases(tested: Tested, look: Look) -> str:
    from portwright.reports.cases import cases_text

    return cases_text(tested.outcomes, tested.untested, tested.stray, tested.kept, color=look.color, width=look.width, quiet=look.quiet)


@report("apps", is_shown=True)
def apps(daemons: "Sequence[Daemon]", look: Look) -> str:
    from portwright.reports import catalogue

    return catalogue.apps_text(daemons, width=look.width, quiet=look.quiet, verbose=look.verbose)


@report("config", is_shown=True)
def config(configured: Configured, look: Look) -> str:
    from portwright.reports import settings

    return settings.render(configured.settings, configured.taken, columns=look.width)
