"""A fleet in one report: each thing once, every host counted, none that was not collected counted clean."""

import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from portwright.audit.inputs import inputs
from portwright.cli import main
from portwright.finding import HostResult
from portwright.fleet.collect import NOT_COLLECTED, _archives
from portwright.fleet.received import keep
from portwright.reports.fleet import render
from portwright.trees.archive import ArchiveTree
from tests.hostile.program import enabled, lay
from tests.trees.archives import FORMS, laid, tar

COLLECTING = Path(__file__).parents[2] / "playbooks" / "collect.yml"
SERVICE = "[Service]\nExecStart=/usr/bin/python3 -m http.server {}\n"
RANGE = {"etc/sysctl.d/50-range.conf": "net.ipv4.ip_local_port_range = 32768 60999\n"}


def host(name: str, port: int) -> dict[str, str]:
    return {
        "etc/hostname": f"{name}\n",
        "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
        "etc/systemd/system/app.service": SERVICE.format(port),
        **enabled("app.service"),
        **RANGE,
    }


def fleet(folder: Path) -> str:
    """Two hosts with one finding, one of them packed; a sound one; one that cannot be read."""
    lay(folder / "web1", host("web1", 40000))
    laid(folder / "web2.tar.gz", FORMS["gz"](tar(host("web2", 40000))))
    lay(folder / "web3", host("web3", 8080))
    laid(folder / "web4.tar.gz", FORMS["gz"](tar(host("web4", 40000)))[:200])
    return str(folder)


def test_the_same_finding_is_said_once_and_every_host_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["audit", fleet(tmp_path), "--select", "listener-in-ephemeral-range"])

    assert capsys.readouterr().out == (
        """\
hosts by their gravest finding
  high          2 hosts  2 findings  web1, web2
  none          1 host               web3
  inconclusive  1 host               web4

rules by how many hosts
  2 hosts  high  listener-in-ephemeral-range  2 findings

the worst hosts
  web1  1 high
  web2  1 high

high[listener-in-ephemeral-range] on 2 hosts: http.server (app.service) listens on tcp
  0.0.0.0:40000, which the kernel may assign to an outgoing connection before the service binds it
  at: web1: /etc/systemd/system/app.service:2:43
  hosts: web1, web2
  fix: reserve 40000 in net.ipv4.ip_local_reserved_ports (safe; nothing is restarted)

could not be read in full
  web4: the archive is truncated

2 findings (1 distinct) on 2 of 4 hosts; 1 host could not be read in full, so this result is
incomplete; --host NAME shows one in full
"""
    )


def test_it_is_brief_where_it_is_asked_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["audit", "-q", fleet(tmp_path), "--select", "listener-in-ephemeral-range"])

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("high[listener-in-ephemeral-range] on 2 hosts: http.server (app.service) listens on")
    assert "web4: the archive is truncated" == second


