"""docker-compose: what a Compose file publishes on the host becomes endpoints."""

from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.compose import held as held
from portwright.daemons.docker.compose import of_file, published
from portwright.daemons.docker.reader import on_the_host
from portwright.facts import Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """dockerd binds the published ports, whoever calls it."""
    return on_the_host(published(invocation, invocation.argv[1:], "docker", files))


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What `docker compose up` beside this file publishes, were it the only one."""
    return on_the_host(of_file(path, "docker", files))
