"""Java: system properties, agents and Spring Boot's settings become endpoints; Tomcat is left to its own module."""

from collections.abc import Iterator

from portwright._start.records import dataclass, replace
from portwright.daemons import Daemon, DaemonFact, Packages, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import DUAL, IPV4, Binder, Given, argument, default, halves, variable
from portwright.facts import Confidence, Endpoint, Invocation, Origin
from portwright.formats import sections
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.processes.options import cut
from portwright.system.spanned_text import UNKNOWN, SpannedText
from portwright.system.words import words as words_of
from portwright.trees import Files

_WITH_VALUE = frozenset(
    (
        "-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules", "--add-reads",
        "--add-exports", "--add-opens", "--limit-modules", "--patch-module", "--source", "--enable-native-access",
    )
)  # fmt: skip
BOOTSTRAP = "org.apache.catalina.startup.Bootstrap"
# (port, address, variable for each) as Spring Boot, Jetty, Play, Quarkus and Micronaut read them.
_PROPERTIES = (
    ("server.port", "server.address", "SERVER_PORT", "SERVER_ADDRESS"),
    ("management.server.port", "management.server.address", "MANAGEMENT_SERVER_PORT", "MANAGEMENT_SERVER_ADDRESS"),
    ("jetty.http.port", "jetty.http.host", None, None),
    ("jetty.port", "jetty.host", None, None),
    ("http.port", "http.address", None, None),
    ("quarkus.http.port", "quarkus.http.host", "QUARKUS_HTTP_PORT", "QUARKUS_HTTP_HOST"),
    ("micronaut.server.port", "micronaut.server.host", "MICRONAUT_SERVER_PORT", "MICRONAUT_SERVER_HOST"),
)
_SCRIPTS = "clojure.main"
_JMX = "com.sun.management.jmxremote"
_OPTIONS = ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS")


@dataclass(frozen=True)
class Started:
    """A JVM's command line: its system properties and agents, what it runs (a jar or a class), and the words behind that."""

    properties: dict[str, Given]
    agents: tuple[Word, ...]
    main: Word | None
    arguments: tuple[Word, ...]

    @property
    def binder(self) -> Binder:
        """How its sockets are opened: dual-stack whatever net.ipv6.bindv6only says, unless it is told to prefer IPv4."""
        preferred = self.properties.get("java.net.preferIPv4Stack")
        ipv4 = preferred is not None and preferred.text == "true"
        return Binder("java", wildcard=IPV4 if ipv4 else DUAL, words=("", "*", "0.0.0.0", "::"), v6only=False)  # noqa: S104


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a JVM: those of its JMX and debugging agents, and those its properties, arguments and variables name.

    A property that one framework reads may mean nothing to this program: *likely*; a variable or a file beside it: *possible*.
    """
    started = command(invocation)
    if started.main is not None and started.main.text == BOOTSTRAP:
        tomcat = daemon_of(replace(invocation, argv=(Word("catalina.sh", invocation.at),)))
        own = tomcat.read(invocation, files, packages) if tomcat is not None else ()
        return (*own, *_agents(started, invocation, files))
    server = _of_its_own(started, invocation)
    if server is not None and (said := server[0].read(server[1], files, packages)):
        return (*_agents(started, invocation, files), *said)
    found = [*_agents(started, invocation, files), *_named(started, invocation, files)]
    # What was understood here, or overridden, is not asked for again by its name.
    understood = {given.at for name, *_ in _PROPERTIES if (given := started.properties.get(name)) is not None}
    understood.update(endpoint.at for endpoint in found)
    others = [e for e in generic.read(invocation, files, packages, reuse=True) if isinstance(e, Endpoint) and e.at not in understood]
    return (*found, *(e for e in others if not found or e.origin == "argument"))


def of_options(invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """The sockets of the agents that options name which a start script hands on."""
    return tuple(_agents(command(invocation), invocation, files))


def _of_its_own(started: Started, invocation: Invocation) -> tuple[Daemon, Invocation] | None:
    """The daemon that a jar or class of this name starts, as it is started: system properties are its options, before its arguments."""
    main, arguments = started.main, started.arguments
    if main is not None and main.text == _SCRIPTS and len(arguments) > 1 and arguments[0].text == "-m":
        main, arguments = arguments[1], arguments[2:]  # clojure.main -m NAMESPACE
    if main is None:
        return None
    properties = tuple(word for word in invocation.argv[1:] if word.text.startswith("-D"))
    own = replace(invocation, argv=(Word(main.text.rpartition("/")[2], main.at), *properties, *arguments))
    daemon = daemon_of(own)
    return (daemon, own) if daemon is not None and own.program in daemon.programs else None


def command(invocation: Invocation) -> Started:
    """Take a JVM's command line apart; options in JDK_JAVA_OPTIONS and JAVA_TOOL_OPTIONS come before those of the command."""
    properties: dict[str, Given] = {}
    agents: list[Word] = []
    for name in _OPTIONS:
        value = invocation.environment.get(name)
        for passage in words_of(SpannedText.of(value), relaxed=True)[0] if value is not None else ():
            _option(passage.word(), "environment", properties, agents)
    words = invocation.argv[1:]
    at = 0
    while at < len(words):
        text = words[at].text
        if text == "-jar" or text in ("-m", "--module"):
            return Started(properties, tuple(agents), words[at + 1] if at + 1 < len(words) else None, words[at + 2 :])
        if not text.startswith("-"):
            return Started(properties, tuple(agents), words[at], words[at + 1 :])
        _option(words[at], "argument", properties, agents)
        at += 2 if text in _WITH_VALUE else 1
    return Started(properties, tuple(agents), None, ())


