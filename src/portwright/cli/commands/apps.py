"""`portwright apps`: the daemons that are known, and what is read of each."""

from __future__ import annotations

from portwright.cli.asked import asked_outputs
from portwright.cli.streams import CLEAN
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.daemons import daemons

    tell("apps", daemons(), asked_outputs(options), options)
    return CLEAN
