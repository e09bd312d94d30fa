"""Situations and the exact text that `portwright check` says of each, beside them; `ACCEPT=1 pytest` writes it anew."""

import json
import re
from pathlib import Path

import pytest

from portwright.cli import main
from tests.golden import expected

# Named one by one, so that a new rule changes no report here.
RULES = ",".join(
    (
        "listener-in-ephemeral-range",
        "listener-without-reuseaddr",
        "low-port-without-capability",
        "port-claimed-twice",
        "reserved-ports-overridden",
        "sysctl-loaders-disagree",
        "sysctl-value-rejected",
    )
)
CASES = sorted((Path(__file__).parent / "cases").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(("option", "name"), [("", "expected.txt"), ("-q", "quiet.txt"), ("-v", "verbose.txt")])
def test_a_situation_reads_like_the_text_beside_it(case: Path, option: str, name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    inputs = sorted(str(path) for path in case.iterdir() if path.is_dir())

    main(["check", "--select", RULES, *filter(None, [option]), *inputs])

    report = capsysbinary.readouterr().out.decode()
    if name == "expected.txt" or (case / name).exists():
        assert expected(case / name, report) == report
    assert not [line for line in report.split("\n") if line != line.rstrip()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_said_once_hides_no_place_no_unit_and_no_port(case: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    inputs = sorted(str(path) for path in case.iterdir() if path.is_dir())
    main(["check", "--format", "json", *inputs])
    hosts = json.loads(capsysbinary.readouterr().out)["hosts"]
    main(["check", *inputs])
    report = capsysbinary.readouterr().out.decode()

    for finding in (finding for host in hosts for finding in host["findings"]):
        at, subject = finding["at"], finding["subject"]
        assert f"{at['path']}:{at['line']}:{at['column']}" in report
        assert (subject["unit"] or "").partition(".")[0] in report
        assert str(subject["port"] or "") in report
    assert sum(len(host["findings"]) for host in hosts) == int(re.findall(r"(\d+) findings? \(", report)[-1])
