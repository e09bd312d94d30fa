"""Interfaces that get their addresses by DHCP: which address that will be no file says, nor when it comes."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.source import Span
from portwright.system.host_files.networks import ONLINE, WAIT_FOR_MANAGER, WAIT_FOR_NETWORKD, numbered
from portwright.trees import Files

_NETPLAN = ("dhcp4: true", "dhcp4: yes", "dhcp4: on")
_NETWORKD = frozenset(("yes", "true", "on", "1", "both", "ipv4", "v4"))
_ENABLED = tuple(f"/etc/systemd/system/multi-user.target.wants/{name}.service" for name in ("dhcpcd", "dhcpcd5"))
_OF_SCRIPTS = "/etc/sysconfig/network-scripts"
_SCRIPTS_RUN = ("/etc/rc.d/rc3.d/S10network", "/etc/rc3.d/S10network")  # ifup of initscripts waits for the lease


@dataclass(frozen=True, slots=True)
class Lease:
    """One interface, or a pattern of them, that gets an address by DHCP; `waits` are units that end when it has one, the first best."""

    interface: str
    at: Span
    waits: tuple[str, ...]


def leases(files: Files) -> tuple[Lease, ...]:
    """What networkd, netplan, NetworkManager, initscripts' files, ifupdown and dhcpcd get an IPv4 address for."""
    found = (*_netplan(files), *_networkd(files), *_connections(files), *_network_scripts(files), *_ifupdown(files))
    return found or tuple(_dhcpcd(files))


def _netplan(files: Files) -> Iterator[Lease]:
    for path in _in("/etc/netplan", ".yaml", files):
        for at, line in numbered(path, files):
            if line.strip().lower().startswith(_NETPLAN):
                yield Lease("*", at, (*WAIT_FOR_NETWORKD, WAIT_FOR_MANAGER[-1]))


def _networkd(files: Files) -> Iterator[Lease]:
    for path in _in("/etc/systemd/network", ".network", files):
        names: list[str] = []
        asked: list[Span] = []
        for at, line in numbered(path, files):
            key, _, value = (part.strip() for part in line.partition("="))
            if key == "Name":
                names += value.split()
            elif key == "DHCP" and value.lower() in _NETWORKD:
                asked.append(at)
        yield from (Lease(name, asked[-1], WAIT_FOR_NETWORKD) for name in names or ["*"] if asked)


def _connections(files: Files) -> Iterator[Lease]:
    for path in _in("/etc/NetworkManager/system-connections", ".nmconnection", files):
        section, name, asked = "", "*", None
        for at, line in numbered(path, files):
            text = line.strip()
            key, _, value = (part.strip() for part in text.partition("="))
            if text.startswith("["):
                section = text
            elif section == "[connection]" and key == "interface-name":
                name = value
            elif section == "[ipv4]" and key == "method":
                asked = at if value == "auto" else None
        if asked is not None:
            yield Lease(name, asked, WAIT_FOR_MANAGER)


def _network_scripts(files: Files) -> Iterator[Lease]:
    if any(files.kind(path) is not None for path in _SCRIPTS_RUN):
        return
    for path in _in(_OF_SCRIPTS, "", files):
        name = path.rpartition("/ifcfg-")[2]
        for at, line in numbered(path, files):
            key, _, value = line.strip().partition("=")
            if key == "BOOTPROTO" and value.strip("\"'").lower() == "dhcp" and name != path:
                yield Lease(name, at, WAIT_FOR_MANAGER)


def _ifupdown(files: Files) -> Iterator[Lease]:
    """interfaces(5): of an interface that is `auto` ifup waits for the lease, and network.target for ifup."""
    paths = ("/etc/network/interfaces", *_in("/etc/network/interfaces.d", "", files))
    lines = [(at, line.split()) for path in paths for at, line in numbered(path, files)]
    auto = {name for _, words in lines if words[:1] == ["auto"] for name in words[1:]}
    later = {name for _, words in lines if words[:1] == ["allow-hotplug"] for name in words[1:]} - auto
    for at, words in lines:
        if words[:1] == ["iface"] and words[2:4] == ["inet", "dhcp"]:
            if words[1] in later:
                yield Lease(words[1], at, (*ONLINE, f"ifup@{words[1]}.service"))
            elif words[1] in auto:
                yield Lease(words[1], at, ("networking.service", "network.target", *ONLINE))


def _dhcpcd(files: Files) -> Iterator[Lease]:
    """dhcpcd.conf(5): every interface but those that have a static address or are denied."""
    path = "/etc/dhcpcd.conf"
    started = any(files.kind(each) is not None for each in _ENABLED)
    if files.kind(path) != "file" or not (started or not _has_others(files)):
        return
    lines = [(at, line.split()) for at, line in numbered(path, files)]
    if not lines or any(words[:1] in (["denyinterfaces"], ["allowinterfaces"]) or words == ["nodhcp"] for _, words in lines):
        return
    if not any(words[:1] == ["static"] and words[1:] and words[1].startswith("ip_address=") for _, words in lines):
        yield Lease("*", lines[0][0], ONLINE)


def _has_others(files: Files) -> bool:
    """Whether other network software has a file of its own: dhcpcd is only its client then, or unused."""
    paths = ("/etc/network/interfaces", *_in("/etc/network/interfaces.d", "", files))
    interfaces = (words for path in paths for _, line in numbered(path, files) if (words := line.split())[:1] == ["iface"])
    folders = (("/etc/netplan", ".yaml"), ("/etc/systemd/network", ".network"), ("/etc/NetworkManager/system-connections", ""))
    return any(words[1:2] != ["lo"] for words in interfaces) or any(True for each in folders for _ in _in(*each, files))


def _in(folder: str, ending: str, files: Files) -> tuple[str, ...]:
    return tuple(f"{folder}/{name}" for name in files.names(folder) if name.endswith(ending))
