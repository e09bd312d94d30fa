"""A process that ends at once has said everything it had to say."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("code", [0, 1, 3, 70])
def test_the_end_keeps_the_exit_code_and_what_was_written(code: int) -> None:
    program = (
        "import sys\n"
        "from portwright._start.process import run\n"
        "def main():\n"
        "    sys.stdout.write('x' * 300000 + '\\n'); sys.stdout.flush()\n"
        f"    sys.stderr.write('said'); return {code}\n"
        "run(main)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True)

    assert (code, 300001, "said") == (ended.returncode, len(ended.stdout), ended.stderr)


def test_nothing_of_ours_waits_for_the_end_of_the_interpreter() -> None:
    program = (
        "import atexit, sys\n"
        "asked = []\n"
        "atexit.register = lambda function, *more: asked.append(function.__module__) or function\n"
        "from portwright.cli import main\n"
        "main(['check', '-q', 'examples/web1'])\n"
        "print([each for each in asked if each.startswith('portwright')])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, text=True)

    assert ("[]", "") == (ended.stdout.splitlines()[-1], ended.stderr)
