"""The files of a checkout as one of its revisions has them, read from git's objects: nothing is checked out, and no hook or filter runs."""

import os
import subprocess
from collections.abc import Sequence

from portwright._start.records import dataclass
from portwright.numbers import decimal
from portwright.trees.directory import MOST_BYTES
from portwright.trees.repository import RepositoryInMemory
from portwright.trees.tree import ReadError

_LINK, _FILES = "120000", ("100644", "100755", "100664")
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
        listed = _git(of.directory, "ls-tree", "-r", "-z", "--full-tree", "--long", of.commit, "--", *([of.prefix] if of.prefix else []))
        files: dict[str, str | bytes] = {}
        links: list[tuple[str, str]] = []
        self._of = of
        self._sizes: dict[str, int] = {}
        self._read: dict[str, bytes] = {}
        self._blobs: subprocess.Popen[bytes] | None = None
        self.lost: list[str] = []
        for row in listed.split(b"\0"):
            about, tab, name = row.partition(b"\t")
            if not tab:
                continue
            mode, _, blob, size = about.decode("ascii").split()
            path = "/" + name.decode("utf-8", "surrogateescape").removeprefix(of.prefix)
            if mode == _LINK:
                links.append((path, blob))
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
            raise ReadError(path, f"larger than {MOST_BYTES >> 20} MiB")
        if real not in self._read:
            self._read[real] = self._blob(blob.decode("ascii"), real)
        return self._read[real]

    def close(self) -> None:
        """End the program that reads objects."""
        if self._blobs is not None and self._blobs.stdin is not None and self._blobs.stdout is not None:
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
            data = taken.read(length)
            taken.read(1)
        except (BrokenPipeError, ValueError) as error:
            self.lost.append(path.lstrip("/"))
            raise ReadError(path, "git ended while it was read") from error
        return data


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
