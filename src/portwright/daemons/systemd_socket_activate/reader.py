"""systemd-socket-activate(1): what it listens on before it starts anything."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons._engine.binding import Binder, argument, default, halves
from portwright.facts import Endpoint, Invocation
from portwright.system.processes.options import read as options_of
from portwright.trees import Files

_VALUED = frozenset(("-l", "--listen", "-E", "--setenv", "--fdname"))
# A port alone is [::], dual-stack unless net.ipv6.bindv6only says otherwise (systemd.socket(5), ListenStream=).
_BINDER = Binder("systemd-socket-activate", wildcard=("::",), words=("",))


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """A socket for each --listen with a port; what stands behind the options is the command and its own affair."""
    end = 1
    while end < len(invocation.argv) and invocation.argv[end].text.startswith("-"):
        end += 2 if invocation.argv[end].text in _VALUED else 1
    options = options_of(invocation.argv[1:end], _VALUED)
    binder = replace(_BINDER, protocol="udp") if options.has("-d", "--datagram") else _BINDER
    found: list[Endpoint] = []
    for word in () if options.has("--seqpacket") else options.all("-l", "--listen"):
        if word.text.startswith(("/", "@", "vsock:")):
            continue
        host, port = halves(word)
        found += binder.bind(argument(host) if port is not None else default("", word.at), argument(port or word), files)
    return tuple(found)
