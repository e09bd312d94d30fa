"""What is new: the verdict on a repository against that on one of its revisions, or on hosts with its files laid over them."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from portwright._start.records import dataclass, replace
from portwright.audit.check import Selection, ignored_by, opened, read, ready, verdict_on
from portwright.audit.inputs import Input
from portwright.coverage import Coverage, LeftOut
from portwright.facts import weakest
from portwright.finding import SEVERITIES, Compared, Finding, HostResult, Severity
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.repositories.laying import Deployment, Laid, laid
from portwright.repositories.reading import read_repository
from portwright.repositories.written import as_written
from portwright.rules import Rule
from portwright.source import Source, Span, Unreadable
from portwright.trees import ReadError, Tree
from portwright.trees.overlay import OverlayTree
from portwright.trees.revision import Revision, RevisionError, RevisionTree

_AS_IT_IS = "the host as it is"
_MOST_LAYOUTS = 50
"""How many of the hosts that a repository describes are laid over a host, one after the other."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each input: the rules, which findings are kept, the ids of all rules, and the rate that hosts must keep up."""

    rules: tuple[Rule, ...]
    selection: Selection
    known: frozenset[str]
    rate: int | None = None

    def of(self, hosts: tuple[Host, ...], given: Input) -> HostResult:
        """The verdict on what an input was read as."""
        return verdict_on(hosts, given, self.rules, self.selection, self.known)


# ── a revision ──────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict_since(given: Input, question: Question, since: Revision) -> HostResult:
    """The verdict on a repository, without what that on the revision said, too. A file that only moved is not new."""
    now = question.of(read(given, question.rate), given)
    base = f"{since.name} ({since.commit[:12]})"
    try:
        tree = RevisionTree(since)
    except RevisionError as error:
        unknown = Unreadable(Span.whole(given.name), f"what it was at {base} cannot be read, so what is new is not known: {error}")
        return _compared(replace(now, unreadable=(*now.unreadable, unknown)), (), lambda finding: finding.fingerprint, base)
    try:
        read_before = read_repository(tree, given.name, said=dict(given.said))
        before = question.of(tuple(ready(host, question.rate) for host in read_before), given)
    finally:
        tree.close()
    moved = _moved(before.sources, now.sources)

    def key(finding: Finding) -> Hashable:
        path = finding.at.path
        return replace(finding, at=replace(finding.at, path=moved.get(path, path))).fingerprint

    reason = f"git has no object here for what it was at {base}, so what of it is new is not known"
    now = replace(now, unreadable=(*now.unreadable, *(Unreadable(Span.whole(path), reason) for path in sorted(set(tree.lost)))))
    return _compared(now, before.findings, key, base)


def _moved(before: Mapping[str, Source], now: Mapping[str, Source]) -> dict[str, str]:
    """Where a file lay before: the path of one that is gone and had the same text."""
    gone = {source.text: path for path, source in before.items() if path not in now}
    return {path: gone[source.text] for path, source in now.items() if path not in before and source.text in gone}


def _compared(now: HostResult, before: Iterable[Finding], key: Callable[[Finding], Hashable], base: str) -> HostResult:
    """The verdict without the findings that were there before and are no worse now: each accounts for one."""
    kept = unmatched(now.findings, key, [(key(finding), finding.severity) for finding in before])[0]
    return replace(now, findings=kept, compared=Compared(base, len(now.findings) - len(kept)))


def unmatched(
    findings: Iterable[Finding], key: Callable[[Finding], Hashable], before: Iterable[tuple[Hashable, Severity]]
) -> tuple[tuple[Finding, ...], int]:
    """(the findings that nothing of before accounts for, how much of before accounts for none): each for one that is no worse."""
    known: dict[Hashable, list[int]] = {}
    for each, severity in before:
        known.setdefault(each, []).append(SEVERITIES.index(severity))
    kept: list[Finding] = []
    for finding in findings:
        alike = known.get(key(finding), [])
        # The mildest that will do, so that a worse one is left for a worse finding.
        was = max((severity for severity in alike if severity <= SEVERITIES.index(finding.severity)), default=None)
        if was is None:
            kept.append(finding)
        else:
            alike.remove(was)
    return tuple(kept), sum(map(len, known.values()))


