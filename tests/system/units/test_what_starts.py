"""bootup(7), systemd.unit(5): what starts at boot, on demand, by hand or never, and why; and what starts before what."""

import pytest

from portwright.facts import Unit
from portwright.system.systemd.units import Units, load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ETC, LIB = "/etc/systemd/system", "/usr/lib/systemd/system"
SERVICE = "[Service]\nExecStart=/bin/a\n"
WANTED = f"{ETC}/multi-user.target.wants"
AT = f"{LIB}/a.service"

# The targets of a host, as systemd ships them.
BASE = {
    "/etc/os-release": "ID=debian\n",
    f"{LIB}/default.target": "-> graphical.target",
    f"{LIB}/graphical.target": "[Unit]\nRequires=multi-user.target\nAfter=multi-user.target\n",
    f"{LIB}/multi-user.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\n",
    f"{LIB}/basic.target": "[Unit]\nRequires=sysinit.target\nWants=sockets.target timers.target paths.target\n"
    "After=sysinit.target sockets.target\n",
    f"{LIB}/sysinit.target": "[Unit]\n",
    f"{LIB}/sockets.target": "[Unit]\n",
    f"{LIB}/timers.target": "[Unit]\n",
    f"{LIB}/paths.target": "[Unit]\n",
}


def host(files: dict[str, str]) -> Units:
    return load(Files(MemoryTree({**BASE, **files})))


def unit(name: str, files: dict[str, str]) -> Unit:
    found = host(files).get(name)
    assert found is not None
    return found


def starts(name: str, files: dict[str, str]) -> tuple[str | None, str]:
    found = unit(name, files)
    return found.starts, found.why


# ── at boot ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_service_that_a_target_of_the_boot_wants_by_a_link_starts_at_boot() -> None:
    found = unit("a.service", {f"{LIB}/a.service": SERVICE, f"{WANTED}/a.service": f"-> {LIB}/a.service"})

    assert ("boot", f"multi-user.target wants it: {WANTED}/a.service") == (found.starts, found.why)
    assert ("multi-user.target",) == found.started_by


@pytest.mark.parametrize(
    ("directory", "verb"),
    [
        (f"{LIB}/multi-user.target.wants", "wants"),
        ("/run/systemd/generator/multi-user.target.wants", "wants"),
        (f"{ETC}/multi-user.target.requires", "requires"),
        (f"{ETC}/multi-user.target.upholds", "upholds"),
        (f"{ETC}/basic.target.wants", "wants"),
        (f"{ETC}/default.target.wants", "wants"),
    ],
)
def test_every_dependency_directory_of_a_target_of_the_boot_counts(directory: str, verb: str) -> None:
    found = unit("a.service", {f"{LIB}/a.service": SERVICE, f"{directory}/a.service": f"-> {LIB}/a.service"})

    assert "boot" == found.starts
    assert found.why.endswith(f"{verb} it: {directory}/a.service")


@pytest.mark.parametrize("key", ["Wants", "Requires", "BindsTo", "Upholds"])
def test_what_a_started_unit_wants_starts_too(key: str) -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\n{key}=x.service b.service\n{key}=\n{SERVICE}",
        f"{LIB}/x.service": SERVICE,
        f"{LIB}/b.service": SERVICE,
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
    }

    assert "boot" == starts("b.service", files)[0]


@pytest.mark.parametrize("key", ["After", "Before", "Requisite", "PartOf", "Conflicts", "OnFailure"])
def test_other_relations_start_nothing(key: str) -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\n{key}=b.service\n{SERVICE}",
        f"{LIB}/b.service": SERVICE,
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
    }

    assert "manual" == starts("b.service", files)[0]


def test_the_link_default_target_decides_what_a_host_boots_into() -> None:
    files = {
        f"{ETC}/default.target": f"-> {LIB}/other.target",
        f"{LIB}/other.target": "[Unit]\nWants=b.service\n",
        f"{LIB}/b.service": SERVICE,
        f"{LIB}/a.service": SERVICE,
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
    }

    assert "boot" == starts("b.service", files)[0]
    assert "manual" == starts("a.service", files)[0]


