"""Erlang: scripts and -eval expressions whose own text opens a socket at a port it spells out become endpoints."""

from collections.abc import Callable, Iterator

from portwright._start.lazy_regex import lazy_regex
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import IPV4, Binder, Given
from portwright.daemons.interpreters.scripts import name, script
from portwright.facts import Backlog, Endpoint, Invocation, Protocol
from portwright.numbers import decimal, decimals, is_digits
from portwright.source import Span, Word
from portwright.system.processes.options import cut
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_MOST_SOCKETS = 64
_DEEPEST = 8
_CALL = lazy_regex(r"\b(gen_tcp|gen_udp|ssl)\s*:\s*(listen|open)\s*\(\s*([0-9]{1,5}|\??[A-Z]\w*)\s*([,)])")
_REUSE = lazy_regex(r"\{\s*reuseaddr\s*,\s*(true|false)\s*\}")
_ADDRESS = lazy_regex(r"\{\s*(?:ip|ifaddr)\s*,\s*(any|loopback|\{[0-9\s,]{1,200}\}|[^{}]{0,200})")
_V6ONLY = lazy_regex(r"\{\s*ipv6_v6only\s*,\s*(true|false)\s*\}")
_BACKLOG = lazy_regex(r"\{\s*backlog\s*,\s*([0-9]{1,9})\s*\}")
_FAMILY = lazy_regex(r"[\[,]\s*(inet6?)\s*(?=[,\]])")

Place = Callable[[int, int], Span]


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets that a script's or an expression's gen_tcp:listen(), gen_udp:open() and ssl:listen() open.

    Only where the options are written out beside a port that is a number, or a name that is given one: Erlang sets SO_REUSEADDR only where
    it is asked to (measured; inet(3erl)).
    """
    found: list[Endpoint] = []
    if invocation.program == "escript":
        source = script(invocation, files)
        if source is not None:
            found += _opened(source.text, source.span, name(invocation), files)
    else:
        for option, word in zip(invocation.argv, invocation.argv[1:], strict=False):
            if option.text == "-eval" and UNKNOWN not in word.text:
                found += _opened(word.text, _within(word), invocation.program, files)
    return tuple(dict.fromkeys(found)) or generic.read(invocation, files, packages)


def _within(word: Word) -> Place:
    return lambda start, end: cut(word, start, end).at


def _opened(text: str, place: Place, app: str, files: Files) -> Iterator[Endpoint]:
    text = _without_comments(text)
    for number, call in enumerate(_CALL.finditer(text)):
        protocol: Protocol = "udp" if call[1] == "gen_udp" else "tcp"
        if (call[2] == "open") != (protocol == "udp"):
            continue
        if number >= _MOST_SOCKETS:
            files.report_limit(place(call.start(), call.end()), _MOST_SOCKETS, "sockets in one script")
            break
        options = "[]" if call[4] == ")" else _list(text, call.end())
        port = _port(text, call[3], call.start(3))
        if options is None or port is None:
            continue
        start, end = port
        bound = _Options(options)
        if bound.address is None:
            continue
        host = Given(bound.address, place(start, end), "directive")
        yield from Binder(
            app,
            wildcard=("::",) if bound.inet6 else IPV4,
            words=("",),
            v6only=bound.v6only,
            reuse_address=bound.reuse_address,
            protocol=protocol,
            confidence="likely",
            backlog=bound.backlog,
        ).bind(host, Given(text[start:end], place(start, end), "directive"), files)


class _Options:
    """What a literal list of options says of a socket; `address` is "" for every one and None where it is not written out."""

    def __init__(self, text: str) -> None:
        reuse = _REUSE.findall(text)
        self.reuse_address = bool(reuse) and reuse[-1] == "true"
        only = _V6ONLY.search(text)
        self.v6only = None if only is None else only[1] == "true"
        backlog = _BACKLOG.search(text)
        self.backlog = None if backlog is None else Backlog(decimal(backlog[1]) or 0)
        family = _FAMILY.search(text)
        written = _ADDRESS.search(text)
        said = "any" if written is None else "".join(written[1].split())
        parts = said.strip("{}").split(",")
        self.inet6 = len(parts) == 8 if said.startswith("{") else family is not None and family[1] == "inet6"
        self.address: str | None = None
        if said == "any":
            self.address = ""
        elif said == "loopback":
            self.address = "::1" if self.inet6 else "127.0.0.1"
        elif said.startswith("{") and (numbers := decimals(parts, 99_999)) is not None:
            if len(numbers) == 4 and max(numbers) < 256:
                self.address = "" if not any(numbers) else ".".join(map(str, numbers))
            elif len(numbers) == 8 and max(numbers) < 65536:
                self.address = "" if not any(numbers) else _short(numbers)


def _short(numbers: tuple[int, ...]) -> str:
    from portwright.ip import ip_address

    return str(ip_address(":".join(f"{number:x}" for number in numbers)))


def _list(text: str, start: int) -> str | None:
    """The literal list that begins here; None for anything else."""
    while start < len(text) and text[start] in " \t\r\n":
        start += 1
    if text[start : start + 1] != "[":
        return None
    deep = 0
    for at in range(start, min(len(text), start + 4096)):
        deep += (text[at] in "[{") - (text[at] in "]}")
        if deep > _DEEPEST:
            return None
        if deep == 0:
            return text[start : at + 1]
    return None


def _port(text: str, said: str, at: int) -> tuple[int, int] | None:
    """Where a port's number stands: here, or where the name that stands for it is given one, once."""
    if is_digits(said):
        return at, at + len(said)
    name = said.lstrip("?")
    pattern = rf"-define\s*\(\s*{name}\s*,\s*([0-9]{{1,5}})\s*\)" if said.startswith("?") else rf"\b{name}\s*=\s*([0-9]{{1,5}})\s*[,.]"
    given = list(lazy_regex(pattern).finditer(text))
    return given[0].span(1) if len(given) == 1 else None


def _without_comments(text: str) -> str:
    """Comments, from a % that is in no string or quoted atom and is no character, become blanks."""
    lines = []
    for line in text.split("\n"):
        quote, at = "", 0
        while at < len(line):
            letter = line[at]
            if letter == "\\" or (letter == "$" and not quote):
                at += 1
            elif quote:
                quote = "" if letter == quote else quote
            elif letter in "\"'":
                quote = letter
            elif letter == "%":
                line = line[:at] + " " * (len(line) - at)
                break
            at += 1
        lines.append(line)
    return "\n".join(lines)
