"""What a unit writes to /proc/sys when it starts makes the files' value less than certain, and no more."""

import pytest

from portwright.facts import Sysctl
from portwright.system.sysctl.commands import unsettle
from portwright.system.sysctl.settle import settle
from portwright.system.systemd.sysctl_writes import sysctl_writes
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

START = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"
ENABLED = "/etc/systemd/system/multi-user.target.wants/a.service"


def _settled(text: str, key: str = START, more: dict[str, str] | None = None, enabled: bool = True) -> Sysctl:
    files = {"/etc/systemd/system/a.service": f"[Service]\nType=oneshot\n{text}\n", **(more or {})}
    if enabled:
        files[ENABLED] = "-> ../a.service"
    read = Files(MemoryTree(files))
    return next(each for each in unsettle(settle(read), sysctl_writes(load(read), read)).sysctls if each.key == key)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"ExecStartPre=/usr/sbin/sysctl -w {START}=80\nExecStart=/bin/true", "80"),
        (f"ExecStart=/sbin/sysctl -q {START}=80", "80"),
        (f"ExecStart=sysctl '{START} = 80'", "80"),
        ("ExecStart=/sbin/sysctl -w net/ipv4/ip_unprivileged_port_start=80", "80"),
        (f"ExecStart=/bin/sh -c 'modprobe x; sysctl -w {START}=80 || true'", "80"),
        ("ExecStart=/bin/sh -c 'echo 80 > /proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'true && echo -n \"80\" >/proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'echo 80 | tee /proc/sys/net/ipv4/ip_unprivileged_port_start'", "80"),
        ("ExecStart=/bin/sh -c 'echo $$PORT > /proc/sys/net/ipv4/ip_unprivileged_port_start'", "\ufffd"),
        ("ExecStart=/opt/tune", "80"),
        ("ExecStart=/sbin/sysctl -p /etc/tune.conf", "80"),
        ("ExecStart=/bin/true\nExecStartPost=/sbin/sysctl -e -p /etc/tune.conf", "80"),
    ],
)  # fmt: skip
def test_a_command_that_writes_a_key_makes_its_value_only_possible(text: str, value: str) -> None:
    more = {"/opt/tune": f"#!/bin/sh\n/sbin/sysctl -w {START}=80\n", "/etc/tune.conf": f"{START} = 80\n"}

    found = _settled(text, more=more)

    assert ("1024", "possible", value) == (found.boot, found.confidence, found.overridden[-1].value)
    assert found.overridden[-1].reason.startswith("a.service writes it")


@pytest.mark.parametrize(
    "text",
    [
        f"ExecStart=/sbin/sysctl {START}",
        f"ExecStart=/sbin/sysctl -n {START}",
        f"ExecStart=/sbin/sysctl -w {START}=1024",
        "ExecStart=/bin/sh -c 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'",
        "ExecStart=/bin/sh -c 'echo 80 > /proc/sys/net/ipv4/tcp_fin_timeout'",
        f"ExecStart=/bin/echo sysctl -w {START}=80",
        f"ExecStart=/bin/true\nExecStop=/sbin/sysctl -w {START}=80",
        "ExecStart=/sbin/sysctl --system",
    ],
)
def test_a_command_that_only_reads_it_or_writes_the_same_changes_nothing(text: str) -> None:
    assert "certain" == _settled(text).confidence


def test_a_unit_that_a_boot_does_not_start_changes_nothing() -> None:
    assert "certain" == _settled(f"ExecStart=/sbin/sysctl -w {START}=80", enabled=False).confidence


def test_other_keys_stay_as_sure_as_they_were() -> None:
    assert "certain" == _settled(f"ExecStart=/sbin/sysctl -w {START}=80", key=RANGE).confidence


def test_sysctl_system_at_boot_makes_what_the_loaders_read_differently_only_possible() -> None:
    more = {"/etc/sysctl.d/99-sysctl.conf": f"{RANGE} = 20000 30000\n", "/etc/sysctl.conf": f"{RANGE} = 40000 50000\n"}

    found = _settled("ExecStart=/sbin/sysctl --system", RANGE, more)

    assert ("20000 30000", "possible", "40000 50000") == (found.boot, found.confidence, found.overridden[-1].value)


