"""podman-compose: what a Compose file publishes on the host becomes endpoints."""

from collections.abc import Iterable

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.compose import of_file, published
from portwright.facts import ContainerLine, Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """It runs podman, which binds each published port as the user who runs it, on IPv4 where no address is named."""
    return _on_ipv4(published(invocation, invocation.argv[1:], "podman", files))


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What the containers of a file publish that a repository starts with podman."""
    return _on_ipv4(of_file(path, "podman", files))


def _on_ipv4(said: Iterable[Endpoint | ContainerLine]) -> tuple[DaemonFact, ...]:
    return tuple(
        replace(each, address="0.0.0.0") if isinstance(each, Endpoint) and each.address == "*" else each  # noqa: S104
        for each in said
    )
