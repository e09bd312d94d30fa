"""systemd units of a host or a repository: every unit merged from its files, what starts it and why, and what starts before it."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from posixpath import commonpath

from portwright._start import debug_log
from portwright._start.records import replace
from portwright.facts import OpenFiles, Setting, Unit
from portwright.formats import unit as unit_format
from portwright.formats.unit import YES
from portwright.source import Span, Unreadable
from portwright.system.host_files.accounts import Account, account
from portwright.system.releases.of_host import systemd as systemd_release
from portwright.system.releases.since import DROP_INS_OF_PREFIXES, DROP_INS_OF_TYPES, questioned_settings, unread_setting
from portwright.system.started import Packaged
from portwright.system.systemd import start_order as order
from portwright.system.systemd.activation import STANDARD, Activation, Pull
from portwright.system.systemd.command_line import Command, Refused, commands
from portwright.system.systemd.generators import (
    Generated,
    generated,
    is_of_known_package,
    of_a_user,
    of_known_packages,
    of_quadlets,
)
from portwright.system.systemd.open_files import BUILT_IN, of_manager, of_unit
from portwright.system.systemd.specifiers import Machine, expand, for_user, machine
from portwright.system.systemd.specifiers import name as parts_of
from portwright.system.systemd.unit_files import (
    DEPENDENCY_DIRECTORIES,
    SEARCH_PATH,
    TYPES,
    USER_SEARCH_PATH,
    Link,
    UnitFiles,
    is_unit_name,
    on_host,
)
from portwright.trees import Files

_MOST_UNITS = 100_000
_COST_OF_A_SETTING = 4  # steps, for each unit but the first that has it
_COST_OF_A_STRANGER = 30  # steps, for each setting that may be a known one misspelt
_MANY = 200  # settings of one file, more than people write
_LONG = 4096  # characters of a unit file
_MAY_STOP = ("WorkingDirectory", "Root", "DynamicUser", "User", "Exec")
"""How the settings begin whose values may be errors for which systemd reads no further."""
_NAMING = frozenset(("After", "Before", "Wants", "Requires", "Requisite", "BindsTo", "PartOf", "Upholds", "Conflicts"))
_COST_OF_AN_INSTANCE = 4_000  # characters of Files.spend
_DROPPED_INTO = frozenset(["service", "socket"])
_DROPPED = ".service.d", "/service.d"
_OF_USERS = ("/systemd/user/", "/.config/systemd/", "/.local/share/systemd/")
_IN_A_REPOSITORY = {
    "loaded": "it is in a repository, where no file states what is enabled",
    "masked": "it is masked",
    "missing": "the repository contains only drop-ins for it",
}
_LINGER = "/var/lib/systemd/linger"
_BUS_SERVICES = ("/usr/local/share/dbus-1/system-services", "/usr/share/dbus-1/system-services")
_LISTENS = ("ListenStream", "ListenDatagram")
_SERVICE_TYPES = frozenset(("simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"))
_SECTIONS = frozenset("Unit Service Socket Target Device Mount Automount Swap Timer Path Slice Scope Install".split())  # noqa: SIM905


class Units:
    """All units of one host or repository; use `load`."""

    def __init__(self, units: Iterable[Unit], known: Machine, activation: Activation | None, files_each: OpenFiles | None) -> None:
        self.machine = known
        self._files_each = files_each
        self.each: tuple[Unit, ...] = tuple(sorted(units, key=lambda unit: (unit.name, unit.at)))
        self._activation = activation
        self._commands: dict[tuple[int, str], tuple[Command | Refused, ...]] = {}
        self._names: dict[str, Unit] = {}
        for unit in self.each:
            self._names.setdefault(unit.name, unit)
        for unit in self.each:
            for name in unit.names:
                self._names.setdefault(name, unit)

    def get(self, name: str) -> Unit | None:
        """A unit by its name or any alias; None where nothing in the tree makes it. The first by path where several have the name."""
        return self._names.get(name)

    def expand(self, text: str, unit: Unit) -> str:
        """A setting's text with its specifiers put in (systemd.unit(5)); U+FFFD stands for what the files do not tell."""
        return expand(text, unit.name, self.machine, unit.files[0] if unit.files else "")

    def open_files(self, unit: Unit) -> OpenFiles | None:
        """How many files the processes of a service may open as systemd starts them; None where its manager's limits are not known."""
        return None if self._files_each is None else of_unit(unit, self._files_each)

    @cached_property
    def _after(self) -> dict[str, set[str]]:
        return order.direct(self.each, self._primary, self._pulls, self.expand)

    def commands(self, setting: Setting, unit: Unit) -> tuple[Command | Refused, ...]:
        """The commands of one ExecStart= assignment, or one like it, of a unit."""
        key = id(setting), unit.name  # the units keep their settings
        if key not in self._commands:
            self._commands[key] = commands(setting, lambda text: self.expand(text, unit))
        return self._commands[key]

    @cached_property
    def handing(self) -> frozenset[str]:
        """The .socket units that hand over the sockets they listen on."""
        return frozenset(name for sockets in self.activating.values() for name in sockets)

    @cached_property
    def activating(self) -> dict[str, list[str]]:
        """The .socket units that hand their sockets to a service of this name, by name.

        A socket unit with Accept=yes hands over connections, not what it listens on; one that nobody starts hands over nothing.
        """
        found: dict[str, list[str]] = {}
        for unit in self.each:
            if unit.kind == "socket" and unit.state == "loaded" and unit.starts not in ("manual", "never"):
                accept, service = unit.value("Socket", "Accept"), unit.value("Socket", "Service")
                if accept is None or accept.value.lower() not in YES:
                    activates = self.expand(service.value, unit) if service else f"{unit.name.removesuffix('.socket')}.service"
                    found.setdefault(activates, []).append(unit.name)
        return found

    def _primary(self, name: str) -> str:
        unit = self._names.get(name)
        return name if unit is None else unit.name

    def _pulls(self, unit: Unit) -> Iterable[Pull]:
        return () if self._activation is None else self._activation.pulls(unit)

    def after(self, name: str) -> frozenset[str]:
        """The units this one is ordered after, one step only, implicit orderings included."""
        return frozenset(self._after.get(self._primary(name), ()))

    @cached_property
    def _order(self) -> order.StartOrder:
        return order.StartOrder(self._after, self._counts)

    def before(self, name: str) -> AbstractSet[str]:
        """The units started before this one, over any number of steps, implicit orderings included.

        On a host only units that a boot starts count, as an ordering with a unit nobody starts is none. In a repository, where
        nothing says what is started, every unit counts, those named only in After= and Before= too.
        """
        return self._order.before(self._primary(name))

    def circle(self, name: str) -> tuple[str, ...]:
        """The units of a circle of orderings that this one is in, () for most: systemd drops the start of one of them."""
        return () if self._activation is None else self._order.circle(self._primary(name))

    def _counts(self, name: str) -> bool:
        return self._activation is None or ((unit := self.get(name)) is not None and unit.starts == "boot")


