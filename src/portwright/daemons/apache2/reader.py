"""Apache httpd: its configuration with all includes becomes the sockets it binds and the backends it keeps, or does not keep, open."""

import re
from collections.abc import Iterator, Mapping

from portwright._start.records import dataclass
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.apache2.proxies import outbounds
from portwright.daemons.apache2.reading import Line, Reading, Version
from portwright.facts import Backlog, Confidence, Endpoint, Invocation, weakest
from portwright.facts.listen_line import ListenLine
from portwright.numbers import decimal, decimals, is_digits
from portwright.ports import PortSet
from portwright.source import Source, Span, Word
from portwright.system.host_files import names
from portwright.system.processes import shells
from portwright.system.processes.process import Process
from portwright.system.spanned_text import SpannedText
from portwright.trees import Files

_DEBIAN = "/etc/apache2"
# Where httpd looks that was built with no other prefix: Red Hat's, then Alpine's and SUSE's.
_HTTPD = (("/etc/httpd", "conf/httpd.conf"), (_DEBIAN, "httpd.conf"))
_CONTROLS = ("apachectl", "apache2ctl")
_WITH_ARGUMENT = "CcDdEefk"  # AP_SERVER_BASEARGS and server/mpm_unix.c
_STARTS_NOTHING = frozenset("vVlLtTSMh")
_PACKAGES = ("apache2-bin", "apache2", "httpd-core", "httpd", "apache2.4-common")
_MOST_SOCKETS = 4096
_BACKLOG = 511  # DEFAULT_LISTENBACKLOG
# What Debian's apache2ctl does on `start`, as far as it decides what runs.
_APACHE2CTL = """
[ -n "$APACHE_CONFDIR" ] || APACHE_CONFDIR=/etc/apache2
. "${APACHE_ENVVARS:-$APACHE_CONFDIR/envvars}"
[ "$APACHE_CONFDIR" = /etc/apache2 ] || APACHE_ARGUMENTS="-d $APACHE_CONFDIR $APACHE_ARGUMENTS"
exec ${APACHE_HTTPD:-/usr/sbin/apache2} $APACHE_ARGUMENTS """


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What one config file says on its own: a main file with all it includes, or Listen lines, or what a site hands on."""
    root = path.rpartition("/")[0]
    reading = Reading(files, root.removesuffix("/conf"), _version(packages), {}, debian="/apache2/" in path, alone=True)
    if not reading.read_file(path):
        return ()
    ports = _endpoints(reading, Span.whole(path)) if any(line.keyword == "listen" for line in reading.lines) else ()
    return (*ports, *outbounds(reading.lines, reading, None))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets and backends of an Apache httpd, started as such or by its control script; none where it is handed its sockets."""
    argv, environment = invocation.argv, invocation.environment
    if invocation.program in _CONTROLS:
        started = _controlled(invocation, files)
        if started is None:
            return ()
        argv, environment = started
    options = _options(argv[1:])
    if options is None or invocation.sockets:
        return ()
    root, config = _place_of(argv[0].text, options, files)
    reading = Reading(files, root, _version(packages), environment, debian=argv[0].text.rpartition("/")[2] == "apache2")
    for name in options.get("D", ()):
        reading.defines[name.text] = Word("", name.at)
    for text in options.get("C", ()):
        reading.read_text(_Argument(text))
    if "@." in (invocation.unit or ""):
        return ()  # a template: only its instances name a file
    if "\ufffd" in reading.path(config):
        files.report_missing(invocation.at, "which file apache2 reads cannot be determined")
        return ()
    if not reading.read_file(reading.path(config)):
        files.report_missing(invocation.at, f"apache2 does not start: {reading.path(config)} is not there")
        return ()
    for text in options.get("c", ()):
        reading.read_text(_Argument(text))
    return (*_endpoints(reading, invocation.at), *outbounds(reading.lines, reading, invocation))


