"""SARIF: valid by the official schema whatever a host says, places that stay inside their base, and an answer that is never too good."""

import json
import posixpath
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.facts import Subject
from portwright.finding import Allowed, HostResult, Note, RuleMeta, Severity
from portwright.reports import sarif
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import ALSO_IN_RANGE, BY_HAND, CLEAN, COVERAGE, EMPTY, IN_RANGE, NO_CAPABILITY, WEB1, card

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())
# What errata 01 asks for beyond that (schemas/PROVENANCE).
SCHEMA["definitions"]["region"]["anyOf"] = [{"required": [name]} for name in ("startLine", "charOffset", "byteOffset")]
OFFICIAL = jsonschema.Draft4Validator(SCHEMA)

SHOP = replace(WEB1, host="shop", repository=True)


def run_of(text: str) -> Any:
    """The one run of a document that is valid by the schema, plain ASCII and nowhere a lone surrogate."""
    assert text.isascii()
    assert text.endswith("}\n")
    parsed = json.loads(text)
    json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    OFFICIAL.validate(parsed)
    (run,) = parsed["runs"]
    return run


def results_of(*findings: Any, host: HostResult = CLEAN) -> Any:
    return run_of(sarif.check([replace(host, findings=findings)], [], "1"))["results"]


def test_the_schema_is_no_rubber_stamp() -> None:
    OFFICIAL.check_schema(SCHEMA)
    document = json.loads(sarif.check([WEB1], [], "1"))
    del document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"]

    with pytest.raises(jsonschema.ValidationError):
        OFFICIAL.validate(document)


def test_a_check_is_written_as_the_kept_document() -> None:
    actual = sarif.check([WEB1, CLEAN, EMPTY], [card("another-rule", "info", "sysctl")], "1.2.3")

    run_of(actual)
    assert expected("check.sarif", actual) == actual


def test_every_rule_that_was_checked_is_listed_with_its_help_whether_it_found_something_or_not() -> None:
    quiet = card("quiet-rule", "info", "sysctl")

    run = run_of(sarif.check([replace(CLEAN, findings=(IN_RANGE,))], [quiet, IN_RANGE.card], "1"))

    rules = run["tool"]["driver"]["rules"]
    assert ["listener-in-ephemeral-range", "quiet-rule"] == [rule["id"] for rule in rules]
    for rule in rules:
        assert "The kernel may lend this port" in rule["fullDescription"]["text"]
        assert f"portwright: allow {rule['id']}: the reason" in rule["help"]["text"]
        assert "- <https://docs.kernel.org/networking/ip-sysctl.html>" in rule["help"]["markdown"]
        assert "https://docs.kernel.org/networking/ip-sysctl.html" == rule["helpUri"]
    assert ["error", "note"] == [rule["defaultConfiguration"]["level"] for rule in rules]


@pytest.mark.parametrize(("severity", "level"), [("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")])
def test_severity_becomes_a_level(severity: Severity, level: str) -> None:
    (result,) = results_of(replace(IN_RANGE, card=card("a-rule", severity)))

    assert level == result["level"]


def test_a_finding_points_at_its_characters_and_at_every_line_that_decided_it() -> None:
    (result,) = results_of(ALSO_IN_RANGE, host=WEB1)[:1]
    base = "HOST-web1"

    assert [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "etc/nginx/sites-enabled/shop", "uriBaseId": base},
                "region": {"startLine": 4, "startColumn": 9, "endLine": 4, "endColumn": 22},
            }
        }
    ] == result["locations"]
    related = result["relatedLocations"]
    assert [(1, "the kernel lends ports from this range"), (2, "in this server")] == [
        (each["id"], each["message"]["text"]) for each in related
    ]
    assert ["etc/sysctl.d/50-range.conf", "etc/nginx/sites-enabled/shop"] == [
        each["physicalLocation"]["artifactLocation"]["uri"] for each in related
    ]
    assert {"portwright/v1": ALSO_IN_RANGE.fingerprint} == result["partialFingerprints"]
    assert "note: nothing reserves 40001" in result["message"]["text"].split("\n")
    fix = "fix: reserve 40001 in net.ipv4.ip_local_reserved_ports (safe; nothing is restarted)"
    assert fix == result["message"]["text"].split("\n")[-1]


def test_columns_count_code_points() -> None:
    assert "unicodeCodePoints" == run_of(sarif.check([WEB1], [], "1"))["columnKind"]


def test_a_repository_is_the_source_root_and_each_host_has_a_root_of_its_own() -> None:
    one = run_of(sarif.check([SHOP, WEB1, replace(CLEAN, host="web 2")], [], "1"))
    two = run_of(sarif.check([SHOP, replace(SHOP, host="other")], [], "1"))

    assert ["%SRCROOT%", "HOST-web%202", "HOST-web1"] == list(one["originalUriBaseIds"])
    assert ["REPOSITORY-other", "REPOSITORY-shop"] == list(two["originalUriBaseIds"])


