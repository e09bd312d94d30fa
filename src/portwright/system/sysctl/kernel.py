"""What the kernel makes of a text written to a sysctl: the values it holds afterwards, or why it refuses."""

from collections.abc import Mapping

from portwright._start.records import dataclass
from portwright.facts.sysctl import RANGE, RESERVED, UNPRIVILEGED
from portwright.numbers import decimal, decimals, is_digits
from portwright.ports import PortSet, read_list, read_number
from portwright.system.releases.of_host import Release
from portwright.system.releases.since import KERNEL

_ALL_IPV6 = "net.ipv6.conf.all.disable_ipv6"

State = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write: the keys that changed with the values the kernel now prints, and its refusal, "" if it took the text.

    A list of reserved ports longer than a page is taken in pieces, so a refusal may leave a part of it in force.
    """

    values: tuple[tuple[str, str], ...] = ()
    refused: str = ""


def write(key: str, text: str, state: State, once: bool = False) -> Written:
    """Write a value to a key (dotted), as a loader does, with a newline behind it; `state` is what every key holds before.

    `once`: the loader makes one write() and does not look how much was taken, as procps does. A key nothing is known about takes
    any text. Sources: kernel/sysctl.c, net/ipv4/sysctl_net_ipv4.c; measured on 6.18.
    """
    try:
        if key == RANGE:
            return _write_range(text, state)
        if key == RESERVED:
            return _write_reserved(text, once)
        if key == UNPRIVILEGED:
            return _write_unprivileged(text, state)
        if key not in _INTEGERS:
            return Written(((key, _unknown(normal(text))),))
        value = str(_numbers(text, 1, _INTEGERS[key])[0])
        return Written(tuple((one, value) for one in (key, *(_LIKE_ALL if key == _ALL_IPV6 else ()))))
    except ValueError as error:
        return Written((), f"the kernel rejects it with EINVAL: {error}{_hint(text)}")


def _unknown(text: str) -> str:
    """What a key nothing is known about makes of a value; one integer is all the kernel looks at, whatever stands behind a blank."""
    first, _, rest = text.partition(" ")
    return first if rest.startswith("#") and is_digits(first.removeprefix("-")) else text


def starts_with(key: str, value: str, release: Release | None) -> tuple[str, bool]:
    """The default of a key on this kernel, `value` being a current one's, and whether that is sure."""
    row = KERNEL.get(key)
    return (value, True) if row is None else row.default(value, release)


def normal(text: str) -> str:
    """A value with single blanks between its words, the way this program compares and prints what the kernel prints with tabs."""
    return " ".join(text.split())


def missing(path: str, release: Release | None = None) -> str:
    """Why a path below /proc/sys is surely no sysctl of a kernel, "" where it may be one; names like no other are left to it."""
    parts = path.split("/")
    key = path.translate(_SWAP)
    if key in KERNEL and (release is not None or not KERNEL[key].until):
        lacking = KERNEL[key].lacking(release)
        return f"no such key: {lacking}" if lacking else ""
    if not path or key in _DIRECTORIES or (len(parts) == 1 and parts[0] in _TREES):
        return f"no such key: {key or '/proc/sys'} is a directory"
    if path in _REMOVED:
        return f"no such key: {_REMOVED[path]}"
    if path.startswith("\ufeff"):
        return "no such key: a byte order mark stands before the name"
    if len(parts) == 1:
        known = _BY_LAST.get(parts[0])
        return f"no such key: {parts[0]} alone is not a key" + (f", it is {known[0]}" if known else "")
    if not _NEVER_IN_A_NAME.isdisjoint(path):
        return "no such key: names contain no blanks and no quotes"
    if parts[0] == "proc":
        return "no such key: names begin below /proc/sys"
    if parts[0] in _BELOW_SYS:
        return f"no such key: {parts[0]} lies below /sys, which sysctl does not write; udev rules and tmpfiles.d(5) do"
    if parts[0] in _FAMILIES:
        return f"no such key: it begins with net.{parts[0]}"
    if _is_mixed(parts):
        return "no such key: dots and slashes are mixed; where the first separator is a dot, a slash stands for a dot in a name"
    if (path not in _PATHS and path.lower() in _PATHS) or (parts[0] not in _TREES and parts[0].lower() in _TREES):
        return "no such key: names are case-sensitive"
    if parts[0] == "net" and parts[1] in _FAMILIES and path not in _PATHS:
        known = _BY_LAST.get(parts[-1])
        if known is not None and len(parts) == 3:
            return f"no such key: it is {' and '.join(known)}"
        from portwright.system.releases.sysctl_names import nearest

        if len(parts) == 3 and (near := nearest(parts[1], parts[2])) is not None:
            return f"no such key: the nearest is {near}"
        if parts[1] == "ipv6" and len(parts) == 3 and parts[2].startswith(("tcp_", "udp_")):
            return f"no such key: the net.ipv4.{parts[2]} keys govern IPv6 too"
        if len(parts) > 5 and parts[2] in ("conf", "neigh"):
            name = ".".join((*parts[:3], "/".join(parts[3:-1]), parts[-1]))
            return f"no such key: in an interface's name a slash stands for a dot, {name}"
    return ""


