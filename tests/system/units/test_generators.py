"""Where a tree lacks /run, init scripts, rc.local and quadlets count as their generators would have them (systemd-sysv-generator(8))."""

import pytest

from portwright.facts import Invocation
from portwright.host.reading import read_host
from portwright.system.host_files.captures import captured
from portwright.system.systemd.reader import commands
from portwright.system.systemd.units import Units, load
from portwright.trees import Files
from portwright.trees.memory import MemoryTree

SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          web http-server
# Required-Start:    $network $remote_fs db
# Should-Start:      $local_fs
# X-Start-Before:    proxy
### END INIT INFO
DAEMON=/usr/sbin/webd
DAEMON_ARGS="-p 8080"
. /lib/lsb/init-functions
[ -r /etc/default/web ] && . /etc/default/web
case "$1" in
start)
    start-stop-daemon --start --quiet --chuid www-data --exec $DAEMON -- $DAEMON_ARGS
    ;;
stop)
    start-stop-daemon --stop --exec $DAEMON
    ;;
esac
"""
ENABLED = {"/etc/init.d/web": SCRIPT, "/etc/rc2.d/S01web": "-> ../init.d/web"}


def host(files: dict[str, str]) -> tuple[Units, Files]:
    read = Files(MemoryTree(files))
    return load(read), read


def started(files: dict[str, str]) -> list[Invocation]:
    units, read = host(files)
    return list(commands(units, read, captured(read)))


def starts(files: dict[str, str], name: str = "web.service") -> str | None:
    unit = host(files)[0].get(name)
    return None if unit is None else unit.starts


# ── init scripts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_init_script_is_the_daemon_it_starts_with_what_its_defaults_file_says() -> None:
    (found,) = started({**ENABLED, "/etc/default/web": "DAEMON_ARGS='-p 9090'\n"})

    assert ("web.service", "boot", "likely", "www-data") == (found.unit, found.starts, found.confidence, found.privileges.user)
    assert ["/usr/sbin/webd", "-p", "9090"] == [word.text for word in found.argv]
    assert "/etc/default/web:1:14" == str(found.argv[1].at)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (["/etc/rc2.d/S01web"], "boot"),
        (["/etc/rc5.d/S20web"], "boot"),
        (["/etc/rc2.d/K01web", "/etc/rc5.d/K01web"], "manual"),
        (["/etc/rc0.d/S01web", "/etc/rc6.d/S01web", "/etc/rcS.d/S01web"], "manual"),
        (["/etc/rc3.d/Sxxweb"], "manual"),
        ([], "manual"),
    ],
)
def test_a_start_link_in_a_runlevel_of_a_boot_starts_it(links: list[str], expected: str) -> None:
    assert expected == starts({"/etc/init.d/web": SCRIPT, **dict.fromkeys(links, "-> ../init.d/web")})


@pytest.mark.parametrize(
    "native",
    [
        {"/usr/lib/systemd/system/web.service": "[Service]\nExecStart=/usr/bin/other\n"},
        {"/etc/systemd/system/web.service": "-> /dev/null"},
        {
            "/lib/systemd/system/o.service": "[Service]\nExecStart=/o\n",
            "/etc/systemd/system/web.service": "-> /lib/systemd/system/o.service",
        },
    ],
    ids=["a unit", "a mask", "an alias"],
)  # fmt: skip
def test_a_native_unit_an_alias_or_a_mask_keeps_the_script_from_being_looked_at(native: dict[str, str]) -> None:
    assert starts({**ENABLED, **native}) != "boot"


def test_what_the_generator_made_is_taken_as_it_is() -> None:
    assert starts({**ENABLED, "/run/systemd/generator/x.target": "[Unit]\n"}) is None


def test_an_enabled_native_unit_whose_file_was_not_copied_is_no_init_script() -> None:
    link = {"/etc/systemd/system/multi-user.target.wants/web.service": "-> /lib/systemd/system/web.service"}

    assert [] == started({**ENABLED, **link})


def test_a_name_that_a_script_provides_is_an_alias_and_its_facilities_are_orderings() -> None:
    units, _ = host({**ENABLED, "/etc/init.d/db": "#!/bin/sh\n", "/etc/rc2.d/S01db": "-> ../init.d/db"})

    unit = units.get("http-server.service")
    assert unit is not None
    assert "web.service" == unit.name
    after = [(setting.key, setting.value, str(setting.at)) for setting in unit.settings if setting.key in ("After", "Before")]
    assert [
        ("After", "network-online.target", "/etc/init.d/web:4:22"),
        ("After", "remote-fs.target", "/etc/init.d/web:4:31"),
        ("After", "db.service", "/etc/init.d/web:4:42"),
        ("Before", "proxy.service", "/etc/init.d/web:6:22"),
    ] == after
    assert "db.service" in units.before("web.service")


def test_a_drop_in_counts_for_a_generated_unit_too() -> None:
    (found,) = started({**ENABLED, "/etc/systemd/system/web.service.d/net.conf": "[Service]\nPrivateNetwork=yes\n"})

    assert found.privileges.private_network


def test_notes_and_libraries_beside_init_scripts_are_none() -> None:
    assert starts({"/etc/init.d/README": "read me\n", "/etc/init.d/web": "# sourced\n", "/etc/rc2.d/S01web": "-> ../init.d/web"}) is None


# ── rc.local ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rc_local_starts_what_it_leaves_in_the_background() -> None:
    (found,) = started({"/etc/rc.local": "#!/bin/sh\nulimit -n 4096\n/usr/bin/relay --port 90 &\nexit 0\n"})

    assert ("rc-local.service", "boot", "likely") == (found.unit, found.starts, found.confidence)
    assert ["/usr/bin/relay", "--port", "90"] == [word.text for word in found.argv]


# ── quadlets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quadlet_is_the_podman_command_its_generator_writes() -> None:
    text = "[Container]\nImage=localhost/web\nPublishPort=8080:80\nPublishPort=127.0.0.1:53:53/udp\n[Install]\nWantedBy=default.target\n"

    (found,) = started({"/etc/containers/systemd/web.container": text})

    assert ("web.service", "boot", "likely") == (found.unit, found.starts, found.confidence)
    expected = ["/usr/bin/podman", "run", "--publish", "8080:80", "--publish", "127.0.0.1:53:53/udp", "localhost/web"]
    assert expected == [word.text for word in found.argv]
    assert "/etc/containers/systemd/web.container:3:13" == str(found.argv[3].at)


def test_a_quadlet_without_install_section_is_started_by_nobody() -> None:
    assert "manual" == starts({"/etc/containers/systemd/web.container": "[Container]\nImage=web\n"})


def test_the_first_directory_with_a_quadlet_of_a_name_wins() -> None:
    units, _ = host({f"/{top}/containers/systemd/web.container": f"[Container]\nImage={top}\n" for top in ("etc", "usr/share")})

    unit = units.get("web.service")
    assert unit is not None
    assert ("/etc/containers/systemd/web.container",) == unit.files


INSTALL = "[Install]\nWantedBy=multi-user.target\n"
QUADLETS = "/etc/containers/systemd"


def published(files: dict[str, str]) -> list[str]:
    """The ports of the containers that a boot starts."""
    found = read_host(MemoryTree({f"{QUADLETS}/{name}": text for name, text in files.items()} | {"/etc/os-release": "ID=fedora\n"}), "h")
    return sorted(f"{each.unit} {each.ports} {each.starts}" for each in found.listeners)


def test_a_drop_in_of_a_quadlet_takes_back_its_ports() -> None:
    web = {"web.container": f"[Container]\nImage=x\nPublishPort=8080:80\n{INSTALL}"}

    assert ["web.service 8080 boot", "web.service 9080 boot"] == published(
        web | {"web.container.d/a.conf": "[Container]\nPublishPort=9080:80\n"}
    )
    assert ["web.service 9080 boot"] == published(web | {"web.container.d/a.conf": "[Container]\nPublishPort=\nPublishPort=9080:80\n"})
    assert ["web.service 8080 boot", "web.service 81 boot"] == published(web | {"container.d/a.conf": "[Container]\nPublishPort=81:81\n"})


@pytest.mark.parametrize("folder", ["web-.container.d", "web-front-.container.d", "web-front-one.container.d"])
def test_a_drop_in_is_for_all_quadlets_whose_names_begin_so(folder: str) -> None:
    files = {"web-front-one.container": f"[Container]\nImage=x\n{INSTALL}", f"{folder}/a.conf": "[Container]\nPublishPort=81:81\n"}

    assert ["web-front-one.service 81 boot"] == published(files)


def test_quadlets_lie_in_folders_too_but_those_of_users_are_not_the_systems() -> None:
    text = f"[Container]\nImage=x\nPublishPort=81:81\n{INSTALL}"

    assert ["a.service 81 boot"] == published({"shop/db/a.container": text, "users/b.container": text, "users/1000/c.container": text})


def test_a_container_starts_its_pod_and_a_pod_its_containers() -> None:
    member = "[Container]\nImage=x\nPod=shop.pod\n"
    pod = "[Pod]\nPublishPort=81:81\n"

    assert ["shop-pod.service 81 boot"] == published({"shop.pod": pod, "x.container": member + INSTALL})
    assert ["shop-pod.service 81 manual"] == published({"shop.pod": pod, "x.container": member})
    units, _ = host({f"{QUADLETS}/shop.pod": pod + INSTALL, f"{QUADLETS}/x.container": member})
    others, _ = host({f"{QUADLETS}/shop.pod": pod + INSTALL, f"{QUADLETS}/x.container": f"{member}StartWithPod=no\n"})
    assert ["boot", "manual"] == [unit.starts for each in (units, others) if (unit := each.get("x.service")) is not None]


def test_a_template_is_started_as_its_default_instance() -> None:
    text = "[Container]\nImage=x\nPublishPort=81:81\n[Install]\nDefaultInstance=main\nWantedBy=multi-user.target\n"

    assert ["web@main.service 81 boot"] == published({"web@.container": text})


# ── generators that packages ship ───────────────────────────────────────────────────────────────────────────────────

GENERATORS = "/usr/lib/systemd/system-generators"
SSH = {
    f"{GENERATORS}/sshd-socket-generator": "ELF\n",
    "/usr/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=0.0.0.0:22\nListenStream=[::]:22\nBindIPv6Only=ipv6-only\n",
    "/usr/lib/systemd/system/ssh.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n",
}


def listens(files: dict[str, str], name: str) -> list[str]:
    unit = host(files)[0].get(name)
    assert unit is not None
    return [f"{setting.value} {setting.at}" for setting in unit.each("Socket", "ListenStream")]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("Port 2222\n", ["0.0.0.0:2222 /etc/ssh/sshd_config:1:6", "[::]:2222 /etc/ssh/sshd_config:1:6"]),
        ("Port 22\n", ["0.0.0.0:22 /usr/lib/systemd/system/ssh.socket:2:14", "[::]:22 /usr/lib/systemd/system/ssh.socket:3:14"]),
        ("AddressFamily inet\n", ["0.0.0.0:22 /etc/ssh/sshd_config:1:15"]),
        (
            "ListenAddress 192.0.2.4\nListenAddress [2001:db8::4]:2200\nPort 2222\n",
            ["192.0.2.4:2222 /etc/ssh/sshd_config:1:15", "[2001:db8::4]:2200 /etc/ssh/sshd_config:2:15"],
        ),
        (
            "Match User a\nPort 2222\n",
            ["0.0.0.0:22 /usr/lib/systemd/system/ssh.socket:2:14", "[::]:22 /usr/lib/systemd/system/ssh.socket:3:14"],
        ),
    ],
)
def test_sshd_socket_generator_gives_ssh_socket_the_ports_of_sshd_config(config: str, expected: list[str]) -> None:
    assert expected == listens({**SSH, "/etc/ssh/sshd_config": config}, "ssh.socket")


@pytest.mark.parametrize(
    "more",
    [
        {f"{GENERATORS}/sshd-socket-generator": "-> /nowhere"},
        {"/etc/systemd/system-generators/sshd-socket-generator": "-> /dev/null"},
        {"/run/systemd/generator.late/README": "made\n"},
    ],
    ids=["not installed", "masked", "what it made would be there"],
)
def test_a_generator_that_is_not_there_or_that_has_run_makes_nothing(more: dict[str, str]) -> None:
    found = listens({**SSH, "/etc/ssh/sshd_config": "Port 2222\n", **more}, "ssh.socket")

    assert ["0.0.0.0:22 /usr/lib/systemd/system/ssh.socket:2:14", "[::]:22 /usr/lib/systemd/system/ssh.socket:3:14"] == found


def test_a_drop_in_that_sorts_behind_the_generated_one_has_the_last_word() -> None:
    drop_in = {"/etc/systemd/system/ssh.socket.d/listen.conf": "[Socket]\nListenStream=\nListenStream=2200\n"}
    found = listens({**SSH, "/etc/ssh/sshd_config": "Port 2222\n", **drop_in}, "ssh.socket")

    assert ["2200 /etc/systemd/system/ssh.socket.d/listen.conf:3:14"] == found


def test_systemd_sslh_generator_makes_a_socket_of_the_listen_lines() -> None:
    config = 'verbose: 0;\nlisten:\n(\n    # { host: "a"; port: "1"; },\n    { host: "0.0.0.0"; port: "443"; }\n);\n'
    files = {f"{GENERATORS}/systemd-sslh-generator": "ELF\n", "/etc/sslh.cfg": config}

    assert ["0.0.0.0:443 /etc/sslh.cfg:5:31"] == listens(files, "sslh.socket")
    assert "boot" == starts(files, "sslh.socket")


@pytest.mark.parametrize(
    ("files", "unit", "expected"),
    [
        ({"/etc/postgresql/15/main/postgresql.conf": ""}, "postgresql@15-main.service", "boot"),
        (
            {"/etc/postgresql/15/main/postgresql.conf": "", "/etc/postgresql/15/main/start.conf": "# how\nauto\n"},
            "postgresql@15-main.service",
            "boot",
        ),
        (
            {"/etc/postgresql/15/main/postgresql.conf": "", "/etc/postgresql/15/main/start.conf": "manual\n"},
            "postgresql@15-main.service",
            None,
        ),
        ({"/etc/openvpn/office.conf": ""}, "openvpn@office.service", "boot"),
        ({"/etc/openvpn/office.conf": "", "/etc/default/openvpn": 'AUTOSTART="none"\n'}, "openvpn@office.service", None),
        ({"/etc/openvpn/office.conf": "", "/etc/default/openvpn": 'AUTOSTART="home"\n'}, "openvpn@office.service", None),
        ({"/etc/tor/instances/a/torrc": ""}, "tor@a.service", "boot"),
    ],
)
def test_generators_of_debian_start_an_instance_for_each_config(files: dict[str, str], unit: str, expected: str | None) -> None:
    name = unit.partition("@")[0]
    shipped = {
        f"{GENERATORS}/{name}-generator": "#!/bin/sh\n",
        f"/usr/lib/systemd/system/{name}.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
        f"/usr/lib/systemd/system/{name}@.service": "[Service]\nExecStart=/usr/bin/a %i\n",
        f"/etc/systemd/system/multi-user.target.wants/{name}.service": f"-> /usr/lib/systemd/system/{name}.service",
    }

    assert expected == starts({**shipped, **files}, unit)


@pytest.mark.parametrize("network", [".network", "\x85", " \xa0.network"])
def test_a_quadlet_whose_network_has_no_name_is_read_to_its_end(network: str) -> None:
    quadlet = f"[Container]\nImage=x\nNetwork={network}\nPublishPort=8080:80\n[Install]\nWantedBy=multi-user.target\n"
    generator = "/usr/lib/systemd/system-generators/podman-system-generator"
    host = read_host(
        MemoryTree({"/etc/containers/systemd/a.container": quadlet, generator: "\x7fELF", "/etc/os-release": "ID=debian\n"}), "h"
    )

    assert ["8080"] == [str(listener.ports) for listener in host.listeners]
