"""What a hostile host puts into values and names is shown, never sent to the terminal, and breaks no report."""

import json
from pathlib import Path

import pytest

from tests.hostile.program import WANTS, enabled, everything_said, lay

STEERING = "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://x\x1b\\\x9b31m\x7f\b\r\u202e\u2066\u200b\u2028\x85\ufeff\udcff"
VALUE = STEERING.replace("\u2028", "").replace("\x85", "").replace("\r", "")
# The controls no name in a report may hold; json.loads of the JSON ones must give the text back.
CONTROLS = [bytes([code]) for code in (*range(0x0A), *range(0x0B, 0x20), 0x7F)]
INVISIBLE = [character.encode() for character in "\u202e\u2066\u200b\u2028\ufeff\x85\x9b"]

FILES: dict[str, str | bytes] = {
    "etc/sysctl.d/1.conf": f"net.ipv4.ip_local_port_range = {VALUE}\nnet.ipv4.{VALUE} = 1\nnot an assignment {VALUE}\nnet.x = {VALUE}\n",
    f"etc/sysctl.d/2{STEERING}.conf": "net.ipv4.ip_local_port_range = 5 4\n",
    "etc/sysctl.d/3\n::error::x.conf": "net.ipv4.ip_local_port_range = 6 5\n",
    "etc/systemd/system/a.service": f"[Service]\nUser={VALUE}\nExecStart=/opt/{VALUE} --port 80 {VALUE}\n"
    f"Environment=X{VALUE}=1\n{VALUE}\n[{VALUE}\n",
    f"etc/systemd/system/b{STEERING}.service": "[Service]\nUser=svc\nExecStart=/opt/app --port 81\n",
    f"{WANTS}/b{STEERING}.service": f"-> ../b{STEERING}.service",
    "etc/systemd/system/c@.service": "[Service]\nUser=svc\nExecStart=/opt/app-%i --port 82\n",
    f"{WANTS}/c@{STEERING}.service": "-> ../c@.service",
    "etc/systemd/system/d.socket": f"[Socket]\nListenStream={VALUE}:80\nBindToDevice={VALUE}\nListenStream=83\n",
    "etc/systemd/system/sockets.target.wants/d.socket": "-> ../d.socket",
    "etc/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n",
    "etc/nginx/nginx.conf": f"events {{}}\nhttp {{ upstream u{VALUE} {{ server {VALUE}:80; }}\n"
    f" server {{ listen 40000 {VALUE}; listen {VALUE}:1; "
    f"location / {{ proxy_pass http://u{VALUE}; }} }} include /etc/nginx/{VALUE}*.conf; }}\n",
    "etc/systemd/system/haproxy.service": "[Service]\nExecStart=/usr/sbin/haproxy -f /etc/haproxy.cfg\n",
    "etc/haproxy.cfg": f"listen {VALUE}\n bind :40001 name {VALUE}\n bind {VALUE}:1\n {VALUE} x\n"
    f" option httpclose\n server {VALUE} 10.0.0.1:1\n",
    ".portwright/addresses": f"{VALUE}\n1: lo inet 127.0.0.1/8 scope {VALUE}\n",
    ".portwright/kernel": VALUE,
    "etc/hostname": f"h{VALUE}\n",
    "etc/machine-id": VALUE,
    **enabled("a.service"),
    **enabled("nginx.service"),
    **enabled("haproxy.service"),
}


def test_case_42_no_output_holds_a_control_an_invisible_character_or_invalid_text(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    said_by = everything_said(lay(tmp_path / "host\x1b]0;x\x07\u202e", FILES), tmp_path / "plans", capsysbinary)

    assert b"\\x1b" in said_by["check"]
    for by, said in said_by.items():
        assert [] == [character for character in CONTROLS + INVISIBLE if character in said], by
        said.decode("utf-8")
    for form in ("check --format json", "facts --format json", "ports --format json"):
        assert 1 == json.loads(said_by[form])["version"]


def test_case_42_complaints_about_arguments_hold_no_controls(capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    from portwright.cli import main

    for arguments in (
        ["check", f"/no/{STEERING}"],
        ["check", "--select", STEERING, str(tmp_path)],
        ["check", "--rules", f"/no/{STEERING}", str(tmp_path)],
        ["check", "--output", f"/no/{STEERING}", str(tmp_path)],
        [STEERING],
        ["check", f"--{STEERING}"],
        ["explain", STEERING],
    ):
        assert 2 == main(arguments)
        said = capsysbinary.readouterr().err
        assert [] == [character for character in CONTROLS + INVISIBLE if character in said], arguments
        assert 1 == said.count(b"\n")
