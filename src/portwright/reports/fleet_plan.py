"""The plans of many hosts as a person reads them: each step once with the hosts that get it, and what is left by its reason."""

from collections.abc import Iterator, Mapping, Sequence

from portwright.finding import SEVERITIES
from portwright.fixes.fleet import HostPlan, PlannedStep
from portwright.fixes.plan import Unplanned
from portwright.reports.escape import safe, wrap
from portwright.reports.excerpt import place
from portwright.reports.fleet import MOST_NAMES
from portwright.reports.plan_text import diff_of
from portwright.reports.remainder import wrapped
from portwright.reports.shorten import short
from portwright.reports.style import Style
from portwright.reports.words import DISRUPTION, SAFETY, counted

_MOST_UNREAD = 20


def render(
    plans: Sequence[HostPlan],
    written: Sequence[str],
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    removed: str = "",
    diff: bool = False,
) -> str:
    """The report of `fix` for several hosts, ending in a newline; the arguments are those of `plan_text.render`."""
    page = _Page(plans, Style(color), width, verbose)
    lines = [*(page.brief(written) if quiet else page.whole(written))]
    for plan in plans if diff else ():
        if plan.changes:
            lines += ["", f"{safe(plan.host)}:", *diff_of(plan.changes, page.style)]
    if removed:
        lines.append(f"removed: {safe(removed)}, the playbook of an earlier plan; its rollback still works")
    return "".join(f"{line}\n" for line in lines)


