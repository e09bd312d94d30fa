"""Whatever a config, an options file or a command line holds, the readers of the classic daemons come to an end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portwright._start.records import replace
from portwright.daemons import Reader
from portwright.daemons.apache2 import reader as apache
from portwright.daemons.memcached import reader as memcached
from portwright.daemons.mysql import reader as mysql
from portwright.daemons.postgresql import reader as postgresql
from portwright.daemons.rsync import reader as rsync
from portwright.daemons.vsftpd import reader as vsftpd
from portwright.facts import Endpoint, Invocation
from portwright.source import Span, Word
from tests.daemons.by_hand import host_of

AT = Span("/u", 1, 1, 1, 2)
PROGRAMS: dict[str, Reader] = {
    "apache2": apache.read,
    "apachectl": apache.read,
    "httpd": apache.read,
    "memcached": memcached.read,
    "systemd-memcached-wrapper": memcached.read,
    "mysqld": mysql.read,
    "mysqld_safe": mysql.read,
    "postgres": postgresql.read,
    "pg_ctl": postgresql.read,
    "pg_ctlcluster": postgresql.read,
    "rsync": rsync.read,
    "vsftpd": vsftpd.read,
}
FLAGS = [
    "start", "-k", "-f", "/c", "-D", "/d", "-c", "-C", "Listen 80", "-p", "-l", "-U", "-u", "-h", "-o", "-olisten=YES", "--daemon",
    "--config=/c", "--port=", "--address", "--defaults-file=/c", "--port", "-P", "15-main", "15", "main", "port=", "-i", "--", "-",
]  # fmt: skip
LINES = [
    "Listen", "listen=YES", "listen_port=", "port", "port=", "port = 1", "address = ", "listen_addresses = '", "[mysqld]", "[",
    "bind-address=,",
    "include '/c'", "include_dir '/'", "!include /c", "!includedir /", "&include /c", "Include /c", "Include /*", "<IfModule",
    "<IfDefine !x>",
    "</IfDefine>", "Define a", "${a}", "Use a", "<Macro a $b>", "</Macro>", "ProxyPass / http://", "ProxySet", "-l", "-p 1", "wsrep_on=1",
    "wsrep_provider=x", "wsrep_provider_options=gmcast.listen_addr=", "<IfVersion >", "BalancerMember", "RewriteRule a http://b [P]",
]  # fmt: skip
TEXT = st.text(max_size=8) | st.sampled_from(["\\", "'", '"', "#", "99999999999", "\ufffd", "::", "*", "0x", "0", "[::]:80", ":80"])
CONFIG = st.lists(st.tuples(st.sampled_from(LINES), TEXT).map(" ".join) | TEXT, max_size=8).map("\n".join)


@pytest.mark.parametrize("program", PROGRAMS)
@given(words=st.lists(st.sampled_from(FLAGS) | TEXT, max_size=5), config=CONFIG)
def test_a_reader_ends_on_any_command_and_config(program: str, words: list[str], config: str) -> None:
    paths = (
        "/c", "/d/postgresql.conf", "/etc/apache2/apache2.conf", "/etc/apache2/envvars", "/etc/httpd/conf/httpd.conf", "/etc/rsyncd.conf",
        "/etc/memcached.conf", "/etc/my.cnf", "/etc/vsftpd.conf", "/etc/hosts", "/etc/postgresql/15/main/postgresql.conf",
    )  # fmt: skip
    argv = tuple(Word(text, AT) for text in (f"/usr/sbin/{program}", *words))
    started = Invocation("x.service", argv, AT, {"PGDATA": Word("/d", AT)})
    for each in PROGRAMS[program](started, host_of(dict.fromkeys(paths, config)), {}):
        assert not isinstance(each, Endpoint) or each.random is not bool(each.ports)
        copied: Any = each
        assert each == replace(copied)
        if isinstance(each, Endpoint):
            assert each.at.path
