"""Read a repository: its config files are laid out as the hosts they are meant for, and read like those, spans kept.

Nothing in a repository says what is enabled, so what lies there counts as deployed, and nothing is surer than *likely*.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from portwright.apps import Said, daemons
from portwright.audit.hosts import assemble, commands, join, socket_listeners, surroundings, what_it_says
from portwright.audit.recognise import Recognised, recognise, worth_reading
from portwright.facts import Listener, Outbound, Privileges, weakest
from portwright.host import Host
from portwright.host.join import listener
from portwright.source import Span, Unreadable
from portwright.system.captured import captured
from portwright.system.sysctl import settle
from portwright.system.units import load
from portwright.trees import Files, ReadError, Tree
from portwright.trees.memory import MemoryTree

_MOST_LAYOUTS = 200
_ROLES = ("roles", "hosts", "host_files", "services", "machines")
"""Folders whose subfolders are each for a machine of its own, or for a part that some machines have."""

_LOOSE = "/.repository/"
"""Where a config whose place on a host nobody can tell is laid; read on its own, found by no include."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A config file of a repository: its path there, what it is, and the place on a host it is laid out at."""

    label: str
    place: str
    what: Recognised
    data: bytes


class LaidOutTree(MemoryTree):
    """Files of a repository at the places they have on a host; reports show their paths in the repository."""

    def __init__(self, placed: Iterable[Placed]) -> None:
        files = tuple(placed)
        laid: dict[str, str | bytes] = {file.place: file.data for file in files}
        if "/etc/sysctl.conf" in laid:
            # Only through this link, which every distribution with systemd ships, does the boot read it.
            laid.setdefault("/etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf")
        super().__init__(laid)
        self._labels = {file.place: file.label for file in files}

    def label(self, path: str) -> str:
        return self._labels.get(path, path)


def read_repository(tree: Tree, name: str, asked: bool = False) -> tuple[Host, ...]:
    """The hosts a repository's files make: one, or several where files want the same place on a host.

    `asked`: the tree is one file that its user named, so that it counts even where its path says *sample*.
    """
    placed, unreadable = _config_files(tree, asked)
    layouts = lay_out(placed)
    if len(layouts) > _MOST_LAYOUTS:
        reason = f"the files make {len(layouts)} different hosts; only the first {_MOST_LAYOUTS} were read"
        unreadable = (*unreadable, Unreadable(Span.whole(name), reason))
    hosts = [_read_layout(layout, name) for layout in layouts[:_MOST_LAYOUTS]] or [Host(name, repository=True)]
    return (replace(hosts[0], unreadable=tuple(sorted({*hosts[0].unreadable, *unreadable}))), *hosts[1:])


def _config_files(tree: Tree, asked: bool) -> tuple[tuple[Placed, ...], tuple[Unreadable, ...]]:
    placed: list[Placed] = []
    unreadable: list[Unreadable] = []

    def say(error: ReadError) -> None:
        unreadable.append(Unreadable(Span.whole(tree.label(error.path)), error.reason))

    for path in tree.walk(say):
        label = tree.label(path)
        if not asked and not worth_reading(label):
            continue
        try:
            data = tree.read(path)
        except ReadError as error:
            say(error)
            continue
        what = None if data is None else recognise(label, data.decode("utf-8", "surrogateescape"), asked)
        if data is not None and what is not None and what.deployed:
            placed.append(Placed(label, what.host_path or _LOOSE + label, what, data))
    return tuple(placed), tuple(unreadable)


