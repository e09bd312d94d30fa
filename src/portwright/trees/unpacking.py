"""The bytes of an archive one after the other, unpacked as they are asked for, with a bound on what they may become."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from portwright.trees.tree import ReadError

MOST_UNPACKED = 4 << 30
MOST_TIMES = 300
"""How many times its own size an archive may unpack to, once that is more than `FREE`: a log packs to a thirtieth, a host to a fourth."""

FREE = 64 << 20

_PIECE = 1 << 18
_MOST_WINDOW = 128 << 20  # what `zstd --long=27` and `xz -9` need
GZIP, XZ, ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
NO_ZSTD = "it is packed by zstd, which takes the Python package zstandard: install portwright[zstd]"

TRUNCATED = "the archive is truncated"


class ArchiveError(ReadError):
    """An archive that cannot be read to its end: nothing of it counts."""


@contextmanager
def unpacked(path: str) -> Iterator["Stream"]:
    """The stream of a packed file, or of one that is not packed at all."""
    try:
        # It may have become a FIFO since it was looked at: never wait for one.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ArchiveError(path, "it is no regular file")
            yield Stream(path, file, status.st_size)
    except OSError as error:
        raise ArchiveError(path, (error.strerror or "cannot be read").lower()) from None


class Stream:
    """Bytes in one direction; `place` is how many of them are behind."""

    def __init__(self, path: str, file: BinaryIO, size: int) -> None:
        self._path = path
        self._file = file
        self._most = min(MOST_UNPACKED, max(FREE, MOST_TIMES * size))
        self._size = size
        head = file.read(6)
        file.seek(0)
        self.packed = head.startswith((GZIP, XZ, ZSTD))
        self._pieces = self._packed(head)
        self._left = b""
        self._at = 0
        self.place = 0

    def take(self, count: int) -> bytes:
        """So many bytes; fewer at the end alone."""
        if not self.packed:
            found = self._file.read(count)
            self.place += len(found)
            return found
        if len(self._left) - self._at >= count:  # nearly always
            self._at += count
            self.place += count
            return self._left[self._at - count : self._at]
        parts, missing = [], count
        while missing:
            if self._at == len(self._left):
                self._left, self._at = next(self._pieces, b""), 0
                if not self._left:
                    break
            part = self._left[self._at : self._at + missing]
            self._at += len(part)
            missing -= len(part)
            parts.append(part)
        self.place += count - missing
        return b"".join(parts)

    def skip(self, count: int) -> None:
        """Pass over so many bytes, all of which must be there."""
        if not self.packed:
            self.place += count
            if self.place > self._size:
                raise ArchiveError(self._path, TRUNCATED)
            self._file.seek(self.place)
            return
        while count:
            passed = min(count, len(self._left) - self._at) or min(count, _PIECE)
            if self._at == len(self._left):
                passed = len(self.take(passed))
                if not passed:
                    raise ArchiveError(self._path, TRUNCATED)
            else:
                self._at += passed
                self.place += passed
            count -= passed

    def end(self) -> None:
        """Read what is left, so that the sums at its end are held against it."""
        while self.packed and self.take(_PIECE):
            pass

    def _packed(self, head: bytes) -> Iterator[bytes]:
        """The unpacked pieces; their sum is bounded, and each of them."""
        import zlib

        if head.startswith(GZIP):
            pieces = self._gzip()
        elif head.startswith(XZ):
            pieces = self._xz()
        elif head.startswith(ZSTD):
            pieces = self._zstd()
        else:
            return
        made = 0
        try:
            for piece in pieces:
                made += len(piece)
                if made > self._most:
                    raise ArchiveError(self._path, self._too_much())
                yield piece
        except zlib.error:
            raise ArchiveError(self._path, "the archive is damaged") from None

    def _too_much(self) -> str:
        if self._most == MOST_UNPACKED:
            return f"the archive unpacks to more than {MOST_UNPACKED >> 30} GiB"
        return f"the archive unpacks to more than {MOST_TIMES} times its size"

    def _gzip(self) -> Iterator[bytes]:
        import zlib

        data = self._file.read(_PIECE)
        while data:  # a file may be several, one after the other
            member = zlib.decompressobj(31)
            while not member.eof:
                if not data:
                    raise ArchiveError(self._path, TRUNCATED)
                piece = member.decompress(data, _PIECE)
                if piece:
                    yield piece
                data = member.unconsumed_tail or (b"" if member.eof else self._file.read(_PIECE))
            data = (member.unused_data or self._file.read(_PIECE)).lstrip(b"\0")
            if data and not data.startswith(GZIP[: len(data)]):
                return  # gzip(1) ignores what comes behind, too

    def _xz(self) -> Iterator[bytes]:
        import lzma

        data = self._file.read(_PIECE)
        try:
            while data:
                one = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_WINDOW)
                while not one.eof:
                    if one.needs_input and not data:
                        raise ArchiveError(self._path, TRUNCATED)
                    piece = one.decompress(data, _PIECE)
                    if piece:
                        yield piece
                    data = self._file.read(_PIECE) if one.needs_input and not one.eof else b""
                data = (one.unused_data or self._file.read(_PIECE)).lstrip(b"\0")
        except lzma.LZMAError as error:
            much = "memory" in str(error).lower()
            raise ArchiveError(self._path, "unpacking the archive takes too much memory" if much else "the archive is damaged") from None

    def _zstd(self) -> Iterator[bytes]:
        try:
            import zstandard
        except ImportError:
            raise ArchiveError(self._path, NO_ZSTD) from None
        unpacking = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW)
        try:
            with unpacking.stream_reader(self._file, read_size=_PIECE, read_across_frames=True, closefd=False) as reader:
                while piece := reader.read(_PIECE):
                    yield piece
        except zstandard.ZstdError as error:
            much = "memory" in str(error).lower()
            raise ArchiveError(self._path, "unpacking the archive takes too much memory" if much else "the archive is damaged") from None