def _option(word: Word, origin: Origin, properties: dict[str, Given], agents: list[Word]) -> None:
    if word.text.startswith("-D"):
        name, equals, _ = word.text[2:].partition("=")
        value = cut(word, len(name) + 3) if equals else Word("", word.at)
        properties[name] = Given(value.text, value.at, origin)
    elif word.text.startswith(("-agentlib:jdwp=", "-Xrunjdwp:")):
        agents.append(word)


def _agents(started: Started, invocation: Invocation, files: Files) -> Iterator[Endpoint]:
    """JMX (a second port for RMI, the kernel's choice unless it is named) and JDWP (loopback unless an address is given, since 9)."""
    binder = started.binder
    port = started.properties.get(f"{_JMX}.port")
    if port is not None:
        host = started.properties.get(f"{_JMX}.host") or default("", port.at)
        rmi = started.properties.get(f"{_JMX}.rmi.port")
        yield from binder.bind(host, port, files)
        if rmi is None or rmi.text != port.text:
            yield from binder.bind(host, rmi or replace(port, text="0"), files)
    for word in started.agents:
        given = dict(part.split("=", 1) for part in word.text.replace(":", ",", 1).replace("jdwp=", ",", 1).split(",") if "=" in part)
        address = given.get("address", "")
        if given.get("server") == "y" and given.get("transport") == "dt_socket" and address:
            before, own = halves(Word(address, word.at))
            text = before.text if own is not None else "127.0.0.1"
            # It binds 0.0.0.0 as told, unlike sockets of Java itself.
            agent = replace(binder, words=("", "*"))
            yield from agent.bind(Given(text, word.at, "argument"), Given((own or before).text, word.at, "argument"), files)


def _named(started: Started, invocation: Invocation, files: Files) -> Iterator[Endpoint]:
    arguments: dict[str, Given] = {}
    for word in started.arguments:
        name, equals, _ = word.text.partition("=")
        if equals and name.startswith("--"):
            arguments[name[2:]] = argument(cut(word, len(name) + 1))
    beside = _beside(invocation, files)
    for port_name, host_name, port_variable, host_variable in _PROPERTIES:
        port, confidence = _setting(port_name, port_variable, arguments, started, invocation, beside)
        host, _ = _setting(host_name, host_variable, arguments, started, invocation, beside)
        if port is None or not port.text or not (is_digits(port.text) or UNKNOWN in port.text) or port.text.startswith("-"):
            continue
        binder = replace(started.binder, confidence=confidence)
        yield from binder.bind(host or default("", port.at), port, files)


def _setting(
    name: str, variable_name: str | None, arguments: dict[str, Given], started: Started, invocation: Invocation, beside: dict[str, Given]
) -> tuple[Given | None, Confidence]:
    """Spring Boot, "Externalized Configuration": arguments, system properties, variables, application.properties."""
    sure = arguments.get(name) or started.properties.get(name)
    if sure is not None:
        return sure, "likely"
    known = variable(invocation.environment, variable_name) if variable_name is not None else None
    return known or beside.get(name), "possible"


def _beside(invocation: Invocation, files: Files) -> dict[str, Given]:
    """Plain settings of config/application.properties and application.properties in the working directory."""
    found: dict[str, Given] = {}
    for name in ("application.properties", "config/application.properties"):
        path = f"{invocation.directory.rstrip('/')}/{name}"
        source = files.read(path) if invocation.directory != "/" and files.kind(path) == "file" else None
        if source is None:
            continue
        for node in sections.parse(source, sections.PROPERTIES)[0]:
            if node.values and "${" not in node.values[0].text:
                found[node.key.text] = Given(node.values[0].text, node.values[0].at, "directive")
    return found
