"""The init system in charge is told by the most telling file there is; a host whose init system is not read says so, and is let alone."""

import pytest

from portwright.fixes.plan import plan
from portwright.host import Host
from portwright.host.reading import read_host
from portwright.rules import evaluate, load
from portwright.shipped import rules_directory
from portwright.system.init import init_system
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

PROGRAM = "ELF"
OPENRC = "# /etc/inittab\n::sysinit:/sbin/openrc sysinit\n::wait:/sbin/openrc default\n"
SYSV = "id:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\nl2:2:wait:/etc/init.d/rc 2\n"
OPENWRT = "::sysinit:/etc/init.d/rcS S boot\n::shutdown:/etc/init.d/rcS K shutdown\n"
COMMENT = "# inittab is no longer used when using systemd.\n#\n# systemctl set-default TARGET.target\n"
UNIT = "[Service]\nExecStart=/usr/sbin/nginx\n"
DEBIAN = "base-files 12.4\ndpkg 1.21\nlibc6 2.36\n"


@pytest.mark.parametrize(
    ("files", "verdict"),
    [
        # What the kernel starts.
        ({"/sbin/init": "-> /lib/systemd/systemd", "/etc/inittab": SYSV}, "systemd certain /sbin/init:1:1"),
        ({"/sbin": "-> usr/sbin", "/usr/sbin/init": "-> ../lib/systemd/systemd"}, "systemd certain /sbin/init:1:1"),
        ({"/sbin/init": "-> /etc/alternatives/init", "/etc/alternatives/init": "-> runit-init"}, "runit certain /sbin/init:1:1"),
        ({"/sbin/init": "-> openrc-init", "/usr/lib/systemd/system/a.service": UNIT}, "openrc certain /sbin/init:1:1"),
        ({"/sbin/init": "-> /usr/lib/sysvinit/init"}, "sysvinit certain /sbin/init:1:1"),
        ({"/sbin/init": "-> ../bin/shepherd", "/etc/systemd/system/a.service": UNIT}, "unknown certain /sbin/init:1:1"),
        ({"/sbin/init": "-> /etc/s6-linux-init/current/bin/init"}, "s6 certain /sbin/init:1:1"),
        ({"/sbin/init": "-> init"}, "systemd possible"),
        ({"/sbin/init": "-> /bin/busybox"}, "busybox certain /sbin/init:1:1"),
        ({"/sbin/init": "-> /bin/busybox", "/etc/inittab": OPENRC}, "openrc likely /etc/inittab:2:1"),
        (
            {"/.portwright/cmdline": "ro init=/sbin/runit-init quiet\n", "/etc/systemd/system.conf": ""},
            "runit certain /.portwright/cmdline:1:4",
        ),
        ({"/run/systemd/system/a.service": UNIT, "/etc/inittab": SYSV}, "systemd certain /run/systemd/system:1:1"),
        (
            {"/.portwright/packages": "sysvinit-core 3.06\n", "/etc/systemd/system/a.service": UNIT},
            "sysvinit certain /.portwright/packages:1:1",
        ),
        ({"/.portwright/packages": "systemd-sysv 252\n", "/etc/runit/1": ""}, "systemd certain /.portwright/packages:1:1"),
        # A copy of some files: any file of systemd's says systemd, and so does none at all.
        ({"/etc/nginx/nginx.conf": ""}, "systemd possible"),
        ({"/etc/init.d/a": "#!/bin/sh\n", "/etc/rc2.d/S01a": "-> ../init.d/a"}, "systemd possible"),
        ({"/etc/systemd/system/a.service": UNIT, "/etc/inittab": SYSV}, "systemd likely /etc/systemd:1:1"),
        ({"/usr/lib/systemd/system/a.service": UNIT, "/etc/runit/1": ""}, "systemd likely /usr/lib/systemd:1:1"),
        ({"/etc/inittab": COMMENT}, "systemd possible"),
        ({"/sbin/init": PROGRAM, "/etc/systemd/system.conf": ""}, "systemd likely /etc/systemd:1:1"),
        ({"/sbin/init": PROGRAM, "/lib/systemd/systemd": PROGRAM, "/etc/inittab": SYSV}, "systemd likely /lib/systemd/systemd:1:1"),
        # A program of its own under the name of init, beside unit files that packages brought.
        ({"/sbin/init": PROGRAM, "/lib/systemd/system/a.service": UNIT, "/etc/inittab": SYSV}, "sysvinit likely /etc/inittab:1:1"),
        ({"/sbin/init": "-> finit", "/sbin/finit": PROGRAM}, "finit certain /sbin/init:1:1"),
        ({"/sbin/init": "-> dinit", "/sbin/dinit": PROGRAM}, "dinit certain /sbin/init:1:1"),
        ({"/etc/dinit.d/web": ""}, "dinit likely /etc/dinit.d:1:1"),
        ({"/sbin/init": PROGRAM, "/etc/finit.d/web.conf": ""}, "finit likely /etc/finit.d:1:1"),
        ({"/sbin/init": PROGRAM, "/etc/init/rc.conf": "", "/etc/inittab": "id:3:initdefault:\n"}, "upstart likely /etc/init/rc.conf:1:1"),
        # What only one of them has.
        ({"/etc/inittab": OPENRC}, "openrc likely /etc/inittab:2:1"),
        ({"/etc/runlevels/default/sshd": "-> /etc/init.d/sshd"}, "openrc likely /etc/runlevels:1:1"),
        ({"/etc/inittab": SYSV}, "sysvinit likely /etc/inittab:1:1"),
        ({"/etc/inittab": "::sysinit:/etc/init.d/rcS\n::respawn:/sbin/httpd -f\n"}, "busybox likely /etc/inittab:1:1"),
        ({"/etc/inittab": OPENWRT, "/etc/openwrt_release": "DISTRIB_ID='OpenWrt'\n"}, "procd likely /etc/openwrt_release:1:1"),
        ({"/etc/runit/runsvdir/default/sshd": "-> /etc/sv/sshd"}, "runit likely /etc/runit:1:1"),
        ({"/etc/rc.subr": "", "/etc/rc.conf": 'sshd_enable="YES"\n'}, "unknown likely /etc/rc.subr:1:1"),
        ({"/etc/os-release": "NAME=Void\nID=void\n"}, "runit possible /etc/os-release:1:1"),
        ({"/etc/os-release": 'ID="devuan"\n', "/etc/systemd/system/a.service": UNIT}, "sysvinit possible /etc/os-release:1:1"),
        # A container's tree: nothing in it could be process 1 of a whole system.
        ({"/.dockerenv": "", "/usr/sbin/nginx": PROGRAM, "/lib/systemd/system/nginx.service": UNIT}, "none likely /.dockerenv:1:1"),
        ({"/run/.containerenv": "", "/sbin/init": "-> ../lib/systemd/systemd"}, "systemd certain /sbin/init:1:1"),
        ({"/.portwright/packages": DEBIAN, "/bin/sh": PROGRAM}, "none likely /.portwright/packages:1:1"),
        ({"/.portwright/packages": DEBIAN}, "systemd possible"),
        ({"/.portwright/packages": "nginx 1.22\n", "/bin/sh": PROGRAM}, "systemd possible"),
        ({"/sbin/init": "-> /bin/busybox", "/bin/busybox": PROGRAM, "/etc/inittab": OPENRC}, "none likely /etc/inittab:2:1"),
    ],
)
def test_the_init_system_in_charge_is_told_by_the_most_telling_file(files: dict[str, str], verdict: str) -> None:
    init = init_system(Files(MemoryTree(files)))

    assert " ".join([init.name, init.confidence, *([str(init.at)] if init.at else [])]) == verdict


