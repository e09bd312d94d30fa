"""socat(1): the listening addresses on its command line become endpoints."""

from collections.abc import Mapping

from portwright._start.records import dataclass, replace
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation, Protocol
from portwright.numbers import c_number, decimal, is_digits
from portwright.ports import PortSet
from portwright.source import Word
from portwright.system.host_files import names
from portwright.trees import Files


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an address type opens: a protocol, and the family it is bound to (None: -4, -6 or the default decides).

    `waits`: the next address is opened only once a peer has come. `server`: a UDP socket that behaves like a TCP listener.
    """

    protocol: Protocol
    family: str | None = None
    waits: bool = True
    server: bool = False


def _kinds() -> dict[str, _Kind]:
    """Address types and their short forms by name (socat -hhh)."""
    found: dict[str, _Kind] = {}
    for family in ("", "4", "6"):
        for name in ("TCP", "INET"):
            for ending in ("LISTEN", "L"):
                found[f"{name}{family}-{ending}"] = _Kind("tcp", family or None)
        for ending in ("LISTEN", "L"):
            found[f"UDP{family}-{ending}"] = _Kind("udp", family or None, server=True)
        found[f"UDP{family}-RECVFROM"] = _Kind("udp", family or None)
        found[f"UDP{family}-RECV"] = _Kind("udp", family or None, waits=False)
    for name in ("OPENSSL-LISTEN", "OPENSSL-L", "SSL-LISTEN", "SSL-L"):
        found[name] = _Kind("tcp")
    for name in ("OPENSSL-DTLS-SERVER", "OPENSSL-DTLS-LISTEN", "DTLS-LISTEN", "DTLS-L"):
        found[name] = _Kind("udp", server=True)
    return found


_KINDS = _kinds()
# Each option under the name socat's manual gives it first.
_ALIASES = {
    "so-reuseaddr": "reuseaddr",
    "so-reuseport": "reuseport",
    "ipv6-v6only": "ipv6only",
    "protocol-family": "pf",
    "so-bindtodevice": "device",
    "bindtodevice": "device",
    "interface": "device",
    "if": "device",
    "ip-freebind": "freebind",
    "ipfreebind": "freebind",
    "ip-transparent": "transparent",
    "iptransparent": "transparent",
}
_FAMILIES = {"ip4": "4", "ipv4": "4", "inet": "4", "inet4": "4", "2": "4", "ip6": "6", "ipv6": "6", "inet6": "6", "10": "6"}
_WITH_ARGUMENT = frozenset(("-b", "-lf", "-lp", "-t", "-T", "-L", "-W", "-r", "-R", "-S"))
_PRINTS = frozenset(("-V", "-h", "-hh", "-hhh", "-?", "-??", "-???"))
_REUSES_SINCE = (1, 8)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a socat.

    TCP listeners set SO_REUSEADDR where asked to and, since 1.8, by default; UDP listeners with `fork` set it too. An address behind
    one that waits for a peer is bound on demand.
    """
    preferred = invocation.environment.get("SOCAT_DEFAULT_LISTEN_IP")
    family = "6" if preferred is not None and preferred.text == "6" else "4"
    addresses: list[Word] = []
    rest = iter(invocation.argv[1:])
    for word in rest:
        if addresses or word.text == "-" or not word.text.startswith("-"):
            addresses.append(word)
        elif word.text in _PRINTS:
            return ()
        elif word.text in ("-4", "-6"):
            family = word.text[1:]
        elif word.text in _WITH_ARGUMENT:
            next(rest, None)
    reuses = _version(packages.get("socat", "")) >= _REUSES_SINCE
    found: list[Endpoint] = []
    waits = False
    for word in addresses[:2]:
        for part in word.text.split("!!")[:2]:
            name, _, rest_of_it = part.partition(":")
            kind = _KINDS.get(name.strip().upper())
            if kind is None:
                continue
            endpoint = _endpoint(kind, rest_of_it, word, family, reuses, files)
            if endpoint is not None and waits:
                endpoint = replace(endpoint, on_demand=True, why="bound while a peer of the first address is connected")
            if endpoint is not None:
                found.append(endpoint)
            waits = waits or kind.waits
    return tuple(found)


