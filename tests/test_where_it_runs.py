"""The hooks, the action, the component and the recipes: their words are understood, and their steps run here as they are written."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from portwright.cli import main
from portwright.cli.arguments import read

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "ci.md").read_text("utf-8")


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """What a CI job has: a checkout with one finding, a place for temporary files, and portwright installed there."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "10-range.conf").write_text("net.ipv4.ip_local_port_range = 5 4\n")
    program = tmp_path / "temp" / "portwright" / "bin" / "portwright"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m portwright "$@"\n')
    program.chmod(0o755)
    return tmp_path


def _step(name: str) -> dict[str, Any]:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (found,) = (step for step in action["runs"]["steps"] if step["name"] == name)
    return dict(found)


def _checked(job: Path, **inputs: str) -> tuple[int, str, str, str]:
    """(exit code, log, summary, outputs) of the action's check."""
    step = _step("Check")
    values = {"paths": ".", "options": "", "fail-on": "", "sarif": "portwright.sarif"} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    given = {name: values[re.sub(r"^\$\{\{ inputs\.|\ }}$", "", said)] for name, said in step["env"].items()}
    files = {name: str(job / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    environment = {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(job / "temp"), "GITHUB_ACTIONS": "true", **files, **given}
    for file in files.values():
        Path(file).write_text("")
    # As the runner calls bash for `shell: bash`.
    line = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=job / "checkout", env=environment)
    summary, outputs = (Path(file).read_text("utf-8") for file in files.values())
    return done.returncode, done.stdout, summary, outputs


def test_the_check_of_the_action_annotates_summarises_and_says_how_it_ended(job: Path) -> None:
    code, log, summary, outputs = _checked(job)

    assert 1 == code
    assert log.startswith("::error file=10-range.conf,line=1,")
    assert "**1 finding** (1 high)" in summary
    assert "sarif=portwright.sarif\nexit-code=1\n" == outputs
    assert 1 == len(json.loads((job / "checkout" / "portwright.sarif").read_text())["runs"][0]["results"])


def test_its_inputs_are_words_and_never_a_part_of_the_script(job: Path) -> None:
    assert 0 == _checked(job, fail_on="never", sarif="")[0]
    assert not (job / "checkout" / "portwright.sarif").exists()
    assert 0 == _checked(job, options="--ignore\nsysctl\n")[0]
    code, *_, outputs = _checked(job, paths='$(touch stolen); touch "stolen"', options="`touch stolen`", fail_on="; touch stolen")
    assert (2, "exit-code=2\n") == (code, outputs)
    assert not (job / "checkout" / "stolen").exists()


def test_no_step_of_the_action_has_an_expression_in_its_script_or_uses_what_is_not_pinned() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))

    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"]
        assert "uses" not in step
        assert subprocess.run(["bash", "-n", "-c", step["run"]], check=False).returncode == 0
    assert set(re.findall(r"inputs\.([a-z-]+)", json.dumps(action))) == set(action["inputs"])


@pytest.mark.parametrize("hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")), ids=lambda hook: hook["id"])
def test_a_hook_is_a_command_line_that_is_understood_and_gets_no_files(hook: dict[str, Any]) -> None:
    words = hook["entry"].split()

    assert "portwright" == words[0]
    assert ["."] == read(words[1:]).paths
    assert ("python", False, True) == (hook["language"], hook["pass_filenames"], hook["always_run"])


def test_the_script_of_the_component_writes_what_gitlab_reads(job: Path) -> None:
    head, component = yaml.safe_load_all((ROOT / "templates" / "portwright.yml").read_text("utf-8"))
    inputs = {name: said.get("default", "") for name, said in head["spec"]["inputs"].items()}
    made = component["portwright"]
    variables = {name: inputs.get(re.sub(r"^\$\[\[ inputs\.|\ \]\]$", "", said), said) for name, said in made["variables"].items()}
    *_, check = made["script"]
    line = check.replace("/tmp/portwright", str(job / "temp" / "portwright"))  # noqa: S108  of a job in a container
    environment = {"PATH": os.environ["PATH"], **variables}

    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, cwd=job / "checkout", env=environment)

    assert 1 == done.returncode
    (said,) = json.loads((job / "checkout" / made["artifacts"]["reports"]["codequality"]).read_text())
    assert "sysctl-value-rejected" == said["check_name"]
    assert (job / "checkout" / made["artifacts"]["reports"]["junit"]).exists()
    assert "1 finding" in done.stdout
    assert set(re.findall(r"inputs\.([a-z]+)", json.dumps(component))) == set(inputs)


def test_the_container_gets_all_that_a_wheel_is_built_of() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = wanted["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", wanted["project"]["readme"], *wanted["project"]["license-files"], wheel["hooks"]["custom"]["path"], "src"}
    kept = {line[1:] for line in (ROOT / ".containerignore").read_text("utf-8").splitlines() if line.startswith("!")}

    assert needed | set(wheel["force-include"]) == kept
    assert all((ROOT / name).exists() for name in kept)


# ── the guide ──


def test_every_yaml_and_json_of_the_guide_is_one_and_names_what_there_is() -> None:
    read_ones = {kind: re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL) for kind in ("yaml", "json", "sh")}
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    config, workflow, pipeline = map(yaml.safe_load, read_ones["yaml"])

    assert {hook["id"] for hook in config["repos"][0]["hooks"]} <= hooks
    assert hooks == set(re.findall(r"`(portwright(?:-changed)?)`", GUIDE)) & hooks
    step = workflow["jobs"]["check"]["steps"][1]
    assert set(step["with"]) <= set(yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"])
    (head, _) = yaml.safe_load_all((ROOT / "templates" / "portwright.yml").read_text("utf-8"))
    assert set(pipeline["include"][0]["inputs"]) <= set(head["spec"]["inputs"])
    for line in "".join(read_ones["sh"]).splitlines():
        if line.startswith("portwright "):
            read(line.split()[1:])


def test_the_problem_matcher_reads_what_q_prints(job: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (matcher,) = map(json.loads, re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
    monkeypatch.chdir(job / "checkout")
    (job / "checkout" / "b").mkdir()
    (job / "checkout" / "b" / "20-reuse.conf").write_text("net.ipv4.tcp_tw_reuse = 9\n")

    for paths in (["."], ["10-range.conf", "b"]):
        assert 1 == main(["check", "-q", *paths])
        matches = [re.match(matcher["pattern"]["regexp"], line) for line in capsys.readouterr().out.splitlines()]
        read_ones = [(match[matcher["pattern"]["file"]], match[matcher["pattern"]["code"]]) for match in matches if match]
        assert [("10-range.conf", "sysctl-value-rejected"), ("b/20-reuse.conf", "sysctl-value-rejected")] == read_ones
        assert all(Path(file).is_file() for file, _ in read_ones)
