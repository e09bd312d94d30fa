"""Where the files that ship beside the code are: rules and playbooks, in a wheel, an editable install or a checkout."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
