"""What an address itself makes of a bind(): whether the kernel knows the family, the interface and the address it names."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from portwright._start.records import dataclass
from portwright.facts import Confidence, Endpoint, Privileges, Sysctl
from portwright.host.join.privilege import Permission
from portwright.ip import ip_address
from portwright.source import Span
from portwright.system.host_files.captures import Address
from portwright.system.host_files.selinux import Enforced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from portwright.system.host_files.apparmor import Profile
    from portwright.system.host_files.leases import Lease

WILDCARDS = ("*", "0.0.0.0", "::")  # noqa: S104  these are compared, never bound
_LOOPBACK = "lo"
_LIMITED_BROADCAST = IPv4Address("255.255.255.255")
# Interfaces that software makes, and the networks it gives them unless it is told others: docker, tailscale, libvirt, podman, lxc.
_VIRTUAL = (
    "docker",
    "br-",
    "virbr",
    "veth",
    "tailscale",
    "wg",
    "tun",
    "tap",
    "cni",
    "podman",
    "lxc",
    "lxd",
    "incus",
    "zt",
    "flannel",
    "cali",
)
_OF_SOFTWARE = tuple(
    IPv4Network(each) for each in ("172.17.0.0/16", "100.64.0.0/10", "192.168.122.0/24", "10.88.0.0/16", "10.0.3.0/24", "10.8.0.0/24")
)
_LOOPBACK6 = IPv6Address("::1")


def _nowhere(address: str) -> Span | None:
    return None


def _by_nobody(address: str) -> "tuple[tuple[str, ...], Span] | None":
    return None


def _no_leases() -> "tuple[Lease, ...]":
    return ()


def _nobody(address: str) -> bool:
    return False


def _unconfined(program: str, named: str) -> "Profile | None":
    return None


def _everybody(user: str, address: str, port: int) -> bool:
    return True


@dataclass(frozen=True)
class BindContext:
    """What an endpoint meets on its host.

    `addresses` are those its interfaces have, None where nobody listed them. `no_ipv6` is the place that says the kernel was booted
    without IPv6; `no_ipv6_confidence` is *likely* where that is a file of the boot loader. `configured` says whether some network
    configuration of the host names an address, which may come and go; `floats` where a cluster moves it between machines,
    `brings` which units bring up the interface that has it, with the line; `leases` are those that get theirs by DHCP. `helped` says
    whether a helper that was asked to binds for a user, given address and port. `selinux` is there where its policy is enforced; `profile`
    gives the AppArmor profile that confines a program, or that a unit names for it.
    """

    sysctls: Mapping[str, Sysctl]
    addresses: tuple[Address, ...] | None = None
    no_ipv6: Span | None = None
    no_ipv6_confidence: Confidence = "certain"
    configured: Callable[[str], bool] = _nobody
    floats: Callable[[str], Span | None] = _nowhere
    brings: "Callable[[str], tuple[tuple[str, ...], Span] | None]" = _by_nobody
    leases: "Callable[[], tuple[Lease, ...]]" = _no_leases
    helped: Callable[[str, str, int], bool] = _everybody
    selinux: Enforced | None = None
    profile: "Callable[[str, str], Profile | None]" = _unconfined

    @cached_property
    def local(self) -> tuple[frozenset[IPv4Address], tuple[IPv4Network, ...]]:
        """The IPv4 addresses that are this host's, broadcast addresses among them, and the networks of which all are."""
        own: set[IPv4Address] = set()
        loopback: list[IPv4Network] = []
        for each in self.addresses or ():
            if each.family == "inet":
                network = IPv4Network((each.address, each.prefix), strict=False)
                own |= {IPv4Address(each.address)} | ({network.broadcast_address} if each.prefix < 31 else set())
                if each.interface == _LOOPBACK or network.is_loopback:
                    loopback.append(network)
        return frozenset(own), tuple(dict.fromkeys(loopback))

    def boot(self, key: str, default: str) -> str:
        """A kernel setting at boot."""
        found = self.sysctls.get(key)
        return default if found is None else found.boot


def literal(address: str) -> IPv4Address | IPv6Address | None:
    """An address without its scope, None for a name."""
    try:
        return ip_address(address.partition("%")[0])
    except ValueError:
        return None


def floating(endpoint: Endpoint, address: str, privileges: Privileges | None, context: BindContext) -> Span | None:
    """The line that moves an address between machines, where bind() needs the address to be here."""
    wanted = _needed(endpoint, address, privileges, context)
    return None if wanted is None else context.floats(wanted)


@dataclass(frozen=True, slots=True)
class Brought:
    """Which units one of which brings up the interface with an address, by which line, and how sure it is that this is by DHCP."""

    by: tuple[str, ...] = ()
    at: Span | None = None
    leased: Confidence | None = None


