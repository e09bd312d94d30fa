"""ncat: listening command lines of Nmap's netcat become endpoints."""

from portwright.daemons import Packages
from portwright.daemons._engine.binding import BOTH, Binder, argument, bound, default, spoken
from portwright.facts import Endpoint, Invocation
from portwright.numbers import is_digits
from portwright.source import Word
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(
    (
        *(f"-{letter}" for letter in "cegGmdoxipsw"), "--sh-exec", "--exec", "--lua-exec", "--max-conns", "--delay", "--output",
        "--hex-dump", "--idle-timeout", "--source-port", "--source", "--wait", "--proxy", "--proxy-type", "--proxy-auth", "--proxy-dns",
        "--allow", "--allowfile", "--deny", "--denyfile", "--ssl-cert", "--ssl-key", "--ssl-trustfile", "--ssl-ciphers", "--ssl-alpn",
    )
)  # fmt: skip
_PORT = 31337


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[Endpoint, ...]:
    """`ncat -l [address] [port]`, on port 31337 and on both families unless it is told otherwise; -p counts without an operand."""
    options = options_of(invocation.argv[1:], _VALUED)
    if not options.has("-l", "--listen") or options.has("-U", "--unixsock", "--sctp", "--vsock"):
        return ()
    wildcard = ("0.0.0.0",) if options.has("-4") else ("::",) if options.has("-6") else BOTH  # noqa: S104
    binder = spoken(Binder("ncat", wildcard=wildcard, words=("",), v6only=True), options)
    host: Word | None = None
    port: Word | None = None
    match options.operands:
        case (first, second, *_):
            host, port = first, second
        case (only,) if is_digits(only.text):
            port = only
        case (only,):
            host = only
        case _:
            port = options.last("-p", "--source-port")
    if port is None:
        given = argument(host) if host is not None else default("", invocation.at)
        return binder.bind(given, default(_PORT, invocation.at), files)
    return bound(binder, host, port, invocation, files)
