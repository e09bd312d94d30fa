"""The site of the documentation is built without a warning, and what its pages show is what there is."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from portwright.cli.arguments import COMMANDS, HelpWanted, read
from portwright.daemons import daemons

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for path in (ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def _commands(text: str) -> list[str]:
    """The calls of portwright in the shell blocks of a page and in its cells and sentences, without comments."""
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`(portwright [a-z][^`]*)`", _BLOCK.sub("", text))
    calls = (re.sub(r"\s+#\s.*", "", line).strip() for line in lines)
    return [call for call in calls if call.startswith("portwright ") and call.split()[1] in COMMANDS]


CALLS = [(path.name, call) for path in PAGES for call in _commands(path.read_text("utf-8"))]


def test_the_site_is_built_strictly_with_a_page_for_each_daemon(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    )

    assert (0, "") == (run.returncode, run.stderr)
    site = tmp_path / "site"
    assert {path.stem for path in (ROOT / "docs/rules").glob("*.md")} - {"README"} <= {path.name for path in (site / "rules").iterdir()}
    assert len(daemons()) == len(list((site / "daemons").glob("*/index.html")))
    assert "<code>/etc/nginx/nginx.conf</code>" in (site / "daemons" / "nginx" / "index.html").read_text("utf-8")
    measured = (site / "accuracy" / "index.html").read_text("utf-8")
    assert "listening sockets (protocol and port)" in measured
    # Nothing is loaded from elsewhere: links lead there, scripts, styles and pictures do not.
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(https?://[^"]+)"', (site / "index.html").read_text("utf-8"))
    assert [] == [address for address in loaded if "zensical" not in address]


@pytest.mark.parametrize(("page", "call"), CALLS, ids=[f"{page}: {call}" for page, call in CALLS])
def test_every_command_of_a_page_is_one(page: str, call: str) -> None:
    try:
        found = read(shlex.split(call)[1:])
    except HelpWanted:
        return

    assert found.command in COMMANDS


def test_each_output_of_a_command_is_that_of_the_format_before_it() -> None:
    """The first --output goes with the first --format, wherever they stand: a command that is copied says it in the order it is meant."""
    paired = [
        [word for word in shlex.split(call) if word in ("--format", "--output")]
        for text in (path.read_text("utf-8") for path in (*PAGES, ROOT / "README.md"))
        for call in _commands(text)
        if "--format" in call and "--output" in call
    ]

    assert paired
    for words in paired:
        assert words[: 2 * words.count("--output")] == ["--format", "--output"] * words.count("--output")


def test_each_page_has_commands_or_links_and_the_recipes_many() -> None:
    assert 10 <= sum(page == "recipes.md" for page, _ in CALLS)


def test_each_cell_about_a_peer_has_its_evidence_or_says_that_there_is_none() -> None:
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs/peers.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    peers = rows[1:] if not rows[1][0].startswith("---") else rows[2:]
    cells = [(row[0], cell) for row in peers for cell in row[2:]]

    assert len(cells) > 40
    assert [] == [(what, cell) for what, cell in cells if "](" not in cell and cell != "*not documented*"]