def test_without_default_target_a_host_boots_into_graphical_target() -> None:
    files = {f"{LIB}/a.service": SERVICE, f"{WANTED}/a.service": f"-> {LIB}/a.service"}
    base = {path: text for path, text in BASE.items() if not path.endswith("default.target")}

    found = load(Files(MemoryTree({**base, **files}))).get("a.service")

    assert found is not None
    assert "boot" == found.starts


def test_a_tree_of_etc_alone_has_the_targets_every_host_has() -> None:
    files = {f"{ETC}/a.service": SERVICE, f"{WANTED}/a.service": f"-> {ETC}/a.service", f"{ETC}/s.socket": "[Socket]\nListenStream=1\n"}
    files[f"{ETC}/sockets.target.wants/s.socket"] = f"-> {ETC}/s.socket"
    units = load(Files(MemoryTree(files)))

    assert [("a.service", "boot"), ("s.socket", "boot")] == [(each.name, each.starts) for each in units.each]


def test_an_instance_starts_by_the_link_that_names_it_and_the_template_does_not() -> None:
    files = {f"{LIB}/x@.service": SERVICE, f"{WANTED}/x@8080.service": f"-> {LIB}/x@.service"}

    assert "boot" == starts("x@8080.service", files)[0]
    assert ("manual", "it is a template: only its instances start") == starts("x@.service", files)


def test_a_template_that_an_instance_wants_gets_the_same_instance() -> None:
    files = {
        f"{LIB}/x@.service": f"[Unit]\nWants=y@%i.service\n{SERVICE}",
        f"{LIB}/y@.service": SERVICE,
        f"{LIB}/z@.service": SERVICE,
        f"{ETC}/x@.service.wants/z@.service": f"-> {LIB}/z@.service",
        f"{WANTED}/x@8080.service": f"-> {LIB}/x@.service",
    }

    assert "boot" == starts("y@8080.service", files)[0]
    assert "boot" == starts("z@8080.service", files)[0]


@pytest.mark.parametrize("kind", ["file", "mask"])
def test_an_entry_that_is_no_link_or_a_mask_pulls_in_nothing(kind: str) -> None:
    entry = SERVICE if kind == "file" else "-> /dev/null"

    assert "manual" == starts("a.service", {f"{LIB}/a.service": SERVICE, f"{WANTED}/a.service": entry})[0]


def test_a_copy_that_followed_the_links_starts_what_they_enabled() -> None:
    """`scp -r` leaves the unit's file where its link was."""
    target = "[Unit]\nRequires=basic.target\n"
    copied = {f"{LIB}/default.target": target, f"{LIB}/multi-user.target": target}
    found = load(Files(MemoryTree({**copied, f"{LIB}/a.service": SERVICE, f"{WANTED}/a.service": SERVICE}))).get("a.service")

    assert found is not None
    assert "boot" == found.starts


def test_a_link_to_dev_null_in_etc_takes_back_what_the_vendor_wants() -> None:
    files = {f"{LIB}/a.service": SERVICE, f"{LIB}/multi-user.target.wants/a.service": "-> ../a.service"}
    files[f"{WANTED}/a.service"] = "-> /dev/null"

    assert "manual" == starts("a.service", files)[0]


def test_the_sockets_a_service_names_start_with_it() -> None:
    files = {
        f"{LIB}/a.service": f"{SERVICE}Sockets=s.socket\n",
        f"{LIB}/s.socket": "[Socket]\nListenStream=1\nService=a.service\n",
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
    }

    assert "boot" == starts("s.socket", files)[0]


