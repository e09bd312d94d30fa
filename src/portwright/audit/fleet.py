"""Each host of a fleet planned for by itself, of which as much is kept as one playbook for all of them needs."""

from typing import TYPE_CHECKING

from portwright.audit.check import NO_PORTS, Selection, before, planned, unread
from portwright.audit.inputs import Input
from portwright.fixes.fleet import HostPlan
from portwright.fixes.fleet import host_plan as kept
from portwright.ports import PortSet
from portwright.rules import Rule

if TYPE_CHECKING:
    from portwright.fixes.policy import FixPolicy


def host_plan(
    given: Input,
    rules: tuple[Rule, ...],
    selection: Selection,
    known: frozenset[str],
    policy: "FixPolicy",
    rate: int | None = None,
    taken_elsewhere: PortSet = NO_PORTS,
    *,
    allow_restart: bool,
) -> HostPlan:
    """A proven plan for one host; see `planned`."""
    made = planned(given, rules, selection, known, policy, rate, taken_elsewhere)
    return kept(made, before(given, made), allow_restart=allow_restart)


def not_planned(given: Input, reason: str) -> HostPlan:
    """Nothing, for a host that an error of our own ended the work on."""
    return HostPlan(given.name, given.identity, unreadable=unread(given, reason).unreadable, is_read=False, reason=reason)
