"""Rooms that other distributions bring: folders of descriptors, which are data and lead to no code."""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from portwright.daemons._engine.descriptor import Descriptor
from portwright.daemons._engine.keys import descriptor
from portwright.daemons._engine.schema import CatalogueError, below, table

_MOST_BYTES = 1 << 16  # of a descriptor
_MOST_ROOMS = 1000
# No module, no pattern, no command: these are written by whoever writes the program, too, and reviewed as code is.
_KEYS = frozenset(
    ("like", "programs", "sockets", "connects", "config", "package", "one-dash", "activated", "when", "unless", "values", "attached",
     "variables", "files", "in-unit", "packages", "units", "environment", "in-repository", "traits", "edit", "source")
)  # fmt: skip
_KEYS_IN = {"in-repository": frozenset(("names", "under", "place", "places", "folders", "siblings")), "edit": frozenset(("apply",))}


def rooms(folder: str, load: Callable[[str], dict[str, Any]], kinds: Mapping[str, Any], file: str) -> Iterator[tuple[str, str, Descriptor]]:
    """Each room of a folder: the name of its daemon, where it lies, and its descriptor. Raises CatalogueError at the first mistake."""
    named = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith((".", "__")))
    if not named or len(named) > _MOST_ROOMS:
        raise CatalogueError(folder, f"a folder with a `{file}` for each daemon, at most {_MOST_ROOMS} of them")
    for each in named:
        path = os.path.join(folder, each, file)
        yield each.replace("_", "-"), os.path.dirname(path), _room(each.replace("_", "-"), path, load, kinds)


def _room(name: str, path: str, load: Callable[[str], dict[str, Any]], kinds: Mapping[str, Any]) -> Descriptor:
    try:
        if os.path.getsize(path) > _MOST_BYTES:
            raise CatalogueError(path, f"more than {_MOST_BYTES >> 10} KiB")
        data = load(path)
    except OSError as error:
        raise CatalogueError(path, (error.strerror or "cannot be read").lower()) from None
    except (UnicodeDecodeError, RecursionError):
        raise CatalogueError(path, "no text in UTF-8 that a descriptor could be") from None
    _only(data, _KEYS, path)
    for key, allowed in _KEYS_IN.items():
        _only(table(data.get(key, {}), below(path, key)), allowed, below(path, key))
    return descriptor(name, data, kinds, path)


def _only(data: Mapping[str, Any], allowed: frozenset[str], here: str) -> None:
    for key in data:
        if key not in allowed:
            said = f"only these can be packaged apart from portwright: {', '.join(sorted(allowed))}"
            raise CatalogueError(below(here, str(key)[:100]), said)
