"""The real daemons in a network namespace of their own: what `ss` shows is what their readers say.

Needs root, unshare, ss and the daemon; a case whose oracle is missing is skipped with that reason.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portwright.daemons import Reader
from portwright.daemons.interpreters.python import reader as python
from portwright.daemons.redis import reader as redis
from portwright.daemons.socat import reader as socat
from portwright.daemons.sshd import reader as sshd
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

# Starts the command, waits until what is bound no longer changes (or the command ends), prints it.
SCRIPT = r"""
ip link set lo up; ip address add 10.9.9.9/32 dev lo
"$@" >"$TMPDIR/out" 2>&1 </dev/null & child=$!
before=
for _ in $(seq 200); do
    seen=$(ss -Htulne)
    [ -n "$seen" ] && [ "$seen" = "$before" ] && { printf '%s\n' "$seen"; break; }
    kill -0 $child 2>/dev/null || break
    before=$seen
    sleep 0.05
done
kill $child 2>/dev/null; wait $child 2>/dev/null
"""

Case = tuple[Reader, str, dict[str, str]]
SSHD = "{sshd} -D -h {key} -f {config}"
REDIS = " --save '' --daemonize no"
CASES: dict[str, Case] = {
    "sshd: product": (sshd.read, SSHD, {"config": "Port 2201\nListenAddress 10.9.9.9\nListenAddress ::1\nPort 2202\n"}),
    "sshd: own port": (sshd.read, SSHD, {"config": "Port 2201\nListenAddress [::1]:33\nListenAddress ::\n"}),
    "sshd: override": (sshd.read, SSHD + " -p 4444", {"config": "Port 1\nListenAddress 10.9.9.9\nListenAddress [::1]:77\n"}),
    "sshd: include": (sshd.read, SSHD, {"config": "Include {more}\nAddressFamily inet\n", "more": "Port 2205\n"}),
    "redis: default": (redis.read, "redis-server" + REDIS, {}),
    "redis: optional": (redis.read, "redis-server {config}" + REDIS, {"config": "bind 10.9.9.9 -::1\nport 7000\n"}),
    "redis: cluster": (
        redis.read,
        "redis-server {config} --port 7001 --cluster-config-file {nodes}" + REDIS,
        {"config": "cluster-enabled yes\n"},
    ),
    "redis: one family": (redis.read, "redis-server --bind ::* --port 7002" + REDIS, {}),
    "socat: default": (socat.read, "socat TCP-LISTEN:7001,fork EXEC:cat", {}),
    "socat: ipv6": (socat.read, "socat -6 TCP-LISTEN:7001,ipv6only EXEC:cat", {}),
    "socat: dual": (socat.read, "socat TCP6-LISTEN:7001,ipv6only=0 EXEC:cat", {}),
    "socat: octal": (socat.read, "socat TCP-LISTEN:07001,bind=10.9.9.9 EXEC:cat", {}),
    "socat: udp": (socat.read, "socat -u UDP6-RECV:7001,ipv6only=1 OPEN:/dev/null", {}),
    "python: default": (python.read, "{python} -m http.server 8001", {}),
    "python: dual": (python.read, "{python} -m http.server -b :: 8001", {}),
    "python: script": (
        python.read,
        "{python} {script} 8002",
        {"script": "import socketserver, sys\nsocketserver.TCPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()\n"},
    ),
}


def bound(command: list[str], directory: Path) -> set[tuple[str, str, str]]:
    """(protocol, address, port) of every socket the command has open, as ss prints them; `*` is dual-stack."""
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", SCRIPT, "measure", *command],
        env={**os.environ, "TMPDIR": str(directory)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return {(row[0], *_parted(row[4])) for row in rows}


def _parted(local: str) -> tuple[str, str]:
    address, _, port = local.rpartition(":")
    return address.strip("[]"), port


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "host"
    if shutil.which("ssh-keygen"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=30)
    return path


@pytest.mark.parametrize("name", CASES)
def test_the_daemon_binds_what_its_reader_says(name: str, tmp_path: Path, key: Path) -> None:
    reader, template, texts = CASES[name]
    programs = {"sshd": shutil.which("sshd") or "/usr/sbin/sshd", "python": sys.executable}
    paths = {role: str(tmp_path / role) for role in ("config", "more", "script", "nodes")}
    command = template.format(key=key, **programs, **paths)
    argv = shlex.split(command)
    missing = [tool for tool in ("unshare", "ss", "ip", "bash", argv[0]) if shutil.which(tool) is None]
    if missing or os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip(f"the oracle is missing: {', '.join(missing) or 'root, who may make a network namespace'}")
    for role, text in texts.items():
        Path(paths[role]).write_text(text.format(**paths), encoding="utf-8")
    if argv[0].endswith("sshd"):
        Path("/run/sshd").mkdir(exist_ok=True)

    tree = {paths[role]: text.format(**paths) for role, text in texts.items()}
    at = Span("/etc/systemd/system/app.service", 1, 1, 1, 2)
    started = Invocation("app.service", tuple(Word(text, at) for text in argv), at)
    files = Files(MemoryTree({"/etc/hosts": "127.0.0.1 localhost\n", **tree}))
    said = reader(started, files, {})

    assert bound(argv, tmp_path) == {(e.protocol, _as_ss_prints(e), str(e.ports)) for e in said if isinstance(e, Endpoint)}
    assert () == files.unreadable


def _as_ss_prints(endpoint: Endpoint) -> str:
    # net.ipv6.bindv6only is 0 in a new network namespace: who asks for nothing gets both families.
    return "*" if endpoint.address == "::" and not endpoint.v6only else endpoint.address
