"""The ports of an input, for reports that draw them beside a verdict."""

from portwright.audit.check import read
from portwright.audit.inputs import Input
from portwright.host.join.conflict import collisions
from portwright.reports.port_map import PortMap, port_maps


def ports_of(given: Input, rate: int | None = None) -> tuple[PortMap, ...]:
    """The maps of the hosts that an input describes, which is read once more: few reports draw, and all verdicts stay as they are."""
    return port_maps(collisions(host) for host in read(given, rate))
