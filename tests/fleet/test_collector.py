"""The collector's archive says of a host what the host itself says, holds no secret, and waits for nothing."""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from portwright.cli import main
from portwright.fleet.crossed_out import crossed_out
from portwright.trees import ReadError
from portwright.trees.archive import ArchiveTree
from portwright.trees.unpacking import ArchiveError
from tests.hostile.program import enabled, lay

TOP = Path(__file__).parents[2]
COLLECTOR = TOP / "playbooks" / "collect.sh"
HOSTS = TOP / "tests" / "accuracy" / "hosts"
SHELLS = [[shell, *more] for shell, *more in (("dash",), ("bash", "--posix"), ("busybox", "sh")) if shutil.which(shell)]


def collected(root: Path, into: Path, shell: list[str] | None = None, text: bool = False) -> str:
    ran = subprocess.run(
        [*(shell or ["sh"]), str(COLLECTOR), *(["--text"] if text else [])],
        env={**os.environ, "PORTWRIGHT_ROOT": str(root), "TMPDIR": str(into.parent)},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert b"the collector ended" not in ran.stderr, ran.stderr
    into.write_bytes(ran.stdout)
    return str(into)


def said(command: str, path: str, caught: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    code = main([command, "--format", "json", path])
    return code, json.loads(caught.readouterr().out)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join(shell))
def test_a_snapshot_gives_the_facts_and_findings_of_its_host(
    shell: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = collected(TOP / "examples" / "web1", tmp_path / "web1.tar", shell)

    for command in ("facts", "check", "ports"):
        assert said(command, str(TOP / "examples" / "web1"), capsys) == said(command, path, capsys)


# A mail server, whose daemon has defaults in /usr/share; one of media, with programs in /opt; one of the web, with a Tomcat in /var/lib.
@pytest.mark.parametrize("name", ["bc01-web", "bc02-mail", "bc06-media"])
def test_and_so_does_that_of_a_whole_debian(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tarfile.open(HOSTS / f"{name}.tar.xz") as tar:
        tar.extractall(tmp_path, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))  # type: ignore[arg-type]  # noqa: S202
    (root,) = tmp_path.iterdir()
    path = collected(root, tmp_path / "h.tar")
    Path(path).write_bytes(crossed_out(Path(path).read_bytes()))

    mine, theirs = said("facts", path, capsys)[1], said("facts", str(root), capsys)[1]
    assert theirs["hosts"][0]["listeners"]
    for each in (mine, theirs):
        del each["hosts"][0]["files_read"]  # an empty file may stand for a large one
    assert theirs == mine


def test_what_ansible_hands_back_are_letters_of_the_same(tmp_path: Path) -> None:
    import base64
    import gzip

    root = lay(tmp_path / "h", {"etc/x": "x"})
    collected(root, tmp_path / "a.tar")
    text = Path(collected(root, tmp_path / "b", text=True)).read_bytes()

    (tmp_path / "b.tar").write_bytes(gzip.decompress(base64.b64decode(text)))
    assert list(ArchiveTree(str(tmp_path / "a.tar")).walk()) == list(ArchiveTree(str(tmp_path / "b.tar")).walk())


CANARY = "c4n4ry"
SECRETS = {
    "etc/shadow": f"root:{CANARY}:1:0:::::\n",
    "etc/ssh/ssh_host_rsa_key": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n",
    "etc/app/odd name.conf": f"password = {CANARY}\nport = 8080\n",
    "etc/app/server.pem": f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n{CANARY}\n-----END RSA PRIVATE KEY-----\n",
    "etc/nginx/tls.key": CANARY,
    "etc/redis/redis.conf": f"port 6379\nrequirepass {CANARY}\nmasterauth \"{CANARY}\"\n",
    "etc/app/app.json": f'{{"password": "{CANARY}", "port": 8080}}\n',
    "etc/app/more": f"secret = '{CANARY}, {CANARY}'; port = 80\nproxy_set_header X-Token $t; proxy_pass http://127.0.0.1:8201;\n",
    "etc/app/env": f"DB_PASSWORD={CANARY}\nexport API_TOKEN='{CANARY}'\nURL=postgres://u:{CANARY}@db:5432/x\nsecret: \"{CANARY}\"\n",
    "etc/snmp/snmpd.conf": f"rocommunity {CANARY} default\n",
    "etc/ppp/chap-secrets": f"a * {CANARY} *\n",
    "etc/systemd/system/a.service": f"[Service]\nEnvironment=SECRET_KEY={CANARY} PORT=80\nExecStart=/bin/a --password={CANARY} -p 40000\n",
}


def test_no_secret_leaves_the_host(tmp_path: Path) -> None:
    root = lay(tmp_path / "h", {**SECRETS, **enabled("a.service")})
    path = collected(root, tmp_path / "h.tar")

    assert CANARY.encode() not in Path(path).read_bytes()
    tree = ArchiveTree(path)
    assert [b"", b"", b""] == [tree.read(f"/etc/{name}") for name in ("shadow", "ssh/ssh_host_rsa_key", "nginx/tls.key")]
    # A letter is crossed out by a letter, so that what follows stands where it stood.
    for name in ("etc/redis/redis.conf", "etc/app/odd name.conf", "etc/systemd/system/a.service", "etc/app/env", "etc/app/app.json"):
        assert SECRETS[name].replace(CANARY, "x" * len(CANARY)).encode() == tree.read(f"/{name}")
    assert b"; port = 80\nproxy_set_header X-Token $t; proxy_pass http://127.0.0.1:8201;\n" in (tree.read("/etc/app/more") or b"")


def test_pipes_sockets_and_large_files_are_not_waited_for_and_told_where_they_are_asked_for(tmp_path: Path) -> None:
    root = lay(tmp_path / "h", {"etc/app/large.conf": "x" * (1 << 20) + "y"})
    os.mkfifo(root / "etc" / "pipe")
    os.mkfifo(root / "etc" / "app" / "shadow")
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(root / "etc")
        listening.bind("socket")
        os.chdir(TOP)
    began = time.monotonic()
    tree = ArchiveTree(collected(root, tmp_path / "h.tar"))

    assert time.monotonic() - began < 100
    assert "special" == tree.kind("/etc/pipe")
    with pytest.raises(ReadError, match="larger than 1 MiB"):
        tree.read("/etc/app/large.conf")
    assert b"/etc/app/large.conf\tlarger than 1 MiB\n" == tree.read("/.portwright/unread")


def test_a_mount_of_the_network_is_not_entered(tmp_path: Path) -> None:
    root = lay(tmp_path / "h", {"etc/near/a": "1", "etc/far/b": "2", "opt/far/c.conf": "3"})
    mounts = tmp_path / "mounts"
    mounts.write_text("server:/x /etc/far nfs4 rw 0 0\n//server/y /opt/far cifs rw 0 0\n/dev/sda1 /etc/near ext4 rw 0 0\n")
    near = tmp_path / "collect.sh"
    near.write_text(COLLECTOR.read_text().replace('[ -n "$root" ] || awk', "awk").replace("/proc/mounts", str(mounts)))

    ran = subprocess.run(["sh", str(near)], env={**os.environ, "PORTWRIGHT_ROOT": str(root)}, capture_output=True, check=True)

    (tmp_path / "h.tar").write_bytes(ran.stdout)
    tree = ArchiveTree(str(tmp_path / "h.tar"))
    assert (b"1", None, None) == (tree.read("/etc/near/a"), tree.read("/etc/far/b"), tree.read("/opt/far/c.conf"))


def test_odd_names_and_links_that_lead_out_bring_nothing_from_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "bait").write_text(CANARY)
    root = lay(
        tmp_path / "h",
        {
            "etc/a\\x2db": "1", "etc/new\nline": "2", "etc/ blank ": "3", "etc/-T": "4", "etc/'quote\"": "5", "etc/\udcff": "6",
            "etc/out": f"-> {outside}/bait", "opt": f"-> {outside}", "usr/lib/systemd/system/b.service": "[Service]\nExecStart=/opt/bait\n",
            "usr/sbin/init": "-> ../../../outside/bait",
        },
    )  # fmt: skip
    tree = ArchiveTree(collected(root, tmp_path / "h.tar"))

    assert [b"1", b"3", b"4", b"5", b"6"] == [tree.read(f"/etc/{name}") for name in ("a\\x2db", " blank ", "-T", "'quote\"", "\udcff")]
    assert f"{outside}/bait" == tree.link("/etc/out")
    assert CANARY.encode() not in (tmp_path / "h.tar").read_bytes()


def test_a_collector_that_was_cut_short_leaves_no_archive_that_counts(tmp_path: Path) -> None:
    data = Path(collected(lay(tmp_path / "h", {}), tmp_path / "h.tar")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data), ignore_zeros=True) as tar:
        (last,) = [member.offset for member in tar if member.name == ".portwright/complete"]
    assert last > 10240
    for end in (*range(512, last, 1024), last - 512, last):
        (tmp_path / "cut").write_bytes(data[:end])
        with pytest.raises(ArchiveError, match="truncated"):
            ArchiveTree(str(tmp_path / "cut"))


