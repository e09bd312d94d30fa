"""docker: what `docker run --publish` takes on the host becomes endpoints."""

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker.published import published
from portwright.facts import Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """dockerd publishes on both families, as root, with a docker-proxy for each (docker run --publish)."""
    found: list[Endpoint] = []
    for endpoint in published(invocation, "docker", files):
        endpoint = replace(endpoint, binds_as="root")
        if endpoint.address == "*":
            found += (replace(endpoint, address=address, v6only=only) for address, only in (("0.0.0.0", None), ("::", True)))  # noqa: S104
        else:
            found.append(endpoint)
    return tuple(found)