class _Page:
    def __init__(self, plans: Sequence[HostPlan], style: Style, width: int, verbose: bool) -> None:
        self.plans, self.style, self.width, self.verbose = plans, style, width, verbose

    def brief(self, written: Sequence[str]) -> Iterator[str]:
        for step, hosts in self._steps().items():
            yield f"{safe(step.path)} on {counted(len(hosts), 'host')}: {safe(step.words)}"
        for left, hosts in self._left():
            tag = self.style(left.finding.severity, f"{left.finding.severity}[{left.finding.card.id}]")
            yield f"{safe(hosts[0])}: {place(left.finding.at)}: {tag} on {counted(len(hosts), 'host')}: not planned: {safe(left.reason)}"
        for plan in self.plans:
            for trouble in plan.unreadable:
                yield f"{safe(plan.host)}: {place(trouble.at)}: {self.style('bad', 'could not be read')}: {safe(trouble.reason)}"
            if not plan.is_read:
                yield f"{safe(plan.host)}: nothing is planned: {safe(plan.reason)}"
        for file in written:
            yield f"{safe(file)}: written"

    def whole(self, written: Sequence[str]) -> Iterator[str]:
        said = safe if self.verbose else short
        for number, (step, hosts) in enumerate(self._steps().items(), 1):
            first, *more = wrap(said(step.words), self.width - 4, self.width - len(f"{number}. "))
            yield f"{number}. {self.style('strong', first)}"
            for line in more:
                yield f"    {self.style('strong', line)}"
            about = f"in {step.path}; {SAFETY[step.safety]}, {DISRUPTION[step.disruption]}; for {', '.join(step.because)}"
            yield from wrapped(safe(about), self.width)
            yield from wrapped(f"on {counted(len(hosts), 'host')}: {self._names(hosts)}", self.width)
        if self._steps():
            yield ""
        yield from self._summary()
        yield from self._remainder()
        yield from self._unread()
        yield from self._files(written)

    def _summary(self) -> Iterator[str]:
        planned = [plan for plan in self.plans if plan.steps]
        idle = sum(1 for plan in self.plans if not plan.steps and not plan.unplanned and plan.is_read)
        fixed = sum(len(plan.fixed) for plan in self.plans)
        parts = [f"planned for {len(planned)} of {counted(len(self.plans), 'host')}, each proven on a copy of it"]
        if planned:
            kinds = len({plan.kinds for plan in planned})
            parts.append(f"{counted(fixed, 'finding')} fixed, in {counted(kinds, 'play')}")
        if idle:
            parts.append(f"{counted(idle, 'host')} without a finding")
        for line in wrap("; ".join(parts), self.width):
            yield self.style("good" if planned else "strong", line)
        unknown = [plan for plan in planned if plan.not_understood]
        if unknown:
            what = counted(sum(plan.not_understood for plan in unknown), "program")
            text = f"not known to these plans: what {what} on {counted(len(unknown), 'host')} may listen on; their ports are not reserved"
            for line in wrap(text, self.width):
                yield self.style("bad", line)

    def _remainder(self) -> Iterator[str]:
        left = self._left()
        if not left:
            return
        yield ""
        yield self.style("strong", f"not fixed automatically ({counted(sum(len(plan.unplanned) for plan in self.plans), 'finding')}):")
        said = safe if self.verbose else short
        for each, hosts in left:
            finding = each.finding
            where = f"at {place(finding.at)} of {safe(hosts[0])}"
            yield f"  {self.style(finding.severity, finding.card.id)} {where}"
            yield from wrapped(said(finding.message), self.width)
            yield from wrapped(f"reason: {said(each.reason)}", self.width)
            if each.step:
                yield from wrapped(f"what to do: {said(each.step)}", self.width)
            if len(hosts) > 1:
                yield from wrapped(f"on {counted(len(hosts), 'host')}: {self._names(hosts)}", self.width)

    def _unread(self) -> Iterator[str]:
        blind = [(plan.host, trouble) for plan in self.plans for trouble in plan.unreadable]
        empty = [plan for plan in self.plans if not plan.is_read and not plan.unreadable]
        if not blind and not empty:
            return
        yield ""
        for line in wrap("could not be read, so the plans of these hosts may be incomplete:", self.width):
            yield self.style("bad", line)
        for host, trouble in blind if self.verbose else blind[:_MOST_UNREAD]:
            yield from wrapped(f"{safe(host)}: {place(trouble.at)}: {safe(trouble.reason)}", self.width)
        if len(blind) > _MOST_UNREAD and not self.verbose:
            yield f"    ... and {len(blind) - _MOST_UNREAD:,} more (--verbose lists them)"
        for plan in empty:
            yield from wrapped(f"{safe(plan.host)}: {safe(plan.reason)}", self.width)

    def _files(self, written: Sequence[str]) -> Iterator[str]:
        if written:
            book, back, *_ = written
            folder = f"{book.rpartition('.')[0]}.vars"
            yield ""
            files = ", ".join(safe(file) for file in written)
            yield f"{self.style('strong', 'written: ')}{files}, and a file of variables for each host in {safe(folder)}/"
            yield f"  preview:  ansible-playbook -i INVENTORY {safe(book)} --check --diff"
            yield f"  apply:    ansible-playbook -i INVENTORY {safe(book)}"
            yield f"  undo:     ansible-playbook -i INVENTORY {safe(back)}"
        elif self._steps():
            yield ""
            yield "nothing was written: name a playbook with -o NAME.yml"

    def _steps(self) -> Mapping[PlannedStep, Sequence[str]]:
        found: dict[PlannedStep, list[str]] = {}
        for plan in self.plans:
            for step in plan.steps:
                found.setdefault(step, []).append(plan.host)
        return dict(sorted(found.items(), key=lambda each: (-len(each[1]), each[0].path, each[0].words)))

    def _left(self) -> Sequence[tuple[Unplanned, Sequence[str]]]:
        """What is left, once for all hosts that it says the same of, the gravest first."""
        alike: dict[tuple[str, str, str], tuple[Unplanned, list[str]]] = {}
        for plan in self.plans:
            for left in plan.unplanned:
                key = left.finding.card.id, left.finding.message, left.reason
                hosts = alike.setdefault(key, (left, []))[1]
                if plan.host not in hosts[-1:]:
                    hosts.append(plan.host)
        return sorted(alike.values(), key=lambda each: (SEVERITIES.index(each[0].finding.severity), -len(each[1]), each[0].finding.card.id))

    def _names(self, hosts: Sequence[str]) -> str:
        shown = ", ".join(safe(host) for host in (hosts if self.verbose else hosts[:MOST_NAMES]))
        return shown if self.verbose or len(hosts) <= MOST_NAMES else f"{shown} and {len(hosts) - MOST_NAMES:,} more"
