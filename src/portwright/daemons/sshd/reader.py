"""OpenSSH's sshd: Port times ListenAddress of sshd_config(5) and the command line become its listening sockets."""

from portwright._start.records import dataclass, field, replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.versions import satisfies
from portwright.facts import Confidence, Endpoint, Invocation, Origin
from portwright.facts.listen_line import ListenLine
from portwright.formats import words
from portwright.ports import PortSet
from portwright.source import Span, Unreadable, Word
from portwright.system.host_files import names
from portwright.system.includes import Includes
from portwright.trees import Files

CONFIG = "/etc/ssh/sshd_config"
_VENDOR = "/usr/etc/ssh/sshd_config"  # SUSE's sshd reads it where /etc has none
_RELATIVE_TO = "/etc/ssh"  # sshd_config(5), Include
_MOST_PORTS = 256  # MAX_PORTS in servconf.h
_MOST_SOCKETS = 10_000
_WITH_ARGUMENT = "CEbcfghkopu"  # sshd.c, getopt()
_FAMILIES = frozenset(("any", "inet", "inet6"))
_STARTS_NOTHING = frozenset("itTGV")  # -i is handed a connection; the others print or test and exit


@dataclass
class _Said:
    """What the command line and the files say, in the order sshd reads them."""

    ports: list[tuple[int, Span, Origin]] = field(default_factory=list)
    addresses: list[tuple[str, int | None, str | None, Span]] = field(default_factory=list)
    family: str | None = None
    subsystems: dict[str, Span] = field(default_factory=dict)
    again: tuple[str, Span] | None = None  # the first subsystem that is defined twice


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of one sshd_config read on its own; nothing for a file that names neither Port nor ListenAddress."""
    said = _Said()
    reading = Includes(files, words.SSHD, _RELATIVE_TO, "sshd")
    _read_file((path,), reading, said, outer=True)
    if reading.broken or not (said.ports or said.addresses):
        return ()
    return _endpoints(said, Span.whole(path), files, "likely")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The sockets of an sshd; none where it is handed its sockets or a connection (-i, socket activation)."""
    said = _Said()
    reading = Includes(files, words.SSHD, _RELATIVE_TO, "sshd")
    config = CONFIG
    overriding: list[tuple[int, Span, Origin]] = []
    for option, value in _options(invocation.argv[1:]):
        if option in _STARTS_NOTHING:
            return ()
        if option in ("4", "6"):
            said.family = said.family or {"4": "inet", "6": "inet6"}[option]
        elif value is None:
            continue
        elif option == "f":
            config = invocation.path(value.text)
        elif option == "p":
            port = names.port(value.text, "tcp", files)
            if port:
                overriding.append((port, value.at, "argument"))
            else:
                reading.refuse(value.at, "not a port")
        elif option == "o":
            line = words.read_option(value, words.SSHD)
            if isinstance(line, Unreadable):
                reading.refuse(line.at, line.reason)
            else:
                _directive(line, reading, said, "argument", active=True)
    if config == CONFIG and files.kind(config) == "missing" and files.kind(_VENDOR) == "file":
        config = _VENDOR
    if invocation.sockets:
        return _overruled(reading, said, config, files)
    confidence: Confidence = "certain"
    if files.kind(config) == "missing":
        # sshd does not start without it; rather the copy of the host lacks it, and a default is a guess then.
        files.report_missing(invocation.at, f"sshd reads {config}, which is not there")
        confidence = "possible"
    else:
        _read_file((config,), reading, said, outer=True)
    if reading.broken:
        return ()
    if overriding:
        said.ports = overriding  # servconf.c: a port on the command line makes Port in the file count for nothing
    found = _endpoints(said, invocation.at, files, confidence)
    # Since 9.5 the first one counts (10.0 takes it); measured with 9.2: "Subsystem 'sftp' already defined", and it ends.
    if said.again is None or not satisfies(packages.get("openssh-server"), "<9.5"):
        return found
    name, at = said.again
    reason = f"sshd before 9.5 ends where a subsystem is defined twice, and {name} is"
    return tuple(replace(each, closed_by=reason, closed_at=at) if isinstance(each, Endpoint) else each for each in found)


def _overruled(reading: Includes, said: _Said, config: str, files: Files) -> tuple[ListenLine, ...]:
    """The lines about ports that an sshd which is handed its sockets does not look at."""
    if files.kind(config) != "missing":
        _read_file((config,), reading, said, outer=True)
    lines = [(at, f"Port {port}", port) for port, at, _ in said.ports]
    lines += [(at, f"ListenAddress {host}", port) for host, port, _, at in said.addresses if port is not None]
    reason = "it is handed its sockets"
    return tuple(ListenLine(at, "sshd", says, "overruled", reason, PortSet.of(port)) for at, says, port in lines)


def _options(argv: tuple[Word, ...]) -> list[tuple[str, Word | None]]:
    """The options getopt() finds: flags may be clustered, a value may follow its letter at once."""
    found: list[tuple[str, Word | None]] = []
    rest = iter(argv)
    for word in rest:
        if not word.text.startswith("-") or word.text in ("-", "--"):
            break
        for position, letter in enumerate(word.text[1:], 2):
            if letter not in _WITH_ARGUMENT:
                found.append((letter, None))
                continue
            attached = word.text[position:]
            found.append((letter, Word(attached, word.at) if attached else next(rest, None)))
            break
    return found


