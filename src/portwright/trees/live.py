"""The machine this runs on: its `/`, and what the kernel says that stands in no file, in the form of captured lists."""

import os
import struct
from collections.abc import Callable, Iterator

from portwright.trees.directory import DirectoryTree
from portwright.trees.tree import Attributes, Kind

_FOLDER = "/.portwright/"

# rtnetlink(7)
_REQUEST = struct.Struct("=IHHIIBBBBI")  # struct nlmsghdr, struct ifaddrmsg
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_NEW_ADDRESS, _GET_ADDRESS, _ERROR, _DONE = 20, 22, 2, 3
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_NO_SETUID = 2  # ST_NOSUID, statvfs(3)
_SETUID = 0o6000


class LiveTree(DirectoryTree):
    """`/`, with the lists of `.portwright/` that the kernel can give: `addresses`, `cmdline`, `kernel`. No program is executed.

    A list that lies there as a file comes first. Modes, owners and capabilities of files are those in force.
    """

    def __init__(self, root: str = "/") -> None:
        super().__init__(root)
        self._lists: dict[str, bytes | None] = {}

    def kind(self, path: str) -> Kind:
        found = super().kind(path)
        return "file" if found == "missing" and self._list(path) is not None else found

    def read(self, path: str) -> bytes | None:
        if super().kind(path) == "missing":
            return self._list(path)
        return super().read(path)

    def head(self, path: str) -> bytes | None:
        return super().head(path) if super().kind(path) != "missing" else self._list(path)

    def keeps_capabilities(self) -> bool:
        return True

    def attributes(self, path: str) -> Attributes | None:
        found = super().attributes(path)
        if found is None or not self._ignores_setuid(path):
            return found
        return Attributes(found.mode & ~_SETUID, found.owner, b"", found.group)

    def _ignores_setuid(self, path: str) -> bool:
        """Whether the file system of a program is mounted so that neither its set-user-ID bit nor its capabilities count (mount(8))."""
        try:
            return bool(os.statvfs(self._root + os.fsencode(self.resolve(path))).f_flag & _NO_SETUID)
        except OSError:
            return False

    def _list(self, path: str) -> bytes | None:
        name = path.removeprefix(_FOLDER)
        if name == path or name not in _LISTS:
            return None
        if name not in self._lists:
            try:
                self._lists[name] = _LISTS[name]()
            except OSError:
                # A sandbox may forbid it; of what no list tells nothing is claimed.
                self._lists[name] = None
        return self._lists[name]


def _kernel() -> bytes:
    return os.uname().release.encode("utf-8", "surrogateescape") + b"\n"


def _cmdline() -> bytes:
    with open("/proc/cmdline", "rb") as file:
        return file.read(65536)


def _addresses() -> bytes | None:
    """Every address of every interface, as `ip -o addr` prints them."""
    import socket  # only a live machine needs it

    if not hasattr(socket, "AF_NETLINK"):
        return None
    lines = []
    for family, prefix, scope, index, packed in _dumped():
        try:
            interface = socket.if_indextoname(index)
        except OSError:
            continue  # it went meanwhile
        inet, text = ("inet", socket.AF_INET) if family == socket.AF_INET else ("inet6", socket.AF_INET6)
        if len(packed) == (4 if inet == "inet" else 16):
            address = socket.inet_ntop(text, packed)
            lines.append(f"{index}: {interface}    {inet} {address}/{prefix} scope {_SCOPES.get(scope, scope)} {interface}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _dumped() -> Iterator[tuple[int, int, int, int, bytes]]:
    """(family, prefix length, scope, interface number, address) of each address the kernel knows."""
    import socket

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as asked:
        asked.settimeout(5)
        asked.bind((0, 0))
        asked.send(_REQUEST.pack(_REQUEST.size, _GET_ADDRESS, _DUMP, 1, 0, socket.AF_UNSPEC, 0, 0, 0, 0))
        while True:
            answer = asked.recv(1 << 18)
            position = 0
            while position + _HEADER.size <= len(answer):
                length, kind, *_ = _HEADER.unpack_from(answer, position)
                if kind in (_DONE, _ERROR) or length < _HEADER.size:
                    return
                if kind == _NEW_ADDRESS:
                    start = position + _HEADER.size
                    family, prefix, _, scope, index = _ADDRESS.unpack_from(answer, start)
                    held = dict(_attributes(answer[start + _ADDRESS.size : position + length]))
                    # Where the link has a peer, IFA_ADDRESS is the peer's.
                    yield family, prefix, scope, index, held.get(_IFA_LOCAL) or held.get(_IFA_ADDRESS, b"")
                position += length + 3 & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, position)
        if length < _ATTRIBUTE.size:
            return
        yield kind, data[position + _ATTRIBUTE.size : position + length]
        position += length + 3 & ~3


_LISTS: dict[str, Callable[[], bytes | None]] = {"addresses": _addresses, "cmdline": _cmdline, "kernel": _kernel}
