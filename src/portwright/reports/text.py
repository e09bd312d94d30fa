"""Findings as a person reads them at a terminal: what is wrong, the line that says so, the lines that decided, what to do.

The frame is plain ASCII (as compilers draw it); colours are asked for, the width is given, and what came from a host is escaped.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from portwright._start.records import replace
from portwright.coverage import Coverage
from portwright.finding import SEVERITIES, Finding, HostResult, Note
from portwright.reports.escape import safe, width, wrap
from portwright.reports.excerpt import can_show, excerpt, gutter_of, place
from portwright.reports.fixable import ALLOW_REVIEW, needs, why_not
from portwright.reports.repeats import gathered
from portwright.reports.secrets import hide_value
from portwright.reports.shorten import short
from portwright.reports.style import Role, Style
from portwright.reports.told import Remark, apart, is_default, remarks, spots
from portwright.reports.words import accepted_by, accepted_in_words, compared_with, counted, lists_uncovered, no_verdict, obeyed, uncovered
from portwright.source import Span

_NARROWEST = 30
_MOST_UNUSED = 5
_MOST_MARKS = 50
"""Marks in one file that an excerpt shows: nobody reads a finding of more."""
_GAP = 2  # between the columns of a list


def render(
    results: Sequence[HostResult],
    *,
    color: bool,
    width: int,
    quiet: bool = False,
    verbose: bool = False,
    show_allowed: bool = False,
    files: Sequence[Mapping[str, str]] = (),
    machine: str = "",
) -> str:
    """The report of a check, ending in a newline; `width` in columns, hosts by name.

    `quiet` leaves one line for each finding and each thing that could not be read. Otherwise findings that differ only in service,
    port and line are said once, hosts of which there is the same to say share a section, and long values are cut. `verbose` does
    none of that, and adds why a rule exists, its references, values that lost, what was read, and what is allowed, which `show_allowed`
    adds alone.
    `files` say for each result where on this `machine` the files lie that it names: places are links to them.
    """
    page = _Page(color, max(width, _NARROWEST), verbose, show_allowed)
    hosts = [(result, Style(color, each, machine)) for result, each in zip(results, files or [{} for _ in results], strict=True)]
    hosts.sort(key=lambda host: host[0].host)
    sorted_results = [result for result, _ in hosts]
    if quiet:
        lines = [line for result, style in hosts for line in page.on(style).brief(result, len(hosts) > 1)]
    elif not hosts:
        lines = [page.style("bad", "nothing was read: no host, repository or file was found")]
    elif len(hosts) == 1:
        result, style = hosts[0]
        lines = [*page.on(style).details(result), *page.verdict(sorted_results)]
    else:
        lines = [*page.sections(hosts), *page.verdict(sorted_results)]
    return "".join(f"{line.rstrip(' ')}\n" for line in lines)


def excerpts(result: HostResult, *, color: bool, width: int) -> str:
    """The findings of one host alone, without a verdict."""
    alone = replace(result, unreadable=(), coverage=Coverage())
    return "\n".join(_Page(color, max(width, _NARROWEST), False).details(alone)).strip("\n") + "\n"


def in_reading_order(findings: Sequence[Finding]) -> list[Finding]:
    """The worst first, then by place."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.at, finding.card.id, finding.message))


