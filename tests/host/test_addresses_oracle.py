"""The answers to an address held against the kernel, in a network namespace of their own (needs root, skipped without)."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.host.test_addresses import DISABLED, INTERFACES, ROWS

# Binds each socket as described on standard input, under kernel settings, and prints what the kernel answered.
BINDS = r"""
import errno, json, socket as s, subprocess, sys

rows, interfaces = json.load(sys.stdin)
make = ["ip link set lo up", "ip link add d0 type veth peer name d1", "ip link set d0 up", "ip link set d1 up"]
for interface, address, prefix in interfaces:
    if address not in ("127.0.0.1", "::1"):
        more = "nodad" if ":" in address else "brd +" if prefix < 31 else ""
        make.append(f"ip addr add {address}/{prefix} {more} dev {interface}")
for line in make:
    subprocess.run(line.split(), check=True)


def written(key, value):
    place = "/proc/sys/" + key.replace(".", "/")
    before = open(place).read()
    open(place, "w").write(value)
    return place, before


def bound(address, asked):
    six = ":" in address
    sock = s.socket(s.AF_INET6 if six else s.AF_INET, s.SOCK_STREAM)
    text, _, scope = address.partition("%")
    try:
        if six and asked.get("v6only") is not None:
            sock.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, int(asked["v6only"]))
        if asked.get("free_bind"):
            sock.setsockopt(*((s.IPPROTO_IPV6, 78, 1) if six else (s.IPPROTO_IP, 15, 1)))
        if asked.get("interface"):
            sock.setsockopt(s.SOL_SOCKET, 25, asked["interface"].encode() + b"\0")
        sock.bind((text, 8080, 0, s.if_nametoindex(scope) if scope else 0) if six else (text, 8080))
        sock.listen(1)
    except OSError as error:
        return errno.errorcode[error.errno]
    finally:
        sock.close()


answers = []
for address, asked, settings in rows:
    before = [written(key, value) for key, value in settings.items()]
    answers.append(bound(address, asked))
    for place, value in before:
        open(place, "w").write(value)
print(json.dumps(answers))
"""


def test_the_kernel_answers_as_is_said() -> None:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip"))):
        pytest.skip("needs root, unshare and ip")
    rows = [(address, asked, settings) for address, asked, settings, _ in ROWS]
    # Those that take IPv6 addresses away for good come last; what is left of them is not asked for again.
    away = [(settings, address, error) for settings, address, error in DISABLED if "2001" not in address or error is not None]
    rows += [(address, {"v6only": False}, settings) for settings, address, _ in away]
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", BINDS], input=json.dumps([rows, INTERFACES]), capture_output=True, text=True, check=False
    )
    if done.returncode and "unshare failed" in done.stderr:
        pytest.skip("may not make a network namespace")
    assert "" == done.stderr

    said = [error for *_, error in ROWS] + [error for *_, error in away]
    assert list(zip(rows, said, strict=True)) == list(zip(rows, json.loads(done.stdout), strict=True))
