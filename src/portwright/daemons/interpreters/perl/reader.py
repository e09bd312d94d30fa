"""Perl: installed servers run by name, and scripts whose own text opens listening sockets."""

import re
from collections.abc import Mapping

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, bears_its_name, daemon_of
from portwright.daemons._engine import unknown_program as generic
from portwright.daemons._engine.binding import IPV4, Binder, Given, argument, default, halves, variable
from portwright.daemons.interpreters.scripts import LONGEST, fits
from portwright.facts import Endpoint, Invocation
from portwright.numbers import is_digits
from portwright.source import Source, Word
from portwright.system.processes.options import cut
from portwright.system.processes.options import read as options_of
from portwright.system.spanned_text import UNKNOWN
from portwright.trees import Files

_WITH_VALUE = frozenset(("-I", "-M", "-m", "-C", "-x"))
_CLASSES = ("IO::Socket::INET6", "IO::Socket::INET", "IO::Socket::IP", "IO::Socket::SSL", "HTTP::Daemon::SSL", "HTTP::Daemon")
_MOJO_VALUED = frozenset(("-l", "--listen", "-m", "--mode", "-b", "--backlog", "-c", "--clients", "-i", "-r", "-w", "--workers", "-P"))
_MOST_SOCKETS = 64
_LONGEST_CALL = 4096
_CLOSES = {"(": ")", "[": "]", "{": "}"}


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of a Perl program: of the server it runs, or those its script opens with IO::Socket and LocalPort."""
    words = invocation.argv[1:]
    at = 0
    while at < len(words):
        text = words[at].text
        if text in ("-e", "-E"):
            return ()
        if not text.startswith("-") or text == "-":
            started = replace(invocation, argv=words[at:])
            known = daemon_of(started)
            if known is not None and started.program in known.programs and not bears_its_name(started, known, files, "perl"):
                return known.read(started, files, packages)
            path = invocation.path(text)
            source = files.read(path) if UNKNOWN not in path and files.kind(path) == "file" else None
            if source is not None and (said := _mojolicious(source, started, files) or opened(source, started, files)):
                return said
            break
        at += 2 if text in _WITH_VALUE else 1
    return generic.read(invocation, files, packages)


def _mojolicious(source: Source, started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """`SCRIPT daemon -l http://*:3000` of a Mojolicious application: each -l, else $MOJO_LISTEN, else port 3000 everywhere."""
    if len(started.argv) < 2 or started.argv[1].text not in ("daemon", "prefork") or "Mojolicious" not in source.text[:LONGEST]:
        return ()
    options = options_of(started.argv[2:], _MOJO_VALUED)
    listens = [argument(word) for word in options.all("-l", "--listen")]
    if not listens:
        told = variable(started.environment, "MOJO_LISTEN")
        listens = [told] if told is not None else [Given("http://*:3000", started.at, "default")]
    found: list[Endpoint] = []
    for given in listens:
        scheme, slashes, rest = given.text.partition("://")
        host, port = halves(Word(rest.partition("?")[0].partition("/")[0], given.at))
        if slashes and scheme in ("http", "https"):
            number = port.text if port is not None else {"http": "80", "https": "443"}[scheme]
            place, door = Given(host.text, given.at, given.origin), Given(number, given.at, given.origin)
            found += Binder(started.program, confidence="likely").bind(place, door, files)
    return tuple(found)


def opened(source: Source, started: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """The sockets a script opens with `IO::Socket::INET->new(LocalPort => ..., Listen => ...)` and its like, as *likely*.

    IO::Socket sets SO_REUSEADDR only where it is asked to. A port counts where it is a number, a text of digits, an environment
    variable, or a name that is given such a value once.
    """
    if not fits(source, files):
        return ()
    text = _without_comments(source.text)
    found: list[Endpoint] = []
    looked_at = 0
    at = text.find("->new")
    while at >= 0:
        start = at
        at = text.find("->new", at + 5)
        name = next((name for name in _CLASSES if text.endswith(name, max(0, start - 20), start)), None)
        opening = start + 5
        while opening < len(text) and text[opening] in " \t\n":
            opening += 1
        if name is None or text[opening : opening + 1] != "(":
            continue
        looked_at += 1
        if looked_at > _MOST_SOCKETS:
            files.report_limit(source.span(start, opening), _MOST_SOCKETS, "sockets in one script")
            break
        options = _options(text, opening)
        found += _socket(name, options, text, source, started, files)
    return tuple(dict.fromkeys(found))


def _socket(
    name: str, options: Mapping[str, tuple[int, int]], text: str, source: Source, started: Invocation, files: Files
) -> tuple[Endpoint, ...]:
    def worth(*keys: str) -> Given | None:
        return next((_value(text, options[key], source, started) for key in keys if key in options), None)

    proto = worth("Proto")
    udp = proto is not None and proto.text == "udp"
    if not udp and "Listen" not in options and not name.startswith("HTTP::Daemon"):
        return ()
    port, host = worth("LocalPort", "LocalService"), worth("LocalAddr", "LocalHost")
    if port is None and host is not None and ":" in host.text and "LocalPort" not in options:
        before, _, after = host.text.rpartition(":")
        host, port = replace(host, text=before.strip("[]")), replace(host, text=after)
    if port is None or not is_digits(port.text):
        return ()
    only = worth("V6Only")
    binder = Binder(
        started.program,
        wildcard=("::",) if name == "IO::Socket::INET6" else IPV4,
        words=("",),
        v6only=None if only is None else only.text not in ("0", ""),
        reuse_address=_is_on(worth("ReuseAddr", "Reuse")),
        reuse_port=_is_on(worth("ReusePort")),
        protocol="udp" if udp else "tcp",
        confidence="likely",
    )
    unknown_host = host is None and not {"LocalAddr", "LocalHost"}.isdisjoint(options)
    if unknown_host:
        binder = replace(binder, confidence="possible")
    return binder.bind(host or default("", port.at), port, files)


def _is_on(given: Given | None) -> bool:
    return given is not None and given.text not in ("0", "")


def _without_comments(text: str) -> str:
    """The text with comments and everything behind __END__ blanked, so that offsets stay what they are."""
    lines: list[str] = []
    over = False
    for line in text.split("\n"):
        over = over or line in ("__END__", "__DATA__")
        hash_at = 0 if line.lstrip().startswith("#") else line.find(" #")
        keep = 0 if over else len(line) if hash_at < 0 else hash_at
        lines.append(line[:keep] + " " * (len(line) - keep))
    return "\n".join(lines)


def _options(text: str, opening: int) -> dict[str, tuple[int, int]]:
    """The `Key => value` pairs between parentheses, each value as offsets."""
    found: dict[str, tuple[int, int]] = {}
    closing: list[str] = []
    start, quote = opening + 1, ""
    for at in range(opening, min(len(text), opening + _LONGEST_CALL)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in _CLOSES:
            closing.append(_CLOSES[char])
        elif closing and char == closing[-1]:
            closing.pop()
        if not quote and (not closing or (char == "," and len(closing) == 1)):
            arrow = text.find("=>", start, at)
            if arrow >= 0:
                found[text[start:arrow].strip().strip("\"'")] = (arrow + 2, at)
            start = at + 1
            if not closing:
                break
    return found


def _value(text: str, place: tuple[int, int], source: Source, started: Invocation, depth: int = 0) -> Given | None:
    """What an expression stands for: a number, text, `$ENV{PORT}`, `$ARGV[0]`, `$port` given once or by an option, and `||` or `//`."""
    start, end = place
    while start < end and text[start] in " \t\n":
        start += 1
    while end > start and text[end - 1] in " \t\n":
        end -= 1
    own = text[start:end]
    if depth > 4 or len(own) > 256:
        return None
    at = source.span(start, end)
    if is_digits(own.replace("_", "")):
        return Given(own.replace("_", ""), at, "directive")
    if len(own) > 1 and own[0] in "\"'" and own.find(own[0], 1) == len(own) - 1 and not (own[0] == '"' and "$" in own):
        inner = cut(Word(own, at), 1, len(own) - 1)
        return Given(inner.text, inner.at, "directive")
    for operator in ("||", "//"):
        left, found, _ = own.partition(operator)
        if found:
            first = _value(text, (start, start + len(left)), source, started, depth + 1)
            unset = left.strip().startswith(("$ENV{", "$ARGV[")) or left.strip() in ("shift", "shift @ARGV")
            if first is not None or not unset:
                return first
            return _value(text, (start + len(left) + 2, end), source, started, depth + 1)
    if own.startswith("$ENV{") and own.endswith("}"):
        word = started.environment.get(own[5:-1].strip("\"'"))
        return Given(word.text, word.at, "environment") if word is not None and UNKNOWN not in word.text else None
    if own in ("shift", "shift @ARGV", "$ARGV[0]"):
        operand = started.argv[1] if len(started.argv) > 1 else None
        return argument(operand) if operand is not None and UNKNOWN not in operand.text else None
    if own.startswith("$") and own[1:].isidentifier():
        option = _option(text, own, started)
        return _assigned(text, own, source, started, depth) if option is None else option
    return None


def _option(text: str, name: str, started: Invocation) -> Given | None:
    r"""What an option of the command line gives a variable, as `GetOptions('port|p=i' => \$port)` says."""
    if "GetOptions" not in text:
        return None
    found = re.search(rf"['\"]([\w|-]{{1,100}})[=:][is]['\"]\s{{0,20}}=>\s{{0,20}}\\{re.escape(name)}\b", text)
    if found is None:
        return None
    names = [f"{dash}{each}" for each in found[1].split("|") for dash in ("--", "-")]
    word = options_of(started.argv[1:], frozenset(names)).last(*names)
    return argument(word) if word is not None and UNKNOWN not in word.text else None


def _assigned(text: str, name: str, source: Source, started: Invocation, depth: int) -> Given | None:
    """What is assigned to a variable, alone or in a list, if that happens once."""
    places: list[tuple[int, int]] = []
    for found in re.finditer(rf"{re.escape(name)}[ \t]{{0,20}}=(?![=~>])", text):
        end = text.find(";", found.end())
        places.append((found.end(), end if end >= 0 else len(text)))
    for found in re.finditer(r"my[ \t]{0,20}\(([^()]{1,400})\)[ \t]{0,20}=[ \t]{0,20}@ARGV[ \t]{0,20};", text):
        names = [each.strip() for each in found[1].split(",")]
        if name in names:
            at = names.index(name) + 1
            operand = started.argv[at] if at < len(started.argv) else None
            return argument(operand) if operand is not None and UNKNOWN not in operand.text else None
    for found in re.finditer(r"my[ \t]{0,20}\(([^()]{1,400})\)[ \t]{0,20}=[ \t]{0,20}\(([^()]{1,400})\)", text):
        names = [each.strip() for each in found[1].split(",")]
        values = list(re.finditer(r"[^,]+", found[2]))
        if name in names and len(names) == len(values):
            value = values[names.index(name)]
            places.append((found.start(2) + value.start(), found.start(2) + value.end()))
    return _value(text, places[0], source, started, depth + 1) if len(places) == 1 else None
