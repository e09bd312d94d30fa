"""A tree plus edits looks as the host would after the edits."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.trees import ReadError, Tree
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree

HOST = {
    "/etc/sysctl.d/10-a.conf": "a",
    "/etc/sysctl.d/20-link.conf": "-> /usr/share/b.conf",
    "/usr/share/b.conf": "b",
    "/lib": "-> usr/lib",
    "/usr/lib/sysctl.d/50-c.conf": "c",
    "/etc/masked.service": "-> /dev/null",
}


def test_a_written_file_is_read_instead_of_the_old_one() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/sysctl.d/10-a.conf": b"new"})

    assert b"new" == tree.read("/etc/sysctl.d/10-a.conf")
    assert ("10-a.conf", "20-link.conf") == tree.names("/etc/sysctl.d")


def test_a_new_file_brings_its_directories_along() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/systemd/system/a.service.d/50-x.conf": b"[Service]"})

    assert ("masked.service", "sysctl.d", "systemd") == tree.names("/etc")
    assert ("a.service.d",) == tree.names("/etc/systemd/system")
    assert ("50-x.conf",) == tree.names("/etc/systemd/system/a.service.d")
    assert ["directory", "file"] == [tree.kind(f"/etc/systemd/system/a.service.d{rest}") for rest in ("", "/50-x.conf")]


def test_a_removed_file_is_missing_and_its_directory_stays() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/usr/share/b.conf": None})

    assert ("missing", None, ()) == (tree.kind("/usr/share/b.conf"), tree.read("/usr/share/b.conf"), tree.names("/usr/share"))
    assert ("missing", "directory") == (tree.kind("/etc/sysctl.d/20-link.conf"), tree.kind("/usr/share"))


def test_a_removed_directory_takes_all_below_with_it() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/sysctl.d": None, "/etc/sysctl.d/90-new.conf": b"new"})

    assert ("90-new.conf",) == tree.names("/etc/sysctl.d")
    assert [None, None] == [tree.read("/etc/sysctl.d/10-a.conf"), tree.link("/etc/sysctl.d/20-link.conf")]
    assert "/etc/sysctl.d/20-link.conf" == tree.resolve("/etc/sysctl.d/20-link.conf")


def test_an_edit_below_a_linked_directory_lands_where_the_link_leads() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/lib/sysctl.d/60-d.conf": b"d", "/lib/sysctl.d/50-c.conf": None})

    assert ("60-d.conf",) == tree.names("/usr/lib/sysctl.d") == tree.names("/lib/sysctl.d")
    assert "/usr/lib/sysctl.d/60-d.conf" == tree.resolve("/lib/sysctl.d/60-d.conf")


def test_a_link_is_replaced_and_not_written_through() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/sysctl.d/20-link.conf": b"new", "/etc/masked.service": None})

    assert [b"new", b"b"] == [tree.read("/etc/sysctl.d/20-link.conf"), tree.read("/usr/share/b.conf")]
    assert [None, None] == [tree.link("/etc/sysctl.d/20-link.conf"), tree.link("/etc/masked.service")]
    assert "missing" == tree.kind("/etc/masked.service")


def test_a_mask_of_the_base_stays_a_mask() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/x": b""})

    assert ("special", b"", "/dev/null") == (
        tree.kind("/etc/masked.service"),
        tree.read("/etc/masked.service"),
        tree.link("/etc/masked.service"),
    )


def test_a_walk_meets_what_is_there_after_the_edits() -> None:
    tree = OverlayTree(MemoryTree(HOST), {"/etc/sysctl.d/10-a.conf": b"new", "/etc/a": b"", "/usr/lib/sysctl.d": None, "/lib": None})

    expected = ["/etc/a", "/etc/masked.service", "/etc/sysctl.d/10-a.conf", "/etc/sysctl.d/20-link.conf", "/usr/share/b.conf"]
    assert expected == list(tree.walk())


def test_overlays_lie_on_overlays() -> None:
    first = OverlayTree(MemoryTree(HOST), {"/etc/a": b"1", "/etc/b": b"1"})
    second = OverlayTree(first, {"/etc/b": b"2", "/etc/a": None})

    assert [None, b"2"] == [second.read("/etc/a"), second.read("/etc/b")]


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ({"/etc/sysctl.d/10-a.conf/x": b""}, "/etc/sysctl.d/10-a.conf is not a directory"),
        ({"/etc/masked.service/x": b""}, "/dev/null is not a directory"),
        ({"/etc/new": b"", "/etc/new/x": b""}, "/etc/new is not a directory"),
        ({"/etc/sysctl.d": b""}, "is a directory"),
    ],
)
def test_an_edit_no_machine_could_make_is_refused(edits: dict[str, bytes | None], reason: str) -> None:
    with pytest.raises(ReadError) as error:
        OverlayTree(MemoryTree(HOST), edits)

    assert reason == error.value.reason


@pytest.mark.parametrize("path", ["/", "", "/etc/.."])
def test_an_edit_needs_a_file_name(path: str) -> None:
    with pytest.raises(ValueError, match="not a path of a file"):
        OverlayTree(MemoryTree(HOST), {path: b""})


_PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
_FILES = st.dictionaries(_PATHS, st.sampled_from(["text", "-> /a", "-> b", "-> ../c", "-> /dev/null"]), max_size=6)
_EDITS = st.dictionaries(_PATHS, st.one_of(st.none(), st.just(b"new")), max_size=4)


@settings(max_examples=100, deadline=None)
@given(_FILES, _EDITS)
def test_an_overlay_says_what_a_disk_says_after_the_same_edits(files: dict[str, str], edits: dict[str, bytes | None]) -> None:
    files = {path: text for path, text in files.items() if not any(path.startswith(other + "/") for other in files)}
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            place = Path(folder, path[1:])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(text[3:]) if text.startswith("-> ") else place.write_text(text)
        try:
            overlay = OverlayTree(MemoryTree(files), edits)
        except ReadError:
            return
        for path in sorted(edits, key=lambda path: (edits[path] is not None, path)):
            _edit(Path(folder), path, edits[path])
        with DirectoryTree(folder) as after:
            assert list(after.walk()) == list(overlay.walk())
            for path in ("/", *_every_path()):
                assert _all(after, path) == _all(overlay, path)


def _edit(root: Path, path: str, content: bytes | None) -> None:
    parent, _, name = path.rpartition("/")
    place = root / DirectoryTree(str(root)).resolve(parent)[1:] / name
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True) if place.parent.is_dir() else None
    if content is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _every_path() -> list[str]:
    names = ("a", "b", "c")
    return [f"/{x}" for x in names] + [f"/{x}/{y}" for x in names for y in names]


def _all(tree: Tree, path: str) -> list[object]:
    asked: list[object] = []
    for question in (tree.resolve, tree.kind, tree.names, tree.link, tree.read):
        try:
            asked.append(question(path))
        except ReadError as error:
            asked.append(error.reason)
    return asked
