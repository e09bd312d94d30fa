"""An archive as a host's files says what the directory it was made of says, and nothing of it reaches a disk."""

import json
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.audit.inputs import inputs
from portwright.cli import main
from portwright.trees import ReadError
from portwright.trees import archive as archive_module
from portwright.trees.archive import ArchiveTree
from portwright.trees.directory import DirectoryTree
from portwright.trees.unpacking import MOST_TIMES, ArchiveError
from tests.trees.archives import FORMS, HOST, header, laid, tar

END = bytes(1024)
EXAMPLE = Path(__file__).parents[2] / "examples" / "web1"


def broken(path: Path, data: bytes) -> str:
    with pytest.raises(ArchiveError) as error:
        ArchiveTree(laid(path, data))
    return error.value.reason


def checked(path: str, caught: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["check", "--exit-zero", "--format", "json", path])
    (host,) = json.loads(caught.readouterr().out)["hosts"]
    return code, [each["reason"] for each in host["unreadable"]]


# ── what it says ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("top", ["", "./", "/", "web1/"])
@pytest.mark.parametrize("form", FORMS)
def test_a_packed_host_gives_what_its_directory_gives(
    form: str, top: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(tmp_path / "plain", "w") as made:
        made.add(EXAMPLE, arcname=top or ".")
    path = laid(tmp_path / "h", FORMS[form]((tmp_path / "plain").read_bytes()))

    for command in ("check", "facts", "ports"):
        said = []
        for place in (str(EXAMPLE), path):
            code = main([command, "--format", "json", place])
            said.append((code, capsys.readouterr().out))
        assert said[0] == said[1]
    assert main(["fix", "-o", str(tmp_path / "a.yml"), str(EXAMPLE)]) == main(["fix", "-o", str(tmp_path / "b.yml"), path])
    assert (tmp_path / "a.vars.json").read_bytes() == (tmp_path / "b.vars.json").read_bytes()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_of_any_length_and_letter_are_read_in_each_form(form: int, tmp_path: Path) -> None:
    long = "/".join(["d" * 60] * 5)
    files = {f"etc/{long}/x": "a", "etc/\udcff\u2028": "b", "etc/l": f"-> {long}/x", "etc/s": "=> etc/\u00e4", "etc/\u00e4": "c"}
    tree = ArchiveTree(laid(tmp_path / "h", tar({**files, "etc/s": f"=> etc/{long}/x"}, form=form)))

    assert [b"a", b"b", b"a", b"a"] == [tree.read(path) for path in (f"/etc/{long}/x", "/etc/\udcff\u2028", "/etc/l", "/etc/s")]
    assert ("d" * 60, "l", "s", "\u00e4", "\udcff\u2028") == tuple(sorted(tree.names("/etc")))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "b", "etc"]), min_size=1, max_size=3).map("/".join),
        st.sampled_from(["x", "-> a", "-> /etc/b", "-> ../b", "-> ../../a", "-> /", "-> nowhere"]),
        max_size=6,
    )
)
def test_it_answers_as_the_directory_that_tar_makes_of_it(files: dict[str, str]) -> None:
    import tempfile

    # A file cannot lie in a file or a link: what a directory cannot hold, tar was never given.
    kept = {path: text for path, text in files.items() if not any(path.startswith(f"{other}/") for other in files)}
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/d")
        laid(Path(folder) / "a", tar(kept))
        subprocess.run(["tar", "-xf", f"{folder}/a", "-C", f"{folder}/d"], check=True)
        mine, theirs = ArchiveTree(f"{folder}/a"), DirectoryTree(f"{folder}/d")
        for path in [f"/{path}" for path in (*files, *kept, "a/b/etc", "etc/etc")]:
            answers: list[tuple[object, ...]] = []
            for tree in (mine, theirs):
                try:
                    answers.append((tree.kind(path), tree.link(path), tree.names(path), tree.resolve(path)))
                except ReadError as error:
                    answers.append((error.reason,))
            assert answers[0] == answers[1]
        assert list(theirs.walk()) == list(mine.walk())


