"""JSON, version 1: every field of the contract is there, unknown is null, and the bytes do not depend on anything but the input."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.changes import GrantCapability, LimitCapabilities, Manual, ReservePorts, SetSysctl
from portwright.facts import Likelihood, Listener, Privileges, Subject
from portwright.finding import Allowed, Finding, HostResult, Note, Repair, Replaced
from portwright.host import Host
from portwright.ports import PortSet
from portwright.reports import json_v1
from portwright.reports.registry import Checked
from portwright.reports.trend import Earlier, Past, trend
from portwright.source import Span, Unreadable
from tests.reports.golden import expected
from tests.reports.hosts import BY_HAND, CLEAN, COLLISIONS, COVERAGE, DB1, EMPTY, IN_RANGE, NO_CAPABILITY, WEB1, listener

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "schemas" / "json-v1.schema.json").read_text())


def closed(schema: Any) -> Any:
    """The schema with no room for fields it does not name: it stays open for users, our own output must name them all."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {key: closed(value) for key, value in schema.items()}
    if tight.get("type") == "object":
        assert set(tight["required"]) == set(tight["properties"])
        tight["additionalProperties"] = False
    return tight


def valid(text: str, document: str) -> Any:
    """The parsed text, which conforms to one document of the schema to the letter."""
    parsed = json.loads(text)
    strict = {**closed(SCHEMA), "$ref": f"#/$defs/{document}"}
    del strict["anyOf"]
    jsonschema.Draft202012Validator(strict).validate(parsed)
    return parsed


def test_the_schema_is_one_and_open_for_fields_to_come() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(json_v1.check([WEB1], "1.0"))
    document["hosts"][0]["findings"][0]["later"] = 1

    jsonschema.validate(document, SCHEMA)


