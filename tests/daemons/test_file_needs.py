"""How many open files a daemon needs for its connections, and how many it comes to.

Tried with prlimit(1), /proc/PID/limits and each daemon's log, by a root without CAP_SYS_RESOURCE: nginx 1.22.1, haproxy 2.6.12, redis
7.0.15, memcached 1.6.18, MariaDB 10.11, pgbouncer 1.18 and mosquitto 2.0.11. `limit` is what was left, None where it was enough.
"""

import pytest

from portwright._start.records import replace
from portwright.daemons import daemon_of
from portwright.facts import FileNeed, OpenFiles, Privileges
from portwright.host.join.open_files import file_limit
from tests.daemons.by_hand import host_of, invocation

BARE = Privileges(bounding=frozenset({"CAP_SETUID", "CAP_SETGID"}))
NGINX = "/etc/nginx/nginx.conf"
HAPROXY = "/etc/haproxy/haproxy.cfg"


def limited(command: str, soft: int, hard: int, files: dict[str, str], privileges: Privileges = BARE) -> tuple[int, int | None] | None:
    """(files needed, the limit it comes to); None where it says no number of connections."""
    started = replace(invocation(command), open_files=OpenFiles(soft, hard), privileges=privileges)
    known = daemon_of(started)
    assert known is not None
    needs = [said for said in known.read(started, host_of(files), {}) if isinstance(said, FileNeed)]
    if not needs:
        return None
    found = file_limit(needs[0], started)
    assert found is not None
    return found.needed, found.limit


def nginx(connections: int, main: str = "") -> dict[str, str]:
    return {NGINX: f"{main} events {{ worker_connections {connections}; }} http {{ server {{ listen 8080; }} }}"}


def haproxy(lines: str) -> dict[str, str]:
    return {HAPROXY: f"global\n{lines}\ndefaults\n mode tcp\nlisten a\n bind :8081\n server s 127.0.0.1:9\n"}


@pytest.mark.parametrize(
    ("soft", "hard", "files", "expected"),
    [
        (1024, 20000, nginx(4096), (4096, 1024)),
        (1024, 20000, nginx(4096, "worker_rlimit_nofile 8192;"), (4096, 8192)),
        (1024, 20000, nginx(4096, "worker_rlimit_nofile 2048;"), (4096, 2048)),
        (20000, 20000, nginx(4096, "worker_rlimit_nofile 2048;"), (4096, 2048)),
        (1024, 2048, nginx(4096, "worker_rlimit_nofile 10000;"), (4096, 1024)),
        (1024, 20000, {NGINX: "events {} http { server { listen 8080; } }"}, None),
    ],
)
def test_nginx_gives_its_workers_what_it_has_or_what_it_is_told(
    soft: int, hard: int, files: dict[str, str], expected: tuple[int, int | None] | None
) -> None:
    assert expected == limited("nginx", soft, hard, files)


@pytest.mark.parametrize(
    ("soft", "hard", "lines", "expected"),
    [
        (1024, 20000, " maxconn 8000", (16000, None)),
        (1024, 4096, " maxconn 8000", (16000, 4096)),
        (1024, 20000, " maxconn 8000\n ulimit-n 10000", (16000, 10000)),
        (1024, 20000, " maxconn 8000\n fd-hard-limit 4096", (16000, 4096)),
        (1024, 20000, " fd-hard-limit 4096", None),
        (1024, 4096, " nbthread 1", None),
    ],
)
def test_haproxy_raises_its_limit_as_far_as_it_may(soft: int, hard: int, lines: str, expected: tuple[int, int | None] | None) -> None:
    assert expected == limited(f"haproxy -db -f {HAPROXY}", soft, hard, haproxy(lines))


def test_an_argument_of_haproxy_comes_before_its_global_section() -> None:
    assert (200, None) == limited(f"haproxy -n 100 -f {HAPROXY}", 1024, 4096, haproxy(" maxconn 8000"))


@pytest.mark.parametrize(
    ("command", "soft", "hard", "expected"),
    [
        ("redis-server", 1024, 20000, (10032, None)),
        ("redis-server", 1024, 4096, (10032, 4096)),
        ("redis-server --maxclients 4064", 1024, 4096, (4096, None)),
        ("redis-server --maxclients 4065", 1024, 4096, (4097, 4096)),
        ("memcached -u nobody", 1024, 20000, (1024, None)),
        ("memcached -u nobody", 512, 512, (1024, 512)),
        ("memcached -u nobody -c4096", 1024, 4096, (4096, None)),
        ("memcached -u nobody --conn-limit=5000", 1024, 4096, (5000, 4096)),
        ("mariadbd --user=mysql", 1024, 20000, None),
        ("mariadbd --user=mysql --max-connections=5000", 1024, 16384, (5001, 1024)),
        ("mariadbd --user=mysql --max-connections=5000", 1024, 524288, (5001, None)),
    ],
)
def test_others_raise_it_too(command: str, soft: int, hard: int, expected: tuple[int, int | None] | None) -> None:
    assert expected == limited(command, soft, hard, {})


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("pgbouncer /etc/p.ini", {"/etc/p.ini": "[pgbouncer]\nlisten_addr = 127.0.0.1\nmax_client_conn = 5000\n"}),
        ("mosquitto -c /etc/m.conf", {"/etc/m.conf": "listener 1883\nmax_connections 5000\n"}),
    ],
)
def test_some_take_what_they_are_given(command: str, files: dict[str, str]) -> None:
    assert (5000, 1024) == limited(command, 1024, 20000, files)


def test_root_with_all_its_capabilities_goes_beyond_the_hard_limit() -> None:
    assert (10032, None) == limited("redis-server", 1024, 4096, {}, Privileges())
    assert (10032, 4096) == limited("redis-server", 1024, 4096, {}, Privileges(user="redis", uid0=False))
    assert (4096, 10000) == limited("nginx", 1024, 2048, nginx(4096, "worker_rlimit_nofile 10000;"), Privileges())


def test_nothing_is_said_where_the_limit_is_not_known() -> None:
    need = FileNeed(invocation("redis-server").at, "redis", "maxclients", 10000, 10032, "")

    assert file_limit(need, invocation("redis-server")) is None
