"""What a plan unites, refuses and leaves, each situation on a small host and proven on a copy of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from portwright._start.records import replace
from portwright.audit.case_file import Case, parse
from portwright.audit.check import Selection, planned
from portwright.audit.inputs import inputs
from portwright.changes import (
    Change,
    ContradictionError,
    CorrectSysctlKey,
    CorrectUnit,
    GrantCapability,
    LimitCapabilities,
    ReservePorts,
    SetInUnit,
    SetSysctl,
)
from portwright.changes.kind import OWNED
from portwright.changes.sysctl_step import SysctlStep
from portwright.facts import Subject
from portwright.finding import Finding
from portwright.fixes.plan import Plan, plan, unite
from portwright.fixes.policy import FixPolicy
from portwright.ports import PortSet
from portwright.source import Span
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree
from tests.fixes.on_a_copy import (
    RANGE,
    RESERVED,
    SYSCTL_FILE,
    UNPRIVILEGED,
    all_rules,
    checked,
    only,
    plan_for,
    plan_on,
    reasons,
    service,
    web,
)

IN_RANGE = "listener-in-ephemeral-range"
WITHOUT_CAPABILITY = "low-port-without-capability"
DROP_IN = "/etc/systemd/system/web.service.d/zz-portwright-capabilities.conf"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in sorted((Path(__file__).parents[1] / "rules").glob("*/*.txt"))
    for case in parse(path.read_bytes(), str(path)).cases
    if case.kind == "flags" and not case.repository
]


def settings(made: Plan) -> list[str]:
    """The lines of the owned sysctl file."""
    return [line for line in made.edits.get(SYSCTL_FILE, "").splitlines() if not line.startswith("#")]


def drop_in(made: Plan) -> list[str]:
    return [line for line in made.edits.get(DROP_IN, "").splitlines() if not line.startswith("#")]


# ── kernel settings ──


def test_ports_of_several_services_are_reserved_in_one_step() -> None:
    made = plan_for({**web(40000), **web(40002, "more.service"), **web(45000, "other.service")})

    assert [f"{RESERVED} = 40000,40002,45000"] == settings(made)
    assert 1 == len(made.steps)
    assert [IN_RANGE] * 3 == [finding.card.id for finding in made.fixed]
    assert 28232 - 3 == made.usable


def test_what_is_reserved_stays_reserved() -> None:
    made = plan_for({**web(40000), "/etc/sysctl.d/50-ports.conf": f"{RESERVED} = 39999,50000-50010\n"})

    assert [f"{RESERVED} = 39999-40000,50000-50010"] == settings(made)


def test_what_was_reserved_by_hand_on_the_running_kernel_stays_reserved() -> None:
    made = plan_for({**web(40000), "/.portwright/sysctl": f"{RESERVED} = 8080\n{RANGE} = 32768\t60999\n"})

    assert [f"{RESERVED} = 8080,40000"] == settings(made)
    (step,) = made.steps
    assert isinstance(step, SysctlStep)
    assert "8080" == step.was


@pytest.mark.parametrize("path", ["/.portwright/sysctl", f"/.portwright/proc/sys/{RESERVED.replace('.', '/')}"])
def test_a_capture_of_the_running_kernel_does_not_make_the_proof_fail(path: str) -> None:
    text = "\n" if path.endswith("ports") else f"{RESERVED} = \n"
    made = plan_for({**web(40000), path: text})

    assert [IN_RANGE] == [finding.card.id for finding in made.fixed]
    assert () == made.unplanned


def test_a_widened_range_takes_the_reservation_of_a_service_that_it_swallows_along() -> None:
    made = plan_for({**web(45000), "/etc/sysctl.d/50-ports.conf": f"{RANGE} = 60000 60999\n"}, review=True)

    assert [f"{RANGE} = 32768 60999", f"{RESERVED} = 45000"] == settings(made)
    assert ["narrow-ephemeral-range"] == [finding.card.id for finding in made.fixed]


def test_a_widened_range_reserves_even_what_is_only_possibly_listened_on() -> None:
    possible = service("unknown.service", "/opt/unknown/bin/unknown --port 45000")
    made = plan_for({**possible, "/etc/sysctl.d/50-ports.conf": f"{RANGE} = 60000 60999\n"}, review=True)
    alone = plan_for(possible)

    assert [f"{RANGE} = 32768 60999", f"{RESERVED} = 45000"] == settings(made)
    assert ([], "the finding is not certain enough to change a host") == (settings(alone), reasons(alone)[IN_RANGE])


def test_no_range_is_widened_without_a_review_which_is_told_what_may_rely_on_it() -> None:
    files = {
        "/etc/sysctl.d/50-ports.conf": f"# the firewall lets these out\n{RANGE} = 60000 60999\n",
        **service("relay.service", "/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg"),
        "/etc/haproxy/haproxy.cfg": "listen a\n bind :80\n server s 10.0.0.1:80 source 192.0.2.1:60000-60999\n",
    }
    narrow = only("narrow-ephemeral-range")
    (step,) = plan_for(files, narrow, review=True).steps

    assert "--allow-review" in reasons(plan_for(files, narrow))["narrow-ephemeral-range"]
    assert "review" == step.safety
    assert (
        "a firewall, a translation of addresses or a pool of ports may rely on 60000 60999: "
        "/etc/sysctl.d/50-ports.conf:1 says '# the firewall lets these out'; /etc/haproxy/haproxy.cfg:3 names both of its ends"
    ) == step.caution(checked(MemoryTree(files), narrow)[0])


def test_a_firewall_that_names_the_old_range_is_named(tmp_path: Path) -> None:
    files = {
        "etc/hostname": "web1\n",
        "usr/lib/os-release": "ID=debian\n",
        "etc/sysctl.d/50-ports.conf": f"{RANGE} = 60000 60999\n",
        "etc/nftables.conf": "table inet f {\n chain out { tcp sport 60000-60999 accept; }\n}\n",
        "etc/iptables/rules.v4": "-A OUTPUT -p tcp --sport 60000:60999 -j ACCEPT\n-A OUTPUT --sport 160000:609991\n",
        "etc/ufw/user.rules": "\x00\xff",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    made = planned(inputs([str(tmp_path)])[0], only("narrow-ephemeral-range"), Selection(), frozenset(), FixPolicy(review=True))

    (caution,) = (step.caution(made.host) for step in made.steps)
    named = "/etc/iptables/rules.v4:1 names both of its ends; /etc/nftables.conf:2 names both of its ends"
    assert f"a firewall, a translation of addresses or a pool of ports may rely on 60000 60999: {named}" == caution


def reserving(ports: PortSet, files: dict[str, str]) -> Plan:
    """The plan for a host where the finding about a port in the range wants more ports reserved."""
    tree = MemoryTree({**web(40000), **files})
    host, found = checked(tree, only(IN_RANGE))
    wish = replace(found[0], change=ReservePorts(ports))
    return plan(host, (wish,), lambda edits: checked(OverlayTree(tree, edits), only(IN_RANGE)), FixPolicy())


def test_a_plan_never_takes_more_than_half_of_the_ports_that_there_were() -> None:
    narrow = {"/etc/sysctl.d/50-ports.conf": f"{RANGE} = 40000 43999\n{RESERVED} = 42000-43999\n"}

    assert 1000 == reserving(PortSet.of((40000, 40999)), narrow).usable
    assert {IN_RANGE: "only 999 of 2,000 ephemeral ports would remain, and 1,000 must"} == reasons(
        reserving(PortSet.of((40000, 41000)), narrow)
    )


def test_what_others_reserved_is_not_held_against_a_plan() -> None:
    narrow = {"/etc/sysctl.d/50-ports.conf": f"{RANGE} = 40000 43999\n{RESERVED} = 40600-43999\n"}

    assert 599 == plan_for({**web(40000), **narrow}, only(IN_RANGE)).usable


def test_a_plan_never_leaves_too_few_ports() -> None:
    made = plan_for({**web(40000), "/etc/sysctl.d/50-ports.conf": f"{RANGE} = 40000 40199\n"}, only(IN_RANGE))

    assert {IN_RANGE: "only 199 of 200 ephemeral ports would remain, and 512 must"} == reasons(made)


LATE = "/etc/sysctl.d/zzz-local.conf"


@pytest.mark.parametrize(
    ("files", "edits"),
    [
        # The one line that both loaders read last is the only one that is written.
        (
            {LATE: f"# ours\n{RESERVED} = 9999\n\nvm.swappiness = 1"},
            {LATE: f"# ours\n{RESERVED} = 9999,40000\n\nvm.swappiness = 1"},
        ),
        (
            {"/etc/sysctl.conf": f"vm.swappiness=1\r\n-{RESERVED}=9999\t\r\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"},
            {"/etc/sysctl.conf": f"vm.swappiness=1\r\n-{RESERVED}=9999,40000\t\r\n"},
        ),
        # /etc/sysctl.conf without its link is procps' alone, so the boot needs the owned file.
        (
            {"/etc/sysctl.conf": f" {RESERVED.replace('.', '/')} =   9999 \n", "/etc/sysctl.d/10-a.conf": f"{RESERVED} = 8080\n"},
            {
                "/etc/sysctl.conf": f" {RESERVED.replace('.', '/')} =   8080,9999,40000 \n",
                SYSCTL_FILE: f"{OWNED}\n{RESERVED} = 8080,9999,40000\n",
            },
        ),
        # What the kernel refuses keeps what stands before it from being written at boot.
        (
            {LATE: f"{RESERVED} = 8080-\n"},
            {LATE: f"{RESERVED} = 40000\n", SYSCTL_FILE: f"{OWNED}\n{RESERVED} = 40000\n"},
        ),
    ],
)
def test_a_line_that_is_read_after_ours_gets_the_value_and_every_other_byte_stays(files: dict[str, str], edits: dict[str, str]) -> None:
    made = plan_for({**web(40000), **files}, only(IN_RANGE))

    assert edits == made.edits
    assert [IN_RANGE] == [finding.card.id for finding in made.fixed]


def test_a_plan_says_in_whose_lines_it_writes() -> None:
    both = plan_for({**web(40000), "/etc/sysctl.conf": f"{RESERVED} = 9999\n"}, only(IN_RANGE))
    alone = plan_for({**web(40000), LATE: f"{RESERVED} = 9999\n"}, only(IN_RANGE))

    assert [f"set {RESERVED} = 9999,40000, and in /etc/sysctl.conf:1, read after it (was empty)"] == [s.in_words() for s in both.steps]
    assert [f"set {RESERVED} = 9999,40000 in its line at {LATE}:1 (was 9999)"] == [s.in_words() for s in alone.steps]


@pytest.mark.parametrize("said", ["# Ansible managed", "# This file is managed by Puppet", "; DO NOT EDIT", "# Automatically generated"])
def test_a_line_that_another_tool_keeps_is_left_to_it(said: str) -> None:
    made = plan_for({**web(40000), "/etc/sysctl.conf": f"{said}\n{RESERVED} = 9999\n"}, only(IN_RANGE))

    assert {} == made.edits
    assert [True] == ["change the line where it comes from" in reason for reason in reasons(made).values()]


def test_a_file_below_usr_that_is_read_after_ours_is_the_very_reason() -> None:
    made = plan_for({**web(40000), "/usr/lib/sysctl.d/zzz.conf": f"{RESERVED} = 9999\n"}, only(IN_RANGE))

    assert {} == made.edits
    late = f"/usr/lib/sysctl.d/zzz.conf:1:1 sets {RESERVED} too and is read after {SYSCTL_FILE} at boot"
    assert {IN_RANGE: f"{late}, so that line has to be changed by hand"} == reasons(made)


def test_two_wishes_that_contradict_are_not_both_granted() -> None:
    tree = MemoryTree({"/etc/sysctl.d/50-ports.conf": f"{RANGE} = 60000 60999\n"})
    host, found = checked(tree, only("narrow-ephemeral-range"))
    other = replace(found[0], subject=replace(found[0].subject, app="other"), change=SetSysctl(RANGE, "20000 60999"))

    def recheck(edits: object) -> tuple[object, tuple[Finding, ...]]:
        after, left = checked(OverlayTree(tree, edits), only("narrow-ephemeral-range"))  # type: ignore[arg-type]
        return after, tuple(f for f in (*left, *(replace(f, subject=other.subject) for f in left)))

    made = plan(host, (*found, other), recheck, FixPolicy(review=True))  # type: ignore[arg-type]

    assert [f"{RANGE} = 32768 60999"] == settings(made)
    assert [] == [left.reason for left in made.unplanned]  # the first wish mends both


def test_a_value_that_the_kernel_would_refuse_is_not_planned() -> None:
    # At boot the start is written before the range, while the range is still the kernel's own: it is the start that is refused.
    files = {"/etc/sysctl.d/10-range.conf": f"{RANGE} = 60000 60999\n", "/etc/sysctl.d/20-start.conf": f"{UNPRIVILEGED} = 50000\n"}

    by_procps = plan_for(files, only("narrow-ephemeral-range"), review=True)
    at_boot = plan_for(files, only("narrow-ephemeral-range", "sysctl-value-rejected"), review=True)

    assert ((), ()) == (by_procps.steps, at_boot.steps)
    assert f"/etc/sysctl.d/10-range.conf:1:1 would still set {RANGE} by sysctl --system" == reasons(by_procps)["narrow-ephemeral-range"]


def test_a_list_too_long_for_procps_is_not_planned() -> None:
    listed = ",".join(str(port) for port in range(1, 2400, 2))
    made = plan_for({**web(40000), "/etc/sysctl.d/50-ports.conf": f"{RESERVED} = {listed}\n"}, only(IN_RANGE))

    assert () == made.steps
    assert "procps writes once" in reasons(made)[IN_RANGE]


def test_one_wish_that_cannot_be_granted_does_not_take_the_others_down() -> None:
    files = {**web(40000), **web(81, "status.service", "User=www"), "/usr/lib/sysctl.d/zzz.conf": f"{RESERVED} = 9999\n"}
    made = plan_for(files, only(IN_RANGE, WITHOUT_CAPABILITY))

    assert [WITHOUT_CAPABILITY] == [finding.card.id for finding in made.fixed]
    assert [IN_RANGE] == list(reasons(made))


def test_what_an_earlier_plan_set_stays_set() -> None:
    earlier = f"# Written by portwright.\nnet.ipv4.tcp_tw_reuse = 1\n{RESERVED} = 8080\n"
    made = plan_for({**web(40000), SYSCTL_FILE: earlier})

    assert [f"{RESERVED} = 8080,40000", "net.ipv4.tcp_tw_reuse = 1"] == settings(made)


@pytest.mark.parametrize("value", ["1\nkernel.panic = 1", "1\rx", "1\x00", "1\x85", "1\u2028"])
def test_a_value_cannot_break_out_of_its_line(value: str) -> None:
    host, found = checked(MemoryTree(web(40000)), only(IN_RANGE))
    hostile = replace(found[0], change=SetSysctl("net.ipv4.tcp_tw_reuse", value))

    made = plan(host, (hostile,), lambda edits: (host, ()), FixPolicy())

    assert () == made.steps
    assert ["the value for net.ipv4.tcp_tw_reuse contains a line break or control character"] == [left.reason for left in made.unplanned]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (GrantCapability("a.service", "CAP_CHOWN\nExecStartPre=/tmp/x"), r"'CAP_CHOWN\nExecStartPre=/tmp/x' is not a capability"),
        (LimitCapabilities("a.service", ("CAP_CHOWN", "CAP_KILL\nUser=root")), r"'CAP_KILL\nUser=root' is not a capability"),
        (SetSysctl("kernel.core_pattern", "|/tmp/x"), "kernel.core_pattern is not a setting of the network"),
    ],
)
def test_a_wish_that_would_run_a_program_is_not_planned(change: Change, reason: str) -> None:
    host, found = checked(MemoryTree(web(40000)), only(IN_RANGE))

    made = plan(host, (replace(found[0], change=change),), lambda edits: (host, ()), FixPolicy(review=True))

    assert () == made.steps
    assert [True] == [left.reason.startswith(reason) for left in made.unplanned]


def test_a_place_that_cannot_be_written_is_said() -> None:
    made = plan_for({**web(40000), f"{SYSCTL_FILE}/inside": "x"})

    assert {IN_RANGE: f"{SYSCTL_FILE} cannot be written: is a directory"} == reasons(made)


@pytest.mark.parametrize(
    ("link", "target"),
    [(SYSCTL_FILE, "/dev/null"), (SYSCTL_FILE, "/etc/other.conf"), ("/etc/sysctl.d", "../usr/lib/sysctl.d")],
)
def test_case_74_nothing_is_written_through_a_link(tmp_path: Path, link: str, target: str) -> None:
    for path, text in {**web(40000), "/usr/lib/sysctl.d/50.conf": "# nothing\n", "/etc/hostname": "web1\n"}.items():
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.write_text(text)
    (tmp_path / link.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / link.lstrip("/")).symlink_to(target)

    made = planned(inputs([str(tmp_path)])[0], only(IN_RANGE), Selection(), frozenset(), FixPolicy())

    assert () == made.steps
    assert f"{SYSCTL_FILE} cannot be written: a symbolic link leads to " in reasons(made)[IN_RANGE]


# ── drop-ins ──


def test_a_unit_gets_its_capability_in_a_drop_in() -> None:
    made = plan_for(web(81, "web.service", "User=www"))

    assert ["[Service]", "AmbientCapabilities=CAP_NET_BIND_SERVICE"] == drop_in(made)


def test_a_bounding_set_that_withholds_the_capability_lets_it_in() -> None:
    made = plan_for(web(81, "web.service", "User=www", "CapabilityBoundingSet=CAP_CHOWN"))

    assert ["[Service]", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"] == drop_in(made)
    assert [WITHOUT_CAPABILITY] == [finding.card.id for finding in made.fixed]


@pytest.mark.parametrize("line", [f"CapabilityBoundingSet={words}" for words in ("CAP_CHOWN", "~CAP_NET_BIND_SERVICE", "")])
def test_root_whose_bounding_set_withholds_the_capability_gets_it_there(line: str) -> None:
    made = plan_for(web(81, "web.service", line), only(WITHOUT_CAPABILITY))

    assert ["[Service]", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"] == drop_in(made)
    assert [WITHOUT_CAPABILITY] == [finding.card.id for finding in made.fixed]


def test_a_unit_may_be_limited_to_what_it_is_granted() -> None:
    files = web(81, "web.service", "CapabilityBoundingSet=CAP_CHOWN")
    host, found = checked(MemoryTree(files), only(WITHOUT_CAPABILITY))
    limits = [LimitCapabilities("web.service", (capability,)) for capability in ("CAP_NET_BIND_SERVICE", "CAP_KILL")]
    wishes = [(*found, replace(found[0], change=limit)) for limit in limits]

    (step,) = unite(host, wishes[0])
    assert ("CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE") == step.lines  # type: ignore[attr-defined]
    with pytest.raises(ContradictionError, match="one finding proposes more capabilities"):
        unite(host, wishes[1])


def test_a_drop_in_of_an_earlier_plan_keeps_what_it_gave() -> None:
    made = plan_for({**web(81, "web.service", "User=www"), DROP_IN: "[Service]\nAmbientCapabilities=CAP_NET_RAW\n"})

    assert ["[Service]", "AmbientCapabilities=CAP_NET_RAW", "AmbientCapabilities=CAP_NET_BIND_SERVICE"] == drop_in(made)


def test_a_drop_in_of_an_earlier_plan_keeps_what_somebody_wrote_into_it() -> None:
    text = "# mine\n[Unit]\nAfter=x.service\n[Service]\nNice=5\n[Unit]\nAfter=y.service\n"
    made = plan_for({**web(81, "web.service", "User=www"), DROP_IN: text})

    kept = ["[Unit]", "After=x.service", "After=y.service", "[Service]", "Nice=5", "AmbientCapabilities=CAP_NET_BIND_SERVICE"]
    assert kept == drop_in(made)


def test_case_75_a_drop_in_that_resets_ours_is_seen_by_the_proof() -> None:
    late = "/etc/systemd/system/web.service.d/zzz.conf"
    made = plan_for({**web(81, "web.service", "User=www"), late: "[Service]\nAmbientCapabilities=\n"})

    assert () == made.steps
    assert {WITHOUT_CAPABILITY: "on a copy of this host the finding remains after the change"} == reasons(made)


def test_root_keeps_its_power_unless_a_review_is_allowed() -> None:
    files = web(81)

    assert () == plan_for(files).steps
    assert "--allow-review" in reasons(plan_for(files))["root-for-one-low-port"]
    assert ["[Service]", "CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"] == drop_in(plan_for(files, review=True))


def test_how_a_unit_is_restarted_is_set_in_a_drop_in_of_its_own_and_nothing_is_restarted() -> None:
    tunnel = service("tunnel.service", "/usr/bin/socat TCP-LISTEN:7000,fork TCP:10.0.0.5:7000", "Restart=always", "KillMode=process")
    rules = only("restarts-end-before-time-wait", "stop-leaves-connections-open")
    made = plan_for(tunnel, rules, review=True)

    text = f"{OWNED}\n[Unit]\nStartLimitIntervalSec=0\n[Service]\nKillMode=control-group\nRestartSec=5\n"
    assert {"/etc/systemd/system/tunnel.service.d/zz-portwright-restarts.conf": text} == made.edits
    assert ["none"] == [step.disruption for step in made.steps]
    assert {rule.id for rule in rules} == {finding.card.id for finding in made.fixed}
    assert () == plan_for(tunnel, rules).steps


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("KillMode=mixed", "KillMode=control-group"), "another finding proposes KillMode=mixed in web.service"),
        (("ExecStart=/tmp/x",), "'ExecStart=/tmp/x' is not a setting that portwright writes"),
        (("RestartSec=5\nExecStartPre=/tmp/x",), r"'RestartSec=5\nExecStartPre=/tmp/x' is not a setting that portwright writes"),
    ],
)
def test_only_lines_that_are_known_and_agree_are_set_in_a_unit(settings: tuple[str, ...], reason: str) -> None:
    host, found = checked(MemoryTree(web(40000)), only(IN_RANGE))
    wish = replace(found[0], change=SetInUnit("web.service", settings))

    made = plan(host, (wish,), lambda edits: (host, ()), FixPolicy(review=True))

    assert [reason] == [left.reason for left in made.unplanned]


@pytest.mark.parametrize("name", ["a b.service", "a\nb.service", "{{ x }}.service", "a*.service", "ä.service", "-x.service", "..service"])
def test_no_path_is_made_of_a_name_that_systemd_does_not_allow(name: str) -> None:
    host, found = checked(MemoryTree(web(81, "web.service", "User=www")), only(WITHOUT_CAPABILITY))
    hostile = replace(found[0], change=GrantCapability(name, "CAP_NET_BIND_SERVICE"))

    made = plan(host, (hostile,), lambda edits: (host, ()), FixPolicy())

    assert () == made.steps
    assert [f"{name!r} is not a name that systemd allows a service, so it is not used as a path"] == [u.reason for u in made.unplanned]


# ── the plan as a whole ──


def test_a_host_without_findings_needs_no_plan() -> None:
    made = plan_for(web(8080), only(IN_RANGE))

    assert ((), "nothing was found") == (made.steps, made.reason)


def test_an_empty_plan_says_why() -> None:
    made = plan_for({"/etc/sysctl.d/50.conf": "net.ipv4.tcp_tw_recycle = 1\n"})

    assert ((), "no finding has a fix that could be proven safe") == (made.steps, made.reason)
    assert {"tw-recycle-has-no-effect": "portwright does not remove lines that others wrote"} == reasons(made)


def test_a_repository_is_no_host_to_plan_for() -> None:
    host, found = checked(MemoryTree(web(40000)), only(IN_RANGE))

    made = plan(replace(host, repository=True), found, lambda edits: (host, found), FixPolicy())

    assert () == made.steps
    assert made.reason.startswith("a repository is not a host")
    assert [made.reason] == [left.reason for left in made.unplanned]


def test_case_81_a_mending_that_brings_something_new_is_refused() -> None:
    host, found = checked(MemoryTree(web(40000)), only(IN_RANGE))
    new = replace(found[0], subject=replace(found[0].subject, port=1), change=None, message="it is worse now")
    applied = checked(MemoryTree({**web(40000), SYSCTL_FILE: f"{RESERVED} = 40000\n"}), ())[0]

    made = plan(host, found, lambda edits: (applied, (new,)), FixPolicy())

    assert () == made.steps
    assert [f"on a copy of this host the change causes a new finding, {IN_RANGE}: it is worse now"] == [u.reason for u in made.unplanned]


def test_an_old_finding_with_another_look_is_no_new_one() -> None:
    ftp = {**service("vsftpd.service", "/usr/sbin/vsftpd /etc/vsftpd.conf"), "/etc/vsftpd.conf": "listen=YES\n"}
    ftp["/etc/vsftpd.conf"] += "pasv_min_port=39990\npasv_max_port=40010\n"

    made = plan_for({**web(40000), **ftp})

    # Reserving splits the range of ports in two, and each half has a finding.
    assert [f"{RESERVED} = 40000"] == settings(made)
    assert [IN_RANGE] == [finding.card.id for finding in made.fixed]
    assert ["on-demand-port-in-ephemeral-range"] == [left.finding.card.id for left in made.unplanned]


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        ({"at": Span.whole(SYSCTL_FILE)}, False),
        ({"at": Span.whole(SYSCTL_FILE), "likelihood": None}, True),
        ({"at": Span.whole("/etc/sysctl.d/60-other.conf")}, True),
    ],
)
def test_a_finding_about_the_line_that_a_plan_moves_is_the_old_one_unless_it_is_worse(now: dict[str, Any], refused: bool) -> None:
    files = {**web(40000), "/etc/sysctl.d/50.conf": f"{RESERVED} = 22\n"}
    host, found = checked(MemoryTree(files), only(IN_RANGE))
    card = replace(found[0].card, id="ours", severity="low")
    old = Finding(card, "it is so", Span.whole("/etc/sysctl.d/50.conf"), Subject(sysctl=RESERVED), "certain", "low")
    applied = checked(MemoryTree({**files, SYSCTL_FILE: f"{RESERVED} = 22,40000\n"}), ())[0]

    made = plan(host, (*found, old), lambda edits: (applied, (replace(old, **now),)), FixPolicy())

    assert ([] if refused else [IN_RANGE]) == [finding.card.id for finding in made.fixed]


def test_low_ports_are_privileged_again_together_with_the_capability_for_each_service_that_relies_on_it() -> None:
    files = {**web(80, "web.service", "User=www"), **web(81, "root.service"), "/etc/sysctl.d/50.conf": f"{UNPRIVILEGED} = 80\n"}
    made = plan_for(files, only("low-ports-open-to-everyone", WITHOUT_CAPABILITY), review=True)

    assert [f"{UNPRIVILEGED} = 1024"] == settings(made)
    assert ["[Service]", "AmbientCapabilities=CAP_NET_BIND_SERVICE"] == drop_in(made)
    assert 2 == len(made.steps)
    assert "relies on it" in made.steps[0].caution(made.host)
    wide = {**files, "/etc/sysctl.d/60.conf": f"{RANGE} = 512 60999\n"}
    assert () == plan_for(wide, only("low-ports-open-to-everyone"), review=True).steps


def test_the_same_host_gives_the_same_plan() -> None:
    files = {**web(40000), **web(81, "status.service", "User=www"), **web(45000, "other.service")}
    one, two = plan_for(files), plan_for(dict(reversed(files.items())))

    assert json.dumps(dict(one.edits)) == json.dumps(dict(two.edits))
    assert one.steps == two.steps
    assert one.unplanned == two.unplanned


@pytest.mark.parametrize("case", CASES)
def test_what_is_planned_for_a_rules_own_cases_is_gone_and_nothing_new_came(case: Case) -> None:
    tree = MemoryTree({path: content if isinstance(content, bytes) else f"-> {content}" for path, content in case.files.items()})
    before = checked(tree, all_rules())[1]
    made = plan_on(tree, review=True)
    laid: dict[str, bytes | None] = {path: text.encode() for path, text in made.edits.items()}
    for step in made.steps:
        laid |= step.captured(made.host, laid)  # what a command changes, such as the policy
    after = checked(OverlayTree(tree, laid), all_rules())[1]

    remaining = {finding.fingerprint for finding in after}
    assert set() == remaining & {finding.fingerprint for finding in made.fixed}
    # What was found before and stays is where the plan has written the line.
    known = {(finding.card.id, finding.subject) for finding in before}
    moved = {finding.fingerprint for finding in after if finding.at.path in made.edits and (finding.card.id, finding.subject) in known}
    assert set() == remaining - moved - {finding.fingerprint for finding in before}
    assert {f.fingerprint for f in before} == {f.fingerprint for f in (*made.fixed, *(u.finding for u in made.unplanned))}
    assert all(left.reason for left in made.unplanned)
    refused = [left for left in made.unplanned if left.finding.change is not None and left.finding.confidence != "possible"]
    # What somebody wrote and nothing read may be a mistake where it is read.
    unread = [left for left in refused if left.finding.card.id == "sysctl-value-rejected"]
    corrected = [left for left in refused if left in unread or isinstance(left.finding.change, CorrectSysctlKey | CorrectUnit)]
    assert all("the change causes a new finding" in left.reason for left in corrected)
    assert [] == [left for left in refused if left not in corrected]