def test_capabilities_that_an_archive_keeps_are_known(tmp_path: Path) -> None:
    capability = b"\x01\x00\x00\x02\x00\x04\x00\x00" + bytes(12)
    with tarfile.open(tmp_path / "h", "w", format=tarfile.PAX_FORMAT) as made:
        member = tarfile.TarInfo("usr/bin/ping")
        member.pax_headers = {"SCHILY.xattr.security.capability": capability.decode("utf-8", "surrogateescape")}
        made.addfile(member)
        made.addfile(tarfile.TarInfo("usr/bin/true"))
    tree = ArchiveTree(str(tmp_path / "h"))

    assert [capability, b""] == [getattr(tree.attributes(f"/usr/bin/{name}"), "capability", None) for name in ("ping", "true")]


def test_a_folder_of_archives_is_a_folder_of_hosts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "group").mkdir()
    for name, form in (("a.tar.gz", "gz"), ("b", "zst"), ("group/c.tar", "tar")):
        laid(tmp_path / name, FORMS[form](tar({**HOST, "etc/hostname": Path(name).name[:1]})))
    laid(tmp_path / "d.tar.gz", b"")
    laid(tmp_path / "README", b"text")

    assert [("a", ""), ("b", ""), ("d", "the archive is truncated"), ("c", "")] == [
        (given.name, given.unavailable_reason) for given in inputs([str(tmp_path)])
    ]
    assert 3 == main(["check", str(tmp_path)])
    assert "no findings on 4 hosts" in capsys.readouterr().out


def test_many_snapshots_are_named_by_their_beginning_and_what_is_wrong_behind_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tar({".portwright/snapshot": "1\n", **HOST, "etc/x": "x" * 9000})
    for name, data in (("a.tar", whole), ("b.tar", whole[:6000])):
        laid(tmp_path / name, data)

    assert ["web7 ", "web7 "] == [given.name[:5] for given in inputs([str(tmp_path)])]
    assert 3 == main(["check", str(tmp_path)])
    assert f"{tmp_path}/b.tar: the archive is truncated" in " ".join(capsys.readouterr().out.split())


# ── reports of others ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("packed", [True, False])
def test_what_insights_keeps_of_commands_stands_for_files(packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = "insights-web9/data/insights_commands"
    files = {
        "insights-web9/meta_data/x.json": "{}",
        "insights-web9/data/etc/sysctl.d/70.conf": "net.ipv4.ip_local_port_range = 20000 60999\n",
        f"{commands}/sysctl_-a": "net.ipv4.ip_local_port_range = 30000\t60999\n",
        f"{commands}/uname_-a": "Linux web9 5.14.0-1.el9.x86_64 #1 SMP x86_64 GNU/Linux\n",
        f"{commands}/hostname_-f": "web9.example.com\n",
    }
    if packed:
        path = laid(tmp_path / "h", FORMS["gz"](tar(files)))
    else:
        path = str(tmp_path / "insights-web9")
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    assert 3 == main(["facts", "--format", "json", path])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]
    (known,) = [sysctl for sysctl in host["sysctls"] if sysctl["key"] == "net.ipv4.ip_local_port_range"]
    assert ("web9.example.com", "20000 60999", "30000 60999") == (host["host"], known["boot"], known["running"])
    assert ["this archive of Insights has no units: what starts is not known"] == [each["reason"] for each in host["unreadable"]]


