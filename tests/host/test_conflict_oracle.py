"""Held against the kernel: the same two sockets are bound in a network namespace of their own (needs root, skipped without)."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from portwright.host.conflict import claim, collide
from tests.host.test_conflict import ADDRESSES, OPTIONS
from tests.rules.facts import listener

# Binds pairs of sockets as described on standard input and prints whether the second was refused.
BINDS = r"""
import errno, json, os, socket as s, subprocess, sys

subprocess.run("ip link set lo up; ip addr add 10.0.0.1/32 dev lo", shell=True, check=True)


def opened(address, v6only, udp, ra, rp, uid):
    six = ":" in address or address == "*"
    os.seteuid(uid)
    sock = s.socket(s.AF_INET6 if six else s.AF_INET, s.SOCK_DGRAM if udp else s.SOCK_STREAM)
    if six:
        sock.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, int(bool(v6only)))
    sock.setsockopt(s.SOL_SOCKET, s.SO_REUSEADDR, int(bool(ra)))
    sock.setsockopt(s.SOL_SOCKET, s.SO_REUSEPORT, int(bool(rp)))
    try:
        sock.bind(("::" if address == "*" else address, 8080))
        udp or sock.listen(1)
    except OSError as error:
        sock.close()
        return error.errno
    finally:
        os.seteuid(0)
    return sock


answers = []
for first, second in json.load(sys.stdin):
    one = opened(*first)
    assert not isinstance(one, int), (first, errno.errorcode[one])
    two = opened(*second)
    answers.append(two if isinstance(two, int) else 0)
    one.close()
    isinstance(two, int) or two.close()
print(json.dumps(answers))
"""


def _socket(described: dict[str, Any]) -> list[Any]:
    """The arguments of `opened` for a listener; users are told apart by a number."""
    uid = {"app": 1000, "other": 1001}[described.get("bind_user", "app")]
    udp = described.get("protocol") == "udp"
    address = described.get("address", "0.0.0.0")  # noqa: S104
    return [address, described.get("v6only"), udp, described.get("reuse_address", True), described.get("reuse_port", False), uid]


def _pairs() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for one, only, other, other_only, _ in ADDRESSES:
        # A link-local address needs an interface that has it.
        if "fe80" not in one + other:
            first, second = {"address": one, "v6only": only}, {"address": other, "v6only": other_only}
            pairs += [(first, second), (second, first)]
    for shared, changed, _ in OPTIONS:
        known = {**shared, **changed}
        if (
            None not in known.values()
            and None not in shared.values()
            and known.keys() <= {"protocol", "bind_user", "reuse_address", "reuse_port"}
        ):
            pairs += [(shared, known), (known, shared)]
    return pairs


def test_the_kernel_refuses_what_is_said_to_collide_and_nothing_else() -> None:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip"))):
        pytest.skip("needs root, unshare and ip")
    pairs = _pairs()
    asked = json.dumps([[_socket(one), _socket(other)] for one, other in pairs])
    done = subprocess.run(["unshare", "-n", sys.executable, "-c", BINDS], input=asked, capture_output=True, text=True, check=False)
    if done.returncode and "unshare failed" in done.stderr:
        pytest.skip("may not make a network namespace")
    assert "" == done.stderr

    said = []
    for one, other in pairs:
        first, second = claim(listener(8080, **one)), claim(listener(8080, **{"unit": "b.service", **other}))
        assert first is not None
        assert second is not None
        said.append(collide(first, second))

    assert [(pair, answer != 0) for pair, answer in zip(pairs, json.loads(done.stdout), strict=True)] == list(zip(pairs, said, strict=True))