class _Argument(Source):
    """The text of -c or -C: whatever stands in it stands, for a reader, at the argument."""

    def __init__(self, word: Word) -> None:
        super().__init__(word.at.path, word.text)
        self.__dict__["_at"] = word.at

    def span(self, start: int, end: int) -> Span:
        at: Span = self.__dict__["_at"]
        return at


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _controlled(invocation: Invocation, files: Files) -> tuple[tuple[Word, ...], Mapping[str, Word]] | None:
    """What `apachectl start` runs: Debian's sources /etc/apache2/envvars, others start the httpd beside them."""
    verbs = [word.text for word in invocation.argv[1:]]
    if verbs[:1] in (["stop"], ["graceful-stop"], ["configtest"], ["status"], ["fullstatus"], ["help"], []):
        return None
    plain = verbs[0] in ("start", "restart", "graceful")
    rest = (Word("-k", invocation.argv[1].at), *invocation.argv[1:]) if plain else invocation.argv[1:]
    directory = invocation.argv[0].text.rpartition("/")[0]
    debian = "APACHE_CONFDIR" in invocation.environment or files.kind(f"{_DEBIAN}/apache2.conf") != "missing"
    if not debian or directory not in ("", "/usr/sbin", "/sbin"):
        return (Word(f"{directory or '/usr/sbin'}/httpd", invocation.argv[0].at), *rest), invocation.environment
    shell = [Word(text, invocation.at) for text in ("sh", "-c", f'{_APACHE2CTL} "$@"', invocation.argv[0].text)]
    argv = tuple(map(SpannedText.of, (*shell, *rest)))
    process = Process("/bin/sh", argv, invocation.environment, invocation.at, invocation.directory)
    done = next(each for each in reversed(shells.run(process, files)) if not each.passing)
    return tuple(each.word() for each in done.argv), done.environment


def _options(arguments: tuple[Word, ...]) -> dict[str, list[Word]] | None:
    """What getopt() finds, by letter; None for a command that tests, prints, or stops a server."""
    found: dict[str, list[Word]] = {}
    rest = iter(arguments)
    for word in rest:
        if not word.text.startswith("-"):
            # Unknown text in the middle (an empty variable of the unit, say) is no argument of httpd's.
            continue
        for position, letter in enumerate(word.text[1:], 2):
            if letter in _STARTS_NOTHING:
                return None
            if letter in _WITH_ARGUMENT:
                attached = word.text[position:]
                value = Word(attached, word.at) if attached else next(rest, None)
                if value is None:
                    return None
                found.setdefault(letter, []).append(value)
                break
    if found.get("k") and found["k"][-1].text not in ("start", "restart", "graceful"):
        return None
    return found


def _place_of(program: str, options: Mapping[str, list[Word]], files: Files) -> tuple[str, str]:
    """(server root, config file): -d and -f, or what the program was built with."""
    if program.rpartition("/")[2] == "apache2":
        root, config = _DEBIAN, "apache2.conf"
    else:
        prefix = program.rpartition("/")[0].removesuffix("/bin").removesuffix("/sbin")
        own = () if prefix in ("", "/usr") or not program.startswith("/") else ((prefix, "conf/httpd.conf"),)
        places = (*own, *_HTTPD)
        root, config = next((each for each in places if files.kind("/".join(each)) == "file"), places[0])
    if "d" in options:
        root = options["d"][-1].text
    return root, options["f"][-1].text if "f" in options else config


def _version(packages: Packages) -> Version | None:
    for name in _PACKAGES:
        found = re.match(r"(?:[0-9]+:)?([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})", packages.get(name, ""))
        if found:
            return decimals(found.groups())
    return None


# ── what it binds ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Listen:
    """One address of a Listen line; `spelled` is its host as written, "" where it names a port only."""

    at: Span
    spelled: str
    address: str
    port: int
    confidence: Confidence


