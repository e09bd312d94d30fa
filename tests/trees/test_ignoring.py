"""Patterns of .gitignore: held against git itself, and linear for hostile ones."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portwright.trees.git_index import tracked
from portwright.trees.ignoring import decided, patterns
from portwright.trees.repository import RepositoryTree

PIECES = st.sampled_from(["a", "b", "*", "?", "**", "/", "/", "[ab]", "[!a]", "[a-c]", "\\*", "!", ".conf", "a*", "#", " ", "\\ "])
PATTERN = st.lists(PIECES, min_size=1, max_size=6).map("".join).filter(str.strip)
PATHS = ["a", "b", "a.conf", "*", "a/a", "a/b", "b/a", "a/b/a", "a/b/b.conf", "b/b/b/a", "c/a b", "ab", "a/ab", "c/c.conf"]


@settings(max_examples=60, deadline=None)
@given(st.lists(PATTERN, min_size=1, max_size=4))
@example(["//a", "a//b", "c//", "b/**//a"])
def test_what_git_ignores_is_ignored(tmp_path_factory, lines: list[str]) -> None:  # type: ignore[no-untyped-def]
    top = tmp_path_factory.mktemp("checkout")
    for path in PATHS:
        if not (top / path).exists():
            try:
                (top / path).parent.mkdir(parents=True, exist_ok=True)
                (top / path).write_text("")
            except (FileExistsError, NotADirectoryError):
                continue
    (top / ".gitignore").write_text("\n".join(lines) + "\n")
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    command = ["git", "ls-files", "-z", "-o", "--exclude-standard"]
    listed = subprocess.run(command, cwd=top, check=True, capture_output=True, text=True).stdout

    assert sorted(f"/{path}" for path in listed.split("\0") if path) == sorted(RepositoryTree(str(top)).walk())


def test_a_hostile_pattern_takes_no_time() -> None:
    hostile = patterns(["*a" * 500 + "b", "**/" * 300 + "x", "/".join(["**", "a"] * 100), "[" * 1000])
    assert decided(["a" * 250] * 100, False, hostile) is None


def test_what_is_left_out_is_told_with_its_reason(tmp_path: Path) -> None:
    for path in ("build/nginx.conf", "deploy/nginx.conf", "deploy/local.conf", "old/app.service"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x\n")
    (tmp_path / ".gitignore").write_text("# products\nbuild/\n")
    (tmp_path / "deploy/.gitignore").write_text("local.*\n!local.conf\n*.local\n")

    assert "/build/nginx.conf" in RepositoryTree(str(tmp_path)).walk()  # no checkout: what lies there was tracked
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    tree = RepositoryTree(str(tmp_path), ("/old",))

    assert ["/.gitignore", "/deploy/.gitignore", "/deploy/local.conf", "/deploy/nginx.conf"] == list(tree.walk())
    assert {"/build/": "it is left out by .gitignore", "/old/": "it is left out by --exclude"} == tree.ignored


@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_what_git_tracks_counts_whatever_a_gitignore_says(tmp_path: Path, version: str) -> None:
    for path in ("deploy/a.conf", "deploy/b.conf", "deploy/long-name-of-a-file.conf", "build/kept.conf", "out/new.conf", "x.conf"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x\n")
    (tmp_path / ".gitignore").write_text("*.conf\nbuild/\nout/\n")
    git = ["git", "-c", f"index.version={version}"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*git, "add", "-f", "deploy/a.conf", "deploy/long-name-of-a-file.conf", "build/kept.conf"], cwd=tmp_path, check=True)
    if version != "2":
        subprocess.run([*git, "update-index", f"--index-version={version}"], cwd=tmp_path, check=True)
        subprocess.run([*git, "add", "-N", "-f", "x.conf"], cwd=tmp_path, check=True)  # an entry with more flags

    listed = subprocess.run([*git, "ls-files", "-z"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]
    found = [path for path in RepositoryTree(str(tmp_path)).walk() if path != "/.gitignore"]

    assert sorted(f"/{path}" for path in listed) == found
    assert frozenset({*listed, "deploy", "build"}) == tracked((tmp_path / ".git/index").read_bytes())


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC" + b"\xff" * 100, b"DIRC\0\0\0\2\0\0\0\1" + b"a" * 70, b"\0" * 5000])
def test_an_index_that_is_none_tells_nothing(data: bytes) -> None:
    assert tracked(data) is None
