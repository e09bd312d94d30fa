"""systemd.exec(5): with what power a unit's command is started, and the lines that decided it."""

from collections.abc import Iterable, Sequence

from portwright._start.records import replace
from portwright.facts import Privileges, Setting, Unit
from portwright.formats.unit import NO, YES
from portwright.source import Span, Word
from portwright.system.host_files.accounts import account, group_number, is_account_name, is_unknown, is_unknown_group
from portwright.system.host_files.capabilities import ALL, FileCapabilities
from portwright.system.host_files.captures import Captured
from portwright.system.processes.privileges import CLEARED, cleared_by_its_bits, with_file
from portwright.system.releases.of_host import Release
from portwright.system.releases.of_host import kernel as kernel_release
from portwright.system.releases.of_host import systemd as systemd_release
from portwright.system.releases.since import AMBIENT, NO_IMPLIED_PRIVILEGES, PRIVATE_USERS
from portwright.system.spanned_text import SpannedText
from portwright.system.systemd import setcap_lines
from portwright.system.systemd.capability_settings import merged
from portwright.system.systemd.command_line import Expand
from portwright.system.systemd.socket_bind import bind_rules
from portwright.system.words import words
from portwright.trees import Files

# What makes systemd set no_new_privs for a process without CAP_SYS_ADMIN (context_has_no_new_privileges() in execute.c).
_IMPLY_BOOLEAN = (
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictRealtime",
    "RestrictSUIDSGID",
)
_IMPLY_LIST = ("SystemCallArchitectures", "SystemCallFilter", "SystemCallLog")
_IMPLY = frozenset((*_IMPLY_BOOLEAN, *_IMPLY_LIST, "RestrictNamespaces"))

# What sandboxing takes from the bounding set (unit_patch_contexts() in unit.c).
_TAKEN = {
    "PrivateDevices": ("CAP_MKNOD", "CAP_SYS_RAWIO"),
    "ProtectClock": ("CAP_SYS_TIME", "CAP_WAKE_ALARM"),
    "ProtectKernelLogs": ("CAP_SYSLOG",),
    "ProtectKernelModules": ("CAP_SYS_MODULE",),
}


def narrows(text: str, capabilities: frozenset[str]) -> bool:
    """Whether a line that decided (as in Privileges.because) can take one of these out of the bounding set."""
    key, _, _ = text.partition("=")
    return key == "CapabilityBoundingSet" or not capabilities.isdisjoint(_TAKEN.get(key, ()))


# fmt: off
_FAMILIES = frozenset((
    "AF_ALG", "AF_APPLETALK", "AF_ATMPVC", "AF_ATMSVC", "AF_AX25", "AF_BLUETOOTH", "AF_BRIDGE", "AF_CAIF", "AF_CAN", "AF_DECnet",
    "AF_ECONET", "AF_IB", "AF_IEEE802154", "AF_INET", "AF_INET6", "AF_IPX", "AF_IRDA", "AF_ISDN", "AF_IUCV", "AF_KCM", "AF_KEY", "AF_LLC",
    "AF_LOCAL", "AF_MCTP", "AF_MPLS", "AF_NETBEUI", "AF_NETLINK", "AF_NETROM", "AF_NFC", "AF_PACKET", "AF_PHONET", "AF_PPPOX",
    "AF_QIPCRTR", "AF_RDS", "AF_ROSE", "AF_RXRPC", "AF_SECURITY", "AF_SMC", "AF_SNA", "AF_TIPC", "AF_UNIX", "AF_VSOCK", "AF_WANPIPE",
    "AF_X25", "AF_XDP",
))
# fmt: on