# ── what may be in force in the end ─────────────────────────────────────────────────────────────────────────────────


def later(units: dict[str, str], more: dict[str, str]) -> list[str]:
    """The values of the range that may be the last, of a host that boots these units."""
    files = dict(more)
    for name, text in units.items():
        files[f"/etc/systemd/system/{name}.service"] = text
        files[f"/etc/systemd/system/multi-user.target.wants/{name}.service"] = f"-> ../{name}.service"
    read = Files(MemoryTree(files))
    loaded = load(read)
    settled = unsettle(settle(read), sysctl_writes(loaded, read), loaded.before)
    return [f"{each.value} {each.at}" for sysctl in settled.sysctls if sysctl.key == RANGE for each in sysctl.later]


def _writer(value: str, unit: str = "") -> str:
    return f"[Unit]\n{unit}\n[Service]\nType=oneshot\nExecStart=/sbin/sysctl -w '{RANGE}={value}'\n"


A, B = "/etc/systemd/system/a.service", "/etc/systemd/system/b.service"


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"a": _writer("2000 3000")}, [f"2000 3000 {A}:5:11"]),
        ({"a": _writer("2000 3000"), "b": _writer("4000 5000")}, [f"2000 3000 {A}:5:11", f"4000 5000 {B}:5:11"]),
        ({"a": _writer("2000 3000", "After=b.service"), "b": _writer("4000 5000")}, [f"2000 3000 {A}:5:11"]),
        ({"a": _writer("2000 3000"), "b": _writer("4000 5000", "After=a.service")}, [f"4000 5000 {B}:5:11"]),
        ({"a": _writer("2000 3000", "DefaultDependencies=no")}, ["32768 60999 kernel.conf:7:1", f"2000 3000 {A}:5:11"]),
        ({"a": _writer("2000 3000", "DefaultDependencies=no\nAfter=systemd-sysctl.service")}, [f"2000 3000 {A}:6:11"]),
        ({"a": _writer("3000 2000")}, []),
    ],
)
def test_the_last_of_the_writers_decides_and_where_none_is_surely_last_each_may(units: dict[str, str], expected: list[str]) -> None:
    assert expected == later(units, {})


def test_a_write_under_a_condition_may_be_left_out() -> None:
    script = f"#!/bin/sh\nif [ -n \"$(cat /sys/x)\" ]; then\n  sysctl -w {RANGE}='2000 3000'\nfi\n"
    found = later({"a": "[Service]\nType=oneshot\nExecStart=/opt/tune\n"}, {"/opt/tune": script})

    assert ["32768 60999 kernel.conf:7:1", "2000 3000 /opt/tune:3:3"] == found


TUNED = {"/etc/tuned/active_profile": "web\n", "/usr/lib/tuned/profiles/web/tuned.conf": f"[main]\n[sysctl]\n{RANGE}=2000 3000\n"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["2000 3000 /usr/lib/tuned/profiles/web/tuned.conf:3:1"]),
        ({"/etc/tuned/web/tuned.conf": f"[sysctl]\n{RANGE}=4000 5000\n"}, ["4000 5000 /etc/tuned/web/tuned.conf:2:1"]),
        ({"/etc/sysctl.d/a.conf": f"{RANGE} = 6000 7000\n"}, []),
        (
            {"/etc/sysctl.d/a.conf": f"{RANGE} = 6000 7000\n", "/etc/tuned/tuned-main.conf": "reapply_sysctl = 0\n"},
            ["2000 3000 /usr/lib/tuned/profiles/web/tuned.conf:3:1"],
        ),
        ({"/usr/lib/tuned/profiles/web/tuned.conf": "[sysctl]\nenabled=0\nnet.core.somaxconn=1\n"}, []),
    ],
)
def test_tuned_writes_its_active_profile_and_puts_the_files_of_etc_back(more: dict[str, str], expected: list[str]) -> None:
    assert expected == later({"tuned": "[Service]\nExecStart=/usr/sbin/tuned -l -P\n"}, {**TUNED, **more})


