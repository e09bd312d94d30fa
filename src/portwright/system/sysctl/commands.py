"""Kernel settings that commands write when they start (`sysctl -w`, `echo x > /proc/sys/...`): what the files say is not sure then."""

from collections.abc import Iterable, Iterator

from portwright._start.records import replace
from portwright.facts import Overridden, Sysctl
from portwright.formats.sysctl import PROCPS, Line, dotted, normalized, parse
from portwright.source import Span
from portwright.system.processes.programs import SHELLS, is_shell_script
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import SysctlWrite
from portwright.system.sysctl.settle import Settled, defaults
from portwright.trees import Files

_LOADERS = ("sysctl", "systemd-sysctl")
_LONGEST_SCRIPT = 1 << 18
_LONGEST_COMMAND = 400
_PROC = "/proc/sys/net/"
_ALL = "*"


def unsettle(settled: Settled, writes: Iterable[SysctlWrite]) -> Settled:
    """The same values, *possible* only where a command that a boot starts writes another one to the key.

    Which of them stands when a service binds depends on what starts first and on whether the command succeeds, so neither is claimed:
    `boot` goes on to be what systemd-sysctl leaves, and what the unit writes stands among the lost values with its line.
    """
    written: dict[str, list[SysctlWrite]] = {}
    for write in writes:
        written.setdefault(write.key, []).append(write)
    if not written:
        return settled
    return replace(settled, sysctls=tuple(_unsettled(sysctl, written) for sysctl in settled.sysctls))


def perhaps(settled: Settled) -> Settled:
    """The same values, those that files set *possible* only: whether anything reads the files at boot is not known."""
    own = defaults().path
    sysctls = (each if each.at.path == own else replace(each, confidence="possible") for each in settled.sysctls)
    return replace(settled, sysctls=tuple(sysctls))


def _unsettled(sysctl: Sysctl, written: dict[str, list[SysctlWrite]]) -> Sysctl:
    overridden = list(sysctl.overridden)
    for write in (*written.get(sysctl.key, ()), *written.get(_ALL, ())):
        value = sysctl.reload if write.key == _ALL else write.value
        if value is None or value.split() != sysctl.boot.split():
            overridden.append(
                Overridden(
                    value if value is not None else UNKNOWN,
                    write.at,
                    f"{write.unit} writes it when it starts, sooner or later than others need it",
                )
            )
    return sysctl if len(overridden) == len(sysctl.overridden) else replace(sysctl, overridden=tuple(overridden), confidence="possible")


def writes_of(program: str, words: list[str], at: Span, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """What one command of a unit writes: sysctl itself, or a shell with text that names it."""
    name = program.rpartition("/")[2]
    if name in _LOADERS:
        yield from _of_sysctl(name, words[1:], at, unit, files)
        return
    text = ""
    if name in SHELLS and "-c" in words[1:-1]:
        text = words[words.index("-c") + 1]
    elif (path := words[1] if name in SHELLS and len(words) > 1 else program).startswith("/") and is_shell_script(path, files):
        source = files.read(path)
        text = "" if source is None else source.text[:_LONGEST_SCRIPT]
        if source is not None and len(source.text) > _LONGEST_SCRIPT:
            files.report_limit(source.span(_LONGEST_SCRIPT, _LONGEST_SCRIPT), _LONGEST_SCRIPT, "characters in a script")
    if "sysctl" in text:
        from portwright.formats import shell

        for command in shell.parse(text).commands:
            plain = [word.plain if word.plain is not None else UNKNOWN for word in command.words]
            if plain and plain[0].rpartition("/")[2] in _LOADERS:
                yield from _of_sysctl(plain[0].rpartition("/")[2], plain[1:], at, unit, files)
    yield from _of_redirections(text, at, unit)


def _of_redirections(text: str, at: Span, unit: str) -> Iterator[SysctlWrite]:
    """`echo value > /proc/sys/net/key` and `echo value | tee /proc/sys/net/key` in shell text."""
    position = text.find(_PROC)
    while position >= 0:
        end = position + len(_PROC)
        while end < len(text) and (text[end].isalnum() or text[end] in "/._-"):
            end += 1
        before = text[max(text.rfind("\n", 0, position), position - _LONGEST_COMMAND) + 1 : position].rstrip(" \t\"'")
        if before.endswith((">", "tee")):
            command = before.removesuffix("tee").rstrip(" \t").removesuffix("sudo").rstrip(" \t").removesuffix("|").rstrip("> \t")
            for mark in ";&|(":
                command = command.rpartition(mark)[2]
            words = command.split()
            known = words[:1] in (["echo"], ["printf"]) and not any(char in command for char in "$`")
            plain = (word.strip("\"'").removesuffix("\\n") for word in words[1:] if not word.startswith("-"))
            yield SysctlWrite(dotted(text[position + len("/proc/sys/") : end]), " ".join(plain) if known else None, at, unit)
        position = text.find(_PROC, end)


def _of_sysctl(name: str, words: list[str], at: Span, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """The arguments of sysctl(8): `key=value`, files of -p, all files with --system; of systemd-sysctl: files, or all."""
    if name == "systemd-sysctl":
        return
    if any(word == "--system" for word in words):
        yield SysctlWrite(_ALL, None, at, unit)
        return
    loads = False
    for word in words:
        if word.startswith("-") and not word.startswith("--"):
            loads = loads or "p" in word or "f" in word
            continue
        path = word.partition("=")[2] if word.startswith(("--load=", "-p=")) else word if loads else ""
        if path.startswith("/"):
            yield from _of_file(path, unit, files)
        elif "=" in word and not word.startswith("-"):
            key, _, value = word.partition("=")
            yield SysctlWrite(dotted(normalized(key.strip())), None if UNKNOWN in value else value.strip(), at, unit)
    if loads and all(word.startswith("-") for word in words):
        yield from _of_file("/etc/sysctl.conf", unit, files)


def _of_file(path: str, unit: str, files: Files) -> Iterable[SysctlWrite]:
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None:
        return
    for line in parse(source, PROCPS).lines:
        if isinstance(line, Line) and line.value is not None:
            yield SysctlWrite(dotted(normalized(line.key.text)), line.value.text, line.at, unit)
