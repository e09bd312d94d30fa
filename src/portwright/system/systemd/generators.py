"""What systemd's generators make of init scripts, rc.local, quadlets and daemons' configs, for a tree without what they made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, field, replace
from portwright.facts import Setting, Unit
from portwright.formats import unit as unit_format
from portwright.numbers import is_digits
from portwright.source import Source, Span, Word
from portwright.system.started import Packaged
from portwright.system.systemd.package_generators import DropIn, of_packages
from portwright.system.systemd.unit_files import OF_PACKAGES, Link, is_unit_name
from portwright.trees import Files

_SCRIPTS = "/etc/init.d"
# sysv-generator.c, rcnd_table: the runlevels that a boot knows.
_RUNLEVELS = {2: "multi-user.target", 3: "multi-user.target", 4: "multi-user.target", 5: "graphical.target"}
# sysv_translate_facility(): facilities of insserv and the targets that stand for them; "" for what is always there.
_FACILITIES = {
    "$local_fs": "",
    "$network": "network-online.target",
    "$named": "nss-lookup.target",
    "$portmap": "rpcbind.target",
    "$remote_fs": "remote-fs.target",
    "$syslog": "",
    "$time": "time-sync.target",
    "$all": "",
}
_LSB = {"Required-Start": "After", "Should-Start": "After", "X-Start-Before": "Before", "Provides": "Provides"}
_BEGIN, _END = "### BEGIN INIT INFO", "### END INIT INFO"
_LONGEST_HEADER = 200

# podman-systemd.unit(5): where quadlets lie, the first directory with a name wins.
_QUADLETS = ("/run/containers/systemd", "/etc/containers/systemd", "/usr/share/containers/systemd")
_IN_HOME = "/.config/containers/systemd"
_QUADLETS_OF_USERS = (
    "/run/user/{uid}/containers/systemd",
    f"{{home}}{_IN_HOME}",
    "/etc/containers/systemd/users/{uid}",
    "/etc/containers/systemd/users",
    "/usr/share/containers/systemd/users/{uid}",
    "/usr/share/containers/systemd/users",
)
_QUADLET_SECTIONS = {"container": "Container", "kube": "Kube", "pod": "Pod"}
_COMMANDS = {"container": ("run",), "kube": ("kube", "play"), "pod": ("pod", "create")}
_QUADLET_WORD = lazy_regex(r"\"[^\"]*\"|'[^']*'|\S+")
_MOST_PUBLISHED = 1000
_DEEPEST = 8


@dataclass(frozen=True)
class Generated:
    """Units that no unit file makes, by each name they have; the links that pull units in, and drop-ins, by the unit that has them."""

    units: dict[str, Unit]
    links: dict[str, list[Link]]
    dropins: dict[str, list[DropIn]] = field(default_factory=dict)


def of_known_packages(files: Files, dangling: Iterable[Link], packaged: Packaged) -> Iterator[Unit]:
    """The units of packages that a link enables and whose files are not in the copy, which has /etc alone: as somebody knows them, or
    as the init script of the same name says."""
    if any(files.kind(directory.rstrip("/")) != "missing" for directory in OF_PACKAGES):
        return
    for link in {each.unit: each for each in dangling}.values():
        at = Span.whole(files.tree.label(link.path))
        settings = packaged(link.unit, files)
        script = f"{_SCRIPTS}/{link.unit.removesuffix('.service')}"
        if settings:
            made = tuple(Setting(at, at, "Service", key, value) for key, value in settings)
        elif link.unit.endswith(".service") and files.kind(script) == "file":
            made = _of_script(link.unit, script, files).settings
        else:
            continue
        yield Unit(link.unit, at, (at.path,), made, "loaded", (link.unit,))


def generated(files: Files, exists: Iterable[str]) -> Generated:
    """What the generators would make on this host; nothing where the tree holds /run/systemd, as what they made is there then.

    `exists` are the names that unit files or links stand for: a native unit keeps its init script from being looked at
    (systemd-sysv-generator(8)).
    """
    found = Generated({}, {})
    if files.kind("/run/systemd") == "directory":
        return found
    native = frozenset(exists)
    _scripts(files, native, found)
    if files.kind("/etc/rc.local") == "file":
        # systemd-rc-local-generator(8); that it is executable, no tree says.
        found.links.setdefault("multi-user.target", []).append(Link("rc-local.service", "wants", "/etc/rc.local"))
        if "rc-local.service" not in native:
            found.units["rc-local.service"] = _of_script("rc-local.service", "/etc/rc.local", files)
    _quadlets(files, native, found)
    for made in of_packages(files, native):
        found.units.update((unit.name, unit) for unit in made.units)
        for name, link in made.links:
            found.links.setdefault(name, []).append(link)
        for name, dropin in made.dropins:
            found.dropins.setdefault(name, []).append(dropin)
    return found


def of_a_user(files: Files, home: str, uid: int, exists: Iterable[str]) -> Generated:
    """What podman's generator makes for the manager of a user, from the user's own quadlets and those for every user (or this one)."""
    found = Generated({}, {})
    if files.kind(f"/run/user/{uid}/systemd/generator") != "directory":
        _quadlets(files, frozenset(exists), found, [each.format(home=home, uid=uid) for each in _QUADLETS_OF_USERS])
    return found


def is_guess(unit: Unit) -> bool:
    """Whether what starts the unit is not sure: it is generated here, from a file whose mode, which decides, no tree tells, or it is a
    package's whose file is not in the copy."""
    known = "/etc/systemd/" in unit.at.path and is_of_known_package(unit)
    return known or unit.name == "rc-local.service" or unit.at.path.startswith((f"{_SCRIPTS}/", "/etc/rc.local", *_QUADLETS))


