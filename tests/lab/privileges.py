"""Who can bind a low port: one unit for each arrangement, started on a booted host, held against what portwright says of it beforehand."""

import shutil
import subprocess
import sys
from pathlib import Path

from portwright.facts import Invocation
from portwright.host.join.privilege import may_bind
from portwright.system.host_files.captures import captured
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.directory import DirectoryTree
from tests.lab import machine

BIND = "CAP_NET_BIND_SERVICE"
AC, SVC = f"AmbientCapabilities={BIND}", "User=svc"
BT, WITH_FILE, INHERITABLE, SETUID, SCRIPT = (f"/usr/local/bin/{name}" for name in ("bt", "bt-ep", "bt-i", "bt-suid", "bt-script"))

# (lines of [Service], ExecStart=), by the number the arrangement has in the table of tests/host/test_privilege.py.
ROWS: dict[str, tuple[tuple[str, ...], str]] = {
    "1-nothing": ((), BT),
    "1-root": (("User=root",), BT),
    "1-zero": (("User=0",), BT),
    "1-reset": ((SVC, "User="), BT),
    "1-group": (("Group=svc",), BT),
    "2-nnp": (("NoNewPrivileges=yes",), BT),
    "3-bounded": ((f"CapabilityBoundingSet={BIND}",), BT),
    "4-empty": (("CapabilityBoundingSet=",), BT),
    "5-other": (("CapabilityBoundingSet=CAP_CHOWN",), BT),
    "5-without": ((f"CapabilityBoundingSet=~{BIND}",), BT),
    "6-united": (("CapabilityBoundingSet=CAP_CHOWN", f"CapabilityBoundingSet={BIND}"), BT),
    "7-reset": ((f"CapabilityBoundingSet={BIND}", "CapabilityBoundingSet=", "CapabilityBoundingSet=CAP_CHOWN"), BT),
    "8-given-back": ((SVC, AC, f"CapabilityBoundingSet=~{BIND} CAP_SYS_ADMIN", f"CapabilityBoundingSet={BIND}"), BT),
    "9-noroot": (("SecureBits=noroot",), BT),
    "10-noroot-ambient": (("SecureBits=noroot", AC), BT),
    "11-ambient-root": ((AC,), BT),
    "12-user": ((SVC,), BT),
    "13-ambient": ((SVC, AC), BT),
    "13-nnp": ((SVC, AC, "NoNewPrivileges=yes"), BT),
    "13-bounded": ((SVC, AC, f"CapabilityBoundingSet={BIND}"), BT),
    "13-families": ((SVC, AC, "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"), BT),
    "13-filter": ((SVC, AC, "SystemCallFilter=@system-service", "ProtectSystem=yes"), BT),
    "14-empty": ((SVC, AC, "CapabilityBoundingSet="), BT),
    "14-other": ((SVC, AC, "CapabilityBoundingSet=CAP_CHOWN"), BT),
    "14-without": ((SVC, AC, f"CapabilityBoundingSet=~{BIND}"), BT),
    "15-bounding-alone": ((SVC, f"CapabilityBoundingSet={BIND}"), BT),
    "16-reset": ((SVC, AC, "AmbientCapabilities="), BT),
    "17-united": ((SVC, "AmbientCapabilities=CAP_CHOWN", AC), BT),
    "18-inverted": ((SVC, "AmbientCapabilities=~CAP_SYS_ADMIN"), BT),
    "19-inverted": ((SVC, f"AmbientCapabilities=~{BIND}"), BT),
    "20-lower": ((SVC, "AmbientCapabilities=cap_net_bind_service"), BT),
    "20-quoted": ((SVC, f'AmbientCapabilities="{BIND}"'), BT),
    "20-number": ((SVC, "AmbientCapabilities=10"), BT),
    "21-bare": ((SVC, "AmbientCapabilities=NET_BIND_SERVICE"), BT),
    "21-cap-10": ((SVC, "AmbientCapabilities=cap_10"), BT),
    "21-comma": ((SVC, f"AmbientCapabilities=CAP_CHOWN,{BIND}"), BT),
    "21-continued": ((SVC, "AmbientCapabilities=CAP_NET_\\", "BIND_SERVICE"), BT),
    "22-bogus": ((SVC, f"AmbientCapabilities=CAP_BOGUS {BIND}"), BT),
    "22-comment": ((SVC, f"AmbientCapabilities={BIND} # text"), BT),
    "23-dynamic": (("DynamicUser=yes",), BT),
    "24-dynamic-ambient": (("DynamicUser=yes", AC), BT),
    "25-dynamic-root": (("DynamicUser=yes", "User=root"), BT),
    "26-private-users": (("PrivateUsers=yes",), BT),
    "26-private-users-ambient": (("PrivateUsers=yes", SVC, AC), BT),
    "26-private-users-file": (("PrivateUsers=yes", SVC), WITH_FILE),
    "27-private-both": (("PrivateUsers=yes", "PrivateNetwork=yes", SVC, AC), BT),
    "28-private-network": (("PrivateNetwork=yes",), BT),
    "28-private-network-ambient": (("PrivateNetwork=yes", SVC, AC), BT),
    "28-private-network-user": (("PrivateNetwork=yes", SVC), BT),
    "29-unix": (("RestrictAddressFamilies=AF_UNIX",), BT),
    "30-bind": (("SystemCallFilter=~bind",), BT),
    "30-network-io": (("SystemCallFilter=~@network-io",), BT),
    "30-bind-with-error": (("SystemCallFilter=~bind", "SystemCallErrorNumber=EPERM"), BT),
    "31-socket-bind-deny": (("SocketBindDeny=any",), BT),
    "32-plus": ((SVC,), f"+{BT}"),
    "32-plus-bounded": ((SVC, "CapabilityBoundingSet=", "NoNewPrivileges=yes"), f"-+{BT}"),
    "33-bang": ((SVC,), f"!{BT}"),
    "33-bang-bounded": ((SVC, "CapabilityBoundingSet=CAP_CHOWN"), f"!{BT}"),
    "34-bang-bang": ((SVC,), f"!!{BT}"),
    "35-dash": ((SVC,), f"-{BT}"),
    "35-at": ((SVC,), f"@{BT} bt"),
    "35-colon": ((SVC,), f":{BT}"),
    "36-start-only": ((SVC, "PermissionsStartOnly=yes"), BT),
    "37-file": ((SVC,), WITH_FILE),
    "37-file-sandboxed": ((SVC, "PrivateTmp=yes", "ProtectSystem=yes", f"CapabilityBoundingSet={BIND} CAP_CHOWN"), WITH_FILE),
    **{
        f"38-{line.partition('=')[0]}": ((SVC, line), WITH_FILE)
        for line in (
            "NoNewPrivileges=yes", "SystemCallFilter=@system-service", "RestrictAddressFamilies=AF_INET AF_INET6", "PrivateDevices=yes",
            "ProtectKernelTunables=yes", "MemoryDenyWriteExecute=yes", "RestrictSUIDSGID=yes", "LockPersonality=yes", "ProtectClock=yes",
            "ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes", "RestrictNamespaces=yes", "RestrictRealtime=yes",
            "SystemCallArchitectures=native", "SystemCallLog=mount",
        )
    },
    "38-dynamic": (("DynamicUser=yes",), WITH_FILE),
    "39-bounded": ((SVC, "CapabilityBoundingSet=CAP_CHOWN"), WITH_FILE),
    "39-bounded-root": (("CapabilityBoundingSet=CAP_CHOWN",), WITH_FILE),
    "40-inheritable": ((SVC, AC), INHERITABLE),
    "41-script": ((SVC,), SCRIPT),
    "42-setuid": ((SVC,), SETUID),
    "42-setuid-nnp": ((SVC, "NoNewPrivileges=yes"), SETUID),
    "43-runuser": ((), f"/sbin/runuser -u svc -- {BT}"),
    "43-su": ((), f"/bin/su svc -s /bin/sh -c {BT}"),
    "43-setpriv": ((), f"/usr/bin/setpriv --reuid svc --clear-groups {BT}"),
    "44-setpriv": ((), f"/usr/bin/setpriv --reuid svc --clear-groups --inh-caps +net_bind_service --ambient-caps +net_bind_service {BT}"),
    "45-sh": ((SVC, AC), f"/bin/sh -c 'exec {BT}'"),
    "45-script": ((SVC, AC), SCRIPT),
    "47-comment": (("User=svc # comment",), BT),
    "47-unknown": (("User=nosuch",), BT),
    "47-number": (("User=4711",), BT),
    "48-lower": (("user=svc",), BT),
}  # fmt: skip

