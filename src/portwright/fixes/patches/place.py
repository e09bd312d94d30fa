"""Where a repository is changed for what findings wish: the texts it has, and what every kind of place answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from portwright.changes import Change
from portwright.finding import Finding
from portwright.fixes.patches.texts import NoPlaceError, TextEdit
from portwright.host import Host
from portwright.source import Source

if TYPE_CHECKING:
    from portwright.repositories.checkout import Checkout

Wish = tuple[Finding, Change]


class Texts:
    """The files of a repository as they are after what was proven so far."""

    def __init__(self, checkout: "Checkout", laid: Mapping[str, str]) -> None:
        self._checkout = checkout
        self._laid = laid
        self._made: dict[str, str] = {}

    @property
    def labels(self) -> Iterable[str]:
        """All files, those that were added last."""
        return (*self._checkout.labels, *(label for label in self._laid if not self._checkout.has(label)))

    def has(self, label: str) -> bool:
        return label in self._laid or self._checkout.has(label)

    def text(self, label: str) -> str:
        """A file's text; "" where there is none that can be read."""
        return self._laid.get(label) or self._checkout.text(label) or ""

    def once(self, name: str, make: Callable[[], str]) -> str:
        """What is made of all files by whoever asks first."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def source(self, label: str) -> Source:
        """A file that is there; raises NoPlaceError where there is none."""
        if not self.has(label):
            raise NoPlaceError(f"{label} is no file of the repository")
        return Source(label, self.text(label))


class Place(ABC):
    """A place of the repository, at which several wishes may be granted by one edit. Two places are one where they are equal."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def path(self) -> str: ...
        @property
        def line(self) -> int: ...

    @abstractmethod
    def edits(self, texts: Texts, wishes: Sequence[Wish]) -> Sequence[TextEdit]:
        """What is written for these wishes; raises NoPlaceError or ContradictionError."""

    @abstractmethod
    def in_words(self, wishes: Sequence[Wish]) -> str:
        """What is done there."""


Hosts = Sequence[Host]
