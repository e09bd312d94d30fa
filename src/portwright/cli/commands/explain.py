"""`portwright explain`: what a rule looks for and why."""

from __future__ import annotations

from portwright.cli.asked import asked_outputs, asked_rules
from portwright.cli.streams import CLEAN, Complaint
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.audit.cases import beside, examples
    from portwright.reports.registry import Explained
    from portwright.rules.explaining import alike, explain

    outputs = asked_outputs(options)
    rules, _, _ = asked_rules(options)
    found = [rule for rule in rules if options.rule in (rule.id, rule.family)]
    if not found:
        near = alike(options.rule, {name for rule in rules for name in (rule.id, rule.family)})
        hint = f"did you mean {', '.join(near[:-1])}{' or ' if near[1:] else ''}{near[-1]}?" if near else "portwright rules lists them"
        raise Complaint(f"there is no rule or family named {options.rule!r}; {hint}")
    bad = {rule.id: next((each.result for each in examples(rule) if each.case == "bad"), None) for rule in found}
    explained = [Explained(explain(rule), bad[rule.id], beside(rule)) for rule in found]
    tell("explain", explained, outputs, options)
    return CLEAN
