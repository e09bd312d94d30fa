"""What was written and never read is put right: names of kernel settings, lines of units, what comes after the files, sandboxes."""

import pytest

from portwright.changes import CorrectSysctlKey, CorrectUnit, LeaveUserNamespace
from portwright.changes.edits import Edits
from portwright.source import Rewriting, Span
from tests.fixes.on_a_copy import RANGE, RESERVED, SYSCTL_FILE, plan_for, reasons, service, web

UNIT = "/etc/systemd/system/web.service"
USER = {"/etc/passwd": "www-data:x:33:33::/var/www:/bin/sh\n"}
WANTED = {
    "/etc/systemd/system/multi-user.target.wants/web.service": "-> ../web.service",
    "/usr/lib/systemd/system/multi-user.target": "[Unit]\nDescription=Multi-User System\n",
}
COMMAND = "ExecStart=/usr/bin/python3 -m http.server 8080\n"
UFW = {
    **service("ufw.service", "/usr/lib/ufw/ufw-init start quiet", "Type=oneshot"),
    "/etc/ufw/ufw.conf": "ENABLED=yes\n",
    "/etc/default/ufw": "IPT_SYSCTL=/etc/ufw/sysctl.conf\n",
}
TUNED = {
    **service("tuned.service", "/usr/sbin/tuned -l -P"),
    "/etc/tuned/active_profile": "shop\n",
}


# ── names of kernel settings ──


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("net.ipv4/ip_local_reserved_ports =  9000", f"{RESERVED} =  9000,40000"),
        ("net.ipv4.ip_local_reserved_port=9000", f"{RESERVED}=9000,40000"),
        ("-net.ipv6.ip_local_reserved_ports = 9000", f"-{RESERVED} = 9000,40000"),
        ("Net.IPv4.ip_local_reserved_ports = 40000", f"{RESERVED} = 40000"),
        ("ip_local_reserved_ports = 40000", f"{RESERVED} = 40000"),
    ],
)
def test_a_name_is_spelt_right_in_its_line_and_every_other_byte_stays(wrong: str, right: str) -> None:
    text = "# ours\r\n{}\r\nvm.swappiness = 10"
    made = plan_for({**web(40000), "/etc/sysctl.d/50.conf": text.format(wrong)}, review=True)

    assert {"/etc/sysctl.d/50.conf": text.format(right)} == made.edits
    assert {"port-setting-ignored", "listener-in-ephemeral-range"} == {finding.card.id for finding in made.fixed}


def test_a_line_that_no_loader_read_is_put_in_force_after_a_review_only() -> None:
    files = {"/etc/sysctl.d/50.conf": "net.ipv4.tcp_syncookie = 1\n"}

    assert "--allow-review" in reasons(plan_for(files))["unknown-kernel-setting"]
    assert {"/etc/sysctl.d/50.conf": "net.ipv4.tcp_syncookies = 1\n"} == plan_for(files, review=True).edits


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("/etc/sysctl.d/50.conf", f"net.ipv4/ip_local_port_range = 1 2\n{RANGE} = 32768 60999\n",
         "which setting is intended cannot be determined"),
        ("/etc/sysctl.d/50.conf", "# Ansible managed\nnet.ipv4/ip_local_port_range = 40000 60999\n", "change the line where it comes from"),
        ("/usr/lib/sysctl.d/50.conf", "net.ipv4/ip_local_port_range = 40000 60999\n", "lies in no file of /etc, so it is not edited"),
        ("/etc/sysctl.d/50.conf", "net.ipv4/ip_local_port_range = 60000 40000\n",
         "spelt right would not be applied: the kernel rejects it with EINVAL"),
    ],
)  # fmt: skip
def test_a_name_is_left_where_somebody_else_decides_or_its_value_is_none(path: str, text: str, reason: str) -> None:
    made = plan_for({path: text}, review=True)

    assert {} == made.edits
    assert reason in reasons(made)["port-setting-ignored"]


def test_two_lines_that_mean_one_setting_and_differ_are_not_both_spelt_right() -> None:
    files = {"/etc/sysctl.d/50.conf": "net.ipv4/ip_local_port_range = 35000 60001\nnet.ipv4.ip_local_port_rang = 33000 60001\n"}
    made = plan_for(files, review=True)

    assert 1 == len(made.fixed)
    assert "mean net.ipv4.ip_local_port_range and give it two values" in reasons(made)["port-setting-ignored"]


# ── what is written after the files ──


