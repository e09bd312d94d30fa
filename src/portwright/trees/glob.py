"""glob(7) over the files of a host: a pattern becomes the paths that are there, in byte order."""

from collections.abc import Callable

from portwright.source import Span
from portwright.trees.tree import Files

MOST = 16_384
_LONGEST = 4096  # PATH_MAX: what is longer the kernel opens for nobody
_MAGIC = frozenset("*?[")


class TooMany(Exception):
    """A pattern matches more paths than anybody would mean."""


def is_pattern(text: str) -> bool:
    """Whether a path holds a wildcard."""
    return not _MAGIC.isdisjoint(text)


def expand(pattern: str, files: Files, *, tells: bool = True) -> tuple[str, ...]:
    """The existing paths an absolute pattern matches; a pattern without wildcards is itself, where it exists.

    As in glob(7), a wildcard does not match a `/` nor a leading dot. Raises TooMany beyond 16,384 paths. A link that a wildcard
    matches and that leads to nothing may hold anything on the host itself: unless nobody would read it (`tells`), that is said.
    """
    found = ["/"]
    for part in pattern.split("/"):
        if part in ("", "."):
            continue
        if not is_pattern(part):
            found = [longer for path in found if len(longer := f"{path.rstrip('/')}/{part}") < _LONGEST]
            if not found:
                return ()
            continue
        matches = _matcher(part)
        hidden = part.startswith(".")
        found = [
            f"{path.rstrip('/')}/{name}" for path in found for name in files.names(path) if matches(name) and (hidden or name[0] != ".")
        ]
        if len(found) > MOST:
            raise TooMany(pattern)
    there = tuple(path for path in found if files.kind(path) != "missing")
    if tells and len(there) < len(found) and is_pattern(pattern):
        for path in found:
            if files.kind(path) == "missing" and (target := files.link(path)) is not None:
                reason = f"{pattern} names it, and it is a link to {target}, which is not there"
                files.report_missing(Span.whole(files.tree.label(path)), reason)
    return there


def _matcher(part: str) -> Callable[[str], object]:
    before, star, after = part.partition("*")
    if star and not is_pattern(before) and not is_pattern(after):
        return lambda name: name.startswith(before) and name.endswith(after) and len(name) >= len(before) + len(after)
    from fnmatch import translate
    from re import compile as compiled

    return compiled(translate(part)).match
