"""docker-compose: what a Compose file publishes on the host becomes endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.compose import published
from portwright.daemons.docker.reader import on_the_host
from portwright.facts import Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """dockerd binds the published ports, whoever calls it."""
    return on_the_host(published(invocation, invocation.argv[1:], "docker", files))
