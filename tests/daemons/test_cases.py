"""Hosts as folders: a configuration as its host has it, and beside it, row by row, what nginx or haproxy says with it.

`started` says how, a line each: `command ARGV`, `user NAME`, `environment NAME VALUE`, `package NAME VERSION`, or `alone PATH` for one
file read on its own. `expected` holds a row for each socket, upstream and trouble, with its place. ACCEPT=1 writes it anew.
"""

import os
from pathlib import Path

import pytest

from portwright._start.records import replace
from portwright.daemons import DaemonFact, FragmentReader, Reader
from portwright.daemons.haproxy import reader as haproxy
from portwright.daemons.nginx import reader as nginx
from portwright.facts import Endpoint, FileNeed, Outbound, Privileges
from portwright.source import Span
from portwright.trees import Files
from tests.daemons.by_hand import host_of, invocation

HERE = Path(__file__).parent
READERS: dict[str, tuple[Reader, FragmentReader, str]] = {
    "nginx": (nginx.read, nginx.read_fragment, "/usr/sbin/nginx"),
    "haproxy": (haproxy.read, haproxy.read_fragment, "/usr/sbin/haproxy"),
}
CASES = sorted(str(path.relative_to(HERE)) for daemon in READERS for path in (HERE / daemon).iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES)
def test_a_configuration_says_what_is_expected(case: str) -> None:
    folder = HERE / case
    files = host_of(
        {f"/{path.relative_to(folder)}": path.read_text() for path in folder.rglob("*") if path.is_file() and path.parent != folder}
    )
    said = _said(folder, files)
    rows = [*map(_row, said), *(f"trouble  {_place(trouble.at)}  {trouble.reason}" for trouble in files.unreadable)]
    expected = folder / "expected"
    if os.environ.get("ACCEPT"):
        expected.write_text("".join(f"{row}\n" for row in rows))

    assert expected.read_text().splitlines() == rows


def _said(folder: Path, files: Files) -> tuple[DaemonFact, ...]:
    read, fragment, command = READERS[folder.parent.name]
    started = folder / "started"
    privileges = Privileges()
    environment: dict[str, str] = {}
    packages: dict[str, str] = {}
    for line in started.read_text().splitlines() if started.exists() else ():
        match line.split(" "):
            case ["command", *words]:
                command = " ".join(words)
            case ["user", user]:
                privileges = Privileges(user=user, uid0=False)
            case ["environment", name, value]:
                environment[name] = value
            case ["package", name, version]:
                packages[name] = version
            case ["alone", path]:
                return fragment(path, files, packages)
            case _:
                raise ValueError(line)
    return read(replace(invocation(command, environment), privileges=privileges), files, packages)


def _row(said: DaemonFact) -> str:
    match said:
        case Endpoint():
            words = [said.protocol, said.address, str(said.ports) or "random", said.origin]
            if ":" in said.address:
                words.append({True: "v6only", False: "dual", None: "bindv6only decides"}[said.v6only])
            words += ["reuseport"] if said.reuse_port else []
            words += ["free-bind"] if said.free_bind else []
            words += [f"interface {said.interface}"] if said.interface else []
            assert said.reuse_address is True
        case Outbound():
            kept = {True: "kept", False: "closed", None: "unknown"}[said.keepalive]
            local = {True: "loopback", False: "remote", None: "anywhere"}[said.loopback]
            words = [said.name, kept, f"{said.servers} {local}"]
            words += [f"from {said.source_address}"] if said.source_address else []
            words += [f"({said.why}"[:400] + ")"] if said.why else []
            words += [f"decided at {_place(said.decided_at)}"] if said.decided_at else []
        case FileNeed():
            words = [f"{said.setting} {said.connections}", f"{said.files} files", f"raised: {said.raises}"]
            words += [f"{said.own[0]} {said.own[1].value} at {_place(said.own[1].at)}"] if said.own else []
        case _:
            raise TypeError(f"no case can show a {type(said).__name__}")
    words += [said.confidence] if said.confidence != "certain" else []
    return f"{type(said).__name__.lower()}  {_place(said.at)}  {'  '.join(words)}"


def _place(at: Span) -> str:
    return f"{at}-{at.end_column}" if at.line == at.end_line else f"{at}-{at.end_line}:{at.end_column}"
