"""Addresses that the host's own network configuration names: they may come after a list of addresses was made, and go again."""

from collections.abc import Iterator

from portwright.ip import ip_address
from portwright.source import Span
from portwright.system.host_files.names import canonical
from portwright.trees import Files

# (folder, ending of the files in it, with the drop-in folders of those files)
_FOLDERS = (
    ("/etc/network/interfaces.d", "", False),
    ("/etc/systemd/network", ".network", True),
    ("/run/systemd/network", ".network", True),
    ("/etc/netplan", ".yaml", False),
    ("/etc/NetworkManager/system-connections", "", False),
    ("/etc/sysconfig/network-scripts", "", False),
    ("/etc/wireguard", ".conf", False),
    ("/etc/libvirt/qemu/networks", ".xml", False),
    ("/etc/keepalived", ".conf", False),
    ("/etc/keepalived/conf.d", ".conf", False),
)
_FILES = (
    "/etc/network/interfaces",
    "/etc/dhcpcd.conf",
    "/etc/vrrpd.conf",
    "/etc/ucarp.conf",
    "/etc/ha.d/haresources",
    "/var/lib/pacemaker/cib/cib.xml",
)
# Software that gives an address to one machine of several at a time: keepalived, pacemaker, heartbeat, ucarp, vrrpd.
_OF_CLUSTERS = ("/etc/keepalived/", "/var/lib/pacemaker/", "/etc/ha.d/", "/etc/ucarp", "/etc/vrrpd")
ONLINE = ("network-online.target",)
WAIT_FOR_NETWORKD = (*ONLINE, "systemd-networkd-wait-online.service")
WAIT_FOR_MANAGER = (*ONLINE, "NetworkManager-wait-online.service")
"""The units that wait until networkd, and NetworkManager, have set what they are to set."""
# (folder, ending of the files that name addresses, what waits until they are set)
_SET_LATER = (
    ("/etc/netplan", ".yaml", (*WAIT_FOR_NETWORKD, WAIT_FOR_MANAGER[-1])),
    ("/etc/systemd/network", ".network", WAIT_FOR_NETWORKD),
    ("/etc/NetworkManager/system-connections", ".nmconnection", WAIT_FOR_MANAGER),
)
_COMMENTS = ("#", ";", "!", "<!--")
# Everything that cannot be part of an address parts words.
_PARTS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in ".:")}


def names_address(address: str, files: Files) -> bool:
    """Whether some file that configures interfaces or floating addresses has this address (canonical) in it, comments aside."""
    return any(_says(line, canonical(address)) for path in _configs(files) for _, line in numbered(path, files))


def floats(address: str, files: Files) -> Span | None:
    """Where software that moves addresses between machines is told to move this one (canonical), None where none is."""
    wanted = canonical(address)
    for path in _configs(files):
        if path.startswith(_OF_CLUSTERS):
            for at, line in _moved(path, files):
                if _says(line, wanted):
                    return at
    return None


def brought_up(address: str, files: Files) -> tuple[tuple[str, ...], Span] | None:
    """The units one of which brings up the interface with this address (canonical), and the line that says so; None where none does."""
    wanted = canonical(address) or address
    for path in (f"/etc/wireguard/{name}" for name in files.names("/etc/wireguard") if name.endswith(".conf")):
        for at, line in numbered(path, files):
            if line.strip().lower().startswith("address") and _says(line, wanted):
                return (f"wg-quick@{_stem(path)}.service",), at
    for folder, unit in (("/etc/openvpn/server", "openvpn-server@"), ("/etc/openvpn", "openvpn@")):
        for path in (f"{folder}/{name}" for name in files.names(folder) if name.endswith(".conf")):
            for at, line in numbered(path, files):
                words = line.split()
                # The server takes the first address of its network.
                if len(words) > 2 and words[0] == "server" and _follows(words[1], wanted):
                    return (f"{unit}{_stem(path)}.service",), at
    for path in (f"/etc/libvirt/qemu/networks/{name}" for name in files.names("/etc/libvirt/qemu/networks") if name.endswith(".xml")):
        for at, line in numbered(path, files):
            if "<ip " in line and _says(line, wanted):
                return ("libvirtd.service", "virtnetworkd.service"), at
    return None


