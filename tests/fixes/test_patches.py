"""Each case of patches.txt is a repository, the patch that `fix` writes for it, and what it says of the findings that are left.

Each patch is applied by git, and the patched repository is checked again. `ACCEPT=1 pytest tests/fixes/test_patches.py` rewrites the
expectations; the diff is part of the review.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portwright.audit.case_file import Case, parse
from portwright.cli import main

CASES = Path(__file__).with_name("patches.txt")
EXAMPLES = Path(__file__).parents[2] / "examples"

every_case = pytest.mark.parametrize("case", parse(CASES.read_bytes(), CASES.name).cases, ids=lambda case: case.name)


def _repository(top: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        place = top / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return top


def _findings(top: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> dict[str, str]:
    main(["check", str(top), "--as", "repository", "--format", "json"])
    found = json.loads(capsysbinary.readouterr().out)
    return {each["fingerprint"]: f"{each['rule']} {each['at']['path']}" for host in found["hosts"] for each in host["findings"]}


def _apply(top: Path, patch: bytes) -> None:
    for arguments in (["--check"], []):
        subprocess.run(
            ["git", "apply", *arguments, "-"], cwd=top, input=patch, check=True, env={**os.environ, "GIT_CEILING_DIRECTORIES": "/"}
        )


@every_case
def test_a_repository_is_patched_as_kept_below_it(case: Case, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    top = _repository(tmp_path / "repo", {path: content for path, content in case.files.items() if isinstance(content, bytes)})
    before = _findings(top, capsysbinary)

    main(["fix", str(top), "--as", "repository", "--allow-review", "--patch", "-"])
    patch = capsysbinary.readouterr().out
    main(["fix", str(top), "--as", "repository", "--allow-review", "-q"])
    said = capsysbinary.readouterr().out.decode().splitlines()
    left = [line for line in said if ": not planned: " in line]
    report = "".join(f"{line}|\n" for line in [*patch.decode().removesuffix("\n").split("\n"), *left] if line)
    if os.environ.get("ACCEPT"):
        CASES.write_text(parse(CASES.read_bytes(), CASES.name).with_reports({case.name: report}), encoding="utf-8", newline="")
    (kept,) = (each.report for each in parse(CASES.read_bytes(), CASES.name).cases if each.name == case.name)
    assert kept == report

    if patch:
        _apply(top, patch)
    after = _findings(top, capsysbinary)
    assert len(left) == len(after)
    assert (len(after) < len(before)) is bool(patch)


def test_bytes_that_are_no_part_of_the_fix_stay_as_they_are(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    own = b"# r\xc3\xa9seau\r\nnet.core.somaxconn=4096\r\nnet.ipv4.tcp_syncookies = 1"
    unit = b"[Service]\r\n  User=web\r\nExecStart=/usr/bin/python3 -m http.server 80"
    high = b"[Service]\nExecStart=/usr/bin/python3 -m http.server 40000"
    top = _repository(tmp_path / "a b\u00e9", {"sysctl.d/50 app.conf": own, "units/web.service": unit, "units/more.service": high})

    assert 0 == main(["fix", str(top), "--as", "repository", "--patch", str(tmp_path / "p.diff")])
    capsysbinary.readouterr()
    _apply(top, (tmp_path / "p.diff").read_bytes())

    assert own.replace(b"4096\r\n", b"4096\r\nnet.ipv4.ip_local_reserved_ports=40000\r\n") == (top / "sysctl.d/50 app.conf").read_bytes()
    assert unit.replace(b"web\r\n", b"web\r\n  AmbientCapabilities=CAP_NET_BIND_SERVICE\r\n") == (top / "units/web.service").read_bytes()
    assert high == (top / "units/more.service").read_bytes()
    assert {} == _findings(top, capsysbinary)


@pytest.mark.parametrize("name", ["platform", "shop"])
def test_the_patch_of_an_example_is_what_git_takes(name: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    top = tmp_path / name
    shutil.copytree(EXAMPLES / name, top)
    before = _findings(top, capsysbinary)

    main(["fix", str(top), "--as", "repository", "--patch", str(tmp_path / "p.diff")])
    capsysbinary.readouterr()
    _apply(top, (tmp_path / "p.diff").read_bytes())

    assert not [rule for rule in _findings(top, capsysbinary).values() if rule.startswith(("listener-in-ephemeral", "low-port-without"))]
    assert [rule for rule in before.values() if rule.startswith("low-port-without")]


def test_a_link_of_the_repository_is_not_written_through(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    top = _repository(tmp_path / "repo", {"units/web.service": b"[Service]\nExecStart=/usr/bin/python3 -m http.server 40000\n"})
    (tmp_path / "elsewhere").mkdir()
    (top / "sysctl.d").symlink_to(tmp_path / "elsewhere")

    assert 1 == main(["fix", str(top), "--as", "repository", "--patch", "-"])
    assert b"" == capsysbinary.readouterr().out


@pytest.mark.parametrize("name", ["platform", "shop"])
def test_sarif_and_json_carry_what_git_would_apply(name: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    top, patched = tmp_path / name, tmp_path / "patched" / name
    shutil.copytree(EXAMPLES / name, top)
    shutil.copytree(EXAMPLES / name, patched)
    main(["fix", str(patched), "--as", "repository", "--allow-review", "--patch", "-"])
    _apply(patched, capsysbinary.readouterr().out)

    main(["check", str(top), "--as", "repository", "--format", "sarif", "--output", str(tmp_path / "s"), "--format", "json"])
    (host,) = json.loads(capsysbinary.readouterr().out)["hosts"]
    results = json.loads((tmp_path / "s").read_text("utf-8"))["runs"][0]["results"]

    told: dict[str, set[tuple[int, int, str]]] = {}
    for fix in (fix for result in results for fix in result.get("fixes", ())):
        for change in fix["artifactChanges"]:
            own = told.setdefault(change["artifactLocation"]["uri"], set())
            own |= {
                (each["deletedRegion"]["startLine"], each["deletedRegion"]["endLine"], each["insertedContent"]["text"])
                for each in change["replacements"]
            }
    of_json: dict[str, set[tuple[int, int, str]]] = {}
    for edit in (edit for finding in host["findings"] if finding["fix"] for edit in finding["fix"]["edits"]):
        of_json.setdefault(edit["path"], set()).add((edit["line"], edit["end_line"], edit["text"]))
    assert told == of_json
    for path, edits in told.items():
        lines = (top / path).read_text("utf-8").splitlines(keepends=True) if (top / path).exists() else []
        for start, end, text in sorted(edits, reverse=True):
            lines[start - 1 : end - 1] = [text]
        assert "".join(lines) == (patched / path).read_text("utf-8")
    assert told


def test_the_readme_shows_the_patch_of_its_example(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    page = (EXAMPLES.parent / "README.md").read_text("utf-8")
    top = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", top)

    def total() -> str:
        main(["check", str(top), "--as", "repository"])
        (line,) = re.findall(rb"^[0-9]+ findings? \([^)]*\)", capsysbinary.readouterr().out, re.MULTILINE)
        return bytes(line).decode()

    before = total()
    main(["fix", str(top), "--as", "repository", "--patch", "-"])
    patch = capsysbinary.readouterr().out
    _apply(top, patch)

    assert f"```diff\n{patch.decode()}```" in page
    assert [f"check shop                      # {each}" in page for each in (before, total())] == [True, True]
