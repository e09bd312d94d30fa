"""A tar archive as a host's files, packed or not: it is looked through once, its links are data, and nothing is unpacked to disk."""

import os
import stat
from itertools import islice

from portwright.trees.directory import MOST_BYTES, MOST_DEEP, MOST_NAMES, DirectoryTree
from portwright.trees.tar import Member, members
from portwright.trees.tree import HEAD, MOST_TROUBLE, Attributes, ReadError
from portwright.trees.unpacking import TRUNCATED, ArchiveError, Stream, unpacked

MOST_KEPT = 48 << 20
"""Bytes of files that are kept, of a packed archive, while it is looked through."""

MOST_KEPT_OF_THE_REST = 8 << 20
"""Those of files that are seldom asked for."""

MOST_OF_ONE = 1 << 20

MOST_PASSES = 24
"""How often a packed archive is unpacked once more, for a file that was not kept."""

_SELDOM = (
    "/usr/share/", "/usr/include/", "/usr/src/", "/var/log/", "/var/cache/", "/lib/modules/", "-packages/", "/overlay2/", "/boot/",
)  # fmt: skip
_PROGRAM = b"\x7fELF"
_MOST_OF_A_PROGRAM = 64
_LINK, _DIRECTORY = stat.S_IFLNK, stat.S_IFDIR
_MOST_CHARACTERS = 4096  # PATH_MAX


class _File:
    """A regular file: what the archive says of it, as much of its bytes as was kept (`beginning`), and why none are there (`unread`)."""

    __slots__ = ("beginning", "capability", "mode", "offset", "owner", "size", "unread")

    def __init__(self, member: Member, beginning: bytes, unread: str = "") -> None:
        self.mode, self.owner, self.capability = member.mode, member.owner, member.capability
        self.size, self.offset, self.beginning = member.size, member.offset, beginning
        self.unread = "a sparse file, of which the archive has the parts" if member.is_sparse else unread


