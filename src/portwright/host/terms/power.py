"""What rules may ask of the power behind a listener: what its unit may do, and what it needs to."""

from portwright.facts import NET_BIND_SERVICE, Confidence, Listener, Privileges
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.host import low_ports
from portwright.host.terms.listener import socket
from portwright.host.terms.registry import Derived, fact_value
from portwright.ports import PortSet, union

# A new network namespace starts from the kernel's own defaults, not from the host's sysctl.d (kernel-tested: net/ipv4/af_inet.c).
_PRIVATE_START = 1024
_MOST_NAMED = 6  # capabilities in a sentence


@fact_value("listener", "grantable-unit")
def grantable_unit(host: Host, listener: Listener) -> Derived[str | None]:
    """The unit that binds once it is given CAP_NET_BIND_SERVICE; unknown where the capability would not help.

    It helps a root unit where its bounding set lacks it. It does not help in a private user namespace (the capability counts only inside),
    nor for a program with file capabilities (they clear the ambient ones, capabilities(7)), nor where the program becomes another user.
    """
    found = _privileges(host, listener)
    if found is None or (found.uid0 and (found.bounding is None or NET_BIND_SERVICE in found.bounding)):
        return Derived(None)
    if listener.user_namespace or found.private_users or found.noroot or found.fails or found.denied_call:
        return Derived(None)
    if any(text.startswith("switches to ") for text, _ in found.because):
        return Derived(None)
    return Derived(None if _has_power_by_file(found) else listener.unit)


@fact_value("listener", "limitable-unit")
def limitable_unit(host: Host, listener: Listener) -> Derived[str | None]:
    """The unit whose powers a bounding set limits; unknown where its command is started with full privileges (`+`)."""
    unit = host.unit(listener.unit)
    commands = () if unit is None else unit.each("Service", "ExecStart")
    full = any("+" in each.value[: len(each.value) - len(each.value.lstrip("@-:+!"))] for each in commands)
    return Derived(None if full else listener.unit)


@fact_value("listener", "unit-in-user-namespace")
def unit_in_user_namespace(host: Host, listener: Listener) -> Derived[str | None]:
    """The unit that binds once it leaves the user namespace of PrivateUsers= and has CAP_NET_BIND_SERVICE; unknown for any other."""
    found = _privileges(host, listener)
    if found is None or not found.private_users or found.noroot or found.fails or found.denied_call or _has_power_by_file(found):
        return Derived(None)
    unit = host.unit(listener.unit)
    return Derived(listener.unit if unit is not None and unit.value("Service", "PrivateUsers") is not None else None)


def _has_power_by_file(found: Privileges) -> bool:
    """Whether a file's capabilities clear those that a unit is given; where nothing may gain privileges, they let through what it has."""
    let_through = found.no_new_privileges and found.no_new_privileges_sure and NET_BIND_SERVICE in found.file_permitted
    return bool((found.file_permitted and not let_through) or found.file_inheritable or found.setuid_root)


@fact_value("listener", "other-way-to-bind")
def other_way_to_bind(host: Host, listener: Listener) -> Derived[str]:
    """What lets it have its low port where CAP_NET_BIND_SERVICE does not."""
    if not listener.user_namespace:
        return Derived(
            f"change what the note points to, or have a .socket unit bind {socket(host, listener).value} and pass it to the service"
        )
    if listener.private_network:
        return Derived("move it to a port that every user may bind")
    return Derived(f"set net.ipv4.ip_unprivileged_port_start to {listener.port} or less, or move it to a port that every user may bind")


@fact_value("listener", "needs-only-low-port")
def needs_only_low_port(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its unit runs as root, with more than CAP_NET_BIND_SERVICE, and needs root only for this one low port.

    Certain knowledge of what a program needs is not to be had from files: interpreters and relays are likely to need nothing else,
    an unknown program possibly; daemons that start as root by design are left alone.
    """
    found = _privileges(host, listener)
    if found is None or not found.uid0 or found.noroot or found.private_users or listener.unit is None:
        return Derived(False)
    if found.bounding is not None and found.bounding <= {NET_BIND_SERVICE}:
        return Derived(False)
    low = low_ports(host).value if not listener.private_network else PortSet.of((1, _PRIVATE_START - 1))
    if low is None or not listener.ports or listener.ports.minus(low):
        return Derived(False)
    known = host.once(_low_ports_of_units)
    if (listener.unit, low) not in known:
        known[listener.unit, low] = union(other.ports.intersection(low) for other in host.listeners_of(listener.unit))
    if len(listener.ports.union(known[listener.unit, low])) != 1:
        return Derived(False)
    sure = _knows_what_it_needs(listener)
    if sure is None:
        return Derived(False)
    evidence = tuple(Note(text, at) for text, at in found.because) or (Note("no User= is set, so the unit runs as root"),)
    return Derived(True, evidence, sure)


def _low_ports_of_units(host: Host) -> dict[tuple[str, PortSet], PortSet]:
    """What each unit binds of some low ports, as it is asked for: a unit may have thousands of listeners, each of which asks."""
    return {}


@fact_value("listener", "held-capabilities")
def held_capabilities(host: Host, listener: Listener) -> Derived[str | None]:
    """The capabilities of its unit when it is started, in words."""
    found = _privileges(host, listener)
    if found is None:
        return Derived(None)
    held = found.bounding if found.uid0 else found.ambient
    if held is None:
        return Derived("every capability")
    if len(held) > _MOST_NAMED:
        return Derived(f"{len(held)} capabilities")
    return Derived(", ".join(sorted(held)) or "no capability")


def _privileges(host: Host, listener: Listener) -> Privileges | None:
    unit = host.unit(listener.unit)
    return None if unit is None else host.privileges.get(unit.name)


def _knows_what_it_needs(listener: Listener) -> Confidence | None:
    """How sure it is that a program needs root for nothing but its port, None where it may well need more.

    A daemon whose configuration was understood is a product of its own: unless it is known to need no more, it is left alone.
    """
    if listener.traits.root == "by-design":
        return None
    if listener.traits.root == "needless":
        return "likely"
    return "possible" if listener.confidence == "possible" else None
