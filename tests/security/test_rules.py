"""Rules of a stranger: they are data, what they say is counted and inserted once, and none weakens another."""

import re
import time
from pathlib import Path

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

RULE = """\
id: port-of-the-office
title: A service takes a port of the office
severity: low
why: Ports from 8000 to 8009 are for the office.
references: [socket(7)]
each: listener
where: {ports: {overlaps: 8000-8009}}
message: "{who} listens on {socket}"
"""


def _run(folder: Path, text: str, caught: pytest.CaptureFixture[str], name: str = "port-of-the-office.yaml") -> tuple[int, str, str]:
    rules = folder / "rules"
    rules.mkdir(exist_ok=True)
    (rules / name).write_text(text)
    unit = "[Service]\nExecStart=/opt/{who} --port 8001\n"
    root = folder / "h"
    if not root.exists():
        lay(root, {"etc/systemd/system/a.service": unit, **enabled("a.service")})
    code = main(["check", "-q", "--rules", str(rules), "--select", "port-of-the-office", str(root)])
    heard = caught.readouterr()
    return code, heard.out, heard.err


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x\n", "<<: {a: 1}\n", "a: !!python/object/apply:os.system ['touch run']\n", "a: !include /etc/passwd\n",
        RULE + "severity: high\n", "[" * 60_000, "a: [1\n",
    ],
)  # fmt: skip
def test_cases_18_to_22_yaml_that_is_more_than_data_is_refused_with_its_line(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = _run(tmp_path, text, capsys)

    assert (2, "", 1) == (code, out, err.count("\n"))
    assert "port-of-the-office.yaml:" in err
    assert {"rules", "h"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "condition",
    [
        "().__class__.__mro__[1].__subclasses__()", "x.__init__.__globals__", "{ports: {is: \"f'{x}'\"}}", "{ports: {calls: os.system}}",
        "{ports.__class__: {is: 1}}", "{__class__: {is: 1}}", "lambda: 1", "[x for x in y]",
        "{ports: {is: 9**9**9}}", "{ports: {is: 1<<99}}",
    ],
)  # fmt: skip
def test_cases_33_and_34_a_condition_is_words_and_nothing_is_worked_out(
    condition: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(tmp_path, RULE.replace("{ports: {overlaps: 8000-8009}}", condition), capsys)

    assert (2, "") == (code, out)
    assert "port-of-the-office.yaml:7:" in err


@pytest.mark.parametrize(
    "field", ["{who.__class__}", "{who|attr('format')}", "{who!r}", "{who:>999999999}", "{0}", "{}", "{finding}", "{%s}"]
)
def test_case_35_a_message_has_fields_of_a_list_and_no_ways_into_them(
    field: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(tmp_path, RULE.replace("{who}", field), capsys)

    assert (2, "") == (code, out)
    assert "port-of-the-office.yaml:8:" in err


def test_case_36_a_value_that_looks_like_a_field_is_a_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(tmp_path, RULE, capsys)

    assert 1 == code
    assert re.search(r"\{who\} \(a\.service\)|a\.service \(\{who\}\)", out)


def test_case_37_a_rule_that_would_take_long_is_stopped_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portwright.rules.checking._MOST_COMPARISONS", 0)

    code, out, _ = _run(tmp_path, RULE, capsys)

    assert 3 == code
    assert "port-of-the-office was stopped" in out


def test_case_37_the_longest_condition_takes_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.process_time()
    ports = ",".join(str(port) for port in range(8001, 8513, 2))
    code, _, _ = _run(tmp_path, RULE.replace("8000-8009", f"'{ports}'"), capsys)

    assert 1 == code
    assert time.process_time() - began < 5

    code, _, complaint = _run(tmp_path, RULE.replace("8000-8009", f"'{ports},9001'"), capsys)

    assert 2 == code
    assert "overlaps has 257 ranges of ports, and 256 are the most" in complaint


@pytest.mark.parametrize("more", ["import: ../../x.py\n", "plugin: x\n", "code: print(1)\n", "entry-point: a:b\n"])
def test_case_39_a_rule_brings_no_code(more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.py").write_text("raise SystemExit(7)\n")

    assert (2, "") == _run(tmp_path, RULE + more, capsys)[:2]


def test_case_39_code_beside_rules_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("raise SystemExit(7)\n")

    assert 1 == _run(tmp_path, RULE, capsys)[0]


def test_case_40_a_rule_cannot_take_the_place_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = RULE.replace("port-of-the-office", "listener-in-ephemeral-range")
    code, out, err = _run(tmp_path, text, capsys, "listener-in-ephemeral-range.yaml")

    assert (2, "") == (code, out)
    assert "listener-in-ephemeral-range" in err
