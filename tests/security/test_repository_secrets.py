"""Secrets of a repository, wherever its deployers and manifests keep them: none is in any output, of a comparison neither."""

import re
import subprocess
from itertools import count
from pathlib import Path

import pytest

from portwright.fixes.patches import diff
from portwright.reports.secrets import hide_in_source
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


def test_case_51_nor_in_a_patch_or_what_is_shown_of_one_and_git_takes_it(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    canaries: list[str] = []
    top = _planted(tmp_path / "repo", canaries, "Kq")
    patch = tmp_path / "p.diff"

    said = everything_said(top, None, capsysbinary, (("fix", "--diff"), ("fix", "--patch", "-"), ("fix", "--patch", str(patch))))
    said["p.diff"] = patch.read_bytes()

    assert b"+net.ipv4" in said["fix --diff"]
    assert b"password: ********" in said["fix --diff"]
    assert [] == sorted({(by, each.decode()) for by, text in said.items() for each in re.findall(rb"Kq[0-9]{3}zLeft", text)})
    _git(top, "init", "-q")
    _git(top, "apply", "--check", str(patch))


@pytest.mark.parametrize(
    ("before", "after", "kept", "told"),
    [
        ("a\npassword: Kq1zLeft\nb\nx\nc\ntoken: Kq2zLeft\nd\n", "a\npassword: Kq1zLeft\nb\ny\nc\ntoken: Kq2zLeft\nd\n", b"", ()),
        ("x\na\npassword: Kq1zLeft\na\nx\n", "y\na\npassword: Kq1zLeft\na\ny\n", b"", ()),
        ("a\npassword: Kq1zLeft\nx\n", "a\npassword: Kq1zLeft\ny\n", b"", ()),
        # Without a line below it git takes a change for one at the end of the file.
        ("x\npassword: Kq1zLeft\nd\n", "y\npassword: Kq1zLeft\nd\n", b"Kq1", ("f:2",)),
        ("a\npassword: Kq1zLeft x\n", "a\npassword: Kq1zLeft y\n", b"Kq1", ("f:2",)),
    ],
)
def test_what_git_needs_of_a_patch_is_all_that_it_holds_of_secrets(
    before: str, after: str, kept: bytes, told: tuple[str, ...], tmp_path: Path
) -> None:
    made, secrets = diff.patch({"f": before}, {"f": after}, hide_in_source)
    (tmp_path / "f").write_text(before)
    (tmp_path / "p").write_bytes(made)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "apply", "p")

    assert after == (tmp_path / "f").read_text()
    assert told == secrets
    assert kept in made
    assert bool(kept) == (b"zLeft" in made)
