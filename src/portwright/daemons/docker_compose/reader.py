"""docker-compose: what a Compose file publishes on the host becomes endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.compose import held as held
from portwright.daemons.docker.compose import of_file, published
from portwright.daemons.docker.reader import on_the_host
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """dockerd binds the published ports, whoever calls it."""
    return on_the_host(published(invocation, invocation.argv[1:], "docker", files))


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What `docker compose up` beside this file publishes, were it the only one.

    Each line is one listener: the two sockets of one that names no address are told as one of both families.
    """
    said = of_file(path, "docker", files)
    return tuple(replace(each, binds_as="root") if isinstance(each, Endpoint) and each.app == "docker" else each for each in said)