def _endpoints(reading: Reading, at: Span) -> Iterator[Endpoint | ListenLine]:
    listens: dict[tuple[str, int], _Listen] = {}
    surely: set[tuple[str, int]] = set()
    reuse_port = False
    backlog: Backlog | None = Backlog(_BACKLOG)
    for line in reading.lines:
        if line.keyword == "listencoresbucketsratio" and line.args:
            reuse_port = line.args[0].text.strip("0") != ""
        if line.keyword == "listenbacklog" and line.args:
            backlog = Backlog.asked(line.args[0])
        if line.keyword != "listen":
            continue
        if line.within:
            reading.refuse(line.at, f"Listen is not allowed in a <{line.within[-1].keyword}> section")
            continue
        for listen in _listen(line, reading):
            spelled = (listen.spelled if listen.address == "*" else listen.address, listen.port)
            if spelled in listens and not (line.sure and spelled in surely):
                continue  # two modules of which a host has one: mod_ssl, mod_gnutls
            if spelled in listens:
                reason = f"the same address and port as {listens[spelled].at}"
                yield ListenLine(listen.at, "apache2", f"Listen {line.args[0].text}", "refused", reason, PortSet.of(listen.port))
                reading.confidence = "possible"
            elif len(listens) >= _MOST_SOCKETS:
                reading.files.report_unreadable(listen.at, f"more than {_MOST_SOCKETS} sockets: the rest is left out")
                break
            else:
                listens[spelled] = listen
                surely |= {spelled} if line.sure else set()
    if not any(line.keyword == "listen" for line in reading.lines):
        reading.refuse(at, "no Listen line sets the address")
    for listen in _sockets(listens):
        yield Endpoint(
            at=listen.at,
            app="apache2",
            protocol="tcp",
            address=listen.address,
            ports=PortSet.of(listen.port),
            origin="directive",
            reuse_address=True,
            reuse_port=reuse_port,
            # listen.c, make_sock(): distributions build with v4-mapped addresses, so it asks for both families, bindv6only or not.
            v6only=False if listen.address == "*" else True if ":" in listen.address else None,
            ipv4_fallback=listen.address == "*" and not listen.spelled,  # find_default_family()
            confidence=weakest(listen.confidence, reading.confidence),
            backlog=backlog,
        )


def _sockets(listens: Mapping[tuple[str, int], _Listen]) -> list[_Listen]:
    """The sockets that are left: 0.0.0.0 is skipped where [::] on the same port takes IPv4 too (open_listeners() in listen.c).

    Measured with 2.4: `[::]:80` and `0.0.0.0:80` in any order, and `80` before `0.0.0.0:80`; `80` behind `0.0.0.0:80` collides.
    """
    order = {key: position for position, key in enumerate(listens)}
    left = []
    for (spelled, port), listen in listens.items():
        if spelled == "0.0.0.0":  # noqa: S104  compared, never bound
            wild = [order[key] for key in (("", port), ("*", port)) if key in order]
            if ("::", port) in order or any(position < order[spelled, port] for position in wild):
                continue
        left.append(listen)
    return left


def _listen(line: Line, reading: Reading) -> Iterator[_Listen]:
    if not 1 <= len(line.args) <= 2:
        reading.refuse(line.at, "Listen takes an address or port, and a protocol")
        return
    word = line.args[0]
    if reading.alone and set("$@\ufffd").intersection(word.text):
        return  # something fills it in
    try:
        host, port = _place(word.text)
    except ValueError as error:
        reading.refuse(word.at, f"{error} in Listen {word.text}")
        return
    sure: Confidence = "certain" if line.sure else "possible"
    if host in ("", "*", "::"):
        yield _Listen(word.at, host.replace("*", ""), "*", port, sure)
        return
    known = names.addresses(host, reading.files)
    for address in known or (host,):
        yield _Listen(word.at, address, address, port, sure if known else "possible")


def _place(text: str) -> tuple[str, int]:
    """Host ("" for none) and port as apr_parse_addr_port() takes them; raises ValueError with httpd's words."""
    host, colon, digits = text.rpartition(":")
    if not is_digits(digits):
        raise ValueError("port must be specified")
    if (colon and not host) or (host.startswith("[") and not host.endswith("]")):
        raise ValueError("invalid address or port")
    port = decimal(digits, 65535)
    if not port:
        raise ValueError("invalid address or port")
    return host.removeprefix("[").removesuffix("]"), port
