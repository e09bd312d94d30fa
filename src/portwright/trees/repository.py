"""A directory as a repository: labels are paths inside it, and what version control and package managers keep there is not walked."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from portwright.trees.directory import DirectoryTree
from portwright.trees.git_index import tracked
from portwright.trees.ignoring import Pattern, decided, patterns
from portwright.trees.memory import MemoryTree
from portwright.trees.tree import Attributes, ReadError, Trouble

_OPTION = "--exclude"
_MOST_PATTERNS = 500
"""Lines of a .gitignore that are heeded: beyond it more is read, not less."""
_MOST_STEPS = 20_000_000
"""Steps that patterns of many stars may take; then nothing more is left out."""

_Rules = tuple[int, str, tuple[Pattern, ...], int]
"""How many directories down it stands, its name, its patterns, and what these weigh together."""

_NOT_WALKED = frozenset(
    {
        *(".git", ".hg", ".svn", ".bzr", "CVS", "_darcs"),
        *("node_modules", "bower_components", "site-packages", "__pycache__", ".eggs"),
        *(".venv", "venv", ".tox", ".nox", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"),
        *(".terraform", ".vagrant", ".gradle", ".m2", ".direnv", ".idea", ".vscode"),
    }
)


class RepositoryTree(DirectoryTree):
    """A checkout: its top is `/`, and reports show a file as `deploy/nginx.conf`.

    A .gitignore counts where git's own files lie at the top, for what git does not track. `exclude` are patterns of gitignore(5), relative
    to the top. `ignored` is what a walk went past because of them or of a .gitignore:
    files, and directories with all that is below, each with the reason.
    """

    # What a link leads to inside a repository is met where it lies, and must not count twice.
    walks_links = False

    def __init__(self, root: str, exclude: Sequence[str] = (), excluded_by: str = _OPTION) -> None:
        super().__init__(root)
        self._excluded_by = excluded_by
        self._named = tuple(exclude)
        self._exclude = patterns(exclude)
        self._rules: dict[str, tuple[_Rules, ...]] = {}
        self._steps = 0
        self.ignored: dict[str, str] = {}

    def __reduce__(self) -> tuple[type["RepositoryTree"], tuple[str, tuple[str, ...]]]:  # type: ignore[override]
        _, (root,) = super().__reduce__()
        return type(self), (root, self._named)

    def attributes(self, path: str) -> Attributes | None:
        return None  # version control keeps neither owners nor capabilities

    def label(self, path: str) -> str:
        return path.lstrip("/") or "."

    def walk(self, trouble: Trouble | None = None) -> Iterator[str]:
        for path in super().walk(trouble):
            if not self._is_ignored(path.rpartition("/")[0], path):
                yield path

    def is_walked(self, directory: str, name: str) -> bool:
        return name not in _NOT_WALKED and not self._is_ignored(directory, f"{directory}/{name}/")

    def would_walk(self, path: str) -> bool:
        """Whether a walk would come past a file at a canonical path, be it there or not."""
        parts = path.split("/")[1:]
        above = accumulate(parts[:-1], lambda before, name: f"{before}/{name}", initial="")
        return all(map(self.is_walked, above, parts[:-1])) and not self._is_ignored(path.rpartition("/")[0], path)

    def _is_ignored(self, directory: str, path: str) -> bool:
        """Whether git would not see a new file there, or the user does not want it read; a directory's path ends in `/`."""
        rules = self._rules_for(directory)
        if not rules:
            return False
        parts = path.split("/")[1:]
        is_directory = not parts[-1]
        parts = parts[:-1] if is_directory else parts
        for depth, named, own, weight in rules:
            self._steps += len(path) * weight
            if self._steps > _MOST_STEPS:
                return False
            said = decided(parts[depth:], is_directory, own)
            if said is not None:
                said = said and (named == self._excluded_by or path.strip("/") not in self._tracked)
                if said:
                    self.ignored[path] = f"it is left out by {named}"
                return said
        return False

    def _rules_for(self, directory: str) -> tuple[_Rules, ...]:
        """What speaks of the names in a directory, the strongest first."""
        if directory not in self._rules:
            above = self._rules_for(directory.rpartition("/")[0]) if directory else self._excluded()
            own = patterns(self._lines(f"{directory}/.gitignore")) if self._is_checkout else ()
            if own:
                # Nothing takes back what the user excludes.
                strongest = 1 if self._exclude else 0
                rules = (directory.count("/"), f"{directory}/.gitignore".lstrip("/"), own, sum(each.weight for each in own))
                above = (*above[:strongest], rules, *above[strongest:])
            self._rules[directory] = above
        return self._rules[directory]

    @cached_property
    def _index(self) -> frozenset[str] | None:
        """What git tracks; None where that is not known: in a copy without git's own files what lies there was tracked."""
        try:
            if self.kind("/.git") != "directory" or self.link("/.git") is not None:
                return None
            data = self.read("/.git/index")
        except ReadError:
            return None
        return frozenset() if data is None else tracked(data)

    @property
    def _is_checkout(self) -> bool:
        return self._index is not None

    @property
    def _tracked(self) -> frozenset[str]:
        return self._index or frozenset()

    def _excluded(self) -> tuple[_Rules, ...]:
        return ((0, self._excluded_by, self._exclude, 0),) if self._exclude else ()

    def _lines(self, path: str) -> list[str]:
        try:
            data = self.read(path) if self.link(path) is None and self.kind(path) == "file" else None
        except ReadError:
            return []  # nor does git ignore anything then
        return [] if data is None else data.decode("utf-8", "surrogateescape").split("\n")[:_MOST_PATTERNS]


class RepositoryInMemory(MemoryTree):
    """A repository given as a mapping; it is walked and named as a checkout is."""

    def label(self, path: str) -> str:
        return path.lstrip("/") or "."

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        found = (path for path in super().walk(trouble) if self.link(path) is None)
        return [path for path in found if _NOT_WALKED.isdisjoint(path.split("/")[1:-1])]
