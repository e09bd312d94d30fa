"""docs/packaged.md: a distribution of rules and daemons, built as the page says, installed by pip and used by the command."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
GUIDE = (TOP / "docs/packaged.md").read_text("utf-8")
_, DESCRIPTOR = re.search(r"```(yaml)\n(.*?)```", GUIDE, re.DOTALL).groups()  # type: ignore[union-attr]
PROJECT = next(text for text in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL) if "entry-points" in text)
POINTS = "\n".join(
    f"[{group}]\n{points}" for group, points in re.findall(r'\[project\.entry-points\."([\w.]+)"\]\n(\w+ = "[\w.]+")\n', PROJECT)
).replace('"', "")
RULE = """\
id: port-of-the-office
title: A service takes a port of the office
severity: low
why: Ports from 7000 to 7999 are for the office, and whatever else listens there takes one that somebody was promised.
references: [socket(7)]
each: listener
where: {ports: {overlaps: 7000-7999}}
message: "{who} listens on {socket}"
bad: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 7001\\n"}
good: {/etc/systemd/system/a.service: "[Service]\\nExecStart=/usr/bin/python3 -m http.server 9001\\n"}
"""
CODE = "open('executed', 'w').write('x')\nraise SystemExit(9)\n"


def _wheel(folder: Path, descriptor: str = DESCRIPTOR, rule: str = RULE, points: str = POINTS) -> Path:
    """The wheel of the page's package, as a build writes it, with code in it that would tell if it were run."""
    info = "portwright_office-1.0.dist-info"
    files = {
        "portwright_office/__init__.py": CODE,
        "portwright_office/rules/__init__.py": CODE,
        "portwright_office/rules/office/port-of-the-office.yaml": rule,
        "portwright_office/daemons/exampled/descriptor.yaml": descriptor,
        "portwright_office/daemons/exampled/reader.py": CODE,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: portwright-office\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    made = folder / "portwright_office-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as file:
        for name, text in (*files.items(), (f"{info}/RECORD", record)):
            file.writestr(name, text)
    return made


def _installed(folder: Path, wheel: Path) -> Path:
    place = folder / "lib" / "site-packages"
    words = ["install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", str(place), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    return place


def _run(place: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portwright", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, "PYTHONPATH": str(place), "COLUMNS": "200"}
    )


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host that starts a daemon which only the package knows."""
    units = tmp_path / "h/etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    (tmp_path / "h/usr").mkdir()
    (units / "exampled.service").write_text("[Service]\nExecStart=/usr/sbin/exampled -c /etc/exampled.conf\n")
    (units / "multi-user.target.wants/exampled.service").symlink_to("../exampled.service")
    (tmp_path / "h/etc/exampled.conf").write_text("[server]\nport = 7778\n")
    return tmp_path / "h"


def test_an_installed_package_brings_rules_and_daemons_and_runs_nothing(host: Path, tmp_path: Path) -> None:
    without = _run(tmp_path / "none", tmp_path, "check", "h", "-q")
    place = _installed(tmp_path, _wheel(tmp_path))
    found = _run(place, tmp_path, "check", "h", "-q")
    facts = json.loads(_run(place, tmp_path, "facts", "h", "--format", "json").stdout)
    (listener,) = facts["hosts"][0]["listeners"]

    assert (0, "") == (without.returncode, without.stdout)
    assert ("exampled", 7778, "exampled.service") == (listener["app"], listener["port"], listener["unit"])
    assert 1 == found.returncode, found.stderr
    assert "/etc/exampled.conf:2:8: low[port-of-the-office]: exampled listens on tcp 0.0.0.0:7778\n" == found.stdout
    assert "exampled" in _run(place, tmp_path, "apps", "-q").stdout.split()
    assert "port-of-the-office" in _run(place, tmp_path, "rules", "-q").stdout.split()
    assert 0 == _run(place, tmp_path, "check", "h", "--ignore", "office").returncode
    assert not list(tmp_path.rglob("executed"))


def test_python_has_them_too(host: Path, tmp_path: Path) -> None:
    place = _installed(tmp_path, _wheel(tmp_path))
    program = "import portwright; print(*(each.rule for each in portwright.check('h').findings))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
    )

    assert "port-of-the-office\n" == run.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"descriptor": "reader: reader.py\nprograms: [exampled]\n"}, "exampled/descriptor.yaml: reader: only these can be packaged apart"),
        ({"descriptor": DESCRIPTOR + "edit: {validate: [sh, -c, id]}\n"}, "exampled/descriptor.yaml: edit.validate: only these can be"),
        ({"descriptor": DESCRIPTOR + "in-repository: {text: ['(a+)+$']}\n"}, "descriptor.yaml: in-repository.text: only these can be"),
        ({"descriptor": DESCRIPTOR.replace("[exampled]", "[nginx]")}, "descriptor.yaml: the program nginx is known already, of nginx"),
        ({"descriptor": "sockets: [\n"}, "descriptor.yaml: not YAML"),
        ({"descriptor": "[" * 5000}, "descriptor.yaml: "),
        ({"descriptor": DESCRIPTOR.replace("reuse-address", "reuse-adress")}, "did you mean reuse-address?"),
        ({"rule": RULE.replace("{overlaps", "{overlap")}, "port-of-the-office.yaml:7:"),
        ({"rule": RULE.replace("port-of-the-office", "port-claimed-twice")}, "port-of-the-office.yaml"),
        (
            {"points": "[portwright.rules]\na = nowhere.rules\n"},
            "portwright-office: portwright.rules: a = nowhere.rules: this distribution",
        ),
        ({"points": "[portwright.daemons]\na = ..secret\n"}, "portwright-office: portwright.daemons: a = ..secret: this distribution"),
    ],
)
def test_a_broken_package_is_one_clear_line(given: dict[str, str], said: str, host: Path, tmp_path: Path) -> None:
    place = _installed(tmp_path, _wheel(tmp_path, **given))
    run = _run(place, tmp_path, "check", "h")

    assert (2, "") == (run.returncode, run.stdout)
    (line,) = run.stderr.splitlines()
    assert line.startswith("portwright: ")
    assert said in line


def test_without_one_nothing_is_imported_for_it(host: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "portwright", "check", "h"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}

    assert "portwright.shipped" in imported
    assert set() == imported & {"importlib.metadata", "portwright.daemons._engine.brought"}