def load(files: Files, repository: bool = False, paths: Iterable[str] | None = None, packaged: Packaged | None = None) -> Units:
    """Read every unit of a host, or of a repository, where nothing says what is enabled (`starts` is None there).

    `paths` are the files a repository deploys, by in-tree path; None for all in the tree. `packaged` knows units without their files.
    """
    if repository:
        return _repository(files, paths)
    return _host(files, packaged)


def _repository(files: Files, paths: Iterable[str] | None) -> Units:
    """The units of each place in a repository: a folder of unit files, or a folder laid out like a host."""
    every = tuple(files.tree.walk() if paths is None else paths)
    places: dict[str, dict[str, dict[str, None]]] = {}
    for path in every:
        spot = _spot(path, files)
        if spot is not None:
            directory, entry = spot
            like_a_host = max((each for each in SEARCH_PATH if directory.endswith(each)), key=len, default="")
            root = directory.removesuffix(like_a_host)
            places.setdefault(root, {}).setdefault(directory, {})[entry] = None
    known = Machine()
    found: list[tuple[str, Unit]] = []
    for root, directories in sorted(places.items()):
        order_of = {f"{root}{each}": index for index, each in enumerate(SEARCH_PATH)}
        listing = {directory: directories[directory] for directory in sorted(directories, key=lambda each: order_of.get(each, -1))}
        place = UnitFiles(files, listing, None if paths is None else frozenset(every))
        loader = _Loader(files, place, known)
        for name in (*place.names, *place.dropped_in, *(link.unit for link in place.all_links)):
            loader.find(name)
        found += ((root, unit) for unit in loader.units.values() if unit.files)
    found += (("", unit) for unit in of_quadlets(files))
    return Units((replace(unit, starts=None, why=_IN_A_REPOSITORY[unit.state]) for unit in _joined(found)), known, None, BUILT_IN)


