"""Tell what a path on the command line is by what lies there: a host, hosts, a repository, a file, or standard input."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from portwright._start import debug_log
from portwright._start.records import dataclass, replace
from portwright.trees import ReadError, Tree
from portwright.trees.directory import MOST_BYTES, DirectoryTree, read_whole

InputKind = Literal["host", "repository", "file"]

_MOST_NAME = 64  # HOST_NAME_MAX
_VERSION_CONTROL = (".git", ".hg", ".svn", ".bzr")
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
_PACKED_OTHERWISE = (b"BZh", b"PK\x03\x04", b"\x04\x22\x4d\x18")
_ARCHIVES = (".tar", ".tgz", ".txz", ".tbz", ".tbz2", ".tzst", ".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2", ".zip")
_LOOKED_AT = 4 * MOST_BYTES
"""Characters of the files of a folder that are looked at to tell a checkout from a folder of hosts."""
_DEEPEST_GROUP = 2
_MOST_OF_A_GROUP = 10_000
# In a host's /etc stand files that say who it is, and what says what it starts or sets.
_WHO = frozenset(
    (
        "passwd", "group", "shadow", "os-release", "hostname", "machine-id", "fstab", "nsswitch.conf", "debian_version", "redhat-release",
        "alpine-release", "SuSE-release", "resolv.conf", "mtab",
    )
)  # fmt: skip
_WHAT = frozenset(("systemd", "init.d", "sysctl.d", "sysctl.conf", "runlevels", "rc.d", "sv"))
_REPORTS = ("sos_commands", "insights_commands")
_NAMED_IN = ("/etc/hostname", "/hostname", "/sos_commands/host/hostname", "/insights_commands/hostname_-f", "/insights_commands/hostname")


class InputError(Exception):
    """A path that cannot be an input; the message says which and why (exit 2)."""


@dataclass(frozen=True, slots=True)
class Input:
    """Something to read.

    `path` is where it lies, as its user named it. `identity` is the machine id of a host, else its name. `content` is what came
    on standard input. `unavailable_reason` says why nothing of it can be read, and is empty otherwise. `is_etc`: what lies there is the
    content of a host's /etc. `exclude` are patterns of what of a repository is not read, and `excluded_by` is what says them. `said` is
    what its user says of a repository's hosts: the release of the `kernel`, of `systemd`. `within` is the folder of an archive that is the
    host's root ("" for its top), None where it is no archive.
    """

    kind: InputKind
    name: str
    identity: str
    path: str
    content: bytes | None = None
    unavailable_reason: str = ""
    is_etc: bool = False
    exclude: tuple[str, ...] = ()
    excluded_by: str = "--exclude"
    said: tuple[tuple[str, str], ...] = ()
    within: str | None = None

    @property
    def explicit(self) -> bool:
        """Whether its user named this very file, so that it counts even where its path or text says *sample*."""
        return self.kind == "file"

    @property
    def checkout_prefix(self) -> str | None:
        """Where the paths of its files begin, relative to the directory of the run; None where that is not below it."""
        if self.is_etc or self.within is not None:
            return None  # the paths of its files are those of the host
        if self.kind == "file" or self.unavailable_reason:
            return None if os.path.isabs(self.path) else ""  # their own path is what reports show
        relative = os.path.relpath(self.path)
        if relative == ".":
            return ""
        return None if relative.split("/")[0] == ".." else relative

    @property
    def tree(self) -> Tree:
        """Its files as they are now; each time a tree of its own, so that none outlives its use.

        Raises ReadError for an archive that cannot be read to its end.
        """
        if self.unavailable_reason:
            from portwright.trees.single import UnavailableTree

            return UnavailableTree(self.path, self.unavailable_reason)
        if self.within is not None:
            from portwright.trees.archive import archive

            return archive(self.path).rooted(self.within)
        if self.is_etc:
            from portwright.trees.etc import EtcTree

            return EtcTree(self.path)
        if self.kind == "host":
            if not _is_this_machine(self.path):
                return DirectoryTree(self.path)
            from portwright.trees.live import LiveTree

            return LiveTree()
        if self.kind == "repository":
            from portwright.trees.repository import RepositoryTree

            return RepositoryTree(self.path, self.exclude, self.excluded_by)
        from portwright.trees.single import SingleTree

        parts = [part for part in os.path.normpath(self.path).split("/") if part not in ("", ".", "..")]
        return SingleTree(
            "/" + "/".join(parts), self.path, _content(self.path) if self.content is None else _limited(self.path, self.content)
        )


def inputs(
    paths: Iterable[str],
    stdin_name: str | None = None,
    taken_as: Literal["host", "repository"] | None = None,
    exclude: Sequence[str] = (),
) -> tuple[Input, ...]:
    """What the given paths are, in their order, each once; raises InputError for one that is nothing that can be read.

    `-` is standard input, read here, under the name `stdin_name`. `taken_as`: what each directory is, whatever it looks like.
    `exclude` are patterns of gitignore(5) of what of repositories is not read.
    """
    found: dict[Input, None] = {}
    for path in dict.fromkeys(paths):
        for item in (_stdin(stdin_name),) if path == "-" else _detect_inputs(path, taken_as):
            found[replace(item, exclude=tuple(exclude)) if exclude and item.kind == "repository" else item] = None
            if debug_log.ENABLED:
                debug_log.say("inputs", "%s is read as a %s named %s", item.path, item.kind, item.name)
    return _told_apart(tuple(found))


def _told_apart(found: tuple[Input, ...]) -> tuple[Input, ...]:
    """Hosts of one name with their place behind it: two copies of one host, or two hosts that claim one name."""
    names = [item.name for item in found if item.kind == "host"]
    if len(names) == len(set(names)):
        return found
    return tuple(
        replace(item, name=f"{item.name} ({item.path})") if item.kind == "host" and names.count(item.name) > 1 else item for item in found
    )


def _is_this_machine(path: str) -> bool:
    try:
        return os.path.samefile(path, "/")
    except OSError:
        return False


def is_host(tree: Tree, folder: str = "") -> bool:
    """Whether a directory of a tree is laid out like a host: `etc/`, and something that only a host has beside or in it."""

    def kind(path: str) -> str:
        try:
            return tree.kind(f"{folder}{path}")
        except ReadError:
            return "missing"  # a loop or a closed folder is no sign of a host

    if kind("/etc") != "directory":
        return False
    beside = (kind("/usr"), kind("/.portwright"))
    if "directory" in beside or "file" in (kind("/etc/passwd"), kind("/etc/os-release")) or _is_link(tree, f"{folder}/etc/os-release"):
        return True
    if any(kind(f"/{each}") == "directory" for each in _REPORTS):
        return True
    # A part of a host's /etc, as somebody copied it; the same under version control is more likely what is laid over one.
    return is_etc(tree, f"{folder}/etc") and all(kind(f"/{each}") == "missing" for each in _VERSION_CONTROL)


def _is_link(tree: Tree, path: str) -> bool:
    try:
        return tree.link(path) is not None
    except ReadError:
        return False


def _detect_inputs(path: str, taken_as: Literal["host", "repository"] | None = None) -> Iterator[Input]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except ValueError:
        raise InputError(f"{path!r} is not a path") from None
    if stat.S_ISREG(status.st_mode):
        yield _file(path)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path} is neither a file nor a directory; give - to read standard input")
    hosts: tuple[Input, ...] = ()
    if taken_as == "repository":
        yield _repository(path)
        return
    try:
        with DirectoryTree(path) as tree:
            names = tree.names("/")
            if taken_as == "host" and "etc" not in names:
                hosts = _hosts(path, tree, names)
            if not hosts and (taken_as == "host" or is_host(tree)):
                yield _host(path, tree)
                return
            above = _above_etc(path)
            if above is not None:
                yield above
                return
            if is_etc(tree, "/"):
                yield _host(path, tree, etc="")
                return
            if (data := _of_insights(tree, "", path)) is not None:
                yield data
                return
            if not hosts and not any(name in names for name in _VERSION_CONTROL) and not _has_configs(tree, names):
                hosts = _hosts(path, tree, names)
    except ReadError as error:
        raise InputError(f"{path}: {error.reason}") from None
    if hosts:
        yield from hosts
    else:
        yield _repository(path)


def _of_insights(tree: Tree, folder: str, path: str) -> Input | None:
    """The host of which a client of Insights made this folder of a tree: its root is `data`."""
    if "insights_commands" not in tree.names(f"{folder}/data") or not is_host(tree, f"{folder}/data"):
        return None
    place = os.path.join(path, "data")
    with DirectoryTree(place) as root:
        return _host(place, root, default=_folder(path))


def _above_etc(path: str) -> Input | None:
    """The host whose `/etc` this is, where somebody gave that folder alone."""
    full = os.path.abspath(path)
    if os.path.basename(full) != "etc":
        return None
    above = os.path.dirname(full)
    try:
        with DirectoryTree(above) as tree:
            return _host(above, tree) if is_host(tree) else None
    except ReadError:
        return None


def _has_configs(tree: Tree, names: Iterable[str]) -> bool:
    """Whether a directory holds configs itself: then a folder in it that looks like a host is a part of it (a container's rootfs)."""
    # Its patterns take time to compile, which a host never needs.
    from portwright.repositories.recognise import recognise, worth_reading

    # A name alone is no sign: ansible.cfg stands beside the hosts that it manages.
    left = _LOOKED_AT
    for name in names:
        if worth_reading(name) and not _is_link(tree, f"/{name}") and tree.kind(f"/{name}") == "file":
            text = _read(tree, f"/{name}")
            left -= len(text)
            # So much in one folder is nobody's fleet of hosts.
            if left < 0 or recognise(name, text) is not None:
                return True
    return False


def _hosts(path: str, tree: Tree, names: Iterable[str]) -> tuple[Input, ...]:
    """Each folder of a folder as a host, () where none is one.

    What stands among hosts and is none is closed, with the reason; where hosts are not the most, it is a repository. A folder of nothing
    but archives is one of hosts, whatever is in them.
    """
    found: list[Input] = []
    others: list[Input] = []
    names = [name for name in names if not name.startswith(".")]
    archives = [name for name in names if _is_archive(tree, f"/{name}")]
    for name in names:
        place = os.path.join(path, os.fsdecode(name.encode("utf-8", "surrogateescape")))
        try:
            kind, target = tree.kind(f"/{name}"), tree.link(f"/{name}")
            if kind == "directory" and target is None:
                if (one := _one_host(tree, name, place)) is not None:
                    found.append(one)
                elif nested := _group(place, _DEEPEST_GROUP):
                    found += nested
                else:
                    others.append(_repository(place))
            elif kind == "missing" and target is not None:
                found.append(_closed(place, "a link that leads out of the folder"))
            elif name in archives:
                found.append(archived(place, is_one_of_many=len(archives) > 1))
        except ReadError as error:
            found.append(_closed(place, error.reason))
    hosts = sum(not item.unavailable_reason for item in found)
    if hosts > len(others):
        others = [_closed(other.path, "stands among hosts and is not laid out like one") for other in others]
    are_hosts = hosts or (archives and len(archives) == len(names))
    return tuple(sorted((*found, *others), key=lambda item: os.fsencode(item.path))) if are_hosts else ()


def _is_archive(tree: Tree, path: str) -> bool:
    """Whether a file of a folder is an archive, or was meant to be one."""
    try:
        if tree.link(path) is not None or tree.kind(path) != "file":
            return False
        head = tree.head(path) or b""
    except ReadError:
        return path.endswith(_ARCHIVES)
    return path.endswith(_ARCHIVES) or head.startswith(_PACKED) or head[257:262] == b"ustar"


def archived(path: str, *, is_one_of_many: bool = False) -> Input:
    """The host that an archive holds; closed, with the reason, where it holds none or cannot be read.

    Of many archives of ours only the beginning is read here: who makes their trees reads the rest.
    """
    from portwright.trees.archive import archive, beginning
    from portwright.trees.memory import MemoryTree
    from portwright.trees.tar import SNAPSHOT

    name = os.path.basename(path)
    name = next((name.removesuffix(suffix) for suffix in sorted(_ARCHIVES, key=len, reverse=True) if name.endswith(suffix)), name) or name
    try:
        first = beginning(path, 3) if is_one_of_many else {}
        if SNAPSHOT in first:
            return _host(path, MemoryTree({f"/{file}": data for file, data in first.items()}), default=name, within="")
        tree = archive(path)
        for top in _tops(tree):
            if is_host(tree, top):
                return _host(path, tree.rooted(top), default=name, within=top)
    except ReadError as error:
        return Input("host", name, name, path, unavailable_reason=error.reason, within="")
    reason = "holds no host: of archives those of a host, of sos and of Insights are read"
    return Input("host", name, name, path, unavailable_reason=reason, within="")


def _tops(tree: Tree) -> Iterator[str]:
    """Where in an archive the root of a host may lie: at its top, or in the one folder that is there; in `data` of it for Insights."""
    names = tree.names("/")
    folders = ["", *(f"/{name}" for name in names if len(names) == 1)]
    for folder in folders:
        yield folder
        yield f"{folder}/data"


def _one_host(tree: Tree, name: str, place: str) -> Input | None:
    """A folder of a folder as a host, laid out like one or the content of its /etc; None where it is neither."""
    laid_out = is_host(tree, f"/{name}")
    if not laid_out and (data := _of_insights(tree, f"/{name}", place)) is not None:
        return data
    if not laid_out and not is_etc(tree, f"/{name}"):
        return None
    with DirectoryTree(place) as root:
        return _host(place, root, "/etc" if laid_out else "")


def is_etc(tree: Tree, folder: str) -> bool:
    """Whether a folder holds what only the /etc of a host does."""
    try:
        names = frozenset(tree.names(folder))
    except ReadError:
        return False
    return len(names & _WHO) > 1 and not names.isdisjoint(_WHAT)


def _group(path: str, deepest: int) -> tuple[Input, ...]:
    """The hosts of a group's folder (`web/a`, `db/b`): each folder in it is a host or a group; () where anything else is there."""
    if not deepest:
        return ()
    found: list[Input] = []
    try:
        with DirectoryTree(path) as tree:
            names = tuple(name for name in tree.names("/") if not name.startswith(".") or name in _VERSION_CONTROL)
            archives = [name for name in names if _is_archive(tree, f"/{name}")]
            if len(names) > _MOST_OF_A_GROUP or any(
                name in _VERSION_CONTROL or tree.link(f"/{name}") is not None or tree.kind(f"/{name}") != "directory"
                for name in names
                if name not in archives
            ):
                return ()
            for name in names:
                place = os.path.join(path, os.fsdecode(name.encode("utf-8", "surrogateescape")))
                if name in archives:
                    found.append(archived(place, is_one_of_many=True))
                elif (one := _one_host(tree, name, place)) is not None:
                    found.append(one)
                elif nested := _group(place, deepest - 1):
                    found += nested
                else:
                    return ()
    except ReadError:
        return ()  # a folder that cannot be read is no sign of a group
    return tuple(found)


def _repository(path: str) -> Input:
    name = _folder(path)
    return Input("repository", name, name, path)


def _closed(path: str, reason: str) -> Input:
    name = _folder(path)
    return Input("repository", name, name, path, unavailable_reason=reason)


def _host(path: str, tree: Tree, etc: str = "/etc", default: str = "", within: str | None = None) -> Input:
    places = _NAMED_IN if etc else ("/hostname",)
    name = next((name for place in places if (name := _hostname(_read(tree, place)))), "") or default or _folder(path)
    machine = _read(tree, f"{etc}/machine-id").strip()
    is_identity = len(machine) == 32 and set(machine) <= set("0123456789abcdef")
    return Input("host", name, machine if is_identity else name, path, is_etc=not etc, within=within)


def _hostname(text: str) -> str:
    """hostname(5): the first line that is neither empty nor a comment; what no host name may hold is dropped, as systemd does."""
    lines = (line.strip() for line in text.splitlines())
    line = next((line for line in lines if line and not line.startswith("#")), "")
    name, before = "", "."
    for letter in line:
        if letter == ".":
            keep = before not in ".-"
        elif letter == "-":
            keep = before != "."
        else:
            keep = letter.isascii() and (letter.isalnum() or letter == "_")
        if keep and len(name) < _MOST_NAME:
            name += letter
            before = letter
    return name.rstrip("-.")


def _read(tree: Tree, path: str) -> str:
    """A file that says who a host is; one that cannot be read says nothing, and the folder's name has to do."""
    try:
        return (tree.read(path) or b"").decode("utf-8", "surrogateescape")
    except ReadError:
        return ""


def _folder(path: str) -> str:
    return os.path.basename(os.path.abspath(path)) or "localhost"


def _file(path: str) -> Input:
    try:
        with open(path, "rb", opener=_opener) as file:
            head = file.read(512)
    except OSError:
        head = b""  # reading it tells why
    _refuse_packed(path, head)
    if head.startswith(_PACKED) or head[257:262] == b"ustar" or path.endswith(_ARCHIVES):
        return archived(path)
    return Input("file", path, path, path)


def _stdin(name: str | None) -> Input:
    if sys.stdin is None:
        raise InputError("standard input is closed")
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    name = name or "<stdin>"
    if content.startswith(_PACKED) or content[257:262] == b"ustar":
        raise InputError("standard input is an archive or compressed: give the path of its file")
    _refuse_packed("standard input", content)
    return Input("file", name, name, name, content)


def _refuse_packed(path: str, head: bytes) -> None:
    if head.startswith(_PACKED_OTHERWISE):
        raise InputError(f"{path} is compressed in a way that is not read (.tar, .gz, .xz and .zst are): unpack it into a folder")


def _content(path: str) -> bytes | ReadError:
    try:
        descriptor = _opener(path, os.O_RDONLY)
        try:
            content = read_whole(descriptor, path)
        finally:
            os.close(descriptor)
    except ReadError as error:
        return error
    except OSError as error:
        return ReadError(path, (error.strerror or "cannot be read").lower())
    return ReadError(path, "it changed while it was read") if content is None else content


def _limited(path: str, content: bytes) -> bytes | ReadError:
    return ReadError(path, f"larger than {MOST_BYTES >> 20} MiB") if len(content) > MOST_BYTES else content


def _opener(path: str, flags: int) -> int:
    # A path may have become a FIFO since it was looked at: never wait for one.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
