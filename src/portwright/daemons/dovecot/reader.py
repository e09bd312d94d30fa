"""Dovecot: the inet_listeners of its services, for the protocols that are on, times the addresses of `listen`."""

from portwright._start.records import dataclass, field
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Confidence, Endpoint, Invocation, Origin
from portwright.formats import braces
from portwright.formats.nodes import Node
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.includes import may_follow, named_files
from portwright.trees import Files

CONFIG = "/etc/dovecot/dovecot.conf"
_MOST_WORDS = 1000
_INCLUDES = ("!include", "!include_try")
_PROTOCOLS = ("imap", "pop3", "lmtp")  # until 2.4
_YES = frozenset(("yes", "y", "1", "true"))
# master-service's default services: (service, listener) to its port, whether it speaks TLS at once, and the protocol that brings it.
_LISTENERS: dict[tuple[str, str], tuple[int, bool, str]] = {
    ("imap-login", "imap"): (143, False, "imap"),
    ("imap-login", "imaps"): (993, True, "imap"),
    ("pop3-login", "pop3"): (110, False, "pop3"),
    ("pop3-login", "pop3s"): (995, True, "pop3"),
    ("submission-login", "submission"): (587, False, "submission"),
    ("submission-login", "submissions"): (465, True, "submission"),
    ("managesieve-login", "sieve"): (4190, False, "sieve"),
}
_PROTOCOL_OF = {service: protocol for (service, _), (_, _, protocol) in _LISTENERS.items()} | {"lmtp": "lmtp"}
_ANY = {"*": "0.0.0.0", "::": "::", "[::]": "::"}  # noqa: S104


@dataclass
class _Said:
    """Settings as they stand after all files: the last word wins, services are merged by name."""

    files: Files
    values: dict[str, tuple[Word, ...]] = field(default_factory=dict)
    protocols: dict[str, bool] = field(default_factory=dict)  # of `protocols { imap = yes }`, Dovecot 2.4's
    listeners: dict[tuple[str, str], dict[str, tuple[Word, ...]]] = field(default_factory=dict)
    read: int = 0


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The listeners of one file that name a port of their own."""
    said = _Said(files)
    _file((path,), said)
    return tuple(each for each in _endpoints(said, Span.whole(path), "likely") if each.origin == "directive")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets dovecot's master binds."""
    config = CONFIG
    words = iter(invocation.argv[1:])
    for word in words:
        if word.text == "-c":
            value = next(words, None)
            config = config if value is None else value.text
        elif word.text in ("-n", "-a", "--version", "--help", "reload", "stop"):
            return ()
    said = _Said(files)
    confidence: Confidence = "certain"
    path = invocation.path(config)
    if files.kind(path) == "missing":
        files.report_missing(invocation.at, f"dovecot reads {path}, which is not there")
        confidence = "possible"
    else:
        _file((path,), said)
    # Dovecot adds what PID 1 hands it to what it binds itself only where both have one address; then it binds nothing there.
    return _endpoints(said, invocation.at, confidence) if not invocation.sockets else ()


def _file(chain: tuple[str, ...], said: _Said) -> None:
    source = said.files.read(chain[-1])
    said.read += 1
    if source is None:
        return
    nodes, troubles = braces.parse(source, braces.DOVECOT)
    for trouble in troubles:
        said.files.report_unreadable(trouble.at, trouble.reason)
    for node in nodes:
        name = node.key.text
        if name in _INCLUDES and node.values:
            _include(node.values[0], chain, said)
        elif name == "service" and node.values:
            _service(node, said)
        elif name == "protocols" and node.children:
            for child in node.children:
                said.protocols[child.key.text] = bool(child.values) and child.values[0].text.lower() in _YES
        elif name == "protocols":
            said.protocols.clear()
            said.values[name] = _substituted(node, said)
        elif not node.children:
            said.values[name] = _substituted(node, said)


def _substituted(node: Node, said: _Said) -> tuple[Word, ...]:
    """`protocols = $protocols imap`: a variable is what the setting was until now."""
    found: list[Word] = []
    for word in node.values:
        found += said.values.get(word.text[1:], ()) if word.text.startswith("$") else (word,)
    return tuple(said.files.limited(found, _MOST_WORDS, "words in one setting", lambda word: word.at))


def _service(node: Node, said: _Said) -> None:
    for child in node.children:
        if child.key.text == "inet_listener":
            listener = child.values[0].text if child.values else ""
            into = said.listeners.setdefault((node.values[0].text, listener), {})
            into |= {each.key.text: each.values or each.words for each in child.children}


def _include(value: Word, chain: tuple[str, ...], said: _Said) -> None:
    for path in named_files(value, chain[-1].rpartition("/")[0], said.files):
        if may_follow(path, value, chain, said.read, said.files):
            _file((*chain, path), said)


def _endpoints(said: _Said, at: Span, confidence: Confidence) -> tuple[Endpoint, ...]:
    protocols = _protocols(said)
    ssl = said.values.get("ssl", ())
    plain_only = bool(ssl) and ssl[0].text == "no"
    everywhere = said.values.get("listen") or (Word("*", at), Word("::", at))
    found: dict[tuple[str, int], Endpoint] = {}
    for service, listener in dict.fromkeys((*_LISTENERS, *said.listeners)):
        default, secure, _ = _LISTENERS.get((service, listener), (0, False, ""))
        own = said.listeners.get((service, listener), {})
        protocol = _PROTOCOL_OF.get(service)
        if protocol is not None and protocol not in protocols:
            continue
        secure = own["ssl"][0].text == "yes" if own.get("ssl") else secure
        if secure and plain_only:
            continue
        port, where, origin = _port(own, default, at, said)
        if not port:
            continue
        reuse_port = bool(own.get("reuse_port")) and own["reuse_port"][0].text == "yes"
        for word in own.get("listen") or own.get("address") or everywhere:
            for address in _addresses(word.text, said.files):
                # net.c, net_listen_full(): SO_REUSEADDR, and IPV6_V6ONLY on IPv6 sockets.
                found.setdefault(
                    (address, port),
                    Endpoint(
                        at=where,
                        app="dovecot",
                        protocol="tcp",
                        address=address,
                        ports=PortSet.of(port),
                        origin=origin,
                        reuse_address=True,
                        reuse_port=reuse_port,
                        v6only=True if ":" in address else None,
                        confidence=confidence,
                    ),
                )
    return tuple(found.values())


def _protocols(said: _Said) -> set[str]:
    """The protocols that are on; 2.4 has none by itself, and takes a list or a block of them."""
    if "protocols" in said.values:
        found = {word.text for word in said.values["protocols"]}
    else:
        found = set() if said.protocols or "dovecot_config_version" in said.values else set(_PROTOCOLS)
    return (found | {name for name, on in said.protocols.items() if on}) - {name for name, on in said.protocols.items() if not on}


def _port(own: dict[str, tuple[Word, ...]], default: int, at: Span, said: _Said) -> tuple[int, Span, Origin]:
    """The listener's port; 0 switches it off (Dovecot's service configuration)."""
    word = own["port"][0] if own.get("port") else None
    if word is None:
        return default, at, "default"
    port = names.port(word.text, "tcp", said.files)
    if port is None:
        said.files.report_unreadable(word.at, f"not a port: {word.text[:60]}")
    return port or 0, word.at, "directive"


def _addresses(text: str, files: Files) -> tuple[str, ...]:
    literal = text.strip(",")
    if literal in _ANY:
        return (_ANY[literal],)
    return names.addresses(literal, files) if literal else ()
