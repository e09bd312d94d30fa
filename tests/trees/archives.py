"""Archives of hosts for tests: written by the standard library, or header by header where it would not write such a thing."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import zstandard

MACHINE = "0123456789abcdef" * 2 + "\n"
HOST = {"etc/hostname": "web7\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/machine-id": MACHINE}
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes, "gz": gzip.compress, "xz": lzma.compress, "zst": zstandard.ZstdCompressor().compress,
}  # fmt: skip


def tar(files: Mapping[str, str | bytes], top: str = "", form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive of these files below `top`; `-> target` is a symbolic link, `=> target` a second name, `/` at the end a directory."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for path, text in files.items():
            member = tarfile.TarInfo(top + path.rstrip("/"))
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
            if path.endswith("/"):
                member.type = tarfile.DIRTYPE
            elif data.startswith((b"-> ", b"=> ")):
                member.type = tarfile.SYMTYPE if data.startswith(b"-") else tarfile.LNKTYPE
                member.linkname = (top if data.startswith(b"=") else "") + data[3:].decode()
            else:
                member.size = len(data)
            made.addfile(member, io.BytesIO(data) if member.isreg() else None)
    return out.getvalue()


def header(name: bytes, kind: bytes = b"0", size: bytes = b"00000000000", target: bytes = b"") -> bytes:
    """One header as it is, its sum right."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108], block[108:116], block[124 : 124 + len(size)] = b"0000644\0", b"0000000\0", size
    block[148:157], block[157 : 157 + len(target)], block[257:265] = b"        " + kind, target, b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def laid(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)
