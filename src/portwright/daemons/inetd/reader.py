"""inetd: the services of inetd.conf(5) become the sockets it binds for them."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons.inetd.lines import PROTOCOLS, SOCKETS, endpoint, lines
from portwright.facts import Endpoint, Invocation
from portwright.source import Source, Word
from portwright.system.host_files import names
from portwright.trees import Files

_FAMILIES = {"4": ("0.0.0.0",), "6": ("::",), "46": ("::", "0.0.0.0")}  # noqa: S104  reported, never bound


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of inetd.conf(5): the file on the command line, else /etc/inetd.conf.

    Measured for openbsd-inetd: a service without an address gets an IPv4 and an IPv6 socket, tcp ones with IPV6_V6ONLY, all with
    SO_REUSEADDR. An address before the service, and a line of an address and a colon, tie what follows to it.
    """
    given = [word.text for word in invocation.argv[1:] if not word.text.startswith("-")]
    path = next((text for text in given if text.startswith("/")), "/etc/inetd.conf")
    source = files.read(path) if files.kind(path) == "file" else None
    return () if source is None else tuple(_inetd(source, files))


def _inetd(source: Source, files: Files) -> Iterator[Endpoint]:
    default: tuple[str, ...] | None = None
    for words in lines(source):
        first = words[0]
        if len(words) == 1 and first.text.endswith(":"):
            default = None if first.text == "*:" else _inetd_addresses(first, first.text[:-1], files)
            continue
        if len(words) < 6:
            files.report_unreadable(first.at.to(words[-1].at), "inetd ignores this line: a service takes six words or more")
            continue
        kind, protocol = words[1].text, words[2].text.partition(",")[0]
        family = protocol[3:] if protocol[:3] in PROTOCOLS else ""
        transport = PROTOCOLS.get(protocol[:3])
        if transport is None or kind not in SOCKETS or protocol.startswith("rpc/"):
            # Unix sockets, raw ones, and RPC services, whose port is any.
            continue
        host, colon, service = first.text.rpartition(":")
        addresses = _inetd_addresses(first, host, files) if colon and host != "*" else default
        port = names.port(service, transport, files)
        if port is None:
            missing = files.kind("/etc/services") != "file"
            reason = (
                f"the port of {service} is not known: there is no /etc/services"
                if missing
                else f"inetd ignores this line: no port is called {service}"
            )
            files.report_unreadable(first.at, reason)
            continue
        for address in addresses if addresses is not None else _FAMILIES.get(family, ("0.0.0.0", "::")):  # noqa: S104
            v6only = None if ":" not in address else transport == "tcp"
            yield endpoint("inetd", first.at, transport, address, port, v6only)


def _inetd_addresses(word: Word, text: str, files: Files) -> tuple[str, ...]:
    found = [address for name in text.split(",") for address in names.addresses(name.strip(), files)]
    if not found:
        files.report_unreadable(word.at, f"the address of {text} is not known")
    return tuple(found)