# ── on demand, by hand ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("trigger", "text", "service"),
    [
        ("a.socket", "[Socket]\nListenStream=1\n", "a.service"),
        ("s.socket", "[Socket]\nListenStream=1\nService=a.service\n", "a.service"),
        ("a.socket", "[Socket]\nListenStream=1\nAccept=yes\n", "a@.service"),
        ("a.timer", "[Timer]\nOnCalendar=daily\n", "a.service"),
        ("a.timer", "[Timer]\nOnUnitActiveSec=1h\n", "a.service"),
        ("a.timer", "[Timer]\nOnBootSec=1\nOnBootSec=\n", "a.service"),
        ("t.timer", "[Timer]\nUnit=a.service\n", "a.service"),
        ("a.path", "[Path]\nPathExists=/x\n", "a.service"),
        ("a.path", "[Path]\nPathExists=/run/a.service\n", "a.service"),
        ("a.path", f"[Path]\nPathChanged={LIB}/a.service\n", "a.service"),
    ],
)
def test_what_a_started_socket_timer_or_path_triggers_starts_on_demand(trigger: str, text: str, service: str) -> None:
    files = {f"{LIB}/{service}": SERVICE, f"{LIB}/{trigger}": text, f"{WANTED}/{trigger}": f"-> {LIB}/{trigger}"}

    assert ("demand", f"{trigger} starts it when it is needed") == starts(service, files)
    assert "boot" == starts(trigger, files)[0]


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        ("a.timer", "[Timer]\nOnCalendar=daily\nOnBootSec=1\n"),
        ("a.timer", "[Timer]\nOnStartupSec=5min\n"),
        ("a.timer", "[Timer]\nOnActiveSec=1\n"),
        ("a.path", f"[Path]\nPathExists={LIB}/a.service\n"),
    ],
)
def test_what_a_timer_counts_from_boot_or_a_path_unit_finds_there_starts_at_boot(trigger: str, text: str) -> None:
    files = {f"{LIB}/a.service": SERVICE, f"{LIB}/{trigger}": text, f"{WANTED}/{trigger}": f"-> {LIB}/{trigger}"}
    line = 3 if "OnCalendar" in text else 2
    column = text.splitlines()[line - 1].index("=") + 2

    assert ("boot", f"{trigger} starts it after a boot: {LIB}/{trigger}:{line}:{column}") == starts("a.service", files)


def test_a_timer_whose_condition_is_not_met_starts_nothing() -> None:
    text = "[Unit]\nConditionPathExists=/etc/gone\n[Timer]\nOnBootSec=1\n"
    files = {f"{LIB}/a.service": SERVICE, f"{LIB}/a.timer": text, f"{WANTED}/a.timer": f"-> {LIB}/a.timer"}

    assert "manual" == starts("a.service", files)[0]


def test_a_service_that_is_enabled_too_starts_at_boot_beside_its_socket() -> None:
    files = {f"{LIB}/a.service": SERVICE, f"{LIB}/a.socket": "[Socket]\nListenStream=1\n"}
    files |= {f"{WANTED}/{name}": f"-> {LIB}/{name}" for name in ("a.service", "a.socket")}

    assert "boot" == starts("a.service", files)[0]


def test_what_a_service_on_demand_needs_is_started_on_demand() -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\nRequires=b.service\n{SERVICE}",
        f"{LIB}/b.service": SERVICE,
        f"{LIB}/a.socket": "[Socket]\nListenStream=1\n",
        f"{WANTED}/a.socket": f"-> {LIB}/a.socket",
    }

    assert ("demand", f"a.service requires it: {LIB}/a.service:2:10") == starts("b.service", files)


def test_the_service_of_a_socket_that_is_not_enabled_starts_by_hand() -> None:
    files = {f"{LIB}/a.service": SERVICE, f"{LIB}/a.socket": "[Socket]\nListenStream=1\n"}

    assert ("manual", "no unit started at boot pulls it in") == starts("a.service", files)


def test_a_unit_that_could_be_enabled_and_is_not_starts_by_hand() -> None:
    files = {f"{LIB}/a.service": f"{SERVICE}[Install]\nWantedBy=multi-user.target\n"}

    assert ("manual", "it is not enabled") == starts("a.service", files)


