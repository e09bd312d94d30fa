"""Read a repository: its config files are laid out as the hosts they are meant for, and read like those, spans kept.

Nothing in a repository says what is enabled, so what lies there counts as deployed, and nothing is surer than *likely*.
"""

from collections.abc import Container, Iterable, Mapping, Sequence

from portwright._start.records import dataclass, replace
from portwright.coverage import Coverage, LeftOut, NotRead
from portwright.daemons import DaemonFact, fragment_reader, recognition
from portwright.facts import Endpoint, Listener, ServiceFact, weakest
from portwright.host import Host
from portwright.host.join.listener import listener
from portwright.host.reading import Services, assemble, bind_context, services
from portwright.repositories.not_read import MOST_FILES, kind_by_name, not_read
from portwright.repositories.recognise import (
    Recognised,
    lies_aside,
    recognise,
    without_blanks_to_fill,
    without_remarks,
    worth_reading,
)
from portwright.repositories.setcap_mentions import Mention, may_speak, mentions, perhaps_given
from portwright.source import Source, Span, Unreadable
from portwright.system.host_files.captures import Captured, captured
from portwright.system.spanned_text import UNKNOWN
from portwright.system.started import Started
from portwright.system.sysctl.settle import settle
from portwright.trees import Files, ReadError, Tree
from portwright.trees.budget import MOST_BYTES
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import Kind

_MOST_LAYOUTS = 500
_MOST_LAID = 32 << 20
"""Bytes of the files of all layouts together: a file counts in each layout that it is laid into, as it is read in each."""
_ROLES = ("roles", "hosts", "host_files", "services", "machines")
"""Folders whose subfolders are each for a machine of its own, or for a part that some machines have."""

_LOOSE = "/.repository/"
"""Where a config whose place on a host nobody can tell is laid; read on its own, found by no include."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A config file of a repository: its path there, what it is, and the place on a host it is laid out at.

    `written_by` is the text of the file at `label` where that one only writes this one, its lines at their own line numbers in `data`.
    """

    label: str
    place: str
    what: Recognised
    data: bytes
    written_by: str = ""


class StagedTree(MemoryTree):
    """Files of a repository at the places they have on a host; reports show their paths in the repository.

    `siblings` are the repository's files that are no configs by themselves: where the main config of a daemon lies that takes them in
    (daemons/README.md, `siblings`), its includes find them, and `included` are those that were read.
    """

    def __init__(self, placed: Iterable[StagedFile], siblings: "SiblingFiles | None" = None) -> None:
        files = tuple(placed)
        laid: dict[str, str | bytes] = {file.place: file.data for file in files}
        if "/etc/sysctl.conf" in laid:
            # Only through this link, which every distribution with systemd ships, does the boot read it.
            laid.setdefault("/etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf")
        kinds = sorted({file.what.kind for file in files if recognition.is_daemon(file.what.kind)})
        enabling = [pair for kind in kinds for pair in recognition.traits_in_repository(kind).enables]
        for place in tuple(laid):
            # The links that enable a site are made when it is deployed, and all that lies here counts as deployed.
            folder, _, name = place.rpartition("/")
            for available, enabled in enabling:
                if folder == available and name:
                    laid.setdefault(f"{enabled}/{name}", f"-> {place}")
        super().__init__(laid)
        self._labels = {file.place: file.label for file in files}
        self._mains = _mains_with_siblings(kinds, self._labels)
        self._siblings = siblings if self._mains else None
        self.included: set[str] = set()

    @property
    def mains(self) -> frozenset[str]:
        """The main configs that take in what lies beside them."""
        return frozenset(place for place in self._labels if place.rpartition("/")[0] + "/" in self._mains)

    def label(self, path: str) -> str:
        there = self._there(path)
        return self._labels.get(self.resolve(path), path) if there is None else there.lstrip("/")

    def kind(self, path: str) -> Kind:
        kind, there = super().kind(path), self._there(path)
        return kind if kind != "missing" or there is None or self._siblings is None else self._siblings.kind(there)

    def names(self, directory: str) -> tuple[str, ...]:
        there = self._there(directory)
        if there is None or self._siblings is None:
            return super().names(directory)
        return tuple(
            sorted({*super().names(directory), *self._siblings.names(there)}, key=lambda name: name.encode("utf-8", "surrogateescape"))
        )

    def read(self, path: str) -> bytes | None:
        data, there = super().read(path), self._there(path)
        if data is not None or there is None or self._siblings is None:
            return data
        self.included.add(there.lstrip("/"))
        return self._siblings.read(there)

    def _there(self, path: str) -> str | None:
        """The path in the repository of what lies beside a main config."""
        if self._siblings is None or not path.startswith(tuple(self._mains)):
            return None
        real = self.resolve(path)
        if real in self._labels:
            return None
        return next((f"{there}/{real.removeprefix(here)}" for here, there in self._mains.items() if real.startswith(here)), None)


