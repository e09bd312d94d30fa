"""How often an outgoing connection will hold a listener's port when the service binds it, and why, in words."""

from portwright.facts import Likelihood, Listener
from portwright.host import Host
from portwright.host.terms.host import ephemeral_ends
from portwright.host.terms.listener import scope_of
from portwright.host.terms.registry import Derived, fact_value
from portwright.ports import PortSet


@fact_value("listener", "collision-likelihood")
def collision_likelihood(host: Host, listener: Listener) -> Derived[Likelihood | None]:
    """How likely an outgoing connection is to be using the port when the service binds it.

    connect() hands out the ports that share the parity of the range's low end first, and the others only when those are used up
    (net/ipv4/inet_connection_sock.c): even ports are at risk with the default range, odd ones hardly ever. UDP picks at random. A
    socket on loopback meets only connections from loopback. PID 1 binds a .socket unit once, before services connect anywhere.
    """
    ends = ephemeral_ends(host)
    if ends is None or listener.random:
        return Derived(None)
    inside = listener.ports.intersection(PortSet.of(ends))
    if not inside:
        return Derived(None)
    level, port = _port(listener, inside, ends[0])
    if listener.unit is not None and listener.unit.endswith(".socket"):
        level = "low"
    return Derived(level, because=f"{port}; {_when(host, listener)}")


def _port(listener: Listener, inside: PortSet, low: int) -> tuple[Likelihood, str]:
    """How readily the kernel lends the port, whoever binds it."""
    loopback, several = scope_of(listener) == "loopback", len(inside) > 1
    if listener.protocol == "udp":
        # Loopback is no shelter: a UDP socket that sends without connecting holds its port on every address.
        it = "one of them" if several else "it"
        return "low" if loopback else "medium", f"the kernel picks UDP ports at random, and uses {it} only while a socket is open"
    first, other = ("odd", "even") if low % 2 else ("even", "odd")
    if not any(start != end or start % 2 == low % 2 for start, end in inside.ranges):
        # Sockets bound to port 0 prefer this half, but few programs connect that way.
        return "low", f"connect() assigns {other} ports like {inside.low} only when half of the range is in use"
    who = "any outgoing connection may be using"
    if loopback:
        who = "only a connection over loopback may be using"
    elif scope_of(listener) == "specific":
        who = f"an outgoing connection from {listener.address} may be using"
    if several:
        return "medium" if loopback else "high", f"{who} one of them, and connect() assigns the {first} ones first"
    return "medium" if loopback else "high", f"{who} it, and connect() assigns {first} ports like {inside.low} first"


def _when(host: Host, listener: Listener) -> str:
    """When the port is bound, which is when it must be free."""
    if listener.starts == "demand":
        return "each use binds a port again"
    unit = host.unit(listener.unit)
    if unit is not None and unit.kind == "socket":
        return "systemd binds it at boot, before services connect anywhere, and keeps it while the service restarts"
    from portwright.system.systemd import restarts

    again = restarts.by_itself(unit) if unit is not None and unit.kind == "service" else None
    if again is not None:
        return f"it must be free at each start, and systemd restarts {listener.unit} automatically (Restart={again.value})"
    return "it must be free at each start"
