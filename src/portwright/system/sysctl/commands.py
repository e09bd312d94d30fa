"""Kernel settings that commands write when they start (`sysctl -w`, `echo x > /proc/sys/...`), and cron's jobs at boot."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from portwright._start.records import replace
from portwright.facts import Confidence, Overridden, Sysctl, weakest
from portwright.formats.sysctl import dotted, normalized
from portwright.source import Source, Span, Word
from portwright.system.processes.process import MOST_STEPS, Process
from portwright.system.processes.programs import SHELLS, is_shell_script
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.started import SysctlWrite
from portwright.system.sysctl import kernel
from portwright.system.sysctl.kernel import State
from portwright.system.sysctl.settle import Settled, defaults
from portwright.trees import Files

_LOADERS = ("sysctl", "systemd-sysctl")
_CRON = ("cron", "crond")
KEEPERS = frozenset(("saptune", "tuned", "ufw-init"))  # those of keepers.py, which few hosts start
_LONGEST_SCRIPT = 1 << 18
_LONGEST_COMMAND = 400
_PROC = "/proc/sys/net/"
_ALL = "*"
_MOST_LATER = 8
_DEEPEST = 2
_HANDING = frozenset(("env", "sudo", "nohup", "doas"))  # they execute the words after them
_CARRIERS = frozenset(("sudo", "exec", "nice", "nohup", "time", "command", "doas"))


def unsettle(
    settled: Settled, writes: Iterable[SysctlWrite], before: Callable[[str], AbstractSet[str]] = lambda unit: frozenset()
) -> Settled:
    """The same values, *possible* only where a command that a boot starts writes another one to the key.

    Which of them stands when a service binds depends on what starts first and on whether the command succeeds, so neither is claimed:
    `boot` goes on to be what systemd-sysctl leaves, and what the unit writes stands among the lost values with its line. What may be
    in force in the end, by what is started before what, stands in `later`.
    """
    written: dict[str, list[SysctlWrite]] = {}
    for write in writes:
        written.setdefault(write.key, []).append(write)
    if not written:
        return settled
    state = {sysctl.key: sysctl.boot for sysctl in settled.sysctls}
    return replace(settled, sysctls=tuple(_unsettled(sysctl, written, state, before) for sysctl in settled.sysctls))


def perhaps(settled: Settled) -> Settled:
    """The same values, those that files set *possible* only: whether anything reads the files at boot is not known."""
    own = defaults().path
    sysctls = (each if each.at.path == own else replace(each, confidence="possible") for each in settled.sysctls)
    return replace(settled, sysctls=tuple(sysctls))


def _unsettled(sysctl: Sysctl, written: dict[str, list[SysctlWrite]], state: State, before: Callable[[str], AbstractSet[str]]) -> Sysctl:
    overridden = list(sysctl.overridden)
    writes = (*written.get(sysctl.key, ()), *written.get(_ALL, ()))
    for write in writes:
        value = sysctl.reload if write.key == _ALL else write.value
        if value is None or value.split() != sysctl.boot.split():
            overridden.append(
                Overridden(
                    value if value is not None else UNKNOWN,
                    write.at,
                    f"{write.unit} writes it when it starts, sooner or later than others need it",
                )
            )
    if len(overridden) == len(sysctl.overridden):
        return sysctl
    later = _later(sysctl, writes, state, before)
    # Where the last word is surely the files' own after all, they are as sure as they were.
    confidence: Confidence = "possible" if later else weakest(sysctl.confidence, "likely")
    return replace(sysctl, overridden=tuple(overridden), confidence=confidence, later=later)


def _later(
    sysctl: Sysctl, writes: Iterable[SysctlWrite], state: State, before: Callable[[str], AbstractSet[str]]
) -> tuple[Overridden, ...]:
    """The values of one key that may be the last written, each with its line.

    Within a unit commands follow each other. A unit whose write is sure to come after another's leaves no trace of that one's; what
    the kernel refuses leaves none at all.
    """
    by_unit: dict[str, list[SysctlWrite]] = {}
    for write in writes:
        value = sysctl.reload if write.key == _ALL else write.value
        if value is None or not kernel.write(sysctl.key, value, state).refused:
            by_unit.setdefault(write.unit, []).append(write)
    last: dict[str, list[SysctlWrite]] = {}
    for unit, each in by_unit.items():
        sure = max((index for index, write in enumerate(each) if not write.conditional), default=0)
        last[unit] = each[sure:]
    certain = {unit for unit, each in last.items() if not each[0].conditional}
    kept = [unit for unit in last if not any(unit in before(other) for other in certain if other != unit)]
    found: dict[str, Overridden] = {}
    if not any(last[unit][0].after_files for unit in certain):
        found[sysctl.boot] = Overridden(sysctl.boot, sysctl.at, "what the files leave")
    for unit in kept[:_MOST_LATER]:
        for write in last[unit][:_MOST_LATER]:
            value = sysctl.reload if write.key == _ALL else write.value
            held = UNKNOWN if value is None else dict(kernel.write(sysctl.key, value, state).values).get(sysctl.key, value)
            found.setdefault(held, Overridden(held, write.at, f"{unit} writes it"))
    return () if found.keys() <= {sysctl.boot} else tuple(found.values())


def writes_of(
    program: str,
    words: list[str],
    at: Span,
    unit: str,
    files: Files,
    environment: Callable[[str], Mapping[str, Word]] | None = None,
    depth: int = 0,
) -> Iterator[SysctlWrite]:
    """What one command of a unit writes: sysctl itself, or a shell with text that names it.

    With the `environment` that the unit gives to a command that names variables, the shell's text is run as far as it tells; without
    it, which of its commands are run is not known, and those outside of functions and `case` are taken.
    """
    name = program.rpartition("/")[2]
    while name in _HANDING and len(words) > 1 and words[1][:1] != "-" and "=" not in words[1]:
        words = words[1:]
        program, name = words[0], words[0].rpartition("/")[2]
    if name in KEEPERS:
        from portwright.system.sysctl.keepers import writes_of_keeper

        yield from writes_of_keeper(program, unit, files)
    if name in _CRON:
        yield from _of_jobs(name, unit, files)
        return
    if name in _LOADERS:
        yield from _of_sysctl(name, words[1:], at, unit, files)
        return
    text = ""
    source: Source | None = None
    if name in SHELLS and "-c" in words[1:-1]:
        text = words[words.index("-c") + 1]
    elif (path := words[1] if name in SHELLS and len(words) > 1 else program).startswith("/") and (
        is_shell_script(path, files) or (name in SHELLS and files.kind(path) == "file")
    ):
        source = files.read(path)
        text = "" if source is None else source.text[:_LONGEST_SCRIPT]
        if source is not None and len(source.text) > _LONGEST_SCRIPT:
            files.report_limit(source.span(_LONGEST_SCRIPT, _LONGEST_SCRIPT), _LONGEST_SCRIPT, "characters in a script")
    if "sysctl" not in text and _PROC not in text:
        if source is None and text and depth < _DEEPEST:
            for script, arguments in _scripts_in(text, files):
                yield from writes_of(script, [script, *arguments], at, unit, files, environment, depth + 1)
        return
    if environment is not None:
        argv = tuple(SpannedText.of(Word(word, at)) for word in words)
        yield from _of_run(Process(program, argv, environment(text), at, steps=MOST_STEPS // 4), unit, files)
        return
    from portwright.formats import shell

    found: list[tuple[int, SysctlWrite]] = []
    # Where a function or a loop is stepped over, what stands in it may be run or not.
    parsed = shell.parse(text)
    doubtful = [(each.start, each.end) for each in parsed.unread]
    doubtful += [(each.start, each.end) for each in parsed.commands if each.conditional or each.after in ("&&", "||")]
    for command in parsed.commands:
        plain = [word.plain if word.plain is not None else UNKNOWN for word in command.words]
        if plain and plain[0].rpartition("/")[2] in _LOADERS:
            place = at if source is None else source.span(command.start, command.end)
            for write in _of_sysctl(plain[0].rpartition("/")[2], plain[1:], place, unit, files):
                found.append((command.start, write))
    for position, end, key, value in _redirections(text):
        found.append((position, SysctlWrite(key, value, at if source is None else source.span(position, end), unit)))
    for position, write in sorted(found, key=lambda each: each[0]):
        unsure = any(start <= position < end for start, end in doubtful)
        yield replace(write, conditional=True) if unsure else write


def _of_jobs(cron: str, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """What root's @reboot lines write; another user's sysctl is refused."""
    from portwright.system.host_files.accounts import account
    from portwright.system.processes.cron import at_start

    for job in at_start(files, debian=cron == "cron"):
        user = None if job.user is None else account(job.user.text, files)
        if user is not None and user.uid == 0:
            given = job.environment
            words = [word.text for word in job.argv]
            yield from writes_of(words[0], words, job.at, unit, files, lambda text, given=given: given)  # type: ignore[misc]


def _scripts_in(text: str, files: Files) -> Iterator[tuple[str, list[str]]]:
    """The scripts that a shell's text calls by their paths, each with its words: where the text itself writes nothing."""
    from portwright.formats import shell

    for command in shell.parse(text).commands:
        words = [word.plain if word.plain is not None else UNKNOWN for word in command.words]
        while len(words) > 1 and words[0].rpartition("/")[2] in (*_CARRIERS, *SHELLS):
            words = words[1:]
        if words and words[0].startswith("/") and is_shell_script(words[0], files):
            yield words[0], words[1:]


