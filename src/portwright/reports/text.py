"""Findings as a person reads them at a terminal: what is wrong, the line that says so, the lines that decided, what to do.

The frame is plain ASCII (as compilers draw it); colours are asked for, the width is given, and what came from a host is escaped.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from portwright.finding import SEVERITIES, Finding, HostResult, Note
from portwright.reports.escape import safe, wrap
from portwright.reports.excerpt import Mark, can_show, excerpt, gutter_of, place
from portwright.reports.style import Role, Style
from portwright.reports.words import DISRUPTION, ERRORS, OFTEN, SAFETY, counted, no_verdict, what_it_does
from portwright.source import Span

_NARROWEST = 30


def render(results: Sequence[HostResult], *, color: bool, width: int, quiet: bool = False, verbose: bool = False) -> str:
    """The report of a check, ending in a newline; `width` in columns, hosts by name.

    `quiet` leaves one line for each finding and each thing that could not be read; `verbose` adds why a rule exists, its references
    and the findings that comments allow.
    """
    page = _Page(Style(color), max(width, _NARROWEST), verbose)
    hosts = sorted(results, key=lambda result: result.host)
    if quiet:
        lines = [line for result in hosts for line in page.brief(result, len(hosts) > 1)]
    elif not hosts:
        lines = [page.style("bad", "nothing was read: there was no host, repository or file to look at")]
    elif len(hosts) == 1:
        lines = [*page.details(hosts[0]), *page.verdict(hosts)]
    else:
        lines = [line for result in hosts for line in page.section(result)]
        lines += page.verdict(hosts)
    return "".join(f"{line}\n" for line in lines)


def in_reading_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by place."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.card.severity), finding.at, finding.card.id, finding.message))


class _Page:
    def __init__(self, style: Style, width: int, verbose: bool) -> None:
        self.style = style
        self.width = width
        self.verbose = verbose
        self._explained: set[str] = set()

    # ── hosts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def section(self, result: HostResult) -> Iterator[str]:
        """One of several hosts: its name, and everything about it."""
        yield from self._paragraph(f"{safe(result.host)}: {self._outcome(result)}; {self._basis(result)}", "strong")
        yield ""
        yield from self.details(result)

    def details(self, result: HostResult) -> Iterator[str]:
        """The findings of one host, what was allowed, and what could not be read; an empty line after each part."""
        shown: set[Span] = set()
        above: Span | None = None
        for finding in in_reading_order(result.findings):
            yield from self._finding(finding, result, shown, above)
            yield ""
            above = finding.at
        if result.allowed and self.verbose:
            yield self.style("strong", "allowed:")
            for allowed in sorted(result.allowed, key=lambda allowed: (allowed.at, allowed.rule)):
                yield from self._item("  ", f"{place(allowed.at)}: {safe(allowed.rule)}: {safe(allowed.reason)}")
            yield ""
        if result.unreadable:
            yield self.style("bad", "could not be read:")
            for trouble in sorted(result.unreadable):
                yield from self._item("  ", f"{place(trouble.at)}: {safe(trouble.reason)}")
            yield ""

    def brief(self, result: HostResult, several: bool) -> Iterator[str]:
        """One line for each finding and each thing that could not be read; nothing for a clean host."""
        host = f"{safe(result.host)}: " if several else ""
        for finding in in_reading_order(result.findings):
            severity = finding.card.severity
            yield f"{host}{place(finding.at)}: {self.style(severity, f'{severity}[{finding.card.id}]')}: {safe(finding.message)}"
        for trouble in sorted(result.unreadable):
            yield f"{host}{place(trouble.at)}: {self.style('bad', 'could not be read')}: {safe(trouble.reason)}"
        if no_verdict(result):
            yield f"{safe(result.host)}: {self.style('bad', no_verdict(result))}"

    def verdict(self, results: Sequence[HostResult]) -> Iterator[str]:
        """The summary: findings by severity, what they rest on, what can be fixed, what is missing for a full answer."""
        findings = [finding for result in results for finding in result.findings]
        if len(results) == 1:
            only = results[0]
            where = f"{'in' if only.repository else 'on'} {safe(only.host)}"
            outcome = self._outcome(only)
            parts = [f"{safe(only.host)}: {outcome}" if no_verdict(only) else f"{outcome} {where}", self._basis(only)]
        else:
            troubled = sum(1 for result in results if result.findings)
            where = f"on {troubled} of {len(results)} hosts" if findings else f"on {len(results)} hosts"
            parts = [
                f"{_tally(findings)} {where}",
                f"{counted(sum(result.files_read for result in results), 'file')} read, "
                f"{counted(max(result.rules_checked for result in results), 'rule')} checked",
            ]
        fixable = sum(1 for finding in findings if finding.change is not None)
        if fixable:
            parts.append(f"{fixable} fixable with `portwright fix`")
        allowed = sum(len(result.allowed) for result in results)
        if allowed:
            parts.append(f"{allowed} allowed by comments" + ("" if self.verbose else " (-v lists them)"))
        unreadable = sum(len(result.unreadable) for result in results)
        if unreadable:
            parts.append(f"{counted(unreadable, 'place')} could not be read, so this answer is not complete")
        blind = [result for result in results if no_verdict(result)]
        if blind and len(results) > 1:
            parts.append(f"no verdict on {', '.join(safe(result.host) for result in blind)}")
        role: Role = in_reading_order(findings)[0].card.severity if findings else "bad" if blind or unreadable else "good"
        yield from self._paragraph("; ".join(parts), role)

    def _outcome(self, result: HostResult) -> str:
        return no_verdict(result) or _tally(result.findings)

    def _basis(self, result: HostResult) -> str:
        return f"{counted(result.files_read, 'file')} read, {counted(result.rules_checked, 'rule')} checked"

    # ── one finding ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _finding(self, finding: Finding, result: HostResult, shown: set[Span], above: Span | None) -> Iterator[str]:
        """A finding; excerpts of notes in `shown` are not repeated, nor that of the finding right `above` at the same place."""
        severity = finding.card.severity
        tag = f"{severity}[{finding.card.id}]"
        message, *more = wrap(safe(finding.message), self.width - 2, self.width - len(tag) - 2)
        yield f"{self.style(severity, tag)}: {self.style('strong', message)}"
        for line in more:
            yield f"  {self.style('strong', line)}"

        repeated = finding.at == above
        marks = [Mark(finding.at, "^", severity)]
        plain: list[Note] = []
        for note in finding.notes:
            if note.at is None or note.at in shown or not can_show(note.at, result.sources):
                plain.append(note)
            else:
                marks.append(Mark(note.at, "-" if note.at != finding.at else "^", "note", note.text))
                shown.add(note.at)
        files: dict[str, list[Mark]] = {}
        for mark in marks:
            files.setdefault(mark.at.path, []).append(mark)
        gutter = gutter_of(mark for mark in marks if can_show(mark.at, result.sources))
        for index, group in enumerate(files.values()):
            if repeated and index == 0 and len(group) == 1:
                yield f"{' ' * gutter}{self.style('frame', '-->')} {place(finding.at)}"
                continue
            yield from excerpt(group, result.sources, gutter, self.width, self.style, "-->" if index == 0 else ":::")
        yield from self._remarks(finding, plain, gutter)

    def _remarks(self, finding: Finding, notes: Sequence[Note], gutter: int) -> Iterator[str]:
        rows: list[tuple[str, str, Role]] = []
        if finding.predicts is not None:
            rows.append(("will fail", f"{finding.predicts} ({ERRORS[finding.predicts]})", "bad"))
        if finding.likelihood is not None:
            rows.append(("likely to bite", OFTEN[finding.likelihood], "strong"))
        if finding.confidence != "certain":
            rows.append(("confidence", finding.confidence, "strong"))
        for note in notes:
            rows.append(("note", note.text if note.at is None else f"{note.text} ({note.at})", "note"))
        card = finding.card
        if self.verbose and card.id not in self._explained:
            self._explained.add(card.id)
            rows.append(("why", " ".join(card.why.split()), "strong"))
            rows.extend(("see", reference, "strong") for reference in card.references)
        if finding.change is not None:
            change = finding.change
            what = finding.summary or what_it_does(change)
            rows.append(("fix", f"{what} ({SAFETY[change.safety]}; {DISRUPTION[change.disruption]})", "good"))
        if finding.manual is not None:
            rows.append(("by hand", finding.manual.step, "good"))
            rows.append(("not fixed for you", finding.manual.reason, "strong"))
        for key, text, role in rows:
            head = f"{' ' * (gutter + 1)}{self.style('frame', '=')} {self.style(role, key)}: "
            yield from self._item(head, safe(text), gutter + 5 + len(key), gutter + 5)

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, head: str, text: str, taken: int = 2, indent: int = 6) -> Iterator[str]:
        """A head of `taken` columns (colours aside) and the words after it, going on further in."""
        first, *more = wrap(text, self.width - indent, self.width - taken)
        yield f"{head}{first}"
        for line in more:
            yield f"{' ' * indent}{line}"

    def _paragraph(self, text: str, role: Role) -> Iterator[str]:
        for line in wrap(text, self.width):
            yield self.style(role, line)


def _tally(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    counts = Counter(finding.card.severity for finding in findings)
    by_severity = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    return f"{counted(len(findings), 'finding')} ({by_severity})"
