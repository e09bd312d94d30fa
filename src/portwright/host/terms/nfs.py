"""Named values about the privileged ports that the kernel's NFS client takes for its own connections."""

from portwright.facts import Likelihood, Listener, Mount
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.kernel_settings import evidence_for
from portwright.host.terms.registry import Derived, fact_value, host_value
from portwright.numbers import decimals
from portwright.ports import PortSet

_MOST_TOLD = 3


@host_value("nfs-client-ports")
def nfs_client_ports(host: Host) -> Derived[PortSet | None]:
    """The ports an NFS mount may use on this host: sunrpc.min_resvport to max_resvport; unknown where no mount uses such a port.

    nfs(5), Using non-privileged source ports; net/sunrpc/xprtsock.c: the first try is a random port of the range, the next ones are
    those below it.
    """
    mounts = _taking(host)
    if not mounts:
        return Derived(None)
    ends, notes = [], [Note(f"{mount.what} is mounted from a privileged port", mount.at) for mount in mounts[:_MOST_TOLD]]
    for name in ("min_resvport", "max_resvport"):
        sysctl, option = host.sysctl(f"sunrpc.{name}"), host.resvports.get(name)
        if option is not None and (sysctl is None or sysctl.is_default):
            ends.append(option.value)
            notes.append(Note(f"{name} is set to {option.value} here", option.at))
        elif sysctl is not None:
            ends.append(sysctl.boot)
            if not sysctl.is_default:
                notes.append(evidence_for(sysctl))
    both = decimals(ends, 99_999)
    if both is None or len(both) != 2:
        return Derived(None)
    low, high = both
    return Derived(PortSet.of((low, high)) if 0 < low <= high <= 65535 else PortSet(), tuple(notes))


@fact_value("listener", "nfs-likelihood")
def nfs_likelihood(host: Host, listener: Listener) -> Derived[Likelihood | None]:
    """How likely an NFS mount is to be using the port when the service binds it: each mount uses one of the range at random."""
    ports, mounts = nfs_client_ports(host).value, _taking(host)
    if not ports or not mounts:
        return Derived(None)
    share = 100 * len(mounts) / len(ports)
    late = listener.unit is not None and "remote-fs.target" in host.order.get(listener.unit, ())
    when = f"; {listener.unit} starts after them" if late else ""
    many = "the NFS mount takes" if len(mounts) == 1 else f"each of the {len(mounts)} NFS mounts takes"
    return Derived("medium" if share >= 5 else "low", because=f"{many} one of {len(ports)} ports at random{when}")


def _taking(host: Host) -> list[Mount]:
    return [mount for mount in host.mounts if "noresvport" not in mount.options]