def test_a_program_gets_the_check_and_what_the_hosts_have_in_common(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fleet(tmp_path)
    main(["check", "--format", "json", path])
    checked = json.loads(capsys.readouterr().out)

    for jobs in ("1", "3"):
        assert 1 == main(["audit", "--jobs", jobs, "--format", "json", path])
        audited = json.loads(capsys.readouterr().out)
        common = audited.pop("fleet")
        assert checked == audited
        assert {"high": 2, "medium": 0, "low": 0, "info": 0, "none": 1, "inconclusive": 1} == common["hosts_by_severity"]
        assert {("web1", "web2")} == {tuple(each["hosts"]) for each in common["common"]}
        assert [{"host": "web4", "reason": "the archive is truncated"}] == common["incomplete"]
        assert all(2 == each["hosts"] for each in common["rules"])


def test_one_host_is_shown_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = fleet(tmp_path)
    main(["check", f"{path}/web2.tar.gz"])
    alone = capsys.readouterr().out

    assert 1 == main(["audit", path, "--host", "web2"])
    assert alone == capsys.readouterr().out


def test_a_baseline_of_a_fleet_accepts_what_was_there_and_no_host_that_is_unread(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    path, baseline = fleet(tmp_path / "f"), str(tmp_path / "baseline.json")

    assert 3 == main(["audit", path, "--write-baseline", baseline])
    assert 3 == main(["audit", path, "--baseline", baseline])
    lay(tmp_path / "f" / "web5", host("web5", 40001))
    assert 1 == main(["audit", path, "--baseline", baseline])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "audit needs snapshots, or -i INVENTORY"),
        (["."], "is no host; audit is for hosts, check for repositories and files"),
        (["-i", "x", "."], "not both in one run"),
        (["--become", "."], "--become goes with -i INVENTORY"),
        (["h", "--host", "nobody"], "there is no host named 'nobody'"),
        (["-i", "/no/such/inventory"], "no host was asked"),
        (["-i", "x", "--snapshots", "h"], "snapshots go to a folder that is yours alone"),
    ],
)
def test_what_cannot_be_audited_is_refused(
    words: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lay(tmp_path / "h", {}).chmod(0o755)
    (tmp_path / "app.service").write_text(SERVICE.format(80))
    monkeypatch.chdir(tmp_path)

    assert 2 == main(["audit", *words])
    assert reason in capfd.readouterr().err


def test_four_thousand_hosts_with_one_finding_are_a_page(tmp_path: Path) -> None:
    from portwright._start.records import replace
    from portwright.audit.check import Selection, verdict
    from portwright.rules import load
    from portwright.shipped import folder

    (given,) = inputs([str(lay(tmp_path / "h", host("x", 40000)))])
    rules = tuple(load([Path(folder("rules"))]))
    one = verdict(given, rules, Selection(), frozenset())
    many: list[HostResult] = [replace(one, host=f"web{number}") for number in range(4000)]

    text = render(many, color=False, width=100)

    assert len(text.splitlines()) < 60
    assert "on 4000 hosts" in text
    assert "and 3988 more" in text


def test_a_name_cannot_play_with_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    laid(tmp_path / "a\x1b[2J\n.tar", b"")
    laid(tmp_path / "b.tar", tar(host("b", 40000)))

    assert 1 == main(["audit", str(tmp_path)])
    assert "\x1b" not in capsys.readouterr().out


# ── collecting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_inventory_is_collected_checked_and_none_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "h", host("web1", 40000))
    inventory = tmp_path / "inventory.ini"
    inventory.write_text(
        "[near]\nhere ansible_connection=local\nalso/here ansible_connection=local\n[far]\naway ansible_host=127.0.0.1 ansible_port=1\n"
    )
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(root))
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "local"))
    monkeypatch.setenv("ANSIBLE_REMOTE_TEMP", str(tmp_path / "remote"))

    kept = tmp_path / "kept"
    assert 1 == main(["audit", "-i", str(inventory), "--snapshots", str(kept), "--format", "json"])

    heard = capfd.readouterr()
    audited = json.loads(heard.out)
    assert ["also/here", "away", "here"] == [each["host"] for each in audited["hosts"]]
    assert [True, False, True] == [any(f["rule"] == "listener-in-ephemeral-range" for f in each["findings"]) for each in audited["hosts"]]
    assert [{"host": "away", "reason": NOT_COLLECTED}] == audited["fleet"]["incomplete"]
    assert "UNREACHABLE" in heard.err
    assert 0o700 == kept.stat().st_mode & 0o777
    assert {0o600} == {path.stat().st_mode & 0o777 for path in kept.iterdir()}
    assert 2 == len(list(kept.glob("*.tar.gz")))
    # What was kept is audited again without anybody being asked.
    assert 1 == main(["audit", str(kept), "--format", "json"])


