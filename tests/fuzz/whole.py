"""Readers of a whole repository or host, written as one text, so that each file, name and link of it is spoilt alike.

A line that begins with `/` or `./` names a file (`PATH -> TARGET` a link); the lines below it are its content, indented by four spaces.
The seeds are the repositories of `tests/audit` and the texts in `seeds/whole/`: a kind of deployer has those with a file of its kind.
"""

import hashlib
import posixpath
import random
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from portwright.audit.case_file import parse
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.repositories.deployers import MODULES
from portwright.repositories.not_read import kind_by_name, kind_of
from portwright.repositories.reading import read_repository
from portwright.trees import ReadError, Tree
from portwright.trees.git_index import tracked
from portwright.trees.memory import MemoryTree
from portwright.trees.repository import RepositoryInMemory, RepositoryTree
from portwright.trees.revision import RevisionError, RevisionTree, revision

Told = Callable[[Host], None]
Target = Callable[[bytes], None]
Content = str | bytes

_WHOLE = Path(__file__).parent / "seeds/whole"
_CASES = Path(__file__).parents[1] / "audit"
_HOSTS = ("finit", "networks", "openrc", "runit", "sysvinit", "upstart")
_TREES = ("checkout", "index", "revision")
_MODES = ("100644", "100755", "0100644", "100664", "100600", "160000", "40000", "120000", "0", "777777")
_LONGEST_NAME = 200


def targets(told: Told) -> dict[str, Target]:
    """`deployer/KIND`, `host/INIT SYSTEM`, and what of git is read: `tree/checkout`, `tree/index`, `tree/revision`."""

    def host(data: bytes) -> None:
        told(read_host(MemoryTree(files_of(data)), "h"))

    def repository(tree: Tree) -> None:
        for found in read_repository(tree, "r"):
            told(found)

    def deployer(data: bytes) -> None:
        repository(RepositoryInMemory(files_of(data)))

    def checkout(data: bytes) -> None:
        with TemporaryDirectory() as folder:
            _lay(Path(folder), files_of(data))
            with RepositoryTree(folder) as tree:
                repository(tree)

    def history(data: bytes) -> None:
        with TemporaryDirectory() as folder:
            _commit(Path(folder), files_of(data), random.Random(data))  # noqa: S311  it makes inputs, no secrets
            tree: RevisionTree | None = None
            try:
                tree = RevisionTree(revision(folder, "HEAD"))
                repository(tree)
                for path in tree.walk():
                    _read(tree, path)
            except RevisionError as error:
                str(error).encode()
            finally:
                if tree is not None:
                    tree.close()

    found: dict[str, Target] = {f"deployer/{kind.replace(' ', '-')}": deployer for kind in _of_kinds()}
    found |= {f"host/{name}": host for name in _HOSTS}
    return found | {"tree/checkout": checkout, "tree/index": _index, "tree/revision": history}


def seeds_of(name: str) -> tuple[bytes, ...]:
    """What the inputs of a target are made of; nothing for a target that takes any text."""
    family, _, kind = name.partition("/")
    if family == "deployer":
        return _of_kinds()[kind.replace("-", " ") if kind.replace("-", " ") in _of_kinds() else kind]
    if family == "host":
        return ((_WHOLE / kind).read_bytes(),)
    if name == "tree/index":
        return tuple(index_of(("a/b.conf", "a/c", "d", "\udcff", "x" * 300), version) for version in (2, 3, 4))
    return ((_WHOLE / "checkout").read_bytes(), *_of_kinds()["ansible"]) if family == "tree" else ()


def kinds_without_seeds() -> set[str]:
    """The kinds that a deployer reads of which no repository among the seeds has a file."""
    return MODULES.keys() - _of_kinds().keys()


def index_of(paths: Iterable[str], version: int) -> bytes:
    """An index of git's, as gitformat-index(5) says."""
    found, before = b"", b""
    for path in sorted(path.encode("utf-8", "surrogateescape") for path in paths):
        flags = min(len(path), 0xFFF) | (0x4000 if version == 3 else 0)
        entry = bytes(40) + hashlib.sha1(path).digest() + flags.to_bytes(2) + (b"\0\0" if version == 3 else b"")  # noqa: S324  git's own
        if version == 4:
            shared = len(posixpath.commonprefix((before, path)))
            entry += _varint(len(before) - shared) + path[shared:] + b"\0"
        else:
            entry += path
            entry += bytes(8 - len(entry) % 8)
        found, before = found + entry, path
    head = b"DIRC" + version.to_bytes(4) + len(tuple(paths)).to_bytes(4)
    return head + found + hashlib.sha1(head + found).digest()  # noqa: S324  git's own


def _varint(value: int) -> bytes:
    found = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        found.append(0x80 | value & 0x7F)
    return bytes(reversed(found))


def _index(data: bytes) -> None:
    tracked(data)


def files_of(data: bytes) -> dict[str, Content]:
    """The files that a text names; none is another one's folder."""
    found: dict[str, Content] = {}
    path, lines = "", list[str]()
    for line in (*data.decode("utf-8", "surrogateescape").split("\n"), "/"):
        if not line.startswith(("/", "./")):
            lines.append(line.removeprefix("    "))
            continue
        if path and path not in found:
            found[path] = "\n".join((*lines, "")).encode("utf-8", "surrogateescape")
        named, arrow, target = line.lstrip(".").partition(" -> ")
        path, lines = "/" + posixpath.normpath(named.replace("\0", "")).lstrip("/").rstrip("\r"), []
        path = "" if path in ("/", "/.", "/..") or path.startswith("/../") else path
        if path and arrow:
            found[path], path = f"-> {target}", ""
    folders = {path[:at] for path in found for at in range(1, len(path)) if path[at] == "/"}
    return {path: content for path, content in found.items() if path not in folders}


