"""What starts at boot: everything default.target pulls in, what that waits to start on demand, and why each unit does or does not."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from portwright._start.records import dataclass, replace
from portwright.facts import Starts, Unit, Value
from portwright.formats.unit import NO, YES
from portwright.source import Span
from portwright.system.systemd.conditions import undecided, unmet
from portwright.system.systemd.conflicts import dropped
from portwright.system.systemd.specifiers import name as parts_of
from portwright.system.systemd.unit_files import Link
from portwright.trees import Files

# bootup(7): what the targets systemd ships pull in, for trees that hold a host's /etc without its /usr/lib.
STANDARD = {
    "default.target": ("graphical.target",),
    "graphical.target": ("multi-user.target",),
    "multi-user.target": ("basic.target", "getty.target", "remote-fs.target"),
    "basic.target": ("sysinit.target", "sockets.target", "timers.target", "paths.target", "slices.target"),
    "sysinit.target": ("local-fs.target", "swap.target"),
}
_PULLS = {"Wants": "wants", "Requires": "requires", "RequiresOverridable": "requires", "BindsTo": "requires", "Upholds": "upholds"}
_BY_DEFAULT = frozenset(["service", "socket", "timer", "path"])
_FINDABLE = frozenset(["service", "socket", "target", "timer", "path"])
REQUIRING = ("Requires", "BindsTo", "Requisite")
_ENABLED = (".service", ".socket", ".timer")
_OF_SYSTEMD = ("systemd-", "dbus", "getty", "user@", "emergency", "rescue", "console-", "initrd-", "quotaon", "autovt")
NOT_LOADED = "systemd does not load it"
"""How a refusal says that a line of the unit itself is the cause."""
NO_FILE_HERE = "no file here makes"
"""How a refusal says that the copy lacks what is required, where it may lack more than that."""
_OF_ADMIN = ("/etc/systemd/", "/usr/local/lib/systemd/")
_AFTER_BOOT = ("OnBootSec", "OnStartupSec", "OnActiveSec")
_MOST_UNITS = 100_000

Find = Callable[[str], Unit | None]
Expand = Callable[[str, Unit], str]


@dataclass(frozen=True, slots=True)
class Pull:
    """One unit pulls in another: `needs` where it does not start without it; `how` says it for a report."""

    unit: str
    needs: bool
    how: str


@dataclass(frozen=True, slots=True)
class Start:
    """What starts a unit, as facts.Unit says it."""

    starts: Starts
    why: str
    by: tuple[str, ...] = ()
    excluded_by: Value | None = None
    refused: str = ""
    doubtful: bool = False


def dependencies(unit: Unit, key: str, expand: Expand) -> Iterator[tuple[str, Span]]:
    """The units a dependency setting names, with the setting's place; these lists are never reset (systemd.unit(5))."""
    for setting in unit.lines("Unit", key):
        for word in setting.value.replace('"', "").split():
            yield expand(word, unit), setting.at


def takes_defaults(unit: Unit) -> bool:
    """Whether the default dependencies are in place (DefaultDependencies=)."""
    found = unit.value("Unit", "DefaultDependencies")
    return found is None or found.value.lower() not in NO


def bus_name(unit: Unit) -> Value | None:
    """BusName= of a service that is up when it has that name: Type=dbus, which a bus name without a type means (service.c)."""
    stated = unit.value("Service", "Type")
    return unit.value("Service", "BusName") if unit.kind == "service" and (stated is None or stated.value == "dbus") else None


def triggered(unit: Unit, expand: Expand) -> tuple[str, ...]:
    """The unit a socket, timer or path starts: named by Service= or Unit=, else of its own name; for Accept=yes a template."""
    if unit.kind not in ("socket", "timer", "path"):
        return ()
    section, key = ("Socket", "Service") if unit.kind == "socket" else (unit.kind.capitalize(), "Unit")
    named = unit.value(section, key)
    if named is not None:
        return (expand(named.value, unit),)
    if unit.kind == "socket" and (accept := unit.value("Socket", "Accept")) is not None and accept.value.lower() in YES:
        return (f"{parts_of(unit.name).prefix}@.service",)
    return (f"{parts_of(unit.name).stem}.service",)


