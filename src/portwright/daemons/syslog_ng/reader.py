"""syslog-ng: the network sources that its log paths use become endpoints."""

import re
from collections.abc import Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright._start.records import dataclass
from portwright.daemons import DaemonFact, Packages
from portwright.facts import Endpoint, Invocation
from portwright.facts import Protocol as Transport
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.processes.options import read as options_of
from portwright.trees import Files
from portwright.trees.glob import TooMany, expand

_CONFIG = "/etc/syslog-ng/syslog-ng.conf"
_VALUED = frozenset(
    (
        "-f", "--cfgfile", "-p", "--pidfile", "-c", "--control", "-R", "--persist-file", "-C", "--chroot", "-u", "--user", "-g", "--group",
    )
)  # fmt: skip
# The port of each driver over TCP; over UDP it is 514, and over TLS 6514.
_DRIVERS = {"tcp": "514", "tcp6": "514", "udp": "514", "udp6": "514", "network": "514", "syslog": "601"}
_PIECES = r"""#[^\n]*|(@include)\b|@[^\n]*|%s|'([^'\n]*)'|([(){};])|([^\s(){};"'#]+)"""
_TOKEN = lazy_regex(_PIECES % r'"((?:[^"\\\n]++|\\.)*+)(?:"|(\\?))')
_BEHIND_A_QUOTE = lazy_regex(_PIECES % r"(?!)()()")
_DEFINE = lazy_regex(r"""^[ \t]*@define[ \t]+([\w.-]+)[ \t]+(?:"([^"\n]*)"|([^\s"]+))""", re.MULTILINE)
_DEFINED = lazy_regex(r"`([\w.-]+)`")
_LONGEST = 255  # characters of a value that is put in for its name: of a host, a path or a port
# What one driver of its library opens: (transport, the option of its port, its port), TLS though it has no key yet (measured with 3.38).
_OF_THE_LIBRARY = "default-network-drivers"
_USUAL = (("tcp", "tcp-port", "514"), ("udp", "udp-port", "514"), ("tcp", "rfc5424-tls-port", "6514"), ("tcp", "rfc5424-tcp-port", "601"))
_MOST_SOURCES = 2_000
_DEEPEST = 64  # of files that include files; syslog-ng takes 256


@dataclass(frozen=True)
class _Driver:
    """A driver of a source, with the options that it is given, and the source's name where it has one."""

    name: Word
    source: str
    options: dict[str, Word]


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """One IPv4 socket for each driver, of IPv6 with ip-protocol(6), with SO_REUSEADDR (measured with syslog-ng 3.38).

    A source that no log path names is not opened.
    """
    told = options_of(invocation.argv[1:], _VALUED).last("-f", "--cfgfile")
    drivers: list[_Driver] = []
    used: set[str] = set()
    _take(told.text if told is not None else _CONFIG, files, drivers, used, set(), {})
    found = files.limited(drivers, _MOST_SOURCES, "sources", lambda driver: driver.name.at)
    return tuple(endpoint for driver in found if not driver.source or driver.source in used for endpoint in _bound(driver, files))


def _take(path: str, files: Files, drivers: list[_Driver], used: set[str], seen: set[str], defined: dict[str, str], depth: int = 0) -> None:
    """The drivers of a file's sources and the sources its log paths name, with those of the files it includes; a file is read once.

    `defined` is what @define lines before it, and its own, give names.
    """
    source = files.read(path) if path not in seen and files.kind(path) == "file" else None
    seen.add(path)
    if source is None:
        return
    for line in _DEFINE.finditer(source.text):
        defined[line[1]] = line[2] or line[3] or ""
    blocks: list[tuple[str, str]] = []
    open_: list[Word] = []
    statement: list[Word] = []
    driver: _Driver | None = None
    including = False
    for kind, word in _tokens(source, defined):
        if kind == "include":
            including = True
        elif including:
            including = False
            if depth == _DEEPEST:
                files.report_unreadable(word.at, "files are included too deeply")
                continue
            for included in _included(word, path, files):
                _take(included, files, drivers, used, seen, defined, depth + 1)
        elif kind == "word":
            if open_ and driver is not None and len(open_) == 2:
                driver.options.setdefault(open_[1].text, word)
            elif open_ and driver is None and open_[-1].text == "source":
                used.add(word.text)
            statement.append(word)
        elif word.text == "(":
            called = statement[-1] if statement else word
            if not open_ and blocks and blocks[-1][0] == "source" and (called.text in _DRIVERS or called.text == _OF_THE_LIBRARY):
                driver = _Driver(called, blocks[-1][1], {})
                drivers.append(driver)
            open_.append(called)
        elif word.text == ")":
            if open_:
                open_.pop()
            if not open_:
                driver = None
        elif word.text == "{":
            name = statement[1].text if len(statement) > 1 and statement[0].text == "source" else ""
            blocks.append((statement[0].text if statement else "", name))
            statement = []
        elif word.text == "}":
            if blocks:
                blocks.pop()
            statement = []
        else:
            statement = []


