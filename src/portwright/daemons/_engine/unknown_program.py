"""Programs nobody knows: a port in a flag or an environment variable that by its name is the program's own becomes a possible endpoint."""

from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass, replace
from portwright.daemons._engine import rooms
from portwright.daemons._engine.protocol import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation, Origin, Protocol
from portwright.ip import ip_address
from portwright.numbers import decimal, is_digits
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.trees import Files

_UNKNOWN = "\ufffd"
_NAME = lazy_regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# What may stand before "port" in the name of a port that a program opens itself. Anything else (db-port, smtp-port, proxy-port,
# remote-port) is somebody else's port, or nobody can tell.
_OWN = frozenset(
    (
        "admin",
        "api",
        "app",
        "application",
        "bind",
        "com",
        "console",
        "dashboard",
        "grpc",
        "health",
        "healthz",
        "http",
        "https",
        "internal",
        "jmxremote",
        "listen",
        "listener",
        "listening",
        "local",
        "main",
        "management",
        "metrics",
        "monitoring",
        "probe",
        "prometheus",
        "public",
        "rest",
        "run",
        "serve",
        "service",
        "status",
        "sun",
        "tcp",
        "telemetry",
        "udp",
        "ui",
        "web",
        "webui",
        "ws",
    )
)
_ENDS_PORT = frozenset(("port", "listenport", "httpport", "httpsport", "bindport"))
_ENDS_ADDRESS = frozenset(("listen", "bind", "addr", "address", "socket", "listener", "endpoint", "listenaddr", "bindaddr"))
_BINDS = frozenset(("listen", "bind", "listener", "listenaddr", "bindaddr", "serve"))
_HOSTS = frozenset(("host", "bind", "address", "addr", "listen", "interface", "ip"))
_WILDCARDS = frozenset(("", "*", "0.0.0.0", "::", "[::]"))  # noqa: S104  compared, never bound
_SCHEMES = ("tcp://", "http://", "https://", "tcp:")
_LEAST_SHORT = 1024  # below it, `-p 4` is as likely a number of processes

# Programs that connect where others listen, and tools that run and exit.
_CLIENTS = frozenset(
    (
        "curl",
        "dig",
        "kubectl",
        "mariadb",
        "mongo",
        "mongosh",
        "mosh",
        "mysql",
        "nmap",
        "openssl",
        "ping",
        "psql",
        "rclone",
        "scp",
        "sftp",
        "ssh",
        "sshfs",
        "telnet",
        "wget",
    )
)
_CLIENT_ENDINGS = ("-cli", "-client", "_client", "ctl", "dump", "_exporter-client", "_sub", "_pub", "-check", "_check", "-wait", "-ping")

_WITH_VALUE = frozenset(("-r", "--require", "--import", "-cp", "-classpath", "--class-path", "-I", "-e"))
_SYSTEM = ("/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/")


@dataclass(frozen=True, slots=True)
class _Flag:
    """One option of a command line: its name without dashes, and its value where it has one."""

    name: str
    value: Word | None
    short: bool


def read(invocation: Invocation, files: Files, packages: Packages, reuse: bool | None = None) -> tuple[DaemonFact, ...]:
    """What an unknown program probably binds, with confidence *possible*; nothing where no name says so plainly.

    `reuse`: whether the interpreter that runs it sets SO_REUSEADDR on every TCP listener, None where nobody knows.

    Flags come first: `--port 8080`, `-addr :8080`, `--web.listen-address=:9100`. Environment variables (PORT, HTTP_PORT, LISTEN_ADDR)
    count where no flag names a port, and where the script that is started, if it is in the tree, mentions the variable.
    """
    name, script = subject(invocation)
    if not invocation.argv or _is_client(name) or _is_client(invocation.program):
        return ()
    flags = tuple(_flags(invocation.argv[1:]))
    host = _host(flags, "*")
    if host is None:
        return ()
    found: list[Endpoint] = []
    for flag in flags:
        if flag.value is not None and _UNKNOWN not in flag.value.text:
            found.extend(_from_flag(flag, flag.value, host, name, invocation.program, reuse))
    if not found:
        found.extend(_from_environment(invocation, files, name, script, host, reuse))
    if _is_datagram(name, files):
        found = [replace(endpoint, protocol="udp", reuse_address=None) for endpoint in found]
    return tuple({(e.protocol, e.address, e.ports): e for e in reversed(found)}.values())[::-1]