@pytest.mark.parametrize(
    ("files", "path", "was", "now"),
    [
        (UFW, "/etc/ufw/sysctl.conf", "# mine\nnet/ipv4/ip_local_reserved_ports=9000\nnet/ipv4/tcp_sack=1\n", "=9000,40000"),
        (TUNED, "/etc/tuned/shop/tuned.conf", f"[sysctl]\n{RESERVED} = 9000  \nvm.swappiness = 10\n", " = 9000,40000"),
        (TUNED, "/etc/tuned/shop/tuned.conf", f'[sysctl]\r\n{RESERVED} = "9000"\r\n', " = 9000,40000"),
    ],
)
def test_what_a_tool_writes_after_the_files_gets_the_union_in_its_own_line(files: dict[str, str], path: str, was: str, now: str) -> None:
    made = plan_for({**web(40000), **files, path: was})

    assert {SYSCTL_FILE, path} == made.edits.keys()
    assert f"{RESERVED} = 9000,40000" in made.edits[SYSCTL_FILE]
    assert was.replace('"9000"', "9000").replace(" = 9000", now).replace("=9000", now) == made.edits[path]
    assert path in made.rests_on()
    assert ("9000", 28231) == (getattr(made.steps[0], "was", None), made.usable)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({**TUNED, "/usr/lib/tuned/shop/tuned.conf": f"[sysctl]\n{RESERVED} = 9000\n"}, "lies in no file of /etc"),
        ({**TUNED, "/etc/tuned/shop/tuned.conf": f"[variables]\na=9000\n[sysctl]\n{RESERVED} = ${{a}}\n"}, "has to be changed by hand"),
        (service("late.service", f"/usr/sbin/sysctl -w {RESERVED}=9000"), "late.service sets"),
        (service("late.service", f"/bin/sh -c '/usr/sbin/sysctl -w {RESERVED}=$(cat /etc/ports)'"), "another value after the files"),
    ],
)
def test_what_is_written_later_from_no_line_of_its_own_stands_in_the_way(files: dict[str, str], reason: str) -> None:
    made = plan_for({**web(40000), **files})

    assert {} == made.edits
    assert reason in reasons(made)["listener-in-ephemeral-range"]


# ── lines of units ──


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (f"[Service]\n{COMMAND}user = www-data\n", f"[Service]\n{COMMAND}User = www-data\n"),
        (f"[Unit]\nUser=www-data\n[Service]\n{COMMAND}", f"[Unit]\n[Service]\nUser=www-data\n{COMMAND}"),
        (f"[Service]\n{COMMAND}Restart=always\nStartLimitIntervalSec=0",
         f"[Service]\n{COMMAND}Restart=always\n\n[Unit]\nStartLimitIntervalSec=0\n"),
        (f"[Unit]\r\nUser=www-data\r\nEnvironment=A=1\r\nEnvironment=B=2\r\n[Service]\r\n{COMMAND}",
         f"[Unit]\r\n[Service]\r\nUser=www-data\r\nEnvironment=A=1\r\nEnvironment=B=2\r\n{COMMAND}"),
        (f"[Service]\n{COMMAND}Environment=A=1\nEnvironment=\"AmbientCapabilities=CAP_CHOWN\"\nUser=www-data\n",
         f"[Service]\n{COMMAND}Environment=A=1\nAmbientCapabilities=CAP_CHOWN\nUser=www-data\n"),
        (f"[Unit]\nAfter network.target\n[Service]\n{COMMAND}", f"[Unit]\nAfter=network.target\n[Service]\n{COMMAND}"),
    ],
)  # fmt: skip
def test_lines_of_a_unit_are_put_right_where_systemd_reads_them(was: str, now: str) -> None:
    made = plan_for({**WANTED, **USER, UNIT: was}, review=True)

    assert now == made.edits[UNIT]
    assert all(not left.finding.card.id.startswith("setting-") for left in made.unplanned)
    assert "see that the service runs with it" in made.steps[0].caution(made.host)