# ── what is wrong ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "reason"),
    {
        "leads out": (header(b"etc/../../x") + END, "a member of the archive leads out of it: etc/../../x"),
        "file and directory": (
            header(b"etc") + header(b"etc/passwd") + END,
            "the archive has a directory and something else of one name: /etc",
        ),
        "directory and file": (
            header(b"etc/passwd") + header(b"etc") + END,
            "the archive has a directory and something else of one name: etc",
        ),
        "second name of none": (header(b"a", b"1", target=b"b") + END, "a member of the archive is a second name of none: a"),
        "too deep": (
            header(b"x", b"L", b"00000001000") + (b"a/" * 250).ljust(512, b"\0") + header(b"x") + END,
            "the archive has a member whose name no file system would take: a/a/",
        ),
        "a part": (header(b"x", b"M") + END, "it is a part of an archive of several"),
        "huge": (header(b"x", size=b"77777777777") + END, "the archive is truncated"),
        "larger than any disk": (header(b"x", size=b"\x80" + b"\x7f" * 11) + END, "the archive is truncated"),
        "negative": (header(b"x", size=b"\xff" * 12) + END, "the archive is damaged: a number in it is none"),
        "no number": (header(b"x", size=b"0000x000000") + END, "the archive is damaged: a number in it is none"),
        "a long header": (header(b"x", b"x", b"77777777777") + END, "what stands before a member is larger than 256 KiB"),
        "pax without end": (
            header(b"x", b"x", b"00000000011") + b"99 path=x\n".ljust(512, b"\0") + END,
            "the archive is damaged: what stands before a member cannot be read",
        ),
        "no end": (header(b"x"), "the archive is truncated"),
        "no tar": (b"text\n" * 200, "it holds no tar archive"),
        "damaged": (header(b"x") + b"text\n" * 200, "the archive is damaged at byte 512"),
    }.values(),
)
@pytest.mark.parametrize("form", FORMS)
def test_cases_1_2_9_and_12_what_is_hostile_or_damaged_is_one_clear_line(
    data: bytes, reason: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broken(tmp_path / "h.tar", FORMS[form](data)).startswith(reason)
    if form != "tar" or data[257:262] == b"ustar":
        code, reasons = checked(str(tmp_path / "h.tar"), capsys)
        assert (3, 1) == (code, len(reasons))


@pytest.mark.parametrize("form", FORMS)
def test_case_9_an_archive_cut_anywhere_is_truncated_and_nothing_of_it_counts(form: str, tmp_path: Path) -> None:
    data = FORMS[form](tar({**HOST, "etc/random": os.urandom(20000)}))

    for end in range(7, len(data) - (10240 if form == "tar" else 20), 997):
        assert broken(tmp_path / "h", data[:end]) in ("the archive is truncated", "it holds no tar archive")


@pytest.mark.parametrize("form", ["gz", "xz"])  # zstd(1) keeps no sums where a program does not ask for them
def test_an_archive_with_a_wrong_byte_is_never_read_in_part(form: str, tmp_path: Path) -> None:
    data = bytearray(FORMS[form](tar({**HOST, "etc/random": os.urandom(20000)})))
    data[len(data) // 2] ^= 0xFF

    assert "damaged" in broken(tmp_path / "h", bytes(data))


@pytest.mark.parametrize("form", ["gz", "xz", "zst"])
def test_case_8_a_bomb_is_stopped_at_its_bound(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zeros = header(b"etc/passwd", size=b"%011o" % (80 << 20)) + bytes(80 << 20) + END
    path = laid(tmp_path / "h", FORMS[form](zeros))
    del zeros
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (600 << 20,) * 2); from portwright.cli import main; main(%r); "
        "print(open('/proc/self/status').read())"
    )
    began = time.monotonic()

    done = subprocess.run(
        [sys.executable, "-c", program % (["check", path],)], capture_output=True, check=False, text=True
    )

    assert f"the archive unpacks to more than {MOST_TIMES} times its size" in " ".join(done.stdout.split())
    assert time.monotonic() - began < 20
    # What the kernel tells a parent of its child counts the parent, too, of which it was a copy before it was a program.
    assert int(done.stdout.partition("VmHWM:")[2].split()[0]) < 600 << 10


def test_case_10_members_beyond_the_number_that_is_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portwright.trees.tar.MOST_MEMBERS", 3)
    many = b"".join(header(b"%d" % number) for number in range(4)) + END

    assert ("1", "2", "3") == ArchiveTree(laid(tmp_path / "i", many[512:])).names("/")
    assert "the archive has more than 3 members" == broken(tmp_path / "h", many)


def test_case_5_a_second_name_has_the_bytes_of_the_first_and_reaches_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    files = {"etc/a": "inside", "etc/l": f"-> {tmp_path}/secret", "etc/b": "=> etc/a"}
    tree = ArchiveTree(laid(tmp_path / "h", tar(files)))

    assert [b"inside", None] == [tree.read("/etc/b"), tree.read("/etc/l")]
    assert broken(tmp_path / "i", tar({**files, "etc/c": "=> etc/l"})).startswith("a member of the archive is a second name of none")


@pytest.mark.parametrize("kind", [b"3", b"4", b"6"])
def test_case_7_devices_and_pipes_of_an_archive_are_not_read(kind: bytes, tmp_path: Path) -> None:
    tree = ArchiveTree(laid(tmp_path / "h", header(b"etc/x", kind) + END))

    assert "special" == tree.kind("/etc/x")
    with pytest.raises(ReadError, match="is not a file to read"):
        tree.read("/etc/x")


def test_a_sparse_file_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    sparse = header(b"etc/big", b"S", b"00000001000") + bytes(512)
    tree = ArchiveTree(laid(tmp_path / "h", sparse + header(b"etc/x", size=b"00000000002") + b"hi".ljust(512, b"\0") + END))

    assert b"hi" == tree.read("/etc/x")
    with pytest.raises(ReadError, match="sparse"):
        tree.read("/etc/big")


def test_case_11_of_a_name_twice_the_last_counts_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = tar({**HOST, "usr/": "", "etc/sysctl.conf": "net.ipv4.ip_local_port_range = 1 2\n"})
    last = tar({"etc/sysctl.conf": "net.ipv4.ip_local_port_range = 20000 60999\n"})
    cut = len(first)
    while first[cut - 512 : cut] == bytes(512):
        cut -= 512
    path = laid(tmp_path / "h", first[:cut] + last)

    assert b"20000" in (ArchiveTree(path).read("/etc/sysctl.conf") or b"")
    assert (3, ["the archive has this name twice: the last one counts"]) == checked(path, capsys)


def test_a_file_that_is_seldom_asked_for_is_unpacked_again_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_OF_ONE", 10)
    monkeypatch.setattr(archive_module, "MOST_PASSES", 2)
    tree = ArchiveTree(laid(tmp_path / "h", FORMS["gz"](tar({"etc/a": "a" * 9000, "etc/b": "b"}))))

    assert [b"a" * 9000, b"a" * 9000, b"b"] == [tree.read("/etc/a"), tree.read("/etc/a"), tree.read("/etc/b")]
    assert b"a" * 4096 == tree.head("/etc/a")
    with pytest.raises(ReadError, match="unpacked 2 times already"):
        tree.read("/etc/a")


def test_a_file_larger_than_any_is_refused_as_in_a_directory(tmp_path: Path) -> None:
    tree = ArchiveTree(laid(tmp_path / "h", FORMS["gz"](tar({"etc/a": os.urandom(17 << 20)}))))

    with pytest.raises(ReadError, match="larger than 16 MiB"):
        tree.read("/etc/a")


@pytest.mark.parametrize("data", [b"", b"[Service]\nExecStart=/bin/a --port 40000\n"])
def test_what_was_meant_to_be_an_archive_is_no_pass(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (3, ["the archive is truncated"]) == checked(laid(tmp_path / "h.tar.gz", data), capsys)


def test_an_archive_that_holds_no_host_is_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, reasons = checked(laid(tmp_path / "h", tar({"src/main.c": "int x;\n", "README": ""})), capsys)

    assert (3, ["holds no host: of archives those of a host, of sos and of Insights are read"]) == (code, reasons)


def test_without_its_library_zstd_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)

    code, (reason,) = checked(laid(tmp_path / "h", FORMS["zst"](tar(HOST))), capsys)

    assert (3, True) == (code, reason.endswith("zstandard: install portwright[zstd]"))