def _read_file(chain: tuple[str, ...], reading: Includes, said: _Said, outer: bool) -> None:
    """Add what the last file of a chain of includes says; `outer` is False for one that a Match block includes."""
    active = outer
    for line in reading.lines(chain[-1]):
        keyword = line.keyword.text.lower()
        if keyword == "match":
            # A block ends with the file or the next Match; `Match all` is in force for everybody.
            active = outer and [value.text.lower() for value in line.values] == ["all"]
        elif keyword == "include":
            for path in reading.included(line, chain):
                _read_file((*chain, path), reading, said, active)
        else:
            _directive(line, reading, said, "directive", active)


def _directive(line: words.Line, reading: Includes, said: _Said, origin: Origin, active: bool) -> None:
    keyword = line.keyword.text.lower()
    if keyword == "subsystem" and active and line.values:
        name = line.values[0].text
        if said.subsystems.setdefault(name, line.at) != line.at:
            said.again = said.again or (name, line.at)
    if keyword not in ("port", "listenaddress", "addressfamily"):
        return
    if not active:
        reading.refuse(line.at, f"{line.keyword.text} is not allowed in a Match block")
        return
    if not line.values:
        reading.refuse(line.at, f"{line.keyword.text} has no value")
        return
    value = line.values[0]
    problem = ""
    if keyword == "port":
        port = names.port(value.text, "tcp", reading.files)
        if not port or len(line.values) > 1 or len(said.ports) == _MOST_PORTS:
            problem = "not a port" if not port else "Port takes one port" if len(line.values) > 1 else f"more than {_MOST_PORTS} ports"
        else:
            said.ports.append((port, value.at, origin))
    elif keyword == "listenaddress":
        problem = _listen_address(line, reading.files, said)
    elif value.text.lower() in _FAMILIES:
        said.family = said.family or value.text.lower()  # sshd_config(5): the first value obtained is used
    else:
        problem = "AddressFamily takes any, inet or inet6"
    if problem:
        reading.refuse(value.at, problem)


def _listen_address(line: words.Line, files: Files, said: _Said) -> str:
    """Add one ListenAddress; a sentence where it is none: host, host:port, [v6]:port, a bare v6 address, `rdomain NAME` behind."""
    value = line.values[0]
    rdomain = line.values[2].text if len(line.values) == 3 and line.values[1].text.lower() == "rdomain" else None
    if len(line.values) > 1 and rdomain is None:
        return "ListenAddress takes an address and `rdomain` with a name"
    host, port_text = _split(value.text)
    port = None
    if port_text is not None:
        port = names.port(port_text, "tcp", files)
        if not port:
            return "not a port"
    if not host:
        return "ListenAddress has no address"
    said.addresses.append((host, port, rdomain, value.at))
    return ""


def _split(text: str) -> tuple[str, str | None]:
    """(host, port or None); two colons without brackets are a bare IPv6 address (servconf.c, hpdelim2())."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest[1:] if rest.startswith(":") else None
    if text.count(":") > 1:
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _endpoints(said: _Said, at: Span, files: Files, confidence: Confidence) -> tuple[DaemonFact, ...]:
    ports = said.ports or [(22, at, "default")]
    found: list[Endpoint] = []
    wildcards = [address for family, address in (("inet", "0.0.0.0"), ("inet6", "::")) if said.family in (None, "any", family)]  # noqa: S104
    if not said.addresses:
        for port, port_at, origin in ports:
            found.extend(_endpoint(address, port, port_at, origin, None, confidence) for address in wildcards)
    for host, own_port, rdomain, host_at in said.addresses:
        chosen: list[tuple[int, Span, Origin]] = [(own_port, host_at, "directive")] if own_port is not None else ports
        # getaddrinfo(3) takes `*` for no name at all, and sshd does not ask for the wildcard then: loopback (measured, OpenSSH 9.2).
        resolved = ("127.0.0.1", "::1") if host == "*" else names.addresses(host, files)
        if len(found) > _MOST_SOCKETS:
            files.report_unreadable(host_at, f"more than {_MOST_SOCKETS} sockets: the rest is left out")
            break
        for port, port_at, origin in chosen:
            # The line that names the port is the one to change; where no line does, the address is.
            where = host_at if origin == "default" else port_at
            if not resolved:
                found.append(_endpoint(host, port, where, origin, rdomain, "possible"))
            found.extend(
                _endpoint(address, port, where, "directive" if origin == "default" else origin, rdomain, confidence)
                for address in resolved
                if said.family in (None, "any", "inet6" if ":" in address else "inet")
            )
    return tuple(dict.fromkeys(found))


def _endpoint(address: str, port: int, at: Span, origin: Origin, rdomain: str | None, confidence: Confidence) -> Endpoint:
    # sshd.c, listen_on_addrs(): SO_REUSEADDR and IPV6_V6ONLY on every socket; sys_set_rdomain() binds to the VRF device.
    return Endpoint(
        at=at,
        app="sshd",
        protocol="tcp",
        address=address,
        ports=PortSet.of(port),
        origin=origin,
        reuse_address=True,
        v6only=True if ":" in address else None,
        interface=rdomain,
        confidence=confidence,
    )
