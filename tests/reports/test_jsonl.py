"""JSON Lines: each line is an object that the published schema describes to the letter, and together they say what the JSON does."""

import json
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.finding import HostResult
from portwright.reports import json_v1
from portwright.reports.formats.jsonl import check
from portwright.reports.registry import Checked, Look
from tests.reports.golden import expected
from tests.reports.hosts import CLEAN, COVERAGE, EMPTY, IN_RANGE, WEB1
from tests.reports.test_json_v1 import SCHEMA, closed

_LINE = {**closed(SCHEMA), "$ref": "#/$defs/line"}
del _LINE["anyOf"]
_SCHEMA = jsonschema.Draft202012Validator(_LINE)


def _written(*results: HostResult) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in check(Checked(results, (), "1"), Look()).splitlines()]
    for line in lines:
        _SCHEMA.validate(line)
    return lines


def test_a_check_is_written_as_the_kept_lines() -> None:
    actual = check(Checked((WEB1, CLEAN, EMPTY), (), "1"), Look())

    assert expected("check.jsonl", actual) == actual


def test_the_lines_say_what_the_document_says() -> None:
    gap = replace(CLEAN, coverage=COVERAGE)
    document = json.loads(json_v1.check([WEB1, gap], "1"))
    lines = _written(WEB1, gap)

    assert [line["finding"] for line in lines if "finding" in line] == [one for host in document["hosts"] for one in host["findings"]]
    assert [line["host"] for line in lines if "finding" in line] == ["web1"] * 5
    assert [line["allowed"] for line in lines if "allowed" in line] == document["hosts"][0]["allowed"]
    assert [line["unreadable"] for line in lines if "unreadable" in line] == document["hosts"][0]["unreadable"]
    for name, told in document["hosts"][1]["coverage"].items():
        assert told == [line[name] for line in lines if name in line]
    assert document["summary"] == lines[-1]["summary"]


def test_nothing_read_is_a_summary_alone() -> None:
    assert [0] == [line["summary"]["hosts"] for line in _written()]


@given(st.text(max_size=40))
def test_no_text_of_a_host_ends_a_line(text: str) -> None:
    lines = check(Checked((replace(CLEAN, host=text, findings=(replace(IN_RANGE, message=text),)),), (), "1"), Look())

    assert 2 == len(lines.splitlines()) == lines.count("\n")
    assert lines.isascii()
