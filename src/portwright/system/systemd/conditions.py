"""Condition*= and Assert*= of systemd.unit(5) and ExecCondition=, as far as files can answer them: why a unit will not start."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from portwright.facts import Setting, Unit
from portwright.source import Span
from portwright.system.systemd.specifiers import machine
from portwright.trees import Files
from portwright.trees.glob import TooMany
from portwright.trees.glob import expand as expand_glob

_AT_RUN_TIME = ("/run/", "/proc/", "/sys/", "/dev/", "/var/", "/tmp/", "/boot/", "/efi/")  # noqa: S108  not written to
_WHOLE = ("/usr/bin/env", "/bin/sh")
"""Programs no host lacks: a tree that has both as files holds whole file systems, not just configuration."""
_OF_THE_SYSTEM = ("/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/")
_ID = 32  # digits of a machine's ID
_MOUNTED = ("/mnt/", "/media/", "/net/", "/snap/", "/nix/", "/gnu/")
_BLANK = " \t"
_OF_PATHS = (
    "Host", "PathExists", "PathIsDirectory", "PathIsSymbolicLink", "PathIsReadWrite", "FileNotEmpty", "DirectoryNotEmpty",
    "PathExistsGlob", "FileIsExecutable",
)  # fmt: skip

EXECUTABLE = 0o111

# Operators of test(1) by the condition that asks the same, and those that a path which is there may still not fulfil.
_TESTS = {"-e": "PathExists", "-d": "PathIsDirectory", "-s": "FileNotEmpty"}
_OF_WHAT_IS_THERE = ("-f", "-r", "-x")


def unmet(unit: Unit, files: Files, expand: Callable[[str], str]) -> tuple[str, Span] | None:
    """The condition that surely keeps the unit from starting, in words, and its line; None where nothing surely does.

    All plain conditions must hold, and one of those with `|` (systemd.unit(5), Conditions and Asserts). What only the running
    machine can tell, and a path missing from a place the tree may hold in part, counts as neither.
    """
    for kind in ("Condition", "Assert"):
        triggers: list[tuple[Setting, str]] = []
        sure = True
        for setting in _in_force(unit, kind):
            value, trigger, negate = _flags(setting.value)
            asked = setting.key.removeprefix(kind)
            holds = _holds(asked, expand(value), negate, unit, files)
            if trigger:
                sure = sure and holds is False
                triggers.append((setting, value))
            elif holds is False:
                return f"{setting.key}={setting.value} does not hold", setting.at
        if triggers and sure:
            return f"none of its {kind}...=| settings holds, such as {triggers[0][0].key}={triggers[0][0].value}", triggers[0][0].at
    for setting in unit.each("Service", "ExecCondition"):
        if fails_test(expand(setting.value).split(), files):
            return f"{setting.key}={setting.value} fails", setting.at
    return None


def undecided(unit: Unit, files: Files, expand: Callable[[str], str]) -> tuple[str, Span] | None:
    """A condition about the machine on which the start hangs and that no file answers, in words, and its line; None for most units.

    Conditions about paths are not asked: what a copy lacks of them counts as there.
    """
    if not (unit.says_any("Unit", "Condition") or unit.says_any("Unit", "Assert")):
        return None
    from portwright.system.systemd.machine_conditions import KINDS

    for kind in ("Condition", "Assert"):
        open_triggers: list[Setting] = []
        triggered = False
        for setting in _in_force(unit, kind):
            value, trigger, negate = _flags(setting.value)
            asked = setting.key.removeprefix(kind)
            holds = _holds(asked, expand(value), negate, unit, files)
            if trigger:
                triggered = triggered or holds is True
                open_triggers += [setting] if holds is None and asked in KINDS else []
            elif holds is None and asked in KINDS:
                return f"{setting.key}={setting.value}", setting.at
        if open_triggers and not triggered:
            return f"{open_triggers[0].key}={open_triggers[0].value}", open_triggers[0].at
    return None


def _holds(asked: str, value: str, negate: bool, unit: Unit, files: Files) -> bool | None:
    """Whether a condition holds, its `!` taken into account; None where the files do not tell."""
    if asked == "User":
        answer = _is_root(value, unit)
    elif asked in _OF_PATHS:
        answer = _answer(asked, value, files)
    else:
        from portwright.system.systemd.machine_conditions import condition, is_taken

        if not is_taken(asked, value):
            return False
        answer = condition(asked, value, files) if unit.at.path.startswith(_OF_THE_SYSTEM) else None
    return None if answer is None else answer is not negate


def fails_test(words: list[str], files: Files) -> bool:
    """Whether a command surely ends with status 1: false, or test of a path that is not there."""
    if not words or words[0][:1] in ("-", "@"):
        return False
    name = words[0].lstrip("+!:").rpartition("/")[2]
    if name == "false":
        return True
    tested = words[1:-1] if name == "[" and words[-1] == "]" else words[1:] if name == "test" else []
    negated = tested[:1] == ["!"]
    operands = tested[negated:]
    if len(operands) != 2 or operands[0] not in (*_TESTS, *_OF_WHAT_IS_THERE) or any(char in operands[1] for char in "$%\"'"):
        return False
    answer = _answer(_TESTS.get(operands[0], "PathExists"), operands[1], files)
    if answer and operands[0] in _OF_WHAT_IS_THERE:
        return False
    return answer is negated


def _in_force(unit: Unit, kind: str) -> list[Setting]:
    found: list[Setting] = []
    if not unit.says_any("Unit", kind):
        return found
    for setting in unit.settings:
        if setting.section == "Unit" and setting.key.startswith(kind):
            if setting.value:
                found.append(setting)
            else:
                # An empty assignment of any of them drops all of that kind.
                found.clear()
    return found


def _flags(value: str) -> tuple[str, bool, bool]:
    trigger = value.startswith("|")
    if trigger:
        value = value[1:].lstrip(_BLANK)
    negate = value.startswith("!")
    if negate:
        value = value[1:].lstrip(_BLANK)
    return value, trigger, negate


def _answer(kind: str, path: str, files: Files) -> bool | None:
    """Whether a condition holds, its `!` left aside; None where the files do not tell."""
    if kind == "Host":
        return _is_host(path, files)
    if "\ufffd" in path or not path.startswith("/"):
        return None
    match kind:
        case "PathExists":
            return True if files.kind(path) != "missing" else absent(path, files)
        case "PathIsDirectory":
            found = files.kind(path)
            return found == "directory" if found != "missing" else absent(path, files)
        case "PathIsSymbolicLink":
            if files.link(path) is not None:
                return True
            return False if files.kind(path) != "missing" else absent(path, files)
        case "FileNotEmpty":
            found = files.kind(path)
            if found == "missing":
                return absent(path, files)
            if found != "file":
                return False
            source = files.read(path)
            return None if source is None else bool(source.text)
        case "DirectoryNotEmpty":
            if files.kind(path) == "missing":
                return absent(path, files)
            # An empty directory may be one whose files were not copied.
            return bool(files.names(path)) or absent(f"{path.rstrip('/')}/file", files)
        case "PathExistsGlob":
            try:
                return bool(expand_glob(path, files, tells=False)) or absent(path, files)
            except TooMany:
                return True
        case "FileIsExecutable":
            found = files.kind(path)
            if found == "missing":
                return absent(path, files)
            return _is_executable(path, files) if found == "file" else False
        case "PathIsReadWrite":
            return absent(path, files) if files.kind(path) == "missing" else None
        case _:
            return None


def _is_root(user: str, unit: Unit) -> bool | None:
    """Whether ConditionUser= is the user of the system's manager; None of the units of users."""
    if not user or "\ufffd" in user or not unit.at.path.startswith(_OF_THE_SYSTEM):
        return None
    return user in ("root", "0", "@system")


