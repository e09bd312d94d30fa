"""A real directory as a host's files, read as if it were the root: nothing outside it is ever opened."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType

from portwright.trees.tree import HEAD, Attributes, Kind, ReadError, Trouble

MOST_BYTES = 16 * 1024 * 1024
MOST_NAMES = 100_000
MOST_WALKED = 1_000_000
MOST_DEEP = 100

_MOST_LINKS = 40  # path_resolution(7)
_MOST_CHARACTERS = 4096  # PATH_MAX
_MOST_OPEN = 64
_TRIES = 3

# With O_PATH, as for the kernel, a directory need not be readable to be passed through.
_PASS = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

# Programs that distributions install with file capabilities. Where one of them has them still, the tree was copied with them.
_WITH_CAPABILITIES = (
    *("/usr/bin/ping", "/bin/ping", "/usr/bin/fping", "/usr/bin/arping", "/usr/bin/mtr-packet", "/usr/bin/clockdiff"),
    *("/usr/bin/newuidmap", "/usr/bin/newgidmap", "/usr/bin/dumpcap", "/usr/sbin/suexec"),
    *("/usr/lib/x86_64-linux-gnu/gstreamer1.0/gstreamer-1.0/gst-ptp-helper", "/usr/libexec/gstreamer-1.0/gst-ptp-helper"),
)
_CAPABILITY = "security.capability"

_SPECIAL = {
    stat.S_IFIFO: "a FIFO is not a file to read",
    stat.S_IFSOCK: "a socket is not a file to read",
    stat.S_IFCHR: "a character device is not a file to read",
    stat.S_IFBLK: "a block device is not a file to read",
}

# Directories kept open by all trees together, least recently used first, so that a fleet of trees that nobody closed holds no more
# descriptors than one.
_open: dict[tuple[int, str], int] = {}
_numbers = count()


class DirectoryTree:
    """A directory laid out like a host's `/`, or `/` itself.

    Links are text to this reader: the kernel is never asked to follow one below the root, so an absolute target or `..` cannot lead
    out of it, even if somebody swaps a directory for a link while it is read. What was seen once is remembered: a tree is a
    snapshot. `close` (or leaving a `with` block) forgets it.
    """

    walks_links = True

    def __init__(self, root: str) -> None:
        self._root = os.fsencode(os.path.abspath(root))
        self._number = next(_numbers)
        self._identity: tuple[int, int] | None = None
        self.close()

    def __reduce__(self) -> tuple[type["DirectoryTree"], tuple[str]]:
        return type(self), (os.fsdecode(self._root),)

    def __enter__(self) -> "DirectoryTree":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open and forget what was seen; the tree may be used again."""
        for key in [key for key in _open if key[0] == self._number]:
            os.close(_open.pop(key))
        # By canonical path, the root being "": the file type (0 where nothing is), a link's text, a directory's names.
        self._types: dict[str, int] = {"": stat.S_IFDIR}
        self._targets: dict[str, str] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        # By path as asked for: the canonical one, and how many links led there.
        self._resolved: dict[str, tuple[str, int]] = {"": ("", 0)}
        self._keeps: bool | None = None

    # ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────

    def resolve(self, path: str) -> str:
        return self._follow(path) or "/"

    def kind(self, path: str) -> Kind:
        real = self._follow(path)
        found = self._types.get(real, 0)
        if found == stat.S_IFDIR:
            return "directory"
        if found in _SPECIAL or real == "/dev/null":
            return "special"
        return "missing" if found == 0 else "file"

    def link(self, path: str) -> str | None:
        parent, _, name = path.rstrip("/").rpartition("/")
        there = f"{self._follow(parent)}/{name}"
        if name in ("", ".", ".."):
            return None
        return self._target(there) if self._type(there) == stat.S_IFLNK else None

    def names(self, directory: str) -> tuple[str, ...]:
        real = self._follow(directory)
        if self._types.get(real) != stat.S_IFDIR:
            return ()
        known = self._names.get(real)
        if known is None:
            found = self._scan(real)
            for name, kind in found:
                self._types.setdefault(f"{real}/{name}", kind)
            names = [name for name, _ in found]
            names.sort(key=None if "".join(names).isascii() else _bytes)
            known = self._names[real] = tuple(names)
        return known

    def read(self, path: str) -> bytes | None:
        return self._read(path, read_whole)

    def head(self, path: str) -> bytes | None:
        return self._read(path, _read_head)

    def _openable(self, path: str) -> str:
        """The canonical path of a regular file or of /dev/null, "" where nothing is. Raises ReadError for what is not to be opened."""
        real = self._follow(path)
        found = self._types.get(real, 0)
        if found == stat.S_IFDIR:
            raise ReadError(path, "is a directory")
        if real == "/dev/null":
            return real
        if found in _SPECIAL:
            raise ReadError(path, _SPECIAL[found])
        return real if found else ""

    def _read(self, path: str, take: Callable[[int, str], bytes | None]) -> bytes | None:
        real = self._openable(path)
        if real == "/dev/null":
            return b""
        if not real:
            return None
        if self._is_of_the_kernel(real):
            raise ReadError(path, "a file that the kernel makes up, not a file of the host")
        parent, _, name = real.rpartition("/")
        for _ in range(_TRIES):
            try:
                descriptor = os.open(_bytes(name), _READ, dir_fd=self._descriptor(parent))
            except OSError as error:
                raise ReadError(path, _reason(error)) from error
            try:
                content = take(descriptor, path)
            except OSError as error:
                raise ReadError(path, _reason(error)) from error
            finally:
                os.close(descriptor)
            if content is not None:
                return content
        raise ReadError(path, "it changed while it was read")

    def attributes(self, path: str) -> Attributes | None:
        found = self._attributes(path)
        if found is not None and found.capability == b"" and not self.keeps_capabilities():
            return Attributes(found.mode, found.owner, None, found.group)
        return found

    def keeps_capabilities(self) -> bool:
        """Whether a file without capabilities surely never had any: the tree shows that it was copied with those of others."""
        if self._keeps is None:
            shown = (self._attributes(path) for path in _WITH_CAPABILITIES)
            self._keeps = any(each is not None and each.capability for each in shown)
        return self._keeps

    def label(self, path: str) -> str:
        return path

    def walk(self, trouble: Trouble | None = None) -> Iterator[str]:
        left = MOST_WALKED
        # Entries still to visit, last first; a directory is `path/`, which also sorts it among its siblings as its files will be.
        todo = ["/"]
        while todo:
            path = todo.pop()
            if not path.endswith("/"):
                yield path
                continue
            directory = path[:-1]
            try:
                if directory.count("/") > MOST_DEEP:
                    raise ReadError(directory, f"deeper than {MOST_DEEP} directories")
                found = self._scan(directory)
                left -= len(found)
                if left < 0:
                    raise ReadError(directory or "/", f"more than {MOST_WALKED} files; the rest was not looked at")
            except ReadError as error:
                if trouble is None:
                    raise
                trouble(error)
                if left < 0:
                    return
                continue
            below = [
                f"{directory}/{name}/" if kind == stat.S_IFDIR else f"{directory}/{name}"
                for name, kind in found
                if (self.is_walked(directory, name) if kind == stat.S_IFDIR else kind != stat.S_IFLNK or self.walks_links)
            ]
            below.sort(key=_bytes, reverse=True)
            todo.extend(below)

    def is_walked(self, directory: str, name: str) -> bool:
        """Whether walk() goes down into a directory: not into what a running kernel mounts at the root."""
        return bool(directory) or name not in ("proc", "sys", "dev", "run") or not self._is_mounted(name)

    # ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _attributes(self, path: str) -> Attributes | None:
        """What the file system says of a regular file; its capabilities are b"" where it names none."""
        try:
            real = self._follow(path)
            if self._types.get(real) != stat.S_IFREG:
                return None
            parent, _, name = real.rpartition("/")
            descriptor = self._descriptor(parent)
            status = os.stat(_bytes(name), dir_fd=descriptor, follow_symlinks=False)
        except (OSError, ReadError):
            return None
        # A program need not be readable, and reading an attribute of a path through its directory does not open it.
        return Attributes(status.st_mode, status.st_uid, _capability(b"/proc/self/fd/%d/%s" % (descriptor, _bytes(name))), status.st_gid)

    def _follow(self, path: str) -> str:
        """The canonical form of a path, "" for the root. Every directory and the last part of it are then in `_types`."""
        known = self._resolved.get(path)
        if known is not None:
            return known[0]
        if len(path) > _MOST_CHARACTERS:
            raise ReadError(path, f"the path is longer than {_MOST_CHARACTERS} characters")
        if "\0" in path:
            raise ReadError(path, "the path holds a NUL")
        head, _, last = path.rpartition("/")
        known = self._resolved.get(head)
        if known is not None and last not in ("", ".", ".."):
            (done, links), todo = known, [last]
        else:
            done, links, todo = "", 0, path.split("/")[::-1]
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                done = done.rpartition("/")[0]
                continue
            there = f"{done}/{part}"
            if self._type(there) != stat.S_IFLNK:
                done = there
                continue
            links += 1
            if links > _MOST_LINKS:
                raise ReadError(path, "too many levels of symbolic links")
            target = self._target(there)
            if target.startswith("/"):
                done = ""
            todo.extend(target.split("/")[::-1])
        self._resolved[path] = (done, links)
        return done

    def _type(self, there: str) -> int:
        """The file type at a canonical path whose last part may be a link; 0 where nothing is."""
        known = self._types.get(there)
        if known is not None:
            return known
        parent, _, name = there.rpartition("/")
        found = 0
        if self._types.get(parent) == stat.S_IFDIR and parent not in self._names:
            try:
                descriptor = self._descriptor(parent)
            except OSError as error:
                raise ReadError(there, _reason(error)) from error
            try:
                found = stat.S_IFMT(os.stat(_bytes(name), dir_fd=descriptor, follow_symlinks=False).st_mode)
            except (FileNotFoundError, UnicodeEncodeError):
                found = 0
            except OSError as error:
                raise ReadError(there, _reason(error)) from error
        self._types[there] = found
        return found

    def _target(self, there: str) -> str:
        known = self._targets.get(there)
        if known is None:
            parent, _, name = there.rpartition("/")
            try:
                known = _text(os.readlink(_bytes(name), dir_fd=self._descriptor(parent)))
            except OSError as error:
                raise ReadError(there, _reason(error)) from error
            self._targets[there] = known
        return known

    def _scan(self, directory: str) -> list[tuple[str, int]]:
        """The names in a directory and their file types, in no order."""
        try:
            descriptor = os.open(".", _LIST, dir_fd=self._descriptor(directory))
        except OSError as error:
            raise ReadError(directory or "/", _reason(error)) from error
        found: list[tuple[str, int]] = []
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    if len(found) == MOST_NAMES:
                        raise ReadError(directory or "/", f"more than {MOST_NAMES} names in one directory")
                    name = entry.name if entry.name.isascii() else _text(os.fsencode(entry.name))
                    found.append((name, _type_of(entry)))
        except OSError as error:
            raise ReadError(directory or "/", _reason(error)) from error
        finally:
            os.close(descriptor)
        return found

    def _descriptor(self, directory: str) -> int:
        """An open descriptor of a canonical directory; it stays good until a few other directories have been asked for."""
        key = (self._number, directory)
        descriptor = _open.pop(key, None)
        if descriptor is None:
            if not directory:
                descriptor = self._open_root()
            else:
                if directory.count("/") > 2 * MOST_DEEP:
                    raise ReadError(directory, f"deeper than {2 * MOST_DEEP} directories")
                descriptor = self._open_directory(directory)
            if len(_open) >= _MOST_OPEN:
                os.close(_open.pop(next(iter(_open))))
        _open[key] = descriptor
        return descriptor

    def _open_directory(self, directory: str) -> int:
        parent, _, name = directory.rpartition("/")
        return os.open(_bytes(name), _PASS | os.O_NOFOLLOW, dir_fd=self._descriptor(parent))

    def _open_root(self) -> int:
        descriptor = os.open(self._root, _PASS)
        status = os.fstat(descriptor)
        identity = (status.st_dev, status.st_ino)
        self._identity = self._identity or identity
        if identity != self._identity:
            os.close(descriptor)
            raise ReadError("/", "another directory took its place while it was read")
        return descriptor

    def _is_of_the_kernel(self, real: str) -> bool:
        """Whether a file is one of a mounted /proc or /sys; /proc/sys is wanted, the rest may block, never end or tell secrets."""
        top = real[1:].partition("/")[0]
        return top in ("proc", "sys") and not real.startswith("/proc/sys/") and self._is_mounted(top)

    def _is_mounted(self, top: str) -> bool:
        root = self._descriptor("")
        return os.stat(_bytes(top), dir_fd=root, follow_symlinks=False).st_dev != os.fstat(root).st_dev


