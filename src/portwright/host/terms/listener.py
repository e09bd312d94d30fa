"""What rules may ask of a listener: who it is, whom it meets, when it binds, and what stops and starts it."""

from typing import Literal

from portwright.changes.edits import Edits
from portwright.facts import Listener, NodeClaim, Unit
from portwright.finding import Note
from portwright.host import Host
from portwright.host.join import conflict
from portwright.host.join.conflict import Claim, Turn
from portwright.host.terms.host import lendable_of
from portwright.host.terms.registry import Derived, fact_value
from portwright.ports import PortSet, union
from portwright.source import Rewriting

_NODE_PORTS = PortSet.of((30000, 32767))
"""What a cluster gives to services of type NodePort unless --service-node-port-range says otherwise."""


@fact_value("listener", "deployed")
def listener_deployed(host: Host, listener: Listener) -> Derived[bool]:
    """Whether it is opened at boot; in a repository, where no file states what is enabled, everything counts as deployed."""
    return Derived(_at_boot(host, listener) and not (listener.closed_by and _for_good(host, listener)))


@fact_value("listener", "attempted")
def attempted(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its service is to open it at boot, even where the service is known to end before; in a repository every one is."""
    return Derived(_at_boot(host, listener))


def _at_boot(host: Host, listener: Listener) -> bool:
    return listener.starts == "boot" or (host.repository and listener.starts is None)


def _for_good(host: Host, listener: Listener) -> bool:
    """Whether a closed socket stays closed when the plan is carried out, which grants the privilege that another one lacks."""
    return not any(each.error == "EACCES" and each.unit == listener.unit and each.app == listener.app for each in host.listeners)


@fact_value("listener", "who")
def who(host: Host, listener: Listener) -> Derived[str]:
    """The service as an operator would name it: its daemon, with the unit where the name does not already say so."""
    unit = listener.unit
    return Derived(listener.app if unit is None or unit.partition(".")[0] == listener.app else f"{listener.app} ({unit})")


@fact_value("listener", "socket")
def socket(host: Host, listener: Listener) -> Derived[str]:
    """Protocol, address and ports in one: `tcp 127.0.0.1:8080`."""
    address = f"[{listener.address}]" if ":" in listener.address else listener.address
    return Derived(f"{listener.protocol} {address}:{listener.ports if listener.ports else 'random'}")


@fact_value("listener", "lendable")
def lendable(host: Host, listener: Listener) -> Derived[PortSet | None]:
    """Those of its ports that the kernel may assign to an outgoing connection, under any value of the range that may be in force."""
    return lendable_of(host, listener.ports)


@fact_value("listener", "among-node-ports")
def among_node_ports(host: Host, listener: Listener) -> Derived[PortSet | None]:
    """Those of the ports that a pod names on its node which any service of type NodePort may be given; empty where nothing is named."""
    if not listener.traits.pod_says_port:
        return Derived(PortSet())
    claims = (each for each in host.others.get("node-claim", ()) if isinstance(each, NodeClaim))
    # What one service asks for by its number is no range.
    ranges = [each for each in claims if each.claim == "node-ports" and len(each.ports) > 1]
    given = union(each.ports for each in ranges) if ranges else _NODE_PORTS
    said = (Note(f"{each.app} assigns node ports {each.ports} to services", each.at) for each in ranges if not each.is_default)
    return Derived(listener.ports.intersection(given), tuple(said))


@fact_value("listener", "scope")
def scope(host: Host, listener: Listener) -> Derived[Literal["wildcard", "loopback", "specific"]]:
    """Who can reach it: every address, this host alone, or one address."""
    return Derived(scope_of(listener))


@fact_value("listener", "claim")
def claim(host: Host, listener: Listener) -> Derived[Claim | None]:
    """Protocol, address and ports as the kernel compares them when a second socket is bound to the same port."""
    return Derived(conflict.claim(host, listener))


@fact_value("listener", "comes-up")
def comes_up(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its sockets allow the service to start: many daemons exit if one of their sockets cannot be bound."""
    return Derived(conflict.comes_up(host, listener))


@fact_value("listener", "error-when-late")
def error_when_late(host: Host, listener: Listener) -> Derived[Literal["EADDRINUSE"] | None]:
    """The error of the service where another socket has the port; unknown where it fails earlier, continues without it, may be first
    while the others continue, or is a pod that Kubernetes does not start beside the other one."""
    fails = conflict.comes_up(host, listener) and not listener.survives_conflict and not conflict.may_be_first(host, listener)
    return Derived("EADDRINUSE" if fails and not conflict.is_never_tried(host, listener) else None)


@fact_value("listener", "quarrel-told-of-rivals")
def quarrel_told_of_rivals(host: Host, listener: Listener) -> Derived[bool]:
    """Whether its daemon continues without a contested port, so that the finding about the rival says all there is to say."""
    return Derived(conflict.is_told_of_rivals(host, listener))


@fact_value("listener", "edits-that-make-way")
def edits_that_make_way(host: Host, listener: Listener) -> Derived[Edits | None]:
    """The lines that move it, or who wants its port, to a port that is free and in no range; unknown where one stands in the way."""
    from portwright.host.join.moving import moves  # few hosts have two that want one port

    return Derived(None if listener in (found := host.once(moves)).refused else found.edits.get(listener))


@fact_value("listener", "why-no-way-is-made")
def why_no_way_is_made(host: Host, listener: Listener) -> Derived[str]:
    """The line that stands in the way of moving it or who wants its port, or that none is known that says the port."""
    from portwright.host.join.moving import moves

    return Derived(host.once(moves).refused.get(listener, "which service should have the port cannot be determined"))


@fact_value("listener", "port-without-a-type")
def port_without_a_type(host: Host, listener: Listener) -> Derived[str | None]:
    """Its port, where SELinux's policy has no type of its own for it, so that giving it one takes it from nobody; unknown otherwise."""
    words = listener.policy_step.split()
    adds = words[:3] == ["semanage", "port", "-a"] and listener.port == listener.end_port and listener.unit is not None
    return Derived(words[-1] if adds else None)


@fact_value("listener", "type-for-its-port")
def type_for_its_port(host: Host, listener: Listener) -> Derived[str | None]:
    """The type by which SELinux's policy lets its domain bind a port; unknown where no policy forbids it."""
    words = listener.policy_step.split()
    return Derived(words[words.index("-t") + 1] if words[:2] == ["semanage", "port"] and "-t" in words[:-1] else None)


@fact_value("listener", "edits-that-reuse")
def edits_that_reuse(host: Host, listener: Listener) -> Derived[Edits | None]:
    """The words of its unit that would have it set SO_REUSEADDR; unknown where nothing outside of the program can."""
    from portwright.changes.edit_unit import setting_at  # few hosts have such a finding
    from portwright.daemons import reuses

    unit, source = host.unit(listener.unit), host.sources.get(listener.at.path)
    if listener.origin != "argument" or source is None or unit is None or setting_at(unit, listener.at) is None:
        return Derived(None)
    rewrite = reuses(listener.app, source, listener.at)
    words = f"have {listener.app} ({unit.name}) set SO_REUSEADDR: {'' if rewrite is None else rewrite.text.lstrip(',')}"
    return Derived(None if rewrite is None else Edits(unit.name, Rewriting((), words), in_unit=(rewrite,)))


@fact_value("listener", "making-way")
def making_way(host: Host, listener: Listener) -> Derived[str]:
    """What is usually done so that it leaves its port to another, as the end of a sentence; empty where nothing is known."""
    unit = host.unit(listener.unit)
    if listener.origin == "socket-unit" and unit is not None:
        return Derived(_of_socket_unit(unit, listener))
    if listener.traits.takes_socket and any(each.activates == listener.unit for each in host.listeners if each.activates):
        return Derived(f"; with `{listener.traits.takes_socket}`, {listener.app} takes the socket that systemd holds for it")
    if listener.traits.gives_way and listener.survives_conflict:
        return Derived(f"; {listener.app} leaves the port with {listener.traits.gives_way}")
    return Derived("")


def _of_socket_unit(unit: Unit, listener: Listener) -> str:
    """Drop-ins add to the sockets of a unit's file, which is not the administrator's where a package brings it."""
    from portwright.system.systemd.unit_files import OF_PACKAGES

    fragment = unit.files[0] if unit.files else ""
    if listener.at.path != fragment or not (len(unit.files) > 1 or fragment.startswith(OF_PACKAGES)):
        return ""
    return f"; a drop-in for {unit.name} replaces its sockets only after a line with an empty `ListenStream=`"


@fact_value("listener", "turn")
def turn(host: Host, listener: Listener) -> Derived[Turn]:
    """When it binds: after the units ordered before its own, and after the earlier lines of its own."""
    return Derived(conflict.turn(host, listener))


@fact_value("listener", "restart-budget")
def restart_budget(host: Host, listener: Listener) -> Derived[float | None]:
    """For how many seconds systemd restarts the failing service before it gives up; unknown where it never gives up or none fails."""
    from portwright.system.systemd import restarts

    unit = host.unit(listener.unit)
    found = restarts.budget(unit) if unit is not None and unit.kind == "service" and not listener.survives_conflict else None
    if found is None:
        return Derived(None)
    evidence = [Note(f"systemd restarts it (Restart={found.restart.value})", found.restart.at)]
    for key, value, default in (
        ("RestartSec", found.pause, "100ms"),
        ("StartLimitIntervalSec", found.interval, "10s"),
        ("StartLimitBurst", found.burst, "5"),
    ):
        if value is not None:
            evidence.append(Note(f"{key}={value.value} is set here", value.at))
        else:
            evidence.append(Note(f"no file sets {key}=, so systemd's default applies: {default}"))
    return Derived(found.seconds, tuple(evidence))


@fact_value("listener", "kill-mode")
def kill_mode(host: Host, listener: Listener) -> Derived[str | None]:
    """What systemd stops when it stops the service: KillMode= of its unit, control-group where it is not set."""
    unit = host.unit(listener.unit)
    if unit is None or unit.kind != "service":
        return Derived(None)
    found = unit.value("Service", "KillMode")
    if found is None:
        return Derived("control-group")
    # Whether it has forked anything by then, no file says.
    return Derived(found.value, (Note(f"KillMode={found.value} is set here", found.at),), "likely")


def scope_of(listener: Listener) -> Literal["wildcard", "loopback", "specific"]:
    """Whether an address is every one, this host's own, or one of many."""
    address = listener.address.removeprefix("::ffff:")
    if address in ("*", "0.0.0.0", "::"):  # noqa: S104  compared, never bound
        return "wildcard"
    return "loopback" if address.startswith("127.") or address == "::1" else "specific"
