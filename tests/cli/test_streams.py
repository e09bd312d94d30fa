"""What becomes of a run whose streams are closed or full, whose user interrupts it, or one of whose processes dies."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import portwright.audit.check
from portwright.cli import main

WEB1 = str(Path(__file__).parents[2] / "examples" / "web1")


def _shell(line: str) -> subprocess.CompletedProcess[str]:
    command = f'portwright() {{ "{sys.executable}" -m portwright "$@"; }}; {line}'
    return subprocess.run(["bash", "-c", command], capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL)


def test_case_86_a_reader_that_had_enough_changes_no_verdict() -> None:
    run = _shell(f"portwright check {WEB1} --format json | true; echo ${{PIPESTATUS[0]}}")

    assert ("1\n", "") == (run.stdout, run.stderr)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"portwright check {WEB1} >&-", "portwright: cannot write to standard output: closed\n"),
        (f"portwright facts {WEB1} >/dev/full", "portwright: cannot write to standard output: No space left on device\n"),
        ("portwright check - <&-", "portwright: standard input is closed\n"),
        ("portwright check /no/such/path 2>&-", ""),
    ],
)
def test_a_stream_that_cannot_be_used_is_one_line_and_exit_2(line: str, complaint: str) -> None:
    run = _shell(line)

    assert (2, "", complaint) == (run.returncode, run.stdout, run.stderr)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_case_86_an_interrupt_is_exit_130_and_one_line(jobs: str) -> None:
    program = f"""
import os, signal, sys, time
import portwright.audit.check, portwright.cli
first = os.getpid()

def verdict(given, **more):  # one signal, as one Ctrl-C
    os.kill(first, signal.SIGINT) if given.path == {WEB1!r} else time.sleep(1)

portwright.audit.check.verdict = verdict
sys.argv = ["portwright", "check", "--jobs", "{jobs}", {WEB1!r}, "{WEB1}/etc"]
portwright.cli.run()
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True)

    assert (130, "", "portwright: interrupted\n") == (run.returncode, run.stdout, run.stderr)


def test_case_86_hosts_whose_process_was_killed_are_incomplete_and_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "etc").mkdir(parents=True)
        (tmp_path / name / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    monkeypatch.setattr(portwright.audit.check, "verdict", lambda *given, **more: os.kill(os.getpid(), signal.SIGKILL))

    assert 3 == main(["check", "--jobs", "2", "--format", "json", str(tmp_path)])

    hosts = json.loads(capsysbinary.readouterr().out)["hosts"]
    reason = "the process that checked it was killed"
    assert [("one", reason), ("two", reason)] == [(host["host"], host["unreadable"][0]["reason"]) for host in hosts]


@pytest.mark.parametrize("module", ["yaml", "argparse", "dataclasses"])
def test_a_module_that_lies_in_the_working_directory_is_not_run(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")

    run = subprocess.run(
        [sys.executable, "-m", "portwright", "check", WEB1, "-q"], capture_output=True, check=False, cwd=tmp_path, text=True
    )

    assert (1, "") == (run.returncode, run.stderr)
    assert not (tmp_path / "run").exists()