def test_a_collector_that_hangs_is_ended(tmp_path: Path) -> None:
    root = lay(tmp_path / "h", {})
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin" / "collect.sh"
    slow.write_text(COLLECTOR.read_text().replace("    remote_mounts\n", "    sleep 100\n", 1))
    began = time.monotonic()

    ran = subprocess.run(
        ["sh", str(slow)], env={**os.environ, "PORTWRIGHT_ROOT": str(root), "PORTWRIGHT_SECONDS": "1"}, capture_output=True, check=False
    )

    assert (b"", b"the collector ended with 137") == (ran.stdout, ran.stderr.strip().splitlines()[-1])
    assert time.monotonic() - began < 60


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
    return found


def test_the_collector_writes_nothing_but_its_own_folder(tmp_path: Path) -> None:
    if shutil.which("strace") is None and "CI" not in os.environ:
        pytest.skip("strace is not installed")
    root, log = lay(tmp_path / "h", {**SECRETS, **enabled("a.service")}), tmp_path / "log"
    (tmp_path / "passing").mkdir()
    before = state(root)
    ran = subprocess.run(
        ["strace", "-f", "-y", "-e", "trace=%file", "-o", str(log), "sh", str(COLLECTOR)],
        env={**os.environ, "PORTWRIGHT_ROOT": str(root), "TMPDIR": str(tmp_path / "passing")},
        capture_output=True,
        check=False,
    )
    if b"ptrace" in ran.stderr and "CI" not in os.environ:
        pytest.skip("strace may not trace here")

    writes = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|\b(?:mkdir|mknod|link|symlink|rename|unlink|rmdir|f?chmod|chown|truncate)(?:at2?)?\(")
    calls = log.read_text("utf-8", "replace").splitlines()
    changed = [call for call in calls if writes.search(call) and " = -1 " not in call]
    own = (f"{tmp_path}/passing", '"/dev/null"', '"/dev/tty"')
    assert len(changed) > 20
    absolute = [call for call in changed if '("/' in call.replace("AT_FDCWD, ", "")]
    assert [] == [call for call in absolute if not any(place in call for place in own)]
    assert before == state(root)
    assert [] == list((tmp_path / "passing").iterdir())


# ── portwright snapshot ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["h.tar.gz", "h.tar.zst"])
def test_a_snapshot_is_its_owners_only_and_is_read_as_the_host(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(lay(tmp_path / "h", {"etc/sysctl.d/1.conf": "net.ipv4.ip_local_port_range = 5 4\n"})))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = os.umask(0)
    try:
        assert 0 == main(["snapshot", "-o", str(tmp_path / name)])
    finally:
        os.umask(before)

    assert capsys.readouterr().out.startswith(f"{tmp_path / name}: ")
    assert 0o600 == (tmp_path / name).stat().st_mode & 0o777
    assert said("check", str(tmp_path / "h"), capsys) == said("check", str(tmp_path / name), capsys)
    assert [] == list(tmp_path.glob("portwright.*"))


@pytest.mark.parametrize("words", [[], ["-o", "h.tar"], ["-o", "h"], ["-o", "no/such/folder/h.tar.gz"]])
def test_a_name_that_cannot_be_written_is_refused(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(lay(tmp_path / "h", {})))
    monkeypatch.chdir(tmp_path)

    assert 2 == main(["snapshot", *words])
    assert ["h"] == [path.name for path in tmp_path.iterdir()]


def test_what_is_not_in_a_snapshot_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(lay(tmp_path / "h", {"etc/large": "x" * (1 << 21)})))

    assert 3 == main(["snapshot", "-v", "-o", str(tmp_path / "h.tar.gz")])
    assert "not in it: /etc/large: larger than 1 MiB\n" in capsys.readouterr().out
