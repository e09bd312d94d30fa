"""The lab's story: break a booted host's services, have portwright mend them, and judge by what the host itself says.

Nothing here asks portwright whether it was right: `ss`, /proc/sys, systemctl, errno, exit codes and hashes of files do.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.lab.machine import Machine, machine

RANGE, RESERVED = "net/ipv4/ip_local_port_range", "net/ipv4/ip_local_reserved_ports"
PLAYBOOK = "web1.yml"

# A narrow range with two services in it, one that only a wider range would swallow, and one that may not bind its port.
HOST = {
    "/etc/sysctl.d/60-tuning.conf": "net.ipv4.ip_local_port_range = 40000 40199\n",
    "/etc/systemd/system/orders.service": (
        "[Unit]\nDescription=Orders\n\n[Service]\nExecStart=/usr/bin/python3 -m http.server 40100 --directory /srv\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    ),
    "/etc/systemd/system/status.service": (
        "[Unit]\nDescription=Status page\n\n[Service]\nUser=www-data\nExecStart=/usr/bin/python3 -m http.server 81 --directory /srv\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    ),
    "/etc/systemd/system/echo.socket": "[Socket]\nListenStream=40150\nAccept=yes\n\n[Install]\nWantedBy=sockets.target\n",
    "/etc/systemd/system/echo@.service": "[Service]\nExecStart=/bin/cat\nStandardInput=socket\n",
    "/etc/nginx/conf.d/shop.conf": "server {\n    listen 45000;\n    root /srv;\n}\n",
}
UNITS = ("orders.service", "status.service", "echo.socket", "nginx.service")
PORTS = (40100, 81, 40150, 45000)


class Judge:
    """Counts what held and what did not, and says so as it goes."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self._start = time.monotonic()

    def chapter(self, title: str) -> None:
        print(f"\n[{time.monotonic() - self._start:5.1f} s] {title}", flush=True)

    def holds(self, sentence: str, expected: object, actual: object, context: str = "") -> None:
        """One sentence that must be true: what was expected is what was seen."""
        if expected == actual:
            self.passed += 1
            print(f"    ok    {sentence}: {_short(actual)}", flush=True)
            return
        self.failed += 1
        print(f"    WRONG {sentence}: expected {_short(expected)}, saw {_short(actual)}", flush=True)
        for line in context.splitlines()[-40:]:
            print(f"          | {line}", flush=True)


