"""The system calls of every command: what is opened for writing, what is run, and that nothing is connected to."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from portwright.cli.arguments import COMMANDS
from tests.hostile.program import enabled, lay

_TRACED = "trace=%file,%network,%process,ftruncate,fchmod,fchown,ptrace,mount"
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
_CHANGING = re.compile(
    r"\b(?:creat|mkdir|mkdirat|mknod|mknodat|link|linkat|symlink|symlinkat|rename|renameat|renameat2|unlink|unlinkat|rmdir|truncate"
    r"|ftruncate|chmod|fchmod|fchmodat|chown|fchown|lchown|fchownat|utime|utimensat|setxattr|mount|chroot)\("
)
# The call, not a path that holds the word.
_OPENING = re.compile(r"\bopen(?:at2?)?\(")
_CONNECTING = re.compile(r"\b(?:socket|socketpair|connect|bind|listen|accept4?|sendto|sendmsg)\(")
_PART = re.compile(r'"\.portwright-[0-9a-f]{16}\.part"')
# Locks of the pool of processes, which have no other place (sem_open(3)).
_LOCK = re.compile(r'"/dev/shm/(?:sem\.)?[\w.-]+"')


def _host(root: Path) -> Path:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "bait.conf").write_text("net.ipv4.ip_local_port_range = 5 4\n")
    return lay(
        root,
        {
            "etc/systemd/system/a.service": f"[Service]\nEnvironmentFile={outside}/bait.conf\nExecStart=/bin/sh {outside}/bait.conf\n",
            "etc/systemd/system/b.service": "[Service]\nExecStartPre=/usr/bin/touch x\nExecStart=/usr/bin/python3 /opt/b.py --port 80\n",
            "opt/b.py": "import os, socket\nos.system('touch run')\nsocket.create_connection(('127.0.0.1', 1))\n",
            "etc/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n",
            "etc/nginx/nginx.conf": f"include {outside}/*.conf;\ninclude ../../../../../..{outside}/*.conf;\n"
            "http { server { listen 40000; } }\n",
            "etc/sysctl.d/1.conf": f"-> {outside}/bait.conf",
            "etc/sysctl.d/2.conf": f"-> ../../../../../../../..{outside}/bait.conf",
            "etc/sysctl.d/3.conf": "-> ../out/bait.conf",
            "etc/out": f"-> {outside}",
            "etc/shadow": "root:x\n",
            **enabled("a.service"),
            **enabled("b.service"),
            **enabled("nginx.service"),
        },
    )


RULE = """\
id: port-of-the-office
title: A service takes a port of the office
severity: low
why: Ports from 8000 to 8009 are for the office.
references: [socket(7)]
each: listener
where: {ports: {overlaps: 8000-8009}}
message: "{who} listens on {socket}"
bad: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 8001\\n"}
good: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 9001\\n"}
"""
CASE = """\
flags: one
/etc/systemd/system/a.service
    [Service]
    ExecStart=/usr/bin/python3 -m http.server 8001
    [Install]
    WantedBy=multi-user.target
