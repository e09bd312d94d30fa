"""`portwright lsp`, driven by a real client over standard input and output."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from shutil import copytree

import pytest
from lsprotocol import types

from tests.lsp.client import applied, editor

TOP = Path(__file__).parents[2]
EPHEMERAL = "listener-in-ephemeral-range"
NGINX = "events {}\nhttp {\n    server {\n        listen 40000;\n    }\n}\n"


def _drive(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(story())


def _repository(folder: Path, **files: str) -> Path:
    """A repository with an nginx on a port that the kernel may assign, and more files."""
    (folder / "deploy/nginx").mkdir(parents=True)
    (folder / "deploy/nginx/nginx.conf").write_text(NGINX)
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _codes(said: list[types.Diagnostic]) -> list[object]:
    return [each.code for each in said if each.severity != types.DiagnosticSeverity.Hint]


def test_an_opened_config_has_the_remarks_of_a_check(tmp_path: Path) -> None:
    path = _repository(tmp_path) / "deploy/nginx/nginx.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            (said,) = await one.next_of(path)

            assert (EPHEMERAL, "portwright", types.DiagnosticSeverity.Error) == (said.code, said.source, said.severity)
            assert types.Range(types.Position(3, 15), types.Position(3, 20)) == said.range
            assert said.message.startswith("nginx listens on tcp 0.0.0.0:40000, which the kernel may assign")
            assert said.code_description is not None

    _drive(story)


def test_a_remark_names_the_related_lines_of_a_unit_and_a_sysctl_file(tmp_path: Path) -> None:
    host = tmp_path / "web1"
    copytree(TOP / "examples/web1", host, symlinks=True)
    site, tuning = host / "etc/nginx/sites-enabled/app", host / "etc/sysctl.d/60-tuning.conf"
    unit = host / "etc/systemd/system/status.service"

    async def story() -> None:
        async with editor(host) as one:
            one.open(tuning)
            assert "range-widened-without-reserved-ports" in _codes(await one.next_of(tuning))
            (low,) = (each for each in one.remarks[unit.as_uri()] if each.code == "low-port-without-capability")
            (own,) = low.related_information or ()
            assert (unit.as_uri(), 4) == (own.location.uri, own.location.range.start.line)
            real = Path(os.path.realpath(site))
            (risky,) = (each for each in one.remarks[real.as_uri()] if each.code == EPHEMERAL)
            assert tuning.as_uri() in {each.location.uri for each in risky.related_information or ()}
            # A host is mended by a playbook.
            assert [] == await one.actions(real, risky.range)

    _drive(story)


def test_a_haproxy_config_alone_is_checked_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "haproxy.cfg"
    path.write_text("defaults\n    mode tcp\nfrontend a\n    bind :45000\n    default_backend b\nbackend b\n    server s 192.0.2.1:80\n")

    async def story() -> None:
        async with editor(None) as one:
            one.open(path)
            said = await one.next_of(path)
            assert EPHEMERAL in _codes(said)
            one.close(path)
            assert [] == await one.next_of(path)

    _drive(story)


def test_what_is_not_saved_is_what_counts_also_for_other_files(tmp_path: Path) -> None:
    """The range is set in one file and the port in another: neither is on disk as the editor has it."""
    path = (
        _repository(tmp_path, **{"sysctl_dot_d__10-range_dot_conf": "net.ipv4.ip_local_port_range = 32768 60999\n"})
        / "deploy/nginx/nginx.conf"
    )
    tuning = tmp_path / "sysctl.d/10-range.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            await one.until(path, [EPHEMERAL])
            one.open(tuning)
            one.change(tuning, "net.ipv4.ip_local_port_range = 50000 60999\n")
            one.save(path)
            await one.until(path, [])
            one.change(path, NGINX.replace("40000", "  51000"))
            one.save(path)
            (said,) = await one.until(path, [EPHEMERAL])
            assert types.Range(types.Position(3, 17), types.Position(3, 22)) == said.range
            # Closed without being saved, it is what its file says.
            one.close(path)
            await one.until(path, [])

    _drive(story)


def test_a_new_document_counts_before_it_is_a_file(tmp_path: Path) -> None:
    _repository(tmp_path)
    path = tmp_path / "units/shop.service"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path, "[Service]\nUser=shop\nExecStart=/usr/bin/shop --port 81\n\n[Install]\nWantedBy=multi-user.target\n")
            assert "low-port-without-capability" in _codes(await one.next_of(path))

    _drive(story)


def test_a_quick_fix_is_the_edit_of_the_patch(tmp_path: Path) -> None:
    path = _repository(tmp_path, **{"sysctl_dot_d__10-range_dot_conf": "net.ipv4.tcp_syncookies = 1\n"}) / "deploy/nginx/nginx.conf"
    tuning = tmp_path / "sysctl.d/10-range.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            one.open(tuning, "# tuned\nnet.ipv4.tcp_syncookies = 1\n")
            one.save(path)
            (said,) = await one.until(path, [EPHEMERAL])
            (action,) = await one.actions(path, types.Range(types.Position(3, 17), types.Position(3, 17)))

            assert (types.CodeActionKind.QuickFix, [said]) == (action.kind, list(action.diagnostics or ()))
            assert action.title.startswith("reserve 40000 in net.ipv4.ip_local_reserved_ports")
            assert action.edit is not None
            (change,) = action.edit.document_changes or ()
            assert isinstance(change, types.TextDocumentEdit)
            assert (tuning.as_uri(), 1) == (change.text_document.uri, change.text_document.version)
            edits = [each for each in change.edits if isinstance(each, types.TextEdit)]
            after = applied("# tuned\nnet.ipv4.tcp_syncookies = 1\n", edits)
            one.change(tuning, after)
            one.save(tuning)
            await one.until(path, [])
            assert "net.ipv4.ip_local_reserved_ports = 40000" in after
            # What was mended needs no mending, and what has changed since gets none that was made for something else.
            assert [] == await one.actions(path, said.range)

    _drive(story)


def test_no_quick_fix_is_made_for_a_document_that_has_changed_since(tmp_path: Path) -> None:
    path = _repository(tmp_path, **{"sysctl_dot_d__10-range_dot_conf": "net.ipv4.tcp_syncookies = 1\n"}) / "deploy/nginx/nginx.conf"
    tuning = tmp_path / "sysctl.d/10-range.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            (said,) = await one.next_of(path)
            assert 1 == len(await one.actions(path, said.range))
            tuning.write_text("# somebody else was here\n")
            assert [] == await one.actions(path, said.range)

    _drive(story)


def test_a_hover_is_the_page_of_the_rule(tmp_path: Path) -> None:
    path = _repository(tmp_path) / "deploy/nginx/nginx.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            await one.next_of(path)
            found = await one.hover(path, types.Position(3, 16))
            assert found is not None
            assert isinstance(found.contents, types.MarkupContent)
            assert found.contents.value.startswith("# listener-in-ephemeral-range\n")
            assert {"## Why it matters", "## Bad", "## Fix", "## How to accept it"} <= set(found.contents.value.splitlines())
            assert None is await one.hover(path, types.Position(0, 0))

    _drive(story)


@pytest.mark.parametrize(("encoding", "column"), [(None, 23), ("utf-8", 27), ("utf-32", 21)])
def test_positions_are_counted_as_the_editor_counts(encoding: str | None, column: int, tmp_path: Path) -> None:
    """Two letters beyond the first plane stand before the port, and a carriage return alone ends a line for an editor."""
    path = tmp_path / "nginx.conf"
    path.write_text('events {}\nhttp { server {\n# a\rb\n set $a "😀😀"; listen 40000; } }\n', "utf-8", newline="")

    async def story() -> None:
        async with editor(tmp_path, encodings=None if encoding is None else [encoding]) as one:
            one.open(path, path.read_bytes().decode())
            (said,) = await one.next_of(path)
            assert types.Range(types.Position(4, column), types.Position(4, column + 5)) == said.range

    _drive(story)


def test_the_configuration_of_the_folder_is_obeyed_and_its_mistakes_are_told(tmp_path: Path) -> None:
    path = _repository(tmp_path, portwright_dot_toml='ignore = ["ephemeral"]\n') / "deploy/nginx/nginx.conf"
    settings = tmp_path / "portwright.toml"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            assert [] == await one.next_of(path)
            settings.write_text('ignore = ["ephemral"]\n')
            one.save(path)
            await one.next_of("complaint")
            (said,) = one.complaints
            assert "there is no rule or family named 'ephemral'; did you mean 'ephemeral'?" in said

    _drive(story)


def test_options_are_those_of_a_check(tmp_path: Path) -> None:
    path = _repository(tmp_path) / "deploy/nginx/nginx.conf"

    async def story() -> None:
        async with editor(tmp_path, "--stdio", "--ignore", "ephemeral") as one:
            one.open(path)
            assert [] == await one.next_of(path)

    _drive(story)


def test_a_hostile_workspace_hurts_nothing(tmp_path: Path) -> None:
    """Loops, pipes, endless links, foreign bytes, settings in a pipe, a link out of it: the server goes on and writes nothing."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "nginx.conf").write_text(NGINX)
    folder = tmp_path / "work"
    path = _repository(folder) / "deploy/nginx/nginx.conf"
    (folder / "loop").symlink_to("loop")
    (folder / "out.conf").symlink_to(outside / "nginx.conf")
    os.mkfifo(folder / "nginx.fifo.conf")
    os.mkfifo(folder / "pyproject.toml")
    (folder / os.fsdecode(b"evil\xff\x1b[2J.service")).write_bytes(b"[Service]\nExecStart=/usr/bin/shop --port 81\xff\nUser=x\n")
    (folder / "sitecustomize.py").write_text("open('executed', 'w')\n")
    (folder / "pygls.py").write_text("open('executed', 'w')\n")
    (folder / "big.service").write_text("[Service]\nExecStart=/bin/a\n" + "Environment=A=1\n" * 50_000)
    before = sorted(each.name for each in folder.rglob("*"))

    async def story() -> None:
        async with editor(folder) as one:
            one.open(path)
            assert EPHEMERAL in _codes(await one.next_of(path))
            one.open(folder / "loop", "[Service]\n")
            one.open(folder / "out.conf", NGINX)
            one.text_document_did_open(
                types.DidOpenTextDocumentParams(types.TextDocumentItem("untitled:Untitled-1", "plaintext", 1, "listen 1;"))
            )
            one.text_document_did_open(
                types.DidOpenTextDocumentParams(types.TextDocumentItem("file:///%00/x", "plaintext", 1, "listen 1;"))
            )
            one.change(path, NGINX.replace("40000", "\x00\ud83d\ude00{" * 2000), 5)
            one.save(path)
            await one.until(path, ["unreadable"] * 3)
            one.change(path, NGINX, 6)
            one.save(path)
            await one.until(path, [EPHEMERAL])
            assert [] == one.complaints
            shown = "".join(each.message for said in one.remarks.values() for each in said)
            assert "\x1b" not in shown
            assert not any((outside / "nginx.conf").as_uri() == each for each in one.remarks)

    _drive(story)
    assert before == sorted(each.name for each in folder.rglob("*"))


