"""What the collector leaves of a host's secrets in its archive, crossed out by what reports know of them: letter for letter, so that
everything else stays where it stood and reads as it did."""

import io
import os
import re
import stat
from collections.abc import Iterator

from portwright.reports.secrets import hide_in_source
from portwright.source import Source
from portwright.trees.tar import members
from portwright.trees.tree import holds_only_secrets
from portwright.trees.unpacking import Stream

# A letter for one that takes as many bytes.
_LETTERS = ("x", "x", "×", "✕", "🗙")
# What a command printed of a running host, what is installed, and a list of databases of which one is called passwd.
_NO_CONFIGS = ("/.portwright/", "/var/lib/dpkg/", "/var/lib/apt/", "/etc/nsswitch.conf", "/etc/services")
_USERS = ("/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-")
_CMDLINE = "/.portwright/cmdline"
_NO_NEWLINE = re.compile(rb"[^\n]")
_OLD_HASH = re.compile(rb"^([^:\n]*:)([^:\n]{2,})(?=:)", re.MULTILINE)
_STRUCK = re.compile(r"\*+")
# These mean something to whoever reads the line, and are short, or lie elsewhere: server_tokens off; private_key = $dir/key # the key
_TOLD = re.compile(
    r"[\"']?(?:[0-9]{1,5}|true|false|yes|no|on|off|none|null|auto|required|optional)[\"']?[;,)}\]]*(?:\s+#.*)?|[\"']?[$/%~]\S*(?:\s+#.*)?",
    re.IGNORECASE,
)


def crossed_out(data: bytes) -> bytes:
    """An unpacked tar archive without the secrets in its files. Raises ArchiveError for what is none."""
    own = bytearray(data)
    stream = Stream("the archive", io.BytesIO(data), len(data))
    for member in members(stream, "the archive"):
        if member.kind != stat.S_IFREG or member.is_second or not member.size:
            continue
        path = "/" + os.path.normpath(member.name.lstrip("/"))
        content = data[member.offset : member.offset + member.size]
        own[member.offset : member.offset + member.size] = crossed_out_of(path, content)
    return bytes(own)


def crossed_out_of(path: str, content: bytes) -> bytes:
    """The content of a file without the secrets in it."""
    if path.startswith(_NO_CONFIGS) and path != _CMDLINE:
        return content
    if holds_only_secrets(path):
        return _NO_NEWLINE.sub(b"x", content)
    if b"\0" in content:
        return content
    if path in _USERS:
        return _OLD_HASH.sub(lambda match: match[1] + b"x" * len(match[2]), content)
    source = Source(path, content.decode("utf-8", "surrogateescape"))
    return "\n".join(_lines(source)).encode("utf-8", "surrogateescape")


def _lines(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.split("\n"), 1):
        shown = hide_in_source(source, number)
        yield line if shown == line.rstrip("\r") else "".join(_pieces(line, shown)) + line[len(shown) :]


def _pieces(line: str, shown: str) -> Iterator[str]:
    """A line with what reports strike out of it crossed out."""
    at = 0
    for stretch in _STRUCK.finditer(shown):
        piece = line[slice(*stretch.span())]
        if not _TOLD.fullmatch(piece):
            yield line[at : stretch.start()] + "".join(map(_letter, piece))
            at = stretch.end()
    yield line[at : len(shown)]


def _letter(was: str) -> str:
    return was if was == "*" else _LETTERS[len(was.encode("utf-8", "surrogateescape"))]
