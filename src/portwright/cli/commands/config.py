"""`portwright config`: each setting in force and who said it."""

from __future__ import annotations

import os

from portwright.cli.asked import asked_outputs, asked_rules
from portwright.cli.settling import obey, root_of
from portwright.cli.streams import CLEAN, Complaint
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.cli.configured import ConfigurationError, settled
    from portwright.reports.registry import Configured

    outputs = asked_outputs(options)
    if len(options.paths) > 1:
        raise Complaint("config is for one directory")
    start = options.paths[0] if options.paths else "."
    if not os.path.isdir(start):
        raise Complaint(f"{start}: no such directory")
    try:
        found = settled(options, root_of(start))
    except ConfigurationError as error:
        raise Complaint(str(error)) from None
    obey(options, found)
    asked_rules(options)  # whose mistakes are told here, too
    tell("config", Configured(found.settings, found.path), outputs, options)
    return CLEAN
