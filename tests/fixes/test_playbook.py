"""What is written for a plan: constant text, host data only in the vars file, and Ansible reads back what was meant, byte for byte."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from portwright._start.records import replace
from portwright.audit.check import Selection, before, planned
from portwright.audit.inputs import inputs
from portwright.changes import (
    Change,
    CorrectSysctlKey,
    CorrectUnit,
    EditConfig,
    EditUnit,
    GrantCapability,
    LabelPort,
    LeaveUserNamespace,
    LimitCapabilities,
    MoveService,
    RaiseFileLimit,
    ReservePorts,
    SetInUnit,
    SetSysctl,
)
from portwright.changes.drop_in_step import DropInStep
from portwright.changes.kind import steps
from portwright.changes.sysctl_step import SysctlStep
from portwright.fixes.ansible import Before, Playbook, PlaybookNameError, playbook, templates
from portwright.fixes.plan import Plan
from portwright.fixes.policy import FixPolicy
from portwright.host import Host
from portwright.rules import load
from portwright.shipped import playbooks_directory, rules_directory
from tests.fixes.on_a_copy import MACHINE_ID, PROXY, RANGE, RESERVED, SYSCTL_FILE, UNLABELLED, UNPRIVILEGED, only, plan_for, service, web

TEMPLATES = templates(playbooks_directory())
ANSIBLE = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "ansible-playbook"

# What YAML, Jinja, a shell or an ini file could take for more than text (the plan's own checks are not asked here).
HOSTILE = [
    "{{ lookup('pipe', 'touch {marker}') }}", "{% raw %}{{ 1 }}{% endraw %}", "{% endraw %}{{ 7 * 7 }}", "{# gone? #}", "}}{{", "!unsafe x",
    "yes", "no", "on", "off", "null", "~", "010", "1_000", "1e3", "1:30", "2026-01-01", "=", "<<", "", " lead", "trail ", "true", "0x10",
    "'", '"', "\\", "\\n", "a: b", "- a", "# x", "&a", "*a", "%x", "@x", "`x`", "$(touch {marker})", "; touch {marker}",
    "two\nlines\n", "a\rb", "tab\tbed", "nel\x85", "\u2028", "\ufeffbom", "ünïcødé", "名", "\U0001f4a3", "\x01\x1b[31m", "__ansible_unsafe",
    "a" * 5000,
]  # fmt: skip

# What Ansible could take for a list, a mapping or a truth, and write anew in its own way.
LIKE_VALUES = [
    '{"a":  1}', "{'a': 1}", "[1,  2]", "[]", "{}", "True", "False", "None", "[Service]",
    '{"__ansible_unsafe": "x"}', '{"__ansible_vault": "x"}',
    "{{", "{%", "-n", "--", "-e x", "*", "%i", "a=b c=d", "\\N{BEL}", "x,ro", "omit", "__omit_place_holder__", "é\u0301",
]  # fmt: skip


def written(made: Plan, name: str = "plan.yml", *, allow_restart: bool = False) -> Playbook:
    return playbook(made, name, TEMPLATES, Before(), allow_restart=allow_restart)


def variables(book: Playbook) -> Any:
    """The vars file as Ansible means it: every string out of its wrapping."""
    return json.loads(book.files["plan.vars.json"], object_hook=lambda d: d["__ansible_unsafe"] if d.keys() == {"__ansible_unsafe"} else d)


def ansible(*arguments: str | Path, where: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(where / "tmp"), "ANSIBLE_HOME": str(where / "home")}
    command = [ANSIBLE, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", *map(str, arguments)]
    return subprocess.run(command, cwd=where, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def both_kinds(port: int, low: int, name: str) -> Plan:
    return plan_for({**web(port), **web(low, name, "User=www")})


def test_two_hosts_with_the_same_kinds_of_steps_differ_in_the_vars_file_only() -> None:
    one, two = written(both_kinds(40000, 81, "one.service")), written(both_kinds(50123, 443, "quite-another.service"))

    assert one.files.keys() == two.files.keys()
    assert ["plan.vars.json"] == [name for name in one.files if one.files[name] != two.files[name]]
    assert {"plan.vars.json"} == one.private


def test_no_line_of_a_playbook_is_longer_than_its_linter_takes() -> None:
    made = plan_for({**web(40000), **web(81, "a.service", "User=www"), **PROXY}, review=True)

    assert [] == [
        line for name, text in written(made).files.items() if name.endswith(".yml") for line in text.splitlines() if len(line) > 160
    ]


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert written(both_kinds(40000, 81, "a.service")) == written(both_kinds(40000, 81, "a.service"))


def test_a_plan_of_one_kind_has_the_tasks_of_that_kind_only() -> None:
    settings = written(plan_for(web(40000))).files["plan.yml"]
    drop_ins = written(plan_for(web(81, "web.service", "User=www"))).files["plan.yml"]

    assert ("systemd-sysctl" in settings, "systemd-analyze" in settings, "handlers:" in settings) == (True, False, False)
    assert ("systemd-sysctl" in drop_ins, "systemd-analyze" in drop_ins, "handlers:" in drop_ins) == (False, True, True)


def test_every_string_of_the_vars_file_is_wrapped() -> None:
    def bare(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            for item in value:
                yield from bare(item)
        elif isinstance(value, dict) and value.keys() != {"__ansible_unsafe"}:
            for item in value.values():
                yield from bare(item)

    assert [] == list(bare(json.loads(written(both_kinds(40000, 81, "a.service")).files["plan.vars.json"])))


def test_cases_73_and_82_the_vars_say_what_was_analysed_and_what_is_wanted() -> None:
    said = variables(written(plan_for({**web(40000), "/etc/sysctl.d/50.conf": f"{RESERVED} = 8080\n"}), allow_restart=True))

    assert (MACHINE_ID, "/etc/machine-id", True) == tuple(said[f"portwright_{k}"] for k in ("identity", "identity_file", "allow_restart"))
    assert [RESERVED, RANGE] == [setting["key"] for setting in said["portwright_sysctls"]]
    assert [("8080", "8080,40000"), ("32768 60999", "32768 60999")] == [(s["was"], s["value"]) for s in said["portwright_sysctls"]]
    unit = "/etc/systemd/system/web.service"
    assert [
        {"path": "/etc/sysctl.d/50.conf", "before": sha256(f"{RESERVED} = 8080\n".encode()).hexdigest()},
        {"path": unit, "before": sha256(web(40000)[unit].encode()).hexdigest()},
    ] == said["portwright_read"]
    assert ["absent"] == [file["before"] for file in said["portwright_files"]]
    (written_to,) = said["portwright_sysctl_files"]
    assert [sha256(written_to["content"].encode()).hexdigest()] == [file["after"] for file in said["portwright_files"]]


def test_a_dot_in_the_name_of_an_interface_stays_a_dot_in_the_path() -> None:
    step = SysctlStep("net.ipv4.conf.eth0/100.rp_filter", "1", "0", ("x",))
    said = variables(written(Plan(Host("web1"), (step,), {SYSCTL_FILE: "x"}, (), ())))

    assert ["/proc/sys/net/ipv4/conf/eth0.100/rp_filter"] == [setting["proc"] for setting in said["portwright_sysctls"]]


def test_what_does_not_belong_to_a_network_namespace_is_not_tried_in_one() -> None:
    steps = (SysctlStep("vm.swappiness", "1", "60", ("x",)), SysctlStep("net.ipv4.tcp_tw_reuse", "1", "2", ("x",)))
    said = variables(written(Plan(Host("web1"), steps, {SYSCTL_FILE: "x"}, (), ())))

    assert ["/proc/sys/net/ipv4/tcp_tw_reuse", "1"] == said["portwright_sysctls_trial"][6:]


@pytest.mark.parametrize("name", ["", "plan", "plan.json", "../plan.yml", "a b.yml", "{{x}}.yml", "-v.yml", "a\n.yml", ".yml"])
def test_a_playbook_is_not_written_under_a_name_that_could_not_stand_in_it(name: str) -> None:
    with pytest.raises(PlaybookNameError):
        written(plan_for(web(40000)), name)


# ── held against Ansible and the kernel ──


def test_case_56_ansible_reads_back_every_string_as_it_was_meant(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    texts = [text.replace("{marker}", str(marker)) for text in HOSTILE]
    steps = tuple(DropInStep(f"{text}{number}", (), ("x",)) for number, text in enumerate(texts))
    made = Plan(Host("web1", identity=texts[0]), steps, {step.path: text for step, text in zip(steps, texts, strict=True)}, (), ())
    book = written(made)
    (tmp_path / "plan.vars.json").write_text(book.files["plan.vars.json"])
    (tmp_path / "dump.yml").write_text(yaml.safe_dump([{
        "hosts": "all", "gather_facts": False, "vars_files": ["plan.vars.json"], "tasks": [
            {"ansible.builtin.copy": {"dest": f"{tmp_path}/dump", "content": "{{ portwright_drop_ins | to_json }}", "mode": "0600"}},
            # A byte for byte comparison where it is used: as the content of a file.
            {"ansible.builtin.copy": {"dest": f"{tmp_path}/content.{{{{ index }}}}", "content": "{{ item.content | string }}",
                                      "mode": "0600"},
             "loop": "{{ portwright_drop_ins[:3] + portwright_drop_ins[40:41] }}", "loop_control": {"index_var": "index"}},
        ],
    }]))  # fmt: skip

    ran = ansible("dump.yml", where=tmp_path)

    assert 0 == ran.returncode, ran.stdout
    dumped = json.loads((tmp_path / "dump").read_text())
    assert [(step.unit, text) for step, text in zip(steps, texts, strict=True)] == [(d["unit"], d["content"]) for d in dumped]
    assert [*texts[:3], texts[40]] == [(tmp_path / f"content.{number}").read_bytes().decode() for number in range(4)]
    assert not marker.exists()


def test_case_65_ansible_accepts_the_syntax_of_what_is_written(tmp_path: Path) -> None:
    book = written(both_kinds(40000, 81, "a.service"))
    for name, text in book.files.items():
        (tmp_path / name).write_text(text)

    ran = ansible("--syntax-check", "plan.yml", "plan.rollback.yml", where=tmp_path)

    assert 0 == ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        ({UNPRIVILEGED: "0", RANGE: "1 65535", RESERVED: "22,80-90"}, True),
        ({RANGE: "60999 32768"}, False),
        ({RESERVED: "80, 81"}, False),
        ({UNPRIVILEGED: "50000", RANGE: "40000 50000"}, False),
        ({"net.ipv4.no_such_setting": "1"}, True),
    ],
)
def test_the_trial_ends_as_the_kernel_answers(values: dict[str, str], accepted: bool) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a network namespace needs root and unshare")
    steps = tuple(SysctlStep(key, value, "", ("x",)) for key, value in values.items())
    trial = variables(written(Plan(Host("web1"), steps, {SYSCTL_FILE: "x"}, (), ())))["portwright_sysctls_trial"]

    assert accepted == (subprocess.run(trial, stderr=subprocess.DEVNULL, check=False).returncode == 0)


# ── the constant task files ──


def tasks(node: Any) -> Iterator[dict[str, Any]]:
    for task in node:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks(task.get(part, []))


@pytest.mark.parametrize("stem", TEMPLATES)
def test_a_task_file_uses_ansibles_own_modules_only_and_says_which_variables_it_wants(stem: str) -> None:
    text = TEMPLATES[stem]
    each = list(tasks(yaml.safe_load(text)))
    said = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    modules = {key for task in each for key in task if "." in key}

    assert each
    assert text.startswith("---\n# ")
    assert all(module.startswith("ansible.builtin.") for module in modules)
    assert all("name" in task for task in each)
    assert "portwright_" in said or "Handlers" in said


def test_a_plan_and_its_rollback_hold_the_task_files_word_for_word() -> None:
    made = plan_for({**web(40000), **web(81, "a.service", "User=www"), **PROXY, **UNLABELLED}, review=True)
    book = written(made)

    def names(text: str) -> set[str]:
        return {task["name"] for task in tasks(yaml.safe_load(text)) if "name" in task}

    play = yaml.safe_load(book.files["plan.yml"])[0]
    back = yaml.safe_load(book.files["plan.rollback.yml"])[0]
    evaluate = {task["name"] for task in tasks([*play["tasks"], *play["handlers"]])}
    assert {name for stem, text in TEMPLATES.items() for name in names(text) if stem != "plan_of_machine"} <= evaluate  # a fleet's
    assert names(TEMPLATES["identity"]) | names(TEMPLATES["restore"]) == {task["name"] for task in tasks(back["tasks"])}


def test_case_72_nothing_is_written_in_place_so_that_a_run_that_is_cut_short_leaves_each_file_old_or_new() -> None:
    whole = {"copy", "file", "systemd_service"}  # those of Ansible write a file beside the old one, and rename it
    asking = {"stat", "slurp", "find", "debug", "assert", "meta", "setup", "wait_for", "pause", "fail", "set_fact", "tempfile"}
    asking |= {"include_vars", "group_by"}
    commands = []
    for text in TEMPLATES.values():
        for task in tasks(yaml.safe_load(text)):
            module = next((key.removeprefix("ansible.builtin.") for key in task if key.startswith("ansible.builtin.")), "debug")
            assert module in whole | asking | {"command"}
            given = task.get(f"ansible.builtin.{module}", {})
            assert "unsafe_writes" not in str(given)
            if module == "command" and isinstance(given["argv"], list):
                commands.append(" ".join(given["argv"]))
    unpacked = [command for command in commands if command.startswith("tar --extract")]
    packed = [command for command in commands if command.startswith("tar --create")]

    assert [True] == [".portwright-part,rSH" in command for command in unpacked]
    assert [True] == ["--file {{ item.item.backup }}.part" in command for command in packed]
    assert {"tar", "mv", "systemctl", "systemd-analyze", "sh", "find", "unshare", "restorecon", "semanage"} >= {
        command.split()[0] for command in commands
    }
    assert [] == [command for command in commands if ">" in command.replace("2>/dev/null", "")]


@pytest.mark.skipif(os.geteuid() != 0, reason="backups belong to root")
def test_case_72_a_plan_that_was_cut_short_is_put_right_by_the_next_run(tmp_path: Path) -> None:
    place, backup = tmp_path / "99-x.conf", tmp_path / "backups"
    backup.mkdir()
    place.write_bytes(b"old {{ 1 }}\n")
    place.chmod(0o640)
    before, after = sha256(b"old {{ 1 }}\n").hexdigest(), sha256(b"new\n").hexdigest()
    (backup / "0.tar.part").write_bytes(b"the power went")
    (tmp_path / "99-x.conf.portwright-part").write_bytes(b"the power went")
    file = {"path": str(place), "before": before, "after": after, "backup": f"{backup}/0.tar"}
    values: dict[str, object] = {"portwright_backup": str(backup), "portwright_files": [file], "portwright_read": []}
    values |= {"portwright_listed": [], "portwright_new_folders": []}
    values |= {"portwright_config_units": [], "portwright_port_labels": []}
    values |= {"portwright_drop_ins": [], "portwright_sysctls": [], "portwright_sysctls_restore": [], "portwright_allow_restart": False}

    def run(*stems: str) -> str:
        play = {"hosts": "all", "gather_facts": False, "vars": values, "tasks": [t for s in stems for t in yaml.safe_load(TEMPLATES[s])]}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        ran = ansible("play.yml", where=tmp_path)
        assert 0 == ran.returncode, ran.stdout
        return ran.stdout

    run("analysed", "backup")
    assert ["0.tar"] == sorted(path.name for path in backup.iterdir())
    place.write_bytes(b"new\n")
    run("restore")

    assert (b"old {{ 1 }}\n", 0o640) == (place.read_bytes(), place.stat().st_mode & 0o7777)
    assert not (tmp_path / "99-x.conf.portwright-part").exists()
    assert "changed=0" in run("restore")


def test_what_is_put_back_runs_again_though_it_failed_too_often_and_what_was_stopped_stays_stopped(tmp_path: Path) -> None:
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(
        f"#!/bin/sh\ncase $* in show*ActiveState*runs*) echo active ;; show*ActiveState*broken*) echo failed ;; "
        f"show*ActiveState*) echo inactive ;; show*) ;; *) echo $1 $3 >> {tmp_path}/log ;; esac\n"
    )
    systemctl.chmod(0o755)
    files, drop_ins = [], []
    for unit in ("runs", "broken", "ended", "stopped"):
        path = tmp_path / f"{unit}.conf"
        path.write_text("new\n")
        files.append({"path": str(path), "before": "absent", "after": sha256(b"new\n").hexdigest(), "backup": ""})
        drop_ins.append({"unit": f"{unit}.service", "path": str(path), "restart": True})
    # What the plan was about to restart: its process ended well, and so the unit is not a failed one.
    about_to = [{"item": {"item": each}, "stdout_lines": ["restart"] if "ended" in str(each["path"]) else []} for each in drop_ins]
    values = {"portwright_files": files, "portwright_drop_ins": drop_ins, "portwright_units_now": {"results": about_to}}
    values |= {"portwright_new_folders": [], "portwright_sysctls": [], "portwright_sysctls_restore": [], "portwright_allow_restart": True}
    values |= {"portwright_config_units": [], "portwright_port_labels": []}
    play = {"hosts": "all", "gather_facts": False, "vars": values, "tasks": yaml.safe_load(TEMPLATES["restore"])}
    play["environment"] = {"PATH": f"{systemctl.parent}:{os.environ['PATH']}"}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))

    ran = ansible("play.yml", where=tmp_path)

    assert 0 == ran.returncode, ran.stdout
    put_back = [f"{verb} {unit}.service" for unit in ("runs", "broken", "ended") for verb in ("reset-failed", "restart")]
    assert put_back == (tmp_path / "log").read_text().splitlines()


def test_a_port_gets_its_type_once_is_left_where_it_has_another_one_and_is_given_back(tmp_path: Path) -> None:
    own, tool = tmp_path / "own", tmp_path / "bin/semanage"
    own.write_text("")
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\n[ $1 = port ] && shift\n"
        f"case $1 in\n--add) echo \"$3 $5 $6\" >> {own} ;;\n--delete) sed -i \"/ $6$/d\" {own} ;;\n"
        f"*) cat {own}; case $* in *--locallist*) ;; *)\n"
        "echo 'unreserved_port_t              tcp      61000-65535, 1024-32767'\n"
        "echo 'http_port_t                    tcp      80, 81, 443, 488, 8008, 8009, 8443, 9000'\n"
        "echo 'vnc_port_t                     tcp      5900-5983, 5985-5999'\n"
        "echo 'vnc_port_t                     udp      2849' ;; esac ;;\nesac\n"
    )
    tool.chmod(0o755)
    values: dict[str, object] = {"portwright_files": [], "portwright_drop_ins": [], "portwright_new_folders": [], "portwright_sysctls": []}
    values |= {"portwright_sysctls_restore": ["true"], "portwright_allow_restart": False, "portwright_config_units": []}

    def run(port: str, *stems: str) -> tuple[int, str]:
        labels = [{"port": port, "type": "http_port_t", "units": ["web.service"]}]
        play = {"hosts": "all", "gather_facts": False, "vars": {**values, "portwright_port_labels": labels}}
        play |= {"tasks": [task for stem in stems for task in yaml.safe_load(TEMPLATES[stem])]}
        play |= {"environment": {"PATH": f"{tool.parent}:{os.environ['PATH']}"}}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
        ran = ansible("play.yml", where=tmp_path)
        return ran.returncode, ran.stdout

    apply = ("port_label_analysed", "port_label")
    code, said = run("2849", *apply)
    assert (0, True, True) == (code, "changed=1 " in said, "pending restart: web.service binds port 2849" in said), said
    assert "http_port_t tcp 2849\n" == own.read_text()
    code, said = run("2849", *apply)
    assert (0, True) == (code, "changed=0 " in said), said

    code, said = run("5905", *apply)
    assert (2, True) == (code, "drifted, scan again: port 5905 has the type vnc_port_t" in said), said

    code, said = run("2849", "restore")
    assert (0, "") == (code, own.read_text()), said
    assert (0, True) == (run("2849", "restore")[0], "changed=0 " in run("2849", "restore")[1])


def test_case_68_a_setting_that_this_kernel_does_not_have_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    there = {"key": "a.b", "proc": str(tmp_path / "there"), "was": "1", "value": "2"}
    missing = {"key": "net.ipv4.no_such_setting", "proc": str(tmp_path / "missing"), "was": "1", "value": "2"}
    (tmp_path / "there").write_text("1\n")
    trial = ["touch", str(tmp_path / "tried")]
    values = {"portwright_sysctls": [there, missing], "portwright_sysctls_trial": trial}
    values |= {"portwright_ports_left": 28232, "portwright_fewest_ports": 1000}
    after = {"name": "After", "ansible.builtin.debug": {"msg": "written"}}
    every = [*yaml.safe_load(TEMPLATES["sysctl_analysed"]), after]
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "vars": values, "tasks": every}]))

    ran = ansible("play.yml", where=tmp_path)

    assert 2 == ran.returncode, ran.stdout
    assert "drifted, scan again: net.ipv4.no_such_setting is not there, analysed: 1" in ran.stdout
    assert "drifted, scan again: a.b" not in ran.stdout
    assert "written" not in ran.stdout
    assert not (tmp_path / "tried").exists()


def test_case_68_settings_are_applied_one_by_one_as_the_boot_does_and_read_back() -> None:
    text = "".join(TEMPLATES.values())

    assert not re.search(r"^ *- (?:sysctl|--system)$|ansible\.posix|sysctl --system", text, re.MULTILINE)
    assert "Assert that the kernel has what was wanted" in TEMPLATES["sysctl"]


def test_case_71_handlers_run_in_a_fixed_order() -> None:
    handlers = [handler["name"] for handler in yaml.safe_load(TEMPLATES["handlers"])]

    system, take, *restart = handlers
    assert ("Reload systemd", "Reload the units") == (system, take)
    assert [
        "Forget the failures of the units",
        "Restart the units",
        "Restart the sockets with the services that have them",
        "See whether the units stay up",
    ] == restart
    notified = {stem: [task["notify"] for task in tasks(yaml.safe_load(TEMPLATES[stem])) if "notify" in task] for stem in TEMPLATES}
    assert {"drop_in": [system, restart], "config": [[take, restart[-1]], restart]} == {stem: own for stem, own in notified.items() if own}


def test_only_the_settings_that_a_plan_changes_are_applied() -> None:
    said = variables(written(plan_for(web(40000))))

    assert [RESERVED, RANGE] == [setting["key"] for setting in said["portwright_sysctls"]]
    assert ["--prefix=net/ipv4/ip_local_reserved_ports"] == said["portwright_sysctls_prefixes"]


def test_a_plan_rests_on_every_file_that_was_read_to_find_what_it_fixes() -> None:
    files = {
        **service("nginx.service", "/usr/sbin/nginx", "EnvironmentFile=-/etc/default/nginx"),
        "/etc/nginx/nginx.conf": "events {}\nhttp {\n include /etc/nginx/conf.d/*.conf;\n}\n",
        "/etc/default/nginx": "A=1\n",
        "/etc/nginx/conf.d/shop.conf": "server { listen 40000; }\n",
        "/etc/nginx/conf.d/other.conf": "# nothing\n",
        "/etc/sysctl.d/50.conf": f"{RESERVED} = 22\n",
        "/etc/sysctl.d/60.conf": f"{RESERVED} = 80\n",
        "/etc/sysctl.d/70.conf": "vm.swappiness = 1\n",
    }
    rests = plan_for(files, only("listener-in-ephemeral-range")).rests_on()

    assert {
        "/etc/nginx/nginx.conf",
        "/etc/nginx/conf.d/shop.conf",
        "/etc/nginx/conf.d/other.conf",
        "/etc/default/nginx",
        "/etc/systemd/system/nginx.service",
        "/etc/sysctl.d/50.conf",
        "/etc/sysctl.d/60.conf",
    } <= rests
    assert "/etc/sysctl.d/70.conf" not in rests


def test_a_new_file_in_a_folder_that_a_plan_rests_on_is_drift() -> None:
    made = plan_for(web(81, "my-web.service", "User=www"))
    there = {"my-web.service.d": ("a.conf", "zz-portwright-capabilities.conf"), "my-.service.d": (), "service.d": ("all.conf",)}
    folders = {f"/etc/systemd/system/{name}": names for name, names in there.items()}

    book = playbook(made, "plan.yml", TEMPLATES, Before(names=folders), allow_restart=False)

    assert folders.keys() == made.folders()
    assert [
        ("/etc/systemd/system/my-.service.d", [], []),
        ("/etc/systemd/system/my-web.service.d", ["a.conf"], ["zz-portwright-capabilities.conf"]),
        ("/etc/systemd/system/service.d", ["all.conf"], []),
    ] == [(each["path"], each["names"], each["own"]) for each in variables(book)["portwright_listed"]]


@pytest.mark.parametrize(
    ("name", "link", "folders", "shadows"),
    [
        (
            "my-web@.service",
            "multi-user.target.wants/my-web@one.service",
            {"my-web@one.service.d", "my-web@.service.d", "my-.service.d", "service.d"},
            {"my-web@one.service", "my-web@.service"},
        ),
        ("web.service", "multi-user.target.wants/web.service", {"web.service.d", "other.service.d", "service.d"}, {"web.service"}),
    ],
)
def test_a_new_file_of_a_template_or_an_alias_is_drift(name: str, link: str, folders: set[str], shadows: set[str]) -> None:
    unit = f"/usr/lib/systemd/system/{name}"
    files = {unit: "[Service]\nUser=www\nExecStart=/usr/bin/python3 -m http.server 81\n", f"/etc/systemd/system/{link}": f"-> {unit}"}
    alias = {"/etc/systemd/system/other.service": f"-> {unit}"} if "other.service.d" in folders else {}
    made = plan_for({**files, **alias})

    assert folders <= {path.removeprefix("/etc/systemd/system/") for path in made.folders()}
    assert {f"/etc/systemd/system/{each}" for each in shadows} <= made.rests_on()


def test_a_folder_that_cannot_be_listed_stops_no_plan(tmp_path: Path) -> None:
    for path, text in {**web(81, "web.service", "User=www"), "/etc/hostname": "web1\n"}.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(text[3:]) if text.startswith("-> ") else place.write_text(text)
    (tmp_path / "etc/systemd/system/service.d").symlink_to("service.d")
    given = inputs([str(tmp_path)])[0]
    made = planned(given, only("low-port-without-capability"), Selection(), frozenset(), FixPolicy())

    assert {"/etc/systemd/system/web.service.d", "/etc/systemd/system/service.d"} == made.folders()
    assert {"/etc/systemd/system/web.service.d": ()} == before(given, made).names


@pytest.mark.parametrize("now", [(), ("b.conf",), ("\udcff.conf", "x y.conf")])
def test_ansible_and_a_plan_agree_on_what_a_folder_holds(tmp_path: Path, now: tuple[str, ...]) -> None:
    names = ("a.conf", "zz.conf", "ü.conf", "n\n.conf", "\udcfe.conf", "README", "{{ 1 }}.conf")
    for path, text in {**web(40000), "/etc/hostname": "web1\n", **{f"/etc/sysctl.d/{name}": "" for name in names}}.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(text[3:]) if text.startswith("-> ") else place.write_text(text)
    given = inputs([str(tmp_path)])[0]
    made = planned(given, only("listener-in-ephemeral-range"), Selection(), frozenset(), FixPolicy())
    values = json.loads(playbook(made, "plan.yml", TEMPLATES, before(given, made), allow_restart=False).files["plan.vars.json"])
    (listed,) = values["portwright_listed"]
    assert {"__ansible_unsafe": "/etc/sysctl.d"} == listed["path"]
    listed["path"] = {"__ansible_unsafe": str(tmp_path / "etc/sysctl.d")}
    for name in now:
        (tmp_path / "etc/sysctl.d" / name).touch()
    (tmp_path / "vars.json").write_text(json.dumps({"portwright_files": [], "portwright_read": [], "portwright_listed": [listed]}))
    play = {"hosts": "all", "gather_facts": False, "vars_files": ["vars.json"], "tasks": yaml.safe_load(TEMPLATES["analysed"])}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))

    ran = ansible("play.yml", where=tmp_path)

    drifted = [name for name in now if name.isascii()]
    assert (2 if drifted else 0) == ran.returncode, ran.stdout
    assert all(name in ran.stdout for name in drifted)


def test_what_changes_without_a_person_is_no_drift_and_a_file_that_was_not_there_is(tmp_path: Path) -> None:
    unit = service("web.service", "/usr/sbin/haproxy -f /etc/one.cfg", "EnvironmentFile=/etc/env", "EnvironmentFile=-/etc/none")
    files = {**unit, "/etc/one.cfg": "listen a\n bind :40000\n", "/etc/env": "-> ../run/env", "/run/env": "A=1\n"}
    for path, text in files.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(text[3:]) if text.startswith("-> ") else place.write_text(text)
    (tmp_path / "etc/hostname").write_text("web1\n")
    given = inputs([str(tmp_path)])[0]
    made = planned(given, only("listener-in-ephemeral-range"), Selection(), frozenset(), FixPolicy())

    book = playbook(made, "plan.yml", TEMPLATES, before(given, made), allow_restart=False)

    rested = {each["path"]: each["before"] for each in variables(book)["portwright_read"]}
    assert {"/etc/none", "/etc/one.cfg", "/etc/systemd/system/web.service"} <= rested.keys()
    assert "absent" == rested["/etc/none"]
    assert "/etc/env" not in rested


def test_after_a_restart_the_ports_are_looked_at_that_the_unit_listens_on() -> None:
    said = variables(written(plan_for(web(81, "web.service", "User=www"))))

    assert [["tcp:81"]] == [each["sockets"] for each in said["portwright_drop_ins"]]


def test_the_same_unit_gets_the_same_backup_folder_only_for_the_same_plan() -> None:
    made = plan_for(web(40000))
    other = replace(made, edits={SYSCTL_FILE: "other"})

    assert variables(written(made))["portwright_backup"] != variables(written(other))["portwright_backup"]


# ── what a person reads and chooses ──

STEPS_OF: dict[type[Change], set[str]] = {
    ReservePorts: {"sysctl"},
    CorrectSysctlKey: {"sysctl"},
    CorrectUnit: {"drop_in"},
    LabelPort: {"port_label"},
    LeaveUserNamespace: {"drop_in"},
    SetSysctl: {"sysctl"},
    GrantCapability: {"drop_in"},
    LimitCapabilities: {"drop_in"},
    RaiseFileLimit: {"drop_in"},
    SetInUnit: {"drop_in"},
    EditConfig: {"config"},
    EditUnit: {"drop_in"},
    MoveService: {"config", "drop_in"},
}


def test_a_playbook_says_what_is_done_first_and_why() -> None:
    made = plan_for({**web(40000), **web(81, "a.service", "User=www"), **PROXY}, review=True)
    (play,) = yaml.safe_load(written(made).files["plan.yml"])

    assert [
        "Look first, and stop before anything is touched where this is not what was analysed",
        "Look at what comes of it: kernel settings",
        "Look at what comes of it: units of systemd",
        "Look at what comes of it: configs of daemons",
        "Keep what is there, so that it can be put back",
        "Apply the plan, or put everything back",
    ] == [task["name"] for task in play["tasks"]]
    assert [
        "First kernel settings: what the kernel lends is decided before a service asks for a port",
        "Then units of systemd: what a service may do is decided before it starts",
        "Then configs of daemons: each is checked by the daemon before it is written and read",
        "At last the labels of the files, so that a confined service may read them",
    ] == [task["name"] for task in play["tasks"][-1]["block"]]


def test_a_part_of_a_playbook_is_run_by_the_family_of_the_rules_that_ask_for_it() -> None:
    made = plan_for({**web(40000), **web(81, "a.service", "User=www"), **PROXY, **UNLABELLED}, review=True)
    (play,) = yaml.safe_load(written(made).files["plan.yml"])
    asked: dict[str, set[str]] = {}
    for rule in load([rules_directory()]):
        for tasks in () if rule.wish is None else (tasks for wish in rule.wish.each() for tasks in STEPS_OF[wish.change]):
            asked.setdefault(tasks, set()).add(rule.card.family)

    families = {kind.tasks: set(kind.families) for kind in steps()}
    assert asked == families
    looked = [sorted(families[kind]) for kind in ("port_label", "sysctl", "drop_in", "config")]
    assert [["always"], *looked, ["always"]] == [task["tags"] for task in play["tasks"][:-1]]
    # What puts everything back is not left out with the part that failed.
    assert [["always"]] == [task["tags"] for task in play["tasks"][-1]["rescue"]]

def every_kind() -> Playbook:
    """A plan with a step of each kind: kernel settings, a drop-in, an edited config, a port's type."""
    files = {
        **both_kinds_of_host(),
        **UNLABELLED,
        **service("nginx.service", "/usr/sbin/nginx"),
        "/etc/nginx/nginx.conf": "events {\n}\nhttp {\n    upstream a {\n        server 10.0.0.5:8080;\n    }\n"
        "    server {\n        listen 80;\n        location / {\n            proxy_pass http://a;\n        }\n    }\n}\n",
        "/.portwright/packages": "nginx 1.22.1-9\n",
    }
    made = plan_for(files, review=True)
    assert set(steps()) == {type(step) for step in made.steps}
    return written(made)


