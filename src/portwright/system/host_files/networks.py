"""Addresses that the host's own network configuration names: they may come after a list of addresses was made, and go again."""

from collections.abc import Iterator

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
    ("/etc/keepalived", ".conf", False),
    ("/etc/keepalived/conf.d", ".conf", False),
)
_FILES = ("/etc/network/interfaces", "/etc/dhcpcd.conf", "/etc/vrrpd.conf", "/etc/ucarp.conf", "/var/lib/pacemaker/cib/cib.xml")
_COMMENTS = ("#", ";", "!", "<!--")
# Everything that cannot be part of an address parts words.
_PARTS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in ".:")}


def names_address(address: str, files: Files) -> bool:
    """Whether some file that configures interfaces or floating addresses has this address (canonical) in it, comments aside."""
    wanted = canonical(address)
    for path in _configs(files):
        source = files.read(path) if files.kind(path) == "file" else None
        for line in source.text.split("\n") if source is not None else ():
            if line.lstrip().startswith(_COMMENTS):
                continue
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