def test_d_bus_starts_what_its_service_files_name() -> None:
    path = "/usr/share/dbus-1/system-services/org.a.service"
    files = {f"{LIB}/a.service": SERVICE, path: "[D-BUS Service]\nName=org.a\nSystemdService=a.service\n"}

    assert ("demand", f"D-Bus starts it when it is needed: {path}:3:16") == starts("a.service", files)


# ── never ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[Service]\nUser=a\n", "a.service has neither ExecStart= nor ExecStop="),
        ("[Service]\nType=simple\n", "a.service has no ExecStart="),
        ("[Service]\nExecStart=/a\nExecStart=/b\n", f"a.service has more than one ExecStart= and is not Type=oneshot ({AT}:3:11)"),
        (f"[Unit]\nRequires=m.service\n{SERVICE}", f"it requires a unit that cannot start: m.service is masked by {ETC}/m.service"),
        (f"[Unit]\nRequires=gone.service\n{SERVICE}", "it requires a unit that cannot start: no unit file for gone.service exists"),
        (f"[Unit]\nRequires=n.service\n{SERVICE}", f"it requires a unit that cannot start: m.service is masked by {ETC}/m.service"),
        (f"[Unit]\nAssertPathExists=!/etc/os-release\n{SERVICE}", f"AssertPathExists=!/etc/os-release does not hold ({AT}:2:18)"),
    ],
)
def test_a_unit_systemd_refuses_never_starts(text: str, why: str) -> None:
    files = {
        f"{LIB}/a.service": text,
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
        f"{ETC}/m.service": "-> /dev/null",
        f"{LIB}/n.service": f"[Unit]\nRequires=m.service\n{SERVICE}",
    }

    assert ("never", why) == starts("a.service", files)


@pytest.mark.parametrize(
    "text",
    [
        "[Service]\nType=oneshot\nExecStart=/a\nExecStart=/b\n",
        "[Service]\nExecStop=/a\n",
        "[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n",
        f"[Unit]\nWants=m.service gone.service\n{SERVICE}",
        f"[Unit]\nRequires=dev-sda.device a.mount\n{SERVICE}",
        f"[Unit]\nRequires=old.service\n{SERVICE}",
        f"[Unit]\nRequires=b.service\n{SERVICE}",
    ],
)
def test_a_unit_systemd_takes_starts(text: str) -> None:
    files = {
        f"{LIB}/a.service": text,
        f"{LIB}/b.service": f"[Unit]\nRequires=a.service\n{SERVICE}",
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
        f"{ETC}/m.service": "-> /dev/null",
        "/etc/init.d/old": "#!/bin/sh\n",
    }

    assert "boot" == starts("a.service", files)[0]


def test_what_only_a_masked_unit_wants_does_not_start() -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\nRequires=m.service\nWants=b.service\n{SERVICE}",
        f"{LIB}/b.service": SERVICE,
        f"{ETC}/m.service": "-> /dev/null",
        f"{WANTED}/a.service": f"-> {LIB}/a.service",
    }

    assert "manual" == starts("b.service", files)[0]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({}, "no unit file for a.service exists"),
        ({f"{ETC}/a.service": "-> /dev/null"}, f"a.service is masked by {ETC}/a.service"),
        ({f"{LIB}/a.service": "[Service]\nUser=a\n"}, "a.service has neither ExecStart= nor ExecStop="),
    ],
)
def test_a_socket_whose_service_cannot_be_loaded_never_starts(service: dict[str, str], why: str) -> None:
    wanted = f"{ETC}/sockets.target.wants/a.socket"
    files = {f"{LIB}/a.socket": "[Socket]\nListenStream=80\n", wanted: f"-> {LIB}/a.socket", **service}

    assert ("never", f"the service that gets its socket does not exist: {why}") == starts("a.socket", files)


def test_a_socket_that_accepts_listens_whether_its_template_is_there_or_not() -> None:
    wanted = f"{ETC}/sockets.target.wants/a.socket"
    files = {f"{LIB}/a.socket": "[Socket]\nListenStream=80\nAccept=yes\n", wanted: f"-> {LIB}/a.socket"}

    assert ("boot", f"sockets.target wants it: {wanted}") == starts("a.socket", files)


