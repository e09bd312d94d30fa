"""Init scripts start their daemons in many ways: with start-stop-daemon or a library's function, in a branch or for its message."""

import pytest

from portwright.system.host_files.captures import captured
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

HEAD = "#!/bin/sh\nDAEMON=/usr/sbin/webd\n[ -r /etc/default/web ] && . /etc/default/web\n. /lib/lsb/init-functions\n"


def started(body: str, default: str = "") -> list[tuple[list[str], str, str]]:
    """(argv, user, confidence) of what `/etc/init.d/web start` starts."""
    files = Files(MemoryTree({
        "/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:1000:1000::/home/svc:/bin/sh\n",
        "/etc/init.d/web": f"{HEAD}{body}\n",
        "/etc/default/web": default,
        "/run/systemd/generator.late/web.service": "[Service]\nType=forking\nExecStart=/etc/init.d/web start\n",
    }))  # fmt: skip
    units = load(files)
    unit = units.get("web.service")
    assert unit is not None
    found = invocations(unit, units, files, captured(files))
    return [([word.text for word in each.argv], each.privileges.user, each.confidence) for each in found if not each.passing]


CASE = 'case "$1" in\nstart)\n  %s\n  ;;\nstop)\n  start-stop-daemon --stop --exec $DAEMON\n  ;;\nesac'
WEBD = ["/usr/sbin/webd", "-p", "80"]


@pytest.mark.parametrize(
    "line",
    [
        "start-stop-daemon --start --exec $DAEMON -- -p 80",
        "start-stop-daemon -S -x $DAEMON -- -p 80 || return 2",
        'start-stop-daemon --start --quiet --pidfile /run/x --startas "$DAEMON" -- -p 80 > /dev/null 2>&1',
        "start_daemon -p /run/web.pid $DAEMON -p 80",
        "daemon --pidfile=/run/web.pid $DAEMON -p 80",
        'reason="$(start-stop-daemon --start --exec $DAEMON -- -p 80 2>&1)"',
        "reason=`start-stop-daemon --start --oknodo \\\n    --exec $DAEMON -- -p 80 2>&1`",
    ],
)
def test_the_daemon_is_what_the_script_hands_over_to(line: str) -> None:
    assert [(WEBD, "root", "likely")] == started(CASE % line)


def test_the_daemon_starts_as_the_user_that_start_stop_daemon_changes_to() -> None:
    assert [(WEBD, "svc", "likely")] == started(CASE % "start-stop-daemon --start --chuid svc:svc --exec $DAEMON -- -p 80")


def test_what_the_defaults_file_says_is_put_in() -> None:
    found = started(CASE % "start-stop-daemon --start --exec $DAEMON -- $WEBD_OPTS", "WEBD_OPTS='-p 80'\n")

    assert [(WEBD, "root", "likely")] == found


def test_where_nobody_knows_whether_it_is_started_it_is_only_possible() -> None:
    ((argv, _, confidence),) = started(CASE % "if pgrep other; then reason=$(start-stop-daemon --start --exec $DAEMON -- -p 80); fi")

    assert (WEBD, "possible") == (argv, confidence)


@pytest.mark.parametrize(
    "line", ["log_daemon_msg starting", "do_something_unheard_of", "start-stop-daemon --stop --exec $DAEMON", "daemon"]
)
def test_a_script_that_does_not_tell_is_itself_and_no_daemon(line: str) -> None:
    assert WEBD not in [argv for argv, _, _ in started(CASE % line)]
