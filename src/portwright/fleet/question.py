"""What is asked of each host of a fleet, and its digest: the program itself, the rules and the options, which with a host's files decide
what is found there."""

import json
import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from portwright import __version__
from portwright._start.records import dataclass
from portwright.audit.check import Selection
from portwright.rules import Rule
from portwright.shipped import folder

if TYPE_CHECKING:
    from hashlib import _Hash

_WRITTEN = (".py", ".yaml", ".yml", ".conf", ".json", ".txt", ".css", ".js")
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Question:
    """The rules, which findings are kept, the ids of all rules, the rate that hosts must keep up, and the folders of more rules."""

    rules: tuple[Rule, ...]
    selection: Selection
    known: frozenset[str]
    rate: int | None = None
    folders: tuple[str, ...] = ()

    def digest(self) -> str:
        """The same for the same question to the same program, whatever machine it runs on."""
        made = sha256()
        selection = self.selection
        said = (
            *(__version__, list(sys.version_info[:2]), self.rate, sorted(self.known), [rule.id for rule in self.rules]),
            *([rule.card.remapped for rule in self.rules], selection.least, selection.config),
        )
        made.update(json.dumps(said).encode("ascii"))
        for top in (_HERE, folder("rules"), *self.folders):
            _add(top, made)
        return made.hexdigest()


def _add(top: str | os.PathLike[str], made: "_Hash") -> None:
    for path in _files(os.fspath(top)):
        with open(path, "rb") as file:
            content = file.read()
        made.update(f"{os.path.relpath(path, top)}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        made.update(content)


def _files(top: str) -> Iterator[str]:
    if os.path.isfile(top):
        yield top
    for here, folders, names in os.walk(top):
        folders.sort()
        yield from (os.path.join(here, name) for name in sorted(names) if name.endswith(_WRITTEN))


