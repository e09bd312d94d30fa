"""What systemd must find before a service's program runs: files that its settings name, and the programs of its Exec lines.

Measured by booting systemd 252 and 257, which agree but where it is said. All of these keep ExecStartPre= from being run, too, and so
it cannot make what is missing.
"""

from collections.abc import Callable, Iterable, Iterator

from portwright._start.records import dataclass
from portwright.facts import Confidence, Setting, Unit
from portwright.source import Span
from portwright.system.processes.programs import SEARCH_PATH, find_program, script_head, unnamed_interpreter
from portwright.system.spanned_text import UNKNOWN
from portwright.system.systemd.command_line import Command, Refused
from portwright.system.systemd.conditions import EXECUTABLE, fails_test, keeps_modes, surely_absent, whole
from portwright.system.systemd.run_directories import WHY, is_unmade
from portwright.system.systemd.specifiers import OWN_DIRECTORIES
from portwright.system.systemd.working_directory import appears
from portwright.trees import Files
from portwright.trees.tree import ReadError

_STREAMS = {
    "StandardInput": ("208/STDIN", ("file:",)),
    "StandardOutput": ("209/STDOUT", ("file:", "append:", "truncate:")),
    "StandardError": ("222/STDERR", ("file:", "append:", "truncate:")),
}
_ROOTED = ("RootImage", "RootDirectoryStartOnly", "MountImages", "ExtensionImages", "ExtensionDirectories")
_COVERED = ("TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths", "PrivateTmp", "ProtectHome", "InaccessiblePaths")
_DECIDING = ("ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost")
_SCRIPTS = (".sh", ".bash", ".py", ".pl", ".rb")
_OF_PACKAGES = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/bin/", "/sbin/", "/lib/")
_LOGS = ("/var/log/", "/var/lib/", "/var/cache/", "/srv/")

