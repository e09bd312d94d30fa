"""A patch for a repository: read it, check it, and read it again with what is proposed laid over it."""

from collections.abc import Mapping

from portwright.audit.check import Selection, ignored_by, opened, ready, verdict_on
from portwright.audit.inputs import Input
from portwright.finding import Finding
from portwright.fixes.patch import Patch, Seen, patch
from portwright.fixes.patches.place import Texts
from portwright.fixes.plan import FixPolicy
from portwright.host import Host
from portwright.repositories.checkout import Checkout
from portwright.repositories.reading import read_repository
from portwright.rules import Rule, evaluate
from portwright.trees import ReadError
from portwright.trees.overlay import OverlayTree


def patched(
    given: Input, rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], policy: FixPolicy, rate: int | None = None
) -> Patch:
    """A patch for what the rules find in one repository, proven by reading it again with the patch laid over it."""
    with opened(given) as tree:
        paths = {tree.label(path): path for path in tree.walk(lambda error: None)}

        def examine(texts: Mapping[str, str]) -> Seen:
            edits: dict[str, bytes | None] = {}
            for label, text in texts.items():
                path = paths.get(label, f"/{label}")
                if tree.resolve(path) != path:
                    raise ReadError(label, f"a symbolic link leads to {tree.resolve(path)}")
                edits[path] = text.encode("utf-8", "surrogateescape")
            laid = OverlayTree(tree, edits) if edits else tree
            hosts = tuple(ready(host, rate) for host in read_repository(laid, given.name, given.explicit, ignored_by(tree)))
            result = verdict_on(hosts, given, rules, selection, known)
            return Seen(
                hosts, result.findings, _shown(hosts, rules, result.findings), result.unreadable, result.coverage, result.files_read
            )

        checkout = Checkout(tree, paths.values())
        return patch(given.name, examine, lambda laid: Texts(checkout, laid), policy)


def _shown(hosts: tuple[Host, ...], rules: tuple[Rule, ...], findings: tuple[Finding, ...]) -> dict[str, tuple[Host, ...]]:
    """Which of the hosts that a repository makes show a finding."""
    wanted = {finding.fingerprint for finding in findings if finding.change is not None}
    found: dict[str, list[Host]] = {}
    asked = tuple(rule for rule in rules if any(finding.card.id == rule.card.id for finding in findings if finding.change is not None))
    for host in hosts if wanted else ():
        for fingerprint in {finding.fingerprint for finding in evaluate(host, asked)[0]} & wanted:
            found.setdefault(fingerprint, []).append(host)
    return {fingerprint: tuple(own) for fingerprint, own in found.items()}
