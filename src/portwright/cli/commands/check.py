"""`portwright check`: what is wrong with hosts, repositories and files."""

from __future__ import annotations

from portwright import __version__
from portwright.cli.asked import asked_inputs, asked_outputs, asked_rules
from portwright.cli.judging import exit_code, judged, read_baseline, without_accepted
from portwright.cli.streams import INTERNAL, Complaint
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from collections.abc import Callable

    from portwright.audit.check import Selection
    from portwright.audit.inputs import Input
    from portwright.cli.arguments import Options
    from portwright.finding import HostResult
    from portwright.rules import Rule


def run(options: Options) -> int:
    from functools import partial

    from portwright.audit.check import verdict
    from portwright.reports.registry import Checked, offers_fixes

    outputs = asked_outputs(options)
    rules, known, selection = asked_rules(options)
    inputs = asked_inputs(options)
    work: Callable[[Input], HostResult] = partial(verdict, rules=rules, selection=selection, known=known, rate=options.rate)
    if (options.baseline or options.write_baseline) and (options.changed_since is not None or options.onto):
        raise Complaint("a baseline, --changed-since and --onto each say what is new against what: give one of them")
    if any(each.kind != "host" for each in inputs) and any(offers_fixes(form) for form, _ in outputs):
        from portwright.audit.patching import verdict_and_patch

        work = partial(verdict_and_patch, rules=rules, selection=selection, known=known, rate=options.rate)
    if options.changed_since is not None or options.onto:
        inputs, work = _comparing(inputs, rules, selection, known, options)
    entries = None if options.baseline is None else read_baseline(options.baseline)
    results, maps, sound = judged(inputs, options, work, rules, outputs)
    results = without_accepted(results, entries, options)
    checked = Checked(results, tuple(rule.card for rule in rules), __version__, maps)
    tell("check", checked, outputs, options, [(given, result.paths) for given, result in zip(inputs, results, strict=True)])
    return exit_code(results, rules, options) if sound else INTERNAL


def _comparing(
    inputs: tuple[Input, ...], rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], options: Options
) -> tuple[tuple[Input, ...], Callable[[Input], HostResult]]:
    """What is looked at, and how, where only what is new is to be told."""
    from portwright.audit.comparing import Question, deployment, refusal, verdict_onto, verdict_since
    from portwright.audit.inputs import InputError
    from portwright.audit.inputs import inputs as found
    from portwright.trees.revision import RevisionError, revision

    question = Question(rules, selection, known, options.rate)
    if options.onto:
        if options.changed_since is not None:
            raise Complaint("--onto and --changed-since are two questions: ask one of them")
        try:
            hosts = found(options.onto)
        except InputError as error:
            raise Complaint(str(error)) from None
        reason = refusal(inputs, hosts)
        if reason:
            raise Complaint(reason)
        deployed = deployment(inputs)
        return hosts, lambda given: verdict_onto(given, question, deployed)
    revisions = {}
    for given in inputs:
        if given.kind != "repository":
            raise Complaint(f"{given.path}: --changed-since is for the directory of a checkout")
        try:
            revisions[given.path] = revision(given.path, options.changed_since)
        except RevisionError as error:
            raise Complaint(f"{given.path}: {options.changed_since}: {error}") from None
    return inputs, lambda given: verdict_since(given, question, revisions[given.path])
