"""nginx and haproxy in a network namespace of their own: what `ss` shows is what their readers say.

Needs root, unshare, ss and the daemon; a case whose oracle is missing is skipped with that reason. Tried with nginx 1.22.1 and
haproxy 2.6.12.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from portwright.daemons import DaemonFact
from portwright.daemons.haproxy import reader as haproxy
from portwright.daemons.nginx import reader as nginx
from portwright.facts import Endpoint
from tests.daemons.by_hand import host_of, invocation

STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"

NGINX = {
    "port": "server { listen 8080; }",
    "nothing": "server { }",
    "addresses": "server { listen 127.0.0.1; listen 10.9.9.9:8080; listen 127.0.0.1:8080; listen [::1]:8081; }",
    "a wildcard stands in for plain addresses": "server { listen *:80; listen 127.0.0.1:80; } server { listen [::1]:80; listen [::]:80; }",
    "not for those of the other family": "server { listen 80; listen [::1]:80; }",
    "dual-stack": "server { listen [::]:8080 ipv6only=off; listen [::]:8081 ipv6only=on; }",
    "name": "server { listen localhost:8080; } server { listen localhost; }",
    "ranges": "server { listen 8000-8003; listen 10.9.9.9:8002-8005; listen [::1]:8004-8005; listen 8004; }",
    "one socket for many servers": "server { listen 80; } server { listen 0.0.0.0:80 default_server; } server { listen 080; }",
    "options": 'server { listen "8080" reuseport; listen 127.0.0.1:8081 backlog=9 so_keepalive=on; listen unix:/tmp/never-bound-here; }',
    "spellings": "server { listen [0:0:0:0:0:0:0:1]:8080; listen 127.0.0.1:08081; }",
}
STREAMS = """
    server { listen 53 udp; listen 127.0.0.1:53 udp; listen [::]:53 udp; proxy_pass 10.9.9.9:1; }
    server { listen 53; listen 127.0.0.1:53; proxy_pass 10.9.9.9:1; }
"""
HAPROXY = {
    "bind": """
listen a
    bind :8080
    bind *:8081,127.0.0.1:8082
    bind ::1:8083
    bind [::]:8084
    bind :::8085 v6only
    bind :::8086 v4v6
    bind ipv6@*:8087
    bind ipv4@localhost:8088
    bind ${WHERE}:8089
    bind "${NOWHERE-10.9.9.9}:8090"
    bind tcp4@:8091
    bind tcp6@:8092
    bind stream+ipv4@10.9.9.9:8093-8094
    bind :8095 # comment
    bind :8096#glued
    bind '127.0.0.1':08097
    bind 127.0.0.1:8080
listen off
    bind :8100
    disabled
""",
    "peers": """
peers with-bind
    bind :9000
    server me
peers old
    peer me 127.0.0.1:9001
peers of-others
    bind :9002
    server other 10.9.9.9:1
peers off
    bind :9003
    server me
    disabled
""",
    "logs and statistics": """
log-forward x
    bind :514
    dgram-bind :514
    dgram-bind udp6@:515
    log 127.0.0.1:1 local0
global
    stats socket 127.0.0.1:9999 level admin
    stats socket ipv6@:9998
""",
    "conditions": """
.if defined(WHERE) && !streq("$WHERE",a) || 0
listen a
    bind :8080
.elif 1
listen b
    bind :8081
.endif
.if 0
.if no sense at all
.endif
listen c
    bind :8082
.else
listen d
    bind :8083
.endif
""",
}
DEFAULTS = "defaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"

# Starts the command, waits for its first socket (or its end), prints what is bound.
SCRIPT = r"""
ip link set lo up; ip address add 10.9.9.9/32 dev lo
"$@" >/dev/null 2>&1 </dev/null & child=$!
for _ in $(seq 100); do
    [ -n "$(ss -Htuln)" ] && { ss -Htulne; break; }
    kill -0 $child 2>/dev/null || break
    sleep 0.02
done
kill -TERM $child 2>/dev/null; wait $child 2>/dev/null
"""


def seen(argv: list[str]) -> set[str]:
    """`tcp 127.0.0.1 80` for each socket the command has open; `*` is dual-stack."""
    missing = [tool for tool in ("unshare", "ss", "ip", "bash", argv[0]) if shutil.which(tool) is None]
    if missing or os.geteuid() != 0 or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip(f"the oracle is missing: {', '.join(missing) or 'root, who may make a network namespace'}")
    done = subprocess.run(
        ["unshare", "-n", "bash", "-c", SCRIPT, "measure", *argv],
        env={**os.environ, "WHERE": "10.9.9.9"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    rows = (line.split() for line in done.stdout.splitlines())
    return {" ".join((row[0], row[4].rpartition(":")[0].strip("[]"), row[4].rpartition(":")[2])) for row in rows}


def said(endpoints: tuple[DaemonFact, ...]) -> set[str]:
    """The same of what a reader says, a row for each port; net.ipv6.bindv6only is 0 in a new network namespace."""
    found = (endpoint for endpoint in endpoints if isinstance(endpoint, Endpoint))
    return {
        f"{endpoint.protocol} {'*' if endpoint.address == '::' and not endpoint.v6only else endpoint.address} {port}"
        for endpoint in found
        for port in endpoint.ports
    }


@pytest.mark.parametrize("form", [*NGINX, "stream"])
def test_nginx_binds_what_its_reader_says(form: str, tmp_path: Path) -> None:
    if form == "stream" and not Path(STREAM).exists():
        pytest.skip("the oracle is missing: nginx's stream module")
    body = f"stream {{ {STREAMS} }}" if form == "stream" else f"http {{ access_log off; {NGINX[form]} }}"
    load = f"load_module {STREAM};" if form == "stream" else ""
    config = f"{load} daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error; events {{}} {body}"
    path = tmp_path / "nginx.conf"
    path.write_text(config)
    open_sockets = seen(["nginx", "-p", str(tmp_path), "-c", str(path)])
    files = host_of({"/etc/nginx/nginx.conf": config, "/etc/hosts": Path("/etc/hosts").read_text()})

    assert open_sockets
    assert open_sockets == said(nginx.read(invocation("nginx"), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize("form", HAPROXY)
def test_haproxy_binds_what_its_reader_says(form: str, tmp_path: Path) -> None:
    config = DEFAULTS + HAPROXY[form] + ("" if "listen" in HAPROXY[form] else "listen any\n bind :7000\n")
    path = tmp_path / "haproxy.cfg"
    path.write_text(config)
    open_sockets = seen(["haproxy", "-db", "-L", "me", "-f", str(path)])
    files = host_of({"/etc/haproxy.cfg": config, "/etc/hosts": Path("/etc/hosts").read_text()})

    assert open_sockets
    assert open_sockets == said(haproxy.read(invocation("haproxy -db -L me -f /etc/haproxy.cfg", {"WHERE": "10.9.9.9"}), files, {}))
    assert () == files.unreadable
