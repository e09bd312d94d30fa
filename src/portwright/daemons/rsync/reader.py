"""rsync --daemon: rsyncd.conf and the command line become the sockets it listens on."""

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation, Origin
from portwright.formats.rsyncd import parse
from portwright.numbers import decimal
from portwright.ports import PortSet
from portwright.source import Span, Word
from portwright.system.host_files import names
from portwright.system.includes import DEEPEST, MOST_FILES
from portwright.trees import Files

_DEFAULT = "/etc/rsyncd.conf"
_PORT = 873
_NUMBER = lazy_regex(r"[ \t]*([0-9]{1,9})")
# The daemon's options that take an argument (long_daemon_options in options.c).
_WITH_ARGUMENT = ("--address", "--bwlimit", "--config", "--dparam", "--log-file", "--log-file-format", "--port", "--sockopts")
_Settings = dict[str, tuple[Word, Origin]]


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of an rsync daemon; none for a client, and none where it is handed its sockets or a connection."""
    if not any(word.text == "--daemon" for word in invocation.argv[1:]) or invocation.sockets:
        return ()
    options, family = _options(invocation.argv[1:])
    given = options.get("--config", Word(_DEFAULT, invocation.at))
    config = invocation.path(given.text)
    settings: _Settings = {}
    if files.kind(config) == "missing":
        if invocation.starts != "never":  # distributions ship a unit that waits for the file to be made
            files.report_missing(given.at, f"rsync does not start: {config} is not there")
        return ()
    _read_file((config,), settings, files, [0])
    for option, name in (("--port", "port"), ("--address", "address")):
        if option in options:
            settings[name] = (options[option], "argument")
    port, at, origin = _port(settings, invocation.at)
    return tuple(
        Endpoint(
            at=at,
            app="rsync",
            protocol="tcp",
            address=address,
            ports=PortSet.of(port),
            origin=origin,
            reuse_address=True,  # socket.c, open_socket_in(): SO_REUSEADDR, and IPV6_V6ONLY on every IPv6 socket
            v6only=True if ":" in address else None,
            confidence="certain" if sure else "possible",
        )
        for address, sure in _addresses(settings, files)
        if family in (None, "inet6" if ":" in address else "inet")
    )


def _options(argv: tuple[Word, ...]) -> tuple[dict[str, Word], str | None]:
    """Options with their values, `--dparam=port=873` as --port, and the family of -4 and -6."""
    found: dict[str, Word] = {}
    family: str | None = None
    rest = iter(argv)
    for word in rest:
        name, equals, value = word.text.partition("=")
        if word.text in ("-4", "--ipv4", "-6", "--ipv6"):
            family = "inet" if "4" in word.text else "inet6"
        elif name in _WITH_ARGUMENT or name.startswith("-M"):
            given = Word(value, word.at) if equals else next(rest, None)
            if name.startswith("-M"):
                given = Word(word.text[2:], word.at) if len(word.text) > 2 else given
                name = "--dparam"
            if given is not None and name == "--dparam":
                key, _, text = given.text.partition("=")
                name, given = f"--{key}", Word(text, given.at)
            if given is not None:
                found[name] = given
    return found, family


def _read_file(chain: tuple[str, ...], settings: _Settings, files: Files, count: list[int]) -> None:
    """Take the parameters of the last file of a chain of includes; `count` is how many files were read."""
    source = files.read(chain[-1])
    count[0] += 1
    if source is None:
        return
    parameters, ignored = parse(source)
    for line in ignored:
        files.report_unreadable(line.at, line.reason)
    for parameter in parameters:
        if parameter.name in ("&include", "&merge"):
            for path in _included(parameter.value.text, ".inc" if parameter.name == "&include" else ".conf", files):
                if path in chain or len(chain) > DEEPEST or count[0] > MOST_FILES:
                    files.report_unreadable(parameter.at, "a file includes itself, or too many include each other: not followed")
                else:
                    _read_file((*chain, path), settings, files, count)
        elif parameter.name in ("port", "address"):
            settings[parameter.name] = (parameter.value, "directive")


def _included(path: str, ending: str, files: Files) -> tuple[str, ...]:
    """rsyncd.conf(5): a file, or the files of a directory with this ending."""
    if files.kind(path) != "directory":
        return (path,)
    return tuple(f"{path.rstrip('/')}/{name}" for name in files.names(path) if name.endswith(ending))


def _port(settings: _Settings, at: Span) -> tuple[int, Span, Origin]:
    """atoi(3) takes the digits in front, the kernel sixteen bits of them; what makes 0 leaves the default (measured)."""
    if "port" in settings:
        word, origin = settings["port"]
        found = _NUMBER.match(word.text)
        port = (decimal(found[1]) or 0) & 0xFFFF if found else 0
        if port:
            return port, word.at, origin
    return _PORT, settings["address"][0].at if "address" in settings else at, "default"


def _addresses(settings: _Settings, files: Files) -> list[tuple[str, bool]]:
    """(address, whether that is sure): both wildcards, or what the address or name stands for."""
    text = settings["address"][0].text if "address" in settings else ""
    if not text:
        return [("0.0.0.0", True), ("::", True)]  # noqa: S104
    known = names.addresses(text, files)
    return [(address, True) for address in known] or [(text, False)]
