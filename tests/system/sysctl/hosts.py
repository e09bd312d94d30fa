"""Small hosts for tests about sysctl files."""

from collections.abc import Mapping

from portwright.facts import Assignment, Sysctl
from portwright.system.sysctl.settle import Settled, settle
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

PROBE = "net.ipv4.tcp_fin_timeout"  # a key that takes any number and that nothing depends on
PROBE_DEFAULT = "60"


def settled(files: Mapping[str, str]) -> Settled:
    """A host with these files; `-> target` is a link."""
    return settle(Files(MemoryTree(files)))


def sysctl(files: Mapping[str, str], key: str = PROBE) -> Sysctl:
    return next(one for one in settled(files).sysctls if one.key == key)


def values(files: Mapping[str, str], key: str = PROBE) -> tuple[str, str]:
    """What systemd-sysctl leaves at boot and what `sysctl --system` leaves afterwards."""
    found = sysctl(files, key)
    return found.boot, found.reload


def assignment(files: Mapping[str, str], path: str, line: int = 1) -> Assignment:
    return next(one for one in settled(files).assignments if (one.at.path, one.at.line) == (path, line))
