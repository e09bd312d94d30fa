"""Secrets in a host's files are in no output: not in reports, facts or plans; files of nothing but secrets are not even opened."""

from itertools import count
from pathlib import Path

import pytest

from tests.hostile.program import enabled, everything_said, lay

FLAGS = """
--password {} | --password={} | -password {} | --db-password={} | --token={} | --token {} | --api-key {} | --apikey={} | --secret {}
--client-secret={} | --auth-token={} | --access-key={} | --secret-key={} | --private-key={} | --pass {} | --passwd={} | --passphrase={}
--pwd={} | --credentials={} | --jwt={} | --auth={} | --auth user:{} | --user admin:{} | -u admin:{} | --dsn=postgres://u:{}@h/db
--url redis://:{}@h:6379 | --url=https://{}@h/ | --header "Authorization: Bearer {}" | --header="X-Api-Key: {}" | -H 'Cookie: session={}'
--database-url=mysql://root:{}@db | --requirepass {} | -Djavax.net.ssl.keyStorePassword={} | -Dspring.datasource.password={}
--http.basic=admin:{} | --encryption-key={} | --signing-key={} | --cookie-secret={} | --admin-pw {} | --key {} | --session-key={}
--salt={}
"""
VARIABLES = """
TOKEN={} | API_TOKEN={} | DB_PASSWORD={} | PGPASSWORD={} | MYSQL_PWD={} | SECRET={} | SECRET_KEY_BASE={} | AWS_SECRET_ACCESS_KEY={}
SALT={} | DATABASE_URL=postgres://u:{}@h/d | REDIS_URL=redis://:{}@h | SENTRY_DSN=https://{}@sentry.example/1
BASIC_AUTH=admin:{} | PASSPHRASE={}
APP_KEY={} | COOKIE={} | GITHUB_PAT={} | JWT={} | SMTP_PASS={} | AUTH={}
"""
FILES = {
    "etc/nginx/nginx.conf": """events { }
http {
    upstream app { server 10.0.0.1:80; }
    server { listen 40010; set $token "{}"; proxy_set_header Authorization "Basic {}"; location / { proxy_pass http://user:{}@app; } }
    server { listen 40012; proxy_set_header X-Api-Key {}; location / { proxy_pass http://app/?api_key={}; } }
    server { listen 40014; if ($http_x_secret != "{}") { return 403; } secure_link_secret {}; auth_jwt_key {}; }
}
""",
    "etc/haproxy/haproxy.cfg": """global
    setenv API_PASSWORD {}
userlist people
    user admin insecure-password {}
    user other password {}
listen web
    mode http
    option httpclose
    bind :40020
    stats auth admin:{}
    http-request set-header Authorization "Bearer {}"
    server s 10.0.0.1:80
""",
    "etc/redis.conf": 'port 40030\nrequirepass {}\nmasterauth "{}"\nuser default on >{} ~*\ntls-key-file-pass {}\nnonsense\n',
    "etc/sysctl.d/9.conf": "net.ipv4.tcp_fastopen_key = {}\nkernel.password = {}\npassword {}\nsecret={}\nnet.ipv4/x_token = {}\n",
    "etc/sysctl.conf": "kernel.secret_token = {}\nnet.ipv6.conf.all.stable_secret = {}\n",
    "etc/ssh/sshd_config": "Port 40040\nInclude /etc/shadow\nInclude /etc/ssh/*_key\nNonsense password {}\n",
    "etc/systemd/system/sh.service": "[Service]\nUser=svc\nExecStart=/bin/sh -c 'PASSWORD={} exec /opt/app --port 301 --token {}'\n",
    "etc/systemd/system/socat.service": "[Service]\nExecStart=/usr/bin/socat TCP-LISTEN:40001,fork PROXY:h:x:80,proxyauth=u:{}\n",
    "etc/systemd/system/open.service": "[Service]\nUser=svc\nExecStart=/opt/app --port 302 'not closed --password {}\n",
    "etc/systemd/system/odd.service": "[Service]\nPassword {}\n[Bad\ntoken={}\n",
    "etc/systemd/system/credential.service": "[Service]\nUser=svc\nSetCredential=db:{}\nExecStart=/opt/app --port 303\n",
    "etc/fstab": "//h/s /m cifs username=u,password={} 0 0\n",
    "etc/shadow": "root:{}:1::::::\n",
    "etc/ssh/ssh_host_rsa_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n",
    "etc/ssl/private/web.key": "-----BEGIN PRIVATE KEY-----\n{}\n",
    "etc/nginx/htpasswd": "admin:{}\n",
}
DAEMONS = {
    "nginx": "/usr/sbin/nginx",
    "haproxy": "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg",
    "redis": "/usr/bin/redis-server /etc/redis.conf --requirepass {} --port 90\nUser=svc",
    "sshd": "/usr/sbin/sshd -D",
}


def _split(table: str) -> list[str]:
    return [word.strip() for line in table.strip().splitlines() for word in line.split("|")]


def test_no_canary_is_in_any_output(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    canaries: list[str] = []
    numbers = count(100)

    def planted(text: str) -> str:
        pieces = text.split("{}")
        for position in range(1, len(pieces)):
            canaries.append(f"Kq{next(numbers)}zCanary7f3")
            pieces[position] = canaries[-1] + pieces[position]
        return "".join(pieces)

    files = {path: planted(text) for path, text in FILES.items()}
    for unit in [path.rpartition("/")[2] for path in files if path.endswith(".service")]:
        files |= enabled(unit)
    for name, command in DAEMONS.items():
        files |= {f"etc/systemd/system/{name}.service": f"[Service]\nExecStart={planted(command)}\n", **enabled(f"{name}.service")}
    for number, flag in enumerate(_split(FLAGS)):
        unit = f"flag{number}.service"
        command = f"/opt/app{number} {planted(flag)} --port {100 + number}"
        files |= {f"etc/systemd/system/{unit}": f"[Service]\nUser=svc\nExecStart={command}\n", **enabled(unit)}
    for number, variable in enumerate(_split(VARIABLES)):
        said, port = planted(variable), 200 + number
        for unit, how in (
            (f"in{number}.service", f"Environment=PORT={port} {said}"),
            (f"by{number}.service", f"EnvironmentFile=/etc/d{number}"),
        ):
            files |= {f"etc/systemd/system/{unit}": f"[Service]\nUser=svc\n{how}\nExecStart=/opt/it --listen :${{PORT}}\n", **enabled(unit)}
        files[f"etc/d{number}"] = f"{said}\nPORT={port}\n"
    said_by = everything_said(lay(tmp_path / "h", files), tmp_path / "plans", capsysbinary)

    assert len(canaries) >= 100
    assert said_by["check -v"].count(b"low-port-without-capability") > 60
    assert [] == [(by, canary) for by, said in said_by.items() for canary in canaries if canary.encode() in said]
    assert b"/etc/shadow: it contains secrets, so it is not read" in said_by["check"]
