"""What an operator relies on, seen on a booted host: runs that are cut short converge, drift of whatever a plan rests on ends it as a
failure, what cannot be done is said before anything is tried, and a rollback restores the exact bytes.

Nothing here asks portwright whether it was right, as in the lab's story.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.lab.machine import SUITE, Machine, machine
from tests.lab.story import RESERVED, Judge, Outside, Play, State, active, listening, portwright, sysctl

# Debian 13 reads no /etc/sysctl.conf.
LINE = "/etc/sysctl.conf" if SUITE == "bookworm" else "/etc/sysctl.d/zzz-local.conf"
HOST = {
    # The kernel refuses this range, which no plan here is about.
    "/etc/sysctl.d/10-range.conf": "net.ipv4.ip_local_port_range = 50000 40000\n",
    LINE: "# by an older installer\r\nnet.ipv4.ip_local_reserved_ports = 8080\nvm.swappiness = 10",
    "/etc/systemd/system/status.service": (
        "[Unit]\nDescription=Status page\n\n[Service]\nUser=www-data\nExecStart=/usr/bin/python3 -m http.server 81 --directory /srv\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    ),
    "/etc/nginx/conf.d/shop.conf": "server {\n    listen 45000;\n    root /srv;\n}\n",
}
UNITS = ("status.service", "nginx.service")
RULES = "listener-in-ephemeral-range,low-port-without-capability"
WANTED = "8080,45000"
OWN = "/etc/systemd/system/status.service.d/zz-portwright-capabilities.conf"
ALLOWED = ("-e", "portwright_allow_restart=true")


def tell(host: Machine, judge: Judge, work: Path, wanted: Sequence[str]) -> None:
    """The wanted chapters, or all, on one host that is as it was after each but the last."""
    host.write(HOST)
    host.chroot("systemctl", "enable", "--quiet", *UNITS)
    outside = Outside(host, work)
    host.boot()
    before = State(host)
    plan(host, judge, work)
    chapters: dict[str, Callable[[], None]] = {
        "lines": lambda: lines_of_others(host, judge, outside, before),
        "cut": lambda: cut(host, judge, outside, before),
        "drift": lambda: drift(host, judge, outside, work),
        "units": lambda: units(host, judge, outside, work),
        "privileged": lambda: privileged(host, judge, outside, work),
        "refusals": lambda: refusals(host, judge, outside, work),
    }
    for name, chapter in chapters.items():
        if not wanted or name in wanted:
            chapter()


def main(arguments: list[str]) -> int:
    """Tell it; returns 0 where everything held."""
    if os.geteuid() != 0 or not {*arguments} <= {"lines", "cut", "drift", "units", "privileged", "refusals"}:
        print("usage: tests/lab/run trust [lines] [cut] [drift] [units] [privileged] [refusals], as root", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    judge = Judge()
    judge.chapter("a Debian host is made")
    with machine("web1") as host:
        work = host.root.parent / "outside"
        work.mkdir(mode=0o700)
        tell(host, judge, work, arguments)
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


def plan(host: Machine, judge: Judge, work: Path) -> None:
    judge.chapter("a plan")
    code, report = portwright("fix", str(host.root), "--select", RULES, "-o", str(work / "web1.yml"))
    judge.holds("everything is planned", 0, code, report)
    print("".join(f"    | {line}\n" for line in report.splitlines()), end="")


def lines_of_others(host: Machine, judge: Judge, outside: Outside, before: State) -> None:
    judge.chapter("a line of another file that is read last gets the union, and a bad line elsewhere stops nothing")
    conf = host.place(LINE)
    judge.holds("systemd-sysctl refuses the range that is no part of the plan", True,
                host.run("/usr/lib/systemd/systemd-sysctl --prefix=net/ipv4/ip_local_port_range").returncode != 0)  # fmt: skip
    play = outside.play("web1.yml", "--check", "--diff")
    judge.holds("check mode ends well and writes nothing", (0, ()), (play.code, before.differs(State(host))), play.text)
    play = outside.play("web1.yml")
    judge.holds("it is applied", 0, play.code, play.text)
    judge.holds("the line has the union, every other byte is as it was", HOST[LINE].replace("8080", WANTED),
                conf.read_bytes().decode())  # fmt: skip
    for loader in ("/usr/lib/systemd/systemd-sysctl", "sysctl --system"):
        host.run(loader)
        judge.holds(f"{loader} leaves both ports", WANTED, sysctl(host, RESERVED))
    play = outside.play("web1.yml")
    judge.holds("a second run says that a restart is pending, and changes nothing", (0, 0, True), _pending(play), play.text)
    play = outside.play("web1.yml", *ALLOWED)
    judge.holds("a run that may restart starts what is pending", (0, "active"), (play.code, active(host, "status.service")), play.text)
    judge.holds("and the port is listened on", {81}, {81} & listening(host))
    play = outside.play("web1.yml", *ALLOWED)
    judge.holds("another one restarts nothing", (0, 0), (play.code, play.changed), play.text)
    host.off()
    host.boot()
    judge.holds("after a boot both ports are reserved", WANTED, sysctl(host, RESERVED))
    judge.holds("and the service is up", "active", active(host, "status.service"))
    play = outside.play("web1.yml")
    judge.holds("a run after the boot has nothing to do", (0, 0, False), _pending(play), play.text)
    play = outside.play("web1.rollback.yml", *ALLOWED)
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)
    host.run("systemctl reset-failed status.service; systemctl restart status.service; sleep 1")


def _pending(play: Play) -> tuple[int, int, bool]:
    return play.code, play.changed, "pending restart: status.service" in play.text


def cut(host: Machine, judge: Judge, outside: Outside, before: State) -> None:
    judge.chapter("a run that is killed before any of its tasks is put right by the next")
    play = outside.play("web1.yml", *ALLOWED)
    judge.holds("a whole run", 0, play.code, play.text)
    outside.play("web1.rollback.yml", *ALLOWED)
    for name in _after_changes(play.text):
        killed = outside.killed_before(name, "web1.yml", *ALLOWED)
        play = outside.play("web1.yml")
        rest = host.run("systemctl show -P NeedDaemonReload status.service; systemctl show -P DropInPaths status.service").stdout.split()
        judge.holds(f"before {name!r}: killed, and the next run ends well", (True, 0), (killed, play.code), play.text)
        judge.holds("  the kernel has the ports, systemd has the drop-in", (WANTED, ["no", OWN]), (sysctl(host, RESERVED), rest))
        started = active(host, "status.service")
        judge.holds("  it says that the restart is pending where it is", started != "active", _pending(play)[2], play.text)
        play = outside.play("web1.yml", *ALLOWED)
        judge.holds("  a run that may restart does the rest", (0, "active"), (play.code, active(host, "status.service")), play.text)
        play = outside.play("web1.rollback.yml", *ALLOWED)
        judge.holds("  the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)


def _after_changes(text: str) -> list[str]:
    """The tasks of a play before which another one had changed something."""
    found, changed = [], False
    for line in text.splitlines():
        if line.startswith(("TASK [", "RUNNING HANDLER [")) and changed:
            found.append(line.partition("[")[2].rpartition("]")[0])
            changed = False
        changed = changed or line.startswith("changed: ")
    return found


def drift(host: Machine, judge: Judge, outside: Outside, work: Path) -> None:
    judge.chapter("drift of whatever the plan rests on fails the host, and nothing is written")
    said = json.loads((work / "web1.vars.json").read_text(), object_hook=_bare)
    rested = [each["path"] for each in (*said["portwright_read"], *said["portwright_files"])]
    judge.holds("the plan rests on the configs, the units and the settings", set(), {*HOST} - {"/etc/sysctl.d/10-range.conf"} - {*rested})
    for path in rested:
        with _changed(host, path, lambda text: f"{text}\n# by hand\n"):
            _drifted(host, judge, outside, f"{path} was edited", f"drifted, scan again: {path} is not what was analysed")
    with _changed(host, "/etc/nginx/conf.d/shop.conf", lambda text: text.replace("45000", "45001")):
        _drifted(host, judge, outside, "nginx listens on another port now", "drifted, scan again: /etc/nginx/conf.d/shop.conf is not")
    late = "/etc/systemd/system/status.service.d/override.conf"
    with _changed(host, late, lambda text: "[Service]\nExecStart=\nExecStart=/usr/bin/python3 -m http.server 8181\n"):
        _drifted(host, judge, outside, "the unit was edited with systemctl edit", "holds override.conf, analysed: nothing")
    with _changed(host, "/etc/sysctl.d/20-new.conf", lambda text: "net.ipv4.ip_local_reserved_ports = 9000\n"):
        _drifted(host, judge, outside, "a new file sets the ports", "20-new.conf")
    host.run("sysctl -qw net.ipv4.ip_local_reserved_ports=9000")
    _drifted(host, judge, outside, "a setting was changed", "drifted, scan again: net.ipv4.ip_local_reserved_ports is 9000, analysed: 8080")
    host.run("sysctl -qw net.ipv4.ip_local_reserved_ports=8080")
    play = outside.play("web1.yml", "--check")
    judge.holds("all is as it was: a run would do it", (0, True), (play.code, play.changed > 0), play.text)


class _changed:
    """A file of the host with another text while the block runs, made where it is not there."""

    def __init__(self, host: Machine, path: str, edit: Callable[[str], str]) -> None:
        self._place = host.place(path)
        self._edit = edit

    def __enter__(self) -> None:
        self._old = self._place.read_bytes() if self._place.exists() else None
        self._folder = self._place.parent.exists()
        self._place.parent.mkdir(exist_ok=True)
        text = self._edit("" if self._old is None else self._old.decode())
        self._place.write_bytes(text.encode())

    def __exit__(self, *_: object) -> None:
        if self._old is None:
            self._place.unlink()
        else:
            self._place.write_bytes(self._old)
        if not self._folder:
            self._place.parent.rmdir()


def _drifted(host: Machine, judge: Judge, outside: Outside, what: str, message: str) -> None:
    drifted = State(host)
    play = outside.play("web1.yml")
    judge.holds(f"{what}: fails and says so", (2, True), (play.code, message in play.text), play.text)
    judge.holds("  nothing was written", (), drifted.differs(State(host)))


TUNNEL = {
    "/etc/systemd/system/tunnel.service": (
        "[Unit]\nDescription=Tunnel\n\n[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:7000,fork,reuseaddr=0 TCP:127.0.0.1:22\n"
        "Restart=always\n\n[Install]\nWantedBy=multi-user.target\n"
    ),
    "/etc/systemd/system/bounded.service": (
        "[Unit]\nDescription=Bounded\n\n[Service]\nCapabilityBoundingSet=CAP_CHOWN\n"
        "ExecStart=/usr/bin/python3 -m http.server 82 --directory /srv\n\n[Install]\nWantedBy=multi-user.target\n"
    ),
}
# Somebody else has the port for some seconds, as connections of the old process have it in TIME_WAIT.
TAKEN = (
    "systemctl stop tunnel.service; systemd-run --quiet --unit=taker /usr/bin/socat TCP-LISTEN:7000 -; sleep 1; "
    "systemctl start tunnel.service; sleep 8; systemctl stop taker.service; sleep 8"
)


def units(host: Machine, judge: Judge, outside: Outside, work: Path) -> None:
    judge.chapter("a unit that gives up too soon, and root that may not bind its port")
    host.write(TUNNEL)
    host.run("systemctl daemon-reload; systemctl enable --now tunnel.service bounded.service; sleep 1")
    host.run(TAKEN)
    judge.holds("systemd gave up before the port was free", ["failed", "failed"],
                [active(host, unit) for unit in ("tunnel.service", "bounded.service")])  # fmt: skip
    host.run("systemctl reset-failed tunnel.service; systemctl start tunnel.service; sleep 1")
    before, main = State(host), host.run("systemctl show -P MainPID tunnel.service").stdout
    wanted = "restarts-end-before-time-wait,low-port-without-capability"
    code, report = portwright("fix", str(host.root), "--select", wanted, "--allow-review", "-o", str(work / "units.yml"))
    judge.holds("everything is planned", 0, code, report)
    play = outside.play("units.yml", "--check", "--diff")
    judge.holds("check mode ends well and writes nothing", (0, ()), (play.code, before.differs(State(host))), play.text)
    play = outside.play("units.yml")
    judge.holds("it is applied", 0, play.code, play.text)
    now = host.run("systemctl show -P MainPID tunnel.service").stdout
    judge.holds("of the tunnel no restart is pending, and none was done", (False, main), ("pending restart: tunnel" in play.text, now))
    judge.holds("systemd has the settings", {"StartLimitIntervalUSec=0", "RestartUSec=5s"},
                {*host.run("systemctl show -p StartLimitIntervalUSec -p RestartUSec tunnel.service").stdout.split()})  # fmt: skip
    judge.holds("of the bounded one it is pending", True, "pending restart: bounded.service" in play.text, play.text)
    play = outside.play("units.yml", *ALLOWED)
    judge.holds("a run that may restart starts it", (0, {82}), (play.code, {82} & listening(host)), play.text)
    host.run(TAKEN)
    judge.holds("the tunnel comes back once the port is free", "active", active(host, "tunnel.service"))
    host.run("systemctl stop bounded.service")
    play = outside.play("units.rollback.yml", *ALLOWED)
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)
    judge.holds("and starts nothing that was stopped", "inactive", active(host, "bounded.service"), play.text)
    host.run("systemctl disable --now tunnel.service bounded.service")


def privileged(host: Machine, judge: Judge, outside: Outside, work: Path) -> None:
    judge.chapter("low ports that every user may bind, and services that rely on it")
    host.write({
        "/etc/sysctl.d/50-low.conf": "net.ipv4.ip_unprivileged_port_start = 80\n",
        "/etc/systemd/system/free.service": (
            "[Service]\nUser=www-data\nExecStart=/usr/bin/python3 -m http.server 83 --directory /srv\n\n"
            "[Install]\nWantedBy=multi-user.target\n"
        ),
    })  # fmt: skip
    host.run("systemctl daemon-reload; systemctl restart systemd-sysctl.service; systemctl enable --now free.service")
    host.run("systemctl restart status.service; sleep 1")
    anyone = "setpriv --reuid=nobody --clear-groups python3 -c 'import socket; socket.create_server((\"\", 84))' 2>&1; echo $?"
    judge.holds("anyone may bind port 84", "0", host.run(anyone).stdout.split()[-1])
    before = State(host)
    wanted = ("--select", "privilege", "--ignore", "root-for-one-low-port", "--allow-review")
    _, report = portwright("fix", str(host.root), *wanted, "-o", str(work / "low.yml"))
    steps = ("ip_unprivileged_port_start = 1024", "give status.service", "give free.service")
    judge.holds("it is planned, with the capability for each that relies on it", [True] * 3, [step in report for step in steps], report)
    play = outside.play("low.yml", *ALLOWED)
    judge.holds("it is applied", (0, "1024"), (play.code, sysctl(host, "net/ipv4/ip_unprivileged_port_start")), play.text)
    judge.holds("both are up, with their ports", (["active"] * 2, {81, 83}),
                ([active(host, unit) for unit in ("status.service", "free.service")], {81, 83} & listening(host)))  # fmt: skip
    judge.holds("and nobody else may", "1", host.run(anyone).stdout.split()[-1])
    play = outside.play("low.yml", *ALLOWED)
    judge.holds("a second run changes nothing", (0, 0), (play.code, play.changed), play.text)
    play = outside.play("low.rollback.yml", *ALLOWED)
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)
    host.run("systemctl disable --now free.service; rm /etc/sysctl.d/50-low.conf; sysctl -qw net.ipv4.ip_unprivileged_port_start=1024")


def refusals(host: Machine, judge: Judge, outside: Outside, work: Path) -> None:
    judge.chapter("what this host cannot do is said before anything is tried, by check mode too")
    host.write({"/etc/systemd/system/ssh.service.d/less.conf": "[Service]\nCapabilityBoundingSet=~CAP_SYS_ADMIN\n"})
    host.run("systemctl daemon-reload; systemctl restart ssh.service; sleep 1")
    outside.forget()
    without = State(host)
    for arguments in (("--check",), ()):
        play = outside.play("web1.yml", *arguments)
        judge.holds(f"without CAP_SYS_ADMIN {' '.join(arguments)}", (2, True),
                    (play.code, "nothing was tried: no network namespace may be made" in play.text), play.text)  # fmt: skip
        judge.holds("  nothing was written", (), without.differs(State(host)))
    host.run("rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload; systemctl restart ssh.service; sleep 1")
    outside.forget()

    judge.chapter("a host without /etc/sysctl.d")
    host.run("rm -r /etc/sysctl.d; rm -f /etc/sysctl.conf; sysctl -qw net.ipv4.ip_local_reserved_ports=")
    bare = State(host)
    code, report = portwright("fix", str(host.root), "--select", RULES, "-o", str(work / "bare.yml"))
    judge.holds("everything is planned", 0, code, report)
    play = outside.play("bare.yml", "--check", "--diff")
    judge.holds("check mode ends well and writes nothing", (0, ()), (play.code, bare.differs(State(host))), play.text)
    play = outside.play("bare.yml")
    judge.holds("it is applied", (0, "45000"), (play.code, sysctl(host, RESERVED)), play.text)
    play = outside.play("bare.yml")
    judge.holds("a second run changes nothing", (0, 0), (play.code, play.changed), play.text)
    play = outside.play("bare.rollback.yml")
    judge.holds("the rollback takes the folder back, too", (0, ()), (play.code, bare.differs(State(host))), play.text)


def _bare(wrapped: Mapping[str, object]) -> object:
    return wrapped["__ansible_unsafe"] if wrapped.keys() == {"__ansible_unsafe"} else wrapped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
