"""systemd passes over what is misspelt or misplaced; what was meant to decide about ports or power is worth a sentence."""

import pytest

from portwright.system.releases.unit_settings import GONE, SECTIONS
from portwright.system.systemd.ignored_settings import ignored, meant_by
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

_TOO_NEW = "is unknown to this systemd: it came with systemd"


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


_NOT_EMPTY = ("Environment", "Type")  # an empty one is told of


def test_no_setting_that_systemd_knows_is_taken_for_another() -> None:
    text = "".join(f"[{section}]\n{name}=\n" for name, sections in SECTIONS.items() for section in sections if name not in _NOT_EMPTY)

    assert [] == _reasons(text)
    assert [] == [name for name in SECTIONS if meant_by(name) not in (None, name) and name in ("ExecStop", "ExecReload", "Requisite")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ExecPreStart=/bin/true", "systemd ignores ExecPreStart=; did you mean ExecStartPre= in [Service]?"),
        ("StartLimitIntervalSec=5", "systemd reads StartLimitIntervalSec= in [Unit] only, not in [Service]"),
        ("StartLimitBurst=5", None),
        ("RestartsSec=5", "systemd ignores RestartsSec=; did you mean RestartSec= in [Service]?"),
        ("Capabilities=cap_net_bind_service+ep", GONE["Capabilities"]),
        ("Description=x", "systemd reads Description= in [Unit] only, not in [Service]"),
        (
            'Environment="AmbientCapabilities=CAP_NET_BIND_SERVICE"',
            "Environment= makes a variable of AmbientCapabilities=, which is a setting of [Service] and belongs on a line of its own",
        ),
        ("Environment=User=me", None),
    ],
)
def test_a_setting_of_any_kind_is_told_with_what_was_meant(line: str, reason: str | None) -> None:
    assert ([] if reason is None else [reason]) == _reasons(f"[Service]\nExecStart=/bin/true\n{line}\n")


@pytest.mark.parametrize(
    ("system", "line", "reason"),
    [
        ("ID=ubuntu\nVERSION_ID=20.04", "SocketBindDeny=any", f"SocketBindDeny= {_TOO_NEW} 249, and this host has 245"),
        ("ID=ubuntu\nVERSION_ID=22.04", "RestartSteps=3", f"RestartSteps= {_TOO_NEW} 254, and this host has 249"),
        ("ID=debian\nVERSION_ID=13", "RestartSteps=3", None),
        ("ID=centos\nVERSION_ID=7", "AmbientCapabilities=CAP_NET_BIND_SERVICE", None),
        ("ID=debian\nVERSION_ID=8", "AmbientCapabilities=CAP_NET_BIND_SERVICE", None),
    ],
)
def test_a_setting_that_is_newer_than_the_systemd_is_told(system: str, line: str, reason: str | None) -> None:
    files = {"/etc/os-release": system, "/etc/systemd/system/a.service": f"[Service]\nExecStart=/bin/true\n{line}\n"}
    unit = load(Files(MemoryTree(files))).get("a.service")
    assert unit is not None

    assert ([] if reason is None else [reason]) == [each.reason for each in ignored(unit)]
