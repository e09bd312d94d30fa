"""Kernel settings: one owned file of sysctl.d, applied by systemd-sysctl as the boot does, and read back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from portwright._start.records import dataclass
from portwright.changes.kind import OWNED, Disruption, Host, Safety, Step
from portwright.facts import Sysctl
from portwright.source import Span

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"

SYSCTL_FILE = "/etc/sysctl.d/zz-portwright.conf"
"""The one file for kernel settings that portwright owns; its name sorts after 99-sysctl.conf, and after k8s.conf and its like."""

# Values are arguments of this script, never part of its text; a setting that this kernel lacks is passed over.
_WRITE = 'while [ $# -gt 0 ]; do if [ -e "$1" ]; then printf "%s\\n" "$2" > "$1"; fi; shift 2; done'


@dataclass(frozen=True, slots=True)
class SysctlStep(Step):
    """Write one line of the owned sysctl file and have systemd-sysctl apply it. `was` is the value that was analysed."""

    key: str
    value: str
    was: str
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "none"

    tasks = "sysctl"

    @property
    def path(self) -> str:
        return SYSCTL_FILE

    @property
    def order(self) -> tuple[int, bool, str]:
        return 0, *_written_first(self.key)

    @property
    def moves_ephemeral_ports(self) -> bool:
        return self.key in (RANGE, RESERVED)

    def in_words(self) -> str:
        return f"set {self.key} = {self.value or '(empty)'} (was {self.was or 'empty'})"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["SysctlStep"]) -> dict[str, str]:
        settings = {a.key: a.value for a in host.assignments if a.at.path == SYSCTL_FILE and a.outcome in ("applied", "overridden")}
        settings |= {step.key: step.value for step in steps}
        lines = (f"{key} = {settings[key]}" for key in sorted(settings, key=_written_first))
        return {SYSCTL_FILE: "".join(f"{line}\n" for line in (OWNED, *lines))}

    def captured(self, host: Host, laid: Mapping[str, bytes | None]) -> Mapping[str, bytes]:
        sysctl = host.sysctl(self.key)
        found: dict[str, bytes] = {}
        for path, source in host.sources.items() if sysctl is not None and sysctl.running is not None else ():
            if path == "/.portwright/sysctl":
                held = laid.get(path) or source.text.encode("utf-8", "surrogateescape")
                # The first of several lines for a key is what is read.
                found[path] = f"{self.key} = {self.value}\n".encode("utf-8", "surrogateescape") + held
            elif path.endswith(f"/proc/sys/{_below_sys(self.key)}"):
                found[path] = f"{self.value}\n".encode("utf-8", "surrogateescape")
        return found

    def why_not_in_force(self, after: Host) -> str:
        """Both loaders must leave what was wished for: the boot, and whoever runs `sysctl --system` later."""
        sysctl = after.sysctl(self.key)
        if sysctl is None:
            return f"{self.key} is not a setting that portwright can evaluate"
        for value, at, loader in ((sysctl.boot, sysctl.at, "at boot"), (sysctl.reload, sysctl.reload_at, "by sysctl --system")):
            if value != self.value:
                return self._who_wins(sysctl, at, loader)
        return ""

    def _who_wins(self, sysctl: Sysctl, at: Span, loader: str) -> str:
        if at.path == "/etc/sysctl.conf" or at.path.rpartition("/")[2] > SYSCTL_FILE.rpartition("/")[2]:
            return f"{at} sets {self.key} too and is read after {SYSCTL_FILE} {loader}, so that line has to be changed by hand"
        for overridden in sysctl.overridden:
            if overridden.at.path == SYSCTL_FILE:
                return f"{self.key} = {self.value} would not be in force: {overridden.reason}"
        return f"{at} would still set {self.key} {loader}"

    def rests_on(self, host: Host) -> Iterable[str]:
        sysctl = host.sysctl(self.key)
        return () if sysctl is None else (sysctl.at.path, sysctl.reload_at.path)

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["SysctlStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        settings = list(_settings(host, steps))
        return {
            "portwright_sysctls": [{"key": key, "proc": _proc(key), "was": was, "value": value} for key, was, value in settings],
            "portwright_sysctl_file": {"path": SYSCTL_FILE, "content": edits.get(SYSCTL_FILE, "")},
            "portwright_sysctls_prefixes": [f"--prefix={_below_sys(key)}" for key, _, _ in settings],
            "portwright_sysctls_trial": ["unshare", "--net", "sh", "-ec", _WRITE, "sh", *_trial(host, settings)],
            "portwright_sysctls_restore": ["sh", "-ec", _WRITE, "sh", *(w for key, was, _ in settings[::-1] for w in (_proc(key), was))],
        }


STEP = SysctlStep


def value_now(host: Host, key: str) -> str:
    """The value that a host has now, as far as is known."""
    sysctl = host.sysctl(key)
    return "" if sysctl is None else _now(sysctl)


def _now(sysctl: Sysctl) -> str:
    return sysctl.boot if sysctl.running is None else sysctl.running


def _written_first(key: str) -> tuple[bool, str]:
    # The kernel wants ip_unprivileged_port_start <= the range's low end at every write, so the start is written first.
    return key != UNPRIVILEGED, key


def _settings(host: Host, steps: Sequence[SysctlStep]) -> Iterator[tuple[str, str, str]]:
    """(key, value now, value wanted) in writing order; the two settings that decide together which ports are lent go together."""
    wanted = {step.key: step for step in steps}
    beside = {RANGE, RESERVED} if wanted.keys() & {RANGE, RESERVED} else set()
    for key in (*wanted, *sorted(beside - wanted.keys())):
        sysctl = host.sysctl(key)
        if key in wanted:
            yield key, wanted[key].was, wanted[key].value
        elif sysctl is not None:
            yield key, _now(sysctl), _now(sysctl)


def _trial(host: Host, settings: list[tuple[str, str, str]]) -> list[str]:
    """(path, value) pairs in writing order: a new network namespace has the kernel's defaults, so what the host has comes first.

    Only what belongs to a network namespace: anything else would be written for good.
    """
    wanted = {key: value for key, _, value in settings if key.startswith(("net.ipv4.", "net.ipv6."))}
    for key in (UNPRIVILEGED, RANGE, RESERVED):
        sysctl = host.sysctl(key)
        if sysctl is not None:
            wanted.setdefault(key, sysctl.boot)
    first = [key for key in (UNPRIVILEGED, RANGE, RESERVED) if key in wanted]
    ordered = [*first, *(key for key in wanted if key not in first)]
    return [word for key in ordered for word in (_proc(key), wanted[key])]


def _proc(key: str) -> str:
    return f"/proc/sys/{_below_sys(key)}"


def _below_sys(key: str) -> str:
    # sysctl(8): a slash in a key is a dot in the path. systemd-sysctl 252 takes no prefix that starts with /proc/sys, whatever it says.
    return key.translate(str.maketrans("./", "/."))
