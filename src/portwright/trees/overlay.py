"""A tree plus edits: how a host would look after files were written or removed, without writing any."""

from collections.abc import Iterable, Mapping

from portwright.trees.tree import HEAD, Attributes, Kind, ReadError, Tree, Trouble

_MOST_LINKS = 40  # path_resolution(7)
NO_TEXTS: Mapping[str, str] = {}


class OverlayTree:
    """`base` with each edited path replaced by the given bytes, or removed (None), as `mv` and `rm -r` would; `links` are made after that.

    Links in the directories above an edited path are followed in the base; a link at the path itself is replaced, not written
    through. Missing directories are made. Raises ReadError where a file stands in the way of a directory, or the
    other way round. `labels` say how reports show what was edited, where not by its path.
    """

    def __init__(
        self,
        base: Tree,
        edits: Mapping[str, bytes | None],
        links: Mapping[str, str] = NO_TEXTS,
        labels: Mapping[str, str] = NO_TEXTS,
    ) -> None:
        self._base = base
        self._links: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._gone: set[str] = set()
        self._resolved: dict[str, str] = {}
        # What the edits add to directories, those that they make included.
        self._added: dict[str, set[str]] = {}
        for path in sorted(path for path, content in edits.items() if content is None):
            self._gone.add(self._place(path))
        for path, content in sorted((path, content) for path, content in edits.items() if content is not None):
            place = self._place(path)
            self._write(place, path, content)
            if path in labels:
                self._labels[place] = labels[path]
        for path, target in sorted(links.items()):
            place = self._place(path)
            self._write(place, path, b"")
            self._links[place] = target
        self._resolved.clear()

    def resolve(self, path: str) -> str:
        known = self._resolved.get(path)
        if known is None:
            known = self._resolved[path] = self._follow(path)
        return known

    def _follow(self, path: str) -> str:
        todo, done, links = path.split("/")[::-1], "", 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done.rpartition("/")[0]
                continue
            there = f"{done}/{part}"
            target = self._links.get(there) if self._is_edited(there) else self._base.link(there)
            if target is None:
                done = there
                continue
            links += 1
            if links > _MOST_LINKS:
                raise ReadError(path, "too many levels of symbolic links")
            if target.startswith("/"):
                done = ""
            todo.extend(target.split("/")[::-1])
        return done or "/"

    def kind(self, path: str) -> Kind:
        real = self.resolve(path)
        if real in self._files:
            return "special" if real == "/dev/null" else "file"
        if real in self._added:
            return "directory"
        if self._is_gone(real):
            return "special" if real == "/dev/null" else "missing"
        return self._base.kind(real)

    def link(self, path: str) -> str | None:
        parent, _, name = path.rstrip("/").rpartition("/")
        there = f"{self.resolve(parent).rstrip('/')}/{name}"
        if name in ("", ".", ".."):
            return None
        return self._links.get(there) if self._is_edited(there) else self._base.link(there)

    def names(self, directory: str) -> tuple[str, ...]:
        real = self.resolve(directory)
        if real in self._files:
            return ()
        below = real.rstrip("/")
        found = set() if self._is_gone(real) else {n for n in self._base.names(real) if f"{below}/{n}" not in self._gone}
        return tuple(sorted(found | self._added.get(real, set()), key=_bytes))

    def read(self, path: str) -> bytes | None:
        kind = self.kind(path)
        if kind == "missing":
            return None
        if kind == "directory":
            raise ReadError(path, "is a directory")
        real = self.resolve(path)
        if real == "/dev/null":
            return b""
        return self._files[real] if real in self._files else self._base.read(real)

    def head(self, path: str) -> bytes | None:
        real = self.resolve(path)
        if real not in self._files and not self._is_edited(real):
            return self._base.head(real)
        content = self.read(path)
        return None if content is None else content[:HEAD]

    def attributes(self, path: str) -> Attributes | None:
        real = self.resolve(path)
        return None if self._is_edited(real) else self._base.attributes(real)

    def label(self, path: str) -> str:
        own = self._labels.get(self.resolve(path)) if self._labels else None
        return self._base.label(path) if own is None else own

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        left = (path for path in self._base.walk(trouble) if not self._is_edited(path))
        return sorted((*left, *self._files), key=_bytes)

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _place(self, path: str) -> str:
        """Where an edit lands: the directories above it resolved, its last part not."""
        self._resolved.clear()  # the edit before may have changed what links lead to
        parent, _, name = path.rstrip("/").rpartition("/")
        if name in ("", ".", ".."):
            raise ValueError(f"not a path of a file: {path}")
        return f"{self.resolve(parent).rstrip('/')}/{name}"

    def _write(self, place: str, path: str, content: bytes) -> None:
        if self.link(place) is None and self.kind(place) == "directory":
            raise ReadError(path, "is a directory")
        self._files[place] = content
        while place != "/":
            parent, _, name = place.rpartition("/")
            parent = parent or "/"
            if parent in self._files or self.kind(parent) in ("file", "special"):
                raise ReadError(path, f"{parent} is not a directory")
            self._added.setdefault(parent, set()).add(name)
            place = parent

    def _is_edited(self, there: str) -> bool:
        return there in self._files or there in self._added or self._is_gone(there)

    def _is_gone(self, there: str) -> bool:
        """Whether the base's view of a canonical path is gone: removed, or below what was removed or replaced by a file."""
        if not self._gone and not self._files:
            return False
        while there:
            if there in self._gone or there in self._files:
                return True
            there = there.rpartition("/")[0]
        return False


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
