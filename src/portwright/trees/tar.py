"""tar(5): a stream of members, each with its name, what it is and where its bytes lie; in ustar, pax or GNU form.

Not the standard library's tarfile, which reads headers of any length into memory and looks for patterns in them.
"""

import stat
from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.numbers import based, decimal
from portwright.trees.unpacking import TRUNCATED, ArchiveError, Stream

MOST_MEMBERS = 250_000
MOST_HEADER = 256 << 10
"""Bytes of what stands before a member: a long name, or what pax(1) says of it. An extended attribute has 64 KiB at most."""

SNAPSHOT, COMPLETE = ".portwright/snapshot", ".portwright/complete"
"""The first and the last member of an archive that playbooks/collect.sh makes: it writes several, one behind the other, and nothing else
says whether the last one is there."""

_BLOCK = 512
_END = bytes(_BLOCK)
_KINDS = {
    b"1": stat.S_IFREG, b"2": stat.S_IFLNK, b"3": stat.S_IFCHR, b"4": stat.S_IFBLK, b"5": stat.S_IFDIR, b"6": stat.S_IFIFO,
}  # fmt: skip
_CAPABILITY = "SCHILY.xattr.security.capability"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `kind` is its file type as stat(2) has it, `size` and `offset` say where its bytes lie in the unpacked stream.

    `target` is the text of a symbolic link, or the name of the member of which this one is a second name (`is_second`). `is_sparse`: its
    bytes are not the file's.
    """

    name: str
    kind: int
    mode: int
    owner: int
    size: int
    offset: int
    target: str
    is_second: bool
    is_sparse: bool
    capability: bytes | None


def members(stream: Stream, path: str) -> Iterator[Member]:
    """The members one after the other; whoever takes one may read `stream` from where it stands, and no further than it reaches.

    Raises ArchiveError for what is no tar archive, or is damaged, or ends too soon.
    """
    whole: dict[str, bytes] = {}
    own: dict[str, bytes] = {}
    count = 0
    first = last = ""
    while True:
        block = stream.take(_BLOCK)
        while block == _END and first == SNAPSHOT and last != COMPLETE:
            block = stream.take(_BLOCK)
        if len(block) < _BLOCK:
            raise ArchiveError(path, TRUNCATED)
        if block == _END:
            stream.end()
            return
        offset = stream.place
        if based(block[148:156].decode("latin-1").strip(" \0"), 8) != sum(block) - sum(block[148:156]) + 8 * 0x20:
            raise ArchiveError(path, "it holds no tar archive" if offset == _BLOCK else f"the archive is damaged at byte {offset - _BLOCK}")
        count += 1
        if count > MOST_MEMBERS:
            raise ArchiveError(path, f"the archive has more than {MOST_MEMBERS:,} members")
        size, flag = _number(block[124:136], path), block[156:157]
        if flag in b"xXgLK":
            if size > MOST_HEADER:
                raise ArchiveError(path, f"what stands before a member is larger than {MOST_HEADER >> 10} KiB")
            content = stream.take(size)
            if len(content) < size:
                raise ArchiveError(path, TRUNCATED)
            stream.skip(-size % _BLOCK)
            if flag == b"g":
                whole |= _records(content, path)
            elif flag in b"xX":
                own |= _records(content, path)
            else:
                own["path" if flag == b"L" else "linkpath"] = content.partition(b"\0")[0]
            continue
        said = whole | own if whole else own
        own = {}
        if flag == b"M":
            raise ArchiveError(path, "it is a part of an archive of several")
        if "size" in said:
            size = _decimal(said["size"], path)
        is_sparse = flag == b"S" or any(key.startswith("GNU.sparse.") for key in said)
        extended = flag == b"S" and block[482]
        while extended:  # more of the map of a sparse file
            more = stream.take(_BLOCK)
            if len(more) < _BLOCK:
                raise ArchiveError(path, TRUNCATED)
            extended, offset = more[504], stream.place
        name = _text(said.get("GNU.sparse.name") or said.get("path") or _name(block))
        kind = _KINDS.get(flag, stat.S_IFREG)
        if flag == b"D" or (flag in b"\x0007" and name.endswith("/")):  # as GNU tar takes it
            kind = stat.S_IFDIR
        first, last = first or name, name.removeprefix("./")
        holds = size if flag not in b"123456" else 0
        if flag != b"V":  # the name of the archive
            yield Member(
                name=name,
                kind=kind,
                mode=kind | _number(block[100:108], path) & 0o7777,
                owner=_decimal(said["uid"], path) if "uid" in said else _number(block[108:116], path),
                size=holds,
                offset=offset,
                target=_text(said.get("linkpath") or block[157:257].partition(b"\0")[0]) if flag in b"12" else "",
                is_second=flag == b"1",
                is_sparse=is_sparse,
                capability=said.get(_CAPABILITY),
            )
        stream.skip(offset + holds + -holds % _BLOCK - stream.place)


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    before = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return before + b"/" + name if before else name


def _number(field: bytes, path: str) -> int:
    """A number of a header: octal digits, or where GNU tar needs more, a byte of 0x80 and big-endian bytes."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    text = field.partition(b"\0")[0].strip(b" ").decode("latin-1")
    value = based(text, 8) if text else 0
    if value is None:
        raise ArchiveError(path, "the archive is damaged: a number in it is none")
    return value


def _decimal(text: bytes, path: str) -> int:
    value = decimal(text.decode("latin-1"))
    if value is None:
        raise ArchiveError(path, "the archive is damaged: a number in it is none")
    return value


def _records(content: bytes, path: str) -> dict[str, bytes]:
    """What pax(1) says of a member: records of `length key=value` and a newline, the length counting itself."""
    found: dict[str, bytes] = {}
    position = 0
    while position < len(content) and content[position]:
        blank = content.find(b" ", position, position + 10)
        length = decimal(content[position:blank].decode("latin-1")) if blank > 0 else None
        equals = content.find(b"=", blank) if length else -1
        end = position + (length or 0)
        if not length or not blank < equals < end <= len(content) or content[end - 1] != 0x0A:
            raise ArchiveError(path, "the archive is damaged: what stands before a member cannot be read")
        found[_text(content[blank + 1 : equals])] = content[equals + 1 : end - 1]
        position = end
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
