"""Situations and the exact text that `portwright check` says of each, beside them; `ACCEPT=1 pytest` writes it anew."""

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
