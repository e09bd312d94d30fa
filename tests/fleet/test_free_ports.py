"""Which ports are free on all of some hosts, and why the others are not."""

import json
from pathlib import Path

import pytest

from portwright.cli import main
from portwright.system.host_files.sockets import listening
from portwright.trees import Files
from portwright.trees.memory import MemoryTree
from tests.fleet.test_audit import host
from tests.hostile.program import lay
from tests.trees.archives import FORMS, laid, tar


def hosts(folder: Path) -> str:
    lay(folder / "web1", host("web1", 8000))
    more = {
        "etc/sysctl.d/90.conf": "net.ipv4.ip_local_port_range = 10000 65000\nnet.ipv4.ip_local_reserved_ports = 8002,8004-8006\n",
        ".portwright/sockets": 'udp UNCONN 0 0 0.0.0.0:8007 0.0.0.0:*\ntcp LISTEN 0 5 *:8008 *:* users:(("x",pid=7,fd=3))\nodd\n',
    }
    laid(folder / "web2.tar.gz", FORMS["gz"](tar({**host("web2", 8001), **more})))
    return str(folder)


def test_what_is_free_on_all_hosts_is_suggested_and_what_is_taken_says_by_whom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["suggest-port", hosts(tmp_path), "--count", "3"])

    assert capsys.readouterr().out == (
        """\
tcp ports free on all of 2 hosts: 8003, 8007, 8009
  in no ephemeral range, not reserved, and nobody listens on them

all that is free
  1024-7999, 8003, 8007, 8009-9999, 65001-65535

taken
  1-1023: takes CAP_NET_BIND_SERVICE (all 2 hosts)
  8000-8001: http.server listens on it (all 2 hosts)
  8002, 8004-8006: it is in net.ipv4.ip_local_reserved_ports: reserved for a service (web2)
  8008: x listened on it when the host was copied (web2)
  10000-65000: the kernel assigns it to outgoing connections after a boot (all 2 hosts)
"""
    )


def test_each_protocol_has_ports_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["suggest-port", "-q", hosts(tmp_path), "--protocol", "udp", "--count", "4"])

    assert "8000\n8001\n8003\n8008\n" == capsys.readouterr().out


def test_below_the_port_asked_for_is_looked_only_where_above_is_too_little(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = hosts(tmp_path)

    assert 0 == main(["suggest-port", "-q", path, "--near", "65534", "--count", "4"])
    assert "65534\n65535\n65533\n65532\n" == capsys.readouterr().out
    assert 1 == main(["suggest-port", "-q", path, "--count", "9999"])
    free = {*range(1024, 8000), 8003, 8007, *range(8009, 10000), *range(65001, 65536)}
    assert free == {int(line) for line in capsys.readouterr().out.splitlines()}


def test_a_host_that_cannot_be_read_is_named_and_makes_it_incomplete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = hosts(tmp_path)
    laid(tmp_path / "web3.tar", b"")

    assert 3 == main(["suggest-port", path, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert ["web1", "web2"] == found["hosts"]
    assert [8003, 8007, 8009, 8010, 8011] == found["suggested"]
    assert [{"host": "web3", "reason": "the archive is truncated"}] == found["unreadable"]
    assert 1 == main(["suggest-port", str(tmp_path / "web3.tar")])
    assert "tcp ports free on 0 hosts: none" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["--near", "0", "."], ["--near", "65536", "."], ["."]])
def test_what_is_no_host_is_refused(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.service").write_text("[Service]\nExecStart=/bin/a\n")
    monkeypatch.chdir(tmp_path)

    assert 2 == main(["suggest-port", *words])


@pytest.mark.parametrize("path", ["/.portwright/sockets", "/sos_commands/networking/ss_-peaonmi", "/insights_commands/ss_-tupna"])
def test_the_table_of_sockets_is_read_in_each_form(path: str) -> None:
    text = (
        "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
        'tcp   LISTEN 0      128    [::]:22 [::]:* users:(("sshd",pid=1,fd=3)) uid:0 ino:1\n\t skmem:(r0,rb131072)\n'
        "tcp   ESTAB  0      0      10.0.0.1:22 10.0.0.2:5555\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\ntcp LISTEN 0 0 *:x *:*\n"
    )

    assert [("tcp", 22, "sshd"), ("udp", 53, "")] == [
        (each.protocol, each.port, each.program) for each in listening(Files(MemoryTree({path: text})))
    ]
