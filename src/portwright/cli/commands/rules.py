"""`portwright rules`: the rules there are, and their cases held against them."""

from __future__ import annotations

from portwright.cli.asked import asked_outputs, asked_rules, loaded_rules
from portwright.cli.streams import CLEAN, FINDINGS, USAGE, Complaint
from portwright.cli.telling import keep, tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    if options.test is not None:
        return _test(options)
    for name in ("cases", "accept"):
        if getattr(options, name):
            raise Complaint(f"--{name} goes with --test DIR")

    rules, _, _ = asked_rules(options)
    tell("rules", rules, asked_outputs(options), options)
    return CLEAN


def _test(options: Options) -> int:
    """Exit 0: every case is as it should be; 1: one is not; 2: a mistake in a rule, or nothing to test."""
    from pathlib import Path

    from portwright.audit.cases import run
    from portwright.reports.registry import Tested
    from portwright.rules.loading import is_shipped

    outputs = asked_outputs(options)
    folder = Path(options.test)
    selected, every, _ = loaded_rules(options, [folder])
    where = Path(options.cases or options.test)
    if not where.is_dir():
        raise Complaint(f"{where}: no such folder of cases")
    own = [rule for rule in every if is_shipped(folder) or rule.path.startswith(f"{folder}/")]
    found = run(own, where, [rule for rule in own if rule in selected])
    kept: set[tuple[str, str]] = set()
    if options.accept:
        for path, text in found.accepted().items():
            keep({path: text}, (str(folder), str(where)))
        kept = {(outcome.path, outcome.name) for outcome in found.outcomes if outcome.is_new}
    tell("rules --test", Tested(found.outcomes, found.untested, found.stray, kept), outputs, options)
    if any(outcome.problem and (outcome.path, outcome.name) not in kept for outcome in found.outcomes):
        return FINDINGS
    return USAGE if not found.outcomes or found.stray else CLEAN