def is_of_known_package(unit: Unit) -> bool:
    """Whether the unit is one of a package whose file is not in the copy: it stands at the link that enables it."""
    return unit.at.path.rpartition("/")[0].endswith((".wants", ".requires"))


# ── init scripts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _scripts(files: Files, native: frozenset[str], found: Generated) -> None:
    aliases: dict[str, str] = {}
    for entry in files.names(_SCRIPTS):
        name = _service(entry)
        path = f"{_SCRIPTS}/{entry}"
        if name in native or name in found.units or entry.startswith(".") or entry in ("README", "skeleton") or not is_unit_name(name):
            continue
        source = files.read(path) if files.kind(path) == "file" else None
        if source is None or not source.text.startswith("#!"):
            # Not executed by anybody: a library, a file of notes.
            continue
        unit = _of_script(name, path, files)
        for provided, setting in _header(source, files):
            if setting is not None:
                unit = replace(unit, settings=(*unit.settings, setting))
            elif provided != name and provided not in native:
                aliases.setdefault(provided, name)
        found.units[name] = unit
    for alias, name in aliases.items():
        if alias not in found.units:
            found.units[name] = replace(found.units[name], names=(*found.units[name].names, alias))
    for unit in tuple(found.units.values()):
        found.units.update(dict.fromkeys(unit.names, unit))
    _enabled(files, found)


def _enabled(files: Files, found: Generated) -> None:
    """rcN.d: a link S01name starts it in that runlevel, whatever it leads to (set_dependencies_from_rcnd())."""
    for level, target in _RUNLEVELS.items():
        directory = f"/etc/rc{level}.d"
        for entry in files.names(directory):
            name = _service(entry[3:])
            if entry[:1] == "S" and is_digits(entry[1:3]) and name in found.units:
                links = found.links.setdefault(target, [])
                if all(link.unit != name for link in links[-1000:]):
                    links.append(Link(name, "wants", f"{directory}/{entry}"))


def _service(entry: str) -> str:
    return f"{entry.removesuffix('.sh')}.service"


def _of_script(name: str, path: str, files: Files) -> Unit:
    at = Span.whole(files.tree.label(path))
    settings = (("Unit", "SourcePath", path), ("Service", "Type", "forking"), ("Service", "ExecStart", f"{path} start"))
    return Unit(name, at, (at.path,), tuple(Setting(at, at, section, key, value) for section, key, value in settings), "loaded", (name,))


def _header(source: Source, files: Files) -> Iterator[tuple[str, Setting | None]]:
    """The LSB header: (name provided, None) or ("", ordering) for each word that says something (load_sysv(), sysv-generator.c)."""
    start = source.text.find(_BEGIN)
    end = source.text.find(_END, start)
    if start < 0 or end < 0:
        return
    if source.text.count("\n", start, end) > _LONGEST_HEADER or end - start > _LONGEST_HEADER * 200:
        files.report_limit(source.span(start, start), _LONGEST_HEADER, "lines in the header of an init script")
        return
    position = start
    for line in source.text[start:end].split("\n"):
        key, colon, words = line.removeprefix("#").strip().partition(":")
        if colon and key in _LSB:
            at = position + len(line) - len(words) if words else position
            for word in words.split():
                offset = source.text.find(word, at)
                span = source.span(offset, offset + len(word))
                at = offset + len(word)
                named = _facility(word)
                if named and key != "Provides":
                    yield "", Setting(span, span, "Unit", _LSB[key], named)
                elif named and named.endswith(".service"):
                    yield named, None
        position += len(line) + 1


