"""systemd itself as the judge of which files make up a unit, and in which order they are read."""

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.directory import DirectoryTree

_DIRECTORIES = ("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system")
_NAMES = ("a.service", "foo-bar.service", "foo--x-.service", "foo-bar@i.service", "al.service", "a-b-c@x-y.service", "t.target")
_FRAGMENTS = ("a.service", "foo-bar.service", "foo--x-.service", "foo-bar@.service", "foo-bar@i.service", "a-b-c@.service", "t.target")
_BESIDE = (
    *("a.service", "service", "foo-.service", "foo-bar.service", "foo--.service", "foo--x-.service", "foo-bar@.service"),
    *("foo-bar@i.service",),
    *("foo-@i.service", "foo-@.service", "al.service", "a-.service", "a-b-.service", "a-b-@x-y.service", "a-@.service", "a-b-c@.service"),
    *("t.target", "target"),
)


def tree(root: Path, chance: random.Random) -> None:
    """A host of some fragments, aliases, masks and drop-ins; systemd repeats the path of each file with a key it does not know."""
    text = "[Unit]\nBogus=1\n"
    for directory in _DIRECTORIES:
        (root / directory).mkdir(parents=True)
        for name in _FRAGMENTS:
            if chance.random() < 0.4:
                (root / directory / name).write_text(text + ("[Service]\nExecStart=/bin/true\n" if name.endswith("service") else ""))
        for name in _BESIDE:
            for number in chance.sample(range(4), chance.choice((0, 0, 1, 2))):
                drop_in = root / directory / f"{name}.d" / f"{number}0.conf"
                drop_in.parent.mkdir(exist_ok=True)
                if chance.random() < 0.1:
                    drop_in.symlink_to("/dev/null")
                else:
                    drop_in.write_text(text)
    link = root / chance.choice(_DIRECTORIES) / "al.service"
    link.symlink_to(chance.choice(("a.service", "/usr/lib/systemd/system/a.service", "foo-bar.service", "../system/a.service")))
    (root / "lib").symlink_to("usr/lib")


@pytest.mark.parametrize("seed", range(12))
def test_systemd_reads_the_same_files_in_the_same_order(seed: int, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    tree(tmp_path, random.Random(seed))  # noqa: S311  not a secret
    units = load(Files(DirectoryTree(os.fspath(tmp_path))))
    for name in _NAMES:
        command = ["systemd-analyze", "verify", "--man=no", f"--root={tmp_path}", name]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stderr
        if "nrecognized option" in answer:
            pytest.skip("this systemd-analyze has no verify --root")
        heard = re.findall(rf"{tmp_path}(\S+):2: Unknown key", answer)
        heard = [re.sub("^/lib/", "/usr/lib/", path) for path in heard]
        unit = units.get(name)

        if unit is None and "@" in name:
            continue  # nothing in the tree names this instance
        assert heard == list(unit.files if unit is not None and unit.state == "loaded" else ()), name
