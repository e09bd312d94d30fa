"""Where units, cron and their scripts call a program that rules look for."""

import pytest

from portwright.facts import Call
from portwright.system.systemd.script_calls import script_calls
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

UNIT = "/etc/systemd/system/app.service"
CRON = {
    "/usr/lib/systemd/system/cron.service": "[Service]\nExecStart=/usr/sbin/cron -f\n",
    "/etc/systemd/system/multi-user.target.wants/cron.service": "-> /usr/lib/systemd/system/cron.service",
    "/etc/passwd": "ann:x:1000:1000::/home/ann:/bin/sh\n",
}


def exec_calls(files: dict[str, str], *, repository: bool = False) -> list[tuple[str, str]]:
    return [(str(call.at), call.caller) for call in _calls(files, repository)]


def _calls(files: dict[str, str], repository: bool) -> tuple[Call, ...]:
    tree = Files(MemoryTree(files))
    return script_calls(load(tree, repository=repository).each, tree, repository=repository)


# (shell text, where netstat is called)
TEXTS = [
    ("netstat -ltn", ["2:1"]),
    ("/bin/netstat -ltn", ["2:1"]),
    ("n=$(netstat -ltn | wc -l)", ["2:5"]),
    ('test "$(sudo netstat -ltn | wc -l)" -gt 5', ["2:14"]),
    ("n=`netstat -an`", ["2:4"]),
    ("timeout 5 netstat -an", ["2:11"]),
    ("check() {\n  netstat -an\n}", ["3:3"]),
    ("case $1 in\nstart) netstat -an;;\nesac", ["3:8"]),
    ("netstat -an; netstat -rn", ["2:1"]),
    ("echo 'use $(netstat)'", []),
    ("echo netstat", []),
    ("command -v netstat", []),
    ("# netstat -an", []),
    ("apt-get install netstat-nat", []),
]


@pytest.mark.parametrize(("text", "places"), TEXTS)
def test_a_script_calls_what_stands_where_a_command_does(text: str, places: list[str]) -> None:
    files = {UNIT: "[Service]\nExecStart=/opt/run\n", "/opt/run": f"#!/usr/bin/env bash\n{text}\n"}

    assert [(f"/opt/run:{place}", "app.service (/opt/run)") for place in places] == exec_calls(files)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ExecStart=/opt/app\nExecStartPre=-/opt/run --fast", True),
        ("ExecStart=/bin/sh /opt/run", True),
        ("ExecStart=/bin/bash -x /opt/run", True),
        ("ExecStart=/bin/sh -c /opt/run", False),
        ("ExecStart=/opt/%i", False),
        ("Documentation=/opt/run", False),
    ],
)
def test_the_script_of_an_exec_line_is_read(line: str, found: bool) -> None:
    files = {UNIT: f"[Service]\n{line}\n", "/opt/run": "#!/bin/sh\nnetstat\n"}

    assert ([("/opt/run:2:1", "app.service (/opt/run)")] if found else []) == exec_calls(files)


def test_another_language_is_not_read_as_shell() -> None:
    assert [] == exec_calls({UNIT: "[Service]\nExecStart=/opt/run\n", "/opt/run": "#!/usr/bin/python3\nnetstat\n"})


# (path, line, place)
TABLES = [
    ("/etc/crontab", "5 * * * * root netstat -an", "1:16"),
    ("/etc/cron.d/x", "@daily root netstat -an", "1:13"),
    ("/etc/cron.d/x", "@reboot root netstat -an", "1:14"),
    ("/var/spool/cron/crontabs/ann", "5 4 * * sun netstat -an", "1:13"),
    ("/var/spool/cron/crontabs/bob", "5 4 * * sun netstat -an", None),
    ("/etc/cron.d/x", "5 * * * * root mail ann%netstat -an", None),
    ("/etc/cron.d/x", "NETSTAT=netstat -an", None),
    ("/etc/cron.d/x", "# 5 * * * * root netstat", None),
    ("/etc/cron.d/x.off", "5 * * * * root netstat -an", None),
]


@pytest.mark.parametrize(("path", "line", "place"), TABLES)
def test_the_lines_of_crons_tables_are_read(path: str, line: str, place: str | None) -> None:
    assert ([] if place is None else [(f"{path}:{place}", path)]) == exec_calls({**CRON, path: f"{line}\n"})


def test_a_script_that_a_table_starts_is_read() -> None:
    files = {"/etc/crontab": "@daily root /opt/run -v\n", "/opt/run": "#!/bin/sh\nnetstat\n"}

    assert [("/opt/run:2:1", "/opt/run")] == exec_calls({**CRON, **files})


def test_where_cron_does_not_run_its_tables_are_nothing_and_in_a_repository_all_counts() -> None:
    files = {"/etc/cron.d/x": "@daily root netstat\n"}

    assert [] == exec_calls(files)
    assert [("/etc/cron.d/x:1:13", "/etc/cron.d/x")] == exec_calls(files, repository=True)
