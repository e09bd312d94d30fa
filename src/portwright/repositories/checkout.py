"""Checkout: what a deployer asks of the repository that its source stands in."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from portwright.trees import ReadError, Tree, holds_only_secrets

T = TypeVar("T")

_MOST_KEPT = 16 << 20
"""Bytes of texts that are kept, for whoever asks for them once more."""
_LONGEST = 1 << 20
"""Bytes of a file beyond which it is none that a deployer fills in or copies."""


class Checkout:
    """The files of a repository by their paths in it, without a leading slash: `roles/web/tasks/main.yml`."""

    def __init__(self, tree: Tree, paths: Iterable[str]) -> None:
        self._tree = tree
        self._paths = {tree.label(path): path for path in paths}
        self._texts: dict[str, str | None] = {}
        self._made: dict[str, Any] = {}
        self._kept = 0
        self.kept: dict[str, Any] = {}
        """What a deployer has worked out for several of its sources, by its name."""

    @property
    def labels(self) -> Iterable[str]:
        """All files, in the order of the walk."""
        return self._paths.keys()

    def text(self, label: str) -> str | None:
        """A file's text; None where there is none, or where it cannot be read or is too long."""
        if label not in self._texts:
            text = self._read(label)
            self._kept += 0 if text is None else len(text)
            if self._kept > _MOST_KEPT:
                return text
            self._texts[label] = text
        return self._texts[label]

    def has(self, label: str) -> bool:
        """Whether there is such a file."""
        return label in self._paths

    def beside(self, label: str, path: str) -> str | None:
        """The file that a path names as seen from the folder of another file; None where there is none."""
        parts = label.split("/")[:-1]
        for part in path.split("/"):
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        found = "/".join(parts)
        return found if found in self._paths else None

    def inside(self, folder: str) -> tuple[str, ...]:
        """The files right in a folder; `""` is the top."""
        return tuple(self._children.get(folder, ()))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What is made of the repository, or of a part of it that the name says, by whoever asks first."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    def under(self, folder: str) -> Iterator[str]:
        """The files of a folder and of those below it; `""` is the top."""
        return iter(self._paths if not folder else self._folders.get(folder.rstrip("/"), ()))

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for label in self._paths:
            found.setdefault(label.rpartition("/")[0], []).append(label)
        return found

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for label in self._paths:
            at = label.find("/")
            while at >= 0:
                found.setdefault(label[:at], []).append(label)
                at = label.find("/", at + 1)
        return found

    def _read(self, label: str) -> str | None:
        if label not in self._paths or holds_only_secrets(self._paths[label]):
            return None
        try:
            data = self._tree.read(self._paths[label])
        except ReadError:
            return None  # whoever walks the repository says so
        return None if data is None or len(data) > _LONGEST else data.decode("utf-8", "surrogateescape")