def _spot(path: str, files: Files) -> tuple[str, str] | None:
    """The unit directory and the entry in it that a file of a repository belongs to, None for a file that is no part of a unit."""
    parent, _, base = path.rpartition("/")
    above, _, folder = parent.rpartition("/")
    if any(part in f"{path}/" for part in _OF_USERS):
        return None
    if base.endswith(".conf") and folder.endswith(".d"):
        stem = folder[:-2]
        return (above, folder) if is_unit_name(stem) or stem in TYPES else None
    if not is_unit_name(base):
        return None
    if folder.endswith(tuple(DEPENDENCY_DIRECTORIES)):
        return above, folder
    if files.link(path) is None:
        # D-Bus, Avahi and others have files of the same names.
        source = files.read(path)
        if source is None or (source.text and not any(f"[{section}]" in source.text for section in _SECTIONS)):
            return None
    return parent, base


def _joined(found: list[tuple[str, Unit]]) -> Iterable[Unit]:
    """Gives drop-ins that lie apart from their unit to the one unit of that name nearest to them."""
    loaded: dict[str, list[tuple[str, Unit]]] = {}
    for root, unit in found:
        if unit.state == "loaded":
            loaded.setdefault(unit.name, []).append((root, unit))
    more: dict[Span, list[Unit]] = {}
    for root, unit in found:
        if unit.state != "missing":
            continue
        near = sorted(((-_shared(root, other), there.at) for other, there in loaded.get(unit.name, ())))
        if not near or (len(near) > 1 and near[0][0] == near[1][0]):
            yield unit
        else:
            more.setdefault(near[0][1], []).append(unit)
    for _, unit in found:
        if unit.state != "missing":
            for dropped in more.get(unit.at, ()) if unit.state == "loaded" else ():
                unit = replace(unit, files=unit.files + dropped.files, settings=unit.settings + dropped.settings)
            yield unit


def _shared(one: str, other: str) -> int:
    """How many leading folders two paths share."""
    return commonpath((one or "/", other or "/")).rstrip("/").count("/")


def _untold(document: unit_format.UnitFile) -> Iterable[Unreadable]:
    """What is wrong in a unit file, without the lines of which `ignored_settings` tells more."""
    if not document.troubles:
        return ()
    from portwright.system.systemd.ignored_settings import without_sign

    told = {line.at for line in document.unsigned if without_sign(line)}
    return (trouble for trouble in document.troubles if trouble.at not in told)


def _untaken(setting: Setting) -> str:
    """Why no systemd takes this value, so that what was set before stays; "" where it does."""
    if setting.section == "Socket" and setting.key in _LISTENS and setting.value:
        from portwright.system.systemd.socket_units import untaken

        return untaken(setting)
    if setting.key != "Type" or setting.section != "Service" or setting.value in _SERVICE_TYPES:
        return ""
    return f"Type={setting.value} is no type of a service, so this systemd ignores the line"


