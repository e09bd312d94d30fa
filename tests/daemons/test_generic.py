"""Ports of programs nobody knows: said only where a name says that the port is the program's own."""

import pytest

from portwright.daemons import daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.facts import Endpoint
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

FILES = {
    "/etc/services": "tftp 69/udp\ndomain 53/tcp\ndomain 53/udp\n",
    "/srv/web.js": "const port = process.env.PORT || 3000\n",
    "/srv/job.js": "console.log('no socket here')\n",
}


def said(command: str, environment: dict[str, str] | None = None) -> list[str]:
    return brief(generic.read(invocation(command, environment), host_of(FILES), {}))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/opt/app --port=8080", ["tcp * 8080"]),
        ("/opt/app --port 8080", ["tcp * 8080"]),
        ("/opt/app -port 8080", ["tcp * 8080"]),
        ("/opt/app -p 8080", ["tcp * 8080"]),
        ("/opt/app -p8080", ["tcp * 8080"]),
        ("/opt/app --http-port 8080 --metrics-port=9090", ["tcp * 8080", "tcp * 9090"]),
        ("/opt/app --httpPort 8080", ["tcp * 8080"]),
        ("/opt/app --udp-port 514", ["udp * 514"]),
        ("/opt/app --host 127.0.0.1 --port 8080", ["tcp 127.0.0.1 8080"]),
        ("/opt/app --port 8080 --bind localhost", ["tcp 127.0.0.1 8080"]),
        ("/opt/app --listen 127.0.0.1:8080", ["tcp 127.0.0.1 8080"]),
        ("/opt/app --listen 8080", ["tcp * 8080"]),
        ("/opt/app --web.listen-address=:9100", ["tcp * 9100"]),
        ("/opt/app --web.listen-address=[::1]:9100", ["tcp ::1 9100"]),
        ("/opt/app -addr :8080", ["tcp * 8080"]),
        ("/opt/app --http-address 0.0.0.0:8080", ["tcp 0.0.0.0 8080"]),
        ("/opt/app --bind tcp://127.0.0.1:8080", ["tcp 127.0.0.1 8080"]),
        ("/opt/app-thing --thing-port 8080", ["tcp * 8080"]),
        ("/usr/bin/puma -b tcp://127.0.0.1:9292 config.ru", ["tcp 127.0.0.1 9292"]),
        ("/usr/bin/php -S 0.0.0.0:8080 -t /srv", ["tcp 0.0.0.0 8080"]),
        ("/usr/bin/java -Dserver.port=8080 -Dhttp.proxyPort=3128 -jar /opt/a.jar", ["tcp * 8080"]),
        ("/usr/sbin/in.tftpd --listen --address :69 /srv", ["udp * 69"]),
    ],
)
def test_a_flag_that_names_its_own_port_is_believed(command: str, expected: list[str]) -> None:
    assert expected == said(command)


@pytest.mark.parametrize(
    "command",
    [
        "/opt/app --redis-port 6379",
        "/opt/app --db-port=5432 --smtp-port 25 --remote-port 80",
        "/opt/app --connect :80 --upstream 10.0.0.1:80 --server 127.0.0.1:80 --target :8080",
        "/opt/app --port 8080 --host db.example.com",
        "/opt/app --listen api.example.com:80",
        "/opt/app --peer-address 10.0.0.1:80 --advertise-address 10.0.0.1:80",
        "/opt/app --port 0",
        "/opt/app --port 70000",
        "/opt/app --port 08080",
        "/opt/app --port",
        "/opt/app --port \ufffd",
        "/opt/app -p 4",
        "/opt/app --pidfile 8080 --workers 8080",
        "/opt/app --report 8080 --transport 8080 --support=8080",
        "/usr/bin/ssh -N -p 2222 host",
        "/usr/bin/redis-cli -p 6380 monitor",
        "/usr/bin/mysqldump --port 3306",
        "/usr/bin/docker run -p 8080:80 image",
        "/usr/bin/systemctl --port 80",
    ],
)
def test_somebody_elses_port_is_left_alone(command: str) -> None:
    assert [] == said(command)


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        ("/opt/app", {"PORT": "8080"}, ["tcp * 8080"]),
        ("/opt/app", {"PORT": "8080", "HOST": "127.0.0.1"}, ["tcp 127.0.0.1 8080"]),
        ("/opt/app", {"HTTP_PORT": "8080", "METRICS_PORT": "9090"}, ["tcp * 8080", "tcp * 9090"]),
        ("/opt/app", {"LISTEN_ADDR": "127.0.0.1:8080"}, ["tcp 127.0.0.1 8080"]),
        ("/opt/app", {"BIND": ":8080"}, ["tcp * 8080"]),
        ("/opt/app", {"APP_PORT": "8080"}, ["tcp * 8080"]),
        ("/usr/bin/flask run --host 0.0.0.0", {"FLASK_RUN_PORT": "8080"}, ["tcp 0.0.0.0 8080"]),
        ("/usr/bin/node /srv/web.js", {"PORT": "8080"}, ["tcp * 8080"]),
        ("/usr/bin/node /srv/not-in-the-tree.js", {"PORT": "8080"}, ["tcp * 8080"]),
        ("/usr/bin/node /srv/job.js", {"PORT": "8080"}, []),
        ("/usr/sbin/packaged", {"PORT": "8080"}, []),
        ("/opt/app --port 7070", {"PORT": "8080"}, ["tcp * 7070"]),
        ("/opt/app", {"REDIS_PORT": "6379", "DB_PORT": "5432", "PGPORT": "5432", "SMTP_PORT": "25", "API_URL": "http://x:80"}, []),
        ("/opt/app", {"PORT": "\ufffd"}, []),
        ("/opt/app", {"PORT": "http"}, []),
        ("/opt/app", {"REPORT": "8080", "IMPORT": "8080"}, []),
    ],
)
def test_a_variable_that_names_its_own_port_is_believed(command: str, environment: dict[str, str], expected: list[str]) -> None:
    assert expected == said(command, environment)


def test_what_is_said_is_possible_and_points_at_the_number() -> None:
    (flag,) = generic.read(invocation("/opt/app --port=8080"), host_of({}), {})
    (variable,) = generic.read(invocation("/opt/app", {"PORT": "8080"}), host_of({}), {})

    assert isinstance(flag, Endpoint)
    assert isinstance(variable, Endpoint)
    assert ("possible", "argument", Span("/etc/systemd/system/app.service", 7, 27, 7, 31)) == (flag.confidence, flag.origin, flag.at)
    assert ("possible", "environment") == (variable.confidence, variable.origin)


@pytest.mark.parametrize(
    ("command", "reuse"),
    [
        ("/usr/bin/node /srv/x.js --port 8080", True),
        ("/usr/bin/java -jar /srv/x.jar --port 8080", True),
        ("/usr/bin/perl /srv/x.pl --port 8080", None),
        ("/opt/app --port 8080", None),
        ("/usr/bin/node /srv/x.js --udp-port 8080", None),
    ],
)
def test_so_reuseaddr_is_known_where_the_runtime_always_sets_it(command: str, reuse: bool | None) -> None:
    known = daemon_of(invocation(command))
    read = generic.read if known is None else known.read

    assert [reuse] == [e.reuse_address for e in read(invocation(command), host_of({}), {}) if isinstance(e, Endpoint)]


def test_a_daily_job_is_not_the_daemon_whose_name_it_bears() -> None:
    assert daemon_of(invocation("/etc/cron.daily/privoxy systemd-timer")) is None
