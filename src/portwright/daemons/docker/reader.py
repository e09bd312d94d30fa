"""docker: what `docker run --publish` takes on the host becomes endpoints."""

from collections.abc import Iterable

from portwright._start.records import replace
from portwright.daemons import DaemonFact, Packages
from portwright.daemons.docker import compose
from portwright.daemons.docker.published import published
from portwright.daemons.held import Held
from portwright.facts import ContainerLine, Endpoint, Invocation
from portwright.trees import Files


def read(invocation: Invocation, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """dockerd publishes on both families, as root, with a docker-proxy for each (docker run --publish)."""
    position = next((i for i, word in enumerate(invocation.argv) if word.text == "compose"), 0)
    # What stands before are options of docker itself, with their values.
    if position and (position == 1 or invocation.argv[1].text.startswith("-")):
        return on_the_host(compose.published(invocation, invocation.argv[position + 1 :], "docker", files))
    return on_the_host(published(invocation, "docker", files))


def read_fragment(path: str, files: Files, packages: Packages) -> tuple[DaemonFact, ...]:
    """What a Dockerfile puts into its image; what EXPOSE names is no port of the host's."""
    from portwright.daemons.docker import image  # few repositories have kernel settings in one

    return tuple(image.settings(path, files))


def held(label: str, text: str) -> tuple[Held, ...]:
    """What a Dockerfile copies into its image by name."""
    from portwright.daemons.docker import image

    return tuple(image.held(label, text))


def on_the_host(said: Iterable[Endpoint | ContainerLine]) -> tuple[Endpoint | ContainerLine, ...]:
    """Published ports as dockerd's proxies bind them, and what else containers ask for."""
    found: list[Endpoint | ContainerLine] = []
    for each in said:
        if not isinstance(each, Endpoint) or each.app not in ("docker", "podman"):
            found.append(each)  # a program on the host's network binds as it is told itself
            continue
        endpoint = replace(each, binds_as="root")
        if endpoint.address == "*":
            found += (replace(endpoint, address=address, v6only=only) for address, only in (("0.0.0.0", None), ("::", True)))  # noqa: S104
        else:
            found.append(endpoint)
    return tuple(found)