def meant_by(key: str) -> str | None:
    """The setting of the network that a name which is none was surely meant to be: its separators, letter case, beginning or a letter."""
    from portwright.system.releases.sysctl_names import is_name, nearest

    words = [word for word in key.strip("\ufeff\"' \t").replace("/", ".").lower().split(".") if word]
    words = words[2:] if words[:2] == ["proc", "sys"] else words
    words = ["net", *words] if words and words[0] in _FAMILIES else words
    name = ".".join(words)
    alike = _BY_LAST.get(words[-1], []) if len(words) in (1, 3) else []
    if name in _KEYS or (len(words) == 3 and words[0] == "net" and is_name(words[1], words[2])):
        found: str | None = name
    elif len(alike) == 1:
        found = alike[0]
    else:
        found = nearest(words[1], words[2]) if len(words) == 3 and words[0] == "net" else None
    return None if found == key else found


# ── the three keys that share one rule: the range begins at or above the first unprivileged port ─────────────────────


def _write_range(text: str, state: State) -> Written:
    # ipv4_local_port_range: the two numbers in force are the start, so a single number replaces the low end alone.
    held = decimals(state[RANGE].split()) or ()
    numbers = _numbers(text, 2, _Limits(1, 65535))
    low, high = (*numbers, *held[len(numbers) :])
    if high < low:
        alone = f", and {high} remains the high end" if len(numbers) == 1 else ""
        raise ValueError(f"{low} is above {high}{alone}")
    start = decimal(state[UNPRIVILEGED]) or 0
    if low < start:
        raise ValueError(f"{low} is below ip_unprivileged_port_start, {start} when this is written")
    return Written(((RANGE, f"{low} {high}"),))


def _write_unprivileged(text: str, state: State) -> Written:
    start = _numbers(text, 1, _Limits(0, 65535))[0]
    low = decimal(state[RANGE].split()[0]) or 0
    if start > low:
        raise ValueError(f"{start} is above the low end of ip_local_port_range, {low} when this is written")
    return Written(((UNPRIVILEGED, str(start)),))


_PAGE = 4095  # PAGE_SIZE - 1: how much of one write() proc_do_large_bitmap looks at


def _write_reserved(text: str, once: bool) -> Written:
    found: list[tuple[int, int]] = []
    text += "\n"
    while text:
        cut_off = len(text) > _PAGE
        try:
            ranges, taken = read_list(text[:_PAGE], cut_off)
        except ValueError as error:
            if not found:
                raise
            return _part(found, f"the kernel applies the list up to here and rejects the rest with EINVAL: {error}")
        found.extend(ranges)
        text = text[taken:]
        if cut_off and once:
            return _part(found, f"procps writes once, and the kernel reads no more than {_PAGE} characters of a write")
    return _part(found, "")


def _part(found: list[tuple[int, int]], refused: str) -> Written:
    return Written(((RESERVED, str(PortSet.of(*found))),), refused)


# ── integers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


