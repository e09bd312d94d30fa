"""Cyrus IMAP: its master process binds what the services of cyrus.conf(5) name in `listen=`."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Backlog, Endpoint, Invocation, Protocol
from portwright.ports import PortSet
from portwright.source import Source, Word
from portwright.system.host_files import names
from portwright.trees import Files

_CONFIG = "/etc/cyrus.conf"
_QUEUE = 32  # master.c, listen_queue_backlog
# masterconf.c, split_args(): a value is a quoted text or a word.
_ARGUMENT = lazy_regex(r"""(\w[\w-]{0,63})=(?:"([^"\n]*)"|(\S*))""")
_SECTION = lazy_regex(r"[ \t]*(\w+)[ \t]*\{|[ \t]*\}")
# master.c, service_create(): the families that getaddrinfo(3) is asked for. "tcp" and "udp" bind one socket for each, with IPV6_V6ONLY.
_BOTH = ("0.0.0.0", "::")  # noqa: S104  reported, never bound
_FAMILIES: Mapping[str, tuple[Protocol, tuple[str, ...]]] = {
    "tcp": ("tcp", _BOTH), "tcp4": ("tcp", _BOTH[:1]), "tcp6": ("tcp", _BOTH[1:]),
    "udp": ("udp", _BOTH), "udp4": ("udp", _BOTH[:1]), "udp6": ("udp", _BOTH[1:]),
}  # fmt: skip
# The packages that Debian has each program of a service in, where cyrus-common does not have it.
_PROGRAMS = {"imapd": "cyrus-imapd", "pop3d": "cyrus-pop3d", "nntpd": "cyrus-nntpd", "httpd": "cyrus-caldav", "mupdate": "cyrus-murder"}
# services(5), for hosts whose file of that name was not copied.
_PORTS = {
    "imap": 143, "imap2": 143, "imaps": 993, "pop3": 110, "pop-3": 110, "pop3s": 995, "nntp": 119, "nntps": 563, "lmtp": 24, "sieve": 4190,
    "http": 80, "https": 443, "csync": 2005, "mupdate": 3905,
}  # fmt: skip


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of the SERVICES section of `-M FILE`, else of /etc/cyrus.conf; `-l` is the length of their queues."""
    words = invocation.argv[1:]
    given = {option.text: value for option, value in pairwise(words) if option.text in ("-M", "-l")}
    path = given["-M"].text if "-M" in given else _CONFIG
    source = files.read(path) if files.kind(path) == "file" else None
    if source is None or _stops(source, files, packages):
        return ()
    return tuple(_services(source, files, Backlog.asked(given.get("-l"), _QUEUE)))


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets that a file on its own describes."""
    source = files.read(path)
    return () if source is None else tuple(_services(source, files, Backlog(_QUEUE)))


def _stops(source: Source, files: Files, packages: Packages) -> bool:
    """Whether the program of a service is not installed: master.c ends then, before it serves anything (measured with 3.6: status 78)."""
    for service in _of_services(source) if "cyrus-common" in packages else ():
        command = service.get("cmd")
        package = None if command is None else _PROGRAMS.get(command.text.partition(" ")[0])
        if command is not None and package is not None and package not in packages:
            files.report_unreadable(command.at, f"Cyrus does not start: {package}, which has this program, is not installed")
            return True
    return False


def _services(source: Source, files: Files, backlog: Backlog | None) -> Iterator[Endpoint]:
    for service in _of_services(source):
        if "listen" in service and not service["listen"].text.startswith("/"):
            yield from _sockets(service["listen"], service.get("proto"), files, backlog)


def _of_services(source: Source) -> Iterator[dict[str, Word]]:
    """The words of each line of the SERVICES section."""
    section, start = "", 0
    for line in source.text.splitlines(keepends=True):
        begins, start = start, start + len(line)
        if line.lstrip().startswith("#"):
            continue
        if (mark := _SECTION.match(line)) is not None:
            section = mark[1] or ""
        elif section == "SERVICES":
            found: dict[str, Word] = {}
            for argument in _ARGUMENT.finditer(line):
                group = 2 if argument[2] is not None else 3
                at = source.span(begins + argument.start(group), begins + argument.end(group))
                found[argument[1]] = Word(argument[group], at)
            yield found


def _sockets(listen: Word, proto: Word | None, files: Files, backlog: Backlog | None) -> Iterator[Endpoint]:
    name = "tcp" if proto is None else proto.text
    if name not in _FAMILIES:
        files.report_unreadable(listen.at, f"there is no protocol {name}, so cyrus does not open this socket")
        return
    transport, wanted = _FAMILIES[name]
    host, colon, service = listen.text.rpartition(":")
    port = names.port(service, transport, files) or _PORTS.get(service)
    if port is None:
        files.report_unreadable(listen.at, f"the port of {service} is not known: /etc/services does not name it")
        return
    if colon and host != "*":
        known = names.addresses(host.removeprefix("[").removesuffix("]"), files)
        if not known:
            files.report_unreadable(listen.at, f"the address of {host} is not known")
        wanted = tuple(address for address in known if any((":" in address) == (":" in each) for each in wanted))
    for address in wanted:
        yield Endpoint(
            at=listen.at,
            app="cyrus-imapd",
            protocol=transport,
            address=address,
            ports=PortSet.of(port),
            origin="directive",
            reuse_address=True,
            v6only=True if ":" in address else None,
            survives_conflict=True,
            backlog=backlog if transport == "tcp" else None,
        )
