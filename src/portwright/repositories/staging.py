"""Lay a repository's config files out as the hosts they are meant for: which files are together on one, and as what tree they are read."""

from collections.abc import Iterable, Mapping, Sequence

from portwright._start.records import dataclass
from portwright.daemons import recognition
from portwright.repositories.deployers.placed import Line
from portwright.repositories.recognise import Recognised
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Tree
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import Kind

MOST_LAYOUTS = 500
_ROLES = ("roles", "hosts", "host_files", "services", "machines")
"""Folders whose subfolders are each for a machine of its own, or for a part that some machines have."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A config file of a repository: its path there, what it is, and the place on a host it is laid out at.

    Of a placed file `lines` are those that `data` was made of, `label` tells it from all others, and `of` is the file of the repository
    that puts it there, or that it is made of. `machine` and `alone` as in Placed. `inside`: a container with a network of its own has it.
    """

    label: str
    place: str
    what: Recognised
    data: bytes
    lines: tuple[Line, ...] = ()
    of: str = ""
    machine: str = ""
    inside: bool = False
    alone: bool = False

    @property
    def origin(self) -> str:
        """The path in the repository that says whose it is."""
        return self.of or self.label


class StagedTree(MemoryTree):
    """Files of a repository at the places they have on a host; reports show their paths in the repository.

    `siblings` are the repository's files that are no configs by themselves: where the main config of a daemon lies that takes them in
    (daemons/README.md, `siblings`), its includes find them, and `included` are those that were read.
    """

    def __init__(
        self, placed: Iterable[StagedFile], siblings: "SiblingFiles | None" = None, said: Mapping[str, str] | None = None
    ) -> None:
        files = tuple(placed)
        laid: dict[str, str | bytes] = {file.place: file.data for file in files}
        # What the user says of the machines stands where a copied host says it of itself.
        laid |= {f"/.portwright/{name}": f"{text}\n" for name, text in (said or {}).items()}
        if "/etc/sysctl.conf" in laid:
            # Only through this link, which every distribution with systemd ships, does the boot read it.
            laid.setdefault("/etc/sysctl.d/99-sysctl.conf", "-> ../sysctl.conf")
        kinds = sorted({file.what.kind for file in files if recognition.is_daemon(file.what.kind)})
        for place, target in enabling_links(kinds, tuple(laid)).items():
            laid.setdefault(place, f"-> {target}")
        super().__init__(laid)
        self._labels = {file.place: file.label for file in files}
        self._mains = _mains_with_siblings(kinds, self._labels)
        self._beside = tuple({folder for kind in kinds if (folder := _folder_of_all(kind))})
        self._mains |= dict.fromkeys(self._beside, "")
        self._siblings = siblings if self._mains else None
        self.included: set[str] = set()

    @property
    def mains(self) -> frozenset[str]:
        """The main configs that take in what lies beside them."""
        return frozenset(
            place for place in self._labels if place.rpartition("/")[0] + "/" in self._mains or place.startswith(self._beside or ("\0",))
        )

    def label(self, path: str) -> str:
        there = self._there(path)
        return self._labels.get(self.resolve(path), path) if there is None else there.lstrip("/")

    def kind(self, path: str) -> Kind:
        kind, there = super().kind(path), self._there(path)
        return kind if kind != "missing" or there is None or self._siblings is None else self._others(path, self._siblings).kind(there)

    def names(self, directory: str) -> tuple[str, ...]:
        there = self._there(directory)
        if there is None or self._siblings is None:
            return super().names(directory)
        return tuple(
            sorted(
                {*super().names(directory), *self._others(directory, self._siblings).names(there)},
                key=lambda name: name.encode("utf-8", "surrogateescape"),
            )
        )

    def read(self, path: str) -> bytes | None:
        data, there = super().read(path), self._there(path)
        if data is not None or there is None or self._siblings is None:
            return data
        self.included.add(there.lstrip("/"))
        return self._others(path, self._siblings).read(there)

    def _others(self, path: str, siblings: "SiblingFiles") -> "SiblingFiles":
        """What lies beside a main config: no config of its own place, but every file beside one that is laid under its whole path."""
        return SiblingFiles(siblings.tree, frozenset()) if path.startswith(self._beside or ("\0",)) else siblings

    def _there(self, path: str) -> str | None:
        """The path in the repository of what lies beside a main config."""
        if self._siblings is None or not path.startswith(tuple(self._mains)):
            return None
        real = self.resolve(path)
        if real in self._labels:
            return None
        return next((f"{there}/{real.removeprefix(here)}" for here, there in self._mains.items() if real.startswith(here)), None)


def _folder_of_all(kind: str) -> str:
    """Where on a host a repository's files lie for configs of this kind, "" where such a config does not find them beside it."""
    said = recognition.traits_in_repository(kind)
    return said.place.removesuffix("{}") if said.beside else ""


def enabling_links(kinds: Iterable[str], places: Iterable[str]) -> dict[str, str]:
    """The links that enable sites, made when they are deployed: all that lies in a repository counts as deployed."""
    pairs = [pair for kind in kinds for pair in recognition.traits_in_repository(kind).enables]
    found = {}
    for place in places:
        folder, _, name = place.rpartition("/")
        for available, enabled in pairs:
            if folder == available and name:
                found[f"{enabled}/{name}"] = place
    return found


def blank_lines(data: bytes) -> Iterable[int]:
    """The lines of a file in which something is not known."""
    mark = UNKNOWN.encode("utf-8", "strict")
    return (number for number, line in enumerate(data.split(b"\n"), 1) if mark in line)


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