def subject(invocation: Invocation) -> tuple[str, str | None]:
    """What an interpreter is told to run: (name of the script, module or program, path of the script in the tree).

    For a program that is no interpreter: its own name and no script.
    """
    program = invocation.program
    shelf, _, room = rooms.folder_of(program).rpartition("/")
    if shelf != "interpreters":
        return program, None
    python = room == "python"
    words = iter(invocation.argv[1:])
    for word in words:
        text = word.text
        if python and text == "-m":
            module = next(words, None)
            return (module.text.partition(".")[0] if module is not None else program), None
        if text in _WITH_VALUE or (python and text in ("-W", "-X")):
            next(words, None)
        elif not text.startswith("-"):
            path = invocation.path(text)
            return path.rpartition("/")[2], path
    return program, None


def _flags(words: tuple[Word, ...]) -> Iterator[_Flag]:
    for position, word in enumerate(words):
        text = word.text
        if not text.startswith("-") or len(text) < 2:
            continue
        bare = text[2:] if text.startswith(("--", "-D")) else text[1:]
        short = not text.startswith("--") and len(bare) == 1
        name, equals, value = bare.partition("=")
        if equals:
            yield _Flag(name, _cut(word, len(text) - len(value)), short)
        elif not text.startswith("--") and len(bare) > 1 and is_digits(bare[1:]):
            yield _Flag(bare[0], _cut(word, 2), True)
        else:
            following = words[position + 1] if position + 1 < len(words) else None
            yield _Flag(name, following if following is not None and not following.text.startswith("-") else None, short)


def _cut(word: Word, start: int) -> Word:
    """The end of a word from a character on; its span narrowed where each character stands for one column."""
    at = word.at
    if at.line == at.end_line and at.end_column - at.column == len(word.text):
        at = Span(at.path, at.line, at.column + start, at.end_line, at.end_column)
    return Word(word.text[start:], at)


def _host(flags: tuple[_Flag, ...], default: str) -> str | None:
    """The address of a separate flag (`--host 127.0.0.1`), `default` without one, None for the name of another machine: a client's."""
    found = default
    for flag in flags:
        if flag.value is None or flag.name.lower() not in _HOSTS or _address(flag.value.text) is not None:
            continue
        text = flag.value.text.lower()
        if text in _WILDCARDS:
            found = text.strip("[]") or "*"
        elif text == "localhost":
            found = "127.0.0.1"
        elif _is_address(text):
            found = text
        elif flag.name.lower() == "host" and _UNKNOWN not in text:
            return None
    return found


def _from_flag(flag: _Flag, value: Word, host: str, name: str, program: str, reuse: bool | None) -> Iterator[Endpoint]:
    tokens = _tokens(flag.name)
    protocol: Protocol = "udp" if "udp" in tokens else "tcp"
    port = _port(value.text)
    if flag.short:
        both = _address(value.text)
        if flag.name == "p" and port is not None and port >= _LEAST_SHORT:
            yield _endpoint(value, protocol, host, port, "argument", name, reuse)
        elif both is not None and ((flag.name == "b" and value.text.startswith("tcp://")) or (flag.name == "S" and program == "php")):
            yield _endpoint(value, protocol, *both, "argument", name, reuse)
        return
    if not tokens:
        return
    if tokens[-1] in _ENDS_PORT and port is not None and (_is_own(tokens[:-1], name) or flag.name == "server.port"):
        yield _endpoint(value, protocol, host, port, "argument", name, reuse)
    elif (tokens[-1] in _ENDS_ADDRESS or tokens[-1] in _OWN) and _is_own(tokens[:-1], name):
        both = _address(value.text)
        if both is not None:
            yield _endpoint(value, protocol, *both, "argument", name, reuse)
        elif tokens[-1] in _BINDS and port is not None:
            yield _endpoint(value, protocol, host, port, "argument", name, reuse)