# ── hosts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def deployment(repositories: Iterable[Input]) -> Deployment:
    """What these repositories lay over hosts."""
    layouts: list[Laid] = []
    sources: dict[str, Source] = {}
    coverage: list[Coverage] = []
    unreadable: list[Unreadable] = []
    for given in repositories:
        with opened(given) as tree:
            found = laid(tree, given.explicit, _MOST_LAYOUTS, ignored_by(tree))
        layouts += found.layouts
        sources |= found.sources
        coverage.append(found.coverage)
        unreadable += found.unreadable
    return Deployment(tuple(layouts), sources, Coverage.union(coverage), tuple(unreadable))


def verdict_onto(given: Input, question: Question, deployed: Deployment) -> HostResult:
    """What the rules find on a host once what is deployed lies there, and do not find on it as it is."""
    with opened(given) as tree:
        before = _host(tree, given, question)
        found: dict[Hashable, Finding] = {}
        results = []
        left: list[LeftOut] = []
        for layout in deployed.layouts:
            try:
                with_it = _host(OverlayTree(tree, layout.edits, layout.links, layout.labels), given, question)
            except ReadError as error:
                left.append(LeftOut(layout.name, f"it cannot be laid over {given.name}: {error.path}: {error.reason}"))
                continue
            told = tuple(each for each in with_it.unreadable if (each.at.path, each.at.line) not in layout.blank)
            sources = {path: source for path, source in with_it.sources.items() if path not in layout.lines} | dict(deployed.sources)
            host = replace(as_written(replace(with_it, unreadable=told, sources={}), layout.lines, deployed.sources), sources=sources)
            results.append(_compared(question.of((host,), given), question.of((before,), given).findings, _what, _AS_IT_IS))
    if not results:
        result = replace(question.of((before,), given), findings=(), compared=Compared(_AS_IT_IS, 0, True))
        return replace(result, coverage=Coverage.union((result.coverage, deployed.coverage, Coverage(left_out=tuple(left)))))
    for result in results:
        for finding in result.findings:
            # Nothing says that what a repository has is deployed to this very host.
            sure = replace(finding, confidence=weakest(finding.confidence, "likely"))
            found.setdefault((finding.card.id, finding.at, finding.subject), sure)
    return replace(
        results[0],
        findings=tuple(sorted(found.values(), key=lambda f: (f.at, f.card.id, f.message))),
        unreadable=tuple(sorted({each for result in results for each in result.unreadable} | set(deployed.unreadable))),
        sources={path: source for result in results for path, source in result.sources.items()},
        coverage=Coverage.union((*(result.coverage for result in results), deployed.coverage, Coverage(left_out=tuple(left)))),
        compared=Compared(_AS_IT_IS, min(result.compared.not_counted for result in results if result.compared is not None), True),
    )


def _host(tree: Tree, given: Input, question: Question) -> Host:
    return ready(read_host(tree, given.name, given.identity), question.rate)


def _what(finding: Finding) -> Hashable:
    """A finding is the same though the file that says it is another one now."""
    return finding.card.id, finding.subject


def refusal(repositories: Sequence[Input], hosts: Sequence[Input]) -> str:
    """Why this cannot be asked, in a line; "" where it can."""
    wrong = next((each for each in repositories if each.kind == "host"), None)
    if wrong is not None:
        return f"{wrong.path} is a host; with --onto a repository is checked"
    odd = next((each for each in hosts if each.kind != "host"), None)
    return "" if odd is None else f"--onto {odd.path}: this is no host"
