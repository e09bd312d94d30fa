"""Secrets that no name announces on their own line: by the kind of file, by their place in a command, by the lines around them."""

import re
from collections.abc import Callable, Iterator
from itertools import count, cycle
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.reports.secrets import hide_in_source
from portwright.source import Source
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.hostile.program import COMMANDS, enabled, everything_said, lay

HERE = Path(__file__).parent
# Each file with some of the lines that it may hold, {} where the secret stands.
BY_PLACE: dict[str, list[str]] = {}
for _line in (HERE / "secrets_by_place.txt").read_text("utf-8").splitlines():
    if _line.startswith("/"):
        BY_PLACE[_line] = []
    else:
        BY_PLACE[list(BY_PLACE)[-1]].append(_line[4:])
# Files whose secrets are known by the lines around them.
BY_LINES = [tuple(each.split("\n", 1)) for each in (HERE / "secrets_by_lines.txt").read_text("utf-8").split("\n====\n")]
POSITIONS = [(path, line) for path, lines in BY_PLACE.items() for line in lines]

_PORT = re.compile(r"(?<![\w.])(?:80|443|1080|3128|5432|6379|6443|8005|8080|8388|40010)(?!\w)")


def _is_opened(path: str) -> bool:
    return Files(MemoryTree({path: "x\n"})).read(path) is not None


def _shown(path: str, text: str) -> list[str]:
    source = Source(path, text)
    return [hide_in_source(source, number) for number in range(1, text.count("\n") + 2)]


@pytest.mark.parametrize(("path", "line"), POSITIONS)
def test_case_51_a_secret_is_known_by_its_place_or_its_file_is_not_opened(path: str, line: str) -> None:
    canary = "Kq1zLeft"
    for written in (line, f"{line}\t", f"    {line}"):
        (shown,) = _shown(path, written.replace("{}", canary))
        if _is_opened(path):
            assert canary not in shown
            assert len(written.replace("{}", canary)) == len(shown)
            assert _PORT.findall(written) == _PORT.findall(shown)


@pytest.mark.parametrize(("path", "text"), BY_LINES)
def test_case_51_a_secret_is_known_by_the_lines_around_it_and_no_port_is_struck_out(path: str, text: str) -> None:
    shown = "\n".join(_shown(path, text.replace("{}", "Kq1zLeft")))

    assert "Kq1zLeft" not in shown
    assert _PORT.findall(text) == _PORT.findall(shown)


@pytest.mark.parametrize("count", [1, 30, 60, 200])
@pytest.mark.parametrize("indent", ["", "    "])
def test_case_51_no_line_of_a_key_is_shown_however_far_its_beginning_is_above(indent: str, count: int) -> None:
    line = "Kq/1z+Left/" * 5 + "x2/10/m5"
    key = ["-----BEGIN PRIVATE KEY-----", *[line] * count, "Kq==", "-----END PRIVATE KEY-----"]
    text = "\n".join(("tls: |", *(f"{indent}{each}" for each in key), "port", ""))

    shown = _shown("/etc/x/a.yml", text)

    assert {f"{indent}{'*' * len(line)}", f"{indent}****"} == set(shown[2 : count + 3])
    assert [f"{indent}-----END PRIVATE KEY-----", "port", ""] == shown[count + 3 :]


@pytest.mark.parametrize("suffix", ["", ".j2", ".erb", ".bak", ".dpkg-old", "~"])
@pytest.mark.parametrize(
    "path",
    [
        *("/etc/ppp/pap-secrets", "/etc/pgbouncer/userlist.txt", "/root/.pgpass", "/root/.netrc", "/root/.my.cnf"),
        "/etc/apache2/site.htpasswd",
        *("/etc/ipsec.secrets", "/etc/chrony/chrony.keys", "/etc/davfs2/secrets", "/etc/mosquitto/passwd", "/etc/racoon/psk.txt"),
        *("/root/.aws/credentials", "/root/.git-credentials", "/etc/ssl/private/a.pem", "/etc/ha.d/authkeys"),
    ],
)  # fmt: skip
def test_case_53_a_file_of_nothing_but_secrets_is_not_opened_nor_a_copy_of_it(path: str, suffix: str) -> None:
    assert not _is_opened(path + suffix)


@pytest.mark.parametrize(
    "path", ["/etc/bind/bind.keys", "/etc/pgbouncer/pgbouncer.ini", "/etc/secrets.conf", "/etc/apache2/htpasswd.conf", "/etc/x.key.conf"]
)
def test_case_53_a_file_that_is_only_called_alike_is_read(path: str) -> None:
    assert _is_opened(path)


