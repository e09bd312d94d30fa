"""A hostile directory given to the whole program: nothing outside it is opened, nothing waits, nothing is run, and it is said."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from portwright.cli import main
from tests.fuzz.fixing import trouble
from tests.fuzz.targets import EXAMPLES
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


@pytest.mark.parametrize("path", ["x.service", "x.service.d/1.conf", "service.d/1.conf", "x.socket", "x.socket.d/1.conf"])
@pytest.mark.parametrize("kind", ["FIFO", "socket"])
def test_a_pipe_or_socket_where_systemd_would_read_is_said(
    path: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    units = {
        "etc/systemd/system/x.service": "[Service]\nExecStart=/bin/true\n",
        "etc/systemd/system/x.socket": "[Socket]\nListenStream=80\n",
    }
    root = lay(tmp_path / "h", {**units, **enabled("x.service"), **enabled("x.socket")})
    place = root / "etc/systemd/system" / path
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    os.mknod(place, 0o600 | (stat.S_IFIFO if kind == "FIFO" else stat.S_IFSOCK))

    code, said = _said(root, capsys)

    assert code in (1, 3)
    assert f"/etc/systemd/system/{path}: could not be read: a {kind} is not a file to read" in " ".join(said.split())


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
        repository = main(["check", "-q", f"etc/{'d' * 50}"])
    finally:
        os.chdir(root)
        subprocess.run(["rm", "-rf", "etc"], check=True)
        os.chdir(here)

    assert (1, 3) == (code, repository)
    assert "sysctl-value-rejected" in said
    assert "deeper than" in capsys.readouterr().out


@pytest.mark.parametrize("number", range(12))
def test_a_plan_for_a_spoilt_host_is_whole_and_valid_or_there_is_none(number: int) -> None:
    assert [] == trouble(EXAMPLES / "web1", number)
