"""Read a repository: its config files are laid out as the hosts they are meant for, and read like those, spans kept.

Nothing in a repository says what is enabled, so what lies there counts as deployed, and nothing is surer than *likely*.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from portwright._start.records import replace
from portwright.coverage import Coverage, NotUnderstood
from portwright.daemons import DaemonFact, fragment_reader, recognition
from portwright.facts import Assignment, Endpoint, Listener, Overridden, ServiceFact, weakest
from portwright.host import Host
from portwright.host.join.listener import listener
from portwright.host.reading import Services, assemble, bind_context, services
from portwright.repositories.gathering import OTHER, Gathered, gather
from portwright.repositories.setcap_mentions import Mention, perhaps_given
from portwright.repositories.staging import MOST_LAYOUTS, StagedFile, StagedTree, blank_lines, is_of, machine_of, role, stage, told_apart
from portwright.source import Span, Unreadable
from portwright.system.host_files.captures import Captured, captured
from portwright.system.releases.of_host import kernel as kernel_release
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import Started
from portwright.system.sysctl.settle import Settled, settle
from portwright.trees import Files, Tree

NOTHING: Mapping[str, str] = {}
_EACH = 2_000
"""Bytes that a file takes as long to read as, besides those it has."""
_MOST_LAID = 32 << 20
"""Bytes of the files of all layouts together: a file counts in each layout that it is laid into, as it is read in each."""
_SETTLED = 16
"""Times as dear a file of kernel settings is as another of its size: what a daemon's file says is kept for all layouts, and settings are
settled in each."""


def read_repository(
    tree: Tree, name: str, explicit: bool = False, ignored: Mapping[str, str] = NOTHING, said: Mapping[str, str] = NOTHING
) -> tuple[Host, ...]:
    """The hosts a repository's files make: one, or several where files want the same place on a host.

    `explicit`: the tree is one file that its user named, so that it counts even where its path says *sample*. `ignored` is what a walk of
    the tree has gone past, each path with the reason. `said` is what their user says of all these hosts: their `kernel`, their `systemd`.
    """
    found = gather(tree, explicit, ignored)
    alone = tuple(file for file in found.placed if file.alone)
    placed, unreadable = tuple(file for file in found.placed if not file.alone), found.unreadable
    apart = tuple(file for file in placed if _is_apart(file))
    theirs = {file.machine for file in apart if file.machine}
    together = tuple(
        file
        for file in placed
        if not _is_apart(file) and not (file.machine and file.what.kind == "sysctl" and any(is_of(each, file.machine) for each in theirs))
    )
    layouts = stage(together)
    settings = tuple(file for file in (layouts[0] if layouts else ()) if file.what.kind == "sysctl")
    # Of the many layouts that files may make, the first has all files once; only then come those that tell less.
    beside = ((*files, *settings, *_own_settings(files, placed)) for files in _alongside(apart))
    layouts = (*layouts[:1], *beside, *layouts[1:], *stage(alone))
    affordable = _affordable(layouts)
    if len(layouts) > affordable:
        several = f"more than {MOST_LAYOUTS}" if len(layouts) > MOST_LAYOUTS else f"{len(layouts)}"
        reason = f"the files make {several} different hosts; only the first {affordable} were read"
        unreadable = (*unreadable, Unreadable(Span.whole(name), reason))
    read: dict[str, tuple[DaemonFact, ...]] = {}
    hosts = [
        replace(_read_layout(layout, found, name, read, said), machine=machine, machine_because=because)
        for layout, (machine, because) in zip(layouts[:affordable], told_apart(layouts[:affordable]), strict=True)
    ] or [Host(name, repository=True)]
    coverage = Coverage.union((hosts[0].coverage, found.coverage))
    return (replace(hosts[0], unreadable=tuple(sorted({*hosts[0].unreadable, *unreadable})), coverage=coverage), *hosts[1:])


def _is_apart(file: StagedFile) -> bool:
    """Whether what else the repository configures is not taken to be on the same machine.

    Of containers that a playbook puts on a machine it is known what else is there.
    """
    kind = file.what.kind
    if kind == "quadlet":
        return not file.machine
    said = recognition.traits_in_repository(kind)
    return said.apart and not (said.kinds and file.machine)


def _alongside(apart: Iterable[StagedFile]) -> Iterator[tuple[StagedFile, ...]]:
    """Those of the files that are apart which run together all the same: what is said to be for one machine."""
    whose: dict[str, list[StagedFile]] = {}
    for file in apart:
        if file.machine:
            whose.setdefault(file.machine, []).append(file)
        else:
            yield (file,)
    for files in whose.values():
        yield from stage(tuple(files))


def _own_settings(files: Sequence[StagedFile], placed: Iterable[StagedFile]) -> tuple[StagedFile, ...]:
    """The kernel settings of the machine that files are for: of their own sources, else of the only other source that makes any."""
    machine = files[0].machine
    if not machine:
        return ()
    found = tuple(each for each in placed if each.what.kind == "sysctl" and each.machine and is_of(machine, each.machine))
    own = tuple(each for each in found if each.of in {file.of for file in files})
    return own or (found if len({each.of for each in found}) == 1 else ())


def _affordable(layouts: Sequence[tuple[StagedFile, ...]]) -> int:
    """How many layouts are read, from the first: one at least, for that has a budget of its own."""
    left = _MOST_LAID
    for number, layout in enumerate(layouts[:MOST_LAYOUTS]):
        left -= sum(len(file.data) * (_SETTLED if file.what.kind == "sysctl" else 1) + _EACH for file in layout)
        if left < 0 and number:
            return number
    return min(len(layouts), MOST_LAYOUTS)


def _read_layout(
    layout: tuple[StagedFile, ...],
    gathered: Gathered,
    name: str,
    read: dict[str, tuple[DaemonFact, ...]],
    said: Mapping[str, str],
) -> Host:
    """One layout as a host. `read` is what the files of earlier layouts said on their own, and takes up what those of this one say."""
    tree = StagedTree(layout, gathered.siblings, said)
    files = Files(tree, partial=True)
    known = captured(files)
    settled = _filled_in_later(settle(files, release=files.once(kernel_release) if "kernel" in said else None))
    started = _started(layout, files, known, gathered.given)
    context = bind_context(settled, known, files)
    found = services(started, files, known, context)
    listeners, others = [*found.listeners], [*found.others]
    doubts: list[NotUnderstood] = []
    for fact in _fragments(layout, files, known.packages, read, doubts):
        # How many files a daemon may open is not said where nothing starts it.
        if isinstance(fact, ServiceFact):
            others.append(fact)
        elif isinstance(fact, Endpoint) and (alone := listener(fact, None, context)) is not None:
            listeners.append(alone)
    own = {file.label: machine_of(file) for file in layout}
    own |= dict.fromkeys(tree.included - own.keys(), next((machine_of(file) for file in layout if file.place in tree.mains), ""))
    unfilled = {file.label for file in layout if file.what.unfilled}
    doubtful = {(file.label, number) for file in layout for number, line in enumerate(file.lines, 1) if not line.sure}
    inside = {file.label for file in layout if file.inside}
    host = assemble(
        name,
        "",
        files,
        settled,
        started,
        Services(
            tuple(
                _as_deployed(
                    fact,
                    own[fact.at.path],
                    fact.at.path in unfilled or (fact.at.path, fact.at.line) in doubtful,
                    fact.at.path in inside,
                )
                for fact in listeners
                if fact.at.path in own and _is_said(fact, unfilled)
            ),
            # Whether connections are kept hangs on lines that a template may leave to what fills it in, as do numbers. Those of a
            # container with a network of its own take none of the host's ports.
            tuple(
                fact.no_surer_than("likely") if isinstance(fact, ServiceFact) else fact
                for fact in others
                if fact.at.path not in unfilled | inside and (isinstance(fact, ServiceFact) or fact.at.path in own)
            ),
            found.privileges,
            tuple(each for each in (*found.not_understood, *doubts) if each.at.path in own.keys() - unfilled),
        ),
        repository=True,
    )
    # What a file refers to need not lie in the repository (mime.types, a certificate), nor is a template what a daemon reads.
    readable = own.keys() - unfilled - {label for label, _ in doubtful}
    blank = {(file.label, line) for file in layout if file.lines for line in blank_lines(file.data)}
    told = tuple(each for each in host.unreadable if each.at.path in readable and (each.at.path, each.at.line) not in blank)
    # A task may well ask first whether the kernel has the setting.
    made = tuple(each for each in host.assignments if each.outcome != "ignored" or (each.at.path, each.at.line) not in doubtful)
    kept = {path: source for path, source in host.sources.items() if path not in {f"/.portwright/{each}" for each in said}}
    read_here = host.files_read - (len(host.sources) - len(kept))
    host = replace(host, unreadable=told, assignments=made, roles=_roles(layout), sources=kept, files_read=read_here)
    written = {file.label: file.lines for file in layout if file.lines}
    if not written:
        return host
    from portwright.repositories.written import as_written

    # What a script writes stands in the script.
    sources = {path: source for path, source in host.sources.items() if path not in written}
    sources |= {line.source: gathered.sources[line.source] for lines in written.values() for line in lines}
    return replace(as_written(replace(host, sources={}), written, sources), sources=sources)


def _filled_in_later(settled: Settled) -> Settled:
    """The same without the lines whose value is not known: what they leave is not, either, and no kernel has refused it."""
    unknown = [each for each in settled.assignments if UNKNOWN in (each.value or "")]
    if not unknown:
        return settled
    said = {each.key: Overridden(UNKNOWN, each.at, "its value is filled in where it is deployed") for each in unknown}
    sysctls = tuple(
        replace(each, confidence="possible")
        if UNKNOWN in each.boot
        else replace(
            each,
            overridden=(*(lost for lost in each.overridden if UNKNOWN not in lost.value), said[each.key]),
            confidence="possible",
            later=(Overridden(each.boot, each.at, "what the files leave"), said[each.key]),
        )
        if each.key in said
        else each
        for each in settled.sysctls
    )
    # A key that no kernel has sets nothing, whatever is filled in.
    kept = (each for each in settled.assignments if UNKNOWN not in (each.value or "") or _has_no_key(each))
    return Settled(sysctls, tuple(kept))


def _has_no_key(assignment: Assignment) -> bool:
    return assignment.outcome == "ignored" and UNKNOWN not in assignment.key and assignment.reason.startswith("no such key")


def _started(layout: Iterable[StagedFile], files: Files, known: Captured, given: tuple[Mention, ...]) -> Started:
    """What the units of a layout start; daemons' configs and sysctl files alone start nothing."""
    if all(file.what.kind in ("sysctl", OTHER) or recognition.is_daemon(file.what.kind) for file in layout):
        return Started()
    from portwright.system.systemd import reader
    from portwright.system.systemd.script_calls import script_calls

    started = reader.read(files, known, repository=True)
    origins = {file.label: file.origin for file in layout}
    invocations = tuple(perhaps_given(each, role(origins.get(each.at.path, each.at.path)), given) for each in started.invocations)
    return replace(started, invocations=invocations, calls=script_calls(started.units, files, repository=True))


