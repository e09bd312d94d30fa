"""An endpoint a daemon names, joined with sysctls, privileges and addresses, becomes a Listener: who binds it, and may they."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from portwright.facts import Confidence, Endpoint, Invocation, Listener, Privileges, Starts, Sysctl, Unit, weakest
from portwright.host.privilege import Permission, may_bind

WILDCARDS = ("*", "0.0.0.0", "::")  # noqa: S104  these are compared, never bound
_PRIVATE_START = 1024  # a new network namespace starts from the kernel's own defaults, not from the host's sysctl.d


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an endpoint meets on its host: settled kernel settings, and the addresses its interfaces have (None: nobody said)."""

    sysctls: Mapping[str, Sysctl]
    addresses: tuple[tuple[str, str], ...] | None = None
    """(address, "address/prefix") pairs as `ip -o addr` prints them."""

    def boot(self, key: str, default: str) -> str:
        found = self.sysctls.get(key)
        return default if found is None else found.boot


def listener(endpoint: Endpoint, invocation: Invocation | None, around: Surroundings) -> Listener | None:
    """The listener that follows from an endpoint of an invocation (None: a config nobody starts, as a repository's fragment).

    None for an optional endpoint whose address no interface has: the daemon goes on without it.
    """
    address, v6only = _family(endpoint, around)
    private = invocation is not None and invocation.privileges.private_network
    missing = _missing_address(endpoint, address, private, around)
    if missing is not None and endpoint.optional:
        return None
    confidence: Confidence = endpoint.confidence
    starts: Starts | None = "demand" if endpoint.on_demand else None
    why = endpoint.why
    user: str | None = None
    permission = Permission(None, None, "nothing says who starts it", None, "likely")
    if invocation is not None:
        confidence = weakest(confidence, invocation.confidence)
        starts, why = _starts(endpoint, invocation)
        user = endpoint.binds_as or bind_user(invocation.privileges, invocation.unit)
        permission = _permission(endpoint, address, invocation.privileges, private, around)
    if missing is not None and permission.allowed is not False:
        permission = missing
    if permission.allowed is False:
        confidence = weakest(confidence, permission.confidence)
    return Listener(
        at=endpoint.at,
        app=endpoint.app,
        unit=invocation.unit if invocation else None,
        protocol=endpoint.protocol,
        address=address,
        ports=endpoint.ports,
        origin=endpoint.origin,
        starts=starts,
        why=why,
        random=endpoint.random,
        private_network=private,
        bind_user=user,
        can_bind=permission.allowed,
        error=permission.error,
        because=permission.reason if permission.allowed is not True else "",
        because_at=permission.at if permission.allowed is not True else None,
        reuse_address=endpoint.reuse_address,
        reuse_port=endpoint.reuse_port,
        v6only=v6only,
        free_bind=endpoint.free_bind,
        interface=endpoint.interface,
        confidence=confidence,
    )


def socket_listener(endpoint: Endpoint, unit: Unit, activates: str | None, around: Surroundings) -> Listener:
    """The listener PID 1 opens for a .socket unit: bound as root, handed to the service it activates."""
    address, v6only = _family(endpoint, around)
    missing = _missing_address(endpoint, address, False, around)
    return Listener(
        at=endpoint.at,
        app=endpoint.app,
        unit=unit.name,
        activates=activates,
        protocol=endpoint.protocol,
        address=address,
        ports=endpoint.ports,
        origin=endpoint.origin,
        starts=unit.starts,
        why=unit.why,
        bind_user="root",
        can_bind=missing is None,
        error=missing.error if missing else None,
        because=missing.reason if missing else "",
        because_at=missing.at if missing else None,
        reuse_address=endpoint.reuse_address,
        reuse_port=endpoint.reuse_port,
        v6only=v6only,
        free_bind=endpoint.free_bind,
        interface=endpoint.interface,
        confidence=endpoint.confidence,
    )


def bind_user(privileges: Privileges, unit: str | None) -> str:
    """Who calls bind(): systemd names a dynamic user after the unit (systemd.exec(5), DynamicUser=)."""
    if privileges.dynamic and privileges.user == "dynamic" and unit:
        return unit.rpartition(".")[0].partition("@")[0]
    return privileges.user


def _starts(endpoint: Endpoint, invocation: Invocation) -> tuple[Starts | None, str]:
    if endpoint.on_demand and invocation.starts in ("boot", None):
        return "demand", endpoint.why or "bound only while in use"
    return invocation.starts, invocation.why


def _family(endpoint: Endpoint, around: Surroundings) -> tuple[str, bool | None]:
    """(address, v6only) settled: a `::` socket is dual-stack unless the daemon or net.ipv6.bindv6only says otherwise."""
    if endpoint.address == "*":
        return "*", False
    if ":" not in endpoint.address:
        return endpoint.address, None
    only = endpoint.v6only
    if only is None:
        only = around.boot("net.ipv6.bindv6only", "0") == "1"
    if endpoint.address == "::" and not only:
        return "*", False
    return endpoint.address, only


def _permission(endpoint: Endpoint, address: str, privileges: Privileges, private: bool, around: Surroundings) -> Permission:
    if endpoint.binds_as == "root" and not privileges.uid0:
        # A setuid helper or PID 1 binds for it; what the unit's user may do does not matter.
        return Permission(True, None, "", None, "likely")
    port = endpoint.ports.low
    if port is None:
        port = 65535  # the kernel picks from the ephemeral range, which is never privileged
    start = _PRIVATE_START if private else int(around.boot("net.ipv4.ip_unprivileged_port_start", "1024"))
    family: Literal["inet", "inet6"] = "inet6" if ":" in address or address == "*" else "inet"
    return may_bind(privileges, family, endpoint.protocol, port, start)


def _missing_address(endpoint: Endpoint, address: str, private: bool, around: Surroundings) -> Permission | None:
    """EADDRNOTAVAIL for an address no interface has, None where bind() finds it; nothing is claimed where nobody listed them."""
    if address in WILDCARDS or around.addresses is None or endpoint.free_bind or private:
        return None
    try:
        # A scope (`%eth0`) narrows an address, it is not part of it.
        wanted = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if wanted.is_link_local or wanted.is_multicast or _nonlocal_bind(wanted.version, around) or _is_local(str(wanted), around.addresses):
        return None
    reason = f"no interface has the address {address}"
    return Permission(False, "EADDRNOTAVAIL", reason, endpoint.at, "certain")


def _nonlocal_bind(version: int, around: Surroundings) -> bool:
    return around.boot(f"net.ipv{version}.ip_nonlocal_bind", "0") != "0"


def _is_local(wanted: str, addresses: tuple[tuple[str, str], ...]) -> bool:
    address = ip_address(wanted)
    for own, network in addresses:
        if ip_address(own) == address:
            return True
        # Every address of a network on a loopback interface is local: 127.0.0.2 binds although only 127.0.0.1/8 is listed.
        block = ip_network(network, strict=False)
        if block.is_loopback and block.version == address.version and address in block:
            return True
    return False


