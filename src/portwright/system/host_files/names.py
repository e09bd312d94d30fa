"""Names that stand for numbers on a host: /etc/hosts for addresses, /etc/services for ports."""

from functools import lru_cache

from portwright.facts import Protocol
from portwright.ip import ip_address
from portwright.numbers import c_number, decimal, is_digits
from portwright.source import Source
from portwright.trees import Files

_LOOPBACK = {"localhost": ("127.0.0.1", "::1")}  # getaddrinfo(3) with nss-myhostname(8), and any resolver since RFC 6761


def addresses(name: str, files: Files) -> tuple[str, ...]:
    """The addresses a host name or a literal address (in brackets too) stands for, in order; () where only DNS could tell.

    hosts(5): every line that has the name counts, whatever its case.
    """
    text = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if (literal := canonical(text)) is not None:
        return (literal,)
    short = _numbers_and_dots(text)
    if short is not None:
        return (short,)
    text = text.removesuffix(".")
    source = files.read("/etc/hosts")
    known = _hosts(source) if source is not None else {}
    return known.get(text.lower(), _LOOPBACK.get(text.lower(), ()))


def port(text: str, protocol: Protocol, files: Files) -> int | None:
    """The port a decimal number or a service name stands for; None where it is neither (services(5))."""
    if is_digits(text):
        return decimal(text, 65535)
    source = files.read("/etc/services")
    return _services(source).get((text, protocol)) if source is not None else None


def is_address(text: str) -> bool:
    """Whether this is a literal IPv4 or IPv6 address, perhaps with a scope."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def canonical(text: str) -> str | None:
    """A literal address in the one way RFC 5952 writes it, its scope kept; None for what is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _numbers_and_dots(text: str) -> str | None:
    """inet_aton(3), which getaddrinfo(3) asks first: `127.1`, `0`, `0x7f000001` and `010.0.0.1` (octal) are IPv4 addresses, too.

    One decimal number alone is far more likely a port that somebody took for a host.
    """
    parts = text.split(".")
    if len(parts) == 1 and text != "0" and text[:2] not in ("0x", "0X"):
        return None
    if len(parts) > 4:
        return None
    numbers = [number for part in parts if (number := c_number(part)) is not None]
    # The last number fills the bytes that the others leave.
    rest = 5 - len(parts)
    if len(numbers) != len(parts) or any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256**rest:
        return None
    return ".".join(str(byte) for byte in (*numbers[:-1], *numbers[-1].to_bytes(rest, "big")))


@lru_cache(maxsize=4)
def _hosts(source: Source) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in source.text.split("\n"):
        words = line.partition("#")[0].split()
        if len(words) < 2 or not is_address(words[0]):
            continue
        for name in words[1:]:
            earlier = found.get(name.lower(), ())
            if len(earlier) < 64 and words[0] not in earlier:
                found[name.lower()] = (*earlier, words[0])
    return found


@lru_cache(maxsize=4)
def _services(source: Source) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in source.text.split("\n"):
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        digits, _, protocol = words[1].partition("/")
        number = decimal(digits, 99_999)
        if number is not None:
            for name in (words[0], *words[2:]):
                found.setdefault((name, protocol), number)
    return found
