"""What the file system of a service hides from it, and the paths its sandbox must find: systemd.exec(5), Sandboxing.

Measured with systemd 252 and 257, which agree: a path below what ProtectHome=yes or InaccessiblePaths= hides stays hidden whatever
BindPaths= or ReadWritePaths= say; below TemporaryFileSystem= and ProtectHome=tmpfs a bind mount brings it back.
"""

from collections.abc import Iterator, Sequence

from portwright._start.records import dataclass, replace
from portwright.facts import Confidence, Invocation, Setting, Unit
from portwright.formats.unit import NO, YES
from portwright.source import Span, Word
from portwright.system.processes.programs import script_head
from portwright.system.releases.of_host import systemd as systemd_release
from portwright.system.releases.since import EMPTY_HOMES
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.systemd.command_line import Expand
from portwright.system.systemd.specifiers import OWN_DIRECTORIES
from portwright.system.words import words
from portwright.trees import Files

_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  compared, never opened
_ROOTED = frozenset(("RootDirectory", "RootImage"))  # the program is looked for in a tree that a copy seldom has
_MUST_EXIST = frozenset((
    "ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths",
    "ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories",
))  # fmt: skip
_BOUND = ("BindPaths", "BindReadOnlyPaths")
_OF_ADMIN = ("/etc/systemd/", "/run/systemd/")
_PASSING = ("/run/", "/proc/", "/sys/", "/dev/")
_EMPTIED = ("/run/", "/var/run/")
_SLIPS = 2
_NO_DIGITS = str.maketrans("", "", "0123456789")
_DEEPEST = 4  # how many interpreters of scripts the kernel follows


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a command of a unit cannot be started: the status that systemd reports, in words, and the line."""

    status: str
    reason: str
    at: Span
    confidence: Confidence = "certain"


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory that the unit replaces: by nothing, by an empty directory, or (`bound`) by another one."""

    path: str
    at: Span
    said: str
    final: bool = False
    bound: bool = False


class Sandbox:
    """The file system that a unit gives to its commands."""

    def __init__(self, unit: Unit, directory: Word | None, files: Files, expand: Expand) -> None:
        """`directory` is the working directory that must be there, None where no line names one."""
        self._files = files
        self._directory = directory
        self._rooted = any(setting.key in _ROOTED for setting in unit.settings)
        self._user = unit.value("Service", "User")
        self._missing = None if self._rooted or files.partial else _missing_path(unit, files, expand)
        self._places = () if self._rooted else tuple(_places(unit, files, expand))
        self._barred = () if self._rooted else tuple(_barred(unit, files, expand))

    def kept(self, made: Invocation, prefixes: frozenset[str], argv: Sequence[str], program: str) -> Invocation:
        """The invocation of a command, with what keeps it from being started where something does."""
        privileges = made.privileges
        if privileges.fails is not None:
            return made
        found = self._missing
        if found is None and not self._rooted and "+" not in prefixes:
            found = self._hidden(argv, program) or self._not_to_run(program)
            found = found or self._closed(privileges.uid0 or "!" in prefixes, program)
        if found is None:
            return made
        because = (*privileges.because, (found.reason, found.at))
        return replace(made, privileges=replace(privileges, fails=found.status, sandboxed=found.confidence, because=because))

    def _hidden(self, argv: Sequence[str], program: str) -> Blocked | None:
        """What the command cannot see of what it needs: its working directory, its program, the script that it interprets."""
        directory = self._directory
        if not self._places:
            return None
        if directory is not None and (place := self._hiding(directory.text)) is not None and directory.text.rstrip("/") != place.path:
            return Blocked("200/CHDIR", f"its working directory {directory.text} is hidden from it: {place.said}", directory.at)
        if (place := self._hiding(program)) is not None:
            return Blocked("203/EXEC", f"its program {program} is hidden from it: {place.said}", place.at)
        path = program
        for _ in range(_DEEPEST):
            head = script_head(path, self._files)
            if head is None:
                break
            path = head[0]
            if (place := self._hiding(path)) is not None:
                return Blocked("203/EXEC", f"{path}, which interprets {program}, is hidden from it: {place.said}", place.at)
        named = _file(argv, "/" if directory is None else directory.text)
        if named and (place := self._hiding(named)) is not None:
            return Blocked("ENOENT", f"{named}, which {program} is to read, is hidden from it: {place.said}", place.at, "likely")
        return None

    def _closed(self, root: bool, program: str) -> Blocked | None:
        """What a service of another user needs of root's home, which is open to nobody else on any distribution.

        Capabilities in AmbientCapabilities= do not help: the file is opened before they are there (measured).
        """
        directory, user = self._directory, self._user
        if root or user is None:
            return None
        if directory is not None and _within(self._files.resolve(directory.text), "/root"):
            reason = f"its working directory {directory.text} is closed to {user.value}: nobody but root may enter /root"
            return Blocked("200/CHDIR", reason, directory.at, "likely")
        if _within(self._files.resolve(program), "/root"):
            reason = f"its program {program} is closed to {user.value}: nobody but root may enter /root"
            return Blocked("203/EXEC", reason, user.at, "likely")
        return None

    def _not_to_run(self, program: str) -> Blocked | None:
        """NoExecPaths= that covers the program or what interprets it, unless ExecPaths= names a place nearer to it."""
        path = self._files.resolve(program)
        for _ in range(_DEEPEST):
            over = [(len(place), allowed, at) for place, allowed, at in self._barred if UNKNOWN not in path and _within(path, place)]
            if over:
                _, allowed, at = max(over, key=lambda each: each[:2])
                if not allowed:
                    return Blocked("203/EXEC", f"its program {path} may not be executed: NoExecPaths= covers it", at, "likely")
            head = script_head(path, self._files)
            if head is None:
                break
            path = self._files.resolve(head[0])
        return None

    def _hiding(self, path: str) -> _Place | None:
        """The place that hides a path, links within it followed; None where it can be seen."""
        if UNKNOWN in path or not path.startswith("/"):
            return None
        for each in dict.fromkeys((path, self._files.resolve(path))):
            over = [place for place in self._places if _within(each, place.path)]
            final = next((place for place in over if place.final), None)
            deepest = max(over, key=lambda place: len(place.path), default=None)
            if final is not None or deepest is not None:
                found = final or deepest
                return None if found is None or found.bound else found
        return None


