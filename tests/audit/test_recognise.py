"""What files of a repository are, whether they are deployed, and where they go on a host."""

import pytest

from portwright.repositories.recognise import (
    Recognised,
    recognise,
    without_blanks_to_fill,
    without_remarks,
    worth_reading,
)

UNKNOWN = "\ufffd"
SERVER = "server {\n    listen 40000;\n    server_name shop;\n}\n"
MAIN = "events {}\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n"
HAPROXY = "frontend web\n    bind :50000\n    default_backend app\n"
UNIT = "[Unit]\nDescription=x\n\n[Service]\nExecStart=/usr/bin/x --port 40000\n"
SOCKET = "[Socket]\nListenStream=40000\n"
SYSCTL = "# tuning\nnet.ipv4.ip_local_port_range = 1024 65535\nvm.swappiness=10\n-kernel.sysrq = 0\n"
SSHD = "Port 40022\nPermitRootLogin no\n"
REDIS = "port 46379\nappendonly yes\n"
SHELL = "# options\nDAEMON_ARGS='-p 40000'\nexport HOME=/srv\n"
APACHE = "Listen 40000\n<VirtualHost *:40000>\n  ServerName shop\n</VirtualHost>\n"


@pytest.mark.parametrize(
    ("path", "text", "kind", "host_path"),
    [
        # rooted like a host
        ("roles/web/files/etc/sysctl.d/10-x.conf", SYSCTL, "sysctl", "/etc/sysctl.d/10-x.conf"),
        ("rootfs/usr/lib/sysctl.d/10-x.conf", SYSCTL, "sysctl", "/usr/lib/sysctl.d/10-x.conf"),
        ("pkg/lib/systemd/system/app.service", UNIT, "unit", "/usr/lib/systemd/system/app.service"),
        ("image/usr/local/etc/haproxy/haproxy.cfg", HAPROXY, "haproxy", "/usr/local/etc/haproxy/haproxy.cfg"),
        ("files/etc/nginx/sites-available/shop", SERVER, "nginx", "/etc/nginx/sites-available/shop"),
        ("files/etc/systemd/system/nginx.service.d/override.conf", "[Service]\nUser=www\n", "drop-in", None),
        ("etc/default/app", SHELL, "environment", "/etc/default/app"),
        # below an etc/ or opt/ that is not laid out like a host's
        ("project/etc/app.service", UNIT, "unit", "/etc/systemd/system/app.service"),
        ("project/etc/systemd/app.service", UNIT, "unit", "/etc/systemd/system/app.service"),
        ("project/etc/nginx.conf", MAIN, "nginx", "/etc/nginx/nginx.conf"),
        ("opt/app/sysctl.conf", SYSCTL, "sysctl", "/etc/sysctl.conf"),
        ("opt/app/etc/haproxy.cfg", HAPROXY, "haproxy", "/etc/haproxy/haproxy.cfg"),
        ("opt/app/options.env", SHELL, "environment", "/opt/app/options.env"),
        # a name that only one daemon's config goes by
        ("mqtt/mosquitto.conf", "listener 41883\n", "mosquitto", "/etc/mosquitto/mosquitto.conf"),
        ("rootfs/etc/turn/turnserver.conf", "listening-port=41000\n", "coturn", "/etc/turn/turnserver.conf"),
        ("templates/Caddyfile.j2", "shop.com {\n  reverse_proxy :40000\n}\n", "caddy", "/etc/caddy/Caddyfile"),
        ("db/pgbouncer.ini", "[pgbouncer]\nlisten_port = 46432\n", "pgbouncer", "/etc/pgbouncer/pgbouncer.ini"),
        # sysctl
        ("sysctl.conf", SYSCTL, "sysctl", "/etc/sysctl.conf"),
        ("deploy/sysctl.d/x.conf", "no equals sign here\n", "sysctl", "/etc/sysctl.d/x.conf"),
        ("files/99-app.conf", SYSCTL, "sysctl", "/etc/sysctl.d/99-app.conf"),
        ("files/99-app.conf", "net/core/somaxconn=4096\n", "sysctl", "/etc/sysctl.d/99-app.conf"),
        ("tuning/90-sysctl.conf", SYSCTL + "odd line\n", "sysctl", "/etc/sysctl.d/90-sysctl.conf"),
        ("debian/app.sysctl", SYSCTL, "sysctl", "/usr/lib/sysctl.d/app.conf"),
        # units
        ("systemd/app.service", UNIT, "unit", "/etc/systemd/system/app.service"),
        ("ops/app@.service", "# SPDX\n; x\n\n" + UNIT, "unit", "/etc/systemd/system/app@.service"),
        ("systemd/app.socket", SOCKET, "unit", "/etc/systemd/system/app.socket"),
        ("debian/app.service", UNIT, "unit", "/usr/lib/systemd/system/app.service"),
        ("packaging/rpm/app.service", UNIT, "unit", "/etc/systemd/system/app.service"),
        ("app.service.d/limits.conf", "[Service]\nLimitNOFILE=1\n", "drop-in", "/etc/systemd/system/app.service.d/limits.conf"),
        ("files/app.service.d-limits.conf", "[Service]\nUser=x\n", "drop-in", "/etc/systemd/system/app.service.d/limits.conf"),
        ("dns/app.override.service", "[Service]\nUser=x\n", "drop-in", "/etc/systemd/system/app.service.d/override.conf"),
        ("systemd/app@.service", "[Service]\nExecStart=/usr/bin/x {%i}\n", "unit", "/etc/systemd/system/app@.service"),
        ("dns/app@-override.socket", SOCKET, "drop-in", "/etc/systemd/system/app@.socket.d/override.conf"),
        ("files/etc_systemd_system_app.service", UNIT, "unit", "/etc/systemd/system/app.service"),
        ("roles/app/templates/app.service.j2", UNIT, "unit", "/etc/systemd/system/app.service"),
        # nginx
        ("deploy/nginx.conf", MAIN, "nginx", "/etc/nginx/nginx.conf"),
        ("deploy/nginx.conf", SERVER, "nginx", "/etc/nginx/conf.d/nginx.conf"),
        ("docker/nginx/default.conf", SERVER, "nginx", "/etc/nginx/conf.d/default.conf"),
        ("nginx/sites-enabled/shop.com", SERVER, "nginx", "/etc/nginx/sites-enabled/shop.com"),
        ("nginx/conf.d/shop.conf", "upstream app {\n    server 127.0.0.1:40000;\n}\n", "nginx", "/etc/nginx/conf.d/shop.conf"),
        ("ops/shop.vhost", "server\n{\n  listen 40000;\n}\n", "nginx", "/etc/nginx/conf.d/shop.vhost.conf"),
        ("ops/shop.nginx", "server { listen 40000; return 204; }", "nginx", "/etc/nginx/conf.d/shop.nginx.conf"),
        ("files/nginx_sites/shop.org", SERVER, "nginx", "/etc/nginx/conf.d/shop.org.conf"),
        ("nginx/snippets/tls.conf", "ssl_protocols TLSv1.3;\nssl_ciphers 'a b';\n", "nginx", "/etc/nginx/snippets/tls.conf"),
        ("ops/shop.example.com.conf", SERVER, "nginx", "/etc/nginx/conf.d/shop.example.com.conf"),
        # databases
        ("db/mysql/my.cnf", "[client]\nport=43306\n[mysqld]\nport=43306\n", "mysql", "/etc/my.cnf"),
        ("s1/etc/mysql/mysql.conf.d/mysqld.cnf", "[mysqld]\nbind-address = 0.0.0.0\n", "mysql", "/etc/mysql/mysql.conf.d/mysqld.cnf"),
        ("db/tuning.cnf", "[mysqld-8.0]\nport=43306\n", "mysql", None),
        ("roles/db/templates/postgresql.conf", "port = 45432\n", "postgresql", None),
        # Apache
        ("apache/sites-available/shop.conf", APACHE, "apache2", None),
        ("image/etc/apache2/sites-enabled/shop", APACHE, "apache2", "/etc/apache2/sites-enabled/shop"),
        ("docker/apache/ports.conf", "Listen 40000\n", "apache2", "/etc/apache2/ports.conf"),
        ("docker/httpd.conf", "LoadModule ssl_module x.so\nListen 40000\n", "apache2", "/etc/httpd/conf/httpd.conf"),
        # by names that only their daemons' configs have, or by the folder they lie in
        ("proftpd/proftpd.conf", "Port 40021\n<VirtualHost 192.0.2.7>\n</VirtualHost>\n", "proftpd", "/etc/proftpd/proftpd.conf"),
        ("dovecot/conf.d/10-master.conf", "service imap-login {\n  inet_listener imap {\n  }\n}\n", "dovecot", None),
        ("ntp.conf", "server 0.pool.ntp.org iburst\nlisten on eth0\n", "ntpsec", "/etc/ntpsec/ntp.conf"),
        ("chrony.conf", "pool ntp.example.org\nallow\n", "chrony", "/etc/chrony/chrony.conf"),
        ("freeradius/radiusd.conf", "prefix = /usr\n", "freeradius", "/etc/freeradius/3.0/radiusd.conf"),
        ("traefik/traefik.yml", "entryPoints:\n  web:\n    address: ':8080'\n", "traefik", "/etc/traefik/traefik.yml"),
        ("stacks/loki/config.yml", "server:\n  http_listen_port: 3100\n", "loki", "/etc/loki/config.yml"),
        ("knot/knot.conf", "server:\n    listen: 0.0.0.0@5353\n", "knot", "/etc/knot/knot.conf"),
        # others
        ("lb/haproxy.cfg", HAPROXY, "haproxy", "/etc/haproxy/haproxy.cfg"),
        ("lb/edge.cfg", "defaults\n  mode http\n\nlisten stats\n  bind *:40001\n", "haproxy", "/etc/haproxy/haproxy.cfg"),
        ("haproxy/conf.d/10-web.cfg", HAPROXY, "haproxy", "/etc/haproxy/conf.d/10-web.cfg"),
        ("ssh/sshd_config", SSHD, "sshd", "/etc/ssh/sshd_config"),
        ("ssh/sshd_config.d/10-port.conf", "Port 40022\n", "sshd", "/etc/ssh/sshd_config.d/10-port.conf"),
        ("docker/redis/redis.conf", REDIS, "redis", "/etc/redis/redis.conf"),
        ("conf/redis-cache.conf", REDIS, "redis", "/etc/redis/redis-cache.conf"),
        ("redis.conf", "# Redis configuration file example.\n" + REDIS, "redis", "/etc/redis/redis.conf"),
        ("munin/munin-node.conf", "#\n# Example config-file for munin-node\n#\nport 44949\n", "munin-node", "/etc/munin/munin-node.conf"),
        ("etc/my.cnf", "# Example MariaDB config file for medium systems.\n[mysqld]\nport = 43306\n", "mysql", "/etc/my.cnf"),
        ("salt/profile/documentation/files/docs.conf", SERVER, "nginx", "/etc/nginx/conf.d/docs.conf"),
        ("nagios/nrpe.cfg", "# This is a sample configuration file for the NRPE daemon.\nserver_port=45\n", "nrpe", "/etc/nagios/nrpe.cfg"),
        ("deploy/app.env", SHELL, "environment", None),
        (".env", "PORT=40000\n", "environment", None),
        ("debian/app.default", SHELL, "environment", "/etc/default/app"),
    ],
)
def test_a_config_is_known_by_its_path_and_text(path: str, text: str, kind: str, host_path: str | None) -> None:
    if kind == "drop-in" and host_path is None:
        host_path = path.removeprefix("files")

    assert Recognised(kind, True, "", host_path) == recognise(path, text) == recognise(f"/{path}", text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("apache/sites-available/shop.md", APACHE),
        ("ssl/openssl.cnf", "[req]\nprompt = no\n"),
        ("home/client.cnf", "[client]\nport=43306\n"),
        ("php/conf.d/www.conf", "[www]\nlisten = 9000\npm = dynamic\n"),
        ("radius/sites-enabled/default", "server default {\n  listen {\n    port = 1812\n  }\n}\n"),
        ("logrotate/nginx.conf", "/var/log/nginx/*.log {\n  daily\n  postrotate\n    x\n  endscript\n}\n"),
        ("keepalived/keepalived.conf", "vrrp_instance x {\n  state MASTER\n}\nvirtual_server 10.0.0.1 80 {\n}\n"),
        ("fail2ban/filter.d/nginx-badbots.conf", "[Definition]\nfailregex = ^<HOST> -.*$\n"),
        ("fail2ban/filter.d/sshd.conf", "[Definition]\nfailregex = ^Port .*$\n"),
        ("supervisor/conf.d/app.conf", "[program:app]\ncommand=/usr/bin/app --port 40000\n"),
        ("rspamd/local.d/redis.conf", 'servers = "127.0.0.1:6379";\n'),
        ("php/conf.d/redis.conf", "extension=redis.so\n"),
        ("setup.cfg", "[metadata]\nname = x\n[options]\nport = 40000\n"),
        ("ansible.cfg", "[defaults]\nforks = 10\ntimeout = 30\n"),
        ("spark/conf/spark.conf", "kernel.app = x\nnet.sf.ehcache.disabled = true\n"),
        ("jvm/api.conf", 'api {\n  http {\n    port = 8080\n    include "api-paths.conf"\n  }\n}\n'),
        ("server.conf", "port 1194\nproto udp\nserver 10.8.0.0 255.255.255.0\n"),
        ("app/auth.service", "import { Injectable } from '@angular/core';\n"),
        ("dbus-1/org.shop.service", "[D-BUS Service]\nName=org.shop\nExec=/usr/bin/shop\n"),
        ("avahi/services/ssh.service", "<?xml version='1.0'?>\n<service-group/>\n"),
        ("ssh/ssh_config", "Host *\n  Port 40022\n"),
        ("src/http.py", SERVER),
        ("README.md", SERVER),
        ("nginx.conf", ""),
        ("sites-available/README.md", SERVER),
        (".env", "not an assignment\n"),
        ("", ""),
        ("/", "x"),
    ],
)
def test_what_only_resembles_a_config_is_none(path: str, text: str) -> None:
    assert recognise(path, text) is None


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("examples/nginx.conf", MAIN, "it lies in examples/, which contains samples"),
        ("contrib/app.service", UNIT, "it lies in contrib/, which contains samples"),
        ("docs/samples/haproxy.cfg", HAPROXY, "it lies in docs/, which contains documentation"),
        ("src/Tests/data/sysctl.conf", SYSCTL, "it lies in Tests/, which contains tests"),
        ("web/molecule/default/nginx.conf", MAIN, "it lies in molecule/, which contains tests"),
        ("vendor/redis/redis.conf", REDIS, "it lies in vendor/, which contains other projects' files"),
        ("deploy/nginx.conf.sample", MAIN, "its name ends in .sample, so programs do not read it"),
        ("deploy/nginx.conf.example.j2", MAIN, "its name ends in .example, so programs do not read it"),
        ("deploy/nginx.conf.dist", MAIN, "its name ends in .dist, so programs do not read it"),
        ("deploy/nginx.conf.bak", MAIN, "its name ends in .bak, so programs do not read it"),
        ("deploy/nginx.conf~", MAIN, "its name ends in ~, so programs do not read it"),
        ("sites-enabled/shop.disabled", SERVER, "its name ends in .disabled, so programs do not read it"),
        ("etc/sysctl.conf.rpmnew", SYSCTL, "its name ends in .rpmnew, so programs do not read it"),
        (".env.example", "PORT=40000\n", "its name ends in .example, so programs do not read it"),
        ("deploy/nginx.sample.conf", MAIN, "its name says that it is a sample"),
        ("deploy/example-app.service", UNIT, "its name says that it is a sample"),
        ("deploy/haproxy_test.cfg", HAPROXY, "its name says that it is a test"),
        ("deploy/shop.test.conf", SERVER, "its name says that it is a test"),
        ("conf.d/.default.conf", SERVER, "its name begins with a dot, so programs ignore it"),
        ("systemd/user/app.service", UNIT, "it is a user unit, not a system unit"),
        ("nginx.conf", "# This is a sample configuration.\n" + MAIN, "its text says: This is a sample configuration"),
        ("nginx.conf", "\n## Example nginx configuration ##\n" + MAIN, "its text says: Example nginx configuration"),
        ("a.service", "# An example of a unit\n" + UNIT, "its text says: An example of a unit"),
        ("nginx.conf", "# DO NOT USE IN PRODUCTION!\n" + MAIN, "its text says: DO NOT USE IN PRODUCTION!"),
        ("app.service", "#######\n## NOT USED ANYMORE - nginx does it ##\n" + UNIT, "its text says: NOT USED ANYMORE - nginx does it"),
        ("app.service.in", UNIT.replace("/usr/bin", "@bindir@"), "it is a template, and @bindir@ is not filled in"),
        ("app.service", UNIT.replace("40000", "__PORT__"), "it is a template, and __PORT__ is not filled in"),
        ("app.service", UNIT + "User=<your-user>\n", "it is a template, and <your-user> is not filled in"),
        ("app.service", UNIT + '%{ if first != "" }\nUser=x\n%{ endif }\n', 'it is a template, and %{ if first != "" } is not filled in'),
        ("tuning.sysctl.j2", SYSCTL.replace("1024", "{{ low }}"), "it is a template, and {{ low }} is not filled in"),
    ],
)
def test_what_nobody_deploys_is_said(path: str, text: str, reason: str) -> None:
    found = recognise(path, text)

    assert found is not None
    assert (False, reason) == (found.deployed, found.reason)


