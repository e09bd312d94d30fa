"""What terms say of kernel settings: their names, the numbers in them, and the note that says which line set one."""

from portwright.facts import Overridden, Sysctl
from portwright.facts.sysctl import RANGE as RANGE
from portwright.facts.sysctl import RESERVED as RESERVED
from portwright.facts.sysctl import UNPRIVILEGED as UNPRIVILEGED
from portwright.finding import Note
from portwright.numbers import decimals, signed

SOMAXCONN = "net.core.somaxconn"
_PORT_SETTING_KEYS = """
    net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports net.ipv4.ip_unprivileged_port_start
    net.ipv4.ip_autobind_reuse net.ipv4.ip_nonlocal_bind net.ipv6.ip_nonlocal_bind net.ipv6.bindv6only
    net.ipv4.tcp_tw_reuse net.ipv4.tcp_tw_reuse_delay net.ipv4.tcp_fin_timeout net.ipv4.tcp_timestamps
    net.ipv4.tcp_max_tw_buckets net.core.somaxconn sunrpc.min_resvport sunrpc.max_resvport
"""
PORT_SETTINGS = frozenset(_PORT_SETTING_KEYS.split())
PORT_SETTING_NAMES = frozenset(key.rpartition(".")[2] for key in PORT_SETTINGS)


def evidence_for(sysctl: Sysctl) -> Note:
    """The note that says which line set a kernel setting, or that none did."""
    if sysctl.is_default:
        return Note(f"no file sets {sysctl.key}, so the kernel's default applies: {sysctl.boot or 'empty'}", sysctl.at)
    return Note(f"{sysctl.key} is set to {sysctl.boot or 'an empty value'} here", sysctl.at)


def sole_later(sysctl: Sysctl) -> Overridden | None:
    """The one value that is in force once everything has started, where that is not what the files leave."""
    return sysctl.later[0] if len(sysctl.later) == 1 else None


def written_later(sysctl: Sysctl, value: Overridden) -> Note:
    """The note that says who sets a kernel setting after the files have."""
    return Note(f"{value.reason.removesuffix(' writes it')} sets {sysctl.key} to {value.value or 'nothing'} when it starts", value.at)


def pair_in(text: str) -> tuple[int, int] | None:
    ends = decimals(text.split(), 65535)
    if ends is None or len(ends) != 2:
        return None
    low, high = ends
    return (low, high) if 0 < low <= high <= 65535 else None


def number_in(text: str) -> int | None:
    return signed(text)
