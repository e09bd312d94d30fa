"""Edits of a daemon's config, seen on a booted host: nginx keeps the connections to a server that stands elsewhere, which counts them.

Before, check mode, applied, again, killed before each task, a candidate that nginx refuses, drift, a boot, and taken back to the byte.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.lab.machine import Machine, machine
from tests.lab.story import Judge, Outside, State, active, listening, portwright

CONF = "/etc/nginx/sites-available/shop"
_REQUESTS = 30
_FEW = 2 * (os.cpu_count() or 1)  # each worker keeps its own
_TEXT = """\
# the shop\r
upstream shop {\r
\tserver SERVER;  # elsewhere\r
}\r
server {\r
\tlisten 8085;\r
\tproxy_set_header Host $host;\r
\tlocation / {\r
\t\tproxy_pass http://shop;\r
\t}\r
}"""


class Server(threading.Thread):
    """An HTTP server that keeps connections as long as its client does, and counts those that it is asked for."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server((address, 0))
        self.port = self.socket.getsockname()[1]
        self.opened = 0

    def run(self) -> None:
        """Accept, until the end."""
        while True:
            client, _ = self.socket.accept()
            self.opened += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        held = b""
        with client:
            while part := client.recv(4096):
                held += part
                while b"\r\n\r\n" in held:
                    head, held = held.split(b"\r\n\r\n", 1)
                    closes = b"connection: close" in head.lower() or b" HTTP/1.0" in head
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    if closes:
                        return


def connections(host: Machine, server: Server) -> int:
    """How many connections nginx opens to the server for so many requests, one after the other."""
    before = server.opened
    script = (
        "import urllib.request as u\n"
        f"for _ in range({_REQUESTS}): assert u.urlopen('http://127.0.0.1:8085/', timeout=5).read() == b'ok'\n"
    )
    ran = host.run(f"python3 - <<'EOF'\n{script}EOF\n")
    assert ran.returncode == 0, ran.stdout
    return server.opened - before


def tell(host: Machine, judge: Judge, work: Path) -> None:
    """The whole story."""
    outside = Outside(host, work)
    host.write(_TWO)
    host.chroot("systemctl", "enable", "--quiet", "nginx.service", "page.service", "relay.service", "door.socket")
    host.boot()
    moved(host, judge, work, outside)
    address = host.address.rpartition(".")[0] + ".1"
    server = Server(address)
    server.start()
    host.place(CONF).write_bytes(_TEXT.replace("SERVER", f"{address}:{server.port}").encode())
    host.run("ln -s ../sites-available/shop /etc/nginx/sites-enabled/shop; systemctl restart nginx; sleep 1")
    before = State(host)
    judge.chapter("before")
    judge.holds("each request opens a connection", _REQUESTS, connections(host, server))
    arguments = ("fix", str(host.root), "--select", "pooling", "--allow-review", "-o", str(work / "web1.yml"))
    code, report = portwright(*arguments)
    judge.holds("a fix is planned", 0, code, report)
    print("".join(f"    | {line}\n" for line in report.splitlines()), end="")
    judge.chapter("check mode")
    play = outside.play("web1.yml", "--check", "--diff")
    judge.holds("it ends well and writes nothing", (0, ()), (play.code, before.differs(State(host))), play.text)
    judge.chapter("applied")
    play = outside.play("web1.yml")
    judge.holds("it ends well", 0, play.code, play.text)
    now = host.place(CONF).read_bytes()
    judge.holds("every other byte is as it was", (True, True), (_TEXT_LINES <= set(now.split(b"\r\n")), now.endswith(b"}")))
    judge.holds("few connections are opened, one a worker", True, connections(host, server) <= _FEW)
    judge.holds("nginx was not restarted", "active", active(host, "nginx.service"))
    play = outside.play("web1.yml")
    judge.holds("again: nothing is left to do", (0, 0), (play.code, play.changed), play.text)
    host.off()
    host.boot()
    judge.holds("after a boot connections are kept", True, connections(host, server) <= _FEW)
    play = outside.play("web1.yml")
    judge.holds("after a boot nothing is left to do", (0, 0), (play.code, play.changed), play.text)
    code, report = portwright("check", str(host.root), "--select", "pooling")
    judge.holds("the finding is gone", 0, code, report)
    play = outside.play("web1.rollback.yml")
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)
    judge.holds("and nginx has read them", _REQUESTS, connections(host, server))
    cut(host, judge, outside, before, lambda: connections(host, server))
    refused(host, judge, outside, before)
    play = outside.play("web1.yml")
    host.run(f"echo '# by hand' >> {CONF}")
    after = State(host)
    play = outside.play("web1.yml")
    told = play.code != 0 and "drifted" in play.text
    judge.holds("a config that somebody edited is drift", (True, ()), (told, after.differs(State(host))), play.text)


