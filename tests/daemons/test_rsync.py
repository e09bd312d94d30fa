"""What rsync --daemon binds. Every row was tried with rsync in a network namespace."""

import pytest

from portwright._start.records import replace
from portwright.daemons.rsync import reader as rsync
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/rsyncd.conf"
HOSTS = "127.0.0.1 localhost\n"


def both(port: int) -> list[str]:
    return [f"tcp 0.0.0.0 {port}", f"tcp :: {port} v6only"]


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("", "", both(873)),
        ("port = 874", "", both(874)),
        ("port=874\naddress = 10.9.9.9", "", ["tcp 10.9.9.9 874"]),
        ("address=localhost", "", ["tcp 127.0.0.1 873"]),
        ("address=::1\nPORT = 875", "", ["tcp ::1 875"]),
        ("address=::", "", ["tcp :: 873 v6only"]),
        ("[m]\npath=/tmp\nport=876", "", both(873)),
        ("[global]\nport = 886", "", both(873)),
        ("port=876\n[m]\npath=/tmp", " --port=877", both(877)),
        ("port=876\naddress=10.9.9.9", " --address=::1", ["tcp ::1 876"]),
        ("", " -4", ["tcp 0.0.0.0 873"]),
        ("", " -6", ["tcp :: 873 v6only"]),
        ("", " --ipv4", ["tcp 0.0.0.0 873"]),
        ("", " -vv --port 888", both(888)),
        ("", " --dparam=port=889", both(889)),
        ("", " -Mport=890", both(890)),
        ("port = rsync", "", both(873)),
        ("port = 0", "", both(873)),
        ("port = 70000", "", both(4464)),
        ("p ort = 878 # x", "", both(878)),
        ("port = \\\n879", "", both(879)),
        ("; port = 1\n# x\nport = 880\nport = 881", "", both(881)),
        ("&include /etc/more.conf", "", both(884)),
        ("&include /etc/folder\nport=885", "", both(885)),
    ],
)
def test_rsync_binds(config: str, options: str, expected: list[str]) -> None:
    files = host_of({CONFIG: config, "/etc/hosts": HOSTS, "/etc/more.conf": "port = 884\n", "/etc/folder/a.inc": "[x]\npath=/\n"})

    assert expected == brief(rsync.read(invocation(f"/usr/bin/rsync --daemon --no-detach{options}"), files, {}))
    assert () == files.unreadable


def test_a_client_binds_nothing() -> None:
    assert () == rsync.read(invocation("rsync -a --port=8730 rsync://example.org/x /srv/x"), host_of({}), {})


def test_a_daemon_without_its_file_binds_nothing() -> None:
    files = host_of({})

    assert () == rsync.read(invocation("rsync --daemon --config=/etc/gone.conf"), files, {})
    assert ["rsync does not start: /etc/gone.conf is not there"] == [trouble.reason for trouble in files.unreadable]


def test_a_unit_that_waits_for_the_file_is_no_trouble() -> None:
    files = host_of({})

    assert () == rsync.read(replace(invocation("rsync --daemon --no-detach"), starts="never"), files, {})
    assert () == files.unreadable


def test_an_ignored_line_is_told() -> None:
    files = host_of({CONFIG: "port 883\n"})

    assert both(873) == brief(rsync.read(invocation("rsync --daemon"), files, {}))
    assert ["rsync ignores this line: no `=` in it"] == [trouble.reason for trouble in files.unreadable]


def test_files_that_include_each_other_end() -> None:
    files = host_of({CONFIG: f"&include /a\nport=1\n&merge {CONFIG}\n", "/a": f"&include {CONFIG}\nport=2\n"})

    assert both(1) == brief(rsync.read(invocation("rsync --daemon"), files, {}))
