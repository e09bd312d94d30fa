"""Ask the hosts of an inventory for their archives, with ansible-core and one step for each host; say of each that gave none."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1

from portwright._start.records import dataclass, field, replace
from portwright.audit.inputs import Input, archived
from portwright.fleet.received import ARCHIVE, REFUSED
from portwright.shipped import folder

_MOST_REASON = 1000
NOT_COLLECTED = "not collected: Ansible could not reach it, or the collector failed there (its output says why)"


class CollectError(Exception):
    """The hosts could not be asked; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What a run came to: an input for each host that was asked, closed where it gave no archive, and who is in which group."""

    inputs: tuple[Input, ...]
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def collected(inventories: Sequence[str], into: str, *, limit: str = "", forks: int = 0, become: bool = False) -> Asked:
    """Collect every host of some inventories into a folder. Ansible's own output goes to standard error.

    Raises CollectError where no host was asked.
    """
    beside = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    program = beside if os.access(beside, os.X_OK) else "ansible-playbook"
    told = json.dumps({"portwright_into": into, "portwright_python": sys.executable})
    words = [program, *(word for inventory in inventories for word in ("-i", inventory)), "-e", told]
    words += ["--limit", limit] if limit else []
    words += ["--forks", str(forks)] if forks else []
    words += ["--become"] if become else []
    try:
        ran = subprocess.run([*words, os.path.join(folder("playbooks"), "collect.yml")], stdout=2, check=False)  # noqa: S603
    except OSError as error:
        hint = "; pip install 'portwright[ansible]' installs it" if isinstance(error, FileNotFoundError) else ""
        raise CollectError(f"cannot run ansible-playbook: {error.strerror}{hint}") from None
    try:
        with open(os.path.join(into, "hosts.json"), encoding="utf-8") as file:
            asked = json.load(file)
        names, groups = [str(name) for name in asked["hosts"]], {str(name): tuple(map(str, of)) for name, of in asked["groups"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise CollectError(f"no host was asked: ansible-playbook ended with {ran.returncode}, and its output says why") from None
    return Asked(tuple(_archives(names, into)), {name: of for name, of in groups.items() if name not in ("all", "ungrouped")})


def _archives(names: Sequence[str], into: str) -> Iterator[Input]:
    """The input of each host; its name is that of the inventory, which is what people call it by."""
    for name in sorted(names):
        place = os.path.join(into, _file_name(name))
        reason = "" if os.path.isfile(place + ARCHIVE) else _refusal(place)
        if reason:
            yield Input("host", name, name, place, unavailable_reason=reason, within="")
            continue
        yield replace(archived(place + ARCHIVE), name=name)


def _file_name(name: str) -> str:
    """As collect.yml writes it: letters that any file system takes, and a few that tell apart what these do not."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    sum_of_it = sha1(name.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return f"{plain}-{sum_of_it[:8]}"


def _refusal(place: str) -> str:
    """Why a host has no archive."""
    try:
        with open(place + REFUSED, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_MOST_REASON)
    except OSError:
        return NOT_COLLECTED
