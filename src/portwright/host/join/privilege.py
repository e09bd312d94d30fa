"""May this process bind this port: capabilities(7), user namespaces and net.ipv4.ip_unprivileged_port_start together."""

from typing import Literal

from portwright._start.records import dataclass
from portwright.facts import BindRule, Confidence, Privileges, Protocol
from portwright.source import Span
from portwright.system.processes.privileges import CLEARED, IN_NAMESPACE

NEEDED = "CAP_NET_BIND_SERVICE"
_PRIVATE_START = 1024  # a new network namespace starts from the kernel's defaults, not from the host's sysctl.d
_KILLED = ("ended", "timeout", "daemonized")
_GROUPS = ("Group", "SupplementaryGroups")
_FAMILY = {"inet": "AF_INET", "inet6": "AF_INET6"}


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer to a bind(): `allowed` None where nobody can tell; `error` is what bind() or the start of the service answers.

    `reason` is a sentence, `at` the line that decided, None where no line did.
    """

    allowed: bool | None
    error: str | None
    reason: str
    at: Span | None
    confidence: Confidence


def may_bind(
    privileges: Privileges,
    family: Literal["inet", "inet6"],
    protocol: Protocol,
    port: int,
    unprivileged_start: int,
    unhelped: str = "",
    lists_interfaces: bool = False,
) -> Permission:
    """Whether a process started with these privileges may bind this port, nobody else being there.

    TCP and UDP are the same here. `unprivileged_start` is the host's net.ipv4.ip_unprivileged_port_start; IPv6 follows it too
    (ip-sysctl.rst), a network namespace of the unit's own does not. `unhelped` says why the set-user-ID helper
    that was asked to bind for it does not, whatever its power. `lists_interfaces`: it opens nothing unless it may list the interfaces.
    """
    if privileges.fails is not None:
        return _never_started(privileges, privileges.fails)
    if privileges.families is not None and _FAMILY[family] not in privileges.families:
        reason = f"RestrictAddressFamilies= excludes {_FAMILY[family]}, so socket() fails"
        return Permission(False, "EAFNOSUPPORT", reason, _line(privileges, "RestrictAddressFamilies"), "certain")
    if lists_interfaces and privileges.families is not None and "AF_NETLINK" not in privileges.families:
        # getifaddrs(3) opens a socket of AF_NETLINK.
        reason = "RestrictAddressFamilies= excludes AF_NETLINK, so it cannot list the interfaces, which it does before it binds"
        return Permission(False, "EAFNOSUPPORT", reason, _line(privileges, "RestrictAddressFamilies"), "likely")
    if privileges.denied_call is not None:
        how = "systemd kills it with SIGSYS" if privileges.denied_call == "SIGSYS" else f"it fails with {privileges.denied_call}"
        reason = f"SystemCallFilter= forbids opening or binding sockets, so {how}"
        return Permission(False, privileges.denied_call, reason, _line(privileges, "SystemCallFilter"), "certain")
    denied = _denied_bind(privileges, family, protocol, port)
    if denied is not None:
        reason = f"SocketBindDeny= forbids it to bind {protocol} port {port}, so bind() fails with EPERM"
        return Permission(False, "EPERM", reason, denied.at, "certain" if denied.sure else "likely")
    start = _PRIVATE_START if privileges.private_network else unprivileged_start
    if port == 0 or port >= start:
        return Permission(True, None, "", None, "certain")
    held = effective_capabilities(privileges)
    if (held is None or NEEDED in held) and not privileges.private_users:
        return Permission(True, None, "", None, "certain")
    why, at = _missing(privileges, held)
    if privileges.bind_helper is not None:
        powerless, decided = _powerless_helper(privileges)
        if not powerless and not unhelped:
            return Permission(True, None, "", None, "likely")
        why, at = f"{why}, and {powerless or unhelped}", decided or privileges.bind_helper
    # A setuid or setcap file that nobody listed would change the answer, for all who may gain privileges.
    gains = not privileges.file_known and not privileges.uid0 and not privileges.no_new_privileges and not privileges.private_users
    gains = gains or (not privileges.no_new_privileges_sure and (privileges.setuid_root or NEEDED in privileges.file_permitted))
    whose = " of its own network namespace" if privileges.private_network else ""
    reason = f"{why}, and {port} is below net.ipv4.ip_unprivileged_port_start ({start}){whose}"
    if gains and privileges.file_perhaps is not None:
        reason = f"{reason}, unless {privileges.file_perhaps} gives its program the capability"
        return Permission(False, "EACCES", reason, at, "possible")
    return Permission(False, "EACCES", reason, at, "likely" if gains else "certain")


def _denied_bind(privileges: Privileges, family: str, protocol: Protocol, port: int) -> BindRule | None:
    """The SocketBindDeny= rule that forbids a bind; a rule that allows it wins, in any order (measured with systemd 257)."""
    matching = [rule for rule in privileges.bind_rules if rule.matches(family, protocol, port)] if port else []
    return None if any(rule.allows for rule in matching) else next(iter(matching), None)


def _never_started(privileges: Privileges, error: str) -> Permission:
    if privileges.hindered is not None or privileges.misread:
        # The last of the deciding lines says why.
        cause, line = privileges.because[-1]
        end = "so systemd kills it" if error in _KILLED else "so the service never starts"
        return Permission(False, error, f"{cause}, {end}", line, privileges.hindered or "certain")
    match error:
        case "217/USER":
            reason, at = f"the user {privileges.user} does not exist, so the service never starts", _line(privileges, "User")
        case "216/GROUP":
            group, at = next(each for each in reversed(privileges.because) if each[0].partition("=")[0] in _GROUPS)
            reason = f"the group {group.partition('=')[2]} does not exist, so the service never starts"
        case "203/EXEC":
            reason = "CapabilityBoundingSet= lacks a file capability of the program, so it cannot be executed"
            at = _line(privileges, "CapabilityBoundingSet")
        case "218/CAPABILITIES":
            kernel = next(each for each in privileges.because if each[0].startswith("the kernel has no ambient"))
            reason, at = f"systemd cannot set AmbientCapabilities=: {kernel[0]}", kernel[1]
        case _:
            # The last of the deciding lines says why.
            reason, at = privileges.because[-1] if privileges.because else ("the service never starts", None)
    # A directory may be made by anybody before the service starts.
    return Permission(False, error, reason, at, "likely" if error == "200/CHDIR" else "certain")


def effective_capabilities(privileges: Privileges) -> frozenset[str] | None:
    """The effective capabilities of the program once it runs, None for all of them.

    Under PrivateUsers= they count in the unit's own user namespace only, and none of them for the network.
    """
    if _is_root(privileges) and not privileges.noroot:
        return privileges.bounding
    ambient = _bounded(privileges.ambient, privileges)
    if not privileges.file_permitted and not privileges.file_inheritable:
        return ambient
    # capabilities(7): a file with capabilities clears the ambient set; under no_new_privs it adds nothing to what was there.
    gained = _bounded(privileges.file_permitted, privileges)
    return gained & ambient if privileges.no_new_privileges else gained


def _is_root(privileges: Privileges) -> bool:
    return privileges.uid0 or (privileges.setuid_root and not privileges.no_new_privileges)


def _bounded(capabilities: frozenset[str], privileges: Privileges) -> frozenset[str]:
    return capabilities if privileges.bounding is None else capabilities & privileges.bounding


def _missing(privileges: Privileges, held: frozenset[str] | None) -> tuple[str, Span | None]:
    """Why CAP_NET_BIND_SERVICE is not there or does not count, and the line to blame."""
    user = "a dynamic user" if privileges.dynamic and privileges.user == "dynamic" else privileges.user
    if privileges.private_users:
        maker, at = user_namespace(privileges)
        if held is None or NEEDED in held:
            return f"runs as {user} with {NEEDED} only in the user namespace of {maker}, which does not count for the network", at
        why = f"runs as {user} in the user namespace of {maker}, where no capability counts for the network"
        return why, at if privileges.uid0 else _line(privileges, "User", "DynamicUser") or at
    bounded = privileges.bounding is not None and NEEDED not in privileges.bounding
    if _is_root(privileges):
        if privileges.noroot and not bounded:
            return f"runs as {user}, for whom SecureBits=noroot removes all capabilities", _line(privileges, "SecureBits")
        return f"runs as {user}, but CapabilityBoundingSet= excludes {NEEDED}", _line(privileges, "CapabilityBoundingSet")
    granted = NEEDED in privileges.ambient or NEEDED in privileges.file_permitted
    if granted and bounded:
        why = f"runs as {user}, and CapabilityBoundingSet= removes the {NEEDED} it is granted"
        return why, _line(privileges, "CapabilityBoundingSet")
    switched = _line(privileges, "switches to")
    line = switched or _line(privileges, "User", "DynamicUser")
    if NEEDED in privileges.file_permitted and privileges.no_new_privileges:
        name, at = gains_nothing(privileges)
        return f"runs as {user}, and {name} disables the file capabilities of the program", at or line
    if NEEDED in privileges.ambient:
        why = f"runs as {user}, and the file capabilities of the program clear its ambient {NEEDED}"
        return why, _line(privileges, "AmbientCapabilities")
    for text, at in privileges.because:
        if text.startswith(CLEARED):
            return f"runs as {user}, and the {text.removeprefix(CLEARED)} clears its ambient {NEEDED}", at
    if privileges.setuid_root and privileges.no_new_privileges:
        name, at = gains_nothing(privileges)
        return f"runs as {user}, and {name} disables the set-user-ID bit of the program", at or line
    return f"runs as {user} without {NEEDED}", line


def _powerless_helper(privileges: Privileges) -> tuple[str, Span | None]:
    """What leaves a set-user-ID helper without power, "" where nothing does, and the line."""
    if privileges.no_new_privileges:
        name, at = gains_nothing(privileges)
        return f"{name} leaves the set-user-ID helper of authbind without power", at
    return ("the helper of authbind has no power in a user namespace", None) if privileges.private_users else ("", None)


def user_namespace(privileges: Privileges) -> tuple[str, Span | None]:
    """What gives it a user namespace of its own, in words, and the line."""
    for text, at in reversed(privileges.because):
        if text.startswith(IN_NAMESPACE):
            return text.removeprefix(IN_NAMESPACE), at
    return "PrivateUsers=", _line(privileges, "PrivateUsers")


def gains_nothing(privileges: Privileges) -> tuple[str, Span | None]:
    """What keeps a program from gaining privileges by its file, in words, and its line: NoNewPrivileges= or what implies it."""
    if (at := _line(privileges, "NoNewPrivileges")) is not None:
        return "NoNewPrivileges=", at
    for text, at in privileges.because:
        key, equals, _ = text.partition("=")
        if text.endswith("implies NoNewPrivileges=yes") or key == "DynamicUser":
            return f"{key}{equals} (which implies NoNewPrivileges=)", at
    # The list of families is named for what it forbids; it implies the same.
    at = _line(privileges, "RestrictAddressFamilies")
    return "RestrictAddressFamilies= (which implies NoNewPrivileges=)" if at is not None else "NoNewPrivileges=", at


def _line(privileges: Privileges, *names: str) -> Span | None:
    """The last of the deciding lines that sets one of these."""
    found = None
    for text, at in privileges.because:
        if text.partition("=")[0] in names or any(text.startswith(f"{name} ") for name in names):
            found = at
    return found