def test_lines_in_a_unit_and_in_its_drop_in_are_two_steps_and_a_drop_in_of_ours_is_a_third() -> None:
    own = "/etc/systemd/system/web.service.d/own.conf"
    unit = "[Service]\nExecStart=/usr/bin/python3 -m http.server 81\nUser=www-data\nenvironmentfile=-/etc/none\n"
    made = plan_for({**WANTED, **USER, UNIT: unit, own: "[Unit]\nWorkingDirectory=/\n"}, review=True)

    assert unit.replace("environmentfile", "EnvironmentFile") == made.edits[UNIT]
    assert "[Unit]\n\n[Service]\nWorkingDirectory=/\n" == made.edits[own]
    assert [UNIT, own, "/etc/systemd/system/web.service.d/zz-portwright-capabilities.conf"] == [step.path for step in made.steps]
    assert {"restart": ("web.service",)} == made.disrupts()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({UNIT: f"[Service]\n{COMMAND}User=root\nuser=www-data\n"}, "which of the two is meant cannot be determined"),
        ({UNIT: f"[Service]\n{COMMAND}user=www-\\\ndata\n"}, "goes on in the next line"),
        ({UNIT: f"# managed by Puppet\n[Service]\n{COMMAND}user=www-data\n"}, "change the line where it comes from"),
        ({"/usr/lib/systemd/system/web.service": f"[Service]\n{COMMAND}user=www-data\n"}, "have the right lines in a file there"),
        ({UNIT: f"[Service]\n{COMMAND}user=nobody-here\n"}, "the change causes a new finding, unknown-user-or-group"),
        ({UNIT: f"[Service]\n{COMMAND}",
          "/etc/systemd/system/service.d/all.conf": "[Service]\nuser=www-data\n", **service("b.service", "/bin/b")},
         "is read for"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_surely_meant_or_is_somebody_elses_is_left(files: dict[str, str], reason: str) -> None:
    made = plan_for({**WANTED, **USER, **files}, review=True)

    assert not made.edits.keys() & files.keys()
    assert reason in reasons(made)["setting-ignored-by-systemd"]


# ── sandboxes ──


@pytest.mark.parametrize("value", ["yes", "identity", "self", "1"])
def test_a_service_leaves_the_user_namespace_in_which_no_capability_counts(value: str) -> None:
    made = plan_for({**USER, **web(81, "web.service", "User=www-data", f"PrivateUsers={value}")}, review=True)
    (text,) = made.edits.values()

    assert "[Service]\nPrivateUsers=no\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in text
    assert ["low-port-without-capability"] == [finding.card.id for finding in made.fixed]
    assert "from every power over the host" in made.steps[0].caution(made.host)


def test_root_that_leaves_its_user_namespace_is_limited_to_the_port_it_is_for() -> None:
    files = web(81, "web.service", "PrivateUsers=yes")
    made = plan_for(files, review=True)
    (text,) = made.edits.values()

    assert "[Service]\nPrivateUsers=no\nCapabilityBoundingSet=\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n" in text
    assert "--allow-review" in reasons(plan_for(files))["low-port-without-capability"]


def test_the_capability_of_a_file_that_nothing_may_gain_from_counts_once_the_unit_has_it() -> None:
    files = {**web(81, "web.service", "User=www-data", "NoNewPrivileges=yes"), **USER}
    made = plan_for({**files, "/.portwright/filecaps": "/usr/bin/python3 cap_net_bind_service=ep\n", "/usr/bin/python3": ""})

    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE\n" in "".join(made.edits.values())


# ── what is written ──


@pytest.mark.parametrize(
    "change",
    [
        CorrectSysctlKey("kernel.core_pattern", "|/tmp/x", Span.whole("/etc/sysctl.d/50.conf")),
        CorrectSysctlKey("net.x\nkernel.modprobe", "1", Span.whole("/etc/sysctl.d/50.conf")),
        LeaveUserNamespace("../x.service", "CAP_NET_BIND_SERVICE"),
        LeaveUserNamespace("a.service", "CAP_NET_BIND_SERVICE\nExecStart=/tmp/x"),
        CorrectUnit(Edits("a.service", Rewriting())),
    ],
)
def test_no_wish_writes_more_than_it_says(change: CorrectSysctlKey | CorrectUnit | LeaveUserNamespace) -> None:
    assert change.unwritable()


@pytest.mark.parametrize("command", ["/usr/sbin/gosu www-data", "/usr/bin/sudo -u www-data"])
def test_a_program_that_becomes_another_user_is_not_said_to_bind_with_its_units_capability(command: str) -> None:
    made = plan_for({**USER, **service("web.service", f"{command} /usr/bin/python3 -m http.server 81")})

    assert reasons(made)["low-port-without-capability"].startswith("the capability alone would not let")


def test_a_command_with_full_privileges_is_not_said_to_be_limited_by_its_unit() -> None:
    made = plan_for(service("web.service", "+/usr/bin/python3 -m http.server 81"), review=True)

    assert "a command with the prefix + has every privilege, whatever its unit is limited to" == reasons(made)["root-for-one-low-port"]
