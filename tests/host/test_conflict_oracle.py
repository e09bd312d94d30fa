"""Held against the kernel: the same two sockets are bound in a network namespace of their own (needs root, skipped without)."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from portwright.host.join.conflict import Claim, claim, collide
from tests.host.test_conflict import ADDRESSES, OPTIONS
from tests.rules.facts import host, listener

# Binds pairs of sockets as described on standard input and prints whether the second was refused.
BINDS = r"""
import errno, json, os, socket as s, subprocess, sys

subprocess.run(
    "ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip link add eth0 type veth peer name eth1; ip link set eth0 up;"
    "ip link set eth1 up; ip addr add fe80::1/64 dev eth0 nodad; ip addr add fe80::1/64 dev eth1 nodad",
    shell=True, check=True,
)


def opened(address, v6only, udp, ra, rp, uid, interface, ports):
    # All sockets of a range, or the error of the first that is refused.
    socks = []
    for port in range(ports[0], ports[1] + 1):
        sock = one_opened(address, v6only, udp, ra, rp, uid, interface, port)
        if isinstance(sock, int):
            closed(socks)
            return sock
        socks.append(sock)
    return socks


def closed(socks):
    for sock in socks:
        sock.close()


def one_opened(address, v6only, udp, ra, rp, uid, interface, port):
    six = ":" in address or address == "*"
    text, _, scope = address.partition("%")
    place = ("::" if address == "*" else text, port)
    os.seteuid(uid)
    sock = s.socket(s.AF_INET6 if six else s.AF_INET, s.SOCK_DGRAM if udp else s.SOCK_STREAM)
    if interface:
        sock.setsockopt(s.SOL_SOCKET, s.SO_BINDTODEVICE, interface.encode() + b"\0")
    if six and v6only is not None:
        sock.setsockopt(s.IPPROTO_IPV6, s.IPV6_V6ONLY, int(bool(v6only)))
    sock.setsockopt(s.SOL_SOCKET, s.SO_REUSEADDR, int(bool(ra)))
    sock.setsockopt(s.SOL_SOCKET, s.SO_REUSEPORT, int(bool(rp)))
    try:
        sock.bind((*place, 0, s.if_nametoindex(scope) if scope else 0) if six else place)
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
    closed(one)
    isinstance(two, int) or closed(two)
print(json.dumps(answers))
"""


# What the kernel is told; the rest is known of units only.
_KERNEL_KNOWS = {"protocol", "bind_user", "reuse_address", "reuse_port", "interface", "address", "v6only", "ports"}


def _socket(described: dict[str, Any]) -> list[Any]:
    """The arguments of `opened` for a listener; users are told apart by a number."""
    uid = {"app": 1000, "other": 1001}[described.get("bind_user", "app")]
    udp = described.get("protocol") == "udp"
    address = described.get("address", "0.0.0.0")  # noqa: S104
    ports = described.get("ports", 8080)
    return [
        address,
        described.get("v6only"),
        udp,
        described.get("reuse_address", True),
        described.get("reuse_port", False),
        uid,
        described.get("interface"),
        [ports, ports] if isinstance(ports, int) else ports,
    ]


def _claim(described: dict[str, Any]) -> Claim | None:
    described = dict(described)
    return claim(host(), listener(described.pop("ports", 8080), **described))


def _pairs() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for one, only, other, other_only, _ in ADDRESSES:
        # A link-local address needs an interface.
        if not {one, other} & {"fe80::1"}:
            first, second = {"address": one, "v6only": only}, {"address": other, "v6only": other_only}
            pairs += [(first, second), (second, first)]
    for shared, changed, _ in OPTIONS:
        known = {**shared, **changed}
        guessed = {key for each in (known, shared) for key, value in each.items() if value is None} - {"interface"}
        if not guessed and known.keys() <= _KERNEL_KNOWS:
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
        first, second = _claim(one), _claim({"unit": "b.service", **other})
        assert first is not None
        assert second is not None
        said.append(collide(first, second))

    assert [(pair, answer != 0) for pair, answer in zip(pairs, json.loads(done.stdout), strict=True)] == list(zip(pairs, said, strict=True))
