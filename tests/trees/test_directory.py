"""A directory as a host's root: what it says, and that nothing outside it is ever opened."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.source import Span, Unreadable
from portwright.trees import Files, ReadError, Tree
from portwright.trees import directory as directory_module
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree
from portwright.trees.repository import RepositoryTree


def laid_out(root: Path, files: dict[str, str | bytes]) -> Path:
    """The same files that MemoryTree takes, on disk below `root`."""
    for path, content in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and content.startswith("-> "):
            place.symlink_to(content[3:])
        else:
            place.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    return root


def reason(tree: Tree, path: str) -> str:
    """Why a path cannot be read."""
    with pytest.raises(ReadError) as error:
        tree.read(path)
    return error.value.reason


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "real"),
    [
        ("/etc/secret", "/etc/secret"),
        ("secret", "/etc/secret"),
        ("../etc/secret", "/etc/secret"),
        ("../../../../../../etc/secret", "/etc/secret"),
        ("/../../etc/./secret", "/etc/secret"),
        ("//etc//secret", "/etc/secret"),
    ],
)
def test_a_link_is_clamped_at_the_root(tmp_path: Path, target: str, real: str) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/secret").write_text("outside")
    root = laid_out(tmp_path / "root", {"/etc/link": f"-> {target}", "/etc/secret": "inside"})
    tree = DirectoryTree(str(root))

    assert real == tree.resolve("/etc/link")
    assert b"inside" == tree.read("/etc/link")
    assert target == tree.link("/etc/link")


def test_a_link_to_a_file_that_only_exists_outside_is_missing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    tree = DirectoryTree(str(laid_out(tmp_path / "root", {"/etc/a": f"-> {tmp_path}/secret", "/etc/b": "-> ../../secret"})))

    assert ["missing", "missing"] == [tree.kind("/etc/a"), tree.kind("/etc/b")]
    assert [None, None] == [tree.read("/etc/a"), tree.read("/etc/b")]


def test_a_directory_link_in_the_middle_stays_inside(tmp_path: Path) -> None:
    tree = DirectoryTree(str(laid_out(tmp_path / "root", {"/etc": "-> /", "/passwd": "inside"})))

    assert b"inside" == tree.read("/etc/passwd")
    assert ("etc", "passwd") == tree.names("/etc/etc/etc")


def test_forty_links_are_followed_and_not_one_more(tmp_path: Path) -> None:
    chain: dict[str, str | bytes] = {f"/{n}": f"-> {n + 1}" for n in range(41)}
    tree = DirectoryTree(str(laid_out(tmp_path / "root", chain | {"/41": "end"})))

    assert b"end" == tree.read("/1")
    assert "too many levels of symbolic links" == reason(tree, "/0")


def test_links_met_in_a_directory_that_was_listed_count_too(tmp_path: Path) -> None:
    chain: dict[str, str | bytes] = {f"/{n}": f"-> {n + 1}" for n in range(30)}
    more: dict[str, str | bytes] = {f"/30/{n}": f"-> {n + 1}" for n in range(30)}
    tree = DirectoryTree(str(laid_out(tmp_path / "root", chain | more | {"/30/30": "end"})))
    tree.names("/0")

    assert "too many levels of symbolic links" == reason(tree, "/0/0")


def test_a_loop_is_said_and_reading_goes_on(tmp_path: Path) -> None:
    root = laid_out(tmp_path / "root", {"/etc/a": "-> b", "/etc/b": "-> a", "/etc/c": "fine"})
    files = Files(DirectoryTree(str(root)))

    assert (None, "missing") == (files.read("/etc/a"), files.kind("/etc/b"))
    assert "fine" == getattr(files.read("/etc/c"), "text", None)
    assert (
        Unreadable(Span.whole("/etc/a"), "too many levels of symbolic links"),
        Unreadable(Span.whole("/etc/b"), "too many levels of symbolic links"),
    ) == files.unreadable


@pytest.mark.parametrize("target", ["/dev/null", "../dev/null", "/dev/../dev/null"])
def test_a_link_to_dev_null_masks_whether_the_tree_holds_a_dev_or_not(tmp_path: Path, target: str) -> None:
    tree = DirectoryTree(str(laid_out(tmp_path / "root", {"/etc/x.service": f"-> {target}"})))

    assert ("special", b"", "/dev/null") == (tree.kind("/etc/x.service"), tree.read("/etc/x.service"), tree.resolve("/etc/x.service"))


@pytest.mark.parametrize("path", ["/a/b", "/a/..", "/a/."])
def test_a_loop_in_the_way_is_the_answer_to_every_question(tmp_path: Path, path: str) -> None:
    files: dict[str, str | bytes] = {"/a": "-> a"}
    real, memory = DirectoryTree(str(laid_out(tmp_path, files))), MemoryTree(files)

    assert [["too many levels of symbolic links"] * 5] * 2 == [_all(real, path), _all(memory, path)]


_NAMES = st.sampled_from(["a", "b", "c", "\udcff", "é"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
_TARGETS = st.lists(st.one_of(_NAMES, st.sampled_from(["..", ".", "", "dev", "null"])), min_size=1, max_size=4).map("/".join)
_CONTENTS = st.one_of(st.sampled_from(["", "text"]), _TARGETS.filter(lambda target: target not in ("", "/")).map("-> {}".format))
_QUESTIONS = st.lists(st.one_of(_PATHS, _TARGETS.map("/{}".format)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_PATHS, _CONTENTS, max_size=8), _QUESTIONS)
def test_a_directory_says_what_the_same_files_in_memory_say(files: dict[str, str], questions: list[str]) -> None:
    # What lies below a file or link could not be written to disk.
    files = {path: text for path, text in files.items() if not any(path.startswith(other + "/") for other in files)}
    with tempfile.TemporaryDirectory() as folder:
        memory = MemoryTree(files)
        with DirectoryTree(str(laid_out(Path(folder, "root"), dict(files)))) as real:
            if not files:
                return
            assert list(memory.walk()) == list(real.walk())
            for path in ("/", *files, *questions):
                assert _all(memory, path) == _all(real, path)
                assert _all(memory, path + "/a/../b") == _all(real, path + "/a/../b")


def _all(tree: Tree, path: str) -> list[object]:
    asked: list[object] = []
    for question in (tree.resolve, tree.kind, tree.names, tree.link, tree.read):
        try:
            asked.append(question(path))
        except ReadError as error:
            asked.append(error.reason)
    return asked


# ── nothing outside ─────────────────────────────────────────────────────────────────────────────────────────────────

_HOSTILE = """
import os, sys
from portwright.trees.directory import DirectoryTree
from portwright.trees.tree import ReadError
os.path.exists("/marker" "-start")
with DirectoryTree(sys.argv[1]) as tree:
    for path in (*tree.walk(), "/../../etc/shadow", "/out/shadow", "/etc/up/up/etc/shadow", "/proc/self/environ"):
        for question in (tree.read, tree.kind, tree.names, tree.link):
            try:
                question(path)
            except ReadError:
                pass
