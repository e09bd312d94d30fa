"""What rules may ask of a listener on an address that moves between machines."""

from portwright.facts import Listener
from portwright.finding import Note
from portwright.host import Host
from portwright.host.join.addresses import literal
from portwright.host.terms.registry import Derived, fact_value

_OF_OTHERS = ("/usr/", "/lib/", "/run/")  # the lines of packages and of generators


@fact_value("listener", "floating-address")
def floating_address(host: Host, listener: Listener) -> Derived[bool]:
    """Whether a cluster moves its address between machines, and it can be bound only where the address is at the moment."""
    if listener.floats_at is None:
        return Derived(False)
    # Which machine has the address when the service starts is decided while they run.
    return Derived(True, (Note("this moves the address between machines", listener.floats_at),), "likely")


@fact_value("listener", "nonlocal-setting")
def nonlocal_setting(host: Host, listener: Listener) -> Derived[str]:
    """The kernel setting that lets its family bind addresses the host does not have."""
    return Derived("net.ipv6.ip_nonlocal_bind" if ":" in listener.address else "net.ipv4.ip_nonlocal_bind")


@fact_value("listener", "later-interface")
def later_interface(host: Host, listener: Listener) -> Derived[tuple[str, ...]]:
    """The unit that brings up the interface with its address at boot, where its own is not ordered after that."""
    own = host.unit(listener.unit)
    if not listener.brought_by or own is None or own.starts != "boot":
        return Derived(())
    before = host.order.get(own.name, frozenset())
    found = [unit for name in listener.brought_by if (unit := host.unit(name)) is not None and unit.starts == "boot"]
    if not found or any(unit.name in before for unit in found) or listener.unit in listener.brought_by:
        return Derived(())
    said = f"{found[0].name} brings up the interface with this address"
    return Derived((found[0].name,), (Note(said, listener.brought_at),), "likely")


@fact_value("listener", "waits-for-no-network")
def waits_for_no_network(host: Host, listener: Listener) -> Derived[bool]:
    """Whether a .socket unit of an administrator binds one address of the machine and is ordered after nothing that gives it the address.

    systemd starts socket units before basic.target, and what sets addresses comes after it, or takes its time.
    """
    unit = host.unit(listener.unit)
    if unit is None or unit.kind != "socket" or unit.starts not in ("boot", None) or listener.free_bind:
        return Derived(False)
    if listener.floats_at is not None or later_interface(host, listener).value:
        return Derived(False)  # other rules say it
    address = literal(listener.address)
    if address is None or address.is_unspecified or address.is_loopback or address.is_multicast:
        return Derived(False)
    if listener.at.path.startswith(_OF_OTHERS):
        return Derived(False)
    setting = host.sysctl("net.ipv6.ip_nonlocal_bind" if address.version == 6 else "net.ipv4.ip_nonlocal_bind")
    if setting is not None and setting.boot != "0":
        return Derived(False)
    named = {word for key in ("After", "Requires", "BindsTo") for line in unit.lines("Unit", key) for word in line.value.split()}
    if any(_sets_addresses(name) for name in (*named, *host.order.get(unit.name, ()))):
        return Derived(False)
    return Derived(True, (Note("the address is named here, and no FreeBind=", listener.at),), "likely")


def _sets_addresses(unit: str) -> bool:
    """Whether a unit waits for addresses or sets them: the targets of the network, what waits for them, an interface, a script."""
    return unit.startswith(("network", "sys-subsystem-net-devices-", "cloud-")) or "wait-online" in unit or "@" in unit