def moved(host: Machine, judge: Judge, work: Path, outside: Outside) -> None:
    """A relay, a socket and a page want one port: the first by its order stays."""
    judge.chapter("three want one port")
    before = State(host)
    judge.holds("the page has it", ("active", {8090}), (active(host, "page.service"), {8090, 8091, 8092} & listening(host)))
    code, report = portwright("fix", str(host.root), "--select", _PORTS, "--allow-review", "-o", str(work / "m.yml"))
    judge.holds("a fix is planned", 0, code, report)
    print("".join(f"    | {line}\n" for line in report.splitlines()), end="")
    play = outside.play("m.yml", "--check", "--diff")
    judge.holds("check mode ends well and writes nothing", (0, ()), (play.code, before.differs(State(host))), play.text)
    play = outside.play("m.yml", *_ALLOWED)
    judge.holds("it is applied", 0, play.code, play.text)
    judge.holds("all three listen", {8090, 8091, 8092}, {8090, 8091, 8092} & listening(host))
    judge.holds("each is up", ["active"] * 3, [active(host, unit) for unit in ("page.service", "relay.service", "door.socket")])
    play = outside.play("m.yml", *_ALLOWED)
    judge.holds("again: nothing is left to do", (0, 0), (play.code, play.changed), play.text)
    host.off()
    host.boot()
    judge.holds("all three listen after a boot", {8090, 8091, 8092}, {8090, 8091, 8092} & listening(host))
    code, report = portwright("check", str(host.root), "--select", _PORTS)
    judge.holds("the findings are gone", 0, code, report)
    play = outside.play("m.rollback.yml", *_ALLOWED)
    judge.holds("the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)


def cut(host: Machine, judge: Judge, outside: Outside, before: State, opened: Callable[[], int]) -> None:
    judge.chapter("a run that is killed before one of its tasks is put right by the next")
    for name in _TASKS:
        killed = outside.killed_before(name, "web1.yml")
        play = outside.play("web1.yml")
        judge.holds(f"before {name!r}: the next run ends well", 0, play.code, play.text)
        judge.holds("  and nginx has read its config", True, opened() <= _FEW, f"killed: {killed}\n{play.text}")
        play = outside.play("web1.rollback.yml")
        judge.holds("  the rollback restores the exact bytes", (0, ()), (play.code, before.differs(State(host))), play.text)


def refused(host: Machine, judge: Judge, outside: Outside, before: State) -> None:
    judge.chapter("a candidate that nginx refuses")
    host.run("echo 'nonsense;' > /etc/nginx/conf.d/later.conf")
    spoiled = State(host)
    play = outside.play("web1.yml")
    judge.holds("the run fails, and nothing was written", (True, ()), (play.code != 0, spoiled.differs(State(host))), play.text)
    judge.holds("nginx says why", True, "unknown directive" in play.text, play.text)
    host.run("rm /etc/nginx/conf.d/later.conf")
    judge.holds("all is as it was", (), before.differs(State(host)))


_PORTS = "port-claimed-twice,listener-without-reuseaddr"
_ALLOWED = ("-e", "portwright_allow_restart=true")
_TWO = {
    "/etc/systemd/system/page.service": (
        "[Unit]\nBefore=relay.service door.socket\nDefaultDependencies=no\n[Service]\n"
        "ExecStart=/usr/bin/python3 -m http.server 8090\n[Install]\nWantedBy=sysinit.target\n"
    ),
    "/etc/systemd/system/relay.service": (
        "[Unit]\nAfter=page.service\n[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:8090,fork TCP:127.0.0.1:8085\n"
        "[Install]\nWantedBy=multi-user.target\n"
    ),
    "/etc/systemd/system/door.socket": "[Unit]\nAfter=page.service\n[Socket]\nListenStream=8090\n[Install]\nWantedBy=sockets.target\n",
    "/etc/systemd/system/door.service": "[Service]\nExecStart=/bin/cat\nStandardInput=null\n",
}
_TASKS = (
    "Have each daemon check its config",
    "See which units run",
    "See which units have to read their configs again",
    "Reload the units",
    "See whether the units stay up",
)
_TEXT_LINES = {line.encode() for line in _TEXT.split("\r\n") if "SERVER" not in line}


def main(arguments: list[str]) -> int:
    """Tell it; returns 0 where everything held."""
    if os.geteuid() != 0 or arguments:
        print("usage: tests/lab/run configs, as root", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    judge = Judge()
    judge.chapter("a Debian host is made")
    with machine("web1") as host:
        work = host.root.parent / "outside"
        work.mkdir(mode=0o700)
        tell(host, judge, work)
    judge.chapter(f"{judge.passed} passed, {judge.failed} failed")
    return 1 if judge.failed or not judge.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
