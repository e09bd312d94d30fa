"""Pound: the listeners of its configuration, each a block from ListenHTTP or ListenHTTPS to its End."""

from collections.abc import Iterator

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import DUAL, Binder, Given, default
from portwright.facts import Endpoint, Invocation
from portwright.formats.words import Dialect, Line, parse
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files
from portwright.trees.glob import expand

_CONFIGS = ("/etc/pound.cfg", "/etc/pound/pound.cfg")
_VALUED = frozenset(("-f", "-p", "-W", "-D"))
_LINES = Dialect(quotes='"', comments=True)
_LISTENERS = {"listenhttp": "80", "listenhttps": "443"}
_BLOCKS = frozenset(
    (
        "service", "backend", "emergency", "session", "match", "not", "rewrite", "acl", "trustedip", "control", "combinelogs", "resolver",
        "luaconf", "else",
    )
)  # fmt: skip
_MOST_FILES = 256
_POUND = Binder("pound", every=True, wildcard=DUAL, words=("", "*", "::"), reuse_address=True)


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Pound: none with `-c`, which checks its configuration only, `-v` or `-V`."""
    options = options_of(invocation.argv[1:], _VALUED)
    if options.has("-c", "-v", "-V", "-h"):
        return ()
    named = options.last("-f")
    if named is not None and UNKNOWN in named.text:
        files.report_unreadable(named.at, "its expansion cannot be determined")
        return ()
    paths = _CONFIGS if named is None else (invocation.path(named.text),)
    path = next((path for path in paths if files.kind(path) == "file"), None)
    if path is None:
        files.report_missing(invocation.at if named is None else named.at, f"pound does not start: {paths[0]} is not there")
        return ()
    return read_fragment(path, files, packages)


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[Endpoint, ...]:
    """What one config file says, with what it includes."""
    found: list[Endpoint] = []
    lines = _lines(path, files, [])
    for line in lines:
        kind = line.keyword.text.lower()
        if kind in _LISTENERS and not (line.values and line.values[0].text.startswith("/")):
            found += _listener(line, _LISTENERS[kind], lines, files)
    return tuple(found)


def _listener(opening: Line, usual: str, lines: Iterator[Line], files: Files) -> tuple[Endpoint, ...]:
    """The socket of one block; `lines` goes on behind its End."""
    address: Word | None = None
    port: Word | None = None
    depth = 1
    for line in lines:
        key = line.keyword.text.lower()
        if key == "end":
            depth -= 1
            if not depth:
                break
        elif key in _BLOCKS and _opens(line):
            depth += 1
        elif depth == 1 and key == "address" and line.values:
            address = line.values[0]
        elif depth == 1 and key == "port" and line.values:
            port = line.values[0]
        elif depth == 1 and key == "socketfrom":
            return ()
    if address is not None and address.text.startswith("/"):
        return ()
    at = opening.keyword.at
    host = default("", at) if address is None else Given(address.text, address.at, "directive")
    return _POUND.bind(host, default(usual, at) if port is None else Given(port.text, port.at, "directive"), files)


def _opens(line: Line) -> bool:
    """Whether a directive begins a block: those that may also be one line have then a value and no End (`Control "/run/x"`)."""
    return line.keyword.text.lower() not in ("control", "acl", "trustedip") or not any("/" in word.text for word in line.values)


def _lines(path: str, files: Files, seen: list[str]) -> Iterator[Line]:
    if path in seen or len(seen) >= _MOST_FILES:
        return
    seen.append(path)
    source = files.read(path)
    if source is None:
        return
    lines, troubles = parse(source, _LINES)
    for trouble in troubles:
        files.report_unreadable(trouble.at, trouble.reason)
    for line in lines:
        key = line.keyword.text.lower()
        if key in ("include", "includedir") and line.values:
            word = line.values[0]
            folder = path.rpartition("/")[0]
            target = word.text if word.text.startswith("/") else f"{folder}/{word.text}"
            inside = (target,) if key == "include" else expand(f"{target.rstrip('/')}/*.cfg", files)
            if key == "include" and files.kind(target) == "missing":
                files.report_missing(word.at, f"pound does not start: {target} is not there")
            for each in inside:
                if each in seen or len(seen) >= _MOST_FILES:
                    if each not in seen:
                        files.report_limit(word.at, _MOST_FILES, "included files")
                    continue
                yield from _lines(each, files, seen)
        else:
            yield line
