"""SocketBindAllow= and SocketBindDeny= (systemd.resource-control(5)): what a service may bind, where systemd enforces it."""

from typing import Literal

from portwright.facts import BindRule, Protocol, Unit
from portwright.numbers import decimals
from portwright.source import Span
from portwright.system.releases.of_host import Release
from portwright.system.releases.since import enforces_socket_bind

_FAMILIES: dict[str, Literal["inet", "inet6"]] = {"ipv4": "inet", "ipv6": "inet6"}
_PROTOCOLS: dict[str, Protocol] = {"tcp": "tcp", "udp": "udp"}


def bind_rules(unit: Unit, release: Release | None) -> tuple[BindRule, ...]:
    """The rules in force; none where this systemd leaves them out. An empty line resets the lines of its own name."""
    denying = unit.each("Service", "SocketBindDeny")
    enforced = enforces_socket_bind(release) if denying else False
    if enforced is False:
        return ()
    lines = (*unit.each("Service", "SocketBindAllow"), *denying)
    rules = (_rule(line.value.strip(), line.key == "SocketBindAllow", line.at, enforced is True) for line in lines)
    return tuple(rule for rule in rules if rule is not None)


def _rule(text: str, allows: bool, at: Span, sure: bool) -> BindRule | None:
    """`[ipv4|ipv6:][tcp|udp:][PORT|LOW-HIGH]` or `any`; None for what systemd rejects."""
    if text == "any":
        return BindRule(allows, at, sure=sure)
    family, protocol, ports = None, None, None
    for part in text.split(":"):
        if part in _FAMILIES and family is None and protocol is None and ports is None:
            family = _FAMILIES[part]
        elif part in _PROTOCOLS and protocol is None and ports is None:
            protocol = _PROTOCOLS[part]
        elif ports is None and (ports := _ports(part)) is not None:
            continue
        else:
            return None
    return BindRule(allows, at, family, protocol, ports, sure) if text else None


def _ports(text: str) -> tuple[int, int] | None:
    low, dash, high = text.partition("-")
    ends = decimals((low, high if dash else low), 65535)
    return (ends[0], ends[1]) if ends is not None and 0 < ends[0] <= ends[1] else None
