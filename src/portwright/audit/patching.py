"""A patch for a repository: read it, check it, and read it again with what is proposed laid over it."""

from collections.abc import Mapping

from portwright._start.records import replace
from portwright.audit.buffers import Buffers, laid_over
from portwright.audit.check import Selection, ignored_by, opened, ready, verdict, verdict_on
from portwright.audit.inputs import Input
from portwright.finding import Finding, HostResult
from portwright.fixes.patch import MOST_PROOFS, Patch, Seen, patch
from portwright.fixes.patches.place import Texts
from portwright.fixes.policy import FixPolicy
from portwright.host import Host
from portwright.repositories.checkout import Checkout
from portwright.repositories.reading import read_repository
from portwright.rules import Rule, evaluate
from portwright.trees import ReadError
from portwright.trees.overlay import OverlayTree

NO_BUFFERS: Buffers = {}
MOST_FOR_A_REPORT = 8
"""How often a repository is read again for a report; `fix` itself looks further."""


def patched(
    given: Input,
    rules: tuple[Rule, ...],
    selection: Selection,
    known: frozenset[str],
    policy: FixPolicy,
    rate: int | None = None,
    most: int | None = None,
    buffers: Buffers = NO_BUFFERS,
) -> Patch:
    """A patch for what the rules find in one repository, proven by reading it again with the patch laid over it, at most `most` times.

    `buffers` are what an editor has in the place of its files.
    """
    with opened(given) as disk:
        tree = laid_over(disk, given, buffers) if buffers else disk
        paths = {tree.label(path): path for path in tree.walk(lambda error: None)}

        def examine(texts: Mapping[str, str]) -> Seen:
            edits: dict[str, bytes | None] = {}
            for label, text in texts.items():
                path = paths.get(label, f"/{label}")
                if tree.resolve(path) != path:
                    raise ReadError(label, f"a symbolic link leads to {tree.resolve(path)}")
                edits[path] = text.encode("utf-8", "surrogateescape")
            laid = OverlayTree(tree, edits) if edits else tree
            read = read_repository(laid, given.name, given.explicit, ignored_by(disk), dict(given.said))
            hosts = tuple(ready(host, rate) for host in read)
            result = verdict_on(hosts, given, rules, selection, known)
            return Seen(hosts, result, _shown(hosts, rules, result.findings))

        checkout = Checkout(tree, paths.values())
        return patch(given.name, examine, lambda laid: Texts(checkout, laid), policy, MOST_PROOFS if most is None else most)


def verdict_and_patch(
    given: Input, rules: tuple[Rule, ...], selection: Selection, known: frozenset[str], rate: int | None = None
) -> HostResult:
    """What the rules find in one input, and of a repository's findings what a patch was seen to do for them."""
    if given.kind == "host":
        return verdict(given, rules, selection, known, rate)
    made = patched(given, rules, selection, known, FixPolicy(review=True), rate, MOST_FOR_A_REPORT)
    return replace(made.seen.result, repairs=made.repairs())


def _shown(hosts: tuple[Host, ...], rules: tuple[Rule, ...], findings: tuple[Finding, ...]) -> dict[str, tuple[Host, ...]]:
    """Which of the hosts that a repository makes show a finding."""
    wanted = {finding.fingerprint for finding in findings if finding.change is not None}
    found: dict[str, list[Host]] = {}
    asked = tuple(rule for rule in rules if any(finding.card.id == rule.card.id for finding in findings if finding.change is not None))
    for host in hosts if wanted else ():
        for fingerprint in {finding.fingerprint for finding in evaluate(host, asked)[0]} & wanted:
            found.setdefault(fingerprint, []).append(host)
    return {fingerprint: tuple(own) for fingerprint, own in found.items()}
