"""Secrets: none of those planted in sixty positions and dialects is in any output, and what only looks like one is shown."""

import gzip
import json
from itertools import count, product
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.facts import Subject
from portwright.finding import Finding, RuleMeta
from portwright.reports.registry import formats
from portwright.reports.secrets import hide, hide_in_line, without_secrets
from portwright.source import Source, Span
from tests.hostile.program import COMMANDS, HOST, enabled, everything_said, lay

# Options of a program, {} where the secret stands.
OPTIONS = """
--password {}|--password={}|-password {}|--db-password={}|--token {}|--token={}|--api-key={}|--secret {}|--client-secret={}
--auth-token={}|--psk={}|--pre-shared-key {}|--pin={}|--passphrase {}|--jwt={}|--otp {}|--community {}|--credentials={}
--cookie-secret={}|--encryption-key={}|--admin-pw {}|--session-key={}|-Djavax.net.ssl.keyStorePassword={}|-Dapp.accessKey={}
-encrypt {}|--encrypt={}|-dev-root-token-id={}|--proxy-user u:{}|--ldap-bindpw {}|--sshpass={}|--hmac {}
--user admin:{}|-u admin:{}|--http.basic=admin:{}|--header Authorization:{}|--header X-Api-Key:{}|--requirepass {}
"""
# The same between other programs' names.
PROGRAMS = """
/usr/bin/mysql -uroot -p{}|/usr/bin/redis-cli -a {} -p 6379|/usr/bin/sshpass -p {} ssh h|/usr/bin/mosquitto_sub -P {} -t x
/usr/bin/docker login -u u -p {} r.example|/usr/bin/openssl enc -k {} -in x
/usr/bin/transmission-daemon -u u -v {}|/usr/bin/htpasswd -b /etc/users u {}
/usr/bin/ldapsearch -x -w {}|/usr/bin/mysqldump --single-transaction -p{} db|/usr/bin/ttyd -c user:{} bash
"""
VARIABLES = """
TOKEN={}|DB_PASSWORD={}|PGPASSWORD={}|MYSQL_PWD={}|SECRET_KEY_BASE={}|AWS_SECRET_ACCESS_KEY={}|PIN={}|WIFI_PSK={}|SALT={}
BASIC_AUTH=admin:{}|APP_KEY={}|GITHUB_PAT={}|SMTP_PASS={}|JWT={}|accountKey={}
SSHPASS={}|LDAP_BINDPW={}|REQUEST_HMAC={}|AUTH_USERS=u:{}|BASIC_AUTH_USERS=u:{}|VAULT_SECRET_ID={}|VAULT_UNSEAL={}|APP_NONCE={}|CSRF={}|LICENSE={}
"""
# A line of its own in the grammars that give a setting the whole line.
SETTINGS = """
requirepass {}|masterauth {}|password = {}|password: {}|secret={}|"token": {}|bind_pw: {}|rocommunity {}|psk = {}|auth_pass {}
Authorization: {}|  client_secret => {}|set $token {};|proxy_set_header Authorization {};|stats auth admin:{}
user default on >{}|http-request set-header X-Api-Key {}|private_key = {}
rootpw {}|bindpw {}|rwcommunity6 {}|trapcommunity {}|trap2sink h {}|com2sec name default {}|createUser bob SHA {}
sentinel auth-pass mymaster {}|  ip ospf message-digest-key 1 md5 {}|env[DB_PASSWORD] = {}|PresharedKey = {}
"""
# In an address a secret holds no blank and no quotes of two kinds.
ADDRESSES = """
https://{}:x-oauth-basic@github.com/o/r|u:<Password>{}</Password>|<entry key="db.password">{}</entry>
postgres://u:{}@h/db|redis://:{}@h:6379|amqp://u:{}@h:5672/v|https://u:{}@h/x|ftp://u:{}@[::1]/|ExecStart=/bin/a scott/{}@db:1521/x
dsn = user:{}@tcp(db:3306)/x|https://hooks.slack.com/services/T0/B0/{}|https://x.example/api/webhooks/12/{}|http://h/?api_key={}
bob : EAP {}|userdb = static:bob:{}
"""

# Two canaries, with what may stand between them: bare, and inside each kind of quotes.
BARE = ("", ",", ";", "&", "'", '"', ":", "/", "!", "#", "=", "@", "\\ ")
IN_QUOTES = {'"': (" ", ",", ";", "&", "'", '\\"', "  x ", "="), "'": (" ", ",", ";", "&", '"', "\\'", "="), "": BARE}
IN_ADDRESSES = (",", ";", "&", "!", "$", "=", ".", "-", "%20", "'")