def _mains_with_siblings(kinds: Iterable[str], labels: Mapping[str, str]) -> dict[str, str]:
    """The folders on the host of main configs that take in what lies beside them, to their folders in the repository."""
    found = {}
    for kind in kinds:
        main = recognition.main_path(kind) if recognition.traits_in_repository(kind).siblings else ""
        if main in labels:
            found[main.rpartition("/")[0] + "/"] = f"/{labels[main]}".rpartition("/")[0]
    return found


@dataclass(frozen=True, slots=True)
class SiblingFiles:
    """What a repository holds besides the configs that were recognised: pieces that only make sense where they are included."""

    tree: Tree
    recognised: frozenset[str]

    def kind(self, path: str) -> Kind:
        """As the tree has it; what was recognised has its own place or is not deployed, and does not lie here."""
        return "missing" if path in self.recognised else self.tree.kind(path)

    def names(self, directory: str) -> tuple[str, ...]:
        """The names that are not recognised configs'."""
        return tuple(name for name in self.tree.names(directory) if f"{directory}/{name}" not in self.recognised)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None for a recognised one."""
        return None if path in self.recognised else self.tree.read(path)


def read_repository(tree: Tree, name: str, explicit: bool = False) -> tuple[Host, ...]:
    """The hosts a repository's files make: one, or several where files want the same place on a host.

    `asked`: the tree is one file that its user named, so that it counts even where its path says *sample*.
    """
    placed, siblings, unreadable, coverage, given = _config_files(tree, explicit)
    together = tuple(file for file in placed if not _is_apart(file))
    layouts = stage(together)
    settings = tuple(file for file in (layouts[0] if layouts else ()) if file.what.kind == "sysctl")
    layouts = (*layouts, *((file, *settings) for file in placed if _is_apart(file)))
    affordable = _affordable(layouts)
    if len(layouts) > affordable:
        several = f"more than {_MOST_LAYOUTS}" if len(layouts) > _MOST_LAYOUTS else f"{len(layouts)}"
        reason = f"the files make {several} different hosts; only the first {affordable} were read"
        unreadable = (*unreadable, Unreadable(Span.whole(name), reason))
    read: dict[str, tuple[DaemonFact, ...]] = {}
    hosts = [_read_layout(layout, siblings, name, read, given) for layout in layouts[:affordable]] or [Host(name, repository=True)]
    coverage = Coverage.union((hosts[0].coverage, coverage))
    return (replace(hosts[0], unreadable=tuple(sorted({*hosts[0].unreadable, *unreadable})), coverage=coverage), *hosts[1:])


def _is_apart(file: StagedFile) -> bool:
    """Whether what else the repository configures is not taken to be on the same machine."""
    kind = file.what.kind
    return kind == "quadlet" or (recognition.is_daemon(kind) and recognition.traits_in_repository(kind).apart)


def _affordable(layouts: Sequence[tuple[StagedFile, ...]]) -> int:
    """How many layouts are read, from the first: one at least, for that has a budget of its own."""
    left = _MOST_LAID
    for number, layout in enumerate(layouts[:_MOST_LAYOUTS]):
        left -= sum(len(file.data) for file in layout)
        if left < 0 and number:
            return number
    return min(len(layouts), _MOST_LAYOUTS)


def _config_files(
    tree: Tree, explicit: bool
) -> tuple[tuple[StagedFile, ...], SiblingFiles, tuple[Unreadable, ...], Coverage, tuple[Mention, ...]]:
    placed: list[StagedFile] = []
    recognised: set[str] = set()
    unreadable: list[Unreadable] = []
    left: list[LeftOut] = []
    unread: list[NotRead] = []
    given: list[Mention] = []
    looked_into = 0
    kept_left = MOST_BYTES

    def say(error: ReadError) -> None:
        unreadable.append(Unreadable(Span.whole(tree.label(error.path)), error.reason))

    for path in tree.walk(say):
        label = tree.label(path)
        readable = explicit or worth_reading(label)
        other = kind_by_name(label) or ("installer" if may_speak(label) else None)
        if other is not None and (looked_into >= MOST_FILES or (not explicit and lies_aside(label))):
            other = None
        if not readable and other is None:
            continue
        try:
            data = tree.read(path)
        except ReadError as error:
            if readable:
                say(error)
            elif other not in ("yaml", "script", "installer"):
                unread.append(NotRead(label, other or "", error.reason))
            continue
        if data is None:
            continue
        if readable and len(data) > kept_left:
            say(ReadError(path, f"more than {MOST_BYTES >> 20} MiB of files were read in this repository: this one is left out"))
            continue
        text = data.decode("utf-8", "surrogateescape")
        what = None
        if readable:
            text = without_remarks(label, text)
            what = recognise(label, text, explicit)
        if other is not None and (what is None or other in ("compose", "quadlet")):
            # Of those two only what they publish is read.
            looked_into += 1
            given += mentions(label, text, _role(label))
            row = None if other == "installer" else not_read(label, other, text)
            if what is None:
                written, cut = _written(label, other if row is None else row.kind, text)
                placed += written
                unreadable += cut
            unread += [] if row is None else [row]
        if what is not None:
            recognised.add(path)
            if not what.deployed:
                left.append(LeftOut(label, what.reason))
            else:
                text = without_blanks_to_fill(text) if what.unfilled else text
                kept_left -= len(data)
                placed.append(StagedFile(label, what.host_path or _LOOSE + label, what, text.encode("utf-8", "surrogateescape")))
    left_out = frozenset(file.label for file in _left_out(placed, tree))
    left += [LeftOut(label, "the sites-enabled beside it enables other sites, not this one") for label in sorted(left_out)]
    kept = tuple(file for file in placed if file.label not in left_out)
    coverage = Coverage(left_out=tuple(left), not_read=tuple(unread))
    return kept, SiblingFiles(tree, frozenset(recognised)), tuple(unreadable), coverage, tuple(given)


def _written(label: str, kind: str, text: str) -> tuple[tuple[StagedFile, ...], tuple[Unreadable, ...]]:
    """The configs that a script, a cloud-config or a playbook writes, and what of them is not read."""
    from portwright.repositories.deployers import placed
    from portwright.repositories.deployers.placed import LONGEST, MOST

    # Of what installs a program these are the scripts that a package's installation runs on a host.
    files = placed("shell script" if kind == "installer" and label.endswith("postinst") else kind, label, text)
    found: list[StagedFile] = []
    cut: list[Unreadable] = []
    for each in files:
        what = recognise(each.path.lstrip("/"), each.text, True)
        if what is not None and what.deployed and what.host_path:
            known = without_blanks_to_fill(each.text) if what.unfilled else each.text
            found.append(StagedFile(label, each.path, what, known.encode("utf-8", "surrogateescape"), text))
            cut += (
                Unreadable(Span(label, line, 1, line, 1), f"of the lines that this one writes into {each.path} only the first is read")
                for line in each.cut
            )
    if len(files) >= MOST or (files and len(text) > LONGEST):
        cut.append(Unreadable(Span.whole(label), "it is too long, or writes too many files, to be read to its end"))
    return tuple(found), tuple(cut)


def _left_out(placed: Iterable[StagedFile], tree: Tree) -> Iterable[StagedFile]:
    """The sites of folders beside which another one says which sites are enabled, and these are not."""
    enabled: dict[str, frozenset[str]] = {}
    for file in placed:
        above, slash, name = f"/{file.label}".rpartition("/sites-available/")
        if not slash or "/" in name:
            continue
        if above not in enabled:
            enabled[above] = frozenset(_enabled(f"{above}/sites-enabled", tree))
        if enabled[above] and name not in enabled[above]:
            yield file


def _enabled(folder: str, tree: Tree) -> Iterable[str]:
    """The names in a folder, and what its links lead to."""
    try:
        for name in tree.names(folder) if tree.kind(folder) == "directory" else ():
            if not name.startswith("."):
                yield name
                yield (tree.link(f"{folder}/{name}") or name).rpartition("/")[2]
    except ReadError:
        return  # the walk says so


def stage(placed: tuple[StagedFile, ...]) -> tuple[tuple[StagedFile, ...], ...]:
    """Each file in at least one layout, no place taken twice in any: files of one folder stay together.

    Where several files want one place (two roles, each with its nginx.conf), each of them makes a layout, and takes along, of every
    other contested place, the file that lies nearest to it. What only other roles have stays out of all layouts but the first: it was
    read there, and says nothing about this one. There are at most one more than _MOST_LAYOUTS.
    """
    by_place: dict[str, list[StagedFile]] = {}
    for file in placed:
        by_place.setdefault(file.place, []).append(file)
    contested = sorted((files for files in by_place.values() if len(files) > 1), key=lambda files: (-len(files), files[0].place))
    if not contested:
        return (placed,) if placed else ()
    roles = {file.label: _role(file.label) for file in placed}
    layouts: dict[tuple[str, ...], tuple[StagedFile, ...]] = {}
    seen: set[str] = set()
    for anchor in (file for files in contested for file in files):
        if anchor.label in seen:
            continue
        if len(layouts) > _MOST_LAYOUTS:
            break
        kin = ("", roles[anchor.label]) if layouts else None
        layout = tuple(
            files[0] if len(files) == 1 else _nearest(files, anchor)
            for files in by_place.values()
            if len(files) > 1 or kin is None or roles[files[0].label] in kin
        )
        seen.update(file.label for file in layout)
        layouts.setdefault(tuple(file.label for file in layout), layout)
    return tuple(layouts.values())


def _nearest(files: Iterable[StagedFile], anchor: StagedFile) -> StagedFile:
    """The anchor itself, else the file with which it has the most folders in common, the first by its path where several have."""
    above = [anchor.label[: at + 1] for at, letter in enumerate(anchor.label) if letter == "/"][::-1]
    return min(
        files,
        key=lambda file: (
            file is not anchor,
            next((n for n, top in enumerate(above) if file.label.startswith(top)), len(above)),
            file.label,
        ),
    )


def _read_layout(
    layout: tuple[StagedFile, ...],
    siblings: SiblingFiles,
    name: str,
    read: dict[str, tuple[DaemonFact, ...]],
    given: tuple[Mention, ...],
) -> Host:
    """One layout as a host. `read` is what the files of earlier layouts said on their own, and takes up what those of this one say."""
    tree = StagedTree(layout, siblings)
    files = Files(tree, partial=True)
    known = captured(files)
    settled = settle(files)
    started = _started(layout, files, known, given)
    context = bind_context(settled, known, files)
    found = services(started, files, known, context)
    listeners, others = [*found.listeners], [*found.others]
    for fact in _fragments(layout, files, known.packages, read):
        # How many files a daemon may open is not said where nothing starts it.
        if isinstance(fact, ServiceFact):
            others.append(fact)
        elif isinstance(fact, Endpoint) and (alone := listener(fact, None, context)) is not None:
            listeners.append(alone)
    own = {file.label: _machine(file) for file in layout}
    own |= dict.fromkeys(tree.included - own.keys(), next((_machine(file) for file in layout if file.place in tree.mains), ""))
    unfilled = {file.label for file in layout if file.what.unfilled}
    host = assemble(
        name,
        "",
        files,
        settled,
        started,
        Services(
            tuple(
                _as_deployed(fact, own[fact.at.path], fact.at.path in unfilled)
                for fact in listeners
                if fact.at.path in own and _is_said(fact, unfilled)
            ),
            # Whether connections are kept hangs on lines that a template may leave to what fills it in, as do numbers.
            tuple(
                fact.no_surer_than("likely") if isinstance(fact, ServiceFact) else fact
                for fact in others
                if fact.at.path not in unfilled and (isinstance(fact, ServiceFact) or fact.at.path in own)
            ),
            found.privileges,
            tuple(each for each in found.not_understood if each.at.path in own.keys() - unfilled),
        ),
        repository=True,
    )
    # What a file refers to need not lie in the repository (mime.types, a certificate), nor is a template what a daemon reads.
    readable = own.keys() - unfilled
    blank = {(file.label, line) for file in layout if file.written_by for line in _blank_lines(file.data)}
    # What a script writes stands in the script.
    sources = {**host.sources, **{file.label: Source(file.label, file.written_by) for file in layout if file.written_by}}
    host = replace(host, sources=sources)
    told = tuple(each for each in host.unreadable if each.at.path in readable and (each.at.path, each.at.line) not in blank)
    return replace(host, unreadable=told, roles=_roles(layout))


def _blank_lines(data: bytes) -> Iterable[int]:
    """The lines of a file in which something is not known."""
    mark = UNKNOWN.encode("utf-8", "strict")
    return (number for number, line in enumerate(data.split(b"\n"), 1) if mark in line)


def _started(layout: Iterable[StagedFile], files: Files, known: Captured, given: tuple[Mention, ...]) -> Started:
    """What the units of a layout start; daemons' configs and sysctl files alone start nothing."""
    if all(file.what.kind == "sysctl" or recognition.is_daemon(file.what.kind) for file in layout):
        return Started()
    from portwright.system.systemd import reader
    from portwright.system.systemd.script_calls import script_calls

    started = reader.read(files, known, repository=True)
    invocations = tuple(perhaps_given(each, _role(each.at.path), given) for each in started.invocations)
    return replace(started, invocations=invocations, calls=script_calls(started.units, files, repository=True))


