"""An inline allow: beside the line or above it, for one rule, with a reason; anything else is said."""

import pytest

from portwright.facts import Subject
from portwright.finding import Finding, RuleMeta
from portwright.rules.allowing import allowed
from portwright.source import Source
from tests.rules.facts import at

KNOWN = ("port-claimed-twice", "narrow-ephemeral-range")
PATH = "/etc/app.conf"


def finding(line: int, rule: str = "port-claimed-twice", path: str = PATH) -> Finding:
    return Finding(RuleMeta(rule, "f", "t", "low", "w"), "m", at(line, path), Subject(), "certain")


def source(*lines: str, path: str = PATH) -> dict[str, Source]:
    return {path: Source(path, "".join(f"{line}\n" for line in lines))}


@pytest.mark.parametrize(
    "lines",
    [
        ("listen 80;  # portwright: allow port-claimed-twice: moved next week",),
        ("# portwright: allow port-claimed-twice: moved next week", "listen 80;"),
        ("; portwright: allow port-claimed-twice: moved next week", "listen 80;"),
        ("    // portwright:allow port-claimed-twice  :moved next week  ", "listen 80;"),
    ],
)
def test_a_comment_on_the_line_or_above_it_accepts_the_finding_with_its_reason(lines: tuple[str, ...]) -> None:
    kept, accepted, troubles = allowed([finding(len(lines))], source(*lines), KNOWN)

    assert () == kept
    assert [("port-claimed-twice", at(len(lines)), "moved next week")] == [(a.rule, a.at, a.reason) for a in accepted]
    assert () == troubles


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (("# portwright: allow port-claimed-twice: why", "", "listen 80;"), 3),
        (("listen 80;", "# portwright: allow port-claimed-twice: why"), 1),
        (("listen 80;  # portwright: allow narrow-ephemeral-range: why",), 1),
        (("listen 80;  portwright: allow port-claimed-twice: why",), 1),
    ],
)
def test_a_comment_elsewhere_or_for_another_rule_accepts_nothing(lines: tuple[str, ...], line: int) -> None:
    kept, accepted, _ = allowed([finding(line)], source(*lines), KNOWN)

    assert (1, 0) == (len(kept), len(accepted))


def test_a_comment_in_another_file_accepts_nothing() -> None:
    comment = source("# portwright: allow port-claimed-twice: why", path="/etc/other.conf")

    assert 1 == len(allowed([finding(1)], comment, KNOWN)[0])


# (the comment, where the trouble starts, the trouble)
TROUBLES = [
    ("# portwright: allow port-claimed-twice", 1, "without a reason: write `portwright: allow port-claimed-twice: reason`"),
    ("x # portwright: allow port-claimed-twice:  ", 3, "without a reason: write `portwright: allow port-claimed-twice: reason`"),
    ("# portwright: allow port-claimd-twice: why", 1, "there is no rule port-claimd-twice; did you mean port-claimed-twice?"),
    ("# portwright: allow", 1, "write `portwright: allow RULE: reason`"),
    ("# portwright: allow : why", 1, "write `portwright: allow RULE: reason`"),
    ("# portwright: ignore port-claimed-twice", 1, "write `portwright: allow RULE: reason`"),
    ("# portwright: disable", 1, "write `portwright: allow RULE: reason`"),
]


@pytest.mark.parametrize(("line", "column", "trouble"), TROUBLES, ids=[line for line, _, _ in TROUBLES])
def test_a_comment_that_accepts_nothing_is_said(line: str, column: int, trouble: str) -> None:
    kept, accepted, troubles = allowed([finding(1)], source(line), KNOWN)

    assert (1, 0) == (len(kept), len(accepted))
    assert [(1, column)] == [(t.at.line, t.at.column) for t in troubles]
    assert troubles[0].reason.startswith("this comment has no effect")
    assert troubles[0].reason.endswith(trouble)


def test_prose_about_portwright_is_no_comment_of_ours() -> None:
    text = source("# portwright: we keep this port since 2019", "# see portwright: allow me to explain", "# Portwright says no")

    assert () == allowed([], text, KNOWN)[2]


def test_a_reason_runs_to_the_end_of_its_line() -> None:
    line = "# portwright: allow narrow-ephemeral-range: a # portwright: allow port-claimed-twice: b"
    both = [finding(1), finding(1, "narrow-ephemeral-range")]

    kept, accepted, _ = allowed(both, source(line), KNOWN)

    assert ["port-claimed-twice"] == [finding.card.id for finding in kept]
    assert ["a # portwright: allow port-claimed-twice: b"] == [a.reason for a in accepted]
