"""A WorkingDirectory= that is not on the host: systemd ends each start of such a service with 200/CHDIR."""

from collections.abc import Callable, Iterator

from portwright.facts import Unit
from portwright.source import Span
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd.conditions import surely_absent
from portwright.trees import Files

FAILS = "200/CHDIR"

_ELSEWHERE = (
    "ConfigurationDirectory", "RootDirectory", "RootImage", "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "MountImages",
)  # fmt: skip
_MADE_FOR_IT = ("RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory")
_EMPTIED = ("/run/", "/var/run/")
_TMPFILES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/lib/tmpfiles.d")
_NETWORK_HOMES = ("/etc/auto.master", "/etc/auto.home", "/etc/autofs.conf", "/etc/systemd/homed.conf.d")


def missing(unit: Unit, files: Files, expand: Callable[[str], str]) -> tuple[str, Span] | None:
    """Why the directory that a service is started in is not on the host, and the line that names it; None where it may be there.

    A copy seldom has all directories of a host. One that has the homes of users has them all: the home of nobody is not there.
    """
    found = unit.value("Service", "WorkingDirectory")
    if found is None or files.partial or found.value[:1] in ("-", "~"):
        return None
    if any(unit.each("Service", key) for key in _ELSEWHERE):
        return None
    path = expand(found.value).rstrip("/")
    if not path.startswith("/") or UNKNOWN in path:
        return None
    if files.kind(path) == "file":
        return f"its working directory {path} is a file", found.at
    if files.kind(path) != "missing" or appears(path, files):
        return None
    if surely_absent(path, files):
        return f"its working directory {path} is not there", found.at
    if path.startswith(_EMPTIED):
        from portwright.system.systemd.run_directories import WHY, is_unmade

        return (f"its working directory {path} is not there: {WHY}", found.at) if is_unmade(path, unit, files, expand) else None
    parts = path.split("/")
    if len(parts) < 3 or parts[1] != "home" or any(files.kind(each) != "missing" for each in _NETWORK_HOMES):
        return None
    home = f"/home/{parts[2]}"
    homes = [each for each in files.names("/home") if files.kind(f"/home/{each}") == "directory"]
    passwd = files.read("/etc/passwd")
    if not homes or files.kind(home) != "missing" or passwd is None or any(line.startswith("+") for line in passwd.text.split("\n")):
        return None
    known = {field for line in passwd.text.split("\n") for field in (*line.split(":")[:1], *line.split(":")[5:6])}
    if parts[2] in known or any(each == home or each.startswith(f"{home}/") for each in known):
        return None
    return f"its working directory {path} is not there: there is no user {parts[2]}, and /home has no {parts[2]}", found.at


def is_doubtful(unit: Unit, files: Files, expand: Callable[[str], str]) -> bool:
    """Whether the folder that would hold the directory a service is started in is there, and the directory is not: a copy may lack it."""
    found = unit.value("Service", "WorkingDirectory")
    if found is None or found.value[:1] in ("-", "~") or any(unit.each("Service", key) for key in (*_ELSEWHERE, *_MADE_FOR_IT)):
        return False
    path = expand(found.value).rstrip("/")
    above = path.rpartition("/")[0]
    if not above.startswith("/") or UNKNOWN in path or files.kind(above) != "directory":
        return False
    return files.kind(path) == "missing" and not appears(path, files)


def appears(path: str, files: Files) -> bool:
    """Whether something is mounted over it, or makes it, before services start: tmpfiles.d(5) makes what is above a directory, too."""
    if any(_within(path, place) for place in _mounted(files)):
        return True
    return any(_within(made, path) or (copied and _within(path, made)) for made, copied in _made(files))


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")


def _mounted(files: Files) -> Iterator[str]:
    for words in _lines("/etc/fstab", files):
        if len(words) > 1 and words[1].startswith("/") and words[1] != "/":
            yield words[1]


def _made(files: Files) -> Iterator[tuple[str, bool]]:
    """(path, whether what lies below it is made, too) of each line of tmpfiles.d that makes something."""
    for directory in _TMPFILES:
        for name in files.names(directory):
            for words in _lines(f"{directory}/{name}", files):
                if len(words) > 1 and words[0][:1] in "dDvqQCL":
                    yield words[1], words[0][0] in "CL"


def _lines(path: str, files: Files) -> Iterator[list[str]]:
    source = files.read(path) if files.kind(path) == "file" else None
    for line in () if source is None else source.text.split("\n"):
        if not line.startswith("#"):
            yield line.split()
