"""What OpenRC, runit and sysvinit start, as whom, and whether a boot of theirs reads the files of sysctl.d."""

import pytest

from portwright.facts import Invocation
from portwright.system.boot import started
from portwright.system.host_files.captures import captured
from portwright.system.started import Started
from portwright.system.sysctl.loaders import reading
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

ACCOUNTS = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:100:100::/var/svc:/sbin/nologin\n"}
OPENRC = {**ACCOUNTS, "/etc/inittab": "::sysinit:/sbin/openrc sysinit\n", "/etc/runlevels/default/web": "-> /etc/init.d/web"}
RUNIT = {**ACCOUNTS, "/etc/runit/runsvdir/default/web": "-> /etc/sv/web", "/etc/runit/1": "#!/bin/sh\nsysctl -p\n"}
SYSVINIT = {
    **ACCOUNTS,
    "/etc/inittab": "id:2:initdefault:\nl2:2:wait:/etc/init.d/rc 2\n1:2:respawn:/sbin/getty 38400 tty1\n",
    "/etc/rc2.d/S20web": "-> ../init.d/web",
}


def host(files: dict[str, str]) -> Started:
    read = Files(MemoryTree(files))
    return started(read, captured(read))


def said(files: dict[str, str], name: str = "web") -> list[tuple[str | None, str, list[str]]]:
    return [(each.starts, each.privileges.user, words(each)) for each in host(files).invocations if each.unit == name]


def words(found: Invocation) -> list[str]:
    return [word.text for word in found.argv]


# ── OpenRC ──────────────────────────────────────────────────────────────────────────────────────────────────────────

RUN = "#!/sbin/openrc-run\n"


@pytest.mark.parametrize(
    ("script", "conf", "user", "argv"),
    [
        ("command=/usr/bin/webd\ncommand_args='-p 80'\n", "", "root", ["/usr/bin/webd", "-p", "80"]),
        ('command=/usr/bin/webd\ncommand_args="-p ${PORT:-80}"\n', "PORT=8080\n", "root", ["/usr/bin/webd", "-p", "8080"]),
        ("command=/usr/bin/webd\ncommand_user=svc:svc\n", "", "svc", ["/usr/bin/webd"]),
        ("command=${command:-/usr/bin/webd}\n", "command=/opt/webd\n", "root", ["/opt/webd"]),
        ("command=/usr/bin/$RC_SVCNAME\ncommand_args_background=-d\n", "", "root", ["/usr/bin/web", "-d"]),
        ("start() {\n  start-stop-daemon --start --exec /usr/bin/webd -- -p 80\n}\n", "", "root", ["/usr/bin/webd", "-p", "80"]),
    ],
)
def test_openrc_runs_command_or_what_start_says(script: str, conf: str, user: str, argv: list[str]) -> None:
    assert [("boot", user, argv)] == said({**OPENRC, "/etc/init.d/web": RUN + script, "/etc/conf.d/web": conf})


def test_openrc_gives_the_capabilities_that_a_script_asks_for() -> None:
    script = RUN + "command=/usr/bin/webd\ncommand_user=svc\ncapabilities='^cap_net_bind_service'\n"
    (found,) = host({**OPENRC, "/etc/init.d/web": script}).invocations

    assert {"CAP_NET_BIND_SERVICE"} == found.privileges.ambient


def test_openrc_starts_what_a_started_service_needs_and_nothing_else() -> None:
    files = {
        "/etc/init.d/web": RUN + "command=/usr/bin/webd\ndepend() {\n  need db\n  use dns\n}\n",
        "/etc/init.d/db": RUN + "command=/usr/bin/dbd\n",
        "/etc/init.d/dns": RUN + "command=/usr/bin/dnsd\n",
    }
    found = {each.name: each.starts for each in host({**OPENRC, **files}).units}

    assert {"web": "boot", "db": "boot", "dns": "manual"} == found