@cache
def _of_kinds() -> Mapping[str, tuple[bytes, ...]]:
    """The repositories among the seeds, by the kinds of their files."""
    texts: list[tuple[Iterable[tuple[str, Content]], bytes]] = []
    for path in sorted(_CASES.glob("repositories*.txt")):
        for case in parse(path.read_bytes(), path.name).cases:
            files = {name: content if isinstance(content, bytes) else f"-> {content}" for name, content in case.files.items()}
            texts.append((files.items(), _text(files)))
    for path in sorted(_WHOLE.iterdir()):
        if path.name not in _HOSTS:
            texts.append((files_of(path.read_bytes()).items(), path.read_bytes()))
    found: dict[str, list[bytes]] = {}
    for items, text in texts:
        for kind in sorted({kind for name, content in items for kind in _kinds(name.lstrip("/"), content)}):
            found.setdefault(kind, []).append(text)
    return {kind: tuple(each) for kind, each in found.items()}


def _kinds(label: str, content: Content) -> Iterable[str]:
    if label.endswith("Chart.yaml"):
        yield "helm"
    hint = kind_by_name(label)
    kind = None if hint is None or isinstance(content, str) else kind_of(label, hint, content.decode("utf-8", "surrogateescape"))
    if kind is not None:
        yield kind


def _text(files: Mapping[str, Content]) -> bytes:
    found: list[bytes] = []
    for path, content in files.items():
        name = path.encode("utf-8", "surrogateescape")
        if isinstance(content, str):
            found.append(b"." + name + b" " + content.encode("utf-8", "surrogateescape"))
        else:
            found += (b"." + name, *(b"    " + line for line in content.removesuffix(b"\n").split(b"\n")))
    return b"\n".join((*found, b""))


def _lay(top: Path, files: Mapping[str, Content]) -> None:
    """Write files below a folder, none of them through a link, with an index of git's that tracks every other one."""
    links = {path: content for path, content in files.items() if isinstance(content, str)}
    kept = {path: content for path, content in files.items() if isinstance(content, bytes) and _can_be_written(path)}
    for path, content in kept.items():
        place = top / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for path, target in links.items():
        place = top / path.lstrip("/")
        if _can_be_written(path) and len(target) < _LONGEST_NAME and target[3:] and "\0" not in target:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target[3:])
    (top / ".git").mkdir(exist_ok=True)
    (top / ".git/index").write_bytes(index_of([path.lstrip("/") for path in [*kept][::2]], 2))


def _can_be_written(path: str) -> bool:
    parts = path.split("/")
    longest = max(len(part.encode("utf-8", "surrogateescape")) for part in parts)
    return parts[1] != ".git" and len(path) < 1000 and longest < _LONGEST_NAME


@cache
def _empty() -> TemporaryDirectory[str]:
    """A repository of git's without a commit, kept as long as the program runs."""
    folder = TemporaryDirectory()
    subprocess.run(["git", "init", "-q", "--template=", "-b", "main", folder.name], check=True)
    return folder


def _commit(top: Path, files: Mapping[str, Content], chance: random.Random) -> None:
    """A commit whose trees hold the names as they are, whatever git itself would refuse, or one whose objects are damaged."""
    shutil.copytree(Path(_empty().name, ".git"), top / ".git")
    entries: list[tuple[bytes, bytes]] = []
    for path, content in files.items():
        data = content[3:].encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        mode = "120000" if isinstance(content, str) else chance.choice(_MODES) if chance.random() < 0.1 else "100644"
        name = path.lstrip("/").encode("utf-8", "surrogateescape")
        name = name.replace(b"/", b"\\") if chance.random() < 0.02 else name
        entries.append((name, mode.encode() + b" %s\0" + _object(top, b"blob", data, chance)))
    tree = _tree(top, entries, chance)
    commit = b"tree " + tree.hex().encode() + b"\nauthor a <a@b> 1 +0000\ncommitter a <a@b> 1 +0000\n\nx\n"
    head = _object(top, b"commit", commit, chance).hex()
    (top / ".git/refs/heads/main").write_text(head + "\n")


def _tree(top: Path, entries: Iterable[tuple[bytes, bytes]], chance: random.Random) -> bytes:
    """The object of a folder; `%s` in an entry is where its name goes."""
    own: dict[bytes, bytes] = {}
    folders: dict[bytes, list[tuple[bytes, bytes]]] = {}
    for name, entry in entries:
        first, slash, rest = name.partition(b"/")
        if slash and chance.random() > 0.02:
            folders.setdefault(first, []).append((rest, entry))
        else:
            own[name] = entry
    for name, below in folders.items():
        own[name + b"/"] = b"40000 %s\0" + _tree(top, below, chance)
    data = b"".join(entry.replace(b"%s", name.rstrip(b"/") or b"..", 1) for name, entry in sorted(own.items()))
    return _object(top, b"tree", data, chance)


def _object(top: Path, kind: bytes, data: bytes, chance: random.Random) -> bytes:
    full = kind + b" " + str(len(data)).encode() + b"\0" + data
    name = hashlib.sha1(full).digest()  # noqa: S324  git's own
    place = top / ".git/objects" / name.hex()[:2] / name.hex()[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    luck = chance.random()
    packed = zlib.compress(full if luck > 0.01 else full[: len(full) // 2])
    if luck < 0.98 or kind == b"commit":
        place.write_bytes(packed if luck > 0.02 else packed[: len(packed) // 2])
    return name


def _read(tree: RevisionTree, path: str) -> None:
    try:
        tree.read(path)
    except ReadError as error:
        str(error).encode("utf-8", "surrogateescape")
