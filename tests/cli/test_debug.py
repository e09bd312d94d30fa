"""An error of our own is one line and exit 70; --debug shows where it came up, and what was read and decided before."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import portwright
import portwright.audit.check
from portwright import __version__
from portwright._start import debug_log
from portwright.cli import main

WEB1 = str(Path(__file__).parents[2] / "examples" / "web1")


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    yield
    debug_log.disable()


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def verdict(*given: Any, **more: Any) -> None:
        raise KeyError("a\x1b[31m\nb")

    monkeypatch.setattr(portwright.audit.check, "verdict", verdict)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("jobs", [[], [f"{WEB1}/etc", "--jobs", "2"]])
def test_an_error_of_our_own_is_one_line_and_exit_70(jobs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert 70 == main(["check", WEB1, *jobs])

    streams = capsys.readouterr()
    assert "could not be read:" in streams.out
    assert "internal error: KeyError in portwright." in streams.out
    assert 1 == streams.err.count("\n")
    assert streams.err.startswith("portwright: internal error: KeyError: '************' in portwright.")
    assert f"a bug of portwright {__version__}: report this line and the traceback that --debug shows" in streams.err


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("asked", ["--debug", "PORTWRIGHT_DEBUG"])
def test_its_traceback_is_shown_where_it_is_asked_for(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if asked == "PORTWRIGHT_DEBUG":
        monkeypatch.setenv(asked, "1")

    assert 70 == main(["check", WEB1, *(["--debug"] if asked == "--debug" else [])])

    said = capsys.readouterr().err
    assert "Traceback (most recent call last):" in said
    assert "report this line and the traceback above" in said.splitlines()[-1]


PLANTED = "Kq7zLeft and, the;rest"
ERRORS = [
    KeyError(PLANTED),
    ValueError(f"invalid literal for int() with base 10: {PLANTED!r}"),
    ValueError(f'invalid literal: "{PLANTED}'),
    RuntimeError(f"DB_PASSWORD={PLANTED!r} is odd"),
    UnicodeDecodeError("utf-8", f"token={PLANTED}\udc80".encode("utf-8", "surrogateescape"), 0, 1, "odd"),
    RuntimeError(f"requirepass {PLANTED}"),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("words", [["check"], ["facts"], ["ports"], ["fix"], ["check", "--jobs", "2"]])
def test_case_85_a_traceback_holds_no_secret_no_command_and_no_path_of_this_machine(
    error: Exception, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*given: Any, **more: Any) -> None:
        password = PLANTED
        try:
            raise ValueError(f"password {password!r}")
        except ValueError as cause:
            raise error from cause

    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("verdict", "read", "planned"):
        monkeypatch.setattr(portwright.audit.check, name, broken)

    assert 70 == main([*words, "--debug", *([f"{WEB1}/etc"] if "--jobs" in words else []), WEB1])

    heard = capsys.readouterr()
    said = heard.out + heard.err
    assert type(error).__name__ in heard.err
    assert 2 <= heard.err.count("Traceback (most recent call last):")
    assert 'File "portwright/' in heard.err
    assert [] == [word for word in ("Kq7z", "rest", sys.prefix, str(Path(portwright.__file__).parent.parent)) if word in said]


def test_a_run_logs_what_it_read_and_decided_and_reports_the_same(capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    host = tmp_path / "web1"
    subprocess.run(["cp", "-a", WEB1, str(host)], check=True)
    (host / "etc/sysctl.d/99-last.conf").write_text("net.ipv4.tcp_fin_timeout = 30\n")
    code = main(["check", str(host)])
    plain = capsysbinary.readouterr()

    assert code == main(["check", str(host), "--debug"])

    logged = capsysbinary.readouterr()
    lines = logged.err.decode().splitlines()
    assert (plain.out, b"") == (logged.out, plain.err)
    assert f"portwright.inputs: {host} is read as a host named web1" in lines
    assert "portwright.files: read, 129 bytes: /etc/nginx/nginx.conf" in lines
    assert "portwright.units: nginx.service: loaded, merged from /usr/lib/systemd/system/nginx.service" in lines
    assert "portwright.daemons: what is started at /usr/lib/systemd/system/nginx.service:7:11 is nginx" in lines
    assert "portwright.sysctl: net.ipv4.tcp_fin_timeout = 30, set by /etc/sysctl.d/99-last.conf:1:1" in lines
    lost = "net.ipv4.tcp_fin_timeout = 15 at /etc/sysctl.d/60-tuning.conf:3:1 lost: /etc/sysctl.d/99-last.conf:1:1 replaces it"
    assert f"portwright.sysctl: {lost}" in lines
    reason = "4 of listener, 4 left by attempted is, 3 left by unless can_bind is, 3 left by unless quarrel-told-of-rivals is, "
    reason += "none with a listener beside it"
    assert f"portwright.rules: port-claimed-twice did not fire: {reason}" in lines


def test_what_a_host_says_cannot_play_with_the_terminal_in_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, text in {"etc/passwd": "", "etc/sysctl.d/\x1b[31m.conf": "vm.swappiness = 1\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    main(["check", str(tmp_path), "--debug"])

    assert "\x1b" not in capsys.readouterr().err


def test_without_being_asked_for_logging_is_not_even_imported() -> None:
    code = f"import sys; from portwright.cli import main; main(['check', '-q', {WEB1!r}]); print('logging' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, text=True, env={**os.environ, "PORTWRIGHT_DEBUG": "0"}
    )

    assert ("False", "") == (run.stdout.splitlines()[-1], run.stderr)