def test_a_secret_of_a_config_is_in_no_remark(tmp_path: Path) -> None:
    path = _repository(tmp_path, redis_dot_conf="requirepass hunter2hunter2\nport 40001\nbind 0.0.0.0\n") / "redis.conf"

    async def story() -> None:
        async with editor(tmp_path) as one:
            one.open(path)
            said = await one.next_of(path)
            assert _codes(said)
            assert "hunter2" not in str(one.remarks)

    _drive(story)


def test_a_server_ends_with_its_editor() -> None:
    """An editor that is gone closes the pipe, and says no more."""
    run = subprocess.run([sys.executable, "-m", "portwright", "lsp"], input=b"", capture_output=True, timeout=60, check=False)

    assert (0, b"") == (run.returncode, run.stdout)


def test_without_pygls_one_line_says_what_to_install(tmp_path: Path) -> None:
    block = "import sys; sys.modules['pygls'] = None; sys.argv[1:] = ['lsp']; from portwright.cli import main; sys.exit(main())"
    run = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)

    assert (2, "") == (run.returncode, run.stdout)
    assert "portwright: lsp needs pygls, which is not installed: pip install 'portwright[lsp]'\n" == run.stderr


def test_nothing_but_the_server_imports_pygls() -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "portwright", "check", str(TOP / "examples/shop")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "portwright.cli" in run.stderr
    assert not {"pygls", "lsprotocol"} & {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines()}