@pytest.mark.parametrize(("level", "applied"), [("boot", True), ("default", True), ("nonetwork", False), ("", False)])
def test_openrcs_service_sysctl_reads_the_files_where_a_runlevel_of_the_boot_has_it(level: str, applied: bool) -> None:
    files = {**OPENRC, "/etc/init.d/sysctl": RUN, "/etc/init.d/web": RUN}
    if level:
        files[f"/etc/runlevels/{level}/sysctl"] = "-> /etc/init.d/sysctl"

    assert applied == (host(files).files_not_applied == "")


def test_a_link_of_openrc_to_a_script_that_is_not_there_is_said_at_the_link_whatever_its_name() -> None:
    files = Files(MemoryTree({**OPENRC, "/etc/runlevels/boot/a b ": "-> /etc/init.d/a b ", "/etc/init.d/web": RUN}))
    started(files, captured(files))

    assert ["/etc/runlevels/boot/a b "] == [each.at.path for each in files.unreadable]


# ── runit ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [("boot", "svc", ["/usr/bin/webd", "-p", "80"])]),
        ({"/etc/sv/web/down": ""}, [("manual", "svc", ["/usr/bin/webd", "-p", "80"])]),
        ({"/etc/sv/web/conf": "PORT=8080\n"}, [("boot", "svc", ["/usr/bin/webd", "-p", "8080"])]),
    ],
)
def test_runit_runs_the_script_of_each_linked_service(more: dict[str, str], expected: list[tuple[str, str, list[str]]]) -> None:
    script = "#!/bin/sh\nPORT=80\n[ -r ./conf ] && . ./conf\nexec chpst -u svc /usr/bin/webd -p $PORT\n"

    assert expected == said({**RUNIT, "/etc/sv/web/run": script, **more})


def test_a_service_that_no_link_leads_to_is_not_started_and_a_link_to_nothing_is_unreadable() -> None:
    read = Files(MemoryTree({**RUNIT, "/etc/sv/other/run": "#!/bin/sh\nexec /usr/bin/otherd\n"}))
    found = started(read, captured(read))

    assert [("other", "manual")] == [(each.name, each.starts) for each in found.units]
    assert ["the service web has no run script here, so what it starts is not known"] == [each.reason for each in read.unreadable]


@pytest.mark.parametrize(("stage", "applied"), [("#!/bin/sh\nsysctl -p\n", True), ("#!/bin/sh\nmount -a\n", False)])
def test_a_script_of_runits_first_stage_reads_the_files(stage: str, applied: bool) -> None:
    files = {**RUNIT, "/etc/sv/web/run": "#!/bin/sh\nexec /usr/bin/webd\n", "/etc/runit/1": stage}

    assert applied == (host(files).files_not_applied == "")


def test_runits_first_stage_applies_the_files_in_the_order_its_loop_has() -> None:
    # As Void's 08-sysctl.sh does (https://github.com/voidlinux/void-runit/issues/70).
    loop = 'for i in /etc/sysctl.d/*.conf \\\n    /usr/lib/sysctl.d/*.conf; do\n  [ -e "$i" ] && sysctl -p "$i"\ndone\n'
    files = Files(MemoryTree({
        **RUNIT,
        "/etc/sv/web/run": "#!/bin/sh\nexec /usr/bin/webd\n",
        "/etc/runit/1": "#!/bin/sh\nfor f in /etc/runit/core-services/*.sh; do\n  [ -r $f ] && . $f\ndone\n",
        "/etc/runit/core-services/08-sysctl.sh": loop,
        "/etc/sysctl.d/10-local.conf": "net.ipv4.ip_local_port_range = 49152 65535\n",
        "/usr/lib/sysctl.d/05-tool.conf": "net.ipv4.ip_local_port_range = 2048 65535\n",
    }))  # fmt: skip

    assert ["/etc/sysctl.d/10-local.conf", "/usr/lib/sysctl.d/05-tool.conf"] == [each.path for each in reading(files).boot]