def read_whole(descriptor: int, path: str) -> bytes | None:
    """All of an open regular file; None where it changed meanwhile. Raises ReadError for another kind of file or one too large."""
    before = os.fstat(descriptor)
    kind = stat.S_IFMT(before.st_mode)
    if kind != stat.S_IFREG:
        raise ReadError(path, _SPECIAL.get(kind, "is a directory"))
    if before.st_size > MOST_BYTES:
        raise ReadError(path, f"larger than {MOST_BYTES >> 20} MiB")
    if before.st_size == 0:
        return _to_the_end(descriptor, path)
    content = os.read(descriptor, before.st_size + 1)
    after = os.fstat(descriptor)
    same = (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return content if same and len(content) == before.st_size else None


def _read_head(descriptor: int, path: str) -> bytes:
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        raise ReadError(path, _SPECIAL.get(kind, "is a directory"))
    return os.read(descriptor, HEAD)


def _to_the_end(descriptor: int, path: str) -> bytes:
    # Files of /proc say that they are empty. Those of /proc/sys answer the first read only, so it must be a large one.
    pieces: list[bytes] = []
    left = MOST_BYTES
    while piece := os.read(descriptor, 65536):
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            raise ReadError(path, f"larger than {MOST_BYTES >> 20} MiB")
    return b"".join(pieces)


def _capability(path: bytes) -> bytes | None:
    if not hasattr(os, "getxattr"):
        return None
    try:
        return os.getxattr(path, _CAPABILITY, follow_symlinks=False)
    except OSError as error:
        return b"" if error.errno in (errno.ENODATA, errno.ENOTSUP) else None


def _type_of(entry: "os.DirEntry[str]") -> int:
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    try:
        return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return 0


def _bytes(name: str) -> bytes:
    # Not os.fsencode: what a name is must not depend on the locale.
    return name.encode("utf-8", "surrogateescape")


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _reason(error: OSError) -> str:
    return (error.strerror or "cannot be read").lower()
