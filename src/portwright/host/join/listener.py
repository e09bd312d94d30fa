"""An endpoint a daemon names, joined with sysctls, privileges and addresses, becomes a Listener: who binds it, and may they."""

from ipaddress import IPv6Address
from typing import Literal

from portwright._start.records import replace
from portwright.facts import Confidence, Endpoint, Invocation, Listener, Privileges, Starts, Unit, weakest
from portwright.host.join.addresses import BindContext, brought, floating, is_sure, literal, refusal
from portwright.host.join.privilege import Permission, may_bind
from portwright.numbers import decimal, decimals
from portwright.ports import PortSet
from portwright.system.spanned_text import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from portwright.host.join.port_labels import Mislabelled
    from portwright.system.host_files.apparmor import Profile

_PRIVATE_START = 1024  # a new network namespace starts from the kernel's own defaults, not from the host's sysctl.d
_UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
# Where packages install what the policy has a label for; what else runs, runs unconfined.
_LABELLED = ("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/sbin/", "/bin/")
_BEFORE_BIND = ("EAFNOSUPPORT", "ENODEV")  # answers of socket() and setsockopt()


def listener(endpoint: Endpoint, invocation: Invocation | None, context: BindContext) -> Listener | None:
    """The listener that follows from an endpoint of an invocation (None: a config nobody starts, as a repository's fragment).

    None for an optional endpoint whose address no interface has: the daemon goes on without it.
    """
    privileges = None if invocation is None else invocation.privileges
    address, v6only = _family(endpoint, privileges, context)
    refused = refusal(endpoint, address, v6only, privileges, context)
    if endpoint.optional and refused is not None and refused.allowed is False:
        return None
    confidence = _confidence(endpoint, address, refused, privileges, context)
    starts: Starts | None = "manual" if endpoint.by_hand else "demand" if endpoint.on_demand else None
    why = endpoint.why
    user: str | None = None
    permission = Permission(None, None, "not known what starts it", None, "likely")
    if invocation is not None:
        confidence = weakest(confidence, invocation.confidence)
        starts, why = _starts(endpoint, invocation)
        user = endpoint.binds_as or bind_user(invocation.privileges, invocation.unit)
        permission = _permission(endpoint, address, invocation.privileges, context)
    permission = _first(permission, refused, ":" in address or address == "*")
    step = ""
    policy: Literal["selinux", "apparmor"] | None = None
    program = "" if invocation is None or not invocation.argv else invocation.argv[0].text
    if invocation is not None and permission.allowed is True and (label := _mislabelled(endpoint, program, context)) is not None:
        permission, step, policy = _by_policy(label, endpoint, context), label.command, "selinux"
    elif invocation and permission.allowed is True and (denied := _confined(endpoint, address, invocation, context)) is not None:
        (permission, step), policy = denied, "apparmor"
    if permission.allowed is False or step:
        confidence = weakest(confidence, permission.confidence)
    brings = brought(endpoint, address, privileges, context)
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
        private_network=privileges is not None and privileges.private_network,
        user_namespace=privileges is not None and privileges.private_users,
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
        refused_by=policy,
        policy_step=step,
        survives_conflict=endpoint.survives_conflict,
        of_interfaces=endpoint.of_interfaces,
        closed_by=endpoint.closed_by,
        closed_at=endpoint.closed_at,
        backlog=endpoint.backlog,
        floats_at=floating(endpoint, address, privileges, context),
        brought_by=brings.by,
        brought_at=brings.at,
        leased=brings.leased,
        traits=endpoint.traits,
    )


def socket_listener(endpoint: Endpoint, unit: Unit, activates: str | None, context: BindContext, program: str = "") -> Listener:
    """The listener PID 1 opens for a .socket unit: bound as root, handed to the service it activates.

    SELinux asks whether the domain of that service's `program` may bind the port: systemd gives the socket its label before.
    """
    address, v6only = _family(endpoint, None, context)
    refused = refusal(endpoint, address, v6only, None, context)
    permission = _first(Permission(True, None, "", None, "certain"), refused, ":" in address)
    confidence = _confidence(endpoint, address, refused, None, context)
    step = ""
    if permission.allowed is True and program and (label := _mislabelled(endpoint, program, context)) is not None:
        permission, step = _by_policy(label, endpoint, context), label.command
    if permission.allowed is False:
        confidence = weakest(confidence, permission.confidence)
    brings = brought(endpoint, address, None, context)
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
        can_bind=permission.allowed,
        error=permission.error,
        because=permission.reason,
        because_at=permission.at,
        reuse_address=endpoint.reuse_address,
        reuse_port=endpoint.reuse_port,
        v6only=v6only,
        free_bind=endpoint.free_bind,
        interface=endpoint.interface,
        confidence=confidence,
        refused_by="selinux" if step else None,
        policy_step=step,
        backlog=endpoint.backlog,
        floats_at=floating(endpoint, address, None, context),
        brought_by=brings.by,
        brought_at=brings.at,
        leased=brings.leased,
        traits=endpoint.traits,
    )


