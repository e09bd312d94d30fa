"""What a path on the command line is, told by what lies there."""

import io
import os
import pickle
import sys
from pathlib import Path

import pytest

from portwright.audit.inputs import Input, InputError, inputs
from portwright.cli import main
from portwright.source import Span, Unreadable
from portwright.trees import Files

MACHINE = "0123456789abcdef0123456789abcdef"


def laid_out(root: Path, *files: str) -> str:
    for file in files:
        path, _, text = file.partition("=")
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir(exist_ok=True) if path.endswith("/") else place.write_text(text)
    return str(root)


def refused(*paths: str) -> str:
    with pytest.raises(InputError) as error:
        inputs(paths)
    return str(error.value)


def text(given: Input, path: str) -> str | None:
    return getattr(Files(given.tree).read(path), "text", None)


# ── hosts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beside", ["usr/", "etc/passwd", "etc/os-release", ".portwright/"])
def test_a_directory_with_etc_and_a_sign_of_a_host_is_a_host(tmp_path: Path, beside: str) -> None:
    path = laid_out(tmp_path / "web1", "etc/", beside)

    assert (Input("host", "web1", "web1", path),) == inputs([path])


@pytest.mark.parametrize("files", [("etc/nginx/nginx.conf",), ("usr/", "lib/"), ("etc", "usr/"), ("etc/", "usr"), ()])
def test_any_other_directory_is_a_repository(tmp_path: Path, files: tuple[str, ...]) -> None:
    (tmp_path / "shop").mkdir()
    path = laid_out(tmp_path / "shop", *files)

    assert (Input("repository", "shop", "shop", path),) == inputs([path])


def test_a_directory_is_what_its_user_says_whatever_it_looks_like(tmp_path: Path) -> None:
    part = laid_out(tmp_path / "part", "etc/nginx/nginx.conf=listen 80;")
    whole = laid_out(tmp_path / "whole", "etc/", "usr/", "etc/hostname=web1")

    assert (Input("host", "part", "part", part),) == inputs([part], taken_as="host")
    assert (Input("repository", "whole", "whole", whole),) == inputs([whole], taken_as="repository")


def test_an_allow_comment_in_what_is_said_to_be_a_host_silences_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = "# portwright: allow range-ends-share-parity: x\nnet.ipv4.ip_local_port_range = 30000 60000\n"
    path = laid_out(tmp_path / "part", f"etc/sysctl.d/9.conf={line}")

    command = ["check", "-q", path, "--select", "range-ends-share-parity", "--fail-on", "info"]

    assert [0, 1] == [main(command), main([*command, "--as", "host"])]
    assert "range-ends-share-parity" in capsys.readouterr().out


def test_the_live_machine_is_a_host() -> None:
    (found,) = inputs(["/"])

    assert ("host", "/") == (found.kind, found.path)
    assert found.name


@pytest.mark.parametrize(
    ("hostname", "name"),
    [
        ("web2\n", "web2"),
        ("# a comment\n\n  web2.example.com  \n", "web2.example.com"),
        ("", "folder"),
        ("# nothing\n", "folder"),
        ("we b2\x1b[2J\n", "web22J"),
        ("../../evil\n", "evil"),
        ("a..b-.c\n", "a.b-c"),
        ("-web-\n", "web"),
        ("n" * 200, "n" * 64),
        ("wéb\n", "wb"),
    ],
)
def test_a_host_is_called_what_hostname_says_else_as_its_folder(tmp_path: Path, hostname: str, name: str) -> None:
    path = laid_out(tmp_path / "folder", "usr/", f"etc/hostname={hostname}")

    assert [name] == [found.name for found in inputs([path])]


@pytest.mark.parametrize(
    ("machine", "identity"),
    [(MACHINE + "\n", MACHINE), ("uninitialized\n", "web1"), ("", "web1"), (MACHINE[:-1], "web1"), ("G" * 32, "web1")],
)
def test_a_host_is_known_by_its_machine_id_else_by_its_name(tmp_path: Path, machine: str, identity: str) -> None:
    path = laid_out(tmp_path / "folder", "usr/", "etc/hostname=web1", f"etc/machine-id={machine}")

    assert [("web1", identity)] == [(found.name, found.identity) for found in inputs([path])]


