"""memcached: its options, or the file that Debian's wrapper makes options of, become its sockets."""

from collections.abc import Iterator

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Backlog, Endpoint, FileNeed, Invocation, Origin, Protocol
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_PORT = 11211
_BACKLOG = _CONNECTIONS = 1024  # settings_init() in memcached.c
_MOST_ADDRESSES = 256
_WITH_ARGUMENT = "apsUmculPfntDRbBIYeoN"  # memcached.c, shortopts
_LONG = {"port": "p", "udp-port": "U", "listen": "l", "unix-socket": "s", "user": "u", "listen-backlog": "b", "conn-limit": "c"}
_STARTS_NOTHING = frozenset("hiV")
_WRAPPERS = ("systemd-memcached-wrapper", "start-memcached")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a memcached. It changes user before it binds, so -u decides who may (measured with 1.6.18)."""
    argv = invocation.argv[1:]
    origin: Origin = "argument"
    if invocation.program in _WRAPPERS:
        path = argv[0].text if argv else "/etc/memcached.conf"
        source = files.read(path)
        if source is None:
            files.report_missing(invocation.at, f"memcached has no options: {path} is not there")
        argv, origin = (tuple(_words(source)) if source is not None else ()), "directive"
        argv = argv or (Word("-u", invocation.at), Word("root", invocation.at))
    options = _options(argv)
    if options is None or "s" in options:
        return ()
    user = options["u"][-1].text if "u" in options else None
    if invocation.privileges.uid0 and user is None:
        unknown = any(UNKNOWN in word.text for word in argv)
        reason = "its expansion cannot be determined" if unknown else "memcached does not start: as root it needs -u"
        files.report_unreadable(invocation.at, reason)
        return ()
    binds_as = user if invocation.privileges.uid0 and user != "root" else None
    backlog = Backlog.asked(options["b"][-1] if "b" in options else None, _BACKLOG)
    sockets = tuple(_endpoints(options, origin, invocation.at, binds_as, files))
    said = (replace(each, backlog=backlog if each.protocol == "tcp" else None) for each in sockets)
    return (*said, *_files(options, invocation.at)) if sockets else ()


def _files(options: dict[str, list[Word]], at: Span) -> Iterator[FileNeed]:
    """main() in memcached.c gives itself as many descriptors as -c says, and ends where it may not."""
    word = options["c"][-1] if "c" in options else None
    text = str(_CONNECTIONS) if word is None else word.text
    connections = decimal(text, 9_999_999_999)
    if connections is not None:
        yield FileNeed(
            at=at if word is None else word.at,
            app="memcached",
            setting="-c",
            connections=connections,
            files=connections,
            otherwise="it does not start",
            raises="as far as it is permitted",
        )


def _words(source: Source) -> Iterator[Word]:
    """The options in /etc/memcached.conf as the wrapper joins them: lines that begin with `-`, but for -d and -h."""
    for number, line in enumerate(source.text.split("\n"), 1):
        text = line.partition("#")[0]
        stripped = text.strip()
        if not stripped.startswith("-") or stripped.startswith(("-d", "-h")):
            continue
        at = 0
        for word in text.split():
            at = text.index(word, at)
            yield Word(word.strip("\"'"), Span(source.path, number, at + 1, number, at + len(word) + 1))
            at += len(word)


def _options(argv: tuple[Word, ...]) -> dict[str, list[Word]] | None:
    """The values of each option by its letter; None for a command that prints and ends."""
    found: dict[str, list[Word]] = {}
    rest = iter(argv)
    for word in rest:
        if word.text.startswith("--"):
            name, equals, text = word.text[2:].partition("=")
            letter = _LONG.get(name)
            if name in ("help", "version", "license"):
                return None
            value = (Word(text, word.at) if equals else next(rest, None)) if letter else None
            if letter and value is not None:
                found.setdefault(letter, []).append(value)
            continue
        for position, letter in enumerate(word.text[1:] if word.text.startswith("-") else "", 2):
            if letter in _STARTS_NOTHING:
                return None
            if letter in _WITH_ARGUMENT:
                attached = word.text[position:]
                value = Word(attached, word.at) if attached else next(rest, None)
                if value is not None:
                    found.setdefault(letter, []).append(value)
                break
    return found


def _endpoints(options: dict[str, list[Word]], origin: Origin, at: Span, binds_as: str | None, files: Files) -> Iterator[Endpoint]:
    tcp, udp = options.get("p", [None])[-1], options.get("U", [None])[-1]
    # memcached.c: -U without -p moves both; UDP is off otherwise (1.5.6).
    for protocol, word, default in (("tcp", tcp or udp, _PORT), ("udp", udp, 0)):
        port = _number(word, default)
        if port is None:
            files.report_unreadable(word.at if word else at, "memcached does not start: not a port")
            return
        if not port:
            continue
        where, why = (word.at, origin) if word is not None else (at, "default")
        for count, (host, own, host_at) in enumerate(_places(options.get("l", []))):
            if count >= _MOST_ADDRESSES:
                files.report_unreadable(host_at or at, f"more than {_MOST_ADDRESSES} addresses: the rest is left out")
                break
            number = _number(own, port) if own is not None else port
            if not number:
                files.report_unreadable(host_at or at, f"memcached does not start: not a port: {own.text if own else ''}")
                continue
            moved = own is not None or (word is None and host_at is not None)
            yield from _resolved(host, number, host_at if moved and host_at else where, origin if moved else why, protocol, binds_as, files)


def _resolved(host: str, port: int, at: Span, origin: Origin, protocol: str, binds_as: str | None, files: Files) -> Iterator[Endpoint]:
    wild = ("0.0.0.0", "::")  # noqa: S104
    known = wild if host in ("", "*") else names.addresses(host, files)
    proto: Protocol = "udp" if protocol == "udp" else "tcp"
    for address in known or (host,):
        yield Endpoint(
            at=at,
            app="memcached",
            protocol=proto,
            address=address,
            ports=PortSet.of(port),
            origin=origin,
            reuse_address=True,
            v6only=True if ":" in address else None,
            binds_as=binds_as,
            confidence="certain" if known else "possible",
        )


def _places(values: list[Word]) -> Iterator[tuple[str, Word | None, Span | None]]:
    """(host, its own port or None, where that stands) of every -l, whose lists are separated by commas; one wildcard without -l."""
    if not values:
        yield "", None, None
    for value in values:
        for text in value.text.split(","):
            plain = text.removeprefix("notls:")
            if plain.startswith("proto["):
                plain = plain.partition("]:")[2]
            if plain.startswith("["):
                host, _, rest = plain[1:].partition("]")
                port = rest.removeprefix(":")
            elif plain.count(":") == 1:
                host, _, port = plain.partition(":")
            else:
                host, port = plain, ""
            yield host, Word(port, value.at) if port else None, value.at


def _number(word: Word | None, default: int) -> int | None:
    if word is None:
        return default
    return decimal(word.text, 65535)
