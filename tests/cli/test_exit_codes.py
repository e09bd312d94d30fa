"""What a pipeline sees of a run: exit codes, where reports go, and one clear line for what cannot be done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from portwright import __version__
from portwright.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
WEB1 = str(EXAMPLES / "web1")

CLEAN = {"etc/os-release": "ID=debian\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/hostname": "quiet\n"}


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return _host(tmp_path / "quiet", {})


def _host(root: Path, files: dict[str, str]) -> Path:
    for path, text in {**CLEAN, **files}.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root


def test_a_host_without_findings_exits_0(clean: Path) -> None:
    assert 0 == main(["check", str(clean)])


def test_findings_exit_1() -> None:
    assert 1 == main(["check", WEB1])


def test_findings_below_fail_on_exit_0() -> None:
    assert 0 == main(["check", WEB1, "--select", "fin-timeout-as-time-wait-cure", "--fail-on", "medium"])


def test_fail_on_counts_the_severity_itself() -> None:
    assert 1 == main(["check", WEB1, "--select", "fin-timeout-as-time-wait-cure", "--fail-on", "low"])


def test_fail_on_never_exits_0() -> None:
    assert 0 == main(["check", WEB1, "--fail-on", "never"])


def test_exit_zero_turns_1_into_0() -> None:
    assert 0 == main(["check", WEB1, "--exit-zero"])


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A host of which everything can be read, and one service is not understood."""
    unit = "[Service]\nExecStart=/opt/app/bin/app\n"
    root = _host(tmp_path / "unknown", {"etc/systemd/system/app.service": unit, "etc/systemd/system/multi-user.target.wants/.keep": ""})
    (root / "etc/systemd/system/multi-user.target.wants/app.service").symlink_to("../app.service")
    return root


@pytest.mark.parametrize("command", ["check", "facts", "ports"])
def test_what_is_not_covered_exits_3_where_that_is_asked_for(command: str, unknown: Path, clean: Path) -> None:
    assert 0 == main([command, str(unknown)])
    assert 3 == main([command, str(unknown), "--strict"])
    assert 3 == main([command, str(unknown), "--strict", "--accept-unreadable"])
    assert 0 == main([command, str(clean), "--strict"])


