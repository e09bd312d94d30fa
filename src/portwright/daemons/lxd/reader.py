"""LXD and Incus: the name and DHCP servers that they start for bridges of their own.

What a bridge is told stands in a database. How its dnsmasq was started last stands beside it, in a file with the words of its command
line, which outlives the process.
"""

import re
from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons.dnsmasq.for_others import served
from portwright.facts import Endpoint, Invocation
from portwright.source import Source, Span
from portwright.system.host_files.names import is_address
from portwright.trees import Files

_STATES = ("/var/snap/lxd/common/lxd", "/var/lib/lxd", "/var/lib/incus")
_STARTED = "dnsmasq.pid"
_SERVER = "dnsmasq"
_OPTION = re.compile(r"--(listen-address|port|dhcp-range)(?:=|,\s)['\"]?([0-9a-fA-F.:]+)")
_MOST_NETWORKS = 200
_WHY = "lxd starts it for a network of its own"


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What the dnsmasq of each bridge listens on; which addresses a bridge has that was never started here, nobody knows."""
    return tuple(_of_networks(files))


def _of_networks(files: Files) -> Iterator[Endpoint]:
    for state in _STATES:
        folder = f"{state}/networks"
        names = files.names(folder) if files.kind(folder) == "directory" else ()
        for name in files.limited(names, _MOST_NETWORKS, "networks", lambda name: Span.whole(files.tree.label(folder))):  # noqa: B023
            path = f"{folder}/{name}/{_STARTED}"
            source = files.read(path) if files.kind(path) == "file" else None
            if source is not None and "--listen-address" in source.text:
                yield from _of_network(source, name)
            elif any(each.startswith(_SERVER) for each in files.names(f"{folder}/{name}")):
                at = Span.whole(files.tree.label(f"{folder}/{name}"))
                files.report_not_understood(at, f"the addresses on which lxd serves names for {name} are in its database")


def _of_network(source: Source, name: str) -> Iterator[Endpoint]:
    """Port 53 of every address of the bridge, unless it is told to answer no names, and DHCP where it has a range."""
    said = [(found[1], found[2], source.span(found.start(2), found.end(2))) for found in _OPTION.finditer(source.text)]
    answers = ("port", "0") not in [(key, value) for key, value, _ in said]
    for key, value, at in said:
        if key == "listen-address" and is_address(value):
            for protocol in ("tcp", "udp") if answers else ():
                yield served(at, protocol, value, 53, _WHY)
        elif key == "dhcp-range":
            six = ":" in value
            yield served(at, "udp", "::" if six else "0.0.0.0", 547 if six else 67, _WHY, name)  # noqa: S104
