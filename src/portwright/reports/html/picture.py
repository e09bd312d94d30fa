"""A port map as a picture (SVG) with its table: zones from 0 to 65535, TCP above, UDP below, what is in trouble by name first."""

from collections.abc import Iterable, Sequence

from portwright.reports.html.element import Element, put, say
from portwright.reports.port_map import SIGNS, PortMap, Sign, Stand
from portwright.reports.scale import Scale
from portwright.reports.space import LAST
from portwright.reports.words import counted

_WIDTH = 1000
_EDGE = 10
_LETTER = 6.7  # units that a letter of a label takes
_ROW = 14
_MOST_ROWS = 6
_BAND = 20
_MOST_MARKS = 400
_ORDER: tuple[Sign, ...] = tuple(SIGNS)


def picture(parent: Element, drawn: PortMap, label: str) -> None:
    """The figure of one map."""
    figure = put(parent, "figure", class_="ports")
    put(figure, "figcaption", f"{label}{drawn.machine and f', {drawn.machine}'}: {drawn.capacity}")
    # A picture wider than a phone is moved sideways, by keys too.
    frame = put(figure, "div", class_="wide", tabindex="0", role="group", aria_label=f"port map of {label}")
    _draw(frame, drawn, label)
    legend = put(figure, "p", class_="legend")
    there = {stand.sign for stand in drawn.stands}
    for sign in _ORDER:
        if sign in there:
            _legend(legend, sign, SIGNS[sign])
    if drawn.reserved:
        _legend(legend, "reserved", "reserved, never assigned")
    table(figure, drawn)


def _legend(parent: Element, sign: str, meaning: str) -> None:
    entry = put(parent, "span", class_=f"sign {sign}")
    put(entry, "b", aria_hidden="true")
    say(entry, f" {meaning}")


def table(parent: Element, drawn: PortMap) -> None:
    """The listeners of a map, folded."""
    folded = put(parent, "details")
    put(folded, "summary", f"{counted(len(drawn.stands), 'listener')} as a table")
    wide = put(folded, "div", class_="wide", tabindex="0", role="group", aria_label="listeners")
    made = put(wide, "table")
    heads = put(put(made, "thead"), "tr")
    for head in ("port", "address", "service", "user", "starts", "remark"):
        put(heads, "th", head, scope="col")
    body = put(made, "tbody")
    for stand in drawn.stands:
        row = put(body, "tr", class_=stand.sign)
        for text in (f"{stand.ports}/{stand.protocol}", stand.address, stand.service, stand.user, stand.starts, stand.remark):
            put(row, "td", text)
    for number, said in ((drawn.never, "never started (masked, or a condition is not met)"), (drawn.more, "left out")):
        if number:
            put(folded, "p", f"{number} more {'is' if number == 1 else 'are'} {said}.")


def _draw(parent: Element, drawn: PortMap, label: str) -> None:
    scale = Scale(drawn.zones, _WIDTH)
    placed = [(stand, stand.low, stand.high) for stand in drawn.stands if stand.low is not None and stand.high is not None]
    placed = [each for each in placed if each[0].sign != "apart"][:_MOST_MARKS]
    above = _rows([each for each in placed if each[0].protocol == "tcp"], scale)
    below = _rows([each for each in placed if each[0].protocol != "tcp"], scale)
    top = _ROW * (1 + max((row for *_, row in above), default=0)) + 14
    bottom = top + _BAND + _ROW + 6
    height = bottom + (_ROW * (1 + max((row for *_, row in below), default=0)) + 8 if below else 0)
    svg = put(parent, "svg", viewBox=f"0 0 {_WIDTH + 2 * _EDGE} {height}", role="img", aria_label=f"the ports of {label}")
    _band(svg, drawn, scale, top)
    # What is drawn later lies above.
    for stand, low, high, text, row in reversed(above):
        _mark(svg, stand, scale, (low, high), text, top - 7, top - 14 - _ROW * row, top)
    for stand, low, high, text, row in reversed(below):
        _mark(svg, stand, scale, (low, high), text, bottom - 3, bottom + 12 + _ROW * row, top + _BAND)


