"""What Upstart starts: the jobs of /etc/init whose events come at boot, and the scripts that its job rc runs (init(5))."""

from collections.abc import Iterator, Mapping

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.facts import Invocation, Starts
from portwright.source import Source, Span, Word
from portwright.system.host_files.captures import Captured
from portwright.system.processes.process import is_name
from portwright.system.processes.spawned import shell_command
from portwright.system.script_services import ScriptService, invocations_of, process_of, writes_of_keepers, writes_of_service
from portwright.system.spanned_text import Piece, SpannedText, SpannedTextBuilder
from portwright.system.started import Started, SysctlWrite
from portwright.system.sysctl.commands import writes_of
from portwright.system.sysvinit.reader import inittab
from portwright.system.sysvinit.reader import services as scripts
from portwright.trees import Files

_JOBS = "/etc/init"
_LOADERS = ("procps", "procps-virtual-filesystems", "procps.sh")
_MOST = 2000
_MOST_LINES = 5_000
_MAIN = ""
_BEFORE = (_MAIN, "pre-start", "post-start")
# upstart-events(7): what each boot emits.
_AT_BOOT = """
    startup filesystem local-filesystems remote-filesystems virtual-filesystems all-swaps mounted mounting mount net-device-up
    net-device-added net-device-changed static-network-up not-container container deconfiguring-networking udevtrigger
"""
_EVENTS = frozenset(_AT_BOOT.split())
_OF_JOBS = ("started", "starting", "stopped", "stopping")
_WORD = lazy_regex(r"""[^\s()"']+|"[^"]*"|'[^']*'""")


@dataclass
class _Job:
    """A job by its file: what it waits for, what it runs and as whom."""

    name: str
    path: str
    source: Source
    start_on: str = ""
    commands: dict[str, SpannedText] = field(default_factory=dict)
    environment: dict[str, Word] = field(default_factory=dict)
    user: Word | None = None
    directory: str = "/"


def read(files: Files, known: Captured) -> Started:
    """The jobs of a host that Upstart boots and the scripts of its runlevel, and every command of theirs."""
    jobs = {job.name: job for job in _jobs(files)}
    level, _ = inittab(files)  # RHEL 6 keeps its runlevel there; without it rc-sysinit goes to 2
    booted = _booted(jobs, level)
    services: list[ScriptService] = []
    invocations: list[Invocation] = []
    writes: list[SysctlWrite] = []
    for job in jobs.values():
        starts: Starts = "boot" if job.name in booted else "manual"
        why = f"start on {job.start_on}: {job.path}" if job.start_on else f"its job has no `start on`: {job.path}"
        service = ScriptService(job.name, job.path, starts, why, job.user)
        services.append(service)
        started = replace(process_of(service, (), {}, files), program="/bin/sh", directory=job.directory)
        started = replace(started, environment={**started.environment, **job.environment})
        for stanza, text in job.commands.items():
            if stanza == _MAIN:
                end = replace(started, argv=shell_command(text), at=text.at)
                invocations += invocations_of(service, (end,), files, known)
            if starts == "boot" and job.name not in _LOADERS:
                given: Mapping[str, Word] = started.environment
                words = ["/bin/sh", "-c", text.text]
                found = writes_of("/bin/sh", words, text.at, job.name, files, lambda _, given=given: given)  # type: ignore[misc]
                writes += (replace(write, conditional=True) for write in found)
    for script in scripts(level, files):
        # An upstart job has a link of its name among the scripts, for those who call it there.
        if script.name not in jobs and not files.resolve(script.path).endswith("/upstart-job"):
            services.append(script)
            invocations += invocations_of(script, (process_of(script, ("start",), {}, files),), files, known)
            writes += writes_of_service(script, files) if script.name not in _LOADERS else ()
    loader = jobs.get("procps")
    idle = loader is not None and loader.name not in booted
    return Started(
        units=tuple(service.unit(files) for service in services),
        invocations=tuple(invocations),
        sysctl_writes=(*writes, *writes_of_keepers(invocations, files)),
        files_not_applied=f"the job procps, which reads the files, is not started: {_JOBS}/procps.conf" if idle else "",
    )


def _jobs(files: Files) -> Iterator[_Job]:
    """Every job, with what its override adds and replaces (init(5), Override Files)."""
    names = [name for name in files.names(_JOBS) if name.endswith(".conf")]
    for name in files.limited(names, _MOST, "jobs", lambda name: Span.whole(files.tree.label(_JOBS))):
        path = f"{_JOBS}/{name}"
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None:
            continue
        job = _Job(name.removesuffix(".conf"), path, source)
        _read(job, source, files)
        over = f"{_JOBS}/{job.name}.override"
        more = files.read(over) if files.kind(over) == "file" else None
        if more is not None:
            _read(job, more, files)
        yield job