def _of_run(process: Process, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """What a shell writes, its text run with the variables that are known: by sysctl, and to files of /proc/sys."""
    from portwright.system.processes import shells

    found: list[SysctlWrite] = []
    printed: str | None = None

    def see(words: list[SpannedText], targets: list[SpannedText], at: Span, surely: bool) -> None:
        nonlocal printed
        plain = [each.text for each in words]
        while len(plain) > 1 and plain[0].rpartition("/")[2] in _CARRIERS:
            plain = plain[1:]
        name = plain[0].rpartition("/")[2]
        if name in _LOADERS:
            found.extend(replace(write, conditional=not surely) for write in _of_sysctl(name, plain[1:], at, unit, files))
        written = [*(each.text for each in targets), *(plain[1:] if name == "tee" else ())]
        if name in ("echo", "printf"):
            text = " ".join(word.removesuffix("\\n") for word in plain[1:] if not word.startswith("-"))
            printed = None if UNKNOWN in text or "%" in text else text.strip()
        elif name != "tee":
            printed = None
        keys = (dotted(path.removeprefix("/proc/sys/")) for path in written if path.startswith(_PROC))
        found.extend(SysctlWrite(key, printed, at, unit, not surely) for key in keys)

    shells.run(process, files, see)
    yield from found


def _redirections(text: str) -> Iterator[tuple[int, int, str, str | None]]:
    """`echo value > /proc/sys/net/key` and `echo value | tee /proc/sys/net/key` in shell text: place, key and what is written."""
    position = text.find(_PROC)
    while position >= 0:
        end = position + len(_PROC)
        while end < len(text) and (text[end].isalnum() or text[end] in "/._-"):
            end += 1
        line = max(text.rfind("\n", 0, position), position - _LONGEST_COMMAND) + 1
        before = text[line:position].rstrip(" \t\"'")
        if before.endswith((">", "tee")) and not before.lstrip().startswith("#"):
            command = before.removesuffix("tee").rstrip(" \t").removesuffix("sudo").rstrip(" \t").removesuffix("|").rstrip("> \t")
            for mark in ";&|(":
                command = command.rpartition(mark)[2]
            words = command.split()
            known = words[:1] in (["echo"], ["printf"]) and not any(char in command for char in "$`")
            plain = (word.strip("\"'").removesuffix("\\n") for word in words[1:] if not word.startswith("-"))
            start = line + len(before) - len(before.lstrip())
            yield start, end, dotted(text[position + len("/proc/sys/") : end]), " ".join(plain) if known else None
        position = text.find(_PROC, end)


def _of_sysctl(name: str, words: list[str], at: Span, unit: str, files: Files) -> Iterator[SysctlWrite]:
    """The arguments of sysctl(8): `key=value`, files of -p, all files with --system; of systemd-sysctl: files, or all."""
    if name == "systemd-sysctl":
        return
    if any(word == "--system" for word in words):
        yield SysctlWrite(_ALL, None, at, unit)
        return
    from portwright.system.sysctl.keepers import of_file

    loads = False
    for word in words:
        if word.startswith("-") and not word.startswith("--"):
            loads = loads or "p" in word or "f" in word
            continue
        path = word.partition("=")[2] if word.startswith(("--load=", "-p=")) else word if loads else ""
        if path.startswith("/"):
            yield from of_file(path, unit, files)
        elif "=" in word and not word.startswith("-"):
            key, _, value = word.partition("=")
            yield SysctlWrite(dotted(normalized(key.strip())), None if UNKNOWN in value else value.strip(), at, unit)
    if loads and all(word.startswith("-") for word in words):
        yield from of_file("/etc/sysctl.conf", unit, files)
