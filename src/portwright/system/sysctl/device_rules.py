"""Kernel settings that are written when a device appears or a module is loaded: rules of udev(7), `install` lines of modprobe.d(5)."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.formats.sysctl import dotted, normalized
from portwright.source import Source, Span
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.system.words import words
from portwright.trees import Files

_RULES = ("/etc/udev/rules.d", "/usr/local/lib/udev/rules.d")
_MODPROBE = ("/etc/modprobe.d",)
_UDEV, _MODULES = "udev", "modprobe"
_GENERAL = ("ACTION", "SUBSYSTEM")
_TELLING = ("RUN", "SYSCTL")
_MOST_FILES = 200


def device_writes(files: Files) -> Iterator[SysctlWrite]:
    """What the rules of an administrator write. When that is, and whether before or after the files of sysctl.d, nobody says."""
    for path in _files(_RULES, ".rules", files):
        source = files.read(path)
        if source is not None and any(each in source.text for each in _TELLING):
            for line, start in _lines(source.text):
                yield from _of_rule(line, source, start, files)
    for path in _files(_MODPROBE, ".conf", files):
        source = files.read(path)
        for line, start in () if source is None else _lines(source.text):
            parts = line.split(None, 2)
            if source is not None and len(parts) == 3 and parts[0] == "install":
                at = source.span(start, start + len(line))
                given = writes_of("/bin/sh", ["/bin/sh", "-c", parts[2]], at, _MODULES, files, lambda text: {})
                yield from (replace(write, conditional=True) for write in given)


def _files(folders: tuple[str, ...], ending: str, files: Files) -> Iterator[str]:
    for folder in folders:
        names = [name for name in files.names(folder) if name.endswith(ending)]
        for name in files.limited(names, _MOST_FILES, "files", lambda name: Span.whole(files.tree.label(folder))):  # noqa: B023
            if files.kind(f"{folder}/{name}") == "file":
                yield f"{folder}/{name}"


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """The lines that are no comments, each with where it starts; a backslash at the end joins the next one to it, as long as it was."""
    joined = text.replace("\\\n", "  ")
    start = 0
    for line in joined.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            yield line, start
        start += len(line) + 1


def _of_rule(line: str, source: Source, start: int, files: Files) -> Iterator[SysctlWrite]:
    """The programs that RUN runs, and the settings that SYSCTL{key} sets, of one rule."""
    found: list[SysctlWrite] = []
    narrow = False
    for key, operator, value, place in _pairs(line):
        name, _, attribute = key.partition("{")
        at = source.span(start + place, start + place + len(value))
        if operator in ("==", "!="):
            if name == "ACTION" and operator == "==" and value in ("remove", "offline", "unbind"):
                return
            narrow = narrow or name not in _GENERAL
        elif name == "RUN" and attribute in ("", "program}"):
            found += (replace(write, at=_place(write.at, at)) for write in _of_command(value, at, files))
        elif name == "SYSCTL" and attribute:
            found.append(SysctlWrite(dotted(normalized(attribute.rstrip("}"))), None if "$" in value or "%" in value else value, at, _UDEV))
    yield from (replace(write, conditional=True) for write in found) if narrow else found


def _place(own: Span, at: Span) -> Span:
    """Where a script says it, or the rule that holds the command."""
    return own if own.path != at.path else at


def _of_command(text: str, at: Span, files: Files) -> Iterator[SysctlWrite]:
    """What a program writes that udev executes itself: by its path or from /usr/lib/udev, single quotes parting its words."""
    from portwright.source import Word
    from portwright.system.spanned_text import SpannedText

    parted, _ = words(SpannedText.of(Word(text, at)))
    argv = [UNKNOWN if "%" in word.text or word.text.startswith("$") else word.text for word in parted]
    if argv and argv[0].startswith("/"):
        yield from writes_of(argv[0], argv, at, _UDEV, files, lambda text: {})


def _pairs(line: str) -> Iterator[tuple[str, str, str, int]]:
    """`KEY{attribute}OP"value"` of a rule: key, operator, value and where the value starts."""
    position = 0
    while (quote := line.find('"', position)) >= 0:
        end = line.find('"', quote + 1)
        if end < 0:
            return
        head = line[position:quote].strip(" \t,").removesuffix("e").rstrip()
        operator = next((each for each in ("==", "!=", "+=", "-=", ":=", "=") if head.endswith(each)), "")
        if operator:
            yield head.removesuffix(operator).strip(), operator, line[quote + 1 : end], quote + 1
        position = end + 1