def _is_host(pattern: str, files: Files) -> bool | None:
    """Whether a pattern of ConditionHost= is the host's name; None where it may be, as where it looks like the ID of a machine."""
    known = files.once(machine).hostname
    if not known or known == "localhost" or not pattern or "\ufffd" in pattern or len(pattern.replace("-", "")) == _ID:
        return None
    return fnmatchcase(known.lower(), pattern.lower())


def absent(path: str, files: Files) -> bool | None:
    """False where a path that is not in the tree is not on the host either, None where nobody can tell."""
    if path.startswith("/etc/"):
        return False
    if path.startswith(_AT_RUN_TIME):
        return None
    return False if files.once(whole) else None


def _is_executable(path: str, files: Files) -> bool | None:
    known = files.attributes(path)
    if known is None or not files.once(keeps_modes):
        return None
    return bool(known.mode & EXECUTABLE)


def keeps_modes(files: Files) -> bool:
    """Whether the tree has the modes of the host: its own shell can be executed there."""
    known = files.attributes("/bin/sh")
    return known is not None and bool(known.mode & EXECUTABLE)


def whole(files: Files) -> bool:
    """Whether the tree holds whole file systems, not just configuration."""
    return all(files.kind(program) == "file" for program in _WHOLE)


def surely_absent(path: str, files: Files) -> bool:
    """Whether a path that is not in the tree is not on the host either, nor below a place where file systems come and go."""
    return all(absent(each, files) is False and not each.startswith(_MOUNTED) for each in (path, files.resolve(path)))