Commands = Callable[[Setting, Unit], tuple[Command | Refused, ...]]


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a start does not find: the status that systemd reports, the fact in words, the line, and how sure it is."""

    status: str
    reason: str
    at: Span
    confidence: Confidence = "likely"


def lacking_file(unit: Unit, files: Files, expand: Callable[[str], str]) -> Lacking | None:
    """The first file or directory that the settings of a service need and that is surely not on the host; None where none is."""
    if files.partial:
        return None
    for setting, path, status in _needed(unit, expand):
        if (found := _stream(unit, setting, path, status, files, expand)) is not None:
            return found
    for found in (*_credentials(unit, files, expand), *_opened(unit, files, expand), *_roots(unit, files, expand)):
        return found
    return _profile(unit, files, expand)


def _needed(unit: Unit, expand: Callable[[str], str]) -> Iterator[tuple[Setting, str, str]]:
    """The files that the standard streams are connected to: (line, path, status); a path that is not absolute is passed over."""
    for key, (status, schemes) in _STREAMS.items():
        found = unit.each("Service", key)
        setting = next((each for each in reversed(found) if _is_stream(each.value)), None)
        scheme = next((each for each in schemes if setting is not None and setting.value.startswith(each)), None)
        if setting is not None and scheme is not None:
            path = expand(setting.value.removeprefix(scheme))
            if path.startswith("/") and UNKNOWN not in path:
                yield setting, path, status


def _is_stream(value: str) -> bool:
    """Whether systemd takes the value: a path must be absolute; another line is passed over, and the one before it holds."""
    _, colon, path = value.partition(":")
    return not colon or path.startswith(("/", "%")) or value.startswith("fd:")


def _stream(unit: Unit, setting: Setting, path: str, status: str, files: Files, expand: Callable[[str], str]) -> Lacking | None:
    if setting.key == "StandardInput":
        return Lacking(status, f"{setting.key}= names {path}, which is not there", setting.at) if _is_gone(path, files) else None
    if _kind(path, files) == "directory":
        return Lacking(status, f"{setting.key}= names {path}, which is a directory", setting.at)
    directory = path.rpartition("/")[0] or "/"
    # The streams are connected before these directories are made, and a start that ends there makes none.
    own = next((each for each in _made_by(unit, expand) if _within(directory, each[1])), None)
    passing = own is not None and own[0] == "RuntimeDirectory" and not appears(directory, files)
    passing = passing or (own is None and not appears(directory, files) and is_unmade(directory, unit, files, expand))
    if not (passing or _is_gone(directory, files) or _is_gone_log(directory, files)):
        return None
    why = f"the directory of {path} is not there"
    if own is not None:
        why += f", and {own[0]}= makes it only after the stream is connected"
    elif any(directory == made or made.startswith(f"{directory}/") for made in files.once(_made_by_any)):
        return None
    return Lacking(status, why, setting.at)


def _made_by(unit: Unit, expand: Callable[[str], str]) -> Iterator[tuple[str, str]]:
    for key, root in OWN_DIRECTORIES.items():
        for setting in unit.each("Service", key):
            yield from ((key, f"{root}/{word.partition(':')[0]}") for word in expand(setting.value).split())


def _made_by_any(files: Files) -> frozenset[str]:
    """The directories that systemd makes for any service of the host; a value with a specifier makes none that is known."""
    found: set[str] = set()
    for directory in ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"):
        for name in files.names(directory):
            if name.endswith(".service") and (source := files.read(f"{directory}/{name}")) is not None and "Directory=" in source.text:
                for line in source.text.split("\n"):
                    key, _, value = line.partition("=")
                    root = OWN_DIRECTORIES.get(key.strip())
                    found.update(f"{root}/{word.partition(':')[0]}" for word in value.split() if root is not None)
    return frozenset(found)


def _credentials(unit: Unit, files: Files, expand: Callable[[str], str]) -> Iterator[Lacking]:
    """LoadCredential=ID:PATH of an absolute path must be there, unless SetCredential= has another value for ID; a name alone need not."""
    given = {
        setting.value.partition(":")[0] for key in ("SetCredential", "SetCredentialEncrypted") for setting in unit.each("Service", key)
    }
    for key in ("LoadCredential", "LoadCredentialEncrypted"):
        for setting in unit.each("Service", key):
            name, _, path = setting.value.partition(":")
            path = expand(path)
            # A copy leaves secrets out.
            if name not in given and path.startswith("/") and files.once(whole) and _is_gone(path, files):
                yield Lacking("243/CREDENTIALS", f"{key}= names {path}, which is not there", setting.at)


def _opened(unit: Unit, files: Files, expand: Callable[[str], str]) -> Iterator[Lacking]:
    for setting in unit.each("Service", "OpenFile"):
        path, *rest = setting.value.split(":")
        options = rest[1].split(",") if len(rest) > 1 else []
        if {"graceful", "append", "truncate"}.isdisjoint(options) and _is_gone(expand(path), files):
            yield Lacking("202/FDS", f"OpenFile= names {expand(path)}, which is not there", setting.at)


def _roots(unit: Unit, files: Files, expand: Callable[[str], str]) -> Iterator[Lacking]:
    """RootDirectory= or RootImage= that is not there; its program is looked for in it."""
    for key in ("RootDirectory", "RootImage"):
        found = unit.value("Service", key)
        if found is None:
            continue
        path = expand(found.value).rstrip("/")
        if _is_gone(path, files):
            yield Lacking("226/NAMESPACE", f"{key}= names {path}, which is not there", found.at)
        elif is_unmade(path, unit, files, expand):
            yield Lacking("226/NAMESPACE", f"{key}= names {path}, which is not there: {WHY}", found.at)


def _profile(unit: Unit, files: Files, expand: Callable[[str], str]) -> Lacking | None:
    """AppArmorProfile= of a profile that nothing loads; `-` before it lets the service start without (systemd.exec(5))."""
    found = unit.value("Service", "AppArmorProfile")
    if found is None or found.value.startswith("-") or not files.names("/etc/apparmor.d"):
        return None
    from portwright.system.host_files.apparmor import is_nowhere

    name = expand(found.value)
    if UNKNOWN in name or not is_nowhere(name, files):
        return None
    return Lacking("231/APPARMOR", f"AppArmorProfile= names {name}, which no file of /etc/apparmor.d defines", found.at)


def lacking_program(unit: Unit, commands: Commands, files: Files, expand: Callable[[str], str]) -> Lacking | None:
    """The first command without which the service is not started and that surely cannot be executed; None where each may be.

    What stands after `-` may fail. The program of ExecStartPost= ends a service that is started (measured), ExecCondition= skips it.
    """
    if any(unit.each("Service", key) for key in _ROOTED):
        return None
    root = _root(unit, expand)
    if root is None:
        return None
    search = _search_path(unit, expand)
    stated = unit.value("Service", "Type")
    kind = None if stated is None else stated.value
    for key in _DECIDING:
        for setting in unit.each("Service", key):
            for command in commands(setting, unit):
                if isinstance(command, Command) and "-" not in command.prefixes:
                    found = _unusable(unit, command, root, search, files)
                    if found is not None:
                        return Lacking(found[1], f"{key}= names {found[0]}", command.at if key == "ExecStart" else setting.at)
                    words = [each.text for each in command.argv]
                    waits = key in ("ExecStartPre", "ExecStartPost") or (key == "ExecStart" and kind == "oneshot")
                    if waits and fails_test(words, files):
                        return Lacking("exit-code", f"{key}={setting.value} fails", setting.at)
    return None


def unreadable_script(unit: Unit, commands: Commands, files: Files, expand: Callable[[str], str]) -> Lacking | None:
    """The first script of the Exec lines, without which the service is not started, whose first line names no interpreter.

    Any copy that has the script tells so. Only what systemd itself executes counts: a shell runs such a script all the same.
    """
    if any(unit.each("Service", key) for key in (*_ROOTED, "RootDirectory")):
        return None
    for key in _DECIDING:
        for setting in unit.each("Service", key):
            for command in commands(setting, unit):
                if isinstance(command, Command) and "-" not in command.prefixes and UNKNOWN not in (name := command.program.text):
                    path = files.resolve(find_program(name, files, _search_path(unit, expand)))
                    if (found := unnamed_interpreter(path, files)) is not None:
                        at = Span(files.tree.label(path), 1, 1, 1, 2)
                        return Lacking(found[1], f"{key}= names {name}, {found[0]}", at, "certain")
    return None


def _root(unit: Unit, expand: Callable[[str], str]) -> str | None:
    """What stands before the path of each program: RootDirectory=; None where nobody can tell what a program is looked for in."""
    stated = unit.value("Service", "RootDirectory")
    root = "" if stated is None else expand(stated.value).rstrip("/")
    covered = any(unit.each("Service", key) for key in _COVERED)
    return None if UNKNOWN in root or (root and covered) else root


def _search_path(unit: Unit, expand: Callable[[str], str]) -> tuple[str, ...]:
    found = [
        each for setting in unit.each("Service", "ExecSearchPath") for each in expand(setting.value).split(":") if each.startswith("/")
    ]
    return tuple(found) or (*SEARCH_PATH, "/sbin", "/bin")


def _unusable(unit: Unit, command: Command, root: str, search: Iterable[str], files: Files) -> tuple[str, str] | None:
    """(the program and why it cannot be executed, the status) of a command; None where it may be."""
    name = command.program.text
    if UNKNOWN in name:
        return None
    if "/" not in name:
        if root:
            return None
        if all(_kind(f"{each}/{name}", files) == "missing" and files.link(f"{each}/{name}") is None for each in search):
            return f"{name}, which is in none of {', '.join(search)}", "203/EXEC"
        path = find_program(name, files, search)
    else:
        path = f"{root}{name}"
    covered = [] if root else [each for key in _COVERED[:3] for each in unit.each("Service", key)]
    if any(path.rpartition("/")[0] in each.value for each in covered):
        return None
    if _is_gone(path, files):
        return f"{name}, which is not {'in ' + root if root else 'there'}", "203/EXEC"
    return None if root else _not_executable(name, path, files)


def _not_executable(name: str, path: str, files: Files) -> tuple[str, str] | None:
    """Why a file that is there cannot be executed: what it is, its mode, or the first line of a script."""
    kind = _kind(path, files)
    if kind == "directory":
        return f"{name}, which is a directory", "203/EXEC"
    if kind != "file":
        return None
    known = files.attributes(path)
    if known is not None and not known.mode & EXECUTABLE and files.once(keeps_modes):
        return f"{name}, whose mode {known.mode & 0o7777:04o} lets nobody execute it", "203/EXEC"
    head = script_head(files.resolve(path), files)
    if head is not None and _is_gone(head[0], files):
        return f"{name}, whose interpreter {head[0]} is not there", "203/EXEC"
    if (unnamed := unnamed_interpreter(files.resolve(path), files)) is not None:
        return f"{name}, {unnamed[0]}", unnamed[1]
    if head is not None:
        return None
    begins = files.head(files.resolve(path))
    is_script = path.endswith(_SCRIPTS) and not path.startswith(_OF_PACKAGES)
    if is_script and begins and b"\0" not in begins and not begins.startswith(b"#!"):
        return f"{name}, a script whose first line does not name its interpreter after #!", "203/EXEC"
    return None


def _kind(path: str, files: Files) -> str:
    """What is at a path; "unknown" where nobody may look."""
    try:
        return files.tree.kind(path)
    except ReadError:
        return "unknown"


def _is_gone(path: str, files: Files) -> bool:
    """Whether a path is surely not on the host, and nothing makes it or is mounted over it before services start."""
    if UNKNOWN in path or not path.startswith("/") or _kind(path, files) != "missing":
        return False
    return surely_absent(path, files) and not appears(path, files)


def _is_gone_log(directory: str, files: Files) -> bool:
    """Whether the directory of a log is not there, of a whole host that has others beside it."""
    if not directory.startswith(_LOGS) or UNKNOWN in directory or _kind(directory, files) != "missing" or not files.once(whole):
        return False
    top = "/".join(directory.split("/")[:3])
    return bool(files.names(top)) and not appears(directory, files)


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
