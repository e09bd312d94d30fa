"""What portwright costs, as ratios to the same interpreter doing nothing: CPU of the whole process, median, interleaved.

    .venv/bin/python benchmarks/run.py            the figures, on the bundled examples and a host root of about 400 files
    .venv/bin/python benchmarks/run.py --smoke    the same with few rounds, to see that it runs
    .venv/bin/python benchmarks/run.py --host DIR a host of your own
    .venv/bin/python benchmarks/run.py --python VENV/bin/python    an installation, as `pip install .` makes one

What an installation costs is what its users pay: it carries rules and catalogue compiled, which a checkout (and so an editable install)
reads as YAML.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]


def cost(command: list[str], bytecode: str) -> tuple[float, int]:
    """(CPU seconds, peak KiB) of one run of a command, with compiled modules kept in a folder as an installation has them."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    done = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, _, used = os.wait4(done.pid, 0)
    done.returncode = 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def large_host(folder: Path) -> Path:
    """A host root of about 400 files: the example, with units, drop-ins, sites and sysctl files in quantity."""
    root = folder / "host"
    subprocess.run(["cp", "-a", str(HERE / "examples" / "web1"), str(root)], check=True)
    units = root / "usr/lib/systemd/system"
    for number in range(220):
        unit = f"worker-{number:03}.service"
        (units / unit).write_text(
            f"[Unit]\nDescription=Worker {number}\nAfter=network.target\n\n[Service]\nUser=www-data\nEnvironment=QUEUE=q{number}\n"
            f"ExecStart=/usr/bin/python3 -m http.server {20000 + number}\nRestart=on-failure\n\n[Install]\nWantedBy=multi-user.target\n"
        )
        if number % 3 == 0:
            (root / f"etc/systemd/system/{unit}.d").mkdir(parents=True)
            (root / f"etc/systemd/system/{unit}.d/limits.conf").write_text("[Service]\nLimitNOFILE=65536\n")
            os.symlink(f"/usr/lib/systemd/system/{unit}", root / f"etc/systemd/system/multi-user.target.wants/{unit}")
    for number in range(60):
        lines = "".join(f"    location /{part} {{\n        return 200;\n    }}\n" for part in range(40))
        (root / f"etc/nginx/sites-enabled/site-{number:02}").write_text(f"server {{\n    listen {8000 + number};\n{lines}}}\n")
    for number in range(20):
        (root / f"etc/sysctl.d/{number:02}-part.conf").write_text(f"vm.swappiness = {number}\nnet.core.somaxconn = {4096 + number}\n")
    return root


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--host", type=Path)
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    options = parser.parse_args()
    rounds = 3 if options.smoke else 15
    with tempfile.TemporaryDirectory() as folder:
        host = options.host or large_host(Path(folder))
        count = sum(1 for path in host.rglob("*") if path.is_file())
        python = [str(options.python)]
        portwright = [*python, "-m", "portwright"]
        # What people run; the same but for a few modules that -m needs.
        program = options.python.with_name("portwright")
        commands = {
            "python -c pass": [*python, "-c", "pass"],
            "--version": [*portwright, "--version"],
            "check one file": [*portwright, "check", str(HERE / "examples/shop/deploy/haproxy/haproxy.cfg")],
            f"check a host of {count} files": [*portwright, "check", str(host)],
        }
        if program.exists():
            commands["the same, by bin/portwright"] = [str(program), "check", str(host)]
        seen: dict[str, list[tuple[float, int]]] = {name: [] for name in commands}
        bytecode = str(Path(folder, "bytecode"))
        for command in commands.values():
            cost(command, bytecode)
        for _ in range(rounds):
            for name, command in commands.items():
                seen[name].append(cost(command, bytecode))
    bare = statistics.median(cpu for cpu, _ in seen["python -c pass"])
    print(f"{'':32} {'cpu':>8} {'ratio':>7} {'peak':>9}")
    for name, figures in seen.items():
        cpu = statistics.median(cpu for cpu, _ in figures)
        print(f"{name:32} {cpu * 1000:5.0f} ms {cpu / bare:6.1f}x {max(peak for _, peak in figures) / 1024:5.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