class _Loader:
    """Makes units of names, each file parsed once."""

    def __init__(self, files: Files, place: UnitFiles, known: Machine, made: Generated | None = None) -> None:
        self.made = made or Generated({}, {})
        self.files = files
        self.place = place
        self.machine = known
        self.units: dict[str, Unit] = {}
        self._found: dict[str, Unit | None] = {}
        self._fragments: dict[str, str] = {}
        self.release = None if made is None else files.once(systemd_release)
        self._questioned = questioned_settings(self.release) | {"Type", *_LISTENS}
        self._without_prefixes, self._without_types = (each.lacking(self.release) for each in (DROP_INS_OF_PREFIXES, DROP_INS_OF_TYPES))
        self._parsed: dict[str, unit_format.UnitFile | None] = {}
        self._stops: dict[Span, str] = {}
        self._taken: set[str] = set()
        self.named = False
        """Whether all units that files and links name are loaded."""

    def parsed(self, path: str) -> unit_format.UnitFile | None:
        """A unit file by its path, None where it is not there or cannot be read; what is wrong in it is said once."""
        if path not in self._parsed:
            source = self.files.read(path)
            document = None if source is None else unit_format.parse(source)
            for trouble in () if document is None else _untold(document):
                self.files.report_unreadable(trouble.at, trouble.reason)
            if document is not None and len(document.settings) >= _MANY:
                document = self._without_strangers(document)
            if document is not None and source is not None and len(source.text) >= _LONG:
                document = self._without_edges(document)
            if document is not None and path.rpartition("/")[0].endswith(_DROPPED):
                document = self._up_to_stop(document)
            self._parsed[path] = document
        return self._parsed[path]

    def _up_to_stop(self, document: unit_format.UnitFile) -> unit_format.UnitFile:
        """What systemd reads of a drop-in; the line at which it stops is kept, and told with the lines that it passes over."""
        if not any(setting.key.startswith(_MAY_STOP) for setting in document.settings):
            return document
        from portwright.system.systemd.refused_settings import stop_of

        stop = stop_of(document.settings)
        if stop is None:
            return document
        number, reason = stop
        self._stops[document.settings[number].at] = f"{reason}, so systemd reads no further in this drop-in"
        return replace(document, settings=document.settings[: number + 1], unsigned=())

    def _without_edges(self, document: unit_format.UnitFile) -> unit_format.UnitFile:
        """A long unit file without the units it names, where the host has no steps left for them: a thousand may each name all others."""
        naming = [each for each in document.settings if each.key in _NAMING and each.section == "Unit"]
        named = sum(each.value.count(" ") + 1 for each in naming)
        if not naming or self.files.work(named, lambda: naming[0].at, "which units it names"):
            return document
        gone = {id(each) for each in naming}
        return replace(document, settings=tuple(each for each in document.settings if id(each) not in gone))

    def _without_strangers(self, document: unit_format.UnitFile) -> unit_format.UnitFile:
        """A long unit file without the settings nobody knows, where the host has no steps left to look for what each was meant to be."""
        from portwright.system.releases.unit_settings import SECTIONS

        strangers = [each for each in document.settings if each.key not in SECTIONS and not each.section.startswith("X-")]
        if not strangers or self.files.work(_COST_OF_A_STRANGER * len(strangers), lambda: strangers[0].at, "what no setting is named"):
            return document
        gone = {id(each) for each in strangers}
        return replace(document, settings=tuple(each for each in document.settings if id(each) not in gone))

    def find(self, name: str) -> Unit | None:
        """The unit of a name, loaded when first asked for; None where no file makes it and nothing is dropped into it."""
        if name not in self._found:
            self._found[name] = self._load(name) if is_unit_name(name) and self._may_load(name) else None
        return self._found[name]

    def _may_load(self, name: str) -> bool:
        """Whether another unit is loaded. An instance that only settings name is spent for: a template may want two of itself."""
        if len(self._found) >= _MOST_UNITS:
            self.files.report_limit(Span.whole("/etc/systemd/system"), _MOST_UNITS, "units")
            return False
        fragment = self.place.fragment(name) if self.named and parts_of(name).template else None
        if fragment is None or fragment.path is None:
            return True
        return self.files.spend(_COST_OF_AN_INSTANCE, Span.whole(self.files.tree.label(fragment.path)), "an instance of it")

    def _load(self, name: str) -> Unit | None:
        fragment = self.place.fragment(name)
        if fragment.path is None and (other := self.made.units.get(name)) is not None:
            return self.units.setdefault(other.name, self._with_dropins(other))
        if fragment.name not in self.units and (made := self._made(fragment.name, fragment.names, fragment.path, fragment.masked)):
            self.units[made.name] = made
            if debug_log.ENABLED:
                debug_log.say("units", "%s: %s, merged from %s", made.name, made.state, ", ".join(made.files) or "nothing")
        return self.units.get(fragment.name)

    def _with_dropins(self, unit: Unit) -> Unit:
        """A unit that a generator makes, with what is dropped into it."""
        files, settings = self._merged(self.place.dropins(unit.names))
        read, unread = self._read(settings, unit.name), self._unread(settings, unit.name)
        return replace(unit, files=(*unit.files, *files), settings=(*unit.settings, *read), unread=unread)

    def _made(self, name: str, names: tuple[str, ...], path: str | None, masked: bool) -> Unit | None:
        made = self._merged_unit(name, names, path, masked)
        if made is None or not (unread := self._unread(made.settings, name)):
            return made
        return replace(made, settings=self._read(made.settings, name), unread=unread)

    def _unread(self, settings: Iterable[Setting], name: str) -> tuple[tuple[Setting, str], ...]:
        """The lines that this host's systemd passes over, and why; in a repository nothing tells its release, so none is too new."""
        stops = self._stops
        doubtful = [setting for setting in settings if setting.key in self._questioned or (stops and setting.at in stops)]
        each = [
            (
                setting,
                stops.get(setting.at) or _untaken(setting) or unread_setting(setting.key, setting.value, self.release, setting.section),
            )
            for setting in doubtful
        ]
        found = [(setting, reason) for setting, reason in each if reason]
        if self._without_types:
            found += ((setting, reason) for setting in settings if (reason := self._unread_place(setting.at.path, name)))
        return tuple(found)

    def _unread_place(self, path: str, name: str) -> str:
        """Why this systemd reads no drop-in in the directory of a file, which later ones do; "" where it does."""
        directory = path.rpartition("/")[0].rpartition("/")[2]
        stem = directory.removesuffix(".d")
        if stem in (directory, name, parts_of(name).template):
            return ""
        if stem in TYPES:
            return f"this systemd does not look in {directory}/: {self._without_types}"
        if self._without_prefixes and is_unit_name(stem) and parts_of(stem).prefix.endswith("-"):
            return f"this systemd does not look in {directory}/ for {name}: {self._without_prefixes}"
        return ""

    def _read(self, settings: tuple[Setting, ...], name: str) -> tuple[Setting, ...]:
        unread = {id(setting) for setting, _ in self._unread(settings, name)}
        return tuple(setting for setting in settings if id(setting) not in unread) if unread else settings

    def links(self, unit: Unit) -> tuple[Link, ...]:
        """What a unit's dependency directories pull in, those of generators among them."""
        return (*self.place.links(unit.names), *self.made.links.get(unit.name, ()))

    def _merged_unit(self, name: str, names: tuple[str, ...], path: str | None, masked: bool) -> Unit | None:
        label = self.files.tree.label
        if masked and path is not None:
            return Unit(name, Span.whole(label(path)), (label(path),), (), "masked", names)
        dropins = self.place.dropins(names)
        if path is not None and self.parsed(path) is not None:
            self._fragments[name] = path
            return Unit(name, Span.whole(label(path)), *self._with_made((path, *dropins), names), "loaded", names)
        if (dropins and parts_of(name).suffix in _DROPPED_INTO) or name in STANDARD or self.place.links(names) or name in self.made.links:
            at = Span.whole(label(path or (dropins[0] if dropins else f"/etc/systemd/system/{name}")))
            return Unit(name, at, *self._merged(dropins), "missing", names)
        return None

    def _with_made(self, paths: Sequence[str], names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Setting, ...]]:
        """A fragment and its drop-ins with those that a generator makes, which a file of the same name replaces."""
        made = {each.name: each for name in names for each in self.made.dropins.get(name, ())}
        if not made:
            return self._merged(paths)
        named = {path.rpartition("/")[2]: path for path in paths[1:]}
        files, settings = self._merged(paths[:1])
        for name in sorted({*named, *made}, key=lambda each: each.encode("utf-8", "surrogateescape")):
            more = self._merged((named[name],)) if name in named else ((made[name].made_from,), made[name].settings)
            files, settings = files + more[0], settings + more[1]
        return files, settings

    def _merged(self, paths: Sequence[str]) -> tuple[tuple[str, ...], tuple[Setting, ...]]:
        read = [(path, document) for path in paths if (document := self.parsed(path)) is not None]
        again = {path: len(document.settings) for path, document in read if path in self._taken}
        self._taken.update([path for path, _ in read])
        if again and not self._pays(again):
            read = [(path, document) for path, document in read if path not in again]
        settings = tuple(setting for _, document in read for setting in (*document.settings, *document.unsigned))
        return tuple(self.files.tree.label(path) for path, _ in read), settings

    def _pays(self, again: Mapping[str, int]) -> bool:
        """Whether files' settings are taken once more: a template, or what is dropped into all units of a kind, makes many."""
        first = self.files.tree.label(next(iter(again)))
        what = "it has" if len(again) == 1 else f"it and {len(again) - 1:,} files more have"
        return self.files.work(_COST_OF_A_SETTING * sum(again.values()), lambda: Span.whole(first), f"what {what} for one more unit")

    def expand(self, text: str, unit: Unit) -> str:
        """A setting's text with its specifiers put in."""
        return expand(text, unit.name, self.machine, unit.files[0] if unit.files else "")

    def broken(self, unit: Unit) -> str | None:
        """Why systemd gives up reading a unit's fragment, None where it reads it to its end."""
        document = self.parsed(self._fragments[unit.name]) if unit.name in self._fragments else None
        if document is None or document.stopped is None:
            return None
        return f"systemd does not load {unit.name}: {document.stopped.reason} ({document.stopped.at})"


