"""What other files of a repository put on a host: a deployer is a module here, and turns the text of one source into `Placed` files.

It takes what is literal and leaves the rest: what it cannot work out is U+FFFD in the text, and nothing is ever run.
"""

from collections.abc import Iterable

from portwright.repositories.deployers.placed import Placed


def placed(kind: str, label: str, text: str) -> tuple[Placed, ...]:
    """The files that a source of this kind puts on a host, each once; a text that is none of its kind puts nothing there."""
    found: Iterable[Placed] = ()
    if kind in ("shell script", "installer"):
        from portwright.repositories.deployers import shell

        found = shell.placed(label, text)
    elif kind in ("cloud-config", "butane"):
        from portwright.repositories.deployers import first_boot

        found = first_boot.placed(label, text)
    elif kind == "ansible":
        from portwright.repositories.deployers import ansible

        found = ansible.placed(label, text)
    return tuple(found)
