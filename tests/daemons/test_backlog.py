"""How long an accept queue a daemon asks for, as ss shows it (Send-Q) where net.core.somaxconn is higher.

Tried in a network namespace with nginx 1.22.1, haproxy 2.6.12, redis 7.0.15, memcached 1.6.18, Apache 2.4.71, lighttpd 1.4.69,
pgbouncer 1.18, gunicorn 27, uvicorn 0.54 and node 20; what uWSGI, Tomcat, MariaDB and Hypercorn ask for is their documentation's.
"""

from collections.abc import Mapping

import pytest

from portwright.facts import Backlog
from tests.daemons.started import endpoints

NGINX = "/etc/nginx/nginx.conf"
HAPROXY = "/etc/haproxy/haproxy.cfg"
REDIS = "/etc/redis/redis.conf"


def asked(command: str, tree: Mapping[str, str] | None = None) -> list[str]:
    """Port, queue, and where that is said, of each endpoint of a command."""
    found, reasons = endpoints(command, {"CATALINA_BASE": "/srv/tomcat"} if "catalina" in command else None, tree)
    assert [] == reasons
    return sorted({f"{each.protocol} {each.ports}: {_in_words(each.backlog)}" for each in found})


def _in_words(backlog: Backlog | None) -> str:
    if backlog is None:
        return "nobody says"
    place = "built in" if backlog.at is None else f"{backlog.at.path.rpartition('/')[2]}:{backlog.at.line}:{backlog.at.column}"
    return f"{backlog.length} {place}"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("gunicorn app:wsgi", ["tcp 8000: 2048 built in"]),
        ("gunicorn --backlog 300 app:wsgi", ["tcp 8000: 300 app.service:7:30"]),
        ("uvicorn app:app", ["tcp 8000: 2048 built in"]),
        ("uvicorn --backlog 301 app:app", ["tcp 8000: 301 app.service:7:29"]),
        ("hypercorn --backlog 302 app:app", ["tcp 8000: 302 app.service:7:31"]),
        ("hypercorn app:app", ["tcp 8000: nobody says"]),
        ("memcached -u nobody", ["tcp 11211: 1024 built in"]),
        ("memcached -u nobody -b 9000 -U 11211", ["tcp 11211: 9000 app.service:7:34", "udp 11211: nobody says"]),
        ("memcached -u nobody --listen-backlog=9000", ["tcp 11211: 9000 app.service:7:31"]),
        ("redis-server", ["tcp 6379: 511 built in"]),
        ("redis-server --tcp-backlog 8192", ["tcp 6379: 8192 app.service:7:38"]),
        ("uwsgi --socket :3031", ["tcp 3031: 100 built in"]),
        ("uwsgi --socket :3031 -l 1024", ["tcp 3031: 1024 app.service:7:35"]),
        ("mariadbd --user=mysql", ["tcp 3306: nobody says"]),
        ("mariadbd --user=mysql --back-log=900", ["tcp 3306: 900 app.service:7:33"]),
    ],
)
def test_an_option_says_how_many_may_wait(command: str, expected: list[str]) -> None:
    assert expected == asked(command)


@pytest.mark.parametrize(
    ("command", "path", "text", "expected"),
    [
        ("nginx", NGINX, "events {} http { server { listen 8080; } }", ["tcp 8080: 511 built in"]),
        ("nginx", NGINX, "events {} http { server { listen 8080 backlog=8192; } }", ["tcp 8080: 8192 nginx.conf:1:39"]),
        ("nginx", NGINX, "events {} stream { server { listen 53 udp; proxy_pass 127.0.0.1:1; } }", ["udp 53: nobody says"]),
        (
            "nginx",
            NGINX,
            "events {} http { server { listen 80; } server { listen 80 backlog=9; } }",
            ["tcp 80: 9 nginx.conf:1:59"],
        ),
        (f"redis-server {REDIS}", REDIS, "tcp-backlog 600\n", ["tcp 6379: 600 redis.conf:1:13"]),
        (f"haproxy -f {HAPROXY}", HAPROXY, "defaults\n maxconn 9\nlisten a\n bind :81\n", ["tcp 81: nobody says"]),
        (f"haproxy -f {HAPROXY}", HAPROXY, "defaults\n backlog 9\nlisten a\n bind :81\n", ["tcp 81: 9 haproxy.cfg:2:10"]),
        (
            f"haproxy -f {HAPROXY}",
            HAPROXY,
            "defaults\n backlog 9\nlisten a\n bind :81 backlog 8\n backlog 7\n bind :82\n",
            ["tcp 81: 8 haproxy.cfg:4:19", "tcp 82: 7 haproxy.cfg:5:10"],
        ),
        ("apache2", "/etc/apache2/apache2.conf", "Listen 80\n", ["tcp 80: 511 built in"]),
        ("apache2", "/etc/apache2/apache2.conf", "ListenBacklog 9\nListen 80\nListenBacklog 8\n", ["tcp 80: 8 apache2.conf:3:15"]),
        (
            "lighttpd -D -f /etc/l.conf",
            "/etc/l.conf",
            "server.port = 80\nserver.listen-backlog = 700\n",
            ["tcp 80: 700 l.conf:2:25"],
        ),
        (
            "pgbouncer /etc/p.ini",
            "/etc/p.ini",
            "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_backlog = 701\n",
            ["tcp 6432: 701 p.ini:3:18"],
        ),
        ("node /srv/a.js", "/srv/a.js", "require('net').createServer().listen(80, '127.0.0.1')", ["tcp 80: 511 built in"]),
        ("node /srv/a.js", "/srv/a.js", "require('net').createServer().listen(80, '127.0.0.1', 700)", ["tcp 80: 700 a.js:1:55"]),
        ("node /srv/a.js", "/srv/a.js", "require('net').createServer().listen(80, 700)", ["tcp 80: 700 a.js:1:42"]),
        ("node /srv/a.js", "/srv/a.js", "require('net').createServer().listen({port: 80, backlog: 9})", ["tcp 80: 9 a.js:1:58"]),
        (
            "/srv/tomcat/bin/catalina.sh run",
            "/srv/tomcat/conf/server.xml",
            '<Server><Service><Connector port="80" acceptCount="9"/></Service></Server>',
            ["tcp 80: 9 server.xml:1:51"],
        ),
    ],
)
def test_a_setting_says_how_many_may_wait(command: str, path: str, text: str, expected: list[str]) -> None:
    assert expected == asked(command, {path: text})


@pytest.mark.parametrize("text", ["", "many", "-1", "10 # ten", "12345678901", "٣"])
def test_what_is_no_number_of_connections_says_nothing(text: str) -> None:
    from portwright.source import Span, Word

    assert Backlog.asked(Word(text, Span("a", 1, 1, 1, 2))) is None