# Which system call sets hold the calls a listener needs (systemd-analyze syscall-filter, 252).
_NETWORK_SETS = ("@network-io", "@system-service", "@known")
# fmt: off
_OTHER_SETS = (
    "@default", "@aio", "@basic-io", "@chown", "@clock", "@cpu-emulation", "@debug", "@file-system", "@io-event", "@ipc", "@keyring",
    "@memlock", "@module", "@mount", "@obsolete", "@pkey", "@privileged", "@process", "@raw-io", "@reboot", "@resources", "@setuid",
    "@signal", "@swap", "@sync", "@timer",
)
# fmt: on
_NEEDED = frozenset({"socket", "bind"})
_KILLS = (257,)


def is_on(unit: Unit, key: str) -> Span | None:
    """The line that switches a [Service] boolean on, None where it is off."""
    found = unit.value("Service", key)
    return found.at if found is not None and found.value.lower() in YES else None


def unit_privileges(
    unit: Unit, prefixes: frozenset[str], program: str, files: Files, captured: Captured, expand: Expand = str
) -> Privileges:
    """The power of a command of `unit` that was started with these special prefixes and ends up as `program` (an absolute path).

    systemd.service(5): `+` starts it with full privileges, `!` as root within the unit's limits, `!!` changes nothing on a kernel
    that has ambient capabilities (4.3).
    """
    because: list[tuple[str, Span]] = []
    private_network = _private_network(unit, because)
    user, uid0, fails, dynamic = _user(unit, files, expand, because)
    fails = fails or _unknown_group(unit, dynamic, files, expand, because)
    if prefixes & {"+", "!"}:
        # The user must exist all the same.
        user, uid0 = "root", True

    def given(path: str) -> FileCapabilities | None:
        found = setcap_lines.given(unit, path, files, expand)
        if found is not None:
            because.append(("setcap", found.at))
        return None if found is None else found.capabilities

    if "+" in prefixes:
        full = Privileges(private_network=private_network, fails=fails, because=tuple(because))
        return with_file(full, program, files, captured, given)

    in_service = [setting for setting in unit.settings if setting.section == "Service"]
    said = {setting.key for setting in in_service}
    bounding = merged(in_service, "CapabilityBoundingSet", ALL)
    for key, taken in _TAKEN.items():
        if key in said and (at := is_on(unit, key)):
            bounding -= set(taken)
            because.append((f"{key}=yes", at))
    ambient = merged(in_service, "AmbientCapabilities", frozenset())
    because += _lines(in_service, "CapabilityBoundingSet", "AmbientCapabilities")
    noroot = _noroot(unit, because)
    private_users = _private_users(unit)
    if private_users:
        because.append(("PrivateUsers=yes", private_users))
    families = _families(in_service, because)
    release = files.once(systemd_release)
    denied = _denied_by_filter(in_service, because, release)
    if denied is None and families is not None and not families & {"AF_INET", "AF_INET6"}:
        denied = "EAFNOSUPPORT"
    nnp = _no_new_privileges(unit, uid0, dynamic, families, because, release)
    if fails is None and ambient and AMBIENT.lacking(files.once(kernel_release)):
        line = unit.each("Service", "AmbientCapabilities")[-1]
        because.append((f"the kernel has no {AMBIENT.name}: {AMBIENT.lacking(files.once(kernel_release))}", line.at))
        fails = "218/CAPABILITIES"
    made = with_file(
        Privileges(
            user=user,
            uid0=uid0,
            ambient=ambient,
            bounding=None if bounding == ALL else bounding,
            no_new_privileges=nnp is not None,
            no_new_privileges_sure=nnp is not False,
            noroot=noroot,
            private_users=private_users is not None,
            private_network=private_network,
            dynamic=dynamic,
            families=families,
            denied_call=denied,
            bind_rules=bind_rules(unit, release),
            profile=_profile(unit, expand),
            fails=fails,
            because=tuple(because),
        ),
        program,
        files,
        captured,
        given,
    )
    return _without_ambient(made, unit, program, files, expand) if ambient else made