def brought(endpoint: Endpoint, address: str, privileges: Privileges | None, context: BindContext) -> Brought:
    """What brings up the interface with its address, where bind() needs the address to be here."""
    wanted = _needed(endpoint, address, privileges, context)
    if wanted is None:
        return Brought()
    found = context.brings(wanted)
    if found is not None:
        return Brought(*found)
    if ":" in wanted or context.configured(wanted):
        return Brought()
    # Where nobody listed the addresses, one that no file names may be that of a lease.
    interface = _interface_of(wanted, context) if context.addresses is not None else ""
    if interface is None or (not interface and any(IPv4Address(wanted) in network for network in _OF_SOFTWARE)):
        return Brought()
    lease = next((each for each in context.leases() if not interface or fnmatchcase(interface, each.interface)), None)
    if lease is None or interface.startswith(_VIRTUAL):
        return Brought()
    return Brought(lease.waits, lease.at, "likely" if interface else "possible")


def _is_of_lease(address: Address, leases: "tuple[Lease, ...]") -> bool:
    if address.family != "inet" or address.interface == _LOOPBACK or address.interface.startswith(_VIRTUAL):
        return False
    return any(fnmatchcase(address.interface, each.interface) for each in leases)


def _interface_of(address: str, context: BindContext) -> str | None:
    return next((each.interface for each in context.addresses or () if each.address == address), None)


def _needed(endpoint: Endpoint, address: str, privileges: Privileges | None, context: BindContext) -> str | None:
    """The one address that bind() needs an interface to have, None where it needs none."""
    wanted = literal(address)
    if wanted is None or wanted.is_unspecified or wanted.is_loopback or endpoint.free_bind:
        return None
    key = "net.ipv6.ip_nonlocal_bind" if wanted.version == 6 else "net.ipv4.ip_nonlocal_bind"
    if context.boot(key, "0") != "0" or (privileges is not None and privileges.private_network):
        return None
    return str(wanted)


def is_sure(endpoint: Endpoint, address: str, context: BindContext) -> bool:
    """Whether the address says enough to tell that it can be bound: nobody can for another host's, where no list has them."""
    wanted = literal(address)
    if address in WILDCARDS or endpoint.free_bind or context.addresses is not None or wanted is None:
        return True
    return wanted.is_loopback or wanted.is_multicast


def refusal(
    endpoint: Endpoint, address: str, v6only: bool | None, privileges: Privileges | None, context: BindContext
) -> Permission | None:
    """Why the kernel refuses this address, None where nothing speaks against it.

    `address` and `v6only` are settled; `power` is what the daemon is started with, None for PID 1 and where nobody starts it. Measured
    on Linux 6.18; the wildcards and ::ffff:1.2.3.4 need no IPv6 address, only the family.
    """
    six = ":" in address or address == "*"
    if six and context.no_ipv6 is not None:
        reason = "the kernel is booted without IPv6 (ipv6.disable=1), so socket() fails"
        return Permission(False, "EAFNOSUPPORT", reason, context.no_ipv6, context.no_ipv6_confidence)
    private = privileges is not None and privileges.private_network
    if endpoint.interface is not None and not private and not _is_interface(endpoint.interface, context):
        reason = f"no interface {endpoint.interface} is among those that have addresses"
        return Permission(False, "ENODEV", reason, endpoint.at, "likely")
    wanted = literal(address)
    if wanted is None or address in WILDCARDS or wanted.is_multicast:
        return None
    if isinstance(wanted, IPv6Address):
        return _refused6(endpoint, address, wanted, v6only, privileges, context)
    return _refused4(endpoint, address, wanted, privileges, context)


def _refused6(
    endpoint: Endpoint, address: str, wanted: IPv6Address, v6only: bool | None, privileges: Privileges | None, context: BindContext
) -> Permission | None:
    mapped = wanted.ipv4_mapped
    if mapped is not None:
        if v6only:
            reason = f"{address} stands for an IPv4 address, which an IPv6-only socket cannot use"
            return Permission(False, "EINVAL", reason, endpoint.at, "certain")
        return None if mapped.is_unspecified else _refused4(endpoint, address, mapped, privileges, context)
    scope = address.partition("%")[2] or endpoint.interface
    if wanted.is_link_local:
        if scope is None:
            reason = f"{address} is a link-local address, which is incomplete without its interface"
            return Permission(False, "EINVAL", reason, endpoint.at, "certain")
        return None  # made from the hardware address or at random: who moves the disk changes it
    if (privileges is not None and privileges.private_network) and wanted != _LOOPBACK6:
        return _in_own_network(endpoint, address, privileges)
    if (
        endpoint.free_bind
        or context.boot("net.ipv6.ip_nonlocal_bind", "0") != "0"
        or (privileges is not None and privileges.private_network)
    ):
        return None
    if context.addresses is None:
        return _without_ipv6_addresses(wanted, context)
    # Only ::1 has to be an address of the interface that a socket is tied to (ipv6_chk_addr() in net/ipv6/addrconf.c).
    anywhere = scope is None or wanted != _LOOPBACK6
    own = [each for each in context.addresses if each.family == "inet6"]
    if any(ip_address(each.address) == wanted and (anywhere or each.interface == scope) for each in own):
        return None
    if wanted == _LOOPBACK6 and not _has_loopback(context.addresses):
        return None
    return _missing(endpoint, address, wanted, context)


