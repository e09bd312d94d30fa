"""The commands of a unit's Exec lines, those that a shell calls included."""

import pytest

from portwright.facts import Setting, Unit
from portwright.source import Span
from portwright.system.systemd.exec_calls import exec_calls

# (key, value, the commands called)
LINES = [
    ("ExecStart", "/usr/bin/netstat -ltn", [("/usr/bin/netstat", "-ltn")]),
    ("ExecStart", "-/usr/bin/netstat -ltn", [("/usr/bin/netstat", "-ltn")]),
    ("ExecStart", "@/usr/bin/netstat sockets -ltn", [("/usr/bin/netstat", "-ltn")]),
    ("ExecStartPre", "/bin/sh -c netstat", [("netstat",)]),
    ("ExecStop", "/bin/bash -ec 'true && netstat -n $PORT'", [("true",), ("netstat", "-n", "$PORT")]),
    ("ExecStop", "/bin/sh -c 'if netstat; then kill $(lsof -t); fi'", [("netstat",), ("kill", "$(lsof -t)")]),
    ("ExecStop", "/bin/sh --norc /opt/netstat.sh", []),
    ("ExecStop", "/bin/sh /opt/netstat -c", []),
    ("ExecStart", "/usr/bin/ss -ltn", []),
    ("Description", "/usr/bin/netstat", []),
]


def unit(key: str, value: str, section: str = "Service") -> Unit:
    at = Span("/etc/systemd/system/app.service", 2, 11, 2, 11 + len(value))
    return Unit("app.service", at, (at.path,), (Setting(at, at, section, key, value),), names=("app.service",))


@pytest.mark.parametrize(("key", "value", "expected"), LINES)
def test_a_line_calls_its_program_and_what_its_shell_text_names(key: str, value: str, expected: list[tuple[str, ...]]) -> None:
    found = [call.words for call in exec_calls(unit(key, value), "netstat") if call.program not in ("sh", "bash")]

    assert expected == found


def test_lines_that_hold_none_of_the_names_are_not_read() -> None:
    assert () == exec_calls(unit("ExecStart", "/usr/bin/ss -ltn"), "netstat", "fuser")


def test_a_socket_unit_has_commands_too() -> None:
    assert ["fuser"] == [call.program for call in exec_calls(unit("ExecStartPre", "/bin/fuser -k 80/tcp", "Socket"), "fuser")]
