"""What ten megabytes of anything cost: `python -m tests.fuzz.sweep [PART ...]` prints CPU seconds and MiB at three sizes, n, 2n and 4n.

Four kinds of hosts, one a line: the constructions of `constructions.py`, the large hosts as people have them of `honest.py`, every reader
on its own grammar grown in several shapes, and four readers' files on one host. The samples are the cases of the daemons' rooms and the
files of `SYSTEM`; each is grown as far as ten megabytes or the words of one file go, so what runs is the dearest that gets past the budget.
An eighth is tried first; a reader of which that costs so little that even a square law keeps the whole within bounds is not run again,
and of readers only those are printed that come near to the bounds (`--all`: every one that is run).

PART is a part of a name. Exit 1 where a run took more than 5 s or 256 MiB, died, cost more than three times as much for twice the size, or
where something of an honest host was cut off.
"""

import argparse
import os
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from portwright._start.records import dataclass
from portwright.trees.budget import MOST_WORDS_OF_A_FILE, weight
from tests.fuzz.constructions import CONSTRUCTIONS, HOST, lay, service, services, sizes
from tests.fuzz.honest import HONEST

CASES = Path(__file__).parents[1] / "daemons/cases"
MOST_SECONDS, MOST_MIB, MOST_BYTES = 5.0, 256.0, 10_000_000
_EIGHTH_OF_SECONDS, _EIGHTH_OF_MIB = 0.08, 15.0
_NOTICED = 1.0  # seconds below which a ratio says nothing
_INCOMPLETE = 3
_ENDS = (0, 1, _INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that a reader reads, and the host around it."""

    path: str
    text: str
    around: Mapping[str, str]
    is_host: bool = True


def daemons() -> Iterator[tuple[str, Sample]]:
    """The longest config of each daemon's cases, with a unit that starts the daemon so."""
    for file in sorted(CASES.glob("*.cases")):
        best: Sample | None = None
        for block in file.read_text().split("\n\n"):
            command, files = _case(block)
            for path, text in files.items():
                if command and (best is None or len(text) > len(best.text)):
                    best = Sample(
                        path, text, {**{p: t for p, t in files.items() if p != path}, **services({"x.service": service(command)})}
                    )
        if best is not None:
            yield file.stem, best


def _case(block: str) -> tuple[str, dict[str, str]]:
    command, files, path = "", dict[str, str](), ""
    for line in block.splitlines():
        if line.startswith("$ "):
            command = line[2:]
        elif line.startswith("/"):
            path = line.split(" ")[0]
            files[path] = ""
        elif line.startswith("    ") and path:
            files[path] += line[4:] + "\n"
    return command, files


_INIT = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: x\n# Default-Start: 2 3 4 5\n### END INIT INFO\n"
_OPENRC = {"/etc/alpine-release": "3.20\n", "/sbin/openrc": "", "/sbin/openrc-run": "", "/etc/runlevels/default/x": "-> /etc/init.d/x"}
_SYSVINIT = {
    "/sbin/init": "-> /lib/sysvinit/init",
    "/lib/sysvinit/init": "",
    "/etc/rc2.d/S01x": "-> ../init.d/x",
    "/etc/inittab": "id:2:initdefault:\n",
}
_RUNIT = {
    "/etc/runit/1": "#!/bin/sh\n",
    "/etc/runit/runsvdir/default/x": "-> /etc/sv/x",
    "/usr/bin/runit-init": "",
    "/sbin/init": "-> /usr/bin/runit-init",
}
_NTP = services({"ntp.service": service("/usr/sbin/ntpd -g")})
_USER = services({"x.service": service("/usr/bin/python3 -m http.server 80", "User=app\n")})
_PY = services({"x.service": service("/usr/bin/python3 -m http.server 8080")})
_X = services({"x.service": service("/usr/bin/python3 -m http.server ${PORT}", "EnvironmentFile=/etc/default/x\n")})


def _run(program: str, path: str) -> dict[str, str]:
    return services({"x.service": service(f"{program} {path}")})


SYSTEM: dict[str, Sample] = {
    "sysctl.d": Sample("/etc/sysctl.d/a.conf", "net.ipv4.ip_local_port_range = 1024 65535\nnet.core.somaxconn=1\n", {}),
    "sysctl.conf": Sample("/etc/sysctl.conf", "net/ipv4/ip_forward = 1\n", {}),
    "captured sysctl": Sample("/.portwright/sysctl", "net.ipv4.ip_local_port_range = 1024 65535\nnet.core.somaxconn = 1\n", _PY),
    "captured sockets": Sample("/.portwright/sockets", "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n", _PY),
    "captured packages": Sample("/.portwright/packages", "nginx 1.22.1-9\n", _PY),
    "captured addresses": Sample("/.portwright/addresses", "2: e0 inet 10.0.0.1/8 scope global e0\n", _NTP),
    "captured filecaps": Sample("/.portwright/filecaps", "/usr/bin/a cap_net_bind_service=ep\n", _USER),
    "captured setuid": Sample("/.portwright/setuid", "/usr/bin/sudo\n", _USER),
    "dpkg status": Sample("/var/lib/dpkg/status", "Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9\n\n", _PY),
    "apk installed": Sample("/lib/apk/db/installed", "P:nginx\nV:1.22.1-r0\n\n", _PY),
    "passwd": Sample("/etc/passwd", "app:x:1000:1000::/home/app:/bin/sh\n", _USER),
    "group": Sample("/etc/group", "app:x:1000:a,b,c\n", _USER),
    "sudoers": Sample("/etc/sudoers", "app ALL=(ALL) NOPASSWD: /usr/sbin/sysctl\n", _USER),
    "hosts": Sample("/etc/hosts", "127.0.0.1 localhost a b\n", _PY),
    "services": Sample("/etc/services", "http 80/tcp www\n", _PY),
    "fstab": Sample("/etc/fstab", "a:/b /c nfs defaults 0 0\n", {}),
    "os-release": Sample("/etc/os-release", "ID=debian\nVERSION_ID=12\n", _PY),
    "limits.conf": Sample("/etc/security/limits.conf", "* soft nofile 1024\n", _PY),
    "crontab": Sample("/etc/crontab", "@reboot root /usr/bin/socat TCP-LISTEN:80 -\n* * * * * root /bin/a\n", {}),
    "cron.d": Sample("/etc/cron.d/a", "@reboot root /usr/bin/socat TCP-LISTEN:80 -\n", {}),
    "cron of a user": Sample("/var/spool/cron/crontabs/root", "@reboot /usr/bin/socat TCP-LISTEN:80 -\n", {}),
    "rc.local": Sample("/etc/rc.local", "#!/bin/sh\nsocat TCP-LISTEN:80 - &\nsysctl -w net.ipv4.ip_forward=1\n", {}),
    "interfaces": Sample(
        "/etc/network/interfaces", "iface e0 inet static\n  address 10.0.0.1/8\n  post-up sysctl -w net.ipv4.ip_forward=1\n", _NTP
    ),
    "netplan": Sample("/etc/netplan/a.yaml", "network:\n  ethernets:\n    e0:\n      addresses: [10.0.0.1/8]\n", _NTP),
    "networkd": Sample("/etc/systemd/network/a.network", "[Network]\nAddress=10.0.0.1/8\n", _NTP),
    "networkd netdev": Sample("/etc/systemd/network/a.netdev", "[NetDev]\nName=wg0\nKind=wireguard\n[WireGuard]\nListenPort=51820\n", _NTP),
    "NetworkManager": Sample("/etc/NetworkManager/system-connections/a.nmconnection", "[ipv4]\naddress1=10.0.0.1/8\n", _NTP),
    "grub": Sample("/etc/default/grub", 'GRUB_CMDLINE_LINUX="sysctl.net.ipv4.ip_forward=1"\n', _PY),
    "tuned": Sample("/etc/tuned/x/tuned.conf", "[sysctl]\nnet.core.somaxconn=1\n", {"/etc/tuned/active_profile": "x\n", **_PY}),
    "ufw": Sample("/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n", {"/etc/ufw/ufw.conf": "ENABLED=yes\n", **_PY}),
    "selinux": Sample("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n", _PY),
    "apparmor": Sample("/etc/apparmor.d/usr.bin.python3", "profile x /usr/bin/python3 {\n  network inet tcp,\n}\n", _PY),
    "authbind": Sample("/etc/authbind/byuid/1000", "0.0.0.0/0,80\n", _USER),
    "keepalived": Sample("/etc/keepalived/keepalived.conf", "vrrp_instance a {\n  virtual_ipaddress {\n    10.0.0.1/8\n  }\n}\n", _NTP),
    "system.conf": Sample("/etc/systemd/system.conf", "[Manager]\nDefaultLimitNOFILE=1024\nDefaultEnvironment=A=b\n", _PY),
    "D-Bus service": Sample("/usr/share/dbus-1/system-services/a.service", "[D-BUS Service]\nName=a\nSystemdService=x.service\n", _PY),
    "environment file": Sample("/etc/default/x", "PORT=8080\nA='b c'\n", _X),
    "unit": Sample(
        "/etc/systemd/system/y.service",
        "[Unit]\nAfter=x.service\n[Service]\nType=oneshot\nExecStart=/bin/a ${B}\nEnvironment=B=c\n",
        {**_PY, "/etc/systemd/system/multi-user.target.wants/y.service": "-> ../y.service"},
    ),
    "socket": Sample(
        "/etc/systemd/system/x.socket",
        "[Socket]\nListenStream=127.0.0.1:80\n",
        {**_PY, "/etc/systemd/system/sockets.target.wants/x.socket": "-> ../x.socket"},
    ),
    "timer": Sample(
        "/etc/systemd/system/x.timer",
        "[Timer]\nOnBootSec=1\n",
        {**_PY, "/etc/systemd/system/multi-user.target.wants/x.timer": "-> ../x.timer"},
    ),
    "mount unit": Sample(
        "/etc/systemd/system/c.mount",
        "[Mount]\nWhat=a:/b\nWhere=/c\nType=nfs\n",
        {"/etc/systemd/system/multi-user.target.wants/c.mount": "-> ../c.mount"},
    ),
    "quadlet": Sample(
        "/etc/containers/systemd/x.container", "[Container]\nImage=a\nPublishPort=80:80\n[Install]\nWantedBy=multi-user.target\n", {}
    ),
    "pod of a quadlet": Sample(
        "/etc/containers/systemd/x.kube", "[Kube]\nYaml=/a.yml\nPublishPort=80:80\n[Install]\nWantedBy=multi-user.target\n", {}
    ),
    "init.d": Sample("/etc/init.d/x", _INIT + "exec /usr/bin/socat TCP-LISTEN:80 -\n", _SYSVINIT),
    "OpenRC service": Sample(
        "/etc/init.d/x", "#!/sbin/openrc-run\ncommand=/usr/bin/socat\ncommand_args='TCP-LISTEN:80 -'\ndepend() {\n\tneed net\n}\n", _OPENRC
    ),
    "OpenRC conf.d": Sample(
        "/etc/conf.d/x", "command_args='TCP-LISTEN:80 -'\n", {"/etc/init.d/x": "#!/sbin/openrc-run\ncommand=/usr/bin/socat\n", **_OPENRC}
    ),
    "OpenRC rc.conf": Sample(
        "/etc/rc.conf", "rc_ulimit='-n 1024'\n", {"/etc/init.d/x": "#!/sbin/openrc-run\ncommand=/usr/bin/socat\n", **_OPENRC}
    ),
    "Upstart job": Sample(
        "/etc/init/x.conf",
        "start on (runlevel [2345]\n and startup)\nenv PORT=80\nsetuid a\nscript\n  exec /usr/bin/socat TCP-LISTEN:$PORT -\nend script\n",
        {"/etc/init/rc.conf": "start on runlevel [2345]\n"},
    ),
    "dinit": Sample("/etc/dinit.d/boot", "waits-for = x\ncommand = /usr/bin/socat TCP-LISTEN:80 - # Relay\n", {"/etc/dinit.d/x": ""}),
    "s6": Sample(
        "/etc/s6-overlay/s6-rc.d/user/run", "#!/command/execlineb -P\nforeground { if { true } }\nfdmove -c 2 1 socat TCP-LISTEN:80 -\n", {}
    ),
    "finit": Sample("/etc/finit.d/x.conf", "service :1 [2345] @nobody /usr/bin/socat TCP-LISTEN:80 - -- Relay\n", {"/etc/finit.conf": ""}),
    "runit": Sample("/etc/sv/x/run", "#!/bin/sh\nexec /usr/bin/socat TCP-LISTEN:80 -\n", _RUNIT),
    "inittab": Sample(
        "/etc/inittab",
        "id:2:initdefault:\na1:2345:respawn:/usr/bin/socat TCP-LISTEN:80 -\n",
        {k: v for k, v in _SYSVINIT.items() if k != "/etc/inittab"},
    ),
    "wide passwd of instances": Sample("/etc/passwd", "app:x:1000:1000::/home/app:/bin/sh\n", {"/var/lib/systemd/linger/app": "", **_USER}),
    "shell script": Sample(
        "/x.sh",
        "#!/bin/sh\nA=b\nif [ -f /a ]; then\n  for i in 1 2 3; do socat TCP-LISTEN:808$i - & done\nfi\n"
        "exec /usr/bin/socat TCP-LISTEN:80 ${A:-c}\n",
        services({"x.service": service("/x.sh")}),
    ),
    "Python": Sample("/x.py", "import socket\ns = socket.socket()\ns.bind(('', 8080))\ns.listen()\n", _run("/usr/bin/python3", "/x.py")),
    "Node": Sample(
        "/x.js", "const http = require('http')\nconst p = 80\nhttp.createServer(f).listen(p, '::1')\n", _run("/usr/bin/node", "/x.js")
    ),
    "Ruby": Sample("/x.rb", "require 'socket'\nTCPServer.new('127.0.0.1', 80)\n", _run("/usr/bin/ruby", "/x.rb")),
    "Perl": Sample("/x.pl", "use IO::Socket;\nIO::Socket::INET->new(LocalPort => 80, Listen => 5);\n", _run("/usr/bin/perl", "/x.pl")),
    "PHP": Sample("/x.php", "<?php\nstream_socket_server('tcp://127.0.0.1:80');\n", _run("/usr/bin/php", "/x.php")),
    "Lua": Sample("/x.lua", "local s = require('socket')\ns.bind('127.0.0.1', 80)\n", _run("/usr/bin/lua", "/x.lua")),
    "Tcl": Sample("/x.tcl", "socket -server accept 80\n", _run("/usr/bin/tclsh", "/x.tcl")),
    "Erlang": Sample("/x.erl", "main(_) ->\ngen_tcp:listen(80, []),\nok.\n", _run("/usr/bin/escript", "/x.erl")),
    "compose": Sample("/docker-compose.yml", "services:\n  a:\n    image: a\n    ports:\n      - 80:80\n", {}, is_host=False),
    "manifests": Sample(
        "/k8s.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    ports:\n"
        "    - hostPort: 80\n      containerPort: 80\n---\n",
        {},
        is_host=False,
    ),
    "playbook": Sample("/site.yml", "- hosts: all\n  tasks:\n  - sysctl: {name: net.core.somaxconn, value: 1}\n", {}, is_host=False),
    "role tasks": Sample(
        "/roles/a/tasks/main.yml", "- name: a\n  ansible.posix.sysctl:\n    name: net.ipv4.ip_forward\n    value: '1'\n", {}, is_host=False
    ),
    "role variables": Sample(
        "/roles/a/defaults/main.yml",
        "nginx_port: 80\n",
        {"/roles/a/templates/nginx.conf.j2": "http { server { listen {{ nginx_port }}; } }\n"},
        is_host=False,
    ),
    "template": Sample(
        "/roles/a/templates/nginx.conf.j2",
        "http {\nserver { listen {{ port }}; }\n}\n",
        {"/roles/a/tasks/main.yml": "- template: {src: nginx.conf.j2, dest: /etc/nginx/nginx.conf}\n"},
        is_host=False,
    ),
    "nginx in a repository": Sample("/nginx.conf", "http {\nserver {\nlisten 40000;\n}\n}\n", {}, is_host=False),
    "sysctl in a repository": Sample("/files/etc/sysctl.d/a.conf", "net.ipv4.ip_local_port_range = 1024 65535\n", {}, is_host=False),
    "unit in a repository": Sample("/a.service", "[Service]\nExecStart=/usr/bin/python3 -m http.server 80\n", {}, is_host=False),
    "Dockerfile": Sample("/Dockerfile", 'FROM a\nEXPOSE 80\nCMD ["nginx"]\n', {}, is_host=False),
    "script of a repository": Sample(
        "/install.sh",
        "#!/bin/sh\ncat > /etc/sysctl.d/a.conf <<E\nnet.core.somaxconn = 1\nE\nsysctl -w net.ipv4.ip_local_port_range='1024 65535'\n"
        "printf '[Service]\\nExecStart=/usr/bin/socat TCP-LISTEN:80 -\\n' > /etc/systemd/system/a.service\nsystemctl enable a\n"
        "sed -i 's/80/81/' /etc/systemd/system/a.service\ndocker run -d -p 8080:80 --sysctl net.core.somaxconn=1 image\n",
        {},
        is_host=False,
    ),
    "cloud-config": Sample(
        "/user-data",
        "#cloud-config\nwrite_files:\n- path: /etc/sysctl.d/a.conf\n  content: |\n    net.core.somaxconn = 1\nruncmd:\n- sysctl -w a.b=1\n",
        {},
        is_host=False,
    ),
    "Butane": Sample(
        "/a.bu",
        "variant: fcos\nversion: 1.5.0\nsystemd:\n  units:\n  - name: a.service\n    enabled: true\n    contents: |\n"
        "      [Service]\n      ExecStart=/usr/bin/socat TCP-LISTEN:80 -\n",
        {},
        is_host=False,
    ),
    "kickstart": Sample(
        "/a.ks", "%post\necho net.core.somaxconn = 1 > /etc/sysctl.d/a.conf\nsystemctl enable nginx\n%end\n", {}, is_host=False
    ),
    "preseed": Sample(
        "/preseed.cfg",
        "d-i preseed/late_command string in-target sh -c 'echo net.core.somaxconn=1 > /etc/sysctl.d/a.conf'\n",
        {},
        is_host=False,
    ),
    "Terraform": Sample(
        "/main.tf",
        'resource "aws_instance" "a" {\n  user_data = <<-E\n    #!/bin/sh\n    sysctl -w net.core.somaxconn=${var.n}\n  E\n}\n'
        'variable "n" { default = 1 }\nlocals { a = [1, 2], b = { c = "d" } }\n',
        {},
        is_host=False,
    ),
    "Packer": Sample(
        "/a.pkr.hcl",
        'build {\n  provisioner "shell" {\n    inline = ["sysctl -w net.core.somaxconn=1", "systemctl enable nginx"]\n  }\n}\n',
        {},
        is_host=False,
    ),
    "Packer template": Sample(
        "/a.json",
        '{"builders": [{"type": "docker"}], "provisioners": [{"type": "shell", "inline": ["sysctl -w net.core.somaxconn=1"]}]}\n',
        {},
        is_host=False,
    ),
    "CloudFormation": Sample(
        "/stack.yaml",
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData:\n"
        "        Fn::Base64: |\n          #!/bin/sh\n          sysctl -w net.core.somaxconn=1\n",
        {},
        is_host=False,
    ),
    "Vagrantfile": Sample(
        "/Vagrantfile",
        "Vagrant.configure('2') do |config|\n  config.vm.provision 'shell', inline: <<-E\n    sysctl -w net.core.somaxconn=1\n  E\nend\n",
        {},
        is_host=False,
    ),
    "spec of a package": Sample(
        "/a.spec",
        "Name: a\n%install\ncat > %{buildroot}/etc/sysctl.d/a.conf <<E\nnet.core.somaxconn = 1\nE\n%post\nsysctl --system\n",
        {},
        is_host=False,
    ),
    "Salt state": Sample(
        "/salt/a/init.sls",
        "net.core.somaxconn:\n  sysctl.present:\n    - value: 1\n/etc/sysctl.d/a.conf:\n  file.managed:\n    - contents: |\n"
        "        vm.swappiness = 1\n",
        {},
        is_host=False,
    ),
    "Puppet": Sample(
        "/manifests/init.pp",
        "class a {\n  $p = 80\n  sysctl { 'net.core.somaxconn': value => '1' }\n"
        "  file { '/etc/sysctl.d/a.conf': content => \"a.b = ${p}\\n\" }\n"
        "  service { 'nginx': enable => true }\n}\n",
        {},
        is_host=False,
    ),
    "Chef": Sample(
        "/recipes/default.rb",
        "sysctl 'net.core.somaxconn' do\n  value 1\nend\nfile '/etc/sysctl.d/a.conf' do\n  content \"a.b = 1\\n\"\nend\n",
        {},
        is_host=False,
    ),
    "Nix": Sample(
        "/configuration.nix",
        '{ config, pkgs, ... }: {\n  boot.kernel.sysctl."net.core.somaxconn" = 1;\n'
        "  services.nginx = { enable = true; defaultHTTPListenPort = 80; };\n"
        '  systemd.services.a = { serviceConfig.ExecStart = "/usr/bin/socat TCP-LISTEN:80 -"; };\n}\n',
        {},
        is_host=False,
    ),
    "tuned profile of a repository": Sample("/a/tuned.conf", "[main]\nsummary=a\n[sysctl]\nnet.core.somaxconn=1\n", {}, is_host=False),
    "chart": Sample(
        "/chart/templates/a.yaml",
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      hostNetwork: true\n"
        "      containers:\n"
        "      - name: a\n        ports:\n        - containerPort: {{ .Values.port }}\n---\n",
        {"/chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "/chart/values.yaml": "port: 80\n"},
        is_host=False,
    ),
    "values of a chart": Sample(
        "/chart/values.yaml",
        "port: 80\n",
        {
            "/chart/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n",
            "/chart/templates/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n"
            "  containers:\n  - name: a\n"
            "    ports:\n    - containerPort: {{ .Values.port }}\n",
        },
        is_host=False,
    ),
    "inventory": Sample(
        "/inventory.ini",
        "[web]\nhost[1:3] port=80\n[web:vars]\na=b\n",
        {"/site.yml": "- hosts: web\n  tasks:\n  - sysctl: {name: net.core.somaxconn, value: '{{ port }}'}\n"},
        is_host=False,
    ),
}

_NUMBER = re.compile(r"\b[0-9]{2,5}\b")


def _repeated(text: str, number: int) -> str:
    return text


def _renumbered(text: str, number: int) -> str:
    """Other ports each time, and other names in brackets."""
    text = _NUMBER.sub(lambda found: str((int(found[0]) + number) % 65536), text)
    return re.sub(r"^(\s*\[+[^]\n]*)", rf"\g<1>{number}", text, flags=re.MULTILINE)


def _keyed(text: str, number: int) -> str:
    """The last line, its first word another each time."""
    return re.sub(r"\w+", lambda found: f"{found[0]}{number}", _last(text), count=1)


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip(" \t})]>;")]
    return (lines[-1] if lines else "a") + "\n"


def _line(text: str, number: int) -> str:
    return _last(text)


def _long(text: str, number: int) -> str:
    return _last(text).strip() + " "


def _opened(text: str, number: int) -> str:
    return next((each for each in ("{\n", "(", "[", "<a>") if each[0] in text), "{ [ ( ")


SHAPES: dict[str, Callable[[str, int], str]] = {
    "repeated": _repeated, "other numbers": _renumbered, "one line": _line, "other keys": _keyed, "a long line": _long, "nested": _opened,
}  # fmt: skip


def grown(sample: Sample, shape: str, share: int = 1) -> str:
    """A sample repeated in a shape until it is as large as may be, or a share of that."""
    make = SHAPES[shape]
    head = sample.text if shape not in ("repeated", "other numbers") else ""
    room = MOST_WORDS_OF_A_FILE * 97 // 100 - weight(head.encode())
    trial = "".join(make(sample.text, number) for number in range(64)).encode()
    count = min(room * 64 // max(weight(trial), 1), (MOST_BYTES - len(head)) * 64 // max(len(trial), 1)) // share
    return head + "".join(make(sample.text, number) for number in range(count))


def _files(sample: Sample, text: str) -> dict[str, str]:
    return {**(HOST if sample.is_host else {}), **sample.around, sample.path: text}


def _together(samples: Sequence[Sample], share: int) -> dict[str, str]:
    """The files of several samples on one host, each started by a unit of its own."""
    found: dict[str, str] = {}
    for number, sample in enumerate(samples):
        unit = f"x{number}.service"
        files = _files(sample, grown(sample, "other numbers", share))
        found |= {path.replace("x.service", unit): text.replace("x.service", unit) for path, text in files.items()}
    return found


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, and how it ended."""

    seconds: float
    mib: float
    code: int


def run(files: Mapping[str, str], command: tuple[str, ...] = ("check",)) -> Cost:
    """What one command costs on a host of these files, in a process of its own that has everything imported."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))  # noqa: S108  a place of its own in it
    try:
        lay(files, folder / "h")
        child = os.fork()
        if child == 0:
            _child(folder, command)
        _, status, used = os.wait4(child, 0)
        return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
    finally:
        shutil.rmtree(folder)


def _child(folder: Path, command: tuple[str, ...]) -> None:
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        out = os.open(folder / "out", os.O_WRONLY | os.O_CREAT)
        os.dup2(out, 1)
        os.dup2(out, 2)
        from portwright.cli import main as portwright

        planned = ["-o", str(folder / "plan.yml")] if command[0] == "fix" else []
        words = [word.replace("@", str(folder / "h")) for word in command]
        code = portwright([*words, *planned, *([] if words != list(command) else [str(folder / "h")])])
        sys.stdout.flush()
    finally:
        os._exit(code)


def verdict(costs: Sequence[Cost], is_honest: bool = False) -> str:
    """What is wrong with what a host costs at its sizes, "" where nothing is."""
    if any(each.code not in _ENDS for each in costs):
        return f"ended with {costs[-1].code}"
    if is_honest and any(each.code == _INCOMPLETE for each in costs):
        return "cut off"
    if any(each.seconds > MOST_SECONDS for each in costs):
        return "too slow"
    if any(each.mib > MOST_MIB for each in costs):
        return "too large"
    return "square" if len(costs) > 1 and costs[-1].seconds > _NOTICED and costs[-1].seconds > 3 * costs[-2].seconds else ""


class _Table:
    """The lines that are printed, and how many of them say that something is wrong."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._parts = parts
        self.bad = self.done = 0
        print(f"{'host':46} {'4n':>9} {'CPU s at n, 2n, 4n':>22} {'ratio':>5} {'MiB at n, 2n, 4n':>18} exit")

    def wants(self, name: str) -> bool:
        return not self._parts or any(part in name for part in self._parts)

    def row(self, name: str, size: int, costs: Iterable[Cost], is_honest: bool = False, only_dear: bool = False) -> None:
        """One host at three sizes; what does not end is not tried at twice the size."""
        found: list[Cost] = []
        for each in costs:
            found.append(each)
            if each.code not in _ENDS:
                break
        wrong = verdict(found, is_honest)
        self.bad += bool(wrong)
        self.done += 1
        if only_dear and not wrong and all(each.seconds < MOST_SECONDS / 2 and each.mib < MOST_MIB / 2 for each in found):
            return
        seconds = " ".join(f"{each.seconds:6.2f}" for each in found)
        mib = " ".join(f"{each.mib:5.0f}" for each in found)
        ratio = found[-1].seconds / found[-2].seconds if len(found) > 1 else 0.0
        print(f"{name:46} {size:9} {seconds:>22} {ratio:5.1f} {mib:>18} {found[-1].code:3} {wrong}", flush=True)


def main() -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help="parts of names (default: all)")
    parser.add_argument("--all", action="store_true", help="print what every reader costs, not only the dearest")
    options = parser.parse_args()
    import portwright.cli  # noqa: F401  so that each child has it

    table = _Table(options.part)
    for name, construction in CONSTRUCTIONS.items():
        if table.wants(name):
            costs = (run(construction.files(size), construction.command) for size in sizes(construction))
            table.row(name, 4 * construction.n, costs)
    for name, honest in HONEST.items():
        if table.wants(f"honest: {name}"):
            costs = (run({**HOST, **honest.contents(honest.largest // share)}) for share in (4, 2, 1))
            table.row(f"honest: {name}", honest.largest, costs, is_honest=True)
    samples = {**{f"system/{name}": sample for name, sample in SYSTEM.items()}, **{f"app/{name}": sample for name, sample in daemons()}}
    for name, sample in samples.items():
        if not table.wants(name):
            continue
        least = run(_files(sample, sample.text))
        for shape in SHAPES:
            tried = run(_files(sample, grown(sample, shape, 8)))
            if tried.code in _ENDS and tried.seconds - least.seconds < _EIGHTH_OF_SECONDS and tried.mib - least.mib < _EIGHTH_OF_MIB:
                continue
            costs = (run(_files(sample, grown(sample, shape, share))) for share in (4, 2, 1))
            table.row(f"{name}: {shape}", len(grown(sample, shape)), costs, only_dear=not options.all)
    hosts = [name for name, sample in samples.items() if sample.is_host]
    for first in range(0, len(hosts), 4):
        chosen = [samples[name] for name in hosts[first : first + 4]]
        name = f"together: {', '.join(name.partition('/')[2] for name in hosts[first : first + 4])}"
        if table.wants(name):
            whole = sum(len(text) for text in _together(chosen, 1).values())
            table.row(name, whole, (run(_together(chosen, share)) for share in (4, 2, 1)), only_dear=not options.all)
    print(f"{table.done} hosts, {table.bad} of them too dear or cut off")
    return 1 if table.bad else 0


if __name__ == "__main__":
    sys.exit(main())