def test_a_profile_that_is_not_there_is_said_to_be_unread() -> None:
    files = {
        "/usr/lib/systemd/system/tuned.service": "[Service]\nExecStart=/usr/sbin/tuned\n",
        "/etc/systemd/system/multi-user.target.wants/tuned.service": "-> /usr/lib/systemd/system/tuned.service",
        "/etc/tuned/active_profile": "virtual-guest\n",
    }
    read = Files(MemoryTree(files))

    assert [] == list(sysctl_writes(load(read), read))
    assert ["tuned's profile virtual-guest is not there, so which kernel settings it writes is not known"] == [
        each.reason for each in read.unreadable
    ]


@pytest.mark.parametrize(("enabled", "expected"), [("yes", ["2000 3000 /etc/ufw/sysctl.conf:1:1"]), ("no", [])])
def test_ufw_writes_its_own_file_where_it_is_enabled(enabled: str, expected: list[str]) -> None:
    more = {
        "/etc/ufw/ufw.conf": f"ENABLED={enabled}\n",
        "/etc/default/ufw": "IPT_SYSCTL=/etc/ufw/sysctl.conf\n",
        "/etc/ufw/sysctl.conf": "net/ipv4/ip_local_port_range=2000 3000\n",
    }

    assert expected == later({"ufw": "[Service]\nType=oneshot\nExecStart=/lib/ufw/ufw-init start quiet\n"}, more)


DISPATCHER = "/etc/NetworkManager/dispatcher.d"
HOOK = "#!/bin/sh\n[ \"$2\" = up ] || exit 0\nsysctl -w net.ipv4.ip_local_port_range='2000 3000'\n"
UP = "auto eth0\niface eth0 inet dhcp\n    post-up echo '2000 3000' > /proc/sys/net/ipv4/ip_local_port_range\n"


@pytest.mark.parametrize(
    ("service", "more", "expected"),
    [
        ("NetworkManager", {f"{DISPATCHER}/r": HOOK}, [f"2000 3000 {DISPATCHER}/r:3:1"]),
        ("NetworkManager", {"/etc/NetworkManager/dispatcher.d/50-range": HOOK.replace("up ]", "down ]")}, []),
        ("other", {"/etc/NetworkManager/dispatcher.d/50-range": HOOK}, []),
        ("networking", {"/etc/network/if-up.d/range": HOOK.replace("$2", "up")}, ["2000 3000 /etc/network/if-up.d/range:3:1"]),
        ("networking", {"/etc/network/if-up.d/range.sh": HOOK.replace("$2", "up")}, []),
        ("networking", {"/etc/network/interfaces": UP}, ["2000 3000 /etc/network/interfaces:3:13"]),
    ],
)
def test_hooks_of_the_network_write_when_an_interface_comes_up(service: str, more: dict[str, str], expected: list[str]) -> None:
    assert expected == later({service: "[Service]\nExecStart=/usr/sbin/x\n"}, more)


