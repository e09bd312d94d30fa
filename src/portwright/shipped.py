"""Where the files that ship beside the code are, in a wheel, an editable install or a checkout, and those that others install beside it."""

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Brought = Literal["rules", "daemons"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


def rules_directory() -> "Path":
    """The folder of built-in rules."""
    from pathlib import Path

    return Path(folder("rules"))


def playbooks_directory() -> "Path":
    """The folder of constant task files that every generated playbook includes."""
    from pathlib import Path

    return Path(folder("playbooks"))


def folder(name: str) -> str:
    """The path of what ships under this name."""
    # A wheel carries the folders inside the package (pyproject.toml, force-include); a checkout keeps them at its top, and an
    # editable install sees only the checkout.
    for candidate in (f"{_PACKAGE}/_shipped/{name}", f"{os.path.dirname(os.path.dirname(_PACKAGE))}/{name}"):
        if os.path.isdir(candidate):
            return candidate
    raise FileNotFoundError(f"this installation of portwright lacks its {name}/ folder")


class BroughtError(Exception):
    """What another distribution brings cannot be used; the message says whose it is and why."""


@cache
def brought(kind: Brought) -> tuple[str, ...]:
    """The folders of rules or of daemons that installed distributions bring, by entry points of `portwright.rules` or `.daemons`.

    Only those whose name begins with `portwright-` are looked at, since the metadata of all would cost each run more than its reading of
    a host. They are folders of data: nothing of theirs is imported. Raises BroughtError.
    """
    found = [os.path.join(place, name) for place in sys.path if place.endswith(_INSTALLED) for name in _others(place)]
    if not found:
        return ()
    from importlib.metadata import PathDistribution
    from pathlib import Path

    folders: list[str] = []
    for path in sorted(found):
        distribution = PathDistribution(Path(path))
        for point in distribution.entry_points:
            if point.group == f"portwright.{kind}":
                # Not loaded, as other programs do with theirs: a name of a package is the way to its folder.
                folder = str(distribution.locate_file(point.value.replace(".", "/")))
                if not point.value.replace(".", "").isidentifier() or not os.path.isdir(folder):
                    name, entry = distribution.metadata["Name"], f"{point.group}: {point.name} = {point.value}"
                    raise BroughtError(f"{name}: {entry}: this distribution has no such folder (an editable installation is not read)")
                folders.append(folder)
    return tuple(folders)


_INSTALLED = ("/site-packages", "/dist-packages")


def _others(place: str) -> tuple[str, ...]:
    """The metadata of the distributions installed in a folder that may bring something."""
    try:
        names = os.listdir(place)
    except OSError:  # a path that a user names in vain
        return ()
    return tuple(name for name in names if name.startswith("portwright_") and name.endswith(".dist-info"))
