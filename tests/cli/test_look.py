"""What the commands print at a real terminal, and how much of it -q and -v make."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from portwright.audit.check import located
from portwright.audit.inputs import inputs
from portwright.cli import main
from portwright.reports.escape import width

ROOT = Path(__file__).parents[2]
WEB1 = str(ROOT / "examples" / "web1")
WIDE = str(ROOT / "tests" / "reports" / "cases" / "words-wider-than-letters" / "root")

_STEERS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*\x1b\\")


def at_a_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """What `portwright` writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
    run = subprocess.Popen([sys.executable, "-m", "portwright", *arguments], stdout=theirs, stdin=theirs, env=variables)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # EIO: the other side is closed
        pass
    os.close(ours)
    assert run.wait() in (0, 1)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", ["check", "facts", "ports", "fix"])
def test_a_terminal_is_filled_and_not_overrun(command: str, columns: int) -> None:
    report = at_a_terminal(command, WEB1, columns=columns, NO_COLOR="1")

    assert "\x1b" not in report
    for line in report.split("\n"):
        assert line == line.rstrip()
        longest = max((width(word) for word in line.split()), default=0)
        assert width(line) <= columns or longest + 14 > columns or "-->" in line or ":::" in line or "]: " in line or "/" in line


def test_a_terminal_has_colours_and_one_that_shows_links_has_links() -> None:
    plain = at_a_terminal("check", WEB1, NO_COLOR="1")
    coloured = at_a_terminal("check", WEB1)
    linked = at_a_terminal("check", WEB1, VTE_VERSION="7006")

    assert "\x1b[1;31mhigh[" in coloured
    assert "\x1b]8;;" not in coloured
    file = f"file://{os.uname().nodename}{WEB1}/etc/nginx/sites-available/app"  # to which sites-enabled/app links
    assert f"\x1b]8;;{file}\x1b\\/etc/nginx/sites-enabled/app:7:12\x1b]8;;\x1b\\" in linked
    assert plain == _STEERS.sub("", coloured) == _STEERS.sub("", linked)
    assert plain == at_a_terminal("check", WEB1, "--color", "never", VTE_VERSION="7006")


@pytest.mark.parametrize("command", [["facts"], ["facts", "-q"], ["ports"], ["fix"], ["fix", "-q"]])
def test_places_are_links_in_every_report(command: list[str]) -> None:
    plain = at_a_terminal(*command, WEB1)
    linked = at_a_terminal(*command, WEB1, VTE_VERSION="7006")

    unit = "/etc/sysctl.d/60-tuning.conf" if command == ["ports"] else "/etc/systemd/system/relay.service"
    assert f"\x1b]8;;file://{os.uname().nodename}{WEB1}{unit}\x1b\\{unit}:" in linked
    assert plain == re.sub(r"\x1b\]8;;[!-~]*?\x1b\\", "", linked)


def test_a_terminal_of_another_locale_gets_ascii_in_as_many_columns() -> None:
    shown = at_a_terminal("check", WIDE, NO_COLOR="1")
    ascii_only = at_a_terminal("check", WIDE, NO_COLOR="1", LC_ALL="C")

    assert "例え" in shown
    assert ascii_only.isascii()
    assert [width(line) for line in shown.split("\n")] == [len(line) for line in ascii_only.split("\n")]
    assert at_a_terminal("ports", WEB1, LC_ALL="C", NO_COLOR="1").isascii()


def test_a_pipe_gets_neither_colours_nor_links() -> None:
    environment = {"VTE_VERSION": "7006", "TERM": "xterm-kitty"}
    run = subprocess.run([sys.executable, "-m", "portwright", "check", WEB1], capture_output=True, check=False, env=environment)

    assert b"\x1b" not in run.stdout


@pytest.mark.parametrize("command", ["check", "facts", "ports", "fix", "rules", "apps"])
def test_little_and_much_at_once_is_a_mistake(command: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert 2 == main([command, "-q", "-v"])
    assert b"argument -v/--verbose: not allowed with argument -q/--quiet" in capsysbinary.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["check", WEB1], ["facts", WEB1], ["ports", WEB1], ["fix", WEB1], ["rules"], ["apps"], ["explain", "reuse"]]
)
def test_quiet_says_less_verbose_says_more_and_neither_changes_the_verdict(
    arguments: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    said: list[tuple[int, str]] = []
    for option in (["-q"], [], ["-v"]):
        code = main([*arguments, *option])
        said.append((code, capsysbinary.readouterr().out.decode()))

    assert 1 == len({code for code, _ in said})
    quiet, usual, verbose = (len(text) for _, text in said)
    assert 0 < quiet < usual <= verbose


def test_quiet_facts_and_plans_are_lines_that_a_program_can_take_apart(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["facts", WEB1, "-q"])
    facts = capsysbinary.readouterr().out.decode().splitlines()
    main(["fix", WEB1, "-q"])
    plan = capsysbinary.readouterr().out.decode().splitlines()

    assert "/etc/nginx/sites-enabled/app:7:12: 40000/tcp 0.0.0.0: nginx.service, as root, starts at boot" in facts
    assert "/etc/sysctl.d/zz-portwright.conf: set net.ipv4.ip_local_reserved_ports = 40000 (was empty)" in plan
    left = "/etc/systemd/system/relay.service:6:26: medium[listener-without-reuseaddr]: not planned: "
    assert any(line.startswith(left) for line in plan)
    assert all(re.match(r"/\S+: ", line) for line in (*facts, *plan))


def test_a_link_leads_to_the_file_of_the_copy_and_never_out_of_it(tmp_path: Path) -> None:
    host = tmp_path / "host"
    (host / "etc").mkdir(parents=True)
    (host / "srv").mkdir()
    (host / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (host / "srv" / "real.conf").write_text("x\n")
    (host / "etc" / "linked").symlink_to("/srv")
    (host / "etc" / "away.conf").symlink_to("../../../../../../srv/real.conf")
    (host / "etc" / "loop").symlink_to("loop")

    (given,) = inputs([str(host)])

    asked = ["/etc/linked/real.conf", "/etc/away.conf", "/etc/loop", "/etc/gone", "kernel.conf"]
    assert dict.fromkeys(asked[:2], f"{host}/srv/real.conf") == located(given, asked)


def test_the_files_of_a_repository_and_a_file_lie_where_their_user_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "x.service").write_text("[Service]\nExecStart=/bin/true\n")
    monkeypatch.chdir(tmp_path)

    (repository,), (file,) = inputs(["."]), inputs(["deploy/x.service"])

    assert {"deploy/x.service": f"{tmp_path}/deploy/x.service"} == located(repository, ["deploy/x.service"])
    assert {"deploy/x.service": f"{tmp_path}/deploy/x.service"} == located(file, ["deploy/x.service"])


def test_a_finding_of_many_places_shows_the_first_and_counts_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.service").write_text("[Service]\nExecStart=/bin/a\n" + "user=www-data\n" * 60)

    main(["check", str(tmp_path)])
    short = capsys.readouterr().out
    main(["check", "-v", str(tmp_path)])
    long = capsys.readouterr().out

    assert "11 more lines of this file with -v" in short, "the first mark is the finding's own, beside a note"
    assert (49, 60) == (short.count("| user=www-data"), long.count("| user=www-data"))
