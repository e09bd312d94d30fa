"""What a unit writes to /proc/sys when it starts makes the files' value less than certain, and no more."""

import pytest

from portwright.facts import Sysctl
from portwright.system.sysctl.commands import unsettle
from portwright.system.sysctl.settle import settle
from portwright.system.systemd.sysctl_writes import sysctl_writes
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

START = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"
ENABLED = "/etc/systemd/system/multi-user.target.wants/a.service"


def _settled(text: str, key: str = START, more: dict[str, str] | None = None, enabled: bool = True) -> Sysctl:
    files = {"/etc/systemd/system/a.service": f"[Service]\nType=oneshot\n{text}\n", **(more or {})}
    if enabled:
        files[ENABLED] = "-> ../a.service"
    read = Files(MemoryTree(files))
    return next(each for each in unsettle(settle(read), sysctl_writes(load(read), read)).sysctls if each.key == key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"ExecStartPre=/usr/sbin/sysctl -w {START}=80\nExecStart=/bin/true", "80"),
        (f"ExecStart=/sbin/sysctl -q {START}=80", "80"),
        (f"ExecStart=sysctl '{START} = 80'", "80"),
        ("ExecStart=/sbin/sysctl -w net/ipv4/ip_unprivileged_port_start=80", "80"),
        (f"ExecStart=/bin/sh -c 'modprobe x; sysctl -w {START}=80 || true'", "80"),
        ("ExecStart=/bin/sh -c 'echo 80 > /proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'true && echo -n \"80\" >/proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'echo 80 | tee /proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'echo $$PORT > /proc/sys/net/ipv4/ip_unprivileged_port_start'", "\ufffd"),
        ("ExecStart=/opt/tune", "80"),
        ("ExecStart=/sbin/sysctl -p /etc/tune.conf", "80"),
        ("ExecStart=/bin/true\nExecStartPost=/sbin/sysctl -e -p /etc/tune.conf", "80"),
    ],
)  # fmt: skip
def test_a_command_that_writes_a_key_makes_its_value_only_possible(text: str, value: str) -> None:
    more = {"/opt/tune": f"#!/bin/sh\n/sbin/sysctl -w {START}=80\n", "/etc/tune.conf": f"{START} = 80\n"}

    found = _settled(text, more=more)

    assert ("1024", "possible", value) == (found.boot, found.confidence, found.overridden[-1].value)
    assert found.overridden[-1].reason.startswith("a.service writes it")


@pytest.mark.parametrize(
    "text",
    [
        f"ExecStart=/sbin/sysctl {START}",
        f"ExecStart=/sbin/sysctl -n {START}",
        f"ExecStart=/sbin/sysctl -w {START}=1024",
        "ExecStart=/bin/sh -c 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'",
        "ExecStart=/bin/sh -c 'echo 80 > /proc/sys/net/ipv4/tcp_fin_timeout'",
        f"ExecStart=/bin/echo sysctl -w {START}=80",
        f"ExecStart=/bin/true\nExecStop=/sbin/sysctl -w {START}=80",
        "ExecStart=/sbin/sysctl --system",
    ],
)
def test_a_command_that_only_reads_it_or_writes_the_same_changes_nothing(text: str) -> None:
    assert "certain" == _settled(text).confidence


def test_a_unit_that_a_boot_does_not_start_changes_nothing() -> None:
    assert "certain" == _settled(f"ExecStart=/sbin/sysctl -w {START}=80", enabled=False).confidence


def test_other_keys_stay_as_sure_as_they_were() -> None:
    assert "certain" == _settled(f"ExecStart=/sbin/sysctl -w {START}=80", key=RANGE).confidence


def test_sysctl_system_at_boot_makes_what_the_loaders_read_differently_only_possible() -> None:
    more = {"/etc/sysctl.d/99-sysctl.conf": f"{RANGE} = 20000 30000\n", "/etc/sysctl.conf": f"{RANGE} = 40000 50000\n"}

    found = _settled("ExecStart=/sbin/sysctl --system", RANGE, more)

    assert ("20000 30000", "possible", "40000 50000") == (found.boot, found.confidence, found.overridden[-1].value)
