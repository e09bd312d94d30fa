"""What each trick of src/portwright/_start saves: an installation with the trick undone, against the same with it.

    .venv/bin/python benchmarks/tricks.py --python VENV/bin/python    where VENV has portwright as `pip install .` puts it there

CPU of the whole process, median, interleaved; the figures are for the table of src/portwright/_start/README.md.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from run import HERE, cost, large_host


def dataclasses(package: Path) -> None:
    text = "from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields, replace\nENFORCE_FROZEN = False\n"
    Path(package, "_start/records.py").write_text(f"{text}def init_source(cls): ...\n")


def no_compiled(name: str) -> Callable[[Path], None]:
    return lambda package: Path(package, f"_shipped/compiled_{name}.py").unlink()


def eager_regex(package: Path) -> None:
    Path(package, "_start/lazy_regex.py").write_text("from re import compile as lazy_regex\n")


def no_plain(package: Path) -> None:
    _replaced(Path(package, "_start/argv.py"), "    command = commands.get(words[0]) if words else None\n", "    command = None\n")


def usual_end(package: Path) -> None:
    file = Path(package, "_start/process.py")
    _replaced(file, "    os._exit(code)\n", "    sys.exit(code)\n")
    _replaced(file, "    gc.set_threshold(100_000)\n", "")


def with_typing(package: Path) -> None:
    for name in ("cli/__init__.py", "cli/arguments.py", "_start/argv.py", "_start/process.py"):
        text = Path(package, name).read_text()
        Path(package, name).write_text(text.replace("TYPE_CHECKING = False ", "from typing import TYPE_CHECKING ", 1))


def with_logging(package: Path) -> None:
    _replaced(Path(package, "_start/debug_log.py"), "ENABLED = False\n", "import logging\n\nENABLED = False\n")


UNDONE: dict[str, Callable[[Path], None]] = {
    "dataclasses instead of records": dataclasses,
    "inits of records made by exec": no_compiled("records"),
    "rules read from YAML": no_compiled("rules"),
    "descriptors read from YAML": no_compiled("catalogue"),
    "patterns compiled at import": eager_regex,
    "argparse for every line": no_plain,
    "garbage collected, objects freed": usual_end,
    "typing imported at once": with_typing,
    "logging imported at once": with_logging,
}


def _replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise SystemExit(f"{file} does not hold {old.strip()!r}: the trick is undone in another way now")
    file.write_text(text.replace(old, new, 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    python = str(options.python)
    where = "import portwright; print(portwright.__path__[0])"
    found = subprocess.run([python, "-P", "-c", where], capture_output=True, check=True, text=True)
    with tempfile.TemporaryDirectory() as folder:
        host = str(large_host(Path(folder)))
        file = str(HERE / "examples/shop/deploy/haproxy/haproxy.cfg")
        lines = {"--version": ["--version"], "file": ["check", file], "host": ["check", host]}
        places = {}
        for number, (name, undo) in enumerate({"as it is": lambda package: None, **UNDONE}.items()):
            places[name] = str(Path(folder, str(number)))
            shutil.copytree(found.stdout.strip(), f"{places[name]}/portwright", ignore=shutil.ignore_patterns("__pycache__"))
            undo(Path(places[name], "portwright"))
        seen: dict[tuple[str, str], list[float]] = {}
        for turn in range(options.rounds + 1):
            for name, place in places.items():
                os.environ["PYTHONPATH"] = place
                for line, words in {"pass": None, **lines}.items():
                    command = [python, "-c", "pass"] if words is None else [python, "-m", "portwright", *words]
                    spent, _ = cost(command, f"{place}/bytecode")
                    if turn:
                        seen.setdefault((name, line), []).append(spent)
    bare = statistics.median(spent for (_, line), every in seen.items() if line == "pass" for spent in every)
    print(f"{'':36} {'--version':>10} {'one file':>10} {'400 files':>10}   (python -c pass: {bare * 1000:.0f} ms)")
    for name in places:
        print(f"{name:36}" + "".join(f"{statistics.median(seen[name, line]) / bare:10.1f}x" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
