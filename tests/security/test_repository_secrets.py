"""Secrets of a repository, wherever its deployers and manifests keep them: none is in any output, of a comparison neither."""

import re
import subprocess
from itertools import count
from pathlib import Path

import pytest

from tests.fuzz.whole import files_of
from tests.hostile.program import COMMANDS, enabled, everything_said, lay

# Each line that holds a secret also makes or stands beside what is found: a port in the ephemeral range, a kernel setting, a low port.
REPOSITORY = files_of((Path(__file__).parent / "secrets_of_repositories.txt").read_bytes())
_HOLE = re.compile(rb"(?<!\{)\{\}(?!\})")


def _planted(place: Path, canaries: list[str], prefix: str) -> Path:
    numbers = count(100)

    def canary(_: re.Match[bytes]) -> bytes:
        canaries.append(f"{prefix}{next(numbers)}zLeft")
        return canaries[-1].encode()

    for path, text in REPOSITORY.items():
        there = place / path.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(_HOLE.sub(canary, text if isinstance(text, bytes) else text.encode()))
    return place


def _git(top: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *words], cwd=top, check=True, capture_output=True)


FORMATS = ("text", "json", "sarif", "github", "html")


def test_case_51_no_canary_of_a_repository_is_in_any_output_nor_in_that_of_a_comparison(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    canaries: list[str] = []
    top = _planted(tmp_path / "repo", canaries, "Kq")
    _git(top, "init", "-q")
    _git(top, "add", "-A", "-f")
    _git(top, "commit", "-q", "-m", "one")
    host = lay(tmp_path / "host", {"etc/systemd/system/a.service": "[Service]\nExecStart=/opt/a\n", **enabled("a.service")})
    commands: list[tuple[str, ...]] = [command for command in COMMANDS if "-q" not in command]
    commands += [("check", "-v", "--format", each) for each in FORMATS]
    commands += [("check", "-v", "--format", each, "--onto", str(host)) for each in FORMATS]
    said = everything_said(top, None, capsysbinary, commands)
    # The other secrets, and lines that move: all of it is new, and what was there is in the objects of git.
    _planted(top, canaries, "Zw")
    for path in top.rglob("*"):
        if path.is_file() and ".git" not in path.parts and path.suffix in (".yml", ".conf", ".sh", ".tf", ".service", ".j2", ".container"):
            path.write_text(path.read_text().replace("400", "410"))
    compared: list[tuple[str, ...]] = [("check", "-v", "--format", each, "--changed-since", "HEAD") for each in FORMATS]
    said |= everything_said(top, None, capsysbinary, compared)

    assert len(set(canaries)) >= 150
    assert said["check -v --format text"].count(b"listener-in-ephemeral-range") >= 1
    assert said["check -v --format json"].count(b'"rule"') >= 10
    assert said["check -v --format sarif --changed-since HEAD"].count(b'"ruleId"') >= 5
    assert [] == sorted({(by, each.decode()) for by, text in said.items() for each in re.findall(rb"(?:Kq|Zw)[0-9]{3}zLeft", text)})
