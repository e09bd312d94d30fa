"""What PostgreSQL binds. Every row was tried with PostgreSQL 15 in a network namespace."""

import pytest

from portwright._start.records import replace
from portwright.daemons.postgresql import reader as postgresql
from portwright.facts import Endpoint, Privileges
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

DATA = "/var/lib/pgsql/data"
CONFIG = f"{DATA}/postgresql.conf"
HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
LOCAL = ["tcp 127.0.0.1 5432", "tcp ::1 5432"]


def both(port: int) -> list[str]:
    return [f"tcp 0.0.0.0 {port}", f"tcp :: {port} v6only"]


@pytest.mark.parametrize(
    ("config", "auto", "options", "expected"),
    [
        ("", "", "", LOCAL),
        ("port=5433\nlisten_addresses='*'", "", "", both(5433)),
        ("listen_addresses=''", "", "", []),
        ("port=5433\nlisten_addresses='10.9.9.9'", "port = '5434'", "", ["tcp 10.9.9.9 5434"]),
        ("port=5433\nlisten_addresses='10.9.9.9'", "port = '5434'", " -p 5435", ["tcp 10.9.9.9 5435"]),
        ("port=5433", "port = '5434'", " -c port=5436 -h 127.0.0.1", ["tcp 127.0.0.1 5436"]),
        ("", "", " --port=5436 --listen_addresses=10.9.9.9", ["tcp 10.9.9.9 5436"]),
        ("", "", " --listen-addresses=10.9.9.9", ["tcp 10.9.9.9 5432"]),
        ("listen_addresses = '10.9.9.9, ::1 ,127.0.0.1'", "", "", ["tcp 10.9.9.9 5432", "tcp 127.0.0.1 5432", "tcp ::1 5432"]),
        ("listen_addresses = '0.0.0.0, ::'", "", "", both(5432)),
        ("listen_addresses = '0.0.0.0'", "", "", ["tcp 0.0.0.0 5432"]),
        ("listen_addresses = '::'", "", "", ["tcp :: 5432 v6only"]),
        ("listen_addresses = '*,127.0.0.1'", "", "", both(5432)),
        ("listen_addresses = localhost\nport 5440 # c", "", "", ["tcp 127.0.0.1 5440", "tcp ::1 5440"]),
        ("", "", " -i", both(5432)),
        ("", "", " -h  -k /run", []),
        ("", "", " -i -p 5441 -h 10.9.9.9", ["tcp 10.9.9.9 5441"]),
        ("port=0x1540\nlisten_addresses='::1'", "", "", ["tcp ::1 5440"]),
        ("port=05440\nlisten_addresses='::1'", "", "", ["tcp ::1 2848"]),
        ("port=1.6\nlisten_addresses='::1'", "", "", ["tcp ::1 2"]),
        ("port='5442'\nPort = 5443\nlisten_addresses='::1'", "", "", ["tcp ::1 5443"]),
        ("include_dir 'd'\nlisten_addresses='::1'", "", "", ["tcp ::1 6001"]),
        ("include = 'one.conf'\nlisten_addresses='::1'", "", "", ["tcp ::1 6004"]),
        ("include 'one.conf'\nport=7\nlisten_addresses='::1'", "", "", ["tcp ::1 7"]),
        ("include_if_exists 'none'\nport=4\nlisten_addresses='::1'", "", "", ["tcp ::1 4"]),
        ("", "", " -C port", []),
    ],
)
def test_postgresql_binds(config: str, auto: str, options: str, expected: list[str]) -> None:
    files = host_of(
        {
            CONFIG: config,
            f"{DATA}/postgresql.auto.conf": auto,
            f"{DATA}/d/a.conf": "port = 6001",
            f"{DATA}/d/.b.conf": "port = 6002",
            f"{DATA}/d/c.txt": "port = 6003",
            f"{DATA}/one.conf": "port = 6004",
            "/etc/hosts": HOSTS,
        }
    )

    assert expected == brief(postgresql.read(invocation(f"/usr/bin/postgres -D {DATA}{options}"), files, {}))
    assert () == files.unreadable


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("port=0", "port takes a number from 1 to 65535, not 0"),
        ("port=1x", "port takes a number from 1 to 65535, not 1x"),
        ("port=70000", "port takes a number from 1 to 65535, not 70000"),
        ("port==1", "syntax error"),
        ("include 'none'", f"{DATA}/none is not there"),
        ("include 'postgresql.conf'", f"a file includes itself: {CONFIG} includes {CONFIG}"),
    ],
)
def test_what_postgresql_refuses_binds_nothing(config: str, reason: str) -> None:
    files = host_of({CONFIG: config})

    assert () == postgresql.read(invocation(f"postgres -D {DATA}"), files, {})
    assert f"postgresql does not start: {reason}" in [trouble.reason for trouble in files.unreadable]


