"""The systemd unit search path: which fragment, aliases, drop-ins and dependency links make up a unit of a given name."""

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache

from portwright._start.records import dataclass
from portwright.source import Span
from portwright.system.systemd.specifiers import name as parts_of
from portwright.trees import Files

# systemd.unit(5), System Unit Search Path. A /lib of its own is where split-usr distributions build systemd to look first.
SEARCH_PATH = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
)
# The same for the manager of a user, below the home and the runtime directory.
USER_SEARCH_PATH = (
    "{home}/.config/systemd/user.control",
    "{runtime}/systemd/user.control",
    "{runtime}/systemd/transient",
    "{runtime}/systemd/generator.early",
    "{home}/.config/systemd/user",
    "/etc/systemd/user",
    "{runtime}/systemd/user",
    "/run/systemd/user",
    "{runtime}/systemd/generator",
    "{home}/.local/share/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "{runtime}/systemd/generator.late",
)
OF_PACKAGES = ("/lib/systemd/", "/usr/lib/systemd/")  # where units lie that no administrator wrote
TYPES = frozenset(["service", "socket", "target", "device", "mount", "automount", "swap", "timer", "path", "slice", "scope"])
_MAY_ALIAS = frozenset(["service", "socket", "target", "device", "timer", "path"])  # unit_type_may_alias()
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")
_LONGEST_NAME = 255
_MOST_ALIASES = 8  # FOLLOW_MAX in unit-file.c
DEPENDENCY_DIRECTORIES = {".wants": "wants", ".requires": "requires", ".upholds": "upholds"}


_DEFAULT, _DEFAULTS = "default.target", ("graphical.target", "multi-user.target")


def is_unit_name(text: str) -> bool:
    """Whether systemd takes a file of this name for a unit (unit_name_is_valid())."""
    stem, dot, suffix = text.rpartition(".")
    if not dot or suffix not in TYPES or not 0 < len(text) <= _LONGEST_NAME or not _NAME_CHARS.issuperset(text):
        return False
    return bool(stem) and stem[0] != "@"


@dataclass(frozen=True, slots=True)
class Fragment:
    """What stands for a unit's name: its primary name, all names, and the file (None: nothing does) or what masks it."""

    name: str
    names: tuple[str, ...]
    path: str | None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of a `.wants`, `.requires` or `.upholds` directory: the unit pulled in, the verb, the link's path."""

    unit: str
    verb: str
    path: str


