"""A hostile directory given to the whole program: nothing outside it is opened, nothing waits, nothing is run, and it is said."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

NGINX = "[Service]\nExecStart=/usr/sbin/nginx\n"
REDIS = "[Service]\nExecStart=/usr/bin/redis-server /etc/redis.conf\n"


def _said(root: Path, caught: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["check", "-q", str(root)])
    return code, caught.readouterr().out


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"etc/sysctl.d/1.conf": "-> /etc/sysctl.d/2.conf", "etc/sysctl.d/2.conf": "-> 1.conf"}, "too many levels of symbolic links"),
        (
            {"etc/sysctl.d/1.conf": "-> ../l1", **{f"etc/l{n}": f"-> l{n + 1}" for n in range(1, 41)}, "etc/l41": "net.ipv4.x = 1\n"},
            "too many levels of symbolic links",
        ),
        ({"etc/sysctl.d/1.conf": b"net.ipv4.x = 1\n" * (1 << 20) + b" " * (2 << 20)}, "larger than 16 MiB"),
        ({"etc/sysctl.d/1.conf": "x" * (1 << 20) + "\nnet.ipv4.x = 1\n"}, "line"),
        (
            {"etc/systemd/system/nginx.service": NGINX, "etc/nginx/nginx.conf": "include nginx.conf;\n", **enabled("nginx.service")},
            "include",
        ),
        (
            {
                "etc/systemd/system/redis.service": REDIS,
                "etc/redis.conf": "port 7001\ninclude /etc/redis.conf\n",
                **enabled("redis.service"),
            },
            "include",
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_exit_3(
    files: dict[str, str | bytes], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _said(lay(tmp_path / "h", files), capsys)

    assert 3 == code
    assert reason in said


@pytest.mark.parametrize("path", ["etc/sysctl.d/1.conf", "etc/sysctl.conf", "etc/systemd/system/x.service", "etc/hostname", "etc/passwd"])
def test_a_fifo_where_a_file_belongs_is_not_waited_for(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = lay(tmp_path / "h", {"etc/systemd/system/d/x": "", "etc/sysctl.d/9.conf": "net.ipv4.ip_local_port_range = 5 4\n"})
    (root / path).unlink(missing_ok=True)
    os.mkfifo(root / path)

    code, said = _said(root, capsys)

    assert 1 == code
    assert "sysctl-value-rejected" in said


def test_directories_of_any_depth_are_no_problem_of_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = lay(tmp_path / "h", {"etc/sysctl.d/1.conf": "net.ipv4.ip_local_port_range = 5 4\n"})
    here = os.getcwd()
    os.chdir(root / "etc")
    try:
        for _ in range(1000):
            os.mkdir("d" * 50)
            os.chdir("d" * 50)
        os.chdir(root)
        code, said = _said(Path("."), capsys)
        repository = main(["check", "-q", "etc"])
    finally:
        os.chdir(root)
        subprocess.run(["rm", "-rf", "etc"], check=True)
        os.chdir(here)

    assert (1, 1) == (code, repository)
    assert "sysctl-value-rejected" in said
    assert "deeper than" in capsys.readouterr().out


def test_no_command_connects_runs_writes_or_opens_anything_else(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "bait.conf").write_text("net.ipv4.ip_local_port_range = 5 4\n")
    root = lay(
        tmp_path / "h",
        {
            "etc/systemd/system/a.service": f"[Service]\nEnvironmentFile={outside}/bait.conf\nExecStart=/bin/sh {outside}/bait.conf\n",
            "etc/systemd/system/nginx.service": NGINX,
            "etc/nginx/nginx.conf": f"include {outside}/*.conf;\ninclude ../../../../../..{outside}/*.conf;\n"
            "http { server { listen 40000; } }\n",
            "etc/sysctl.d/1.conf": f"-> {outside}/bait.conf",
            "etc/sysctl.d/2.conf": f"-> ../../../../../../../..{outside}/bait.conf",
            "etc/sysctl.d/3.conf": "-> ../out/bait.conf",
            "etc/out": f"-> {outside}",
            "etc/shadow": "root:x\n",
            **enabled("a.service"),
            **enabled("nginx.service"),
        },
    )
    for arguments in (["check"], ["facts"], ["ports"], ["fix", "-o", str(tmp_path / "plan.yml")]):
        log = tmp_path / "log"
        traced = ["strace", "-f", "-y", "-s", "4096", "-e", "trace=%file,%network,fork,vfork", "-o", str(log)]
        done = subprocess.run(
            [*traced, sys.executable, "-m", "portwright", *arguments, str(root)], capture_output=True, check=False, text=True
        )
        if "ptrace" in done.stderr:
            pytest.skip("strace may not trace here")
        calls = log.read_text().splitlines()

        assert done.returncode in (0, 1, 3)
        assert any("/h/etc/sysctl.d" in call for call in calls)
        assert [] == [call for call in calls if "open" in call and (str(outside) in call or "bait" in call)]
        assert [] == [call for call in calls if re.search(r"\b(socket|connect|sendto|fork|vfork)\(", call)]
        assert [] == [call for call in calls if '"shadow"' in call and "open" in call]
        assert 1 == sum("execve(" in call and call.endswith("= 0") for call in calls)
        written = {
            match[1] for call in calls if (match := re.search(r'open(?:at)?\([^"]*"([^"]*)", [^)]*(?:O_WRONLY|O_RDWR|O_CREAT)', call))
        }
        assert all(re.fullmatch(r"\.portwright-[0-9a-f]{16}\.part", path) for path in written)
