"""Many hosts, one playbook: a play for each kind of plan, a vars file for each host, and no machine gets another one's plan."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from portwright._start.records import replace
from portwright.cli import main
from portwright.fixes.ansible import Before, Playbook, PlaybookNameError, templates
from portwright.fixes.fleet import HostPlan, fleet_playbook, host_plan, told_apart
from portwright.fixes.plan import Plan, Unplanned
from portwright.shipped import playbooks_directory
from tests.fixes.on_a_copy import plan_for, web
from tests.fixes.test_playbook import ansible
from tests.fuzz.constructions import lay

NASTY = ["{{ 1 + 1 }}", "{% raw %}", "!unsafe x", "a: b # c", "true", "\u2028", "{{ lookup('pipe', 'id') }}", '{"a": 1}', "[1]", " x "]


def of(name: str, port: int, identity: str, low: int = 0) -> HostPlan:
    files = {**web(port), **(web(low, "low.service", "User=www-data") if low else {}), "/etc/passwd": "www-data:x:33:33::/:/bin/false\n"}
    made = host_plan(plan_for(files), Before({"/etc/sysctl.d": b""}), allow_restart=False)
    return replace(made, host=name, identity=identity)


def book(*plans: HostPlan) -> Playbook:
    return fleet_playbook(plans, "fleet.yml", templates(playbooks_directory()))


def test_hosts_with_the_same_kinds_of_steps_share_a_play_and_differ_in_their_vars_files_only() -> None:
    one, two = book(of("a", 40100, "a")), book(of("a", 40100, "a"), of("b", 40200, "b"))

    assert one.files["fleet.yml"] == two.files["fleet.yml"]
    assert one.files["fleet.rollback.yml"] == two.files["fleet.rollback.yml"]
    assert 1 == one.files["fleet.yml"].count("  hosts: portwright_")
    assert [4, 5] == [len(each.files) for each in (one, two)]


def test_case_77_each_kind_of_plan_has_a_play_that_begins_with_one_host_and_stops_at_the_first_failure() -> None:
    text = book(of("a", 40100, "a"), of("b", 40100, "b", low=81), of("c", 8080, "c")).files["fleet.yml"]

    assert ["hosts: portwright_sysctl", "hosts: portwright_sysctl_drop_in"] == [
        line.strip() for line in text.splitlines() if line.startswith("  hosts: portwright_")
    ]
    assert text == text.rstrip("\n") + "\n"
    assert "#   to preview:  add --check --diff\n" in text
    assert 2 == text.count("  serial:\n    - 1\n    - 25%\n    - 100%\n  max_fail_percentage: 0\n")


def test_no_text_of_a_host_stands_in_the_playbook_and_only_its_owner_reads_what_does() -> None:
    made = book(of("web1.example", 40123, "0123456789abcdef0123456789abcdef"))

    for name in ("fleet.yml", "fleet.rollback.yml", "fleet.vars.json"):
        assert not {"web1.example", "40123", "0123456789abcdef"} & set(made.files[name].replace('"', " ").split())
    assert {"fleet.vars.json", *(name for name in made.files if name.startswith("fleet.vars/"))} == set(made.private)


def test_two_machines_of_one_identity_get_no_plan_and_are_told_why() -> None:
    one, two, other = told_apart((of("a", 40100, "x"), of("b", 40200, "x"), of("c", 40300, "y")))

    assert ([], [], True) == ([*one.steps], [*two.steps], bool(other.steps))
    assert one.reason == "b has the same identity (/etc/machine-id, else /etc/hostname), so that no playbook can tell the two apart"
    assert {one.reason} == {left.reason for left in one.unplanned}


def test_a_name_that_cannot_stand_in_a_playbook_is_refused() -> None:
    with pytest.raises(PlaybookNameError):
        fleet_playbook((of("a", 40100, "a"),), "{{ x }}.yml", templates(playbooks_directory()))


def _play(text: str, where: Path) -> "subprocess.CompletedProcess[str]":
    (where / "fleet.yml").write_text(text)
    return ansible(where / "fleet.yml", where=where)


def _here() -> str:
    """What identifies this machine."""
    place = Path("/etc/machine-id")
    text = place.read_text().strip() if place.is_file() else ""
    return text if len(text) == 32 else Path("/etc/hostname").read_text().strip() or socket.gethostname()


def test_case_56_a_machine_takes_its_own_plan_to_the_byte_and_one_that_was_not_analysed_fails(tmp_path: Path) -> None:
    own = HostPlan("here", _here(), variables={"portwright_tried": NASTY})
    made = book(own, of("b", 40100, "b"))
    for name, text in made.files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    find = made.files["fleet.yml"].partition('\n- name: "Apply')[0]
    copy = f"""- hosts: portwright_nothing
  gather_facts: false
  tasks:
    - copy:
        content: "{{{{ portwright_tried | to_json }}}}"
        dest: {tmp_path}/tried
        mode: "0600"