# ── sysvinit ────────────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT = '#!/bin/sh\ncase "$1" in\nstart)\n  start-stop-daemon --start --chuid svc --exec /usr/bin/webd -- -p 80\n  ;;\nesac\n'


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"/etc/rc2.d/S20web": "-> ../init.d/web"}, "boot"),
        ({"/etc/rcS.d/S20web": "-> ../init.d/web"}, "boot"),
        ({"/etc/rc2.d/K20web": "-> ../init.d/web"}, "manual"),
        ({"/etc/rc3.d/S20web": "-> ../init.d/web"}, "manual"),
    ],
)
def test_sysvinit_starts_the_links_of_its_runlevel(links: dict[str, str], expected: str) -> None:
    files = {path: text for path, text in SYSVINIT.items() if "/rc2.d/" not in path}

    assert [(expected, "svc", ["/usr/bin/webd", "-p", "80"])] == said({**files, "/etc/init.d/web": SCRIPT, **links})


def test_sysvinit_keeps_the_processes_of_inittab() -> None:
    table = SYSVINIT["/etc/inittab"] + "w1:23:respawn:/usr/bin/webd -p 80\nw2:5:respawn:/usr/bin/webd -p 81\n"

    assert [("boot", "root", ["/usr/bin/webd", "-p", "80"])] == said(
        {**SYSVINIT, "/etc/inittab": table, "/etc/init.d/web": SCRIPT}, "inittab:w1"
    )
    assert [] == said({**SYSVINIT, "/etc/inittab": table, "/etc/init.d/web": SCRIPT}, "inittab:w2")


@pytest.mark.parametrize(("link", "applied"), [("S04procps", True), ("K04procps", False)])
def test_debians_procps_reads_the_files_where_rcs_has_it(link: str, applied: bool) -> None:
    files = {**SYSVINIT, "/etc/init.d/web": SCRIPT, "/etc/init.d/procps": "#!/bin/sh\n", f"/etc/rcS.d/{link}": "-> ../init.d/procps"}

    assert applied == (host(files).files_not_applied == "")


def test_nothing_is_planned_for_them() -> None:
    assert "OpenRC is the init system of this host, and playbooks are written for systemd alone" == host(OPENRC).unplanned


# ── Upstart ─────────────────────────────────────────────────────────────────────────────────────────────────────────

UPSTART = {**ACCOUNTS, "/etc/init/rc.conf": "start on runlevel [0123456]\ntask\nexec /etc/init.d/rc $RUNLEVEL\n"}
JOB = "/etc/init/web.conf"


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("start on runlevel [2345]\nexec /usr/bin/webd -p 80\n", [("boot", "root", ["/usr/bin/webd", "-p", "80"])]),
        ("start on runlevel [!016]\nsetuid svc\nexec /usr/bin/webd\n", [("boot", "svc", ["/usr/bin/webd"])]),
        ('start on startup\nenv PORT="80"\nexec /usr/bin/webd -p $PORT\n', [("boot", "root", ["/usr/bin/webd", "-p", "80"])]),
        (
            "start on (filesystem\n  and net-device-up)\nscript\n  . /etc/default/web\n  exec /usr/bin/webd -p $PORT\nend script\n",
            [("boot", "root", ["/usr/bin/webd", "-p", "8081"])],
        ),
        ("start on started networking\nexec /usr/bin/webd\n", [("boot", "root", ["/usr/bin/webd"])]),
        ("start on stopped rc RUNLEVEL=[2345]\nexec /usr/bin/webd \\\n  -v\n", [("boot", "root", ["/usr/bin/webd", "-v"])]),
        ("start on runlevel [016]\nexec /usr/bin/webd\n", [("manual", "root", ["/usr/bin/webd"])]),
        ("start on started other\nexec /usr/bin/webd\n", [("manual", "root", ["/usr/bin/webd"])]),
        ("exec /usr/bin/webd\n", [("manual", "root", ["/usr/bin/webd"])]),
        ("start on runlevel 2\nmanual\nexec /usr/bin/webd\n", [("manual", "root", ["/usr/bin/webd"])]),
        ("start on runlevel\npre-start exec /usr/bin/other\nexec /usr/bin/webd\n", [("boot", "root", ["/usr/bin/webd"])]),
        ("start on startup\nscript\n", []),
    ],
)
def test_upstart_starts_the_jobs_whose_events_a_boot_brings(job: str, expected: list[tuple[str, str, list[str]]]) -> None:
    more = {"/etc/default/web": "PORT=8081\n", "/etc/init/other.conf": "exec /usr/bin/other\n"}

    assert expected == said({**UPSTART, **more, JOB: job})


