"""A snapshot holds no secret that a report would strike out, and reads as its host does."""

import io
import os
import re
import subprocess
from itertools import count
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.fleet.crossed_out import crossed_out
from portwright.trees import holds_only_secrets
from portwright.trees.archive import ArchiveTree
from portwright.trees.tar import members
from portwright.trees.tree import FILES_OF_SECRETS
from portwright.trees.unpacking import ArchiveError, Stream
from tests.security import test_secret_places as places
from tests.trees.archives import laid, tar

COLLECTOR = Path(__file__).parents[2] / "playbooks" / "collect.sh"


def contents(data: bytes) -> dict[str, bytes]:
    stream = Stream("", io.BytesIO(data), len(data))
    return {member.name: data[member.offset : member.offset + member.size] for member in members(stream, "")}


def test_case_51_no_secret_of_any_place_is_in_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1000)
    canaries: list[bytes] = []

    def canary() -> str:
        canaries.append(f"Kq{next(numbers)}zLeft".encode())
        return canaries[-1].decode()

    monkeypatch.setenv("PORTWRIGHT_ROOT", str(places._host(tmp_path / "h", canary)))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert main(["snapshot", "-q", "-o", str(tmp_path / "h.tar.gz")]) in (0, 3)

    tree = ArchiveTree(str(tmp_path / "h.tar.gz"))
    held = {path: tree.read(path) or b"" for path in tree.walk() if tree.kind(path) == "file"}
    assert {f"/{path}" for path in ("etc/redis/redis.conf", "etc/monit/monitrc", "etc/snmp/snmpd.conf")} <= set(held)
    assert len(canaries) > 500
    assert [] == [(path, each) for path, text in held.items() for each in canaries if each in text]


@pytest.mark.parametrize(("path", "text"), [*places.BY_LINES, *((path, "\n".join(lines)) for path, lines in places.BY_PLACE.items())])
def test_every_letter_stands_where_it_stood_and_every_port_stays(path: str, text: str) -> None:
    # Keys and tokens are of plain letters.
    secret = "Kq1zLeft" if "-----BEGIN" in text else "Kq1zLéft→𝄞\udcff"
    text = text.replace("bearer {}", "bearer Kq1zLeft")
    was = text.replace("{}", secret).encode("utf-8", "surrogateescape")

    now = contents(crossed_out(tar({path[1:]: was})))[path[1:]]

    shown, said = now.decode("utf-8", "surrogateescape"), was.decode("utf-8", "surrogateescape")
    assert "Kq1zL" not in shown
    assert [len(line) for line in was.split(b"\n")] == [len(line) for line in now.split(b"\n")]
    if not holds_only_secrets(path):
        assert [len(line) for line in said.split("\n")] == [len(line) for line in shown.split("\n")]
        assert places._PORT.findall(said) == places._PORT.findall(shown)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("etc/nginx/nginx.conf", "server_tokens off; # hide it\ninclude /etc/nginx/mime.types;\n"),
        ("etc/nginx/nginx.conf", "auth_basic off;\nlisten 80;\n"),
        ("etc/nsswitch.conf", "passwd: files systemd\n"),
        ("etc/ssl/openssl.cnf", "private_key = $dir/private/cakey.pem # The private key\n"),
        ("etc/app/app.conf", "password = $PASSWORD\ntoken_file = /run/token\nsecret = /run/secrets/x\n"),
        ("etc/passwd", "token:x:998:998::/:/bin/sh\n"),
        ("etc/app/token.json", "{\n}\n"),
        ("etc/x.bin", "password=a\0b\n"),
        ("var/lib/dpkg/status", "Package: passwd\nStatus: install ok installed\n"),
    ],
)
def test_what_is_read_and_no_secret_stays(path: str, text: str) -> None:
    assert text.encode() == contents(crossed_out(tar({path: text})))[path]


def test_a_hash_of_old_days_is_crossed_out_where_users_are_listed() -> None:
    assert b"a:xxxxx:1:1::/:/bin/sh\nb:x:2:2::/:/bin/sh\n" == contents(
        crossed_out(tar({"etc/passwd": "a:Kq1zL:1:1::/:/bin/sh\nb:x:2:2::/:/bin/sh\n"}))
    )["etc/passwd"]


def test_a_link_that_is_called_as_a_secret_and_a_second_name_stay_what_they_are(tmp_path: Path) -> None:
    data = crossed_out(tar({"etc/a.conf": "password = c4n4ry\n", "etc/b.key": "=> etc/a.conf", "etc/c.key": "-> a.conf"}))

    tree = ArchiveTree(str(laid(tmp_path / "a.tar", data)))
    assert [b"password = xxxxxx\n"] * 3 == [tree.read(f"/etc/{name}") for name in ("a.conf", "b.key", "c.key")]


def test_what_is_no_archive_is_refused() -> None:
    for data in (b"", b"password = x\n", tar({"etc/a": "x"})[:700]):
        with pytest.raises(ArchiveError):
            crossed_out(data)


def test_the_collector_has_the_same_list_of_files_of_nothing_but_secrets(tmp_path: Path) -> None:
    (own,) = re.findall(r"^secret_files='(.*)'$", COLLECTOR.read_text("utf-8"), re.MULTILINE)
    assert FILES_OF_SECRETS == own

    more = (
        "/etc/a.KEY", "/root/.ssh/config", "/etc/.ssh/known_hosts", "/etc/.ssh/id", "/etc/x/a.key.bak", "/etc/a.keys", "/etc/ssl/private/a",
    )  # fmt: skip
    for path in (*places.BY_PLACE, *more):
        place = tmp_path / "h" / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("80\n")
    ran = subprocess.run(
        ["sh", str(COLLECTOR)], env={**os.environ, "PORTWRIGHT_ROOT": str(tmp_path / "h")}, capture_output=True, check=True
    )
    taken = {f"/{name}".replace("/./", "/"): text for name, text in contents(ran.stdout).items() if "/etc/" in f"/{name}"}

    assert len(taken) > 100
    empty = {path for path, text in taken.items() if not text and Path(f"{tmp_path}/h{path}").is_file()}
    assert empty == {path for path in taken if holds_only_secrets(path)}
