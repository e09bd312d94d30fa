"""Package versions in the order dpkg(1) gives them, as far as upstream versions go (deb-version(7))."""

from portwright._start.lazy_regex import lazy_regex

_PART = lazy_regex(r"([0-9]+)|([^0-9]+)")


def satisfies(version: str | None, wanted: str) -> bool:
    """Whether a version meets `<2.0` or `>=2.0`; an unknown one meets what new versions do, for those are what is installed most."""
    below = wanted.startswith("<")
    bound = wanted.lstrip("<>=")
    if version is None:
        return not below
    earlier = _key(upstream(version)) < _key(bound)
    return earlier if below else not earlier


def upstream(version: str) -> str:
    """The version without epoch and Debian revision: `1:2.3-4` is `2.3`."""
    text = version.partition(":")[2] if ":" in version else version
    return text.rpartition("-")[0] if "-" in text else text


def _key(text: str) -> tuple[tuple[int, int, str], ...]:
    # A tilde sorts before anything, even the end; of two numbers the one with more digits is greater, however many it has.
    parts = [
        (1, len(digits := number.lstrip("0")), digits) if number else (-1 if other.startswith("~") else 2, 0, other)
        for number, other in _PART.findall(text)
    ]
    return (*parts, (0, 0, ""))
