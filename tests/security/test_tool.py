"""The tool itself: where it looks for code, and that nothing about the machine it runs on changes what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WEB1 = str(Path(__file__).parents[2] / "examples" / "web1")
PROGRAM = Path(sys.executable).with_name("portwright")


def _run(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(PROGRAM), *words], capture_output=True, check=False, cwd=folder, env={**os.environ, **environment}, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("module", ["yaml", "json", "portwright", "argparse", "re"])
def test_case_84_no_code_and_no_configuration_of_the_working_directory_counts(module: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    (tmp_path / "portwright.toml").write_text("not toml at all [")

    run = _run("check", WEB1, "-q", folder=tmp_path)

    assert (1, b"") == (run.returncode, run.stderr)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C"}, {"LC_ALL": "tr_TR.UTF-8"}, {"TZ": "Pacific/Kiritimati"}, {"PYTHONHASHSEED": "4711"}, {"COLUMNS": "20"}]
)
@pytest.mark.parametrize("jobs", ["1", "2", "8"])
def test_case_87_the_report_is_the_same_bytes_whatever_the_surroundings(environment: dict[str, str], jobs: str, tmp_path: Path) -> None:
    words = ("check", "--format", "json", "--jobs", jobs, WEB1, f"{WEB1}/etc")

    assert _run(*words, folder=tmp_path).stdout == _run(*words, folder=tmp_path, **environment).stdout