"""
    ran = _play(f"{find}\n{copy}", tmp_path)

    assert 0 == ran.returncode, ran.stdout
    assert NASTY == json.loads((tmp_path / "tried").read_text())
    for path in (tmp_path / "fleet.vars").iterdir():
        path.unlink()
    ran = _play(find, tmp_path)
    assert (2, True) == (ran.returncode, "this is none of the machines that were analysed" in ran.stdout), ran.stdout


def test_the_command_writes_a_plan_for_each_host_and_says_each_step_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(("web1", "web2"), 1):
        own = {"/etc/machine-id": f"{number:032x}\n", "/etc/hostname": f"{name}\n"}
        lay({**web(40100), **own}, tmp_path / "hosts" / name)

    code = main(["fix", str(tmp_path / "hosts"), "--select", "listener-in-ephemeral-range", "-o", str(tmp_path / "fleet.yml")])

    said = capsys.readouterr().out
    assert 0 == code, said
    assert "    on 2 hosts: web1, web2\n\nplanned for 2 of 2 hosts, each proven on a copy of it; 2 findings fixed, in 1 play\n" in said
    assert 2 == len([*(tmp_path / "fleet.vars").iterdir()])
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (tmp_path / "fleet.vars").iterdir()}
    assert 0o700 == (tmp_path / "fleet.vars").stat().st_mode & 0o777


def test_a_secret_among_the_running_settings_that_were_captured_stops_no_plan(tmp_path: Path) -> None:
    key = "net.ipv4.tcp_fastopen_key = 7a1c9e55-0b3f44d2-91e86c07-5d2ab3f8"
    files = {**web(40100), "/.portwright/sysctl": f"{key}\nnet.ipv4.ip_local_reserved_ports = \n"}
    lay(files, tmp_path / "web1")

    code = main(["fix", str(tmp_path / "web1"), "--select", "listener-in-ephemeral-range", "-o", str(tmp_path / "web1.yml")])

    assert 0 == code
    assert "7a1c9e55" not in (tmp_path / "web1.vars.json").read_text()


def test_an_error_of_our_own_in_one_host_is_exit_70_though_findings_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("web1", "web2"), 1):
        lay({**web(40100), "/etc/machine-id": f"{number:032x}\n", "/etc/hostname": f"{name}\n"}, tmp_path / name)

    def broken(plan: Plan, before: Before, *, allow_restart: bool) -> HostPlan:
        if plan.host.name == "web2":
            raise RuntimeError("a bug")
        return replace(host_plan(plan, before, allow_restart=allow_restart), unplanned=tuple(Unplanned(f, "why") for f in plan.fixed))

    monkeypatch.setattr("portwright.audit.fleet.kept", broken)

    assert 70 == main(["fix", str(tmp_path / "web1"), str(tmp_path / "web2")])