def tell(host: Machine, judge: Judge, work: Path, *, smoke: bool) -> None:
    """The whole story; with `smoke`, its first half."""
    host.write({**HOST, "/usr/local/bin/hold": Path(__file__).with_name("hold.py").read_text()})
    host.chroot("systemctl", "enable", "--quiet", *UNITS)
    outside = Outside(host, work)

    judge.chapter("the host boots, and its services are in trouble")
    host.boot()
    judge.holds("the kernel's range is the narrow one", "40000 40199", sysctl(host, RANGE))
    judge.holds("a service without the capability is down", "failed", active(host, "status.service"))
    refusal = host.run("setpriv --reuid=www-data --clear-groups python3 -c 'import socket; socket.create_server((\"\", 81))' 2>&1").stdout
    judge.holds("because its user may not bind port 81", True, "PermissionError: [Errno 13]" in refusal, refusal)
    host.run("systemctl stop orders.service echo.socket")
    with holding(host, 30000) as held:
        judge.holds("outgoing connections beyond the range fail with", "EADDRNOTAVAIL", held["error"])
        judge.holds("one of them has the port of orders.service", True, 40100 in held["ports"])
        judge.holds("ss shows it", True, "127.0.0.1:40100" in host.run("ss -Htn state established '( sport = :40100 )'").stdout)
        start = host.run("systemctl start orders.service; sleep 1; systemctl is-active orders.service; journalctl -qu orders.service")
        judge.holds("so orders.service cannot start again", "failed", active(host, "orders.service"))
        judge.holds("with EADDRINUSE", True, "[Errno 98]" in start.stdout, start.stdout)
        judge.holds("another has the port of echo.socket", True, 40150 in held["ports"])
        start = host.run("systemctl start echo.socket; journalctl -qu echo.socket")
        judge.holds("so PID 1 cannot open it", "failed", active(host, "echo.socket"), start.stdout)
        judge.holds("and says why", ["echo.socket: Failed to create listening socket ([::]:40150): Address already in use"],
                    re.findall(r"echo\.socket: Failed to create.*", start.stdout), start.stdout)  # fmt: skip
    host.run("systemctl reset-failed orders.service echo.socket; systemctl start orders.service echo.socket")

    judge.chapter("portwright finds it, and plans")
    code, checked = portwright("check", str(host.root), "--format", "json")
    findings = json.loads(checked)["hosts"][0]["findings"]
    found = {(f["rule"], f["subject"]["unit"] or f["subject"]["sysctl"]) for f in findings}
    wanted = {
        ("listener-in-ephemeral-range", "orders.service"),
        ("listener-in-ephemeral-range", "echo.socket"),
        ("low-port-without-capability", "status.service"),
        ("narrow-ephemeral-range", "net.ipv4.ip_local_port_range"),
    }
    judge.holds("check ends with findings", 1, code, checked)
    judge.holds("and with these", set(), wanted - found, checked)
    judge.holds("and of these rules no more", wanted, {(rule, who) for rule, who in found if rule in {rule for rule, _ in wanted}}, checked)
    binders = [f["subject"]["app"] for f in findings if (f["rule"], f["subject"]["unit"]) == ("listener-in-ephemeral-range", "echo.socket")]
    judge.holds("of the socket unit's port it says that PID 1 binds it", ["systemd"], binders, checked)
    code, report = portwright("fix", str(host.root), "--allow-review", "-o", str(work / PLAYBOOK))
    print("".join(f"    | {line}\n" for line in report.splitlines()[:12]), end="")
    judge.holds("fix ends with 0 where everything is planned, else 1", int("left to you" in report), code, report)
    judge.holds("the vars file is private", 0o600, (work / "web1.vars.json").stat().st_mode & 0o777)

    judge.chapter("the playbook under --check --diff")
    before = State(host)
    play = outside.play(PLAYBOOK, "--check", "--diff")
    judge.holds("it would do it", (0, True), (play.code, play.changed > 0), play.text)
    judge.holds("it shows the lines it would write", True, "+net.ipv4.ip_local_reserved_ports = 40100,40150,45000" in play.text, play.text)
    judge.holds("it writes nothing", (), before.differs(State(host)))

    judge.chapter("the playbook for real")
    play = outside.play(PLAYBOOK)
    judge.holds("it is applied", (0, True), (play.code, play.changed > 0), play.text)
    judge.holds("the range is wide", "32768 60999", sysctl(host, RANGE))
    judge.holds("the ports of three services are reserved", "40100,40150,45000", sysctl(host, RESERVED))
    judge.holds("nothing was restarted, and it says so", (True, "failed"),
                ("pending restart: status.service" in play.text, active(host, "status.service")), play.text)  # fmt: skip
    play = outside.play(PLAYBOOK)
    judge.holds("a second run changes nothing", (0, 0), (play.code, play.changed), play.text)

    judge.chapter("the host boots again")
    host.off()
    host.boot()
    judge.holds("the range is still wide", "32768 60999", sysctl(host, RANGE))
    judge.holds("the ports are still reserved", "40100,40150,45000", sysctl(host, RESERVED))
    judge.holds("every service is up", ["active"] * len(UNITS), [active(host, unit) for unit in UNITS])
    judge.holds("every port is listened on", set(PORTS), set(PORTS) & listening(host))
    owner = host.run("ps -o user= -p $(systemctl show -p MainPID --value status.service)").stdout.strip()
    judge.holds("the status page still runs as its user", "www-data", owner)
    host.run("systemctl stop orders.service echo.socket")
    with holding(host, 14200) as held:
        judge.holds("14,200 outgoing connections find a port", (14200, ""), (len(held["ports"]), held["error"]))
        judge.holds("none of them a reserved one", set(), set(PORTS) & set(held["ports"]))
        host.run("systemctl start orders.service echo.socket; sleep 1")
        judge.holds("orders.service starts meanwhile", "active", active(host, "orders.service"))
        judge.holds("and echo.socket, too", "active", active(host, "echo.socket"))
        echo = "exec 3<>/dev/tcp/127.0.0.1/40150; echo hello >&3; timeout 5 head -n 1 <&3"
        judge.holds("and echoes", "hello", host.run(f"bash -c '{echo}'").stdout.strip())
    play = outside.play(PLAYBOOK)
    judge.holds("a third run changes nothing", (0, 0), (play.code, play.changed), play.text)
    code, checked = portwright("check", str(host.root), "--format", "json")
    after = {(f["rule"], f["subject"]["unit"] or f["subject"]["sysctl"]) for f in json.loads(checked)["hosts"][0]["findings"]}
    judge.holds("a new check finds none of it", set(), after & wanted, checked)
    judge.holds("and nothing new", set(), after - found, checked)

    judge.chapter("the rollback")
    play = outside.play("web1.rollback.yml", "--check", "--diff")
    judge.holds("under --check it writes nothing", (0, "32768 60999"), (play.code, sysctl(host, RANGE)), play.text)
    play = outside.play("web1.rollback.yml")
    judge.holds("it ends well", 0, play.code, play.text)
    judge.holds("the host's files, their owners and modes, and the kernel settings are what they were", (), before.differs(State(host)))
    play = outside.play("web1.rollback.yml")
    judge.holds("a second rollback changes nothing", (0, 0), (play.code, play.changed), play.text)

    judge.chapter("a host that has drifted is left alone")
    host.run("sysctl -qw net.ipv4.ip_local_reserved_ports=8080")
    drifted = State(host)
    play = outside.play(PLAYBOOK)
    judge.holds("a setting was changed: fails", (2, True), (play.code, "drifted, scan again" in play.text), play.text)
    judge.holds("nothing was written", (), drifted.differs(State(host)))
    host.run("sysctl -qw net.ipv4.ip_local_reserved_ports=")
    if smoke:
        return

    host.run("mkdir -p /etc/systemd/system/orders.service.d; echo '# by hand' >> /etc/systemd/system/status.service")
    drifted = State(host)
    play = outside.play(PLAYBOOK)
    judge.holds("a unit was edited: fails", (2, True), (play.code, "drifted, scan again" in play.text), play.text)
    judge.holds("nothing was written", (), drifted.differs(State(host)))
    host.write({"/etc/systemd/system/status.service": HOST["/etc/systemd/system/status.service"]})
    host.run("rmdir /etc/systemd/system/orders.service.d; ln -s /dev/null /etc/sysctl.d/zz-portwright.conf")
    play = outside.play(PLAYBOOK)
    judge.holds("the owned file is masked by a link: fails", (2, True), (play.code, "drifted, scan again" in play.text), play.text)
    host.run("rm /etc/sysctl.d/zz-portwright.conf; cp /etc/machine-id /root/id; systemd-id128 new > /etc/machine-id")
    play = outside.play(PLAYBOOK)
    judge.holds("another machine answers to the name: refused", (2, True), (play.code, "not the machine" in play.text), play.text)
    host.run("cat /root/id > /etc/machine-id; rm /root/id")
    judge.holds("all is as it was", (), before.differs(State(host)))

    judge.chapter("a plan that fails half-way puts everything back")
    host.run("mkdir -p /run/sysctl.d; echo net.ipv4.ip_local_reserved_ports = 9999 > /run/sysctl.d/zzz-late.conf")
    late = State(host)
    play = outside.play(PLAYBOOK)
    judge.holds("another file wins: the host fails", 2, play.code, play.text)
    judge.holds("it says which setting", True, "ip_local_reserved_ports did not take the value" in play.text, play.text)
    judge.holds("files and settings are what they were", (), late.differs(State(host)))
    host.run("rm /run/sysctl.d/zzz-late.conf")
    host.write({"/srv/blocker": "#!/usr/bin/python3\nimport socket, time\ns = socket.create_server((\"\", 81))\ntime.sleep(600)\n"})
    host.run("systemctl restart status.service; systemd-run --quiet --unit=blocker /srv/blocker; sleep 1")
    play = outside.play(PLAYBOOK, "-e", "portwright_allow_restart=true")
    judge.holds("a unit that does not stay up after its restart fails the host", 2, play.code, play.text)
    judge.holds("files and settings are what they were", (), before.differs(State(host)))
    host.run("systemctl stop blocker.service; rm /srv/blocker")

    judge.chapter("with --allow-restart, and with files of an earlier plan to merge with")
    host.write({
        "/etc/sysctl.d/zz-portwright.conf": "# by hand, with a mode of its own\nnet.ipv4.ip_local_reserved_ports = 8080\n",
        "/etc/systemd/system/status.service.d/zz-portwright-capabilities.conf": "[Service]\nAmbientCapabilities=CAP_NET_RAW\n",
    })  # fmt: skip
    host.run("chown www-data:adm /etc/sysctl.d/zz-portwright.conf; chmod 0640 /etc/sysctl.d/zz-portwright.conf")
    host.run("systemctl daemon-reload; systemctl restart systemd-sysctl.service")
    merged = State(host)
    code, report = portwright("fix", str(host.root), "--allow-restart", "--allow-review", "-o", str(work / "again.yml"))
    play = outside.play("again.yml")
    judge.holds("it is applied", 0, play.code, play.text)
    judge.holds("what was reserved stays reserved", "8080,40100,40150,45000", sysctl(host, RESERVED))
    judge.holds("the unit was restarted and is up", "active", active(host, "status.service"))
    capabilities = host.run("systemctl show -p AmbientCapabilities --value status.service").stdout.split()
    judge.holds("and keeps its other capability", ["cap_net_bind_service", "cap_net_raw"], sorted(capabilities))
    backups = host.run("stat -c '%a %U' /var/backups/portwright/*/*").stdout.split("\n")[:-1]
    judge.holds("backups are root's own", {"600 root"}, set(backups))
    judge.holds("a second run changes nothing", (0, 0), ((play := outside.play("again.yml")).code, play.changed), play.text)
    play = outside.play("again.rollback.yml")
    judge.holds("the rollback ends well", 0, play.code, play.text)
    judge.holds("the exact bytes, owners and modes are back", (), merged.differs(State(host)))


