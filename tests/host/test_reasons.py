"""No reason for which a service never listens stays silent: each that the join can give is named by a rule."""

import re
from pathlib import Path

import pytest

from portwright.host.reading import read_host
from portwright.rules import check, load
from portwright.shipped import rules_directory
from portwright.trees.memory import MemoryTree

RULES = load([rules_directory()])
SOURCES = Path(__file__).parents[2] / "src" / "portwright"
HOST: dict[str, str | bytes] = {
    "/etc/hostname": b"host1\n",
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nweb:x:990:990::/:/bin/sh\n",
    "/etc/group": b"root:x:0:\nweb:x:990:\n",
    "/.portwright/addresses": b"1: lo    inet 127.0.0.1/8 scope host lo\n2: ens3    inet 192.0.2.7/24 scope global ens3\n",
    "/.portwright/filecaps": b"/usr/bin/prober cap_net_raw=ep\n",
}
WHOLE = {"/usr/bin/env": b"ELF", "/bin/sh": b"ELF", "/usr/bin/python3": b"ELF", "/usr/bin/test": b"ELF"}
SERVER = "ExecStart=/usr/bin/python3 -m http.server 8080"
# The reason, what the service says in its unit, what else is on the host, and the rule that names it.
REASONS: dict[str, tuple[str, dict[str, bytes], str]] = {
    "EACCES": ("User=web\nExecStart=/usr/bin/python3 -m http.server 80", {}, "low-port-without-capability"),
    "EADDRNOTAVAIL": (f"{SERVER} --bind 192.0.2.99", {}, "address-not-on-this-host"),
    "EINVAL": (f"{SERVER} --bind fe80::1", {}, "address-the-kernel-refuses"),
    "ENODEV": ("ExecStart=/usr/bin/socat TCP-LISTEN:8080,so-bindtodevice=eth9 -", {}, "interface-not-on-this-host"),
    "EAFNOSUPPORT": (f"{SERVER}\nRestrictAddressFamilies=AF_UNIX", {}, "sandbox-without-network"),
    "EPERM": (f"{SERVER}\nSystemCallFilter=~@network-io", {}, "sandbox-without-network"),
    "200/CHDIR": (f"{SERVER}\nWorkingDirectory=/home/pi", {"/home/kim/.profile": b"umask 022\n"}, "working-directory-not-on-this-host"),
    "202/FDS": (f"{SERVER}\nOpenFile=/srv/data", WHOLE, "named-file-not-on-this-host"),
    "208/STDIN": (f"{SERVER}\nStandardInput=file:/etc/commands", {}, "named-file-not-on-this-host"),
    "209/STDOUT": (f"{SERVER}\nStandardOutput=append:/srv/log/out", WHOLE, "named-file-not-on-this-host"),
    "222/STDERR": (f"{SERVER}\nStandardError=append:/srv/log/out", WHOLE, "named-file-not-on-this-host"),
    "226/NAMESPACE": (f"{SERVER}\nReadWritePaths=/srv/data", WHOLE, "sandbox-path-not-on-this-host"),
    "231/APPARMOR": (
        f"{SERVER}\nAppArmorProfile=web",
        {"/etc/apparmor.d/dns": b"profile dns /usr/sbin/dns {\n}\n", "/etc/runlevels/boot/apparmor": b""},
        "named-file-not-on-this-host",
    ),
    "243/CREDENTIALS": (f"{SERVER}\nLoadCredential=a:/etc/a", WHOLE, "named-file-not-on-this-host"),
    "exit-code": (f"{SERVER}\nExecStartPre=/usr/bin/test -e /etc/a", WHOLE, "program-not-on-this-host"),
    "a program": (f"{SERVER}\nExecStartPre=/opt/a", WHOLE, "program-not-on-this-host"),
    "ended": ("ExecStart=/bin/sh -c 'python3 -m http.server 8080 &'", {}, "killed-with-its-shell"),
    "timeout": (f"{SERVER}\nType=forking", {}, "service-type-unlike-program"),
    "daemonized": ("ExecStart=/usr/bin/gunicorn --daemon app", {}, "service-type-unlike-program"),
    "203/EXEC": ("CapabilityBoundingSet=CAP_CHOWN\nExecStart=/usr/bin/prober", {}, "bounding-set-bars-program"),
    "216/GROUP": (f"{SERVER}\nGroup=nosuch", {}, "unknown-user-or-group"),
    "217/USER": (f"{SERVER}\nUser=nosuch", {}, "unknown-user-or-group"),
    "218/CAPABILITIES": (
        f"{SERVER}\nUser=web\nAmbientCapabilities=CAP_NET_BIND_SERVICE",
        {"/.portwright/kernel": b"3.10.0-327.el7.x86_64\n"},
        "ambient-capabilities-unknown-to-kernel",
    ),
    "resources": (f"{SERVER}\nEnvironmentFile=/etc/default/gone", {}, "missing-environment-file"),
    "never-started": (f"{SERVER}\n{SERVER}", {}, "unit-refused-by-systemd"),
    "no kernel IPv6": (
        "ExecStart=/usr/bin/socat TCP6-LISTEN:8080 -",
        {"/.portwright/cmdline": b"ro ipv6.disable=1\n"},
        "ipv6-listener-without-ipv6",
    ),
}


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_for_which_a_service_never_listens_is_named_by_a_rule(reason: str) -> None:
    service, more, rule = REASONS[reason]
    unit = f"[Service]\n{service}\n[Install]\nWantedBy=multi-user.target\n".encode()
    wanted = "/etc/systemd/system/multi-user.target.wants/x.service"
    host = read_host(MemoryTree({**HOST, **more, "/etc/systemd/system/x.service": unit, wanted: "-> ../x.service"}), "host1")

    assert rule in {finding.card.id for finding in check(host, RULES)}


def test_no_other_reason_is_given_anywhere() -> None:
    given: set[str] = set()
    for path in ("host/join", "system/systemd", "system/processes"):
        for file in (SOURCES / path).glob("*.py"):
            text = file.read_text(encoding="utf-8")
            given |= set(re.findall(r'Permission\(False, "([^"]+)"', text))
            given |= set(re.findall(r'fails(?: =|=)(?: privileges\.fails or)? "([^"]+)"', text))
            given |= set(re.findall(r'"(\d{3}/[A-Z]+|exit-code|ended|timeout|daemonized)"', text))

    assert {"EACCES", "EADDRNOTAVAIL", "203/EXEC", "217/USER", "216/GROUP"} <= given
    assert set() == given - set(REASONS)
