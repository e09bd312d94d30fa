"""ld.so.conf(5): in which directories the loader looks for libraries."""

from portwright.source import Span
from portwright.trees import Files

_ROOT = "/etc/ld.so.conf"
_MOST_FILES = 500


def searched(home: str, files: Files) -> bool:
    """Whether the loader's configuration names a directory below `home`, links resolved."""
    folder = f"{_ROOT}.d"
    listed = files.limited(files.names(folder), _MOST_FILES, "files", lambda _: Span.whole(files.tree.label(folder)))
    paths = [_ROOT, *(f"{_ROOT}.d/{name}" for name in listed if name.endswith(".conf"))]
    for path in paths:
        source = files.read(path) if files.kind(path) == "file" else None
        for line in () if source is None else source.text.split("\n"):
            named = line.partition("#")[0].strip()
            if named.startswith("/") and f"{files.resolve(named)}/".startswith(f"{home}/"):
                return True
    return False