@pytest.mark.parametrize(
    ("override", "expected"),
    [("manual\n", [("manual", ["/usr/bin/webd"])]), ("exec /usr/bin/webd -p 81\n", [("boot", ["/usr/bin/webd", "-p", "81"])])],
)
def test_an_override_of_upstart_has_the_last_word(override: str, expected: list[tuple[str, list[str]]]) -> None:
    found = said({**UPSTART, JOB: "start on startup\nexec /usr/bin/webd\n", "/etc/init/web.override": override})

    assert expected == [(starts, argv) for starts, _, argv in found]


def test_what_a_script_of_upstart_says_is_found_at_its_line() -> None:
    job = "start on startup\nscript\n  PORT=80\n  exec /usr/bin/webd -p 8080\nend script\n"
    found = next(each for each in host({**UPSTART, JOB: job}).invocations if each.unit == "web")

    assert f"{JOB}:4:25" == str(found.argv[-1].at)


def test_upstart_runs_the_scripts_of_the_runlevel_that_are_no_jobs() -> None:
    files = {
        **UPSTART,
        "/etc/rc2.d/S20web": "-> ../init.d/web",
        "/etc/init.d/web": "#!/bin/sh\nexec /usr/bin/webd\n",
        "/etc/rc2.d/S21other": "-> ../init.d/other",
        "/etc/init.d/other": "-> /lib/init/upstart-job",
        "/lib/init/upstart-job": "#!/bin/sh\nexec /usr/bin/nothing\n",
        "/etc/init/other.conf": "exec /usr/bin/other\n",
    }

    assert [("boot", "root", ["/usr/bin/webd"])] == said(files)
    assert [("manual", "root", ["/usr/bin/other"])] == said(files, "other")


def test_upstart_of_red_hat_goes_to_the_runlevel_of_inittab_and_runs_rc_local_there() -> None:
    files = {
        **UPSTART,
        "/etc/inittab": "id:3:initdefault:\n",
        "/etc/rc.d/init.d/web": "#!/bin/sh\nexec /usr/bin/webd\n",
        "/etc/rc.d/rc3.d/S99local": "-> ../rc.local",
        "/etc/rc.d/rc.local": "#!/bin/sh\necho '2000 3000' > /proc/sys/net/ipv4/ip_local_port_range\n/usr/bin/other &\n",
        "/etc/init/odd.conf": "start on runlevel [3]\nexec /usr/bin/odd\n",
        "/etc/init/even.conf": "start on runlevel [24]\nexec /usr/bin/even\n",
    }
    found = host(files)

    assert {"odd": "boot", "even": "manual", "local": "boot", "web": "manual"} == {
        unit.name: unit.starts for unit in found.units if unit.name != "rc"
    }
    assert [("net.ipv4.ip_local_port_range", "2000 3000")] == [(write.key, write.value) for write in found.sysctl_writes]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ""),
        ({"/etc/init/procps.conf": "start on virtual-filesystems\n"}, ""),
        (
            {"/etc/init/procps.conf": "start on virtual-filesystems\n", "/etc/init/procps.override": "manual\n"},
            "the job procps, which reads the files, is not started: /etc/init/procps.conf",
        ),
    ],
)
def test_upstarts_job_procps_reads_the_files(more: dict[str, str], expected: str) -> None:
    assert expected == host({**UPSTART, **more}).files_not_applied


def test_a_job_of_upstart_may_write_a_kernel_setting() -> None:
    job = "start on startup\npre-start script\n  sysctl -w net.core.somaxconn=9\nend script\nexec /usr/bin/webd\n"
    (write,) = host({**UPSTART, JOB: job}).sysctl_writes

    assert ("net.core.somaxconn", "9", True, "web") == (write.key, write.value, write.conditional, write.unit)


