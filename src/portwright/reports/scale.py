"""Where a port stands on a line: each zone of the port space has its share of the length."""

from collections.abc import Sequence
from math import log

from portwright.reports.space import Zone, ZoneName

_WEIGHTS: dict[ZoneName, tuple[int, int]] = {"privileged": (26, 11), "user": (34, 6), "ephemeral": (28, 10), "above": (12, 6)}
_STRETCH = 24  # low ports are crowded: how much more room the first ports of a zone below the range get than its last


class Scale:
    """Which column of the bar a port falls into: each zone has its share, low zones are stretched at their beginning."""

    def __init__(self, zones: Sequence[Zone], columns: int) -> None:
        self.columns = columns
        total = sum(_WEIGHTS[zone.name][0] for zone in zones)
        least = sum(min(_WEIGHTS[zone.name][1], zone.high - zone.low + 1) for zone in zones)
        self._zones: list[tuple[Zone, int, int]] = []
        start, spent = 0, 0.0
        for zone in zones:
            weight, floor = _WEIGHTS[zone.name]
            spent += min(floor, zone.high - zone.low + 1) + (columns - least) * weight / total
            end = columns if zone is zones[-1] else max(round(spent), start + 1)
            self._zones.append((zone, start, end - start))
            start = end

    def columns_of(self, zone: Zone) -> int:
        """How many columns a zone has."""
        return next(columns for each, _, columns in self._zones if each == zone)

    def column(self, port: int) -> int:
        """The column, from 0, that a port between 0 and 65535 falls into."""
        zone, start, columns = next(each for each in self._zones if port <= each[0].high)
        share = (port - zone.low) / (zone.high - zone.low + 1)
        if zone.name in ("privileged", "user"):
            share = log(1 + _STRETCH * share) / log(1 + _STRETCH)
        if port == zone.high > zone.low:
            return start + columns - 1  # however few ports a zone has, its last one stands at its end
        return start + min(int(share * columns), columns - 1)
