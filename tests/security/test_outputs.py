"""What commands write: through no link of somebody else, whole or not at all, for nobody else to read where it is private."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.cli.outputs import Output, OutputError, write

WEB1 = str(Path(__file__).parents[2] / "examples" / "web1")
PLAN = ("plan.yml", "plan.vars.json", "plan.rollback.yml")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the run that others write to, beside one that is ours."""
    (tmp_path / "ours").mkdir()
    made = tmp_path / "checkout"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def _outside(checkout: Path) -> list[str]:
    return sorted(path.name for path in (checkout.parent / "ours").iterdir())


def _no_leftovers(folder: Path) -> bool:
    return not list(folder.rglob(".portwright-*"))


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("target", ["../ours/.profile", "../ours/there", "loop", "/no/such/place"])
def test_case_49_a_report_does_not_go_through_a_link(target: str, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout.parent / "ours" / "there").write_text("precious\n")
    (checkout / "loop").symlink_to("loop")
    (checkout / "portwright.sarif").symlink_to(target)

    code = main(["check", WEB1, "--format", "sarif", "--output", "portwright.sarif"])

    assert 2 == code
    assert "it is a symbolic link, and portwright writes through none" in capsys.readouterr().err
    assert (["there"], "precious\n") == (_outside(checkout), (checkout.parent / "ours" / "there").read_text())
    assert target == os.readlink("portwright.sarif")


@pytest.mark.parametrize("command", ["check", "facts", "ports", "rules", "apps", "explain"])
def test_case_49_every_command_that_takes_an_output_refuses_a_link(
    command: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "report").symlink_to("../ours/.profile")
    operands = {"rules": [], "apps": [], "explain": ["port-claimed-twice"]}.get(command, [WEB1])

    assert 2 == main([command, *operands, "--output", "report"])
    assert [] == _outside(checkout)


def _by_a_relative_path(checkout: Path) -> str:
    return "reports/r.json"


def _by_an_absolute_path(checkout: Path) -> str:
    return str(checkout / "reports" / "r.json")


def _up_and_down_again(checkout: Path) -> str:
    return "../checkout/./reports/r.json"


def _through_a_link_to_it(checkout: Path) -> str:
    (checkout.parent / "also").symlink_to("checkout")
    return str(checkout.parent / "also" / "reports" / "r.json")


@pytest.mark.parametrize("way", [_by_a_relative_path, _by_an_absolute_path, _up_and_down_again, _through_a_link_to_it])
def test_case_49_no_directory_below_the_working_directory_is_reached_through_a_link(
    way: Callable[[Path], str], checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "reports").symlink_to("../ours")

    assert 2 == main(["check", WEB1, "--format", "json", "--output", way(checkout)])
    assert "reports is a symbolic link" in capsys.readouterr().err
    assert [] == _outside(checkout)


def _another_checkout(other: Path) -> list[str]:
    (other / ".git").mkdir()
    return ["check", WEB1]


def _a_host_that_is_checked(other: Path) -> list[str]:
    (other / "etc").mkdir()
    return ["check", str(other)]


@pytest.mark.parametrize("arguments", [_another_checkout, _a_host_that_is_checked])
@pytest.mark.parametrize("below", ["", "deep/"])
def test_case_49_nor_below_another_checkout_or_an_input(
    arguments: Callable[[Path], list[str]], below: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = checkout.parent / "other"
    (other / "deep").mkdir(parents=True)
    (other / below / "reports").symlink_to(checkout.parent / "ours")

    assert 2 == main([*arguments(other), "--output", f"{other}/{below}reports/r.txt"])
    assert "reports is a symbolic link" in capsys.readouterr().err
    assert [] == _outside(checkout)


def test_a_directory_elsewhere_may_be_reached_through_a_link_of_ones_own(checkout: Path) -> None:
    (checkout.parent / "here").symlink_to(checkout.parent / "ours")
    (checkout.parent / "there").symlink_to("here/../here")

    assert 1 == main(["check", WEB1, "--output", "../there/report"])
    assert 1 == main(["check", WEB1, "--output", str(checkout.parent / "there" / "again")])
    assert ["again", "report"] == _outside(checkout)


def test_a_link_of_somebody_else_is_not_followed_anywhere(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout.parent / "here").symlink_to("ours")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4711)
    if os.getuid() == 0:
        os.lchown(checkout.parent / "here", 4712, 4712)

    with pytest.raises(OutputError, match="here is a symbolic link"):
        write([Output("../here/report", b"x")])
    assert [] == _outside(checkout)