def _host(files: Files, packaged: Packaged | None) -> Units:
    place = on_host(files)
    made = generated(files, (*place.names, *(link.unit for link in place.all_links)))
    if packaged is not None:
        dangling = [link for link in place.all_links if files.kind(link.path) == "missing"]
        made.units.update((unit.name, unit) for unit in (of_known_packages(files, dangling, packaged) if dangling else ()))
    loader = _Loader(files, place, machine(files), made)
    found = _started(loader, (*place.names, *place.dropped_in, *(link.unit for link in place.all_links), *made.units), files)
    _report_dangling(place, found, files)
    return found


def _report_dangling(place: UnitFiles, found: Units, files: Files) -> None:
    """A link that enables a service, a socket or a timer whose file is not there: the copy has no /usr, or the package was removed."""
    for link in place.all_links:
        unit = found.get(link.unit)
        target = files.link(link.path) if link.unit.endswith((".service", ".socket", ".timer", ".path", ".mount")) else None
        known = unit is not None and is_of_known_package(unit)
        if target is not None and (unit is None or unit.state == "missing" or known) and files.kind(link.path) == "missing":
            at = Span.whole(files.tree.label(link.path))
            result = "it is taken to start what its package starts" if known else "what it starts is unknown"
            files.report_unreadable(at, f"{link.unit} is enabled by a link to {target}, which is not there: {result}")