def _refused4(
    endpoint: Endpoint, address: str, wanted: IPv4Address, privileges: Privileges | None, context: BindContext
) -> Permission | None:
    if privileges is not None and privileges.private_network:
        return None if wanted.is_loopback else _in_own_network(endpoint, address, privileges)
    if endpoint.free_bind or context.boot("net.ipv4.ip_nonlocal_bind", "0") != "0" or context.addresses is None:
        return None
    if wanted == _LIMITED_BROADCAST or wanted.is_multicast or _is_local(wanted, context):
        return None
    if wanted.is_loopback and not _has_loopback(context.addresses):
        return None
    return _missing(endpoint, address, wanted, context)


def _missing(endpoint: Endpoint, address: str, wanted: IPv4Address | IPv6Address, context: BindContext) -> Permission:
    if context.configured(str(wanted)):
        # A floating address, or one that comes later than the list: at some boots it is there.
        return Permission(None, None, f"no interface has the address {address} yet, but network configuration names it", None, "likely")
    if wanted.version == 4 and (leases := context.leases()):
        waiting = not any(_is_of_lease(each, leases) for each in context.addresses or ())
        reason = f"no interface has the address {address}"
        if waiting:
            return Permission(None, None, f"{reason} yet, and none has one by DHCP", None, "likely")
        return Permission(False, "EADDRNOTAVAIL", f"{reason} now, and what they have by DHCP may change", endpoint.at, "likely")
    return Permission(False, "EADDRNOTAVAIL", f"no interface has the address {address}", endpoint.at, "certain")


def _in_own_network(endpoint: Endpoint, address: str, privileges: Privileges) -> Permission | None:
    """A network namespace that systemd makes has the loopback interface and no other; who may come to know one that others made."""
    if not any(text == "PrivateNetwork=yes" for text, _ in privileges.because) or endpoint.free_bind:
        return None
    at = next(at for text, at in privileges.because if text == "PrivateNetwork=yes")
    reason = f"PrivateNetwork= leaves it only the loopback interface, which does not have the address {address}"
    return Permission(False, "EADDRNOTAVAIL", reason, at, "likely")


def _without_ipv6_addresses(wanted: IPv6Address, context: BindContext) -> Permission | None:
    """disable_ipv6 takes an interface its IPv6 addresses, ::1 too; bind() to :: goes on working."""
    everywhere = context.sysctls.get("net.ipv6.conf.all.disable_ipv6")
    loopback = context.sysctls.get("net.ipv6.conf.lo.disable_ipv6")
    if wanted == _LOOPBACK6 and loopback is not None and not loopback.is_default:
        off: Sysctl | None = loopback
    else:
        off = everywhere
    if off is None or off.boot in ("", "0"):
        return None
    if wanted != _LOOPBACK6 and any(_is_interfaces_own(key) and found.boot == "0" for key, found in context.sysctls.items()):
        return None
    reason = f"{off.key} is {off.boot}, so no interface has the address {wanted}"
    return Permission(False, "EADDRNOTAVAIL", reason, off.at, "likely")


def _is_interfaces_own(key: str) -> bool:
    return key.startswith("net.ipv6.conf.") and key.endswith(".disable_ipv6") and key.split(".")[3] not in ("all", "default", "lo")


def _is_interface(name: str, context: BindContext) -> bool:
    """An interface without any address is in no list of addresses; it is of no use to a listener either."""
    return context.addresses is None or name == _LOOPBACK or any(each.interface == name for each in context.addresses)


def _has_loopback(addresses: tuple[Address, ...]) -> bool:
    """Whether the list was made with the loopback interface in it: some leave it out, though every host has it."""
    return any(each.interface == _LOOPBACK or each.address.startswith("127.") for each in addresses)


def _is_local(wanted: IPv4Address, context: BindContext) -> bool:
    """An address of an interface, the broadcast address of its network, or any of a network on the loopback interface."""
    own, loopback = context.local
    return wanted in own or any(wanted in network for network in loopback)