def _facility(word: str) -> str:
    if word in _FACILITIES:
        return _FACILITIES[word]
    name = f"{word[1:]}.target" if word.startswith("$") else _service(word.removeprefix("+"))
    return name if is_unit_name(name) else ""


# ── quadlets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_quadlets(files: Files) -> Iterable[Unit]:
    """What podman's generator makes of the quadlets of a repository: for the whole system, or for the user in whose home they lie."""
    found = Generated({}, {})
    _quadlets(files, frozenset(), found)
    units = [*found.units.values()]
    for user in files.names("/home"):
        own = Generated({}, {})
        _quadlets(files, frozenset(found.units), own, (f"/home/{user}{_IN_HOME}",))
        for each in own.units.values():
            units.append(replace(each, settings=(*each.settings, Setting(each.at, each.at, "Service", "User", user))))
    return units


def _quadlets(files: Files, native: frozenset[str], found: Generated, directories: Sequence[str] = _QUADLETS) -> None:
    seen: set[str] = set()
    searched = [each for directory in directories for each in _with_folders(directory, files)]
    dropins: dict[str, list[str]] = {}
    for directory in searched:
        for folder in files.names(directory):
            if folder.endswith(".d"):
                dropins.setdefault(folder, []).append(f"{directory}/{folder}")
    pods: dict[str, str] = {}  # the service of each .pod
    members: list[tuple[str, str, Setting, bool]] = []  # service, .pod, the line, whether the pod starts it
    for directory in searched:
        for entry in files.names(directory):
            stem, _, kind = entry.rpartition(".")
            path = f"{directory}/{entry}"
            if kind not in _QUADLET_SECTIONS or not stem or entry in seen or files.kind(path) != "file":
                continue
            seen.add(entry)
            source = files.read(path)
            name = f"{stem}-pod.service" if kind == "pod" else f"{stem}.service"
            if source is None or not is_unit_name(name) or name in native:
                continue
            sources = [source, *_dropped_in(entry, stem, kind, dropins, files)]
            lines = [line for each in sources for line in _quadlet_lines(each, files)]
            section = _QUADLET_SECTIONS[kind]
            own = _in_force(setting for setting in lines if setting.section == section)
            rest = tuple(setting for setting in lines if setting.section != section)
            at = Span.whole(source.path)
            if (named := _last(own, "ServiceName")) is not None and is_unit_name(f"{named.value}.service"):
                name = f"{named.value}.service"
            instance = _last(rest, "DefaultInstance")
            if stem.endswith("@") and instance is not None and is_unit_name(f"{stem}{instance.value}.service"):
                # podman-systemd.unit(5): what [Install] of a template asks for is this instance.
                name = f"{stem}{instance.value}.service"
            settings = (*rest, _command(own, kind, at, directory, files), Setting(at, at, "Service", "Type", "notify"))
            found.units[name] = Unit(name, at, tuple(each.path for each in sources), settings, "loaded", (name,))
            if kind == "pod":
                pods[entry] = name
            elif kind == "container" and (pod := _last(own, "Pod")) is not None:
                members.append((name, pod.value, pod, not _is_no(_last(own, "StartWithPod"))))
            for key, verb in (("WantedBy", "wants"), ("RequiredBy", "requires")):
                for setting in rest:
                    if setting.section == "Install" and setting.key == key:
                        for target in setting.value.split():
                            found.links.setdefault(target, []).append(Link(name, verb, path))
    for name, added in _joined(members, pods).items():
        found.units[name] = replace(found.units[name], settings=(*found.units[name].settings, *added))


def _joined(members: Iterable[tuple[str, str, Setting, bool]], pods: Mapping[str, str]) -> dict[str, list[Setting]]:
    """The lines that Pod= adds, by service: a container is bound to its pod's service, which wants it unless StartWithPod=no."""
    lines: dict[str, list[Setting]] = {}
    for service, entry, line, with_pod in members:
        if (pod := pods.get(entry)) is not None:
            lines.setdefault(service, []).extend(Setting(line.at, line.key_at, "Unit", key, pod) for key in ("BindsTo", "After"))
            if with_pod:
                lines.setdefault(pod, []).append(Setting(line.at, line.key_at, "Unit", "Wants", service))
    return lines