def _without_ambient(privileges: Privileges, unit: Unit, program: str, files: Files, expand: Expand) -> Privileges:
    """The same power, less the ambient capabilities where a bit of the program's file empties them."""
    stated = unit.value("Service", "Group")
    number = None if stated is None else group_number(expand(stated.value), files)
    if stated is not None and number is None:
        return privileges
    bit = cleared_by_its_bits(privileges, program, number, files)
    if not bit:
        return privileges
    at = unit.each("Service", "AmbientCapabilities")[-1].at
    return replace(privileges, ambient=frozenset(), because=(*privileges.because, (f"{CLEARED}{bit} bit of its program", at)))


def _user(unit: Unit, files: Files, expand: Expand, because: list[tuple[str, Span]]) -> tuple[str, bool, str | None, bool]:
    """(user, is root, why it fails, dynamic)."""
    dynamic_at = is_on(unit, "DynamicUser")
    if dynamic_at:
        because.append(("DynamicUser=yes", dynamic_at))
    found = unit.value("Service", "User")
    if found is None:
        return ("dynamic", False, None, True) if dynamic_at else ("root", True, None, False)
    because.append((f"User={found.value}", found.at))
    name = expand(found.value)
    # A trailing comment is part of the value, and no account is called so.
    if not is_account_name(name) or " " in name:
        return name, False, "217/USER", dynamic_at is not None
    known = account(name, files)
    if known is not None:
        return known.name, known.uid == 0, None, dynamic_at is not None
    if dynamic_at is None and "\ufffd" not in name and is_unknown(name, files):
        return name, False, "217/USER", False
    return name, name == "0", None, dynamic_at is not None


def _unknown_group(unit: Unit, dynamic: bool, files: Files, expand: Expand, because: list[tuple[str, Span]]) -> str | None:
    """216/GROUP where Group= or SupplementaryGroups= names a group that nobody knows; a dynamic user may bring its own."""
    found = unit.value("Service", "Group")
    named = [(expand(found.value), "Group", found.at)] if found is not None and not dynamic else []
    for setting in unit.each("Service", "SupplementaryGroups"):
        named += [(expand(word), "SupplementaryGroups", setting.at) for word in setting.value.split()]
    for name, key, at in named:
        if not is_account_name(name) or ("\ufffd" not in name and is_unknown_group(name, files)):
            because.append((f"{key}={name}", at))
            return "216/GROUP"
    return None


def _private_network(unit: Unit, because: list[tuple[str, Span]]) -> bool:
    """Whether it has another network namespace than the host. JoinsNamespaceOf= alone does nothing (systemd.unit(5))."""
    at = is_on(unit, "PrivateNetwork")
    if at:
        because.append(("PrivateNetwork=yes", at))
        return True
    path = unit.value("Service", "NetworkNamespacePath")
    if path:
        because.append((f"NetworkNamespacePath={path.value}", path.at))
    return path is not None


def _profile(unit: Unit, expand: Expand) -> str:
    found = unit.value("Service", "AppArmorProfile")
    return "" if found is None else expand(found.value.removeprefix("-"))


def _noroot(unit: Unit, because: list[tuple[str, Span]]) -> bool:
    for setting in unit.each("Service", "SecureBits"):
        if "noroot" in _words(setting):
            because.append(("SecureBits=noroot", setting.at))
            return True
    return False


def _private_users(unit: Unit) -> Span | None:
    """The line that gives it a user namespace: identity, self and full do as well as yes (measured with 257)."""
    found = unit.value("Service", "PrivateUsers")
    return found.at if found is not None and found.value.lower() in (*YES, *PRIVATE_USERS) else None


def _no_new_privileges(
    unit: Unit, uid0: bool, dynamic: bool, families: frozenset[str] | None, because: list[tuple[str, Span]], release: Release | None
) -> bool | None:
    """Whether it may not gain privileges: True, None where it may, False where a systemd since 255 would let it and none is known."""
    at = is_on(unit, "NoNewPrivileges")
    if at:
        because.append(("NoNewPrivileges=yes", at))
        return True
    if dynamic:
        return True
    if uid0 or (release is not None and not NO_IMPLIED_PRIVILEGES.lacking(release)):
        return None
    return (release is not None) if _implies_no_new_privileges(unit, families, because) else None