def _missing_path(unit: Unit, files: Files, expand: Expand) -> Blocked | None:
    """A path that the sandbox must find and that is surely not on the host: 226/NAMESPACE at every start.

    A prefixed dash forgives it; neither `+` before a command nor ExecStartPre= helps. Only lines that an administrator wrote are asked:
    the directories of a package are made when it is installed, and a copy loses empty ones.
    """
    made: tuple[str, ...] | None = None
    for setting in unit.settings:
        if setting.section != "Service" or setting.key not in _MUST_EXIST or not setting.at.path.startswith(_OF_ADMIN):
            continue
        if not any(setting is each for each in unit.each("Service", setting.key)):
            continue  # a later empty line took it back
        for path in _paths(setting, expand):
            if path.startswith(_EMPTIED):
                from portwright.system.systemd.run_directories import WHY, is_unmade

                if is_unmade(path, unit, files, expand):
                    return Blocked("226/NAMESPACE", f"{setting.key}= names {path}, which is not there: {WHY}", setting.at, "likely")
            if files.kind(path) != "missing" or path.startswith(_PASSING):
                continue
            made = tuple(_made(unit, expand)) if made is None else made
            if not any(_within(path, each) for each in made) and (why := _surely_missing(path, files)) is not None:
                return Blocked("226/NAMESPACE", f"{setting.key}= names {path}, which is not there{why}", setting.at, "likely")
    return None


def _file(argv: Sequence[str], directory: str) -> str:
    """The file that a program is told to run or to read by its first word: a script, a config, an archive; "" where that is none."""
    words = [word for word in argv[1:4] if word not in ("-u", "-B", "-jar")]
    found = words[0] if words else ""
    if found.startswith("-") or UNKNOWN in found or " " in found or "." not in found.rpartition("/")[2]:
        return ""
    return found if found.startswith("/") else f"{directory.rstrip('/')}/{found}"