# ── finit ───────────────────────────────────────────────────────────────────────────────────────────────────────────

FINIT = {**ACCOUNTS, "/sbin/init": "-> finit", "/etc/finit.conf": "# the box\nrunlevel 2\nset PORT=80\n"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("service webd -p 80 -- Web server", ("boot", "root", ["webd", "-p", "80"])),
        ("service [2345] @svc:svc <pid/syslogd> /usr/bin/webd", ("boot", "svc", ["/usr/bin/webd"])),
        ("service [S12345789] cgroup.system pid:!/run/w.pid log nowarn @svc webd -- W", ("boot", "svc", ["webd"])),
        ("service env:/etc/default/web if:<usr/ok> webd -p $EXTRA $PORT", ("boot", "root", ["webd", "-p", "8081", "80"])),
        ("service [345] webd", ("manual", "root", ["webd"])),
        ("service [!2] webd", ("manual", "root", ["webd"])),
        ("service [!016] webd", ("boot", "root", ["webd"])),
        ("service manual:yes webd", ("manual", "root", ["webd"])),
        ("task [S] pre:10,'/usr/bin/x y' \\\n   webd --once", ("boot", "root", ["webd", "--once"])),
        ("sysv /etc/init.d/webd", ("boot", "root", ["/usr/bin/webd", "start"])),
    ],
)
def test_finit_starts_what_the_runlevel_has_as_the_user_it_names(line: str, expected: tuple[str, str, list[str]]) -> None:
    script = '#!/bin/sh\nexec /usr/bin/webd "$1"\n'
    files = {**FINIT, "/etc/finit.d/web.conf": f"{line}\n", "/etc/default/web": "EXTRA=8081\n", "/etc/init.d/webd": script}

    assert [expected] == said(files, "webd")


def test_finit_gives_the_capabilities_that_a_service_asks_for() -> None:
    line = "service @svc caps:^cap_net_bind_service,!cap_sys_admin webd\n"
    (found,) = host({**FINIT, "/etc/finit.d/web.conf": line}).invocations

    assert {"CAP_NET_BIND_SERVICE"} == found.privileges.ambient


def test_finit_keeps_apart_what_has_an_id_and_takes_the_last_of_what_has_none() -> None:
    conf = "service :80 [2] webd -p 80\nservice :81[2] webd -p 81\nservice webd\nservice webd -v\nservice name:web webd -n\n"
    found = host({**FINIT, "/etc/finit.d/web.conf": conf}).invocations

    assert ["webd -p 80", "webd -p 81", "webd -v", "webd -n"] == [" ".join(words(each)) for each in found]
    assert ["webd:80", "webd:81", "webd", "web"] == [each.unit for each in found]


def test_finit_reads_what_is_enabled_and_included_and_not_what_is_available() -> None:
    files = {
        "/etc/finit.conf": "include /etc/more/*.conf\nservice a\n",
        "/lib/finit/system/10-b.conf": "service b\n",
        "/lib/finit/system/20-c.conf": "service wrong\n",
        "/etc/finit.d/20-c.conf": "service c\n",
        "/etc/finit.d/available/d.conf": "service d\n",
        "/etc/finit.d/available/x.conf": "service x\n",
        "/etc/finit.d/enabled/d.conf": "-> ../available/d.conf",
        "/etc/more/e.conf": "service e\ninclude /etc/finit.conf\n",
    }

    assert ["e", "a", "b", "c", "d"] == [each.unit for each in host({**FINIT, **files}).invocations]


def test_a_task_of_finit_may_write_a_kernel_setting() -> None:
    (write,) = host({**FINIT, "/etc/finit.d/t.conf": "task sysctl -w net.core.somaxconn=9 -- More\n"}).sysctl_writes

    assert ("net.core.somaxconn", "9", True) == (write.key, write.value, write.conditional)


