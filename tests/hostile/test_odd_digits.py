"""A digit that is none, a number without end, a byte that is no UTF-8, where a number is read: no error of ours."""

from pathlib import Path

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

ODD = ["²", "8²", "٣", "80٣", "𝟓", "9" * 5_000, "0" * 5_000 + "80", "1_0", "+5", "--5", "-", "", "0x", "0b2", "8\udcff"]


def service(command: str, more: str = "") -> dict[str, str]:
    return {"etc/systemd/system/x.service": f"[Service]\nExecStart={command}\n{more}", **enabled("x.service")}


# Each with a place for a number: `@`.
PLACES = {
    "the shell's shift": {**service("/x.sh 80 81"), "x.sh": "#!/bin/sh\nshift @\nexec /usr/bin/socat TCP-LISTEN:$1 -\n"},
    "the shell's parameter": {**service("/x.sh 80"), "x.sh": "#!/bin/sh\nexec /usr/bin/socat TCP-LISTEN:${@} -\n"},
    "the shell's arithmetic": {**service("/x.sh"), "x.sh": "#!/bin/sh\nA=@\nexec /usr/bin/socat TCP-LISTEN:$((A + @)) -\n"},
    "the shell's test": {**service("/x.sh"), "x.sh": '#!/bin/sh\nif [ "@" -gt 5 ]; then exec /usr/sbin/nginx; fi\n'},
    "the shell's redirection": {**service("/x.sh"), "x.sh": "#!/bin/sh\nexec /usr/sbin/nginx @>/dev/null\n"},
    "caddy": {
        **service("/usr/bin/caddy run --config /etc/caddy/Caddyfile"),
        "etc/caddy/Caddyfile": "{\nhttp_port @\nhttps_port @\nadmin localhost:@\n}\nexample.org:@ {\n}\n:@ {\n}\n",
    },
    "caddy's JSON": {
        **service("/usr/bin/caddy run --config /etc/caddy/c.json"),
        "etc/caddy/c.json": '{"apps": {"http": {"servers": {"a": {"listen": [":@", "x:@"]}}}}}\n',
    },
    "supervisor": {
        **service("/usr/bin/supervisord -c /etc/supervisor/supervisord.conf"),
        "etc/supervisor/supervisord.conf": "[supervisord]\n[inet_http_server]\nport=*:@\n[program:a]\nnumprocs=@\nnumprocs_start=@\n"
        "process_name=%(process_num)0@d\ncommand=/usr/sbin/nginx -g %(process_num)0@d\n",
    },
    "nginx": {
        **service("/usr/sbin/nginx"),
        "etc/nginx/nginx.conf": "events { worker_connections @; }\nhttp { server { listen @; listen [::]:@ backlog=@; } }\n",
    },
    "haproxy": {
        **service("/usr/sbin/haproxy -sf @ -f /etc/haproxy/haproxy.cfg"),
        "etc/haproxy/haproxy.cfg": "global\n maxconn @\n.if @\n.endif\n"
        "listen a\n bind *:@\n bind :80-@\n server-template s @ x:80\n maxconn @\n",
    },
    "apache": {
        **service("/usr/sbin/apache2"),
        "etc/apache2/apache2.conf": "Listen @\nListen 1.2.3.4:@\nListenBacklog @\n<IfVersion >= @>\nListen 81\n</IfVersion>\n",
    },
    "redis": {**service("/usr/bin/redis-server /etc/redis.conf"), "etc/redis.conf": "port @\ntls-port @\ntcp-backlog @\nmaxclients @\n"},
    "postgresql": {
        **service("/usr/lib/postgresql/15/bin/postgres -D /d"),
        "d/postgresql.conf": "port = @\nmax_connections = @\nlisten_addresses = '*'\n",
    },
    "mysql": {**service("/usr/sbin/mysqld"), "etc/mysql/my.cnf": "[mysqld]\nport=@\nextra_port=@\nback_log=@\nmax_connections=@\n"},
    "sshd": {**service("/usr/sbin/sshd -D -p @"), "etc/ssh/sshd_config": "Port @\nListenAddress 1.2.3.4:@\n"},
    "vsftpd": {**service("/usr/sbin/vsftpd"), "etc/vsftpd.conf": "listen=YES\nlisten_port=@\npasv_min_port=@\npasv_max_port=@\n"},
    "rsync": {**service("/usr/bin/rsync --daemon --port=@"), "etc/rsyncd.conf": "port = @\n"},
    "named": {**service("/usr/sbin/named -p @"), "etc/bind/named.conf": "options { listen-on port @ { any; }; };\n"},
    "memcached": service("/usr/bin/memcached -p @ -U @ -c @ -b @"),
    "socat": service("/usr/bin/socat TCP-LISTEN:@,backlog=@ -"),
    "ncat": service("/usr/bin/ncat -l @"),
    "java": service("/usr/bin/java -Dserver.port=@ -Dcom.sun.management.jmxremote.port=@ -jar x.jar --server.port=@"),
    "http.server": service("/usr/bin/python3 -m http.server @"),
    "node": {**service("/usr/bin/node --inspect=@ /x.js"), "x.js": 'const p = Number("@"); app.listen(p); net.createServer().listen(@)\n'},
    "python": {**service("/usr/bin/python3 /x.py"), "x.py": 'import socket\ns = socket.socket()\ns.bind(("", int("@")))\ns.listen(@)\n'},
    "perl": {**service("/usr/bin/perl /x.pl"), "x.pl": "IO::Socket::INET->new(LocalPort => '@', Listen => @);\nLocalPort => @\n"},
    "ruby": {**service("/usr/bin/ruby /x.rb"), "x.rb": "TCPServer.new('0.0.0.0', @)\nTCPServer.new(\"@\")\n"},
    "erlang": {**service("/usr/bin/escript /x.erl"), "x.erl": "gen_tcp:listen(@, [{backlog, @}, {ip, {@,0,0,1}}]).\n"},
    "docker": service("/usr/bin/docker run -p @:80 -p 127.0.0.1:80-@:81 x"),
    "an unknown program": service("/opt/x --port=@ -p@ --listen :@ :@"),
    "a socket unit": {
        "etc/systemd/system/x.socket": "[Socket]\nListenStream=@\nListenDatagram=[::1]:@\nBacklog=@\n",
        "etc/systemd/system/sockets.target.wants/x.socket": "-> ../../x.socket",
        **service("/opt/x"),
    },
    "limits": service("/usr/sbin/nginx", "LimitNOFILE=@:@\nRestartSec=@\nStartLimitBurst=@\nUser=@\nCapabilityBoundingSet=@\nUMask=@\n"),
    "sysctl": {
        "etc/sysctl.d/x.conf": "net.ipv4.ip_local_port_range = @ @\nnet.ipv4.ip_local_reserved_ports = @-@,@\n"
        "net.ipv4.ip_unprivileged_port_start=@\nnet.core.somaxconn=@\nnet.x.@=@\nfs.nfs.nlm_tcpport=@\nfs.file-max=@\n",
        **service("/usr/sbin/nginx"),
    },
    "accounts and services": {
        **service("/opt/x --port=web", "User=@\n"),
        "etc/passwd": "x:x:@:@::/:/bin/sh\n@:x:5:5::/:\n",
        "etc/services": "web @/tcp\nweb @/udp\n",
        "etc/hosts": "@ a\n1.2.3.@ b\n",
        "etc/xinetd.d/a": "service web\n{\n port = @\n server = /x\n socket_type = stream\n}\n",
    },
    "a capture of the machine": {
        **service("/opt/x"),
        ".portwright/addresses": "@: e    inet 1.2.3.4/@ scope global e\n2: e inet 10.0.0.@/24 scope global e\n",
        ".portwright/sysctl": "net.ipv4.ip_local_port_range = @ @\nnet.ipv4.ip_unprivileged_port_start = @\n",
        ".portwright/release": "@.@.0\n",
    },
}


