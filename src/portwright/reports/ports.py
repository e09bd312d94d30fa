"""A picture of the port space: the zones, the ephemeral range and its holes, who listens where, who collides, how far the ports go."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from portwright._start.records import dataclass
from portwright.facts import Listener
from portwright.host import Host
from portwright.host.capacity import Capacity
from portwright.host.terms.kernel_settings import RANGE, RESERVED
from portwright.reports.escape import cut, safe, width, wrap
from portwright.reports.excerpt import place
from portwright.reports.port_map import standing_in_words
from portwright.reports.scale import Scale
from portwright.reports.shorten import short
from portwright.reports.space import LAST, Collisions, Space, Standing, ZoneName, rows
from portwright.reports.style import Role, Style
from portwright.reports.words import counted, service

_NARROWEST = 40
_WIDEST_BAR = 160
_MARGIN = 5  # left of the bar: the protocol of a row of marks

_Cell = tuple[str, Role | None]
_Cells = tuple[str, str, str, str, str]

_HEAD: _Cells = ("port", "address", "service", "user", "starts")
_ADDRESS, _SERVICE = 1, 2
_GAP = 2  # between the columns of the table
_FEW_ADDRESSES = 24  # columns; more addresses of one service go below each other
_SHORTEST_NAME = 20  # columns that a service's name keeps at least


@dataclass(frozen=True, slots=True)
class _Pen:
    """The characters a picture is drawn with, each of one column."""

    listens: str
    later: str
    lent: str
    fails: str
    along: str
    reserved: str
    zones: dict[ZoneName, str]
    start: str
    border: str
    end: str


_UNICODE = _Pen("●", "○", "▲", "✗", "━", "R", {"privileged": "░", "user": "─", "ephemeral": "▒", "above": "─"}, "├", "┼", "┤")
_ASCII = _Pen("o", ".", "^", "X", "=", "R", {"privileged": ":", "user": "-", "ephemeral": "#", "above": "-"}, "|", "|", "|")

_COLOURS: dict[ZoneName, Role] = {"privileged": "low", "user": "faint", "ephemeral": "medium", "above": "faint"}


def render(
    host: Host,
    collisions: Collisions = (),
    *,
    color: bool,
    width: int,
    unicode: bool = True,
    quiet: bool = False,
    verbose: bool = False,
    files: Mapping[str, str] | None = None,
    machine: str = "",
) -> str:
    """The picture, a table of listeners, the collisions and the capacity, ending in a newline; `width` in columns.

    `collisions` are pairs of listeners that want the same port (host.join.conflict). Listeners that never start are counted only.
    `quiet` leaves out the picture, the range and the capacity; `verbose` cuts no list of ports.
    `files` say where on this `machine` the files lie that the host names: places are links to them.
    """
    style, pen = Style(color, files, machine), _UNICODE if unicode else _ASCII
    drawing = _Drawing(Space(host, collisions), style, max(width, _NARROWEST), pen, verbose)
    return "".join(f"{style.places(line.rstrip())}\n" for line in (drawing.brief() if quiet else drawing.lines()))


class _Drawing:
    def __init__(self, space: Space, style: Style, columns: int, pen: _Pen, verbose: bool) -> None:
        self.space = space
        self.style = style
        self.columns = columns
        self.pen = pen
        self.said: Callable[[str], str] = safe if verbose else short
        self.listeners = [listener for listener in rows(space.host.listeners) if listener.starts != "never"]
        self.never = len(rows(space.host.listeners)) - len(self.listeners)

    def lines(self) -> Iterator[str]:
        yield self._heading()
        yield ""
        yield from self._picture()
        yield ""
        yield from self._table()
        yield ""
        yield from self._collisions()
        yield from self._range()
        yield from self._capacity()
        yield from self._unreadable()

    def _heading(self) -> str:
        host = self.space.host
        machine = host.machine and f", {safe(host.machine)}"
        return self.style("strong", f"the ports of {'the repository' if host.repository else 'the host'} {safe(host.name)}{machine}")

    def brief(self) -> Iterator[str]:
        """Who listens where, and who collides."""
        yield self._heading()
        yield from self._table()
        if self.space.collisions:
            yield ""
            *lines, _ = self._collisions()
            yield from lines
        yield from self._unreadable()

    def _unreadable(self) -> Iterator[str]:
        if self.space.host.unreadable:
            yield ""
            for line in wrap("could not be read, so this picture may be incomplete:", self.columns):
                yield self.style("bad", line)
            for trouble in sorted(self.space.host.unreadable):
                yield from self._hanging("  ", f"{place(trouble.at)}: {safe(trouble.reason)}", 6)

    # ── the bar ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _picture(self) -> Iterator[str]:
        scale = Scale(self.space.zones, min(self.columns, _WIDEST_BAR) - _MARGIN - 1)
        legend: dict[str, tuple[str, Role]] = {}
        for protocol in ("tcp", "udp"):
            drawn = [listener for listener in self.listeners if listener.protocol == protocol and listener.ports]
            drawn = [listener for listener in drawn if not listener.private_network and not listener.random]
            if drawn:
                labels, marks = self._marks(drawn, scale, legend)
                if labels.strip():
                    yield f"{' ' * _MARGIN}{labels}"
                yield f"{protocol:<{_MARGIN}}{self._painted(marks)}"
        yield f"{' ' * _MARGIN}{self._painted(self._bar(scale, legend))}"
        numbers, names = _Row(scale.columns + 1), _Row(scale.columns + 1)
        for zone in self.space.zones:
            numbers.put(scale.column(zone.low), str(zone.low))
            names.put(scale.column(zone.low), zone.name)
        numbers.put(scale.columns + 1 - len(str(LAST)), str(LAST))
        yield f"{' ' * _MARGIN}{numbers}"
        yield f"{' ' * _MARGIN}{names}"
        yield ""
        yield from self._legend(legend)

    def _marks(self, listeners: Sequence[Listener], scale: Scale, legend: dict[str, tuple[str, Role]]) -> tuple[str, list[_Cell]]:
        """A row of marks for one protocol, and above it the port numbers for which there is room, those in trouble first."""
        pen = self.pen
        worth: dict[str, int] = {pen.along: 1, pen.later: 2, pen.listens: 3, pen.lent: 4, pen.fails: 5}
        cells: list[_Cell] = [(" ", None)] * (scale.columns + 1)
        wanted: list[tuple[int, int]] = []
        meanings: dict[str, tuple[str, Role]] = {}
        for listener in listeners:
            mark, role, meaning = self._mark(listener)
            meanings[mark] = (meaning, role)
            first, last = scale.column(listener.ports.low or 0), scale.column(listener.ports.high or 0)
            for column in range(first, last + 1):
                sign = mark if column in (first, last) else pen.along
                if worth.get(sign, 0) > worth.get(cells[column][0], 0):
                    cells[column] = (sign, role)
            wanted.append((-worth[mark], listener.port or 0))
        drawn = {sign for sign, _ in cells}
        legend.update({mark: meaning for mark, meaning in meanings.items() if mark in drawn})
        labels = _Row(scale.columns + 1)
        for _, port in sorted(set(wanted)):
            labels.put(scale.column(port), str(port))
        return str(labels), cells

    def _mark(self, listener: Listener) -> tuple[str, Role, str]:
        standing = self.space.marks(listener)
        if "cannot-bind" in standing or "collides" in standing:
            return self.pen.fails, "bad", "cannot bind, or collides"
        if "ephemeral" in standing:
            return self.pen.lent, "medium", "the kernel may assign it first"
        if listener.starts in ("manual", "demand"):
            return self.pen.later, "faint", "not bound at boot"
        return self.pen.listens, "good", "listens"

    def _bar(self, scale: Scale, legend: dict[str, tuple[str, Role]]) -> list[_Cell]:
        meanings: dict[ZoneName, str] = {"privileged": "needs CAP_NET_BIND_SERVICE", "ephemeral": "assigned to outgoing connections"}
        cells: list[_Cell] = []
        for zone in self.space.zones:
            sign, role = self.pen.zones[zone.name], _COLOURS[zone.name]
            start = scale.column(zone.low)
            cells += [(sign, role)] * scale.columns_of(zone)
            cells[start] = (self.pen.border if start else self.pen.start, "frame")
            if zone.name in meanings:
                legend[sign] = (meanings[zone.name], role)
        cells.append((self.pen.end, "frame"))
        for low, high in self.space.reserved.intersection(self.space.ephemeral).ranges:
            for column in range(scale.column(low), scale.column(high) + 1):
                cells[column] = (self.pen.reserved, "good")
            legend[self.pen.reserved] = ("reserved, never assigned", "good")
        return cells

    def _legend(self, legend: dict[str, tuple[str, Role]]) -> Iterator[str]:
        order = (self.pen.fails, self.pen.lent, self.pen.listens, self.pen.later, *self.pen.zones.values(), self.pen.reserved)
        line, used = "", 0
        for sign in dict.fromkeys(order):
            if sign not in legend:
                continue
            meaning, role = legend[sign]
            taken = len(sign) + 1 + len(meaning)
            if used and used + 3 + taken > self.columns - _MARGIN:
                yield f"{' ' * _MARGIN}{line}"
                line, used = "", 0
            line += f"{'   ' if used else ''}{self.style(role, sign)} {meaning}"
            used += taken + (3 if used else 0)
        if line:
            yield f"{' ' * _MARGIN}{line}"

    def _painted(self, cells: Iterable[_Cell]) -> str:
        runs: list[tuple[Role | None, list[str]]] = []
        for sign, role in cells:
            if not runs or runs[-1][0] != role:
                runs.append((role, []))
            runs[-1][1].append(sign)
        return "".join("".join(signs) if role is None else self.style(role, "".join(signs)) for role, signs in runs)

    # ── who listens where ───────────────────────────────────────────────────────────────────────────────────────────

    def _table(self) -> Iterator[str]:
        rows = self._rows()
        widths = self._widths([cells for cells, _ in rows])
        spare = -1 if widths is None else self.columns - sum(widths) - _GAP * (len(widths) - 1)
        if not self.listeners:
            yield "no listener was found"
        elif widths is not None:
            yield self.style("strong", _padded(_HEAD, widths))
        for cells, remarks in rows:
            lines = list(self._sentence(cells)) if widths is None else list(_stacked(cells, widths))
            beside = bool(remarks) and width("; ".join(text for text, _ in remarks)) + _GAP <= spare
            if beside and widths is not None:
                gap = " " * (sum(widths) + _GAP * len(widths) - width(lines[0]))
                lines[0] += gap + "; ".join(self.style(role, text) for text, role in remarks)
            yield from lines
            for text, role in () if beside else remarks:
                for line in wrap(text, self.columns - 4):
                    yield f"    {self.style(role, line)}"
        if self.never:
            said = f"{self.never} more {'is' if self.never == 1 else 'are'} never started (masked, or a condition is not met)"
            yield from wrap(said, self.columns)

    def _widths(self, rows: Sequence[_Cells]) -> list[int] | None:
        """The columns of the table's parts, None where a table does not fit: long names are cut, addresses go below each other."""
        widths = [max(width(cells[index]) for cells in (_HEAD, *rows)) for index in range(len(_HEAD))]
        longest = max((width(address) for cells in rows for address in cells[_ADDRESS].split(" ")), default=0)
        widths[_ADDRESS] = min(widths[_ADDRESS], max(longest, _FEW_ADDRESSES))
        over = sum(widths) + _GAP * (len(widths) - 1) - self.columns
        for index, least in ((_ADDRESS, max(longest, width(_HEAD[_ADDRESS]))), (_SERVICE, _SHORTEST_NAME)):
            taken = max(min(over, widths[index] - least), 0)
            widths[index] -= taken
            over -= taken
        return widths if over <= 0 else None

    def _sentence(self, cells: _Cells) -> Iterator[str]:
        port, address, who, user, starts = cells
        yield from self._hanging("", f"{port} {who} as {user} on {address}; starts: {starts}", 2)

    def _rows(self) -> list[tuple[_Cells, tuple[tuple[str, Role], ...]]]:
        """What the table says of each listener, and the remarks on it; those that differ in their address alone share a row."""
        addresses: dict[tuple[str, str, str, str, tuple[tuple[str, Role], ...]], dict[str, None]] = {}
        for listener in self.listeners:
            port, address, who, user, starts = _columns_of(listener)
            addresses.setdefault((port, who, user, starts, tuple(self._remarks(listener))), {})[address] = None
        return [((port, ", ".join(there), who, user, starts), remarks) for (port, who, user, starts, remarks), there in addresses.items()]

    def _remarks(self, listener: Listener) -> Iterator[tuple[str, Role]]:
        for mark in self.space.marks(listener):
            yield self._remark(listener, mark)

    def _remark(self, listener: Listener, mark: Standing) -> tuple[str, Role]:
        said = standing_in_words(self.space, listener, mark)
        match mark:
            case "cannot-bind" | "collides":
                return f"{self.pen.fails} {said}", "bad"
            case "ephemeral":
                return f"{self.pen.lent} {said}", "medium"
            case "reserved":
                return f"{self.pen.reserved} {said}", "good"
            case "own-network":
                return said, "faint"

    def _collisions(self) -> Iterator[str]:
        for one, other in self.space.collisions:
            ports = one.ports.intersection(other.ports)
            yield self.style("bad", f"collision on {ports}/{one.protocol}")
            for party in (one, other):
                yield from self._hanging("  ", f"{service(party)} on {safe(party.address)}, {place(party.at)}", 6)
            yield ""

    # ── the range and how far it goes ───────────────────────────────────────────────────────────────────────────────

    def _range(self) -> Iterator[str]:
        space = self.space
        if space.low is None or space.usable is None:
            yield "the ephemeral range is not known"
            return
        yield from self._entry("range", f"{space.low}-{space.high}, {self._set_by(RANGE)}")
        if space.reserved:
            yield from self._entry("reserved", f"{self.said(str(space.reserved))}, {self._set_by(RESERVED)}")
        else:
            yield from self._entry("reserved", "nothing")

    def _set_by(self, key: str) -> str:
        """Which line set a kernel setting, and where other readers of these files or the running kernel say otherwise."""
        sysctl = self.space.host.sysctl(key)
        if sysctl is None:
            return "not known by what"
        sysctl = sysctl.after_boot()
        said = f"{'the default of the kernel' if sysctl.is_default else 'set'} at {place(sysctl.at)}"
        if sysctl.reload != sysctl.boot:
            said += f"; `sysctl --system` would leave {self.said(sysctl.reload) or 'nothing'} ({place(sysctl.reload_at)})"
        if sysctl.running is not None and sysctl.running != sysctl.boot:
            said += f"; running now: {self.said(sysctl.running) or 'nothing'}"
        return said

    def _capacity(self) -> Iterator[str]:
        capacity = self.space.capacity
        if capacity is None:
            return
        yield from self._entry("capacity", f"{counted(capacity.usable, 'usable port')} to each destination address and port")
        yield from self._entry(
            "",
            f"{capacity.per_second} new connections a second can be sustained if this host closes first (a port stays 60 s in TIME_WAIT)",
        )
        yield from self._entry(
            "",
            f"connect() is slower above {capacity.slower_from} ports in use ({capacity.slower_from_per_second} a second): "
            "it searches one half of the range before the other",
        )
        match capacity.tw_reuse, capacity.per_second_reusing:
            case 1, int(rate):
                reuse = f"tcp_tw_reuse is 1: {rate} a second, where the other side also sends TCP timestamps"
            case 2, int(rate):
                reuse = f"tcp_tw_reuse is 2: over loopback {rate} a second, elsewhere no port leaves TIME_WAIT early"
            case 0, _:
                reuse = "tcp_tw_reuse is 0: no port leaves TIME_WAIT early"
            case None, _:
                reuse = "tcp_tw_reuse is not known"
            case setting, _:
                reuse = f"tcp_tw_reuse is {setting} and has no effect: tcp_timestamps is off"
        yield from self._entry("", reuse)
        if self.space.host.expected_rate is not None:
            yield from self._entry("", _expected(self.space.host.expected_rate, capacity))
        if capacity.most_time_waits is not None:
            most = f"tcp_max_tw_buckets is {capacity.most_time_waits}"
            yield from self._entry("", f"{most}: connections beyond it skip TIME_WAIT, so TIME_WAIT cannot use up the ports")

    def _entry(self, key: str, text: str) -> Iterator[str]:
        first, *more = wrap(text, self.columns - 10)
        yield f"{self.style('strong', f'{key:<8}')}  {first}"
        for line in more:
            yield f"{' ' * 10}{line}"

    def _hanging(self, head: str, text: str, indent: int) -> Iterator[str]:
        first, *more = wrap(text, self.columns - indent, self.columns - len(head))
        yield f"{head}{first}"
        for line in more:
            yield f"{' ' * indent}{line}"


