"""The tool itself: where it looks for code, and that nothing about the machine it runs on changes what it says."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from time import sleep

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


_WORDS_AND_CODES = (
    (("check", WEB1), 1), (("facts", WEB1), 0), (("ports", WEB1), 0), (("fix", WEB1), 1), (("rules",), 0), (("apps",), 0),
    (("explain", "narrow-ephemeral-range"), 0), (("--version",), 0), (("--help",), 0), (("check", "--help"), 0),
    (("check", "/there/is/no/such/path"), 2), (("check", "--debug", WEB1), 1),
)  # fmt: skip


@pytest.mark.parametrize(("words", "code"), _WORDS_AND_CODES)
def test_case_86_where_an_error_cannot_be_told_the_exit_code_still_tells_it(words: tuple[str, ...], code: int) -> None:
    with open("/dev/full", "wb") as full:
        assert code == subprocess.run([str(PROGRAM), *words], stdout=subprocess.DEVNULL, stderr=full, check=False).returncode
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", str(PROGRAM), *words]
    assert code == subprocess.run(closed, stdout=subprocess.DEVNULL, check=False).returncode


@pytest.mark.parametrize("words", [words for words, code in _WORDS_AND_CODES if code != 2])
@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
def test_case_49_a_report_or_a_help_that_nobody_can_read_is_no_success(words: tuple[str, ...], redirected: str) -> None:
    run = subprocess.run(["sh", "-c", f'exec "$@" {redirected}', "sh", str(PROGRAM), *words], capture_output=True, check=False)

    assert (2, b"cannot write to standard output") == (run.returncode, run.stderr[run.stderr.rfind(b"cannot") :][:31])


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_case_86_no_worker_outlives_the_run_that_started_it(sent: signal.Signals, tmp_path: Path) -> None:
    for number in range(30):
        copytree(WEB1, tmp_path / f"h{number}", symlinks=True)
    # The workers have its standard error too, so it ends when the last of them has ended.
    with subprocess.Popen([PROGRAM, "check", "--jobs", "2", tmp_path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        while run.poll() is None and not children.read_text():
            sleep(0.01)
        run.send_signal(sent)

        assert b"" == run.communicate(timeout=30)[1]
        assert -sent == run.returncode


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("OSError(24, 'Too many open files', 'hunter2')", 70, b"portwright: internal error: OSError; no more can be told of it\n"),
        ("MemoryError()", 70, b"portwright: internal error: MemoryError; no more can be told of it\n"),
        ("KeyboardInterrupt()", 130, b""),
    ],
)
def test_an_error_while_an_error_is_told_is_no_finding(raised: str, code: int, said: bytes) -> None:
    program = f"from portwright._start import process\ndef main(): raise {raised}\nprocess.run(main)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert (code, said) == (run.returncode, run.stderr)


_PLAY = """\
- name: A plan
  hosts: all
  gather_facts: false
  tasks:
  - name: Say
    ansible.builtin.debug:
      msg: "{{ 1 | string }}"
  - name: Run
    ansible.builtin.command:
      argv: [/bin/true]
    changed_when: false
"""


def test_case_84_nothing_of_the_working_directory_runs_when_a_plan_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible by itself obeys an ansible.cfg there, and loads the plugins and variables that lie beside a playbook."""
    from portwright.cli.commands.fix import _apply

    def trap(name: str) -> str:
        return f"open({str(tmp_path / f'trapped-{name}')!r}, 'w')\n"

    made = tmp_path / "checkout"
    for name, text in {
        "ansible.cfg": "[defaults]\ncallback_plugins = ./callbacks\ncallbacks_enabled = trap\nfilter_plugins = ./more\n",
        "callbacks/trap.py": trap("callback") + "from ansible.plugins.callback import CallbackBase\n\n\n"
        "class CallbackModule(CallbackBase):\n    CALLBACK_NAME = 'trap'\n",
        "filter_plugins/a.py": trap("filter") + "class FilterModule:\n    def filters(self):\n        return {}\n",
        "more/b.py": trap("configured") + "class FilterModule:\n    def filters(self):\n        return {}\n",
        "group_vars/all.yml": f"ansible_shell_executable: {made}/shell\n",
        "shell": f'#!/bin/sh\ntouch {tmp_path}/trapped-shell\nexec /bin/sh "$@"\n',
        "plan.yml": _PLAY,
    }.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    (made / "shell").chmod(0o755)
    monkeypatch.chdir(made)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert 0 == _apply({"plan.yml": _PLAY, "plan.vars.json": b"{}"})
    assert [] == [path.name for path in tmp_path.glob("trapped-*")]


def test_case_84_a_configuration_of_ansible_that_its_user_named_is_obeyed_wherever_the_plan_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from portwright.cli.commands.fix import _apply

    (tmp_path / "own.cfg").write_text("[defaults]\nstdout_callback = minimal\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_CONFIG", "own.cfg")

    assert 0 == _apply({"plan.yml": _PLAY})
    assert "PLAY" not in capfd.readouterr().out
