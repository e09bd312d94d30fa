"""netcat by its short name: OpenBSD's, the traditional one, or whichever kind is installed; listening command lines become endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, bound, default, spoken
from portwright.daemons.busybox.reader import netcat
from portwright.daemons.ncat import reader as ncat
from portwright.facts import Endpoint, Invocation
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_OPENBSD = frozenset(f"-{letter}" for letter in "IiMmOPpqsTVWwXx")
_TRADITIONAL = frozenset(f"-{letter}" for letter in "cegGioOpqsTw")


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`nc -l`: what it binds depends on which netcat the name leads to; OpenBSD's where nothing in the tree says."""
    resolved = files.resolve(invocation.argv[0].text).rpartition("/")[2]
    match resolved if resolved not in ("nc", "netcat") else _installed(packages):
        case "nc.traditional":
            return _traditional(invocation, files)
        case "ncat":
            return ncat.read(invocation, files, packages)
        case "busybox":
            return netcat(invocation, invocation.argv[1:], files)
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
    return () if port is None else bound(spoken(binder, options), host, port, invocation, files)


def _traditional(invocation: Invocation, files: Files) -> tuple[Endpoint, ...]:
    """`nc -l -p port [-s address]`; without a port the kernel picks one (nc.traditional(1))."""
    options = options_of(invocation.argv[1:], _TRADITIONAL)
    if not options.has("-l"):
        return ()
    binder = spoken(Binder("nc", words=("",), reuse_port=True), options)
    port = options.last("-p")
    if port is None:
        return binder.bind(default("", invocation.at), default(0, invocation.at), files)
    return bound(binder, options.last("-s"), port, invocation, files)
