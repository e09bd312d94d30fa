"""Which sysctl.d files each loader reads, in which order, and why another one is not read."""

from collections.abc import Iterable

from portwright._start.records import dataclass
from portwright.system.init import init_system
from portwright.trees import Files

# sysctl.d(5), sysctl(8): of files with one name the first directory's is read. /lib counts where it is not /usr/lib.
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
SYSCTL_CONF = "/etc/sysctl.conf"
_LINK = "99-sysctl.conf"
_CORE_SERVICES = "/etc/runit/core-services"
_SIGNS_OF_A_WHOLE_HOST = ("/usr/lib", "/etc/passwd", "/etc/os-release", "/.portwright")


@dataclass(frozen=True, slots=True)
class Found:
    """A name in a sysctl.d directory: its path, where its text really is, and which loader takes it by its name and kind alone.

    `masks` says what it is instead of a file with text: a link to /dev/null, a dangling link.
    """

    name: str
    path: str
    real: str
    boot: bool
    reload: bool
    masks: str = ""


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that systemd-sysctl does not read, why, and whether `sysctl --system` does."""

    file: Found
    reason: str
    reload: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The files systemd-sysctl reads at boot, those `sysctl --system` reads, both in order, and what boot leaves out."""

    boot: tuple[Found, ...]
    reload: tuple[Found, ...]
    not_at_boot: tuple[NotRead, ...]


def reading(files: Files) -> Reading:
    """Look through the directories for what each loader reads and what it leaves."""
    found = _found(files)
    if files.kind(SYSCTL_CONF) == "file" and _is_part(files) and all(one.name != _LINK for one in found):
        found = (*found, Found(_LINK, SYSCTL_CONF, files.resolve(SYSCTL_CONF), True, True))
    boot, reload = _winners(found, at_boot=True), _winners(found, at_boot=False)
    at_boot = _ordered(boot.values())
    # procps reads /etc/sysctl.conf once more, and last, even where 99-sysctl.conf links to it
    plain = Found("sysctl.conf", SYSCTL_CONF, files.resolve(SYSCTL_CONF), False, True)
    later = (*_ordered(reload.values()), plain)
    init = files.once(init_system).name
    if init == "runit" and (named := files.once(_of_first_stage)):
        at_boot = tuple(Found(path.rpartition("/")[2], path, files.resolve(path), True, True) for path in named)
        reads = {one.real for one in at_boot}
        return Reading(at_boot, later, tuple(NotRead(one, _why(one, reload), False) for one in found if one.real not in reads))
    if init != "systemd":
        # The scripts of sysvinit, OpenRC, OpenWrt and Alpine read /etc/sysctl.conf, and read it last.
        return Reading(later, later, tuple(NotRead(one, _why(one, reload), False) for one in found if reload.get(one.name) is not one))
    left_out = [NotRead(one, _why(one, boot), reload.get(one.name) is one) for one in found if boot.get(one.name) is not one]
    if not any(one.real == plain.real for one in at_boot):
        left_out.append(NotRead(plain, "systemd-sysctl reads /etc/sysctl.conf only where a link in sysctl.d leads to it", True))
    return Reading(at_boot, later, tuple(left_out))


def _of_first_stage(files: Files) -> tuple[str, ...]:
    """The files that the scripts of runit's first stage hand to sysctl -p, in their order: Void's do so directory by directory."""
    scripts = ["/etc/runit/1", *(f"{_CORE_SERVICES}/{name}" for name in sorted(files.names(_CORE_SERVICES)))]
    scripts = [path for path in scripts if files.kind(path) == "file"]
    if not any((source := files.read(path)) is not None and "sysctl" in source.text for path in scripts):
        return ()
    from portwright.source import Span, Word
    from portwright.system.processes import shells
    from portwright.system.processes.process import Process
    from portwright.system.spanned_text import UNKNOWN, SpannedText

    found: dict[str, None] = {}

    def see(words: list[SpannedText], _targets: list[SpannedText], _at: Span, _surely: bool) -> None:
        plain = [each.text for each in words]
        if plain[0].rpartition("/")[2] == "sysctl" and any(word.startswith("-") and "p" in word for word in plain[1:]):
            for path in plain[1:]:
                if path.startswith("/") and UNKNOWN not in path:
                    found.pop(path, None)
                    found[path] = None

    for path in scripts:
        if not found:
            at = Span.whole(files.tree.label(path))
            argv = tuple(SpannedText.of(Word(word, at)) for word in ("/bin/sh", path))
            shells.run(Process("/bin/sh", argv, {}, at), files, see)
    return tuple(path for path in found if files.kind(path) == "file")


def _is_part(files: Files) -> bool:
    """Whether somebody keeps no more than their own files of a root: the link that every distribution ships need not be among them."""
    return files.kind("/usr") == "directory" and all(files.kind(path) == "missing" for path in _SIGNS_OF_A_WHOLE_HOST)


def _found(files: Files) -> tuple[Found, ...]:
    """Everything in the directories, first directory first."""
    found: list[Found] = []
    seen: set[str] = set()
    for directory in DIRECTORIES:
        where = files.resolve(directory)
        if where not in seen:
            seen.add(where)
            found.extend(_one(files, name, f"{directory}/{name}") for name in files.names(directory))
    return tuple(found)


def _one(files: Files, name: str, path: str) -> Found:
    # conf-files.c skips hidden names and looks at nothing but names; procps asks for .conf alone.
    suffix = name.endswith(".conf")
    target = files.link(path)
    masks = ""
    if target is not None:
        # sysctl.d(5): a link to /dev/null masks. Another device or a pipe is read by the loaders, and not here.
        null = files.resolve(path) == "/dev/null"
        masks = {"special": f"a link to {target}" if null else "", "missing": f"a dangling link to {target}"}.get(files.kind(path), "")
    return Found(name, path, files.resolve(path), suffix and not name.startswith("."), suffix, masks)


def _winners(found: Iterable[Found], at_boot: bool) -> dict[str, Found]:
    """By name, the file a loader reads."""
    chosen: dict[str, Found] = {}
    for one in found:
        if one.boot if at_boot else one.reload:
            chosen.setdefault(one.name, one)
    return chosen


def _ordered(found: Iterable[Found]) -> tuple[Found, ...]:
    """Byte order of the whole names, .conf included; the directory does not count."""
    return tuple(sorted(found, key=lambda one: one.name.encode("utf-8", "surrogateescape")))


def _why(one: Found, boot: dict[str, Found]) -> str:
    if not one.name.endswith(".conf"):
        return f"{one.path} is not read, its name does not end in .conf"
    if not one.boot:
        return f"systemd-sysctl skips {one.path}, a hidden file"
    winner = boot[one.name]
    if winner.masks:
        return f"{winner.path} is {winner.masks} and masks the file {one.path}"
    return f"{winner.path} has the same name and replaces the file {one.path}"
