"""systemd itself as the judge of which files make up a unit, in which order they are read, and what their text comes to."""

import os
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from portwright.system.systemd.command_line import Command, Refused
from portwright.system.systemd.units import load
from portwright.trees import Files
from portwright.trees.directory import DirectoryTree
from portwright.trees.memory import MemoryTree

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


_PIECES = (
    *("[Service]", "[Service]", "[Socket]", "[Unit]", "[X-a]", "[service]", "[ Service]", "[Service]]", "[]", "[Service", "Service]"),
    *("ExecStart=", "ExecStart=/bin/p1 a b", "ExecStart= /bin/p3 c", "ExecStart\t=/bin/p4", " ExecStart=/bin/p5", "execstart=/bin/p6"),
    *("ExecStart", "ExecStart=/bin/p7 \\", "ExecStart=\\", "ExecS\\", "tart=/bin/p8", "Type=oneshot", "Type=oneshot", "Type=huh", "Type="),
    *("Environment=A=b \\", "/bin/p9 x", "more words", "# c", "; c", "# c \\", " # c", "=x", "x=", "\\", "\\\\", "a\\ ", "\\x41", "\\q"),
    *(
        "\udcff",
        "\ufeff",
        "\ufeff# c \\",
        " \ufeff",
        "\uffff",
        "\ufdd0",
        "\U0010fffe",
        "\xa0",
        "\u2028",
        "\x85",
        "\v",
        "\f",
        "\x1c",
        "\0",
        "\x01",
    ),
    *("\r", " ", "\t", "'", '"', ";", "'a b'", "\\;", "%%", "-", "+", "!", "@", ":", ".include /x"),
)
_ENDS = ("\n", "\n", "\n", "\n", "\r\n", "\r", "\0", "\n\n", "", " ", "\n\r", "\n\0\n")
_BEGINNINGS = ("", "[Service]\n", "[Service]\nType=oneshot\n", "[Service]\nExecStart=/bin/p0 a\n", "\ufeff[Service]\n", "[Service]\r\n")
_MANAGER = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_UNSHOWN = re.compile(r"\\[0-7]{3}|\\[abfvtrn]|[^A-Za-z0-9/ ]")  # what a shown command line has in quotes and escapes


def spoilt_unit(chance: random.Random) -> str:
    """A service as an editor's slip or somebody hostile leaves it."""
    text = chance.choice(_BEGINNINGS)
    for _ in range(chance.choice((1, 2, 3, 4, 6, 9, 14))):
        text += chance.choice(_PIECES) + chance.choice(_ENDS)
    return text


def started(texts: list[str], manager: str) -> list[list[str] | None]:
    """What a real manager would run of each, None where it does not load it. It starts nothing: it is asked as nobody, in a test run."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: S103  another user reads it
        for number, text in enumerate(texts):
            Path(folder, f"u{number}.service").write_bytes(text.encode("utf-8", "surrogateescape"))
        Path(folder, "default.target").write_text("[Unit]\n" + "".join(f"Wants=u{number}.service\n" for number in range(len(texts))))
        surroundings = {"SYSTEMD_UNIT_PATH": folder, "SYSTEMD_LOG_TARGET": "console", "XDG_RUNTIME_DIR": folder, "HOME": folder}
        nobody = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
        command = [manager, "--test", "--system", "--unit=default.target"]
        answer = subprocess.run(command, env=surroundings, capture_output=True, check=False, **nobody).stdout  # type: ignore[call-overload]
    found: dict[str, str] = {}
    for block in re.split(r"\n\t*-> Unit ", answer.decode("utf-8", "surrogateescape")):
        found.setdefault(block.partition(":\n")[0], block)
    if "u0.service" not in found:
        # Where a kernel or a container lets a manager not run even as a test; .ci/run's machine does.
        pytest.skip("this systemd makes no test run here")
    told: list[list[str] | None] = []
    for number in range(len(texts)):
        block = found[f"u{number}.service"]
        ran = re.findall(r"\n\t+-> ExecStart:\n((?:\t+Command Line: .*\n)+)", block)
        loaded = "Unit Load State: loaded" in block
        told.append(re.findall("Command Line: (.*)", ran[0]) if loaded and ran else [] if loaded else None)
    return told


@pytest.mark.parametrize("seed", range(3))
def test_systemd_runs_the_same_commands_of_any_text(seed: int) -> None:
    manager = next(filter(os.path.exists, _MANAGER), None)
    if manager is None:
        pytest.skip("systemd is not installed")  # as with the other real programs that tests compare with (README)
    chance = random.Random(f"units {seed}")  # noqa: S311  not a secret
    texts = [spoilt_unit(chance) for _ in range(300)]
    tree = MemoryTree({
        f"/etc/systemd/system/u{number}.service": text.encode("utf-8", "surrogateescape") for number, text in enumerate(texts)
    })  # fmt: skip
    files = Files(tree)
    units = load(files)
    for number, (text, expected) in enumerate(zip(texts, started(texts, manager), strict=True)):
        unit = units.get(f"u{number}.service")
        assert unit is not None
        each = [command for setting in unit.each("Service", "ExecStart") for command in units.commands(setting, unit)]
        refused = any(isinstance(command, Refused) and not command.forgiven for command in each)
        ran = [" ".join(word.text for word in command.argv) for command in each if isinstance(command, Command)]
        if expected is None:
            kind = unit.value("Service", "Type")
            one = kind is None or kind.value != "oneshot"
            stopped = any(
                trouble.at.path.endswith(f"/u{number}.service") and "no further" in trouble.reason for trouble in files.unreadable
            )
            assert refused or not ran or stopped or (len(ran) > 1 and one), (text, ran)
        else:
            assert not refused, text
            assert [_UNSHOWN.sub("", line).split() for line in expected] == [_UNSHOWN.sub("", line).split() for line in ran], text
