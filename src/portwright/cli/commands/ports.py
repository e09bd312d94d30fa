"""`portwright ports`: who listens where, and what collides."""

from __future__ import annotations

from portwright.cli.asked import asked_inputs, asked_outputs
from portwright.cli.judging import is_incomplete, work_on_each
from portwright.cli.streams import CLEAN, INCOMPLETE, INTERNAL
from portwright.cli.telling import tell

TYPE_CHECKING = False  # as a type checker takes it; typing itself costs more than --version does
if TYPE_CHECKING:
    from portwright.cli.arguments import Options


def run(options: Options) -> int:
    from portwright.audit.check import read, unread
    from portwright.host.join.conflict import collisions

    outputs = asked_outputs(options)
    inputs = asked_inputs(options)
    answers, sound = work_on_each(
        inputs,
        options,
        lambda given: tuple(collisions(host) for host in read(given, options.rate)),
        lambda given, reason: ((unread(given, reason), ()),),
    )
    each = [(given, host) for given, found in zip(inputs, answers, strict=True) for host, _ in found]
    tell("ports", [one for found in answers for one in found], outputs, options, [(given, host.sources) for given, host in each])
    return INTERNAL if not sound else INCOMPLETE if is_incomplete([host for _, host in each], options) else CLEAN
