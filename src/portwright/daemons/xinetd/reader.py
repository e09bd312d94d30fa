"""xinetd: the services of xinetd.conf(5) become the sockets it binds for them."""

from collections.abc import Iterator

from portwright._start.records import dataclass
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.inetd.lines import BLANK, PROTOCOLS, SOCKETS, endpoint, lines
from portwright.facts import Endpoint, Invocation
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.trees import Files

_MOST_SERVICES = 2_000


@dataclass(frozen=True)
class _Service:
    """A `service name { ... }` of xinetd.conf(5), or `defaults`; values of `key = value`, `+=` and `-=` in the order written."""

    name: Word
    settings: tuple[tuple[str, str, Word], ...]

    def value(self, key: str) -> Word | None:
        return next((value for known, _, value in reversed(self.settings) if known == key), None)

    def words(self, key: str, first: frozenset[str] = frozenset()) -> frozenset[str]:
        found = set(first)
        for known, operator, value in self.settings:
            if known == key:
                said = set(value.text.split())
                found = found | said if operator == "+=" else found - said if operator == "-=" else said
        return frozenset(found)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets xinetd binds for the services that are enabled; measured for 2.3.15: SO_REUSEADDR is set.

    A service is off with `disable = yes`, by the defaults' `disabled`, or where `enabled` names others. Without
    `bind` it binds one dual-stack socket, whatever net.ipv6.bindv6only says, or one of IPv4 with that flag.
    """
    words = iter(invocation.argv)
    named = next((next(words, None) for word in words if word.text == "-f"), None)
    path = named.text if named is not None else "/etc/xinetd.conf"
    found = list(_services(path, files, set()))
    defaults = next((service for service in found if service.name.text == ""), _Service(Word("", Span.whole(path)), ()))
    disabled, enabled = defaults.words("disabled"), defaults.words("enabled")
    done: list[Endpoint] = []
    for service in files.limited(found, _MOST_SERVICES, "services", lambda service: service.name.at):
        own = service.value("id")
        name = own.text if own is not None else service.name.text
        off = service.value("disable")
        if not service.name.text or (off is not None and off.text.lower() in ("yes", "true", "on", "1")):
            continue
        if name in disabled or (enabled and name not in enabled):
            continue
        done += _xinetd(service, defaults, files)
    return tuple(done)


def _xinetd(service: _Service, defaults: _Service, files: Files) -> Iterator[Endpoint]:
    kinds = service.words("type")
    if kinds & {"RPC", "TCPMUX", "TCPMUXPLUS"}:
        return
    socket, named = service.value("socket_type"), service.value("protocol")
    transport = PROTOCOLS.get(named.text[:3] if named is not None else SOCKETS.get(socket.text if socket is not None else "", ""))
    if transport is None:
        return
    stated = service.value("port")
    text = stated.text if stated is not None else service.name.text
    port = names.port(text, transport, files)
    at = stated.at if stated is not None else service.name.at
    if port is None:
        files.report_unreadable(at, f"the port of {text} is not known: /etc/services does not name it")
        return
    flags = service.words("flags", defaults.words("flags"))
    bind = service.value("bind") or service.value("interface") or defaults.value("bind") or defaults.value("interface")
    addresses: tuple[str, ...] = ("0.0.0.0",) if "IPv4" in flags else ("*",)  # noqa: S104  reported, never bound
    if bind is not None:
        addresses = names.addresses(bind.text, files)[:1]
        if not addresses:
            files.report_unreadable(bind.at, f"the address of {bind.text} is not known")
    for address in addresses:
        yield endpoint("xinetd", at, transport, "*" if address == "::" else address, port, False if ":" in address else None)


def _services(path: str, files: Files, seen: set[str]) -> Iterator[_Service]:
    """The services of a file and of what it includes; a file is read once."""
    source = files.read(path) if path not in seen and files.kind(path) == "file" else None
    seen.add(path)
    if source is None:
        return
    inside: Word | None = None
    settings: list[tuple[str, str, Word]] = []
    for words in lines(source):
        key = words[0].text
        if inside is None:
            if key == "service" and len(words) > 1:
                inside, settings = Word(words[1].text.rstrip("{"), words[1].at), []
            elif key in ("defaults", "defaults{"):
                inside, settings = Word("", words[0].at), []
            elif key in ("include", "includedir") and len(words) > 1:
                yield from _included(key, words[1].text, files, seen)
        elif key.startswith("}"):
            yield _Service(inside, tuple(settings))
            inside = None
        elif key != "{":
            setting = _setting(source, words)
            if setting is not None:
                settings.append(setting)
    if inside is not None:
        files.report_unreadable(inside.at, "xinetd does not start: a service is not closed by }")


def _included(key: str, path: str, files: Files, seen: set[str]) -> Iterator[_Service]:
    if key == "include":
        yield from _services(path, files, seen)
        return
    for name in files.names(path):
        # xinetd.conf(5): files with a dot in their name, or ending in a tilde, are passed over.
        if "." not in name and not name.endswith("~"):
            yield from _services(f"{path.rstrip('/')}/{name}", files, seen)


def _setting(source: Source, words: list[Word]) -> tuple[str, str, Word] | None:
    """(key, operator, value) of `key = value value`, with blanks around the operator or without."""
    line = source.line(words[0].at.line)
    position = line.find("=")
    if position < 0:
        return None
    before = line[:position].strip(BLANK)
    operator = f"{before[-1]}=" if before[-1:] in ("+", "-") else "="
    text = line[position + 1 :].strip(BLANK)
    start = line.find(text, position + 1) + 1 if text else position + 2
    number = words[0].at.line
    return before.rstrip("+-").strip(BLANK), operator, Word(text, Span(source.path, number, start, number, start + len(text)))
