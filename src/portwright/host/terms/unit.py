"""What rules may ask of a unit: its capabilities, the lines that systemd does not read, and what its Exec lines do to ports."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from portwright.facts import NET_BIND_SERVICE, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.join.nature import NOT_LOADED
from portwright.host.join.privilege import effective_capabilities, gains_nothing
from portwright.host.terms.host import low_ports
from portwright.host.terms.kernel_settings import PORT_SETTINGS
from portwright.host.terms.registry import Derived, fact_value

if TYPE_CHECKING:
    from portwright.system.systemd.exec_calls import ExecCall
    from portwright.system.systemd.ignored_settings import Ignored

# What grants a capability and what is told to the program: where only packages set these, the unit is as its maintainer wants it.
_DECIDE = ("AmbientCapabilities", "CapabilityBoundingSet", "User", "ExecStart", "Environment", "EnvironmentFile")


@fact_value("unit", "excluded-capabilities")
def excluded_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The capabilities that AmbientCapabilities= requests and CapabilityBoundingSet= excludes: systemd drops them silently."""
    found = host.privileges.get(unit.name)
    if found is None or found.uid0 or found.bounding is None:
        return Derived(None)
    evidence = [Note(f"AmbientCapabilities={s.value}", s.at) for s in unit.each("Service", "AmbientCapabilities")]
    evidence += [Note(f"CapabilityBoundingSet={s.value}", s.at) for s in unit.each("Service", "CapabilityBoundingSet")]
    return Derived(found.ambient - found.bounding, tuple(evidence))


@fact_value("unit", "inverted-capabilities")
def inverted_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The capabilities a non-root unit has because AmbientCapabilities= starts with `~`: all except those listed."""
    found = host.privileges.get(unit.name)
    lines = unit.each("Service", "AmbientCapabilities")
    if found is None or found.uid0 or not lines or not lines[0].value.startswith("~"):
        return Derived(None)
    held = found.ambient if found.bounding is None else found.ambient & found.bounding
    return Derived(held, (Note(f"AmbientCapabilities={lines[0].value}", lines[0].at),))


@fact_value("unit", "void-file-capabilities")
def void_file_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The file capabilities of its program that it never gets, because its unit disables gaining privileges by executing a file.

    Where it cannot bind a port for the lack of one, that is told of the port. CAP_NET_BIND_SERVICE is no loss to a service whose
    ports are known and need none.
    """
    found = host.privileges.get(unit.name)
    if found is None or found.uid0 or not found.no_new_privileges or found.fails or found.private_users:
        return Derived(None)
    opened = host.listeners_of(unit.name)
    overridden = found.file_permitted - (effective_capabilities(found) or frozenset()) - ({NET_BIND_SERVICE} if opened else set())
    if not overridden or any(listener.error == "EACCES" for listener in opened):
        return Derived(None)
    name, at = gains_nothing(found)
    return Derived(
        overridden, (Note(f"{name} is set here", at), Note(f"the file of its program has {', '.join(sorted(found.file_permitted))}"))
    )


@fact_value("unit", "what-switches-them-off")
def what_switches_them_off(host: Host, unit: Unit) -> Derived[str | None]:
    """The setting that prevents its program from gaining privileges by executing a file: NoNewPrivileges= or what implies it."""
    found = host.privileges.get(unit.name)
    return Derived(None if found is None or not found.no_new_privileges else gains_nothing(found)[0])


@fact_value("unit", "barred-capabilities")
def barred_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The file capabilities of its program that its bounding set excludes, so that the kernel refuses to execute it."""
    found = host.privileges.get(unit.name)
    if found is None or found.fails != "203/EXEC" or found.bounding is None or found.hindered is not None or found.misread:
        return Derived(None)
    from portwright.system.systemd.privileges import narrows

    barred = found.file_permitted - found.bounding
    lines = [Note(text, at) for text, at in found.because if at.path in unit.files and narrows(text, barred)]
    owned = Note(f"the file of its program has {', '.join(sorted(found.file_permitted))}")
    return Derived(barred, (*lines, owned))


@fact_value("unit", "loader-breaking-capabilities")
def loader_breaking_capabilities(host: Host, unit: Unit) -> Derived[frozenset[str] | None]:
    """The capabilities of its program's file for which the loader no longer finds the libraries beside the program."""
    found = host.privileges.get(unit.name)
    if found is None or found.fails != NOT_LOADED:
        return Derived(None)
    return Derived(found.file_permitted | found.file_inheritable, tuple(Note(text, at) for text, at in found.because[-1:]), "likely")


