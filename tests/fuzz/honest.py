"""Large hosts as people have them, each as a function of its size: none of them may be cut off, and none may take long."""

from collections.abc import Callable, Mapping

from portwright._start.records import dataclass
from tests.fuzz.constructions import Contents, service, services

_UNITS = "/etc/systemd/system"


@dataclass(frozen=True, slots=True)
class Honest:
    """A host that its owner did not make to be dear: as large as `largest` at least it must be read whole."""

    contents: Callable[[int], Contents]
    largest: int


def _of_many(
    count: int,
    unit: Callable[[int], str],
    files: Callable[[int], Mapping[str, str]] = lambda number: {},
    name: str = "app",
) -> dict[str, str]:
    found = services({f"{name}{number}.service": unit(number) for number in range(count)})
    for number in range(count):
        found.update(files(number))
    return found


def _address(number: int) -> str:
    return f"10.{20 + (number >> 8)}.{number & 255}.1"


def _lines_of_addresses(count: int) -> str:
    return "".join(f"2: eth0    inet {_address(number)}/24 scope global eth0\n" for number in range(count))


def _site(number: int, address: str = "") -> str:
    listen = (f"{address}:80", f"{address}:443 ssl http2") if address else ("80", "443 ssl http2")
    more = "" if address else "    listen [::]:443 ssl http2;\n"
    return f"""# site {number}, managed by ansible
upstream app{number} {{
    server 127.0.0.1:{10000 + number};
    keepalive 16;
}}
server {{
    listen {listen[0]};
    server_name www{number}.example.com example{number}.com;
    return 301 https://$host$request_uri;
}}
server {{
    listen {listen[1]};
{more}    server_name www{number}.example.com example{number}.com;
    ssl_certificate /etc/letsencrypt/live/example{number}.com/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/example{number}.com/privkey.pem;
    root /srv/www/example{number}.com;
    access_log /var/log/nginx/example{number}.access.log;
    location / {{
        include proxy_params;
        proxy_pass http://app{number};
        proxy_set_header Host $host;
        proxy_read_timeout 60s;
    }}
    location /static/ {{
        alias /srv/www/example{number}.com/static/;
        expires 30d;
    }}
}}
"""


_NGINX_UNIT = """[Unit]
Description=A high performance web server and a reverse proxy server
After=network-online.target remote-fs.target nss-lookup.target
Wants=network-online.target

[Service]
Type=forking
PIDFile=/run/nginx.pid
ExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'
ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'
ExecReload=/usr/sbin/nginx -g 'daemon on; master_process on;' -s reload
KillMode=mixed

[Install]
WantedBy=multi-user.target
"""
_NGINX = {
    **services({"nginx.service": _NGINX_UNIT}),
    "/etc/nginx/nginx.conf": "user www-data;\nworker_processes auto;\nevents { worker_connections 768; }\n"
    "http {\n    sendfile on;\n    include /etc/nginx/conf.d/*.conf;\n    include /etc/nginx/sites-enabled/*;\n}\n",
    "/etc/nginx/proxy_params": "proxy_set_header Host $http_host;\nproxy_set_header X-Real-IP $remote_addr;\n"
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header X-Forwarded-Proto $scheme;\n",
}


def _sites_on_addresses(count: int) -> Contents:
    """Each site on an address of its own, which the host has."""
    return {
        **_NGINX,
        "/.portwright/addresses": _lines_of_addresses(count),
        **{f"/etc/nginx/sites-enabled/site{number}.conf": _site(number, _address(number)) for number in range(count)},
    }


def _sites(count: int) -> Contents:
    return {**_NGINX, **{f"/etc/nginx/sites-enabled/site{number}.conf": _site(number) for number in range(count)}}