RULES = "/etc/udev/rules.d/99-net.rules"
INSTALL = "/etc/modprobe.d/conntrack.conf"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({RULES: f'SUBSYSTEM=="net", RUN+="/usr/sbin/sysctl -w \'{RANGE}=2000 3000\'"\n'}, [f"2000 3000 {RULES}:1:25"]),
        ({RULES: f'ACTION=="remove", RUN+="/usr/sbin/sysctl -w \'{RANGE}=2000 3000\'"\n'}, []),
        ({RULES: f'# SUBSYSTEM=="net", RUN+="/usr/sbin/sysctl -w \'{RANGE}=2000 3000\'"\n'}, []),
        (
            {RULES: 'KERNEL=="tap*", \\\n RUN{program}+="/bin/sh -c \'echo 2000 3000 > /proc/sys/net/ipv4/ip_local_port_range\'"\n'},
            [f"2000 3000 {RULES}:2:17"],
        ),
        ({RULES: 'KERNEL=="lo", SYSCTL{net/ipv4/ip_local_port_range}="2000 3000"\n'}, [f"2000 3000 {RULES}:1:53"]),
        ({RULES: 'ACTION=="add", RUN+="/usr/lib/systemd/systemd-sysctl --prefix=/net/netfilter"\n'}, []),
        (
            {RULES: 'ACTION=="add", RUN+="/opt/tune %k"\n', "/opt/tune": f"#!/bin/sh\nsysctl {RANGE}='2000 3000'\n"},
            ["2000 3000 /opt/tune:2:1"],
        ),
        ({RULES: 'ACTION=="add", RUN+="/sbin/sysctl -p /etc/r"\n', "/etc/r": f"{RANGE} = 2000 3000\n"}, ["2000 3000 /etc/r:1:1"]),
        ({RULES: f"RUN+=\"/usr/bin/env sysctl -w '{RANGE}=2000 3000'\"\n"}, [f"2000 3000 {RULES}:1:7"]),
        ({RULES: 'ACTION=="add", RUN+="tune", NAME="x\n'}, []),
        ({"/usr/lib/udev/rules.d/99-net.rules": f"RUN+=\"/usr/sbin/sysctl -w '{RANGE}=2000 3000'\"\n"}, []),
        (
            {INSTALL: f"install nf_conntrack /sbin/modprobe -i nf_conntrack $CMDLINE_OPTS && /sbin/sysctl -w {RANGE}='2000 3000'\n"},
            [f"2000 3000 {INSTALL}:1:1"],
        ),
        ({INSTALL: f"remove nf_conntrack /sbin/sysctl -w {RANGE}='2000 3000'\n"}, []),
    ],
)
def test_rules_of_udev_and_of_modprobe_write_when_a_device_or_a_module_appears(more: dict[str, str], expected: list[str]) -> None:
    assert expected == [each for each in later({}, more) if "kernel.conf" not in each]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("tune() {\n  sysctl -w $1=\"$2\"\n}\ntune net.ipv4.ip_local_port_range '2000 3000'\n", ["2000 3000 /opt/tune:3:3"]),
        ('case "$1" in\nstart) sysctl -w net.ipv4.ip_local_port_range="$RANGE" ;;\nesac\n', ["2000 3000 /opt/tune:3:8"]),
        ('case "$1" in\nstop) sysctl -w net.ipv4.ip_local_port_range="$RANGE" ;;\nesac\n', []),
        ('echo "$RANGE" | sudo tee /proc/sys/net/ipv4/ip_local_port_range\n', ["2000 3000 /opt/tune:2:17"]),
        ("exit 0\nsysctl -w net.ipv4.ip_local_port_range='2000 3000'\n", []),
    ],
)
def test_a_units_script_is_run_with_the_variables_of_the_unit(script: str, expected: list[str]) -> None:
    unit = "[Service]\nType=oneshot\nEnvironment='RANGE=2000 3000'\nExecStart=/opt/tune start\n"

    assert expected == later({"a": unit}, {"/opt/tune": f"#!/bin/sh\n{script}"})


JOB = f"sysctl -w {RANGE}='2000 3000'"
TUNE = "/etc/cron.d/tune"


@pytest.mark.parametrize(
    ("service", "more", "expected"),
    [
        ("cron", {TUNE: f"@reboot root {JOB}\n"}, [f"2000 3000 {TUNE}:1:14"]),
        ("cron", {TUNE: "@reboot root /sbin/sysctl -q -p /opt/t\n", "/opt/t": f"{RANGE} = 2000 3000\n"}, ["2000 3000 /opt/t:1:1"]),
        ("cron", {TUNE: "@reboot root sleep 9 && /opt/t\n", "/opt/t": f"#!/bin/sh\n{JOB}\n"}, ["2000 3000 /opt/t:2:1"]),
        ("cron", {TUNE: "@reboot root /bin/sh /opt/t\n", "/opt/t": f"#!/bin/sh\n{JOB}\n"}, ["2000 3000 /opt/t:2:1"]),
        ("cron", {"/var/spool/cron/crontabs/root": f"@reboot {JOB}\n"}, ["2000 3000 /var/spool/cron/crontabs/root:1:9"]),
        ("cron", {TUNE: f"@reboot www {JOB}\n"}, []),
        ("cron", {TUNE: f"0 4 * * * root {JOB}\n"}, []),
        ("cron", {f"{TUNE}.conf": f"@reboot root {JOB}\n"}, []),
        ("crond", {f"{TUNE}.conf": f"@reboot root {JOB}\n"}, [f"2000 3000 {TUNE}.conf:1:14"]),
        ("other", {TUNE: f"@reboot root {JOB}\n"}, []),
    ],
)
def test_roots_jobs_of_cron_at_reboot_write_after_the_files(service: str, more: dict[str, str], expected: list[str]) -> None:
    accounts = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/var/www:/bin/sh\n"}

    assert expected == later({service: f"[Service]\nExecStart=/usr/sbin/{service} -f\n"}, {**accounts, **more})


