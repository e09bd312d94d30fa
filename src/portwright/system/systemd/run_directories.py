"""Directories below /run that a service must find and that nothing makes: /run is empty after each boot.

Measured with systemd 252 and 257, which agree: WorkingDirectory= of such a one ends with 200/CHDIR, ReadWritePaths=, BindPaths=,
RootDirectory= and their like with 226/NAMESPACE, a stream to a file in it with 209/STDOUT, each before ExecStartPre= could make it.
"""

from collections.abc import Callable, Iterator

from portwright.facts import Unit
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd.specifiers import OWN_DIRECTORIES
from portwright.trees import Files

WHY = "/run is empty after each boot, and neither RuntimeDirectory= nor a line of tmpfiles.d makes it"

_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_OF_ADMIN = "/etc/systemd/"
_TMPFILES = ("/etc/tmpfiles.d", "/usr/lib/tmpfiles.d", "/usr/local/lib/tmpfiles.d")
_MAKERS = ("/etc/rc.local", "/etc/rc.d/rc.local", "/etc/crontab")
_SHORTEST = 3


def is_unmade(path: str, unit: Unit, files: Files, expand: Callable[[str], str]) -> bool:
    """Whether a path below /run is surely not there when the service is started.

    Only of a directory that is called like the service, its user or its program: others make the rest of /run. Neither another unit
    nor a script of the boot names it. A copy without the lines of packages can tell for what an administrator wrote only.
    """
    short = _short(path)
    if not short.startswith("/run/") or UNKNOWN in short or files.partial:
        return False
    if files.kind(path) != "missing" or not _is_called_like(short, unit, expand):
        return False
    if not unit.at.path.startswith(_OF_ADMIN) and not files.names("/usr/lib/tmpfiles.d"):
        return False
    if any(_within(short, each) or _within(each, short) for each in _own(unit, expand)):
        return not any(_within(each, short) for each in _own(unit, expand))
    top = "/".join(short.split("/")[:3])
    return not any(name != unit.name and top in text for name, text in _texts(files))


def _short(path: str) -> str:
    """/var/run is a link to /run."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def _is_called_like(path: str, unit: Unit, expand: Callable[[str], str]) -> bool:
    top = _letters(path.split("/")[2])
    names = [unit.name.rpartition(".")[0].partition("@")[0]]
    names += [expand(user.value) for user in unit.each("Service", "User")]
    names += [each.value.lstrip("-+!:@|").partition(" ")[0].rpartition("/")[2] for each in unit.each("Service", "ExecStart")]
    known = (_letters(name) for name in names)
    return len(top) >= _SHORTEST and any(len(name) >= _SHORTEST and (name in top or top in name) for name in known)


def _letters(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _own(unit: Unit, expand: Callable[[str], str]) -> Iterator[str]:
    """The directories of RuntimeDirectory= of the service itself."""
    for setting in unit.each("Service", "RuntimeDirectory"):
        yield from (f"{OWN_DIRECTORIES[setting.key]}/{word.partition(':')[0]}" for word in expand(setting.value).split())


def _texts(files: Files) -> tuple[tuple[str, str], ...]:
    return files.once(_makers)


def _makers(files: Files) -> tuple[tuple[str, str], ...]:
    """(name, text) of what may make a directory at boot and names /run: other units, tmpfiles.d and scripts.

    `RuntimeDirectory=x` is written out as the path that it makes; one with a specifier makes what nobody knows.
    """
    found: list[tuple[str, str]] = []
    for folder in _UNITS:
        for name in files.names(folder):
            for path in _pieces(f"{folder}/{name}", files):
                if (source := files.read(path)) is not None and "un" in source.text:
                    found.append((name.removesuffix(".d"), _written_out(source.text)))
    for folder in _TMPFILES:
        found += ((folder, source.text) for name in files.names(folder) if (source := files.read(f"{folder}/{name}")) is not None)
    found += ((path, source.text) for path in _MAKERS if files.kind(path) == "file" and (source := files.read(path)) is not None)
    return tuple((name, text) for name, text in found if "/run/" in text)


def _pieces(path: str, files: Files) -> Iterator[str]:
    if path.endswith((".service", ".socket")):
        yield from (path,) if files.kind(path) == "file" else ()
    elif path.endswith((".service.d", ".socket.d")):
        yield from (f"{path}/{each}" for each in files.names(path) if each.endswith(".conf"))


def _written_out(text: str) -> str:
    if "RuntimeDirectory" not in text:
        return text
    lines = (line.partition("=") for line in text.split("\n") if line.startswith("RuntimeDirectory="))
    return text + "".join(f"\n/run/{word.partition(':')[0]}" for _, _, value in lines for word in value.split())


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")
