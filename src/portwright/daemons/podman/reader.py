"""podman: what `podman run --publish` takes on the host becomes endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.published import published
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """podman binds each published port itself, as the user who runs it, on IPv4 where no address is named (podman-run(1), --publish)."""
    return tuple(
        replace(each, address="0.0.0.0") if isinstance(each, Endpoint) and each.address == "*" else each  # noqa: S104
        for each in published(invocation, "podman", files)
    )