class UnitFiles:
    """The unit files of one host, or of one place in a repository that is laid out like a host."""

    def __init__(self, files: Files, listing: Mapping[str, Iterable[str]], only: frozenset[str] | None = None) -> None:
        """`listing` maps the directories of the search path, highest priority first, to the names in them.

        Of what lies in directories beside a unit only the paths in `only` count, None for all.
        """
        self._files = files
        self._only = only
        self._directories = tuple(listing)
        self._real = {files.resolve(directory or "/") for directory in self._directories}
        self._listed: dict[str, Mapping[str, str]] = {}
        self._special: dict[str, bool] = {}
        self._targets: dict[str, str] = {}  # name -> path of its file, or the name it is an alias of
        # Of `x.service.d`, `x.target.wants`: the ending -> what stands before it -> indexes of the directories that hold one.
        self._beside: dict[str, dict[str, list[int]]] = {ending: {} for ending in (".d", *DEPENDENCY_DIRECTORIES)}
        for index, (directory, entries) in enumerate(listing.items()):
            for entry in entries:
                stem, dot, ending = entry.rpartition(".")
                if (beside := self._beside.get(f"{dot}{ending}")) is not None:
                    beside.setdefault(stem, []).append(index)
                elif is_unit_name(entry) and entry not in self._targets:
                    target = self._target(directory, entry)
                    if target is not None:
                        self._targets[entry] = target

        self._restore_default()

    def _restore_default(self) -> None:
        """Where the copy followed the links, default.target is a file like that of the target which it was a link to."""
        path = self._targets.get(_DEFAULT, "")
        if path.startswith("/") and self._files.link(path) is None and self._files.kind(path) == "file" and not self._has_links:
            own = self._files.read(path)
            for name in _DEFAULTS:
                other = self._files.read(self._targets[name]) if self._targets.get(name, "").startswith("/") else None
                if own is not None and other is not None and own.text == other.text:
                    self._targets[_DEFAULT] = name

    def _target(self, directory: str, entry: str) -> str | None:
        """The path a name stands for, or the name it is an alias of; None for a link systemd refuses."""
        path = f"{directory}/{entry}"
        link = self._files.link(path)
        if link is None:
            return path
        parent, _, base = (link if link.startswith("/") else f"{directory}/{link}").rpartition("/")
        real = self._files.resolve(parent or "/")
        if not any(real == top or real.startswith(f"{top}/") for top in self._real):
            # It leads out of the search path: a linked unit file or a mask, known by the link's own name.
            return path
        if base == entry:
            return f"{real}/{base}" if real in self._real else path
        problem = _bad_alias(entry, base)
        if problem:
            self._files.report_unreadable(Span.whole(self._files.tree.label(path)), f"systemd ignores this link to {base}: {problem}")
            return None
        return base

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a file or a link stands for, sorted."""
        return tuple(sorted(self._targets))

    @property
    def dropped_in(self) -> tuple[str, ...]:
        """The names that have a drop-in directory of their own, sorted; `service` and prefixes that end in `-` are left out."""
        return tuple(sorted(stem for stem in self._beside[".d"] if is_unit_name(stem) and not parts_of(stem).prefix.endswith("-")))

    @cached_property
    def _aliases(self) -> dict[str, list[str]]:
        """The names that lead to each name, by links; links of instances to their template are none (unit-file.c)."""
        found: dict[str, list[str]] = {}
        for alias in sorted(self._targets):
            path, final = self._follow(alias)
            if path is not None and final != alias and not (parts_of(final).is_template and parts_of(alias).instance):
                found.setdefault(final, []).append(alias)
        return found

    def _follow(self, name: str) -> tuple[str | None, str]:
        """(path, last name) at the end of a chain of aliases."""
        instance = parts_of(name).instance
        for _ in range(_MOST_ALIASES):
            target = self._targets.get(name)
            if target is None and (template := parts_of(name).template) is not None:
                name = template
                target = self._targets.get(name)
            if target is None or target.startswith("/"):
                return target, name
            name = target
            if parts_of(name).is_template and instance and parts_of(name).of(instance) in self._targets:
                known = parts_of(name).of(instance)
                if self._targets[known] != name:
                    name = known
        return None, name

    def fragment(self, name: str) -> Fragment:
        """The file that is loaded for a name, and every name of the unit it makes (unit_file_find_fragment())."""
        path, final = self._follow(name)
        instance = parts_of(name).instance
        primary = parts_of(final).of(instance) if instance and parts_of(final).is_template else final
        if path is None:
            return Fragment(primary, _unique(primary, name), None)
        if self._is_masked(path):
            # A mask takes the name it stands under; other names lead to it only by links of their own.
            return Fragment(primary, _unique(primary, name), path, True)
        names = [primary, name, *self._aliases.get(primary, ())]
        if instance:
            names += (
                parts_of(alias).of(instance)
                for alias in self._aliases.get(parts_of(primary).template or "", ())
                if parts_of(alias).is_template and parts_of(alias).of(instance) not in self._targets
            )
        return Fragment(primary, _unique(*names), path)

    def _is_masked(self, path: str) -> bool:
        if self._masks(path):
            return True
        source = self._files.read(path)
        return source is not None and not source.text

    def dropins(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The drop-ins of a unit with these names in the order they are read: by file name over all directories.

        Of those with one name the first directory's is taken (unit_file_find_dropin_paths(), conf_files_list_strv()). What masks
        a drop-in is not in the list.
        """
        return tuple([path for path in self._beside_files(names, ".d") if path.endswith(".conf") and not self._masks(path)])

    def _masks(self, path: str) -> bool:
        """Whether a file is a link to nothing, or a pipe or a device, which is said; asked again for each unit of a kind."""
        if path not in self._special:
            self._special[path] = self._files.kind(path) == "special"
            if self._special[path] and self._files.resolve(path) != "/dev/null":
                self._files.read(path)
        return self._special[path]

    def links(self, names: tuple[str, ...]) -> tuple[Link, ...]:
        """What the dependency directories of a unit with these names pull in (unit_load_dropin())."""
        found: list[Link] = []
        own = parts_of(names[0])
        for ending, verb in DEPENDENCY_DIRECTORIES.items():
            for path in self._beside_files(names, ending):
                entry = path.rpartition("/")[2]
                if not is_unit_name(entry) or self._files.kind(path) == "special":
                    continue
                if self._files.link(path) is None and not self._was_a_link(path, entry):
                    continue
                wanted = parts_of(entry)
                if wanted.is_template:
                    entry = wanted.of(own.instance or own.prefix)
                found.append(Link(entry, verb, path))
        return tuple(found)

    @cached_property
    def _has_links(self) -> bool:
        """Whether any entry of the unit directories is a link: every host has some, a copy that followed them has none."""
        holding = list(self._directories)
        for ending in DEPENDENCY_DIRECTORIES:
            for stem, indexes in self._beside[ending].items():
                holding += (f"{self._directories[index]}/{stem}{ending}" for index in indexes)
        return any(self._files.link(f"{directory}/{name}") is not None for directory in holding for name in self._files.names(directory))

    def _was_a_link(self, path: str, entry: str) -> bool:
        """Whether a file of a dependency directory is a link that the copy followed, as scp -r does: systemd takes no file there."""
        if self._files.kind(path) != "file" or self._has_links:
            return False
        real, _ = self._follow(entry)
        own, other = self._files.read(path), None if real is None else self._files.read(real)
        return own is not None and other is not None and own.text == other.text

    @cached_property
    def all_links(self) -> tuple[Link, ...]:
        """What any dependency directory pulls in, whether the unit it belongs to is loaded or not."""
        found: list[Link] = []
        stems = {f"{stem}{ending}": stem for ending in DEPENDENCY_DIRECTORIES for stem in self._beside[ending]}
        for _, stem in sorted(stems.items()):
            if is_unit_name(stem):
                found += self.links((stem,))
        return tuple(found)

    def _beside_files(self, names: tuple[str, ...], ending: str) -> list[str]:
        beside = self._beside[ending]
        if not beside:
            return []
        directories: list[str] = []
        for name in names:
            stems = drop_in_names(name)
            if beside.keys().isdisjoint(stems):
                continue
            places = [(index, position, stem) for position, stem in enumerate(stems) for index in beside.get(stem, ())]
            directories += (f"{self._directories[index]}/{stem}{ending}" for index, _, stem in sorted(places))
        # The type's own directory comes last: anything more specific wins over it.
        top = parts_of(names[0]).suffix
        directories += (f"{self._directories[index]}/{top}{ending}" for index in beside.get(top, ()))
        if not directories:
            return []
        entries = [self._entries(directory) for directory in dict.fromkeys(directories)]
        if len(entries) == 1:
            return [*entries[0].values()]
        chosen: dict[str, str] = {}
        for each in reversed(entries):
            chosen |= each
        return [chosen[entry] for entry in sorted(chosen, key=_bytes)]

    def _entries(self, directory: str) -> Mapping[str, str]:
        """The paths in a directory by their names, in the order of these."""
        if directory not in self._listed:
            names = self._files.names(directory)
            if not names and self._files.kind(directory) == "missing":
                reason = f"a link to {self._files.link(directory)}, which is not there: what lies in it is unknown"
                self._files.report_missing(Span.whole(self._files.tree.label(directory)), reason)
            self._listed[directory] = {
                entry: f"{directory}/{entry}"
                for entry in sorted(names, key=_bytes)
                if not entry.startswith(".") and not entry.endswith("~") and (self._only is None or f"{directory}/{entry}" in self._only)
            }
        return self._listed[directory]


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def on_host(files: Files, search_path: Iterable[str] = SEARCH_PATH) -> UnitFiles:
    """The unit files of a host, over the directories of the search path that it has."""
    listing: dict[str, Iterable[str]] = {}
    real: dict[str, str] = {}
    for directory in search_path:
        if entries := files.names(directory):
            where = files.resolve(directory)
            if where not in real:
                # Where /lib is a link, reports show the path that is there.
                shown = where if where in SEARCH_PATH else directory
                real[where] = shown
                listing[shown] = entries
    return UnitFiles(files, listing)