def _with_folders(directory: str, files: Files, depth: int = 0) -> Iterator[str]:
    """A directory of quadlets and the folders below, in which podman looks, too; those of users are not the system's."""
    if depth > _DEEPEST:
        files.report_limit(Span.whole(files.tree.label(directory)), _DEEPEST, "folders of quadlets below each other")
        return
    yield directory
    for name in files.names(directory):
        path = f"{directory}/{name}"
        of_a_user = depth == 0 and (path in _QUADLETS_OF_USERS or (directory in _QUADLETS_OF_USERS and is_digits(name)))
        if not name.endswith(".d") and not of_a_user and files.kind(path) == "directory":
            yield from _with_folders(path, files, depth + 1)


def _dropped_in(entry: str, stem: str, kind: str, dropins: Mapping[str, Sequence[str]], files: Files) -> list[Source]:
    """The drop-ins of a quadlet, by their names, each name once: container.d, foo-.container.d, foo-bar.container.d."""
    parts = stem.split("-")
    folders = [f"{entry}.d", *(f"{'-'.join(parts[:end])}-.{kind}.d" for end in range(len(parts) - 1, 0, -1)), f"{kind}.d"]
    if "@" in stem and not stem.endswith("@"):
        folders.insert(1, f"{stem.partition('@')[0]}@.{kind}.d")
    chosen: dict[str, str] = {}
    for folder in folders:
        for path in dropins.get(folder, ()):
            for name in files.names(path):
                if name.endswith(".conf"):
                    chosen.setdefault(name, f"{path}/{name}")
    found = (files.read(path) for _, path in sorted(chosen.items()) if files.kind(path) == "file")
    return [source for source in found if source is not None]


def _quadlet_lines(source: Source, files: Files) -> Iterable[Setting]:
    document = unit_format.parse(source)
    for trouble in document.troubles:
        files.report_unreadable(trouble.at, trouble.reason.replace("systemd ", "quadlet "))
    return document.settings


def _in_force(settings: Iterable[Setting]) -> list[Setting]:
    """The lines of a quadlet's own section: an empty one takes back those of its key before it."""
    kept = tuple(settings)
    emptied = {setting.key: number for number, setting in enumerate(kept) if not setting.value}
    return [setting for number, setting in enumerate(kept) if number > emptied.get(setting.key, -1)]


def _is_no(setting: Setting | None) -> bool:
    return setting is not None and setting.value.lower() in unit_format.NO


def _last(settings: Iterable[Setting], key: str) -> Setting | None:
    found = None
    for setting in settings:
        if setting.key == key:
            found = setting
    return found


def _command(own: list[Setting], kind: str, at: Span, directory: str, files: Files) -> Setting:
    """The ExecStart= that podman's generator writes, as far as ports go; each word stands where the quadlet has it."""
    words = [Word("/usr/bin/podman", at), *(Word(word, at) for word in _COMMANDS[kind])]
    for setting in own:
        if setting.key == "Network" and (named := setting.value.partition(".network")[0].split()):
            words += (Word("--network", setting.key_at), Word(named[0], setting.at))
        elif setting.key == "PublishPort":
            published = [Word(word, setting.at) for word in setting.value.split()]
            for word in files.limited(published, max(0, _MOST_PUBLISHED - len(words) // 2), "published ports", lambda word: word.at):
                words += (Word("--publish", setting.key_at), word)
        elif setting.key == "Sysctl":
            for each in _QUADLET_WORD.findall(setting.value)[:_MOST_PUBLISHED]:
                words += (Word("--sysctl", setting.key_at), Word(each, setting.at))
        elif setting.key == "PodmanArgs":
            words.append(Word(setting.value, setting.at))
    image = _last(own, "Yaml" if kind == "kube" else "Image")
    if image is None:
        words.append(Word("image", at))
    else:
        # podman-systemd.unit(5), Yaml=: relative to the quadlet.
        beside = kind == "kube" and not image.value.startswith("/")
        words.append(Word(f"{directory}/{image.value}" if beside else image.value, image.at))
    value = ""
    breaks: list[tuple[int, int, int]] = []
    for each in words:
        value += " " if value else ""
        breaks.append((len(value), each.at.line, each.at.column))
        value += each.text
    return Setting(at, at, "Service", "ExecStart", value, tuple(breaks))
