"""Plans for hosts as a broken disk or somebody hostile leaves them: `python -m tests.fuzz.fixing [-n NUMBER] HOST ...`.

Each host is copied and spoilt NUMBER times (default 20): files changed, gone, closed, made links, pipes or folders. Whatever is left, `fix`
ends as its page says, writes the three files of a plan or none, each of them valid, and nothing else anywhere. Exit 1 where it did not.
"""

import argparse
import io
import json
import random
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from portwright.cli import main as portwright
from tests.fuzz.targets import below, damage, spoilt

ENDS = (0, 1, 2, 3)
PLAN = {"plan.yml", "plan.vars.json", "plan.rollback.yml"}


def spoil(root: Path, chance: random.Random) -> None:
    """Change some things below a host's root: half of the time what files say, else the files themselves."""
    files = [path for path in below(root) if path.is_file() and not path.is_symlink()]
    for _ in range(chance.choice((1, 3, 10, 30))):
        if files and chance.random() < 0.6:
            place = chance.choice(files)
            if place.is_file() and not place.is_symlink():
                place.write_bytes(spoilt(chance, place.read_bytes()))
        else:
            damage(chance, root, spoilt(chance, b"[Service]\nExecStart=/usr/sbin/nginx\n"))


def wrong(root: Path, place: Path) -> Iterator[str]:
    """What `fix -o` of a host does that it should not; `place` is an empty folder for the plan."""
    before, kept = _seen(root), io.BytesIO()
    said = io.TextIOWrapper(kept, "utf-8", write_through=True)
    with redirect_stdout(said), redirect_stderr(said):
        code = portwright(["fix", "--allow-review", "-o", str(place / "plan.yml"), str(root)])
    written = {path.name for path in place.iterdir()}
    if code not in ENDS:
        yield f"exit code {code}: {kept.getvalue().decode()[-500:]}"
    if before != _seen(root):
        yield "the host is not what it was"
    if written not in (set(), PLAN):
        yield f"it wrote {sorted(written)}"
    if written == PLAN:
        for name in ("plan.yml", "plan.rollback.yml"):
            (play,) = yaml.safe_load((place / name).read_text("utf-8"))
            if not play["tasks"]:
                yield f"{name} has no tasks"
        if not json.loads((place / "plan.vars.json").read_text("utf-8"))["portwright_files"]:
            yield "the plan has no files"
        if stat.S_IMODE((place / "plan.vars.json").stat().st_mode) != 0o600:
            yield "others may read the variables"


def trouble(host: Path, number: int) -> list[str]:
    """What goes wrong with a copy of a host that is spoilt in the way that the number says."""
    with TemporaryDirectory() as folder:
        root, place = Path(folder, "host"), Path(folder, "plan")
        shutil.copytree(host, root, symlinks=True)
        place.mkdir()
        spoil(root, random.Random(f"{host.name} {number}"))  # noqa: S311  it makes inputs, no secrets
        found = list(wrong(root, place))
        for path in (root, *below(root)):
            if not path.is_symlink() and path.is_dir():
                path.chmod(0o700)  # so that it can be removed
        return found


def _seen(root: Path) -> list[tuple[str, int, int, int]]:
    return [(str(path), (about := path.lstat()).st_mode, about.st_size, about.st_mtime_ns) for path in below(root)]


def main() -> int:
    """Run the lane; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-n", type=int, default=20, metavar="NUMBER", help="how often each host is spoilt (default: 20)")
    parser.add_argument("--from", type=int, default=0, metavar="FIRST", dest="first", help="the number of the first (default: 0)")
    parser.add_argument("hosts", nargs="+", type=Path, metavar="HOST", help="directories of hosts")
    options = parser.parse_args()
    failed = 0
    for host in options.hosts:
        for number in range(options.first, options.first + options.n):
            for said in trouble(host, number):
                failed += 1
                print(f"{host} --from {number}: {said}", flush=True)
    print(f"{len(options.hosts) * options.n} spoilt hosts, {failed} times something was wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
