"""netcat in its four kinds (OpenBSD's, the traditional one, ncat, BusyBox's): listening command lines become endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages, daemon
from portwright.daemons._engine.binding import BOTH, Binder, argument, default, halves
from portwright.facts import Endpoint, Invocation
from portwright.source import Word
from portwright.system.processes.options import Options
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_OPENBSD = frozenset(f"-{letter}" for letter in "IiMmOPpqsTVWwXx")
_TRADITIONAL = frozenset(f"-{letter}" for letter in "cegGioOpqsTw")
_NCAT = frozenset(
    (
        *(f"-{letter}" for letter in "cegGmdoxipsw"), "--sh-exec", "--exec", "--lua-exec", "--max-conns", "--delay", "--output",
        "--hex-dump", "--idle-timeout", "--source-port", "--source", "--wait", "--proxy", "--proxy-type", "--proxy-auth", "--proxy-dns",
        "--allow", "--allowfile", "--deny", "--denyfile", "--ssl-cert", "--ssl-key", "--ssl-trustfile", "--ssl-ciphers", "--ssl-alpn",
    )
)  # fmt: skip
_BUSYBOX_NC = frozenset(("-p", "-w", "-i", "-f", "-e", "-s"))
_BUSYBOX_HTTPD = frozenset(("-p", "-h", "-c", "-u", "-r", "-e", "-d", "-m"))
_NCAT_PORT = 31337


@daemon("nc", "nc", "netcat", "nc.openbsd", "nc.traditional")
def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`nc -l`: what it binds depends on which netcat the name leads to; OpenBSD's where nothing in the tree says."""
    resolved = files.resolve(invocation.argv[0].text).rpartition("/")[2]
    match resolved if resolved not in ("nc", "netcat") else _installed(packages):
        case "nc.traditional":
            return _traditional(invocation, files)
        case "ncat":
            return ncat(invocation, files, packages)
        case "busybox":
            return _busybox_nc(invocation, invocation.argv[1:], files)
        case _:
            return _openbsd(invocation, files)


def _installed(packages: Packages) -> str:
    if "netcat-openbsd" in packages:
        return "nc.openbsd"
    return "nc.traditional" if "netcat-traditional" in packages else "ncat" if "ncat" in packages else "nc.openbsd"


def _openbsd(invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """`nc -l [-p port] [-s address]`, `nc -l port` or `nc -l address port` (nc(1))."""
    options = options_of(invocation.argv[1:], _OPENBSD)
    if not options.has("-l") or options.has("-U"):
        return ()
    binder = Binder("nc", wildcard=("::",) if options.has("-6") else ("0.0.0.0",), words=("",), reuse_port=True)  # noqa: S104
    host, port = options.last("-s"), options.last("-p")
    match options.operands:
        case (first, second, *_):
            host, port = first, second
        case (only,) if port is None:
            port = only
        case (only,):
            host = only
        case _:
            pass
    return () if port is None else _bound(_spoken(binder, options), host, port, invocation, files)


def _traditional(invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """`nc -l -p port [-s address]`; without a port the kernel picks one (nc.traditional(1))."""
    options = options_of(invocation.argv[1:], _TRADITIONAL)
    if not options.has("-l"):
        return ()
    binder = _spoken(Binder("nc", words=("",), reuse_port=True), options)
    port = options.last("-p")
    if port is None:
        return binder.bind(default("", invocation.at), default(0, invocation.at), files)
    return _bound(binder, options.last("-s"), port, invocation, files)


@daemon("ncat", "ncat")
def ncat(invocation: Invocation, files: Files, packages: Packages) -> tuple[Endpoint, ...]:
    """`ncat -l [address] [port]`, on port 31337 and on both families unless it is told otherwise; -p counts without an operand."""
    options = options_of(invocation.argv[1:], _NCAT)
    if not options.has("-l", "--listen") or options.has("-U", "--unixsock", "--sctp", "--vsock"):
        return ()
    wildcard = ("0.0.0.0",) if options.has("-4") else ("::",) if options.has("-6") else BOTH  # noqa: S104
    binder = _spoken(Binder("ncat", wildcard=wildcard, words=("",), v6only=True), options)
    host: Word | None = None
    port: Word | None = None
    match options.operands:
        case (first, second, *_):
            host, port = first, second
        case (only,) if only.text.isdigit():
            port = only
        case (only,):
            host = only
        case _:
            port = options.last("-p", "--source-port")
    if port is None:
        given = argument(host) if host is not None else default("", invocation.at)
        return binder.bind(given, default(_NCAT_PORT, invocation.at), files)
    return _bound(binder, host, port, invocation, files)


@daemon("busybox", "busybox")
def busybox(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """The applets nc and httpd."""
    if len(invocation.argv) < 2:
        return ()
    match invocation.argv[1].text:
        case "nc":
            return _busybox_nc(invocation, invocation.argv[2:], files)
        case "httpd":
            options = options_of(invocation.argv[2:], _BUSYBOX_HTTPD)
            binder = Binder("httpd", wildcard=("::",), words=("",))
            word = options.last("-p")
            if word is None:
                return binder.bind(default("", invocation.at), default(80, invocation.at), files)
            host, port = halves(word)
            return _bound(binder, None if port is None else host, port or word, invocation, files)
        case _:
            return ()


def _busybox_nc(invocation: Invocation, words: tuple[Word, ...], files: Files) -> tuple[Endpoint, ...]:
    options = options_of(words, _BUSYBOX_NC)
    port = options.last("-p")
    if not options.has("-l") or port is None:
        return ()
    return _bound(Binder("nc", wildcard=("::",), words=("",)), options.last("-s"), port, invocation, files)


def _spoken(binder: Binder, options: Options) -> Binder:
    return replace(binder, protocol="udp") if options.has("-u", "--udp") else binder


def _bound(binder: Binder, host: Word | None, port: Word, invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    return binder.bind(argument(host) if host is not None else default("", invocation.at), argument(port), files)
