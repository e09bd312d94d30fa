"""This machine as one archive: the collector's output, packed as the name of the file says."""

import os
import subprocess

from portwright.shipped import folder

COLLECTOR = "collect.sh"
MOST = 256 << 20
"""Bytes of what the collector writes. It takes 64 MiB of files at most."""


class SnapshotError(Exception):
    """This machine could not be collected; the message says why."""


def form(path: str) -> str:
    """How a snapshot of this name is packed, "" where the name does not say."""
    return "gz" if path.endswith((".tar.gz", ".tgz")) else "zst" if path.endswith((".tar.zst", ".tzst")) else ""


def taken() -> bytes:
    """What the collector writes of this machine. It reads, and changes nothing."""
    script = os.path.join(folder("playbooks"), COLLECTOR)
    parts: list[bytes] = []
    size = 0
    with subprocess.Popen(["/bin/sh", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:  # noqa: S603
        if ran.stdout is None or ran.stderr is None:
            raise SnapshotError("the collector has no output")
        while part := ran.stdout.read(1 << 20):
            size += len(part)
            if size > MOST:
                ran.kill()
                raise SnapshotError(f"the collector wrote more than {MOST >> 20} MiB")
            parts.append(part)
        said = ran.stderr.read(4096).decode("utf-8", "replace").strip()
    if ran.returncode or said.startswith("the collector ended"):
        raise SnapshotError(said or f"the collector ended with {ran.returncode}")
    return b"".join(parts)


def packed(data: bytes, how: str) -> bytes:
    """The same in a packed form. Raises SnapshotError where a library is missing."""
    if how == "gz":
        import gzip

        return gzip.compress(data, 6, mtime=0)
    try:
        import zstandard
    except ImportError:
        from portwright.trees.unpacking import NO_ZSTD

        raise SnapshotError(NO_ZSTD) from None
    return zstandard.ZstdCompressor(level=10, write_checksum=True).compress(data)


def held(path: str) -> tuple[int, tuple[tuple[str, str], ...]]:
    """How many files a snapshot holds, and what its collector left out of them, each with the reason. Raises ReadError."""
    from portwright.trees.archive import archive

    tree = archive(path)
    lines = ((tree.read("/.portwright/unread") or b"").decode("utf-8", "surrogateescape")).splitlines()
    left = (line.partition("\t") for line in lines)
    return sum(1 for _ in tree.walk()), tuple((where, why) for where, tab, why in left if tab)
