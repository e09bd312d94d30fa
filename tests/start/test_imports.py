"""A start imports what its input asks for, and the page of tricks names what there is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
START = TOP / "src" / "portwright" / "_start"


def _imported(*words: str, where: Path = TOP) -> set[str]:
    program = f"import sys; from portwright.cli import main\ntry: main({list(words)!r})\nfinally: print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True, cwd=where)
    return set(run.stderr.splitlines()[-1].split())


def test_the_version_costs_next_to_nothing() -> None:
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, check=True, text=True)
    ours = {"gc", "portwright", "portwright._start", "portwright._start.process", "portwright.cli", "portwright.cli.streams"}

    assert _imported("--version") - set(bare.stdout.split()) <= {*ours, "__future__"}


@pytest.mark.parametrize("words", [("check", "-q", "examples/web1"), ("facts", "examples/web1"), ("check", "examples/shop/deploy/haproxy")])
def test_a_plain_run_imports_nothing_that_only_others_need(words: tuple[str, ...]) -> None:
    dear = {"argparse", "dataclasses", "logging", "difflib", "jsonschema", "ansible", "subprocess", "multiprocessing", "jinja2", "tarfile"}

    assert set() == dear & {name.partition(".")[0] for name in _imported(*words)}


@pytest.mark.parametrize(("path", "most"), [("examples/shop/deploy/haproxy/haproxy.cfg", 201), ("examples/web1", 221)])
def test_a_plain_run_imports_no_more_of_our_modules_than_its_budget(path: str, most: int, tmp_path: Path) -> None:
    """What one more feature needs at every start is paid by every run: import it where it is needed, or raise the budget on purpose."""
    ours = {name for name in _imported("check", str(TOP / path), where=tmp_path) if name.partition(".")[0] == "portwright"}

    assert len(ours) <= most, sorted(ours)


@pytest.mark.parametrize("path", ["examples/platform", "examples/web1"])
def test_linting_works_without_ansible_core(path: str) -> None:
    """Whoever lints in CI may leave it out (docs/ci.md): playbooks are read by code of ours, and Ansible runs what was written."""
    call = f"from portwright.cli import main; sys.exit(main(['check', {path!r}]))"
    programs = (f"import sys; sys.modules['ansible'] = None; {call}", f"import sys; {call}")
    runs = [subprocess.run([sys.executable, "-c", each], capture_output=True, check=False, cwd=TOP) for each in programs]

    assert runs[0].stdout == runs[1].stdout != b""
    assert [(1, b"")] * 2 == [(run.returncode, run.stderr) for run in runs]


def test_the_page_names_every_trick_and_only_tests_and_files_that_are_there() -> None:
    page = (START / "README.md").read_text()
    named = set(re.findall(r"`((?:tests/|\.\./)?[\w/]+\.py)`", page))

    assert {path.name for path in START.glob("*.py")} - {"__init__.py"} <= named
    for path in named:
        assert (TOP / path if path.startswith(("tests/", "benchmarks/")) else START / path).is_file(), path
