"""Kernel settings: one owned file of sysctl.d and the lines that are read after it, applied by systemd-sysctl as at boot, and read back."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.kind import MANAGED, OWNED, ContradictionError, Disruption, Host, Marks, Safety, Step
from portwright.facts.sysctl import RANGE, RESERVED, UNKNOWN, UNPRIVILEGED, Sysctl
from portwright.facts.value import Overridden
from portwright.source import Span

SYSCTL_FILE = "/etc/sysctl.d/zz-portwright.conf"
"""The one file for kernel settings that portwright owns; its name sorts after 99-sysctl.conf, and after k8s.conf and its like."""

SYSCTL_CONF = "/etc/sysctl.conf"
"""The file that `sysctl --system` reads once more after all others."""

_NUMBER = lazy_regex(r"[0-9]+")
_MOST_NAMED = 10

# Values are arguments of this script, never part of its text; a setting that this kernel lacks is passed over.
_WRITE = 'while [ $# -gt 0 ]; do if [ -e "$1" ]; then printf "%s\\n" "$2" > "$1"; fi; shift 2; done'


@dataclass(frozen=True, slots=True)
class SysctlStep(Step):
    """Write one line of the owned sysctl file and have systemd-sysctl apply it. `was` is the value that was analysed.

    `lines` are those in files of others that are read after the owned file: the value is written there, too. `respelt` are lines that
    mean this setting and spell it wrong. Where such lines alone decide for each loader, the step is not `owned`: the owned file is left
    as it is.
    """

    key: str
    value: str
    was: str
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "none"
    lines: tuple[Span, ...] = ()
    owned: bool = True
    respelt: tuple[Span, ...] = ()

    tasks = "sysctl"
    about = "kernel settings"
    why = "what the kernel lends is decided before a service asks for a port"
    families = ("conflict", "ephemeral", "exhaustion", "privilege", "sysctl")

    @property
    def path(self) -> str:
        return SYSCTL_FILE if self.owned else (*self.lines, *self.respelt)[0].path

    @property
    def order(self) -> tuple[int, bool, str]:
        return 0, *_written_first(self.key)

    @property
    def moves_ephemeral_ports(self) -> bool:
        return self.key in (RANGE, RESERVED)

    def in_words(self) -> str:
        others, wrong = (", ".join(f"{at.path}:{at.line}" for at in lines) for lines in (self.lines, self.respelt))
        there = "" if not others else f", and in {others}, read after it" if self.owned else f" in its line at {others}"
        there += f", spelt right at {wrong}" if wrong else ""
        return f"set {self.key} = {self.value or '(empty)'}{there} (was {self.was or 'empty'})"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["SysctlStep"]) -> dict[str, str]:
        held = {a.key: a.value for a in host.assignments if a.at.path == SYSCTL_FILE and a.outcome in ("applied", "overridden")}
        settings = held | {step.key: step.value for step in steps if step.owned or step.key in held}
        edits: dict[str, str] = {}
        if settings != held:
            lines = (f"{key} = {settings[key]}" for key in sorted(settings, key=_written_first))
            edits[SYSCTL_FILE] = "".join(f"{line}\n" for line in (OWNED, *lines))
        for step in steps:
            for at in (*step.lines, *step.respelt):
                key = step.key if at in step.respelt else ""
                edits[at.path] = _written(edits.get(at.path, host.sources[at.path].text), at, step.value, key)
        return edits

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
        own = {(at.path, at.line) for at in self.respelt}
        for each in after.assignments if own else ():
            if each.outcome == "rejected" and (each.at.path, each.at.line) in own:
                return f"{each.at} spelt right would not be applied: {each.reason}"
        for value, at, loader in ((sysctl.boot, sysctl.at, "at boot"), (sysctl.reload, sysctl.reload_at, "by sysctl --system")):
            if value != self.value:
                return self._who_wins(sysctl, at, loader)
        return next((_writes_later(self.key, each) for each in sysctl.later if each.value != self.value), "")

    def _who_wins(self, sysctl: Sysctl, at: Span, loader: str) -> str:
        if at.path == SYSCTL_CONF or at.path.rpartition("/")[2] > SYSCTL_FILE.rpartition("/")[2]:
            return f"{at} sets {self.key} too and is read after {SYSCTL_FILE} {loader}, so that line has to be changed by hand"
        for overridden in sysctl.overridden:
            if overridden.at.path == SYSCTL_FILE:
                return f"{self.key} = {self.value} would not be in force: {overridden.reason}"
        return f"{at} would still set {self.key} {loader}"

    def rests_on(self, host: Host) -> Iterable[str]:
        sysctl = host.sysctl(self.key)
        decided = () if sysctl is None else (sysctl.at.path, sysctl.reload_at.path, *(each.at.path for each in sysctl.later))
        return *decided, *(assignment.at.path for assignment in host.assignments if assignment.key == self.key)

    def folders(self, host: Host) -> Iterable[str]:
        return ("/etc/sysctl.d",)

    def caution(self, host: Host) -> str:
        """What may rely on the old value: of a range the comment above its line, and each other line that names both of its ends."""
        sysctl = host.sysctl(self.key)
        if self.key == UNPRIVILEGED:
            return f"whatever binds a port from {self.was} up without being root relies on it, rootless containers and users' programs too"
        if self.key != RANGE or sysctl is None or self.was == self.value:
            return ""
        found = [*_comment_above(host, sysctl.at), *_naming(host, self.was.split(), {sysctl.at.path, SYSCTL_FILE})]
        named = f": {'; '.join(found)}" if found else "; no line that was read names it"
        return f"a firewall, a translation of addresses or a pool of ports may rely on {self.was}{named}"

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["SysctlStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        settings = list(_settings(host, steps))
        return {
            "portwright_sysctls": [{"key": key, "proc": _proc(key), "was": was, "value": value} for key, was, value in settings],
            "portwright_sysctl_files": [
                {
                    "path": path,
                    "content": edits[path],
                    "owned": path == SYSCTL_FILE,
                    "directory": path.rpartition("/")[0],
                    "directory_is_new": before.get(path.rpartition("/")[0]) is None and path == SYSCTL_FILE,
                }
                for path in sorted({SYSCTL_FILE, *(at.path for step in steps for at in (*step.lines, *step.respelt))} & edits.keys())
            ],
            "portwright_sysctls_prefixes": [f"--prefix={_below_sys(step.key)}" for step in steps],
            "portwright_sysctls_trial": ["unshare", "--net", "sh", "-ec", _WRITE, "sh", *_trial(host, settings)],
            "portwright_sysctls_restore": ["sh", "-ec", _WRITE, "sh", *(w for key, was, _ in settings[::-1] for w in (_proc(key), was))],
        }


STEP = SysctlStep


def step_for(host: Host, key: str, value: str, marks: Marks, mended: Iterable[Span] = (), respelt: Iterable[Span] = ()) -> SysctlStep:
    """The step that gives a setting this value, in whose lines it may be. Raises ContradictionError where a line is another tool's.

    `mended` are lines of it that are wrong, wherever they are read: the value is written there, too; `respelt` those that spell it wrong.
    """
    sysctl = host.sysctl(key)
    if sysctl is None:
        if spelt_wrong := tuple(respelt):
            raise ContradictionError(f"{spelt_wrong[0]}: what {key} is without the line is not known, so it could not be put back")
        return SysctlStep(key, value, "", *marks)
    own = {assignment.at: assignment for assignment in host.assignments if assignment.key == key}
    # The value of a line that the kernel refuses keeps every earlier one from being written at boot.
    refused = (at for at, assignment in own.items() if assignment.outcome == "rejected")
    later = {each.at for each in sysctl.later if each.value != value and each.at not in own}
    for each in sysctl.later:
        if each.at in later and not _is_line_of(host, key, each):
            raise ContradictionError(_writes_later(key, each))
    spelt_wrong = tuple(sorted(set(respelt)))
    wrong = {at for at in mended if at in own}
    for at in (*wrong, *later, *spelt_wrong):
        if not at.path.startswith("/etc/"):
            raise ContradictionError(f"{at} lies in no file of /etc, so it is not edited")
    after = {at for at in (sysctl.at, sysctl.reload_at, *refused) if at in own and _is_read_after_ours(at.path)}
    lines = tuple(sorted(after | wrong | later))
    for at in (*lines, *spelt_wrong):
        if managed := MANAGED.search(host.sources[at.path].text):
            when = "" if at in spelt_wrong else f" after {SYSCTL_FILE} is read"
            raise ContradictionError(f"{at} sets {key}{when}, and {at.path} says {managed[0]!r}: change the line where it comes from")
    alone = {sysctl.at, sysctl.reload_at} <= set(lines) or bool(spelt_wrong and sysctl.is_default)
    return SysctlStep(key, value, _now(sysctl), *marks, lines=lines, owned=not alone, respelt=spelt_wrong)


def _is_line_of(host: Host, key: str, later: Overridden) -> bool:
    """Whether what writes a setting after the files takes it from a line `key = value` of a file: ufw's sysctl.conf, a profile of tuned."""
    source = host.sources.get(later.at.path)
    if source is None or later.at.line != later.at.end_line:
        return False
    said, _, value = source.line(later.at.line)[later.at.column - 1 : later.at.end_column - 1].partition("=")
    return said.strip().replace("/", ".") == key.replace("/", ".") and value.strip().strip("\"'").split() == later.value.split()