@lru_cache(maxsize=8192)
def drop_in_names(name: str) -> tuple[str, ...]:
    """The names whose drop-in directories count for a unit, most specific first (unit_file_find_dirs()).

    `foo-bar@x.service`: itself; its template with the prefixes of that, which are plain names (`foo-.service`); then the instance
    of each shorter prefix, and its template.
    """
    found: dict[str, None] = {}
    parts = parts_of(name)
    prefix, ending = parts.prefix, f".{parts.suffix}"
    while True:
        if parts.instance:
            found[f"{prefix}@{parts.instance}{ending}"] = None
        if parts.instance is not None:
            found[f"{prefix}@{ending}"] = None
        else:
            found[f"{prefix}{ending}"] = None
        shorter = _shorter(prefix)
        while parts.instance is not None and shorter:
            found[f"{shorter}{ending}"] = None
            shorter = _shorter(shorter)
        prefix = _shorter(prefix)
        if not prefix or parts.is_template:
            return tuple(found)


def _shorter(prefix: str) -> str:
    """The next shorter prefix that ends in a dash, "" for none."""
    dash = prefix[:-1].rfind("-") if prefix.endswith("-") else prefix.rfind("-")
    return prefix[: dash + 1] if dash > 0 else ""


def _bad_alias(name: str, target: str) -> str | None:
    """Why systemd refuses a link as an alias (unit_validate_alias_symlink_or_warn()), None where it takes it."""
    if not is_unit_name(target):
        return "it is no unit"
    own, other = parts_of(name), parts_of(target)
    if own.suffix not in _MAY_ALIAS:
        return f"a .{own.suffix} may have no alias"
    if own.suffix != other.suffix:
        return "it is another type of unit"
    if own.instance:
        if other.instance is None:
            return "an instance cannot be an alias of a plain unit"
        if other.instance and own.instance != other.instance:
            return "it is another instance"
    elif own.instance != other.instance:
        return "a template and a unit that is none cannot be aliases"
    return None


def _unique(*names: str) -> tuple[str, ...]:
    own, *others = dict.fromkeys(names)
    return (own, *sorted(others))
