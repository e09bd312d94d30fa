"""`check --changed-since` and `check --onto`: what a change adds to a repository, and what a repository would add to a host."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import portwright.trees.revision
from portwright.cli import main

SERVER = "[Service]\nExecStart=/usr/bin/python3 -m http.server {}\n[Install]\nWantedBy=multi-user.target\n"


def write(top: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    return top


def host_at(top: Path, files: dict[str, str]) -> Path:
    """A host whose old.service is enabled."""
    wants = write(top, files) / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "old.service").symlink_to("/etc/systemd/system/old.service")
    return top


def git(top: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=top, check=True, capture_output=True)


def committed(top: Path, files: dict[str, str]) -> Path:
    git(write(top, files), "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "one")
    return top


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["check", "--format", "json", *words])
    return code, json.loads(capsys.readouterr().out)["hosts"]


def told(host: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(each["rule"], each["at"]["path"], each["at"]["line"]) for each in host["findings"]]


def test_only_what_a_change_adds_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"systemd/one.service": SERVER.format(33000)})
    write(top, {"systemd/two.service": SERVER.format(33001), "systemd/one.service": "# a remark\n" + SERVER.format(33000)})

    code, (host,) = checked(capsys, str(top), "--changed-since", "HEAD")

    assert 1 == code
    assert [("listener-in-ephemeral-range", "systemd/two.service", 2)] == told(host)
    assert host["compared"]["base"].startswith("HEAD (")
    assert 1 == host["compared"]["not_counted"]


def test_what_was_there_is_not_new_for_being_moved_and_nothing_new_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"systemd/one.service": SERVER.format(33000)})
    git(top, "mv", "systemd", "units")

    assert (0, []) == (lambda answer: (answer[0], told(answer[1][0])))(checked(capsys, str(top), "--changed-since", "HEAD"))


def test_a_change_elsewhere_that_makes_an_old_line_a_problem_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"systemd/one.service": SERVER.format(20000)})
    write(top, {"sysctl.d/10-range.conf": "net.ipv4.ip_local_port_range = 10000 60999\n"})

    _, (host,) = checked(capsys, str(top), "--changed-since", "HEAD")

    assert ("listener-in-ephemeral-range", "systemd/one.service", 2) in told(host)


def test_a_part_of_a_checkout_is_compared_with_that_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"deploy/one.service": SERVER.format(33000), "other/two.service": SERVER.format(33001)})

    code, (host,) = checked(capsys, str(top / "deploy"), "--changed-since", "HEAD")

    assert (0, 1) == (code, host["compared"]["not_counted"])


def test_nothing_that_a_checkouts_config_names_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"systemd/one.service": SERVER.format(33000), ".gitattributes": "* filter=x diff=x\n"})
    trap = f"touch {tmp_path}/trapped"
    hook = write(top / ".git/hooks", {"post-index-change": f"#!/bin/sh\n{trap}\n", "reference-transaction": f"#!/bin/sh\n{trap}\n"})
    for each in hook.iterdir():
        each.chmod(0o755)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external", "filter.x.smudge", "filter.x.clean"):
        git(top, "config", name, trap)
    for name in ("filter.x.process", "diff.x.textconv", "diff.x.command", "alias.ls-tree", "alias.cat-file", "core.gitProxy"):
        git(top, "config", name, f"!{trap}" if name.startswith("alias") else trap)

    checked(capsys, str(top), "--changed-since", "HEAD")

    assert not (tmp_path / "trapped").exists()


def test_each_old_finding_accounts_for_one_new_one_that_is_no_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # An odd port in the range is a step milder than an even one; both findings of a unit have the unit's and the port's name.
    top = committed(tmp_path / "repo", {"one.service": SERVER.format(33001), "range.conf": "net.ipv4.ip_local_port_range = 32768 60999\n"})
    write(top, {"one.service": SERVER.format(33001), "range.conf": "net.ipv4.ip_local_port_range = 32769 60998\n"})

    _, (host,) = checked(capsys, str(top), "--changed-since", "HEAD")

    assert [("listener-in-ephemeral-range", "high")] == [(each["rule"], each["severity"]) for each in host["findings"]]


def test_a_file_whose_old_object_is_not_here_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"one.service": SERVER.format(33000), "two.service": SERVER.format(33002)})
    blob = subprocess.run(["git", "rev-parse", "HEAD:two.service"], cwd=top, check=True, capture_output=True, text=True).stdout.strip()
    (top / ".git/objects" / blob[:2] / blob[2:]).unlink()

    code, (host,) = checked(capsys, str(top), "--changed-since", "HEAD")

    assert (1, [("listener-in-ephemeral-range", "two.service", 2)]) == (code, told(host))
    assert ["two.service"] == [each["at"]["path"] for each in host["unreadable"]]


@pytest.mark.parametrize(
    ("revision", "said"), [("nope", "there is no such revision"), ("--output=x", "there is no such revision"), ("", "no such revision")]
)
def test_a_revision_that_is_none_is_a_mistake_of_the_command_line(
    revision: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    top = committed(tmp_path / "repo", {"systemd/one.service": SERVER.format(33000)})

    assert 2 == main(["check", str(top), f"--changed-since={revision}"])
    assert said in capsys.readouterr().err


def test_what_is_no_checkout_cannot_be_compared_with_a_revision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = write(tmp_path, {"systemd/one.service": SERVER.format(33000)})

    assert 2 == main(["check", str(top), "--changed-since", "HEAD"])
    assert "not a git repository" in capsys.readouterr().err
    assert 2 == main(["check", str(top / "systemd/one.service"), "--changed-since", "HEAD"])
    assert "for the directory of a checkout" in capsys.readouterr().err


HOST = {
    "etc/hostname": "db1\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "etc/systemd/system/old.service": SERVER.format(8080),
    "etc/sysctl.d/50-range.conf": "net.ipv4.ip_local_port_range = 15000 60999\n",
}


def test_what_a_repository_would_break_on_a_host_points_into_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = host_at(tmp_path / "db1", HOST)
    script = "cat > /etc/systemd/system/new.service <<EOF\n" + SERVER.format(20000) + "EOF\nsystemctl enable new\n"
    repository = write(tmp_path / "repo", {"systemd/second.service": SERVER.format(8080), "install.sh": script})

    code, (found,) = checked(capsys, str(repository), "--onto", str(host))

    assert ("db1", 1) == (found["host"], code)
    assert [
        ("range-swallows-services", "/etc/sysctl.d/50-range.conf", 1),
        ("port-claimed-twice", "/etc/systemd/system/old.service", 2),
        ("listener-in-ephemeral-range", "install.sh", 3),
        ("port-claimed-twice", "systemd/second.service", 2),
    ] == told(found)
    notes = [note["at"] and (note["at"]["path"], note["at"]["line"]) for each in found["findings"] for note in each["notes"]]
    assert {("install.sh", 3), ("/etc/sysctl.d/50-range.conf", 1)} <= set(notes)
    assert {"likely"} == {each["confidence"] for each in found["findings"]}
    assert {None} == {each["fix"] for each in found["findings"]}


def test_what_is_inside_of_a_container_is_not_laid_over_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = host_at(tmp_path / "db1", HOST)
    compose = "services:\n  web:\n    image: nginx\n    volumes: [./nginx.conf:/etc/nginx/nginx.conf]\n"
    config = "events {}\nhttp { server { listen 20000; } }\n"
    repository = write(tmp_path / "repo", {"compose.yml": compose, "nginx.conf": config})

    code, (found,) = checked(capsys, str(repository), "--onto", str(host))

    assert (0, []) == (code, told(found))
    reasons = {each["path"]: each["reason"] for each in found["coverage"]["left_out"]}
    assert "it is inside of a container with a network of its own" == reasons["nginx.conf"]


def test_what_is_wrong_with_a_host_already_is_not_told_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {path: text.replace("8080", "20000") for path, text in HOST.items()}
    host = host_at(tmp_path / "db1", wrong)
    repository = write(tmp_path / "repo", {"sysctl.d/90-x.conf": "net.core.somaxconn = 4096\n"})

    code, (found,) = checked(capsys, str(repository), "--onto", str(host))

    assert (0, []) == (code, told(found))
    assert found["compared"]["not_counted"] > 0


def test_a_host_is_no_repository_and_a_repository_no_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = host_at(tmp_path / "db1", HOST)
    repository = write(tmp_path / "repo", {"systemd/second.service": SERVER.format(8080)})

    assert 2 == main(["check", str(host), "--onto", str(host)])
    assert "is a host" in capsys.readouterr().err
    assert 2 == main(["check", str(repository), "--onto", str(repository)])
    assert "this is no host" in capsys.readouterr().err
    assert 2 == main(["check", str(repository), "--onto", str(host), "--changed-since", "HEAD"])
    assert "ask one of them" in capsys.readouterr().err


def test_a_revision_that_git_cannot_list_is_said_and_nothing_counts_as_old(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    top = committed(tmp_path / "repo", {"one.service": SERVER.format(33000)})
    tree = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=top, check=True, capture_output=True, text=True).stdout.strip()
    (top / ".git/objects" / tree[:2] / tree[2:]).unlink()

    code, (host,) = checked(capsys, str(top), "--changed-since", "HEAD")

    assert (1, [("listener-in-ephemeral-range", "one.service", 2)]) == (code, told(host))
    (said,) = [each["reason"] for each in host["unreadable"]]
    assert said.endswith("cannot be read, so what is new is not known: git cannot list its files: objects are missing or damaged")


def hashed(top: Path, kind: str, data: bytes) -> bytes:
    """The name of an object of git's that this makes."""
    words = ["git", "hash-object", "-w", "-t", kind, "--stdin"]
    return bytes.fromhex(subprocess.run(words, cwd=top, check=True, input=data, capture_output=True).stdout.decode().strip())


def test_a_revision_of_few_objects_and_very_many_files_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portwright.trees.revision, "_MOST_LISTED", 1 << 20)
    top = committed(tmp_path / "repo", {"one.service": SERVER.format(33000)})
    tree = hashed(top, "tree", b"100644 a.conf\0" + hashed(top, "blob", b""))
    for _ in range(10):
        tree = hashed(top, "tree", b"".join(b"40000 %d\0" % number + tree for number in range(10)))
    git(top, "update-ref", "refs/heads/bomb", subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit-tree", "-m", "x", tree.hex()],
        cwd=top, check=True, capture_output=True, text=True,
    ).stdout.strip())  # fmt: skip

    _, (host,) = checked(capsys, str(top), "--changed-since", "bomb")

    assert ["it has more files than are read"] == [each["reason"].rpartition(": ")[2] for each in host["unreadable"]]
