"""What MariaDB and MySQL bind. The rows of MariaDB were tried with 10.11 in a network namespace, those of MySQL follow its manual."""

import pytest

from portwright._start.records import replace
from portwright.daemons.mysql import reader as mysql
from portwright.facts import Endpoint, Privileges
from portwright.source import Span
from tests.daemons.by_hand import brief, host_of, invocation

CONFIG = "/etc/mysql/my.cnf"
MARIADB = {"mariadb-server-core": "1:10.11.19-0+deb12u1"}
MYSQL = {"mysql-community-server": "8.0.36-1debian12"}
HOSTS = "127.0.0.1 localhost\n"


def both(port: int) -> list[str]:
    return [f"tcp 0.0.0.0 {port}", f"tcp :: {port} v6only"]


def said(config: str, options: str, packages: dict[str, str], program: str = "mariadbd", **more: str) -> tuple[list[str], list[str]]:
    files = host_of({CONFIG: config, "/etc/hosts": HOSTS, **more})
    started = replace(invocation(f"/usr/sbin/{program}{options}"), privileges=Privileges(user="mysql", uid0=False))
    return brief(mysql.read(started, files, packages)), [trouble.reason for trouble in files.unreadable]


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("", "", both(3306)),
        ("[mysqld]\nport=3310\nbind-address=127.0.0.1", "", ["tcp 127.0.0.1 3310"]),
        ("[mysqld]\nbind-address=*", "", both(3306)),
        ("[mysqld]\nbind-address=::", "", ["tcp :: 3306 v6only"]),
        ("[mysqld]\nbind-address=0.0.0.0", "", ["tcp 0.0.0.0 3306"]),
        ("[mysqld]\nbind-address=localhost", "", ["tcp 127.0.0.1 3306"]),
        ("[mysqld]\nbind-address=10.9.9.9,127.0.0.1,::1", "", ["tcp 10.9.9.9 3306", "tcp 127.0.0.1 3306", "tcp ::1 3306"]),
        ("[mysqld]\nbind-addr=1.1.1.1", "", ["tcp 1.1.1.1 3306"]),
        ("[mysqld]\nskip-networking", "", []),
        ("[mysqld]\nskip-networking=0", "", both(3306)),
        ("[mysqld]\nskip-networking=yes", "", both(3306)),
        ("[mysqld]\nskip_networking=1\nskip-networking=OFF", "", both(3306)),
        ("[mysqld]\ndisable-skip-networking", "", both(3306)),
        ("[mysqld]\nextra_port=3311\nbind_address=127.0.0.1", "", ["tcp 127.0.0.1 3306", "tcp 127.0.0.1 3311"]),
        ("[mysqld]\nport=0", "", both(3306)),
        ("[mysqld]\nport=3K", "", both(3072)),
        ("[mysqld]\nport=70000", "", both(65535)),
        ("[mysqld]\nport=3312", " --port=3313 --bind-address=127.0.0.1", ["tcp 127.0.0.1 3313"]),
        ("[mysqld]\nport=3312", " -P 3314 --bind_address 127.0.0.1", ["tcp 127.0.0.1 3314"]),
        ("[mysqld]\nport=3312", " \ufffd", both(3312)),
        ("[mysqld]\nloose-port=14", "", both(14)),
        ("[MySQLd]\nPort=15", "", both(15)),
        ("[client]\nport=16\n[mysqld_safe]\nport=5\n[mariadb-10.5]\nport=4", "", both(3306)),
        ("[client-server]\nport=17", "", both(17)),
        ("[mysqld]\nport=1\n[server]\nport=2", "", both(2)),
        ("[mariadb-10.11]\nport=3", "", both(3)),
        ("[galera]\nport=6", "", both(6)),
        ("[mysqld]\nport=1\n!includedir /etc/mysql/d/\nbind-address=127.0.0.1", "", ["tcp 127.0.0.1 41"]),
        ("!include /etc/none.cnf\n[mysqld]\nport=7", "", both(7)),
        ("[mysqld]\nport=7", " --no-defaults", both(3306)),
        ("[mysqld]\nport=7", " --defaults-extra-file=/etc/mysql/d/a.cnf", both(41)),
        ("[mysqld]\nport=7", " --defaults-file=/etc/mysql/d/a.cnf", both(41)),
        ("[mysqld]\nport=7\n[mysqld.two]\nport=8", " --defaults-group-suffix=.two", both(8)),
        ("[mysqld]\nport=7", " --defaults-group-suffix=.\ufffd", []),
        ("[mysqld]\nport=7", " --help --verbose", []),
    ],
)
def test_mariadb_binds(config: str, options: str, expected: list[str]) -> None:
    more = {"/etc/mysql/d/a.cnf": "[mysqld]\nport=41\n", "/etc/mysql/d/c.conf": "[mysqld]\nport=43\n"}

    assert (expected, []) == said(config, options, MARIADB, **more)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("port=8", "an option stands before any group"),
        ("[mysqld\nport=9", "a group's name is not closed"),
        ("[mysqld]\nport", "port takes a number"),
        ("[mysqld]\nport=abc", "port takes a number"),
        ("[mysqld]\nport=-1", "port takes a number"),
        ("[mysqld]\nbind-address=", "bind_address is empty"),
    ],
)
def test_what_stops_the_server_is_told_and_nothing_is_bound(config: str, reason: str) -> None:
    assert ([], [f"mysqld does not start: {reason}"]) == said(config, "", MARIADB)


