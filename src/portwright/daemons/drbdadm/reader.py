"""DRBD: the kernel's TCP sockets for the resources that drbdadm brings up."""

from collections.abc import Iterator

from portwright.daemons import Packages
from portwright.facts import Endpoint, Invocation
from portwright.formats import braces
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_CONFIG = "/etc/drbd.conf"
# `start` is that of the script that brings up all; the shim of its units hands on the words.
_BRING_UP = frozenset(("up", "adjust", "adjust-with-progress", "connect", "new-peer", "start"))
_MOST_FILES = 500
_WHY = "the kernel binds it for the DRBD resource"
_FAMILIES = frozenset(("ipv4", "ipv6"))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[Endpoint, ...]:
    """What `drbdadm up all` has the kernel open: the address of this host in each resource, whose blocks are named by host."""
    words = [word.text for word in invocation.argv[1:]]
    config = next((words[place + 1] for place, word in enumerate(words[:-1]) if word in ("-c", "--config-file")), _CONFIG)
    names = [word for word in words if not word.startswith("-") and word != config]
    if not names or names[0] not in _BRING_UP:
        return ()
    if files.kind(config) != "file":
        files.report_not_understood(invocation.at, f"{config} is not among the files, so the ports of its resources are not known")
        return ()
    wanted = frozenset(name.partition(":")[0].partition("/")[0] for name in names[1:])
    host = _host(files)
    found: dict[tuple[str, int], Endpoint] = {}
    for resource in _resources(config, files):
        name = resource.values[0].text if resource.values else ""
        if not wanted or "all" in wanted or name in wanted:
            for endpoint in _opened(resource, host):
                found.setdefault((endpoint.address, *endpoint.ports), endpoint)
    return tuple(found.values())


def _host(files: Files) -> str | None:
    """The host's name as hostname(5) has it; None where the file does not say."""
    source = files.read("/etc/hostname")
    lines = (line.strip() for line in (source.text.split("\n") if source is not None else ()))
    return next((line for line in lines if line and not line.startswith("#")), None)


def _resources(config: str, files: Files) -> Iterator[Node]:
    """The resources of a config and of what it includes, relative to the file that includes it."""
    left, seen = [config], set[str]()
    while left:
        path = left.pop(0)
        source = files.read(path) if path not in seen and files.kind(path) == "file" else None
        seen.add(path)
        if source is None:
            continue
        for node in braces.parse(source, braces.NAMED)[0]:
            if node.key.text == "resource":
                yield node
            elif node.key.text == "include" and node.values:
                pattern = node.values[0].text
                try:
                    paths = expand(pattern if pattern.startswith("/") else f"{path.rpartition('/')[0]}/{pattern}", files)
                except TooMany:
                    files.report_not_understood(node.key.at, f"{pattern} matches too many files")
                    continue
                left += files.limited(paths, _MOST_FILES, "files of DRBD", Span.whole)


def _opened(resource: Node, host: str | None) -> Iterator[Endpoint]:
    """`on HOST { address A:P; }`, and of DRBD 9 `connection { host HOST address A:P; }`; without the host's name, each may be its own."""
    for block in resource.children:
        key = block.key.text
        if key == "on" and (host is None or host in {word.text for word in block.values}):
            for line in block.children:
                if line.key.text == "address":
                    yield from _bound(line.values, sure=host is not None)
        elif key == "floating":
            yield from _bound(block.values, sure=False)
        elif key == "connection":
            for line in block.children:
                words = line.values
                if line.key.text == "host" and len(words) > 2 and words[1].text == "address" and host in (None, words[0].text):
                    yield from _bound(words[2:], sure=host is not None)


def _bound(words: tuple[Word, ...], *, sure: bool) -> Iterator[Endpoint]:
    given = [word for word in words if word.text not in _FAMILIES]
    if not given:
        return
    address, _, digits = given[0].text.rpartition(":")
    port = decimal(digits, 65535)
    if not address or not port:
        return
    yield Endpoint(
        at=given[0].at,
        app="drbdadm",
        protocol="tcp",
        address=address.strip("[]"),
        ports=PortSet.of(port),
        origin="directive",
        reuse_address=True,
        confidence="likely" if sure else "possible",
        why=_WHY if sure else f"{_WHY}, where the address is this host's",
    )
