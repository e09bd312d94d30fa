"""A task of a playbook at hand, as its module is given it."""

from collections.abc import Mapping
from typing import Any

from portwright._start.records import dataclass
from portwright.repositories.deployers.ansible.filters import OMIT
from portwright.repositories.deployers.ansible.values import Place
from portwright.repositories.deployers.ansible.variables import Variables, text_of


@dataclass(frozen=True, slots=True)
class Task:
    """A task at hand: where it stands, what its module is given, whether it is sure to run, and where its files are looked for."""

    at: Place
    given: Mapping[str, Any]
    variables: Variables
    is_sure: bool
    templates: tuple[str, ...]
    files: tuple[str, ...]

    def value(self, *names: str) -> Any:
        """The first of these arguments that is given, filled in."""
        for name in names:
            if name in self.given:
                found = self.variables.filled(self.given[name])
                if found is not OMIT:
                    return found
        return None

    def text(self, *names: str) -> str | None:
        """An argument as a text; None where it is not given."""
        found = self.value(*names)
        return None if found is None else text_of(found)

    def raw(self, *names: str) -> Any:
        """The first of these arguments that is given, as it stands there."""
        return next((self.given[name] for name in names if name in self.given), None)