def _is_said(fact: Listener, unfilled: Container[str]) -> bool:
    """Whether a line says so; a template's default, or an address in it that is filled in, is nothing to go by."""
    return fact.at.path not in unfilled or (fact.origin != "default" and "\ufffd" not in fact.address)


def _as_deployed(fact: Listener, machine: str, is_unfilled: bool, is_inside: bool) -> Listener:
    """A listener as the repository of its file has it; what a template says is possible, and says nothing of what else a machine runs."""
    return replace(
        fact,
        # Without a unit, by hand is what the file itself says.
        starts=fact.starts if fact.starts == "demand" or (fact.starts == "manual" and fact.unit is None) else None,
        private_network=fact.private_network or is_inside,
        confidence="possible" if is_unfilled else weakest(fact.confidence, "likely"),
        machine=str(fact.at) if is_unfilled else machine,
    )


def _fragments(
    layout: tuple[StagedFile, ...],
    files: Files,
    packages: Mapping[str, str],
    read: dict[str, tuple[DaemonFact, ...]],
    doubts: list[NotUnderstood],
) -> Iterable[DaemonFact]:
    """What the configs that no invocation has read say, each on its own: the whole ones first, for they include others.

    `doubts` takes up what could not be made out of those that say by themselves what runs, as one of docker compose does.
    """
    for file in sorted(layout, key=lambda file: (not _is_whole(file), file.label)):
        reader = fragment_reader(file.what.kind)
        if reader is not None and file.label not in files.sources:
            # A whole config includes what the layout has at other places, and so may say something else each time.
            if file.label not in read or _is_whole(file):
                files.take_not_understood()
                read[file.label] = tuple(reader(file.place, files, packages))
                if recognition.traits_in_repository(file.what.kind).apart:
                    doubts += (NotUnderstood(None, file.what.kind, at, reason) for at, reason in files.take_not_understood())
            yield from read[file.label]


def _is_whole(file: StagedFile) -> bool:
    return recognition.is_main(file.place, file.what.kind)


def _roles(layout: tuple[StagedFile, ...]) -> dict[str, str]:
    """The role or host that each file of a layout belongs to, "" for what belongs to the repository as such.

    What a playbook or an inventory says to be on this machine is together there, whatever roles it comes of.
    """
    known = {each for file in layout if file.machine for each in (file.label, file.origin, *(line.source for line in file.lines))}
    found = {each: role(file.origin) for file in layout for each in (file.label, file.origin)}
    found |= {line.source: role(line.source) for file in layout for line in file.lines}
    return {path: "" if path in known else whose for path, whose in found.items()}