def _implies_no_new_privileges(unit: Unit, families: frozenset[str] | None, because: list[tuple[str, Span]]) -> bool:
    if not any(setting.key in _IMPLY for setting in unit.settings):
        return families is not None
    for key in _IMPLY_BOOLEAN:
        if at := is_on(unit, key):
            because.append((f"{key}=yes, which implies NoNewPrivileges=yes", at))
            return True
    for key in _IMPLY_LIST:
        if lines := unit.each("Service", key):
            because.append((f"{key}=, which implies NoNewPrivileges=yes", lines[-1].at))
            return True
    namespaces = unit.value("Service", "RestrictNamespaces")
    if namespaces is not None and namespaces.value.lower() not in NO:
        because.append(("RestrictNamespaces=, which implies NoNewPrivileges=yes", namespaces.at))
        return True
    return families is not None


def _families(settings: Iterable[Setting], because: list[tuple[str, Span]]) -> frozenset[str] | None:
    """The families a process may use (config_parse_address_families()): the first line says whether lines allow or deny."""
    listed: set[str] | None = None
    allows = False
    last: Setting | None = None
    for setting in settings:
        if setting.key != "RestrictAddressFamilies":
            continue
        last = setting
        if setting.value in ("", "none"):
            listed, allows = None, bool(setting.value)
            continue
        invert = setting.value.startswith("~")
        if listed is None:
            listed, allows = set(), not invert
        named = {word for word in _words(setting, invert) if word in _FAMILIES}
        listed = listed | named if invert != allows else listed - named
    if last is None or (not allows and not listed):
        return None
    because.append((f"RestrictAddressFamilies={last.value}", last.at))
    return frozenset(listed or ()) if allows else _FAMILIES - (listed or set())


def _denied_by_filter(settings: Sequence[Setting], because: list[tuple[str, Span]], release: Release | None) -> str | None:
    """EPERM where SystemCallFilter= surely forbids socket() or bind(), None where it allows them or nobody can tell.

    The first line says whether the list allows or denies; later ones add to it or take from it (systemd.exec(5)).
    """
    listed: set[str] = set()
    allows: bool | None = None
    decided: Setting | None = None
    for setting in settings:
        if setting.key != "SystemCallFilter":
            continue
        if not setting.value:
            listed, allows, decided = set(), None, None
            continue
        invert = setting.value.startswith("~")
        if allows is None:
            allows = not invert
        named: set[str] = set()
        for word in _words(setting, invert):
            call = word.partition(":")[0]
            if call in _NETWORK_SETS:
                named |= _NEEDED
            elif call in _NEEDED:
                named.add(call)
            elif call.startswith("@") and call not in _OTHER_SETS and allows and not invert:
                # A set of another systemd: it may hold what is needed.
                named |= _NEEDED
        before = set(listed)
        listed = listed | named if invert != allows else listed - named
        if decided is None or listed != before:
            decided = setting
    if allows is None or decided is None:
        return None
    denied = _NEEDED - listed if allows else listed & _NEEDED
    if not denied:
        return None
    because.append((f"SystemCallFilter={decided.value}", decided.at))
    numbers = [each.value for each in settings if each.key == "SystemCallErrorNumber"]
    if numbers and numbers[-1] not in ("", "kill"):
        return "EPERM"
    # Measured: systemd 252 answers EPERM, 257 kills.
    return "SIGSYS" if release is not None and release.oldest >= _KILLS else "EPERM"


def _words(setting: Setting, skip_first: bool = False) -> list[str]:
    found, _ = words(SpannedText.of(Word(setting.value[1:] if skip_first else setting.value, setting.at)))
    return [word.text for word in found]


def _lines(settings: Iterable[Setting], *keys: str) -> list[tuple[str, Span]]:
    return [(f"{setting.key}={setting.value}", setting.at) for setting in settings if setting.key in keys]