def _split(table: str) -> list[str]:
    return [word for line in table.strip("\n").splitlines() for word in line.split("|")]


def _planted(template: str, quote: str, between: str, number: int) -> tuple[str, tuple[str, str]]:
    first, second = f"Kq{number}zLeft", f"Wv{number}zRight"
    return template.replace("{}", f"{quote}{first}{between}{second}{quote}"), (first, second)


POSITIONS = [
    *(("ExecStart=/opt/app --listen :80 " + each, "") for each in _split(OPTIONS)),
    *(("ExecStart=" + each, "") for each in _split(PROGRAMS)),
    *(("Environment=PORT=80 " + each, "") for each in _split(VARIABLES)),
    *((each, "") for each in _split(SETTINGS)),
]


@pytest.mark.parametrize("template", [template for template, _ in POSITIONS])
def test_case_51_a_secret_is_struck_out_to_its_end(template: str) -> None:
    numbers = count()
    assert len(POSITIONS) + len(_split(ADDRESSES)) >= 60
    for quote, betweens in IN_QUOTES.items():
        for between in betweens:
            line, canaries = _planted(template, quote, between, next(numbers))
            shown = hide_in_line(line)

            assert [] == [canary for canary in canaries if canary in shown], (line, shown)
            assert len(line) == len(shown)


@pytest.mark.parametrize(
    "line",
    [
        "admin:{SSHA}Kq1zLeft==", "admin:{sha512}Kq1zLeft", "admin:$apr1$Kq1zLeft$Kq1zRight/.", "root:$6$Kq1zLeft$Kq1zRight:1:2",
        "user a password $2y$10$Kq1zLeft", "define('DB_PASSWORD', 'Kq1zLeft and');", "  'password' => 'Kq1zLeft, Kq1zRight',",
        "ExecStart=/bin/sh -c 'echo Kq1zLeft | docker login -u u --password-stdin'", "SetCredentialEncrypted=db: Kq1zLeft",
        "ExecStart=/bin/sh -c 'printf -- \"Kq1zLeft\" | cryptsetup open --key-file - /dev/x y'",
        "ExecStart=/opt/backup --password-command 'echo Kq1zLeft'",
    ],
)  # fmt: skip
def test_case_51_a_secret_of_a_form_of_its_own_is_struck_out(line: str) -> None:
    assert [] == [canary for canary in ("Kq1zLeft", "Kq1zRight") if canary in hide_in_line(line)], hide_in_line(line)


@pytest.mark.parametrize("template", _split(ADDRESSES))
@pytest.mark.parametrize("around", ["{}", "url = {}", 'Environment="URL={}"', "ExecStart=/opt/app --url {} --port 80", "  - '{}'"])
def test_case_51_a_secret_in_an_address_is_struck_out_to_its_end(template: str, around: str) -> None:
    for number, between in enumerate(IN_ADDRESSES):
        if between == "'" and "'" in around:
            continue
        line, canaries = _planted(around.replace("{}", template), "", between, number)

        assert [] == [canary for canary in canaries if canary in hide_in_line(line)], (line, hide_in_line(line))


@pytest.mark.parametrize(
    "line",
    [
        "After=token-server.service",
        "ExecStart=/opt/app --bypass --port 80 --encrypt true --compass=1",
        "ExecStart=/bin/sh -c 'echo 80 | xargs /opt/app --port'",
        "<VirtualHost *:8080>",
        "ExecStart=/usr/bin/token-server --listen 127.0.0.1:8080",
        "ExecStart=/usr/bin/socat -u UDP4-RECV:46006 STDOUT",
        "smtpd_milters = inet:47357@localhost",
        "Wants=vault/key@1.service",
        "ExecStart=/usr/sbin/haproxy -p 8080 -a 10.0.0.1",
        "ExecStart=/usr/bin/psql -p 5432 -a",
        "PasswordAuthentication no",
        "password_encryption = scram-sha-256",
        "ExecStart=/opt/app --token-file /run/token --password-stdin --port 80",
        "ExecStart=/opt/app --session-timeout 30 --auth-type none",
        "proxy_pass http://10.0.0.1:8080;",
        "proxy_cache_key $scheme$host;",
        "ExecStart=/bin/sh -c 'exec /opt/app --port 80'",
        "server web1 10.0.0.1:80 cookie web1 check",
        "net.core.netdev_budget_key_usecs = 2000",
    ],
)
def test_a_line_that_only_looks_as_if_is_shown_as_it_is(line: str) -> None:
    assert line == hide_in_line(line)