@pytest.mark.parametrize("command", ["check", "facts", "ports"])
def test_what_could_not_be_read_may_be_accepted_and_stays_in_the_report(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = str(_host(tmp_path / "broken", {"etc/sysctl.d/10-x.conf": "no assignment\n"}))

    assert 3 == main([command, broken])
    capsys.readouterr()
    assert 0 == main([command, broken, "--accept-unreadable"])
    assert "not an assignment" in capsys.readouterr().out


def test_where_nothing_was_read_there_is_nothing_to_accept(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert 3 == main(["check", str(tmp_path / "empty"), "--accept-unreadable"])


def test_fail_on_counts_the_severity_that_likelihood_lowers(tmp_path: Path) -> None:
    unit = "[Socket]\nListenStream=127.0.0.1:45001\n"
    root = _host(tmp_path / "odd", {"etc/systemd/system/web.socket": unit, "etc/systemd/system/sockets.target.wants/.keep": ""})
    (root / "etc/systemd/system/sockets.target.wants/web.socket").symlink_to("../web.socket")
    (root / "etc/systemd/system/web@.service").write_text("[Service]\nExecStart=/bin/true\n")
    (root / "etc/systemd/system/web.service").write_text("[Service]\nExecStart=/usr/bin/cat\n")

    select = ["--select", "listener-in-ephemeral-range"]
    assert 0 == main(["check", str(root), *select, "--fail-on", "high"])
    assert 1 == main(["check", str(root), *select, "--fail-on", "medium"])


def test_a_rate_is_held_against_the_ports(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["check", str(clean), "--rate", "235"])
    assert 1 == main(["check", str(clean), "--rate", "471", "--quiet"])
    assert "28232 ports are left for outgoing connections, 28 fewer than the 471 new ones a second" in capsys.readouterr().out
    assert 0 == main(["ports", str(clean), "--rate", "471"])
    assert "471 a second, as expected (--rate), take 28260 ports" in capsys.readouterr().out
    assert 1 == main(["fix", str(clean), "--rate", "471"])


@pytest.mark.parametrize("rate", ["0", "-1", "many", "99999999"])
def test_a_rate_is_a_number_of_connections_a_second(clean: Path, rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["check", str(clean), f"--rate={rate}"])
    assert f"not a number of connections a second: '{rate}'" in capsys.readouterr().err


def test_what_cannot_be_read_exits_3_even_where_findings_are_forgiven(tmp_path: Path) -> None:
    root = _host(tmp_path / "h", {})
    (root / "etc/sysctl.d").mkdir()
    os.mkfifo(root / "etc/sysctl.d/10-x.conf")

    assert 3 == main(["check", str(root)])
    assert 3 == main(["check", str(root), "--exit-zero"])


def test_a_finding_counts_more_than_what_cannot_be_read(tmp_path: Path) -> None:
    root = _host(tmp_path / "h", {"etc/sysctl.d/20-y.conf": "net.ipv4.tcp_fin_timeout = 10\n"})
    os.mkfifo(root / "etc/sysctl.d/10-x.conf")

    assert 1 == main(["check", str(root)])


def test_a_directory_without_any_config_exits_3(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 3 == main(["check", str(tmp_path)])
    assert b"nothing was read" in capsysbinary.readouterr().out


def test_no_rule_selected_exits_3(clean: Path) -> None:
    families = {path.parent.name for path in (EXAMPLES.parent / "rules").glob("*/*.yaml")}

    assert 3 == main(["check", str(clean), *(word for family in families for word in ("--ignore", family))])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["check", "/no/such/path"], "/no/such/path: no such file or directory"),
        (["check", "--select", "listener-in-ephemeral-rang", WEB1], "did you mean 'listener-in-ephemeral-range'?"),
        (["check", "--format", "yaml", WEB1], "invalid choice: 'yaml'"),
        (["check", "--format", "xml", WEB1], "invalid choice: 'xml'"),
        (["check", "--output", "a", "--output", "b", WEB1], "more --output than --format"),
        (["check", "--format", "json", "--format", "text", WEB1], "only one report can go to standard output"),
        (["check", "--output", "/no/such/folder/report", WEB1], "cannot write /no/such/folder/report"),
        (["check", "--jobs", "0", WEB1], "not a number of jobs: '0'"),
        (["monitor", "-i", "inventory"], "unknown command 'monitor'"),
        (["check", "--selct", "reuse", WEB1], "did you mean --select?"),
        (["check", "--rules", "/no/such/rules", WEB1], "no such folder of rules"),
        (["explain", "no-such-rule"], "there is no rule or family named 'no-such-rule'"),
        (["fix", WEB1, WEB1 + "/../shop"], "fix plans for hosts, together, or for one repository"),
        (["fix", WEB1, "-o", "../plan with blanks.yml"], "a playbook's name is letters"),
        (["fix", WEB1, "--apply"], "the host to read must be /"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert 2 == main(arguments)

    said = capsys.readouterr().err
    assert complaint in said
    assert 1 == said.count("\n")
    assert said.startswith("portwright: ")


def test_a_mistake_in_a_rule_is_its_file_line_and_the_nearest_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rule = tmp_path / "rules" / "mine" / "my-rule.yaml"
    rule.parent.mkdir(parents=True)
    rule.write_text(
        "id: my-rule\ntitle: Mine\nseverity: hihg\nwhy: because\nreferences: [ports(7)]\neach: listener\nwhere: {starts: {is: boot}}\n"
        'message: "{app}"\n'
    )

    assert 2 == main(["check", "--rules", str(tmp_path / "rules"), WEB1])

    said = capsys.readouterr().err
    assert f"{rule}:3" in said
    assert "high" in said


def test_standard_input_is_read_under_the_name_given() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "portwright", "check", "-", "--stdin-filename", "etc/sysctl.d/x.conf", "-q"],
        input=b"net.ipv4.ip_local_port_range = 50000 40000\n",
        capture_output=True,
        check=False,
    )

    assert 1 == run.returncode
    assert run.stdout.startswith(b"etc/sysctl.d/x.conf:1:1: high[sysctl-value-rejected]")
    assert b"" == run.stderr


def test_two_reports_come_out_of_one_run(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    report = tmp_path / "report.json"

    assert 1 == main(["check", WEB1, "--format", "json", "--output", str(report), "--format", "text"])

    assert 1 == json.loads(report.read_text())["version"]
    assert b"listener-in-ephemeral-range" in capsysbinary.readouterr().out


def test_sarif_lists_the_rules_that_were_held_while_annotations_go_to_the_log(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    report = tmp_path / "report.sarif"
    words = ["--select", "reuse,fin-timeout-as-time-wait-cure", "--format", "sarif", "--output", str(report), "--format", "github"]

    assert 1 == main(["check", WEB1, *words])

    (run,) = json.loads(report.read_text())["runs"]
    listed = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    family = {path.stem for path in (EXAMPLES.parent / "rules" / "reuse").glob("*.yaml")}
    assert family | {"fin-timeout-as-time-wait-cure"} == listed
    assert ["listener-without-reuseaddr", "fin-timeout-as-time-wait-cure"] == [result["ruleId"] for result in run["results"]]
    assert [b"::warning", b"::notice", b"::notice"] == [line.partition(b" ")[0] for line in capsysbinary.readouterr().out.splitlines()]


def test_a_report_can_go_to_a_device(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 1 == main(["check", WEB1, "--format", "json", "--output", "/dev/null"])
    assert os.path.exists("/dev/null")
    assert not os.path.isfile("/dev/null")


def test_vars_files_are_for_their_owner_only_and_reports_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o002)
    try:
        main(["fix", WEB1, "-o", str(tmp_path / "plan.yml")])
        main(["check", WEB1, "--output", str(tmp_path / "report")])
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert {"plan.yml": 0o664, "plan.vars.json": 0o600, "plan.rollback.yml": 0o664, "report": 0o664} == modes


def test_fix_exits_1_where_findings_stay_without_a_plan() -> None:
    assert 1 == main(["fix", WEB1])


def test_fix_exits_0_where_everything_found_is_planned(tmp_path: Path) -> None:
    assert 0 == main(["fix", WEB1, "--select", "listener-in-ephemeral-range"])


def test_fix_exits_0_where_nothing_was_found(clean: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 0 == main(["fix", str(clean)])
    assert b"nothing is planned for quiet: nothing was found" in capsysbinary.readouterr().out


def test_an_empty_plan_leaves_no_playbook_of_an_earlier_one_and_the_way_back(
    tmp_path: Path, clean: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    playbook = str(tmp_path / "plan.yml")
    main(["fix", WEB1, "-o", playbook])
    capsysbinary.readouterr()

    assert 0 == main(["fix", str(clean), "-o", playbook])
    assert f"removed: {playbook}, the playbook of an earlier plan; its rollback still works".encode() in capsysbinary.readouterr().out
    assert ["plan.rollback.yml", "plan.vars.json"] == sorted(path.name for path in tmp_path.glob("plan.*"))


@pytest.mark.parametrize("name", ["theirs.yml", "link.yml", "pipe.yml", "none/plan.yml"])
def test_an_empty_plan_removes_nothing_that_is_not_a_playbook_of_ours(tmp_path: Path, clean: Path, name: str) -> None:
    main(["fix", WEB1, "-o", str(tmp_path / "ours.yml")])
    (tmp_path / "theirs.yml").write_text("---\n- hosts: all\n")
    (tmp_path / "link.yml").symlink_to("ours.yml")
    os.mkfifo(tmp_path / "pipe.yml")
    before = sorted(path.name for path in tmp_path.iterdir())

    assert 0 == main(["fix", str(clean), "-o", str(tmp_path / name)])
    assert before == sorted(path.name for path in tmp_path.iterdir())


def test_apply_as_a_user_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert 2 == main(["fix", "/", "--apply", "-o", str(tmp_path / "plan.yml")])
    assert "portwright: --apply changes this machine, which only root may: run portwright as root\n" == capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


def test_fix_of_a_repository_names_the_places_of_its_own_files(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 1 == main(["fix", str(EXAMPLES / "shop")])
    said = capsysbinary.readouterr().out
    assert b"1. deploy/sysctl.d/60-ports.conf:3:1: set net.ipv4.ip_local_reserved_ports to" in said
    assert b"nothing was written: name a file with --patch FILE" in said


def test_a_patch_is_for_a_repository_and_for_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["fix", WEB1, "--patch", str(tmp_path / "p.diff")])
    assert "--patch changes a repository's files; a host gets a playbook: -o NAME.yml" in capsys.readouterr().err
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["facts"], ["ports"], ["check"], ["facts", "--format", "json"], ["ports", "--format", "json"]])
def test_the_same_host_gives_the_same_bytes_whatever_the_surroundings(command: list[str]) -> None:
    bind_context = [{"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"}, {"PYTHONHASHSEED": "2", "LANG": "tr_TR.UTF-8"}]

    said = {
        subprocess.run(
            [sys.executable, "-m", "portwright", *command, WEB1], capture_output=True, check=False, env={**os.environ, **more}
        ).stdout
        for more in bind_context
    }

    assert 1 == len(said)


def test_any_number_of_jobs_gives_the_same_bytes(tmp_path: Path) -> None:
    for number in range(5):
        own = {"etc/hostname": f"host{number}\n", "etc/sysctl.d/1.conf": f"net.ipv4.tcp_fin_timeout={number}\n"}
        _host(tmp_path / f"host{number}", own)

    said = {
        subprocess.run(
            [sys.executable, "-m", "portwright", "check", "--format", "json", "--jobs", jobs, str(tmp_path)],
            capture_output=True,
            check=False,
        ).stdout
        for jobs in ("1", "2", "7")
    }

    assert 1 == len(said)
    assert 5 == len(json.loads(said.pop())["hosts"])


def test_no_color_is_obeyed_and_asking_for_color_is_stronger(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["check", WEB1])
    plain = capsysbinary.readouterr().out
    main(["check", WEB1, "--color", "always"])

    assert b"\x1b[" not in plain
    assert b"\x1b[" in capsysbinary.readouterr().out


def test_a_reader_that_stops_early_is_no_error() -> None:
    run = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m portwright check {WEB1} --format json | head -c 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        check=False,
        text=True,
    )

    assert "" == run.stderr


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])

    assert 0 == left.value.code
    python = ".".join(map(str, sys.version_info[:3]))
    assert f"portwright {__version__} (rules {__version__}, Python {python})\n" == capsys.readouterr().out


def test_rules_apps_and_explain_speak(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for arguments in (["rules"], ["rules", "--format", "json"], ["apps"], ["apps", "--format", "json"], ["explain", "port-claimed-twice"]):
        assert 0 == main(arguments)
        assert capsysbinary.readouterr().out.strip()


def test_the_catalogue_of_daemons_says_what_is_known_of_each(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["apps", "--format", "json"])
    apps = {each["app"]: each for each in json.loads(capsysbinary.readouterr().out)["apps"]}
    synapse, pihole = apps["synapse"], apps["pihole-ftl"]

    assert ["deb", "rpm", "apk", "arch"] == synapse["families"]
    assert {"listeners.port", "metrics_port", "--manhole"} <= set(synapse["settings"])
    assert "/etc/matrix-synapse/homeserver.yaml" in synapse["config"]
    assert [] == synapse["default_only"]
    assert {"protocol": "udp", "port": "67"} in pihole["default_only"]
    assert apps["nginx"]["read_by_code"]
    assert 2 <= synapse["cases"]["written"]
    assert 1 <= synapse["cases"]["moved"]
    assert all(each["source"] for each in apps.values())
