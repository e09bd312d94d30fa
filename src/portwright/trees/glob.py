"""glob(7) over the files of a host: a pattern becomes the paths that are there, in byte order."""

from fnmatch import translate
from re import compile as compiled

from portwright.trees.tree import Files

MOST = 4096
_MAGIC = frozenset("*?[")


class TooMany(Exception):
    """A pattern matches more paths than anybody would mean."""


def is_pattern(text: str) -> bool:
    """Whether a path holds a wildcard."""
    return not _MAGIC.isdisjoint(text)


def expand(pattern: str, files: Files) -> tuple[str, ...]:
    """The existing paths an absolute pattern matches; a pattern without wildcards is itself, where it exists.

    As in glob(7), a wildcard does not match a `/` nor a leading dot. Raises TooMany beyond 4096 paths.
    """
    found = ["/"]
    for part in pattern.split("/"):
        if part in ("", "."):
            continue
        if not is_pattern(part):
            found = [f"{path.rstrip('/')}/{part}" for path in found]
            continue
        matches = compiled(translate(part)).match
        hidden = part.startswith(".")
        found = [
            f"{path.rstrip('/')}/{name}" for path in found for name in files.names(path) if matches(name) and (hidden or name[0] != ".")
        ]
        if len(found) > MOST:
            raise TooMany(pattern)
    return tuple(path for path in found if files.kind(path) != "missing")