def test_who_a_host_is_is_read_inside_it(tmp_path: Path) -> None:
    laid_out(tmp_path, "secret=outside")
    path = laid_out(tmp_path / "web1", "usr/", "etc/")
    os.symlink(tmp_path / "secret", tmp_path / "web1/etc/hostname")
    os.symlink("../../secret", tmp_path / "web1/etc/machine-id")

    assert (Input("host", "web1", "web1", path),) == inputs([path])


@pytest.mark.parametrize("target", ["../etc", "etc", "/nowhere"])
def test_a_directory_whose_etc_leads_out_of_it_or_nowhere_is_no_host(tmp_path: Path, target: str) -> None:
    laid_out(tmp_path, "etc/passwd")
    path = laid_out(tmp_path / "web1", "usr/")
    os.symlink(target, tmp_path / "web1/etc")
    os.symlink("nginx.conf", tmp_path / "web1/nginx.conf")

    assert ["repository"] == [found.kind for found in inputs([path])]


def test_a_release_file_that_leads_into_a_missing_usr_is_a_sign_of_a_host(tmp_path: Path) -> None:
    path = laid_out(tmp_path / "web1", "etc/hosts")
    os.symlink("../usr/lib/os-release", tmp_path / "web1/etc/os-release")

    assert ["host"] == [found.kind for found in inputs([path])]


# ── directories of hosts ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_directory_of_hosts_is_its_hosts_by_folder_name(tmp_path: Path) -> None:
    path = laid_out(
        tmp_path, "b/etc/hostname=alpha", "b/usr/", "a/etc/passwd", "c/etc/os-release", ".cache/x", "README.md", "inventory.yml"
    )

    assert [("host", "a", f"{path}/a"), ("host", "alpha", f"{path}/b"), ("host", "c", f"{path}/c")] == [
        (found.kind, found.name, found.path) for found in inputs([path])
    ]


def test_what_stands_among_hosts_and_is_none_is_said(tmp_path: Path) -> None:
    path = laid_out(tmp_path, "a/etc/passwd", "b/etc/passwd", "broken/usr/x", "web9.tar.gz")
    os.symlink("/nowhere", tmp_path / "gone")
    found = inputs([path])

    assert ["a", "b", "broken", "gone", "web9"] == [item.name for item in found]
    assert [
        "",
        "",
        "stands among hosts and is not laid out like one",
        "a link that leads out of the folder",
        "the archive is truncated",
    ] == [item.unavailable_reason for item in found]
    files = Files(found[2].tree)
    assert [] == list(files.walk())
    assert (Unreadable(Span.whole(f"{path}/broken"), "stands among hosts and is not laid out like one"),) == files.unreadable


def test_a_link_to_a_host_beside_it_is_not_a_second_one(tmp_path: Path) -> None:
    path = laid_out(tmp_path, "web1/etc/passwd")
    os.symlink("web1", tmp_path / "latest")

    assert ["web1"] == [found.name for found in inputs([path])]


def test_hosts_and_repositories_side_by_side_are_each_what_they_are(tmp_path: Path) -> None:
    path = laid_out(tmp_path, "web1/etc/passwd", "shop/deploy/nginx.conf")

    assert [("repository", "shop"), ("host", "web1")] == [(found.kind, found.name) for found in inputs([path])]


def test_hosts_in_folders_of_groups_are_hosts_and_those_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = laid_out(tmp_path, "web/n1/etc/passwd", "db/old/n1/etc/passwd", "web/n2/etc/passwd")

    assert [f"n1 ({path}/db/old/n1)", f"n1 ({path}/web/n1)", "n2"] == [found.name for found in inputs([path])]
    assert {"host"} == {found.kind for found in inputs([path])}


@pytest.mark.parametrize("beside", ["roles/web/tasks/main.yml", "roles/site.yml", "roles/web/x"])
def test_a_role_whose_files_are_laid_out_like_a_host_makes_no_host_of_its_repository(tmp_path: Path, beside: str) -> None:
    path = laid_out(tmp_path, "roles/web/files/etc/passwd", beside)

    assert ["repository"] == [found.kind for found in inputs([path])]


def test_etc_alone_is_the_host_that_it_is_of(tmp_path: Path) -> None:
    path = laid_out(tmp_path / "web1", "etc/passwd", "etc/hostname=alpha")

    assert [("host", "alpha", path)] == [(found.kind, found.name, found.path) for found in inputs([f"{path}/etc"])]


