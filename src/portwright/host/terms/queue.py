"""What rules may ask of accept queues: how long a service wants its own, and how long the kernel lets it be."""

from portwright.facts import Listener, weakest
from portwright.finding import Note
from portwright.host import Host
from portwright.host.terms.kernel_settings import SOMAXCONN, evidence_for, number_in
from portwright.host.terms.listener import listener_deployed
from portwright.host.terms.registry import Derived, fact_value, host_value

_BUILT_IN = 4096  # SOMAXCONN since Linux 5.4
# listen(2) takes what is more than the limit for the limit: -1, INT_MAX and 65535 are how daemons and people ask for all there is.
_AS_LONG_AS_CAN_BE = 65535


@host_value("wanted-somaxconn")
def wanted_somaxconn(host: Host) -> Derived[str | None]:
    """The longest accept queue that a service of the host requests as a number, and at least the kernel's default."""
    asked = (wanted_queue(host, listener).value for listener in host.listeners if listener_deployed(host, listener).value)
    return Derived(str(max(_BUILT_IN, *(length for length in asked if length is not None), 0)))


@fact_value("listener", "wanted-queue")
def wanted_queue(host: Host, listener: Listener) -> Derived[int | None]:
    """The length of the accept queue it requests; unknown where no number is set, or one that means the longest the kernel allows.

    Where a file lowers net.core.somaxconn, what is built into a daemon counts, too: it is what its makers found fitting.
    """
    asked, limit = listener.backlog, host.sysctl(SOMAXCONN)
    if asked is None or limit is None or asked.length >= _AS_LONG_AS_CAN_BE:
        return Derived(None)
    if asked.at is not None:
        return Derived(asked.length, (Note(f"{asked.length} is requested here", asked.at),) if asked.at.line != listener.at.line else ())
    lowered = not limit.is_default and (number_in(limit.boot) or 0) < _BUILT_IN
    note = Note(f"no line sets how many connections may wait, so the built-in value applies: {asked.length}")
    return Derived(asked.length if lowered else None, (note,))


@fact_value("listener", "queue-limit")
def queue_limit(host: Host, listener: Listener) -> Derived[int | None]:
    """The most connections that the kernel lets wait on one socket: net.core.somaxconn; unknown in a network namespace of its own."""
    sysctl = host.sysctl(SOMAXCONN)
    if sysctl is None or listener.private_network:
        return Derived(None)
    # Who asks for a longer queue has often raised the limit, too, and where a repository does that need not be a file that is read.
    elsewhere = host.repository and sysctl.is_default
    return Derived(
        number_in(sysctl.boot), (evidence_for(sysctl),), weakest(sysctl.confidence, "possible") if elsewhere else sysctl.confidence
    )