@fact_value("unit", "needless-bind-capability")
def needless_bind_capability(host: Host, unit: Unit) -> Derived[bool]:
    """Whether a non-root unit is given CAP_NET_BIND_SERVICE by name although every port it is known to open needs no privilege."""
    found = host.privileges.get(unit.name)
    low = low_ports(host)
    if found is None or found.uid0 or NET_BIND_SERVICE not in found.ambient or low.value is None:
        return Derived(False)
    opened = host.listeners_of(unit.name)
    if not opened or any(listener.random or listener.ports.overlaps(low.value) for listener in opened):
        return Derived(False)
    lines = [s for s in unit.each("Service", "AmbientCapabilities") if NET_BIND_SERVICE in s.value.upper()]
    from portwright.system.systemd.unit_files import OF_PACKAGES

    decided = (setting.at.path for key in _DECIDE for setting in unit.each("Service", key))
    if not host.repository and all(path.startswith(OF_PACKAGES) for path in decided):
        return Derived(False)  # a package grants it for whatever port it may be given; nobody here wrote that line
    evidence = tuple(Note(f"AmbientCapabilities={s.value}", s.at) for s in lines)
    ports = tuple(Note(f"it listens on {listener.ports}", listener.at) for listener in opened[:4])
    # What a program opens beyond the files that were read is not known.
    return Derived(bool(evidence), (*evidence, *ports, *low.evidence), "likely")


@fact_value("unit", "excluded-by")
def excluded_by(host: Host, unit: Unit) -> Derived[str | None]:
    """The unit that a boot starts instead of this one, though both are enabled: one of them has the other in Conflicts=."""
    return Derived(None if unit.excluded_by is None else unit.excluded_by.value)


