"""Start order: which units systemd starts before a given one, from After=, Before= and the orderings it adds itself."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

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


class StartOrder:
    """Which units come before which, over any number of steps through units that `counts`: one nobody starts orders nothing.

    Units that come before one are the bits of a number, so that a chain of thousands is kept in megabytes and found in one walk.
    """

    def __init__(self, after: Mapping[str, Iterable[str]], counts: Callable[[str], bool]) -> None:
        self._after = after
        self._counts = counts
        self._bits: dict[str, int] = {}
        self._names: list[str] = []
        self._before: dict[str, int] = {}

    def before(self, name: str) -> "Earlier":
        """The units before this one."""
        if name not in self._before:
            self._walk(name)
        return Earlier(self._before[name] & ~(1 << self._bits.get(name, len(self._names))), self._bits, self._names)

    def circle(self, name: str) -> tuple[str, ...]:
        """The units of which each is ordered after the other, this one among them, in the order of their names; () for most."""
        self.before(name)
        own = 1 << self._bits.get(name, len(self._names))
        if not self._before[name] & own:
            return ()
        return tuple(sorted(each for each in Earlier(self._before[name], self._bits, self._names) if self._before.get(each, 0) & own))

    def _bit(self, name: str) -> int:
        if name not in self._bits:
            self._bits[name] = len(self._names)
            self._names.append(name)
        return 1 << self._bits[name]

    def _walk(self, root: str) -> None:
        """Find what comes before `root` and all that it leads to: units in a circle are before each other (Tarjan's algorithm)."""
        number: dict[str, int] = {root: 0}
        low: dict[str, int] = {root: 0}
        open_units = [root]
        stack = [(root, iter(self._counted(root)))]
        while stack:
            name, rest = stack[-1]
            for earlier in rest:
                if earlier in self._before:
                    continue
                if earlier not in number:
                    number[earlier] = low[earlier] = len(number)
                    open_units.append(earlier)
                    stack.append((earlier, iter(self._counted(earlier))))
                    break
                low[name] = min(low[name], number[earlier])
            else:
                stack.pop()
                if stack:
                    above = stack[-1][0]
                    low[above] = min(low[above], low[name])
                if low[name] == number[name]:
                    self._close(name, open_units)

    def _close(self, name: str, open_units: list[str]) -> None:
        """Settle a circle, most often of one unit, of which nothing before is unsettled but itself."""
        circle = [open_units.pop()]
        while circle[-1] != name:
            circle.append(open_units.pop())
        found = 0
        for each in circle:
            for earlier in self._counted(each):
                found |= self._bit(earlier) | self._before.get(earlier, 0)
        for each in circle:
            self._before[each] = found

    def _counted(self, name: str) -> list[str]:
        return [earlier for earlier in self._after.get(name, ()) if self._counts(earlier)]


class Earlier(AbstractSet[str]):
    """The units before one."""

    __slots__ = ("_bits", "_mask", "_names")

    def __init__(self, mask: int, bits: Mapping[str, int], names: Sequence[str]) -> None:
        self._mask = mask
        self._bits = bits
        self._names = names

    def __contains__(self, name: object) -> bool:
        bit = self._bits.get(name) if isinstance(name, str) else None
        return bit is not None and bool(self._mask >> bit & 1)

    def __iter__(self) -> Iterator[str]:
        left = self._mask
        while left:
            last = left & -left
            yield self._names[last.bit_length() - 1]
            left ^= last

    def __len__(self) -> int:
        return self._mask.bit_count()

    def __hash__(self) -> int:
        return hash(self._mask)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Earlier) and other._names is self._names:
            return self._mask == other._mask
        return super().__eq__(other)