@pytest.mark.parametrize("text", ["service", "service [", "service <", "service [2] @", "run pre:'", "include x", "set", "=", "\\"])
def test_a_line_of_finit_that_says_nothing_starts_nothing(text: str) -> None:
    assert () == host({**FINIT, "/etc/finit.d/x.conf": text}).invocations


@pytest.mark.parametrize("opening", ["[", "<", ":9["])
def test_a_bracket_of_finit_that_is_never_closed_leaves_its_service_out_and_costs_no_more_than_its_length(opening: str) -> None:
    files = Files(MemoryTree({**FINIT, "/etc/finit.d/x.conf": f"service {f'{opening}x ' * 100_000}webd\n"}))
    read = started(files, captured(files))

    assert () == read.invocations
    assert ["this service has no command"] == [each.reason for each in files.unreadable]


RANGE = "sysctl -w net.ipv4.ip_local_port_range='2000 3000'\n"
STARTED = f"#!/bin/sh\ncase \"$1\" in\nstart) {RANGE};;\nstop) sysctl -w net.ipv4.ip_local_port_range='4000 5000' ;;\nesac\n"
LOCAL = {"/etc/init.d/local": "#!/sbin/openrc-run\n", "/etc/local.d/tune.start": f"#!/bin/sh\n{RANGE}"}
RC_LOCAL = {"/etc/init.d/rc.local": "#!/bin/sh\n[ -x /etc/rc.local ] && /etc/rc.local\n", "/etc/rc.local": f"#!/bin/sh -e\n{RANGE}exit 0\n"}
RULE = {"/etc/udev/rules.d/9.rules": 'SUBSYSTEM=="net", RUN+="/sbin/sysctl -w \'net.ipv4.ip_local_port_range=2000 3000\'"\n'}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({**OPENRC, **LOCAL, "/etc/runlevels/default/local": "-> /etc/init.d/local"}, ["local /etc/local.d/tune.start:2:1"]),
        ({**OPENRC, **LOCAL}, []),
        ({**OPENRC, **RULE}, ["udev /etc/udev/rules.d/9.rules:1:25"]),
        ({**RUNIT, "/etc/runit/core-services/99-range.sh": RANGE}, ["runit /etc/runit/core-services/99-range.sh:1:1"]),
        ({**RUNIT, "/etc/runit/core-services/08-sysctl.sh": RANGE}, []),
        ({**RUNIT, "/etc/rc.local": RANGE}, ["runit /etc/rc.local:1:1"]),
        ({**SYSVINIT, "/etc/init.d/tune": STARTED, "/etc/rcS.d/S12tune": "-> ../init.d/tune"}, ["tune /etc/init.d/tune:3:8"]),
        ({**SYSVINIT, "/etc/init.d/tune": STARTED}, []),
        ({**SYSVINIT, **RC_LOCAL, "/etc/rc2.d/S05rc.local": "-> ../init.d/rc.local"}, ["rc.local /etc/rc.local:2:1"]),
        ({**SYSVINIT, **RC_LOCAL}, []),
    ],
)
def test_scripts_of_the_boot_write_kernel_settings(files: dict[str, str], expected: list[str]) -> None:
    writes = host(files).sysctl_writes

    assert expected == [f"{write.unit} {write.at}" for write in writes]
    assert {("2000 3000", True)} >= {(write.value, write.conditional or write.unit == "udev") for write in writes}


