"""What goes wrong with one host of many, in our code or with the process that reads it, costs that host and no other."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import portwright.audit.check
from portwright._start import debug_log
from portwright.audit.inputs import Input
from portwright.cli import main
from tests.hostile.program import enabled, lay

NAMES = [f"h{number:02}" for number in range(12)]


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    for name in NAMES:
        files = {
            "etc/hostname": f"{name}\n",
            "etc/systemd/system/x.service": "[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:40000 -\n",
            **enabled("x.service"),
        }
        lay(tmp_path / name, files)
    return tmp_path


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    debug_log.disable()


def spoil(monkeypatch: pytest.MonkeyPatch, bad: set[str], how: Callable[[], object]) -> None:
    """Have the reading of some hosts end as `how` ends."""
    read = portwright.audit.check.read

    def reading(given: Input, *more: Any) -> object:
        if os.path.basename(given.path) in bad:
            how()
        return read(given, *more)

    monkeypatch.setattr(portwright.audit.check, "read", reading)


def fail() -> None:
    raise RecursionError("maximum recursion depth exceeded while reading password=hunter2")


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def reported(told: str) -> dict[str, tuple[list[str], list[str]]]:
    """The rules that found something and what was unreadable, of each host of a JSON report."""
    return {
        each["host"]: ([finding["rule"] for finding in each["findings"]], [one["reason"] for one in each["unreadable"]])
        for each in json.loads(told)["hosts"]
    }


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_an_error_of_our_own_in_one_host_is_that_hosts_and_the_others_reports_stand(
    jobs: str, fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", "--jobs", jobs, "--format", "json", str(fleet)]
    assert 1 == main(command)
    sound = reported(capsys.readouterr().out)
    assert NAMES == list(sound)
    assert all(found and not unreadable for found, unreadable in sound.values())

    spoil(monkeypatch, {"h04", "h05"}, fail)
    assert 70 == main(command)

    streams = capsys.readouterr()
    found = reported(streams.out)
    for name in ("h04", "h05"):
        rules, (reason,) = found.pop(name)
        assert not rules
        assert reason.startswith("internal error: RecursionError in portwright.")
    assert {name: each for name, each in sound.items() if name not in ("h04", "h05")} == found
    assert streams.err.startswith("portwright: internal error: RecursionError: maximum recursion depth exceeded")
    assert streams.err.endswith("(2 hosts or repositories)\n")
    assert 1 == streams.err.count("\n")
    assert "hunter2" not in streams.out


@pytest.mark.parametrize("command", ["check", "facts", "ports"])
def test_each_command_that_reads_many_goes_on(
    command: str, fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(monkeypatch, {"h04"}, fail)

    assert 70 == main([command, "--debug", str(fleet)])

    streams = capsys.readouterr()
    assert "internal error: RecursionError in portwright." in " ".join(streams.out.split())
    assert "h03" in streams.out
    assert "h11" in streams.out
    assert "Traceback (most recent call last):" in streams.err


@pytest.mark.parametrize("bad", [{"h00"}, {"h06"}, {"h11"}, {"h01", "h02", "h09"}], ids=lambda bad: "+".join(sorted(bad)))
def test_case_86_a_killed_process_costs_the_host_it_read_and_no_other(
    bad: set[str], fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(monkeypatch, bad, kill)

    code = main(["check", "--jobs", "2", "--exit-zero", "--format", "json", str(fleet)])

    found = reported(capsys.readouterr().out)
    assert 3 == code
    assert NAMES == list(found)
    assert bad == {name for name, (_, unreadable) in found.items() if unreadable}
    assert all(([], ["the process that checked it was killed"]) == found[name] for name in bad)
    assert all(found[name][0] for name in NAMES if name not in bad)
