"""Where the files that ship beside the code are: rules and playbooks, in a wheel, an editable install or a checkout."""

from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent


def rules_directory() -> Path:
    """The folder of built-in rules."""
    return _find("rules")


def playbooks_directory() -> Path:
    """The folder of constant task files that every generated playbook includes."""
    return _find("playbooks")


def compiled(name: str) -> Any:
    """What the build made of the YAML of this name (hatch_build.py), as plain data; None in a checkout, which has the YAML only."""
    try:
        text = (_PACKAGE / "_shipped" / f"{name}.json").read_bytes()
    except FileNotFoundError:
        return None
    import json

    return json.loads(text)


def _find(name: str) -> Path:
    # A wheel carries the folders inside the package (pyproject.toml, force-include); a checkout keeps them at its top, and an
    # editable install sees only the checkout.
    for candidate in (_PACKAGE / "_shipped" / name, _PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"this installation of portwright lacks its {name}/ folder")
