"""What a package's folder holds: a kind of fact, of change or of report is registered by being a file in it."""

import os
from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def members(package: str) -> tuple[str, ...]:
    """The names of the modules of a package, in alphabetical order; what begins with an underscore is none of them."""
    listed = (name for folder in import_module(package).__path__ for name in os.listdir(folder))
    names = (name.removesuffix(".py") for name in listed if name.endswith(".py"))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def member(package: str, name: str) -> ModuleType:
    """One module of a package."""
    return import_module(f"{package}.{name}")
