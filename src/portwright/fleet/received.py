"""What a host of an inventory answered: its archive, kept without what the collector left of secrets. Ansible runs this for each host.

The answer comes on standard input, in letters; the words of the command are the place to keep it. Nothing of it is written before
the secrets in it are crossed out.
"""

import base64
import binascii
import io
import os
import sys

from portwright.fleet.crossed_out import crossed_out
from portwright.fleet.snapshot import MOST, packed
from portwright.trees.unpacking import ArchiveError, Stream

MOST_LETTERS = 128 << 20
"""Bytes of one host's answer."""

ARCHIVE, REFUSED = ".tar.gz", ".refused"
"""What stands behind a place: the archive, or why there is none."""


def keep(letters: bytes, place: str) -> None:
    """Write an answer's archive, or why it is none."""
    try:
        _write(place + ARCHIVE, packed(crossed_out(_archive(letters)), "gz"))
    except ArchiveError as error:
        _write(place + REFUSED, error.reason.encode("utf-8", "surrogateescape"))


def _archive(letters: bytes) -> bytes:
    if len(letters) > MOST_LETTERS:
        raise ArchiveError("", f"not collected: its answer is larger than {MOST_LETTERS >> 20} MiB")
    try:
        data = base64.b64decode(letters.translate(None, b"\r\n \t"), validate=True)
    except binascii.Error:
        raise ArchiveError("", "not collected: its answer is no archive") from None
    stream = Stream("", io.BytesIO(data), len(data))
    archive = stream.take(MOST + 1)
    if len(archive) > MOST:
        raise ArchiveError("", f"not collected: its answer unpacks to more than {MOST >> 20} MiB")
    return archive


def _write(path: str, data: bytes) -> None:
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags | os.O_EXCL | os.O_NOFOLLOW, 0o600)) as file:
        file.write(data)


if __name__ == "__main__":
    keep(sys.stdin.buffer.read(MOST_LETTERS + 1), sys.argv[1])
