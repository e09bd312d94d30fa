"""PortSet: a canonical set of ports as disjoint ranges, printed the way the kernel prints ip_local_reserved_ports."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from portwright._start.records import dataclass
from portwright.numbers import based


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
        """Read `8080,9148,30000-30010` as the kernel does (kernel/sysctl.c, proc_do_large_bitmap); raises ValueError where it says EINVAL.

        A trailing comma and duplicates are accepted, a leading 0 means octal, 0x hexadecimal; blanks anywhere, reversed ranges and
        ports over 65535 are not. Empty text is the empty set.
        """
        return PortSet.of(*read_list(text)[0])

    def union(self, *others: "PortSet") -> "PortSet":
        return PortSet.of(*self.ranges, *(r for other in others for r in other.ranges))

    def minus(self, other: "PortSet") -> "PortSet":
        left: list[tuple[int, int]] = []
        cuts, cut = other.ranges, 0
        for low, high in self.ranges:
            while cut < len(cuts) and cuts[cut][1] < low:
                cut += 1
            at = cut
            while at < len(cuts) and cuts[at][0] <= high and low <= high:
                if cuts[at][0] > low:
                    left.append((low, cuts[at][0] - 1))
                low = cuts[at][1] + 1
                at += 1
            if low <= high:
                left.append((low, high))
        return PortSet(tuple(left))

    def intersection(self, other: "PortSet") -> "PortSet":
        return self.minus(self.minus(other))

    def overlaps(self, other: "PortSet") -> bool:
        mine, theirs = self.ranges, other.ranges
        here = there = 0
        while here < len(mine) and there < len(theirs):
            if mine[here][1] < theirs[there][0]:
                here += 1
            elif theirs[there][1] < mine[here][0]:
                there += 1
            else:
                return True
        return False

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
        before = bisect_right(self.ranges, (port, 65535))
        return before > 0 and port <= self.ranges[before - 1][1]

    def __str__(self) -> str:
        return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in self.ranges)


def union(sets: Iterable[PortSet]) -> PortSet:
    """The union of any number of sets."""
    return PortSet().union(*sets)


_IN_A_LIST = ", where only a comma or a hyphen may stand"


def read_list(text: str, cut_off: bool = False) -> tuple[tuple[tuple[int, int], ...], int]:
    """The ranges of a list of ports as the kernel scans it, and how many characters that took; raises ValueError for EINVAL.

    Where the text is `cut_off` (the kernel looks at one page of a write), an item that touches its end is left for the next write.
    """
    found: list[tuple[int, int]] = []
    end = len(text)
    position = _after_newlines(text, 0)
    while position < end:
        start = position
        low, position = read_number(text, position)
        if cut_off and end - position <= 1:
            return tuple(found), start
        separator = text[position : position + 1]
        high = low
        if separator == "-":
            high, position = read_number(text, position + 1)
            if cut_off and position == end:
                return tuple(found), start
            separator = text[position : position + 1]
            if separator == "-":
                raise ValueError(f"a range has two ends: {text[start : position + 1]!r}")
        if separator not in ("", ",", "\n"):
            raise ValueError(f"{separator!r} after {text[start:position]!r}{_IN_A_LIST if separator == ' ' else ''}")
        if not low <= high <= 65535:
            raise ValueError(f"not a port or range: {text[start:position]!r}")
        found.append((low, high))
        position = _after_newlines(text, position + 1)
    return tuple(found), end


def read_number(text: str, start: int) -> tuple[int, int]:
    """A number at `text[start:]` as the kernel reads one (kernel/sysctl.c, proc_get_long), and where it ends.

    0x means hexadecimal, a leading 0 octal. Raises ValueError where no digit stands or more than 20 characters do.
    """
    window = text[start : start + _LONGEST_NUMBER]
    base, digits = 10, _DIGITS
    if window[:2] in ("0x", "0X") and window[2:3] in _HEXADECIMAL and window[2:3]:
        base, digits = 16, _HEXADECIMAL
    elif window[:1] == "0":
        base, digits = 8, _OCTAL
    length = 2 if base == 16 else 0
    while length < len(window) and window[length] in digits:
        length += 1
    if not length:
        # The newline is the writer's, not the author's.
        shown = text[start : start + 20].rstrip("\n")
        raise ValueError(f"no number at {shown!r}" if window else "a number is missing at the end")
    if length == _LONGEST_NUMBER:
        raise ValueError(f"too long a number: {window!r}")
    return based(window[2 if base == 16 else 0 : length], base, 1 << 80) or 0, start + length


_LONGEST_NUMBER = 21  # TMPBUFLEN - 1
_DIGITS, _OCTAL, _HEXADECIMAL = "0123456789", "01234567", "0123456789abcdefABCDEF"


def _after_newlines(text: str, position: int) -> int:
    while text.startswith("\n", position):
        position += 1
    return position
