"""systemd.socket(5): what PID 1 binds for a .socket unit, and which service it hands the descriptor to."""

from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from portwright.facts import Backlog, Endpoint, Setting, Traits, Unit
from portwright.facts import Protocol as Transport
from portwright.formats.unit import BLANK, YES
from portwright.ip import ip_address
from portwright.numbers import based
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.systemd import specifiers
from portwright.trees import Files

_PROTOCOLS: dict[str, Transport] = {"ListenStream": "tcp", "ListenDatagram": "udp"}
_TAKES = "takes a port, address:port or [address]:port"
_BASES = {"0x": 16, "0o": 8, "0b": 2}

# The service manager is root, and a .socket unit fails where one of its addresses cannot be bound (systemd.socket(5)).
_TRAITS = Traits(root="by-design", port_taken="exits")


class Loaded(Protocol):
    """The units of a host, by any name."""

    def get(self, name: str) -> Unit | None: ...


def read(unit: Unit, units: Loaded, files: Files) -> tuple[Endpoint, ...]:
    """The IP sockets of a .socket unit; a template without instance has none.

    SO_REUSEADDR is always set, SO_REUSEPORT and IP_FREEBIND only where the unit says so. A line systemd ignores is in
    `files.unreadable` with the reason; Unix, netlink and vsock sockets, FIFOs and special files are nobody's business here.
    """
    if specifiers.name(unit.name).is_template:
        return ()
    machine = specifiers.machine(files)
    fragment = unit.files[0] if unit.files else ""

    def expanded(text: str) -> str:
        return specifiers.expand(text, unit.name, machine, fragment).strip(BLANK)

    only = _text(unit, "BindIPv6Only")
    v6only = {"both": False, "ipv6-only": True}.get(only)  # "default" follows net.ipv6.bindv6only
    free_bind = _is_on(unit, "FreeBind") or _is_on(unit, "Transparent")
    interface = expanded(_text(unit, "BindToDevice")) or None
    queue = unit.value("Socket", "Backlog")
    backlog = None if queue is None else Backlog.asked(Word(queue.value, queue.at))
    found: list[Endpoint] = []
    for setting in listens(unit):
        protocol = _PROTOCOLS.get(setting.key)
        address = expanded(setting.value)
        if protocol is None or not _is_internet(address):
            continue
        if specifiers.UNKNOWN in address:
            files.report_unreadable(setting.at, f"the value of {setting.value} cannot be determined from the host's files")
            continue
        bound = _address(address)
        if bound is None:
            files.report_unreadable(setting.at, f"systemd ignores this: {setting.key}= {_TAKES}")
            continue
        where, port = bound
        dual = where == "::" and v6only is False
        found.append(
            Endpoint(
                at=setting.at,
                app="systemd",
                traits=_TRAITS,
                protocol=protocol,
                address="*" if dual else where,
                ports=PortSet.of(port),
                origin="socket-unit",
                reuse_address=True,
                reuse_port=_is_on(unit, "ReusePort"),
                v6only=v6only if ":" in where else None,
                free_bind=free_bind,
                interface=interface,
                binds_as="root",
                # socket_address_parse(): a bare port is the IPv6 wildcard where the kernel has IPv6, else the IPv4 one.
                ipv4_fallback=":" not in address,
                backlog=backlog if protocol == "tcp" else None,
            )
        )
    return tuple(found)


def untaken(setting: Setting) -> str:
    """Why no systemd takes a ListenStream= or ListenDatagram= as it is written, "" where it does, or a specifier may make it right."""
    if "%" in setting.value or not _is_internet(setting.value) or _address(setting.value) is not None:
        return ""
    service = ", not the name of a service" if setting.value.rpartition(":")[2][:1].isalpha() else ""
    return f"systemd ignores {setting.key}={setting.value}: it {_TAKES}{service}"


def activates(unit: Unit, units: Loaded) -> str | None:
    """The service unit that is handed the descriptors: Service=, a template's name for Accept=yes, else the same name.

    The name is the unit's own where an alias was written; None where the unit is a template itself.
    """
    name = specifiers.name(unit.name)
    if name.is_template:
        return None
    service = _text(unit, "Service")
    if not service:
        service = f"{name.prefix}@.service" if _is_on(unit, "Accept") else f"{name.stem}.service"
    known = units.get(service)
    return service if known is None else known.name


def listens(unit: Unit) -> list[Setting]:
    """The Listen*= lines in force: an empty one of any kind clears all of them."""
    kept: list[Setting] = []
    for setting in unit.settings:
        if setting.section == "Socket" and setting.key.startswith("Listen"):
            if setting.value:
                kept.append(setting)
            else:
                kept.clear()
    return kept


def _text(unit: Unit, key: str) -> str:
    value = unit.value("Socket", key)
    return "" if value is None else value.value


def _is_on(unit: Unit, key: str) -> bool:
    return _text(unit, key).lower() in YES


def _is_internet(address: str) -> bool:
    return not address.startswith(("/", "@", "vsock:"))


def _address(text: str) -> tuple[str, int] | None:
    """(address, port) of a ListenStream= value, None for what socket_address_parse() refuses (src/basic/socket-util.c)."""
    host, colon, rest = text.rpartition(":")
    if not colon:
        port = _port(text)
        return None if port is None else ("::", port)
    digits, scoped, scope = rest.partition("%")
    port = _port(digits)
    bracketed = host.startswith("[") and host.endswith("]")
    if port is None or (scoped and not scope) or "%" in host:
        return None
    try:
        address = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        return None
    if bracketed != isinstance(address, IPv6Address):
        return None
    # The scope only narrows a link-local address; elsewhere the kernel does not look at it.
    narrowed = scope and not isinstance(address, IPv4Address) and address.is_link_local
    return f"{address}%{scope}" if narrowed else str(address), port


def _port(text: str) -> int | None:
    """A port as safe_atou16() takes it: decimal, 0x, 0o or 0b, a plus sign, no leading zero, not 0."""
    digits = text.removeprefix("+")
    base = _BASES.get(digits[:2].lower(), 10)
    if base != 10:
        digits = digits[2:]
    return None if base == 10 and digits.startswith("0") else based(digits, base, 65535) or None
