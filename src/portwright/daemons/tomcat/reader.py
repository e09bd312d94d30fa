"""Tomcat: the connectors of conf/server.xml, and its shutdown port, become endpoints."""

from collections.abc import Iterator, Mapping

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, Given, default
from portwright.daemons.interpreters.java.reader import BOOTSTRAP, command
from portwright.facts import Backlog, Endpoint, Invocation, Origin
from portwright.formats import sections, tags
from portwright.formats.nodes import Node
from portwright.numbers import decimal
from portwright.source import Word
from portwright.system.processes.options import cut
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.words import words
from portwright.trees import Files

_VARIABLES = ("CATALINA_BASE", "CATALINA_HOME")
_OPTIONS = ("JAVA_OPTS", "CATALINA_OPTS")
_LOOPBACK = "127.0.0.1"
_MOST_SOCKETS = 4_096


def shape(invocation: Invocation) -> bool:
    """Whether a shell, jsvc or anything else starts Tomcat's own class, or is told where Tomcat lies."""
    return any(name in invocation.environment for name in _VARIABLES) or any(word.text == BOOTSTRAP for word in invocation.argv)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What server.xml of this instance says (tomcat.apache.org, HTTP Connector, AJP Connector, Server).

    The instance is catalina.base, a property or CATALINA_BASE, else where catalina.sh lies. An AJP connector without an address is
    on loopback, the shutdown port always is unless `address` says otherwise.
    """
    started = command(invocation)
    properties: Mapping[str, Given] = _properties(invocation)
    base = properties.get("catalina.base") or properties.get("catalina.home")
    instance = base.text if base is not None else _above(invocation)
    path = f"{instance}/conf/server.xml"
    if UNKNOWN not in path and files.kind(instance) == "missing":
        # Packages link conf to the folder of the instance's name in /etc: a copy of /etc has that alone.
        path = f"/etc/{instance.rpartition('/')[2]}/server.xml"
    source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
    if source is None:
        return ()
    properties = {**_of_file(f"{path.removesuffix('server.xml')}catalina.properties", files), **properties}
    nodes, troubles = tags.parse(source)
    for trouble in troubles:
        files.report_unreadable(trouble.at, trouble.reason)
    binder = replace(started.binder, app="tomcat")
    servers = (node for node in nodes if node.key.text == "Server")
    endpoints = (endpoint for node in servers for endpoint in _server(node, binder, properties, files))
    return tuple(files.limited(endpoints, _MOST_SOCKETS, "sockets of one instance", lambda endpoint: endpoint.at))


def _server(server: Node, binder: Binder, properties: Mapping[str, Given], files: Files) -> Iterator[Endpoint]:
    offset = _attribute(server, "portOffset", properties)
    shift = 0 if offset is None else decimal(offset.text, 99_999) or 0
    shutdown = _attribute(server, "port", properties)
    if shutdown is not None and shutdown.text != "-1":
        address = _attribute(server, "address", properties)
        yield from _bound(address or default(_LOOPBACK, shutdown.at), shutdown, shift, binder, files)
    for service in server.children:
        for connector in service.children if service.key.text == "Service" else ():
            port = _attribute(connector, "port", properties)
            if connector.key.text != "Connector" or port is None or port.text == "-1":
                continue
            protocol = _attribute(connector, "protocol", properties)
            ajp = protocol is not None and "ajp" in protocol.text.lower()
            address = _attribute(connector, "address", properties) or default(_LOOPBACK if ajp else "", port.at)
            queue = _attribute(connector, "acceptCount", properties)
            asked = Backlog.asked(Word(queue.text, queue.at)) if queue is not None else None
            yield from _bound(address, port, shift, replace(binder, backlog=asked), files)
        yield from (endpoint for engine in service.children for endpoint in _clusters(engine, binder, properties, files))


def _clusters(node: Node, binder: Binder, properties: Mapping[str, Given], files: Files) -> Iterator[Endpoint]:
    """What the members of a cluster hear each other on (Cluster, in an Engine or a Host): a Receiver, and a group's address.

    An `auto` address is the one of the host's own name, so nobody knows it here; the port is the first free one of a hundred.
    """
    for child in node.children:
        if child.key.text in ("Host", "Cluster", "Channel"):
            yield from _clusters(child, binder, properties, files)
        elif child.key.text in ("Receiver", "Membership") and node.key.text == "Channel":
            receives = child.key.text == "Receiver"
            port = _attribute(child, "port", properties) or default("4000" if receives else "45564", child.key.at)
            address = _attribute(child, "bind" if not receives else "address", properties)
            if address is None or address.text == "auto":
                address = default("", port.at)
                spoken = replace(binder, confidence="likely") if receives else binder
            else:
                spoken = binder
            yield from (spoken if receives else replace(spoken, protocol="udp", reuse_address=True)).bind(address, port, files)


def _bound(host: Given, port: Given, shift: int, binder: Binder, files: Files) -> tuple[Endpoint, ...]:
    number = decimal(port.text, 99_999)
    if shift and number is not None:
        port = Given(str(number + shift), port.at, port.origin)
    return binder.bind(host, port, files)


def _attribute(node: Node, name: str, properties: Mapping[str, Given]) -> Given | None:
    """An attribute's value, `${property}` replaced; None where it has none."""
    for child in node.children:
        if child.key.text == name and child.values and not child.children:
            return _replaced(child.values[0], properties)
    return None


def _replaced(word: Word, properties: Mapping[str, Given]) -> Given:
    text = word.text
    if not text.startswith("${") or not text.endswith("}"):
        return Given(UNKNOWN if "${" in text else text, word.at, "directive")
    name, colon, otherwise = text[2:-1].partition(":-")
    known = properties.get(name)
    return known or Given(otherwise if colon else UNKNOWN, word.at, "directive")


def _properties(invocation: Invocation) -> dict[str, Given]:
    """System properties: catalina.base and home from variables, then JAVA_OPTS and CATALINA_OPTS, then the command line."""
    found: dict[str, Given] = {}
    for name, variable in (("catalina.base", "CATALINA_BASE"), ("catalina.home", "CATALINA_HOME")):
        if (word := invocation.environment.get(variable)) is not None and word.text:
            found[name] = Given(word.text, word.at, "environment")
    for variable in _OPTIONS:
        value = invocation.environment.get(variable)
        for passage in words(SpannedText.of(value), relaxed=True)[0] if value is not None else ():
            _property(passage.word(), "environment", found)
    for word in invocation.argv[1:]:
        _property(word, "argument", found)
    return found


def _of_file(path: str, files: Files) -> dict[str, Given]:
    """catalina.properties, whose settings are system properties that nothing else says."""
    source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
    if source is None:
        return {}
    nodes = sections.parse(source, sections.PROPERTIES)[0]
    return {node.key.text: Given(node.values[0].text, node.values[0].at, "directive") for node in nodes if node.values}


def _property(word: Word, origin: Origin, found: dict[str, Given]) -> None:
    name, equals, _ = word.text.partition("=")
    if name.startswith("-D") and equals:
        value = cut(word, len(name) + 1)
        found[name[2:]] = Given(value.text, value.at, origin)


def _above(invocation: Invocation) -> str:
    """The directory above that of catalina.sh."""
    return invocation.argv[0].text.rpartition("/")[0].rpartition("/")[0] if invocation.argv else ""
