"""What rules may ask of a line that says where to listen and comes to nothing."""

from portwright.facts.listen_line import ListenLine
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value


@fact_value("listen-line", "who")
def who(host: Host, line: ListenLine) -> Derived[str]:
    """The daemon, with the unit where the name does not already say so."""
    unit = line.unit
    return Derived(line.app if unit is None or unit.partition(".")[0] == line.app else f"{line.app} ({unit})")


@fact_value("listen-line", "started")
def started(host: Host, line: ListenLine) -> Derived[bool]:
    """Whether a boot starts its daemon, or something that calls for it later does; in a repository everything counts as started."""
    return Derived(line.starts in ("boot", "demand") or (host.repository and line.starts is None))


@fact_value("listen-line", "bound-instead")
def bound_instead(host: Host, line: ListenLine) -> Derived[tuple[str, ...]]:
    """What the .socket units that hand over their sockets bind, where that is none of the ports of the line."""
    handing = [each for each in host.listeners if each.activates is not None and each.activates == line.unit]
    if not handing:
        return _local_sockets(host, line)
    if any(each.ports.overlaps(line.ports) for each in handing):
        return Derived(())
    notes = tuple(dict.fromkeys(Note(f"{each.unit} binds {each.protocol} port {each.ports} here", each.at) for each in handing))
    return Derived(tuple(dict.fromkeys(f"{each.ports} ({each.unit})" for each in handing)), notes)


def _local_sockets(host: Host, line: ListenLine) -> Derived[tuple[str, ...]]:
    """The sockets in the file system that are handed over where no port is."""
    found: dict[str, Note] = {}
    for unit in host.units:
        service = unit.value("Socket", "Service") if unit.kind == "socket" else None
        named = service.value if service is not None else f"{unit.name.removesuffix('.socket')}.service"
        if unit.kind == "socket" and unit.state == "loaded" and unit.starts == "boot" and named == line.unit:
            for setting in unit.each("Socket", "ListenStream"):
                if setting.value.startswith(("/", "@")):
                    found[f"{setting.value} ({unit.name})"] = Note(f"{unit.name} opens {setting.value} here", setting.at)
    return Derived(tuple(found), tuple(found.values()))
