"""Units of systemd: one owned drop-in for each unit and concern, or lines of its own put right; a restart only where it is allowed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.changes.kind import OWNED, Disruption, Host, Safety, Step
from portwright.source import Rewrite

CAPABILITIES = "zz-portwright-capabilities.conf"
"""The drop-in for a unit's capabilities that portwright owns; its name sorts after what `systemctl edit` writes."""

# systemd.unit(5): the characters of a unit's name, 255 at most; a path is made of it.
_UNIT = lazy_regex(r"[A-Za-z0-9_:@][A-Za-z0-9_:@.\\-]{0,246}\.service")


@dataclass(frozen=True, slots=True)
class DropInStep(Step):
    """Write one drop-in of a unit. `lines` are the settings of its [Service] or [Socket] section, `unit_lines` those of [Unit].

    `moves` are the ports that it then listens on instead of others, `look_first` what a person should know before. Where `file` is a
    whole path, it is a file of the unit's operator, in which these `rewrites` are made: in `words`, what that is for.
    """

    unit: str
    lines: tuple[str, ...]
    because: tuple[str, ...]
    safety: Safety = "safe"
    disruption: Disruption = "restart"
    file: str = CAPABILITIES
    unit_lines: tuple[str, ...] = ()
    moves: tuple[tuple[int, int], ...] = ()
    look_first: str = ""
    rewrites: tuple[Rewrite, ...] = ()
    words: str = ""

    tasks = "drop_in"
    about = "units of systemd"
    why = "what a service may do is decided before it starts"
    families = ("conflict", "exhaustion", "privilege", "reuse", "units")
    has_handlers = True

    @property
    def directory(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def section(self) -> str:
        """The section that is named for the kind of the unit."""
        return "Socket" if self.unit.endswith(".socket") else "Service"

    @property
    def path(self) -> str:
        return self.file if self.rewrites else path_of(self.unit, self.file)

    @property
    def order(self) -> tuple[int, str, str]:
        return 1, self.unit, self.file

    @property
    def units(self) -> tuple[str, ...]:
        return (self.unit,)

    @property
    def moved(self) -> Mapping[tuple[str | None, int | None], int]:
        return {(self.unit, old): new for old, new in self.moves}

    def in_words(self) -> str:
        if self.rewrites:
            lines = dict.fromkeys(f"{each.at.path}:{each.at.line}" for each in self.rewrites)
            return f"{self.words} (in {', '.join(lines)})"
        return f"give {self.unit} a drop-in: {', '.join((*self.unit_lines, *self.lines))}"

    @classmethod
    def edits(cls, host: Host, steps: Sequence["DropInStep"]) -> dict[str, str]:
        edits: dict[str, str] = {}
        for step in steps:
            if step.rewrites:
                from portwright.changes.rewritten import rewritten, source_of

                edits[step.path] = rewritten(source_of(host, step.path, host.real_path(step.path)), step.rewrites)
                continue
            sections = _sections(host, step.unit, step.path)
            for section, own in (("Unit", step.unit_lines), (step.section, step.lines)):
                kept = [line for line in sections.pop(section, ()) if line not in own]
                if kept or own:
                    sections[section] = [*kept, *own]
            lines = (line for section, own in sections.items() for line in (f"[{section}]", *own))
            edits[step.path] = "".join(f"{line}\n" for line in (OWNED, *lines))
        return edits

    def rests_on(self, host: Host) -> Iterable[str]:
        unit = host.unit(self.unit)
        if unit is None:
            return ()
        # A file of such a name in /etc would be read instead of the one below /usr, or of the template.
        prefix, at, _ = self.unit.partition("@")
        names = (self.unit, f"{prefix}@.service") if at else (self.unit,)
        return *unit.files, *(f"/etc/systemd/system/{name}" for name in names)

    def folders(self, host: Host) -> Iterable[str]:
        """Those of drop-ins: of each name of the unit, its template and its beginnings, and of all services (systemd.unit(5))."""
        unit = host.unit(self.unit)
        names = (each for name in (self.unit, *(() if unit is None else unit.names)) for each in host.drop_in_names(name))
        return tuple(f"/etc/systemd/system/{name}.d" for name in dict.fromkeys((*names, "service")))

    def caution(self, host: Host) -> str:
        return self.look_first

    @classmethod
    def variables(
        cls, host: Host, steps: Sequence["DropInStep"], edits: Mapping[str, str], before: Mapping[str, bytes | None]
    ) -> dict[str, object]:
        return {
            "portwright_drop_ins": [
                {
                    "unit": step.unit,
                    "directory": step.directory,
                    "directory_is_new": before.get(step.directory) is None,
                    "path": step.path,
                    "candidate": step.path.removeprefix("/etc/systemd/system/"),
                    "content": edits[step.path],
                    "restart": step.disruption == "restart",
                    "sockets": list(sockets(host, step.unit, step.moves)),
                    "with": sorted({each.activates for each in host.listeners_of(step.unit) if each.activates}),
                }
                for step in steps
            ]
        }


STEP = DropInStep


def path_of(unit: str, file: str = CAPABILITIES) -> str:
    """Where a drop-in of a unit lies."""
    return f"/etc/systemd/system/{unit}.d/{file}"


def no_unit(unit: str) -> str:
    """Why no path is made of a unit's name, "" where one may be."""
    return "" if _UNIT.fullmatch(unit) else f"{unit!r} is not a name that systemd allows a service, so it is not used as a path"


def _sections(host: Host, unit: str, path: str) -> dict[str, list[str]]:
    """What the drop-in of a unit holds: an earlier plan's settings, and those that somebody wrote beside them."""
    known = host.unit(unit)
    found: dict[str, list[str]] = {}
    for setting in () if known is None else known.settings:
        if setting.at.path == path:
            found.setdefault(setting.section, []).append(f"{setting.key}={setting.value}")
    return found


def sockets(host: Host, unit: str, moves: Iterable[tuple[int, int]] = ()) -> Iterator[str]:
    """What a unit's own processes listen on once it is up, as tcp:80: EACCES is what a plan mends, and EADDRINUSE where it moves."""
    elsewhere = dict(moves)
    found = {
        f"{each.protocol}:{elsewhere.get(each.port, each.port)}"
        for each in host.listeners_of(unit)
        if each.port is not None
        and each.port == each.end_port
        and each.starts not in ("demand", "never")
        and each.confidence != "possible"
        and (each.can_bind is not False or each.error == "EACCES")
        and not (each.survives_conflict or each.closed_by or each.random)
    }
    yield from () if unit.endswith(".socket") else sorted(found)