@pytest.mark.parametrize("name", ["etc", "web1", "web1-etc", "etc.bak"])
def test_the_content_of_etc_is_a_host_under_any_name(tmp_path: Path, name: str) -> None:
    folder = laid_out(tmp_path / name, "passwd", "group", ".git/config", "sysctl.d/60-app.conf", "systemd/system/app.service")
    (tmp_path / name / "hostname").write_text("web1\n")
    os.symlink("/etc/systemd/system/app.service", tmp_path / name / "alias.service")

    (given,) = inputs([folder])
    tree = given.tree

    assert ("host", "web1") == (given.kind, given.name)
    assert ("/etc/sysctl.d/60-app.conf",) == tuple(path for path in tree.walk() if "sysctl" in path)
    assert ("etc",) == tree.names("/")
    assert "file" == tree.kind("/etc/alias.service")
    assert "missing" == tree.kind("/passwd")
    assert "missing" == tree.kind("/etc/../passwd")


@pytest.mark.parametrize("files", [("passwd", "sysctl.d/a.conf"), ("hosts", "hostname", "fstab"), ("group", "systemd/app.service")])
def test_a_folder_with_few_files_of_etc_is_no_host(tmp_path: Path, files: tuple[str, ...]) -> None:
    assert ["repository"] == [each.kind for each in inputs([laid_out(tmp_path, *files)])]


def test_folders_of_etc_and_hosts_in_parts_are_hosts_side_by_side(tmp_path: Path) -> None:
    laid_out(tmp_path / "web1-etc", "passwd", "fstab", "systemd/system/app.service")
    laid_out(tmp_path / "db1", "etc/hostname", "etc/fstab", "etc/sysctl.conf")
    laid_out(tmp_path / "group" / "app1", "os-release", "passwd", "init.d/app")

    assert [("host", "db1"), ("host", "app1"), ("host", "web1-etc")] == [(each.kind, each.name) for each in inputs([str(tmp_path)])]


def test_a_part_of_etc_under_version_control_is_a_repository(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, ".git/config", "etc/hostname", "etc/fstab", "etc/sysctl.d/a.conf")

    assert ["repository"] == [each.kind for each in inputs([folder])]


@pytest.mark.parametrize("sign", [".git/HEAD", "nginx.conf=http { server { listen 80; } }", "a.service=[Service]"])
def test_a_repository_with_a_folder_like_a_host_is_a_repository(tmp_path: Path, sign: str) -> None:
    path = laid_out(tmp_path / "image", "rootfs/etc/nginx/nginx.conf", "rootfs/usr/x", sign)

    assert ["repository"] == [found.kind for found in inputs([path])]


@pytest.mark.parametrize("beside", ["ansible.cfg=[defaults]", "inventory.ini=[web]", "site.yml=- hosts: all", "nginx.conf=prose"])
def test_what_is_no_config_makes_no_repository_of_the_hosts_beside_it(tmp_path: Path, beside: str) -> None:
    path = laid_out(tmp_path / "fleet", "a/etc/passwd", "b/etc/passwd", beside)

    assert ["host", "host"] == [found.kind for found in inputs([path])]


def test_a_directory_of_hosts_is_read_as_such_where_that_is_asked_for(tmp_path: Path) -> None:
    path = laid_out(tmp_path / "fleet", "a/etc/passwd", "b/etc/passwd", ".git/HEAD", "nginx.conf=http { server { listen 80; } }")

    assert ["repository"] == [found.kind for found in inputs([path])]
    assert [("host", "a"), ("host", "b")] == [(found.kind, found.name) for found in inputs([path], taken_as="host")]


# ── files and standard input ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "inside"),
    [("deploy/nginx.conf", "/deploy/nginx.conf"), ("./deploy/../deploy/nginx.conf", "/deploy/nginx.conf"), ("nginx.conf", "/nginx.conf")],
)
def test_a_file_is_shown_as_its_user_named_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, inside: str) -> None:
    laid_out(tmp_path, "deploy/nginx.conf=text", "nginx.conf=text")
    monkeypatch.chdir(tmp_path)
    (found,) = inputs([given])

    assert (("file", True, given), [inside], "text") == (
        (found.kind, found.explicit, found.name),
        list(found.tree.walk()),
        text(found, inside),
    )
    assert given == found.tree.label(inside)


