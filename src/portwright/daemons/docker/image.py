"""A Dockerfile: the kernel settings that it puts into the image, which nothing in a container loads."""

import posixpath
from collections.abc import Iterator
from itertools import chain

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.daemons.held import Held
from portwright.facts import Confidence, ContainerLine
from portwright.source import Source, Span
from portwright.trees import Files

_INSTRUCTION = lazy_regex(r"[ \t]*([A-Za-z]{2,20})[ \t]+(.*)")
_HERE = lazy_regex(r"<<(-?)[ \t]*(['\"]?)([A-Za-z_]\w{0,63})\2")
_FILE = lazy_regex(r"/etc/sysctl(?:\.conf|\.d/[\w.-]{1,100})")
_WRITES = lazy_regex(r"(?:>>?[ \t]*|\btee[ \t]+(?:-a[ \t]+|--append[ \t]+)?)[\"']?/etc/sysctl(?:\.conf|\.d/[\w.-]{1,100})")
_PAIR = lazy_regex(r"(?<![\w./-])((?:net|vm|fs|kernel)\.[\w./*-]{1,200})[ \t]*=[ \t]*([^'\"\\>;&|#\n]{0,400})")
_SET = lazy_regex(r"(?:^|[;&|({ \t])(?:/s?bin/|/usr/s?bin/)?sysctl[ \t][^;&|\n]{0,400}?(?:-w|--write)\b")
_LOADS = lazy_regex(r"\bsysctl[ \t]+(?:-p|--load|--system)\b|\bsystemd-sysctl\b")
# An image that a machine boots, or in which an init runs, has the files loaded.
_BOOTS = lazy_regex(
    r"bootc|ostree|coreos|flatcar|kairos|elemental|systemd|silverblue|kinoite|bazzite|ublue|ucore|linuxkit|kindest/|k3os|talos"
    r"|rancheros|openrc|(?:^|[/:_-])init(?:$|[:_-])"
)
_IS_INIT = lazy_regex(r"(?:^|[\s\"'\[,/])(?:s?bin/init|init|systemd|openrc-init)(?:$|[\s\"'\],])")
_SCRIPT = lazy_regex(r"\.sh\b|entrypoint|\bstart\b|\brun\b")
_OPTION = lazy_regex(r"--\S++[ \t]++|(--\S++)")  # the last word is none
_MOST_SETTINGS = 200


@dataclass
class _Stage:
    """What one FROM begins: its base, its name, the lines that set something, and what it is started with."""

    base: str
    name: str
    settings: list[Iterator[ContainerLine]] = field(default_factory=list)
    started: str = ""
    boots: bool = False


def settings(path: str, files: Files) -> Iterator[ContainerLine]:
    """A line for each setting that the image holds in a file or that a build would set, where nothing is known to load it."""
    source = files.read(path)
    if source is None or "sysctl" not in source.text:
        return
    stages: dict[str, _Stage] = {}
    last: _Stage | None = None
    for word, lines in _instructions(source):
        text = " ".join(text for _, text in lines)
        if word == "FROM":
            base, _, name = _OPTION.sub(r"\1", text).strip().partition(" ")
            name = name.strip().partition(" ")[2].strip().lower() if name.strip().lower().startswith("as ") else ""
            last = _Stage(base.lower(), name)
            last.boots = _BOOTS.search(last.base) is not None
            stages[name or f"#{len(stages)}"] = last
        elif last is None:
            continue
        elif word in ("CMD", "ENTRYPOINT"):
            last.started += f" {text}"
        elif word == "RUN":
            last.boots = last.boots or _BOOTS.search(text) is not None
            last.settings.append(_of_run(source, lines, text))
        elif word in ("COPY", "ADD"):
            last.settings.append(_of_copy(path, text, files))
    started = "" if last is None else last.started
    sure: Confidence = "likely" if started and not _SCRIPT.search(started) else "possible"
    built_of: list[_Stage] = []
    while last is not None:
        if last.boots or _IS_INIT.search(last.started) or _LOADS.search(last.started):
            return
        built_of.append(last)
        last = stages.pop(last.base, None)
    found = chain.from_iterable(each for stage in built_of for each in stage.settings)
    for line in files.limited(found, _MOST_SETTINGS, "kernel settings of an image", lambda line: line.at):
        yield replace(line, confidence=sure)