def test_a_socket_without_an_address_never_starts() -> None:
    assert ("never", "a.socket has no Listen setting") == starts("a.socket", {f"{LIB}/a.socket": "[Socket]\nAccept=no\n"})


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────

TREE = {
    "/etc/there": "x\n",
    "/etc/empty": "",
    "/etc/dir/file": "x\n",
    "/etc/link": "-> there",
    "/opt/here": "x\n",
    "/var/lib/state": "x\n",
    "/usr/lib/x86_64-linux-gnu/libc.so.6": "ELF",
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "/.portwright/kernel": "6.1.0-18-amd64\n",
    "/.portwright/cmdline": "root=/dev/sda1 quiet\n",
}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (["PathExists=/etc/there"], "boot"),
        (["PathExists=/etc/gone"], "never"),
        (["PathExists=!/etc/there"], "never"),
        (["PathExists=! /etc/gone"], "boot"),
        (["PathExists=/opt/gone"], "boot"),
        (["PathExists=!/opt/here"], "never"),
        (["PathExists=/run/gone"], "boot"),
        (["PathExists=/var/lib/gone"], "boot"),
        (["PathExists=!/var/lib/state"], "never"),
        (["PathIsDirectory=/etc/dir"], "boot"),
        (["PathIsDirectory=/etc/there"], "never"),
        (["PathIsSymbolicLink=/etc/link"], "boot"),
        (["PathIsSymbolicLink=/etc/there"], "never"),
        (["FileNotEmpty=/etc/there"], "boot"),
        (["FileNotEmpty=/etc/empty"], "never"),
        (["FileNotEmpty=/etc/dir"], "never"),
        (["DirectoryNotEmpty=/etc/dir"], "boot"),
        (["DirectoryNotEmpty=/etc/gone"], "never"),
        (["PathExistsGlob=/etc/th*"], "boot"),
        (["PathExistsGlob=/etc/*.gone"], "never"),
        (["FileIsExecutable=/etc/gone"], "never"),
        (["FileIsExecutable=/etc/dir"], "never"),
        (["FileIsExecutable=/etc/there"], "boot"),
        (["User=root", "User=!nobody"], "boot"),
        (["User=nobody"], "never"),
        (["Host=other"], "boot"),
        (["Virtualization=!container", "Capability=CAP_NET_ADMIN"], "boot"),
        (["Virtualization=vmwaree"], "never"),
        (["Virtualization=!vmwaree"], "boot"),
        (["Security=apparmour"], "never"),
        (["Security=selinux"], "never"),
        (["Security=!selinux"], "boot"),
        (["Security=apparmor"], "boot"),
        (["Architecture=x86_64"], "never"),
        (["Architecture=native"], "boot"),
        (["Architecture=x86-64"], "boot"),
        (["Architecture=arm64"], "never"),
        (["Capability=net_admin"], "never"),
        (["Capability=!CAP_BOGUS"], "never"),
        (["KernelVersion=6.*"], "boot"),
        (["KernelVersion=5.*"], "never"),
        (["KernelVersion=>=5.0"], "boot"),
        (["KernelVersion=>= 5.0"], "boot"),
        (["KernelVersion=>=5.0 <6.0"], "never"),
        (['KernelVersion=">=5.0" "<7"'], "boot"),
        (["KernelVersion=6"], "never"),
        (["KernelVersion=!=6.0"], "boot"),
        (["KernelVersion=!>=5.0"], "never"),
        (["OSRelease=ID=debian"], "boot"),
        (["OSRelease=ID=ubuntu"], "never"),
        (["OSRelease=ID=debian ID=ubuntu"], "never"),
        (["Group=root"], "boot"),
        (["Group=www-data"], "never"),
        (["KernelCommandLine=quiet"], "boot"),
        (["KernelCommandLine=nosuch"], "never"),
        (["KernelCommandLine=root=/dev/sda1"], "boot"),
        (["FirstBoot=yes"], "never"),
        (["FirstBoot=no"], "boot"),
        (["Environment=LANG"], "boot"),
        (["PathIsReadWrite=/etc/gone"], "never"),
        (["PathExists=/etc/%p"], "never"),
        (["PathExists=/etc/%H"], "boot"),
        (["PathExists=/etc/gone", "PathExists="], "boot"),
        (["PathExists=/etc/gone", "FirstBoot="], "boot"),
        (["PathExists=/etc/there", "PathExists=/etc/gone"], "never"),
        (["PathExists=|/etc/gone", "PathExists=|/etc/there"], "boot"),
        (["PathExists=|/etc/gone", "PathExists=|!/etc/there"], "never"),
        (["PathExists=|/etc/gone", "Virtualization=|vm"], "boot"),
        (["PathExists=|/etc/there", "PathExists=/etc/gone"], "never"),
    ],
)
def test_a_condition_counts_where_files_surely_answer_it(conditions: list[str], expected: str) -> None:
    text = "".join(f"Condition{condition}\n" for condition in conditions)
    files = {**TREE, f"{LIB}/a.service": f"[Unit]\n{text}{SERVICE}", f"{WANTED}/a.service": f"-> {LIB}/a.service"}

    assert expected == starts("a.service", files)[0]
    assert expected == starts("a.service", {**files, f"{LIB}/a.service": files[f"{LIB}/a.service"].replace("Condition", "Assert")})[0]


