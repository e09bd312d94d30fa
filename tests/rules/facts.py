"""Hand-made facts: what every test leaves out stands here once."""

from typing import Any

from portwright._start.records import replace
from portwright.daemons import daemon_of, daemons, known
from portwright.facts import Assignment, Invocation, Listener, Outbound, Sysctl, Traits
from portwright.host import Host
from portwright.ports import PortSet
from portwright.source import Span, Word

RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
DEFAULTS = {RANGE: "32768 60999", RESERVED: "", UNPRIVILEGED: "1024"}


def at(line: int = 1, path: str = "/etc/app.conf", column: int = 1) -> Span:
    return Span(path, line, column, line, column + 4)


def listener(ports: int | tuple[int, int] = 8080, **changed: Any) -> Listener:
    """A listener of app.service on every IPv4 address, started at boot."""
    made = Listener(
        at=at(),
        app="app",
        unit="app.service",
        protocol="tcp",
        address="0.0.0.0",  # noqa: S104
        ports=PortSet.of(ports),
        origin="directive",
        starts="boot",
        bind_user="app",
        can_bind=True,
        reuse_address=True,
    )
    made = replace(made, **changed)
    return replace(made, traits=changed.get("traits", _traits(made.app)))


def _traits(app: str) -> Traits:
    """What is known in general of a daemon of this name, or of one whose program is called so."""
    at_start = Invocation(None, (Word(app, at()),), at())
    daemon = known(app) if app in {each.name for each in daemons()} else daemon_of(at_start)
    return Traits() if daemon is None else daemon.descriptor.traits


def sysctl(key: str, value: str, path: str = "/etc/sysctl.d/50.conf", **changed: Any) -> Sysctl:
    """A kernel setting that a file sets; without a path, one that none does."""
    place = at(1, path or "kernel.conf")
    return replace(Sysctl(place, key, value, value, place, is_default=not path), **changed)


def assignment(key: str, value: str, outcome: Any, line: int = 1, path: str = "/etc/sysctl.d/50.conf", reason: str = "") -> Assignment:
    return Assignment(at(line, path), key, value, outcome, reason)


def outbound(**changed: Any) -> Outbound:
    made = replace(Outbound(at(), "nginx", "nginx.service", "api", False, starts="boot"), **changed)
    return replace(made, traits=_traits(made.app))


def host(*listeners: Listener, settings: dict[str, str] | None = None, **changed: Any) -> Host:
    """A host with these listeners and settings; what nobody sets is the kernel's default."""
    settings = settings or {}
    sysctls = [sysctl(key, value) for key, value in settings.items()]
    sysctls += [sysctl(key, value, path="") for key, value in DEFAULTS.items() if key not in settings]
    return replace(Host("web1", listeners=listeners, sysctls=tuple(sorted(sysctls, key=lambda s: s.key))), **changed)
