"""What each entry of the catalogue says of a daemon on a tiny host; the rows stand in cases/, a file for each file of entries.

    entry: the situation
    $ command line                  (or `alone PATH`: the config read on its own)
    PORT=8080                       a variable of its environment
    package 1.2.3                   the version of its package that is installed
    sockets: x.socket               descriptors it is handed
    /etc/file                       a file, its lines indented
        key = value
    = tcp 127.0.0.1 80              what it binds, in order, and the open files it needs
    ! /etc/file:1:1: reason         what could not be read

A blank line ends a case. ACCEPT=1 writes the lines that start with `=` and `!` anew; read the difference.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portwright.daemons import _engine as catalogue
from portwright.facts import Endpoint, FileNeed, Outbound
from tests.daemons.by_hand import host_of, invocation

HERE = Path(__file__).parent / "cases"


@dataclass
class Case:
    entry: str
    situation: str
    given: list[str] = field(default_factory=list)
    command: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    version: str = ""
    sockets: tuple[str, ...] = ()
    expected: list[str] = field(default_factory=list)


def cases_of(path: Path) -> list[Case]:
    found: list[Case] = []
    for block in path.read_text().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("#")]
        if lines:
            found.append(_case(lines))
    return found


def _case(lines: list[str]) -> Case:
    name, _, situation = lines[0].partition(": ")
    case = Case(name, situation, [lines[0]])
    path = ""
    for line in lines[1:]:
        if line.startswith(("= ", "> ", "! ")):
            case.expected.append(line)
            continue
        case.given.append(line)
        if line.startswith("    "):
            case.files[path] += f"{line[4:]}\n"
        elif line.startswith("/"):
            path, arrow, target = line.partition(" -> ")
            case.files[path] = f"-> {target}" if arrow else ""
        elif line.startswith("$ "):
            case.command = line[2:]
        elif line.startswith("alone "):
            case.command = line
        elif line.startswith("package "):
            case.version = line.partition(" ")[2]
        elif line.startswith("sockets: "):
            case.sockets = tuple(line.split()[1:])
        else:
            variable, _, text = line.partition("=")
            case.environment[variable] = text
    return case


ALL = {path.stem: cases_of(path) for path in sorted(HERE.glob("*.cases"))}


@pytest.mark.parametrize(("stem", "number"), [(stem, number) for stem, cases in ALL.items() for number in range(len(cases))])
def test_a_daemon_binds_what_its_case_says(stem: str, number: int) -> None:
    case = ALL[stem][number]
    said = _said(case)
    if os.environ.get("ACCEPT"):
        _accept(stem, number, said)

    assert case.expected == said, case.situation


def _said(case: Case) -> list[str]:
    files = host_of(case.files)
    entry = catalogue.named(case.entry)
    packages = {entry.package or entry.name: case.version} if case.version else {}
    if case.command.startswith("alone "):
        said: tuple[Endpoint | Outbound | FileNeed, ...] = catalogue.fragment(entry, case.command.partition(" ")[2], files, packages)
    else:
        started = invocation(case.command, case.environment, case.sockets)
        assert catalogue.find(started) is entry
        said = catalogue.read(entry, started, files, packages)
    return [*map(_row, said), *(f"! {trouble.at}: {trouble.reason}" for trouble in files.unreadable)]


def _row(said: Endpoint | Outbound | FileNeed) -> str:
    if isinstance(said, FileNeed):
        return f"= files  {said.files} for {said.setting}  {said.at.path.rpartition('/')[2]}:{said.at.line}:{said.at.column}"
    if isinstance(said, Outbound):
        place = f"{said.at.path.rpartition('/')[2]}:{said.at.line}:{said.at.column}" if said.decided_at else "default"
        return f"> {said.name}  {'kept' if said.keepalive else 'closed'}  {place}"
    where = "default" if said.origin == "default" else f"{said.at.path.rpartition('/')[2]}:{said.at.line}:{said.at.column}"
    words = [said.protocol, said.address, "random" if said.random else str(said.ports), where]
    if ":" in said.address and said.v6only is None:
        words.append("bindv6only decides")
    words += [{True: "", False: "no reuseaddr", None: "reuseaddr unknown"}[said.reuse_address]]
    words += ["reuseport"] if said.reuse_port else []
    words += ["on demand"] if said.on_demand else []
    words += [f"as {said.binds_as}"] if said.binds_as else []
    words += [said.confidence] if said.confidence != "certain" else []
    return "= " + "  ".join(filter(None, words))


def _accept(stem: str, number: int, said: list[str]) -> None:
    ALL[stem][number].expected = said
    path = HERE / f"{stem}.cases"
    blocks = path.read_text().rstrip("\n").split("\n\n")
    at = [place for place, block in enumerate(blocks) if any(line and not line.startswith("#") for line in block.split("\n"))][number]
    kept = [line for line in blocks[at].split("\n") if not line.startswith(("= ", "> ", "! "))]
    blocks[at] = "\n".join([*kept, *said])
    path.write_text("\n\n".join(blocks) + "\n")