@pytest.mark.parametrize(
    ("condition", "doubtful"),
    [
        ("Virtualization=!container", True),
        ("Security=apparmor", True),
        ("Capability=CAP_NET_ADMIN", True),
        ("Environment=LANG", True),
        ("Memory=>1G", True),
        ("Virtualization=|vm", True),
        ("Virtualization=|vm\nConditionPathExists=|/etc/there", False),
        ("Virtualization=bogus\nConditionPathExists=|/etc/there", False),
        ("PathExists=/var/lib/gone", False),
        ("Architecture=x86-64", False),
    ],
)
def test_a_unit_that_only_the_running_machine_decides_about_is_doubtful_and_says_so(condition: str, doubtful: bool) -> None:
    text = f"[Unit]\nCondition{condition}\n{SERVICE}"
    found = unit("a.service", {**TREE, f"{LIB}/a.service": text, f"{WANTED}/a.service": f"-> {LIB}/a.service"})

    assert doubtful is found.doubtful
    assert doubtful is ("no file tells" in found.why)


def test_an_assertion_that_does_not_hold_is_a_refusal_and_a_condition_is_none() -> None:
    files = {**TREE, f"{WANTED}/a.service": f"-> {LIB}/a.service"}
    asserts = unit("a.service", {**files, f"{LIB}/a.service": f"[Unit]\nAssertPathExists=/etc/gone\n{SERVICE}"})
    skips = unit("a.service", {**files, f"{LIB}/a.service": f"[Unit]\nConditionPathExists=/etc/gone\n{SERVICE}"})

    assert "AssertPathExists=/etc/gone does not hold" == asserts.refused
    assert "" == skips.refused


def test_a_path_missing_from_a_whole_file_system_is_missing() -> None:
    files = {f"{LIB}/a.service": f"[Unit]\nConditionPathExists=/opt/gone\n{SERVICE}", "/usr/bin/env": "x", "/bin/sh": "x"}

    assert "never" == starts("a.service", files)[0]


