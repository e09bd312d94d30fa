"""What a report may promise of `portwright fix`: whether a plan for a finding is tried, and which option that takes."""

from portwright.finding import Finding, HostResult
from portwright.fixes.policy import FixPolicy, never_planned, refusal

ALLOW_REVIEW = "--allow-review"
_DEFAULT, _REVIEWED = FixPolicy(), FixPolicy(review=True)


def why_not(finding: Finding, result: HostResult) -> str:
    """Why `portwright fix` will not plan a finding's change, whatever it is allowed; "" where it tries.

    The last word is the proof's, which reads the host again with the change laid over it: that is `fix`'s work, not a report's.
    """
    if result.compared is not None and result.compared.foreseen:
        return "the host does not have these files yet: deploy them with the fix, or run portwright fix on the host afterwards"
    if result.repository:
        # Whoever merges a patch reads it, so that a finding which is not sure may have one.
        known = None if result.repairs is None else result.repairs.get(finding.fingerprint)
        return known.reason if known is not None else refusal(finding, _REVIEWED, ours=True, patch=True)
    return never_planned(result.repository, result.unread_init) or refusal(finding, _REVIEWED)


def needs(finding: Finding) -> str | None:
    """The option without which `portwright fix` does not plan a finding's change, None where it needs none."""
    return ALLOW_REVIEW if refusal(finding, _DEFAULT) else None
