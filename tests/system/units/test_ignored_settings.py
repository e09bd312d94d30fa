"""systemd passes over what is misspelt or misplaced; what was meant to decide about ports or power is worth a sentence."""

import pytest

from portwright.system.systemd.ignored_settings import OTHERS, ignored, meant_by
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree


def _reasons(text: str, name: str = "a.service") -> list[str]:
    unit = load(Files(MemoryTree({f"/etc/systemd/system/{name}": text}))).get(name)
    assert unit is not None
    return [each.reason for each in ignored(unit)]


@pytest.mark.parametrize(
    ("section", "line", "reason"),
    [
        ("Service", "user=svc", "systemd ignores user=; did you mean User= in [Service]?"),
        ("Unit", "User=svc", "systemd reads User= in [Service] only, not in [Unit]"),
        ("Install", "User=svc", "systemd reads User= in [Service] only, not in [Install]"),
        ("service", "DynamicUser=yes", "systemd reads DynamicUser= in [Service] only, not in [service]"),
        ("Service", "AmbientCapability=CAP_CHOWN", "systemd ignores AmbientCapability=; did you mean AmbientCapabilities= in [Service]?"),
        ("Service", "AmbientCapabilites=CAP_CHOWN", "systemd ignores AmbientCapabilites=; did you mean AmbientCapabilities= in [Service]?"),
        ("Service", "CapabilityBoundSet=", "systemd ignores CapabilityBoundSet=; did you mean CapabilityBoundingSet= in [Service]?"),
        ("Service", "Enviroment=PORT=80", "systemd ignores Enviroment=; did you mean Environment= in [Service]?"),
        ("Service", "EnvironmentFiles=/etc/x", "systemd ignores EnvironmentFiles=; did you mean EnvironmentFile= in [Service]?"),
        ("Service", "Exec_Start=/bin/x", "systemd ignores Exec_Start=; did you mean ExecStart= in [Service]?"),
        ("Service", "ListenStream=80", "systemd reads ListenStream= in [Socket] only, not in [Service]"),
        ("Service", "WantedBy=multi-user.target", "systemd reads WantedBy= in [Install] only, not in [Service]"),
        ("Service", "After=network.target", "systemd reads After= in [Unit] only, not in [Service]"),
    ],
)  # fmt: skip
def test_a_line_that_systemd_does_not_read_is_told_with_what_was_meant(section: str, line: str, reason: str) -> None:
    found = _reasons(f"[{section}]\n{line}\n[Service]\nExecStart=/bin/true\n")

    assert [reason] == found


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nUser=svc\nExecStart=/bin/true\nExecStartPre=/bin/true\nExecStartPost=/bin/true\nExecStop=/bin/true\n",
        "[Unit]\nBindTo=b.service\nAssertEnvironment=A\nAfter=b.service\n[Service]\nExecStart=/bin/true\n",
        "[Service]\nX-User=svc\nExecStart=/bin/true\n[X-Mine]\nUser=me\n",
        "[Service]\nExecStart=/bin/true\nUMask=0077\nLimitNOFILE=10\nRestrict=nothing\n",
    ],
)
def test_what_systemd_knows_or_what_is_meant_for_nobody_is_left_alone(text: str) -> None:
    assert [] == _reasons(text)


def test_every_section_that_runs_commands_takes_a_user() -> None:
    assert [] == _reasons("[Socket]\nListenStream=80\nUser=svc\nExecStartPre=/bin/true\n", "a.socket")


def test_a_drop_in_is_held_to_it_as_well() -> None:
    files = {
        "/etc/systemd/system/a.service": "[Service]\nExecStart=/bin/true\n",
        "/etc/systemd/system/a.service.d/u.conf": "[Unit]\nGroup=svc\n",
    }
    unit = load(Files(MemoryTree(files))).get("a.service")
    assert unit is not None

    assert ["/etc/systemd/system/a.service.d/u.conf:2:1"] == [str(each.setting.key_at) for each in ignored(unit)]


def test_none_of_the_settings_that_are_passed_over_looks_like_one_that_decides() -> None:
    assert [] == [name for name in sorted(OTHERS) if meant_by(name) is not None]