def _of_units(units: dict[str, str]) -> Sysctl:
    files = {f"/etc/systemd/system/{name}.service": text for name, text in units.items()}
    files |= {f"/etc/systemd/system/multi-user.target.wants/{name}.service": f"-> ../{name}.service" for name in units}
    files["/etc/sysctl.d/a.conf"] = f"{RANGE} = 6000 7000\n"
    read = Files(MemoryTree(files))
    loaded = load(read)
    settled = unsettle(settle(read), sysctl_writes(loaded, read), loaded.before)
    return next(each for each in settled.sysctls if each.key == RANGE)


def test_what_is_surely_written_last_is_the_value_after_boot_and_the_files_own_is_lost() -> None:
    found = _of_units({"a": _writer("2000 3000")}).after_boot()

    assert ("2000 3000", f"{A}:5:11", "likely", False) == (found.boot, str(found.at), found.confidence, found.is_default)
    assert [("6000 7000", "a.service writes another value after the files are read")] == [
        (each.value, each.reason) for each in found.overridden
    ]


@pytest.mark.parametrize(
    "units",
    [
        {"a": _writer("2000 3000"), "b": _writer("4000 5000")},
        {"a": _writer("2000 3000", "DefaultDependencies=no")},
        {"a": f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo $$(range) > /proc/sys/{RANGE.replace('.', '/')}'\n"},
    ],
)
def test_where_nobody_can_tell_what_is_written_last_it_is_what_the_files_leave(units: dict[str, str]) -> None:
    assert "6000 7000" == _of_units(units).after_boot().boot


SAPTUNE = {
    "/etc/sysconfig/saptune": 'TUNE_FOR_SOLUTIONS=""\nTUNE_FOR_NOTES="1"\nNOTE_APPLY_ORDER="1 2"\n',
    "/var/lib/saptune/working/notes/1": f"[version]\nVERSION=1\n\n[sysctl]\n{RANGE} = 2000 3000\n",
    "/usr/share/saptune/notes/2": "[sysctl]\nnet.core.somaxconn = 9\n",
}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["2000 3000 /var/lib/saptune/working/notes/1:5:1"]),
        ({"/etc/saptune/override/1": f"[sysctl]\n{RANGE} = 4000 5000\n"}, ["4000 5000 /etc/saptune/override/1:2:1"]),
        ({"/etc/saptune/override/1": f"[sysctl]\n{RANGE} =\n"}, []),
        ({"/usr/share/saptune/notes/2": f"[sysctl]\n{RANGE} = 6000 7000\n"}, ["6000 7000 /usr/share/saptune/notes/2:2:1"]),
        ({"/etc/saptune/extra/1.conf": "[sysctl]\nnet.core.somaxconn = 9\n"}, []),
        ({"/etc/sysconfig/saptune": "NOTE_APPLY_ORDER=\n"}, []),
    ],
)
def test_saptune_writes_the_notes_that_are_applied_and_what_overrides_say(more: dict[str, str], expected: list[str]) -> None:
    assert expected == later({"saptune": "[Service]\nType=oneshot\nExecStart=/usr/sbin/saptune service apply\n"}, {**SAPTUNE, **more})