def test_a_file_above_the_working_directory_has_a_place_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out(tmp_path, "a../x.conf=text", "here/")
    monkeypatch.chdir(tmp_path / "here")
    (found,) = inputs(["../a../x.conf"])

    assert ["/a../x.conf"] == list(found.tree.walk())
    assert "text" == text(found, "/a../x.conf")


@pytest.mark.parametrize(
    ("given", "checkout_prefix"), [("hosts/web1", "hosts/web1"), (".", ""), ("hosts/../shop", "shop"), ("..", None), ("/", None)]
)
def test_a_directory_lies_below_the_one_of_the_run_or_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, checkout_prefix: str | None
) -> None:
    for folder in ("run/hosts/web1", "run/shop"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "run")

    assert checkout_prefix == Input("host", "name", "name", given).checkout_prefix
    assert checkout_prefix == Input("host", "name", "name", str((tmp_path / "run" / given).resolve())).checkout_prefix


def test_a_file_that_cannot_be_read_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = laid_out(tmp_path / "big.conf")
    with open(path, "wb") as file:
        file.truncate(17 << 20)
    (found,) = inputs([path])
    files = Files(found.tree)

    assert [None] == [files.read(inside) for inside in files.walk()]
    assert (Unreadable(Span.whole(path), "larger than 16 MiB"),) == files.unreadable


class _Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize(("name", "shown"), [("deploy/nginx.conf", "deploy/nginx.conf"), (None, "<stdin>")])
def test_standard_input_has_the_name_it_is_given(monkeypatch: pytest.MonkeyPatch, name: str | None, shown: str) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(b"text\xff"))
    (found,) = inputs(["-", "-"], name)

    assert (Input("file", shown, shown, shown, b"text\xff"), [shown]) == (found, [found.tree.label(path) for path in found.tree.walk()])
    assert "text\udcff" == text(found, f"/{shown}")


def test_standard_input_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(b"x" * (17 << 20)))
    (found,) = inputs(["-"])
    files = Files(found.tree)

    assert None is files.read("/<stdin>")
    assert ["larger than 16 MiB"] == [trouble.reason for trouble in files.unreadable]


# ── what is no input ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path}/none: no such file or directory" == refused(str(tmp_path), f"{tmp_path}/none")
    assert "'a\\x00b' is not a path" == refused("a\0b")
    assert ": no such file or directory" == refused("")


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    assert f"{tmp_path}/fifo is neither a file nor a directory; give - to read standard input" == refused(f"{tmp_path}/fifo")


@pytest.mark.parametrize("head", [b"BZh9", b"PK\x03\x04", b"\x04\x22\x4d\x18"])
def test_what_is_packed_in_a_way_that_is_not_read_is_refused_by_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    (tmp_path / "web1").write_bytes(head)
    monkeypatch.setattr(sys, "stdin", _Stdin(head))
    reason = "is compressed in a way that is not read (.tar, .gz, .xz and .zst are): unpack it into a folder"

    assert f"{tmp_path}/web1 {reason}" == refused(f"{tmp_path}/web1")
    assert f"standard input {reason}" == refused("-")


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"x" * 257 + b"ustar"])
def test_an_archive_on_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(head))

    assert "standard input is an archive or compressed: give the path of its file" == refused("-")


# ── all together ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inputs_keep_the_order_they_were_given_in_and_count_once(tmp_path: Path) -> None:
    laid_out(tmp_path, "b/etc/passwd", "a/x", "c.conf=")
    paths = [f"{tmp_path}/{name}" for name in ("c.conf", "b", "a", "b")]

    assert paths[:3] == [found.path for found in inputs(paths)]


def test_an_input_can_be_sent_to_another_process(tmp_path: Path) -> None:
    path = laid_out(tmp_path, "etc/passwd=root:x:0:0::/root:/bin/sh")
    (found,) = inputs([path])
    sent, tree = pickle.loads(pickle.dumps((found, found.tree)))  # noqa: S301

    assert found == sent
    assert tree.read("/etc/passwd") == sent.tree.read("/etc/passwd") == b"root:x:0:0::/root:/bin/sh"
