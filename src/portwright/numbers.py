"""Numbers in what is read: the one place where text becomes an int or a float, in ASCII digits alone and of bounded length.

Python's own int() also takes `+5`, ` 5 `, `1_000` and every Unicode digit, and raises ValueError beyond 4,300 digits; str.isdigit()
holds for `²`, which int() does not take at all. Here what is no number, or is more than `at_most`, is None, and nothing raises.
"""

from collections.abc import Iterable

MOST = (1 << 64) - 1
_LONGEST = 64  # digits without the zeros in front, of MOST in base 2
_DIGITS = "0123456789abcdef"


def is_digits(text: str) -> bool:
    """Whether text is ASCII digits and nothing else, at least one."""
    return text.isdigit() and text.isascii()


def decimal(text: str, at_most: int = MOST) -> int | None:
    """A number in decimal digits; zeros in front mean nothing."""
    if not is_digits(text):
        return None
    digits = text.lstrip("0")
    if len(digits) > _LONGEST:
        return None
    value = int(digits or "0")
    return value if value <= at_most else None


def decimals(texts: Iterable[str], at_most: int = MOST) -> tuple[int, ...] | None:
    """Several decimal numbers; None where one is none."""
    found = []
    for text in texts:
        value = decimal(text, at_most)
        if value is None:
            return None
        found.append(value)
    return tuple(found)


def signed(text: str, at_most: int = MOST) -> int | None:
    """A decimal number, below zero with one `-` in front; `at_most` holds on both sides of zero."""
    value = decimal(text.removeprefix("-"), at_most)
    return -value if value is not None and text.startswith("-") else value


def based(text: str, base: int, at_most: int = MOST) -> int | None:
    """A number in digits of a base from 2 to 16, letters in either case, without a prefix."""
    digits = text.lower()
    # What is lower-case ASCII may have been something else before.
    if not text or not text.isascii() or not set(_DIGITS[:base]).issuperset(digits):
        return None
    digits = digits.lstrip("0")
    if len(digits) > _LONGEST:
        return None
    value = int(digits or "0", base)
    return value if value <= at_most else None


def c_number(text: str, at_most: int = MOST) -> int | None:
    """A number as strtoul(3) reads it in base 0: 0x means hexadecimal, a leading 0 octal."""
    if text[:2] in ("0x", "0X"):
        return based(text[2:], 16, at_most)
    return based(text, 8 if text[:1] == "0" else 10, at_most)


def fraction(text: str) -> float | None:
    """A decimal number that may have a point in it, before or behind which there may be nothing."""
    before, _, behind = text.partition(".")
    if not is_digits(before + behind) or len(before.lstrip("0")) > _LONGEST:
        return None
    return float(f"{before or '0'}.{behind[:_LONGEST] or '0'}")