# The effective user, and what bind() to port 80 of 127.0.0.1 answers.
PROGRAM = r"""
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
int main(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int s = socket(AF_INET, SOCK_STREAM, 0), failed = s < 0 || bind(s, (void *)&a, sizeof a), e = failed ? errno : 0;
  printf("%s %s\n", geteuid() ? "user" : "root",
         !e ? "ok" : e == EACCES ? "EACCES" : e == EPERM ? "EPERM" : e == EAFNOSUPPORT ? "EAFNOSUPPORT" : "other");
}
"""
# SystemCallFilter= kills with SIGSYS (31) where SystemCallErrorNumber= names no error; either way there is no socket.
_STATUS = {"217": "217/USER", "203": "203/EXEC", "31": "root EPERM"}


def build(root: Path) -> None:
    """Compile the program, static, and make its copies with file capabilities and setuid."""
    source = root / "bt.c"
    source.write_text(PROGRAM)
    subprocess.run(["gcc", "-static", "-O", "-o", str(root) + BT, str(source)], check=True)
    for copy in (WITH_FILE, INHERITABLE, SETUID):
        shutil.copy(str(root) + BT, str(root) + copy)
    subprocess.run(["setcap", "cap_net_bind_service=ep", str(root) + WITH_FILE], check=True)
    subprocess.run(["setcap", "cap_net_bind_service=i", str(root) + INHERITABLE], check=True)
    Path(str(root) + SETUID).chmod(0o4755)


