"""What redis-server binds. Every table row was tried with redis-server 7.0.15 in a network namespace."""

import pytest

from portwright.daemons.redis import reader as redis
from portwright.facts import Endpoint
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/redis/redis.conf"
ANY = ["tcp 0.0.0.0 6379", "tcp :: 6379 v6only"]


@pytest.mark.parametrize(
    ("config", "arguments", "expected"),
    [
        ("", "", ANY),
        ("bind 127.0.0.1 -::1", "", ["tcp 127.0.0.1 6379", "tcp ::1 6379"]),
        ("bind *", "", ["tcp 0.0.0.0 6379"]),
        ("bind ::*", "", ["tcp :: 6379 v6only"]),
        ("bind * -::*", "", ANY),
        ("bind localhost", "", ["tcp 127.0.0.1 6379"]),
        ('bind ""', "", []),
        ("bind 127.0.0.1\nbind -::1", "", ["tcp ::1 6379"]),
        ("port 7100\nbind *\nPORT 7102", "", ["tcp 0.0.0.0 7102"]),
        ("port 0", "", []),
        ("include /etc/redis/none/*.conf\nbind *", "", ["tcp 0.0.0.0 6379"]),
        ("port 0\ntls-port 6380\nbind *", "", ["tcp 0.0.0.0 6380"]),
        ("port 6379\ntls-port 6380\nbind *", "", ["tcp 0.0.0.0 6379", "tcp 0.0.0.0 6380"]),
        ("unixsocket /run/redis.sock\nbind *", "", ["tcp 0.0.0.0 6379"]),
        ("port 7001\nbind *\ncluster-enabled yes", "", ["tcp 0.0.0.0 17001", "tcp 0.0.0.0 7001"]),
        ("port 7001\nbind *\ncluster-enabled yes\ncluster-port 9001", "", ["tcp 0.0.0.0 7001", "tcp 0.0.0.0 9001"]),
        ("port 7001\nbind *\ncluster-enabled no", "", ["tcp 0.0.0.0 7001"]),
        ("port '7200'\nbind \"127.0.0.1 ::1\"", "", ["tcp 127.0.0.1 7200", "tcp ::1 7200"]),
        ("port 1\nbind *", " --port 7 --supervised systemd --daemonize no", ["tcp 0.0.0.0 7"]),
        ("", " --bind 127.0.0.1 -::1 --port 7", ["tcp 127.0.0.1 7", "tcp ::1 7"]),
    ],
)
def test_redis_binds(config: str, arguments: str, expected: list[str]) -> None:
    files = host_of({CONFIG: config, "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n"})

    assert expected == brief(redis.read(invocation(f"/usr/bin/redis-server {CONFIG}{arguments}"), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("redis-server", ANY),
        ("redis-server --port 7 --bind *", ["tcp 0.0.0.0 7"]),
        ("/usr/bin/valkey-server --bind *", ["tcp 0.0.0.0 6379"]),
        ("/usr/bin/redis-sentinel --bind *", ["tcp 0.0.0.0 26379"]),
        ("/usr/bin/redis-server --sentinel --bind *", ["tcp 0.0.0.0 26379"]),
        ("/usr/bin/redis-server --version", []),
    ],
)
def test_redis_without_a_config_has_its_defaults(command: str, expected: list[str]) -> None:
    assert expected == brief(redis.read(invocation(command), host_of({}), {}))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("port 7200 # x", "redis does not start: port takes one value"),
        ("port web", "redis does not start: port takes a port"),
        ("port 70000", "redis does not start: port takes a port"),
        ('port "7"x', "redis does not start: a closing quote is followed by more text"),
        ("include /etc/redis/gone.conf", "redis does not start: /etc/redis/gone.conf is not there"),
        ("cluster-enabled true", "redis does not start: cluster-enabled takes yes or no"),
    ],
)
def test_what_redis_refuses_is_told_and_nothing_is_bound(config: str, reason: str) -> None:
    files = host_of({CONFIG: config})

    assert () == redis.read(invocation(f"redis-server {CONFIG}"), files, {})
    assert [reason] == [trouble.reason for trouble in files.unreadable]


def test_a_cluster_whose_bus_would_have_no_port_ends() -> None:
    """Measured with 7.0.15: "Redis port number too high", and it exits."""
    files = host_of({CONFIG: "port 60000\ncluster-enabled yes\nbind 127.0.0.1\n"})

    found = [each for each in redis.read(invocation(f"redis-server {CONFIG}"), files, {}) if isinstance(each, Endpoint)]

    reason = "as a cluster, redis takes 60000 and 60000 + 10000 for its bus, which is no port, and ends"
    assert [(60000, reason, 1)] == [(each.ports.low, each.closed_by, each.closed_at.line) for each in found if each.closed_at]


def test_an_address_with_a_dash_is_optional() -> None:
    said = redis.read(invocation("redis-server --bind 127.0.0.1 -10.9.9.9"), host_of({}), {})

    assert [("127.0.0.1", False), ("10.9.9.9", True)] == [(e.address, e.optional) for e in said if isinstance(e, Endpoint)]


def test_the_bus_points_at_the_port_it_follows() -> None:
    files = host_of({CONFIG: "cluster-enabled yes\nport 7001\nbind 127.0.0.1\n"})
    said = [e for e in redis.read(invocation(f"redis-server {CONFIG}"), files, {}) if isinstance(e, Endpoint)]

    assert [("directive", Span(CONFIG, 2, 6, 2, 10)), ("inferred", Span(CONFIG, 2, 6, 2, 10))] == [(e.origin, e.at) for e in said]


def test_an_include_is_read_where_it_stands_and_may_be_a_pattern() -> None:
    files = host_of(
        {
            CONFIG: "port 1\ninclude /etc/redis/conf.d/*.conf\nbind *\n",
            "/etc/redis/conf.d/a.conf": "port 2\n",
            "/etc/redis/conf.d/b.conf": "port 3\n",
        }
    )

    assert ["tcp 0.0.0.0 3"] == brief(redis.read(invocation(f"redis-server {CONFIG}"), files, {}))


def test_an_include_of_itself_ends() -> None:
    files = host_of({CONFIG: f"include {CONFIG}\nport 2\nbind *\n"})

    assert ["tcp 0.0.0.0 2"] == brief(redis.read(invocation(f"redis-server {CONFIG}"), files, {}))
    assert [f"a file includes itself: {CONFIG} includes {CONFIG}"] == [trouble.reason for trouble in files.unreadable]


def test_a_fragment_without_port_or_address_says_nothing() -> None:
    files = host_of({"/a/redis.conf": "port 7\nbind 127.0.0.1\n", "/a/memory.conf": "maxmemory 1gb\n"})

    assert ["tcp 127.0.0.1 7"] == brief(redis.read_fragment("/a/redis.conf", files, {}))
    assert () == redis.read_fragment("/a/memory.conf", files, {})


def test_a_port_that_nobody_knows_is_not_said_to_be_wrong() -> None:
    files = host_of({})

    assert () == redis.read(invocation("/usr/bin/redis-server --port \ufffd"), files, {})
    assert ["its expansion cannot be determined"] == [trouble.reason for trouble in files.unreadable]
