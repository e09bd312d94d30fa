"""Files written to hurt their reader: an answer in time, what is not understood is said, the rest is read."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from portwright.cli import main
from tests.hostile.program import enabled, lay

NGINX = {"etc/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n", **enabled("nginx.service")}
SSHD = {"etc/systemd/system/sshd.service": "[Service]\nExecStart=/usr/sbin/sshd -D\n", **enabled("sshd.service")}
REDIS = {"etc/systemd/system/redis.service": "[Service]\nExecStart=/usr/bin/redis-server /etc/redis.conf\n", **enabled("redis.service")}
HAPROXY = {
    "etc/systemd/system/haproxy.service": "[Service]\nExecStart=/usr/sbin/haproxy -f /etc/haproxy.cfg\n",
    **enabled("haproxy.service"),
}
POSTGRES = {
    "etc/systemd/system/pg.service": "[Service]\nUser=postgres\nExecStart=/usr/lib/postgresql/15/bin/postgres -D /d\n",
    **enabled("pg.service"),
}
SPOILED = {"etc/sysctl.d/99.conf": "net.ipv4.ip_local_port_range = 5 4\n"}


def _facts(root: Path, caught: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main(["facts", "--format", "json", str(root)])
    (host,) = json.loads(caught.readouterr().out)["hosts"]
    return code, host


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "a: " + "[" * 50_000 + "]" * 50_000])
@pytest.mark.parametrize("name", ["mongod.conf", "docker-compose.yml", "playbook.yml", "values.yaml"])
def test_case_18_nested_yaml_ends_no_process(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "portwright", "check", str(tmp_path)], capture_output=True, check=False, text=True, timeout=60
    )

    assert run.returncode in (0, 1, 3)
    assert "Traceback" not in run.stderr


def _merges() -> str:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(10)) + "}"]
    return "\n".join([*lines, *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 20)}]}}" for n in range(1, 25))]) + "\n"


LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize("text", [_merges(), LAUGHS], ids=["merge keys", "billion laughs"])
def test_cases_19_and_20_yaml_that_grows_is_read_in_time(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("docker-compose.yml", "playbook.yml"):
        (tmp_path / name).write_text(text + "services: {a: {ports: ['80:80']}}\n")
    began = time.process_time()

    assert main(["check", str(tmp_path)]) in (0, 1, 3)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['touch run']", "!include /etc/passwd", "!x {a: b}"])
def test_case_21_no_tag_of_yaml_does_anything(
    tag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docker-compose.yml").write_text(f"services:\n  a:\n    image: nginx\n    ports: ['80:80']\n    x: {tag}\n")

    assert main(["check", "."]) in (0, 1, 3)
    assert ["docker-compose.yml"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({**NGINX, "etc/nginx/nginx.conf": "include a.conf;\n", "etc/nginx/a.conf": "include nginx.conf;\n"}, "/etc/nginx/"),
        ({**NGINX, "etc/nginx/nginx.conf": "include *.conf;\n"}, "/etc/nginx/nginx.conf"),
        ({**SSHD, "etc/ssh/sshd_config": "Include /etc/ssh/*_config\n"}, "/etc/ssh/sshd_config"),
        ({**REDIS, "etc/redis.conf": "include /etc/redis.conf\n"}, "/etc/redis.conf"),
    ],
)
def test_case_23_files_that_include_each_other_are_said(
    files: dict[str, str], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, host = _facts(lay(tmp_path / "h", {**files}), capsys)

    assert 3 == code
    assert any(each["at"]["path"].startswith(path) and "include" in each["reason"].lower() for each in host["unreadable"])


@pytest.mark.parametrize("included", ["{out}/x.conf", "../../../../../../../..{out}/x.conf", "{out}/*", "/**", "/*/*/*", "/etc/shadow"])
def test_case_24_an_include_reads_nothing_outside_and_no_secrets(included: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "x.conf").write_text("http { server { listen 4711; } }\n")
    said = included.format(out=out)
    files = {"etc/nginx/nginx.conf": f"include {said};\nevents {{}}\n", "etc/shadow": "http { server { listen 4712; } }\n"}

    _, host = _facts(lay(tmp_path / "h", {**NGINX, **files}), capsys)

    assert not {4711, 4712} & {listener["port"] for listener in host["listeners"]}


@pytest.mark.parametrize(
    "text",
    ["net.x = " + "1" * (2 << 20), "\n" * (2 << 20), "net.x = 1 \\\n" * 20_000, "a" * (15 << 20)],
    ids=["a long line", "empty lines", "continued lines", "one word"],
)
def test_case_25_a_file_of_any_shape_is_read_in_time(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = lay(tmp_path / "h", {"etc/sysctl.d/1.conf": text, **SPOILED})
    began = time.process_time()

    assert 1 == main(["check", "-q", str(root)])
    assert time.process_time() - began < 10
    assert "sysctl-value-rejected" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [b"\xff\xfe\x00", "port 1\n".encode("utf-16"), b"a\x00b\n", b"port 1\rport 2\r", "port\u20281\x85".encode(), "\u202eport 1".encode()],
)
def test_case_26_any_bytes_are_read_and_shown_escaped(text: bytes, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    files = dict.fromkeys(("etc/sysctl.d/1.conf", "etc/nginx/nginx.conf", "etc/redis.conf", "etc/haproxy.cfg"), text)
    units: dict[str, str | bytes] = {"etc/systemd/system/a.service": b"[Service]\nExecStart=/bin/a " + text + b"\n", **enabled("a.service")}
    root = lay(tmp_path / "h", {**NGINX, **REDIS, **HAPROXY, **files, **units})

    for command in (["check", "-v"], ["facts", "-v"], ["ports"]):
        assert main([*command, str(root)]) in (0, 1, 3)
        said = capsysbinary.readouterr().out.decode()
        assert [] == [line for line in said.split("\n") if not line.isprintable()]


@pytest.mark.parametrize(
    "line", ["a" * 50_000 + "!", "((((" * 20_000, " " * 100_000 + "x", "a=" * 50_000, "${A:-" * 10_000, "1.1." * 30_000]
)
def test_case_27_no_pattern_takes_long_over_a_line(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = dict.fromkeys(("etc/sysctl.d/1.conf", "etc/nginx/nginx.conf", "etc/redis.conf", "etc/haproxy.cfg"), f"{line}\n")
    units = {"etc/systemd/system/a.service": f"[Service]\nExecStart=/bin/sh -c '{line}'\n", **enabled("a.service")}
    root = lay(tmp_path / "h", {**NGINX, **REDIS, **HAPROXY, **files, **units})
    began = time.process_time()

    assert main(["check", str(root)]) in (0, 1, 3)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("number", ["1" * 100_000, "1e999999", "999999999999T", "0999", "-1", "65536", "\u0661\u0662", "0x1F90"])
def test_case_28_a_number_that_is_none_is_no_port(number: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "etc/nginx/nginx.conf": f"http {{ server {{ listen {number}; }} server {{ listen 81 backlog={number}; }} }}\n",
        "etc/redis.conf": f"port {number}\n",
        "etc/haproxy.cfg": f"listen a\n bind :{number}\n maxconn {number}\n",
        "etc/ssh/sshd_config": f"Port {number}\n",
        "etc/sysctl.d/1.conf": f"net.ipv4.ip_local_port_range = {number} {number}\nnet.core.somaxconn = {number}\n",
        "etc/systemd/system/a.socket": f"[Socket]\nListenStream={number}\nBacklog={number}\n",
        "etc/systemd/system/a.service": f"[Service]\nLimitNOFILE={number}\nExecStart=/bin/sh -c 'shift {number}; app --port {number}'\n",
        "etc/systemd/system/sockets.target.wants/a.socket": "-> ../a.socket",
    }
    code, host = _facts(lay(tmp_path / "h", {**NGINX, **REDIS, **HAPROXY, **SSHD, **files}), capsys)

    assert code in (0, 3)
    assert all(listener["port"] is None or 0 <= listener["port"] <= 65535 for listener in host["listeners"])


@pytest.mark.parametrize(
    "files",
    [
        {"etc/systemd/system/a.service": "[Service]\nExecStart=/bin/a " + "%n" * 50_000 + "\n"},
        {"etc/systemd/system/a@.service": "[Service]\nExecStart=/bin/a --port %i\n[Unit]\nWants=a@%i%i.service\n"},
        {"etc/systemd/system/a.service": "-> b.service", "etc/systemd/system/b.service": "-> a.service"},
        {"etc/systemd/system/multi-user.target.wants/..service": "-> ../../../../etc/passwd"},
        {
            "etc/systemd/system/a@.service": "[Service]\nExecStart=/bin/a\n",
            f"{'etc/systemd/system/multi-user.target.wants'}/a@.service": "-> ../a@.service",
        },
    ],
)
def test_case_29_units_written_to_grow_are_settled_in_time(
    files: dict[str, str | bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = lay(tmp_path / "h", {**files, **(enabled("a.service") if "etc/systemd/system/a.service" in files else {}), **SPOILED})
    began = time.process_time()

    assert 1 == main(["check", "-q", str(root)])
    assert time.process_time() - began < 5
    assert "sysctl-value-rejected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({**NGINX, "etc/nginx/nginx.conf": "http { server { listen 80;\n"}, "/etc/nginx/nginx.conf"),
        ({**NGINX, "etc/nginx/nginx.conf": "http { server { listen '80; } }\n"}, "/etc/nginx/nginx.conf"),
        ({**HAPROXY, "etc/haproxy.cfg": "listen a\n bind ':80\n"}, "/etc/haproxy.cfg"),
        ({**POSTGRES, "d/postgresql.conf": "port = 'x\n", "d/PG_VERSION": "15\n"}, "/d/postgresql.conf"),
    ],
)
def test_case_30_what_is_not_closed_is_said_and_the_rest_is_checked(
    files: dict[str, str | bytes], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["check", "--format", "json", str(lay(tmp_path / "h", {**files, **SPOILED}))])
    (host,) = json.loads(capsys.readouterr().out)["hosts"]

    assert 1 == code
    assert path in [each["at"]["path"] for each in host["unreadable"]]
    assert ["sysctl-value-rejected"] == [each["rule"] for each in host["findings"] if each["rule"].startswith("sysctl-value")]


def test_case_31_a_file_is_read_by_its_place_and_what_is_not_its_grammar_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, host = _facts(lay(tmp_path / "h", {**REDIS, "etc/redis.conf": "http { server { listen 4711; } }\n"}), capsys)

    assert 4711 not in [listener["port"] for listener in host["listeners"]]
    assert (3, ["/etc/redis.conf"]) == (code, sorted({each["at"]["path"] for each in host["unreadable"]}))
