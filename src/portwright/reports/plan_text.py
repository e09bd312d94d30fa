"""A plan as a person reads it: the steps and why, what they were seen to mend, what is left and the manual step for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from portwright.changes import Step
from portwright.fixes.plan import Plan
from portwright.fixes.verified import Verified
from portwright.reports.escape import safe, wrap
from portwright.reports.excerpt import place
from portwright.reports.remainder import INDENT, by_hand, unread, wrapped
from portwright.reports.secrets import hide_in_source
from portwright.reports.shorten import short
from portwright.reports.style import Role, Style
from portwright.reports.words import DISRUPTION, SAFETY, counted, who_starts
from portwright.source import Source

_MOST_UNKNOWN = 5
_DIFF_HEAD = 2  # lines that name the files


def render(
    plan: Plan,
    written: Sequence[str],
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    removed: str = "",
    diff: bool = False,
    verified: Sequence[Verified] | None = None,
    files: Mapping[str, str] | None = None,
    machine: str = "",
) -> str:
    """The report of `fix`, ending in a newline; `written` are the files that were written, playbook first, `removed` is an earlier plan's.

    `diff` shows what the plan changes in each file; `verified` is what the daemons' commands said, None where they were not to be asked.

    `quiet` leaves a line for each step, each finding that is left, each thing that could not be read and each file; `verbose` names
    the findings that are mended, and cuts no value. `files` say where on this `machine` the files lie that the plan names: places are
    links to them.
    """
    style = Style(color, files, machine)
    lines = _brief(plan, written, style) if quiet else _lines(plan, written, style, width, verbose)
    if verified is not None and plan.steps:
        lines = chain(lines, [] if quiet else [""], _verified(verified, style, width))
    if diff and plan.edits:
        sources = plan.host.sources
        changes = {path: (sources[path].text if path in sources else None, text) for path, text in plan.edits.items()}
        lines = chain(lines, [""], diff_of(changes, style))
    lines = chain(lines, [f"removed: {safe(removed)}, the playbook of an earlier plan; its rollback still works"] if removed else [])
    return "".join(f"{style.places(line)}\n" for line in lines)


def _brief(plan: Plan, written: Sequence[str], style: Style) -> Iterator[str]:
    for step in plan.steps:
        yield f"{step.path}: {safe(step.in_words())}"
    for left in plan.unplanned:
        severity = left.finding.severity
        yield f"{place(left.finding.at)}: {style(severity, f'{severity}[{left.finding.card.id}]')}: not planned: {safe(left.reason)}"
    for each in plan.host.coverage.not_understood if plan.steps else ():
        yield f"{place(each.at)}: {style('bad', 'not understood')}: {safe(who_starts(each))}: {safe(each.reason)}"
    for trouble in plan.host.unreadable:
        yield f"{place(trouble.at)}: {style('bad', 'could not be read')}: {safe(trouble.reason)}"
    if not plan.host.files_read:
        yield f"nothing is planned for {safe(plan.host.name)}: {safe(plan.reason)}"
    for file in written:
        yield f"{safe(file)}: written"


def _lines(plan: Plan, written: Sequence[str], style: Style, width: int, verbose: bool) -> Iterator[str]:
    said: Callable[[str], str] = safe if verbose else short
    for number, step in enumerate(plan.steps, 1):
        first, *more = wrap(said(step.in_words()), width - INDENT, width - len(f"{number}. "))
        yield f"{number}. {style('strong', first)}"
        for line in more:
            yield f"{' ' * INDENT}{style('strong', line)}"
        yield from wrapped(f"in {step.path}; {SAFETY[step.safety]}, {_disruption(step)}; for {', '.join(step.because)}", width)
        if caution := step.caution(plan.host):
            yield from wrapped(f"look first: {said(caution)}", width)
    if plan.steps:
        yield ""
        summary = f"proven on a copy of {safe(plan.host.name)}: {counted(len(plan.fixed), 'finding')} fixed, no new one"
        if plan.usable is not None:
            summary += f"; {plan.usable:,} ephemeral ports remain"
        for line in wrap(summary, width):
            yield style("good", line)
        yield from wrap(_disrupts(plan), width) if plan.disrupts() else ()
        yield from _unknown(plan, style, width, verbose)
        for text in _kept_by_tools(plan):
            for line in wrap(said(text), width):
                yield style("bad", line)
        for finding in plan.fixed if verbose else ():
            yield f"  {style(finding.severity, finding.card.id)} at {place(finding.at)}"
            yield from wrapped(safe(finding.message), width)
    else:
        for line in wrap(f"nothing is planned for {safe(plan.host.name)}: {safe(plan.reason)}", width):
            yield style("strong", line)
    yield from by_hand(plan.unplanned, said, style, width, plan.reason)
    yield from unread(plan.host.unreadable, "plan", style, width)
    if written:
        yield ""
        yield style("strong", "written: ") + ", ".join(safe(file) for file in written)
        yield f"  preview:  ansible-playbook -i localhost, -c local {safe(written[0])} --check --diff"
        yield f"  apply:    ansible-playbook -i localhost, -c local {safe(written[0])}"
        yield f"  undo:     ansible-playbook -i localhost, -c local {safe(written[-1])}"
    elif plan.steps:
        yield ""
        yield "nothing was written: name a playbook with -o NAME.yml"


def _verified(verified: Sequence[Verified], style: Style, width: int) -> Iterator[str]:
    """What the daemons' commands on this machine said of the configs as the plan leaves them."""
    if not verified:
        yield "nothing to verify: the plan edits no config of a daemon"
    for each in verified:
        refused = each.outcome == "refused"
        text = {"taken": "verified: {} takes the config of {}", "refused": "REFUSED: the config of {1}: {0}"}.get(
            each.outcome, "not verified: the config of {1}: {0}"
        )
        first, *more = wrap(safe(text.format(each.said, each.unit)), width - INDENT, width)
        for line in (first, *(f"{' ' * INDENT}{line}" for line in more)):
            yield style("good" if each.outcome == "taken" else "bad", line)
        if refused:
            yield from wrapped("so nothing was written", width)


