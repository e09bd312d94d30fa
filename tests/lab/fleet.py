"""A fleet, seen on booted hosts that Ansible reaches over ssh: collected, audited, mended from a canary up, drifted, taken back.

Six hosts of two Debians, three with `--smoke`: of those with the same faults one has drifted since it was collected, and one host is sound.
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.lab.machine import Machine, machine
from tests.lab.story import RESERVED, Judge, Outside, State, active, portwright, sysctl

SUITES = ("bookworm", "trixie")
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "iproute2", "procps", "openssh-server", "tar", "util-linux", "libcap2-bin")
_ORDERS = (
    "[Unit]\nDescription=Orders\n\n[Service]\nExecStart=/usr/bin/python3 -m http.server 40100 --directory /srv\n\n"
    "[Install]\nWantedBy=multi-user.target\n"
)
_STATUS = (
    "[Unit]\nDescription=Status page\n\n[Service]\nUser=www-data\nExecStart=/usr/bin/python3 -m http.server 81 --directory /srv\n\n"
    "[Install]\nWantedBy=multi-user.target\n"
)
_BOTH = {"/etc/systemd/system/orders.service": _ORDERS, "/etc/systemd/system/status.service": _STATUS}
_ONE = {"/etc/systemd/system/orders.service": _ORDERS}
RULES = "listener-in-ephemeral-range,low-port-without-capability"


def tell(fleet: Sequence[tuple[Machine, dict[str, str]]], judge: Judge, work: Path) -> None:
    """The whole story; the first two hosts have both faults, the last has none."""
    hosts = [host for host, _ in fleet]
    for host, files in fleet:
        host.write(files)
        if files:
            host.chroot("systemctl", "enable", "--quiet", *(Path(path).name for path in files))
        host.boot()
    outside = Outside(hosts[0], work, *hosts[1:])
    faulty = {host.name: files for host, files in fleet if files}
    before = {host.name: State(host) for host in hosts}

    judge.chapter("collected and audited")
    snapshots = work / "snapshots"
    snapshots.mkdir(mode=0o700)
    code, text = portwright("audit", "-i", str(outside.inventory), "--snapshots", str(snapshots), "--select", RULES, "--format", "json")
    found = {each["host"]: {one["rule"] for one in each["findings"]} for each in json.loads(text)["hosts"]}
    judge.holds("every host is in the report", {host.name for host in hosts}, set(found), text)
    bad = {name for name, rules in found.items() if rules}
    judge.holds("those with faults have findings, the sound one has none", set(faulty), bad, text)
    judge.holds("and the command ends with findings", 1, code)

    judge.chapter("one playbook for all")
    code, text = portwright("fix", str(snapshots), "--select", RULES, "--allow-restart", "-o", str(work / "fleet.yml"))
    print("".join(f"    | {line}\n" for line in text.splitlines()), end="")
    judge.holds("everything found is planned", 0, code, text)
    play = outside.play("fleet.yml", "--check", "--diff")
    judge.holds("check mode ends well on all", (0, set()), (play.code, play.failed_on), play.text)
    judge.holds("and writes nothing", {}, _changed(hosts, before), play.text)

    judge.chapter("a host has drifted, and is not the canary")
    drifted = hosts[1]
    orders = drifted.place("/etc/systemd/system/orders.service")
    orders.write_text(_ORDERS.replace("Orders", "Orders of all"))
    play = outside.play("fleet.yml")
    judge.holds("the rollout ends as a failure", True, play.code != 0, play.text)
    judge.holds("of that host", {drifted.name}, play.failed_on, play.text)
    judge.holds("which says why", True, "drifted, scan again" in play.text, play.text)
    judge.holds("and is untouched", (), tuple(set(before[drifted.name].differs(State(drifted))) - {"etc/systemd/system/orders.service"}))
    judge.holds("the canary is mended", "active", active(hosts[0], "status.service"))
    orders.write_text(_ORDERS)

    judge.chapter("the fleet is mended")
    play = outside.play("fleet.yml")
    judge.holds("the rollout ends well", (0, set()), (play.code, play.failed_on), play.text)
    for host, files in fleet:
        if files:
            judge.holds(f"the port of {host.name} is reserved", "40100", sysctl(host, RESERVED))
        if files is _BOTH:
            judge.holds(f"the service of {host.name} is up", "active", active(host, "status.service"))
    judge.holds("the sound host is as it was", (), before[hosts[-1].name].differs(State(hosts[-1])))
    play = outside.play("fleet.yml")
    judge.holds("again: nothing is left to do", (0, dict.fromkeys(before, 0)), (play.code, play.changed_on), play.text)
    again = work / "again"
    again.mkdir(mode=0o700)
    code, text = portwright("audit", "-i", str(outside.inventory), "--snapshots", str(again), "--select", RULES)
    judge.holds("collected again, the fleet is clean", 0, code, text)

    judge.chapter("a machine that was not analysed")
    last = hosts[-1].place("/etc/machine-id")
    known = last.read_text()
    last.write_text("0" * 31 + "1\n")
    play = outside.play("fleet.yml", "--check")
    judge.holds("is no sound one", (True, {hosts[-1].name}), (play.code != 0, play.failed_on), play.text)
    last.write_text(known)

    judge.chapter("taken back")
    play = outside.play("fleet.rollback.yml")
    judge.holds("the rollback ends well", (0, set()), (play.code, play.failed_on), play.text)
    judge.holds("and every host is what it was, to the byte", {}, _changed(hosts, before), play.text)


def _changed(hosts: Sequence[Machine], before: dict[str, State]) -> dict[str, tuple[str, ...]]:
    """What differs on each host."""
    now = {host.name: before[host.name].differs(State(host)) for host in hosts}
    return {name: paths for name, paths in now.items() if paths}


def main(arguments: list[str]) -> int:
    """Run the story; returns 0 where everything held."""
    if os.geteuid() != 0:
        print("the lab boots hosts, which only root may", file=sys.stderr)
        return 2
    if arguments not in ([], ["--smoke"]):
        print("usage: tests/lab/run fleet [--smoke]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    judge = Judge()
    judge.chapter("Debian hosts are made")
    faults = (_BOTH, _BOTH, {}) if arguments else (_BOTH, _BOTH, _BOTH, _ONE, _ONE, {})
    suites = SUITES[:1] if arguments else SUITES
    with ExitStack() as stack:
        made = [machine(f"web{number + 1}", PACKAGES, suites[number % len(suites)], number) for number in range(len(faults))]
        hosts = [stack.enter_context(each) for each in made]
        work = hosts[0].root.parent / "outside"
        work.mkdir(mode=0o700)
        tell([*zip(hosts, faults, strict=True)], judge, work)
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
