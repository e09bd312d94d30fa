"""twistd: `twistd web` and the endpoint descriptions it is given become endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, default
from portwright.daemons.twistd.descriptions import described
from portwright.facts import Invocation
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(
    (
        "-y", "--python", "-f", "--file", "-s", "--source", "--pidfile", "-l", "--logfile", "--logger", "-d", "--rundir", "--chroot",
        "-u", "--uid", "-g", "--gid", "--umask", "-r", "--reactor", "--prefix", "--profile", "--profiler",
        "-p", "--port", "--listen", "--https", "-c", "--certificate", "-k", "--privkey", "--path", "--class", "--resource-script",
        "--wsgi", "--mime-type", "--index", "--root", "--processor",
    )
)  # fmt: skip


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """`twistd web`: every --listen (or --port), else port 8080 on all IPv4 addresses. What other plugins bind, only they know."""
    options = options_of(invocation.argv[1:], _VALUED)
    if not options.operands or options.operands[0].text != "web":
        return ()
    binder = Binder("twistd", words=("",))
    told = options.all("--listen", "--port", "-p")
    if not told:
        return binder.bind(default("", invocation.at), default(8080, invocation.at), files)
    return tuple(endpoint for word in told for endpoint in described(word, binder, files))
