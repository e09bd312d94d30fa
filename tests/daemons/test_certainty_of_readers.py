"""No room can forget it: a default is certain only where every file that could change it was found and understood."""

from collections.abc import Mapping

import pytest

from portwright.daemons import DaemonFact, daemons, known
from portwright.facts import Endpoint
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files
from tests.daemons.by_hand import host_of, invocation

CLOSED = "/etc/ssl/private/more.conf"  # never opened, whoever names it
PACKAGES = {"mysql": "8.0.40", "mariadb-server": "1:10.11.6", "bind9": "1:9.18.28", "named": "1:9.18.28"}

# (command, config, its text, a line of a setting nobody knows, a line that includes {}, a line with a value that is not filled in)
ROOMS: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "caddy": ("/usr/bin/caddy run --config /etc/caddy/Caddyfile", "/etc/caddy/Caddyfile", "a.example {\n respond ok\n}\n",
              "admin_port 99", "import {}", "b.example {\n bind {$UNKNOWN}\n}"),
    "dovecot": ("/usr/sbin/dovecot -F", "/etc/dovecot/dovecot.conf", "protocols = imap\n", "admin_port = 99", "!include {}",
                "listen = ${UNKNOWN}"),
    "mysql": ("/usr/sbin/mariadbd", "/etc/mysql/my.cnf", "[mysqld]\nuser = mysql\n", "second-port = 99", "!include {}",
              "loose-listen = ${UNKNOWN}"),
    "gunicorn": ("/usr/bin/gunicorn -c /srv/conf.py app:app", "/srv/conf.py", "workers = 2\n", "admin_port = 99", "from shared import *",
                 "bind = f'{{ host }}'"),
    "puma": ("/usr/bin/puma -C /srv/puma.rb", "/srv/puma.rb", "workers 2\n", "admin_port 99", "require_relative 'shared'",
             "port '${UNKNOWN}'"),
    "unicorn": ("/usr/bin/unicorn -c /srv/u.rb", "/srv/u.rb", "worker_processes 2\n", "admin_port 99", "load '{}'", "listen ENV['X']"),
    "memcached": ("/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", "/etc/memcached.conf", "-u memcache\n",
                  "--admin-port 99", "", "--listen-backlog ${UNKNOWN}"),
    "named": ("/usr/sbin/named -f", "/etc/bind/named.conf", 'options { directory "/var/cache/bind"; };\n', "admin-port 99;",
              'include "{}";', "options { listen-on { ${UNKNOWN}; }; };"),
    "postgresql": ("/usr/lib/postgresql/15/bin/postgres -D /etc/postgresql/15/main", "/etc/postgresql/15/main/postgresql.conf",
                   "max_connections = 9\n", "extension.admin_port = 99", "include_if_exists '{}'", "extension.port = '${UNKNOWN}'"),
    "nginx": ("/usr/sbin/nginx", "/etc/nginx/nginx.conf", "events { }\nhttp { server { server_name a; } }\n", "admin_port 99;",
              "include {};", "http { server { listen ${UNKNOWN}; } }"),
    "redis": ("/usr/bin/redis-server /etc/redis.conf", "/etc/redis.conf", "daemonize no\n", "admin-port 99", "include {}",
              "bind-source-addr ${UNKNOWN}"),
    "rsync": ("/usr/bin/rsync --daemon", "/etc/rsyncd.conf", "uid = nobody\n", "admin port = 99", "&include {}", "port = ${UNKNOWN}"),
    "sshd": ("/usr/sbin/sshd -D", "/etc/ssh/sshd_config", "UsePAM yes\n", "AdminPort 99", "Include {}", "PermitListen ${UNKNOWN}"),
    "vsftpd": ("/usr/sbin/vsftpd", "/etc/vsftpd.conf", "listen=YES\n", "admin_port=99", "include={}", "listen_address=${UNKNOWN}"),
}  # fmt: skip


def _sure(said: tuple[DaemonFact, ...]) -> list[str]:
    """The sockets that nobody says, and of which the reader is sure."""
    return [f"{each.address} {each.ports}" for each in said
            if isinstance(each, Endpoint) and each.origin in ("default", "inferred") and each.confidence == "certain"]  # fmt: skip


def _read(name: str, more: str = "") -> tuple[list[str], Files]:
    command, path, text, *_ = ROOMS[name]
    files = host_of({path: text + more, CLOSED: "# nothing\n", "/etc/debian_version": "12.8\n", "/etc/os-release": "ID=debian\n"})
    return _sure(known(name).read(invocation(command), files, PACKAGES)), files


@pytest.mark.parametrize("name", ROOMS)
def test_a_default_is_certain_where_all_of_the_config_is_understood(name: str) -> None:
    assert _read(name)[0]


@pytest.mark.parametrize("name", ROOMS)
def test_a_setting_that_sounds_like_a_socket_s_and_is_not_known_leaves_no_default_certain_and_is_told(name: str) -> None:
    setting = ROOMS[name][3]
    sure, files = _read(name, f"{setting}\n")

    assert [] == sure
    told = [reason for _, reason in files.take_not_understood()] + [trouble.reason for trouble in files.unreadable]
    assert any(setting.partition("=")[0].split(" 99")[0].strip("- ") in reason for reason in told)


@pytest.mark.parametrize("name", [name for name, room in ROOMS.items() if room[4]])
def test_an_include_that_cannot_be_read_leaves_no_default_certain(name: str) -> None:
    assert [] == _read(name, ROOMS[name][4].replace("{}", CLOSED) + "\n")[0]


@pytest.mark.parametrize("name", ROOMS)
def test_a_value_that_is_not_filled_in_leaves_no_default_certain(name: str) -> None:
    assert [] == _read(name, f"{ROOMS[name][5]}\n")[0]


BY_COMMAND = [each.name for each in daemons() if _sure(each.read(invocation(f"/usr/bin/{each.programs[0].strip('*')}"), host_of({}), {}))]


@pytest.mark.parametrize("name", BY_COMMAND)
def test_a_word_of_the_command_line_that_cannot_be_determined_leaves_no_default_certain(name: str) -> None:
    program = f"/usr/bin/{known(name).programs[0].strip('*')}"

    assert [] == _sure(known(name).read(invocation(f"{program} {UNKNOWN}"), host_of({}), {}))


@pytest.mark.parametrize("name", BY_COMMAND)
def test_an_option_that_sounds_like_a_socket_s_and_is_not_known_leaves_no_default_certain(name: str) -> None:
    program = f"/usr/bin/{known(name).programs[0].strip('*')}"

    assert [] == _sure(known(name).read(invocation(f"{program} --second-admin-port=99"), host_of({}), {}))