def _from_environment(
    invocation: Invocation, files: Files, name: str, script: str | None, default: str, reuse: bool | None
) -> Iterator[Endpoint]:
    interpreted = script is not None
    packaged = not interpreted and invocation.argv[0].text.startswith(_SYSTEM)
    text = _script_text(script, files)
    host_word = invocation.environment.get("HOST") or invocation.environment.get("BIND_ADDRESS")
    host = host_word.text.lower() if host_word is not None else default
    if host == "localhost":
        host = "127.0.0.1"
    elif host not in _WILDCARDS and not _is_address(host):
        host = "*"
    for variable, word in sorted(invocation.environment.items()):
        tokens = _tokens(variable)
        if not tokens or _UNKNOWN in word.text or (text is not None and variable not in text):
            continue
        own = [token for token in tokens[:-1] if token not in _tokens(name)]
        # A packaged program reads variables that carry its name (FLASK_RUN_PORT); PORT alone is a custom of scripts and own builds.
        if not _is_own(tuple(own), name) or (packaged and len(own) == len(tokens) - 1):
            continue
        port = _port(word.text)
        protocol: Protocol = "udp" if "udp" in tokens else "tcp"
        if tokens[-1] == "port" and port is not None:
            yield _endpoint(word, protocol, host or "*", port, "environment", name, reuse)
        elif tokens[-1] in _ENDS_ADDRESS and (both := _address(word.text)) is not None:
            yield _endpoint(word, protocol, *both, "environment", name, reuse)


def _script_text(script: str | None, files: Files) -> str | None:
    """The text of a script that is in the tree; None where there is none to look into."""
    if script is None or not script.endswith((".js", ".mjs", ".cjs", ".ts", ".py", ".rb", ".php", ".pl")) or files.kind(script) != "file":
        return None
    source = files.read(script)
    return None if source is None else source.text


def _endpoint(at: Word, protocol: Protocol, address: str, port: int, origin: Origin, name: str, reuse: bool | None) -> Endpoint:
    return Endpoint(
        at=at.at,
        app=name,
        protocol=protocol,
        address=address,
        ports=PortSet.of(port),
        origin=origin,
        reuse_address=reuse if protocol == "tcp" else None,
        reuse_port=None,
        confidence="possible",
    )


def _tokens(name: str) -> tuple[str, ...]:
    """The words of a flag's or variable's name, lower case: `web.listen-address`, `listenAddress` and `LISTEN_ADDRESS` alike."""
    return tuple(token.lower() for token in _NAME.findall(name[:200]))


def _is_own(tokens: tuple[str, ...], name: str) -> bool:
    return all(token in _OWN for token in tokens) or set(tokens) <= _OWN.union(_tokens(name))


def _is_datagram(name: str, files: Files) -> bool:
    """Whether a daemon is named after a service that services(5) registers for UDP alone, as in.tftpd and ntpd are."""
    service = name.removeprefix("in.").removesuffix("d")
    if not service or is_digits(service):
        return False
    return names.port(service, "udp", files) is not None and names.port(service, "tcp", files) is None


def _is_client(name: str) -> bool:
    return name in _CLIENTS or name.endswith(_CLIENT_ENDINGS)


def _port(text: str) -> int | None:
    return None if text.startswith("0") else decimal(text, 65535)


def _address(text: str) -> tuple[str, int] | None:
    """(address, port) of `:80`, `*:80`, `1.2.3.4:80`, `[::1]:80`, `localhost:80`, `tcp://…`; None for a name of another machine."""
    for scheme in _SCHEMES:
        if text.startswith(scheme):
            text = text[len(scheme) :].rstrip("/")
            if (port := _port(text)) is not None:
                return "*", port
            break
    host, colon, digits = text.rpartition(":")
    port = _port(digits)
    if not colon or port is None:
        return None
    if host in ("", "*"):
        return "*", port
    if host.lower() == "localhost":
        return "127.0.0.1", port
    bracketed = host.startswith("[") and host.endswith("]")
    literal = host[1:-1] if bracketed else host
    if not _is_address(literal) or bracketed != (":" in literal):
        return None
    return literal, port


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