def _tokens(source: Source, defined: dict[str, str]) -> Iterator[tuple[str, Word]]:
    def put_in(name: re.Match[str]) -> str:
        value = defined.get(name[1], name[0])
        return value if len(value) <= _LONGEST else name[0]

    for found in _pieces(source.text):
        if found[1]:
            yield "include", Word("", source.span(found.start(), found.end()))
        elif found[5]:
            yield "mark", Word(found[5], source.span(found.start(), found.end()))
        else:
            for group in (2, 4, 6):
                if found[group] is not None:
                    text = found[group]
                    if "`" in text and len(text) <= _LONGEST:
                        text = _DEFINED.sub(put_in, text)
                    yield "word", Word(text, source.span(found.start(group), found.end(group)))


def _pieces(text: str) -> Iterator[re.Match[str]]:
    """Comments, words and marks. A quote that its line does not close is passed over, and so are those behind it: nothing closes them."""
    for found in _TOKEN.finditer(text):
        if found[3] is None:
            yield found
        else:
            yield from _BEHIND_A_QUOTE.finditer(text, found.start() + 1, found.end())


def _included(word: Word, path: str, files: Files) -> tuple[str, ...]:
    """The files that an @include names, from the folder of the configuration on."""
    text = word.text if word.text.startswith("/") else f"{path.rpartition('/')[0]}/{word.text}"
    if files.kind(text) == "directory":
        return tuple(f"{text}/{name}" for name in sorted(files.names(text)) if name.endswith(".conf"))
    try:
        return expand(text, files)
    except TooMany as error:
        files.report_unreadable(word.at, str(error))
        return ()


def _bound(driver: _Driver, files: Files) -> Iterator[Endpoint]:
    options, name = driver.options, driver.name.text
    if name == _OF_THE_LIBRARY:
        for spoken, option, usual in _USUAL:
            own = {"transport": Word(spoken, driver.name.at), "port": options.get(option, Word(usual, driver.name.at))}
            yield from _bound(_Driver(Word("network", driver.name.at), driver.source, own), files)
        return
    spoken = options["transport"].text.lower() if "transport" in options else name.rstrip("6")
    transport: Transport = "udp" if spoken == "udp" else "tcp"
    port = options.get("port") or options.get("localport")
    usual = "6514" if "tls" in spoken else "514" if transport == "udp" else _DRIVERS[name]
    number = names.port(port.text if port is not None else usual, transport, files)
    host = options.get("ip") or options.get("localip")
    at: Span = port.at if port is not None else driver.name.at
    if number is None:
        files.report_unreadable(at, "syslog-ng does not start: not a port")
        return
    six = name.endswith("6") or ("ip-protocol" in options and options["ip-protocol"].text == "6")
    wildcard = "::" if six else "0.0.0.0"  # noqa: S104  reported, never bound
    addresses = names.addresses(host.text, files)[:1] if host is not None else (wildcard,)
    if not addresses and host is not None:
        files.report_unreadable(host.at, f"the address of {host.text} is not known")
    reuse_port = "so-reuseport" in options and options["so-reuseport"].text in ("1", "yes", "on")
    for address in addresses:
        yield Endpoint(
            at=at,
            app="syslog-ng",
            protocol=transport,
            address=address,
            ports=PortSet.of((number, number)),
            origin="directive" if port is not None else "default",
            reuse_address=True,
            reuse_port=reuse_port,
        )
