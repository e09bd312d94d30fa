"""What rules may ask of what a container asks for."""

from portwright.facts import ContainerLine
from portwright.host import Host
from portwright.host.terms.kernel_settings import RANGE, pair_in
from portwright.host.terms.registry import Derived, fact_value


@fact_value("container-line", "deployed")
def container_deployed(host: Host, line: ContainerLine) -> Derived[bool]:
    """Whether the container runs from boot; in a repository, where no file states what is enabled, everything counts as deployed."""
    return Derived(line.starts == "boot" or (host.repository and line.starts is None))


@fact_value("container-line", "one-parity")
def container_one_parity(host: Host, line: ContainerLine) -> Derived[bool | None]:
    """Whether the two ends of an ephemeral range that the container sets are both even or both odd; unknown for any other key."""
    ends = pair_in(line.value) if line.key == RANGE else None
    return Derived(None if ends is None else ends[0] < ends[1] and ends[0] % 2 == ends[1] % 2)