class _Page:
    def __init__(self, color: bool, width: int, verbose: bool, show_allowed: bool = False) -> None:
        self.style = Style(color)
        self.width = width
        self.verbose = verbose
        self.show_allowed = show_allowed
        self.said: Callable[[str], str] = safe if verbose else short
        self._explained: set[str] = set()

    def on(self, style: Style) -> "_Page":
        """The same page, written in another style from here on."""
        self.style = style
        return self

    # ── hosts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def sections(self, hosts: Sequence[tuple[HostResult, Style]]) -> Iterator[str]:
        """Several hosts by name: their names, and everything about them.

        Hosts of which there is the same to say share a section; what was said of a host above is not told again in full.
        """
        sections: dict[object, list[tuple[HostResult, Style]]] = {}
        for number, (result, style) in enumerate(hosts):
            groups = tuple(_told(group, result) for group in self._groups(result))
            alone = self.verbose or no_verdict(result)
            sections.setdefault(number if alone else (groups, result.unreadable, result.coverage), []).append((result, style))
        above: dict[object, str] = {}
        for members in sections.values():
            results = [result for result, _ in members]
            names = ", ".join(safe(result.host) for result in results)
            several = f" ({len(results)} hosts, the same on each)" if len(results) > 1 else ""
            yield from self._paragraph(f"{names}{several}: {self._outcome(results[0])}; {self._basis(results)}", "strong")
            yield ""
            yield from self.on(members[0][1]).details(results[0], above)

    def _groups(self, result: HostResult) -> Sequence[tuple[Finding, ...]]:
        findings = in_reading_order(result.findings)
        return [(finding,) for finding in findings] if self.verbose else gathered(findings)

    def details(self, result: HostResult, elsewhere: dict[object, str] | None = None) -> Iterator[str]:
        """The findings of one host, what was allowed, and what could not be read; an empty line after each part.

        `elsewhere` is what was told of other hosts, and of which.
        """
        shown: set[Span] = set()
        above: Span | None = None
        for group in self._groups(result):
            told = None if elsewhere is None or self.verbose else _told(group, result)
            if elsewhere is not None and told in elsewhere:
                yield from self._heading(group)
                yield f" {self.style('frame', '-->')} {self._place(group[0].at)}"
                yield from self._item(f"  {self.style('frame', '=')} ", f"as on {elsewhere[told]}", 4, 6)
                above = None
            else:
                yield from self._finding(group, result, shown, above)
                above = None if self.verbose else group[0].at
            if elsewhere is not None and told is not None:
                elsewhere.setdefault(told, safe(result.host))
            if self.verbose:
                shown.clear()
            yield ""
        if result.allowed and (self.verbose or self.show_allowed):
            yield self.style("strong", "allowed:")
            for allowed in sorted(result.allowed, key=lambda allowed: (allowed.at, allowed.rule)):
                yield from self._located(allowed.at, safe(accepted_in_words(allowed)))
            yield ""
        if result.unused:
            yield self.style("strong", "comments without effect:")
            shown_of_them = result.unused if self.verbose else result.unused[:_MOST_UNUSED]
            for unused in shown_of_them:
                yield from self._located(unused.at, self.said(unused.reason))
            if len(result.unused) > len(shown_of_them):
                yield f"  {len(result.unused) - len(shown_of_them)} more with -v"
            yield ""
        if result.unreadable:
            yield self.style("bad", "could not be read:")
            for trouble in sorted(result.unreadable):
                yield from self._located(trouble.at, self.said(trouble.reason))
            yield ""
        if self.verbose:
            yield from self._read(result)
        yield from self.uncovered(result.coverage)
        silent = result.rules_checked - len({finding.card.id for finding in result.findings})
        if self.verbose and silent > 0:
            yield from self._paragraph(f"{silent} of {counted(result.rules_checked, 'rule')} had no findings", "strong")
            yield ""

    def _read(self, result: HostResult) -> Iterator[str]:
        """The files that were read, a folder a line."""
        folders: dict[str, list[str]] = {}
        for path in sorted(result.sources):
            if not is_default(Span.whole(path), result):
                folder, slash, name = path.rpartition("/")
                folders.setdefault(folder + slash, []).append(name)
        if folders:
            yield self.style("strong", "read:")
            for folder, names in folders.items():
                yield from self._item("  ", f"{safe(folder)} {' '.join(safe(name) for name in names)}".lstrip())
            yield ""

    def uncovered(self, coverage: Coverage) -> Iterator[str]:
        """What was not understood, left out and not read: all of it if `verbose`, else the first of what a reader should know of."""
        for title, listed, more in lists_uncovered(coverage, self.verbose):
            yield self.style("strong", f"{title}:")
            for at, said in listed:
                yield from self._located(at, self.said(said))
            if more:
                yield f"  {more} more with -v"
            yield ""

    def brief(self, result: HostResult, several: bool) -> Iterator[str]:
        """One line for each finding and each thing that could not be read; nothing for a clean host.

        Of several inputs each line begins with the file as it is named from the directory of the run, which is what editors look for;
        where it does not lie below that, with the host.
        """

        def where(at: Span) -> str:
            near = result.in_checkout(at.path) if several else at.path
            if near is None:
                return f"{safe(result.host)}: {self._place(at)}"
            return self.style.link(at.path, place(replace(at, path=near)))

        for finding in in_reading_order(result.findings):
            severity = finding.severity
            said = f"{self.style(severity, f'{severity}[{finding.card.id}]')}: {safe(finding.message)}"
            yield f"{where(finding.at)}: {said}"
        for trouble in sorted(result.unreadable):
            yield f"{where(trouble.at)}: {self.style('bad', 'could not be read')}: {safe(trouble.reason)}"
        if no_verdict(result):
            yield f"{safe(result.host)}: {self.style('bad', no_verdict(result))}"

    def verdict(self, results: Sequence[HostResult]) -> Iterator[str]:
        """The summary: findings by severity, what they rest on, what can be fixed, what is missing for a full answer."""
        findings = [finding for result in results for finding in result.findings]
        if len(results) == 1:
            only = results[0]
            where = f"on {safe(only.host)}" if not only.repository else f"in {'' if only.is_file else 'the repository '}{safe(only.host)}"
            outcome = self._outcome(only)
            parts = [f"{safe(only.host)}: {outcome}" if no_verdict(only) else f"{outcome} {where}", self._basis(results)]
        else:
            troubled = sum(1 for result in results if result.findings)
            kinds = {result.repository for result in results}
            among = f"{len(results)} {'hosts' if kinds == {False} else 'repositories' if kinds == {True} else 'hosts and repositories'}"
            at = "in" if kinds == {True} else "on"
            where = f"{at} {troubled} of {among}" if findings else f"{at} {among}"
            parts = [f"{_tally(findings)} {where}", self._basis(results)]
        parts += _fixable(results)
        if taken := obeyed(results):
            parts.append(taken)
        for base in sorted({result.compared.base for result in results if result.compared is not None}):
            parts += compared_with(base, [each.compared for each in results if each.compared is not None and each.compared.base == base])
        if accepted := accepted_by(results):
            parts.append(accepted + ("" if self.verbose or self.show_allowed else " (-v lists them)"))
        unreadable = sum(len(result.unreadable) for result in results)
        if unreadable:
            parts.append(f"{counted(unreadable, 'place')} could not be read, so this result is incomplete")
        if missing := uncovered(results):
            parts.append(missing)
        blind = [result for result in results if no_verdict(result)]
        if blind and len(results) > 1:
            parts.append(f"inconclusive for {', '.join(safe(result.host) for result in blind)}")
        role: Role = in_reading_order(findings)[0].severity if findings else "bad" if blind or unreadable else "good"
        yield from self._paragraph("; ".join(parts), role)

    def _outcome(self, result: HostResult) -> str:
        return no_verdict(result) or _tally(result.findings)

    def _basis(self, results: Sequence[HostResult]) -> str:
        read = f"{counted(sum(result.files_read for result in results), 'file')} read"
        # How many rules there are says nothing of a host, and changes with each release.
        return f"{read}, {counted(max(result.rules_checked for result in results), 'rule')} checked" if self.verbose else read

    # ── one finding ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _finding(self, group: Sequence[Finding], result: HostResult, shown: set[Span], above: Span | None) -> Iterator[str]:
        """Findings that differ only in their subject and place: the first in full, then where the others are.

        Excerpts of notes in `shown` are not repeated, nor that of the finding right `above` at the same place.
        """
        yield from self._heading(group)
        finding = group[0]
        repeated = finding.at == above
        every, plain = spots(finding, result, self.said, shown)
        shown.update(mark.at for marks in every.values() for mark in marks if mark.role == "note")
        files = {path: marks if self.verbose else marks[:_MOST_MARKS] for path, marks in every.items()}
        marks = [mark for marks in files.values() for mark in marks]
        gutter = gutter_of(mark for mark in marks if can_show(mark.at, result.sources))
        for index, (path, marked) in enumerate(files.items()):
            if index == 0 and is_default(finding.at, result):
                said = f"{place(finding.at)}, the kernel's default"
                yield f"{' ' * gutter}{self.style('frame', '-->')} {said}"
                continue
            if repeated and index == 0 and len(marked) == 1:
                yield f"{' ' * gutter}{self.style('frame', '-->')} {self._place(finding.at)}"
                continue
            yield from excerpt(marked, result.sources, gutter, self.width, self.style, "-->" if index == 0 else ":::")
            if more := len({mark.at.line for mark in every[path]} - {mark.at.line for mark in marked}):
                yield f"{' ' * gutter} {self.style('frame', '=')} {counted(more, 'more line')} of this file with -v"
        yield from self._remarks(group, plain, result, gutter)
        yield from self._others(group, gutter)

    def _heading(self, group: Sequence[Finding]) -> Iterator[str]:
        finding = group[0]
        severity = finding.severity
        tag = f"{severity}[{finding.card.id}]"
        count = f" ({len(group)} findings)" if len(group) > 1 else ""
        message, *more = wrap(self.said(finding.message), self.width - 2, self.width - len(tag) - len(count) - 2)
        yield f"{self.style(severity, tag)}{count}: {self.style('strong', message)}"
        for line in more:
            yield f"  {self.style('strong', line)}"

    def _remarks(self, group: Sequence[Finding], notes: Sequence[Note], result: HostResult, gutter: int) -> Iterator[str]:
        for key, text, role in remarks(group, notes, result, self.said, self._behind(group[0], result)):
            head = f"{' ' * (gutter + 1)}{self.style('frame', '=')} {self.style(role, key)}: "
            yield from self._item(head, safe(text), gutter + 5 + len(key), gutter + 5)

    def _behind(self, finding: Finding, result: HostResult) -> Iterator[Remark]:
        """If `verbose`: the values that lost against those of a finding's lines, and why its rule exists, once for each rule."""
        if not self.verbose:
            return
        places = {finding.at, *(note.at for note in finding.notes)}
        for sysctl in dict.fromkeys(sysctl for sysctl in result.overridden if sysctl.at in places):
            for overridden in sysctl.overridden:
                value = hide_value(sysctl.key, overridden.value, overridden.at, result.sources) or "(empty)"
                yield "overridden", f"{sysctl.key} = {value} ({overridden.at}): {overridden.reason}", "note"
        card = finding.card
        if card.id not in self._explained:
            self._explained.add(card.id)
            yield "why", " ".join(card.why.split()), "strong"
            yield from (("see", reference, "strong") for reference in card.references)

    def _others(self, group: Sequence[Finding], gutter: int) -> Iterator[str]:
        """Where the findings are that are said with the first: place, unit and port, as far as they differ."""
        if len(group) == 1:
            return
        indent = " " * (gutter + 5)
        table, told = apart(group)
        count = f"{len(group) - 1} more {'like this' if 0 in told else 'here'}"
        yield f"{' ' * (gutter + 1)}{self.style('frame', '=')} {self.style('strong', count)}:"
        columns = [max(width(row[index]) for row in table[1:]) for index in told]
        spare = self.width - len(indent) - sum(columns) - _GAP * (len(columns) - 1)
        # A few long places must not push all others off the page: they get lines of their own, and where most are long, all do.
        room = max(columns[0] + min(spare, 0), 0)
        stacked = 2 * sum(width(row[told[0]]) > room for row in table[1:]) > len(group) - 1
        columns[0] = 0 if stacked else room
        aligned = len(indent) + sum(columns) + _GAP * (len(columns) - 1) <= self.width
        for finding, row in zip(group[1:], table[1:], strict=True):
            first, *rest = (row[index] for index in told)
            tail = (" " * _GAP).join(_padded(cell, columns[index] if aligned else 0) for index, cell in enumerate(rest, 1)).rstrip()
            shown = f"{indent}{self._linked(first, finding.at)}"
            if width(first) > columns[0] and tail:
                yield shown
                shown, first = indent, ""
            yield f"{shown}{' ' * (columns[0] - width(first) + _GAP)}{tail}" if tail else shown

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _item(self, head: str, text: str, taken: int = 2, indent: int = 6) -> Iterator[str]:
        """A head of `taken` columns (colours aside) and the words after it, going on further in."""
        first, *more = wrap(text, self.width - indent, self.width - taken)
        yield f"{head}{first}"
        for line in more:
            yield f"{' ' * indent}{line}"

    def _located(self, at: Span, text: str) -> Iterator[str]:
        """A place and what there is to say of it."""
        first, *more = self._item("  ", f"{place(at)}: {text}")
        yield self._linked(first, at)
        yield from more

    def _place(self, at: Span) -> str:
        return self.style.link(at.path, place(at))

    def _linked(self, line: str, at: Span) -> str:
        """A line with the place in it made a link."""
        before, shown, after = line.partition(place(at))
        return f"{before}{self.style.link(at.path, shown)}{after}"

    def _paragraph(self, text: str, role: Role) -> Iterator[str]:
        for line in wrap(text, self.width):
            yield self.style(role, line)


