"""Where connections go: whether the hosts a daemon connects to are this one."""

from collections.abc import Iterable

from portwright.system.host_files import names
from portwright.trees import Files


def are_loopback(hosts: Iterable[str], files: Files) -> bool | None:
    """Whether all these host names or addresses are loopback ones; None where that hangs on a name only DNS knows."""
    found: set[bool | None] = set()
    for host in hosts:
        known = names.addresses(host, files)
        found.add(all(address.startswith("127.") or address == "::1" for address in known) if known else None)
    return False if False in found else None if None in found else True