/etc/systemd/system/multi-user.target.wants/a.service -> ../a.service
"""

# The words of a command, and the files it is to write.
RUNS: list[tuple[list[str], list[str]]] = [
    (["check", "h"], []),
    (["check", "-v", "h"], []),
    (["check", "--debug", "h"], []),
    (["check", "--as", "host", "repository"], []),
    (["check", "--as", "repository", "h"], []),
    (["check", "--format", "json", "--output", "out/r", "--format", "sarif", "--output", "out/s", "--format", "github", "h"], ["r", "s"]),
    (["check", "--format", "html", "--output", "out/r", "--format", "jsonl", "--output", "out/s", "h"], ["r", "s"]),
    (["check", "--jobs", "2", "h", "again"], []),
    (["check", "repository"], []),
    (["check", "h.tar.xz"], []),
    (["check", "repository/app.service"], []),
    (["check", "--rules", "rules", "h"], []),
    (["facts", "-v", "h"], []),
    (["facts", "--format", "json", "--output", "out/r", "h"], ["r"]),
    (["ports", "-v", "h"], []),
    (["ports", "--format", "json", "--output", "out/r", "h"], ["r"]),
    (["fix", "h"], []),
    (["fix", "-o", "out/plan.yml", "h"], ["plan.rollback.yml", "plan.vars.json", "plan.yml"]),
    (["explain", "port-claimed-twice"], []),
    (["explain", "--format", "markdown", "--output", "out/r", "port-claimed-twice"], ["r"]),
    (["rules"], []),
    (["rules", "--test", "rules"], []),
    (["rules", "--test", "rules", "--accept"], ["port-of-the-office.txt"]),
    (["apps", "--format", "json", "--output", "out/r"], ["r"]),
    (["--version"], []),
    (["--help"], []),
    (["config"], []),
    (["completion", "bash"], []),
    (["check", "--write-baseline", "out/b", "h"], ["b"]),
    (["check", "--format", "gitlab", "--output", "out/a", "--format", "junit", "--output", "out/b", "--format", "html", "h"], ["a", "b"]),
    (
        ["check", "--format", "checkstyle", "--output", "out/a", "--format", "csv", "--output", "out/b", "--format", "markdown", "h"],
        ["a", "b"],
    ),
    (["fix", "--patch", "out/p", "changed"], ["p"]),
    (["audit", "h"], []),
    (["audit", "--format", "json", "--output", "out/r", "h", "h.tar.xz"], ["r"]),
    (["audit", "--host", "h", "h"], []),
    (["merge", "out/no-store"], []),
    (["suggest-port", "h"], []),
    (["suggest-port", "--format", "json", "--output", "out/r", "h.tar.xz"], ["r"]),
    (["snapshot"], []),
]


def _calls(words: Sequence[str], folder: Path, said: bytes = b"", answer: bytes = b"") -> list[str]:
    """The system calls of a command. What is `said` to it comes through a pipe, which is closed when it has given the answer."""
    if shutil.which("strace") is None and "CI" not in os.environ:
        pytest.skip("strace is not installed")
    log = folder / "log"
    # With bytecode Python writes files of its own beside the modules.
    command = ["strace", "-f", "-y", "-s", "4096", "-e", _TRACED, "-o", str(log), sys.executable, "-B", "-m", "portwright", *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        heard = b""
        if said:
            run.stdin.write(said)
            run.stdin.flush()
            while answer not in heard and (more := os.read(run.stdout.fileno(), 1 << 16)):
                heard += more
        _, errors = run.communicate()
    if b"ptrace" in errors and "CI" not in os.environ:
        pytest.skip("strace may not trace here")
    assert answer in heard
    assert run.returncode in (0, 1, 2, 3), errors
    return log.read_text().splitlines()


def test_every_command_is_among_those_that_are_traced() -> None:
    assert set(COMMANDS) == {words[0] for words, _ in RUNS if not words[0].startswith("-")} | {"lsp"}


@pytest.mark.parametrize(("words", "written"), RUNS, ids=lambda each: " ".join(each) if each else "-")
def test_case_88_no_command_connects_runs_or_writes_anything_else(words: list[str], written: list[str], tmp_path: Path) -> None:
    _host(tmp_path / "h")
    lay(tmp_path / "again", {})
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "app.service").write_text("[Service]\nUser=x\nExecStart=/bin/app --port 80\n")
    (tmp_path / "changed").mkdir()
    (tmp_path / "changed" / "a.service").write_text("[Service]\nUser=x\nExecStart=/usr/bin/python3 -m http.server 80\n")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "port-of-the-office.yaml").write_text(RULE)
    (tmp_path / "rules" / "port-of-the-office.txt").write_text(CASE)
    (tmp_path / "out").mkdir()
    with tarfile.open(tmp_path / "h.tar.xz", "w:xz") as made:
        made.add(tmp_path / "h", arcname="h")
    before = set(tmp_path.rglob("*"))

    calls = _calls(words, tmp_path)

    done = [call for call in calls if " = -1 " not in call and "resumed>" not in call and "---" not in call]
    assert any("execve(" in call for call in done)
    assert 1 == sum("execve" in call for call in done)
    assert [] == [call for call in calls if _CONNECTING.search(call)]
    assert [] == [call for call in calls if _OPENING.search(call) and ("/outside" in call or "bait" in call)]
    assert [] == [call for call in calls if '"shadow"' in call and _OPENING.search(call)]
    changed = [call for call in done if (_WRITING.search(call) and _OPENING.search(call)) or _CHANGING.search(call)]
    changed = [call for call in changed if '"/dev/null"' not in call and not _LOCK.search(call)]
    places = f"{tmp_path}/{'rules' if 'rules' in words else 'out'}>"
    assert [] == [call for call in changed if not (_PART.search(call) and places in call) and "fchmod" not in call]
    assert [] == [call for call in changed if "fchmod" in call and ".part>, 0600" not in call]
    renamed = sorted(match[1] for call in changed if (match := re.search(r'rename\w*\(.*, "([^"]*)"(?:, \w+)?\)', call)))
    assert written == renamed
    new = [path for path in tmp_path.rglob("*") if path not in before and path.name != "log"]
    assert [] == [path for path in new if path.parent.name != "out" or path.name not in written]


def test_case_88_a_store_is_all_that_an_audit_with_one_writes_and_reading_one_writes_nothing(tmp_path: Path) -> None:
    _host(tmp_path / "h")
    (tmp_path / "out").mkdir()
    for words, written in ((["audit", "--store", "out/s", "h"], True), (["audit", "--store", "out/s"], False), (["merge", "out/s"], False)):
        calls = [call for call in _calls(words, tmp_path) if " = -1 " not in call and "resumed>" not in call and "---" not in call]

        assert 1 == sum("execve" in call for call in calls)
        assert [] == [call for call in calls if _CONNECTING.search(call)]
        opened = [call for call in calls if _WRITING.search(call) and _OPENING.search(call)]
        opened = [call for call in opened if '"/dev/null"' not in call and not _LOCK.search(call)]
        assert written == bool(opened)
        assert [] == [call for call in opened if not re.search(r"/out/s(-wal|-shm|-journal)?>", call)]
        assert ["s"] == [path.name for path in (tmp_path / "out").iterdir()]


@pytest.mark.parametrize("words", [["--changed-since", "HEAD~1"], ["--onto", "h"], ["--onto", "h", "--format", "sarif"]], ids=" ".join)
def test_case_88_a_comparison_runs_git_and_nothing_of_the_checkout(words: list[str], tmp_path: Path) -> None:
    _host(tmp_path / "h")
    top = tmp_path / "repository"
    top.mkdir()
    trap = f"touch {tmp_path}/trapped"
    git = ["git", "-C", str(top), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for port in ("80", "81"):
        (top / "app.service").write_text(f"[Service]\nUser=x\nExecStart=/bin/app --port {port}\n")
        (top / ".gitattributes").write_text("* filter=x diff=x merge=x text\n")
        (top / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "{trap}"\n\tupdate = !{trap}\n')
        (top / "install.sh").write_text(f"#!/bin/sh\n{trap}\nsysctl -w net.core.somaxconn=1\n")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", port], check=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout", "pre-commit", "fsmonitor-watchman"):
        (top / ".git/hooks").mkdir(exist_ok=True)
        (top / ".git/hooks" / name).write_text(f"#!/bin/sh\n{trap}\n")
        (top / ".git/hooks" / name).chmod(0o755)
    own = ["core.fsmonitor", "core.pager", "core.sshCommand", "core.alternateRefsCommand", "filter.x.smudge", "filter.x.clean"]
    own += ["pager.ls-tree", "filter.x.process", "diff.x.textconv", "diff.x.command", "diff.external", "credential.helper", "gpg.program"]
    for name in own:
        subprocess.run([*git, "config", name, trap], check=True)
    (top / ".git/objects/info/alternates").write_text(f"{tmp_path}/h/opt\n")
    before = {path: path.lstat().st_mtime_ns for path in top.rglob("*")}

    calls = _calls(["check", *words, "repository"], tmp_path)

    started = [call for call in calls if "execve(" in call and " = -1 " not in call]
    run = [match[1] for call in started if (match := re.search(r"execve\(.*?, \[(.*?)\]", call))]
    asked = [each for each in run[1:] if re.match(r'"git", "-C", "repository", .*"(?:rev-parse|ls-tree|cat-file)"', each)]
    assert asked == run[1:]
    assert bool(asked) == ("--changed-since" in words)
    assert [] == [call for call in calls if _CONNECTING.search(call)]
    done = [call for call in calls if " = -1 " not in call and '"/dev/null"' not in call and not _LOCK.search(call)]
    assert [] == [call for call in done if (_WRITING.search(call) and _OPENING.search(call)) or _CHANGING.search(call)]
    assert before == {path: path.lstat().st_mtime_ns for path in top.rglob("*")}
    assert not (tmp_path / "trapped").exists()


def test_case_88_an_editor_is_served_without_a_connection_or_a_write(tmp_path: Path) -> None:
    _host(tmp_path / "h")
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / "app.service").write_text("[Service]\nUser=x\nExecStart=/bin/app --port 80\n")
    folders = [{"uri": (tmp_path / name).as_uri(), "name": name} for name in ("h", "repository")]
    unit, site = (tmp_path / "repository" / "app.service").as_uri(), (tmp_path / "h/etc/nginx/nginx.conf").as_uri()
    texts = {site: "http { server { listen 40001; } }\n", unit: "[Service]\nUser=x\nExecStart=/bin/app --port 81\n"}
    where = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}, "context": {"diagnostics": []}}
    said: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}, "workspaceFolders": folders}},
        {"method": "initialized", "params": {}},
    ]
    for uri, text in texts.items():
        document = {"uri": uri, "languageId": "x", "version": 1, "text": text}
        said.append({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    said.append({"method": "textDocument/didSave", "params": {"textDocument": {"uri": unit}}})
    said.append({"id": 2, "method": "textDocument/codeAction", "params": {"textDocument": {"uri": unit}, **where}})
    messages = [json.dumps({"jsonrpc": "2.0", **each}).encode("utf-8") for each in said]

    # The quick fix comes last, when both folders have been checked.
    stream = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(each), each) for each in messages)
    calls = _calls(["lsp"], tmp_path, stream, b'"id": 2')

    done = [call for call in calls if " = -1 " not in call and "resumed>" not in call and "---" not in call]
    assert 1 == sum("execve" in call for call in done)
    # Its event loop wakes itself by a pair of sockets of its own.
    talks = [call for call in calls if _CONNECTING.search(call) and "socketpair(AF_UNIX" not in call]
    assert [] == [call for call in talks if not re.search(r"sendto\(\d+<(?:UNIX|socket)", call)]
    assert any('"nginx.service"' in call and _OPENING.search(call) for call in done)
    assert [] == [call for call in calls if _OPENING.search(call) and ("/outside" in call or "bait" in call)]
    written = [call for call in done if _WRITING.search(call) and _OPENING.search(call) and '"/dev/null"' not in call]
    assert [] == written + [call for call in done if _CHANGING.search(call)]


# What POSIX and every Linux has; `sh -c` and the like of no name from the host.
_OF_THE_COLLECTOR = frozenset(
    ("sh", "awk", "mawk", "gawk", "base64", "busybox", "cat", "chmod", "cp", "dash", "dd", "find", "grep", "gzip", "head", "ls", "mkdir",
     "mktemp", "rm", "sed", "sleep", "sort", "tail", "tar", "test", "uname", "xargs", "[")
)  # fmt: skip


def test_case_88_a_snapshot_runs_the_collector_and_connects_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTWRIGHT_ROOT", str(_host(tmp_path / "h")))
    for name in ("out", "passing"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "passing"))
    before = {path: path.lstat().st_mtime_ns for path in (tmp_path / "h").rglob("*")}

    calls = _calls(["snapshot", "-o", "out/h.tar.gz"], tmp_path)

    done = [call for call in calls if " = -1 " not in call and "---" not in call]
    run = [match[1] for call in done if (match := re.search(r'execve\("[^"]*/([^"/]*)"', call))]
    assert {"sh", "tar"} <= set(run)
    assert set() == set(run[1:]) - _OF_THE_COLLECTOR
    assert [] == [call for call in calls if _CONNECTING.search(call) and "AF_UNIX" not in call]
    assert [] == [call for call in calls if "bait" in call and _OPENING.search(call) and "resumed" not in call and " = -1 " not in call]
    changed = [call for call in done if (_WRITING.search(call) and _OPENING.search(call)) or _CHANGING.search(call)]
    named = [call for call in changed if '("/' in call.replace("AT_FDCWD, ", "").replace(f"AT_FDCWD<{tmp_path}>, ", "")]
    assert [] == [call for call in named if f"{tmp_path}/passing" not in call and '"/dev/' not in call and not _PART.search(call)]
    assert before == {path: path.lstat().st_mtime_ns for path in (tmp_path / "h").rglob("*")}
    assert ["h.tar.gz"] == [path.name for path in (tmp_path / "out").iterdir()]
    assert [] == list((tmp_path / "passing").iterdir())


def test_what_a_plan_is_applied_with_and_git_are_the_only_programs_that_are_run() -> None:
    package = Path(sys.modules["portwright"].__file__ or "").parent
    runs = re.compile(r"\b(?:subprocess\.\w+|os\.(?:system|popen|exec\w*|spawn\w*|posix_spawn\w*))\(")
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if runs.search(line)
    ]

    places = ["audit/verifying.py", "cli/commands/fix.py", "fleet/collect.py", "fleet/snapshot.py", *["trees/revision.py"] * 3]
    assert places == [each.partition(":")[0] for each in found]
    # In namespaces of its own: tests/audit/test_verifying.py shows what can be reached there.
    assert "subprocess.run(" in found[0]
    assert "[program, " in found[1]
    assert '"collect.yml")' in found[2]
    assert '["/bin/sh", script]' in found[3]
    # git is asked for a revision; tests/cli/test_comparing.py shows that nothing that a checkout names runs.
    assert {"self._blobs", "listing", "ran"} == {each.partition(": ")[2].partition(" =")[0] for each in found[4:]}