_SPACES = " \t\n\v\f\r\udca0"  # isspace() in the kernel counts the byte a0


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a number may be; an unsigned one may not even be written as -0."""

    low: int
    high: int
    signed: bool = True


def _numbers(text: str, most: int, limits: _Limits) -> list[int]:
    """Up to `most` numbers as __do_proc_dointvec reads them; what follows the last one after a blank is not looked at."""
    numbers: list[int] = []
    position = 0
    while len(numbers) < most:
        while position < len(text) and text[position] in _SPACES:
            position += 1
        if position == len(text):
            break
        negative = text[position] == "-"
        number, position = read_number(text, position + negative)
        if position < len(text) and text[position] not in " \t\n":
            raise ValueError(f"{text[position]!r} right after a number")
        if negative and not limits.signed:
            raise ValueError("a minus sign")
        number = -number if negative else number
        if not limits.low <= number <= limits.high:
            raise ValueError(f"{number} is not between {limits.low} and {limits.high}")
        numbers.append(number)
    if not numbers:
        raise ValueError("no number")
    return numbers


def _hint(text: str) -> str:
    if "#" in text or ";" in text:
        return "; comments after a value are not supported, the text is written unchanged"
    if text.endswith("\\"):
        return "; a backslash does not continue a line"
    if text[:1] in ("'", '"'):
        return "; quotes are written to the kernel unchanged"
    return ""


_INT = _Limits(-(2**31), 2**31 - 1)
_NOT_NEGATIVE = _Limits(0, 2**31 - 1)
_BYTE = _Limits(0, 255, signed=False)
_BIT = _Limits(0, 1, signed=False)
_SECONDS = _Limits(-(2**31 - 1) // 100, (2**31 - 1) // 100)  # kept in ticks; a kernel of 100 ticks a second takes the longest times

# net/ipv4/sysctl_net_ipv4.c, net/ipv6/sysctl_net_ipv6.c, net/core/sysctl_net_core.c, net/ipv6/addrconf.c, net/sunrpc/xprtsock.c
_INTEGERS: Mapping[str, _Limits] = {
    "net.core.somaxconn": _NOT_NEGATIVE,
    "net.ipv4.ip_autobind_reuse": _BIT,
    "net.ipv4.ip_nonlocal_bind": _BYTE,
    "net.ipv4.tcp_abort_on_overflow": _BYTE,
    "net.ipv4.tcp_fin_timeout": _SECONDS,
    "net.ipv4.tcp_keepalive_intvl": _SECONDS,
    "net.ipv4.tcp_keepalive_probes": _BYTE,
    "net.ipv4.tcp_keepalive_time": _SECONDS,
    "net.ipv4.tcp_max_syn_backlog": _INT,
    "net.ipv4.tcp_max_tw_buckets": _INT,
    "net.ipv4.tcp_syncookies": _BYTE,
    "net.ipv4.tcp_timestamps": _BYTE,
    "net.ipv4.tcp_tw_reuse": _Limits(0, 2, signed=False),
    "net.ipv4.tcp_tw_reuse_delay": _Limits(1, 60_000, signed=False),
    "net.ipv6.bindv6only": _BYTE,
    "net.ipv6.ip_nonlocal_bind": _BYTE,
    "net.ipv6.conf.all.disable_ipv6": _INT,
    "net.ipv6.conf.default.disable_ipv6": _INT,
    "net.ipv6.conf.lo.disable_ipv6": _INT,
    "sunrpc.max_resvport": _Limits(1, 65535),
    "sunrpc.min_resvport": _Limits(1, 65535),
}

# addrconf_disable_ipv6: writing the key of all interfaces writes every interface's and the one of those to come
_LIKE_ALL = ("net.ipv6.conf.default.disable_ipv6", "net.ipv6.conf.lo.disable_ipv6")

# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_SWAP = str.maketrans("./", "/.")
_KEYS = (*_INTEGERS, RANGE, RESERVED, UNPRIVILEGED)
_PATHS = frozenset(key.replace(".", "/") for key in _KEYS)
_DIRECTORIES = frozenset(".".join(key.split(".")[:depth]) for key in _KEYS for depth in range(1, key.count(".") + 1))
_TREES = frozenset(("abi", "crypto", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm", "xen"))
_NEVER_IN_A_NAME = frozenset(" \t\v\f\"'")
_BELOW_SYS = frozenset(("block", "bus", "class", "devices", "module", "power", "sys"))
_FAMILIES = frozenset(("core", "ipv4", "ipv6"))
_BY_LAST: dict[str, list[str]] = {}
for _key in _KEYS:
    if _key.count(".") == 2:
        _BY_LAST.setdefault(_key.rpartition(".")[2], []).append(_key)

_REMOVED: Mapping[str, str] = {
    "net/ipv4/tcp_tw_recycle": "tcp_tw_recycle was removed from Linux 4.12",
    "net/ipv4/ip_conntrack_max": "it is net.netfilter.nf_conntrack_max",
    "net/ipv4/netfilter/ip_conntrack_max": "it is net.netfilter.nf_conntrack_max",
}


def _is_mixed(parts: list[str]) -> bool:
    """Whether a dot stands where only an interface's name may hold one: net/{ipv4,ipv6,mpls}/{conf,neigh}/NAME/key."""
    if parts[0].startswith("net."):
        return True
    if parts[0] != "net" or "." in parts[1]:
        return parts[0] == "net"
    named = len(parts) == 5 and parts[2] in ("conf", "neigh")
    return parts[1] in _FAMILIES and any("." in part for index, part in enumerate(parts) if not (named and index == 3))
