"""Realistic fleets, and what an audit of one costs: golden images of real hosts, of which each host has 5 % of the files of its own.

    .venv/bin/python benchmarks/fleet.py make DIR --hosts 1000          write a fleet of archives
    .venv/bin/python benchmarks/fleet.py measure DIR [--jobs 2]         audit it twice with a store: cold, and again with nothing changed
    .venv/bin/python benchmarks/fleet.py --smoke                        both, with twelve hosts

A golden image is one of the trimmed hosts that the tests have (tests/accuracy/hosts). A host of the fleet is an image with its own name,
machine id and addresses (RFC 1918), and with one more comment in 5 % of its configs and units, chosen by its number; every fortieth host
has a service of its own. The same number gives the same bytes.
"""

import argparse
import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from portwright.trees.tar import COMPLETE, SNAPSHOT

HERE = Path(__file__).resolve().parents[1]
TOP = "root/"
IMAGES = HERE / "tests" / "accuracy" / "hosts"
SHARE = 0.05
_OWN = "[Service]\nExecStart=/usr/bin/python3 -m http.server {}\n[Install]\nWantedBy=multi-user.target\n"


def images() -> list[list[tuple[tarfile.TarInfo, bytes]]]:
    """The members of each golden image, in order."""
    found = []
    for path in sorted(IMAGES.glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            members = [each for each in archive.getmembers() if each.name.startswith(TOP)]
            found.append([(each, (archive.extractfile(each) or io.BytesIO()).read() if each.isreg() else b"") for each in members])
    return found


def host(number: int, image: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """The archive of one host of a fleet, packed."""
    chance = random.Random(number)  # noqa: S311  the same fleet each time
    name = f"{chance.choice(['web', 'db', 'mq', 'app', 'lb'])}{number:06}"
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    texts = [index for index, (each, data) in enumerate(image) if each.isreg() and _is_text(each.name, data)]
    changed = set(chance.sample(texts, max(1, round(SHARE * len(texts)))))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
        # As the collector writes them: what says that this is a snapshot, and whose, stands first.
        first = {SNAPSHOT: b"1\n", "etc/hostname": f"{name}\n".encode(), "etc/machine-id": _machine(name)}
        for path, content in first.items():
            own = tarfile.TarInfo(path)
            own.size = len(content)
            archive.addfile(own, io.BytesIO(content))
        for index, (each, data) in enumerate(image):
            path = each.name.removeprefix(TOP)
            if path in first:
                continue
            own = tarfile.TarInfo(path)
            own.mode, own.type, own.linkname, own.uid, own.gid = each.mode, each.type, each.linkname, each.uid, each.gid
            own.pax_headers = dict(each.pax_headers)
            content = data
            if index in changed:
                content = data + f"# host {number}\n".encode()
            elif path == ".portwright/addresses":
                content = data + f"9: own0    inet {address}/8 scope global own0\n".encode()
            own.size = len(content)
            archive.addfile(own, io.BytesIO(content))
        if number % 40 == 0:
            content = _OWN.format(32768 + number % 20000).encode()
            own = tarfile.TarInfo("etc/systemd/system/own.service")
            own.size = len(content)
            archive.addfile(own, io.BytesIO(content))
            link = tarfile.TarInfo("etc/systemd/system/multi-user.target.wants/own.service")
            link.type, link.linkname = tarfile.SYMTYPE, "../own.service"
            archive.addfile(link)
        end = tarfile.TarInfo(COMPLETE)
        end.size = 2
        archive.addfile(end, io.BytesIO(b"1\n"))
    return out.getvalue()


def _machine(name: str) -> bytes:
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest().encode() + b"\n"


def _is_text(name: str, data: bytes) -> bool:
    """Whether a line beginning with # changes nothing in a file but its bytes."""
    configs = name.endswith((".conf", ".service", ".socket", ".target", ".cf", ".cnf", "_config", ".ini"))
    return configs and b"\0" not in data and (not data or data.endswith(b"\n"))


def make(folder: Path, count: int) -> None:
    """Write a fleet of so many hosts."""
    folder.mkdir(parents=True)
    golden = images()
    for number in range(count):
        (folder / f"host{number:06}.tar.gz").write_bytes(host(number, golden[number % len(golden)]))


def audited(folder: Path, store: Path, jobs: int, python: str) -> tuple[float, float, int, bytes]:
    """(CPU seconds of all processes, seconds, peak KiB of the largest process, the report) of one audit."""
    command = [python, "-m", "portwright", "audit", str(folder), "--store", str(store), "--jobs", str(jobs), "--format", "csv"]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as ran:
        said = ran.stdout.read() if ran.stdout is not None else b""
        _, _, used = os.wait4(ran.pid, 0)
        ran.returncode = 0
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss, said


def figures(folder: Path, jobs: int, python: str) -> Iterator[str]:
    """A line for a cold run and one for the next, with nothing changed."""
    count = sum(1 for _ in folder.iterdir())
    with tempfile.TemporaryDirectory() as place:
        store = Path(place, "fleet.db")
        reports = []
        for name in ("cold", "again"):
            cpu, seconds, peak, said = audited(folder, store, jobs, python)
            reports.append(said)
            each = f"{cpu / count * 1000:7.1f} ms a host"
            yield f"{count:7} hosts  {jobs} jobs  {name:5}  {cpu:8.1f} s CPU {each}  {seconds:8.1f} s  {peak / 1024:6.0f} MiB"
        size = store.stat().st_size / (1 << 20)
        same = "the same" if len(set(reports)) == 1 else "NOT THE SAME"
        yield f"{count:7} hosts  {jobs} jobs  store  {size:8.1f} MiB, the reports are {same}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "measure"), nargs="?")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    if options.smoke:
        with tempfile.TemporaryDirectory() as place:
            make(Path(place, "fleet"), 12)
            for line in figures(Path(place, "fleet"), 2, options.python):
                print(line)
                if "NOT" in line:
                    return 1
        return 0
    if options.what is None or options.folder is None:
        parser.error("say what, and the folder of the fleet")
    if options.what == "make":
        make(options.folder, options.hosts)
        return 0
    for line in figures(options.folder, options.jobs, options.python):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
