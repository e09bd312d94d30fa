"""What other files of a repository put on a host: a deployer is a module here, and turns the text of one source into `Placed` files.

It takes what is literal and leaves the rest: what it cannot work out is U+FFFD in the text, and nothing is ever run.
"""

from importlib import import_module

from portwright.repositories.deployers.placed import Placed

_MODULES = {
    "ansible": "ansible",
    "butane": "first_boot",
    "cloud-config": "first_boot",
    "shell script": "shell",
}


def placed(kind: str, label: str, text: str) -> tuple[Placed, ...]:
    """The files that a source of this kind puts on a host; none for a kind that no deployer reads, or a text that is none of its kind."""
    if kind not in _MODULES:
        return ()
    found: tuple[Placed, ...] = import_module(f"{__name__}.{_MODULES[kind]}").placed(label, text)
    return found
