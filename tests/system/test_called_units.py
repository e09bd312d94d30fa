"""Units that services start with their own commands, at each boot."""

import pytest

from portwright.system.host_files.captures import captured
from portwright.system.systemd.reader import read
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ETC = "/etc/systemd/system"
SCRIPT = "#!/bin/sh\nsystemctl daemon-reload\n%s\n"


def starts(unit: str, more: dict[str, str] | None = None) -> str | None:
    """What is said of b.service where a boot starts a.service."""
    files = Files(MemoryTree({
        f"{ETC}/a.service": unit,
        f"{ETC}/multi-user.target.wants/a.service": "-> ../a.service",
        f"{ETC}/b.service": "[Service]\nExecStart=/usr/bin/b -p 80\n",
        **(more or {}),
    }))  # fmt: skip
    found = load(files).get("b.service")
    return None if found is None else found.starts


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl start b.service\n", "boot"),
        ("[Service]\nExecStart=/usr/bin/a\nExecStartPost=-/bin/systemctl --no-block restart b\n", "boot"),
        ("[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sleep 5; systemctl start b'\n", "boot"),
        ("[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl enable --now b\n", "boot"),
        ("[Service]\nType=oneshot\nExecStart=/bin/true\n[Unit]\nOnSuccess=b.service\n", "boot"),
        ("[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl enable b\n", "manual"),
        ("[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl --user start b\n", "manual"),
        ("[Service]\nType=oneshot\nExecStart=/usr/bin/systemctl try-restart b\n", "manual"),
        ("[Service]\nExecStart=/usr/bin/a\nExecStop=/usr/bin/systemctl start b\n", "manual"),
        ("[Service]\nExecCondition=/bin/false\nExecStart=/usr/bin/systemctl start b\n", "manual"),
        ("[Service]\nExecStart=/usr/bin/a\n[Unit]\nOnFailure=b.service\n", "manual"),
    ],
)
def test_what_a_command_of_a_unit_starts_is_started_by_the_boot(unit: str, expected: str) -> None:
    assert expected == starts(unit)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("systemctl start b", "boot"),
        ("service b start", "boot"),
        ("sudo systemctl restart x b.service", "boot"),
        ("grep -q b /run/x && systemctl start b", "manual"),
        ("exit 0\nsystemctl start b", "manual"),
    ],
)
def test_a_script_of_a_unit_starts_what_it_surely_calls(line: str, expected: str) -> None:
    assert expected == starts("[Service]\nType=oneshot\nExecStart=/opt/a.sh\n", {"/opt/a.sh": SCRIPT % line})


MONIT = "[Service]\nExecStart=/usr/bin/monit -I\n"
CHECK = "check process b with pidfile /run/b.pid\n  start program = \"%s\"%s\n  stop program = \"/bin/x\"\n"


# As in https://github.com/arnaudsj/monit/issues/3 and https://github.com/fail2ban/fail2ban/issues/1525.
@pytest.mark.parametrize(
    ("command", "expected"), [("/bin/systemctl start b", "boot"), ("/usr/sbin/service b start", "boot"), ("/usr/bin/b -p 81", "manual")]
)
def test_monit_starts_the_units_of_its_start_programs(command: str, expected: str) -> None:
    assert expected == starts(MONIT, {"/etc/monit/monitrc": CHECK % (command, "")})


@pytest.mark.parametrize(
    ("command", "more", "expected"),
    [
        ("/usr/bin/c -p 81", " as uid \"svc\" and gid svc", [("c", "svc")]),
        ("/bin/sh -c '/usr/bin/c -p 81 &'", "", [("c", "root")]),
        ("/usr/bin/b -p 80", "", []),
        ("/usr/bin/c -p 81", "\n  mode manual", []),
        ("/etc/init.d/c start", "", []),
    ],
)
def test_monit_starts_programs_that_are_no_units(command: str, more: str, expected: list[tuple[str, str]]) -> None:
    files = Files(MemoryTree({
        "/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:1:1::/:/bin/sh\n",
        f"{ETC}/m.service": MONIT,
        f"{ETC}/multi-user.target.wants/m.service": "-> ../m.service",
        f"{ETC}/b.service": "[Service]\nExecStart=/usr/bin/b -p 80\n",
        "/etc/monit/monitrc": "set daemon 30\ninclude /etc/monit/conf.d/*\n# check process z\n",
        "/etc/monit/conf.d/c": CHECK % (command, more),
    }))  # fmt: skip
    found = read(files, captured(files)).invocations

    assert expected == [(each.program, each.privileges.user) for each in found if each.unit == "m.service" and each.program != "monit"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("/bin/false", "never"),
        ("+/usr/bin/test -f /etc/web/enabled", "never"),
        ("/usr/bin/[ ! -e /etc/hostname ]", "never"),
        ("-/bin/false", "boot"),
        ("/usr/bin/test -f /etc/hostname", "boot"),
        ("/usr/bin/test -f /srv/web/enabled", "boot"),
        ("/usr/bin/test -f $FILE", "boot"),
        ("/usr/bin/test ! -e /etc/hostname", "never"),
        ("/usr/bin/test ! -s /etc/hostname", "never"),
        ("/usr/bin/test ! -x /etc/hostname", "boot"),
        ("/usr/bin/test ! -d /etc/hostname", "boot"),
        ("/usr/bin/test -d /etc/hostname", "never"),
    ],
)
def test_a_command_that_surely_fails_keeps_its_service_from_starting(condition: str, expected: str) -> None:
    files = Files(MemoryTree({
        "/etc/hostname": "host1\n",
        f"{ETC}/a.service": f"[Service]\nExecCondition={condition}\nExecStart=/usr/bin/a\n",
        f"{ETC}/multi-user.target.wants/a.service": "-> ../a.service",
    }))  # fmt: skip
    found = load(files).get("a.service")

    assert found is not None
    assert expected == found.starts
