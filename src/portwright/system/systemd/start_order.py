"""Start order: which units systemd starts before a given one, from After=, Before= and the orderings it adds itself."""

from collections.abc import Callable, Iterable

from portwright.facts import Unit
from portwright.system.systemd.activation import Expand, Pull, bus_name, dependencies, takes_defaults, triggered

_DEFAULT_AFTER = {
    "service": ("sysinit.target", "basic.target"),
    "socket": ("sysinit.target",),
    "timer": ("sysinit.target",),
    "path": ("sysinit.target",),
}
# What basic.target is ordered after (bootup(7)): a repository has sockets and services, and leaves the target between to systemd.
_BASIC = ("sysinit.target", "sockets.target", "timers.target", "paths.target")
_DEFAULT_BEFORE = {"socket": "sockets.target", "timer": "timers.target", "path": "paths.target"}


def direct(
    units: Iterable[Unit], primary: Callable[[str], str], pulls: Callable[[Unit], Iterable[Pull]], expand: Expand
) -> dict[str, set[str]]:
    """For each unit those it is ordered after, by primary names, one step only.

    systemd.service(5), systemd.socket(5), systemd.target(5), systemd.timer(5), Automatic Dependencies: a socket, timer or path comes
    before what it starts; services come after basic.target; a target comes after what it pulls in, unless that says otherwise.
    """
    after: dict[str, set[str]] = {}
    loaded = {unit.name: unit for unit in units if unit.state == "loaded"}

    def order(earlier: str, later: str) -> None:
        earlier, later = primary(earlier), primary(later)
        if earlier != later:
            after.setdefault(later, set()).add(earlier)

    for unit in loaded.values():
        for name, _ in dependencies(unit, "After", expand):
            order(name, unit.name)
        for name, _ in dependencies(unit, "Before", expand):
            order(unit.name, name)
        for name in triggered(unit, expand):
            order(unit.name, name)
        if takes_defaults(unit):
            for name in _DEFAULT_AFTER.get(unit.kind, ()):
                order(name, unit.name)
            if unit.kind in _DEFAULT_BEFORE:
                order(unit.name, _DEFAULT_BEFORE[unit.kind])
        for setting in unit.lines("Service", "Sockets"):
            for word in setting.value.split():
                order(expand(word, unit), unit.name)
        if bus_name(unit) is not None:
            order("dbus.socket", unit.name)
    if "basic.target" not in loaded:
        for early in _BASIC:
            order(early, "basic.target")
    for unit in loaded.values():
        if unit.kind == "target" and takes_defaults(unit):
            for pull in pulls(unit):
                other = loaded.get(primary(pull.unit))
                # unit_add_default_target_dependency(): never against an order that somebody wrote down.
                if other is not None and takes_defaults(other) and unit.name not in after.get(other.name, ()):
                    order(other.name, unit.name)
    return after


def before(direct: Iterable[str], after: dict[str, set[str]], counts: Callable[[str], bool]) -> frozenset[str]:
    """`direct` and all that come before them, over any number of steps through units that `counts`: one nobody starts orders nothing."""
    found = {name for name in direct if counts(name)}
    todo = list(found)
    while todo:
        for earlier in after.get(todo.pop(), ()):
            if earlier not in found and counts(earlier):
                found.add(earlier)
                todo.append(earlier)
    return frozenset(found)
