"""Which files git tracks, by the index of a checkout (gitformat-index(5)): what is tracked counts, whatever a .gitignore says."""

_ENTRY = 62
"""Bytes of an entry before its name: ten numbers, an object's name of twenty bytes, the flags."""
_EXTENDED = 0x4000


def tracked(index: bytes) -> frozenset[str] | None:
    """The tracked files and the folders above them, without a leading slash; None for what is no index that is understood."""
    if index[:4] != b"DIRC" or len(index) < 12:
        return None
    version, count = int.from_bytes(index[4:8]), int.from_bytes(index[8:12])
    if version not in (2, 3, 4) or count > len(index) // _ENTRY:
        return None
    found: set[str] = set()
    at, before = 12, b""
    for _ in range(count):
        start = at
        flags = int.from_bytes(index[start + 60 : start + _ENTRY])
        at = start + _ENTRY + (2 if version > 2 and flags & _EXTENDED else 0)
        kept = b""
        if version == 4:
            strip, at = _varint(index, at)
            if strip > len(before):
                return None
            kept = before[: len(before) - strip]
        end = index.find(b"\0", at)
        if end < 0:
            return None
        before = kept + index[at:end]
        # Entries of the older versions end in one to eight NUL, so that the next begins at a multiple of eight.
        at = end + 1 if version == 4 else end + 8 - (end - start) % 8
        path = before.decode("utf-8", "surrogateescape")
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]
    return frozenset(found)


def _varint(index: bytes, at: int) -> tuple[int, int]:
    """(the number, where it ends): seven bits a byte, each further byte one more than it says."""
    value = index[at] & 0x7F if at < len(index) else 0
    while at < len(index) and index[at] & 0x80 and value < 1 << 32:
        at += 1
        value = ((value + 1) << 7) | (index[at] & 0x7F if at < len(index) else 0)
    return value, at + 1
