"""A host's directory laid out by an attacker: nothing outside it counts, nothing waits, and what is not read is said."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

SPOILED = "net.ipv4.ip_local_port_range = 5 4\n"


def _checked(root: Path, caught: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main(["check", "--format", "json", str(root)])
    (host,) = json.loads(caught.readouterr().out)["hosts"]
    return code, host


@pytest.mark.parametrize(
    "links",
    [
        {"etc/sysctl.d/1.conf": "-> {out}/bait"},
        {"etc/sysctl.d/1.conf": "-> ../../../../../../../../../..{out}/bait"},
        {"etc/sysctl.d/1.conf": "-> /a/bait", "a": "-> {out}"},
        {"etc/sysctl.d": "-> {out}"},
        {"etc/sysctl.d": "-> /root{out}", "root": "-> /"},
    ],
)
def test_cases_3_4_and_6_no_link_leads_out_of_the_host(links: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("bait", "1.conf"):
        (out / name).write_text(SPOILED)

    _, host = _checked(lay(tmp_path / "h", {path: text.format(out=out) for path, text in links.items()}), capsys)

    assert [] == host["findings"]


def test_case_4_loops_and_chains_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = {f"etc/l{n}": f"-> l{n + 1}" for n in range(1, 41)}
    root = lay(
        tmp_path / "h", {"etc/sysctl.d/1.conf": "-> 2.conf", "etc/sysctl.d/2.conf": "-> 1.conf", "etc/sysctl.d/3.conf": "-> ../l1", **chain}
    )

    code, host = _checked(root, capsys)

    assert 3 == code
    loops = [each["at"]["path"] for each in host["unreadable"] if "too many levels of symbolic links" in each["reason"]]
    assert ["/etc/sysctl.d/1.conf", "/etc/sysctl.d/2.conf", "/etc/sysctl.d/3.conf"] == loops


def test_case_7_a_pipe_and_a_socket_are_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lay(tmp_path / "h", {"etc/sysctl.d/9.conf": SPOILED})
    os.mkfifo(root / "etc/sysctl.d/1.conf")
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(root / "etc/sysctl.d")
        listening.bind("3.conf")
    began = time.monotonic()

    code, host = _checked(root, capsys)

    assert time.monotonic() - began < 5
    assert (1, ["sysctl-value-rejected"]) == (code, [finding["rule"] for finding in host["findings"]])
    assert {"/etc/sysctl.d/1.conf", "/etc/sysctl.d/3.conf"} == {each["at"]["path"] for each in host["unreadable"]}


@pytest.mark.parametrize("name", ["a\nb.conf", "a\x1b[2Jb.conf", "a\u202eb.conf", f"{'n' * 240}.conf", " .conf", "\udcff.conf"])
def test_case_10_any_name_is_read_and_none_reaches_the_terminal_as_it_is(
    name: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert 1 == main(["check", "-q", str(lay(tmp_path / "h", {f"etc/sysctl.d/{name}": SPOILED}))])

    said = capsysbinary.readouterr().out.decode()
    assert said.endswith("\n")
    assert said[:-1].isprintable()


@pytest.mark.parametrize("head", [b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"x" * 257 + b"ustar\x0000"])
def test_case_15_an_archive_is_known_by_what_it_holds_whatever_it_is_called(
    head: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.conf").write_bytes(head + b"\0" * 600)

    code, host = _checked(tmp_path / "x.conf", capsys)

    assert (3, 1) == (code, len(host["unreadable"]))
    assert "archive" in host["unreadable"][0]["reason"]


@pytest.mark.parametrize("head", [b"PK\x03\x04", b"BZh9"])
def test_case_15_and_so_is_what_is_not_read(head: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.conf").write_bytes(head + b"\0" * 600)

    assert 2 == main(["check", str(tmp_path / "x.conf")])
    assert "is compressed in a way that is not read" in capsys.readouterr().err


def test_case_16_a_file_that_grows_while_it_is_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lay(tmp_path / "h", {"etc/sysctl.d/1.conf": SPOILED})
    grown = root / "etc/sysctl.d/1.conf"
    read = os.read

    def growing(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        with grown.open("a") as file:
            file.write("# more\n")
        return data

    monkeypatch.setattr(os, "read", growing)
    code, host = _checked(root, capsys)

    assert 3 == code
    assert "changed while it was read" in " ".join(each["reason"] for each in host["unreadable"])


def test_case_38_nothing_inside_a_host_silences_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    allow = "# portwright: allow sysctl-value-rejected: it is fine\n# portwright: ignore-all\n"
    root = lay(tmp_path / "h", {"etc/sysctl.d/1.conf": allow + SPOILED, "etc/portwright.yml": "ignore: all\n", "portwright.toml": "[["})

    code, host = _checked(root, capsys)

    assert (1, ["sysctl-value-rejected"], []) == (code, [each["rule"] for each in host["findings"]], host["allowed"])


def test_case_86_a_host_of_which_only_a_part_can_be_read_is_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = lay(tmp_path / "h", {"etc/systemd/system/a.service": "x" * ((1 << 20) + 1), **enabled("a.service")})

    assert 3 == _checked(root, capsys)[0]