def _band(svg: Element, drawn: PortMap, scale: Scale, top: int) -> None:
    for zone in drawn.zones:
        start, long = scale.column(zone.low), scale.columns_of(zone)
        size = {"x": f"{start + _EDGE}", "y": f"{top}", "width": f"{long}", "height": f"{_BAND}"}
        box = put(svg, "rect", class_=f"zone {zone.name}", **size)
        put(box, "title", f"{zone.name}: {zone.low}-{zone.high}")
        if long > _LETTER * len(zone.name) + 8:
            put(svg, "text", zone.name, class_="in", x=f"{start + _EDGE + 5}", y=f"{top + 14}")
        put(svg, "text", str(zone.low), class_="at", x=f"{start + _EDGE}", y=f"{top + _BAND + 12}")
    put(svg, "text", str(LAST), class_="at last", x=f"{_WIDTH + _EDGE}", y=f"{top + _BAND + 12}")
    for low, high in drawn.reserved[:_MOST_MARKS]:
        start, end = scale.column(low), scale.column(high)
        size = {"width": f"{max(end - start, 2)}", "height": f"{_BAND}"}
        hole = put(svg, "rect", class_="reserved", x=f"{start + _EDGE}", y=f"{top}", **size)
        put(hole, "title", f"reserved: {low}-{high}" if low != high else f"reserved: {low}")


_Placed = tuple[Stand, int, int]
_Labelled = tuple[Stand, int, int, str, int]


def _rows(placed: Sequence[_Placed], scale: Scale) -> list[_Labelled]:
    """Each mark with the words beside it and the row they have room in: trouble first, names where they fit, else the port, else none."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_MOST_ROWS)]
    found: list[_Labelled] = []
    labelled: set[tuple[int, int, str]] = set()
    for stand, low, high in sorted(placed, key=lambda each: (_ORDER.index(each[0].sign), each[1], each[2], each[0].service)):
        said = "", 0
        words = (f"{stand.ports} {stand.service}", stand.ports)
        if (low, high, stand.service) not in labelled:
            said = next((fit for text in words if (fit := _fit(text, scale.column(low), taken)) is not None), said)
            labelled.add((low, high, stand.service))
        found.append((stand, low, high, *said))
    return found


def _fit(text: str, start: int, taken: Iterable[list[tuple[float, float]]]) -> tuple[str, int] | None:
    length = _LETTER * len(text) + 8
    low = max(min(start - 3.0, _WIDTH - length), 0.0)
    for number, row in enumerate(taken):
        if all(low + length <= begin or end <= low for begin, end in row):
            row.append((low, low + length))
            return text, number
    return None


def _mark(svg: Element, stand: Stand, scale: Scale, ports: tuple[int, int], text: str, at: int, words: int, edge: int) -> None:
    group = put(svg, "g", class_=f"mark {stand.sign}")
    said = f"{stand.ports}/{stand.protocol} {stand.service} on {stand.address} as {stand.user}"
    put(group, "title", f"{said}: {stand.remark}" if stand.remark else said)
    low, high = (scale.column(port) + _EDGE for port in ports)
    if text:
        start = max(min(low - 3.0, _WIDTH + _EDGE - _LETTER * len(text) - 8), _EDGE)
        put(group, "line", class_="lead", x1=f"{low}", x2=f"{low}", y1=f"{words + 3 if words < edge else words - 10}", y2=f"{edge}")
        put(group, "text", text, x=f"{start:.0f}", y=f"{words}")
    if high > low:
        put(group, "line", class_="along", x1=f"{low}", x2=f"{high}", y1=f"{at}", y2=f"{at}")
    put(group, "circle", cx=f"{low}", cy=f"{at}", r="4")