@fact_value("unit", "sockets-lost-to-conflict")
def sockets_lost_to_conflict(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The sockets that an enabled unit never opens, as a boot starts another unit that conflicts with it."""
    if unit.excluded_by is None:
        return Derived(())
    opened = [each for each in host.listeners if each.unit == unit.name]
    said = {f"{each.protocol} {each.ports if each.ports else 'a random port'}": Note("it would listen here", each.at) for each in opened}
    return Derived(tuple(said), (Note("this line excludes one of the two", unit.excluded_by.at), *said.values()))


@fact_value("unit", "ignored-lines")
def ignored_lines(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The lines about ports or privileges that systemd does not read: misspelt, or in the wrong section."""
    found = lines_about_ports(host, unit)
    return Derived(tuple(each.reason for each in found), tuple(Note(_ignored_note(unit, each), each.setting.key_at) for each in found))


@fact_value("unit", "ignored-line")
def ignored_line(host: Host, unit: Unit) -> Derived[str | None]:
    """The first line of a unit about ports or privileges that systemd does not read, and why."""
    found = lines_about_ports(host, unit)
    if not found:
        return Derived(None)
    return Derived(_first_of(found))


@fact_value("unit", "lines-without-effect")
def lines_without_effect(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The other lines that somebody wrote for systemd and that it does not read; files of packages are for many releases of it."""
    found = lines_about_others(host, unit)
    return Derived(tuple(each.reason for each in found), tuple(Note(_ignored_note(unit, each), each.setting.key_at) for each in found))


@fact_value("unit", "line-without-effect")
def line_without_effect(host: Host, unit: Unit) -> Derived[str | None]:
    """The first of the other lines of a unit that systemd does not read, and why."""
    found = lines_about_others(host, unit)
    return Derived(_first_of(found) if found else None)


@fact_value("unit", "outliving-workers")
def outliving_workers(host: Host, unit: Unit) -> Derived[str | None]:
    """The daemon of a service whose workers hold its sockets and are left running when its main process ends."""
    mode = unit.value("Service", "KillMode") if unit.kind == "service" else None
    # systemd-sysv-generator(8) writes KillMode=process for every init script, whose own stop ends what it started.
    if mode is None or mode.value not in ("process", "none") or mode.at.path.startswith("/run/systemd/generator"):
        return Derived(None)
    held = [listener for listener in host.listeners_of(unit.name) if listener.traits.workers_hold and listener.ports]
    if not held:
        return Derived(None)
    notes = [Note(f"KillMode={mode.value} leaves every process but the main one alone", mode.at)]
    notes += [Note(f"each worker of {each.app} keeps {each.protocol} {each.ports} open", each.at) for each in held[:4]]
    if (again := unit.value("Service", "Restart")) is not None:
        notes.append(Note("systemd starts it again", again.at))
    # Whether it is ever killed, or crashes, no file says.
    return Derived(held[0].app, tuple(notes), "likely")


@fact_value("unit", "port-kills")
def port_kills(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The Exec lines that kill the processes that use a port: `fuser -k 8080/tcp`, `kill $(lsof -t -i:8080)`."""
    calls = _calls(unit, "fuser", "lsof")
    killing = {call.line.at for call in calls if call.program == "kill" or (call.program == "xargs" and "kill" in call.words)}
    return _lines(call for call in calls if _is_killing_fuser(call) or (call.line.at in killing and _asks_lsof(call)))


@fact_value("unit", "port-settings-written")
def port_settings_written(host: Host, unit: Unit) -> Derived[tuple[str, ...]]:
    """The kernel settings about ports that the Exec lines of a unit set with sysctl(8)."""
    found: dict[str, Note] = {}
    for call in _calls(unit, "sysctl"):
        for word in call.words[1:] if call.program == "sysctl" else ():
            key = word.partition("=")[0].replace("/", ".")
            if "=" in word and key in PORT_SETTINGS:
                found.setdefault(key, Note(f"{call.line.key}= sets {key} here", call.at))
    return Derived(tuple(found), tuple(found.values()))


def _calls(unit: Unit, *names: str) -> tuple["ExecCall", ...]:
    """The commands of the Exec lines that hold one of these names; few units do, and for the others no shell is read."""
    if not any(unit.says(name) for name in names):
        return ()
    from portwright.system.systemd.exec_calls import exec_calls

    return exec_calls(unit, *names)


def _lines(calls: Iterable["ExecCall"]) -> Derived[tuple[str, ...]]:
    found = {call.line.at: Note(f"{call.line.key}={call.line.value}", call.at) for call in calls}
    return Derived(tuple(note.text for note in found.values()), tuple(found.values()))


def _is_killing_fuser(call: "ExecCall") -> bool:
    """Signals are named in capitals, so a small k among the options is -k; a port has its protocol behind it or before all (-n)."""
    options = [word for word in call.words[1:] if word.startswith("-")]
    kills = any(word == "--kill" or (not word.startswith("--") and "k" in word) for word in options)
    a_port = any(word in ("tcp", "udp") or word.endswith(("/tcp", "/udp")) for word in call.words[1:])
    return call.program == "fuser" and kills and a_port


def _asks_lsof(call: "ExecCall") -> bool:
    """Whether it lists processes by port, connected ones too, not only listeners (-sTCP:LISTEN); in `$( )`, too, which is one word."""
    text = " ".join(call.words)
    by_port = "lsof" in text and ("-i" in text or "-ti" in text)
    return by_port and (call.program == "lsof" or "$(" in text or "`" in text) and "LISTEN" not in text


def _all_ignored(host: Host) -> "dict[int, tuple[Ignored, ...]]":
    """What systemd does not read of the services and sockets that have such lines, by the id of the unit, which the host keeps."""
    from portwright.system.systemd.ignored_settings import ignored

    found = ((unit, tuple(ignored(unit))) for unit in host.units if unit.kind in ("service", "socket"))
    return {id(unit): lines for unit, lines in found if lines}


def lines_about_ports(host: Host, unit: Unit) -> "tuple[Ignored, ...]":
    """The lines about ports or privileges that systemd does not read."""
    return tuple(each for each in host.once(_all_ignored).get(id(unit), ()) if each.matters)


def lines_about_others(host: Host, unit: Unit) -> "tuple[Ignored, ...]":
    """The other lines that systemd does not read, without those of a host's packages."""
    found = (each for each in host.once(_all_ignored).get(id(unit), ()) if not each.matters)
    return tuple(each for each in found if host.repository or each.setting.at.path.startswith("/etc/"))


def _first_of(found: "Sequence[Ignored]") -> str:
    more = len(found) - 1
    return found[0].reason + (f", and {more} more line{'s' if more > 1 else ''}" if more else "")


def _ignored_note(unit: Unit, line: "Ignored") -> str:
    written = f"{line.setting.key}={line.setting.value}" if line.setting.key_at != line.setting.at else line.setting.key
    if line.key == "User" and unit.kind == "service" and unit.value("Service", "User") is None:
        return f"{written} is not read, so the service runs as root"
    return f"{written} is not read"


@fact_value("unit", "settings-that-open")
def settings_that_open(host: Host, unit: Unit) -> Derived[tuple[str, ...] | None]:
    """The lines that would permit it to open its sockets; unknown where a port is forbidden, which somebody named."""
    shut = [each for each in host.listeners_of(unit.name) if each.can_bind is False]
    if not shut or not all(each.because.startswith((_FAMILY, _CALLS)) for each in shut):
        return Derived(None)
    by_family = [each for each in shut if each.because.startswith(_FAMILY)]
    # One that lists the interfaces is asked for AF_NETLINK once it has the others.
    families = ["AF_INET", "AF_INET6"] if not all(each.because.startswith(f"{_FAMILY}AF_NETLINK") for each in by_family) else []
    families += ["AF_NETLINK"] if any(each.traits.lists_interfaces for each in by_family) else []
    lines = [f"RestrictAddressFamilies={' '.join(families)}"] if families else []
    return Derived((*lines, *([f"{_CALLS}@network-io"] if len(by_family) < len(shut) else ())))


_FAMILY, _CALLS = "RestrictAddressFamilies= excludes ", "SystemCallFilter="
