"""sapstartsrv: the number of its instance, in the profile it is given, makes the two ports of SAP's start service."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import grammars
from portwright.facts import Endpoint, Invocation
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files import names
from portwright.trees import Files

_PORTS = (("sapctrl", 50_013), ("sapctrls", 50_014))
_OF_NAME = lazy_regex(r"_[A-Z]+([0-9]{2})(?:_|$)")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """HTTP at 5NN13 and HTTPS at 5NN14 of instance NN, unless /etc/services names others; the host agent has no instance."""
    profile = next((word for word in invocation.argv[1:] if word.text.startswith("pf=")), None)
    if profile is None:
        return ()
    return tuple(_of_instance(profile, invocation, files))


def _of_instance(profile: Word, invocation: Invocation, files: Files) -> Iterator[Endpoint]:
    path = invocation.path(profile.text[3:])
    source = files.read(path) if files.kind(path) == "file" else None
    said = None
    if source is not None:
        nodes, _ = grammars.parse("assignments", source)
        said = next((node.words[0] for node in reversed(nodes) if node.key.text == "SAPSYSTEM" and node.words), None)
    named = _OF_NAME.search(path.rpartition("/")[2])
    instance = said.text if said is not None else named[1] if named is not None else ""
    number = decimal(instance, 99)
    if number is None or len(instance) != 2:
        return
    for name, first in _PORTS:
        port = names.port(f"{name}{instance}", "tcp", files) or first + 100 * number
        yield Endpoint(
            at=said.at if said is not None else profile.at,
            app="sapstartsrv",
            protocol="tcp",
            address="*",
            ports=PortSet.of(port),
            origin="inferred",
            confidence="likely",
            why="its ports are made of the number of the instance",
        )
