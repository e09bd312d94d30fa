"""The real servers and interpreters in a network namespace of their own: what `ss` shows is what their readers say.

Each is asked twice, with net.ipv6.bindv6only off and on. Needs root, unshare, ss and the program; what is missing is skipped.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portwright.daemons import daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

# Starts every command, waits until as much is bound as was foretold and no more comes (or five seconds are over), prints it.
SCRIPT = r"""
sysctl -qw net.ipv6.bindv6only="$1"; wanted=$2; shift 2
ip link set lo up; ip address add 10.9.9.9/32 dev lo
cd "$TMPDIR" || exit 1
for command; do eval "exec_$((++n))() { $command; }"; "exec_$n" >"$TMPDIR/out$n" 2>&1 </dev/zero & done
before= calm=0
for _ in $(seq 100); do
    seen=$(ss -Htuln | sort)
    if [ -n "$seen" ] && [ "$seen" = "$before" ]; then calm=$((calm + 1)); else calm=0; fi
    [ "$(printf '%s\n' "$seen" | wc -l)" -ge "$wanted" ] && [ $calm -ge 5 ] && break
    before=$seen
    sleep 0.05
done
printf '%s\n' "$seen"
"""

NODE = """
const http = require('http'), net = require('net'), dgram = require('dgram');
http.createServer(() => {}).listen(process.env.NO_SUCH_PORT || 7401);
http.createServer(() => {}).listen(7402, 'localhost');
http.createServer(() => {}).listen('7403', '0.0.0.0');
net.createServer().listen({ port: 7404, host: '::1' });
net.createServer().listen({ port: 7405, host: '::', ipv6Only: true });
net.createServer().listen(7406, '::');
dgram.createSocket('udp4').bind(7408);
dgram.createSocket('udp6').bind(7409);
dgram.createSocket({ type: 'udp4', reuseAddr: true }).bind({ port: 7410, address: '127.0.0.1' });
"""
PERL = """use IO::Socket::INET; use IO::Socket::IP;
my $port = 7501;
my $a = IO::Socket::INET->new(LocalPort => $port, Listen => 5);
my $b = IO::Socket::INET->new(LocalAddr => '127.0.0.1:7502', Listen => 5, ReuseAddr => 1);
my $c = IO::Socket::INET->new(LocalPort => 7503, Proto => 'udp');
my $d = IO::Socket::IP->new(LocalHost => 'localhost', LocalService => 7504, Listen => 1);
sleep 20;
"""
FILES = {"server.js": NODE, "listen.pl": PERL, "config.ru": "run lambda { |env| [200, {}, []] }\n"}
FILES |= {
    "app.py": "def app(e, s): pass\nasync def asgi(scope, receive, send): pass\n",
    "pages.py": "from flask import Flask\napp = Flask(__name__)\n",
}
FILES |= {
    "puma.rb": "bind 'tcp://127.0.0.1:7601'\nport 7602\n",
}
# Each command's ports are its own, so that all of them can listen at once.
COMMANDS = [
    "node server.js",
    "node --inspect=7411 -e 'setTimeout(() => {}, 20000)'",
    "perl listen.pl",
    "php -S 0.0.0.0:7201",
    "php -S [::]:7202",
    "nc.openbsd -lk 7231",
    "nc.openbsd -6 -lk 7232",
    "nc.openbsd -lk 127.0.0.1 7233",
    "nc.openbsd -luk -p 7234",
    "nc.traditional -l -s 127.0.0.1 -p 7241",
    "nc.traditional -lp 7242",
    "ncat -lk 7250",
    "ncat -lk 127.0.0.1 7251",
    "ncat -lu 7252",
    "busybox nc -l -p 7260",
    "busybox httpd -f -p 7263",
    "busybox httpd -f -p 127.0.0.1:7264",
    "iperf3 -s -p 7271",
    "iperf3 -s -6 -p 7272",
    "iperf3 -s -p 7273 -B 127.0.0.1",
    "systemd-socket-activate -l 7280 cat",
    "systemd-socket-activate -d -l 127.0.0.1:7281 cat",
    "ruby -run -e httpd . -p 7301",
    "puma -C puma.rb",
    "puma -b tcp://[::]:7603 -b tcp://localhost:7604",
    "gunicorn -b :7701 -b [::]:7702 -b localhost:7703 app:app",
    "uvicorn --host :: --port 7711 app:asgi",
    "hypercorn -b [::]:7721 app:asgi",
    "waitress-serve --listen=*:7731 app:app",
    "flask --app pages run -p 7741 -h ::",
    "daphne -b :: -p 7751 app:asgi",
    "twistd -n --pidfile= web --listen tcp6:7761 --listen tcp:7762:interface=127.0.0.1",
]

PYTHON = ("gunicorn", "uvicorn", "hypercorn", "waitress-serve", "flask", "daphne", "twistd")


def oracles() -> dict[str, str]:
    """Where the programs of COMMANDS are: on the PATH, Python's servers beside this Python (a shim on the PATH may run nothing)."""
    beside = str(Path(sys.executable).parent)
    names = {command.split()[0] for command in COMMANDS}
    found = {name: shutil.which(name, path=beside if name in PYTHON else None) for name in names}
    return {name: path for name, path in found.items() if path is not None}


