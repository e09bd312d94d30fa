"""A report is a file: with it, a command writes a format that nobody had heard of, and its help names it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import portwright.reports.formats
from portwright.cli import main
from portwright.registry import members
from portwright.reports.registry import formats

LINES = '''
"""A line for each finding, as editors jump to."""

from portwright.reports.escape import safe
from portwright.reports.registry import Checked, Look, report


@report("check")
def check(checked: Checked, look: Look) -> str:
    found = (finding for result in checked.results for finding in result.findings)
    return "".join(f"{safe(str(finding.at))}: {finding.card.id}\\n" for finding in found)
'''


@pytest.fixture(autouse=True)
def _one_file_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "locations.py").write_text(LINES)
    monkeypatch.setattr(portwright.reports.formats, "__path__", [*portwright.reports.formats.__path__, str(tmp_path)])
    members.cache_clear()
    yield
    monkeypatch.undo()
    members.cache_clear()


def test_a_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "10-range.conf").write_text("net.ipv4.ip_local_port_range = 5 4\n")

    assert 1 == main(["check", "10-range.conf", "--format", "locations"])
    assert "10-range.conf:1:1: sysctl-value-rejected\n" == capfd.readouterr().out


def test_the_help_of_the_commands_that_have_it_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "locations" in formats("check")
    assert "locations" not in formats("facts")
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    assert ", ".join(formats("check")) in " ".join(capsys.readouterr().out.split())


def test_no_other_command_takes_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["facts", "--format", "locations"])
    assert "invalid choice: 'locations' (choose from 'text', " in capfd.readouterr().err
