"""Which init system is in charge of a host, by the file that says so."""

from collections.abc import Iterable, Iterator
from typing import Literal

from portwright._start.records import dataclass
from portwright.facts import Confidence
from portwright.source import Span
from portwright.system.host_files.captures import captured
from portwright.trees import Files

InitName = Literal["systemd", "openrc", "runit", "sysvinit", "busybox", "s6", "upstart", "finit", "dinit", "procd", "unknown", "none"]

NAMES: dict[InitName, str] = {
    "systemd": "systemd",
    "openrc": "OpenRC",
    "runit": "runit",
    "sysvinit": "sysvinit",
    "busybox": "the init of BusyBox",
    "s6": "s6",
    "upstart": "Upstart",
    "finit": "finit",
    "dinit": "dinit",
    "procd": "procd of OpenWrt",
    "unknown": "an unknown init system",
    "none": "no init system",
}
"""How a report calls each."""

# init/main.c, kernel_init(): what the kernel starts where its command line names nothing. /bin/sh would be a rescue.
_STARTED_BY_THE_KERNEL = ("/sbin/init", "/etc/init", "/bin/init")
_MOST_LINKS = 8
_PROGRAMS: dict[str, InitName] = {
    "systemd": "systemd",
    "openrc-init": "openrc",
    "runit": "runit",
    "runit-init": "runit",
    "busybox": "busybox",
    "s6-init": "s6",
    "s6-linux-init": "s6",
    "s6-svscan": "s6",
    "upstart": "upstart",
    "finit": "finit",
    "dinit": "dinit",
    "procd": "procd",
}
# Packages of Debian and its like that bring /sbin/init; each conflicts with the others.
_PACKAGES: dict[str, InitName] = {"systemd-sysv": "systemd", "sysvinit-core": "sysvinit", "runit-init": "runit"}
# What every Debian has installed: a list of packages without these is a part of one, and what it lacks may be there.
_ESSENTIAL = ("base-files", "dpkg", "libc6")
_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_OF_SYSTEMD = ("/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/lib/systemd", "/usr/local/lib/systemd")
_OTHER_PROGRAMS = ("/sbin/openrc", "/usr/bin/openrc", "/sbin/runit", "/usr/bin/runit", "/sbin/procd", "/bin/s6-svscan", "/init")
_CONTAINER = ("/.dockerenv", "/run/.containerenv")
# Distributions without systemd in their repositories: its directories are there because packages of others put a file into them.
_NEVER_SYSTEMD: dict[str, InitName] = {
    "alpine": "openrc",
    "postmarketos": "openrc",
    "devuan": "sysvinit",
    "slackware": "sysvinit",
    "void": "runit",
    "openwrt": "procd",
    "chimera": "dinit",
}
# What only one init system has; the first that is there says which, a folder's slash says that it has to be one.
_SIGNS: tuple[tuple[str, InitName], ...] = (
    ("/etc/runlevels/", "openrc"),
    ("/etc/runit/", "runit"),
    ("/etc/finit.conf", "finit"),
    ("/etc/finit.d/", "finit"),
    ("/etc/dinit.d/", "dinit"),
    ("/etc/openwrt_release", "procd"),
    ("/etc/s6-linux-init/", "s6"),
    ("/etc/s6-overlay/", "s6"),
    ("/etc/s6/sv/", "s6"),
    ("/etc/rc.subr", "unknown"),
)


@dataclass(frozen=True, slots=True)
class Init:
    """An init system, the file that says it is in charge, and what is there to see; `at` is None where nothing in the tree says so."""

    name: InitName
    at: Span | None
    sign: str
    confidence: Confidence


def init_system(files: Files) -> Init:
    """The init system of a host.

    The kernel's command line and what /sbin/init is come first, then what is found while it runs, packages, and the files of each
    system. Of a host that was copied in part any file of systemd's says systemd, as others' files are left over where systemd took
    their place; and where nothing points anywhere, it is systemd. Use `files.once(init_system)`.
    """
    return next(_verdicts(files))


def _verdicts(files: Files) -> Iterator[Init]:
    """What each kind of sign says, the most telling first."""
    yield from _of_command_line(files)
    if files.kind("/run/systemd/system") == "directory":
        yield _at("/run/systemd/system", "systemd", "it is there while systemd runs, sd_booted(3)", "certain", files)
    yield from _of_link(files)
    yield from _of_packages(files)
    for path in _SYSTEMD:
        if files.kind(path) == "file":
            yield _at(path, "systemd", "its program is there", "likely", files)
    yield from _container(files)
    distribution = _distribution(files)
    if distribution not in _NEVER_SYSTEMD and not _has_program_of_its_own(files):
        yield from _of_directories(files)
    yield from _of_others(files)
    if distribution in _NEVER_SYSTEMD:
        yield _at("/etc/os-release", _NEVER_SYSTEMD[distribution], f"ID={distribution}", "possible", files)
    yield from _of_directories(files)
    yield Init("systemd", None, "nothing in the tree points to another one", "possible")


def _at(path: str, name: InitName, sign: str, confidence: Confidence, files: Files) -> Init:
    return Init(name, Span.whole(files.tree.label(path)), sign, confidence)


def _has_program_of_its_own(files: Files) -> bool:
    """Whether /sbin/init is a program: systemd's is a link, and its own program was looked for."""
    return any(files.kind(path) == "file" for path in _STARTED_BY_THE_KERNEL)


def _of_directories(files: Files) -> Iterator[Init]:
    for path in _OF_SYSTEMD:
        if files.kind(path) == "directory":
            yield _at(path, "systemd", "its directory is there", "likely", files)