def _daemons_on_addresses(count: int) -> Contents:
    """BIND, Unbound and ntpd bind each address one by one."""
    daemons = {
        "named.service": service("/usr/sbin/named -f -u bind", "Type=exec\n"),
        "unbound.service": service("/usr/sbin/unbound -d -p", "Type=notify\n"),
        "ntpsec.service": service("/usr/sbin/ntpd -p /run/ntpd.pid -c /etc/ntp.conf -g -u ntp:ntp", "Type=forking\n"),
        "dnsmasq.service": service("/usr/sbin/dnsmasq -k --port=5353 --bind-interfaces"),
    }
    interfaces = "".join(f"    interface: {_address(number)}@5300\n" for number in range(count))
    return {
        **services(daemons),
        "/.portwright/addresses": _lines_of_addresses(count),
        "/etc/bind/named.conf": 'include "/etc/bind/named.conf.options";\n',
        "/etc/bind/named.conf.options": "options {\n\tlisten-on-v6 { any; };\n\tlisten-on { any; };\n};\n",
        "/etc/unbound/unbound.conf": f"server:\n{interfaces}    access-control: 10.0.0.0/8 allow\n",
        "/etc/ntp.conf": "driftfile /var/lib/ntp/ntp.drift\npool 0.debian.pool.ntp.org iburst\nrestrict default nomodify noquery\n",
    }


_LAUNCHER = """#!/bin/bash
# Starts an application of the platform. Usage: launch NAME
set -euo pipefail

APP="${1:?no application is named}"
BASE=/srv/apps
CONF=/etc/apps
RUN="$BASE/$APP"
LOG="/var/log/apps/$APP.log"

log() {
    echo "$(date -Is) $APP: $*" >> "$LOG"
}

if [ -r "$CONF/common.env" ]; then
    . "$CONF/common.env"
fi
if [ -r "$CONF/$APP.env" ]; then
    . "$CONF/$APP.env"
fi

PORT="${PORT:-8080}"
BIND="${BIND:-127.0.0.1}"
WORKERS="${WORKERS:-4}"
HEAP="${HEAP:-256m}"
OPTS=""
case "${FLAVOUR:-web}" in
    web)
        OPTS="$OPTS --access-logfile -"
        ;;
    worker)
        OPTS="$OPTS --no-access-log"
        ;;
    *)
        log "unknown flavour"
        exit 64
        ;;
esac
if [ "${DEBUG:-0}" = 1 ]; then
    OPTS="$OPTS --log-level debug"
fi
for extra in /etc/apps/options/*; do
    if [ -f "$extra" ]; then
        OPTS="$OPTS $(cat "$extra")"
    fi
done
mkdir -p "$RUN"
cd "$RUN"
ulimit -n 65536
export PORT HEAP
log "starting on $BIND:$PORT"
exec /usr/bin/gunicorn --bind "$BIND:$PORT" --workers "$WORKERS" $OPTS app.wsgi
"""


def _one_launcher(count: int) -> Contents:
    return {
        "/usr/local/bin/launch": _LAUNCHER,
        "/etc/apps/common.env": "# settings of all applications\n" + "".join(f"SETTING_{number}=value\n" for number in range(30)),
        **_of_many(
            count,
            lambda n: service(f"/usr/local/bin/launch app{n}", f"User=app\nRestart=on-failure\nSyslogIdentifier=app{n}\n"),
            lambda n: {f"/etc/apps/app{n}.env": f"PORT={10000 + n}\nWORKERS=8\nDATABASE=postgresql://db/app{n}\nSECRET_FILE=/run/app{n}\n"},
        ),
    }


_TEMPLATE = """[Unit]
Description=Worker %i
Documentation=https://wiki.example.com/workers
After=network-online.target postgresql.service redis-server.service
Wants=network-online.target
PartOf=workers.target

[Service]
Type=simple
User=app
Group=app
EnvironmentFile=-/etc/workers/common.env
EnvironmentFile=/etc/workers/%i.env
Environment=PYTHONUNBUFFERED=1 LANG=C.UTF-8 INSTANCE=%i
WorkingDirectory=/srv/worker
ExecStartPre=/usr/bin/test -d /srv/worker
ExecStart=/srv/worker/venv/bin/gunicorn --bind 127.0.0.1:${PORT} --workers 4 --name %p-%i app.wsgi
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=5
LimitNOFILE=65536
PrivateTmp=true
ProtectSystem=full
NoNewPrivileges=true

[Install]
WantedBy=multi-user.target
"""