def lay_out(placed: tuple[Placed, ...]) -> tuple[tuple[Placed, ...], ...]:
    """Each file in at least one layout, no place taken twice in any: files of one folder stay together.

    Where several files want one place (two roles, each with its nginx.conf), each of them makes a layout, and takes along, of every
    other contested place, the file that lies nearest to it.
    """
    by_place: dict[str, list[Placed]] = {}
    for file in placed:
        by_place.setdefault(file.place, []).append(file)
    contested = sorted((files for files in by_place.values() if len(files) > 1), key=lambda files: (-len(files), files[0].place))
    if not contested:
        return (placed,) if placed else ()
    layouts: dict[tuple[str, ...], tuple[Placed, ...]] = {}
    seen: set[str] = set()
    for anchor in (file for files in contested for file in files):
        if anchor.label in seen:
            continue
        layout = tuple(min(files, key=lambda file: (-_shared(file.label, anchor.label), file.label)) for files in by_place.values())
        seen.update(file.label for file in layout)
        layouts.setdefault(tuple(file.label for file in layout), layout)
    return tuple(layouts.values())


def _shared(one: str, other: str) -> int:
    """How many folders two paths have in common; a path shares more with itself than with any other."""
    if one == other:
        return 1 << 16
    count = 0
    for mine, theirs in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _read_layout(layout: tuple[Placed, ...], name: str) -> Host:
    files = Files(LaidOutTree(layout))
    known = captured(files)
    settled = settle(files)
    units = load(files, repository=True)
    around = surroundings(settled, known, files)
    listeners: list[Listener] = []
    outbounds: list[Outbound] = []
    privileges: dict[str, Privileges] = {}
    for invocation in commands(units, files, known):
        if invocation.unit is not None:
            privileges.setdefault(invocation.unit, invocation.privileges)
        bound, opened = join(invocation, what_it_says(invocation, files, known), around)
        listeners += bound
        outbounds += opened
    listeners += socket_listeners(units, files, around)
    for fact in _fragments(layout, files, known.packages):
        if isinstance(fact, Outbound):
            outbounds.append(fact)
        elif (alone := listener(fact, None, around)) is not None:
            listeners.append(alone)
    own = {file.label: _machine(file) for file in layout}
    host = assemble(
        name,
        "",
        files,
        settled,
        units,
        (
            replace(
                fact,
                starts="demand" if fact.starts == "demand" else None,
                confidence=weakest(fact.confidence, "likely"),
                machine=own.get(fact.at.path, ""),
            )
            for fact in listeners
            if fact.at.path in own
        ),
        (replace(fact, confidence=weakest(fact.confidence, "likely")) for fact in outbounds),
        privileges,
        repository=True,
    )
    # What a file refers to need not lie in the repository (mime.types, a certificate): only what is here can be unreadable.
    return replace(host, unreadable=tuple(trouble for trouble in host.unreadable if trouble.at.path in own), roles=_roles(layout))


def _fragments(layout: tuple[Placed, ...], files: Files, packages: Mapping[str, str]) -> Iterable[Said]:
    """What the configs that no invocation has read say, each on its own: the whole ones first, for they include others."""
    readers = {known.name: known.fragment for known in daemons() if known.fragment is not None}
    for file in sorted(layout, key=lambda file: (not _is_whole(file), file.label)):
        reader = readers.get(file.what.kind)
        if reader is not None and file.label not in files.sources:
            yield from reader(file.place, files, packages)


def _is_whole(file: Placed) -> bool:
    return file.place.rpartition("/")[2] in ("nginx.conf", "haproxy.cfg", "sshd_config", "redis.conf")


def _roles(layout: tuple[Placed, ...]) -> dict[str, str]:
    """The role or host that each file of a layout belongs to, "" for what belongs to the repository as such."""
    return {file.label: _role(file.label) for file in layout}


def _role(label: str) -> str:
    parts = label.split("/")
    for marker in _ROLES:
        if marker in parts[:-2]:
            return "/".join(parts[: parts.index(marker) + 2])
    return ""


def _machine(file: Placed) -> str:
    """Which machine a file is for, as far as its path tells: a role, a folder shaped like a host's root, else its own folder."""
    if file.label.endswith(file.place):
        return file.label[: -len(file.place)]
    return _role(file.label) or file.label.rpartition("/")[0]