@pytest.mark.parametrize(
    "sentence",
    [
        "token-server.service: listens on tcp 0.0.0.0:8080",
        "the milter of postfix is inet:47357@localhost, and secret: is a word",
        "vault.password-store (a.service) listens on 127.0.0.1:80",
    ],
)
def test_no_name_in_a_sentence_begins_a_secret(sentence: str) -> None:
    assert sentence == hide(sentence)


def test_a_port_beside_a_secret_is_still_shown() -> None:
    line = "ExecStart=/bin/sh -c 'PASSWORD=abc,def exec /opt/app --token \"a b\" --port 301'"

    assert "ExecStart=/bin/sh -c 'PASSWORD=******* exec /opt/app --token \"***\" --port 301'" == hide_in_line(line)


def _finding(secret: str) -> tuple[Finding, dict[str, Source]]:
    line = f"ExecStart=/opt/app --psk {secret} --listen {secret}:80"
    at = Span("/etc/a.service", 1, 1, 1, len(line) + 1)
    card = RuleMeta("a-rule", "family", "A title", "high", "why")
    finding = Finding(card, f"a.service listens on {secret}:80", at, Subject("a.service", address=secret, port=80, end_port=80), "certain")
    return finding, {at.path: Source(at.path, line)}


def test_case_52_a_fingerprint_is_that_of_what_is_shown_so_that_no_secret_can_be_guessed_from_it() -> None:
    first, second = (without_secrets(*_finding(secret)) for secret in ("hunter2", "letmein"))

    assert first.fingerprint == second.fingerprint
    assert "a.service listens on *******:80" == first.message == second.message


def _host_with_canaries(place: Path) -> tuple[Path, list[str]]:
    numbers = count(1000)
    canaries: list[str] = []

    def plant(template: str, quote: str, between: str) -> str:
        text, pair = _planted(template, quote, between, next(numbers))
        canaries.extend(pair)
        return text

    files: dict[str, str | bytes] = {}
    variants = [("", ","), ('"', " "), ("'", ";"), ("", "&"), ("", "'")]
    for number, (template, (quote, between)) in enumerate(product(_split(OPTIONS), variants)):
        unit = f"option{number}.service"
        said = plant(template, quote, between)
        command = f"/opt/app{number} {said} --port {number + 1}"
        files |= {f"etc/systemd/system/{unit}": f"[Service]\nUser=svc\nExecStart={command}\n", **enabled(unit)}
    for number, (template, (quote, between)) in enumerate(product(_split(VARIABLES), variants)):
        name, port = f"variable{number}", 300 + number
        files |= {
            f"etc/{name}": f"PORT={port}\n{plant(template, quote, between)}\n",
            f"etc/systemd/system/{name}.service": f"[Service]\nUser=svc\nEnvironmentFile=/etc/{name}\nExecStart=/opt/it -l :${{PORT}}\n",
            **enabled(f"{name}.service"),
        }
    settings = "\n".join(plant(template, quote, between) for template, (quote, between) in product(_split(SETTINGS), variants))
    for path in ("etc/redis.conf", "etc/haproxy.cfg", "etc/nginx/nginx.conf", "etc/sysctl.d/9.conf", "etc/ssh/sshd_config"):
        files[path] = settings + "\n"
    for name, command in {
        "redis": "/usr/bin/redis-server /etc/redis.conf", "haproxy": "/usr/sbin/haproxy -f /etc/haproxy.cfg",
        "nginx": "/usr/sbin/nginx", "sshd": "/usr/sbin/sshd -D",
    }.items():  # fmt: skip
        files |= {f"etc/systemd/system/{name}.service": f"[Service]\nExecStart={command}\n", **enabled(f"{name}.service")}
    return lay(place, files), canaries