def stage(placed: tuple[StagedFile, ...]) -> tuple[tuple[StagedFile, ...], ...]:
    """Each file in at least one layout, no place taken twice in any: files of one folder stay together.

    Where several files want one place (two roles, each with its nginx.conf), each of them makes a layout, and takes along, of every
    other contested place, the file that lies nearest to it. What only other roles have, or other scripts write, stays out of all layouts
    but the first: it was read there, and says nothing about this one. What is for one machine is in no layout with what is for another;
    of what is for nobody in particular it has the kernel settings, for the rest says something in layouts of its own. There are at most
    one more than MOST_LAYOUTS.
    """
    machines = sorted({file.machine for file in placed if file.machine})
    if len(machines) < 2:
        return _stage(placed)
    shared = tuple(file for file in placed if not file.machine)
    settings = _by_place(file for file in shared if file.what.kind == "sysctl")
    found: dict[tuple[StagedFile, ...], None] = dict.fromkeys(_stage(shared))
    for machine in machines:
        if len(found) > MOST_LAYOUTS:
            break
        for layout in _stage(tuple(file for file in placed if file.machine == machine)):
            taken = {file.place for file in layout}
            more = (_nearest(files, layout[0]) for place, files in settings.items() if place not in taken)
            found[(*layout, *more)] = None
    return tuple(found)


def _by_place(files: Iterable[StagedFile]) -> dict[str, list[StagedFile]]:
    found: dict[str, list[StagedFile]] = {}
    for file in files:
        found.setdefault(file.place, []).append(file)
    return found


def _stage(placed: tuple[StagedFile, ...]) -> tuple[tuple[StagedFile, ...], ...]:
    by_place = _by_place(placed)
    contested = sorted((files for files in by_place.values() if len(files) > 1), key=lambda files: (-len(files), files[0].place))
    if not contested:
        return (placed,) if placed else ()
    roles = {file.label: role(file.origin) for file in placed}
    layouts: dict[tuple[str, ...], tuple[StagedFile, ...]] = {}
    seen: set[str] = set()
    for anchor in (file for files in contested for file in files):
        if anchor.label in seen:
            continue
        if len(layouts) > MOST_LAYOUTS:
            break
        layout = tuple(
            files[0] if len(files) == 1 else _nearest(files, anchor)
            for files in by_place.values()
            if len(files) > 1 or not layouts or _is_kin(files[0], anchor, roles)
        )
        seen.update(file.label for file in layout)
        layouts.setdefault(tuple(file.label for file in layout), layout)
    return tuple(layouts.values())


def _is_kin(file: StagedFile, anchor: StagedFile, roles: Mapping[str, str]) -> bool:
    """Whether a file is likely on one machine with another one: what a script writes, with what lies beside that script."""
    own = roles[file.label]
    if own:
        return own == roles[anchor.label]
    return not file.lines or file.origin.rpartition("/")[0] == anchor.origin.rpartition("/")[0]


def _nearest(files: Iterable[StagedFile], anchor: StagedFile) -> StagedFile:
    """The anchor itself, else the file with which it has the most folders in common, the first by its path where several have."""
    above = [anchor.origin[: at + 1] for at, letter in enumerate(anchor.origin) if letter == "/"][::-1]
    return min(
        files,
        key=lambda file: (
            file is not anchor,
            next((n for n, top in enumerate(above) if file.origin.startswith(top)), len(above)),
            file.label,
        ),
    )


def role(label: str) -> str:
    parts = label.split("/")
    for marker in _ROLES:
        if marker in parts[:-2]:
            return "/".join(parts[: parts.index(marker) + 2])
    return ""


def machine_of(file: StagedFile) -> str:
    """Which machine a file is for, as what puts it there says, or as far as its path tells.

    By its path that is a role, a folder shaped like a host's root, else its own folder.
    """
    if file.machine:
        return file.machine
    if file.label.endswith(file.place) and not file.lines:
        return file.label[: -len(file.place)]
    if file.lines and all(line.source == file.of for line in file.lines):
        # Whoever runs one script need not run the one beside it, which may be another way to the same.
        return role(file.origin) or file.origin
    return role(file.origin) or file.origin.rpartition("/")[0]


def is_of(machine: str, others: str) -> bool:
    """Whether a machine is one of some others: `nodes of k8s, with web` are of `nodes of k8s`."""
    return machine == others or machine.startswith(f"{others}, ")


def told_apart(layouts: Sequence[tuple[StagedFile, ...]]) -> tuple[tuple[str, str], ...]:
    """(the machine, why it is none of the others) of each layout; two empty texts where there is one."""
    if len(layouts) < 2:
        return (("", ""),) * len(layouts)
    whose: dict[str, dict[str, StagedFile]] = {}
    for layout in layouts:
        for file in layout:
            whose.setdefault(file.place, {}).setdefault(file.label, file)
    return tuple(_told_apart(layout, whose) for layout in layouts)


def _told_apart(layout: tuple[StagedFile, ...], whose: Mapping[str, Mapping[str, StagedFile]]) -> tuple[str, str]:
    machine = next((file.machine for file in layout if file.machine), "")
    if machine:
        return machine, f"what is said of {machine} is said of no other machine"
    wanted = [file for file in layout if len(whose[file.place]) > 1]
    if not wanted:
        first = layout[0]
        return first.origin, f"no file states that {first.origin} is on one machine with the others"
    # The place that most files want tells most layouts apart.
    own = max(wanted, key=lambda file: (len(whose[file.place]), file.place))
    other = next(file for file in whose[own.place].values() if file.label != own.label)
    return role(own.origin) or machine_of(own) or own.origin, f"{own.origin} and {other.origin} are both for {own.place}"
