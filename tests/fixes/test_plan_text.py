"""What `fix` prints: the steps and why, what was proven, what is left and the step for it by hand."""

import subprocess
from pathlib import Path

from portwright.changes.kind import OWNED
from portwright.changes.sysctl_step import SysctlStep
from portwright.fixes.plan import Plan
from portwright.host import Host
from portwright.reports import plan_text
from tests.fixes.on_a_copy import plan_for, service, web


def test_a_plan_as_a_person_reads_it() -> None:
    made = plan_for({**web(40000), **web(81, "status.service", "User=www"), "/etc/sysctl.d/50.conf": "net.ipv4.tcp_tw_recycle = 1\n"})

    assert plan_text.render(made, ("fix.yml", "fix.vars.json", "fix.rollback.yml"), color=False, width=100) == f"""\
1. set net.ipv4.ip_local_reserved_ports = 40000 (was empty)
    in /etc/sysctl.d/zz-portwright.conf; safe, nothing is restarted; for listener-in-ephemeral-range
2. give status.service a drop-in: AmbientCapabilities=CAP_NET_BIND_SERVICE
    in /etc/systemd/system/status.service.d/zz-portwright-capabilities.conf; safe, in force once the
    service is restarted, which the playbook does only with --allow-restart; for
    low-port-without-capability

proven on a copy of web1: 2 findings fixed, no new one; 28,231 ephemeral ports remain
all together: restarts status.service with --allow-restart

not fixed automatically (1 finding):
  tw-recycle-has-no-effect at /etc/sysctl.d/50.conf:1:1
    {made.unplanned[0].finding.message}
    reason: portwright does not remove lines that others wrote
    what to do: remove it; net.ipv4.tcp_tw_reuse = 1 is what helps clients

written: fix.yml, fix.vars.json, fix.rollback.yml
  preview:  ansible-playbook -i localhost, -c local fix.yml --check --diff
  apply:    ansible-playbook -i localhost, -c local fix.yml
  undo:     ansible-playbook -i localhost, -c local fix.rollback.yml
"""


def test_a_plan_says_of_which_services_it_knows_nothing() -> None:
    made = plan_for({**web(40000), **service("app.service", "/opt/app/bin/app --config /etc/app.conf")})
    text = plan_text.render(made, (), color=False, width=100)
    (unknown,) = made.host.coverage.not_understood

    assert "28,231 ephemeral ports remain\nnot known to this plan: what 1 program may listen on; ports of theirs are not reserved\n" in text
    assert f"    {unknown.at}: app.service starts /opt/app/bin/app: " in text
    assert f"{unknown.at}: not understood: app.service starts /opt/app/bin/app: " in plan_text.render(
        made, (), color=False, width=100, quiet=True
    )


def test_a_step_that_needs_review_says_what_to_look_at_first() -> None:
    made = plan_for({"/etc/sysctl.d/50.conf": "# for the firewall\nnet.ipv4.ip_local_port_range = 60000 60999\n"}, review=True)
    text = " ".join(plan_text.render(made, (), color=False, width=100).split())

    assert "look first: a firewall, a translation of addresses or a pool of ports may rely on 60000 60999" in text
    assert "/etc/sysctl.d/50.conf:1 says '# for the firewall'" in text


def test_a_plan_shows_what_it_changes_in_each_file_as_diff_has_it(tmp_path: Path) -> None:
    late = "/etc/sysctl.d/zzz-local.conf"
    old = "# ours\n\x1b[31m = 1\nnet.ipv4.ip_local_reserved_ports = 9999\nvm.swappiness = 1"
    made = plan_for({**web(40000), **web(81, "status.service", "User=www"), late: old})
    text = plan_text.render(made, (), color=False, width=100, diff=True)

    assert f"""
--- {late}
+++ {late}
@@ -1,4 +1,4 @@
 # ours
 \\x1b[31m = 1
-net.ipv4.ip_local_reserved_ports = 9999
+net.ipv4.ip_local_reserved_ports = 9999,40000
 vm.swappiness = 1
\\ No newline at end of file
--- /dev/null
+++ /etc/systemd/system/status.service.d/zz-portwright-capabilities.conf
@@ -0,0 +1,3 @@
+{OWNED}
+[Service]
+AmbientCapabilities=CAP_NET_BIND_SERVICE
""" in text
    # GNU patch makes the plan's file of it where no character had to be written out.
    (tmp_path / "x").write_text(old)
    patch = text[text.index(f"--- {late}") : text.index("--- /dev/null")].replace("\\x1b", "\x1b").encode()
    subprocess.run(["patch", "--silent", str(tmp_path / "x")], input=patch, check=True)
    assert made.edits[late] == (tmp_path / "x").read_text()


def test_an_empty_plan_says_why_and_once() -> None:
    text = plan_text.render(Plan(Host("web1"), (), {}, (), (), reason="nothing was found"), (), color=False, width=100)

    assert text == "nothing is planned for web1: nothing was found\n"


def test_a_plan_that_was_not_written_says_how_to() -> None:
    made = plan_for(web(40000))

    assert plan_text.render(made, (), color=False, width=100).endswith("nothing was written: name a playbook with -o NAME.yml\n")


def test_what_comes_from_a_host_cannot_play_with_the_terminal() -> None:
    step = SysctlStep("net.ipv4.\x1b[31m", "\x1b[2J", "\x07", ("rule",))
    text = plan_text.render(Plan(Host("\x1b]0;x\x07"), (step,), {}, (), ()), (), color=False, width=100)

    assert text.replace("\n", "").isprintable()


def test_a_plan_says_which_of_its_files_a_tool_keeps() -> None:
    unit = "# Ansible managed\n[Service]\nUser=www\nExecStart=/usr/bin/python3 -m http.server 81\n[Install]\nWantedBy=multi-user.target\n"
    made = plan_for({**web(81, "web.service", "User=www"), "/etc/systemd/system/web.service": unit})

    text = " ".join(plan_text.render(made, (), color=False, width=100).split())

    assert (
        "kept by a tool: /etc/systemd/system/web.service says 'Ansible managed'; make this change where that tool has the file from, too,"
        in text
    )
    assert "kept by a tool" not in plan_text.render(plan_for(web(81, "web.service", "User=www")), (), color=False, width=100)
