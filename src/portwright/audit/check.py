"""Check inputs: read what each one is, hold the selected rules against it, keep what was asked for."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from portwright._start.records import dataclass, field, replace
from portwright.audit.inputs import Input
from portwright.coverage import Coverage
from portwright.facts import CONFIDENCES, Confidence
from portwright.finding import Allowed, Finding, HostResult, Note, Severity
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.ports import PortSet
from portwright.reports.secrets import (
    coverage_without_secrets,
    hide_in_source,
    listeners_without_secrets,
    outbounds_without_secrets,
    reasons_without_secrets,
    without_secrets,
)
from portwright.rules import Rule, evaluate
from portwright.source import Source, Span, Unreadable
from portwright.system.sysctl.settle import defaults
from portwright.trees import ReadError, Tree
from portwright.trees.directory import DirectoryTree

if TYPE_CHECKING:
    from portwright.fixes.ansible import Before
    from portwright.fixes.plan import Plan
    from portwright.fixes.policy import FixPolicy
    from portwright.system.host_files.sockets import Listening


NO_PORTS = PortSet()


class SelectionError(ValueError):
    """A rule or family that was asked for does not exist; the message names the nearest one that does."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """Rules or families that a configuration does not count in some files: `covers` is asked for a file, a rule and its family."""

    covers: Callable[[str, str, str], bool]
    words: tuple[str, ...]
    reason: str
    origin: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules to hold and which findings to keep. A word of `select`, `ignore` or `extend` is a rule's id or a family.

    `severities` are those that a configuration gives to rules or families, each with what says so. `config` is that configuration.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    least: Confidence = "possible"
    severities: Mapping[str, tuple[Severity, str]] = field(default_factory=dict)
    path_rules: tuple[PathRule, ...] = ()
    config: str = ""

    def of(self, rules: Iterable[Rule]) -> tuple[Rule, ...]:
        """The rules that are selected, each with its severity here; raises SelectionError for what is neither a rule nor a family."""
        rules = tuple(rules)
        known = {rule.card.id for rule in rules} | {rule.card.family for rule in rules}
        remapped = [(word, origin) for word, (_, origin) in self.severities.items()]
        apart = [(word, each.origin) for each in self.path_rules for word in each.words]
        for word, origin in (*((word, "") for word in (*self.select, *self.ignore, *self.extend)), *remapped, *apart):
            if word not in known:
                from difflib import get_close_matches

                near = get_close_matches(word, sorted(known), 1)
                said = f"there is no rule or family named {word!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                raise SelectionError(f"{origin}: {said}" if origin else said)
        wanted = {*self.select, *self.extend} if self.select else known

        def is_in(rule: Rule, words: Iterable[str]) -> bool:
            return not {rule.card.id, rule.card.family}.isdisjoint(words)

        found = (rule for rule in rules if is_in(rule, wanted) and (not is_in(rule, self.ignore) or is_in(rule, self.extend)))
        return tuple(map(self._with_its_severity, found) if self.severities else found)

    def _with_its_severity(self, rule: Rule) -> Rule:
        said = self.severities.get(rule.card.id) or self.severities.get(rule.card.family)
        return rule if said is None else replace(rule, card=replace(rule.card, remapped=said[0]))

    def accepted(self, findings: Iterable[Finding], given: Input) -> tuple[tuple[Finding, ...], tuple[Allowed, ...]]:
        """(the findings of a repository that stay, those that a configuration does not count where they are)."""
        kept: list[Finding] = []
        accepted: list[Allowed] = []
        for finding in findings:
            path = given.path if given.kind == "file" else os.path.join(given.path, finding.at.path)
            card = finding.card
            by = next((each for each in self.path_rules if each.covers(path, card.id, card.family)), None)
            if by is None:
                kept.append(finding)
            else:
                accepted.append(Allowed(card.id, finding.at, by.reason, by.origin))
        return tuple(kept), tuple(accepted)

    def keeps(self, finding: Finding) -> bool:
        """Whether a finding is sure enough to be reported."""
        return CONFIDENCES.index(finding.confidence) <= CONFIDENCES.index(self.least)


def read(given: Input, rate: int | None = None) -> tuple[Host, ...]:
    """The facts of one input. A repository whose files want the same place on a host reads as several hosts, one each.

    `rate` is how many new connections a second to one destination each host is said to need.
    """
    if given.kind == "host" and given.unavailable_reason:
        return (unread(given, given.unavailable_reason),)
    with ExitStack() as leaving:
        try:
            tree = leaving.enter_context(opened(given))
        except ReadError as error:  # an archive
            return (unread(given, error.reason),)
        if given.kind == "host":
            return (host_of(tree, given, rate),)
        # Telling configs apart takes patterns that a host has no use for.
        from portwright.repositories.reading import read_repository

        return tuple(ready(host, rate) for host in read_repository(tree, given.name, given.explicit, ignored_by(tree), dict(given.said)))


def host_of(tree: Tree, given: Input, rate: int | None = None) -> Host:
    """The facts of the host that an input is, read from its tree."""
    return ready(_noted(read_host(tree, given.name, given.identity), given, tree), rate)


def listening(given: Input) -> "tuple[Listening, ...]":
    """What listened on a host when it was copied, as far as its copy says so."""
    from portwright.system.host_files.sockets import listening as found
    from portwright.trees import Files

    if given.unavailable_reason:
        return ()
    try:
        with opened(given) as tree:
            return found(Files(tree))
    except ReadError:  # an archive; `read` says so
        return ()


def _noted(host: Host, given: Input, tree: Tree) -> Host:
    """A host with what is odd about the archive that holds it."""
    if given.within is None:
        return host
    from portwright.trees.archive import ArchiveTree
    from portwright.trees.seen import SeenTree

    odd = tree.notices if isinstance(tree, ArchiveTree | SeenTree) else ()
    return replace(host, unreadable=(*host.unreadable, *(Unreadable(Span.whole(path), reason) for path, reason in odd))) if odd else host


def ignored_by(tree: Tree) -> Mapping[str, str]:
    """What a walk of a tree has gone past, each path with the reason: it grows with the walk."""
    from portwright.trees.repository import RepositoryTree

    return tree.ignored if isinstance(tree, RepositoryTree) else {}


def ready(host: Host, rate: int | None) -> Host:
    """A host as rules and reports want it: no secret in its words, and the rate it must keep up."""
    host = replace(
        host,
        listeners=listeners_without_secrets(host.listeners, host.sources),
        outbounds=outbounds_without_secrets(host.outbounds, host.sources),
        unreadable=reasons_without_secrets(host.unreadable, host.sources),
        coverage=coverage_without_secrets(host.coverage, host.sources),
    )
    return host if rate is None else replace(host, expected_rate=rate)


def verdict(given: Input, rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], rate: int | None = None) -> HostResult:
    """What the rules find in one input. `known` are the ids of all rules there are, which an allow comment may name."""
    return verdict_on(read(given, rate), given, rules, selection, known)


def verdict_on(hosts: tuple[Host, ...], given: Input, rules: tuple[Rule, ...], selection: Selection, known: frozenset[str]) -> HostResult:
    """What the rules find in the hosts that an input was read as."""
    findings: dict[tuple[object, ...], Finding] = {}
    unreadable = {u for host in hosts for u in host.unreadable}
    for host in hosts:
        found, stopped = evaluate(host, rules)
        unreadable.update(stopped)
        for finding in (without_secrets(_across_roles(host, finding), host.sources) for finding in found):
            if selection.keeps(finding):
                findings.setdefault((finding.card.id, finding.at, finding.subject), finding)
    sources = {path: source for host in hosts for path, source in host.sources.items()}
    kept = tuple(sorted(findings.values(), key=lambda f: (f.at, f.card.id, f.message)))
    accepted: tuple[Allowed, ...] = ()
    troubles: tuple[Unreadable, ...] = ()
    unused: tuple[Unreadable, ...] = ()
    if given.kind != "host":
        from portwright.rules.allowing import allowed

        # What is held back as too unsure may be what a comment is for.
        run = {rule.card.id for rule in rules} if selection.least == "possible" else frozenset[str]()
        kept, accepted, troubles, unused = allowed(kept, sources, known, run)
        if selection.path_rules:
            kept, by_path = selection.accepted(kept, given)
            accepted = (*accepted, *by_path)
    elif any("portwright:" in source.text for source in sources.values()):
        from portwright.rules.allowing import without_effect

        unused = tuple(without_effect(sources))
    return HostResult(
        host=given.name,
        files_read=hosts[0].files_read if len(hosts) == 1 else len(sources.keys() - {defaults().path}),
        rules_checked=len(rules),
        findings=kept,
        allowed=accepted,
        unreadable=(*sorted(unreadable), *troubles),
        sources=sources,
        repository=given.kind != "host",
        is_file=given.kind == "file",
        checkout_prefix=given.checkout_prefix,
        overridden=tuple(sysctl for host in hosts for sysctl in host.sysctls if sysctl.overridden),
        coverage=Coverage.union(host.coverage for host in hosts),
        unread_init=hosts[0].unread_init,
        config=selection.config,
        unused=unused,
    )


def unfinished(given: Input, rules: tuple[Rule, ...], reason: str) -> HostResult:
    """The verdict on an input whose check did not come to its end: none, and why."""
    return HostResult(
        host=given.name,
        files_read=0,
        rules_checked=len(rules),
        unreadable=(Unreadable(Span.whole(given.path), reason),),
        repository=given.kind != "host",
    )


def unread(given: Input, reason: str) -> Host:
    """An input of which nothing is known, and why."""
    return Host(given.name, repository=given.kind != "host", unreadable=(Unreadable(Span.whole(given.path), reason),))


def _across_roles(host: Host, finding: Finding) -> Finding:
    """A finding of a repository that rests on another role's line is only possible: a machine may have one without the other.

    What lies in no role's folder is taken to be for every machine.
    """
    own = host.roles.get(finding.at.path, "")
    others = {host.roles.get(note.at.path, "") for note in finding.notes if note.at is not None} - {own, ""}
    if not others:
        return finding
    note = Note(f"no file states that a machine with {own or 'this file'} also has {', '.join(sorted(others))}")
    return replace(finding, confidence="possible", notes=(*finding.notes, note))


def planned(
    given: Input,
    rules: tuple[Rule, ...],
    selection: Selection,
    known: frozenset[str],
    policy: "FixPolicy",
    rate: int | None = None,
    taken_elsewhere: PortSet = NO_PORTS,
) -> "Plan":
    """A plan for what the rules find on one host, proven by reading the host again with the plan's files laid over it.

    No service moves to a port that is `taken_elsewhere`, on another host of its group.
    A repository is read and checked as `verdict` does; its plan is empty and says why.
    """
    from portwright.fixes.plan import FLEETING, plan
    from portwright.trees.overlay import OverlayTree

    if given.kind != "host":
        result = verdict(given, rules, selection, known, rate)
        seen = Host(
            given.name,
            repository=True,
            sources=result.sources,
            unreadable=result.unreadable,
            files_read=result.files_read,
            coverage=result.coverage,
        )
        return plan(seen, result.findings, lambda edits: (seen, result.findings), policy)

    def examine(edits: Mapping[str, bytes | None]) -> tuple[Host, tuple[Finding, ...]]:
        for path in edits:
            # Nobody's link is replaced, and nothing is written to where a link leads.
            if tree.resolve(path) != path:
                raise ReadError(path, f"a symbolic link leads to {tree.resolve(path)}")
            # The playbook says what it replaces, so what cannot be read is not replaced.
            if tree.kind(path) == "file":
                tree.read(path)
            # What was captured of the running system is laid over the copy for the proof, and written nowhere.
            if not path.startswith(FLEETING) and (line := _first_secret(path, edits[path])) is not None:
                raise ReadError(path, f"line {line} holds a secret, and so would the plan, which holds the whole file")
        host = ready(read_host(OverlayTree(tree, edits) if edits else tree, given.name, given.identity), rate)
        host = replace(host, taken_elsewhere=taken_elsewhere) if taken_elsewhere else host
        found, stopped = evaluate(host, rules)
        host = replace(host, unreadable=(*host.unreadable, *stopped))
        return host, tuple(without_secrets(finding, host.sources) for finding in found if selection.keeps(finding))

    # Each proof reads the host again: the tree keeps what it saw of directories and links.
    with opened(given) as tree:
        host, found = examine({})
        made = plan(replace(host, links=_links(host, tree)), found, examine, policy)
        if any(step.caution(made.host) for step in made.steps):
            from portwright.system.host_files.firewalls import firewall_rules

            made = replace(made, host=replace(made.host, sources={**firewall_rules(tree), **made.host.sources}))
        return made


def _first_secret(path: str, content: bytes | None) -> int | None:
    """The first line that holds a secret as far as reports know one; a plan is kept, sent and shown, so it copies none."""
    source = Source(path, (content or b"").decode("utf-8", "surrogateescape"))
    numbers = range(1, source.text.count("\n") + 2)
    return next((number for number in numbers if hide_in_source(source, number) != source.line(number)), None)


def _links(host: Host, tree: Tree) -> dict[str, str]:
    """Where the files lie that were read over a link."""
    found: dict[str, str] = {}
    for path in host.sources:
        with suppress(ReadError):
            if path.startswith("/") and (real := tree.resolve(path)) != path:
                found[path] = real
    return found


def before(given: Input, made: "Plan") -> "Before":
    """What a host holds where a plan writes, and which of the files in /etc that it rests on are not there.

    Of files elsewhere a copy of a host may lack some.
    """
    from portwright.fixes.ansible import Before
    from portwright.fixes.plan import FLEETING

    holds: dict[str, bytes | None] = {}
    with opened(given) as tree:
        for place in (place for path in made.edits for place in (path, path.rpartition("/")[0])):
            kind = tree.kind(place)
            holds[place] = tree.read(place) if kind == "file" else (b"" if kind == "directory" else None)
        rests = made.rests_on()
        asked = rests - made.host.sources.keys()
        lacks = frozenset(path for path in asked if path.startswith("/etc/") and _is_missing(tree, path))
        fleeting = frozenset(path for path in rests - asked if tree.resolve(path).startswith(FLEETING))
        names = {}
        for folder in made.folders():
            with suppress(ReadError):  # it was said where it was read
                names[folder] = tuple(filter(_is_plain, tree.names(folder)))
    return Before(holds, lacks, fleeting, names)


def _is_plain(name: str) -> bool:
    """Whether a name of a *.conf is the same on each way to a host and back."""
    return name.endswith(".conf") and name.isascii() and name.isprintable()


def _is_missing(tree: Tree, path: str) -> bool:
    try:
        return tree.kind(path) == "missing"
    except ReadError:
        return False  # a loop of links


def located(given: Input, paths: Iterable[str]) -> dict[str, str]:
    """Where on this machine the files lie that a report names: a host's links lead nowhere but into the host."""
    if given.unavailable_reason or given.content is not None or given.within is not None:
        return {}
    top = os.path.abspath(given.path)
    if given.kind == "file":
        return {given.path: top}
    found: dict[str, str] = {}
    with opened(given) as tree:
        for path in paths:
            try:
                real = tree.resolve(path if path.startswith("/") else f"/{path}")
                if tree.kind(real) != "missing":
                    found[path] = f"{top.rstrip('/')}{real.removeprefix('/etc') if given.is_etc else real}"
            except ReadError:
                continue  # the report says what is wrong with it
    return found


@contextmanager
def opened(given: Input) -> Iterator[Tree]:
    """The tree of an input, closed afterwards."""
    tree = given.tree
    try:
        yield tree
    finally:
        if isinstance(tree, DirectoryTree):
            tree.close()
