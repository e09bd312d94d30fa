"""Where the rules of a host's firewall are kept: read for a plan that somebody reviews, and for nothing else."""

from collections.abc import Iterator
from contextlib import suppress

from portwright.source import Source
from portwright.trees import ReadError, Tree

# A folder's name ends in a slash.
_PLACES = (
    "/etc/nftables.conf", "/etc/nftables.d/", "/etc/nftables/", "/etc/iptables/", "/etc/ufw/", "/etc/ferm/", "/etc/shorewall/",
    "/etc/firewalld/zones/", "/etc/firewalld/policies/", "/etc/firewalld/services/", "/etc/sysconfig/iptables",
    "/etc/sysconfig/ip6tables", "/etc/sysconfig/nftables.conf",
)  # fmt: skip


def firewall_rules(tree: Tree) -> dict[str, Source]:
    """The files with rules of a firewall by path, without those that cannot be read."""
    return {source.path: source for place in _PLACES for source in _read(tree, place)}


def _read(tree: Tree, place: str) -> Iterator[Source]:
    with suppress(ReadError):
        for path in [f"{place}{name}" for name in tree.names(place.rstrip("/"))] if place.endswith("/") else [place]:
            if tree.kind(path) == "file" and (data := tree.read(path)) is not None:
                yield Source(path, data.decode("utf-8", "surrogateescape"))