def test_the_first_file_is_read_first() -> None:
    assert (both(2), []) == said("[mysqld]\nport=2", "", MARIADB, **{"/etc/my.cnf": "[mysqld]\nport=1"})


@pytest.mark.parametrize(
    ("config", "options", "expected"),
    [
        ("", "", ["tcp * 3306", "tcp * 33060"]),
        ("[mysqld]\nbind-address=127.0.0.1", "", ["tcp * 33060", "tcp 127.0.0.1 3306"]),
        ("[mysqld]\nbind-address=::\nmysqlx_bind_address=127.0.0.1\nmysqlx-port=33061", "", ["tcp * 3306", "tcp 127.0.0.1 33061"]),
        ("[mysqld]\nmysqlx=OFF", "", ["tcp * 3306"]),
        ("[mysqld]\nskip-mysqlx", "", ["tcp * 3306"]),
        ("[mysqld]\nmysqlx=0\nadmin_address=127.0.0.1", "", ["tcp * 3306", "tcp 127.0.0.1 33062"]),
        ("[mysqld]\nmysqlx=0\nadmin_address=127.0.0.1\nadmin_port=33100", "", ["tcp * 3306", "tcp 127.0.0.1 33100"]),
        ("[mysqld]\nmysqlx=0\nadmin_port=33100", "", ["tcp * 3306"]),
        ("[mysqld]\nskip-networking", "", []),
        ("[mysqld-8.0]\nport=3307\nmysqlx=0\n[mariadb]\nport=1\n[mysqld-5.7]\nport=2", "", ["tcp * 3307"]),
        ("[mysqld]\nmysqlx=0\nbind-address=10.0.0.1/blue,127.0.0.1", "", ["tcp 127.0.0.1 3306"]),
    ],
)
def test_mysql_binds(config: str, options: str, expected: list[str]) -> None:
    assert (expected, []) == said(config, options, MYSQL, program="mysqld")


def test_mysql_before_8_has_no_x_protocol() -> None:
    assert (["tcp * 3306"], []) == said("", "", {"mysql-server": "5.7.44"}, program="mysqld")


@pytest.mark.parametrize(
    ("program", "more", "app"),
    [
        ("mysqld", {"/etc/mysql/mariadb.conf.d/50-server.cnf": ""}, "mariadb"),
        ("mysqld", {"/usr/sbin/mysqld": "-> mariadbd"}, "mariadb"),
        ("mysqld", {}, "mysql"),
    ],
)
def test_without_packages_the_host_tells_which_it_is(program: str, more: dict[str, str], app: str) -> None:
    started = replace(invocation(f"/usr/sbin/{program}"), privileges=Privileges(user="mysql", uid0=False))

    assert {app} == {e.app for e in mysql.read(started, host_of(more), {}) if isinstance(e, Endpoint)}


