"""What a daemon that a table describes says on a tiny host; the rows stand in cases/, a file for each daemon.

    daemon: the situation
    $ command line                  (or `alone PATH`: the config read on its own)
    PORT=8080                       a variable of its environment
    package 1.2.3                   the version of its package that is installed
    sockets: x.socket               descriptors it is handed
    /etc/file                       a file, its lines indented
        key = value
    = tcp 127.0.0.1 80              what it binds, in order, and the open files it needs
    ! /etc/file:1:1: reason         what could not be read
    ? /etc/file:1:1: reason         what opens a socket that could not be worked out

A blank line ends a case, except before an indented line: there it is one of the file. ACCEPT=1 writes the lines that start with `=`,
`!` and `?` anew; read the difference.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portwright.daemons import DaemonFact, daemon_of, known
from portwright.facts import Endpoint, FileNeed, NodeClaim, Outbound
from tests.daemons.by_hand import host_of, invocation

HERE = Path(__file__).parent / "cases"


@dataclass
class Case:
    daemon: str
    situation: str
    given: list[str] = field(default_factory=list)
    command: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    version: str = ""
    sockets: tuple[str, ...] = ()
    expected: list[str] = field(default_factory=list)


def cases_of(path: Path) -> list[Case]:
    return [_case(lines) for lines in map(_lines, _blocks(path.read_text())[::2]) if lines]


def _blocks(text: str) -> list[str]:
    """The cases of a text and, between them, what is empty; an empty line before an indented one is part of a file's content."""
    return re.split(r"(\n\n+(?=\S))", text.rstrip("\n"))


def _lines(block: str) -> list[str]:
    return [line for line in block.split("\n") if not line.startswith("#")]


def _case(lines: list[str]) -> Case:
    name, _, situation = lines[0].partition(": ")
    if not situation:
        raise ValueError(f"a case begins with DAEMON: SITUATION, and a blank line ends one; this begins with {lines[0]!r}")
    case = Case(name, situation, [lines[0]])
    path = ""
    for line in lines[1:]:
        if line.startswith(("= ", "> ", "% ", "! ", "? ")):
            case.expected.append(line)
            continue
        case.given.append(line)
        if line.startswith("    ") or not line.strip():
            if path not in case.files:
                raise ValueError(f"{lines[0]}: {line!r} belongs to no file")
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


def test_a_blank_line_among_the_lines_of_a_file_is_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "x.cases").write_text("# remark\n\na: one\n/etc/a\n    x\n\n\n    y\n= tcp\n\n\nb: two\n$ b\n/etc/b\n= udp\n\n# end\n")

    one, two = cases_of(tmp_path / "x.cases")

    assert ("a", {"/etc/a": "x\n\n\ny\n"}, ["= tcp"]) == (one.daemon, one.files, one.expected)
    assert ("b", {"/etc/b": ""}, "b", ["= udp"]) == (two.daemon, two.files, two.command, two.expected)


@pytest.mark.parametrize("text", ["a: one\n    x\n", "a: one\n$ a\n\n    x\n"])
def test_an_indented_line_without_a_file_is_said(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.cases").write_text(text)

    with pytest.raises(ValueError, match=r"a: one: '(    x)?' belongs to no file"):
        cases_of(tmp_path / "x.cases")


@pytest.mark.parametrize("rest", ["= tcp\n", "/etc/a\n    x\n"])
def test_a_blank_line_inside_a_case_is_said(rest: str, tmp_path: Path) -> None:
    (tmp_path / "x.cases").write_text(f"a: one\n$ a\n\n{rest}")

    with pytest.raises(ValueError, match="a case begins with DAEMON: SITUATION, and a blank line ends one"):
        cases_of(tmp_path / "x.cases")


def _said(case: Case) -> list[str]:
    files = host_of(case.files)
    daemon = known(case.daemon)
    packages = {daemon.descriptor.package or daemon.name: case.version} if case.version else {}
    if case.command.startswith("alone "):
        assert daemon.fragment is not None
        said: tuple[DaemonFact, ...] = daemon.fragment(case.command.partition(" ")[2], files, packages)
    else:
        started = invocation(case.command, case.environment, case.sockets)
        assert daemon_of(started) is daemon
        said = daemon.read(started, files, packages)
    troubles = (f"! {trouble.at}: {trouble.reason}" for trouble in files.unreadable)
    return [*map(_row, said), *troubles, *(f"? {at}: {reason}" for at, reason in files.take_not_understood())]


def _row(said: DaemonFact) -> str:
    if isinstance(said, FileNeed):
        return f"= files  {said.files} for {said.setting}  {said.at.path.rpartition('/')[2]}:{said.at.line}:{said.at.column}"
    if isinstance(said, NodeClaim):
        return f"% {said.claim}  {said.ports}  {'default' if said.is_default else said.at}"
    if isinstance(said, Outbound):
        named = said.decided_at or said.keepalive is None
        place = f"{said.at.path.rpartition('/')[2]}:{said.at.line}:{said.at.column}" if named else "default"
        kept = {
            True: "kept",
            False: "closed",
            None: "one for each client" if said.opened_for == "client" else f"from {said.source_address}",
        }
        return f"> {said.name}  {kept[said.keepalive]}  {place}"
    assert isinstance(said, Endpoint)
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
    blocks = _blocks(path.read_text())
    at = [place for place in range(0, len(blocks), 2) if _lines(blocks[place])][number]
    kept = [line for line in blocks[at].split("\n") if not line.startswith(("= ", "> ", "% ", "! ", "? "))]
    blocks[at] = "\n".join([*kept, *said])
    path.write_text("".join(blocks) + "\n")