def _is_said(fact: Listener, unfilled: Container[str]) -> bool:
    """Whether a line says so; a template's default, or an address in it that is filled in, is nothing to go by."""
    return fact.at.path not in unfilled or (fact.origin != "default" and "\ufffd" not in fact.address)


def _as_deployed(fact: Listener, machine: str, is_unfilled: bool) -> Listener:
    """A listener as the repository of its file has it; what a template says is possible, and says nothing of what else a machine runs."""
    return replace(
        fact,
        starts="demand" if fact.starts == "demand" else None,
        confidence="possible" if is_unfilled else weakest(fact.confidence, "likely"),
        machine=str(fact.at) if is_unfilled else machine,
    )


def _fragments(
    layout: tuple[StagedFile, ...], files: Files, packages: Mapping[str, str], read: dict[str, tuple[DaemonFact, ...]]
) -> Iterable[DaemonFact]:
    """What the configs that no invocation has read say, each on its own: the whole ones first, for they include others."""
    for file in sorted(layout, key=lambda file: (not _is_whole(file), file.label)):
        reader = fragment_reader(file.what.kind)
        if reader is not None and (not files.has_read(file.place) if file.written_by else file.label not in files.sources):
            # A whole config includes what the layout has at other places, and so may say something else each time.
            key = f"{file.label}\0{file.place}" if file.written_by else file.label
            if key not in read or _is_whole(file):
                read[key] = tuple(reader(file.place, files, packages))
            yield from read[key]


def _is_whole(file: StagedFile) -> bool:
    return recognition.is_main(file.place, file.what.kind)


def _roles(layout: tuple[StagedFile, ...]) -> dict[str, str]:
    """The role or host that each file of a layout belongs to, "" for what belongs to the repository as such."""
    return {file.label: _role(file.label) for file in layout}


def _role(label: str) -> str:
    parts = label.split("/")
    for marker in _ROLES:
        if marker in parts[:-2]:
            return "/".join(parts[: parts.index(marker) + 2])
    return ""


def _machine(file: StagedFile) -> str:
    """Which machine a file is for, as far as its path tells: a role, a folder shaped like a host's root, else its own folder."""
    if file.label.endswith(file.place):
        return file.label[: -len(file.place)]
    return _role(file.label) or file.label.rpartition("/")[0]