WSREP = "[galera]\nwsrep_on=ON\nwsrep_provider=/usr/lib/galera/libgalera_smm.so\n[mysqld]\nskip-networking\n"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (WSREP, ["tcp 0.0.0.0 4567"]),
        ("[galera]\nwsrep_provider=/x.so\n[mysqld]\nskip-networking", []),
        ("[galera]\nwsrep_on=ON\nwsrep_provider=none\n[mysqld]\nskip-networking", []),
        (f'{WSREP}wsrep_provider_options="gcache.size=1G; gmcast.listen_addr=tcp://10.0.0.1:4571"', ["tcp 10.0.0.1 4571"]),
        (f"{WSREP}wsrep_provider_options='gmcast.listen_addr=tcp://[::]:4571'", ["tcp :: 4571 v6only"]),
        (f"{WSREP}wsrep_provider_options='base_port=4600'", ["tcp 0.0.0.0 4600"]),
        (f"{WSREP}wsrep_node_address=10.0.0.1", ["tcp 0.0.0.0 4567"]),
        (f"{WSREP}wsrep_node_address=10.0.0.1:4570", ["tcp 0.0.0.0 4570"]),
    ],
)
def test_galera_listens_where_its_provider_is_told(config: str, expected: list[str]) -> None:
    assert (expected, []) == said(config, "", MARIADB)


@pytest.mark.parametrize(
    ("command", "config", "uid0", "expected"),
    [
        ("mariadbd --user=mysql", "", True, "mysql"),
        ("mariadbd", "[mysqld]\nuser=db", True, "db"),
        ("mysqld_safe", "", True, "mysql"),
        ("mariadbd --user=root", "", True, None),
        ("mariadbd --user=mysql", "", False, None),
    ],
)
def test_the_user_it_changes_to_binds(command: str, config: str, uid0: bool, expected: str | None) -> None:
    started = replace(invocation(command), privileges=Privileges(uid0=uid0, user="root" if uid0 else "mysql"))

    assert {expected} == {e.binds_as for e in mysql.read(started, host_of({CONFIG: config}), MARIADB) if isinstance(e, Endpoint)}


def test_as_root_without_a_user_it_does_not_start() -> None:
    files = host_of({})

    assert () == mysql.read(invocation("mariadbd"), files, MARIADB)
    assert ["mysqld does not start: as root it needs a user to change to"] == [trouble.reason for trouble in files.unreadable]


def test_mariadb_binds_addresses_the_host_does_not_have_and_stands_at_the_line_that_says_so() -> None:
    files = host_of({CONFIG: "[mysqld]\nbind-address = 10.9.9.8\n"})
    started = replace(invocation("mariadbd"), privileges=Privileges(user="mysql", uid0=False))
    (endpoint,) = mysql.read(started, files, MARIADB)

    assert isinstance(endpoint, Endpoint)
    assert (True, "default", Span(CONFIG, 2, 16, 2, 24)) == (endpoint.free_bind, endpoint.origin, endpoint.at)


def test_files_that_include_each_other_end() -> None:
    config = "!include /a.cnf\n[mysqld]\nport=1"

    assert both(1) == said(config, "", MARIADB, **{"/a.cnf": f"!include {CONFIG}\n!include /a.cnf\n"})[0]


def test_the_x_protocol_is_not_blamed_on_the_address_of_the_other_port() -> None:
    files = host_of({CONFIG: "[mysqld]\nbind-address=127.0.0.1\n"})
    started = replace(invocation("/usr/sbin/mysqld"), privileges=Privileges(user="mysql", uid0=False))
    places = {fact.ports.low: fact.at for fact in mysql.read(started, files, MYSQL) if isinstance(fact, Endpoint)}

    assert {3306: CONFIG, 33060: started.at.path} == {port: at.path for port, at in places.items()}