ORDINARY = """\
/etc/redis/redis.conf
# AUTH command. Otherwise if the "default" user is not flagged with "nopass"
port 6379
====
/root/.portwright/packages
login 1:4.16.0-2+really2.41.5-0+deb13u1
====
/etc/ssl/make.sh
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem
====
/srv/docker-compose.yml
secrets:
  db_password:
    file: ./db.txt
services:
  web:
    ports: ["8080:80"]
    image: registry:5000/web
====
/srv/pod.yml
users:
  - name: bob
    uid: 1000
env:
  - name: PORT
    value: "8080"
  - name: TOKEN_URL
    value: http://h:80/
====
/etc/nginx/nginx.conf
map $http_upgrade $connection_upgrade {
    default upgrade;
    '' close;
}
====
/etc/haproxy/haproxy.cfg
    tcp-check send PING\\r\\n
    acl host_a hdr(host) -i a.example
    http-request deny if { hdr(x-forwarded-for) -m found }
====
/etc/snmp/snmpd.conf
agentaddress udp:161,tcp:[::1]:161
view all included .1 80
====
/etc/monit/monitrc
set httpd port 2812
    allow localhost
    allow 10.0.0.0/8
    allow 2001:db8::/32
====
/etc/freeradius/3.0/radiusd.conf
listen {
    port = 1812
    type = auth
}
====
/opt/app/app.py
s.connect(("10.0.0.1", 8080))
loop.create_server(app, "0.0.0.0", 8080)
====
/etc/login.defs
login = yes
user root
"""


@pytest.mark.parametrize(("path", "text"), [tuple(each.split("\n", 1)) for each in ORDINARY.rstrip("\n").split("\n====\n")])
def test_what_only_looks_as_if_is_shown_as_it_is(path: str, text: str) -> None:
    assert text.split("\n") == _shown(path, text)


# ── the whole program ───────────────────────────────────────────────────────────────────────────────────────────────

# Whoever reads a file shows of it what it does not understand.
READERS = (
    "/usr/sbin/nginx -c {}", "/usr/sbin/haproxy -f {}", "/usr/bin/redis-server {}", "/bin/sh {}", "/usr/sbin/apache2 -f {}",
    "/usr/sbin/sshd -D -f {}", "/usr/sbin/squid -f {}", "/usr/bin/caddy run --config {}", "/usr/bin/env $(cat {})",
)  # fmt: skip


def _host(place: Path, secret: Callable[[], str]) -> Path:
    """A host with all these files, each read by a program and as kernel settings; in its units every line by itself."""

    def planted(text: str) -> str:
        return re.sub(r"\{\}", lambda _: secret(), text)

    files: dict[str, str | bytes] = {}
    numbers = count()
    readers = cycle(READERS)

    def read(path: str) -> Iterator[tuple[str, str]]:
        number = next(numbers)
        unit = f"read{number}.service"
        command = f"{next(readers).format(path)} --port 81"
        yield f"etc/systemd/system/{unit}", f"[Service]\nUser=svc\nEnvironmentFile={path}\nExecStart={command}\n"
        yield from enabled(unit).items()
        yield f"etc/sysctl.d/{number}.conf", f"-> {path}"

    for path, lines in BY_PLACE.items():
        if path.endswith("/a.service"):
            for number, line in enumerate(lines):
                unit = f"line{number}.service"
                said = planted(line) if line.startswith("ExecStart=") else f"{planted(line)}\nExecStart=/opt/app"
                files |= {f"etc/systemd/system/{unit}": f"[Service]\nUser=svc\n{said} --port {number + 100}\n", **enabled(unit)}
        else:
            files |= {path[1:]: "\n".join(map(planted, lines)) + "\n", **dict(read(path))}
    for path, text in BY_LINES:
        files[path[1:]] = planted(text) + "\n"
        if path.endswith(".service"):
            files[path[1:]] = f"{planted(text)}\nUser=svc\n"
            files |= enabled(path.rpartition("/")[2])
        else:
            files |= dict(read(path))
    return lay(place, files)


def test_case_51_no_canary_of_any_place_is_in_any_output(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = count(1000)
    canaries: list[str] = []

    def canary() -> str:
        canaries.append(f"Kq{next(numbers)}zLeft")
        return canaries[-1]

    reports = tuple(command for command in COMMANDS if command[0] != "fix" and "-q" not in command)
    repository = (("check", "-v", "--as", "repository"), ("check", "--format", "json", "--as", "repository"))
    said_by = everything_said(_host(tmp_path / "h", canary), None, capsysbinary, (*reports, *repository))
    # A plan is proven by reading the host again and again: a few of its units are enough.
    few = BY_PLACE["/etc/systemd/system/a.service"][::12]
    monkeypatch.setattr(f"{__name__}.BY_PLACE", {"/etc/systemd/system/a.service": few})
    said_by |= everything_said(_host(tmp_path / "few", canary), tmp_path / "plans", capsysbinary, (("fix", "-v"), ("fix", "--debug")))
    assert "plan.vars.json" in said_by

    assert len(POSITIONS) + len(BY_LINES) >= 80
    assert len(canaries) >= 260
    assert said_by["check -v"].count(b"low-port-without-capability") > 50
    assert [] == [(by, each) for by, said in said_by.items() for each in canaries if each.encode() in said]


@pytest.mark.parametrize("command", ["check --format json", "facts --format json"])
def test_case_52_another_secret_in_the_same_place_changes_no_byte(
    command: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nothing that is said, no fingerprint either, can be used to try whether a guess is right."""
    said = []
    for each in ("111", "222"):
        root = _host(tmp_path / each / "h", lambda each=each: f"Kq{each}zLeft")  # type: ignore[misc]
        assert main([*command.split(), str(root)]) in (0, 1, 3)
        said.append(capsysbinary.readouterr().out.replace(str(tmp_path / each).encode(), b""))

    assert b"low-port-without-capability" in said[0] or command.startswith("facts")
    assert said[0] == said[1]
