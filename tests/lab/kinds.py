"""Every kind of change in one plan, on a booted host, by each ansible-playbook that is named: check mode, applied, again, taken back to the
byte, and once over a boot. What each change is for is looked at on the host, never asked of portwright.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab.machine import Machine, machine
from tests.lab.story import RANGE, RESERVED, Judge, Outside, State, active, listening, portwright, sysctl

_WEB = "/usr/bin/python3 -m http.server"
_WANTED = "\n[Install]\nWantedBy=multi-user.target\n"
UFW = "/etc/ufw/sysctl.conf"
MISSPELT = "/etc/sysctl.d/40-syn.conf"
SPELT_WRONG = "/etc/systemd/system/spelt.service"
UPSTREAM = """\
upstream shop {
    server 192.0.2.9:80;
}
server {
    listen 8085;
    location / {
        proxy_pass http://shop;
    }
}
"""
HOST = {
    # The kernel refuses the quotes, so the wide range is not in force.
    "/etc/sysctl.d/60-range.conf": '# wide\nnet.ipv4.ip_local_port_range = "40000 60999"\n',
    MISSPELT: "# floods\nnet.ipv4.tcp_syncookie = 2",
    # What ufw-init does, without the firewall: sysctl -e -q -p on the file that IPT_SYSCTL names.
    UFW: "net/ipv4/ip_local_reserved_ports=9000\n# the rest\nnet/ipv4/tcp_sack=1\n",
    "/etc/default/ufw": f"IPT_SYSCTL={UFW}\n",
    "/etc/ufw/ufw.conf": "ENABLED=yes\n",
    "/usr/lib/ufw/ufw-init": f"#!/bin/sh\nexec sysctl -e -q -p {UFW}\n",
    "/etc/systemd/system/ufw.service": (
        "[Unit]\nAfter=systemd-sysctl.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/lib/ufw/ufw-init start quiet\n"
        + _WANTED
    ),
    "/etc/systemd/system/high.service": f"[Service]\nExecStart={_WEB} 45000\n{_WANTED}",
    "/etc/systemd/system/low.service": f"[Service]\nUser=www-data\nExecStart={_WEB} 81\n{_WANTED}",
    "/etc/systemd/system/apart.service": f"[Service]\nUser=www-data\nPrivateUsers=yes\nExecStart={_WEB} 82\n{_WANTED}",
    "/etc/systemd/system/root.service": f"[Service]\nExecStart={_WEB} 83\n{_WANTED}",
    "/etc/systemd/system/shut.service": f"[Service]\nRestrictAddressFamilies=AF_UNIX\nExecStart={_WEB} 8086\n{_WANTED}",
    SPELT_WRONG: f"[Unit]\nUser=www-data\n[Service]\nExecStart={_WEB} 8087\nenvironment=STAGE=live\n{_WANTED}",
    "/etc/systemd/system/page.service": (
        f"[Unit]\nBefore=relay.service\nDefaultDependencies=no\n[Service]\nExecStart={_WEB} 8090\n\n[Install]\nWantedBy=sysinit.target\n"
    ),
    "/etc/systemd/system/relay.service": (
        f"[Unit]\nAfter=page.service\n[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:8090,fork TCP:127.0.0.1:8087\n{_WANTED}"
    ),
    "/etc/nginx/sites-enabled/shop": UPSTREAM,
}  # fmt: skip
UNITS = ("ufw", "high", "low", "apart", "root", "shut", "spelt", "page", "relay", "nginx")
ALLOWED = ("-e", "portwright_allow_restart=true")


def tell(host: Machine, judge: Judge, work: Path, programs: Sequence[str]) -> None:
    """The story by each program; the first one is seen over a boot."""
    host.write(HOST)
    host.chroot("systemctl", "enable", "--quiet", *(f"{unit}.service" for unit in UNITS))
    outside = Outside(host, work)
    host.boot()
    before = State(host)
    judge.chapter("before")
    judge.holds("what may not bind is down", ["failed"] * 3, [active(host, f"{unit}.service") for unit in ("low", "apart", "shut")])
    judge.holds("the one that came second is down", "failed", active(host, "relay.service"))
    judge.holds("the kernel has its own range, and ufw's ports", ("32768 60999", "9000"), (sysctl(host, RANGE), sysctl(host, RESERVED)))
    judge.chapter("a plan")
    _, report = portwright("fix", str(host.root), "--allow-review", "-o", str(work / "web1.yml"))
    judge.holds("a plan is made", True, (work / "web1.yml").exists(), report)
    print("".join(f"    | {line}\n" for line in report.splitlines()), end="")
    for number, program in enumerate(programs):
        os.environ["ANSIBLE_PLAYBOOK"] = program
        told(host, judge, outside, before, program, over_a_boot=not number)


def told(host: Machine, judge: Judge, outside: Outside, before: State, program: str, *, over_a_boot: bool) -> None:
    judge.chapter(f"by {program}")
    play = outside.play("web1.yml", "--check", "--diff")
    judge.holds("check mode ends well and writes nothing", (0, ()), (play.code, before.differs(State(host))), play.text)
    play = outside.play("web1.yml", *ALLOWED)
    judge.holds("it is applied", 0, play.code, play.text)
    cured(host, judge)
    play = outside.play("web1.yml", *ALLOWED)
    judge.holds("again: nothing is left to do", (0, 0), (play.code, play.changed), play.text)
    if over_a_boot:
        host.off()
        host.boot()
        cured(host, judge)
        play = outside.play("web1.yml", *ALLOWED)
        judge.holds("after a boot nothing is left to do", (0, 0), (play.code, play.changed), play.text)
    play = outside.play("web1.rollback.yml", *ALLOWED)
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)
    judge.holds("systemd has read them", "no" * len(UNITS), _need_reload(host))
    judge.holds("what was put right is as it was", "root", _owner(host, "spelt"))


def _owner(host: Machine, unit: str) -> str:
    return host.run(f"ps -o user= -p $(systemctl show -p MainPID --value {unit}.service)").stdout.strip()


def _need_reload(host: Machine) -> str:
    units = " ".join(f"{unit}.service" for unit in UNITS)
    return "".join(host.run(f"systemctl show -p NeedDaemonReload --value {units}").stdout.split())


def cured(host: Machine, judge: Judge) -> None:
    """What each change is for."""
    judge.holds("the value without its quotes is in force", "40000 60999", sysctl(host, RANGE))
    judge.holds("the setting that was misspelt is", "2", sysctl(host, "net/ipv4/tcp_syncookies"))
    judge.holds("the ports are reserved, after ufw has written its own too", "9000,45000",
                (host.run("systemctl restart ufw.service"), sysctl(host, RESERVED))[1])  # fmt: skip
    judge.holds("every service is up", ["active"] * len(UNITS), [active(host, f"{unit}.service") for unit in UNITS])
    wanted = {81, 82, 83, 8085, 8086, 8087, 8090, 8091, 45000}
    judge.holds("every port is listened on", wanted, wanted & listening(host))
    owners = [_owner(host, unit) for unit in ("low", "apart", "spelt")]
    judge.holds("as whom they were meant to run", ["www-data"] * 3, owners)
    held = host.run("grep CapBnd /proc/$(systemctl show -p MainPID --value root.service)/status").stdout.split()
    judge.holds("root has no more power than for its port", ["CapBnd:", "0000000000000400"], held)
    namespaces = host.run("readlink /proc/1/ns/user /proc/$(systemctl show -p MainPID --value apart.service)/ns/user").stdout.split()
    judge.holds("the host's user namespace is its own", 1, len(set(namespaces)))
    said = host.run("nginx -T 2>/dev/null | grep -c keepalive").stdout.strip()
    judge.holds("nginx keeps connections to its upstream", True, said not in ("", "0"))


def main(arguments: list[str]) -> int:
    """Tell it; returns 0 where everything held."""
    if os.geteuid() != 0 or any(not os.access(each, os.X_OK) for each in arguments):
        print("usage: tests/lab/run kinds [ANSIBLE_PLAYBOOK ...], as root", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    judge = Judge()
    judge.chapter("a Debian host is made")
    with machine("web1") as host:
        work = host.root.parent / "outside"
        work.mkdir(mode=0o700)
        tell(host, judge, work, arguments or [os.environ.get("ANSIBLE_PLAYBOOK", "ansible-playbook")])
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
