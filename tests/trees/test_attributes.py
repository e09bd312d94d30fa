"""What a tree knows of a file besides its text, and when it may be believed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from portwright.system.host_files.capabilities import FileCapabilities, stored_capabilities
from portwright.trees import Attributes, Files
from portwright.trees.directory import DirectoryTree
from portwright.trees.live import LiveTree
from portwright.trees.memory import MemoryTree
from portwright.trees.overlay import OverlayTree
from portwright.trees.repository import RepositoryTree

# struct vfs_cap_data, version 2, effective, permitted cap_net_bind_service
BIND = bytes.fromhex("0100000200040000000000000000000000000000")


def given(path: Path, value: bytes) -> None:
    """Give a file its capabilities; only root may, and not on every file system."""
    try:
        os.setxattr(path, "security.capability", value)
    except (OSError, AttributeError):
        pytest.skip("file capabilities cannot be set here")


def program(root: Path, path: str, mode: int = 0o755) -> Path:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"\x7fELF")
    place.chmod(mode)
    return place


def test_a_directory_tells_mode_and_owner_and_of_capabilities_only_what_is_there(tmp_path: Path) -> None:
    program(tmp_path, "/usr/bin/app", 0o4755)
    (tmp_path / "usr/bin/link").symlink_to("/usr/bin/app")
    tree = DirectoryTree(str(tmp_path))

    expected = Attributes(0o104755, os.getuid(), None, os.getgid())
    assert [expected, expected, None, None] == [tree.attributes(p) for p in ("/usr/bin/app", "/usr/bin/link", "/usr/bin", "/usr/bin/none")]


def test_capabilities_that_are_there_are_believed(tmp_path: Path) -> None:
    given(program(tmp_path, "/usr/bin/app"), BIND)
    program(tmp_path, "/usr/bin/other")
    tree = DirectoryTree(str(tmp_path))

    assert [BIND, None] == [found and found.capability for found in (tree.attributes("/usr/bin/app"), tree.attributes("/usr/bin/other"))]


def test_that_there_are_none_is_believed_where_the_copy_kept_those_of_others(tmp_path: Path) -> None:
    given(program(tmp_path, "/usr/bin/ping"), BIND)
    program(tmp_path, "/usr/bin/app")

    assert Attributes(0o100755, os.getuid(), b"", os.getgid()) == DirectoryTree(str(tmp_path)).attributes("/usr/bin/app")


def test_a_program_need_not_be_readable(tmp_path: Path) -> None:
    program(tmp_path, "/usr/bin/app", 0o4711)

    assert Attributes(0o104711, os.getuid(), None, os.getgid()) == DirectoryTree(str(tmp_path)).attributes("/usr/bin/app")


def test_what_is_no_file_system_knows_nothing(tmp_path: Path) -> None:
    program(tmp_path, "/usr/bin/app")

    assert None is MemoryTree({"/usr/bin/app": ""}).attributes("/usr/bin/app")
    assert None is RepositoryTree(str(tmp_path)).attributes("/usr/bin/app")


def test_an_edited_file_has_lost_its_attributes_and_the_others_keep_theirs(tmp_path: Path) -> None:
    program(tmp_path, "/usr/bin/app")
    program(tmp_path, "/usr/bin/other")
    tree = OverlayTree(DirectoryTree(str(tmp_path)), {"/usr/bin/app": b"new"})

    assert [None, Attributes(0o100755, os.getuid(), None, os.getgid())] == [
        tree.attributes(path) for path in ("/usr/bin/app", "/usr/bin/other")
    ]


def test_a_head_is_enough_of_a_file_of_any_size(tmp_path: Path) -> None:
    with program(tmp_path, "/usr/bin/app").open("ab") as file:
        file.truncate(100 << 20)
    tree = DirectoryTree(str(tmp_path))
    files = Files(tree)

    assert (b"\x7fELF", 4096, b"", ()) == (
        files.head("/usr/bin/app")[:4],
        len(files.head("/usr/bin/app")),
        files.head("/no"),
        files.unreadable,
    )
    assert [b"x" * 4096, b"y", None] == [OverlayTree(tree, {"/a": b"x" * 9999, "/b": b"y"}).head(path) for path in ("/a", "/b", "/c")]


def test_a_head_that_cannot_be_read_is_said() -> None:
    files = Files(MemoryTree({"/usr/bin/app/x": ""}))

    assert (b"", ["is a directory"]) == (files.head("/usr/bin/app"), [each.reason for each in files.unreadable])


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (BIND.hex(), FileCapabilities(frozenset({"CAP_NET_BIND_SERVICE"}), frozenset(), True)),
        ("0000000200000000000400000000000000000000", FileCapabilities(frozenset(), frozenset({"CAP_NET_BIND_SERVICE"}), False)),
        ("0100000200000000000000000001000000000000", FileCapabilities(frozenset({"CAP_CHECKPOINT_RESTORE"}), frozenset(), True)),
        ("010000010004000000000000", FileCapabilities(frozenset({"CAP_NET_BIND_SERVICE"}), frozenset(), True)),
        (f"01000003{BIND.hex()[8:]}00000000", FileCapabilities(frozenset({"CAP_NET_BIND_SERVICE"}), frozenset(), True)),
        (f"01000003{BIND.hex()[8:]}e8030000", FileCapabilities()),
        ("", None),
        ("01000002", None),
        (f"01000009{BIND.hex()[8:]}", None),
    ],
)
def test_stored_capabilities_as_the_kernel_lays_them_out(stored: str, expected: FileCapabilities | None) -> None:
    assert expected == stored_capabilities(bytes.fromhex(stored))


@pytest.mark.parametrize("text", ["cap_net_bind_service=ep", "cap_net_bind_service,cap_sys_admin=i", "cap_checkpoint_restore=p"])
def test_stored_capabilities_are_those_that_setcap_gives(tmp_path: Path, text: str) -> None:
    setcap = shutil.which("setcap", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if setcap is None:
        pytest.skip("needs setcap")
    place = program(tmp_path, "/usr/bin/app")
    if subprocess.run([setcap, text, str(place)], check=False, capture_output=True).returncode:
        pytest.skip("file capabilities cannot be set here")
    from portwright.system.host_files.capabilities import file_capabilities

    found = DirectoryTree(str(tmp_path)).attributes("/usr/bin/app")
    assert found is not None
    assert file_capabilities(text) == stored_capabilities(found.capability or b"")


# ── the live machine ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_live_machine_has_the_lists_that_its_kernel_tells() -> None:
    tree = LiveTree()

    assert os.uname().release.encode() + b"\n" == tree.read("/.portwright/kernel")
    assert "file" == tree.kind("/.portwright/cmdline")
    assert ("missing", None) == (tree.kind("/.portwright/filecaps"), tree.read("/.portwright/filecaps"))


def test_the_live_machine_has_the_addresses_that_ip_prints() -> None:
    from portwright.system.host_files.captures import addresses

    ip = shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if ip is None:
        pytest.skip("needs ip")
    printed = subprocess.run([ip, "-o", "addr"], check=True, capture_output=True).stdout
    said = addresses(Files(MemoryTree({"/.portwright/addresses": printed})))
    found = addresses(Files(LiveTree()))

    def facts(listed: object) -> set[tuple[object, ...]]:
        assert isinstance(listed, tuple)
        return {(each.interface, each.family, each.address, each.prefix, each.scope) for each in listed}

    assert facts(said) == facts(found)


def test_a_list_that_lies_on_the_machine_comes_first(tmp_path: Path) -> None:
    place = tmp_path / ".portwright/kernel"
    place.parent.mkdir()
    place.write_text("6.1.0\n")

    assert b"6.1.0\n" == LiveTree(str(tmp_path)).read("/.portwright/kernel")


def test_on_the_live_machine_a_file_without_capabilities_has_none(tmp_path: Path) -> None:
    program(tmp_path, "/usr/bin/app", 0o755)
    found = LiveTree(str(tmp_path)).attributes("/usr/bin/app")

    assert found is not None
    assert b"" == found.capability


def test_where_nosuid_is_mounted_neither_the_bit_nor_capabilities_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(program(tmp_path, "/usr/bin/app", 0o4755), BIND)
    asked = []

    def mounted(place: bytes) -> os.statvfs_result:
        asked.append(place)
        return os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, os.ST_NOSUID, 255))

    monkeypatch.setattr(os, "statvfs", mounted)

    assert Attributes(0o100755, os.getuid(), b"", os.getgid()) == LiveTree(str(tmp_path)).attributes("/usr/bin/app")
    assert [os.fsencode(tmp_path / "usr/bin/app")] == asked