def both_kinds_of_host() -> dict[str, str]:
    return {**web(40000), **web(81, "a.service", "User=www")}


def test_case_56_ansible_reads_back_what_stands_in_any_position_of_any_kind(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    texts = cycle(text.replace("{marker}", str(marker)) for text in (*HOSTILE, *LIKE_VALUES))
    meant: dict[str, Any] = {}
    positions = 0

    def hostile(value: Any) -> tuple[Any, Any]:
        """A value with each of its strings exchanged, as the vars file has it and as it is meant."""
        nonlocal positions
        if isinstance(value, dict) and value.keys() != {"__ansible_unsafe"}:
            pairs = {key: hostile(item) for key, item in value.items()}
            return {key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}
        if isinstance(value, list):
            found = [hostile(item) for item in value]
            return [pair[0] for pair in found], [pair[1] for pair in found]
        if isinstance(value, dict):
            positions += 1
            text = next(texts)
            return {"__ansible_unsafe": text}, text
        return value, value

    exchanged: dict[str, Any] = {}
    for _ in range(2):  # twice, so that each text stands somewhere
        for name, value in json.loads(every_kind().files["plan.vars.json"]).items():
            spoilt, meant[f"{name}_{len(exchanged)}"] = hostile(value)
            exchanged[f"{name}_{len(exchanged)}"] = spoilt
    (tmp_path / "plan.vars.json").write_text(json.dumps(exchanged))
    dump = "{{ [" + ", ".join(meant) + "] | to_json }}"
    task = {"ansible.builtin.copy": {"dest": f"{tmp_path}/dump", "content": dump, "mode": "0600"}}
    play = {"hosts": "all", "gather_facts": False, "vars_files": ["plan.vars.json"], "tasks": [task]}
    (tmp_path / "dump.yml").write_text(yaml.safe_dump([play], width=100_000))

    ran = ansible("dump.yml", where=tmp_path)

    assert 0 == ran.returncode, ran.stdout
    assert positions > len(HOSTILE) + len(LIKE_VALUES)
    assert [*meant.values()] == json.loads((tmp_path / "dump").read_text())
    assert not marker.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace is made, and files are given to root")
def test_case_56_hostile_configs_paths_and_units_are_written_checked_and_put_back_as_they_are(tmp_path: Path) -> None:
    marker, log = tmp_path / "marker", tmp_path / "log"
    run_it = "{{ lookup('pipe', 'touch marker') }} {% raw %} {# #} !unsafe $(touch marker) `touch marker` ; touch marker"
    contents = [f"{run_it}\n\n", '{"a":  1}', "[1,  2]", "True", "\ufeffa\rb\x85\u2028\t \\", ""]
    names = [run_it.replace("$", ""), "-n", "*?[a] %i 'q' \"q\" \\n \\", '{"a":  1}', "a=b,ro #c &a é\u0301 \U0001f4a3", "True"]
    files, configs, units = [], [], []
    for number, content in enumerate(contents):
        folder = tmp_path / "etc" / str(number)
        folder.mkdir(parents=True)
        path = folder / names[number % len(names)]
        path.write_bytes(b"old {{ 1 }}\n")
        digests = [sha256(data).hexdigest() for data in (b"old {{ 1 }}\n", content.encode())]
        backup = f"{tmp_path}/backups/{number}.tar"
        files.append({"path": str(path), "before": digests[0], "after": digests[1], "backup": backup})
        configs.append({"path": str(path), "content": content})
        if number < len(names):
            # What stands alone as a word is a path or a unit, and no unit is called as a value of YAML.
            word, unit = f"{names[number]}.conf", f"u{number}@\\x2d:{number}.service"
            check = ["sh", "-c", 'cat -- "$2" >> "$1"; printf %s\\\\n "$3" >> "$1.words"', "sh", str(log), str(path), word]
            units.append({"unit": unit, "apply": "reload", "restart": False, "paths": [str(path)], "check": check, "sockets": []})
            units[-1]["candidates"] = [str(number), str(path)]
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f'#!/bin/sh\nfor last; do :; done\nprintf "%s\\n" "$last" >> {tmp_path}/units\necho inactive\n')
    systemctl.chmod(0o755)
    own = {"portwright_files": files, "portwright_configs": configs, "portwright_config_units": units, "portwright_new_folders": []}
    own |= {"portwright_read": [], "portwright_listed": [], "portwright_backup": f"{tmp_path}/backups", "portwright_allow_restart": False}
    own |= {"portwright_drop_ins": [], "portwright_sysctls": [], "portwright_sysctls_restore": ["true"], "portwright_port_labels": []}
    (tmp_path / "plan.vars.json").write_text(json.dumps(unsafe(own)))
    # What asks for the init system of this machine is another test's.
    read = {stem: yaml.safe_load(TEMPLATES[stem]) for stem in ("analysed", "backup", "config_analysed", "config", "restore")}
    read["config_analysed"] = [task for task in read["config_analysed"] if "systemd" not in task["name"]]

    def run(*tasks: Any) -> None:
        play = {"hosts": "all", "gather_facts": False, "vars_files": ["plan.vars.json"], "tasks": [*tasks]}
        play |= {"environment": {"PATH": f"{systemctl.parent}:{os.environ['PATH']}"}, "handlers": yaml.safe_load(TEMPLATES["handlers"])}
        (tmp_path / "play.yml").write_text(yaml.safe_dump([play], width=100_000))
        ran = ansible("play.yml", where=tmp_path)
        assert 0 == ran.returncode, ran.stdout

    run(*read["analysed"], *read["backup"], *read["config_analysed"], *read["config"])

    assert "".join(contents[: len(names)]).encode() == log.read_bytes()
    assert [f"{name}.conf" for name in names] == (tmp_path / "log.words").read_text().split("\n")[:-1]
    assert contents == [Path(file["path"]).read_bytes().decode() for file in files]
    assert {unit["unit"] for unit in units} == set((tmp_path / "units").read_text().split("\n")[:-1])

    run(*read["restore"])

    assert {b"old {{ 1 }}\n"} == {Path(file["path"]).read_bytes() for file in files}
    assert not marker.exists()
    assert not (Path.cwd() / "marker").exists()


def unsafe(value: Any) -> Any:
    """Variables as the vars file has them."""
    if isinstance(value, dict):
        return {key: unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unsafe(item) for item in value]
    return {"__ansible_unsafe": value} if isinstance(value, str) else value