def test_what_a_host_answers_lies_in_no_file_before_its_secrets_are_crossed_out(tmp_path: Path) -> None:
    if shutil.which("strace") is None and "CI" not in os.environ:
        pytest.skip("strace is not installed")
    (tmp_path / "into").mkdir()
    (tmp_path / "inventory.ini").write_text("here ansible_connection=local\n")
    own = {name: str(tmp_path / name) for name in ("ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TEMP", "TMPDIR")}
    (tmp_path / "TMPDIR").mkdir()
    told = json.dumps({"portwright_into": str(tmp_path / "into"), "portwright_python": sys.executable})
    beside = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    words = [beside, "-i", str(tmp_path / "inventory.ini"), str(COLLECTING), "-e", told]
    ran = subprocess.run(
        ["strace", "-f", "-y", "-s", "4096", "-e", "trace=openat,creat", "-o", str(tmp_path / "log"), *words],
        env={**os.environ, **own, "PORTWRIGHT_ROOT": str(lay(tmp_path / "h", host("web1", 40000)))},
        capture_output=True,
        check=False,
    )
    if b"ptrace" in ran.stderr and "CI" not in os.environ:
        pytest.skip("strace may not trace here")

    calls = (tmp_path / "log").read_text("utf-8", "replace").splitlines()
    opened = [name for call in calls if re.search("O_WRONLY|O_RDWR|O_CREAT", call) for name in re.findall(r'"(/[^"]*)"', call)]
    kept = [name for name in opened if name.startswith(f"{tmp_path}/into/") and "hosts.json" not in name and "ansible_tmp" not in name]
    assert {".gz"} == {Path(name).suffix for name in kept}
    assert 1 == len(set(kept))
    # A module that is not piped to its interpreter is written beside its arguments, and the answer is one of these.
    assert any("AnsiballZ_copy" in name for name in opened)
    assert [] == [name for name in opened if "AnsiballZ_command" in name]


def test_an_answer_that_is_no_archive_is_no_host(tmp_path: Path) -> None:
    keep(b"%%%", str(tmp_path / "a-86f7e437"))
    keep(b"aGVsbG8=", str(tmp_path / "b-e9d71f5e"))

    closed = {given.name: given.unavailable_reason for given in _archives(["a", "b", "../c"], str(tmp_path))}

    assert {"a": "not collected: its answer is no archive", "b": "the archive is truncated", "../c": NOT_COLLECTED} == closed
    assert {"a-86f7e437.refused", "b-e9d71f5e.refused"} == set(os.listdir(tmp_path))


@pytest.mark.parametrize("packing", [bytes, gzip.compress, lambda data: gzip.compress(data)[:-9]], ids=["plain", "packed", "cut"])
def test_no_answer_is_kept_with_a_secret_in_it(packing: Callable[[bytes], bytes], tmp_path: Path) -> None:
    config = b"port 6379\nmonitor-user bob\nrequirepass c4n4ry\n"
    data = packing(tar({"etc/redis/redis.conf": config.decode(), "etc/shadow": "root:c4n4ry:1\n"}))
    keep(base64.encodebytes(data), str(tmp_path / "a"))

    assert b"c4n4ry" not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.suffix == ".refused")
    if (tmp_path / "a.tar.gz").exists():
        assert b"c4n4ry" not in gzip.decompress((tmp_path / "a.tar.gz").read_bytes())
        assert config.replace(b"c4n4ry", b"xxxxxx") == ArchiveTree(str(tmp_path / "a.tar.gz")).read("/etc/redis/redis.conf")
        assert 0o600 == (tmp_path / "a.tar.gz").stat().st_mode & 0o777
    else:
        assert "the archive is truncated" == (tmp_path / "a.refused").read_text()


def test_an_answer_that_unpacks_to_too_much_is_not_kept(tmp_path: Path) -> None:
    keep(base64.b64encode(gzip.compress(bytes(400 << 20), 1)), str(tmp_path / "a"))

    assert ["a.refused"] == os.listdir(tmp_path)
    assert "unpacks to more than" in (tmp_path / "a.refused").read_text()
