"""A configuration on the command line: whose word counts, what it silences, and what the report says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from portwright.cli import main

ROOT = Path(__file__).parents[2]
RANGE = "net.ipv4.ip_local_port_range = 5 4\n"
RULE = """\
id: any
title: a service listens
severity: low
why: The office keeps these ports for itself, and whatever else listens there takes one that somebody was promised.
references: [https://intranet.example/ports]
each: listener
where: {ports: {overlaps: 1-65535}}
message: "{who} listens"
bad: {/etc/systemd/system/a.service: "[Service]\nExecStart=/usr/bin/python3 -m http.server 8001\n"}
good: {/etc/systemd/system/a.service: "[Service]\nExecStart=/usr/bin/true\n"}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository one stands in, with one finding in each of two files."""
    top = tmp_path / "repository"
    for folder in (".git", "a", "b/deep"):
        (top / folder).mkdir(parents=True)
    (top / "a" / "10-range.conf").write_text(RANGE)
    (top / "b" / "deep" / "20-reuse.conf").write_text("net.ipv4.tcp_tw_reuse = 9\n")
    monkeypatch.chdir(top)
    return top


def _checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["check", *words, "--format", "json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def _found(document: dict[str, Any]) -> list[str]:
    return [finding["at"]["path"] for host in document["hosts"] for finding in host["findings"]]


def test_a_rule_is_not_counted_under_a_path_and_the_report_says_by_which_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "portwright.toml").write_text('[[per-path]]\npaths = ["a/"]\nignore = ["sysctl"]\nreason = "not ours"\n')

    code, document = _checked(capsys, ".")

    assert (1, ["b/deep/20-reuse.conf"]) == (code, _found(document))
    assert "portwright.toml" == document["config"]
    (allowed,) = document["hosts"][0]["allowed"]
    assert ("not ours", "portwright.toml:1") == (allowed["reason"], allowed["by"])
    assert 1 == main(["check", ".", "--show-allowed"])
    text = " ".join(capsys.readouterr().out.split())
    assert "a/10-range.conf:1:1: sysctl-value-rejected: not ours (portwright.toml:1)" in text
    assert "settings of portwright.toml" in text
    assert "1 allowed by portwright.toml" in text


@pytest.mark.parametrize(("stand", "path"), [("a", "."), ("a", "10-range.conf"), (".", "a"), (".", "a/10-range.conf")])
def test_patterns_are_relative_to_the_file_wherever_one_stands_below_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stand: str, path: str
) -> None:
    (repository / "portwright.toml").write_text('[[per-path]]\npaths = ["/a/*.conf"]\nignore = ["sysctl"]\nreason = "not ours"\n')
    monkeypatch.chdir(repository / stand)

    assert (0, []) == (lambda found: (found[0], _found(found[1])))(_checked(capsys, path))


def test_what_is_excluded_is_left_out_of_a_part_of_the_repository_too(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "portwright.toml").write_text('exclude = ["/b/deep/", "a/"]\n')

    for path in (".", "b"):
        assert [] == _found(_checked(capsys, path)[1])
    assert ["10-range.conf"] == _found(_checked(capsys, "a")[1])  # which its user names
    (repository / "portwright.toml").write_text('exclude = ["/b/deep/"]\n')
    assert ["a/10-range.conf"] == _found(_checked(capsys, ".")[1])
    assert [] == _found(_checked(capsys, "b")[1])


def test_a_severity_is_remapped_and_the_rules_own_is_told(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "portwright.toml").write_text('fail-on = "medium"\n[severity]\nsysctl = {is = "low", reason = "ours"}\n')

    code, document = _checked(capsys, ".")

    assert 0 == code
    assert {("low", "high")} == {(f["severity"], f["rule_severity"]) for f in document["hosts"][0]["findings"]}


def test_an_option_goes_before_the_file_and_the_file_before_its_profile(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "portwright.toml").write_text('fail-on = "never"\nprofile = "proxy"\nignore = ["reuse"]\n[facts]\nrate = 40\n')

    assert 0 == main(["config", "--format", "json", "--fail-on", "info", "--ignore", "pooling"])
    settings = json.loads(capsys.readouterr().out)["settings"]
    said = [(each["name"], each["value"], each["origin"]) for each in settings]
    assert ("fail-on", "info", "--fail-on") in said
    assert ("rate", 40, "portwright.toml:5") in said
    assert ("ignore", ["pooling"], "--ignore") in said
    assert ("ignore", ["reuse"], "portwright.toml:3") in said
    assert ("min-confidence", "possible", "default") in said
    assert ("profile", "proxy", "portwright.toml:2") in said
    assert ("severity", "narrow-ephemeral-range = high", "profile proxy") in said
    assert 0 == main(["config", "--format", "json", "--profile", "load-generator"])
    assert '"--profile"' in capsys.readouterr().out


def test_config_says_where_a_directory_stands_and_what_is_obeyed_there(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "portwright.toml").write_text('fail-on = "high"\n')

    assert 0 == main(["config", str(repository / "b" / "deep")])
    assert capsys.readouterr().out.startswith("settings of portwright.toml\n")
    assert 0 == main(["config", str(ROOT / "examples" / "web1")])
    assert "portwright.toml:1" not in capsys.readouterr().out
    assert 2 == main(["config", str(tmp_path / "none")])


def test_what_lies_below_the_repository_or_in_another_one_is_not_obeyed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = 'ignore = ["sysctl"]\n'
    (repository / "a" / "portwright.toml").write_text(silent)
    assert (1, None) == (lambda found: (found[0], found[1]["config"]))(_checked(capsys, "a"))
    monkeypatch.chdir(repository / "a")
    assert 1 == _checked(capsys, ".")[0]
    (repository / "portwright.toml").write_text(silent)
    monkeypatch.chdir(tmp_path)
    assert (1, None) == (lambda found: (found[0], found[1]["config"]))(_checked(capsys, "repository"))


def test_a_proposed_change_can_neither_load_rules_nor_read_elsewhere(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "any.yaml").write_text(RULE)
    (repository / "portwright.toml").write_text('rules = ["../rules"]\n')

    assert 2 == main(["check", "."])
    assert "names no rules to load" in capsys.readouterr().err
    assert 2 == main(["config"])
    (repository / "portwright.toml").unlink()
    (repository / "portwright.toml").symlink_to("/etc/passwd")
    assert 2 == main(["check", "."])
    assert capsys.readouterr().err.endswith("portwright: portwright.toml: a configuration that nobody named is reached through no link\n")


def test_who_judges_what_a_stranger_proposes_names_a_configuration_of_their_own(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "portwright.toml").write_text('fail-on = "never"\nignore = ["sysctl"]\n')
    (tmp_path / "own.toml").write_text('fail-on = "low"\n')

    assert (0, []) == (lambda found: (found[0], _found(found[1])))(_checked(capsys, "."))
    assert (1, 2) == (lambda found: (found[0], len(_found(found[1]))))(_checked(capsys, ".", "--config", str(tmp_path / "own.toml")))


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "broken"])
def test_a_projects_file_that_says_nothing_of_portwright_disturbs_no_check(
    repository: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    file = repository / "pyproject.toml"
    match kind:
        case "link":
            (repository / "other.toml").write_text('[tool.portwright]\nfail-on = "never"\n')
            file.symlink_to("other.toml")
        case "pipe":
            os.mkfifo(file)
        case "directory":
            file.mkdir()
        case _:
            file.write_bytes(b"[project\n\xff")

    assert (1, None) == (lambda found: (found[0], found[1]["config"]))(_checked(capsys, "."))
    assert 0 == main(["config"])


def test_who_names_a_file_may_name_rules_in_it(repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "any.yaml").write_text(RULE)
    (tmp_path / "mine.toml").write_text('rules = ["ours"]\nselect = ["any"]\n')

    assert 0 == main(["config", "--config", str(tmp_path / "mine.toml")])
    assert str(tmp_path / "ours") in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("text", ['ignore = ["reus"]', '[severity]\nreus = {is = "low", reason = "x"}', 'profile = "prxy"'])
def test_a_word_that_is_no_rule_family_or_profile_is_told(repository: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (repository / "portwright.toml").write_text(text)

    for command in (["check", "."], ["config"]):
        assert 2 == main(command)
        assert "did you mean" in capsys.readouterr().err


def test_nothing_of_it_is_imported_where_there_is_no_file(repository: Path) -> None:
    program = (
        "import sys\nfrom portwright.cli import main\nmain(['check', '.'])\n"
        "print([name for name in ('tomllib', 'portwright.audit.configuration', 'portwright.cli.configured') if name in sys.modules])\n"
    )
    run = [sys.executable, "-c", program]

    assert "[]" == subprocess.run(run, capture_output=True, check=True, text=True, cwd=repository).stdout.splitlines()[-1]
    (repository / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert "[]" == subprocess.run(run, capture_output=True, check=True, text=True, cwd=repository).stdout.splitlines()[-1]
    (repository / "portwright.toml").write_text('fail-on = "low"\n')
    assert "[]" != subprocess.run(run, capture_output=True, check=True, text=True, cwd=repository).stdout.splitlines()[-1]


def test_every_report_that_has_room_says_what_was_obeyed_and_which_comments_have_no_effect(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "portwright.toml").write_text('exclude = ["/b/"]\n')
    (repository / "a" / "10-range.conf").write_text(f"# portwright: allow port-claimed-twice: why\n{RANGE}")

    for form in ("text", "json", "jsonl", "sarif", "github", "markdown", "html", "csv"):
        main(["check", ".", "--format", form])
        said = capsys.readouterr().out.replace("&#45;", "-").replace("\\", "")
        assert "this comment allows port-claimed-twice, which finds nothing there" in " ".join(said.split()), form
        assert "portwright.toml" in said or form in ("jsonl", "csv"), form
    main(["check", ".", "-v"])
    assert "it is left out by portwright.toml:1" in " ".join(capsys.readouterr().out.split())
    main(["fix", ".", "--allow-review"])
    assert capsys.readouterr().out.endswith("settings of portwright.toml\n")


def test_an_audit_says_what_was_obeyed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "portwright.toml").write_text('fail-on = "never"\n')

    assert 0 == main(["audit", str(ROOT / "examples" / "web1")])
    assert "settings of portwright.toml" in " ".join(capsys.readouterr().out.split())


def test_on_a_host_a_comment_is_told_and_silences_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "host" / "usr").mkdir(parents=True)
    (tmp_path / "host" / "etc" / "sysctl.d").mkdir(parents=True)
    (tmp_path / "host" / "etc" / "sysctl.d" / "10-a.conf").write_text(f"# portwright: allow-file sysctl: why\n{RANGE}")

    code, document = _checked(capsys, str(tmp_path / "host"))

    assert (1, ["/etc/sysctl.d/10-a.conf"]) == (code, _found(document))
    (told,) = document["hosts"][0]["unused_allows"]
    assert "this comment has no effect on a host: nothing inside a host silences a finding" == told["reason"]


@pytest.mark.parametrize(("kernel", "found"), [("4.2", ["ambient-capabilities-unknown-to-kernel"]), ("4.3.1", [])])
def test_a_repository_is_judged_by_the_releases_that_its_file_says(
    repository: Path, capsys: pytest.CaptureFixture[str], kernel: str, found: list[str]
) -> None:
    for name in ("a/10-range.conf", "b/deep/20-reuse.conf"):
        (repository / name).unlink()
    unit = "[Service]\nUser=web\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nExecStart=/usr/bin/python3 -m http.server 80\n"
    (repository / "web.service").write_text(unit)
    (repository / "portwright.toml").write_text(f'[facts]\nkernel = "{kernel}"\nsystemd = "252"\n')

    document = _checked(capsys, ".")[1]

    assert found == [each["rule"] for each in document["hosts"][0]["findings"] if "ambient" in each["rule"]]
    assert 1 == document["hosts"][0]["files_read"]
    assert 0 == main(["config"])
    assert f"kernel          {kernel}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["facts", "ports"])
def test_facts_and_ports_obey_what_it_says_of_files_and_hosts(repository: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    for name, port in (("a", 8001), ("b", 8002)):
        (repository / name / "x.service").write_text(f"[Service]\nExecStart=/usr/bin/python3 -m http.server {port}\n")
    (repository / "portwright.toml").write_text('exclude = ["b/"]\nselect = ["ephemeral"]\n[facts]\nrate = 300\n')

    assert 0 == main([command, ".", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    (host,) = document["hosts"]
    ports = {each["port"] for each in host["listeners"]}
    assert {8001} == ports
    if command == "ports":
        assert '"expected_rate": 300' in json.dumps(host)
    assert 2 == main([command, ".", "--config", "none.toml"])
    (repository / "portwright.toml").write_text("exclud = []\n")
    assert 2 == main([command, "."])
    assert "portwright.toml:1" in capsys.readouterr().err


def test_the_kernel_of_a_configuration_decides_facts(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def somaxconn() -> str:
        assert main(["facts", ".", "--format", "json"]) in (0, 3)
        (host,) = json.loads(capsys.readouterr().out)["hosts"]
        return next(str(each["value"]) for each in host["sysctls"] if each["key"] == "net.core.somaxconn")

    (repository / "portwright.toml").write_text('[facts]\nkernel = "5.3"\n')
    before = somaxconn()
    (repository / "portwright.toml").write_text('[facts]\nkernel = "6.1"\n')

    assert ("128", "4096") == (before, somaxconn())