def test_the_schema_refuses_what_lacks_a_field() -> None:
    document = json.loads(json_v1.check([WEB1], "1.0"))
    del document["hosts"][0]["findings"][0]["predicts"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_a_check_is_written_as_the_kept_document() -> None:
    actual = json_v1.check([WEB1, CLEAN, EMPTY], "1.2.3")

    valid(actual, "check")
    assert expected("check.json", actual) == actual


def test_an_audit_is_a_check_and_what_its_hosts_have_in_common() -> None:
    document = valid(json_v1.audit(Checked([WEB1, CLEAN, EMPTY], (), "1")), "audit")

    assert json.loads(json_v1.check([WEB1, CLEAN, EMPTY], "1"))["hosts"] == document["hosts"]
    assert 1 == document["fleet"]["hosts_by_severity"]["inconclusive"]
    assert document["fleet"]["trend"] is None


def test_an_audit_says_what_differs_and_which_entries_of_an_allow_file_have_no_effect() -> None:
    before = Earlier("2026-11-30T21:00:00Z", frozenset((WEB1.host, "gone")), (Past(WEB1.host, "r", "low", "m", "/etc/x", 3, "f"),))
    remark = Unreadable(Span("allow.yml", 2, 3, 2, 3), "no finding is what this entry allows")
    checked = Checked([WEB1, CLEAN], (), "1", trend=trend([WEB1, CLEAN], [WEB1, CLEAN], before), remarks=(remark,))

    fleet = valid(json_v1.audit(checked), "audit")["fleet"]
    assert (len(WEB1.findings), 1, 0) == (fleet["trend"]["new"], fleet["trend"]["fixed"], fleet["trend"]["still"])
    assert ["gone"] == fleet["trend"]["hosts_gone"]
    assert [2] == [each["at"]["line"] for each in fleet["unused_allows"]]


def test_facts_are_written_as_the_kept_document() -> None:
    actual = json_v1.facts([DB1])

    valid(actual, "facts")
    assert expected("facts.json", actual) == actual


def test_the_port_space_is_written_as_the_kept_document() -> None:
    actual = json_v1.ports([(DB1, COLLISIONS)])

    valid(actual, "ports")
    assert expected("ports.json", actual) == actual


@pytest.mark.parametrize(
    ("text", "document"), [(json_v1.check([], "1"), "check"), (json_v1.facts([]), "facts"), (json_v1.ports([]), "ports")]
)
def test_no_hosts_make_a_valid_document_with_a_newline_at_its_end(text: str, document: str) -> None:
    assert [] == valid(text, document)["hosts"]
    assert text.endswith("}\n")


def test_the_words_of_the_contract_for_one_finding() -> None:
    document = valid(json_v1.check([replace(WEB1, findings=(IN_RANGE,))], "0.1"), "check")

    assert {
        "rule": "listener-in-ephemeral-range",
        "severity": "high",
        "rule_severity": "high",
        "confidence": "certain",
        "likelihood": "high",
        "likelihood_because": "connect() assigns even ports first",
        "message": "nginx listens on 40000, which the kernel may hand to an outgoing connection",
        "at": {"path": "/etc/nginx/sites-enabled/shop", "line": 3, "column": 9, "end_line": 3, "end_column": 14},
        "subject": {
            "unit": "nginx.service",
            "app": "nginx",
            "protocol": "tcp",
            "address": "*",
            "port": 40000,
            "end_port": 40000,
            "sysctl": None,
        },
        "notes": [
            {
                "text": "the kernel lends ports from this range",
                "at": {"path": "/etc/sysctl.d/50-range.conf", "line": 2, "column": 32, "end_line": 2, "end_column": 43},
            }
        ],
        "predicts": None,
        "fix": {
            "changes": [{"kind": "reserve-ports", "ports": "40000"}],
            "safety": "safe",
            "disruption": "none",
            "summary": "reserve 40000 in net.ipv4.ip_local_reserved_ports",
            "needs": None,
            "edits": None,
        },
        "manual": None,
        "fingerprint": IN_RANGE.fingerprint,
    } == document["hosts"][0]["findings"][0]


@pytest.mark.parametrize(
    ("change", "written", "summary"),
    [
        (
            ReservePorts(PortSet.of(8080, (30000, 30010))),
            {"kind": "reserve-ports", "ports": "8080,30000-30010"},
            "reserve 8080,30000-30010 in net.ipv4.ip_local_reserved_ports",
        ),
        (SetSysctl("net.b", "1 2"), {"kind": "set-sysctl", "key": "net.b", "value": "1 2"}, "set net.b to 1 2"),
        (
            GrantCapability("a.service", "CAP_CHOWN"),
            {"kind": "grant-capability", "unit": "a.service", "capability": "CAP_CHOWN"},
            "grant CAP_CHOWN to a.service",
        ),
        (
            LimitCapabilities("a.service", ("CAP_CHOWN", "CAP_KILL")),
            {"kind": "limit-capabilities", "unit": "a.service", "capabilities": ["CAP_CHOWN", "CAP_KILL"]},
            "limit a.service to CAP_CHOWN, CAP_KILL",
        ),
    ],
)
def test_every_kind_of_change_is_written(
    change: ReservePorts | SetSysctl | GrantCapability | LimitCapabilities, written: dict[str, Any], summary: str
) -> None:
    result = replace(CLEAN, findings=(replace(IN_RANGE, change=change, summary=""),))

    fix = valid(json_v1.check([result], "1"), "check")["hosts"][0]["findings"][0]["fix"]

    assert [written] == fix["changes"]
    assert summary == fix["summary"]


def test_a_manual_step_is_no_fix() -> None:
    finding = valid(json_v1.check([replace(CLEAN, findings=(BY_HAND,))], "1"), "check")["hosts"][0]["findings"][0]

    assert finding["fix"] is None
    assert {"reason": "the option is set in the program's own code", "step": "set SO_REUSEADDR before bind()"} == finding["manual"]


def test_what_is_not_known_is_null() -> None:
    unknown = Listener(Span("/a", 1, 1, 1, 2), "app", None, "tcp", "*", PortSet.of(80), "inferred", reuse_port=None)

    row = valid(json_v1.facts([Host("h", listeners=(unknown,))]), "facts")["hosts"][0]["listeners"][0]

    nulls = {key for key, value in row.items() if value is None}
    assert {
        "unit", "activates", "starts", "bind_user", "can_bind", "error", "because_at", "reuse_address", "reuse_port", "v6only", "interface",
        "backlog", "backlog_at",
    } == nulls  # fmt: skip


def test_a_host_without_a_known_range_has_null_for_it() -> None:
    ephemeral = valid(json_v1.facts([Host("h")]), "facts")["hosts"][0]["ephemeral"]

    assert {"low": None, "high": None, "reserved": None, "usable": None} == ephemeral


def test_a_port_the_kernel_picks_is_null_and_a_list_of_ranges_is_a_row_each() -> None:
    picked = listener("a", None)
    ranges = replace(listener("b", 1), ports=PortSet.of(7, (9, 11)))

    rows = valid(json_v1.facts([Host("h", listeners=(picked, ranges))]), "facts")["hosts"][0]["listeners"]

    assert [(7, 7, False), (9, 11, False), (None, None, True)] == [(row["port"], row["end_port"], row["random"]) for row in rows]


def test_a_units_power_is_sorted_and_the_full_bounding_set_is_null() -> None:
    units = {row["unit"]: row for row in valid(json_v1.facts([DB1]), "facts")["hosts"][0]["units"]}
    full = replace(DB1, privileges={"intake.service": Privileges()})

    assert ["CAP_CHOWN", "CAP_SETUID"] == units["intake.service"]["ambient"] == units["intake.service"]["bounding"]
    assert (None, None, None) == tuple(units["cron.service"][key] for key in ("user", "ambient", "bounding"))
    row = valid(json_v1.facts([full]), "facts")["hosts"][0]["units"][1]
    assert ("root", [], None) == (row["user"], row["ambient"], row["bounding"])


def test_the_same_facts_in_any_order_are_the_same_bytes() -> None:
    findings = {json_v1.check([replace(WEB1, findings=order), CLEAN], "1") for order in permutations(WEB1.findings)}
    findings |= {json_v1.check([CLEAN, WEB1], "1")}
    turned = replace(
        DB1, listeners=DB1.listeners[::-1], sysctls=DB1.sysctls[::-1], assignments=DB1.assignments[::-1], units=DB1.units[::-1]
    )

    assert 1 == len(findings)
    assert json_v1.facts([DB1]) == json_v1.facts([turned])
    assert json_v1.ports([(DB1, COLLISIONS)]) == json_v1.ports([(turned, tuple((b, a) for a, b in COLLISIONS))])


def test_what_is_not_covered_stands_with_the_host_and_in_the_summary() -> None:
    document = json.loads(json_v1.check([replace(CLEAN, coverage=COVERAGE)], "1"))

    assert {
        "not_understood": [
            {
                "unit": "app.service",
                "program": "/opt/app/bin/app",
                "at": {"path": "/etc/systemd/system/app.service", "line": 2, "column": 11, "end_line": 2, "end_column": 27},
                "reason": "nobody knows it",
            }
        ],
        "left_out": [{"path": "docs/app.service", "reason": "it lies in docs/, which contains documentation"}],
        "not_read": [{"path": "Vagrantfile", "kind": "vagrant", "reason": "its text mentions ports, and Vagrantfiles are not read"}],
    } == document["hosts"][0]["coverage"]
    assert [1, 1, 1] == [document["summary"][part] for part in ("not_understood", "left_out", "not_read")]


def test_a_finding_that_bites_rarely_is_one_step_less_severe() -> None:
    def severities(likelihood: Likelihood | None) -> list[str]:
        result = replace(CLEAN, findings=(replace(IN_RANGE, likelihood=likelihood),))
        (finding,) = json.loads(json_v1.check([result], "1"))["hosts"][0]["findings"]
        return [finding["severity"], finding["rule_severity"]]

    assert [["medium", "high"], ["high", "high"], ["high", "high"]] == [severities(each) for each in ("low", "medium", None)]


@pytest.mark.parametrize(
    ("finding", "result", "needs", "reason"),
    [
        (IN_RANGE, CLEAN, None, None),
        (replace(IN_RANGE, change=ReservePorts(PortSet.of(1), safety="review")), CLEAN, "--allow-review", None),
        (replace(IN_RANGE, confidence="possible"), CLEAN, None, "the finding is not certain enough to change a host"),
        (
            replace(IN_RANGE, change=SetSysctl("kernel.a", "1")),
            CLEAN,
            None,
            "kernel.a is not a setting of the network, and portwright sets no others",
        ),
        (
            IN_RANGE,
            replace(CLEAN, repository=True, repairs={IN_RANGE.fingerprint: Repair(reason="app.yml:3 uses the variable, too")}),
            None,
            "app.yml:3 uses the variable, too",
        ),
        (IN_RANGE, replace(CLEAN, repository=True, repairs={IN_RANGE.fingerprint: Repair((Replaced("a", 1, 1, "b\n"),))}), None, None),
        (replace(IN_RANGE, confidence="possible"), replace(CLEAN, repository=True), "--allow-review", None),
        (IN_RANGE, replace(CLEAN, unread_init="OpenRC is not read"), None, "OpenRC is not read"),
    ],
)
def test_a_fix_is_what_the_command_plans_and_anything_else_a_step_of_a_person(
    finding: Finding, result: HostResult, needs: str | None, reason: str | None
) -> None:
    (written,) = valid(json_v1.check([replace(result, findings=(finding,))], "1"), "check")["hosts"][0]["findings"]

    if reason is None:
        assert (needs, None) == (written["fix"]["needs"], written["manual"])
    else:
        assert (None, reason) == (written["fix"], written["manual"]["reason"])


def test_the_summary_counts_over_all_hosts() -> None:
    assert {
        "hosts": 3,
        "findings": {"high": 1, "medium": 3, "low": 1, "info": 0},
        "allowed": 1,
        "unreadable": 2,
        "not_understood": 0,
        "left_out": 0,
        "not_read": 0,
    } == json.loads(json_v1.check([WEB1, CLEAN, EMPTY], "1"))["summary"]


def test_bytes_that_were_no_text_stay_readable() -> None:
    result = HostResult("h\udc80", 1, 1, unreadable=(Unreadable(Span.whole("/\udcff\x1b\x7f\x9b\u202e"), "例"),))

    text = json_v1.check([result], "1")

    assert text.isascii()
    assert "\x7f" not in text
    parsed = valid(text, "check")
    assert "h\\udc80" == parsed["hosts"][0]["host"]
    assert [{"path": "/\\udcff\x1b\x7f\x9b\u202e", "line": 1, "column": 1, "end_line": 1, "end_column": 1}, "例"] == list(
        parsed["hosts"][0]["unreadable"][0].values()
    )


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_makes_a_valid_document_of_plain_ascii(one: str, two: str) -> None:
    place = Span(one, 1, 1, 1, 1)
    subject, notes, manual = Subject(unit=one, app=two), (Note(two, place),), Manual(one, two)
    finding = replace(NO_CAPABILITY, message=two, at=place, subject=subject, notes=notes, manual=manual, summary=two)
    text = json_v1.check([HostResult(one, 1, 1, (finding,), (Allowed(one, place, two),), (Unreadable(place, two),))], one)

    assert not [c for c in text if (ord(c) < 0x20 and c != "\n") or ord(c) >= 0x7F]
    json.loads(text)["hosts"][0]["host"].encode("utf-8")
