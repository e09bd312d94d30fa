"""JSON, version 1."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from portwright.reports.registry import Checked, Configured, Explained, Look, Tested, report

if TYPE_CHECKING:
    from portwright.daemons import Daemon
    from portwright.host import Host
    from portwright.reports.free_ports import Suggestion
    from portwright.reports.space import Collisions
    from portwright.rules import Rule


@report("check", offers_fixes=True)
def check(checked: Checked, look: Look) -> str:
    from portwright.reports import json_v1

    return json_v1.check(checked.results, checked.version)


@report("audit")
def audit(checked: Checked, look: Look) -> str:
    from portwright.reports import json_v1

    return json_v1.audit(checked)


@report("suggest-port")
def suggest_port(found: "Suggestion", look: Look) -> str:
    from portwright.reports import free_ports

    return free_ports.document(found)


@report("facts")
def facts(hosts: "Sequence[Host]", look: Look) -> str:
    from portwright.reports import json_v1

    return json_v1.facts(hosts)


@report("ports")
def ports(spaces: "Sequence[tuple[Host, Collisions]]", look: Look) -> str:
    from portwright.reports import json_v1

    return json_v1.ports(spaces)


@report("explain")
def explain(rules: Sequence[Explained], look: Look) -> str:
    from portwright.reports.explained import explained_json, with_report

    return explained_json([with_report(each, look) for each in rules])


@report("rules")
def rules(rules: "Sequence[Rule]", look: Look) -> str:
    from portwright.reports import catalogue

    return catalogue.rules_json(rules)


@report("rules --test")
def cases(tested: Tested, look: Look) -> str:
    from portwright.reports.cases import cases_json

    return cases_json(tested.outcomes, tested.untested, tested.stray)


@report("apps")
def apps(daemons: "Sequence[Daemon]", look: Look) -> str:
    from portwright.reports import catalogue

    return catalogue.apps_json(daemons)


@report("config")
def config(configured: Configured, look: Look) -> str:
    from portwright.reports import settings

    return settings.document(configured.settings, configured.taken)
