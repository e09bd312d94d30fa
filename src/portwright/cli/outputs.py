"""Files that commands write: through no link that somebody else may have laid, and whole or not at all.

A checkout, a host's directory and the directory of the run hold what others wrote, links among it: below them no link is followed.
Elsewhere a directory may be reached through links of the user or of root (/tmp on some systems is one). What is named last is never
a link, wherever it is.
"""

import os
import signal
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress

from portwright.numbers import decimal

_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC | os.O_DIRECTORY
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40

_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/")

_Identity = tuple[int, int]


class OutputError(Exception):
    """A file cannot be written; the message says which, and why."""


class Output:
    """A file to write. One that is `private` can be read by its owner only; others follow the umask."""

    def __init__(self, path: str, data: bytes, private: bool = False) -> None:
        self.path, self.data, self.private = path, data, private


def stream(path: str) -> int | None:
    """The open descriptor that a path means (/dev/stdout, /dev/fd/63 of a shell's `>(...)`); None where it means a file."""
    for prefix in _DESCRIPTORS:
        number = path.removeprefix(prefix)
        if number != path and (descriptor := decimal(number, 9_999_999)) is not None:
            return descriptor
    return _STREAMS.get(path)


def write(outputs: Sequence[Output], foreign: Iterable[str] = ()) -> None:
    """Write all of these files or none: each beside its place first, then all are moved there. What was there is put back on failure.

    `foreign` are directories of the command's inputs. Pipes and character devices are written as they are, and streams that are open.
    """
    with ExitStack() as leaving:
        waiting = _Uninterrupted()
        leaving.callback(waiting.stop)  # after what the places leave to be done
        guarded = _identities((".", *foreign))
        places = [_Place(output, guarded, leaving) for output in outputs]
        if not any(place.is_stream for place in places):
            waiting.start()
        for place in places:
            with _named(place.output):
                place.prepare()
        try:
            for place in places:
                with _named(place.output):
                    place.land(alone=len(places) == 1)
        except BaseException:
            for place in reversed(places):
                place.put_back()
            raise


def make_folder(path: str, foreign: Iterable[str] = ()) -> None:
    """Make a folder that only its owner may enter, reached as `write` reaches a file; one that is there stays as it is."""
    output = Output(path, b"", private=True)
    parent, _, name = path.rpartition("/")
    with _named(output):
        directory = _Walk(output, _identities((".", *foreign))).to("/" if path.startswith("/") else ".", parent)
        try:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=directory)
        finally:
            os.close(directory)


def make_private(path: str, foreign: Iterable[str] = ()) -> None:
    """Make an empty file that is its owner's alone where nothing is, reached as `write` reaches a file; what is there stays as it is."""
    output = Output(path, b"", private=True)
    with ExitStack() as leaving:
        _Place(output, _identities((".", *foreign)), leaving).make()


def remove(path: str, beginning: bytes, foreign: Iterable[str] = ()) -> bool:
    """Remove a file that begins so, reached as `write` reaches it; whether it is gone. Any other stays, and one that cannot be removed."""
    with ExitStack() as leaving:
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):  # a pipe would wait for its reader
                return False
            return _Place(Output(path, b""), _identities((".", *foreign)), leaving).remove(beginning)
        except (OSError, OutputError):
            return False


class _Uninterrupted:
    """Signals that end a run wait while files are written: a plan of which one file is new and two are old is no plan.

    Not where something is written to a pipe, whose reader may never read it.
    """

    def __init__(self) -> None:
        self._before: set[int] | None = None

    def start(self) -> None:
        ends = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
        self._before = {int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ends)}

    def stop(self) -> None:
        if self._before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


class _named:  # used as a word of `with`
    """Errors of the system inside are said of this file."""

    def __init__(self, output: Output) -> None:
        self._path = output.path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from None


