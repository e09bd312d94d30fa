"""A directory as a repository: labels are paths inside it, and what version control and package managers keep there is not walked."""

from collections.abc import Iterable

from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import Attributes, Trouble

_NOT_WALKED = frozenset(
    {
        *(".git", ".hg", ".svn", ".bzr", "CVS", "_darcs"),
        *("node_modules", "bower_components", "site-packages", "__pycache__", ".eggs"),
        *(".venv", "venv", ".tox", ".nox", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
        *(".terraform", ".vagrant", ".gradle", ".m2", ".direnv", ".idea", ".vscode"),
    }
)


class RepositoryTree(DirectoryTree):
    """A checkout: its top is `/`, and reports show a file as `deploy/nginx.conf`."""

    # What a link leads to inside a repository is met where it lies, and must not count twice.
    walks_links = False

    def attributes(self, path: str) -> Attributes | None:
        return None  # version control keeps neither owners nor capabilities

    def label(self, path: str) -> str:
        return path.lstrip("/") or "."

    def is_walked(self, directory: str, name: str) -> bool:
        return name not in _NOT_WALKED


class RepositoryInMemory(MemoryTree):
    """A repository given as a mapping; it is walked and named as a checkout is."""

    def label(self, path: str) -> str:
        return path.lstrip("/") or "."

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        found = (path for path in super().walk(trouble) if self.link(path) is None)
        return [path for path in found if _NOT_WALKED.isdisjoint(path.split("/")[1:-1])]