# Two kernel settings that boot and `sysctl --system` read differently: /etc/sysctl.conf, which procps reads once more after all others;
# and a bad last value, for which systemd-sysctl has dropped the good one before it, while procps has written that by then.
DISAGREEING = {
    "/etc/sysctl.conf": "# by an older installer\nnet.ipv4.ip_local_port_range = 20000 29999\n",
    "/etc/sysctl.d/99-zz.conf": "net.ipv4.ip_local_port_range = 30000 49999\n",
    "/etc/sysctl.d/70-web.conf": "net.ipv4.tcp_fin_timeout = 30\n",
    "/etc/sysctl.d/80-web.conf": "net.ipv4.tcp_fin_timeout = 20s\n",
}
# For each: what boot leaves, what `sysctl --system` leaves, and the lines portwright should name: these two's, then those that lost.
LOADED = {
    "net.ipv4.ip_local_port_range": (
        "30000 49999", "20000 29999", ["/etc/sysctl.d/99-zz.conf:1", "/etc/sysctl.conf:2", "/etc/sysctl.d/60-tuning.conf:1"],
    ),
    "net.ipv4.tcp_fin_timeout": ("60", "30", ["kernel.conf", "/etc/sysctl.d/70-web.conf:1", "/etc/sysctl.d/80-web.conf:1"]),
}  # fmt: skip
AGREEING = {
    "/etc/sysctl.conf": "",
    "/etc/sysctl.d/70-web.conf": "",
    "/etc/sysctl.d/80-web.conf": "",
    "/etc/sysctl.d/99-zz.conf": "net.ipv4.ip_local_port_range = 30000 49999\nnet.ipv4.tcp_fin_timeout = 30\n",
}