def of_user(files: Files, user: Account) -> Units:
    """The units of the manager that runs as this user, where one does; `starts` says what that manager starts when it comes up."""
    runtime = f"/run/user/{user.uid}"
    place = on_host(files, (each.format(home=user.home, runtime=runtime) for each in USER_SEARCH_PATH))
    made = of_a_user(files, user.home, user.uid, (*place.names, *(link.unit for link in place.all_links)))
    loader = _Loader(files, place, for_user(machine(files), user.name, user.uid, user.home), made)
    return _started(loader, (*place.names, *place.dropped_in, *(link.unit for link in place.all_links), *made.units), files)


def _started(loader: "_Loader", names: Iterable[str], files: Files) -> Units:
    """Every unit of a manager with what starts it."""
    for name in names:
        loader.find(name)
    loader.named = True
    activation = Activation(loader.find, loader.links, loader.expand, loader.broken, files)
    if loader.machine.of_user:
        reached = activation.at_boot()
    else:
        lingering = [(f"user@{user.uid}.service", f"{user.name} lingers: {at}") for user, at in linger(files)]
        reached = activation.at_boot(_on_the_bus(files), lingering)
    for unit in tuple(loader.units.values()):
        start = activation.start(unit, reached)
        loader.units[unit.name] = unit.with_start(start.starts, start.why, start.by, start.excluded_by, start.refused, start.doubtful)
    # A user's manager has what user@.service leaves it, and pam_limits what is in limits.conf.
    each = None if loader.machine.of_user else of_manager(files)
    return Units((unit for unit in loader.units.values() if unit.files), loader.machine, activation, each)


def linger(files: Files) -> tuple[tuple[Account, Span], ...]:
    """The users whose manager logind starts at boot, with the file that says so (loginctl(1), enable-linger)."""
    found = []
    for entry in files.names(_LINGER):
        # logind escapes what is odd in a name (cescape()); names of accounts seldom are.
        if (known := account(entry, files)) is not None and known.uid:
            found.append((known, Span.whole(files.tree.label(f"{_LINGER}/{entry}"))))
    return tuple(found)


def _on_the_bus(files: Files) -> list[tuple[str, str]]:
    """The units that D-Bus starts when somebody calls a name of theirs: SystemdService= of the system services."""
    found: list[tuple[str, str]] = []
    for directory in _BUS_SERVICES:
        for entry in files.names(directory):
            if not entry.endswith(".service") or (source := files.read(f"{directory}/{entry}")) is None:
                continue
            for setting in unit_format.parse(source).settings:
                if setting.key == "SystemdService" and is_unit_name(setting.value):
                    found.append((setting.value, f"D-Bus starts it when it is needed: {setting.at}"))
    return found
