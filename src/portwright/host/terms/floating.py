"""What rules may ask of a listener on an address that moves between machines."""

from portwright.facts import Listener
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.registry import Derived, fact_value


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