def held(label: str, text: str) -> Iterator[Held]:
    """What is copied into the image by name; nothing where a machine boots it, or an init runs in it."""
    copied: list[tuple[str, str]] = []
    started = ""
    for word, lines in _instructions(Source(label, text)):
        said = " ".join(text for _, text in lines)
        if word in ("FROM", "RUN") and _BOOTS.search(said.lower()):
            return
        if word in ("CMD", "ENTRYPOINT"):
            started += f" {said}"
        elif word in ("COPY", "ADD") and "--from=" not in said:
            *sources, target = _words_of_copy(said)
            copied += ((each, target) for each in sources)
    if _IS_INIT.search(started):
        return
    for source, target in copied:
        name = source.rstrip("/").rpartition("/")[2]
        runs = "entrypoint" in f"{name}{target}" or (name and name in started)
        if name not in ("", ".", "*") and "$" not in source:
            yield Held(source, runs=bool(runs))


def _words_of_copy(text: str) -> list[str]:
    return _OPTION.sub(r"\1", text).replace('"', " ").replace("[", " ").replace("]", " ").replace(",", " ").split() or [""]


def _instructions(source: Source) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Each instruction in capitals with its lines and their numbers: continued ones, and the here-documents of RUN and COPY."""
    lines = source.text.split("\n")
    at = 0
    while at < len(lines):
        found = _INSTRUCTION.match(lines[at])
        if found is None or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        taken = [(at + 1, " " * found.start(2) + found[2])]
        ends = [each[3] for each in _HERE.finditer(found[2])]
        while lines[at].rstrip().endswith("\\") and at + 1 < len(lines):
            at += 1
            if not lines[at].lstrip().startswith("#"):
                taken.append((at + 1, lines[at]))
                ends += [each[3] for each in _HERE.finditer(lines[at])]
            elif not lines[at].rstrip().endswith("\\"):
                lines[at] += "\\"  # a remark does not end an instruction
        at += 1
        for end in ends[:1]:
            while at < len(lines) and lines[at].strip() != end:
                taken.append((at + 1, lines[at]))
                at += 1
            at += 1
        yield found[1].upper(), taken


def _of_run(source: Source, lines: list[tuple[int, str]], text: str) -> Iterator[ContainerLine]:
    """The settings that a RUN writes into the image's files, and those that it would set while the image is built."""
    anywhere = _WRITES.search(text)
    for number, line in lines:
        sets = _SET.search(line) is not None
        file = _WRITES.search(line) or anywhere
        where = None if file is None else _FILE.search(file[0])
        if not sets and where is None:
            continue
        for pair in _PAIR.finditer(line):
            if sets:
                reason = "/proc/sys is read-only while an image is built, and the image would not keep it"
            else:
                reason = f"nothing in a container loads {'' if where is None else where[0]}"
            at = Span(source.path, number, pair.start() + 1, number, pair.end() + 1 - len(pair[0]) + len(pair[0].rstrip()))
            yield ContainerLine(at, "the image", "setting", pair[1], " ".join(pair[2].split()), "without-effect", reason)


def _of_copy(path: str, text: str, files: Files) -> Iterator[ContainerLine]:
    """The settings of a file that lies beside the Dockerfile and is copied to where a host's init would read it."""
    *sources, target = _words_of_copy(text)
    if "--from=" in text or not (_FILE.fullmatch(target) or target.rstrip("/") == "/etc/sysctl.d"):
        return
    for each in sources:
        other = posixpath.normpath(posixpath.join(path.rpartition("/")[0], each))
        source = files.read(other) if files.kind(other) == "file" else None
        for number, line in enumerate(() if source is None else source.text.split("\n"), 1):
            key, equals, value = line.partition("=")
            if source is not None and equals and key.strip()[:1] not in ("#", ";", ""):
                at = Span(source.path, number, 1, number, len(line) + 1)
                reason = f"nothing in a container loads {target}"
                yield ContainerLine(at, "the image", "setting", key.strip(), " ".join(value.split()), "without-effect", reason)
