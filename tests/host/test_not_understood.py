"""A service of which nobody can say whether it listens is a row of coverage; one that is understood, or never listens, is none."""

import pytest

from portwright.coverage import NotUnderstood
from portwright.host.reading import read_host
from portwright.repositories.reading import read_repository
from portwright.trees.memory import MemoryTree

HOST = {"/etc/os-release": "ID=debian\n", "/etc/passwd": "root:x:0:0::/root:/bin/sh\n"}


def rows(service: str, files: dict[str, str] | None = None, enabled: bool = True, more: str = "") -> list[tuple[str, str]]:
    """(program, reason) for one enabled service whose [Service] section is this."""
    tree = {
        **HOST,
        "/etc/systemd/system/app.service": f"[Service]\n{service}\n[Install]\nWantedBy=multi-user.target\n{more}",
        **(files or {}),
    }
    if enabled:
        tree["/etc/systemd/system/multi-user.target.wants/app.service"] = "-> ../app.service"
    return [(each.program, each.reason) for each in of(tree)]


def of(tree: dict[str, str]) -> tuple[NotUnderstood, ...]:
    return read_host(MemoryTree(tree), "host").coverage.not_understood


NO_DAEMON = "no daemon is known by this name, and neither its command line nor its environment names a port to listen on"
NO_PORT = "where it listens, if it does, cannot be determined: its text and command line name no port that portwright understands"


def test_a_row_names_the_unit_the_program_and_the_line_that_starts_it() -> None:
    tree = {
        **HOST,
        "/etc/systemd/system/app.service": "[Service]\nExecStart=/opt/app/bin/app --workers 4\n",
        "/etc/systemd/system/multi-user.target.wants/app.service": "-> ../app.service",
    }

    (row,) = of(tree)

    assert ("app.service", "/opt/app/bin/app", NO_DAEMON) == (row.unit, row.program, row.reason)
    assert "/etc/systemd/system/app.service:2:11" == str(row.at)


@pytest.mark.parametrize(
    ("service", "files", "row"),
    [
        ("ExecStart=/opt/app/bin/app", {}, ("/opt/app/bin/app", NO_DAEMON)),
        ("ExecStart=app", {"/usr/sbin/app": "\x7fELF"}, ("/usr/sbin/app", NO_DAEMON)),
        # Where packages install nothing, a name says nothing.
        ("ExecStart=/opt/tools/irqbalance", {}, ("/opt/tools/irqbalance", NO_DAEMON)),
        (
            "ExecStart=/usr/bin/node /srv/app.js",
            {},
            ("/srv/app.js", "the script is not there, so where it listens is not known"),
        ),
        ("ExecStart=/usr/bin/node /srv/app.js", {"/srv/app.js": "require('./lib').start();\n"}, ("/srv/app.js", NO_PORT)),
        ("ExecStart=/usr/bin/python3 -m app", {}, ("/usr/bin/python3", NO_PORT)),
        (
            "ExecStart=/bin/sh /srv/run.sh",
            {},
            ("/srv/run.sh", "the shell script is not there, so what it starts is not known"),
        ),
        (
            "ExecStart=/srv/run",
            {"/srv/run": '#!/bin/sh\nfor each in /srv/*.d; do "$each"; done\n'},
            ("/srv/run", "which program this shell script starts cannot be determined"),
        ),
        (
            "PassEnvironment=ARGS\nExecStart=/opt/app/bin/app $ARGS",
            {},
            ("/opt/app/bin/app", "part of its command line cannot be determined, and the rest names no port"),
        ),
        (
            "ExecStart=/usr/bin/docker compose up",
            {},
            ("/usr/bin/docker", "no Compose file is in /, so what is published is not known"),
        ),
        (
            "ExecStart=/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg\nPassEnvironment=PORT",
            {"/etc/haproxy/haproxy.cfg": "frontend a\n    mode http\n    bind :${PORT}\n    bind :8080\n"},
            ("/usr/sbin/haproxy", "the address ':${PORT}' has a part that is not in the host's files"),
        ),
        # systemd lets what is left of it live on.
        ("Type=oneshot\nRemainAfterExit=yes\nExecStart=/opt/app/start", {}, ("/opt/app/start", NO_DAEMON)),
        (
            "Type=oneshot\nExecStart=/usr/bin/docker-compose up -d",
            {},
            ("/usr/bin/docker-compose", "no Compose file is in /, so what is published is not known"),
        ),
        (
            "ExecStart=/usr/bin/dbus-daemon --system --nofork",
            {"/etc/dbus-1/system.conf": "<listen>tcp:host=localhost,port=60</listen>\n"},
            ("/usr/bin/dbus-daemon", NO_DAEMON),
        ),
    ],
)
def test_what_nobody_can_follow_is_told(service: str, files: dict[str, str], row: tuple[str, str]) -> None:
    assert [row] == rows(service, files)


@pytest.mark.parametrize(
    ("service", "files"),
    [
        ("ExecStart=/opt/app/bin/app --port 8080", {}),
        ("ExecStart=/usr/sbin/irqbalance --foreground", {}),
        ("ExecStart=/usr/bin/python3 /usr/bin/networkd-dispatcher --run-startup-triggers", {"/usr/bin/networkd-dispatcher": "import x\n"}),
        ("ExecStart=/usr/bin/dbus-daemon --system --nofork", {"/etc/dbus-1/system.conf": "<listen>unix:path=/run/bus</listen>\n"}),
        ("ExecStart=/usr/sbin/auditd", {"/etc/audit/auditd.conf": "#tcp_listen_port = 60\n"}),
        # A daemon that is known and says that it opens no port.
        ("ExecStart=/usr/sbin/haproxy -f /etc/haproxy/haproxy.cfg", {"/etc/haproxy/haproxy.cfg": "global\n    daemon\n"}),
        # What a oneshot unit leaves behind is killed.
        ("Type=oneshot\nExecStart=/opt/app/migrate", {}),
        ("ExecStart=/bin/sh -c 'sysctl -w net.core.somaxconn=1024; exec sleep infinity'", {}),
    ],
)
def test_what_is_understood_or_never_listens_is_no_row(service: str, files: dict[str, str]) -> None:
    assert [] == rows(service, files)


