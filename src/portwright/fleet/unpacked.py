"""What the store packs, unpacked within a bound: a store may come from elsewhere."""

import zlib

MOST = 64 << 20
"""Bytes of one thing in a store."""


def inflated(packed: bytes) -> bytes:
    """The bytes that were packed. Raises ValueError for what is not packed, or unpacks to more than a store holds."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed, MOST)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not stream.eof:
        raise ValueError("cut, or too large")
    return found
