"""`portwright suggest-port`: ports that are free on all hosts."""

from __future__ import annotations

from portwright.cli.asked import asked_hosts, asked_outputs
from portwright.cli.judging import is_incomplete, work_on_each
from portwright.cli.streams import CLEAN, FINDINGS, INCOMPLETE, INTERNAL, Complaint
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.audit.check import listening, read, unread
    from portwright.reports.free_ports import suggestion

    outputs = asked_outputs(options)
    if not options.paths:
        raise Complaint("suggest-port needs hosts: their directories or archives")
    inputs = asked_hosts(options)
    answers, sound = work_on_each(inputs, options, read, lambda given, reason: (unread(given, reason),))
    hosts = [(host, listening(given)) for given, found in zip(inputs, answers, strict=True) for host in found]
    found = suggestion(hosts, options.protocol, options.near, options.count)
    tell("suggest-port", found, outputs, options)
    if not sound:
        return INTERNAL
    if len(found.suggested) < options.count:
        return FINDINGS
    return INCOMPLETE if is_incomplete([host for host, _ in hosts], options) else CLEAN