def _writes_later(key: str, later: Overridden) -> str:
    who = later.reason.removesuffix(" writes it")
    value = "another value" if UNKNOWN in later.value else later.value or "nothing"
    return f"{who} sets {key} to {value} after the files are read, so {later.at} has to be changed by hand"


def _is_read_after_ours(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return path == SYSCTL_CONF or (folder == "/etc/sysctl.d" and name > SYSCTL_FILE.rpartition("/")[2])


def _written(text: str, at: Span, value: str, key: str = "") -> str:
    """A file's text with another value, and another `key` where one is given, in the line at a place, every other character as it was."""
    lines = text.split("\n")
    line = lines[at.line - 1]
    said, _, old = line[at.column - 1 : at.end_column - 1].partition("=")
    blanks = old[: len(old) - len(old.lstrip())]
    if key:
        said = f"{'-' * said.startswith('-')}{key}{said[len(said.rstrip()) :]}"
    lines[at.line - 1] = f"{line[: at.column - 1]}{said}={blanks}{value}{line[at.end_column - 1 :]}"
    return "\n".join(lines)


def _comment_above(host: Host, at: Span) -> Iterator[str]:
    source = host.sources.get(at.path)
    above = "" if source is None or not at.path.startswith("/") else source.line(at.line - 1).strip()
    if above.startswith(("#", ";")):
        yield f"{at.path}:{at.line - 1} says {above!r}"


def _naming(host: Host, ends: Sequence[str], besides: Collection[str]) -> Iterator[str]:
    """The first lines in files of the host that name both ends of a range."""
    if len(ends) != 2:
        return
    found = 0
    for path, source in sorted(host.sources.items()):
        if path in besides or path.startswith("/.portwright/") or not all(end in source.text for end in ends):
            continue
        for number, line in enumerate(source.text.split("\n"), 1):
            if all(end in line for end in ends) and set(ends) <= set(_NUMBER.findall(line)):
                yield f"{path}:{number} names both of its ends"
                found += 1
                if found == _MOST_NAMED:
                    return


def _now(sysctl: Sysctl) -> str:
    return sysctl.after_boot().boot if sysctl.running is None else sysctl.running


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
