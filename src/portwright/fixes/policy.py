"""What is not planned whatever the plan finds: reports say it too, and make no plan."""

from portwright._start.records import dataclass
from portwright.changes.kind import DISRUPTIONS, Disruption
from portwright.finding import Finding


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """How much a plan may ask of the host: findings whose mending needs a person's review are planned only when asked for, and those
    whose mending disrupts the host more than `most` are not."""

    review: bool = False
    most: Disruption = "reboot"


def never_planned(repository: bool, unread_init: str) -> str:
    """Why nothing is planned for what was read, whatever is found there; "" where a plan is tried."""
    if repository:
        return "a repository is not a host: no file states which machine it is for, so change the file at the place shown"
    return unread_init


def refusal(finding: Finding, policy: FixPolicy, *, ours: bool = False, patch: bool = False) -> str:
    """Why no fix of a finding is tried, as far as that can be told without reading the host again; "" where one is.

    `patch`: it is to be made in a repository's files. A finding that is `ours`, brought by another change of the plan, need not be sure:
    to reserve a port too many does no harm.
    """
    if finding.change is None:
        return finding.manual.reason if finding.manual else "no change of the configuration is right for every host"
    if finding.confidence == "possible" and not (ours and finding.change.harmless):
        return "the finding is not certain enough to change a host"
    if finding.change.safety == "review" and not policy.review:
        return "its fix needs review by somebody who knows the service (--allow-review plans it)"
    if not patch and DISRUPTIONS.index(finding.change.disruption) > DISRUPTIONS.index(policy.most):
        return f"its fix needs a {finding.change.disruption}, and --max-disruption {policy.most} permits none"
    return finding.change.unpatchable() if patch else finding.change.unwritable()
