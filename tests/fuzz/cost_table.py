"""What dear hosts cost: `python -m tests.fuzz.cost_table [PART ...]` prints CPU seconds and MiB of each construction at n, 2n and 4n.

PART is a part of a construction's name. Exit 1 where a run took more than 5 s or 256 MiB, died, or cost more than three times as much
for twice the size.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from portwright._start.records import dataclass
from tests.fuzz.constructions import CONSTRUCTIONS, Construction, lay, sizes

MOST_SECONDS, MOST_MIB = 5.0, 256.0
_NOTICED = 1.0  # seconds below which a ratio says nothing: starting alone takes a fifth of that
_ENDS = (0, 1, 3)
_CPU_LIMIT, _MEMORY_LIMIT = 15, 1 << 30


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, and how it ended."""

    seconds: float
    mib: float
    output: int
    code: int


def cost(construction: Construction, size: int, program: list[str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        root = lay(construction, size, Path(folder, "h"))
        report = Path(folder, "report")
        arguments = [*program, *construction.command, str(root)]
        if construction.command[0] == "fix":
            arguments += ["-o", str(Path(folder, "plan.yml"))]
        with report.open("wb") as out:
            done = subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT, preexec_fn=_limits, cwd=folder)
            _, status, used = os.wait4(done.pid, 0)
        done.returncode = os.waitstatus_to_exitcode(status)
        return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, report.stat().st_size, done.returncode)


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT, _CPU_LIMIT))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))


def verdict(costs: list[Cost]) -> str:
    """What is wrong with the costs of a construction, "" where nothing is."""
    if any(each.code not in _ENDS for each in costs):
        return f"ended with {costs[-1].code}"
    if any(each.seconds > MOST_SECONDS for each in costs):
        return "too slow"
    if any(each.mib > MOST_MIB for each in costs):
        return "too large"
    before, after = costs[-2:]
    return "square" if after.seconds > _NOTICED and after.seconds > 3 * before.seconds else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*")
    parser.add_argument("--portwright", default=f"{sys.executable} -m portwright", help="the command to run it by")
    options = parser.parse_args()
    bad = 0
    print(f"{'construction':38} {'4n':>9} {'CPU s at n, 2n, 4n':>24} {'ratio':>6} {'MiB at n, 2n, 4n':>22} {'output':>11} exit")
    for name, construction in CONSTRUCTIONS.items():
        if options.part and not any(part in name for part in options.part):
            continue
        costs: list[Cost] = []
        for size in sizes(construction):
            costs.append(cost(construction, size, options.portwright.split()))
            if costs[-1].code not in _ENDS:
                break  # twice as much would not end either
        seconds = " ".join(f"{each.seconds:7.2f}" for each in costs)
        mib = " ".join(f"{each.mib:6.0f}" for each in costs)
        ratio = costs[-1].seconds / costs[-2].seconds if len(costs) > 1 else 0.0
        wrong = verdict(costs)
        bad += bool(wrong)
        last = costs[-1]
        print(f"{name:38} {4 * construction.n:9} {seconds:>24} {ratio:6.1f} {mib:>22} {last.output:11} {last.code:3} {wrong}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
