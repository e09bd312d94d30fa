"""Patterns of .gitignore: held against git itself, and linear for hostile ones."""

import subprocess
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from portwright.trees.ignoring import decided, patterns
from portwright.trees.repository import RepositoryTree

PIECES = st.sampled_from(["a", "b", "*", "?", "**", "/", "/", "[ab]", "[!a]", "[a-c]", "\\*", "!", ".conf", "a*", "#", " ", "\\ "])
PATTERN = st.lists(PIECES, min_size=1, max_size=6).map("".join).filter(str.strip)
PATHS = ["a", "b", "a.conf", "*", "a/a", "a/b", "b/a", "a/b/a", "a/b/b.conf", "b/b/b/a", "c/a b", "ab", "a/ab", "c/c.conf"]


@settings(max_examples=60, deadline=None)
@given(st.lists(PATTERN, min_size=1, max_size=4))
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

    tree = RepositoryTree(str(tmp_path), ("/old",))

    assert ["/.gitignore", "/deploy/.gitignore", "/deploy/local.conf", "/deploy/nginx.conf"] == list(tree.walk())
    assert {"/build/": "it is left out by .gitignore", "/old/": "it is left out by --exclude"} == tree.ignored