def bind_user(privileges: Privileges, unit: str | None) -> str:
    """Who calls bind(): systemd names a dynamic user after the unit (systemd.exec(5), DynamicUser=)."""
    if privileges.dynamic and privileges.user == "dynamic" and unit:
        return unit.rpartition(".")[0].partition("@")[0]
    return privileges.user


def _starts(endpoint: Endpoint, invocation: Invocation) -> tuple[Starts | None, str]:
    if endpoint.on_demand and invocation.starts in ("boot", None):
        return "demand", endpoint.why or "bound only while in use"
    if endpoint.why and endpoint.confidence != "certain" and invocation.why:
        return invocation.starts, f"{invocation.why}; {endpoint.why}"
    return invocation.starts, invocation.why or endpoint.why


def _family(endpoint: Endpoint, privileges: Privileges | None, context: BindContext) -> tuple[str, bool | None]:
    """(address, v6only) settled: a `::` socket is dual-stack unless the daemon or net.ipv6.bindv6only says otherwise."""
    if _lacks_ipv6(privileges, context) and (endpoint.address == "*" or endpoint.ipv4_fallback):
        return "0.0.0.0", None  # noqa: S104  what daemons that ask for both families are content with
    if endpoint.address == "*":
        return "*", False
    if ":" not in endpoint.address:
        return endpoint.address, None
    address = _dotted(endpoint.address)
    only = endpoint.v6only
    if only is None:
        # A network namespace of the unit's own starts from the kernel's defaults.
        only = not (privileges is not None and privileges.private_network) and context.boot("net.ipv6.bindv6only", "0") == "1"
    if address == "::" and not only:
        return "*", False
    return address, only


def _lacks_ipv6(privileges: Privileges | None, context: BindContext) -> bool:
    """Whether socket() knows IPv4 alone: the kernel is booted so, or RestrictAddressFamilies= leaves nothing else."""
    families = None if privileges is None else privileges.families
    return context.no_ipv6 is not None or (families is not None and "AF_INET" in families and "AF_INET6" not in families)