def test_what_a_target_with_an_unmet_condition_wants_starts_all_the_same() -> None:
    files = {f"{LIB}/multi-user.target": "[Unit]\nConditionPathExists=/etc/gone\n", f"{LIB}/a.service": SERVICE}
    files[f"{WANTED}/a.service"] = f"-> {LIB}/a.service"

    assert "boot" == starts("a.service", files)[0]


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def before(name: str, files: dict[str, str]) -> set[str]:
    """What comes before a unit, of the services and sockets given, where each of them is enabled."""
    links = {f"{WANTED}/{path.rpartition('/')[2]}": f"-> {path}" for path in files if path.startswith(f"{LIB}/")}
    return {other for other in host({**files, **links}).before(name) if not other.endswith(".target")}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.service": "", "b.service": ""}, set()),
        ({"a.service": "After=b.service\n", "b.service": ""}, {"b.service"}),
        ({"a.service": "", "b.service": "Before=a.service\n"}, {"b.service"}),
        ({"a.service": "After=b.service\n", "b.service": "After=c.service\n", "c.service": ""}, {"b.service", "c.service"}),
        ({"a.service": "After=b.service\n", "b.service": "After=a.service\n"}, {"b.service"}),
        ({"a.service": "After=x.target\n", "x.target": "Wants=b.service\n", "b.service": ""}, {"b.service"}),
        ({"a.service": "After=x.target\n", "x.target": "", "b.service": "Before=x.target\n"}, {"b.service"}),
        ({"a.service": "After=gone.service\n"}, set()),
    ],
)
def test_a_unit_comes_after_what_its_files_say(files: dict[str, str], expected: set[str]) -> None:
    texts = {f"{LIB}/{name}": f"[Unit]\n{text}" + (SERVICE if name.endswith("service") else "") for name, text in files.items()}

    assert expected == before("a.service", texts)


def test_an_ordering_with_a_unit_nobody_starts_is_none() -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\nAfter=off.service\n{SERVICE}",
        f"{LIB}/b.service": SERVICE,
        f"{LIB}/off.service": f"[Unit]\nAfter=b.service\n{SERVICE}",
    }
    links = {f"{WANTED}/{name}": f"-> {LIB}/{name}" for name in ("a.service", "b.service")}

    assert [] == [other for other in host({**files, **links}).before("a.service") if other.endswith("service")]


def test_a_socket_comes_before_its_service_and_all_sockets_before_any_service() -> None:
    files = {f"{LIB}/{name}.service": SERVICE for name in ("a", "s", "t")}
    files |= {f"{LIB}/{name}.socket": "[Socket]\nListenStream=1\n" for name in ("s", "t")}

    assert {"s.socket", "t.socket"} == before("a.service", files)


def test_a_service_without_default_dependencies_waits_for_its_own_socket_only() -> None:
    files = {
        f"{LIB}/a.service": f"[Unit]\nDefaultDependencies=no\n{SERVICE}",
        f"{LIB}/a.socket": "[Socket]\nListenStream=1\n",
        f"{LIB}/s.socket": "[Socket]\nListenStream=1\n",
    }

    assert {"a.socket"} == before("a.service", files)


def test_a_name_in_after_may_be_an_alias() -> None:
    files = {f"{LIB}/a.service": f"[Unit]\nAfter=other.service\n{SERVICE}", f"{LIB}/b.service": SERVICE}
    files[f"{ETC}/other.service"] = f"-> {LIB}/b.service"

    assert {"b.service"} == before("a.service", files)


# ── hostile ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_chain_of_ten_thousand_requirements_is_followed() -> None:
    files = {f"{LIB}/u{number}.service": f"[Unit]\nRequires=u{number + 1}.service\n{SERVICE}" for number in range(10_000)}
    files[f"{LIB}/u10000.service"] = "-> /dev/null"
    files[f"{WANTED}/u0.service"] = f"-> {LIB}/u0.service"

    why = f"it requires a unit that cannot start: u10000.service is masked by {LIB}/u10000.service"
    assert ("never", why) == starts("u0.service", files)


def test_instances_that_want_ever_more_instances_come_to_an_end() -> None:
    files = {f"{LIB}/x@.service": f"[Unit]\nWants=x@%i0.service\n{SERVICE}", f"{WANTED}/x@1.service": f"-> {LIB}/x@.service"}

    assert "boot" == starts("x@1.service", files)[0]