def test_what_lies_below_the_directory_of_the_run_has_paths_from_there() -> None:
    run = run_of(sarif.check([replace(WEB1, checkout_prefix="hosts/web1", findings=(IN_RANGE,))], [], "1"))

    assert ["%SRCROOT%"] == list(run["originalUriBaseIds"])
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert {"uri": "hosts/web1/etc/nginx/sites-enabled/shop", "uriBaseId": "%SRCROOT%"} == location


def test_a_host_and_a_repository_of_one_name_stay_apart() -> None:
    run = run_of(sarif.check([replace(SHOP, host="web1"), WEB1], [], "1"))

    assert {"%SRCROOT%", "HOST-web1"} == {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] for result in run["results"]
    }


def test_what_a_comment_allows_is_a_suppressed_result_with_its_reason() -> None:
    run = run_of(sarif.check([SHOP], [card("root-for-one-low-port", "medium")], "1"))

    *open_, accepted = run["results"]
    assert all([] == result["suppressions"] for result in open_)
    assert [{"kind": "inSource", "status": "accepted", "justification": "the intake opens a raw socket too"}] == accepted["suppressions"]
    assert ("root-for-one-low-port", "warning") == (accepted["ruleId"], accepted["level"])
    assert "root-for-one-low-port" == run["tool"]["driver"]["rules"][accepted["ruleIndex"]]["id"]


def test_rule_indexes_point_at_the_rule() -> None:
    run = run_of(sarif.check([WEB1], [card("a-rule"), card("zz-rule")], "1"))

    rules = run["tool"]["driver"]["rules"]
    assert [True] * 5 == [rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"] if not result["suppressions"]]


def test_what_could_not_be_read_makes_the_run_unsuccessful_and_says_where() -> None:
    (invocation,) = run_of(sarif.check([WEB1], [], "1"))["invocations"]

    assert not invocation["executionSuccessful"]
    assert [
        ("warning", "could not be read: permission denied", "etc/haproxy/haproxy.cfg", 1),
        ("warning", "could not be read: unterminated quote", "etc/systemd/system/intake.service", 2),
    ] == [
        (
            each["level"],
            each["message"]["text"],
            each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            each["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for each in invocation["toolExecutionNotifications"]
    ]


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ([EMPTY], "web0: result: inconclusive (nothing was read)"),
        ([replace(CLEAN, rules_checked=0)], "web2: result: inconclusive (no rule was run)"),
        ([], "nothing was read: no host, repository or file was found"),
    ],
)
def test_a_run_that_looked_at_nothing_is_not_successful(hosts: list[HostResult], said: str) -> None:
    (invocation,) = run_of(sarif.check(hosts, [], "1"))["invocations"]

    assert (False, [said]) == (
        invocation["executionSuccessful"],
        [each["message"]["text"] for each in invocation["toolExecutionNotifications"]],
    )


def test_a_sound_host_is_a_successful_run_without_results() -> None:
    run = run_of(sarif.check([CLEAN], [], "1"))

    assert ([], [{"executionSuccessful": True, "toolExecutionNotifications": []}]) == (run["results"], run["invocations"])


# ── hostile input ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/etc/nginx/nginx.conf", "etc/nginx/nginx.conf"),
        ("roles/web/a b.conf", "roles/web/a%20b.conf"),
        ("../../x", "x"),
        ("a/../../../etc/x", "a/etc/x"),
        ("//evil.example/x", "evil.example/x"),
        ("file:///etc/passwd", "file%3A/etc/passwd"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("a#b?c", "a%23b%3Fc"),
        ("%2e%2e/x", "%252e%252e/x"),
        ("a\\..\\b", "a%5C..%5Cb"),
        ("例/\udcff", "%E4%BE%8B/%FF"),
        ("\ud800", "%EF%BF%BD"),
        ("/", "."),
    ],
)
def test_case_45_a_path_is_a_relative_reference_that_cannot_leave_its_base(path: str, uri: str) -> None:
    (result,) = results_of(replace(IN_RANGE, at=Span(path, 1, 1, 1, 2)))

    assert uri == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


@given(st.text(st.characters()))
def test_no_path_at_all_leaves_its_base(path: str) -> None:
    (result,) = results_of(replace(IN_RANGE, at=Span(path, 1, 1, 1, 2)))
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert ("", "", "", "") == (urlsplit(uri).scheme, urlsplit(uri).netloc, urlsplit(uri).query, urlsplit(uri).fragment)
    assert urljoin("https://base.example/one/two/", uri).startswith("https://base.example/one/two/")
    assert posixpath.normpath(unquote_to_bytes(uri)).split(b"/")[0] != b".."