def _version(text: str) -> tuple[int, ...]:
    """The numbers a package version starts with: `1.7.4.4-2` is (1, 7, 4, 4)."""
    numbers: list[int] = []
    for part in text.rpartition(":")[2].split("-")[0].split("."):
        number = decimal(part, 999_999_999)
        if number is None:
            break
        numbers.append(number)
    return tuple(numbers)


def _endpoint(kind: _Kind, text: str, word: Word, default_family: str, reuses: bool, files: Files) -> Endpoint | None:
    """What one listening address opens; None where its port cannot be told."""
    if "\ufffd" in text:
        files.report_unreadable(word.at, "its expansion cannot be determined")
        return None
    port_text, *given = _split(text)
    options = _options(given)
    port = _port(port_text.strip(), kind.protocol, files)
    if port is None:
        files.report_unreadable(word.at, "socat does not start: a listening address has no port")
        return None
    family = kind.family or _FAMILIES.get(options.get("pf", "").lower(), default_family)
    address = _bound(options.get("bind", ""), family, files)
    reuse = _flag(options, "reuseaddr")
    if reuse is None:
        reuse = reuses if kind.protocol == "tcp" else kind.server and "fork" in options
    v6only = _flag(options, "ipv6only")
    return Endpoint(
        at=word.at,
        app="socat",
        protocol=kind.protocol,
        address="*" if address == "::" and v6only is False else address,
        ports=PortSet.of(port) if port else PortSet(),
        origin="argument",
        random=port == 0,
        reuse_address=reuse,
        reuse_port=bool(_flag(options, "reuseport")),
        v6only=v6only if ":" in address else None,
        free_bind=bool(_flag(options, "freebind") or _flag(options, "transparent")),
        interface=options.get("device") or None,
    )


def _split(text: str) -> list[str]:
    """The parts between commas; brackets, braces, parentheses and quotes keep theirs (socat(1), Address specifications)."""
    parts: list[str] = [""]
    closing: list[str] = []
    pieces: list[str] = []
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
            continue
        elif closing and char == closing[-1]:
            closing.pop()
            if char in "\"'":
                continue
        elif closing and closing[-1] in "\"'":
            pass
        elif char in "\"'":
            closing.append(char)
            continue
        elif char in "[({":
            closing.append({"[": "]", "(": ")", "{": "}"}[char])
        elif char == "," and not closing:
            parts[-1] = "".join(pieces)
            pieces = []
            parts.append("")
            continue
        pieces.append(char)
    parts[-1] = "".join(pieces)
    return parts


def _options(given: list[str]) -> dict[str, str]:
    """Options by their first name, lower case; one without a value is "1"."""
    found: dict[str, str] = {}
    for option in given:
        name, equals, value = option.partition("=")
        key = name.strip().lower()
        found[_ALIASES.get(key, key)] = value.strip() if equals else "1"
    return found


def _flag(options: Mapping[str, str], name: str) -> bool | None:
    return None if name not in options else options[name] not in ("0", "")


def _port(text: str, protocol: Protocol, files: Files) -> int | None:
    """A port as strtoul(..., 0) reads it, octal and hexadecimal included, or a service name."""
    return c_number(text, 65535) if is_digits(text[:1]) else names.port(text, protocol, files)


def _bound(text: str, family: str, files: Files) -> str:
    wildcard = "::" if family == "6" else "0.0.0.0"  # noqa: S104
    if not text or text == "1":
        return wildcard
    for address in names.addresses(text, files):
        if (":" in address) == (family == "6"):
            return address
    return text.strip("[]")