def _read(job: _Job, source: Source, files: Files) -> None:
    """The stanzas of one file, each on a line; `script` goes on up to `end script`, `start on` while a bracket is open."""
    text = source.text
    position = 0
    for count in range(text.count("\n") + 1):
        if position >= len(text):
            return
        if count >= _MOST_LINES:
            files.report_limit(source.span(position, position), _MOST_LINES, "lines of a job")
            return
        start, end, after = _line(text, position)
        words = text[start:end].split(None, 2)
        position = after
        if not words or words[0].startswith("#"):
            continue
        before = words[0] if words[0] in ("pre-start", "post-start", "pre-stop", "post-stop") else ""
        verb = words[1] if before and len(words) > 1 else words[0]
        if verb == "script":
            close = _end_of_script(text, after)
            if before in _BEFORE and text[after:close].strip():
                job.commands[before] = SpannedText.of_lines(source, after, close)
            position = text.find("\n", close) + 1 or len(text)
        elif verb == "exec":
            at = text.find("exec", start) + len("exec")
            at += len(text[at:end]) - len(text[at:end].lstrip())
            if before in _BEFORE:
                job.commands[before] = _run(source, at, end)
        elif words[0] == "start" and words[1:2] == ["on"]:
            close = _end_of_brackets(text, start, after)
            job.start_on = " ".join(text[start:close].replace("\\\n", " ").split()[2:])
            position = max(after, close)
        elif words[0] == "manual":
            job.start_on = ""
        elif words[0] == "env" and len(words) > 1:
            _variable(job, source, start + text[start:end].find(words[1], 3), end)
        elif words[0] == "setuid" and len(words) > 1:
            at = start + text[start:end].find(words[1], len("setuid"))
            job.user = Word(words[1].strip("\"'"), source.span(at, at + len(words[1])))
        elif words[0] == "chdir" and len(words) > 1:
            job.directory = words[1].strip("\"'")


def _line(text: str, position: int) -> tuple[int, int, int]:
    """(start, end, where the next one begins) of a line with those that a backslash joins to it."""
    end = text.find("\n", position)
    while end > 0 and text[end - 1] == "\\":
        end = text.find("\n", end + 1)
    end = len(text) if end < 0 else end
    start = position + len(text[position:end]) - len(text[position:end].lstrip(" \t"))
    return start, start + len(text[start:end].rstrip()), end + 1


def _end_of_script(text: str, position: int) -> int:
    """Where the line `end script` begins."""
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if text[position:end].split() == ["end", "script"]:
            return position
        position = end + 1
    return len(text)


def _end_of_brackets(text: str, start: int, after: int) -> int:
    """Where what begins on a line ends: with the line, or with its last bracket."""
    depth = text.count("(", start, after) - text.count(")", start, after)
    end = after
    while depth > 0 and end < len(text):
        following = text.find("\n", end) + 1 or len(text)
        depth += text.count("(", end, following) - text.count(")", end, following)
        end = following
    return end


def _run(source: Source, start: int, end: int) -> SpannedText:
    """A command of `exec`, which a shell runs where it has a character of a shell in it."""
    line = SpannedText.of_lines(source, start, end)
    found = SpannedTextBuilder()
    found.put((Piece("exec ", source.span(start, start)), *line.pieces))
    return found.finish()


def _variable(job: _Job, source: Source, start: int, end: int) -> None:
    """`env NAME=VALUE`, quoted or not."""
    name, equals, value = source.text[start:end].partition("=")
    if not equals or not is_name(name):
        return
    at = start + len(name) + 1
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        at, value = at + 1, value[1:-1]
    job.environment[name] = Word(value, source.span(at, at + len(value)))


def _booted(jobs: Mapping[str, _Job], level: str) -> frozenset[str]:
    """The jobs that an event of a boot starts, or another job that is so started; a job that is not here is taken to be."""
    found: set[str] = set()
    waiting: dict[str, list[str]] = {}
    todo: list[str] = []
    for job in jobs.values():
        events = [word.strip("\"'") for word in _WORD.findall(job.start_on)]
        for at, event in enumerate(events):
            following = events[at + 1] if at + 1 < len(events) else ""
            other = following.partition("=")[2] if following.startswith("JOB=") else following
            if event in _EVENTS or (event == "runlevel" and _has_level(following, level)) or (event in _OF_JOBS and other not in jobs):
                todo.append(job.name)
            elif event in _OF_JOBS:
                waiting.setdefault(other, []).append(job.name)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += waiting.get(name, ())
    return frozenset(found)


def _has_level(pattern: str, level: str) -> bool:
    """Whether `[2345]`, `[!016]`, `RUNLEVEL=2` has the runlevel that a boot ends in; without one every runlevel is meant."""
    pattern = pattern.removeprefix("RUNLEVEL=")
    if pattern.startswith(("[!", "[^")):
        return level not in pattern
    return pattern in ("", "and", "or") or level in pattern