DEBIAN = {
    "/etc/postgresql/15/main/postgresql.conf": "data_directory = '/var/lib/postgresql/15/main'\nport = 5432\ninclude_dir = 'conf.d'\n",
    "/var/lib/postgresql/15/main/postgresql.auto.conf": "listen_addresses = '10.9.9.9'\n",
    "/etc/postgresql/15/a-b/postgresql.conf": "port = 5433\nlisten_addresses = '10.9.9.9'\n",
}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/bin/pg_ctlcluster --skip-systemctl-redirect 15-main start", ["tcp 10.9.9.9 5432"]),
        ("/usr/bin/pg_ctlcluster 15 main start", ["tcp 10.9.9.9 5432"]),
        ("/usr/bin/pg_ctlcluster 15-a-b start", ["tcp 10.9.9.9 5433"]),
        ("/usr/bin/pg_ctlcluster -o -p5500 15 main start", ["tcp 10.9.9.9 5500"]),
        ("/usr/bin/pg_ctlcluster 15-main stop", []),
        ("/usr/bin/pg_ctlcluster --skip-systemctl-redirect \ufffd start", []),
        ("/usr/lib/postgresql/15/bin/postgres -D /x -c config_file=/etc/postgresql/15/main/postgresql.conf", ["tcp 10.9.9.9 5432"]),
    ],
)
def test_a_cluster_of_debians_has_its_config_in_etc(command: str, expected: list[str]) -> None:
    files = host_of(DEBIAN)

    assert expected == brief(postgresql.read(invocation(command), files, {}))
    assert () == files.unreadable


def test_a_cluster_binds_as_its_owner() -> None:
    started = invocation("/usr/bin/pg_ctlcluster 15-main start")

    assert ["postgres"] == [e.binds_as for e in postgresql.read(started, host_of(DEBIAN), {}) if isinstance(e, Endpoint)]
    started = replace(started, privileges=Privileges(user="postgres", uid0=False))
    assert [None] == [e.binds_as for e in postgresql.read(started, host_of(DEBIAN), {}) if isinstance(e, Endpoint)]


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        (f"/usr/bin/pg_ctl start -D {DATA} -s -w", {}, LOCAL),
        (f"pg_ctl -D {DATA} stop", {}, []),
        ("/usr/bin/postmaster", {"PGDATA": DATA}, LOCAL),
        (f"/usr/bin/postmaster -D {DATA}", {"PGPORT": "5444"}, ["tcp 127.0.0.1 5444", "tcp ::1 5444"]),
    ],
)
def test_it_is_started_by_several_names(command: str, environment: dict[str, str], expected: list[str]) -> None:
    files = host_of({CONFIG: "", "/etc/hosts": HOSTS})

    assert expected == brief(postgresql.read(invocation(command, environment), files, {}))


def test_options_in_one_argument_of_pg_ctl_are_taken_apart() -> None:
    started = invocation(f"pg_ctl start -D {DATA} -o X")
    argv = tuple(replace(word, text="-p 5445 -h '10.9.9.9'") if word.text == "X" else word for word in started.argv)

    assert ["tcp 10.9.9.9 5445"] == brief(postgresql.read(replace(started, argv=argv), host_of({CONFIG: ""}), {}))


def test_a_data_directory_that_was_not_copied_leaves_the_defaults_possible() -> None:
    files = host_of({"/etc/hosts": HOSTS})
    said = postgresql.read(invocation(f"postgres -D {DATA}"), files, {})

    assert LOCAL == brief(said)
    assert {"possible"} == {e.confidence for e in said}
    assert [f"postgresql reads {CONFIG}, which is not there"] == [trouble.reason for trouble in files.unreadable]


def test_the_port_stands_where_it_is_set_and_of_several_addresses_those_of_a_name_are_optional() -> None:
    files = host_of({CONFIG: "listen_addresses = '10.9.9.8,localhost'\nport = 5433\n"})
    said = [e for e in postgresql.read(invocation(f"postgres -D {DATA}"), files, {}) if isinstance(e, Endpoint)]

    assert {(Span(CONFIG, 2, 8, 2, 12), "directive")} == {(e.at, e.origin) for e in said}
    assert [("10.9.9.8", False, True), ("127.0.0.1", True, False)] == [(e.address, e.optional, e.survives_conflict) for e in said[:2]]
