"""Which NFS file systems a host mounts, and what its NFS client is told about ports."""

import pytest

from portwright.system.host_files.mounts import nfs_mounts, resvport_options
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree


def mounts(files: dict[str, str]) -> list[tuple[str, str, bool]]:
    tree = Files(MemoryTree(files))
    return [(str(mount.at), mount.what, mount.on_demand) for mount in nfs_mounts(load(tree).each, tree)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("files:/home /home nfs defaults 0 0", [("/etc/fstab:1:1", "files:/home", False)]),
        ("files:/home\t/home\tnfs4", [("/etc/fstab:1:1", "files:/home", False)]),
        ("[fd00::1]:/ /srv nfs4 ro", [("/etc/fstab:1:1", "[fd00::1]:/", False)]),
        ("files:/home /home nfs noauto,x-systemd.automount 0 0", [("/etc/fstab:1:1", "files:/home", True)]),
        ("files:/home /home nfs noauto 0 0", []),
        ("# files:/home /home nfs defaults 0 0", []),
        ("//files/home /home cifs defaults 0 0", []),
        ("UUID=1 / ext4", []),
        ("files:/home", []),
    ],
)
def test_a_line_of_fstab_mounts_nfs_where_its_type_says_so(line: str, found: list[tuple[str, str, bool]]) -> None:
    assert found == mounts({"/etc/fstab": f"{line}\n"})


@pytest.mark.parametrize(("enabled", "found"), [(True, [("/etc/systemd/system/srv.mount:2:6", "files:/srv", False)]), (False, [])])
def test_a_mount_unit_mounts_where_something_starts_it(enabled: bool, found: list[tuple[str, str, bool]]) -> None:
    files = {"/etc/systemd/system/srv.mount": "[Mount]\nWhat=files:/srv\nWhere=/srv\nType=nfs\n"}
    if enabled:
        files["/etc/systemd/system/multi-user.target.wants/srv.mount"] = "-> ../srv.mount"

    assert found == mounts(files)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("home -rw files:/home", [("/etc/auto.net:1:1", "files:/home", True)]),
        ("home -fstype=nfs4,rw files:/home", [("/etc/auto.net:1:1", "files:/home", True)]),
        ("home files:/home", [("/etc/auto.net:1:1", "files:/home", True)]),
        ("cd -fstype=iso9660 :/dev/cdrom", []),
        ("win -fstype=cifs ://files/home", []),
    ],
)
def test_a_map_of_the_automounter_mounts_nfs_unless_it_says_otherwise(entry: str, found: list[tuple[str, str, bool]]) -> None:
    assert found == mounts({"/etc/auto.master": "/net file:/etc/auto.net\n", "/etc/auto.net": f"{entry}\n"})


def test_the_later_file_says_with_which_options_the_module_is_loaded() -> None:
    files = Files(
        MemoryTree(
            {
                "/usr/lib/modprobe.d/a.conf": "options sunrpc min_resvport=700 max_resvport=900\n",
                "/etc/modprobe.d/b.conf": "options sunrpc min_resvport=800\noptions other min_resvport=1\n",
                "/etc/modprobe.d/c.txt": "options sunrpc min_resvport=1\n",
            }
        )
    )

    assert {"min_resvport": "800", "max_resvport": "900"} == {key: value.value for key, value in resvport_options(files).items()}
