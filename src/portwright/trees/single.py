"""One file as a tree: a path somebody named, or standard input."""

from collections.abc import Iterable

from portwright.trees.memory import MemoryTree
from portwright.trees.tree import ReadError, Trouble


class SingleTree(MemoryTree):
    """A tree that holds one file at an in-tree path; reports show it as its user named it.

    `content` is a ReadError where the file is there and cannot be read.
    """

    def __init__(self, path: str, label: str, content: bytes | ReadError) -> None:
        super().__init__({path: b"" if isinstance(content, ReadError) else content})
        self._path = path
        self._label = label
        self._error = content if isinstance(content, ReadError) else None

    def read(self, path: str) -> bytes | None:
        if self._error is not None and self.resolve(path) == self._path:
            raise ReadError(path, self._error.reason)
        return super().read(path)

    def label(self, path: str) -> str:
        return self._label if path == self._path else path


class UnavailableTree(MemoryTree):
    """A tree of which nothing can be read, and why: looking for its files tells the reason."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__({})
        self._label = label
        self._reason = reason

    def label(self, path: str) -> str:
        return self._label if path == "/" else path

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        error = ReadError("/", self._reason)
        if trouble is None:
            raise error
        trouble(error)
        return ()