def _instances(count: int) -> Contents:
    found = {
        f"{_UNITS}/worker@.service": _TEMPLATE,
        f"{_UNITS}/worker@.service.d/limits.conf": "[Service]\nMemoryMax=512M\nTasksMax=64\nCPUQuota=50%\n",
        f"{_UNITS}/worker@.service.d/hardening.conf": "[Service]\nProtectHome=yes\nPrivateDevices=yes\nProtectKernelTunables=yes\n",
        "/etc/workers/common.env": "".join(f"SETTING_{number}=value\n" for number in range(30)),
    }
    for number in range(count):
        found[f"{_UNITS}/multi-user.target.wants/worker@{number}.service"] = f"-> {_UNITS}/worker@.service"
        found[f"/etc/workers/{number}.env"] = f"PORT={10000 + number}\nQUEUE=queue{number}\n"
    return found


def _drop_ins(count: int) -> Contents:
    """Each unit with three drop-ins of its own, and four for all services."""
    wide = {
        f"{_UNITS}/service.d/10-timeout.conf": "[Service]\nTimeoutStopSec=15\n",
        f"{_UNITS}/service.d/20-limits.conf": "[Service]\nLimitNOFILE=65536\nLimitCORE=0\nTasksMax=512\n",
        f"{_UNITS}/service.d/30-accounting.conf": "[Service]\nCPUAccounting=yes\nMemoryAccounting=yes\nIOAccounting=yes\n",
        f"{_UNITS}/service.d/40-failure.conf": "[Unit]\nOnFailure=notify@%n.service\n",
        f"{_UNITS}/notify@.service": "[Service]\nType=oneshot\nExecStart=/usr/local/bin/notify %i\n",
    }

    def own(number: int) -> dict[str, str]:
        folder = f"{_UNITS}/app{number}.service.d"
        return {
            f"{folder}/environment.conf": f"[Service]\nEnvironment=PORT={10000 + number} NAME=app{number}\n",
            f"{folder}/limits.conf": "[Service]\nMemoryMax=512M\nCPUQuota=100%\n",
            f"{folder}/order.conf": "[Unit]\nAfter=postgresql.service redis-server.service\nWants=redis-server.service\n",
        }

    unit = service("/usr/bin/gunicorn --bind 127.0.0.1:${PORT} app.wsgi", "User=app\nRestart=always\n", "After=network-online.target\n")
    return {**wide, **_of_many(count, lambda n: unit, own)}