def _told(group: tuple[Finding, ...], result: HostResult) -> object:
    """All that a report tells of findings that it says together: they, and the lines that it shows of them."""
    spans = [group[0].at, *(note.at for note in group[0].notes if note.at is not None)]
    lines = [result.sources[at.path].line(line) for at in spans if at.path in result.sources for line in (at.line, at.end_line)]
    return group, tuple(lines)


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _fixable(results: Sequence[HostResult]) -> Iterator[str]:
    """How many findings `portwright fix` plans, and how many more where it may plan what is to be reviewed."""
    tried = _tried(result for result in results if not result.repository)
    reviewed = sum(1 for finding in tried if needs(finding) is not None)
    if len(tried) > reviewed:
        yield f"{len(tried) - reviewed} fixable with `portwright fix`" + (f", {reviewed} more with {ALLOW_REVIEW}" if reviewed else "")
    elif reviewed:
        yield f"{reviewed} fixable with `portwright fix {ALLOW_REVIEW}`"
    patched = _tried(result for result in results if result.repository)
    if patched:
        yield f"`portwright fix --patch FILE` tries a patch for {len(patched)} of them"


def _tried(results: Iterable[HostResult]) -> list[Finding]:
    return [finding for result in results for finding in result.findings if finding.change is not None and not why_not(finding, result)]


def _tally(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    counts = Counter(finding.severity for finding in findings)
    by_severity = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
    return f"{counted(len(findings), 'finding')} ({by_severity})"