def _expected(rate: int, capacity: Capacity) -> str:
    pace = capacity.pace()
    need = pace.needs(rate)
    text = f"{rate} a second, as expected (--rate), take {need} ports to a destination elsewhere"
    if need > pace.usable:
        return f"{text}: {need - pace.usable} too few"
    return f"{text}: more than half" if need > pace.slower_from else text


class _Row:
    """A row that takes texts where there is room for them."""

    def __init__(self, columns: int) -> None:
        self._signs = [" "] * columns

    def put(self, column: int, text: str) -> None:
        """Write a text from a column on, further left at the row's end; not at all where it would touch another."""
        column = min(column, len(self._signs) - len(text))
        around = self._signs[max(column - 1, 0) : column + len(text) + 1]
        if column >= 0 and all(sign == " " for sign in around):
            self._signs[column : column + len(text)] = text

    def __str__(self) -> str:
        return "".join(self._signs)


def _columns_of(listener: Listener) -> _Cells:
    """What the table says of a listener: port, address, service, user, starts."""
    ports = "random" if listener.random or not listener.ports else str(listener.ports)
    address = safe(listener.address) + (f"%{safe(listener.interface)}" if listener.interface else "")
    return f"{ports}/{listener.protocol}", address, service(listener), safe(listener.bind_user or "?"), listener.starts or "?"


def _stacked(cells: _Cells, widths: Sequence[int]) -> Iterator[str]:
    """A row of the table, with a line for each further address that has no room in the first."""
    address, *more = wrap(cells[_ADDRESS], widths[_ADDRESS])
    yield _padded((*cells[:_ADDRESS], address, *cells[_ADDRESS + 1 :]), widths)
    for line in more:
        yield f"{' ' * (widths[0] + _GAP)}{line}"


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    shown = [cut(text, columns) for text, columns in zip(row, widths, strict=True)]
    return (" " * _GAP).join(text + " " * (columns - width(text)) for text, columns in zip(shown, widths, strict=True)).rstrip()
