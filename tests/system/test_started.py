"""What cron and supervisor start is started by their unit: as the user their tables name, whenever the unit starts."""

import pytest

from portwright.facts import Invocation
from portwright.system.host_files.captures import captured
from portwright.system.processes.spawners import spawned
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.reader import power_of
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ACCOUNTS = "root:x:0:0:root:/root:/bin/bash\nsvc:x:1000:1000::/home/svc:/bin/sh\n"
CRON = {
    "/etc/passwd": ACCOUNTS,
    "/usr/lib/systemd/system/cron.service": "[Service]\nExecStart=/usr/sbin/cron -f\n[Install]\nWantedBy=multi-user.target\n",
    "/etc/systemd/system/multi-user.target.wants/cron.service": "-> /usr/lib/systemd/system/cron.service",
}
SUPERVISOR = {
    "/etc/passwd": ACCOUNTS,
    "/usr/lib/systemd/system/supervisor.service": "[Service]\nExecStart=/usr/bin/supervisord -n -c /etc/supervisor/supervisord.conf\n",
    "/etc/systemd/system/multi-user.target.wants/supervisor.service": "-> /usr/lib/systemd/system/supervisor.service",
    "/etc/supervisor/supervisord.conf": "[supervisord]\nlogfile=/x\n[include]\nfiles = conf.d/*.conf\n",
}


def children(files: dict[str, str], unit: str = "cron.service") -> list[Invocation]:
    read = Files(MemoryTree(files))
    units, known = load(read), captured(read)
    keeper = units.get(unit)
    assert keeper is not None
    power = power_of(keeper, units, read, known)
    return [each for found in invocations(keeper, units, read, known) for each in spawned(found, power, read)]


def said(found: Invocation) -> tuple[str | None, str | None, str, list[str]]:
    return found.unit, found.starts, found.privileges.user, [word.text for word in found.argv]


# ── cron ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "table", "user", "argv"),
    [
        ("/etc/crontab", "@reboot root /usr/bin/relay -p 80\n", "root", ["/usr/bin/relay", "-p", "80"]),
        ("/etc/crontab", "@reboot\tsvc\tcd /srv && exec /usr/bin/relay -p 80\n", "svc", ["/usr/bin/relay", "-p", "80"]),
        ("/etc/cron.d/web", "PORT=8080\n@reboot svc /usr/bin/relay -p $PORT\n", "svc", ["/usr/bin/relay", "-p", "8080"]),
        ("/etc/cron.d/web", "PORT = '8080'\n  @reboot svc nohup /usr/bin/relay -p $PORT &\n", "svc", ["/usr/bin/relay", "-p", "8080"]),
        ("/etc/cron.d/web", "@reboot svc /usr/bin/relay 100\\%%input\n", "svc", ["/usr/bin/relay", "100%"]),
        ("/var/spool/cron/crontabs/svc", "@reboot /usr/bin/relay -p 80\n", "svc", ["/usr/bin/relay", "-p", "80"]),
        ("/var/spool/cron/svc", "@reboot /usr/bin/relay -p 80\n", "svc", ["/usr/bin/relay", "-p", "80"]),
    ],
)
def test_cron_runs_the_reboot_lines_of_its_tables(path: str, table: str, user: str, argv: list[str]) -> None:
    (found,) = children({**CRON, path: table})

    assert ("cron.service", "boot", user, argv) == said(found)
    assert "likely" == found.confidence


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/etc/crontab", "# @reboot root /usr/bin/relay\n"),
        ("/etc/crontab", "17 * * * * root /usr/bin/relay\n"),
        ("/etc/crontab", "@rebooted root /usr/bin/relay\n"),
        ("/etc/crontab", "@reboot root\n"),
        ("/etc/cron.d/web.bak", "@reboot root /usr/bin/relay\n"),
        ("/var/spool/cron/crontabs/nobody-here", "@reboot /usr/bin/relay\n"),
    ],
)
def test_cron_starts_nothing_at_boot_from_other_lines(path: str, table: str) -> None:
    assert [] == children({**CRON, path: table})


def test_a_line_without_a_command_is_told() -> None:
    read = Files(MemoryTree({**CRON, "/etc/crontab": "@reboot root\n"}))
    units, known = load(read), captured(read)
    keeper = units.get("cron.service")
    assert keeper is not None
    for found in invocations(keeper, units, read, known):
        assert [] == list(spawned(found, power_of(keeper, units, read, known), read))

    assert ["/etc/crontab:1:1"] == [str(trouble.at) for trouble in read.unreadable]


def test_cron_that_nobody_starts_starts_nothing_at_boot() -> None:
    files = {path: text for path, text in CRON.items() if "wants" not in path}

    (found,) = children({**files, "/etc/crontab": "@reboot root /usr/bin/relay\n"})

    assert "manual" == found.starts


def test_what_cron_runs_has_no_more_power_than_cron() -> None:
    dropin = {"/etc/systemd/system/cron.service.d/c.conf": "[Service]\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID\n"}

    (found,) = children({**CRON, **dropin, "/etc/crontab": "@reboot root /usr/bin/relay\n"})

    assert frozenset({"CAP_SETUID", "CAP_SETGID"}) == found.privileges.bounding


# ── supervisor ──────────────────────────────────────────────────────────────────────────────────────────────────────


def program(text: str, name: str = "web") -> list[Invocation]:
    return children({**SUPERVISOR, "/etc/supervisor/conf.d/web.conf": f"[program:{name}]\n{text}"}, "supervisor.service")


def test_supervisor_starts_its_programs_as_the_user_they_name() -> None:
    (found,) = program("command=/usr/bin/relay -p 8080 ; the front\nuser=svc\ndirectory=/srv\n")

    assert ("supervisor.service", "boot", "svc", ["/usr/bin/relay", "-p", "8080"]) == said(found)
    assert ("/srv", "/etc/supervisor/conf.d/web.conf:2:27") == (found.directory, str(found.argv[2].at))
    assert "supervisor starts it: /etc/supervisor/conf.d/web.conf:1:2" == found.why


def test_a_program_without_a_user_runs_as_supervisor_does() -> None:
    (found,) = program("command=/usr/bin/relay\n")

    assert "root" == found.privileges.user


def test_a_program_that_is_not_started_by_itself_is_started_by_hand() -> None:
    (found,) = program("command=/usr/bin/relay\nautostart=false\n")

    assert "manual" == found.starts


def test_each_of_several_processes_has_its_number_put_in() -> None:
    found = program("command=/usr/bin/relay --port=80%(process_num)02d --name=%(program_name)s\nnumprocs=2\nnumprocs_start=5\n")

    assert [["--port=8005", "--name=web"], ["--port=8006", "--name=web"]] == [[word.text for word in each.argv[1:]] for each in found]


def test_variables_are_given_and_put_in() -> None:
    (found,) = program("command=/bin/sh -c 'exec /usr/bin/relay -p $PORT'\nenvironment=A=\"x,y\",\n    PORT=8080\n")

    assert ["/usr/bin/relay", "-p", "8080"] == [word.text for word in found.argv]
    assert "x,y" == found.environment["A"].text


def test_a_program_is_not_run_by_a_shell() -> None:
    (found,) = program("command=/usr/bin/relay $PORT > /dev/null\nenvironment=PORT=1\n")

    assert ["/usr/bin/relay", "$PORT", ">", "/dev/null"] == [word.text for word in found.argv]


def test_files_that_are_not_included_start_nothing() -> None:
    assert [] == children({**SUPERVISOR, "/etc/supervisor/conf.d/web.ini": "[program:x]\ncommand=/x\n"}, "supervisor.service")