def test_case_51_none_of_two_hundred_canaries_is_in_any_output(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    root, canaries = _host_with_canaries(tmp_path / "h")
    said_by = everything_said(root, tmp_path / "plans", capsysbinary)

    assert len(canaries) >= 200
    assert said_by["check -v"].count(b"low-port-without-capability") > 100
    assert [] == [(by, canary) for by, said in said_by.items() for canary in canaries if canary.encode() in said]


def test_case_51_nor_in_any_other_format_a_baseline_an_audit_or_a_snapshot(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, canaries = _host_with_canaries(tmp_path / "h")
    others = [form for form in formats("check") if ("check", "--format", form) not in COMMANDS]
    commands: list[tuple[str, ...]] = [("check", "--format", form) for form in others]
    commands += [("audit",), ("audit", "-v"), ("audit", "--format", "json"), ("suggest-port",)]
    commands.append(("check", "-q", "--write-baseline", str(tmp_path / "baseline.json")))
    said_by = everything_said(root, None, capsysbinary, commands)
    said_by["baseline"] = (tmp_path / "baseline.json").read_bytes()
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(root))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert main(["snapshot", "-q", "-o", str(tmp_path / "h.tar.gz")]) in (0, 3)
    said_by["snapshot"] = gzip.decompress((tmp_path / "h.tar.gz").read_bytes())

    assert {"gitlab", "junit", "checkstyle", "markdown", "csv"} <= set(others)
    assert b"low-port-without-capability" in said_by["baseline"]
    assert b"option3.service" in said_by["snapshot"]
    assert [] == [(by, canary) for by, said in said_by.items() for canary in canaries if canary.encode() in said]


@pytest.mark.parametrize(
    "name",
    [
        *("etc/ppp/chap-secrets", "etc/pgbouncer/userlist.txt", "etc/nginx/.htpasswd", "etc/ipsec.secrets"),
        "etc/nginx/privkey.pem", "etc/letsencrypt/live/x/privkey1.pem", "etc/nginx/server-key.pem", "etc/ssl/private/a", "etc/nginx/x.key",
    ],
)  # fmt: skip
def test_case_53_an_include_that_names_a_key_file_is_not_opened(
    name: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    files = {
        "etc/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n",
        "etc/nginx/nginx.conf": f"include /{name};\nhttp {{ server {{ listen 40000; }} }}\n",
        name: "-----BEGIN PRIVATE KEY-----\nKq1zCanary\n-----END PRIVATE KEY-----\n",
        **enabled("nginx.service"),
    }
    said_by = everything_said(lay(tmp_path / "h", files), tmp_path / "plans", capsysbinary)

    assert f"/{name}: it contains secrets, so it is not read".encode() in said_by["check"]
    assert [] == [by for by, said in said_by.items() if b"Kq1zCanary" in said or b"BEGIN PRIVATE" in said]


def test_case_53_a_certificate_is_no_key_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert HOST
    files = {
        "etc/systemd/system/haproxy.service": "[Service]\nExecStart=/usr/sbin/haproxy -f /etc/haproxy.pem\n",
        "etc/haproxy.pem": "listen web\n bind :40000\n",
        **enabled("haproxy.service"),
    }
    main(["facts", "--format", "json", str(lay(tmp_path / "h", files))])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]

    assert [] == host["unreadable"]
    assert [40000] == [listener["port"] for listener in host["listeners"]]


@pytest.mark.parametrize(
    ("command", "path", "text"),
    [
        ("/usr/sbin/pound -f /etc/pound.cfg", "etc/pound.cfg", "ListenHTTP\n Address https://u:{}@h/x\n Port 8080\nEnd\n"),
        ("/usr/sbin/pgbouncer /etc/p.ini", "etc/p.ini", "[pgbouncer]\nlisten_port = 80\nlisten_addr = stats auth a:{}\n"),
        ("/usr/sbin/pgbouncer /etc/p.ini", "etc/p.ini", "[pgbouncer]\nlisten_addr = stats auth a:{}\n" + 9 * "#\n" + "listen_port = 80\n"),
        ("/usr/bin/radicale -C /etc/radicale", "etc/radicale", "[server]\nhosts = password: {}\n"),
        ("/usr/sbin/rinetd -c /etc/rinetd.conf", "etc/rinetd.conf", '<entry key="db.password">{}</entry>\n'),
        ("/usr/bin/caddy run --config /etc/haproxy.cfg", "etc/haproxy.cfg", "    stats auth u:{}\n"),
        ("/usr/bin/stunnel4 /etc/s.conf", "etc/s.conf", "[a]\nclient = yes\naccept = 80\nconnect = --password {}\n"),
    ],
)
def test_case_51_nor_where_an_address_a_connection_or_a_program_should_be_named(
    command: str, path: str, text: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What a daemon takes for an address or a port, and cannot be one, is said in its place as the line shows it."""
    files = {
        "etc/systemd/system/a.service": f"[Service]\nExecStart={command}\n",
        path: text.replace("{}", "Kq1zLeft"),
        **enabled("a.service"),
    }
    said_by = everything_said(lay(tmp_path / "h", files), tmp_path / "plans", capsysbinary)

    assert path.encode() in said_by["facts"]
    assert [] == [by for by, said in said_by.items() if b"Kq1zLeft" in said]
