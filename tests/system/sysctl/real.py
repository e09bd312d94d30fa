"""What the real kernel, systemd-sysctl and procps make of values and files, asked inside a network namespace of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import pytest

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
START = "net.ipv4.ip_unprivileged_port_start"

_SYSTEMD_SYSCTL = "/usr/lib/systemd/systemd-sysctl"

_WRITE = """
import json, sys

def path(key):
    return "/proc/sys/" + key.replace(".", "/")

for key, before, text in json.load(sys.stdin):
    for name, value in before:
        with open(path(name), "w") as file:
            file.write(value)
    error = 0
    try:
        with open(path(key), "wb", 0) as file:
            rest = text.encode("utf-8", "surrogateescape") + b"\\n"
            while rest:
                rest = rest[file.write(rest):]
    except OSError as refused:
        error = refused.errno
    with open(path(key)) as file:
        print(json.dumps([error, file.read().strip("\\n")]))
"""

_READ = """
import json, os, sys

held = {}
for path in json.load(sys.stdin):
    if os.path.isfile("/proc/sys/" + path):
        with open("/proc/sys/" + path) as file:
            held[path] = " ".join(file.read().split())
print(json.dumps(held))
"""

_LOAD = """
import json, os, subprocess, sys

systemd, keys, hosts = json.load(sys.stdin)

def path(key):
    return "/proc/sys/" + key.replace(".", "/")

def values():
    held = {}
    for key in keys:
        with open(path(key)) as file:
            held[key] = " ".join(file.read().split())
    return held

fresh = values()
mounts = ["/etc", "/run", "/usr/lib/sysctl.d"]
for number, host in enumerate(hosts):
    for mount in mounts:
        if number:
            subprocess.run(["umount", mount], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", mount], check=True)
    with open(path("net.ipv4.ip_unprivileged_port_start"), "w") as file:
        file.write("0")
    for key in keys:
        with open(path(key), "w") as file:
            file.write(fresh[key] + "\\n")
    for name, content in host.items():
        os.makedirs(os.path.dirname(name), exist_ok=True)
        if content.startswith("-> "):
            os.symlink(content[3:], name)
        else:
            with open(name, "wb") as file:
                file.write(content.encode("utf-8", "surrogateescape"))
    subprocess.run([systemd], stderr=subprocess.DEVNULL)
    boot = values()
    subprocess.run(["sysctl", "-q", "--system"], stderr=subprocess.DEVNULL)
    print(json.dumps({"boot": boot, "reload": values()}))
"""


def writes(jobs: Sequence[tuple[str, Sequence[tuple[str, str]], str]]) -> list[tuple[int, str]]:
    """For each (key, what to write to other keys before, text): the error number of writing it, and what the key then holds."""
    _need_namespace("-n")
    return [(error, held) for error, held in _ask(["-n"], _WRITE, jobs)]


def fresh(paths: Sequence[str]) -> dict[str, str]:
    """What a new namespace holds at those of the paths below /proc/sys that are there."""
    _need_namespace("-n")
    return cast("dict[str, str]", _ask(["-n"], _READ, paths)[0])


def loads(keys: Sequence[str], hosts: Sequence[Mapping[str, str]]) -> list[dict[str, dict[str, str]]]:
    """For each host, what its keys hold after systemd-sysctl ("boot") and after a `sysctl --system` that follows ("reload").

    The hosts' files, below /etc, /run and /usr/lib/sysctl.d, lie in file systems in memory that only the asking processes see.
    """
    _need_namespace("-mn")
    if not os.access(_SYSTEMD_SYSCTL, os.X_OK) or shutil.which("sysctl") is None:
        pytest.skip("systemd-sysctl or procps is not installed")
    return cast("list[dict[str, dict[str, str]]]", _ask(["-mn"], _LOAD, [_SYSTEMD_SYSCTL, keys, hosts]))


def _ask(namespaces: list[str], program: str, question: object) -> list[Any]:
    command = ["unshare", *namespaces, sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@cache
def _has_namespace(kind: str) -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = "test -w /proc/sys/net/ipv4/ip_local_port_range" + (" && mount -t tmpfs none /run" if "m" in kind else "")
    return subprocess.run(["unshare", kind, "sh", "-c", probe], capture_output=True, check=False).returncode == 0


def _need_namespace(kind: str) -> None:
    if not _has_namespace(kind):
        pytest.skip("no namespace of our own here: that takes root and unshare")
