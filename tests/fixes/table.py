"""How much of what is found a plan fixes: the findings of medium severity and above, planned as safe, planned with review, by hand and why.

    .venv/bin/python -m tests.fixes.table FOLDER ...     folders of hosts and repositories, or one of them; the table, and each reason
    .venv/bin/python -m tests.fixes.table --each ...     also a line for each finding that is left to a person
    .venv/bin/python -m tests.fixes.table --promised ... instead a line for each finding that `check` calls fixable and no plan mends

A folder of which each entry holds a `root` (a case with its expectation beside it) is read as those.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from portwright._start.records import dataclass
from portwright.audit.check import Selection, planned, verdict
from portwright.audit.inputs import Input, inputs
from portwright.finding import Finding
from portwright.fixes.policy import FixPolicy
from portwright.reports.fixable import needs, why_not
from portwright.rules import Rule, load
from portwright.shipped import rules_directory

How = Literal["safe", "review", "by hand"]
COUNTED = ("high", "medium")


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, how it is fixed, and why not where a person has to."""

    host: str
    repository: bool
    finding: Finding
    how: How
    reason: str = ""


def places(folder: Path) -> Iterator[Path]:
    """What is read of a folder: the roots of cases, or itself."""
    roots = sorted(each / "root" for each in folder.iterdir() if (each / "root").is_dir())
    yield from roots or [folder]


def rows(given: Input, rules: tuple[Rule, ...]) -> Iterator[Row]:
    """The findings that count of one input, each once."""
    known = frozenset(rule.id for rule in rules)
    safe = planned(given, rules, Selection(), known, FixPolicy())
    reviewed = safe if given.kind != "host" else planned(given, rules, Selection(), known, FixPolicy(review=True))
    by_safe, by_review = (Counter(finding.fingerprint for finding in plan.fixed) for plan in (safe, reviewed))
    reasons = {id(left.finding): left.reason for left in reviewed.unplanned}
    left = {left.finding: reasons[id(left.finding)] for left in reviewed.unplanned}
    for finding in dict.fromkeys((*safe.fixed, *reviewed.fixed, *left)):
        if finding.severity in COUNTED:
            how: How = "safe" if by_safe[finding.fingerprint] else "review" if by_review[finding.fingerprint] else "by hand"
            yield Row(given.name, given.kind != "host", finding, how, left.get(finding, "") if how == "by hand" else "")


def broken_promises(given: Input, rules: tuple[Rule, ...]) -> Iterator[str]:
    """What `check` says of findings of one host that `fix` does not do: only the proof, which reads the host again, has the last word."""
    known = frozenset(rule.id for rule in rules)
    seen = verdict(given, rules, Selection(), known)
    for review in (False, True) if given.kind == "host" else ():
        made = planned(given, rules, Selection(), known, FixPolicy(review=review))
        reasons = {left.finding.fingerprint: left.reason for left in made.unplanned}
        for finding in seen.findings:
            is_promised = finding.change is not None and not why_not(finding, seen) and (review or needs(finding) is None)
            if is_promised and finding.fingerprint in reasons:
                option = " --allow-review" if review else ""
                yield f"{given.name}  {finding.at}  {finding.card.id}: fix{option} leaves it: {reasons[finding.fingerprint]}"


def table(found: Sequence[Row]) -> Iterator[str]:
    """The figures, by severity and rule, and the reasons of what is left."""
    hosts = [row for row in found if not row.repository]
    yield f"{'':44}{'findings':>9}{'safe':>7}{'review':>8}{'by hand':>9}"
    for name, of in (("all, on hosts", hosts), ("all, in repositories", [row for row in found if row.repository])):
        yield _line(name, of)
    for severity in COUNTED:
        yield _line(f"{severity}, on hosts", [row for row in hosts if row.finding.severity == severity])
    yield ""
    rules = Counter(row.finding.card.id for row in hosts)
    for rule, _ in sorted(rules.items(), key=lambda each: (-each[1], each[0])):
        yield _line(rule, [row for row in hosts if row.finding.card.id == rule])
    yield ""
    reasons = Counter((row.finding.card.id, row.reason) for row in hosts if row.how == "by hand")
    for (rule, reason), times in sorted(reasons.items(), key=lambda each: (-each[1], each[0])):
        yield f"{times:4}  {rule}: {reason}"


def _line(name: str, of: Sequence[Row]) -> str:
    how = Counter(row.how for row in of)
    share = f"{100 * how['by hand'] / len(of):7.0f} %" if of else ""
    return f"{name:44}{len(of):9}{how['safe']:7}{how['review']:8}{how['by hand']:9}{share}"


def main(arguments: list[str]) -> int:
    """Print the table of the folders that are named."""
    folders = [Path(argument) for argument in arguments if argument not in ("--each", "--promised")]
    if not folders or any(not folder.is_dir() for folder in folders):
        print(__doc__, file=sys.stderr)
        return 2
    rules = load([rules_directory()])
    if "--promised" in arguments:
        for given in (given for folder in folders for place in places(folder) for given in inputs([str(place)])):
            for line in broken_promises(given, rules):
                print(line, flush=True)
        return 0
    found = [row for folder in folders for place in places(folder) for given in inputs([str(place)]) for row in rows(given, rules)]
    for line in table(found):
        print(line)
    if "--each" in arguments:
        for row in found:
            if row.how == "by hand" and not row.repository:
                print(f"{row.host}  {row.finding.at}  {row.finding.card.id}: {row.finding.message}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