def test_a_service_that_nothing_starts_is_no_row() -> None:
    assert [] == rows("ExecStart=/opt/app/bin/app", enabled=False)


def test_a_service_that_a_socket_listens_for_is_understood_and_one_behind_a_unix_socket_is_not() -> None:
    def socket(listens: str) -> dict[str, str]:
        return {
            "/etc/systemd/system/app.socket": f"[Socket]\nListenStream={listens}\n",
            "/etc/systemd/system/sockets.target.wants/app.socket": "-> ../app.socket",
        }

    assert [] == rows("ExecStart=/opt/app/bin/app", socket("8080"), enabled=False)
    assert [("/opt/app/bin/app", NO_DAEMON)] == rows("ExecStart=/opt/app/bin/app", socket("/run/app.sock"), enabled=False)


def test_a_script_that_goes_by_a_daemons_name_is_read_as_the_script_it_is() -> None:
    script = "#!/usr/bin/env python3\nimport socketserver\n\nsocketserver.TCPServer(('127.0.0.1', 4711), None).serve_forever()\n"
    tree = {
        **HOST,
        "/usr/local/bin/mosquitto": script,
        "/etc/systemd/system/app.service": "[Service]\nExecStart=/usr/local/bin/mosquitto\n",
        "/etc/systemd/system/multi-user.target.wants/app.service": "-> ../app.service",
    }

    (listener,) = read_host(MemoryTree(tree), "h").listeners

    assert ("mosquitto", "127.0.0.1", 4711) == (listener.app, listener.address, listener.port)


@pytest.mark.parametrize(
    ("path", "script"),
    [
        ("/opt/venv/bin/gunicorn", "#!/opt/venv/bin/python3\nimport sys\nfrom gunicorn.app.wsgiapp import run\nsys.exit(run())\n"),
        ("/usr/bin/carbon-cache", "#!/usr/bin/python3\nfrom carbon.util import run_twistd_plugin\nrun_twistd_plugin(__file__)\n"),
    ],
)
def test_a_daemon_that_is_a_script_stays_that_daemon(path: str, script: str) -> None:
    tree = {
        **HOST,
        path: script,
        "/etc/systemd/system/app.service": f"[Service]\nExecStart={path} start\n",
        "/etc/systemd/system/multi-user.target.wants/app.service": "-> ../app.service",
    }

    assert {path.rpartition("/")[2]} == {each.app for each in read_host(MemoryTree(tree), "h").listeners}


def test_every_deployed_service_of_a_repository_counts() -> None:
    unit = "[Service]\nExecStart=/opt/app/bin/app\n[Install]\nWantedBy=multi-user.target\n"
    tree = MemoryTree({"/deploy/app.service": unit, "/examples/other.service": unit})

    (host,) = read_repository(tree, "repo")

    assert [("app.service", "/deploy/app.service")] == [(each.unit, each.at.path) for each in host.coverage.not_understood]
    assert ["/examples/other.service"] == [each.path for each in host.coverage.left_out]


@pytest.mark.parametrize(
    ("service", "files", "program"),
    [
        ("ExecStart=@/opt/app/app sleep 100", {}, "/opt/app/app"),
        ("ExecStart=@/opt/app/app /bin/sleep 100", {}, "/opt/app/app"),
        ("ExecStart=/bin/sleep 100", {"/bin/sleep": "-> /opt/app/app"}, "/bin/sleep"),
    ],
)
def test_the_name_of_a_program_that_never_listens_hides_no_other(service: str, files: dict[str, str], program: str) -> None:
    assert [(program, NO_DAEMON)] == rows(service, files)


@pytest.mark.parametrize("files", [{}, {"/bin": "-> usr/bin"}, {"/bin/sleep": "-> /etc/alternatives/sleep"}, {"/bin/sleep": "-> busybox"}])
def test_a_program_that_never_listens_may_be_a_link_of_a_package(files: dict[str, str]) -> None:
    assert [] == rows("ExecStart=/bin/sleep 100", files)
    assert [] == rows("ExecStart=@/bin/sleep app 100", files)


def test_a_generator_that_is_no_packages_may_make_any_unit() -> None:
    here, shipped = "/etc/systemd/system-generators", "/usr/lib/systemd/system-generators"
    tree = {
        **HOST,
        f"{here}/own": "#!/bin/sh\n",
        f"{here}/of-package": f"-> {shipped}/of-package",
        f"{shipped}/of-package": "\x7fELF",
        f"{here}/masked": "-> /dev/null",
        f"{here}/empty": "",
        "/usr/local/lib/systemd/system-generators/other": "\x7fELF",
    }

    assert [f"{here}/own", "/usr/local/lib/systemd/system-generators/other"] == [row.program for row in of(tree)]


def test_the_list_of_packages_is_no_config_of_a_daemon_that_asks_for_its_version() -> None:
    """BIND's default install on Debian 13 was a row for `includes` in a description."""
    files = {
        "/etc/bind/named.conf": 'options { directory "/var/cache/bind"; };\n',
        "/var/lib/dpkg/status": "Package: bind9\nStatus: install ok installed\nVersion: 1:9.20.11-4\n"
        "Description: DNS\n includes a port to listen on\n",
    }

    assert [] == rows("ExecStart=/usr/sbin/named -f", files)