# ── dinit ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DINIT = {
    **ACCOUNTS,
    "/sbin/init": "-> dinit",
    "/usr/lib/dinit.d/boot": "type = internal\nwaits-for.d = /etc/dinit.d/boot.d\ndepends-on = network # first\n",
    "/usr/lib/dinit.d/network": "type = scripted\ncommand = /usr/bin/netup 80\n",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("command = /usr/bin/webd -p 80", ("root", ["/usr/bin/webd", "-p", "80"])),
        ("command: webd # the web\nrun-as = svc:svc", ("svc", ["webd"])),
        ("# command = x\ncommand = /etc/web.sh -v\nenv-file = web.env", ("root", ["/usr/bin/webd", "8081", "-v"])),
    ],
)
def test_dinit_starts_what_boot_waits_for_as_the_user_it_names(text: str, expected: tuple[str, list[str]]) -> None:
    script = '#!/bin/sh\nexec /usr/bin/webd "$PORT" "$1"\n'
    files = {**DINIT, "/etc/dinit.d/web": f"type = process\n{text}\n", "/etc/dinit.d/web.env": "PORT=8081\n", "/etc/web.sh": script}

    assert [("manual", *expected)] == said(files)
    assert [("boot", *expected)] == said({**files, "/etc/dinit.d/boot.d/web": "-> ../web"})
    assert [("boot", "root", ["/usr/bin/netup", "80"])] == said(files, "network")


def test_dinit_gives_capabilities_and_an_argument() -> None:
    web = "command = /usr/bin/webd -p $1\nrun-as = svc\ncapabilities = ^cap_net_bind_service, !cap_sys_admin\ndepends-on = boot\n"
    (found,) = [
        each for each in host({**DINIT, "/etc/dinit.d/web": web, "/etc/dinit.d/boot.d/web@80": ""}).invocations if each.unit == "web@80"
    ]

    assert ["/usr/bin/webd", "-p", "80"] == words(found)
    assert {"CAP_NET_BIND_SERVICE"} == found.privileges.ambient


# ── s6 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

OVERLAY = "/etc/s6-overlay/s6-rc.d"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("#!/command/execlineb -P\ns6-setuidgid svc\n/usr/bin/webd -p 80\n", ("svc", ["/usr/bin/webd", "-p", "80"])),
        (
            "#!/command/execlineb -P\n# the web\nforeground { mkdir -p /run/web }\nfdmove -c 2 1\n/usr/bin/webd -p 80\n",
            ("root", ["/usr/bin/webd", "-p", "80"]),
        ),
        ("#!/command/execlineb -P\nifelse { test -e /x } { webd 80 } webd 81\n", ("root", [f"{OVERLAY}/web/run"])),
        ("#!/usr/bin/with-contenv bash\nexec s6-setuidgid svc /usr/bin/webd 80\n", ("svc", ["/usr/bin/webd", "80"])),
    ],
)
def test_s6_overlay_starts_what_the_bundle_of_the_user_has_and_what_that_depends_on(script: str, expected: tuple[str, list[str]]) -> None:
    files = {**ACCOUNTS, f"{OVERLAY}/web/run": script, f"{OVERLAY}/web/type": "longrun\n", f"{OVERLAY}/other/dependencies.d/web": ""}

    assert [("manual", *expected)] == said(files)
    assert [("boot", *expected)] == said({**files, f"{OVERLAY}/user/contents.d/web": ""})
    assert [("boot", *expected)] == said({**files, f"{OVERLAY}/user/contents.d/other": "", f"{OVERLAY}/other/up": "/bin/true"})


def test_s6_of_a_distribution_has_the_bundle_default() -> None:
    files = {**ACCOUNTS, "/sbin/init": "-> s6-linux-init", "/etc/s6/sv/web/run": "#!/bin/sh\nexec webd 80\n"}

    assert [("manual", "root", ["webd", "80"])] == said(files)
    assert [("boot", "root", ["webd", "80"])] == said({**files, "/etc/s6/adminsv/default/contents.d/web": ""})


def test_a_oneshot_of_s6_is_a_command_and_a_scan_directory_runs_all_it_has() -> None:
    files = {
        **ACCOUNTS,
        f"{OVERLAY}/web/up": "/etc/web.sh\n",
        "/etc/web.sh": "#!/bin/sh\nexec webd 80\n",
        f"{OVERLAY}/user/contents.d/web": "",
    }

    assert [("boot", "root", ["webd", "80"])] == said(files)
    assert [("boot", "root", ["webd", "81"])] == said({**files, "/etc/services.d/old/run": "#!/bin/sh\nexec webd 81\n"}, "old")