class ArchiveTree(DirectoryTree):
    """A directory that was seen whole before anybody asks: the resolver of links is that of directories.

    Names are the archive's without a leading `/` or `./`. A name twice means its last file, as for tar(1); a way through a link goes
    where the link leads, inside the archive. A name that leads out of it, or that is a directory and something else, makes the archive
    unreadable.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._top = ""
        self._types = {"": _DIRECTORY}
        self._targets = {}
        self._resolved = {"": ("", 0)}
        self._names = {}
        self._keeps = None
        self._files: dict[str, _File] = {}
        self._passes = [0]
        self._odd: dict[str, str] = {}
        below: dict[str, list[str]] = {"": []}
        ways: dict[str, str] = {}
        self._kept = self._kept_of_the_rest = 0
        with unpacked(path) as stream:
            self._packed = stream.packed
            for member in members(stream, path):
                self._add(member, stream, below, ways)
        self._resolved = {"": ("", 0)}
        self._types = {path: kind for path, kind in self._types.items() if kind}
        self._leave_out(below)
        self._names = {directory: _ordered(names) for directory, names in below.items()}

    def _leave_out(self, below: dict[str, list[str]]) -> None:
        """Put files in their places that the collector of a snapshot saw and did not take: whoever asks for one is told why."""
        listed = self._files.get(_UNREAD)
        text = b"" if listed is None else self._bytes(_UNREAD, listed, min(listed.size, MOST_OF_ONE))
        for line in text.decode("utf-8", "surrogateescape").splitlines():
            path, _, reason = line.partition("\t")
            folder, _, name = path.rpartition("/")
            if folder in below and name and path not in self._types:
                self._types[path] = stat.S_IFREG
                self._files[path] = _File(_EMPTY, b"", reason or "left out")
                below[folder].append(name)
            elif reason:
                self._odd[path or "/"] = reason

    def __reduce__(self) -> tuple[type["ArchiveTree"], tuple[str]]:
        return type(self), (self._path,)

    def close(self) -> None:
        """Nothing is open."""

    def rooted(self, top: str) -> "ArchiveTree":
        """The same with a directory of it as the root; "" is the root itself."""
        if not top:
            return self
        tree = object.__new__(ArchiveTree)
        tree._path, tree._top, tree._packed, tree._passes, tree._keeps = self._path, self._top + top, self._packed, self._passes, None
        cut, prefix = len(top), f"{top}/"
        tree._types = {path[cut:]: kind for path, kind in self._types.items() if path.startswith(prefix)} | {"": _DIRECTORY}
        tree._targets = {path[cut:]: target for path, target in self._targets.items() if path.startswith(prefix)}
        tree._names = {path[cut:]: names for path, names in self._names.items() if path == top or path.startswith(prefix)}
        tree._files = {path[cut:]: file for path, file in self._files.items() if path.startswith(prefix)}
        tree._resolved = {"": ("", 0)}
        tree._odd = {path[cut:]: reason for path, reason in self._odd.items() if path.startswith(prefix)}
        return tree

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """What is odd about the archive: a path and what is to be said of it, of the first hundred."""
        return tuple(islice(self._odd.items(), MOST_TROUBLE))

    # ── looking through it ──────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, member: Member, stream: Stream, below: dict[str, list[str]], ways: dict[str, str]) -> None:
        parts = [part for part in member.name.split("/") if part not in ("", ".")]
        if not parts:
            return  # the root itself
        if ".." in parts:
            raise ArchiveError(self._path, f"a member of the archive leads out of it: {member.name[:200]}")
        if len(parts) > 2 * MOST_DEEP or len(member.name) > _MOST_CHARACTERS or "\0" in member.name:
            raise ArchiveError(self._path, f"the archive has a member whose name no file system would take: {member.name[:200]}")
        *folders, name = parts
        way = "/".join(folders)
        if way not in ways:
            ways[way] = self._made(folders, below)
        parent = ways[way]
        place = f"{parent}/{name}"
        known = self._types.get(place, 0)
        if not known:
            names = below[parent]
            if len(names) == MOST_NAMES:
                raise ArchiveError(self._path, f"the archive has more than {MOST_NAMES} names in one directory")
            names.append(name)
        elif (known == _DIRECTORY) != (member.kind == _DIRECTORY):
            raise ArchiveError(self._path, f"the archive has a directory and something else of one name: {member.name[:200]}")
        elif known != _DIRECTORY:
            self._odd[place] = "the archive has this name twice: the last one counts"
        if known and _LINK in (known, member.kind):
            self._resolved, self._targets = {"": ("", 0)}, {path: text for path, text in self._targets.items() if path != place}
            ways.clear()
        self._types[place] = member.kind
        if member.kind == _DIRECTORY:
            below.setdefault(place, [])
        elif member.kind == _LINK:
            self._targets[place] = member.target
        elif member.is_second:
            first = self._files.get(self._follow(f"/{member.target}"))
            if first is None:
                raise ArchiveError(self._path, f"a member of the archive is a second name of none: {member.name[:200]}")
            self._files[place] = first
        elif member.kind == stat.S_IFREG:
            self._files[place] = _File(member, self._content(member, stream, place))

    def _made(self, folders: list[str], below: dict[str, list[str]]) -> str:
        """The directory that holds a member, made where no member of its own says it; links on the way are followed."""
        real = self._follow("/" + "/".join(folders)) if folders else ""
        here = ""
        for name in real.split("/")[1:]:
            there = f"{here}/{name}"
            known = self._types.get(there, 0)
            if not known:
                self._types[there] = _DIRECTORY
                below[here].append(name)
                below[there] = []
            elif known != _DIRECTORY:
                raise ArchiveError(self._path, f"the archive has a directory and something else of one name: {there[:200]}")
            here = there
        return real

    def _content(self, member: Member, stream: Stream, place: str) -> bytes:
        """What of a file's bytes is kept while they pass: all of a text, the beginning of a program, nothing of what is not packed."""
        if not self._packed or member.is_sparse:
            return b""
        head = stream.take(min(member.size, HEAD))
        if len(head) < min(member.size, HEAD):
            raise ArchiveError(self._path, TRUNCATED)
        if head.startswith(_PROGRAM):
            return head[:_MOST_OF_A_PROGRAM]
        more = 0 if member.size > MOST_OF_ONE else member.size
        if any(folder in place for folder in _SELDOM):
            if self._kept_of_the_rest + more > MOST_KEPT_OF_THE_REST:
                return b""
            self._kept_of_the_rest += more
        elif self._kept + more > MOST_KEPT:
            return head[:_MOST_OF_A_PROGRAM]
        else:
            self._kept += more
        return head + stream.take(more - len(head)) if more else head

    # ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, path: str) -> bytes | None:
        file = self._regular(path)
        if file is None:
            return None
        if file.size > MOST_BYTES:
            raise ReadError(path, f"larger than {MOST_BYTES >> 20} MiB")
        return self._bytes(path, file, file.size)

    def head(self, path: str) -> bytes | None:
        file = self._regular(path)
        if file is None:
            return None
        return file.beginning[:HEAD] or self._bytes(path, file, min(file.size, HEAD))

    def _regular(self, path: str) -> _File | None:
        real = self._openable(path)
        return _NOTHING if real == "/dev/null" else self._files[real] if real else None

    def _bytes(self, path: str, file: _File, count: int) -> bytes:
        if file.unread:
            raise ReadError(path, file.unread)
        if len(file.beginning) >= count:
            return file.beginning[:count]
        if self._packed:
            self._passes[0] += 1
            if self._passes[0] > MOST_PASSES:
                raise ReadError(path, f"left out: the archive was unpacked {MOST_PASSES} times already for files that were not kept")
        try:
            with unpacked(self._path) as stream:
                stream.skip(file.offset)
                found = stream.take(count)
        except ArchiveError as error:
            raise ReadError(path, error.reason) from error
        if len(found) < count:
            raise ReadError(path, "it changed while it was read")
        return found

    def _type(self, there: str) -> int:
        return self._types.get(there, 0)

    def _target(self, there: str) -> str:
        return self._targets[there]

    def _scan(self, directory: str) -> list[tuple[str, int]]:
        return [(name, self._types[f"{directory}/{name}"]) for name in self._names.get(directory, ())]

    def is_walked(self, directory: str, name: str) -> bool:
        return True

    def _attributes(self, path: str) -> Attributes | None:
        try:
            file = self._files.get(self._follow(path))
        except ReadError:
            return None
        return None if file is None else Attributes(file.mode, file.owner, file.capability or b"")


_EMPTY = Member("", stat.S_IFREG, 0, 0, 0, 0, "", False, False, None)
_NOTHING = _File(_EMPTY, b"")
_UNREAD = "/.portwright/unread"


def _ordered(names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape")))


_last: dict[tuple[str, int, int, int, int], ArchiveTree] = {}


def archive(path: str) -> ArchiveTree:
    """An archive, as it was looked through a moment ago where it was the last one. Raises ArchiveError for one that cannot be read."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise ArchiveError(path, (error.strerror or "cannot be read").lower()) from None
    key = (path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if key not in _last:
        _last.clear()  # before the next one takes as much memory
        _last[key] = ArchiveTree(path)
    return _last[key]


def beginning(path: str, count: int) -> dict[str, bytes]:
    """The first few members that are files, by name: who an archive of ours is of stands there. Raises ArchiveError as `archive` does."""
    found: dict[str, bytes] = {}
    with unpacked(path) as stream:
        for member, _ in zip(members(stream, path), range(count), strict=False):
            if member.kind == stat.S_IFREG and not member.is_sparse and not member.is_second and member.size <= HEAD:
                found[member.name] = stream.take(member.size)
    return found
