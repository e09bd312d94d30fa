"""LimitNOFILE= as systemd 252 reads it: the last line that it understands, over the unit's drop-ins, and the manager's default."""

import pytest

from portwright.facts import OpenFiles
from portwright.system.host_files.captures import captured
from portwright.system.systemd.invocations import invocations
from portwright.system.systemd.units import load
from tests.daemons.by_hand import host_of

UNIT = "/etc/systemd/system/app.service"
DROP_IN = f"{UNIT}.d/limits.conf"
MANAGER = "/etc/systemd/system.conf"


def limit(files: dict[str, str], start: str = "/opt/app") -> OpenFiles | None:
    """The limit of app.service, which is started so."""
    service = files.pop(UNIT, "")
    tree = host_of({UNIT: f"[Service]\nExecStart={start}\n{service}", **files})
    units = load(tree)
    unit = units.get("app.service")
    assert unit is not None
    (found,) = invocations(unit, units, tree, captured(tree))
    return found.open_files


def ends(files: dict[str, str], start: str = "/opt/app") -> tuple[int, int] | None:
    found = limit(files, start)
    return None if found is None else (found.soft, found.hard)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", (1024, 524288)),
        ("LimitNOFILE=4096", (4096, 4096)),
        ("LimitNOFILE=4096:8192", (4096, 8192)),
        ("LimitNOFILE=infinity", (1 << 30, 1 << 30)),
        ("LimitNOFILE=4096:infinity", (4096, 1 << 30)),
        ("LimitNOFILE=4096\nLimitNOFILE=8192", (8192, 8192)),
        ("LimitNOFILE=4096\nLimitNOFILE=", (1024, 524288)),
        ("LimitNOFILE=4096\nLimitNOFILE=64K", (4096, 4096)),
        ("LimitNOFILE=8192:4096", (1024, 524288)),
        ("LimitNPROC=4096", (1024, 524288)),
    ],
)
def test_the_last_line_that_systemd_understands_decides(lines: str, expected: tuple[int, int]) -> None:
    assert expected == ends({UNIT: lines})


def test_a_drop_in_comes_after_the_unit() -> None:
    found = limit({UNIT: "LimitNOFILE=4096", DROP_IN: "[Service]\nLimitNOFILE=8192\n"})

    assert found is not None
    assert (8192, DROP_IN, 2, "LimitNOFILE=8192") == (found.soft, found.at and found.at.path, found.at and found.at.line, found.said)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({MANAGER: "[Manager]\nDefaultLimitNOFILE=2048:4096\n"}, (2048, 4096)),
        ({MANAGER: "[Manager]\n#DefaultLimitNOFILE=2048:4096\n"}, (1024, 524288)),
        ({MANAGER: "DefaultLimitNOFILE=2048\n"}, (1024, 524288)),
        ({MANAGER: "[Manager]\nDefaultLimitNOFILE=2048\n", f"{MANAGER}.d/a.conf": "[Manager]\nDefaultLimitNOFILE=3000\n"}, (3000, 3000)),
        (
            {
                f"{MANAGER}.d/a.conf": "[Manager]\nDefaultLimitNOFILE=3000\n",
                "/usr/lib/systemd/system.conf.d/b.conf": "[Manager]\nDefaultLimitNOFILE=5000\n",
            },
            (5000, 5000),
        ),
        (
            {
                f"{MANAGER}.d/a.conf": "[Manager]\n",
                "/usr/lib/systemd/system.conf.d/a.conf": "[Manager]\nDefaultLimitNOFILE=5000\n",
            },
            (1024, 524288),
        ),
        ({UNIT: "LimitNOFILE=100", MANAGER: "[Manager]\nDefaultLimitNOFILE=2048\n"}, (100, 100)),
    ],
)
def test_the_manager_has_a_default(files: dict[str, str], expected: tuple[int, int]) -> None:
    assert expected == ends(files)


@pytest.mark.parametrize(
    "start",
    [
        "/bin/sh -c 'ulimit -n 65536; exec /opt/app'",
        "/sbin/runuser -u svc -- /opt/app",
        "/bin/su svc -c /opt/app",
    ],
)
def test_a_shell_or_a_session_on_the_way_may_change_it(start: str) -> None:
    assert limit({"/etc/passwd": "svc:x:100:100::/:/bin/sh\n"}, start) is None


def test_a_wrapper_that_leaves_it_alone_does_not_matter() -> None:
    assert (1024, 524288) == ends({}, "/usr/bin/env -u HOME /opt/app")
