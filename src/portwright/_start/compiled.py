"""What a wheel carries instead of YAML and of what each start would make anew: modules, written by the build (hatch_build.py).

A checkout has none of them and makes the same from what is in it; tests hold both to be equal.
"""

import sys
from collections.abc import Iterator
from typing import Any

from portwright._start.records import MISSING, fields, init_source


def load(name: str) -> Any:
    """The module that the build made of this name; None in a checkout."""
    module = f"portwright._shipped.compiled_{name}"
    try:
        __import__(module)
    except ModuleNotFoundError:
        return None
    return sys.modules[module]


class Writer:
    """Writes frozen values as expressions that make them again."""

    def own(self, value: object) -> str | None:
        """What a subclass writes in its own way; None for all else."""
        return None

    def code(self, value: object) -> str:
        """An expression that makes this value."""
        own = self.own(value)
        if own is not None:
            return own
        if value is None or isinstance(value, str | int):
            return repr(value)
        if isinstance(value, tuple):
            return "(" + "".join(f"{self.code(item)}, " for item in value) + ")"
        if isinstance(value, type):
            return value.__name__
        given = [(getattr(value, field.name), field.default) for field in fields(value)]  # type: ignore[arg-type]  # it is a record
        while given and given[-1][1] is not MISSING and given[-1][0] == given[-1][1]:
            given.pop()
        return f"{type(value).__name__}({', '.join(self.code(each) for each, _ in given)})"


def records_source() -> str:
    """A module with the `__init__` of every record of the project."""
    written = "".join(f'\n\n{init_source(each)}\n\nINITS["{each.__module__}.{each.__qualname__}"] = __init__\n' for each in records())
    return f'"""The __init__ of every record, written by the build (portwright._start.records)."""\n\nINITS = {{}}\n{written}'


def records() -> tuple[type, ...]:
    """Every record that a module of the project makes when it is imported; imports them all."""
    import portwright

    return tuple(found for module in _modules(portwright.__name__, portwright.__path__) for found in _records_in(module, module.__name__))


def _modules(package: str, path: Any) -> Iterator[Any]:
    from importlib import import_module
    from pkgutil import walk_packages

    for each in sorted(walk_packages(path, f"{package}."), key=lambda each: each.name):
        # Who builds a wheel has no editor's protocol; records without a line here make their own.
        if not each.name.endswith(".__main__") and "._shipped" not in each.name and not each.name.startswith("portwright.lsp."):
            yield import_module(each.name)


def _records_in(place: Any, module: str) -> Iterator[type]:
    for found in vars(place).values():
        if isinstance(found, type) and found.__module__ == module and found is not place:
            if "__dataclass_fields__" in vars(found):
                yield found
            if found.__qualname__.count(".") < 3:
                yield from _records_in(found, module)
