"""podman-compose: what a Compose file publishes on the host becomes endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.compose import published
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """It runs podman, which binds each published port as the user who runs it, on IPv4 where no address is named."""
    return tuple(
        replace(each, address="0.0.0.0") if isinstance(each, Endpoint) and each.address == "*" else each  # noqa: S104
        for each in published(invocation, invocation.argv[1:], "podman", files)
    )