def _dotted(address: str) -> str:
    """An IPv4 address within IPv6 as everybody writes it: ::ffff:192.0.2.7."""
    found = literal(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return address if mapped is None else f"::ffff:{mapped}"


def _confidence(
    endpoint: Endpoint, address: str, refused: Permission | None, privileges: Privileges | None, context: BindContext
) -> Confidence:
    """How sure a listener is by its address: a name that the host's files do not resolve may stand for any."""
    if address != "*" and literal(address) is None:
        return weakest(endpoint.confidence, "possible")
    if _lacks_ipv6(privileges, context) and endpoint.address == "*" and not endpoint.ipv4_fallback:
        return weakest(endpoint.confidence, "likely")
    # What is refused for another reason than that nobody has the address is as sure as that reason.
    sure = refused is not None or is_sure(endpoint, address, context)
    return endpoint.confidence if sure else weakest(endpoint.confidence, "likely")


def _permission(endpoint: Endpoint, address: str, privileges: Privileges, context: BindContext) -> Permission:
    if endpoint.binds_as == "root" and not privileges.uid0:
        # A setuid helper or PID 1 binds for it; what the unit's user may do does not matter.
        return Permission(True, None, "", None, "likely")
    if endpoint.binds_as not in (None, "root", privileges.user) and privileges.uid0:
        # It changes user before it binds, and setuid() takes every capability away (capabilities(7)).
        privileges = replace(privileges, user=endpoint.binds_as, uid0=False, ambient=frozenset())
    port = endpoint.ports.low
    if port is None:
        port = 65535  # the kernel picks from the ephemeral range, which is never privileged
    start = _PRIVATE_START if privileges.private_network else _first_unprivileged(context)
    family: Literal["inet", "inet6"] = "inet6" if ":" in address or address == "*" else "inet"
    unhelped = ""
    if privileges.bind_helper is not None and endpoint.traits.static:
        unhelped = "it makes its system calls itself, past the library of authbind"
    elif privileges.bind_helper is not None and not context.helped(privileges.user, address, port):
        unhelped = f"no file of /etc/authbind permits port {port}"
    permission = may_bind(privileges, family, endpoint.protocol, port, start, unhelped, endpoint.traits.lists_interfaces)
    if permission.error == "EACCES" and not privileges.private_network and UNKNOWN in context.boot(_UNPRIVILEGED, ""):
        # A file sets where privileged ports end, to what nobody knows.
        return Permission(None, None, permission.reason, permission.at, "possible")
    return permission


def _first_unprivileged(context: BindContext) -> int:
    start = decimal(context.boot(_UNPRIVILEGED, "1024"))
    return 1024 if start is None else start


def _mislabelled(endpoint: Endpoint, program: str, context: BindContext) -> "Mislabelled | None":
    """The port that SELinux's policy does not let it bind, None where it does, or its program runs in no domain of its own.

    The kernel asks for ports outside of the ephemeral range and for privileged ones (selinux_socket_bind() in security/selinux/hooks.c).
    """
    policy = context.selinux
    if policy is None or not endpoint.traits.confined_by or not ("/" not in program or program.startswith(_LABELLED)):
        return None
    asked = endpoint.ports
    ends = decimals(context.boot("net.ipv4.ip_local_port_range", "32768 60999").split(), 65535)
    if ends is not None and len(ends) == 2:
        low = max(ends[0], _first_unprivileged(context))
        asked = asked.minus(PortSet.of((low, ends[1]))) if low <= ends[1] else asked
    from portwright.host.join.port_labels import mislabelled

    return mislabelled(endpoint.traits.confined_by, endpoint.protocol, asked, policy)


def _by_policy(label: "Mislabelled", endpoint: Endpoint, context: BindContext) -> Permission:
    reason = f"SELinux is enforcing, and its policy lets {label.domain} bind ports of type {label.wanted}, which {label.port} is not"
    own = context.selinux is not None and context.selinux.modules
    if str(label.port) in endpoint.traits.labelled and context.selinux is not None and not context.selinux.known:
        reason = f"{reason} unless the script of its package changed that"
        return Permission(None, None, reason, context.selinux.at, "possible")
    return Permission(False, "EACCES", reason, context.selinux.at if context.selinux else None, "possible" if own else "likely")


def _confined(endpoint: Endpoint, address: str, invocation: Invocation, context: BindContext) -> "tuple[Permission, str] | None":
    """What the AppArmor profile of its program denies it, with what a person can do about it; None where it denies neither."""
    privileges = invocation.privileges
    by_another = privileges.bind_helper is not None or (endpoint.binds_as == "root" and not privileges.uid0)
    if not invocation.argv or not invocation.argv[0].text.startswith("/"):
        return None
    profile = context.profile(invocation.argv[0].text, privileges.profile)
    if profile is None:
        return None
    family = "inet6" if ":" in address else "inet"
    if (family, endpoint.protocol) in profile.networks:
        reason = f"the AppArmor profile of {profile.name} denies it the network, so socket() fails with EACCES"
        step = f"remove the `deny network` rule from {profile.at.path} or from what it includes"
        return Permission(False, "EACCES", reason, profile.at, "likely"), step
    low = endpoint.ports.low
    start = _PRIVATE_START if privileges.private_network else _first_unprivileged(context)
    if low is None or not 0 < low < start or by_another or profile.may_bind:
        return None
    return _by_profile(profile)


def _by_profile(profile: "Profile") -> tuple[Permission, str]:
    """The answer of a profile that keeps the capability from its program, and what a person can do about it."""
    has, step = "has no `capability net_bind_service,`", f"add `capability net_bind_service,` to {profile.at.path}"
    if profile.denies:
        has = "has `deny capability net_bind_service,`"
        step = f"remove `deny capability net_bind_service,` from {profile.at.path} or from what it includes"
    reason = f"the AppArmor profile of {profile.name} {has}, so the kernel denies it the port"
    return Permission(False, "EACCES", reason, profile.at, "likely"), step


def _first(permission: Permission, refused: Permission | None, six: bool) -> Permission:
    """Which of two answers comes first: bind() looks for an IPv4 address before it asks for a capability, and after it for an IPv6 one."""
    if refused is None:
        return permission
    if refused.allowed is None:
        return refused if permission.allowed is True else permission
    if permission.allowed is not False:
        return refused
    if permission.error == "EACCES" and (refused.error in _BEFORE_BIND or not six):
        return refused
    return permission