def _places(unit: Unit, files: Files, expand: Expand) -> Iterator[_Place]:
    """The directories that the unit's settings replace."""
    empty = () if EMPTY_HOMES.lacking(files.once(systemd_release)) else ("tmpfs",)
    home = _last_valid(unit, "ProtectHome", (*YES, *NO, "read-only", *empty))
    if home is not None and home.value.lower() in (*YES, "tmpfs"):
        final = home.value.lower() != "tmpfs"
        for path in _HOMES:
            # Over a link nothing is mounted (systemd issue 41045).
            if files.link(path) is None:
                yield _Place(path, home.at, f"ProtectHome={home.value} puts an empty directory over {path}", final)
    for key in ("PrivateTmp", "DynamicUser"):
        found = unit.value("Service", key)
        if found is not None and (found.value.lower() in YES or (key, found.value) == ("PrivateTmp", "disconnected")):
            # What an earlier command of the unit puts there is seen by the later ones.
            if not unit.each("Service", "ExecStartPre"):
                for path in _TEMPORARY:
                    yield _Place(path, found.at, f"{key}={found.value} gives it a {path} of its own")
            break
    for key in ("InaccessiblePaths", "InaccessibleDirectories"):
        for setting in unit.each("Service", key):
            for path in _paths(setting, expand, forgiving=True):
                yield _Place(path, setting.at, f"{key}= takes {path} away", True)
    for setting in unit.each("Service", "TemporaryFileSystem"):
        for word in _words(setting, expand):
            path = word.partition(":")[0].rstrip("/")
            if path.startswith("/"):
                yield _Place(path, setting.at, f"TemporaryFileSystem= puts an empty file system over {path}")
    for key in _BOUND:
        for setting in unit.each("Service", key):
            for word in _words(setting, expand):
                source, _, rest = word.lstrip("-+").partition(":")
                target = rest.partition(":")[0] or source
                yield _Place(target.rstrip("/"), setting.at, "", bound=True)


def _barred(unit: Unit, files: Files, expand: Expand) -> Iterator[tuple[str, bool, Span]]:
    """(path, whether it may be executed, line) of NoExecPaths= and ExecPaths=, of which the nearest to a program counts."""
    for key, allowed in (("NoExecPaths", False), ("ExecPaths", True)):
        for setting in unit.each("Service", key):
            for path in _paths(setting, expand, forgiving=True):
                yield files.resolve(path), allowed, setting.at


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory.rstrip('/')}/")


def _last_valid(unit: Unit, key: str, values: tuple[str, ...]) -> Setting | None:
    """The last line of a setting with a value that systemd takes; an empty one changes nothing (measured)."""
    found = [each for each in unit.settings if each.section == "Service" and each.key == key and each.value.lower() in values]
    return found[-1] if found else None


def _paths(setting: Setting, expand: Expand, forgiving: bool = False) -> Iterator[str]:
    """The absolute paths of a list that must be there; with `forgiving` those that need not, too."""
    for word in _words(setting, expand):
        if word.startswith(("-", "+-")) and not forgiving:
            continue
        path = word.lstrip("-+").partition(":")[0] if setting.key in _BOUND else word.lstrip("-+")
        if path.startswith("/") and UNKNOWN not in path:
            yield path.rstrip("/") or "/"


def _words(setting: Setting, expand: Expand) -> list[str]:
    found, _ = words(SpannedText.of(Word(setting.value, setting.at)))
    return [expand(word.text) for word in found]


def _made(unit: Unit, expand: Expand) -> Iterator[str]:
    """The directories that systemd makes for the unit before its namespace."""
    for key, root in OWN_DIRECTORIES.items():
        for setting in unit.each("Service", key):
            for word in _words(setting, expand):
                yield f"{root}/{word.partition(':')[0]}"


def _surely_missing(path: str, files: Files) -> str | None:
    """Why a path that is not in the tree is not on the host either, as the end of a sentence; None where it may be."""
    from portwright.system.systemd.conditions import surely_absent, whole
    from portwright.system.systemd.working_directory import appears

    if appears(path, files):
        return None
    parent, _, name = path.rpartition("/")
    beside = files.names(parent or "/")
    other = next((each for each in beside if len(name) > _SLIPS and _alike(name.lower(), each.lower())), None)
    if other is not None:
        return f": {parent} has {other}"
    # Another copy may lack an empty directory.
    return "" if files.once(whole) and surely_absent(path, files) else None


def _alike(name: str, other: str) -> bool:
    """Whether one name is a slip of the other, and not the next of a numbered series."""
    from portwright.system.nearness import near

    return name.translate(_NO_DIGITS) != other.translate(_NO_DIGITS) and near(name, other, _SLIPS)
