"""The files of a checkout as one of its revisions has them, read from git's objects: nothing is checked out, and no hook or filter runs."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress

from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.trees.directory import MOST_BYTES, MOST_DEEP
from portwright.trees.repository import RepositoryInMemory
from portwright.trees.tree import ReadError

_LINK, _FILES = "120000", ("100644", "100755", "100664")
_LONGEST_PATH = 4096  # PATH_MAX
_TOO_LARGE = f"larger than {MOST_BYTES >> 20} MiB"
_MOST_LISTED = 32 << 20
"""Bytes of a revision's list of files: a tree that holds another one ten times, which does the same, names more than any disk holds."""
_MOST_FOLDERS = 16 << 20
"""Characters of the names of its folders, each with those above it."""
_MOST_KEPT = 16 << 20
"""Bytes of its files that are kept for whoever asks once more."""
_QUIET = {
    # A partial clone would fetch what it lacks, by a command that its config names.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "LC_ALL": "C",
}


class RevisionError(Exception):
    """A revision that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of the checkout that a directory is part of: the name its user gave, its commit, and what of its tree is below there."""

    directory: str
    name: str
    commit: str
    prefix: str


def revision(directory: str, name: str) -> Revision:
    """The revision of that name; raises RevisionError where there is none, or the directory is in no checkout."""
    commit = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    prefix = os.fsdecode(_git(directory, "rev-parse", "--show-prefix")).rstrip("\n")
    return Revision(directory, name, commit, prefix)


class RevisionTree(RepositoryInMemory):
    """The files below a directory at a revision; each is read when it is asked for.

    `lost` are those whose objects git does not have here, as in a partial clone.
    """

    def __init__(self, of: Revision) -> None:
        files: dict[str, str | bytes] = {}
        links: list[tuple[str, str]] = []
        self._of = of
        self._sizes: dict[str, int] = {}
        self._read: dict[str, bytes] = {}
        self._kept = 0
        self._blobs: subprocess.Popen[bytes] | None = None
        self.lost: list[str] = []
        folder, left = "", _MOST_FOLDERS
        for row in _listed(of):
            about, tab, name = row.partition(b"\t")
            if not tab or len(name) > _LONGEST_PATH or name.count(b"/") > MOST_DEEP:
                continue  # nor could it be checked out
            mode, _, blob, size = about.decode("ascii").split()
            path = "/" + name.decode("utf-8", "surrogateescape").removeprefix(of.prefix)
            before, folder = folder, path.rpartition("/")[0]
            if folder != before:
                left -= sum(at for at, letter in enumerate(f"{folder}/") if letter == "/" and folder[:at] != before[:at])
                if left < 0:
                    raise RevisionError("it has more folders than are read")
            if mode == _LINK:
                links += [(path, blob)] if (decimal(size) or 0) <= _LONGEST_PATH else []
            elif mode in _FILES:
                files[path] = blob.encode("utf-8", "surrogateescape")
                self._sizes[path] = decimal(size) or 0
        for path, blob in links:
            try:
                files[path] = "-> " + self._blob(blob, path).decode("utf-8", "surrogateescape")
            except ReadError:
                continue
        super().__init__(files)

    def read(self, path: str) -> bytes | None:
        blob = super().read(path)
        if not blob:
            return blob
        real = self.resolve(path)
        if self._sizes[real] > MOST_BYTES:
            raise ReadError(path, _TOO_LARGE)
        known = self._read.get(real)
        if known is None:
            known = self._blob(blob.decode("ascii"), real)
            self._kept += len(known)
            if self._kept <= _MOST_KEPT:
                self._read[real] = known
        return known

    def close(self) -> None:
        """End the program that reads objects."""
        if self._blobs is not None and self._blobs.stdin is not None and self._blobs.stdout is not None:
            with suppress(BrokenPipeError):  # it may have ended by itself
                self._blobs.stdin.close()
            self._blobs.stdout.close()
            self._blobs.wait()
            self._blobs = None

    def _blob(self, name: str, path: str) -> bytes:
        if self._blobs is None:
            self._blobs = subprocess.Popen(  # noqa: S603  the words are ours, and the name of a blob is git's
                _words(self._of.directory, ("cat-file", "--batch")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _QUIET,
            )
        given, taken = self._blobs.stdin, self._blobs.stdout
        if given is None or taken is None:
            raise RevisionError("git cannot be asked")
        try:
            given.write(f"{name}\n".encode("utf-8", "surrogateescape"))
            given.flush()
            *_, size = taken.readline().decode("ascii", "replace").split(" ")
            length = decimal(size.rstrip("\n"))
            if length is None:
                self.lost.append(path.lstrip("/"))
                raise ReadError(path, "git does not have its object here")
            if length > MOST_BYTES:  # the list could not say so of a damaged object
                self.close()
                raise ReadError(path, _TOO_LARGE)
            data = taken.read(length)
            if len(taken.read(1)) < 1:
                raise BrokenPipeError
        except (BrokenPipeError, ValueError) as error:
            self.lost.append(path.lstrip("/"))
            raise ReadError(path, "git ended while it was read") from error
        return data


def _listed(of: Revision) -> Iterator[bytes]:
    """The rows of its files; raises RevisionError where git cannot list them, or where they are more than are read."""
    words = ("ls-tree", "-r", "-z", "--full-tree", "--long", of.commit, "--", *([of.prefix] if of.prefix else []))
    listing = subprocess.Popen(  # noqa: S603  the words are ours, the commit and the folder are git's
        _words(of.directory, words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | _QUIET
    )
    with listing:
        left, rest = _MOST_LISTED, b""
        while listing.stdout is not None and (some := os.read(listing.stdout.fileno(), 1 << 16)):
            left -= len(some)
            if left < 0:
                listing.kill()
                raise RevisionError("it has more files than are read")
            *rows, rest = (rest + some).split(b"\0")
            yield from rows
    if listing.returncode:
        raise RevisionError("git cannot list its files: objects are missing or damaged")


def _git(directory: str, *arguments: str) -> bytes:
    try:
        ran = subprocess.run(  # noqa: S603  the words are ours; what the user names stands behind --end-of-options or --
            _words(directory, arguments), capture_output=True, check=False, env=os.environ | _QUIET
        )
    except OSError as error:
        raise RevisionError(f"git cannot be run: {error.strerror}") from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RevisionError(said[0].removeprefix("fatal: ") if said else "there is no such revision")
    return ran.stdout


def _words(directory: str, arguments: Sequence[str]) -> list[str]:
    # A checkout's own config may name programs; these are the ones that reading could start.
    return ["git", "-C", directory, "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