UNREAD = {
    "/sbin/init": "-> /bin/busybox",
    "/etc/inittab": "::sysinit:/etc/init.d/rcS\n",
    "/etc/init.d/S80nginx": "#!/bin/sh\n/usr/sbin/nginx\n",
    "/etc/nginx/nginx.conf": "http { server { listen 40000; } }\n",
    "/etc/sysctl.conf": "net.ipv4.ip_local_port_range = 2000 3001\n",
    "/etc/systemd/system/nginx.service": UNIT,
}


def of(files: dict[str, str]) -> Host:
    return read_host(MemoryTree(files), "h")


def test_a_host_whose_init_system_is_not_read_says_so_and_of_what_it_starts_nothing_is_claimed() -> None:
    host = of(UNREAD)

    assert [(str(each.at), each.reason) for each in host.unreadable] == [
        (
            "/etc/inittab:1:1",
            "init system not read: the init of BusyBox is the init system of this host (it defines what is started), "
            "so what it starts cannot be determined",
        )
    ]
    assert (host.listeners, host.units) == ((), ())


def test_what_a_file_sets_there_is_only_possible() -> None:
    ranges = host.sysctl("net.ipv4.ip_local_port_range") if (host := of(UNREAD)) else None
    others = host.sysctl("net.ipv4.ip_local_reserved_ports")

    assert ranges is not None
    assert (ranges.boot, ranges.confidence) == ("2000 3001", "possible")
    assert others is not None
    assert others.confidence == "certain"


