"""PortSet: a canonical set of ports as disjoint ranges, printed the way the kernel prints ip_local_reserved_ports."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortSet:
    """Ports as sorted, disjoint, non-adjacent inclusive ranges; equal sets are equal values."""

    ranges: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(*ranges: tuple[int, int] | int) -> "PortSet":
        """The union of ports and inclusive (low, high) ranges; raises ValueError for one outside 0..65535 or reversed."""
        pairs = sorted((r, r) if isinstance(r, int) else r for r in ranges)
        joined: list[tuple[int, int]] = []
        for low, high in pairs:
            if not 0 <= low <= high <= 65535:
                raise ValueError(f"not a range of ports: {low}-{high}")
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], high))
            else:
                joined.append((low, high))
        return PortSet(tuple(joined))

    @staticmethod
    def parse(text: str) -> "PortSet":
        """Read `8080,9148,30000-30010` as proc_do_large_bitmap does (kernel/sysctl.c); raises ValueError where it says EINVAL.

        A trailing comma and duplicates are accepted; blanks inside the list, reversed ranges and ports over 65535 are not.
        Blank text is the empty set.
        """
        text = text.strip(" \t\n")
        if not text:
            return PortSet()
        if text.endswith(","):
            text = text[:-1]
        found: list[tuple[int, int]] = []
        for item in text.split(","):
            low, dash, high = item.partition("-")
            if not _is_number(low) or (dash and not _is_number(high)):
                raise ValueError(f"not a port or range: {item!r}")
            found.append((int(low), int(high) if dash else int(low)))
        return PortSet.of(*found)

    def union(self, *others: "PortSet") -> "PortSet":
        return PortSet.of(*self.ranges, *(r for other in others for r in other.ranges))

    def minus(self, other: "PortSet") -> "PortSet":
        left: list[tuple[int, int]] = []
        for low, high in self.ranges:
            for cut_low, cut_high in other.ranges:
                if cut_high < low or cut_low > high:
                    continue
                if cut_low > low:
                    left.append((low, cut_low - 1))
                low = cut_high + 1
                if low > high:
                    break
            if low <= high:
                left.append((low, high))
        return PortSet(tuple(left))

    def intersection(self, other: "PortSet") -> "PortSet":
        return self.minus(self.minus(other))

    def overlaps(self, other: "PortSet") -> bool:
        return any(low <= other_high and other_low <= high for low, high in self.ranges for other_low, other_high in other.ranges)

    @property
    def low(self) -> int | None:
        """The lowest port, None for the empty set."""
        return self.ranges[0][0] if self.ranges else None

    @property
    def high(self) -> int | None:
        """The highest port, None for the empty set."""
        return self.ranges[-1][1] if self.ranges else None

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high + 1)

    def __contains__(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.ranges)

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)


def union(sets: Iterable[PortSet]) -> PortSet:
    """The union of any number of sets."""
    return PortSet().union(*sets)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5