# Two pairs that want one port: late.service starts when nginx is up and so listens; nothing orders blue and green. A third pair has
# one port on two addresses, which is no conflict.
RIVALS = {
    "late.service": ("After=nginx.service", "45000 --bind 127.0.0.1"),
    "blue.service": ("Description=Blue", "8080"),
    "green.service": ("Description=Green", "8080"),
    "one.service": ("Description=One", "9000 --bind 127.0.0.1"),
    "two.service": ("Description=Two", "9000 --bind 127.0.0.2"),
}
MOVED = {"late.service": ("After=nginx.service", "45001 --bind 127.0.0.1"), "green.service": ("Description=Green", "8081")}


def by_hand(host: Machine, judge: Judge) -> None:
    """Two situations that portwright foretells and leaves to people: loaders that disagree, and services that want one port."""
    judge.chapter("boot and `sysctl --system` disagree")
    host.off()
    host.write({**DISAGREEING, **_services(RIVALS)})
    host.chroot("systemctl", "enable", "--quiet", *RIVALS)
    before, settings = findings(host), settled(host)
    host.boot()
    _loaded(host, judge, settings, {key: (boot, reload) for key, (boot, reload, _) in LOADED.items()})
    said = {f["subject"]["sysctl"]: _lines(f) for f in before["sysctl-loaders-disagree"]}
    judge.holds("portwright had said so, with the lines that decide", {key: lines for key, (_, _, lines) in LOADED.items()}, said)

    judge.chapter("services want one port")
    foretold = {(f["subject"]["unit"], f["subject"]["port"]) for f in before["port-claimed-twice"] if f["predicts"] == "EADDRINUSE"}
    wanted = {("late.service", 45000), ("blue.service", 8080), ("green.service", 8080)}
    judge.holds("portwright foretells EADDRINUSE of", wanted, foretold)
    judge.holds("the one that starts after nginx is down, and nginx is up", ["failed", "active"],
                [active(host, unit) for unit in ("late.service", "nginx.service")])  # fmt: skip
    judge.holds("of the two that nothing orders one is up, one down", ["active", "failed"],
                sorted(active(host, unit) for unit in ("blue.service", "green.service")))  # fmt: skip
    judge.holds("of the two on different addresses both are up", ["active"] * 2,
                [active(host, unit) for unit in ("one.service", "two.service")])  # fmt: skip
    refused = {unit for unit in (*RIVALS, *UNITS) if "[Errno 98]" in host.run(f"journalctl -q -b -u {unit}").stdout}
    loser = {unit for unit in ("blue.service", "green.service") if active(host, unit) == "failed"}
    judge.holds("the journal has EADDRINUSE of those that are down", {"late.service"} | loser, refused)

    judge.chapter("what portwright leaves to people is done by hand")
    for rule, who in (("sysctl-loaders-disagree", "net.ipv4.tcp_fin_timeout"), ("port-claimed-twice", "late.service")):
        steps = [f["manual"]["step"] for f in before[rule] if who in (f["subject"]["sysctl"], f["subject"]["unit"])]
        print(f"    | {who}: {'; '.join(steps)}", flush=True)
    host.off()
    host.write({**AGREEING, **_services(MOVED)})
    after, settings = findings(host), settled(host)
    host.boot()
    _loaded(host, judge, settings, {"net.ipv4.ip_local_port_range": ("30000 49999",) * 2, "net.ipv4.tcp_fin_timeout": ("30",) * 2})
    judge.holds("every service is up", ["active"] * len(RIVALS), [active(host, unit) for unit in RIVALS])
    judge.holds("every port is listened on", set(), {45000, 45001, 8080, 8081, 9000} - listening(host))
    judge.holds("a new check finds neither", ([], []), (after["sysctl-loaders-disagree"], after["port-claimed-twice"]))