def test_a_containers_tree_says_that_nothing_starts() -> None:
    host = of({"/.dockerenv": "", "/usr/sbin/nginx": PROGRAM, "/lib/systemd/system/nginx.service": UNIT})

    assert [each.reason for each in host.unreadable] == [
        "no init system: this is a container's tree, without /sbin/init, so nothing starts at boot, "
        "and what the container runs cannot be determined"
    ]
    assert host.listeners == ()


def test_nothing_is_planned_for_a_host_whose_init_system_is_not_read() -> None:
    host = of(UNREAD)
    findings, _ = evaluate(host, load([rules_directory()]))

    made = plan(host, tuple(findings), lambda edits: pytest.fail("nothing is laid over it"))

    assert [finding.card.id for finding in findings] == ["narrow-ephemeral-range"]
    assert (made.steps, made.reason) == ((), host.unread_init)
    assert [each.reason for each in made.unplanned] == [host.unread_init]


def test_beside_a_systemd_that_boots_init_scripts_count_as_its_generator_has_them() -> None:
    host = of({"/etc/init.d/web": "#!/bin/sh\n/usr/sbin/nginx\n", "/etc/rc2.d/S01web": "-> ../init.d/web", "/etc/nginx/nginx.conf": ""})

    assert [(unit.name, unit.starts) for unit in host.units if unit.kind == "service"] == [("web.service", "boot")]
    assert host.unread_init == ""


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"/etc/static": "-> /nix/store/k8v2-etc/etc", "/etc/systemd/system": "-> /etc/static/systemd/system"},
            [("/etc/static:1:1", "leads to /nix/store/k8v2-etc/etc, which is not in this copy: nothing of what it holds was read")],
        ),
        (
            {"/etc/static": "-> /gnu/store/9a8b-etc", "/etc/nginx": "-> /etc/static/nginx"},
            [("/etc/static:1:1", "leads to /gnu/store/9a8b-etc, which is not in this copy: nothing of what it holds was read")],
        ),
        (
            {"/etc/sysctl.d": "-> /srv/dotfiles/sysctl.d"},
            [("/etc/sysctl.d:1:1", "leads to /srv/dotfiles/sysctl.d, which is not in this copy: nothing of what it holds was read")],
        ),
        ({"/etc/static": "-> /nix/store/k8v2-etc/etc", "/nix/store/k8v2-etc/etc/hosts": "127.0.0.1 localhost\n"}, []),
        ({"/etc/sysctl.d": "-> /dev/null"}, []),
    ],
)
def test_a_copy_with_links_to_its_configuration_only_says_so(files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    host = of({"/etc/hostname": "nas\n", **files})

    assert expected == [(str(each.at), each.reason) for each in host.unreadable]