@pytest.mark.parametrize("which", PLAN)
def test_case_49_a_plan_with_a_link_in_the_place_of_one_file_writes_none(
    which: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / which).symlink_to("../ours/x")

    assert 2 == main(["fix", WEB1, "-o", "plan.yml"])
    assert f"cannot write {which}: it is a symbolic link" in capsys.readouterr().err
    assert ([], [which]) == (_outside(checkout), sorted(os.listdir()))


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        *((each, "d is a symbolic link") for each in ("d/x", "./d/../d/x/", "d/there")),
        *((each, "and no link") for each in ("d", "d/")),
    ],
)
def test_case_49_a_folder_for_snapshots_is_not_made_or_used_through_a_link(
    folder: str, said: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout.parent / "ours" / "there").mkdir(mode=0o700)
    (checkout.parent / "ours").chmod(0o700)
    (checkout / "d").symlink_to("../ours")
    (checkout / "inventory").write_text("")

    assert 2 == main(["audit", "-i", "inventory", "--snapshots", folder])
    assert said in capsys.readouterr().err
    assert ["there"] == _outside(checkout)
    assert [] == list((checkout.parent / "ours" / "there").iterdir())


# ── whole or not at all ─────────────────────────────────────────────────────────────────────────────────────────────


def test_case_49_on_a_full_disk_the_old_report_is_intact(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old\n")
    # A limit of the process stands for a disk that takes no more.
    run = subprocess.run(
        [sys.executable, "-m", "portwright", "check", WEB1, "--format", "json", "--output", str(report)],
        capture_output=True, check=False, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )  # fmt: skip

    assert (2, f"portwright: cannot write {report}: File too large\n") == (run.returncode, run.stderr)
    assert (["report.json"], "old\n") == (os.listdir(tmp_path), report.read_text())


def test_case_49_a_run_that_is_killed_while_it_writes_leaves_the_old_report(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old\n")
    program = f"""
import os, signal, sys
import portwright.cli
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
portwright.cli.main(["check", {WEB1!r}, "--format", "json", "--output", {str(report)!r}])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert -signal.SIGKILL == run.returncode
    assert "old\n" == report.read_text()


def _noted(name: str, call: Callable[..., None], done: list[str]) -> Callable[..., None]:
    def noted(*given: object, **more: object) -> None:
        done.append(name)
        call(*given, **more)

    return noted


def test_what_is_written_is_on_disk_before_it_takes_the_place_of_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, _noted(name, getattr(os, name), done))

    write([Output(str(tmp_path / "a"), b"1"), Output(str(tmp_path / "b"), b"2")])

    assert ["fsync", "fsync", "replace", "fsync", "replace", "fsync"] == done


@pytest.mark.parametrize("fails", [1, 2, 3])
@pytest.mark.parametrize("second_names", [True, False])
@pytest.mark.parametrize("existing", [(), PLAN, PLAN[1:]])
def test_a_plan_lands_together_or_not_at_all(
    fails: int, second_names: bool, existing: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in existing:
        (tmp_path / name).write_text(f"old {name}\n")
    replace, calls = os.replace, iter(range(1, 100))

    def moved(old: str, new: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        if next(calls) == fails:
            raise OSError(5, "Input/output error")
        replace(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    def refused(*given: str, **more: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", moved)
    if not second_names:
        monkeypatch.setattr(os, "link", refused)

    with pytest.raises(OutputError, match=f"{PLAN[fails - 1]}: Input/output error"):
        write([Output(str(tmp_path / name), b"new") for name in PLAN])

    assert {name: f"old {name}\n" for name in existing} == {path.name: path.read_text() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])
@pytest.mark.parametrize("step", ["fsync", "link", "replace"])
def test_a_signal_between_two_files_of_a_plan_waits_for_all_three(sent: str, step: str, tmp_path: Path) -> None:
    for name in PLAN:
        (tmp_path / name).write_text("old\n")
    program = f"""
import os, signal, sys
from portwright.cli.outputs import Output, write
step = os.{step}
def signalled(*given, **more):
    os.kill(os.getpid(), signal.{sent})
    return step(*given, **more)
os.{step} = signalled
write([Output(os.path.join({str(tmp_path)!r}, name), b"new") for name in {PLAN!r}])
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert run.returncode in (-getattr(signal, sent), 1)  # 1: Python's own end of a KeyboardInterrupt
    assert dict.fromkeys(PLAN, "new") == {path.name: path.read_text() for path in tmp_path.iterdir()}


def test_a_plan_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for name in PLAN:
        (tmp_path / name).write_text("old\n")

    main(["fix", WEB1, "-o", str(tmp_path / "plan.yml")])

    assert sorted(PLAN) == sorted(os.listdir(tmp_path))
    assert not any(path.read_text() == "old\n" for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("folder", "that is a directory"), ("folder/", "that is a directory"), ("folder/..", "that is a directory"),
        ("no/report", "No such file or directory"), ("file/report", "Not a directory"), ("socket", "it is neither a file nor a pipe"),
        ("n" * 300, "File name too long"), ("/dev/fd/999", "Bad file descriptor"), ("/dev/full", "No space left on device"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_written_is_one_line_and_exit_2(
    output: str, reason: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "folder").mkdir()
    (checkout / "file").write_text("")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        code = main(["check", WEB1, "--output", output])
    said = capsys.readouterr().err

    assert 2 == code
    assert said.startswith(f"portwright: cannot write {output}: {reason}")
    assert 1 == said.count("\n")
    assert _no_leftovers(checkout)


# ── modes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("umask", "mode"), [(0o000, 0o666), (0o022, 0o644), (0o077, 0o600), (0o277, 0o400)])
def test_case_54_vars_files_are_private_from_the_beginning_whatever_the_umask(
    umask: int, mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.vars.json").write_text("of another run, for all to read")
    before = os.umask(umask)
    opened: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: opened.append(os.fstat(descriptor).st_mode))
    try:
        main(["fix", WEB1, "-o", str(tmp_path / "plan.yml")])
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert {"plan.yml": mode, "plan.vars.json": 0o600, "plan.rollback.yml": mode} == modes
    assert sorted([mode, mode, 0o600]) == sorted(each & 0o777 for each in opened if stat.S_ISREG(each))


# ── pipes and devices ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_can_go_to_a_pipe_that_somebody_reads(checkout: Path) -> None:
    os.mkfifo("pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_bytes()))
    reader.start()
    code = main(["check", WEB1, "--format", "json", "--output", "pipe"])
    reader.join()

    assert (1, 1) == (code, json.loads(read[0])["version"])
    assert stat.S_ISFIFO(os.lstat("pipe").st_mode)


@pytest.mark.parametrize("output", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("redirected", [True, False])
def test_a_report_can_go_to_standard_output_by_each_of_its_names(output: str, redirected: bool, checkout: Path) -> None:
    command = [sys.executable, "-m", "portwright", "check", WEB1, "--format", "json", "--output", output]
    if redirected:
        with open("log", "wb") as log:
            log.write(b"before\n")
            log.flush()
            run = subprocess.run(command, stdout=log, stderr=subprocess.PIPE, check=False)
        before, _, said = Path("log").read_bytes().partition(b"\n")
        assert b"before" == before
    else:
        run = subprocess.run(command, capture_output=True, check=False)
        said = run.stdout

    assert (1, b"", 1) == (run.returncode, run.stderr, json.loads(said)["version"])


def test_a_report_can_go_to_a_descriptor_that_a_shell_opened(checkout: Path) -> None:
    line = f'"{sys.executable}" -m portwright check {WEB1} --format json --output >(cat > got) --format sarif --output /dev/stderr'
    # What the shell started in >( ) is waited for by $!, from bash 4.4.
    run = subprocess.run(["bash", "-c", f"{line}; wait $!"], capture_output=True, check=False)

    assert "2.1.0" == json.loads(run.stderr)["version"]
    assert 1 == json.loads(Path("got").read_bytes())["version"]