@pytest.mark.parametrize("bindv6only", [False, True])
def test_a_server_binds_what_its_reader_says(bindv6only: bool, tmp_path: Path) -> None:
    missing = [tool for tool in ("unshare", "ss", "ip", "bash", "sysctl") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip(f"the oracle is missing: {', '.join(missing) or 'root, who may make a network namespace'}")
    there = oracles()
    commands = [command for command in COMMANDS if command.split()[0] in there]
    if not commands:
        pytest.skip("the oracle is missing: none of the servers is installed")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    # Only an IPv6 wildcard can follow the setting.
    rows = {command: said(command, tmp_path, bindv6only) for command in commands}
    commands = [command for command in commands if not bindv6only or any(address in ("::", "*") for _, address, _ in rows[command])]
    expected = {row for command in commands for row in rows[command]}
    lines = [" ".join([shlex.quote(there[words[0]]), *map(shlex.quote, words[1:])]) for words in map(shlex.split, commands)]
    script = [
        "unshare",
        "-n",
        "--pid",
        "--fork",
        "--kill-child",
        "bash",
        "-c",
        SCRIPT,
        "measure",
        str(int(bindv6only)),
        str(len(expected)),
        *lines,
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(script, env=environment, capture_output=True, text=True, timeout=60)
    seen = {(row[0], *_parted(row[4])) for row in map(str.split, done.stdout.splitlines())}

    assert sorted(expected) == sorted(seen)


def said(command: str, directory: Path, bindv6only: bool) -> list[tuple[str, str, str]]:
    """(protocol, address, port) as the reader says and ss prints it."""
    at = Span("/etc/systemd/system/app.service", 1, 1, 1, 2)
    argv = tuple(Word(text, at) for text in shlex.split(command))
    tree = {str(directory / name): text for name, text in FILES.items()}
    files = Files(MemoryTree({"/etc/hosts": "127.0.0.1 localhost\n", **tree}))
    started = Invocation("app.service", argv, at, directory=str(directory))
    known = daemon_of(started)
    found = (generic.read if known is None else known.read)(started, files, {})
    assert () == files.unreadable
    rows: list[tuple[str, str, str]] = []
    for one in found:
        assert isinstance(one, Endpoint)
        follows = one.address == "::" and one.v6only is None and not bindv6only
        rows.append((one.protocol, "*" if follows else one.address, str(one.ports)))
    return rows


def _parted(local: str) -> tuple[str, str]:
    address, _, port = local.rpartition(":")
    return address.strip("[]"), port