class _Place:
    """Where one file goes: its directory, held open so that nobody can exchange it, and the name in there."""

    def __init__(self, output: Output, guarded: frozenset[_Identity], leaving: ExitStack) -> None:
        self.output = output
        self._leaving = leaving
        self._part = self._kept = ""
        self._device: int | None = None
        self._landed = False
        with _named(output):
            self._device = stream(output.path)
            if self._device is not None:
                os.fstat(self._device)
                return
            folder, _, self._name = output.path.rpartition("/")
            if self._name in ("", ".", ".."):
                raise self._refused("that is a directory")
            start = "/" if output.path.startswith("/") else "."
            self._directory = _Walk(output, guarded).to(start, folder)
            leaving.callback(os.close, self._directory)
            self._there = self._look()

    @property
    def is_stream(self) -> bool:
        """Whether it is written as it is: an open stream, a pipe or a device."""
        return self._device is not None

    def _look(self) -> bool:
        """Whether a file is there already."""
        try:
            mode = os.lstat(self._name, dir_fd=self._directory).st_mode
        except FileNotFoundError:
            return False
        if stat.S_ISLNK(mode):
            raise self._refused("it is a symbolic link, and portwright writes through none")
        if stat.S_ISDIR(mode):
            raise self._refused("that is a directory")
        if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
            self._device = os.open(self._name, os.O_WRONLY | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=self._directory)
            self._leaving.callback(os.close, self._device)
            opened = os.fstat(self._device).st_mode
            if not (stat.S_ISFIFO(opened) or stat.S_ISCHR(opened)):
                raise self._refused("it changed meanwhile")
            return False
        if not stat.S_ISREG(mode):
            raise self._refused("it is neither a file nor a pipe nor a character device")
        return True

    def make(self) -> None:
        """An empty file where nothing is."""
        with _named(self.output):
            if self._device is not None:
                raise self._refused("it is no file")
            if not self._there:
                os.close(os.open(self._name, _NEW, 0o600, dir_fd=self._directory))

    def prepare(self) -> None:
        """The whole content on disk, under a name that nobody knows."""
        if self._device is not None:
            return
        name, mode = _unheard_of(), 0o600 if self.output.private else 0o666
        with os.fdopen(os.open(name, _NEW, mode, dir_fd=self._directory), "wb") as file:
            self._part = name
            self._leaving.callback(self._forget)
            if self.output.private:
                os.fchmod(file.fileno(), mode)
            file.write(self.output.data)
            file.flush()
            os.fsync(file.fileno())

    def land(self, *, alone: bool) -> None:
        """Move it to its place. Unless it is `alone`, what was there goes on under another name, until all have landed."""
        if self._device is not None:
            _write_to(self._device, self.output.data)
            return
        if self._there and not alone:
            self._keep()
        os.replace(self._part, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        self._part, self._landed = "", True
        # Some file systems know no such thing; the file is there all the same.
        with suppress(OSError):
            folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._directory)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def remove(self, beginning: bytes) -> bool:
        """Remove the file that is there if it begins so."""
        if self._device is not None or not self._there:
            return False
        with os.fdopen(os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._directory), "rb") as file:
            if file.read(len(beginning)) != beginning:
                return False
        os.unlink(self._name, dir_fd=self._directory)
        return True

    def put_back(self) -> None:
        """Leave what was there before: the old file, or none."""
        with suppress(OSError):
            if self._kept:
                os.replace(self._kept, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            elif self._landed and not self._there:
                os.unlink(self._name, dir_fd=self._directory)

    def _keep(self) -> None:
        name, within = _unheard_of(), {"src_dir_fd": self._directory, "dst_dir_fd": self._directory}
        try:
            os.link(self._name, name, **within, follow_symlinks=False)
        except OSError:  # a file system without second names, or a file of somebody else
            os.rename(self._name, name, **within)
        self._kept = name

    def _forget(self) -> None:
        for name in (self._part, self._kept):
            if name:
                with suppress(OSError):
                    os.unlink(name, dir_fd=self._directory)

    def _refused(self, why: str) -> OutputError:
        return OutputError(f"cannot write {self.output.path}: {why}")


class _Walk:
    """The way to a directory, one name after the other, each opened in the one before it."""

    def __init__(self, output: Output, guarded: frozenset[_Identity]) -> None:
        self._output = output
        self._guarded = guarded

    def to(self, start: str, folder: str) -> int:
        """A descriptor of the directory, for the caller to close."""
        here = os.open(start, _PASS)
        try:
            closed = self._lies_in_what_others_wrote(here)
            steps = folder.split("/")
            steps.reverse()
            links = 0
            while steps:
                step = steps.pop()
                if step in ("", "."):
                    continue
                target = _link(here, step)
                if target is not None:
                    links += 1
                    self._allow(here, step, closed, links)
                    steps += reversed(target.split("/"))
                    there = os.open("/", _PASS) if target.startswith("/") else os.dup(here)
                else:
                    there = os.open(step, _PASS | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = there
                if step == ".." or target is not None:
                    closed = self._lies_in_what_others_wrote(here)
                else:
                    closed = closed or self._begins_what_others_wrote(here)
        except BaseException:
            os.close(here)
            raise
        return here

    def _allow(self, directory: int, name: str, closed: bool, links: int) -> None:
        whose = os.lstat(name, dir_fd=directory).st_uid
        if closed or whose not in (0, os.geteuid()):
            raise OutputError(f"cannot write {self._output.path}: {name} is a symbolic link, which others may have placed there")
        if links > _MOST_LINKS:
            raise OutputError(f"cannot write {self._output.path}: too many levels of symbolic links")

    def _begins_what_others_wrote(self, directory: int) -> bool:
        return _identity(os.fstat(directory)) in self._guarded or _has(directory, ".git")

    def _lies_in_what_others_wrote(self, directory: int) -> bool:
        return any(self._begins_what_others_wrote(each) for each in _upwards(directory))


def _upwards(directory: int) -> Iterator[int]:
    """A directory and those it lies in, as far as they can be looked into."""
    with ExitStack() as leaving:
        here, last = directory, None
        while (now := _identity(os.fstat(here))) != last:
            yield here
            last = now
            try:
                here = os.open("..", _PASS, dir_fd=here)
            except OSError:
                return
            leaving.callback(os.close, here)


def _link(directory: int, name: str) -> str | None:
    """The text of a symbolic link; None for anything else, and where there is nothing."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None


def _has(directory: int, name: str) -> bool:
    try:
        os.lstat(name, dir_fd=directory)
    except OSError:
        return False
    return True


def _identities(paths: Iterable[str]) -> frozenset[_Identity]:
    """Directories by what they are, whatever they are called; the root of this machine is everybody's."""
    found = set()
    for path in paths:
        with suppress(OSError, ValueError):
            found.add(_identity(os.stat(path)))
    return frozenset(found - {_identity(os.stat("/"))})


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _unheard_of() -> str:
    return f".portwright-{os.urandom(8).hex()}.part"


def _write_to(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
