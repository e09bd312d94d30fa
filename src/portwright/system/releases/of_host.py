"""Which kernel and which systemd a host has: as captured, by its packages, or by what its distribution ships."""

from collections.abc import Iterable, Mapping
from itertools import takewhile

from portwright._start.records import dataclass
from portwright.numbers import decimal, is_digits
from portwright.system.host_files.captures import captured
from portwright.system.host_files.distribution import identity
from portwright.trees import Files

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """A release by its numbers (`3.10.0-1160.el7` is 3, 10, 0, 1160), the oldest and the newest that it may be.

    `text` is how people write it. `rebuild` names a distribution that puts newer things into old releases (`el7`), "" for any other.
    """

    oldest: Numbers
    newest: Numbers
    text: str
    rebuild: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether the host says it itself, rather than the distribution that it is."""
        return self.oldest == self.newest


def kernel(files: Files) -> Release | None:
    """The kernel's release: `uname -r`, the one kernel that is installed, or what the distribution has; None where nothing tells."""
    known = files.once(captured)
    text = known.kernel or _the_one(_installed(files, known.packages))
    if text:
        numbers = _numbers(text)
        return Release(numbers, numbers, text, _rebuild(text)) if numbers else None
    return _shipped(files, _KERNELS)


def systemd(files: Files) -> Release | None:
    """The release of systemd: what it says itself, its package's, or what the distribution has; None where nothing tells."""
    known = files.once(captured)
    version = known.systemd or known.packages.get("systemd")
    if version is not None:
        text = version.rpartition(":")[2]
        numbers = _numbers(text)
        name, _ = files.once(identity)
        return Release(numbers, numbers, text, _rebuild(text) or name) if numbers else None
    return _shipped(files, _SYSTEMDS)


def _the_one(found: Iterable[str]) -> str:
    each = set(found)
    return each.pop() if len(each) == 1 else ""


def _installed(files: Files, packages: Mapping[str, str]) -> list[str]:
    """The kernels whose modules or packages are there."""
    modules = [name for name in files.names("/usr/lib/modules") or files.names("/lib/modules") if is_digits(name[:1])]
    if modules:
        return modules
    images = (name.removeprefix("linux-image-") for name in packages if name.startswith("linux-image-"))
    return [name for name in images if is_digits(name[:1])] or [packages[each] for each in ("kernel-core", "kernel") if each in packages]


def _shipped(files: Files, table: Mapping[str, tuple[str, str]]) -> Release | None:
    name, version = files.once(identity)
    if name in _REBUILDS:
        name, version = "el", version.partition(".")[0]
    found = table.get(f"{name} {version}") or table.get(f"{name} {version.partition('.')[0]}")
    if found is None:
        return None
    oldest, newest = found
    # What a distribution ships may have been replaced, so it is never as sure as a release that the host tells.
    return Release(_numbers(oldest), (*_numbers(newest), 1 << 30), oldest, f"el{version}" if name == "el" else name)


def _rebuild(text: str) -> str:
    return next((f"el{major}" for major in ("6", "7", "8", "9", "10") if f".el{major}" in text), "")


def _numbers(text: str) -> Numbers:
    """The numbers a release begins with: `6.1.0-18-amd64` is 6, 1, 0, 18; `252.39-1~deb12u1` is 252, 39, 1."""
    found: list[int] = []
    for part in text.replace("-", ".").replace("~", ".").split("."):
        digits = "".join(takewhile(is_digits, part))
        number = decimal(digits, 999_999_999)
        if number is None:
            break
        found.append(number)
        if digits != part:
            break
    return tuple(found)


_REBUILDS = frozenset(("rhel", "centos", "rocky", "almalinux", "scientific"))

# The kernel a release came with and the newest one it offers (Debian: backports; Ubuntu: the hardware enablement kernels).
_KERNELS: Mapping[str, tuple[str, str]] = {
    "debian 7": ("3.2", "3.16"),
    "debian 8": ("3.16", "4.9"),
    "debian 9": ("4.9", "4.19"),
    "debian 10": ("4.19", "5.10"),
    "debian 11": ("5.10", "6.1"),
    "debian 12": ("6.1", "6.12"),
    "debian 13": ("6.12", "6.19"),
    "ubuntu 14.04": ("3.13", "4.4"),
    "ubuntu 16.04": ("4.4", "4.15"),
    "ubuntu 18.04": ("4.15", "5.4"),
    "ubuntu 20.04": ("5.4", "5.15"),
    "ubuntu 22.04": ("5.15", "6.8"),
    "ubuntu 24.04": ("6.8", "6.17"),
    "el 6": ("2.6.32", "2.6.32"),
    "el 7": ("3.10.0-1160", "3.10.0-1160"),
    "el 8": ("4.18.0-553", "4.18.0-553"),
    "el 9": ("5.14.0", "5.14.0"),
    "el 10": ("6.12.0", "6.12.0"),
    "amzn 2": ("4.14", "5.15"),
    "amzn 2023": ("6.1", "6.12"),
    "sles 12": ("3.12", "4.12"),
    "sles 15": ("4.12", "6.4"),
    "opensuse-leap 15": ("4.12", "6.4"),
}
_SYSTEMDS: Mapping[str, tuple[str, str]] = {
    "debian 8": ("215", "230"),
    "debian 9": ("232", "241"),
    "debian 10": ("241", "247"),
    "debian 11": ("247", "252"),
    "debian 12": ("252", "254"),
    "debian 13": ("257", "257"),
    "ubuntu 16.04": ("229", "229"),
    "ubuntu 18.04": ("237", "237"),
    "ubuntu 20.04": ("245", "245"),
    "ubuntu 22.04": ("249", "249"),
    "ubuntu 24.04": ("255", "255"),
    "el 7": ("219-78", "219-78"),
    "el 8": ("239", "239"),
    "el 9": ("252", "252"),
    "el 10": ("257", "257"),
    "amzn 2": ("219", "219"),
    "amzn 2023": ("252", "252"),
    "sles 15": ("234", "254"),
    "opensuse-leap 15": ("234", "254"),
}
