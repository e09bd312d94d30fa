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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

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
    host.run("systemctl stop orders.service")
    with holding(host, 30000) as held:
        judge.holds("outgoing connections beyond the range fail with", "EADDRNOTAVAIL", held["error"])
        judge.holds("one of them has the port of orders.service", True, 40100 in held["ports"])
        judge.holds("ss shows it", True, "127.0.0.1:40100" in host.run("ss -Htn state established '( sport = :40100 )'").stdout)
        start = host.run("systemctl start orders.service; sleep 1; systemctl is-active orders.service; journalctl -qu orders.service")
        judge.holds("so orders.service cannot start again", "failed", active(host, "orders.service"))
        judge.holds("with EADDRINUSE", True, "[Errno 98]" in start.stdout, start.stdout)
    host.run("systemctl reset-failed orders.service; systemctl start orders.service")

    judge.chapter("portwright finds it, and plans")
    code, checked = portwright("check", str(host.root), "--format", "json")
    found = {(f["rule"], f["subject"]["unit"] or f["subject"]["sysctl"]) for f in json.loads(checked)["hosts"][0]["findings"]}
    wanted = {
        ("listener-in-ephemeral-range", "orders.service"),
        ("listener-in-ephemeral-range", "echo.socket"),
        ("low-port-without-capability", "status.service"),
        ("narrow-ephemeral-range", "net.ipv4.ip_local_port_range"),
    }
    judge.holds("check ends with findings", 1, code, checked)
    judge.holds("and with these", set(), wanted - found, checked)
    judge.holds("and of these rules no more", wanted, {(rule, who) for rule, who in found if rule in {rule for rule, _ in wanted}}, checked)
    code, report = portwright("fix", str(host.root), "-o", str(work / PLAYBOOK))
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
    host.run("systemctl stop orders.service")
    with holding(host, 14200) as held:
        judge.holds("14,200 outgoing connections find a port", (14200, ""), (len(held["ports"]), held["error"]))
        judge.holds("none of them a reserved one", set(), set(PORTS) & set(held["ports"]))
        host.run("systemctl start orders.service; sleep 1")
        judge.holds("orders.service starts meanwhile", "active", active(host, "orders.service"))
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
    judge.holds("a setting was changed: skipped", (0, True), (play.code, "drifted, scan again" in play.text), play.text)
    judge.holds("nothing was written", (), drifted.differs(State(host)))
    host.run("sysctl -qw net.ipv4.ip_local_reserved_ports=")
    if smoke:
        return

    host.run("mkdir -p /etc/systemd/system/orders.service.d; echo '# by hand' >> /etc/systemd/system/status.service")
    drifted = State(host)
    play = outside.play(PLAYBOOK)
    judge.holds("a unit was edited: skipped", (0, True), (play.code, "drifted, scan again" in play.text), play.text)
    judge.holds("nothing was written", (), drifted.differs(State(host)))
    host.write({"/etc/systemd/system/status.service": HOST["/etc/systemd/system/status.service"]})
    host.run("rmdir /etc/systemd/system/orders.service.d; ln -s /dev/null /etc/sysctl.d/zz-portwright.conf")
    play = outside.play(PLAYBOOK)
    judge.holds("the owned file is masked by a link: skipped", (0, True), (play.code, "drifted, scan again" in play.text), play.text)
    host.run("rm /etc/sysctl.d/zz-portwright.conf; cp /etc/machine-id /root/id; systemd-id128 new > /etc/machine-id")
    play = outside.play(PLAYBOOK)
    judge.holds("another machine answers to the name: refused", (2, True), (play.code, "not the machine" in play.text), play.text)
    host.run("cat /root/id > /etc/machine-id; rm /root/id")
    judge.holds("all is as it was", (), before.differs(State(host)))

    judge.chapter("a plan that fails half-way puts everything back")
    host.write({"/etc/sysctl.d/zzz-late.conf": "net.ipv4.ip_local_reserved_ports = 9999\n"})
    late = State(host)
    play = outside.play(PLAYBOOK)
    judge.holds("another file wins: the host fails", 2, play.code, play.text)
    judge.holds("it says which setting", True, "ip_local_reserved_ports did not take the value" in play.text, play.text)
    judge.holds("files and settings are what they were", (), late.differs(State(host)))
    (host.root / "etc/sysctl.d/zzz-late.conf").unlink()
    host.write({"/srv/blocker": "#!/usr/bin/python3\nimport socket, time\ns = socket.create_server((\"\", 81))\ntime.sleep(600)\n"})
    host.run("systemctl stop status.service; systemd-run --quiet --unit=blocker /srv/blocker; sleep 1")
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
    code, report = portwright("fix", str(host.root), "--allow-restart", "-o", str(work / "again.yml"))
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


def portwright(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run([sys.executable, "-m", "portwright", *arguments], stdout=subprocess.PIPE, text=True, check=False)
    return ran.returncode, ran.stdout


class Play:
    """One run of a playbook: its exit code, what it printed, and how many tasks its recap says changed something."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        recap = re.search(r"^web1 +:.*\bchanged=(\d+)", text.partition("PLAY RECAP")[2], re.M)
        self.changed = int(recap[1]) if recap else -1


class Outside:
    """Someone who runs playbooks against the host from elsewhere: over ssh, with a key and an inventory of their own."""

    def __init__(self, host: Machine, work: Path) -> None:
        self._work = work
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(work / "key")], check=True)
        host.write({"/root/.ssh/authorized_keys": (work / "key.pub").read_text()})
        options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o ControlMaster=auto -o ControlPersist=20s"
        inventory = {"all": {"hosts": {"web1": {
            "ansible_host": host.address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(work / "key"),
            "ansible_ssh_common_args": f"{options} -o ControlPath={work}/ssh",
            "ansible_python_interpreter": "/usr/bin/python3",
        }}}}  # fmt: skip
        (work / "inventory.json").write_text(json.dumps(inventory))

    def play(self, name: str, *arguments: str) -> Play:
        beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        program = os.environ.get("ANSIBLE_PLAYBOOK") or shutil.which("ansible-playbook", path=beside) or "ansible-playbook"
        settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOCAL_TEMP": str(self._work / "tmp"), "LC_ALL": "C.UTF-8"}
        ran = subprocess.run(
            [program, "-i", str(self._work / "inventory.json"), "-l", "web1", str(self._work / name), *arguments],
            env={**os.environ, **settings}, text=True, check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return Play(ran.returncode, ran.stdout)


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
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