@pytest.mark.parametrize("place", PLACES)
def test_an_odd_number_is_no_error_of_ours(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = []
    for at, number in enumerate(ODD):
        files = {path: text if text.startswith("-> ") else text.replace("@", number) for path, text in PLACES[place].items()}
        roots.append(str(lay(tmp_path / f"{at}", files)))

    code = main(["check", *roots])
    said = capsys.readouterr()

    assert code in (0, 1, 3), said.err
    assert "internal error" not in said.out + said.err


@pytest.mark.parametrize("name", ["-", "--", "_", "."])
def test_a_config_whose_name_has_no_letter_is_read(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "sites-enabled" / name / "-"
    place.parent.mkdir(parents=True)
    place.write_text("server { listen 80; }\n")

    assert 0 == main(["check", str(place)]), capsys.readouterr()
    assert 70 != main(["check", str(tmp_path)]), capsys.readouterr()


def test_a_plan_does_not_drop_a_byte_that_json_cannot_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = "etc/sysctl.d/zz-portwright.conf"
    root = lay(tmp_path / "h", {**service("/usr/bin/socat TCP-LISTEN:40000 -"), own: "net.core.somaxconn = 5\nnet.core.x = \udcff\n"})

    code = main(["fix", str(root), "-o", str(tmp_path / "plan.yml")])
    said = capsys.readouterr()

    assert 1 == code, said
    assert f"/{own} holds bytes that are no UTF-8, and a plan cannot keep them" in " ".join(said.out.split())