def _backends(count: int) -> Contents:
    frontends = "".join(f"frontend f{n}\n    bind 127.0.0.1:{20000 + n}\n    default_backend b{n}\n" for n in range(count // 10))
    backends = "".join(
        f"backend b{n}\n    balance roundrobin\n    option httpchk GET /health\n"
        + "".join(f"    server s{k} 10.1.{n >> 8}.{n & 255}:{8000 + k} check inter 2s fall 3\n" for k in range(4))
        for n in range(count)
    )
    head = "global\n    daemon\n    maxconn 100000\ndefaults\n    mode http\n    timeout client 50s\n    timeout server 50s\n"
    main = "frontend www\n    bind :80\n    bind :443 ssl crt /etc/haproxy/certs/\n" + "".join(
        f"    use_backend b{n} if {{ hdr(host) -i www{n}.example.com }}\n" for n in range(count)
    )
    return {
        **services({"haproxy.service": service("/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid", "Type=notify\n")}),
        "/etc/haproxy/haproxy.cfg": head + main + frontends + backends,
    }


def _mail(count: int) -> Contents:
    """A master.cf with an smtpd of its own for each address."""
    listed = "".join(
        f"{_address(n)}:smtp inet n       -       y       -       -       smtpd\n  -o syslog_name=postfix/smtpd{n}\n"
        f"  -o myhostname=mx{n}.example.com\n  -o smtpd_tls_cert_file=/etc/ssl/mx{n}.pem\n"
        for n in range(count)
    )
    others = "".join(
        f"out{n}      unix  -       -       y       -       -       smtp\n  -o smtp_bind_address={_address(n)}\n" for n in range(count)
    )
    return {
        **services({"postfix.service": service("/usr/lib/postfix/sbin/master -w", "Type=forking\n")}),
        "/.portwright/addresses": _lines_of_addresses(count),
        "/etc/postfix/main.cf": "compatibility_level = 3.6\nmyhostname = mx.example.com\ninet_interfaces = all\n",
        "/etc/postfix/master.cf": listed + "pickup    unix  n       -       y       60      1       pickup\n" + others,
    }


def _sysctls(count: int) -> Contents:
    """Settings of many interfaces and sessions, in ten files."""
    lines = [
        f"net.ipv4.conf.vlan{number}.{key} = 0"
        for number in range(count // 5 + 1)
        for key in ("rp_filter", "accept_redirects", "send_redirects", "arp_ignore", "forwarding")
    ][:count]
    tenth = count // 10 + 1
    files = {f"/etc/sysctl.d/{40 + n}-interfaces.conf": "\n".join(lines[n * tenth : (n + 1) * tenth]) + "\n" for n in range(10)}
    return {
        **files,
        "/etc/sysctl.d/99-local.conf": "# portwright reads these\nnet.ipv4.ip_local_port_range = 1024 65535\n"
        "net.ipv4.ip_local_reserved_ports = " + ",".join(str(8000 + 2 * n) for n in range(count // 10)) + "\n",
        **_of_many(count // 100, lambda n: service(f"/usr/bin/redis-server --port {8000 + 2 * n}")),
    }


def _applications(count: int) -> Contents:
    """Services of four kinds, each with files of its own, and two sites for each."""

    def command(n: int) -> str:
        return (
            f"/usr/bin/python3 /srv/app{n}/venv/bin/gunicorn --bind 127.0.0.1:${{PORT}} --workers ${{WORKERS}} app{n}.wsgi",
            f"/srv/app{n}/run.sh",
            f"/usr/bin/node /srv/app{n}/server.js",
            f"/usr/bin/redis-server /etc/redis/redis-{n}.conf",
        )[n % 4]

    def files(n: int) -> dict[str, str]:
        run = (
            f"#!/bin/sh\nset -e\ncd /srv/app{n}\nif [ -f .env ]; then\n  . ./.env\nfi\n"
            f'OPTS="--workers ${{WORKERS:-4}}"\nexec /usr/bin/gunicorn --bind 127.0.0.1:${{PORT:-{10000 + n}}} $OPTS app{n}.wsgi\n'
        )
        routes = "".join(f"app.get('/a{k}', (req, res) => {{ res.json({{ok: true, n: {k}}}) }})\n" for k in range(30))
        server = f"const express = require('express')\nconst app = express()\n{routes}app.listen(process.env.PORT || {10000 + n}, '::1')\n"
        redis = f"bind 127.0.0.1\nport {10000 + n}\n" + "# what a setting of redis does\n" * 40 + "appendonly no\nsave 900 1\nsave 300 10\n"
        settings = f"PORT={10000 + n}\nWORKERS=4\nLOG_LEVEL=info\nDATABASE_URL=postgresql://db/app{n}\n"
        own = (f"/srv/app{n}/wsgi.py", f"/srv/app{n}/run.sh", f"/srv/app{n}/server.js", f"/etc/redis/redis-{n}.conf")[n % 4]
        return {f"/etc/default/app{n}": settings, own: ("", run, server, redis)[n % 4]}

    def unit(n: int) -> str:
        more = (
            f"User=app\nEnvironmentFile=/etc/default/app{n}\nWorkingDirectory=/srv/app{n}\nRestart=on-failure\nRestartSec=5\n"
            "LimitNOFILE=65536\nPrivateTmp=true\nProtectSystem=full\nNoNewPrivileges=true\nExecReload=/bin/kill -HUP $MAINPID\n"
        )
        return service(command(n), more, "After=network-online.target postgresql.service\nWants=network-online.target\n")

    sites = {f"/etc/nginx/sites-enabled/site{number}.conf": _site(number) for number in range(2 * count)}
    return {**_NGINX, **sites, **_of_many(count, unit, files)}


HONEST: dict[str, Honest] = {
    "sites on addresses of their own": Honest(_sites_on_addresses, 500),
    "sites": Honest(_sites, 5000),
    "daemons that bind each address": Honest(_daemons_on_addresses, 300),
    "services of one launcher": Honest(_one_launcher, 400),
    "instances of a template": Honest(_instances, 1000),
    "units with drop-ins": Honest(_drop_ins, 2000),
    "backends of haproxy": Honest(_backends, 2000),
    "services of postfix": Honest(_mail, 300),
    "lines of sysctl.d": Honest(_sysctls, 5000),
    "applications and their sites": Honest(_applications, 2000),
}