def after_network(address: str, files: Files) -> tuple[tuple[str, ...], Span] | None:
    """The units that wait until the host's network software has given an address (canonical) to its interface, and the line that names it.

    networkd, NetworkManager, dhcpcd and ifupdown for an interface that is plugged in are told what to do when network.target is reached,
    and do it when the interface is up; an IPv6 address can be bound some seconds later still, when no other machine has answered for it.
    ifupdown sets those of interfaces that are `auto` before network.target, which what is ordered after nothing does not wait for.
    """
    wanted = canonical(address) or address
    for folder, ending, waits in _SET_LATER:
        for path in (f"{folder}/{name}" for name in files.names(folder) if name.endswith(ending)):
            for at, line in numbered(path, files):
                if _says(line, wanted) and not any(word in line.lower() for word in ("gateway", "dns", "route", "via")):
                    return waits, at
    for at, line in numbered("/etc/dhcpcd.conf", files):
        if line.split()[:1] == ["static"] and "ip_address=" in line.replace("ip6_address", "ip_address") and _says(line, wanted):
            return ONLINE, at
    return _by_ifupdown(wanted, files)


def _by_ifupdown(wanted: str, files: Files) -> tuple[tuple[str, ...], Span] | None:
    """The same of interfaces(5): an interface that is `allow-hotplug` is set up by a unit of its own, when the kernel has found it."""
    paths = ["/etc/network/interfaces"]
    paths += [f"/etc/network/interfaces.d/{name}" for name in files.names("/etc/network/interfaces.d")]
    lines = [(at, line, line.split()) for path in paths for at, line in numbered(path, files)]
    auto = {name for _, _, words in lines if words[:1] == ["auto"] for name in words[1:]}
    later = {name for _, _, words in lines if words[:1] == ["allow-hotplug"] for name in words[1:]} - auto
    interface = ""
    for at, line, words in lines:
        if words[:1] == ["iface"] and len(words) > 1:
            interface = words[1]
        elif words[:1] == ["address"] and _says(line, wanted):
            if interface in later:
                return (*ONLINE, f"ifup@{interface}.service"), at
            return (("networking.service", "network.target", *ONLINE), at) if interface in auto else None
    return None


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".conf")


def _follows(network: str, wanted: str) -> bool:
    try:
        return ip_address(network) + 1 == ip_address(wanted)
    except ValueError:
        return False


def _moved(path: str, files: Files) -> Iterator[tuple[Span, str]]:
    """The lines of a cluster's file that name addresses it moves: keepalived.conf and cib.xml name those of the machine, too."""
    if path.endswith("cib.xml"):
        yield from ((at, line) for at, line in numbered(path, files) if 'name="ip"' in line)
    elif not path.startswith("/etc/keepalived/"):
        yield from ((at, line) for at, line in numbered(path, files) if "src" not in line.lower())
    else:
        inside = False
        for at, line in numbered(path, files):
            inside = inside or line.lstrip().startswith("virtual_ipaddress")
            if inside:
                yield at, line
            inside = inside and "}" not in line


def numbered(path: str, files: Files) -> Iterator[tuple[Span, str]]:
    """The lines of a file, each with its place, comments left out; none of what is no file."""
    source = files.read(path) if files.kind(path) == "file" else None
    for number, line in enumerate(source.text.split("\n"), 1) if source is not None else ():
        if source is not None and not line.lstrip().startswith(_COMMENTS):
            yield Span(source.path, number, 1, number, len(line) + 1), line


def _says(line: str, wanted: str | None) -> bool:
    for word in line.translate(_PARTS).split():
        if ("." in word or ":" in word) and canonical(word.strip(".").removesuffix(":")) == wanted:
            return True
    return False


def _configs(files: Files) -> Iterator[str]:
    yield from _FILES
    for folder, ending, has_drop_ins in _FOLDERS:
        for name in files.names(folder):
            if name.endswith(ending) and not name.startswith("."):
                yield f"{folder}/{name}"
            elif has_drop_ins and name.endswith(f"{ending}.d"):
                yield from (f"{folder}/{name}/{each}" for each in files.names(f"{folder}/{name}") if each.endswith(".conf"))