@pytest.mark.parametrize(
    ("kind", "waits"), [("Type=dbus\n", True), ("", True), ("Type=notify\n", False)], ids=["dbus", "by default", "notify"]
)
def test_only_a_service_that_is_up_when_it_has_its_bus_name_waits_for_the_bus(kind: str, waits: bool) -> None:
    files = {
        "/etc/systemd/system/a.service": f"[Service]\n{kind}BusName=org.a\nExecStart=/bin/a\n",
        "/usr/lib/systemd/system/dbus.socket": "[Socket]\nListenStream=/run/dbus\n",
    }

    assert waits == ("dbus.socket" in load(Files(MemoryTree(files))).after("a.service"))


# ── Conflicts= ──────────────────────────────────────────────────────────────────────────────────────────────────────

CONFLICTING = "[Unit]\nConflicts=b.service\n[Service]\nExecStart=/bin/a\n"
BOTH = {
    f"{LIB}/a.service": CONFLICTING,
    f"{LIB}/b.service": SERVICE,
    f"{WANTED}/a.service": f"-> {LIB}/a.service",
    f"{WANTED}/b.service": f"-> {LIB}/b.service",
}


def outcome(files: dict[str, str], *names: str) -> list[str | None]:
    units = host(files)
    return [None if (found := units.get(name)) is None else found.starts for name in names]


def test_of_two_enabled_units_the_one_that_is_conflicted_with_is_not_started() -> None:
    found = unit("b.service", BOTH)

    assert ("never", f"a.service is started and the two exclude each other ({AT}:2:11)") == (found.starts, found.why)
    assert found.excluded_by is not None
    assert ("a.service", f"{AT}:2:11") == (found.excluded_by.value, str(found.excluded_by.at))
    assert ["boot", "never"] == outcome(BOTH, "a.service", "b.service")


def test_what_requires_a_unit_that_is_not_started_is_not_started_either_and_what_it_wants_is() -> None:
    more = {
        f"{LIB}/b.service": "[Unit]\nWants=d.service\n[Service]\nExecStart=/bin/b\n",
        f"{LIB}/c.service": "[Unit]\nRequires=b.service\n[Service]\nExecStart=/bin/c\n",
        f"{LIB}/d.service": SERVICE,
        f"{WANTED}/c.service": f"-> {LIB}/c.service",
    }

    assert ["boot", "never", "never", "boot"] == outcome({**BOTH, **more}, "a.service", "b.service", "c.service", "d.service")


def test_what_the_boot_requires_is_kept_and_the_unit_that_conflicts_with_it_goes() -> None:
    required = {f"{ETC}/multi-user.target.requires/b.service": f"-> {LIB}/b.service"}

    assert ["never", "boot"] == outcome({**BOTH, **required}, "a.service", "b.service")


def test_where_each_excludes_the_other_or_only_one_is_enabled_nothing_is_dropped() -> None:
    mutual = {f"{LIB}/b.service": "[Unit]\nConflicts=a.service\n[Service]\nExecStart=/bin/b\n"}
    alone = {f"{LIB}/a.service": CONFLICTING, f"{LIB}/b.service": SERVICE, f"{WANTED}/b.service": f"-> {LIB}/b.service"}

    assert ["boot", "boot"] == outcome({**BOTH, **mutual}, "a.service", "b.service")
    assert ["manual", "boot"] == outcome(alone, "a.service", "b.service")


def test_a_link_that_enables_a_service_whose_file_was_not_copied_is_unreadable() -> None:
    files = Files(MemoryTree({"/etc/os-release": "ID=debian\n", f"{WANTED}/a.service": f"-> {AT}"}))
    load(files)

    assert [(f"{WANTED}/a.service", f"a.service is enabled by a link to {AT}, which is not there: what it starts is unknown")] == [
        (each.at.path, each.reason) for each in files.unreadable
    ]


def test_a_link_to_a_unit_that_is_found_elsewhere_is_no_gap() -> None:
    files = Files(MemoryTree({**BASE, f"{WANTED}/a.service": "-> /nowhere/a.service", AT: SERVICE}))
    load(files)

    assert () == files.unreadable