def test_a_path_of_bytes_comes_back_as_those_bytes() -> None:
    path = b"etc/\xe9\xff\xe4\xbe\x8b.conf"

    (result,) = results_of(replace(IN_RANGE, at=Span("/" + path.decode("utf-8", "surrogateescape"), 1, 1, 1, 2)))

    assert path == unquote_to_bytes(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


def test_a_value_can_neither_link_nor_take_the_place_of_an_argument() -> None:
    finding = replace(BY_HAND, message="[click](https://evil.example) {0}", notes=(Note("[a](1) {1}", Span("/a", 1, 1, 1, 2)),))

    (result,) = results_of(finding)

    assert result["message"]["text"].startswith("[click] (https://evil.example) {{0}}")
    assert "[a] (1) {{1}}" == result["relatedLocations"][0]["message"]["text"]


def test_secrets_are_struck_out_of_all_prose() -> None:
    said = "requirepass=hunter2"
    at = Span("/a", 1, 1, 1, 2)
    finding = replace(BY_HAND, message=said, notes=(Note(said), Note(said, at)), summary=said)
    host = HostResult("h", 1, 1, (finding,), (Allowed("r", at, said),), (Unreadable(at, said),))

    assert "hunter2" not in sarif.check([host], [], "1")


def test_a_reference_that_is_no_web_page_is_no_link() -> None:
    hostile = RuleMeta("r", "f", "t", "low", "w", ("javascript:alert(1)", "https://a.example/<b>", "ip(7)", "https://good.example/"))

    (rule,) = run_of(sarif.check([CLEAN], [hostile], "1"))["tool"]["driver"]["rules"]

    assert "https://good.example/" == rule["helpUri"]
    assert "<javascript" not in rule["help"]["markdown"]
    assert "<https://a.example" not in rule["help"]["markdown"]


def test_case_45_a_message_without_end_is_cut_and_says_by_how_much() -> None:
    (result,) = results_of(replace(BY_HAND, message="x " * 50_000))

    assert "... (90000 more characters)" == result["message"]["text"].split("\n")[0][-27:]


def test_lines_beyond_the_cap_are_counted() -> None:
    notes = tuple(Note("n", Span("/a", line, 1, line, 2)) for line in range(1, sarif.MOST_RELATED + 8))

    (result,) = results_of(replace(BY_HAND, notes=notes))

    assert sarif.MOST_RELATED == len(result["relatedLocations"])
    assert "7 more lines are not listed" in result["message"]["text"]


def test_case_45_results_beyond_the_cap_are_counted_and_the_worst_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)

    run = run_of(sarif.check([replace(WEB1, unreadable=())], [], "1"))

    assert ["error", "warning"] == [result["level"] for result in run["results"]]
    said = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert ["4 more results left out: this report holds 2 at most, the worst first"] == said


def test_what_is_not_covered_is_a_note_that_leaves_the_run_successful() -> None:
    (invocation,) = run_of(sarif.check([replace(CLEAN, coverage=COVERAGE)], [], "1"))["invocations"]

    assert invocation["executionSuccessful"]
    assert [
        ("note", "not understood: app.service starts /opt/app/bin/app: nobody knows it", "etc/systemd/system/app.service"),
        ("note", "left out: it lies in docs/, which contains documentation", "docs/app.service"),
        ("note", "not read (vagrant): its text mentions ports, and Vagrantfiles are not read", "Vagrantfile"),
    ] == [
        (each["level"], each["message"]["text"], each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for each in invocation["toolExecutionNotifications"]
    ]


def test_the_same_results_in_any_order_are_the_same_bytes() -> None:
    said = {sarif.check([replace(WEB1, findings=order), CLEAN], [], "1") for order in permutations(WEB1.findings)}

    assert {sarif.check([CLEAN, WEB1], [], "1")} == said


@given(st.text(st.characters()), st.text(st.characters()))
def test_case_45_any_text_makes_a_valid_document_of_plain_ascii(one: str, two: str) -> None:
    place = Span(one, 1, 1, 1, 1)
    finding = replace(
        NO_CAPABILITY, message=two, at=place, subject=Subject(unit=one, app=two), notes=(Note(two, place), Note(one)), summary=two
    )
    host = HostResult(one, 1, 1, (finding,), (Allowed(one, place, two),), (Unreadable(place, two),))

    text = sarif.check([host], [RuleMeta(one, two, one, "low", two, (one, two))], one)

    run_of(text)
    assert not [c for c in text if (ord(c) < 0x20 and c != "\n") or ord(c) >= 0x7F]
