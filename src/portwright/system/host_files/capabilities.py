"""capabilities(7): names and numbers, and file capabilities as getcap prints them."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.facts import CAPABILITIES
from portwright.numbers import decimal, is_digits

NAMES = CAPABILITIES
ALL = frozenset(NAMES)


def capability(text: str) -> str | None:
    """The capability a word of a unit file names: CAP_NAME in any case or its number; NET_BIND_SERVICE and cap_10 are neither."""
    if is_digits(text):
        number = decimal(text, len(NAMES) - 1)
        return None if number is None else NAMES[number]
    name = text.upper()
    return name if name in ALL else None


@dataclass(frozen=True, slots=True)
class FileCapabilities:
    """What a program's file gives to whoever runs it."""

    permitted: frozenset[str] = frozenset()
    inheritable: frozenset[str] = frozenset()
    effective: bool = False


def file_capabilities(text: str) -> FileCapabilities:
    """The capabilities in the words of cap_to_text(3): `cap_a,cap_b=ep cap_c+i`; what names no capability is skipped."""
    flags: dict[str, set[str]] = {"e": set(), "i": set(), "p": set()}
    for clause in text.split():
        start = min((i for i in (clause.find(op) for op in "=+-") if i >= 0), default=len(clause))
        named = _all_or_some(clause[:start])
        for operator, given in _operations(clause[start:]):
            for flag, held in flags.items():
                if operator == "=" or (operator == "-" and flag in given):
                    held -= named
                if operator != "-" and flag in given:
                    held |= named
    return FileCapabilities(frozenset(flags["p"]), frozenset(flags["i"]), bool(flags["e"]))


def stored_capabilities(data: bytes) -> FileCapabilities | None:
    """The capabilities in an extended attribute security.capability (struct vfs_cap_data); None for what is none.

    Those of a user namespace other than the host's (version 3 with a root of its own) give nothing on the host.
    """
    head = int.from_bytes(data[:4], "little")
    version, effective = head >> 24, bool(head & 1)
    if len(data) != {1: 12, 2: 20, 3: 24}.get(version):
        return None
    numbers = [int.from_bytes(data[at : at + 4], "little") for at in range(4, len(data), 4)]
    if version == 3 and numbers[4]:
        return FileCapabilities()
    permitted, inheritable = (numbers[first] | (numbers[first + 2] << 32 if version > 1 else 0) for first in (0, 1))
    return FileCapabilities(_of_mask(permitted), _of_mask(inheritable), effective)


def _of_mask(mask: int) -> frozenset[str]:
    return frozenset(name for number, name in enumerate(NAMES) if mask >> number & 1)


def _all_or_some(text: str) -> frozenset[str]:
    if text.lower() in ("", "all"):
        return ALL
    return frozenset(name for part in text.split(",") if (name := capability(part)))


def _operations(text: str) -> Iterator[tuple[str, str]]:
    operator, given = "", ""
    for char in text:
        if char in "=+-":
            if operator:
                yield operator, given
            operator, given = char, ""
        else:
            given += char
    if operator:
        yield operator, given