class Activation:
    """Walks what pulls in what. Asks for units by name as it meets them, so that instances come to be as systemd loads them."""

    def __init__(
        self, find: Find, links: Callable[[Unit], Iterable[Link]], expand: Expand, broken: Callable[[Unit], str | None], files: Files
    ) -> None:
        """`links` gives a unit's dependency links, `broken` why systemd cannot read its fragment to the end."""
        self._find = find
        self._links = links
        self._expand = expand
        self._broken = broken
        self._files = files
        self._refused: dict[str, str | None] = {}
        self._failed: dict[str, tuple[str, Span] | None] = {}
        self._asked_in_vain: set[str] = set()
        self._started_without: set[str] = set()
        self._pulls: dict[str, tuple[Pull, ...]] = {}
        self._whole = self._is_loaded("sysinit.target")

    def _is_loaded(self, name: str) -> bool:
        unit = self._find(name)
        return unit is not None and unit.state == "loaded"

    def pulls(self, unit: Unit) -> tuple[Pull, ...]:
        """Everything a unit pulls in when it starts."""
        if unit.name not in self._pulls:
            self._pulls[unit.name] = tuple(self._each_pull(unit))
        return self._pulls[unit.name]

    def _each_pull(self, unit: Unit) -> list[Pull]:
        found: list[Pull] = []
        for link in self._links(unit):
            found.append(Pull(link.unit, link.verb == "requires", f"{unit.name} {link.verb} it: {self._files.tree.label(link.path)}"))
        for key, verb in _PULLS.items():
            for name, at in dependencies(unit, key, self._expand):
                found.append(Pull(name, verb == "requires", f"{unit.name} {verb} it: {at}"))
        for setting in unit.lines("Service", "Sockets"):
            how = f"{unit.name} takes its sockets: {setting.at}"
            found += (Pull(self._expand(word, unit), False, how) for word in setting.value.split())
        found += self._called(unit)
        if (bus := bus_name(unit)) is not None:
            # A host with such a service has a bus: without its file it is the copy that is not whole.
            socket = self._find("dbus.socket")
            there = socket is not None and socket.state != "missing"
            found.append(Pull("dbus.socket", there, f"{unit.name} has a name on the bus: {bus.at}"))
        if unit.kind in _BY_DEFAULT and takes_defaults(unit):
            found.append(Pull("sysinit.target", True, f"{unit.name} requires it by default"))
        if unit.state == "missing":
            found += (Pull(name, False, f"{unit.name} wants it on every host") for name in STANDARD.get(unit.name, ()))
        return found

    def _called(self, unit: Unit) -> Iterator[Pull]:
        """What a service starts by calling systemctl, and what follows the success of one that ends when its command does."""
        if unit.kind != "service" or unit.state != "loaded" or self._unmet(unit) is not None:
            return
        from portwright.system.systemd.called_units import called_units

        for name, at in called_units(unit, self._files, lambda text: self._expand(text, unit)):
            if name not in unit.names:
                yield Pull(name, False, f"{unit.name} starts it: {at}")
        kind, stays = unit.value("Service", "Type"), unit.value("Service", "RemainAfterExit")
        if kind is not None and kind.value == "oneshot" and (stays is None or stays.value.lower() not in YES):
            for name, at in dependencies(unit, "OnSuccess", self._expand):
                yield Pull(name, False, f"{unit.name} starts it when it has succeeded: {at}")

    def refused(self, name: str) -> str | None:
        """Why systemd puts no job for this unit in the queue: masked, not there, unusable, or one it requires is so."""
        # Depth-first without recursion: a chain of requirements may be as long as its author likes.
        stack: list[tuple[str, list[str]]] = []
        self._open(name, stack)
        while stack:
            current, needs = stack[-1]
            if not needs:
                stack.pop()
            elif needs[-1] not in self._refused:
                self._open(needs[-1], stack)
            elif (because := self._refused[need := needs.pop()]) is not None:
                needed = "it requires a unit that cannot start: "
                self._refused[current] = because if because.startswith(needed) else needed + because
                self._note_start_without(current, need)
                stack.pop()
        return self._refused[name]

    def _note_start_without(self, name: str, need: str) -> None:
        """Note a unit that a boot starts all the same: what stops it is only that it needs another one, and this systemd forgets that."""
        unit = self._find(name)
        if unit is not None and self._forgets_needs:
            bound = {self._primary(other) for other, _ in dependencies(unit, "BindsTo", self._expand)}
            if self._primary(need) not in bound or need in self._started_without:
                self._started_without.add(name)

    def _primary(self, name: str) -> str:
        unit = self._find(name)
        return name if unit is None else unit.name

    @cached_property
    def _forgets_needs(self) -> bool:
        from portwright.system.releases.of_host import systemd
        from portwright.system.releases.since import NO_JOB_WITHOUT_ITS_NEEDS

        return bool(NO_JOB_WITHOUT_ITS_NEEDS.lacking(self._files.once(systemd)))

    def _open(self, name: str, stack: list[tuple[str, list[str]]]) -> None:
        if name in self._refused:
            return
        unit = self._find(name)
        self._refused[name] = self._own_refusal(name, unit)
        if self._refused[name] is None and unit is not None and (missed := self._missed(unit)) is not None:
            self._refused[name] = missed[1]
            self._note_start_without(name, missed[0])
        if self._refused[name] is None and unit is not None:
            required = [other for other, _ in dependencies(unit, "Requisite", self._expand)]
            stack.append((name, [*required, *(pull.unit for pull in reversed(self.pulls(unit)) if pull.needs)]))

    def _missed(self, unit: Unit) -> tuple[str, str] | None:
        """What an administrator's unit requires that no package brings where the copy lacks units, and why the unit does not start."""
        for key in REQUIRING:
            for name, at in dependencies(unit, key, self._expand):
                if self._is_missed(name, at):
                    like = self._under_another_name(name)
                    return name, f"it requires {name}, which {NO_FILE_HERE}{like}"
        return None

    def _under_another_name(self, name: str) -> str:
        """The enabled unit whose name says the same, as a snap's does, as the end of a sentence."""
        stem = parts_of(name).stem
        root = self._find("multi-user.target")
        links = () if root is None else self._links(root)
        found = next((link.unit for link in links if link.unit.startswith("snap.") and stem in link.unit.split(".")), None)
        return "" if found is None else f", but there is {found}"

    @cached_property
    def _nearly_whole(self) -> bool:
        """Whether a copy without all of systemd's own units has those of packages: multi-user.target, and whatever is enabled there."""
        if not self._is_loaded("multi-user.target"):
            return False
        root = self._find("multi-user.target")
        links = () if root is None else self._links(root)
        return all(self._is_loaded(link.unit) or self._is_script(link.unit) for link in links if link.unit.endswith(_ENABLED))

    def _is_script(self, name: str) -> bool:
        return self._files.kind(f"/etc/init.d/{parts_of(name).stem}") == "file"

    def _is_missed(self, name: str, at: Span) -> bool:
        """Whether an administrator's line requires a service that a nearly whole copy does not have: no package brings and enables it."""
        known = parts_of(name)
        if self._whole or not name.endswith(_ENABLED) or known.stem.startswith(_OF_SYSTEMD) or not at.path.startswith("/etc/systemd/"):
            return False
        unit = self._find(name)
        there = (unit is not None and unit.state != "missing") or self._is_script(name)
        return not there and not known.template and self._nearly_whole

    def _own_refusal(self, name: str, unit: Unit | None) -> str | None:
        if unit is not None and unit.state == "masked":
            return f"{name} is masked by {unit.files[0]}"
        if unit is not None and unit.state == "loaded":
            return self._broken(unit) or unusable(unit) or self._refusal_of_setting(unit) or self._refusal_of_service(unit)
        # A tree without systemd's own targets does not hold all units; other types of unit come from elsewhere than files.
        if not self._whole or name.rpartition(".")[2] not in _FINDABLE or self._is_script(name):
            return None
        return f"no unit file for {name} exists"

    def _refusal_of_setting(self, unit: Unit) -> str | None:
        """Why systemd does not load a service of an administrator's: the units of packages were loaded by those who made them."""
        if unit.kind != "service" or not unit.files[0].startswith(_OF_ADMIN):
            return None
        from portwright.system.systemd.refused_settings import refused_setting

        found = refused_setting(unit, lambda text: self._expand(text, unit))
        return None if found is None else f"{NOT_LOADED}: {found[0]} ({found[1]})"

    def _refusal_of_service(self, unit: Unit) -> str | None:
        """socket_start() in src/core/socket.c: without its service being loaded a socket does not start; for Accept=yes nobody looks."""
        if unit.kind != "socket" or parts_of(unit.name).is_template:
            return None
        for name in triggered(unit, self._expand):
            because = None if parts_of(name).is_template else self._own_refusal(name, self._find(name))
            if because is not None:
                return f"the service that gets its socket does not exist: {because}"
        return None

    def at_boot(self, on_request: Iterable[tuple[str, str]] = (), also: Iterable[tuple[str, str]] = ()) -> dict[str, Start]:
        """Every unit that a normal boot starts, and those that wait to be started then, `on_request` (name, why) among them.

        `also` are units that something else than a unit starts at boot, with the reason.
        """
        root = "default.target"
        if self.refused(root) is not None:
            root = "graphical.target" if self.refused("graphical.target") is None else "multi-user.target"
        found = self._reach([(root, "it is the default target"), *also], {}, "boot")
        found |= self._excluded(root, found)
        waiting: list[tuple[str, str]] = []
        for name, start in found.items():
            unit = self._find(name)
            if start.starts == "boot" and unit is not None and self._unmet(unit) is None:
                waiting += ((other, f"{unit.name} starts it when it is needed") for other in triggered(unit, self._expand))
        return {**found, **self._reach([*waiting, *on_request], found, "demand")}

    def _excluded(self, root: str, found: dict[str, Start]) -> dict[str, Start]:
        """The units whose start a boot drops, as another one that it starts conflicts with them."""
        gone = dropped(
            root,
            found,
            self._find,
            lambda unit: ((pull.unit, pull.needs) for pull in self.pulls(unit)),
            lambda unit: dependencies(unit, "Conflicts", self._expand),
        )
        return {name: Start("never", each.because, found[name].by, each.by) for name, each in gone.items()}

    def _reach(self, roots: list[tuple[str, str]], known: dict[str, Start], starts: Starts) -> dict[str, Start]:
        """What is pulled in from `roots`, by primary name, leaving out what is known already."""
        why: dict[str, str] = {}
        by: dict[str, dict[str, None]] = {}
        queue: deque[tuple[str, str, str]] = deque((name, reason, "") for name, reason in roots)
        while queue:
            if len(why) >= _MOST_UNITS:
                self._files.report_limit(Span.whole("/etc/systemd/system"), _MOST_UNITS, "units that are started")
                break
            name, reason, puller = queue.popleft()
            unit = self._find(name)
            if unit is None or unit.name in known:
                continue
            if unit.name in why:
                if puller:
                    by[unit.name][puller] = None
                continue
            if self.refused(unit.name) is not None:
                self._asked_in_vain.add(unit.name)
                if starts != "boot" or unit.name not in self._started_without:
                    continue
            why[unit.name], by[unit.name] = reason, {puller: None} if puller else {}
            queue.extend((pull.unit, pull.how, unit.name) for pull in self.pulls(unit))
            if starts == "boot" and (at := self._goes_off(unit)) is not None and self._unmet(unit) is None:
                queue.extend((other, f"{unit.name} starts it after a boot: {at}", unit.name) for other in triggered(unit, self._expand))
        return {name: Start(starts, reason, tuple(by[name])) for name, reason in why.items()}

    def _goes_off(self, unit: Unit) -> Span | None:
        """The line for which a timer or path unit triggers after each boot, whatever else happens."""
        if unit.kind == "timer":
            return next((value.at for key in _AFTER_BOOT for value in unit.each("Timer", key)), None)
        if unit.kind == "path":
            # systemd.path(5): what is there when the path unit starts triggers at once.
            for value in unit.each("Path", "PathExists"):
                path = self._expand(value.value, unit)
                passing = path.startswith(("/run/", "/tmp/"))  # noqa: S108  compared, never opened
                if not passing and self._files.kind(path) in ("file", "directory"):
                    return value.at
        return None

    def _is_mistake(self, unit: Unit) -> bool:
        """Whether a boot asks for a unit that is refused, and nobody masked it on purpose or made its start depend on a condition."""
        return unit.name in self._asked_in_vain and unit.state == "loaded" and self._unmet(unit) is None

    def _unmet(self, unit: Unit) -> tuple[str, Span] | None:
        if unit.name not in self._failed:
            self._failed[unit.name] = unmet(unit, self._files, lambda text: self._expand(text, unit))
        return self._failed[unit.name]

    def _hangs_on(self, unit: Unit) -> tuple[str, Span] | None:
        return undecided(unit, self._files, lambda text: self._expand(text, unit))

    def start(self, unit: Unit, reached: dict[str, Start]) -> Start:
        """What starts one unit, given what a boot reaches."""
        because = self.refused(unit.name)
        start = reached.get(unit.name)
        if because is not None and start is not None and start.starts == "boot" and self._unmet(unit) is None:
            return replace(start, refused=because if self._is_mistake(unit) else "")
        if because is not None:
            return Start("never", because, refused=because if self._is_mistake(unit) else "")
        by = () if start is None else start.by
        failed = self._unmet(unit)
        if failed is not None:
            asserts = failed[0].startswith("Assert") and start is not None and start.starts == "boot"
            return Start("never", f"{failed[0]} ({failed[1]})", by, refused=failed[0] if asserts else "")
        if start is not None and start.starts in ("boot", "demand") and (hangs := self._hangs_on(unit)) is not None:
            return replace(start, why=f"{start.why}; whether {hangs[0]} holds no file tells ({hangs[1]})", doubtful=True)
        if start is not None:
            return start
        if parts_of(unit.name).is_template:
            return Start("manual", "it is a template: only its instances start")
        if any(setting.section == "Install" for setting in unit.settings):
            return Start("manual", "it is not enabled")
        return Start("manual", "no unit started at boot pulls it in")


def unusable(unit: Unit) -> str | None:
    """Why systemd loads a unit but refuses to start it (service_verify(), socket_verify()), None where it does not."""
    if unit.state != "loaded" or parts_of(unit.name).is_template:
        return None
    if unit.kind == "service":
        commands = unit.each("Service", "ExecStart")
        stated = unit.value("Service", "Type")
        if not commands:
            if stated is not None and stated.value != "oneshot":
                return f"{unit.name} has no ExecStart="
            if not unit.each("Service", "ExecStop") and unit.value("Unit", "SuccessAction") is None:
                return f"{unit.name} has neither ExecStart= nor ExecStop="
        elif len(commands) > 1 and (stated is None or stated.value != "oneshot"):
            return f"{unit.name} has more than one ExecStart= and is not Type=oneshot ({commands[1].at})"
    elif unit.kind == "socket":
        from portwright.system.systemd.socket_units import listens

        if not listens(unit):
            return f"{unit.name} has no Listen setting"
    return None