@pytest.mark.parametrize(
    ("path", "text", "unfilled"),
    [
        ("templates/nginx.conf.j2", SERVER.replace("shop", "{{ name }}"), "{{ name }}"),
        ("nginx.conf.erb", SERVER.replace("40000", "<%= @port %>"), "<%= @port %>"),
        ("templates/default.conf.template", SERVER.replace("40000", "${PORT}"), "${PORT}"),
        ("nginx.conf", SERVER.replace("40000", "$PORT"), "$PORT"),
        ("haproxy.cfg.j2", HAPROXY + "{% for one in servers %}\n", "{% for one in servers %}"),
        ("sshd_config.j2", SSHD + "AllowUsers {{ users }}\n", "{{ users }}"),
        ("mosquitto.conf", "listener ${MQTT_PORT}\n", "${M"),
        ("lighttpd.conf", "server.port = env.PORT\n", "env.P"),
    ],
)
def test_a_template_of_lines_is_deployed_for_what_is_not_filled_in(path: str, text: str, unfilled: str) -> None:
    found = recognise(path, text)

    assert found is not None
    assert (True, "", unfilled) == (found.deployed, found.reason, found.unfilled)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("listen {{ port }};\n", f"listen {UNKNOWN * 10};\n"),
        ("{% if x %}listen 1;{% endif %}", f"{' ' * 10}listen 1;{' ' * 11}"),
        ("  {{ managed }}  \nuser x;", f"{' ' * 17}\nuser x;"),
        ("a <%- if y -%>\n<%= z %>b", f"a {' ' * 12}\n{UNKNOWN * 8}b"),
        ("a {{ range .x }} b {{ .y }}", f"a {' ' * 14} b {UNKNOWN * 8}"),
        ("a {{ one\ntwo }} b", f"a {UNKNOWN * 6}\n{UNKNOWN * 6} b"),
        ("a {{ never ends", "a {{ never ends"),
        ("plain", "plain"),
    ],
)
def test_what_fills_a_template_is_unknown_and_what_decides_is_blank(text: str, expected: str) -> None:
    assert expected == without_blanks_to_fill(text)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.conf.j2", "{# one\ntwo #}x", "      \n      x"),
        ("a.conf.erb", "<%# one -%>x<%= y %>", "           x<%= y %>"),
        ("a.tmpl", "{{/* one */}}x", "             x"),
        ("a.conf", "{# one #}x", "{# one #}x"),
        ("a.conf.j2", "{# one", "{# one"),
    ],
)
def test_a_template_keeps_its_remarks_to_itself(path: str, text: str, expected: str) -> None:
    assert expected == without_remarks(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("roles/docs/files/nginx.conf", MAIN),
        ("roles/test/templates/app.service.j2", UNIT),
        ("systemd/borg-backup.service", UNIT),
        ("roles/hardening/files/50-kexec_load_disabled.conf", "kernel.kexec_load_disabled = 1\n"),
        ("haproxy.cfg", "# Example configuration for a possible web application.  See the\n" + HAPROXY),
        ("app.service", UNIT + "ExecStartPre=/usr/bin/docker inspect --format '{{.State.Running}}' app\n"),
        ("app.service", UNIT + "ExecStop=/bin/kill ${MAINPID}\n# {{ not this }}\n"),
        ("haproxy.cfg", HAPROXY + "    bind :${PORT}\n    http-request set-header X %[src]\n"),
        ("nginx.conf", SERVER.replace("server_name shop;", "return 301 https://$host$request_uri;")),
        ("latest/contest/nginx.conf", MAIN),
        ("app.service", "# Copy this file to /etc/systemd/system, see the example in docs\n" + UNIT),
    ],
)
def test_what_only_resembles_a_sample_is_deployed(path: str, text: str) -> None:
    found = recognise(path, text)

    assert found is not None
    assert (True, "") == (found.deployed, found.reason)


