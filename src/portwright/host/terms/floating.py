"""What rules may ask of a listener on an address that moves between machines."""

from portwright.facts import Confidence, Listener, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.join.addresses import literal
from portwright.host.terms.registry import Derived, fact_value

_ONLINE = "network-online.target"
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
    if not listener.brought_by or _is_plain(listener):
        return Derived(())
    found = _not_waited_for(host, listener)
    said = f"{found[0]} brings up the interface with this address" if found else ""
    return Derived(found, (Note(said, listener.brought_at),), "likely") if found else Derived(())


@fact_value("listener", "later-address")
def later_address(host: Host, listener: Listener) -> Derived[tuple[str, ...]]:
    """The unit that waits for the host's network software to have set its address, an IPv4 one, where its own is not ordered after that.

    Of a race; where it is lost, systemd may start the service again.
    """
    if not listener.brought_by or not _is_plain(listener):
        return Derived(())
    own = host.unit(listener.unit)
    if own is None or own.kind != "service" or own.starts != "boot" or listener.at.path.startswith(_OF_OTHERS):
        return Derived(())
    before = {*_named_before(own), *host.order.get(own.name, ())}
    if any(map(_waits_for_addresses, before)) or not before.isdisjoint(listener.brought_by):
        return Derived(())
    if listener.traits.awaits_address:
        return Derived(())
    # Nothing may start the target, which is as good as waiting for nothing.
    found = _not_waited_for(host, listener) or ((_ONLINE,) if listener.brought_by[0] == _ONLINE else ())
    how = (
        "is set"
        if listener.leased is None
        else "comes by DHCP, as no file names it,"
        if listener.leased == "likely"
        else "may come by DHCP"
    )
    note = Note(f"the address {how} when the interface is there", listener.brought_at)
    sure: Confidence = "possible" if _is_started_again(own) or listener.leased == "possible" else "likely"
    return Derived(found, (note,), sure) if found else Derived(())


def _is_plain(listener: Listener) -> bool:
    """Whether its address, an IPv4 one, is one that the network software sets as soon as the interface is there."""
    return ":" not in listener.address and _ONLINE in listener.brought_by


def _not_waited_for(host: Host, listener: Listener) -> tuple[str, ...]:
    """The first of the units that bring its address, of those that start at boot, where its own starts then and waits for none of them."""
    own = host.unit(listener.unit)
    if own is None or own.starts != "boot" or listener.traits.awaits_address or own.name in listener.brought_by:
        return ()
    before = host.order.get(own.name, frozenset())
    if any(name in before for name in listener.brought_by):
        return ()
    return tuple(name for name in listener.brought_by if (unit := host.unit(name)) is not None and unit.starts == "boot")[:1]


def _named_before(unit: Unit) -> set[str]:
    """What its own lines order before it, known on this host or not."""
    return {word for key in ("After", "Requires", "BindsTo") for line in unit.lines("Unit", key) for word in line.value.split()}


def _waits_for_addresses(unit: str) -> bool:
    """Whether what is ordered after this unit finds the addresses of the network set."""
    return unit == _ONLINE or "wait-online" in unit or unit.startswith(("ifup@", "cloud-final", "sys-subsystem-net-devices-"))


def _is_started_again(unit: Unit) -> bool:
    said = unit.value("Service", "Restart")
    return said is not None and said.value not in ("no", "on-success", "on-abort", "on-watchdog")


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
    if any(_sets_addresses(name) for name in (*_named_before(unit), *host.order.get(unit.name, ()))):
        return Derived(False)
    return Derived(True, (Note("the address is named here, and no FreeBind=", listener.at),), "likely")


def _sets_addresses(unit: str) -> bool:
    """Whether a unit waits for addresses or sets them: the targets of the network, what waits for them, an interface, a script."""
    return unit.startswith(("network", "sys-subsystem-net-devices-", "cloud-")) or "wait-online" in unit or "@" in unit