def _of_others(files: Files) -> Iterator[Init]:
    """What only one of the others has. Upstart's first: hosts that have it keep an inittab for its `initdefault`."""
    for path in ("/etc/init/rc-sysinit.conf", "/etc/init/rc.conf"):
        if files.kind(path) == "file":
            yield _at(path, "upstart", "it is there", "likely", files)
    yield from _of_inittab(files, "sysvinit")
    for path, name in _SIGNS:
        if files.kind(path.rstrip("/")) == ("directory" if path.endswith("/") else "file"):
            yield _at(path.rstrip("/"), name, "it is there", "likely", files)


def _of_command_line(files: Files) -> Iterator[Init]:
    """`init=` of the kernel's command line (bootparam(7)); the last one counts."""
    for word in reversed(files.once(captured).cmdline or ()):
        key, _, path = word.text.partition("=")
        if key == "init" and path.startswith("/"):
            yield from (Init(init.name, word.at, init.sign, init.confidence) for init in _of_program(path, word.text, files))
            return


def _of_link(files: Files) -> Iterator[Init]:
    """What /sbin/init leads to; it need not be in the tree. A program of its own, under that name, says nothing by itself."""
    for path in _STARTED_BY_THE_KERNEL:
        if files.link(path) is not None:
            yield from _of_program(path, f"a link to {files.link(path)}", files)
            return


def _of_program(path: str, sign: str, files: Files) -> Iterator[Init]:
    """The init system of a program: by its own name, or that of a link on the way to it."""
    at = path
    for _ in range(_MOST_LINKS):
        name = _named(path)
        if name == "busybox":
            yield from _of_inittab(files, "busybox")
        if name is not None:
            yield _at(at, name, sign, "certain", files)
            return
        target = files.link(path)
        if target is None:
            break
        path = target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"
    if path.rpartition("/")[2] != "init":
        yield _at(at, "unknown", sign, "certain", files)


def _named(path: str) -> InitName | None:
    if "/sysvinit/" in path:
        return "sysvinit"
    return "s6" if "/s6-linux-init/" in path else _PROGRAMS.get(path.rpartition("/")[2])


def _of_packages(files: Files) -> Iterator[Init]:
    known = files.once(captured)
    listed = next((path for path in ("/.portwright/packages", "/var/lib/dpkg/status") if files.kind(path) == "file"), None)
    if listed is not None:
        for package, name in _PACKAGES.items():
            if package in known.packages:
                if name == "sysvinit":
                    yield from _of_inittab(files, name)
                yield _at(listed, name, f"{package} is installed", "certain", files)


def _container(files: Files) -> Iterator[Init]:
    """A container's tree: there is no program that could be process 1 of a whole system."""
    programs = (*_STARTED_BY_THE_KERNEL, *_SYSTEMD, *_OTHER_PROGRAMS)
    if any(files.kind(path) == "file" or files.link(path) is not None for path in programs):
        return
    for path in _CONTAINER:
        if files.kind(path) == "file":
            yield _at(path, "none", "this is a container's tree, without /sbin/init", "likely", files)
    known = files.once(captured)
    if all(package in known.packages for package in _ESSENTIAL) and "systemd" not in known.packages and files.kind("/bin/sh") == "file":
        listed = next(path for path in ("/.portwright/packages", "/var/lib/dpkg/status") if files.kind(path) == "file")
        yield _at(listed, "none", "no package that provides one is installed, and there is no /sbin/init", "likely", files)


def _of_inittab(files: Files, reader: InitName) -> Iterator[Init]:
    """inittab(5), which sysvinit and BusyBox read: whether it starts something, and whether that is OpenRC or runit.

    Where systemd is, the file is a comment. One of Alpine's images names openrc, and openrc is not in them.
    """
    path = "/etc/inittab"
    source = files.read(path) if files.kind(path) == "file" else None
    lines = () if source is None else source.text.split("\n")
    entries = [(n, line) for n, line in enumerate(lines, 1) if line.count(":") >= 3 and not line.lstrip().startswith("#")]
    if source is None or not entries:
        return
    for number, line in entries:
        process = line.split(":", 3)[3].strip()
        program = process.split(" ")[0]
        name = program.rpartition("/")[2]
        at = Span(source.path, number, 1, number, len(line) + 1)
        if name == "openrc":
            if files.kind(program) == "missing" and files.kind("/bin/busybox") == "file":
                yield Init("none", at, f"it starts {program}, which is not there", "likely")
            yield Init("openrc", at, f"it starts {program}", "likely")
    if files.kind("/etc/openwrt_release") == "file":
        yield _at("/etc/openwrt_release", "procd", "it is there", "likely", files)
    number, line = entries[0]
    # In BusyBox' table the field for runlevels is empty, and the one before it names a terminal, mostly none.
    plain = all(entry.split(":")[1].strip() == "" for _, entry in entries)
    name_of_reader: InitName = "busybox" if plain else reader
    yield Init(name_of_reader, Span(source.path, number, 1, number, len(line) + 1), "it defines what is started", "likely")


def _distribution(files: Files) -> str:
    """ID= of os-release(5)."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        source = files.read(path) if files.kind(path) == "file" else None
        for line in () if source is None else source.text.split("\n"):
            if line.startswith("ID="):
                return line[3:].strip().strip("\"'").lower()
    return ""


def unread(init: Init, read: Iterable[str]) -> str:
    """Why nothing is known of what a host starts, "" where the reader of its init system is among those in `read`."""
    if init.name in read:
        return ""
    if init.name == "none":
        return f"no init system: {init.sign}, so nothing starts at boot, and what the container runs cannot be determined"
    return f"init system not read: {NAMES[init.name]} is the init system of this host ({init.sign}), so what it starts cannot be determined"