def test_a_file_its_user_named_is_no_sample_whatever_it_is_called() -> None:
    found = recognise("docs/samples/nginx.conf.sample", "# This is a sample configuration\n" + SERVER, explicit=True)

    assert Recognised("nginx", True, "", "/etc/nginx/conf.d/nginx.conf") == found


@pytest.mark.parametrize(("text", "kind"), [(MAIN, "nginx"), (HAPROXY, "haproxy"), (SYSCTL, "sysctl")])
@pytest.mark.parametrize("path", ["<stdin>", "notes.txt"])
def test_a_file_its_user_named_is_known_by_its_text_alone(path: str, text: str, kind: str) -> None:
    assert kind == getattr(recognise(path, text, explicit=True), "kind", None)
    assert recognise(path, text) is None


def test_a_file_its_user_named_is_still_a_template_where_it_is_not_filled_in() -> None:
    found = recognise("app.service.j2", UNIT.replace("40000", "{{ port }}"), explicit=True)

    assert False is getattr(found, "deployed", None)


@pytest.mark.parametrize(
    "path", ["src/main.c", "package.json", "img/logo.png", "docs/index.md", "Makefile", "a/sites-available/x.md", ".service"]
)
def test_most_files_need_not_be_read(path: str) -> None:
    assert False is worth_reading(path)


@pytest.mark.parametrize(
    "line", ["server\n" * 100_000, "listen " * 100_000, "\n" * 1_000_000, "{" * 1_000_000, "a=" + "{{" * 300_000, "[" * 500_000]
)
@pytest.mark.parametrize("path", ["nginx/nginx.conf", "a.service", "sysctl.d/x.conf", "x.cfg", "x.env", "sshd_config"])
def test_hostile_text_is_looked_at_in_linear_time(path: str, line: str) -> None:
    recognise(path, line)
    recognise(path, "[Unit]\n# x\n" + line)