def predicted(invocation: Invocation) -> str:
    """What portwright says of the command: who it is, and what bind() answers, or why it is never started."""
    privileges = invocation.privileges
    if privileges.fails:
        return privileges.fails
    answer = may_bind(privileges, "inet", "tcp", 80, 1024)
    root = privileges.uid0 or (privileges.setuid_root and not privileges.no_new_privileges)
    return f"{'root' if root else 'user'} {'ok' if answer.allowed else answer.error}"


def main() -> int:
    units = {
        f"/etc/systemd/system/pw-{name}.service": "\n".join(
            ("[Service]", "Type=oneshot", *lines, f"ExecStart={command}", f"StandardOutput=file:/run/pw-{name}", "")
        )
        for name, (lines, command) in ROWS.items()
    }
    with machine.machine("privileges") as host:
        host.write({**units, SCRIPT: f"#!/bin/sh\nexec {BT}\n"})
        host.write({"/etc/systemd/system/pw-48-section.service": units["/etc/systemd/system/pw-48-lower.service"].replace("user=svc\n", "")
                    .replace("[Service]", f"[Unit]\n{SVC}\n[Service]").replace("pw-48-lower", "pw-48-section")})  # fmt: skip
        build(host.root)
        host.chroot("useradd", "--system", "--shell", "/bin/sh", "svc")
        host.boot()
        names = sorted(path.name.removesuffix(".service") for path in (host.root / "etc/systemd/system").glob("pw-*.service"))
        # One after the other: they all want the same port, which nginx has.
        host.run(f"systemctl stop nginx; for unit in {' '.join(names)}; do systemctl start $unit; done")
        shown = host.run(
            f"for unit in {' '.join(names)}; do systemctl show -P ExecMainStatus $unit; cat /run/$unit 2>&1; echo ---; done"
        ).stdout
        with DirectoryTree(str(host.root)) as tree:
            files = Files(tree)
            loaded, known = load(files), captured(files)
            ours = {}
            for name in names:
                unit = loaded.get(f"{name}.service")
                ours[name] = [predicted(each) for each in invocations(unit, loaded, files, known)] if unit else []
    wrong = 0
    for name, block in zip(names, shown.split("---\n"), strict=False):
        status, _, said = block.partition("\n")
        measured = _STATUS.get(status, said.strip() or f"status {status}")
        if ours[name] != [measured]:
            wrong += 1
            print(f"{name}: {measured}, portwright says {', '.join(ours[name])}")
    print(f"{len(names)} arrangements, {wrong} of which portwright predicts otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