os.path.exists("/marker" "-end")
"""


def test_nothing_outside_the_root_is_opened(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root = laid_out(
        tmp_path / "root",
        {
            "/etc/nginx/nginx.conf": "-> /etc/shadow",
            "/etc/x": "-> ../../../../../../../../etc/shadow",
            "/etc/up": "-> ..",
            "/out": "-> /etc",
            "/loop": "-> loop",
            "/etc/plain": "text",
            "/etc/self": "-> /proc/self/root/etc/shadow",
        },
    )
    log = tmp_path / "log"
    command = [sys.executable, "-c", _HOSTILE, str(root)]
    traced = ["strace", "-f", "-y", "-s", "4096", "-e", "trace=%file,connect,execve", "-o", str(log), *command]
    done = subprocess.run(traced, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "src"}, check=False)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert (0, "") == (done.returncode, done.stderr)

    between = re.search(r"marker-start(.*)marker-end", log.read_text(), re.DOTALL)
    assert between is not None
    calls = [line for line in between[1].splitlines()[1:-1] if "(" in line]
    opened = [line for line in calls if "open" in line.split("(")[0]]
    assert any(f"= {n}<{root}/etc/plain>" in line for line in opened for n in range(100))
    for line in calls:
        if line.endswith("AT_EMPTY_PATH) = 0"):
            continue  # fstat of what is open already
        # Either the root by its own path, or one name below a directory that is inside it; never through a link.
        inside = re.search(rf'\(\d+<{re.escape(str(root))}[^>]*>, "(?:\.|[^/."][^/"]*)"', line)
        assert f'"{root}"' in line or inside, line
        assert "openat" not in line or f'"{root}"' in line or '"."' in line or "O_NOFOLLOW" in line


# ── what is not a file to read ──────────────────────────────────────────────────────────────────────────────────────


def test_special_files_are_said_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.getcwd()
        os.chdir(tmp_path)
        bound.bind("socket")
        os.chdir(here)
    tree = DirectoryTree(str(tmp_path))

    assert ["special", "special"] == [tree.kind("/fifo"), tree.kind("/socket")]
    assert ["a FIFO is not a file to read", "a socket is not a file to read"] == [reason(tree, "/fifo"), reason(tree, "/socket")]
    assert ["/fifo", "/socket"] == list(tree.walk())


def test_a_fifo_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    place = tmp_path / "99.conf"
    place.write_text("k = 1")
    tree = DirectoryTree(str(tmp_path))
    tree.names("/")
    place.unlink()
    os.mkfifo(place)

    assert "a FIFO is not a file to read" == reason(tree, "/99.conf")


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    place = tmp_path / "root/99.conf"
    place.parent.mkdir()
    place.write_text("k = 1")
    (tmp_path / "outside").write_text("secret")
    tree = DirectoryTree(str(tmp_path / "root"))
    tree.names("/")
    place.unlink()
    place.symlink_to(tmp_path / "outside")

    assert "too many levels of symbolic links" == reason(tree, "/99.conf")


def test_a_link_that_takes_the_place_of_a_directory_is_not_followed(tmp_path: Path) -> None:
    tree = DirectoryTree(str(laid_out(tmp_path / "root", {"/etc/secret": "inside"})))
    tree.names("/")
    laid_out(tmp_path, {"/outside/secret": "outside"})
    shutil.rmtree(tmp_path / "root/etc")
    (tmp_path / "root/etc").symlink_to(tmp_path / "outside")

    with pytest.raises(ReadError):
        tree.kind("/etc/secret")


def test_case_7_a_device_is_never_opened() -> None:
    tree = DirectoryTree("/dev")

    assert ("special", "a character device is not a file to read") == (tree.kind("/zero"), reason(tree, "/zero"))


def test_a_large_file_is_refused_with_its_limit(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.truncate(directory_module.MOST_BYTES + 1)
    (tmp_path / "just").write_bytes(b"x")
    os.truncate(tmp_path / "just", directory_module.MOST_BYTES)
    tree = DirectoryTree(str(tmp_path))

    assert "larger than 16 MiB" == reason(tree, "/large")
    assert len(tree.read("/just") or b"") == directory_module.MOST_BYTES


def test_a_file_that_never_stops_growing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log").write_text("line\n")
    tree, read = DirectoryTree(str(tmp_path)), os.read

    def growing(descriptor: int, size: int) -> bytes:
        with open(tmp_path / "log", "a") as file:
            file.write("line\n")
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", growing)

    assert "it changed while it was read" == reason(tree, "/log")


def test_a_file_replaced_once_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").write_text("old")
    tree, read = DirectoryTree(str(tmp_path)), os.read
    times: list[int] = []

    def replaced(descriptor: int, size: int) -> bytes:
        if not times:
            times.append(1)
            (tmp_path / "conf").write_text("newer")
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", replaced)

    assert b"newer" == tree.read("/conf")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being root")
def test_case_17_what_may_not_be_read_is_said(tmp_path: Path) -> None:
    root = laid_out(tmp_path / "root", {"/etc/secret": "x", "/closed/file": "x", "/dark/file": "readable"})
    (root / "etc/secret").chmod(0)
    (root / "closed").chmod(0)
    (root / "dark").chmod(0o711)
    for above in (root, *root.parents):
        above.chmod(above.stat().st_mode | 0o055)
    script = (
        "import os, sys\n"
        "from portwright.trees import Files\n"
        "from portwright.trees.directory import DirectoryTree\n"
        "os.setgroups([]); os.setuid(65534)\n"
        "files = Files(DirectoryTree(sys.argv[1]))\n"
        "print([files.read(p) and files.read(p).text for p in ('/etc/secret', '/closed/file', '/dark/file')], list(files.walk()))\n"
        "print(*sorted(f'{u.at.path} {u.reason}' for u in files.unreadable), sep='\\n')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.path.abspath("src")}
    done = subprocess.run([sys.executable, "-c", script, str(root)], capture_output=True, text=True, env=environment, check=False)

    assert (
        "[None, None, 'readable'] ['/etc/secret']\n"
        "/closed permission denied\n"
        "/closed/file permission denied\n"
        "/dark permission denied\n"
        "/etc/secret permission denied\n",
        "",
    ) == (done.stdout, done.stderr)


# ── hostile names and shapes ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"\x1b[2J", "ünï".encode(), b" ", b"-> x"])
def test_any_name_a_file_system_takes_can_be_read(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "etc").mkdir()
    with open(os.path.join(os.fsencode(tmp_path), b"etc", name), "w") as file:
        file.write("text")
    tree = DirectoryTree(str(tmp_path))
    decoded = name.decode("utf-8", "surrogateescape")

    assert (decoded,) == tree.names("/etc")
    assert [f"/etc/{decoded}"] == list(tree.walk())
    assert b"text" == tree.read(f"/etc/{decoded}")


def test_names_do_not_depend_on_the_locale(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), "é".encode()), "w") as file:
        file.write("text")
    script = (
        "import sys; from portwright.trees.directory import DirectoryTree\n"
        "tree = DirectoryTree(sys.argv[1])\n"
        "print(ascii(tree.names('/')), tree.read('/\\xe9'))"
    )
    environment = os.environ | {"PYTHONPATH": "src", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, env=environment, check=False)

    assert ("('\\xe9',) b'text'\n", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/a\0b", "the path holds a NUL"),
        ("/" + "a/" * 40_000, "the path is longer than 4096 characters"),
        ("/" + "n" * 300, "file name too long"),
    ],
)
def test_a_path_no_system_call_would_take_is_said(tmp_path: Path, path: str, why: str) -> None:
    assert why == reason(DirectoryTree(str(tmp_path)), path)


def test_a_name_that_is_no_text_at_all_is_missing(tmp_path: Path) -> None:
    assert "missing" == DirectoryTree(str(tmp_path)).kind("/\ud800")


def test_a_walk_stops_at_a_depth_and_says_so(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(130):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)
    (tmp_path / "z").write_text("")
    files = Files(DirectoryTree(str(tmp_path)))

    assert ["/z"] == list(files.walk())
    assert (Unreadable(Span.whole("/d" * 101), "deeper than 100 directories"),) == files.unreadable
    with pytest.raises(ReadError):
        list(DirectoryTree(str(tmp_path)).walk())


def test_a_walk_stops_at_a_number_of_files_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_module, "MOST_WALKED", 5)
    laid_out(tmp_path, {"/a/1": "", "/a/2": "", "/b/1": "", "/b/2": ""})
    files = Files(DirectoryTree(str(tmp_path)))

    assert ["/a/1", "/a/2"] == list(files.walk())
    assert (Unreadable(Span.whole("/b"), "more than 5 files; the rest was not looked at"),) == files.unreadable


def test_a_directory_of_too_many_names_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_module, "MOST_NAMES", 2)
    laid_out(tmp_path, {"/a/1": "", "/a/2": "", "/b/1": "", "/b/2": "", "/b/3": ""})
    files = Files(DirectoryTree(str(tmp_path)))

    assert (("1", "2"), ()) == (files.names("/a"), files.names("/b"))
    assert (Unreadable(Span.whole("/b"), "more than 2 names in one directory"),) == files.unreadable


def test_no_descriptor_is_left_open_however_many_trees_nobody_closed(tmp_path: Path) -> None:
    for host in range(120):
        laid_out(tmp_path / str(host), {"/etc/a/b/c": "x", "/usr/lib/d": "y"})
    before = len(os.listdir("/proc/self/fd"))
    trees = [DirectoryTree(str(tmp_path / str(host))) for host in range(120)]
    for tree in trees:
        assert b"x" == tree.read("/etc/a/b/c")
    most = len(os.listdir("/proc/self/fd"))
    for tree in trees:
        assert b"y" == tree.read("/usr/lib/d")
        tree.close()

    assert most <= before + 64
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_closed_tree_can_be_read_again_and_sees_what_is_new(tmp_path: Path) -> None:
    tree = DirectoryTree(str(laid_out(tmp_path, {"/etc/a": "1"})))
    assert ("a",) == tree.names("/etc")
    (tmp_path / "etc/b").write_text("2")
    assert ("a",) == tree.names("/etc")
    tree.close()

    assert ("a", "b") == tree.names("/etc")


# ── the live machine ────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_the_live_kernels_files_only_sysctls_are_read() -> None:
    if not os.path.ismount("/proc"):
        pytest.skip("no /proc is mounted here")
    tree = DirectoryTree("/")
    with open("/proc/sys/net/ipv4/ip_local_port_range", "rb") as file:
        expected = file.read()

    assert expected == tree.read("/proc/sys/net/ipv4/ip_local_port_range")
    assert "a file that the kernel makes up, not a file of the host" == reason(tree, "/proc/self/environ")
    assert "a file that the kernel makes up, not a file of the host" == reason(tree, "/proc/kmsg")


def test_a_walk_of_the_live_machine_leaves_the_kernels_directories_out() -> None:
    if not os.path.ismount("/proc"):
        pytest.skip("no /proc is mounted here")
    tree = DirectoryTree("/")

    assert [False, False, True] == [tree.is_walked("", "proc"), tree.is_walked("", "sys"), tree.is_walked("", "etc")]


def test_a_copied_proc_is_read_like_any_other_directory(tmp_path: Path) -> None:
    tree = DirectoryTree(str(laid_out(tmp_path, {"/proc/net/tcp": "x", "/etc/a": ""})))

    assert b"x" == tree.read("/proc/net/tcp")
    assert ["/etc/a", "/proc/net/tcp"] == list(tree.walk())


# ── a repository ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_repository_shows_paths_as_its_users_know_them(tmp_path: Path) -> None:
    tree = RepositoryTree(str(laid_out(tmp_path, {"/deploy/nginx.conf": "x"})))

    assert ["deploy/nginx.conf"] == [tree.label(path) for path in tree.walk()]
    assert "deploy/nginx.conf" == getattr(Files(tree).read("/deploy/nginx.conf"), "path", None)


def test_what_version_control_and_package_managers_keep_is_not_walked(tmp_path: Path) -> None:
    kept: dict[str, str | bytes] = {"/.github/x": "", "/.platform/nginx/conf.d/a.conf": "", "/a.b/x": "", "/a/x": "", "/proc/x": ""}
    left: dict[str, str | bytes] = {"/.git/config": "", "/web/node_modules/x/nginx.conf": "", "/.venv/x": "", "/a/__pycache__/x": ""}
    tree = RepositoryTree(str(laid_out(tmp_path, kept | left)))

    assert sorted(kept) == list(tree.walk())


def test_a_second_name_of_a_file_outside_is_a_file_of_the_host(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("net.core.somaxconn = 1\n")
    (tmp_path / "host/etc").mkdir(parents=True)
    os.link(outside, tmp_path / "host/etc/sysctl.conf")
    tree = DirectoryTree(str(tmp_path / "host"))

    assert ("file", b"net.core.somaxconn = 1\n") == (tree.kind("/etc/sysctl.conf"), tree.read("/etc/sysctl.conf"))
