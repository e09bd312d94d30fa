"""A tree given as a mapping of paths to text: for tests, standard input and overlays' results."""

from collections.abc import Iterable, Mapping

from portwright.trees.tree import HEAD, Attributes, Kind, ReadError, Trouble

_MOST_LINKS = 40  # path_resolution(7)


class MemoryTree:
    """Files by absolute path; a value `-> target` is a symbolic link."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self._links: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._directories: dict[str, set[str]] = {"/": set()}
        for path, content in files.items():
            if not path.startswith("/"):
                raise ValueError(f"not an absolute path: {path}")
            if isinstance(content, str) and content.startswith("-> "):
                self._links[path] = content[3:].strip()
            else:
                self._files[path] = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
            while path != "/":
                parent, _, name = path.rpartition("/")
                path = parent or "/"
                there = self._directories.setdefault(path, set())
                if name in there:
                    break  # and so are the directories above it
                there.add(name)

    def resolve(self, path: str) -> str:
        todo, done, links = path.split("/")[::-1], "", 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done.rpartition("/")[0]
                continue
            target = self._links.get(f"{done}/{part}")
            if target is None:
                done = f"{done}/{part}"
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
        if real in self._directories:
            return "directory"
        if real == "/dev/null":
            return "special"
        return "file" if real in self._files else "missing"

    def link(self, path: str) -> str | None:
        parent, _, name = path.rstrip("/").rpartition("/")
        return self._links.get(f"{self.resolve(parent).rstrip('/')}/{name}")

    def names(self, directory: str) -> tuple[str, ...]:
        return tuple(sorted(self._directories.get(self.resolve(directory), ()), key=lambda name: name.encode("utf-8", "surrogateescape")))

    def read(self, path: str) -> bytes | None:
        if self.kind(path) == "directory":
            raise ReadError(path, "is a directory")
        return b"" if self.kind(path) == "special" else self._files.get(self.resolve(path))

    def head(self, path: str) -> bytes | None:
        content = self.read(path)
        return None if content is None else content[:HEAD]

    def attributes(self, path: str) -> Attributes | None:
        return None

    def label(self, path: str) -> str:
        return path

    def walk(self, trouble: Trouble | None = None) -> Iterable[str]:
        return sorted((*self._files, *self._links), key=lambda path: path.encode("utf-8", "surrogateescape"))
