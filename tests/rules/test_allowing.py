"""An inline allow: beside the line or above it, for one rule, with a reason; anything else is said."""

import pytest

from portwright.facts import Subject
from portwright.finding import Finding, RuleMeta
from portwright.rules.allowing import allowed, without_effect
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
        ("listen-on { any; };  // portwright: allow port-claimed-twice: moved next week",),
        ("-- portwright: allow port-claimed-twice: moved next week", "listen 80;"),
        ("/* portwright: allow port-claimed-twice: moved next week */", "listen 80;"),
        ("<Connector port='80'/>  <!-- portwright: allow port-claimed-twice: moved next week -->",),
        ("<!-- portwright: allow port-claimed-twice: moved next week --> <!-- and more -->", "<Connector port='80'/>"),
        ("{# portwright: allow port-claimed-twice: moved next week #}", "listen {{ port }};"),
        ("{#- portwright: allow port-claimed-twice: moved next week -#}", "listen {{ port }};"),
        ("# portwright: allow narrow-ephemeral-range, port-claimed-twice: moved next week", "listen 80;"),
        ("# portwright: allow-file port-claimed-twice: moved next week", "", "", "listen 80;"),
        ("# portwright: allow-start port-claimed-twice: moved next week", "", "listen 80;\n# portwright: allow-end"),
    ],
)
def test_a_comment_on_the_line_or_above_it_accepts_the_finding_with_its_reason(lines: tuple[str, ...]) -> None:
    kept, accepted, troubles, _ = allowed([finding(len(lines))], source(*lines), KNOWN)

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
        (("listen http://portwright: allow port-claimed-twice: why",), 1),
        (("listen 80;// portwright: allow port-claimed-twice: why",), 1),
        (("# portwright: allow-start port-claimed-twice: why", "# portwright: allow-end", "listen 80;"), 3),
        (("listen 80;", "# portwright: allow-start port-claimed-twice: why", "# portwright: allow-end"), 1),
        (("# portwright: allow-start port-claimed-twice: why", "listen 80;"), 2),
        (("# portwright: allow port-claimed-twice, nothing-such: why",), 1),
    ],
)
def test_a_comment_elsewhere_or_for_another_rule_accepts_nothing(lines: tuple[str, ...], line: int) -> None:
    kept, accepted, _, _ = allowed([finding(line)], source(*lines), KNOWN)

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
    ("# portwright: allow-file port-claimed-twice", 1, "without a reason: write `portwright: allow-file port-claimed-twice: reason`"),
    ("# portwright: allow-start", 1, "write `portwright: allow-start RULE: reason`"),
    ("# portwright: allow-start port-claimed-twice: why", 1, "no `portwright: allow-end` follows it for port-claimed-twice"),
    ("# portwright: allow-end", 1, "no allow-start before it is open"),
    ("# portwright: allow-end port-claimed-twice", 1, "no allow-start before it is open for port-claimed-twice"),
    ("<!-- portwright: allow port-claimed-twice -->", 1, "without a reason: write `portwright: allow port-claimed-twice: reason`"),
    ("# portwright: disable", 1, "write `portwright: allow RULE: reason`"),
]


@pytest.mark.parametrize(("line", "column", "trouble"), TROUBLES, ids=[line for line, _, _ in TROUBLES])
def test_a_comment_that_accepts_nothing_is_said(line: str, column: int, trouble: str) -> None:
    kept, accepted, troubles, _ = allowed([finding(1)], source(line), KNOWN)

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

    kept, accepted, _, _ = allowed(both, source(line), KNOWN)

    assert ["port-claimed-twice"] == [finding.card.id for finding in kept]
    assert ["a # portwright: allow port-claimed-twice: b"] == [a.reason for a in accepted]


def test_an_end_without_a_name_ends_what_one_start_began_and_one_with_a_name_that_alone() -> None:
    lines = (
        "# portwright: allow-start port-claimed-twice, narrow-ephemeral-range: why",
        "# portwright: allow-end narrow-ephemeral-range",
        "listen 80;",
        "# portwright: allow-end",
        "listen 80;",
    )
    every = [finding(line, rule) for line in (3, 5) for rule in KNOWN]

    kept, accepted, troubles, _ = allowed(every, source(*lines), KNOWN)

    assert [("port-claimed-twice", 3)] == [(each.rule, each.at.line) for each in accepted]
    assert 3 == len(kept)
    assert () == troubles


def test_the_comment_nearest_to_a_finding_gives_the_reason() -> None:
    lines = ("# portwright: allow-file port-claimed-twice: all", "# portwright: allow port-claimed-twice: this", "listen 80;")

    assert ["this"] == [each.reason for each in allowed([finding(3)], source(*lines), KNOWN)[1]]
    assert ["all"] == [each.reason for each in allowed([finding(9)], source(*lines), KNOWN)[1]]


@pytest.mark.parametrize(
    "line",
    [
        "# portwright: allow port-claimed-twice: why",
        "# portwright: allow-file port-claimed-twice: why",
        "# portwright: allow-start port-claimed-twice: why\n# portwright: allow-end",
        "# portwright: allow port-claimed-twice, narrow-ephemeral-range: why",
    ],
)
def test_a_comment_that_allows_what_is_not_found_is_said_where_its_rule_was_held(line: str) -> None:
    text = source(line)

    (unused,) = allowed([], text, KNOWN, {"port-claimed-twice"})[3]
    assert (1, "this comment allows port-claimed-twice, which finds nothing there") == (unused.at.line, unused.reason)
    assert () == allowed([], text, KNOWN)[3]
    assert () == allowed([finding(1)], text, KNOWN, {"port-claimed-twice"})[3]


def test_of_many_unused_comments_the_first_are_said() -> None:
    text = source(*("# portwright: allow port-claimed-twice: why" for _ in range(200)))

    *_, last = unused = allowed([], text, KNOWN, set(KNOWN))[3]

    assert 101 == len(unused)
    assert "more than 100 comments" in last.reason


def test_on_a_host_each_comment_is_said_to_have_no_effect() -> None:
    text = source("# portwright: allow port-claimed-twice: why", "# portwright: we keep this", "x  # portwright: allow-file a: b")

    found = list(without_effect(text))

    assert [1, 3] == [each.at.line for each in found]
    assert {"this comment has no effect on a host: nothing inside a host silences a finding"} == {each.reason for each in found}


def test_the_nearest_name_is_looked_for_only_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def nearest(word: str, known: frozenset[str]) -> str:
        looked.append(word)
        return "did you mean another?"

    monkeypatch.setattr("portwright.rules.grammar.nearest", nearest)
    text = source(*(f"# portwright: allow port-claimed-twic{number}: why" for number in range(1000)))

    assert 101 == len(allowed([], text, KNOWN)[2])
    assert 100 == len(looked)