def _loaded(host: Machine, judge: Judge, settings: Mapping[str, Mapping[str, Any]], expected: Mapping[str, tuple[str, str]]) -> None:
    """What the kernel has after boot and after `sysctl --system`, and that portwright's facts are the same."""
    for loader, command in enumerate(("true", "sysctl --system")):
        host.run(command)
        for key, values in expected.items():
            seen = sysctl(host, key.replace(".", "/"))
            judge.holds(f"{('boot', '`sysctl --system`')[loader]} leaves of {key}", values[loader], seen)
            judge.holds("  and portwright's facts say", seen, settings[key][("boot", "reload")[loader]])


def _lines(finding: Mapping[str, Any]) -> list[str]:
    """Where a finding points at; of the kernel's defaults, which are no file of the host, the name alone."""
    places = (finding["at"], *(note["at"] for note in finding["notes"]))
    return [f"{at['path']}:{at['line']}" if at["path"].startswith("/") else at["path"] for at in places]


def _services(lines: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Units that serve /srv over HTTP, each with a line of its [Unit] section and the arguments that say where."""
    return {
        f"/etc/systemd/system/{unit}": (
            f"[Unit]\n{line}\n\n[Service]\nExecStart=/usr/bin/python3 -m http.server --directory /srv {where}\n\n"
            "[Install]\nWantedBy=multi-user.target\n"
        )
        for unit, (line, where) in lines.items()
    }


# ── what the host says ──────────────────────────────────────────────────────────────────────────────────────────────


def sysctl(host: Machine, path: str) -> str:
    return " ".join(host.run(f"cat /proc/sys/{path}").stdout.split())


def active(host: Machine, unit: str) -> str:
    return host.run(f"systemctl is-active {unit}").stdout.strip()


def listening(host: Machine) -> set[int]:
    return {int(line.split()[3].rpartition(":")[2]) for line in host.run("ss -Hltn").stdout.splitlines()}


@contextmanager
def holding(host: Machine, most: int) -> Iterator[Mapping[str, list[int]]]:
    """Outgoing connections of the host, held while the block runs."""
    holder = host.start(["setsid", "--wait", "/usr/local/bin/hold", str(most)])
    assert holder.stdout is not None
    try:
        yield json.loads(holder.stdout.readline())
    finally:
        holder.communicate(timeout=60)  # it ends itself and its child by a signal


class State:
    """What a plan may change: every file of /etc with its content, owner and mode, and the kernel's settings for ports."""

    def __init__(self, host: Machine) -> None:
        etc = host.root / "etc"
        self._seen = {str(path.relative_to(host.root)): _file(path) for path in (etc, *etc.rglob("*"))}
        for key in (RANGE, RESERVED, "net/ipv4/ip_unprivileged_port_start"):
            self._seen[key] = sysctl(host, key)

    def differs(self, other: "State") -> tuple[str, ...]:
        both = self._seen.keys() | other._seen.keys()
        return tuple(sorted(path for path in both if self._seen.get(path) != other._seen.get(path)))


def _file(path: Path) -> str:
    status = path.lstat()
    content = os.readlink(path) if path.is_symlink() else sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {content}"


# ── those who act on it ─────────────────────────────────────────────────────────────────────────────────────────────


def findings(host: Machine) -> dict[str, list[Mapping[str, Any]]]:
    """What portwright finds on the host, by rule."""
    found = defaultdict(list)
    for finding in json.loads(portwright("check", str(host.root), "--format", "json")[1])["hosts"][0]["findings"]:
        found[finding["rule"]].append(finding)
    return found


def settled(host: Machine) -> dict[str, Mapping[str, Any]]:
    """What portwright says of each kernel setting."""
    told = json.loads(portwright("facts", str(host.root), "--format", "json")[1])
    return {row["key"]: row for row in told["hosts"][0]["sysctls"]}


def portwright(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run([sys.executable, "-m", "portwright", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    return ran.returncode, ran.stdout


class Play:
    """One run of a playbook: its exit code, what it printed, and how many tasks its recap says changed something or failed on each host."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        recap = re.findall(r"^(\S+) +:.*\bchanged=(\d+).*\bfailed=(\d+)", text.partition("PLAY RECAP")[2], re.M)
        self.changed_on = {host: int(changed) for host, changed, _ in recap}
        self.failed_on = {host for host, _, failed in recap if failed != "0"}

    @property
    def changed(self) -> int:
        """How many on the only host."""
        return self.changed_on.get("web1", -1)


class Outside:
    """Someone who runs playbooks against the host from elsewhere: over ssh, with a key and an inventory of their own."""

    def __init__(self, host: Machine, work: Path, *others: Machine) -> None:
        self._work = work
        self._limit = () if others else ("-l", "web1")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(work / "key")], check=True)
        options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o ControlMaster=auto -o ControlPersist=20s"
        hosts = {}
        for each in (host, *others):
            each.write({"/root/.ssh/authorized_keys": (work / "key.pub").read_text()})
            hosts[each.name] = {
                "ansible_host": each.address,
                "ansible_user": "root",
                "ansible_ssh_private_key_file": str(work / "key"),
                "ansible_ssh_common_args": f"{options} -o ControlPath={work}/ssh{'-%h' if others else ''}",
                "ansible_python_interpreter": "/usr/bin/python3",
            }
        self.inventory = work / "inventory.json"
        self.inventory.write_text(json.dumps({"all": {"hosts": hosts}}))

    def play(self, name: str, *arguments: str) -> Play:
        command, environment = self._command(name, *arguments)
        ran = subprocess.run(
            command, env=environment, text=True, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        return Play(ran.returncode, ran.stdout)

    def killed_before(self, task: str, name: str, *arguments: str) -> bool:
        """Run a playbook and kill it, with all that it started, as it says that a task begins; whether it said so."""
        command, environment = self._command(name, *arguments)
        ran = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        assert ran.stdout is not None
        begins = (f"TASK [{task}]", f"RUNNING HANDLER [{task}]")
        seen = any(line.startswith(begins) for line in ran.stdout)
        os.killpg(ran.pid, signal.SIGKILL)
        ran.wait()
        return seen

    def forget(self) -> None:
        """End the connection that is kept open, so that the next play makes one of its own."""
        subprocess.run(["ssh", "-o", f"ControlPath={self._work}/ssh", "-O", "exit", "web1"], stderr=subprocess.DEVNULL, check=False)

    def _command(self, name: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        program = os.environ.get("ANSIBLE_PLAYBOOK") or shutil.which("ansible-playbook", path=beside) or "ansible-playbook"
        settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOCAL_TEMP": str(self._work / "tmp"), "LC_ALL": "C.UTF-8"}
        command = [program, "-i", str(self.inventory), *self._limit, str(self._work / name), *arguments]
        return command, {**os.environ, **settings}


def _short(value: object) -> str:
    text = str(value) if not isinstance(value, set | frozenset) else "{" + ", ".join(sorted(map(str, _each(value)))) + "}"
    return text if len(text) <= 300 else f"{text[:300]}…"


def _each(value: Iterable[object]) -> Iterable[object]:
    return value


def main(arguments: list[str]) -> int:
    """Run the story; returns 0 where everything held."""
    if os.geteuid() != 0:
        print("the lab boots a host, which only root may", file=sys.stderr)
        return 2
    if arguments not in ([], ["--smoke"]):
        print("usage: tests/lab/run [--smoke]", file=sys.stderr)
        return 2
    # Whoever stops the lab stops its host, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    judge = Judge()
    judge.chapter("a Debian host is made")
    with machine("web1") as host:
        work = host.root.parent / "outside"
        work.mkdir(mode=0o700)
        tell(host, judge, work, smoke=bool(arguments))
        if not arguments:
            by_hand(host, judge)
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
