"""A copy of /etc alone: what a link enables is known by the package's unit of that name, though its file is not there."""

import pytest

from portwright.facts import Listener
from portwright.host.reading import read_host
from portwright.trees.memory import MemoryTree

WANTS = "/etc/systemd/system/multi-user.target.wants"
ACCOUNTS = "root:x:0:0:root:/root:/bin/bash\nmysql:x:101:101::/nonexistent:/bin/false\nprometheus:x:102:102::/:/bin/false\n"
DEBIAN = {"/etc/os-release": "ID=debian\nVERSION_ID=12\n", "/etc/passwd": ACCOUNTS}


def heard(files: dict[str, str], *units: str) -> list[Listener]:
    links = {f"{WANTS}/{unit}": f"-> /lib/systemd/system/{unit}" for unit in units}
    return list(read_host(MemoryTree({**DEBIAN, **files, **links}), "host1").listeners)


NGINX = {"/etc/nginx/nginx.conf": "events {}\nhttp {\n  server { listen 8080; }\n}\n"}


def test_the_daemon_of_the_package_is_read_and_likely() -> None:
    (found,) = heard(NGINX, "nginx.service")

    assert ("nginx", "nginx.service", 8080, "boot", "likely", "root") == (
        found.app, found.unit, found.port, found.starts, found.confidence, found.bind_user,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "units", "expected"),
    [
        ({"/etc/haproxy/haproxy.cfg": "frontend a\n  bind :8443\n"}, ("haproxy.service",), [(8443, "root")]),
        ({"/etc/redis/redis.conf": "port 6400\nbind 127.0.0.1\n"}, ("redis-server.service",), [(6400, None)]),
        ({"/etc/mysql/my.cnf": "[mysqld]\nport = 3307\nbind-address = 127.0.0.1\n"}, ("mariadb.service",), [(3307, "mysql")]),
        ({"/etc/default/prometheus": 'ARGS="--web.listen-address=127.0.0.1:9095"\n'}, ("prometheus.service",), [(9095, "prometheus")]),
        ({"/etc/ssh/sshd_config": "Port 2222\nListenAddress 127.0.0.1\n"}, ("ssh.service",), [(2222, "root")]),
        ({"/etc/default/openvpn": ""}, ("openvpn.service",), []),
        ({}, ("nginx.service",), []),
        ({}, ("shop.service",), []),
    ],
)
def test_it_is_started_as_its_package_starts_it(
    files: dict[str, str], units: tuple[str, ...], expected: list[tuple[int, str | None]]
) -> None:
    assert expected == [(each.port, each.bind_user) for each in heard(files, *units)]


def test_what_is_dropped_into_such_a_unit_counts() -> None:
    dropped = {
        **NGINX,
        "/etc/nginx/other.conf": "events {}\nhttp {\n  server { listen 9090; }\n}\n",
        "/etc/systemd/system/nginx.service.d/other.conf": "[Service]\nExecStart=\nExecStart=/usr/sbin/nginx -c /etc/nginx/other.conf\n",
    }

    assert [9090] == [each.port for each in heard(dropped, "nginx.service")]


def test_a_script_of_its_name_is_read_where_no_daemon_is_known_by_it() -> None:
    script = "#!/bin/sh\ncase \"$1\" in\nstart) start-stop-daemon --start --exec /usr/bin/python3 -- -m http.server 8765 ;;\nesac\n"

    assert [8765] == [each.port for each in heard({"/etc/init.d/shop": script}, "shop.service")]


def test_where_the_copy_has_units_of_packages_a_link_to_nothing_is_one_of_a_package_that_was_removed() -> None:
    assert [] == heard({**NGINX, "/usr/lib/systemd/system/cron.service": "[Service]\nExecStart=/usr/sbin/cron\n"}, "nginx.service")


def test_the_link_is_unreadable_in_either_case() -> None:
    links = {f"{WANTS}/{unit}": f"-> /lib/systemd/system/{unit}" for unit in ("nginx.service", "shop.service")}

    host = read_host(MemoryTree({**DEBIAN, **NGINX, **links}), "host1")

    assert [
        "nginx.service is enabled by a link to /lib/systemd/system/nginx.service, which is not there: it is taken to start what its "
        "package starts",
        "shop.service is enabled by a link to /lib/systemd/system/shop.service, which is not there: what it starts is unknown",
    ] == [each.reason for each in host.unreadable]