def diff_of(changes: Mapping[str, tuple[str | None, str]], style: Style) -> Iterator[str]:
    """What a plan changes in each file (its text before, None where there is none, and after), as `diff --unified` has it."""
    from difflib import unified_diff

    roles: dict[str, Role] = {"+": "good", "-": "bad", "@": "frame"}
    for path, (before, after) in sorted(changes.items()):
        old = () if before is None else _split(_shown(path, before))
        new = _split(_shown(path, after))
        for number, line in enumerate(unified_diff(old, new, "/dev/null" if before is None else path, path, lineterm="")):
            shown = [safe(part) for part in line.split("\n")]
            role = "strong" if number < _DIFF_HEAD else roles.get(line[:1])
            yield from (part if role is None else style(role, part) for part in shown)


def _shown(path: str, text: str) -> str:
    """A file without its secrets."""
    source = Source(path, text)
    lines = enumerate(text.split("\n"), 1)
    return "\n".join(hide_in_source(source, number) + ("\r" if line.endswith("\r") else "") for number, line in lines)


def _split(text: str) -> list[str]:
    """The lines of a file; what a last one without its end is, diff(1) says below it."""
    lines = text.split("\n")
    last = lines.pop()
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines


def _unknown(plan: Plan, style: Style, width: int, verbose: bool) -> Iterator[str]:
    """What a plan does not know: the ports of services that were not understood are not looked after by it."""
    unknown = plan.host.coverage.not_understood
    if not unknown:
        return
    text = f"not known to this plan: what {counted(len(unknown), 'program')} may listen on; ports of theirs are not reserved"
    for line in wrap(text, width):
        yield style("bad", line)
    for each in unknown if verbose else unknown[:_MOST_UNKNOWN]:
        yield from wrapped(f"{place(each.at)}: {safe(who_starts(each))}: {safe(each.reason)}", width)
    if len(unknown) > _MOST_UNKNOWN and not verbose:
        yield f"    ... and {len(unknown) - _MOST_UNKNOWN:,} more (--verbose lists them)"


def _kept_by_tools(plan: Plan) -> Iterator[str]:
    """The files that the plan rests on and that say a tool keeps them: its next run need not leave what the plan makes of them."""
    from portwright.changes.kind import MANAGED

    rests = {path for step in plan.steps for path in step.rests_on(plan.host)} - plan.edits.keys()
    for path in sorted(rests & plan.host.sources.keys()):
        managed = MANAGED.search(plan.host.sources[path].text)
        if managed is not None:
            what = "make this change where that tool has the file from, too, or its next run may undo it"
            yield f"kept by a tool: {path} says {managed[0]!r}; {what}"


def _disruption(step: Step) -> str:
    # A playbook restarts nothing unless it is asked to, so its report must not say that it does.
    if step.disruption == "restart":
        return "in force once the service is restarted, which the playbook does only with --allow-restart"
    return DISRUPTION[step.disruption]


def _disrupts(plan: Plan) -> str:
    """What all steps together ask of the host, before anybody runs them."""
    found = plan.disrupts()
    said = {"reload": "reloads {}", "restart": "restarts {} with --allow-restart", "reboot": "needs a reboot for {}"}
    return safe("all together: " + "; ".join(said[level].format(", ".join(units)) for level, units in found.items()))
