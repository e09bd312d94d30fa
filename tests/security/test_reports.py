"""Reports steer nobody: not a terminal, not the log of a CI job, not what reads SARIF."""

import json
import re
from pathlib import Path

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

# Beginnings of lines, and pieces of them, that the logs of CI jobs take for commands.
NAMES = ("::stop-commands::x", "::add-mask::y", "##[error]z", "##vso[task.setvariable variable=a]b", "##[command]c", "##teamcity[message d")

_OF_GITHUB = re.compile(r"^(?:\s|\x1b\[[\d;]*m)*::|##\[", re.MULTILINE)
_OF_AZURE = re.compile(r"##(?:vso|teamcity)?\[")


def _hostile(root: Path) -> Path:
    """A repository whose folders and units are commands, each with a finding and with something that cannot be read."""
    for number, name in enumerate(NAMES):
        folder = root / name
        folder.mkdir(parents=True)
        (folder / f"a{number}.service").write_text(f"[Service]\nUser=svc\nExecStart=/opt/app --port {number + 80}\n")
        (folder / f"b{number}.service").write_text(f"[Service]\nExecStart='{name}\n")
        (folder / "90-ports.conf").write_text(f"net.ipv4.ip_local_port_range = 5 4\n{name}\n")
    return root


COMMANDS = [
    ["check", "-q"], ["check"], ["check", "-v"], ["check", "--format", "json"], ["check", "--format", "sarif"], ["facts", "-q"], ["facts"],
    ["facts", "-v"], ["facts", "--format", "json"], ["ports"], ["ports", "-q"], ["ports", "--format", "json"], ["fix"], ["fix", "-q"],
]  # fmt: skip


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"])
@pytest.mark.parametrize("command", COMMANDS)
def test_case_43_no_line_of_a_report_is_a_command_for_the_ci_job_that_logs_it(
    command: list[str], variable: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "true")
    monkeypatch.chdir(_hostile(tmp_path))

    main([*command, "."])
    heard = capsys.readouterr()

    assert [] == _OF_GITHUB.findall(heard.out + heard.err) + _OF_AZURE.findall(heard.out + heard.err)
    assert command[0] in ("fix", "ports") or "stop-commands" in heard.out
    if "json" in command:
        assert "##[error]z/" in json.dumps(json.loads(heard.out))


def test_case_43_in_a_list_of_hosts_no_name_begins_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for number, name in enumerate(NAMES):
        unit = {"etc/systemd/system/a.service": "[Service]\nUser=svc\nExecStart=/opt/a --port 80\n", **enabled("a.service")}
        lay(tmp_path / f"h{number}", {**unit, "etc/hostname": f"{name}\n"})

    for command in (["check", "-q"], ["check"], ["facts", "-q"], ["ports"]):
        main([*command, str(tmp_path)])
        heard = capsys.readouterr()
        assert [] == _OF_GITHUB.findall(heard.out + heard.err)
        assert heard.out


def test_case_43_annotations_are_the_only_commands_and_all_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.chdir(_hostile(tmp_path))

    main(["check", "--format", "github", "."])
    lines = capsys.readouterr().out.splitlines()

    assert lines
    assert [] == [line for line in lines if not re.match(r"::(?:error|warning|notice) (?:file=[^:,]+,line=\d+,|title=)", line)]


def test_case_43_a_complaint_is_no_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert 2 == main(["check", "/no/##[error]x"])
    assert "##[" not in capsys.readouterr().err


HOSTILE_RULE = """\
id: port-of-the-office
title: 'A [link](javascript:alert(1)) to @everyone <img src=x onerror=alert(1)> | a | b ```'
severity: low
why: 'See [x](javascript:alert(1)), ![y](data:text/html,z), </details><script>alert(1)</script>, @everyone and ~~~ fences ```.'
references: ['https://example.org/"><script>', socket(7)]
each: listener
where: {ports: {overlaps: 8000-8009}}
message: "[{who}](javascript:alert(1)) @everyone <b> | {socket}"
bad: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 8001\\n# ``````\\n# <script>\\n"}
good: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 9001\\n# ~~~~\\n"}
"""


def test_case_48_no_text_of_a_rule_does_anything_in_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "port-of-the-office.yaml").write_text(HOSTILE_RULE)
    assert 0 == main(["explain", "--rules", str(tmp_path), "--format", "markdown", "port-of-the-office"])
    page = capsys.readouterr().out
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    outside = re.sub(r"`[^`\n]+`", "", outside)

    assert "everyone" in outside
    assert [] == re.findall(r"(?<!\\)\]\((?!https://manpages)|<(?!https://)|(?<![\w;])@\w|(?<!\\)```|(?<!\\)\|", outside)
    assert 0 == page.count("\n```") % 2


def test_a_report_that_no_ci_job_logs_shows_names_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(_hostile(tmp_path))

    main(["check", "-q", "."])
    assert "\n::stop-commands::x/" in "\n" + capsys.readouterr().out
